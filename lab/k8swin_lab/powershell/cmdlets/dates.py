"""Get-Date, New-TimeSpan, Get-TimeZone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, UTILITY, refuse, switch
from k8swin_lab.powershell.dotnet.dates import Zone
from k8swin_lab.powershell.dotnet.times import TICKS, DateTime, TimeSpan
from k8swin_lab.powershell.values import PSObject

_PARTS = ("Year", "Month", "Day", "Hour", "Minute", "Second")


@TABLE.cmdlet(
    "Get-Date",
    parameters=[
        Parameter("Date", "datetime", position=0, aliases=("LastWriteTime",), pipeline="both"),
        *[Parameter(name, "int") for name in _PARTS],
        Parameter("Millisecond", "int"),
        Parameter("DisplayHint", "string", choices=("Date", "Time", "DateTime")),
        Parameter("Format", "string"),
        Parameter("UFormat", "string"),
        switch("AsUTC"),
        Parameter("UnixTimeSeconds", "long"),
    ],
    module=UTILITY,
)
def get_date(call: Call) -> Iterator[Any]:
    session: Any = call.session
    moment = call["Date"]
    if call.bound("UnixTimeSeconds"):
        moment = DateTime.from_epoch(call["UnixTimeSeconds"])
    if moment is None:
        moment = DateTime.from_epoch(session.host.now())
    if any(call.bound(name) for name in (*_PARTS, "Millisecond")):
        moment = _with_parts(call, moment)
    if call["AsUTC"]:
        moment = moment.to_universal()
    if call.bound("Format"):
        yield _formatted(moment, call["Format"])
    elif call.bound("UFormat"):
        yield unix_format(moment, call["UFormat"])
    else:
        refuse(call, "DisplayHint")
        yield moment


def _with_parts(call: Call, moment: DateTime) -> DateTime:
    old = moment.datetime
    values = [call[name] if call.bound(name) else getattr(old, name.lower()) for name in _PARTS]
    fraction = moment.ticks % TICKS
    if call.bound("Millisecond"):
        fraction = call["Millisecond"] * 10_000
    try:
        made = DateTime.of(datetime(*values))
    except ValueError as error:
        raise Terminating(
            "Year, Month, and Day parameters describe an un-representable DateTime.",
            exception="System.ArgumentOutOfRangeException",
            error_id="System.ArgumentOutOfRangeException",
        ) from error
    return DateTime(made.ticks + fraction, moment.kind)


_NAMED = {
    "filedate": "yyyyMMdd",
    "filedateuniversal": "yyyyMMddZ",
    "filedatetime": "yyyyMMddTHHmmssffff",
    "filedatetimeuniversal": "yyyyMMddTHHmmssffffZ",
}


def _formatted(moment: DateTime, pattern: str) -> str:
    return dotnet.format_value(moment, _NAMED.get(pattern.lower(), pattern))


def unix_format(moment: DateTime, pattern: str) -> str:
    """-UFormat: the letters of Unix's date."""
    when = moment.datetime
    special = {
        "s": str(int(moment.epoch)),
        "Z": "+00",
        "n": "\n",
        "t": "\t",
        "D": when.strftime("%m/%d/%y"),
        "c": when.strftime("%a %d %b %Y %H:%M:%S"),
        "e": f"{when.day:2d}",
        "k": f"{when.hour:2d}",
        "l": f"{when.hour % 12 or 12:2d}",
        "r": when.strftime("%I:%M:%S %p"),
        "R": when.strftime("%H:%M"),
        "T": when.strftime("%H:%M:%S"),
        "F": when.strftime("%Y-%m-%d"),
        "x": when.strftime("%m/%d/%y"),
        "X": when.strftime("%H:%M:%S"),
        "V": str((when.timetuple().tm_yday - 1) // 7 + 1),
    }
    result, index = "", 0
    text = pattern.removeprefix("+")
    while index < len(text):
        char = text[index]
        if char == "%" and index + 1 < len(text):
            letter = text[index + 1]
            result += special.get(letter) or (
                when.strftime("%" + letter) if letter.isalpha() else letter
            )
            index += 2
        else:
            result += char
            index += 1
    return result


@TABLE.cmdlet(
    "New-TimeSpan",
    parameters=[
        Parameter("Start", "datetime", position=0, aliases=("LastWriteTime",), pipeline="both"),
        Parameter("End", "datetime", position=1, pipeline="property"),
        Parameter("Days", "int"),
        Parameter("Hours", "int"),
        Parameter("Minutes", "int"),
        Parameter("Seconds", "int"),
        Parameter("Milliseconds", "int"),
    ],
    module=UTILITY,
)
def new_time_span(call: Call) -> Iterator[Any]:
    session: Any = call.session
    if call.bound("Start") or call.bound("End"):
        now = DateTime.from_epoch(session.host.now())
        start, end = call["Start"] or now, call["End"] or now
        yield TimeSpan(end.ticks - start.ticks)
        return
    seconds = (
        (call["Days"] or 0) * 86_400
        + (call["Hours"] or 0) * 3600
        + (call["Minutes"] or 0) * 60
        + (call["Seconds"] or 0)
    )
    yield TimeSpan(seconds * TICKS + (call["Milliseconds"] or 0) * 10_000)


@TABLE.cmdlet(
    "Get-TimeZone",
    parameters=[
        Parameter("Name", "string[]", position=0),
        Parameter("Id", "string[]"),
        switch("ListAvailable"),
    ],
    module=MANAGEMENT,
)
def get_time_zone(call: Call) -> Iterator[Any]:
    refuse(call, "Name", "Id", "ListAvailable")
    yield PSObject(
        [
            ("Id", "UTC"),
            ("DisplayName", "(UTC) Coordinated Universal Time"),
            ("StandardName", "Coordinated Universal Time"),
            ("DaylightName", "Coordinated Universal Time"),
            ("BaseUtcOffset", TimeSpan(0)),
            ("SupportsDaylightSavingTime", False),
        ],
        type_names=[Zone.type_name],
        display="(UTC) Coordinated Universal Time",
    )
