"""Waiting for a host that reboots, or whose network is being rebuilt under it."""

from __future__ import annotations

import time

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    CommandFailed,
    CommandTimeout,
    HostKeyMismatch,
    HostKeyUnknown,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.transports.base import Transport

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0

NOT_WORTH_REPEATING = (AuthenticationFailed, CertificateRejected, HostKeyMismatch, HostKeyUnknown)
"""Errors that waiting does not cure; a refused login repeated locks the account."""


def wait_until_back(
    transport: Transport, since_boot_id: str | None = None, timeout: float = 1800
) -> str:
    """Wait until a host answers again and return its boot id.

    Args:
        transport: The way to the host; its old connection is dropped.
        since_boot_id: What `Transport.boot_id` said before a reboot: an answer with the same one does not
            count. None: any answer counts, as after an interrupted network.
        timeout: Seconds.

    Raises:
        TransportTimeout: when the host does not come back in time, with what was seen last.
        AuthenticationFailed: at once, like a rejected certificate or host key.
    """
    deadline = time.monotonic() + timeout
    pause = FIRST_PAUSE
    seen = "nothing was heard"
    while True:
        try:
            transport.reconnect()
            found = transport.boot_id()
            if found != since_boot_id:
                return found
            seen = "it has not gone down yet"
        except NOT_WORTH_REPEATING:
            raise
        except (TransportError, CommandFailed, CommandTimeout) as error:
            seen = str(error)
        left = deadline - time.monotonic()
        if left <= 0:
            raise TransportTimeout(
                transport.host.name,
                f"not back after {timeout:g} s; last: {seen}",
                hint="look at the machine's console",
            )
        time.sleep(min(pause, left))
        pause = min(LONGEST_PAUSE, pause * 1.5)
