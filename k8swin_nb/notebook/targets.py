"""Which hosts a magic works on: what is named, of the magic's own system, and what is left out and told so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from k8swin_nb.errors import InventoryError
from k8swin_nb.selection import OPEN, STATES, names, select
from k8swin_nb.shown import shown_line

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.notebook.context import Context

System = Literal["linux", "windows"]

CALLED = {"linux": "Linux", "windows": "Windows"}


@dataclass(frozen=True, slots=True)
class Targets:
    """The hosts that something runs on, and those that it does not."""

    hosts: tuple[Host, ...]
    """Chosen, and of the magic's system."""

    others: tuple[Host, ...]
    """Chosen, and of the other system: they are left out."""

    rest: tuple[Host, ...]
    """Not chosen, of the magic's system."""

    def __str__(self) -> str:
        """What is said before anything is sent: which hosts, of how many, and which are left out."""
        system = CALLED[self.hosts[0].os]
        every = len(self.hosts) + len(self.rest)
        more = []
        if self.rest:
            more.append(
                f"{len(self.hosts)} of {every} {system} hosts; left out: {names(self.rest)}"
            )
        if self.others:
            other = CALLED[self.others[0].os]
            more.append(f"left out, {other}: {names(self.others)}")
        told = f" ({'; '.join(more)})" if more else ""
        return shown_line(f"will run on: {names(self.hosts)}{told}")


def choose(
    opened: Context,
    selection: str | None,
    system: System | None,
    login: Mapping[str, str] | None = None,
) -> Targets:
    """Return the hosts that a selection names, or the only one of the system.

    Args:
        opened: What is open.
        selection: As `selection.select` takes it; a word such as `ubuntu@192.168.160.150` is a host that no description names.
            None: the only host of the system.
        system: Of which the hosts must be; None: any, such as for a file that is copied.
        login: What is said of hosts that no description names: `credential`, `identity` and so on.

    Raises:
        InventoryError: when a word is unknown, with the nearest, or no host is left.
    """
    of_system = [host for host in opened.inventory.hosts if system in (None, host.os)]
    if login and not any(
        _is_login(word.strip().lstrip("!&")) for word in (selection or "").split(",")
    ):
        raise InventoryError(
            "`--credential`, `--identity` and `--set` are about hosts that are named with their login, and none is",
            hint="name one as `--host user@address`; what a described host is given stands in its description",
        )
    if selection is None:
        return Targets((_only(of_system, system),), (), ())
    chosen = _selected(opened, selection, system or "linux", login or {})
    hosts = tuple(host for host in chosen if system in (None, host.os))
    others = tuple(host for host in chosen if host not in hosts)
    if not hosts and system:
        wanted = "%%remote_bash" if system == "windows" else "%%remote_ps"
        raise InventoryError(
            f"`{selection}` leaves no {CALLED[system]} host: {names(others)} run {CALLED[others[0].os]}",
            hint=f"use `{wanted}`, or name hosts of {CALLED[system]}: {names(of_system)}",
        )
    return Targets(hosts, others, tuple(host for host in of_system if host not in hosts))


def _selected(
    opened: Context, selection: str, system: System, login: Mapping[str, str]
) -> tuple[Host, ...]:
    words = [word.strip() for word in selection.split(",")]
    strangers: dict[str, Host] = {}
    for place, word in enumerate(words):
        sign = word[0] if word[:1] in ("!", "&") else ""
        if _is_login(word[len(sign) :]):
            host = _stranger(opened, word[len(sign) :], system, login)
            strangers[host.name] = host
            words[place] = sign + host.name
    bare = {word.lstrip("!&") for word in words}
    states = {state for word in bare for state in STATES.get(word.partition("[")[0], ())}
    ended = opened.cluster.last or {}
    for name, host in opened.strangers.items():
        if name in bare or ended.get(name) in states:
            strangers.setdefault(name, host)
    described = {host.name for host in opened.inventory.hosts}
    more = tuple(host for name, host in strangers.items() if name not in described)
    if states and not described and not more:
        more = tuple(opened.strangers.values())
    if named := [word for word in words if word in strangers]:
        # Their names may hold brackets and colons, which mean something else in a selection.
        others = ",".join(word for word in words if word not in strangers)
        found = (
            select((*opened.inventory.hosts, *more), others, opened.cluster.last) if others else ()
        )
        return (*found, *(strangers[name] for name in named if strangers[name] not in found))
    return select((*opened.inventory.hosts, *more), ",".join(words), opened.cluster.last)


def _is_login(word: str) -> bool:
    """Whether a word names a host with its login; `@failed` does not."""
    return "@" in word and not word.startswith("@")


def _stranger(opened: Context, word: str, system: System, login: Mapping[str, str]) -> Host:
    from k8swin_nb.adhoc import host_of_login

    host = host_of_login(word, system, login)
    for one in opened.inventory.hosts:
        port = (one.ssh_port if system == "linux" else one.winrm_port) == (
            host.ssh_port if system == "linux" else host.winrm_port
        )
        if (
            (one.address, one.user, one.os) == (host.address, host.user, system)
            and port
            and not login
        ):
            return one  # the description knows it, with its keys
    for known in opened.strangers.values():
        if not login and _at_one_place(known, host):
            return known  # what was said of it once, such as its key, holds
    return opened.stranger(host)


def _at_one_place(known: Host, host: Host) -> bool:
    """Whether two hosts are the same login at the same place."""
    return all(
        getattr(known, what) == getattr(host, what)
        for what in ("address", "user", "os", "ssh_port", "winrm_port")
    )


def _only(hosts: list[Host], system: System | None) -> Host:
    if len(hosts) == 1:
        return hosts[0]
    kind = f"{CALLED[system]} hosts" if system else "hosts"
    if not hosts:
        raise InventoryError(f"no {kind} are there, and none is named", hint=OPEN)
    raise InventoryError(
        f"{len(hosts)} {kind} are there: {names(hosts)}",
        hint=f"say which: `--host {hosts[0].name}`",
    )
