"""Dates and time spans as text: .NET's standard and custom formats (en-US and invariant)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from k8swin_lab.machines.windows_locale import Culture
from k8swin_lab.powershell.dotnet.culture_now import US as US_CULTURE
from k8swin_lab.powershell.dotnet.culture_now import current
from k8swin_lab.powershell.dotnet.registry import format_error

if TYPE_CHECKING:
    from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

US = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "M": "MMMM d",
    "Y": "MMMM yyyy",
}
INVARIANT = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "M": "MMMM dd",
    "Y": "yyyy MMMM",
}
_FIXED = {
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
    "o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "O": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
}
TOKEN = re.compile(
    r"'[^']*'?|\"[^\"]*\"?|\\.|%|y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|z+|K|g+|:|/|.", re.DOTALL
)


def _table() -> dict[str, str]:
    """The standard formats of the session's culture."""
    culture = current()
    if culture is US_CULTURE:
        return US
    date, long, time, seconds = (
        culture.short_date,
        culture.long_date,
        culture.short_time,
        culture.long_time,
    )
    month = "d. MMMM" if culture.name == "de-DE" else "M'月'd'日'"
    year = "MMMM yyyy" if culture.name == "de-DE" else "yyyy'年'M'月'"
    return {"d": date, "D": long, "t": time, "T": seconds, "f": f"{long} {time}", "F": f"{long} {seconds}",
            "g": f"{date} {time}", "G": f"{date} {seconds}", "M": month, "Y": year}  # fmt: skip


def expand_standard(pattern: str, *, invariant: bool = False) -> str:
    """The custom pattern that a one-letter standard format stands for."""
    table = INVARIANT if invariant else _table()
    letter = {"m": "M", "y": "Y"}.get(pattern, pattern)
    if letter == "U":
        return table["F"]
    found = _FIXED.get(pattern) or table.get(letter)
    if found is None:
        raise format_error()
    return found


def format_date(value: DateTime, pattern: str, *, invariant: bool = False) -> str:
    """`date.ToString(pattern)`."""
    pattern = pattern or "G"
    if len(pattern) == 1:
        if pattern == "U":
            value = value.to_universal()
        invariant = invariant or pattern in _FIXED
        pattern = expand_standard(pattern, invariant=invariant)
    moment = value.datetime
    culture = US_CULTURE if invariant else current()
    pieces = TOKEN.findall(pattern)
    if culture is not US_CULTURE:
        return "".join(_local_token(value, moment, piece, culture) for piece in pieces)
    return "".join(_date_token(value, moment, piece) for piece in pieces)


def _local_token(value: DateTime, moment: datetime, piece: str, culture: Culture) -> str:
    """A part of a date in another culture: its names and its separator of dates."""
    if piece == "/":
        return culture.date_separator
    if piece[0] == "M" and len(piece) >= 3:
        name = culture.months[moment.month - 1]
        return name if len(piece) > 3 or culture.name == "ja-JP" else name[:3]
    if piece[0] == "d" and len(piece) >= 3:
        day = culture.days[moment.weekday()]
        return day if len(piece) > 3 else day[: 2 if culture.name == "de-DE" else 1]
    if piece[0] == "t":
        return {"ja-JP": ("午前", "午後")}.get(culture.name, ("", ""))[moment.hour >= 12]
    return _date_token(value, moment, piece)


def _date_token(value: DateTime, moment: datetime, piece: str) -> str:
    letter, count = piece[0], len(piece)
    if letter == "y":
        if count <= 2:
            return f"{moment.year % 100:0{count}d}"
        return f"{moment.year:0{count}d}"
    if letter == "M":
        if count >= 3:
            return MONTHS[moment.month - 1] if count > 3 else MONTHS[moment.month - 1][:3]
        return f"{moment.month:0{count}d}"
    if letter == "d":
        if count >= 3:
            day = DAYS[moment.weekday()]
            return day if count > 3 else day[:3]
        return f"{moment.day:0{count}d}"
    if letter == "H":
        return f"{moment.hour:0{min(count, 2)}d}"
    if letter == "h":
        return f"{(moment.hour - 1) % 12 + 1:0{min(count, 2)}d}"
    if letter == "m":
        return f"{moment.minute:0{min(count, 2)}d}"
    if letter == "s":
        return f"{moment.second:0{min(count, 2)}d}"
    if letter in "fF":
        text = f"{value.ticks % 10_000_000:07d}"[:count]
        return text.rstrip("0") if letter == "F" else text
    if letter == "t":
        return ("AM" if moment.hour < 12 else "PM")[:count]
    if letter == "z":
        return value.offset_text(count)
    if letter == "K":
        return value.kind_text()
    if letter == "g":
        return "A.D."
    return _literal(piece)


def _literal(piece: str) -> str:
    if piece[0] in "'\"" and len(piece) > 1:
        return piece[1:].removesuffix(piece[0])
    if piece[0] == "\\":
        return piece[1:]
    return "" if piece == "%" else piece


_SPAN_TOKEN = re.compile(r"'[^']*'?|\"[^\"]*\"?|\\.|%|d+|h+|m+|s+|f+|F+|.", re.DOTALL)


def format_span(value: TimeSpan, pattern: str) -> str:
    """`timespan.ToString(pattern)`."""
    ticks = abs(value.ticks)
    days, rest = divmod(ticks, 864_000_000_000)
    hours, rest = divmod(rest, 36_000_000_000)
    minutes, rest = divmod(rest, 600_000_000)
    seconds, fraction = divmod(rest, 10_000_000)
    sign = "-" if value.ticks < 0 else ""
    if pattern in ("", "c", "t", "T"):
        text = f"{days}." if days else ""
        text += f"{hours:02d}:{minutes:02d}:{seconds:02d}"
        return sign + text + (f".{fraction:07d}" if fraction else "")
    if pattern == "g":
        text = f"{days}:" if days else ""
        tail = f".{fraction:07d}".rstrip("0") if fraction else ""
        return f"{sign}{text}{hours}:{minutes:02d}:{seconds:02d}{tail}"
    if pattern == "G":
        return f"{sign}{days}:{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:07d}"
    if len(pattern) == 1:
        raise format_error("Input string was not in a correct format.")
    parts = {"d": days, "h": hours, "m": minutes, "s": seconds}
    result = []
    for piece in _SPAN_TOKEN.findall(pattern):
        letter = piece[0]
        if letter in parts:
            result.append(f"{parts[letter]:0{len(piece)}d}")
        elif letter in "fF":
            text = f"{fraction:07d}"[: len(piece)]
            result.append(text.rstrip("0") if letter == "F" else text)
        elif letter in "'\"\\%":
            result.append(_literal(piece))
        else:
            raise format_error("Input string was not in a correct format.")
    return "".join(result)
