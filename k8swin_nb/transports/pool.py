"""The open transports of a cluster: one per host, used by all that is asked of it, closed at the end."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable

from k8swin_nb.inventory import Host
from k8swin_nb.transports import open_transport
from k8swin_nb.transports.base import Transport

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


CLOSE_AT_ONCE = 16
"""How many connections are closed at the same time."""


class Pool:
    """Transports by host. Hosts that are equal in every field share one."""

    def __init__(
        self,
        on_pin: Callable[[str, str], None] | None = None,
        *,
        opener: Callable[[Host, Callable[[str, str], None] | None], Transport] = open_transport,
    ) -> None:
        self._on_pin = on_pin
        self._opener = opener
        self._lock = threading.Lock()
        self._transports: dict[Host, Transport] = {}
        self._aside: list[Transport] = []
        _pools.add(self)

    def transport(self, host: Host) -> Transport:
        """Return the transport of a host; it connects when it is first used."""
        with self._lock:
            if host not in self._transports:
                self._transports[host] = self._opener(host, self._on_pin)
            return self._transports[host]

    def aside(self, host: Host) -> Transport:
        """Return a way to a host that may be kept busy for long, without anybody waiting for it.

        SSH carries several scripts at once; over WinRM it is a shell of its own.
        """
        if host.os == "linux":
            return self.transport(host)
        transport = self._opener(host, self._on_pin)
        transport.end_soon()
        with self._lock:
            self._aside.append(transport)
        return transport

    def part(self, transport: Transport) -> None:
        """Close a way that `aside` made; one that others use too stays open."""
        with self._lock:
            own = transport in self._aside
            if own:
                self._aside.remove(transport)
        if own:
            transport.close()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        with self._lock:
            transports = [*self._transports.values(), *self._aside]
            self._transports.clear()
            self._aside.clear()
        _close_at_once(transports)


def _close_at_once(transports: list[Transport]) -> None:
    """Close transports beside each other, a bounded number at a time: a host that is silent keeps none of the others waiting.

    The first error is raised when all have been tried.
    """
    left = list(reversed(transports))
    errors: list[Exception] = []

    def work() -> None:
        while True:
            try:
                transport = left.pop()
            except IndexError:
                return
            try:
                transport.close()
            except Exception as error:
                errors.append(error)

    threads = []
    for _ in range(min(CLOSE_AT_ONCE, len(transports)) - 1):
        thread = threading.Thread(target=work, name="close", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending and starts none
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@atexit.register
def close_all() -> None:
    """Close all connections of this process; its end does."""
    for pool in list(_pools):
        pool.close()
