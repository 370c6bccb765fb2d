"""What checks found on hosts, kept for later steps of the same phase: by host, and by a typed name."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from k8swin_nb.errors import NotKnownYet
from k8swin_nb.inventory import Host

T = TypeVar("T")


@dataclass(frozen=True)  # slots and Generic do not go together before Python 3.12
class Fact(Generic[T]):
    """The name of a fact, and by its type parameter what is kept under it.

    CLUSTER_AUTHORITY = Fact[str]("cluster_ca")
    """

    name: str


class Facts:
    """Facts by host. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Any] = {}

    def keep(self, host: Host, fact: Fact[T], value: T) -> None:
        """Remember what was found on a host."""
        with self._lock:
            self._kept[host.name, fact.name] = value

    def forget(self, host: Host, fact: Fact[Any]) -> None:
        """Forget a fact, if it is known."""
        with self._lock:
            self._kept.pop((host.name, fact.name), None)

    @overload
    def get(self, host: Host, fact: Fact[T]) -> T | None: ...

    @overload
    def get(self, host: Host, fact: Fact[T], default: T) -> T: ...

    def get(self, host: Host, fact: Fact[T], default: T | None = None) -> T | None:
        """Return a fact, or the default where nobody found it."""
        with self._lock:
            found: T | None = self._kept.get((host.name, fact.name), default)
        return found

    def __getitem__(self, key: tuple[Host, Fact[T]]) -> T:
        """Return a fact that an earlier step of the phase has kept.

        Raises:
            NotKnownYet: with host and name, when none has.
        """
        host, fact = key
        with self._lock:
            if (host.name, fact.name) not in self._kept:
                raise NotKnownYet(
                    f"{host.name}: `{fact.name}` is not known yet",
                    hint="apply the steps before this one first: one of them finds it",
                )
            found: T = self._kept[host.name, fact.name]
        return found
