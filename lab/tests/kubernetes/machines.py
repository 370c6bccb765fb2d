"""Machines under kubelets, as small as the contract allows."""

from __future__ import annotations

import uuid
from typing import Any

from k8swin_lab.kubernetes.node import NodeFacts
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse


class FakeContainer:
    """Serves its pod's name on every container port; `echo` works, any other program exits with 3."""

    def __init__(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        self.pod = pod
        self.code: int | None = None
        self.text = f"started {container['name']}\n"
        ports = [port["containerPort"] for port in container.get("ports") or []]
        self.http: dict[int, HttpHandler] = dict.fromkeys(ports, self._serve)

    def _serve(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, self.pod["metadata"]["name"].encode())

    def logs(self) -> str:
        return self.text

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        if argv[0] == "echo":
            return 0, " ".join(argv[1:]).encode() + b"\n", b""
        return 3, b"", b"no such program\n"

    def exit_code(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.code = 137


class FakeMachine:
    """A node whose every part can be switched off."""

    def __init__(self, name: str, address: str, system: str = "linux") -> None:
        self.name, self.address, self.os = name, address, system
        self.running = True
        self.network: str | None = None
        self.missing_images: dict[str, str] = {}
        self.containers: list[FakeContainer] = []
        self.boot_id = str(uuid.uuid4())
        self.started = 1

    def node_facts(self) -> NodeFacts:
        windows = self.os == "windows"
        return NodeFacts(
            self.name,
            self.address,
            self.os,
            os_image="Windows Server 2022 Datacenter" if windows else "Debian GNU/Linux 12",
            kernel_version="10.0.20348.2762" if windows else "6.1.0-28-amd64",
            container_runtime_version="containerd://2.3.4",
            kubelet_version="v1.36.4",
            machine_id=self.name,
            boot_id=self.boot_id,
            labels={"node.kubernetes.io/windows-build": "10.0.20348"} if windows else {},
        )

    def kubelet_running(self) -> bool:
        return self.running

    def kubelet_process(self) -> int:
        return self.started if self.running else 0

    def runtime_ready(self) -> str | None:
        return None

    def network_ready(self) -> str | None:
        return self.network

    def pull(self, image: str) -> str | None:
        return self.missing_images.get(image)

    def start_container(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> FakeContainer:
        made = FakeContainer(pod, container)
        if container["name"].startswith("once"):
            made.code = 0
        self.containers.append(made)
        return made
