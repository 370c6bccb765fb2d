"""What the simulated kubelet asks the machine on which it runs, and how containers answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from k8swin_lab.network import HttpHandler


@dataclass(slots=True)
class NodeFacts:
    """What a kubelet reports of its machine; names as in `node.status.nodeInfo`."""

    name: str  # the node's name, after --hostname-override
    address: str  # InternalIP, after --node-ip
    operating_system: str  # "linux" or "windows"
    architecture: str = "amd64"
    os_image: str = ""
    kernel_version: str = ""
    container_runtime_version: str = ""  # "containerd://2.3.4"
    kubelet_version: str = ""  # "v1.36.4"
    machine_id: str = ""
    boot_id: str = ""
    cpus: int = 2
    memory_bytes: int = 4 * 1024**3
    max_pods: int = 110
    labels: dict[str, str] = field(default_factory=dict)  # e.g. node.kubernetes.io/windows-build


class Container(Protocol):
    """A container that runs, or ran."""

    @property
    def http(self) -> dict[int, HttpHandler]:
        """What answers in it, by container port."""

    def logs(self) -> str: ...

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run a program in the container with this standard input: exit code, standard output, standard error."""

    def exit_code(self) -> int | None:
        """None while it runs."""

    def stop(self) -> None: ...


class NodeMachine(Protocol):
    """The machine under a kubelet, Linux or Windows."""

    def node_facts(self) -> NodeFacts: ...

    def kubelet_running(self) -> bool:
        """Whether the kubelet's service runs and the machine is on."""

    def kubelet_process(self) -> int:
        """A number that differs after each start of the kubelet; 0 when it does not run."""

    def runtime_ready(self) -> str | None:
        """None when the container runtime answers, else the reason in the runtime's words."""

    def network_ready(self) -> str | None:
        """None when a CNI configuration is in place and usable, else the reason (cni plugin not initialized)."""

    def pull(self, image: str) -> str | None:
        """Make an image present; None on success, else the runtime's error text."""

    def start_container(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> Container:
        """Start a container of a pod (both as API objects); raises RuntimeError with the runtime's text."""


@runtime_checkable
class SystemHost(Protocol):
    """A machine on which containers of the control plane's images leave traces."""

    def system_started(self, image: str) -> None:
        """Be told that a container of such an image started."""
