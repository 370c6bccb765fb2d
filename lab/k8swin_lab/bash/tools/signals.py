"""Signals by name and number, as Linux counts them whatever the host is."""

from __future__ import annotations

_NAMES = [
    "EXIT",
    "HUP",
    "INT",
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "PIPE",
    "ALRM",
    "TERM",
    "STKFLT",
    "CHLD",
    "CONT",
    "STOP",
    "TSTP",
    "TTIN",
    "TTOU",
    "URG",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "WINCH",
    "IO",
    "PWR",
    "SYS",
]


def signal_number(text: str) -> int | None:
    """Return the number of a signal given by name (with or without SIG) or number."""
    if text.isdigit():
        return int(text) if int(text) <= 64 else None
    name = text.upper().removeprefix("SIG")
    return _NAMES.index(name) if name in _NAMES else None


def signal_name(number: int) -> str:
    """Return the name of a signal without SIG."""
    return _NAMES[number] if 0 <= number < len(_NAMES) else str(number)
