"""Settings and habits of the WinRM service of a Windows machine; the server of the wire keeps to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_lab.machines.registry import Registry

SETTINGS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Lab"
"""Where the settings are that somebody changed, by their path in the drive WSMan:."""


def quota(registry: Registry, path: str, default: int) -> int:
    r"""Return a limit such as `Shell\MaxShellsPerUser` that somebody set, or the default."""
    try:
        return int(str(registry.get(SETTINGS, rf"localhost\{path}", default)))
    except ValueError:
        return default


@dataclass(slots=True)
class WinrmHabits:
    """How the WinRM service of this host answers."""

    late_send_every: int = 0
    """Of each so many Sends one is taken, and answered with the fault of an operation that took too long."""
    busy_every: int = 0
    """Of each so many Sends one is answered with ERROR_BUSY (170), and its input is not taken."""
    shells_per_user: int = 0
    """Fewer shells than Windows' own quota has; 0: that one."""
    operations_per_shell: int = 0
    """Operations that one shell ever takes: a Terminate gives none back. 0: Windows' 1500."""
    sends: int = 0

    def next_send(self) -> str:
        """Count a Send, and tell how it goes: `busy`, `late`, or `` for well."""
        self.sends += 1
        if self.busy_every and self.sends % self.busy_every == 0:
            return "busy"
        return "late" if self.late_send_every and self.sends % self.late_send_every == 0 else ""
