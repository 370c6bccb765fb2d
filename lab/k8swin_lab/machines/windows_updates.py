"""Windows Update on a simulated server: what is offered, what is installed, and what waits for a reboot."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

_REBOOT_REQUIRED = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
)
_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@dataclass(slots=True)
class Update:
    """One update; `after` is the number of another that must be installed before it is offered."""

    number: str  # without KB
    title: str
    needs_reboot: bool = False
    after: str = ""
    size: int = 50_000_000
    revision: int = 0  # the build's revision that it brings
    accepted: bool = True  # its licence
    downloaded: bool = False
    installed: bool = False
    pending: bool = False  # installed, and in effect after the reboot
    hidden: bool = False
    type: str = "Software"
    optional: bool = False  # offered for choosing alone, as previews are: BrowseOnly
    category: str = (
        "0fa1201d-4330-4fa8-8ae9-b877473b6441"  # Security Updates; Upgrades are 3689bdc8-...
    )

    @property
    def id(self) -> str:
        """The identity that the service gives it."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.number))


class Updates:
    """The updates of one machine."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self.busy = False
        """Whether an installation is under way that somebody else began."""
        edition = machine.edition
        name = f"{edition.product.rsplit(' ', 1)[0]} ({edition.display_version or edition.release}) for x64-based Systems"
        revision = edition.ubr + 420
        self.all = [
            Update("2267602", "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.421.0.0)"),
            Update("890830", "Windows Malicious Software Removal Tool x64 - v5.130 (KB890830)", accepted=False),
            Update("5062557", f"2026-10 Cumulative Update for {name} (KB5062557)", True, size=680_000_000, revision=revision),
            Update("5062800", "2026-10 Cumulative Update for .NET Framework 3.5 and 4.8 for "
                              f"{name} (KB5062800)", True, after="5062557", size=70_000_000),
        ]  # fmt: skip

    @property
    def reboot_due(self) -> bool:
        """Whether nothing may be installed before the next boot."""
        return self._machine.registry.key(_REBOOT_REQUIRED) is not None

    def offered(self) -> list[Update]:
        """What a search finds: not installed, not waiting, and its time has come."""
        done = {update.number for update in self.all if update.installed}
        return [
            u
            for u in self.all
            if not u.installed and not u.pending and (not u.after or u.after in done)
        ]

    def install(self, update: Update) -> bool:
        """Install one; True when a reboot is needed before it is in effect."""
        if update.needs_reboot:
            update.pending = True
            self._machine.registry.create(_REBOOT_REQUIRED, volatile=True)
            return True
        update.installed = True
        return False

    def apply_pending(self) -> None:
        """What a reboot does."""
        for update in self.all:
            if not update.pending:
                continue
            update.pending, update.installed = False, True
            if update.revision:
                self._machine.edition = replace(self._machine.edition, ubr=update.revision)
                self._machine.registry.set(_VERSION, "UBR", update.revision)
