"""The open transports of a notebook: one per host, used by all its cells, closed at the end."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from k8swin_nb.errors import K8swinError, MultiHostError
from k8swin_nb.inventory import Host
from k8swin_nb.transports import open_transport
from k8swin_nb.transports.base import Transport

Answer = TypeVar("Answer")

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


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
        _pools.add(self)

    def transport(self, host: Host) -> Transport:
        """Return the transport of a host; it connects when it is first used."""
        with self._lock:
            if host not in self._transports:
                self._transports[host] = self._opener(host, self._on_pin)
            return self._transports[host]

    def each(self, hosts: Iterable[Host], work: Callable[[Host], Answer]) -> dict[str, Answer]:
        """Do something on all hosts at once and return their answers by name.

        Raises:
            K8swinError: of the only host that failed.
            MultiHostError: when several failed, after all have answered.
        """
        chosen = list(hosts)
        answers: dict[str, Answer] = {}
        errors: dict[str, K8swinError] = {}
        if len(chosen) == 1:
            return {chosen[0].name: work(chosen[0])}

        def one(host: Host) -> None:
            try:
                answers[host.name] = work(host)
            except K8swinError as error:
                errors[host.name] = error

        with ThreadPoolExecutor(max(1, len(chosen)), thread_name_prefix="host") as threads:
            for done in [threads.submit(one, host) for host in chosen]:
                done.result()
        if errors:
            in_order = {host.name: errors[host.name] for host in chosen if host.name in errors}
            raise next(iter(in_order.values())) if len(in_order) == 1 else MultiHostError(in_order)
        return {host.name: answers[host.name] for host in chosen}

    def keepalive(self) -> None:
        """Tell all open connections that they are still wanted."""
        with self._lock:
            transports = list(self._transports.values())
        for transport in transports:
            transport.keepalive()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        with self._lock:
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in transports:
            transport.close()


@atexit.register
def _close_all() -> None:
    for pool in list(_pools):
        pool.close()
