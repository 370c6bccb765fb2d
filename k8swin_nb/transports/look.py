"""A look at a host from outside: how long a connection takes, and which key or certificate it shows; nobody logs in."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from k8swin_nb.errors import TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.transports.certificate import presented
from k8swin_nb.transports.dialling import Dial, dial


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host shows to everybody."""

    latency: float
    """Seconds until the TCP connection was there, through its jump host if it has one."""

    fingerprint: str
    """`SHA256:...` of the SSH host key, the certificate's SHA-256 in hexadecimal digits, or empty without TLS."""


def look(host: Host, seconds: float = 10.0) -> Seen:
    """Return what a host shows at the port where it is logged in to.

    Args:
        host: Which.
        seconds: For the connection, and for the answer after it.

    Raises:
        TransportError: when nothing answers there, or there is no way to its jump host.
    """
    from k8swin_nb.transports.jump import give_jump_back, take_jump
    from k8swin_nb.transports.ssh_config import configured

    host = configured(host)
    through = host.ssh_jump if host.os == "linux" else host.winrm_jump
    if through is None:
        return _look(host, dial, seconds)
    jump = take_jump(through)
    try:
        return _look(host, jump.dial, seconds)
    finally:
        give_jump_back(jump)


def _look(host: Host, way: Dial, seconds: float) -> Seen:
    took: list[float] = []

    def timed(address: str, port: int, most: float) -> socket.socket:
        began = time.monotonic()
        made = way(address, port, min(most, seconds))
        took.append(time.monotonic() - began)
        return made

    if host.os == "linux":
        from k8swin_nb.transports.hostkeys import scan

        shown = scan(host, timed).fingerprint
        return Seen(took[0], shown)
    try:
        if host.winrm_scheme == "http":
            timed(host.winrm_address, host.winrm_port, seconds).close()
            return Seen(took[0], "")
        from k8swin_nb.transports.winrm_tls import fingerprint

        shown = fingerprint(presented(host.winrm_address, host.winrm_port, seconds, timed))
    except TransportError:
        raise
    except (OSError, ValueError) as error:
        # Imported here, because pywinrm takes long to import, and most hosts answer.
        from k8swin_nb.transports.winrm_errors import unseen

        raise unseen(error, host) from error
    return Seen(took[0], shown)
