"""How long, as a person types it: `90`, `30s`, `5m`, `1h30m`, `250ms`; and as it is told: `5 min`."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")

MOST = 366 * 86400.0
"""Seconds of the longest time that makes sense: a year."""


def seconds(text: str, *, or_none: bool = False) -> float:
    """Return seconds of a duration; a number alone is one of seconds.

    Args:
        text: As it is typed.
        or_none: No time at all (`0`) is one as well.

    Raises:
        ValueError: saying what was found and what is expected.
    """
    typed = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", typed):
        value = float(typed)
    elif _WHOLE.fullmatch(typed):
        units = [unit for _, unit in _PART.findall(typed)]
        if len({_UNITS[unit] for unit in units}) != len(units):
            raise ValueError(f"`{text}` names a unit twice; write a time such as `1h30m`")
        value = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(typed))
    else:
        raise ValueError(f"`{text}` is no time; write `90` (seconds), `30s`, `5m` or `1h30m`")
    if not (0 < value <= MOST or (or_none and value == 0)):
        least = "" if or_none else " above 0 and"
        raise ValueError(f"`{text}` is no time{least} of at most a year")
    return value


def told(value: float) -> str:
    """Return seconds as a reader says them: `12 s`, `2 min 10 s`, `1 h 5 min`."""
    if value < 60:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
