"""The way to a host's WinRM listener, for what looks at it without logging in."""

from __future__ import annotations

from k8swin_nb.inventory import Host
from k8swin_nb.transports.certificate import days_left


def winrm_days_left(host: Host) -> int:
    """Return the whole days until the certificate of a host's listener ends, asked the way that WinRM is.

    Raises:
        OSError: when the listener cannot be reached, or does not come to its certificate in time.
        ValueError: when it sends no certificate, or one that cannot be read.
        TransportError: when there is no way to its jump host.
    """
    if host.winrm_jump is None:
        return days_left(host.winrm_address, host.winrm_port)
    # Imported here, because paramiko takes longer to import than everything else together.
    from k8swin_nb.transports.jump import give_jump_back, take_jump

    jump = take_jump(host.winrm_jump)
    try:
        return days_left(host.winrm_address, host.winrm_port, dial=jump.dial)
    finally:
        give_jump_back(jump)
