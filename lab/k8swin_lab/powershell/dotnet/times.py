"""System.DateTime, TimeSpan and DateTimeOffset as values, in ticks of 100 ns.

The machines of the lab run on UTC, so local time is UTC; `kind` is kept because it shows ("Z").
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.date_format import format_date, format_span
from k8swin_lab.powershell.dotnet.registry import NetObject, out_of_range

TICKS = 10_000_000
EPOCH_TICKS = 621_355_968_000_000_000
MAX_TICKS = 3_155_378_975_999_999_999
_ZERO = datetime(1, 1, 1)


@functools.total_ordering
class TimeSpan(NetObject):
    """A length of time."""

    type_name = "System.TimeSpan"
    __slots__ = ("ticks",)

    def __init__(self, ticks: int) -> None:
        if not -(1 << 63) <= ticks < 1 << 63:
            raise Terminating(
                "TimeSpan overflowed because the duration is too long.",
                exception="System.OverflowException",
                error_id="OverflowException",
            )
        self.ticks = int(ticks)

    @classmethod
    def of_seconds(cls, seconds: float) -> TimeSpan:
        """Rounded to the millisecond, as .NET Framework's FromSeconds does."""
        milliseconds = int(seconds * 1000 + (0.5 if seconds >= 0 else -0.5))
        return cls(milliseconds * 10_000)

    @property
    def seconds(self) -> float:
        return self.ticks / TICKS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeSpan) and other.ticks == self.ticks

    def __lt__(self, other: TimeSpan) -> bool:
        return self.ticks < other.ticks

    def __hash__(self) -> int:
        return hash(("span", self.ticks))

    def __str__(self) -> str:
        return format_span(self, "c")


@functools.total_ordering
class DateTime(NetObject):
    """A moment; `kind` is Unspecified, Utc or Local."""

    type_name = "System.DateTime"
    __slots__ = ("kind", "ticks")

    def __init__(self, ticks: int, kind: str = "Unspecified") -> None:
        if not 0 <= ticks <= MAX_TICKS:
            raise out_of_range(
                "The added or subtracted value results in an un-representable DateTime.", "value"
            )
        self.ticks = int(ticks)
        self.kind = kind

    @classmethod
    def of(cls, moment: datetime, kind: str = "Unspecified") -> DateTime:
        """From Python's datetime (its zone is not looked at)."""
        delta = moment.replace(tzinfo=None) - _ZERO
        return cls((delta.days * 86_400 + delta.seconds) * TICKS + delta.microseconds * 10, kind)

    @classmethod
    def from_epoch(cls, seconds: float, kind: str = "Local") -> DateTime:
        """From seconds since 1970."""
        return cls(EPOCH_TICKS + round(seconds * TICKS), kind)

    @property
    def datetime(self) -> datetime:
        return _ZERO + timedelta(microseconds=self.ticks // 10)

    @property
    def epoch(self) -> float:
        return (self.ticks - EPOCH_TICKS) / TICKS

    def to_universal(self) -> DateTime:
        return DateTime(self.ticks, "Utc")

    def to_local(self) -> DateTime:
        return DateTime(self.ticks, "Local")

    def offset_text(self, count: int) -> str:
        """What `z` writes."""
        return {1: "+0", 2: "+00"}.get(count, "+00:00")

    def kind_text(self) -> str:
        """What `K` writes."""
        return {"Utc": "Z", "Local": "+00:00"}.get(self.kind, "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DateTime) and other.ticks == self.ticks

    def __lt__(self, other: DateTime) -> bool:
        return self.ticks < other.ticks

    def __hash__(self) -> int:
        return hash(("date", self.ticks))

    def __str__(self) -> str:
        return format_date(self, "G", invariant=True)


class DateTimeOffset(DateTime):
    """A moment with its distance from UTC in minutes."""

    type_name = "System.DateTimeOffset"
    __slots__ = ("minutes",)

    def __init__(self, ticks: int, minutes: int = 0) -> None:
        super().__init__(ticks)
        self.minutes = minutes

    @property
    def utc_ticks(self) -> int:
        return self.ticks - self.minutes * 60 * TICKS

    def offset_text(self, count: int) -> str:
        sign = "-" if self.minutes < 0 else "+"
        hours, minutes = divmod(abs(self.minutes), 60)
        if count == 1:
            return f"{sign}{hours}"
        return f"{sign}{hours:02d}" + (f":{minutes:02d}" if count > 2 else "")

    def kind_text(self) -> str:
        return self.offset_text(3)

    def __str__(self) -> str:
        return format_date(self, "MM/dd/yyyy HH:mm:ss zzz")
