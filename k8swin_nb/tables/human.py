"""Values of tables as people read them: ages, amounts of memory, moments, missing ones. Reading is in `cluster.quantities`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NONE = "<none>"
"""What stands where nothing is; kubectl's word."""

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 365 * 86_400
_UNITS = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def duration(age: timedelta) -> str:
    """Return an age in kubectl's short form: `45s`, `3m20s`, `5h2m`, `5d3h`, `2y10d`; two units where one is coarse.

    What begins in the future is `<invalid>`, as kubectl has it; up to a second of it, `0s`.
    """
    seconds = int(age.total_seconds())
    if seconds < -1:
        return "<invalid>"
    seconds = max(0, seconds)
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two(seconds, _YEAR, "y", _DAY, "d")
    return f"{seconds // _YEAR}y"


def _two(seconds: int, large: int, name: str, small: int, second: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{name}" + (f"{rest}{second}" if rest else "")


def moment(when: datetime) -> str:
    """Return a moment in UTC, to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def memory(amount: int) -> str:
    """Return bytes in the largest binary unit that leaves a number of up to four digits: `32Gi`, `1536Mi`."""
    value, unit = float(amount), ""
    for name in _UNITS:
        if abs(value) < 1024 or (value < 10_240 and value % 1024):
            break
        value, unit = value / 1024, name
    return f"{value:.0f}{unit}"


def cores(amount: float) -> str:
    """Return processors as Kubernetes writes them: `8`, `100m`."""
    milli = round(amount * 1000)
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def number(value: float, precision: int) -> str:
    """Return a number with at most so many digits behind the point, and none that says nothing."""
    text = f"{value:.{precision}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: Any, precision: int = 6) -> str:
    """Return any value of a cell as text; one that is missing is empty."""
    if value is None or not _known(value) or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, datetime):
        return moment(value) if value.tzinfo else str(value)
    if isinstance(value, float):
        return number(value, precision)
    return str(value)


def _known(value: Any) -> bool:
    # pandas' own mark of what is missing is neither equal nor unequal to anything.
    return type(value).__name__ not in ("NAType", "NaTType")
