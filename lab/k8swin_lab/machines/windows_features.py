"""Roles and features of a simulated Windows Server: what is installed, and what waits for a reboot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8swin_lab.lasting import Later

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"


@dataclass(slots=True)
class Feature:
    name: str  # as Get-WindowsFeature has it
    display_name: str
    optional_name: str = ""  # as DISM and Get-WindowsOptionalFeature have it
    kind: str = "Feature"
    state: str = "Available"  # Available, Installed, InstallPending, UninstallPending, Removed
    needs_reboot: bool = False
    parent: str = ""
    depth: int = 1


def initial_features() -> list[Feature]:
    """What a fresh server knows."""
    return [
        Feature("FileAndStorage-Services", "File and Storage Services", "FileAndStorage-Services", "Role", "Installed"),
        Feature("Hyper-V", "Hyper-V", "Microsoft-Hyper-V", "Role", needs_reboot=True),
        Feature("Web-Server", "Web Server (IIS)", "IIS-WebServerRole", "Role"),
        Feature("DNS", "DNS Server", "DNS-Server-Full-Role", "Role"),
        Feature("NET-Framework-45-Features", ".NET Framework 4.8 Features", "NetFx4ServerFeatures", state="Installed"),
        Feature("NET-Framework-Core", ".NET Framework 3.5", "NetFx3", state="Removed"),
        Feature("BitLocker", "BitLocker Drive Encryption", "BitLocker", needs_reboot=True),
        Feature("Containers", "Containers", "Containers", needs_reboot=True),
        Feature("Failover-Clustering", "Failover Clustering", "FailoverCluster-FullServer", needs_reboot=True),
        Feature("RSAT", "Remote Server Administration Tools", "ServerManager-Core-RSAT"),
        Feature("RSAT-Hyper-V-Tools", "Hyper-V Management Tools", "Microsoft-Hyper-V-Management-Tools", parent="RSAT"),
        Feature("Hyper-V-PowerShell", "Hyper-V Module for Windows PowerShell",
                "Microsoft-Hyper-V-Management-PowerShell", parent="RSAT-Hyper-V-Tools", depth=3),
        Feature("Telnet-Client", "Telnet Client", "TelnetClient"),
        Feature("Windows-Defender", "Microsoft Defender Antivirus", "Windows-Defender", state="Installed",
                needs_reboot=True),
        Feature("PowerShell", "Windows PowerShell 5.1", "MicrosoftWindowsPowerShell", state="Installed"),
        Feature("WoW64-Support", "WoW64 Support", "ServerCore-WOW64", state="Installed"),
        Feature("SMB1Protocol", "SMB 1.0/CIFS File Sharing Support", "SMB1Protocol", needs_reboot=True),
    ]  # fmt: skip


class Features:
    """The features of one machine."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self.all = initial_features()
        self.finishing_seconds = 0.0
        """How long servicing still works after a boot, and says so by its pending flag."""

    def find(self, name: str) -> Feature | None:
        """By either of its names."""
        wanted = name.lower()
        return next(
            (f for f in self.all if wanted in (f.name.lower(), f.optional_name.lower())), None
        )

    def installed(self, name: str) -> bool:
        """Whether it is installed and in effect."""
        feature = self.find(name)
        return feature is not None and feature.state == "Installed"

    def install(self, feature: Feature) -> bool:
        """Install; True when a reboot is needed before it is in effect."""
        if feature.state in ("Installed", "InstallPending"):
            return feature.state == "InstallPending"
        if feature.needs_reboot:
            feature.state = "InstallPending"
            self._machine.registry.create(rf"{SERVICING}\RebootPending", volatile=True)
            return True
        feature.state = "Installed"
        return False

    def remove(self, feature: Feature) -> bool:
        """Remove; True when a reboot is needed."""
        if feature.state == "InstallPending":
            feature.state = "Available"
            return False
        if feature.state != "Installed":
            return feature.state == "UninstallPending"
        if feature.needs_reboot:
            feature.state = "UninstallPending"
            self._machine.registry.create(rf"{SERVICING}\RebootPending", volatile=True)
            return True
        feature.state = "Available"
        return False

    def apply_pending(self) -> None:
        """What a reboot does."""
        if self.finishing_seconds and any(f.state.endswith("Pending") for f in self.all):
            path = rf"{SERVICING}\RebootPending"
            self._machine.registry.delete(path)
            self._machine.registry.create(path)  # not volatile: it stays after this boot
            Later(
                self.finishing_seconds * self._machine.pace,
                lambda: self._machine.registry.delete(path),
                f"{self._machine.name}: the end of servicing",
            )
        for feature in self.all:
            if feature.state == "InstallPending":
                feature.state = "Installed"
            elif feature.state == "UninstallPending":
                feature.state = "Available"
