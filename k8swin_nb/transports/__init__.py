"""What carries scripts and files to hosts: SSH and WinRM.

What may live here: one base class, its two implementations, the pool of open connections, host keys and
certificates, and the small scripts that transports themselves need. What may not: what a script means, how an
interpreter is handed one (`shells`), and anything about Kubernetes. `connection.py` alone imports fabric, and
paramiko only what lies around it (`hostkeys`, `login`, `lines`, `session`, `jump`). How a host is logged in to over WinRM
is in `winrm_login`, whom its TLS trusts in `winrm_tls`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.transports.base import Transport


def open_transport(host: Host, on_pin: Callable[[str, str], None] | None = None) -> Transport:
    """Return a transport for a host; it connects when it is first used.

    Args:
        host: The machine.
        on_pin: Told name and fingerprint when an SSH host key is pinned at first sight.
    """
    # Imported here, because fabric and pywinrm take longer to import than everything else together.
    if host.os == "windows":
        from k8swin_nb.transports.winrm import WinrmTransport

        return WinrmTransport(host, on_pin=on_pin)
    from k8swin_nb.transports.ssh import SshTransport

    return SshTransport(host, on_pin=on_pin)
