"""What there is to see of a cluster and its machines, asked over the wire when it is needed, and never changed.

Several witnesses are asked: the API server, each machine itself, and whoever answers a web request. One alone can be
talked into anything.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from k8swin_nb.api import Cluster
from k8swin_nb.errors import ClusterError, K8swinError, Stopped
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines, whole
from k8swin_nb.scripts import Script
from k8swin_nb.shown import shown_line

T = TypeVar("T")
Object = dict[str, Any]

HOST_SECONDS = 12.0
"""What a machine may take to say how it is."""

API_SECONDS = 8.0
"""What one list of the API server may take."""

WEB_SECONDS = 3.0
"""What a web request may take."""

BODY = 200
"""Bytes of an answer that are read: a name."""


class Unseen(Exception):
    """Something cannot be looked at; the text says what and why."""


class Facts:
    """What one machine said of itself: lines of a word and values."""

    def __init__(self, text: str) -> None:
        self._rows = [line.split("\t") for line in lines(text)]

    def all(self, word: str) -> list[list[str]]:
        """Return the values of every line that begins with a word."""
        return [row[1:] for row in self._rows if row[0] == word]

    def one(self, word: str, name: str) -> list[str]:
        """Return the values behind a word and a name; none when there is no such line."""
        return next((row[1:] for row in self.all(word) if row[:1] == [name]), [])

    @property
    def time(self) -> float | None:
        """The machine's clock, in seconds since 1970; None: it did not say."""
        said = next((row[0] for row in self.all("time") if row), "")
        return float(said) if whole(said) is not None else None


class Site:
    """A cluster at one moment; what was asked once is not asked again.

    Args:
        cluster: An open one; it is not closed here.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._lists: dict[str, list[Object] | Unseen] = {}
        self._facts: dict[str, Facts | Unseen] = {}
        self._enough = threading.Event()

    @property
    def master(self) -> Host:
        """The control plane's host."""
        return self.cluster.hosts("control-plane")[0]

    @property
    def workers(self) -> tuple[Host, ...]:
        """The Windows workers of the description."""
        return tuple(
            host for host in self.cluster.hosts() if host.os == "windows" and "worker" in host.roles
        )

    def host(self, name: str) -> Host:
        """Return a host by its name, or the worker of that number: `winworker02` is the second one.

        Raises:
            Unseen: when the description has none.
        """
        for host in self.cluster.hosts():
            if host.name == name:
                return host
        raise Unseen(f"the description names no host {name}")

    # The machines themselves

    def look(self, names: Sequence[str] = ()) -> None:
        """Ask machines how they are, all at once; empty: all that are nodes or shall be."""
        wanted = [
            host
            for host in self.cluster.hosts()
            if {"control-plane", "worker"} & set(host.roles)
            and (not names or host.name in names)
            and host.name not in self._facts
        ]
        threads = [
            threading.Thread(
                target=self._ask,
                args=(tuple(h for h in wanted if h.os == system), script),
                name=f"look-{system}",
                daemon=True,
            )
            for system, script in (
                ("linux", "linux/control_plane_facts.check.sh"),
                ("windows", "windows/worker_facts.check.ps1"),
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HOST_SECONDS + 5)
        for host in wanted:
            self._facts.setdefault(host.name, Unseen(f"{host.name} did not answer in time"))

    def _ask(self, hosts: tuple[Host, ...], script: str) -> None:
        if not hosts:
            return
        try:
            found = self.cluster.run_script(
                Script.load(script),
                hosts,
                sudo=hosts[0].os == "linux",
                timeout=HOST_SECONDS,
                check=False,
                recorded=False,
                cancel=self._enough,
            )
        except K8swinError as error:
            for host in hosts:
                self._facts[host.name] = Unseen(f"{host.name}: {shown_line(error)}")
            return
        for name, result in found.answers.items():
            self._facts[name] = Facts(result.stdout)
        for name, problem in found.errors.items():
            self._facts[name] = Unseen(f"{name} cannot be asked: {shown_line(problem)}")

    def facts(self, name: str) -> Facts:
        """Return what a machine says of itself.

        Raises:
            Unseen: when it does not answer.
        """
        self.host(name)
        if name not in self._facts:
            self.look([name])
        found = self._facts[name]
        if isinstance(found, Unseen):
            raise found
        return found

    def nobody_answers(self) -> bool:
        """Whether not one machine could be asked."""
        return bool(self._facts) and all(isinstance(one, Unseen) for one in self._facts.values())

    def why(self) -> str:
        """Return what the first machine that does not answer said, in a line."""
        return next((str(one) for one in self._facts.values() if isinstance(one, Unseen)), "")

    # The API server

    def objects(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a list of the API.

        Raises:
            Unseen: when the API server does not answer or refuses.
        """
        key = f"{path}?{sorted(query.items())}"
        if key not in self._lists:
            self._lists[key] = self._listed(path, query)
        found = self._lists[key]
        if isinstance(found, Unseen):
            raise found
        return found

    def _listed(self, path: str, query: Mapping[str, str]) -> list[Object] | Unseen:
        try:
            return self.cluster.documents(path, query=query, seconds=API_SECONDS)
        except (ClusterError, Stopped) as error:
            return Unseen(f"the API server cannot be asked: {shown_line(error)}")
        except K8swinError as error:
            return Unseen(f"the way to the API server is shut: {shown_line(error)}")

    def now(self) -> float:
        """The moment by the control plane's clock where that is known, which writes heartbeats' order; else by this one's."""
        found = self._facts.get(self.master.name)
        return time.time() if not isinstance(found, Facts) or found.time is None else found.time

    def authority(self) -> bytes:
        """Return the certificate of the cluster's authority, as the API server hands it to everybody.

        Raises:
            Unseen: when the API server does not answer, or has none.
        """
        found = self.named("/api/v1/namespaces/kube-system/configmaps", "kube-root-ca.crt")
        if found is None:
            raise Unseen("the cluster names no certificate authority")
        return str(found["data"]["ca.crt"]).encode()

    def nodes(self) -> list[Object]:
        return self.objects("/api/v1/nodes")

    def node(self, name: str) -> Object:
        """Return a node.

        Raises:
            Unseen: when there is none of this name.
        """
        found = next((one for one in self.nodes() if one["metadata"]["name"] == name), None)
        if found is None:
            raise Unseen(f"the cluster has no node {name}")
        return found

    def pods(self) -> list[Object]:
        """All pods that are not being deleted."""
        found = self.objects("/api/v1/pods")
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def named(self, path: str, name: str) -> Object | None:
        """Return an object of a list by its name; None when there is none."""
        return next((one for one in self.objects(path) if one["metadata"]["name"] == name), None)

    # Those who answer

    def answers(self, targets: Sequence[str]) -> dict[str, str]:
        """Return what `ADDRESS:PORT/hostname` answers when the control plane's host asks; empty: nothing.

        Raises:
            Unseen: when that host cannot be asked.
        """
        try:
            found = self.cluster.run_script(
                Script.load("linux/control_plane_facts.check.sh"),
                (self.master,),
                sudo=True,
                parameters={"TARGETS": " ".join(targets)},
                timeout=HOST_SECONDS + WEB_SECONDS * len(targets),
                check=False,
                recorded=False,
            )
        except K8swinError as error:
            raise Unseen(f"{self.master.name}: {shown_line(error)}") from error
        for problem in found.errors.values():
            raise Unseen(f"{self.master.name} cannot be asked: {shown_line(problem)}")
        said = Facts(next(iter(found.answers.values())).stdout)
        return {row[0]: (row[1] if row[1:] else "") for row in said.all("answer") if row}


def web(host: Host, port: int) -> str:
    """Return what `/hostname` answers at a port of a host when this computer asks; empty: nothing."""
    connection = http.client.HTTPConnection(host.address, port, timeout=WEB_SECONDS)
    try:
        connection.request("GET", "/hostname")
        return shown_line(connection.getresponse().read(BODY).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def age(moment: str, now: float | None = None) -> float:
    """Return how many seconds ago a moment of the API was; a moment that is none: for ever.

    Args:
        moment: RFC 3339 text.
        now: Seconds since 1970 by the clock that is meant; None: this computer's.
    """
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return float("inf")
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (time.time() if now is None else now) - then.timestamp()


def ready(thing: Object) -> bool:
    """Whether a node or a pod says that it is ready."""
    conditions = thing.get("status", {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def seen(look: Callable[[], T], otherwise: T) -> T:
    """Return what a look gives, or something else when there is nothing to see."""
    try:
        return look()
    except Unseen:
        return otherwise
