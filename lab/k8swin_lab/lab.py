"""A running lab: machines, the network between them, and the real sockets in front of them.

The servers share one event loop in one thread. What a machine starts to listen on while it runs,
the Kubernetes API and node ports, is opened and closed by following the machines' state.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import re
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from k8swin_lab import building, sites, topology
from k8swin_lab import faults as named_faults
from k8swin_lab.home import Home
from k8swin_lab.lasting import Lasting
from k8swin_lab.machines.base import serving
from k8swin_lab.network import Network
from k8swin_lab.servers.kernel_routes import KernelRoutes, Route
from k8swin_lab.servers.listener import Faults, PortInUse
from k8swin_lab.servers.outside import OutsideNetwork
from k8swin_lab.topology import MachineSpec

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

T = TypeVar("T")

_FOLLOW_INTERVAL = 0.25
_START_TIMEOUT = 30
_KUBELET_PORT = 10250


class _Server(Protocol):
    """A server that was opened because of a machine's state."""

    async def stop(self) -> None: ...


@dataclass(slots=True)
class _Running:
    """A machine with everything that was opened for it."""

    spec: MachineSpec
    machine: Any
    faults: Faults
    servers: list[Any] = field(default_factory=list)
    opened: dict[tuple[str, int], Any] = field(default_factory=dict)
    """By kind ("api", "node port", "kubelet", or a pod's address) and port: what follows the machine's state."""
    cluster: Any = None
    admin: tuple[int, ...] = ()
    """What the machine's admin.conf was when it was copied to the lab's folder."""
    certificate: ssl.SSLContext | None = None
    """What the HTTPS listener of a Windows machine shows."""


class Lab:
    """Machines on this computer, from `start` to `stop`; also a context manager.

    Args:
        home: folder for secrets and machines' disks.
        machines: who there is; the default topology when None.
        python_bash: use the interpreter in Python even where the host's bash could be used.
        build: makes a machine of a spec; tests bring small ones.
    """

    def __init__(
        self,
        home: Path | Home,
        machines: Sequence[MachineSpec] | None = None,
        *,
        python_bash: bool = False,
        build: building.Build | None = None,
    ) -> None:
        self.home = home if isinstance(home, Home) else Home(home)
        self.specs = topology.placed(machines or topology.default())
        self.network = Network()
        self._routes = KernelRoutes()
        if any(spec.outside for spec in self.specs):
            self.network.outside = OutsideNetwork()
        self._build = build or building.builder(python_bash)
        self._running: dict[str, _Running] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._follower: concurrent.futures.Future[None] | None = None

    def __enter__(self) -> Lab:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def machines(self) -> dict[str, Any]:
        """The machines by name, while the lab runs."""
        return {name: running.machine for name, running in self._running.items()}

    def start(self) -> None:
        """Make the machines and open their ports.

        Raises:
            PortInUse: an address or port cannot be had; nothing stays open then.
        """
        self.home.prepare(self.specs)
        self._run_loop()
        try:
            for spec in self.specs:
                machine = self._build(spec, self.network, self.home)
                if spec.site and spec.os == "windows":
                    sites.switch(machine, spec.site)
                self._running[spec.name] = _Running(spec, machine, Faults())
            self._wait(self._open(), _START_TIMEOUT)
        except BaseException:
            self.stop()
            raise
        self._begin_to_follow()

    def _run_loop(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Lasting(self._loop.run_forever, name="lab")
        self._thread.start()

    def _begin_to_follow(self) -> None:
        if self._loop is not None:
            self._follower = asyncio.run_coroutine_threadsafe(self._follow(), self._loop)
        self.home.write_status(self.status())

    def park(self) -> Callable[[], None]:
        """Hold the servers still; returns what lets them go on. Connections wait meanwhile."""
        loop, parked, go = self._loop, threading.Event(), threading.Event()
        if loop is None:
            raise RuntimeError("the lab does not run; call start() first")

        def wait() -> None:
            parked.set()
            go.wait()

        loop.call_soon_threadsafe(wait)
        parked.wait()
        return go.set

    def go_on(self, home: Home, lasting: Sequence[Lasting], slept: float) -> None:
        """Be a copy of a frozen lab: the same machines, with their disks in `home`, after `slept` seconds.

        Raises:
            PortInUse: an address or port cannot be had.
        """
        self.home = home
        for running in self._running.values():
            running.servers, running.opened = [], {}
            if running.spec.os == "linux":
                running.machine.move(home.machine_root(running.spec.name))
            running.machine.wake(slept)
            running.cluster = None
        clusters = [serving(machine)[1] for machine in self.machines.values()]
        for cluster in {id(one): one for one in clusters if one is not None}.values():
            cluster.wake(slept)
        self._run_loop()
        for thread in lasting:
            if thread.again is not None:
                thread.again(slept)
        self._wait(self._open(), _START_TIMEOUT)
        self._wait(self._follow_all(), _START_TIMEOUT)
        self._begin_to_follow()

    def abandon(self) -> None:
        """End what machines have beside this process: a copy takes this lab's place, and this process ends."""
        for machine in self.machines.values():
            if machine.os == "linux":
                machine.close_shell()

    def stop(self) -> None:
        """Close every port, end every command and remove the machines."""
        if self._loop is None or self._thread is None:
            return
        if self._follower is not None:
            self._follower.cancel()
        self._wait(self._close(), _START_TIMEOUT)
        for running in self._running.values():
            stop = getattr(running.machine, "stop", None)
            if stop is not None:
                stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_TIMEOUT)
        self._loop.close()
        self._routes.follow(set())
        self._loop = self._thread = self._follower = None
        self._running.clear()
        self.home.clear()

    def status(self) -> dict[str, Any]:
        """Return where clients find what they need; all paths are absolute."""
        machines: list[dict[str, Any]] = []
        for spec in self.specs:
            entry: dict[str, Any] = {
                "name": spec.name,
                "os": spec.os,
                "address": spec.bound,
                "user": spec.user,
            }
            if spec.os == "linux":
                entry |= {
                    "distribution": spec.distribution,
                    "ssh_port": spec.ssh_port,
                    "identity": str(self.home.identity),
                }
            else:
                entry |= {
                    "winrm_http_port": spec.winrm_http_port,
                    "winrm_https_port": spec.winrm_https_port,
                    "credential": f"file:{self.home.password_file(spec.name)}",
                }
            machines.append(entry)
        return {
            "home": str(self.home.path),
            "generation": topology.generation_of(self.specs),
            "description": str(self.home.description),
            "kubeconfig": str(self.home.kubeconfig),
            "known_hosts": str(self.home.known_hosts),
            "ca": str(self.home.ca),
            "machines": machines,
        }

    def fault(self, machine: str, name: str, value: str | None = None) -> None:
        """Let something go wrong on a machine, see `faults.KNOWN`.

        Raises:
            UnknownFault: there is no such machine, fault or value.
        """
        running = self._running.get(machine)
        if running is None:
            known = ", ".join(self._running)
            raise named_faults.UnknownFault(f"no machine `{machine}`; there are {known}")
        named_faults.apply(running.machine, running.faults, name, value)

    def site(self, machine: str, names: str | Sequence[str]) -> None:
        """Bring a machine into moods of a site, see `sites.MOODS`; a certificate is shown from the next connection on.

        Raises:
            UnknownMood: there is no such machine or mood.
        """
        running = self._running.get(machine)
        if running is None:
            raise sites.UnknownMood(f"no machine `{machine}`; there are {', '.join(self._running)}")
        sites.switch(running.machine, sites.named(names))
        if running.certificate is not None:
            names = running.machine.listener_names
            self.home.renew_certificate(
                running.certificate, self.home.authority(), running.spec, names
            )

    def _wait(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        if self._loop is None:
            raise RuntimeError("the lab does not run; call start() first")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    async def _open(self) -> None:
        from k8swin_lab.servers.ssh import SshServer
        from k8swin_lab.servers.winrm import WinrmServer

        windows = any(running.spec.os == "windows" for running in self._running.values())
        authority = self.home.authority() if windows else None
        for name, running in self._running.items():
            spec, machine = running.spec, running.machine
            if spec.os == "linux":
                ssh = SshServer(machine, self.home.host_key(name), faults=running.faults)
                running.servers.append(ssh)
                await ssh.start(spec.bound, spec.ssh_port)
            elif authority is not None:
                winrm = WinrmServer(machine, faults=running.faults)
                running.servers.append(winrm)
                await winrm.start(spec.bound, spec.winrm_http_port)
                if running.certificate is None:
                    running.certificate = self.home.server_certificate(
                        authority, spec, getattr(machine, "listener_names", ())
                    )
                await winrm.start(
                    spec.bound, spec.winrm_https_port, certificate=running.certificate
                )

    async def _close(self) -> None:
        for running in self._running.values():
            for key in list(running.opened):
                await self._close_one(running, key)
            for server in running.servers:
                await server.stop()

    async def _follow(self) -> None:
        """Open and close what the machines' state asks for, and keep the kubeconfig current."""
        while True:
            await self._follow_all()
            if self.network.outside is not None:
                await asyncio.to_thread(self._routes.follow, self._ways())
            await asyncio.sleep(_FOLLOW_INTERVAL)

    async def _follow_all(self) -> None:
        for running in self._running.values():
            try:
                await self._follow_machine(running)
            except Exception:
                log.exception("%s: following its state failed", running.spec.name)

    async def _follow_machine(self, running: _Running) -> None:
        up = running.machine.reachable and not running.faults.refuse
        api_port, cluster = serving(running.machine)
        wanted: set[tuple[str, int]] = set()
        if up and running.spec.outside:
            wanted |= _shown_outside(running.machine)
        if up and cluster is not None:
            wanted.add(("api", api_port))
        if up:
            wanted |= {("node port", port) for port in self._node_ports(running)}
        for key in list(running.opened):
            another = key[0] == "api" and cluster is not running.cluster
            if key[0] == "kubelet" and key in wanted:
                another = running.opened[key].handler is not running.machine.listening[key[1]]
            if key not in wanted or another:
                await self._close_one(running, key)
        running.cluster = cluster
        for key in wanted - set(running.opened):
            await self._open_one(running, key)
        self._follow_kubeconfig(running)

    def _ways(self) -> set[Route]:
        """The routes that real hosts' packets need: to the pods of machines here, and back to those of other nodes."""
        wanted: set[Route] = set()
        for running in self._running.values():
            agent = (
                getattr(running.machine, "containers", None) and running.machine.containers.agent
            )
            if running.spec.outside and agent is not None and agent.pod_network():
                wanted.add((agent.pod_network(), ""))
            if running.spec.outside:
                wanted |= {
                    (route.prefix, route.next_hop)
                    for route in running.machine.net.routes
                    if route.protocol == "Flannel"
                    and self.network.machine_at(route.next_hop) is None
                }
        return wanted

    def _node_ports(self, running: _Running) -> set[int]:
        """Return the node ports a machine shows; on a shared real address only the first does."""
        if running.spec.listen and running.spec != self.specs[0]:
            return set()
        ports: set[int] = set()
        for other in self._running.values():
            if other.cluster is not None and _is_node(other.cluster, running.spec):
                ports |= set(other.cluster.node_ports())
        for router in self.network.routers:
            if running.spec.address in getattr(router, "addresses", ()):
                ports |= router.node_ports()  # type: ignore[attr-defined]
        return ports

    async def _open_one(self, running: _Running, key: tuple[str, int]) -> None:
        kind, port = key
        address = running.spec.bound
        try:
            if kind == "api":
                from k8swin_lab.servers.kube_api import KubeApiServer

                api = KubeApiServer(running.cluster)
                await api.start(address, _real_port(running.spec, port))
                running.opened[key] = api
            elif kind == "kubelet":
                from k8swin_lab.servers.kubelet import KubeletServer

                handler = running.machine.listening[port]
                kubelet = KubeletServer(running.machine, handler, running.faults)
                await kubelet.start(address)
                running.opened[key] = kubelet
            else:
                from k8swin_lab.servers.node_port import NodePortServer

                pod = "" if kind == "node port" else kind
                host = pod or running.spec.address
                server = NodePortServer(running.machine, host, port, running.faults)
                await server.start(pod or address)
                running.opened[key] = server
        except (PortInUse, OSError) as error:
            log.error("%s: %s: %s", running.spec.name, kind, error)

    async def _close_one(self, running: _Running, key: tuple[str, int]) -> None:
        server: _Server = running.opened.pop(key)
        await server.stop()

    def _follow_kubeconfig(self, running: _Running) -> None:
        """Copy the machine's own admin.conf to the lab's folder once its API answers."""
        port = next((port for kind, port in running.opened if kind == "api"), 0)
        if not port:
            return
        path = running.machine.root / "etc/kubernetes/admin.conf"
        try:
            status = path.stat()
            known = (status.st_ino, status.st_mtime_ns, status.st_size, port)
            if known == running.admin and self.home.kubeconfig.is_file():
                return
            text = path.read_text()
        except OSError:
            return
        running.admin = known
        spec = running.spec
        # The cluster's own name leads nowhere from this computer.
        server = f"server: https://{spec.bound}:{_real_port(spec, port)}"
        text = re.sub(r"server: https://\S+", server, text)
        if not self.home.kubeconfig.is_file() or self.home.kubeconfig.read_text() != text:
            self.home.write_kubeconfig(text)


def _real_port(spec: MachineSpec, port: int) -> int:
    """Return the real port of an API server: its own, but for machines that share one real address."""
    return spec.api_port if spec.listen else port


def _shown_outside(machine: Any) -> set[tuple[str, int]]:
    """What real hosts are to reach of a Windows node besides its logins: the kubelet, and pods by their addresses."""
    wanted: set[tuple[str, int]] = set()
    if callable(machine.listening.get(_KUBELET_PORT)):
        wanted.add(("kubelet", _KUBELET_PORT))
    agent = machine.containers.agent
    return wanted | (agent.ports() if agent is not None else set())


def _is_node(cluster: Any, spec: MachineSpec) -> bool:
    """Whether a machine is a node of a cluster: only there kube-proxy opens node ports."""
    for node in cluster.client().list("nodes"):
        for address in node.get("status", {}).get("addresses", []):
            if address.get("address") == spec.address:
                return True
    return False
