"""What a host showed of itself on the connection over which scripts run: what an auditor asks for, and what tells of a reboot."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from k8swin_nb.inventory import Host

BOOT_SECONDS = 10.0
"""Windows works out when it booted from its clock: after a clock was set, the same boot has another time."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A host as it was seen."""

    by: Literal["ssh", "winrm"]

    key: str
    """`SHA256:...` of the SSH host key, the certificate's SHA-256 in hexadecimal digits, or empty without TLS."""

    pinned: str
    """Against what it was checked: `known_hosts`, `accept-new`, `winrm_fingerprint`, `ca`, `system authorities`; else what
    protects the messages."""

    through: str = ""
    """Name of the jump host that was passed; empty: none."""

    boot: str = ""
    """What names the boot: an id of Linux, a time on Windows; empty: not known."""

    root: bool = False
    """Whether the login itself was seen to have root's rights, whatever its name."""

    def after(self, before: Identity | None) -> Identity:
        """Return what is known now: what this look has not found out is as it was known before."""
        if before is None:
            return self
        boot = before.boot if not self.boot or _same_boot(self.boot, before.boot) else self.boot
        pinned = before.pinned if self.key == before.key else self.pinned
        return replace(self, boot=boot, pinned=pinned, root=self.root or before.root)


def _same_boot(one: str, other: str) -> bool:
    if one == other:
        return True
    with contextlib.suppress(ValueError):
        apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
        return abs(apart.total_seconds()) < BOOT_SECONDS
    return False


Told = Callable[[Identity], None]


class Identities:
    """What one way to a host has seen, and who wants to know of it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listening: list[Told] = []
        self.known: Identity | None = None
        """The last one; None: nobody has connected."""

    def see(self, identity: Identity) -> None:
        """Take note of what a host shows, and tell those who listen; what they raise goes on."""
        with self._lock:
            self.known = identity = identity.after(self.known)
            listening = list(self._listening)
        for tell in listening:
            tell(identity)

    def see_boot(self, boot: str) -> None:
        """Take note of a boot that was found out on a connection that is known."""
        if self.known is not None:
            self.see(replace(self.known, boot=boot))

    @contextlib.contextmanager
    def told_to(self, tell: Told) -> Iterator[None]:
        """Tell somebody of what is known, and of what is seen meanwhile."""
        with self._lock:
            self._listening.append(tell)
            known = self.known
        try:
            if known is not None:
                tell(known)
            yield
        finally:
            with self._lock:
                self._listening.remove(tell)


def protection(host: Host) -> str:
    """Return against what a Windows host's certificate is checked, or what protects messages without TLS."""
    if host.winrm_scheme == "http":
        return f"no certificate: {host.winrm_auth} encrypts each message over HTTP"
    if host.winrm_fingerprint:
        return "winrm_fingerprint"
    return "ca" if host.ca else "system authorities"
