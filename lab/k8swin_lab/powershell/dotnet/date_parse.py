"""Reading dates and time spans: by common forms, or exactly by a format."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from k8swin_lab.powershell.dotnet.date_format import DAYS, MONTHS, TOKEN, expand_standard
from k8swin_lab.powershell.dotnet.registry import format_error
from k8swin_lab.powershell.dotnet.times import TICKS, DateTime, DateTimeOffset, TimeSpan

_MONTH = "|".join(name[:3] for name in MONTHS)
_DATE_FORMS = (
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?",
    r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[-/.](?P<y>\d{4}|\d{2}))?",
    rf"(?P<d>\d{{1,2}})[ -](?P<n>{_MONTH})[a-z]*\.?,?(?:[ -](?P<y>\d{{4}}|\d\d))?",
    rf"(?P<n>{_MONTH})[a-z]*\.? (?P<d>\d{{1,2}})(?:,? (?P<y>\d{{4}}))?",
    rf"(?P<n>{_MONTH})[a-z]*\.? (?P<y>\d{{4}})",
)
_TIME = (
    r"(?P<H>\d{1,2}):(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"\s*(?P<p>[AaPp][Mm])?\s*(?P<z>Z|GMT|UTC|[+-]\d{1,2}(?::?\d{2})?)?"
)
_WEEKDAY = r"(?:(?:" + "|".join(f"{day}|{day[:3]}" for day in DAYS) + r"),?\s+)?"
_FORMS = (
    *(
        re.compile(rf"{_WEEKDAY}{form}(?:(?:\s*T\s*|,?\s+){_TIME})?\s*(?P<Z>Z)?", re.IGNORECASE)
        for form in _DATE_FORMS
    ),
    re.compile(_TIME, re.IGNORECASE),
)


def bad_date() -> Exception:
    """The error of a text that is no date."""
    return format_error("String was not recognized as a valid DateTime.")


_WORDS = re.compile(r"[^\W\d_]+")
_READ = re.compile(r"[\w\s,./:+-]*")
_KNOWN_WORDS = frozenset(
    word.lower()
    for name in (*MONTHS, *DAYS, "am", "pm", "a", "p", "t", "z", "gmt")
    for word in (name, name[:3])
)


def _unread(text: str) -> Exception:
    """The error of a text that no form fits: its first word that no date has is named."""
    for found in _WORDS.finditer(text):
        if _READ.fullmatch(text, 0, found.start()) is None:
            break  # it came to a sign that no date has before the word
        if found.group().lower() not in _KNOWN_WORDS:
            return format_error(
                "The string was not recognized as a valid DateTime. There is an unknown word starting "
                f"at index {found.start()}."
            )
    return bad_date()


def parse_date(text: str, *, today: datetime | None = None, keep_offset: bool = False) -> DateTime:
    """Read a date as DateTime.Parse does (en-US order).

    A text that names a zone becomes local time, or a DateTimeOffset with `keep_offset`.

    Raises:
        Terminating: System.FormatException.
    """
    stripped = text.strip()
    for form in _FORMS:
        match = form.fullmatch(stripped)
        if match is not None:
            return _from_parts(match.groupdict(), today or datetime.now(), text, keep_offset)
    raise _unread(text)


def _year(text: str) -> int:
    number = int(text)
    if len(text) <= 2:
        number += 2000 if number < 50 else 1900
    return number


def _from_parts(
    parts: dict[str, Any], today: datetime, text: str, keep_offset: bool = False
) -> DateTime:
    hour = int(parts.get("H") or 0)
    half = (parts.get("p") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise bad_date()
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    has_date = any(parts.get(key) for key in "ymdn")
    month = parts.get("m") or (today.month if not has_date else 1)
    if parts.get("n"):
        month = 1 + [name[:3].lower() for name in MONTHS].index(parts["n"][:3].lower())
    day = parts.get("d") or (1 if has_date else today.day)
    year = _year(parts["y"]) if parts.get("y") else today.year
    fraction = int((parts.get("f") or "0").ljust(7, "0")[:7])
    try:
        base = datetime(
            year, int(month), int(day), hour, int(parts.get("M") or 0), int(parts.get("S") or 0)
        )
    except ValueError as error:
        raise bad_date() from error
    ticks = DateTime.of(base).ticks + fraction
    zone = parts.get("z") or parts.get("Z")
    minutes = 0
    if zone and zone[0] in "+-":
        digits = (
            zone[1:].replace(":", "").ljust(4, "0")
            if ":" in zone or len(zone) > 3
            else zone[1:] + "00"
        )
        minutes = (int(digits[:-2]) * 60 + int(digits[-2:])) * (-1 if zone[0] == "-" else 1)
    if keep_offset:
        return DateTimeOffset(ticks, minutes)
    if zone:
        return DateTime(ticks - minutes * 60 * TICKS, "Local")
    return DateTime(ticks)


_EXACT: dict[str, str] = {
    "yyyy": r"(?P<y>\d{4})",
    "yy": r"(?P<y>\d{2})",
    "MMMM": "(?P<n>" + "|".join(MONTHS) + ")",
    "MMM": f"(?P<n>{_MONTH})",
    "MM": r"(?P<m>\d{2})",
    "M": r"(?P<m>\d{1,2})",
    "dddd": "(?:" + "|".join(DAYS) + ")",
    "ddd": "(?:" + "|".join(day[:3] for day in DAYS) + ")",
    "dd": r"(?P<d>\d{2})",
    "d": r"(?P<d>\d{1,2})",
    "HH": r"(?P<H>\d{2})",
    "H": r"(?P<H>\d{1,2})",
    "hh": r"(?P<H>\d{2})",
    "h": r"(?P<H>\d{1,2})",
    "mm": r"(?P<M>\d{2})",
    "m": r"(?P<M>\d{1,2})",
    "ss": r"(?P<S>\d{2})",
    "s": r"(?P<S>\d{1,2})",
    "tt": r"(?P<p>[AaPp][Mm])",
    "zzz": r"(?P<z>[+-]\d{2}:?\d{2})",
    "zz": r"(?P<z>[+-]\d{2})",
    "K": r"(?P<z>Z|[+-]\d{2}:\d{2})?",
}


def parse_exact(text: str, pattern: str, *, keep_offset: bool = False) -> DateTime:
    """Read a date that must have exactly this format.

    Raises:
        Terminating: System.FormatException.
    """
    if len(pattern) == 1:
        pattern = expand_standard(pattern)
    expression = []
    for piece in TOKEN.findall(pattern):
        if piece in _EXACT:
            expression.append(_EXACT[piece])
        elif piece[0] == "f":
            expression.append(rf"(?P<f>\d{{{len(piece)}}})")
        elif piece[0] == "F":
            expression.append(rf"(?P<f>\d{{0,{len(piece)}}})")
        elif piece[0] in "'\"":
            expression.append(re.escape(piece[1:].removesuffix(piece[0])))
        elif piece != "%":
            expression.append(re.escape(piece.removeprefix("\\")))
    match = re.fullmatch("".join(expression), text, re.IGNORECASE)
    if match is None:
        raise bad_date()
    return _from_parts(match.groupdict(), datetime.now(), text, keep_offset)


_SPAN_DAYS = re.compile(r"\s*(?P<sign>-)?(?P<d>\d+)\s*")
_SPAN_CLOCK = re.compile(
    r"\s*(?P<sign>-)?(?:(?P<d>\d+)(?:\.|:(?=\d+:\d+:\d+)))?(?P<h>\d+):(?P<m>\d+)"
    r"(?::(?P<s>\d+)(?:\.(?P<f>\d{1,7}))?)?\s*"
)


_MAX_DAYS = 10_675_199
"""Whole days of the longest time span."""


def parse_span(text: str) -> TimeSpan:
    """Read `[-][d.]hh:mm[:ss[.fffffff]]` or a number of days.

    Raises:
        Terminating: System.FormatException or OverflowException.
    """
    match = _SPAN_DAYS.fullmatch(text) or _SPAN_CLOCK.fullmatch(text)
    if match is None:
        raise format_error("String was not recognized as a valid TimeSpan.")
    parts = match.groupdict()
    hours, minutes, seconds = (int(parts.get(key) or 0) for key in "hms")
    days = int(parts.get("d") or 0)
    if days > _MAX_DAYS or hours > 23 or minutes > 59 or seconds > 59:
        error = format_error(
            "The TimeSpan could not be parsed because at least one of the numeric components is out "
            "of range or contains too many digits."
        )
        error.exception = "System.OverflowException"
        error.error_id = "OverflowException"
        raise error
    ticks = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS
    ticks += int((parts.get("f") or "0").ljust(7, "0"))
    return TimeSpan(-ticks if parts["sign"] else ticks)
