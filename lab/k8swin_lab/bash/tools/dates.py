"""date: what time it is, and how times are written down and read."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from k8swin_lab.bash.tools.common import ToolFault, disk, options, put, tool
from k8swin_lab.machines.program import NotSimulated, Process

_FORMS = (
    "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y%m%d", "%b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Y",
)  # fmt: skip
_UNITS = {
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
}


def parse_date(given: str, process: Process) -> float:
    """Return the moment a text names, in seconds since 1970.

    Raises:
        ToolFault: it names none that the lab knows.
    """
    now = time.time()
    stripped = given.strip()
    if stripped.startswith("@"):
        return float(stripped[1:])
    words = {"now": 0.0, "today": 0.0, "yesterday": -86400.0, "tomorrow": 86400.0}
    if stripped in words:
        return now + words[stripped]
    offset = 0.0

    def relative(found: re.Match[str]) -> str:
        nonlocal offset
        amount = float(found[1].replace(" ", "")) * _UNITS[found[2]]
        offset += -amount if found[3] else amount
        return ""

    rest = re.sub(
        r"([-+]?\s*\d+)\s*(second|sec|minute|min|hour|day|week)s?(\s+ago)?", relative, stripped
    ).strip()
    if not rest or rest == "now":
        return now + offset
    zone = re.search(r"\s*(Z|UTC|GMT|[-+]\d\d:?\d\d)\Z", rest)
    text = rest[: zone.start()] if zone else rest
    for form in _FORMS:
        try:
            moment = datetime.strptime(text.strip(), form)
        except ValueError:
            continue
        if zone is None:
            return time.mktime(moment.timetuple()) + offset
        shift = 0
        if zone[1][0] in "+-":
            digits = zone[1].replace(":", "")
            shift = (int(digits[1:3]) * 60 + int(digits[3:5])) * (1 if digits[0] == "+" else -1)
        return (moment.replace(tzinfo=UTC) - timedelta(minutes=shift)).timestamp() + offset
    raise ToolFault(f"invalid date ‘{given}’")


def _date(process: Process) -> int:
    process.argv = [
        f"--iso-8601={word[2:]}" if word.startswith("-I") else word for word in process.argv
    ]
    found, operands = options(
        process, "uR", "drs", {"utc": "u", "universal": "u", "date=": "d", "reference=": "r",
                               "iso-8601?": "I", "rfc-3339=": "3339", "rfc-email": "R",
                               "set=": "s"}, known="f",
    )  # fmt: skip
    if "s" in found:
        raise NotSimulated("date -s")
    moment = time.time()
    if "d" in found:
        moment = parse_date(found.last("d"), process)
    elif "r" in found:
        moment = disk(process).host(found.last("r")).stat().st_mtime
    utc = "u" in found or process.env.get("TZ") == "UTC"
    form = operands[0][1:] if operands and operands[0].startswith("+") else ""
    if operands and not form:
        if operands[0] == "+":
            put(process, "\n")
            return 0
        raise ToolFault(f"invalid date ‘{operands[0]}’")
    if "I" in found:
        kind = found.last("I") or "date"
        form = {"date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%:z", "minutes": "%Y-%m-%dT%H:%M%:z",
                "seconds": "%Y-%m-%dT%H:%M:%S%:z", "ns": "%Y-%m-%dT%H:%M:%S,%N%:z"}[kind]  # fmt: skip
    elif "3339" in found:
        form = {"date": "%Y-%m-%d", "seconds": "%Y-%m-%d %H:%M:%S%:z"}.get(
            found.last("3339"), "%Y-%m-%d %H:%M:%S.%N%:z"
        )
    elif "R" in found:
        form = "%a, %d %b %Y %H:%M:%S %z"
    put(process, formatted(form or "%a %b %e %H:%M:%S %Z %Y", moment, utc=utc) + "\n")
    return 0


def formatted(form: str, moment: float, *, utc: bool) -> str:
    """Write a moment in date's own format."""
    parts = time.gmtime(moment) if utc else time.localtime(moment)
    zone = "+0000" if utc else time.strftime("%z", parts)
    nanoseconds = int(moment % 1 * 10**9)

    def one(found: re.Match[str]) -> str:
        flag, width, letter = found.groups()
        if letter == "N":
            digits = f"{nanoseconds:09d}"
            return digits[: int(width)] if width else digits
        values = {
            "s": str(int(moment)), "z": zone, ":z": f"{zone[:3]}:{zone[3:]}", "n": "\n", "t": "\t",
            "F": time.strftime("%Y-%m-%d", parts), "T": time.strftime("%H:%M:%S", parts),
            "P": time.strftime("%p", parts).lower(), "k": f"{parts.tm_hour:2d}",
            "e": f"{parts.tm_mday:2d}", "%": "%", "Z": "UTC" if utc else time.strftime("%Z", parts),
            "R": time.strftime("%H:%M", parts), "D": time.strftime("%m/%d/%y", parts),
        }  # fmt: skip
        text = values.get(letter) or time.strftime(f"%{letter}", parts)
        if flag == "-":
            return text.lstrip("0 ") or "0"
        return text

    return re.sub(r"%([-_0^#]?)(\d*)(:z|[A-Za-z%])", one, form)


TOOLS = {"date": tool(_date)}
