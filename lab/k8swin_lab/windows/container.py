"""One Windows container: a small Windows of its own, with the pod's name, address, environment and volumes."""

from __future__ import annotations

import io
import re
import threading
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet.pulling import Image, split
from k8swin_lab.kubernetes import agnhost
from k8swin_lab.kubernetes.pod_network import PodStation, resolve
from k8swin_lab.kubernetes.volumes import files_of, refused
from k8swin_lab.lasting import Lasting
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_environment import Environment
from k8swin_lab.machines.windows_network import Address
from k8swin_lab.machines.windows_programs import BadExecutable
from k8swin_lab.machines.windows_setup import SYSTEM32
from k8swin_lab.network import (
    HttpHandler,
    HttpRequest,
    HttpResponse,
    Network,
    NetworkError,
    Source,
)

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_SHELLS = ("windows-base", "iis")
"""Behaviours of images that carry cmd.exe and PowerShell."""
_HELLO = b"\r\nHello from Docker!\r\nThis message shows that your installation appears to be working correctly.\r\n\r\n"


class PodNetwork(Network):
    """The network as a pod sees it: names are asked of the cluster, the rest goes out through the node."""

    def __init__(self, node: WindowsMachine, namespace: str) -> None:
        super().__init__()
        self._node = node
        self._namespace = namespace

    def resolve(self, source: Source, name: str, *, hosts_file: bool = True) -> str:
        # A pod's hosts file names nobody but the pod.
        return resolve(cluster_of(self._node), self._node, self._namespace, name)

    def open(self, source: Source, address: str, port: int) -> HttpHandler | str:
        if address in ("127.0.0.1", source.address):
            if port in source.listening:
                return source.listening[port]
            raise NetworkError("refused", f"connect to {address} port {port}: connection refused")
        station = PodStation(source.name, source.address, self._node)
        return self._node.network.open(station, address, port)


def cluster_of(machine: WindowsMachine) -> Cluster | None:
    """The cluster of the lab whose pod network the machine is on."""
    for router in machine.network.routers:
        cluster: Cluster | None = getattr(router, "cluster", None)
        if (
            cluster is not None
            and cluster.network is machine.network
            and _is_node(cluster, machine)
        ):
            return cluster
    return None


def _is_node(cluster: Cluster, machine: WindowsMachine) -> bool:
    address = machine.node_facts().address
    return any(
        entry["address"] == address
        for node in cluster.objects("nodes")
        for entry in (node.get("status") or {}).get("addresses") or []
    )


def _is_host_process(pod: dict[str, Any], spec: dict[str, Any]) -> bool:
    """Whether a container runs as a process of the node's own Windows."""
    return any(
        ((one.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
        for one in (pod.get("spec") or {}, spec)
    )


class _Output:
    """What a container writes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._content = b""

    def write(self, data: bytes, /) -> int:
        with self._lock:
            self._content += data
        return len(data)

    def text(self) -> str:
        with self._lock:
            return self._content.decode("utf-8", "replace")


class WindowsContainer:
    """A started container; a `Container` of kubernetes/node.py."""

    def __init__(
        self,
        node: WindowsMachine,
        image: Image,
        pod: dict[str, Any],
        spec: dict[str, Any],
        environment: dict[str, str],
        *,
        default: list[str] | None = None,
    ) -> None:
        """`default` is the command of the image, for a container whose spec names none."""
        self.node = node
        self.default = default or []
        self.image = image
        self.pod = pod
        self.spec = spec
        self.environment = environment
        self._output = _Output()
        self._exit: int | None = None
        self._process: Process | None = None
        self._ended = threading.Event()
        name = str(pod["metadata"]["name"])
        address = str((pod.get("status") or {}).get("podIP") or node.address)
        self.machine = WindowsMachine(
            name, address, PodNetwork(node, str(pod["metadata"].get("namespace", "default"))),
            node.software, build=node.edition.build,
            users={"ContainerAdministrator": ""}, cpus=node.cpus, memory_bytes=node.memory_bytes, pace=node.pace,
        )  # fmt: skip
        self.machine.listening = {}
        if _is_host_process(pod, spec):
            raise RuntimeError("not simulated in the lab: a container of the host's (hostProcess)")
        if "/nanoserver" in image.reference:
            self.machine.files.remove(SYSTEM32 + r"\WindowsPowerShell", recursive=True)
        self.machine.net.addresses = [
            Address(a.index, a.address, a.length, a.origin) for a in self.machine.net.addresses
        ]
        self.machine.net.adapters[0].name = f"vEthernet ({name})"
        self._mount()

    @property
    def http(self) -> dict[int, HttpHandler]:
        """What listens in the container, by port."""
        if self._exit is not None:
            return {}
        return {
            port: handler
            for port, handler in list(self.machine.listening.items())
            if not isinstance(handler, str)
        }

    def _mount(self) -> None:
        agent = self.node.containers.agent
        volumes = {v["name"]: v for v in self.pod["spec"].get("volumes") or []}
        for mount in self.spec.get("volumeMounts") or []:
            folder = str(mount["mountPath"])
            self.machine.files.make_directory(folder)
            volume = volumes.get(mount["name"], {})
            if kind := refused(volume):
                raise RuntimeError(f"not simulated in the lab: a volume of the kind {kind}")
            content = files_of(agent.client, self.pod, volume) if agent is not None else {}
            for name, data in content.items():
                path = f"{folder}\\{name}".replace("/", "\\")
                if mount.get("subPath"):
                    if mount["subPath"] != name:
                        continue
                    path = folder
                    self.machine.files.remove(folder)
                self.machine.files.write(path, data)

    def _environment(self) -> Environment:
        env = self.machine.environment()
        name = str(self.pod["metadata"]["name"])
        env.update(
            {"COMPUTERNAME": name, "HOSTNAME": name, "USERNAME": "ContainerAdministrator",
             "USERPROFILE": r"C:\Users\ContainerAdministrator", "TEMP": r"C:\Windows\Temp"}
        )  # fmt: skip
        env.update(self.environment)
        return env

    def _command(self) -> list[str]:
        words = [*(self.spec.get("command") or []), *(self.spec.get("args") or [])]

        def expand(text: str) -> str:
            return re.sub(
                r"\$\$|\$\(([A-Za-z_][\w.-]*)\)",
                lambda m: "$" if m[0] == "$$" else self.environment.get(m[1], m[0]),
                text,
            )

        return [expand(str(word)) for word in words]

    def start(self) -> None:
        """Begin to run what the pod or the image says."""
        command = self._command() or self.default
        behaviour = self.image.behaviour
        if behaviour == "agnhost":
            self._agnhost(command)
        elif behaviour == "pause":
            return
        elif behaviour == "hello-world":
            self._output.write(_HELLO)
            self._finish(0)
        elif behaviour not in _SHELLS:
            raise RuntimeError(
                f"not simulated in the lab: a Windows container of the image {self.image.reference}"
            )
        elif not command and behaviour == "iis":
            self.machine.listening[80] = lambda request: HttpResponse(
                200, {"content-type": "text/html"}, b"<title>IIS Windows Server</title>"
            )
        elif not command:
            # cmd.exe without a console reads the end of its input at once
            banner = f"Microsoft Windows [Version {self.image.os_version}]\r\n(c) Microsoft Corporation. All rights reserved.\r\n"
            self._output.write(f"{banner}\r\nC:\\>".encode())
            self._finish(0)
        else:
            self._run(command)

    def _run(self, command: list[str]) -> None:
        env = self._environment()
        path = self.machine.find_program(command[0], env["Path"])
        if path is None:
            raise RuntimeError(
                "failed to create containerd task: failed to create shim task: hcs::System::CreateProcess "
                f"{self.spec['name']}: The system cannot find the file specified.: (0x2)"
            )
        cwd = str(self.spec.get("workingDir") or "C:\\")
        process = Process(
            self.machine,
            [path, *command[1:]],
            env,
            cwd,
            "ContainerAdministrator",
            io.BytesIO(),
            self._output,
            self._output,
        )
        self._process = process

        def body() -> None:
            code = 1
            try:
                code = self.machine.run_program(process)
            except (NotSimulated, BadExecutable) as error:
                self._output.write(f"{error}\n".encode())
                code = 70
            finally:
                self._finish(code)

        Lasting(
            body, name=f"container:{self.spec['name']}", again=lambda _: self._again(command)
        ).start()

    def _again(self, command: list[str]) -> None:
        """Begin anew in a copy of the lab: what a program of a container knew was in its thread alone."""
        if self._exit is not None:
            return
        for entry in list(self.machine.processes.running.values()):
            if entry.process is not None:
                self.machine.processes.leave(entry, 0)
        self.machine.listening.clear()
        self._run(command)

    def _finish(self, code: int) -> None:
        if self._exit is None:
            self._exit = code & 0xFFFFFFFF
        self.machine.listening.clear()
        if self in self.node.containers.running:
            self.node.containers.running.remove(self)
        self._ended.set()

    def logs(self) -> str:
        return self._output.text()

    def exit_code(self) -> int | None:
        return self._exit

    def stop(self) -> None:
        if self._process is not None:
            self._process.cancelled.set()
        self.machine.processes.end_all()
        self._finish(0xC000013A)  # STATUS_CONTROL_C_EXIT

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        env = self._environment()
        if self.image.behaviour not in (*_SHELLS, "agnhost"):
            return (
                126,
                b"",
                b"hcs::System::CreateProcess: The system cannot find the file specified.: (0x2)\n",
            )
        name = re.split(r"[\\/]", argv[0])[-1].lower().removesuffix(".exe") if argv else ""
        if self.image.behaviour == "agnhost" and name == "agnhost":
            machine, version = self.machine, split(self.image.reference)[1]
            network = machine.network
            return agnhost.run(
                argv[1:], version, network, machine, lambda one: network.resolve(machine, one)
            )
        path = self.machine.find_program(argv[0], env["Path"]) if argv else None
        if path is None:
            return (
                126,
                b"",
                b"hcs::System::CreateProcess: The system cannot find the file specified.: (0x2)\n",
            )
        out, err = io.BytesIO(), io.BytesIO()
        process = Process(
            self.machine, [path, *argv[1:]], env, str(self.spec.get("workingDir") or "C:\\"), "ContainerAdministrator",
            io.BytesIO(stdin), out, err,
        )  # fmt: skip
        try:
            code = self.machine.run_program(process)
        except (NotSimulated, BadExecutable) as error:
            return 70, out.getvalue(), err.getvalue() + f"{error}\n".encode()
        return code, out.getvalue(), err.getvalue()

    def _agnhost(self, command: list[str]) -> None:
        words = [w for w in command if not w.lower().replace(".exe", "").endswith("agnhost")]
        verb = next((w for w in words if not w.startswith("-")), "pause")
        if verb == "pause":
            return
        if verb != "netexec":
            raise RuntimeError(f"not simulated in the lab: agnhost {verb}")
        port = next((int(w.partition("=")[2]) for w in words if w.startswith("--http-port=")), 8080)
        name = str(self.pod["metadata"]["name"])

        def answer(request: HttpRequest) -> HttpResponse:
            parts = urllib.parse.urlsplit(request.url)
            query = urllib.parse.parse_qs(parts.query)
            replies: dict[str, Callable[[], str]] = {
                "/": lambda: "NOW: 0", "/hostname": lambda: name, "/hostName": lambda: name, "/healthz": lambda: "",
                "/clientip": lambda: f"{request.peer}:40000", "/echo": lambda: query.get("msg", [""])[0],
            }  # fmt: skip
            reply = replies.get(parts.path)
            if reply is None:
                return HttpResponse(404, {}, b"404 page not found\n")
            return HttpResponse(
                200, {"content-type": "text/plain; charset=utf-8"}, reply().encode()
            )

        self.machine.listening[port] = answer
        self._output.write(f"Started HTTP server on port {port}\n".encode())
