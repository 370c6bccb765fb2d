"""The culture of the session that runs in this thread: how its numbers and dates look to people.

Conversions of the language itself ([string], casts, text with "$x") are invariant, as in PowerShell; `-f`,
`ToString()`, `Parse()` and what is shown on the console follow the culture.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows_locale import CULTURES, Culture

US = CULTURES["en-us"]
_session = threading.local()
_LITERALS = re.compile(r"['\"\\]")


def current() -> Culture:
    """The culture of the session that runs in this thread."""
    return getattr(_session, "culture", US)


def known(name: str) -> Culture:
    """A culture by name; the empty name is the invariant one, which looks as en-US does to numbers.

    Raises:
        NotSimulated: the lab does not know how it looks.
    """
    if not name:
        return US
    found = CULTURES.get(name.lower())
    if found is None:
        raise NotSimulated(f"culture {name}")
    return found


def machine() -> Any:
    """The machine of the session that runs in this thread; None outside of one."""
    return getattr(_session, "machine", None)


@contextlib.contextmanager
def session(of: Any) -> Iterator[None]:
    """Run a session of a machine: it begins in the culture of the machine's user."""
    locale = getattr(of, "locale", None)
    before = machine()
    _session.machine = of
    try:
        with using(known(locale.culture) if locale is not None else US):
            yield
    finally:
        _session.machine = before


def change(culture: Culture) -> None:
    """Be in another culture for the rest of the session."""
    _session.culture = culture


@contextlib.contextmanager
def using(culture: Culture) -> Iterator[None]:
    """Be in a culture for a while."""
    before = current()
    _session.culture = culture
    try:
        yield
    finally:
        _session.culture = before


def number(text: str, pattern: str = "") -> str:
    """A number's invariant text as the culture writes it."""
    culture = current()
    if culture is US or (culture.decimal, culture.group) == (US.decimal, US.group):
        return text
    if pattern[:1] in ("c", "C") and pattern[1:].strip("0123456789") == "":
        raise NotSimulated(f"currency of {culture.name}")
    if _LITERALS.search(pattern):
        raise NotSimulated(f"a number format with literal text in {culture.name}")
    return text.translate({ord("."): culture.decimal, ord(","): culture.group})


def read_number(text: str) -> str:
    """What a person wrote in the culture as invariant text."""
    culture = current()
    if (culture.decimal, culture.group) == (US.decimal, US.group):
        return text
    return text.replace(culture.group, "").replace(culture.decimal, ".")


def is_fraction(value: Any) -> bool:
    """Whether a value's plain text holds a decimal separator that follows the culture."""
    return isinstance(value, float | Decimal)
