"""International: the culture of the user, and the locale of programs that know no Unicode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_locale import CODE_PAGE, CULTURES, INTERNATIONAL
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.powershell.dotnet.reflection import Culture
from k8swin_lab.windows.objects import parameters

_MODULE = "International"
_PAGES = {"en-US": ("437", "1252"), "de-DE": ("850", "1252"), "ja-JP": ("932", "932")}
_BY_PAGES = {pages: name for name, pages in _PAGES.items()}


def _culture(call: Call, name: str) -> str:
    found = CULTURES.get(str(call[name]).lower())
    if found is None:
        raise NotSimulated(f"{call.name} {call[name]}")
    return found.name


def set_culture(call: Call) -> Iterator[Any]:
    """For sessions that begin from now on."""
    machine: WindowsMachine = call.session.machine
    culture = CULTURES[_culture(call, "CultureInfo").lower()]
    for value, content in (
        ("LocaleName", culture.name),
        ("Locale", f"{culture.lcid:08X}"),
        ("sDecimal", culture.decimal),
        ("sThousand", culture.group),
    ):
        machine.registry.set(INTERNATIONAL, value, content)
    return iter(())


def set_system_locale(call: Call) -> Iterator[Any]:
    """The code pages; they take effect at the next boot on Windows, and at the next session here."""
    machine: WindowsMachine = call.session.machine
    oem, ansi = _PAGES[_culture(call, "SystemLocale")]
    machine.registry.set(CODE_PAGE, "OEMCP", oem)
    machine.registry.set(CODE_PAGE, "ACP", ansi)
    return iter(())


def get_system_locale(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    pages = (str(machine.locale.oem), str(machine.locale.ansi))
    yield Culture(_BY_PAGES.get(pages, "en-US"))


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    for name, body, declaration in (
        ("Set-Culture", set_culture, "CultureInfo object @0 !"),
        ("Set-WinSystemLocale", set_system_locale, "SystemLocale object @0 !"),
        ("Get-WinSystemLocale", get_system_locale, ""),
    ):
        table.cmdlet(
            name, parameters=parameters(declaration) if declaration else [], module=_MODULE
        )(body)
