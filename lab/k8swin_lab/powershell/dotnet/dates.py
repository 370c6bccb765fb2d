"""Members of DateTime, DateTimeOffset, TimeSpan and Stopwatch."""

from __future__ import annotations

import calendar
import re
import time
from datetime import datetime
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import culture_now, enums
from k8swin_lab.powershell.dotnet.comparison import compared
from k8swin_lab.powershell.dotnet.composite import format_value
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.date_parse import (
    parse_date,
    parse_exact,
    parse_span,
)
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, out_of_range
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import (
    EPOCH_TICKS,
    MAX_TICKS,
    TICKS,
    DateTime,
    DateTimeOffset,
    TimeSpan,
)
from k8swin_lab.powershell.records import Reference
from k8swin_lab.powershell.values import TypedInt

_DAY = 86_400 * TICKS
_UNITS = {
    "Days": _DAY,
    "Hours": 3600 * TICKS,
    "Minutes": 60 * TICKS,
    "Seconds": TICKS,
    "Milliseconds": TICKS // 1000,
}
_INTERFACES = ("System.IComparable", "System.IFormattable")


def _text(self: Any, *args: Any) -> str:
    pattern = next((to_string(a) for a in args if isinstance(a, str)), "")
    invariant = any(getattr(a, "invariant", False) for a in args)
    return format_value(self, pattern, invariant=invariant)


def _order(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


# --- TimeSpan

SPAN = NetType("System.TimeSpan", value_type=True, interfaces=_INTERFACES)
SPAN.compare = _order
SPAN.to_text = str
SPAN.value("Zero", TimeSpan(0))
SPAN.value("MaxValue", TimeSpan((1 << 63) - 1))
SPAN.value("MinValue", TimeSpan(-(1 << 63)))
for _name, _ticks in (
    ("TicksPerDay", _DAY),
    ("TicksPerHour", 3600 * TICKS),
    ("TicksPerMinute", 60 * TICKS),
    ("TicksPerSecond", TICKS),
    ("TicksPerMillisecond", TICKS // 1000),
):
    SPAN.value(_name, TypedInt(_ticks, "System.Int64"))


def _part(ticks: int, unit: int, modulus: int | None) -> int:
    value = abs(ticks) // unit
    if modulus is not None:
        value %= modulus
    return -value if ticks < 0 else value


SPAN.prop("Days", lambda s: _part(s.ticks, _DAY, None))
SPAN.prop("Hours", lambda s: _part(s.ticks, 3600 * TICKS, 24))
SPAN.prop("Minutes", lambda s: _part(s.ticks, 60 * TICKS, 60))
SPAN.prop("Seconds", lambda s: _part(s.ticks, TICKS, 60))
SPAN.prop("Milliseconds", lambda s: _part(s.ticks, TICKS // 1000, 1000))
SPAN.prop("Ticks", lambda s: s.ticks)


def _declare_unit(name: str, unit: int) -> None:
    SPAN.prop("Total" + name, lambda s: s.ticks / unit)
    SPAN.static("From" + name)(lambda value: TimeSpan.of_seconds(float(value) * (unit / TICKS)))


for _name, _unit in _UNITS.items():
    _declare_unit(_name, _unit)
SPAN.static("FromTicks")(lambda value: TimeSpan(int(value)))


@SPAN.constructor
def _new_span(*args: Any) -> TimeSpan:
    numbers = [int(a) for a in args]
    if len(numbers) <= 1:
        return TimeSpan(numbers[0] if numbers else 0)
    if len(numbers) == 3:
        numbers = [0, *numbers]
    numbers += [0] * (5 - len(numbers))
    return TimeSpan(sum(n * unit for n, unit in zip(numbers, _UNITS.values(), strict=True)))


SPAN.method("Add")(lambda self, other: TimeSpan(self.ticks + _span(other).ticks))
SPAN.method("Subtract")(lambda self, other: TimeSpan(self.ticks - _span(other).ticks))
SPAN.method("Negate")(lambda self: TimeSpan(-self.ticks))
SPAN.method("Duration")(lambda self: TimeSpan(abs(self.ticks)))
SPAN.method("ToString")(_text)
SPAN.method("CompareTo")(lambda self, other: compared(self, other, _order))
SPAN.method("Equals")(lambda self, other: self == other)
SPAN.static("Parse")(lambda text, provider=None: parse_span(to_string(text)))
SPAN.static("Compare")(lambda a, b: _order(_span(a), _span(b)))
SPAN.static("Equals")(lambda a, b: _span(a) == _span(b))


@SPAN.static("ParseExact")
def _parse_span_exact(text: str, pattern: Any, provider: Any, style: Any = None) -> TimeSpan:
    if style is not None or to_string(pattern) not in ("c", "t", "T"):
        raise NotSimulated("[System.TimeSpan]::ParseExact() of other formats than c")
    return parse_span(text)


def _span(value: Any) -> TimeSpan:
    if isinstance(value, TimeSpan):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return TimeSpan(int(value))
    return parse_span(to_string(value))


SPAN.from_value = lambda value: (
    _span(value) if isinstance(value, str | int | float | TimeSpan) else NotImplemented
)


def _try(parse: Any, failed: Any) -> Any:
    def attempt(*args: Any) -> bool:
        target = args[-1]
        assert isinstance(target, Reference)  # noqa: S101 - the overload has no other last argument
        try:
            target.set(parse(*args[:-1]))
        except Terminating:
            target.set(failed)
            return False
        return True

    return attempt


SPAN.static("TryParse")(_try(lambda text, *rest: parse_span(to_string(text)), TimeSpan(0)))


# --- DateTime

DATE = NetType("System.DateTime", value_type=True, interfaces=_INTERFACES)
DATE.compare = _order
DATE.to_text = str
DATE.value("MinValue", DateTime(0))
DATE.value("MaxValue", DateTime(MAX_TICKS))
DATE.value("UnixEpoch", DateTime(EPOCH_TICKS, "Utc"))
DATE.value("Now", lambda: DateTime.from_epoch(time.time()))
DATE.value("UtcNow", lambda: DateTime.from_epoch(time.time(), "Utc"))
DATE.value("Today", lambda: _midnight(DateTime.from_epoch(time.time())))


def as_items(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _midnight(value: DateTime) -> DateTime:
    return DateTime(value.ticks // _DAY * _DAY, value.kind)


DATE.prop("Date", _midnight)
DATE.prop("Day", lambda d: d.datetime.day)
DATE.prop("DayOfWeek", lambda d: enums.value("System.DayOfWeek", d.datetime.isoweekday() % 7))
DATE.prop("DayOfYear", lambda d: d.datetime.timetuple().tm_yday)
DATE.prop("Hour", lambda d: d.datetime.hour)
DATE.prop("Kind", lambda d: enums.value("System.DateTimeKind", d.kind))
DATE.prop("Millisecond", lambda d: d.ticks // 10_000 % 1000)
DATE.prop("Minute", lambda d: d.datetime.minute)
DATE.prop("Month", lambda d: d.datetime.month)
DATE.prop("Second", lambda d: d.datetime.second)
DATE.prop("Ticks", lambda d: d.ticks)
DATE.prop("TimeOfDay", lambda d: TimeSpan(d.ticks % _DAY))
DATE.prop("Year", lambda d: d.datetime.year)
DATE.prop("DateTime", lambda d: format_value(d, "F"))


@DATE.constructor
def _new_date(*args: Any) -> DateTime:
    if any(getattr(a, "type_name", "").startswith("System.Globalization") for a in args):
        raise NotSimulated("[System.DateTime]::new() with a calendar")
    kind = next((to_string(a) for a in args if isinstance(a, str)), "Unspecified")
    numbers = [int(a) for a in args if isinstance(a, int)]
    if len(numbers) <= 1:
        return _of_ticks(numbers[0] if numbers else 0, kind)
    milliseconds = numbers[6] if len(numbers) > 6 else 0
    try:
        return DateTime(DateTime.of(datetime(*numbers[:6])).ticks + milliseconds * 10_000, kind)  # type: ignore[arg-type]
    except ValueError as error:
        raise out_of_range(
            "Year, Month, and Day parameters describe an un-representable DateTime."
        ) from error


def _shifted(self: DateTime, ticks: int) -> DateTime:
    if isinstance(self, DateTimeOffset):
        return DateTimeOffset(self.ticks + ticks, self.minutes)
    return DateTime(self.ticks + ticks, self.kind)


for _name, _unit in _UNITS.items():
    # .NET Framework rounds the amount to whole milliseconds.
    DATE.method("Add" + _name)(
        lambda self, value, *, _unit=_unit: _shifted(
            self, TimeSpan.of_seconds(_amount(value) * (_unit / TICKS)).ticks
        )
    )
DATE.method("AddTicks")(lambda self, value: _shifted(self, int(value)))
DATE.method("Add")(lambda self, value: _shifted(self, _span(value).ticks))


@DATE.method("Subtract")
def _subtract(self: DateTime, value: Any) -> Any:
    if isinstance(value, DateTime):
        return TimeSpan(_instant(self) - _instant(value))
    return _shifted(self, -_span(value).ticks)


def _amount(value: Any) -> float:
    return float(convert(None, value, "System.Double"))


@DATE.method("AddMonths")
def _add_months(self: DateTime, months: int) -> DateTime:
    moment = self.datetime
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    target = DateTime.of(moment.replace(year=year, month=month + 1, day=day))
    return _shifted(self, target.ticks - DateTime.of(moment).ticks)


DATE.method("AddYears")(lambda self, years: _add_months(self, int(years) * 12))


def _instant(value: DateTime) -> int:
    return value.utc_ticks if isinstance(value, DateTimeOffset) else value.ticks


DATE.method("ToUniversalTime")(lambda self: self.to_universal())
DATE.method("ToLocalTime")(lambda self: self.to_local())
DATE.method("ToString")(_text)
DATE.method("ToShortDateString")(lambda self: format_value(self, "d"))
DATE.method("ToLongDateString")(lambda self: format_value(self, "D"))
DATE.method("ToShortTimeString")(lambda self: format_value(self, "t"))
DATE.method("ToLongTimeString")(lambda self: format_value(self, "T"))
DATE.method("ToFileTime", "ToFileTimeUtc")(lambda self: self.ticks - 504_911_232_000_000_000)
DATE.method("ToOADate")(lambda self: (self.ticks - 599_264_352_000_000_000) / _DAY)
DATE.method("ToBinary")(lambda self: self.ticks)
DATE.method("CompareTo")(lambda self, other: compared(self, other, _order))
DATE.method("Equals")(lambda self, other: self == other)
DATE.method("IsDaylightSavingTime")(lambda self: False)


def _date(value: Any) -> DateTime:
    if isinstance(value, DateTimeOffset):
        return DateTime(value.ticks)
    if isinstance(value, DateTime):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return _of_ticks(value)
    return parse_date(to_string(value))


def _of_ticks(ticks: int, kind: str = "Unspecified") -> DateTime:
    """The constructor that takes ticks."""
    if not 0 <= ticks <= MAX_TICKS:
        raise Terminating(
            "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.\r\n"
            "Parameter name: ticks",
            exception="System.ArgumentOutOfRangeException",
            error_id="ArgumentOutOfRangeException",
        )
    return DateTime(int(ticks), kind)


DATE.from_value = lambda value: (
    _date(value)
    if isinstance(value, str | int | DateTime) and not isinstance(value, bool)
    else NotImplemented
)


def _styled(value: DateTime, style: Any) -> DateTime:
    names = to_string(style)
    if "AssumeUniversal" in names and value.kind == "Unspecified":
        value = DateTime(value.ticks, "Local")
    if "AdjustToUniversal" in names:
        return value.to_universal()
    return value


_ISO = re.compile(r"\s*\d{4}-\d\d?-\d\d?")


def _american(text: str, provider: Any = None) -> str:
    """The text, unless a culture is to read it whose order of day and month the lab does not know."""
    named = getattr(provider, "type_name", "").endswith("CultureInfo")
    culture = culture_now.known(str(provider)) if named else culture_now.current()
    if culture is not culture_now.US and not _ISO.match(text):
        raise NotSimulated(f"reading a date in the culture {culture.name}")
    return text


@DATE.static("Parse")
def _parse(text: str, provider: Any = None, style: Any = "") -> DateTime:
    return _styled(parse_date(_american(text, provider)), style)


def _try_parse_date(text: Any, provider: Any = None, style: Any = "") -> DateTime:
    return _parse(to_string(text), provider, style)


DATE.static("TryParse")(_try(_try_parse_date, DateTime(0)))


@DATE.static("ParseExact")
def _parse_exact(text: str, patterns: Any, provider: Any = None, style: Any = "") -> DateTime:
    if any("MMM" in to_string(one) or "ddd" in to_string(one) for one in as_items(patterns)):
        _american(text, provider)
    choices = as_items(patterns)
    for number, pattern in enumerate(choices, 1):
        try:
            return _styled(parse_exact(text, to_string(pattern)), style)
        except Terminating:
            if number == len(choices):
                raise
    raise AssertionError("no format")


DATE.static("IsLeapYear")(lambda year: calendar.isleap(int(year)))
DATE.static("DaysInMonth")(lambda year, month: calendar.monthrange(int(year), int(month))[1])
DATE.static("Equals")(lambda a, b: _date(a) == _date(b))
DATE.static("FromOADate")(lambda days: DateTime(599_264_352_000_000_000 + round(days * _DAY)))
DATE.static("Compare")(lambda a, b: _order(_date(a), _date(b)))
DATE.static("SpecifyKind")(lambda value, kind: DateTime(value.ticks, to_string(kind)))
DATE.static("FromFileTime")(lambda value: DateTime(int(value) + 504_911_232_000_000_000, "Local"))
DATE.static("FromFileTimeUtc")(lambda value: DateTime(int(value) + 504_911_232_000_000_000, "Utc"))
DATE.static("FromBinary")(lambda value: DateTime(int(value)))

# --- DateTimeOffset

OFFSET = NetType("System.DateTimeOffset", value_type=True, interfaces=_INTERFACES)
_OF_DATES_ALONE = (
    "kind",
    "datetime",
    "tooadate",
    "tobinary",
    "isdaylightsavingtime",
    "tofiletimeutc",
)
for _name, _member in DATE.properties.items():
    if _name not in _OF_DATES_ALONE:
        OFFSET.properties[_name] = _member
for _name, _function in DATE.methods.items():
    if _name not in _OF_DATES_ALONE and not _name.endswith(("datestring", "timestring")):
        OFFSET.methods[_name] = _function
OFFSET.compare = lambda a, b: (_instant(a) > _instant(b)) - (_instant(a) < _instant(b))
OFFSET.to_text = str
OFFSET.value("MinValue", DateTimeOffset(0))
OFFSET.value("MaxValue", DateTimeOffset(MAX_TICKS))
OFFSET.value("Now", lambda: DateTimeOffset(DateTime.from_epoch(time.time()).ticks))
OFFSET.value("UtcNow", lambda: DateTimeOffset(DateTime.from_epoch(time.time()).ticks))
OFFSET.prop("Offset", lambda d: TimeSpan(d.minutes * 60 * TICKS))
OFFSET.prop("UtcDateTime", lambda d: DateTime(d.utc_ticks, "Utc"))
OFFSET.prop("LocalDateTime", lambda d: DateTime(d.utc_ticks, "Local"))
OFFSET.prop("DateTime", lambda d: DateTime(d.ticks))
OFFSET.prop("UtcTicks", lambda d: d.utc_ticks)


@OFFSET.constructor
def _new_offset(*args: Any) -> DateTimeOffset:
    rest = list(args)
    zone = rest.pop() if rest and isinstance(rest[-1], TimeSpan) else TimeSpan(0)
    moment = rest[0] if rest and isinstance(rest[0], DateTime) else _new_date(*rest)
    return DateTimeOffset(moment.ticks, zone.ticks // (60 * TICKS))


def _offset(value: Any) -> Any:
    if isinstance(value, DateTimeOffset):
        return value
    if isinstance(value, DateTime):
        return DateTimeOffset(value.ticks)
    return (
        parse_date(to_string(value), keep_offset=True) if isinstance(value, str) else NotImplemented
    )


OFFSET.from_value = _offset
OFFSET.static("Parse")(lambda text, *rest: parse_date(to_string(text), keep_offset=True))
OFFSET.static("FromUnixTimeSeconds")(lambda value: DateTimeOffset(EPOCH_TICKS + int(value) * TICKS))
OFFSET.static("FromUnixTimeMilliseconds")(
    lambda value: DateTimeOffset(EPOCH_TICKS + int(value) * 10_000)
)
OFFSET.method("ToUnixTimeSeconds")(lambda self: (self.utc_ticks - EPOCH_TICKS) // TICKS)
OFFSET.method("ToUnixTimeMilliseconds")(lambda self: (self.utc_ticks - EPOCH_TICKS) // 10_000)
OFFSET.static("FromFileTime")(lambda value: DateTimeOffset(int(value) + 504_911_232_000_000_000))
OFFSET.static("Compare")(lambda a, b: _order(_instant(_offset(a)), _instant(_offset(b))))
OFFSET.static("Equals")(lambda a, b: _instant(_offset(a)) == _instant(_offset(b)))
OFFSET.method("Equals")(
    lambda self, other: isinstance(other, DateTimeOffset) and _instant(other) == _instant(self)
)
OFFSET.method("EqualsExact")(
    lambda self, other: (self.ticks, self.minutes) == (other.ticks, other.minutes)
)
OFFSET.method("CompareTo")(
    lambda self, other: compared(self, other, lambda a, b: _order(_instant(a), _instant(b)))
)
OFFSET.method("ToFileTime")(lambda self: self.utc_ticks - 504_911_232_000_000_000)
OFFSET.method("ToOffset")(
    lambda self, zone: DateTimeOffset(self.utc_ticks + zone.ticks, zone.ticks // (60 * TICKS))
)
OFFSET.static("ParseExact")(
    lambda text, pattern, provider=None, style="": DateTimeOffset(
        _parse_exact(text, pattern, provider).ticks
    )
)
OFFSET.static("TryParse")(
    _try(lambda text, *rest: parse_date(to_string(text), keep_offset=True), DateTimeOffset(0))
)
OFFSET.method("ToUniversalTime", "ToLocalTime")(lambda self: DateTimeOffset(self.utc_ticks))


class Stopwatch(NetObject):
    type_name = "System.Diagnostics.Stopwatch"

    def __init__(self) -> None:
        self.passed = 0.0
        self.started: float | None = None

    @property
    def seconds(self) -> float:
        running = 0.0 if self.started is None else time.monotonic() - self.started
        return self.passed + running

    def start(self) -> None:
        if self.started is None:
            self.started = time.monotonic()

    def stop(self) -> None:
        self.passed, self.started = self.seconds, None

    def reset(self) -> None:
        self.passed, self.started = 0.0, None


WATCH = NetType("System.Diagnostics.Stopwatch")
WATCH.constructor(Stopwatch)
WATCH.value("Frequency", TypedInt(TICKS, "System.Int64"))
WATCH.value("IsHighResolution", True)


@WATCH.static("StartNew")
def _start_new() -> Stopwatch:
    watch = Stopwatch()
    watch.start()
    return watch


@WATCH.method("Restart")
def _restart(self: Stopwatch) -> None:
    self.reset()
    self.start()


WATCH.static("GetTimestamp")(lambda: int(time.monotonic() * TICKS))
WATCH.method("Start")(lambda self: self.start())
WATCH.method("Stop")(lambda self: self.stop())
WATCH.method("Reset")(lambda self: self.reset())
WATCH.prop("IsRunning", lambda w: w.started is not None)
WATCH.prop("Elapsed", lambda w: TimeSpan(int(w.seconds * TICKS)))
WATCH.prop("ElapsedMilliseconds", lambda w: int(w.seconds * 1000))
WATCH.prop("ElapsedTicks", lambda w: int(w.seconds * TICKS))

ZONE = NetType("System.TimeZoneInfo")


class Zone(NetObject):
    type_name = "System.TimeZoneInfo"


ZONE.value("Local", Zone())
ZONE.value("Utc", Zone())
ZONE.prop("Id", lambda zone: "UTC")
ZONE.prop("DisplayName", lambda zone: "(UTC) Coordinated Universal Time")
ZONE.prop("StandardName", lambda zone: "Coordinated Universal Time")
ZONE.prop("BaseUtcOffset", lambda zone: TimeSpan(0))
ZONE.to_text = lambda zone: "(UTC) Coordinated Universal Time"
