"""The container runtimes of a Linux machine: images and containers, and containerd itself."""

from __future__ import annotations

import json
import secrets
import time
import tomllib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from k8swin_lab.internet import pulling
from k8swin_lab.internet.pulling import Image, PullError
from k8swin_lab.machines import containerd_config

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.node import Container
    from k8swin_lab.machines.linux import LinuxMachine

CRI_NAMESPACE = "k8s.io"
SOCKET = "/run/containerd/containerd.sock"


@dataclass(slots=True)
class Sandbox:
    """A pod as the runtime holds it."""

    id: str
    name: str
    namespace: str
    uid: str
    created: float
    attempt: int = 0


@dataclass(slots=True)
class ContainerRecord:
    """A container as the runtime holds it."""

    id: str
    name: str
    image: Image
    sandbox: Sandbox | None  # None for `ctr run`
    created: float
    container: Container
    attempt: int = 0
    namespace: str = CRI_NAMESPACE
    shown_image: str = ""  # as it was asked for; "" for the image's own name

    @property
    def running(self) -> bool:
        return self.container.exit_code() is None


@dataclass
class Runtime:
    """Images and containers of a machine; they outlive the daemon's process, as the real ones do."""

    machine: LinuxMachine
    running: bool = False
    version: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    images: dict[str, dict[str, Image]] = field(default_factory=dict)  # namespace, reference
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)  # by pod uid
    containers: list[ContainerRecord] = field(default_factory=list)
    server_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    name: ClassVar[str]
    """As in a node's `containerRuntimeVersion`."""
    namespace: ClassVar[str]
    """Where the images of pods are."""

    def cri_error(self) -> str | None:
        """Return why the kubelet cannot use this runtime, or None."""
        raise NotImplementedError

    def power_off(self) -> None:
        """End the daemon and every container."""
        for record in list(self.containers):
            record.container.stop()
        self.containers.clear()
        self.sandboxes.clear()
        self.running = False

    def cni_directories(self) -> tuple[str, list[str]]:
        """Return where CNI configurations are, and where plugins are."""
        raise NotImplementedError

    def network_error(self) -> str | None:
        """Return why the pod network is not ready, or None."""
        if self.cni_config() is None:
            return "cni plugin not initialized"
        return None

    def cni_config(self) -> dict[str, Any] | None:
        """Return the first usable CNI configuration, as the runtime picks it."""
        directory, binaries = self.cni_directories()
        try:
            names = sorted(entry.name for entry in self.machine.path(directory).iterdir())
        except OSError:
            return None
        for name in names:
            if not name.endswith((".conflist", ".conf", ".json")):
                continue
            try:
                found = json.loads(self.machine.read_text(f"{directory}/{name}"))
            except (OSError, ValueError):
                continue
            plugins = found.get("plugins", [found]) if isinstance(found, dict) else []
            kinds = [plugin.get("type", "") for plugin in plugins if isinstance(plugin, dict)]
            if kinds and all(self._plugin(kind, binaries) for kind in kinds):
                return found if isinstance(found, dict) else None
        return None

    def _plugin(self, kind: str, directories: list[str]) -> bool:
        return any(self.machine.exists(f"{directory}/{kind}") for directory in directories)

    def pull(self, reference: str, namespace: str = "") -> Image:
        """Make an image present.

        Raises:
            PullError: the text is the runtime's, from "failed to" on.
        """
        full = pulling.normalize(reference)
        try:
            image = pulling.resolve(self.machine, full, "linux")
        except PullError as error:
            raise PullError(f'failed to pull and unpack image "{full}": {error}') from error
        self.images.setdefault(namespace or self.namespace, {})[full] = image
        return image

    def image(self, reference: str, namespace: str = "") -> Image | None:
        """Return a present image by reference or by (the beginning of) its id."""
        present = self.images.get(namespace or self.namespace, {})
        if found := present.get(pulling.normalize(reference)):
            return found
        wanted = reference.removeprefix("sha256:")
        if len(wanted) >= 2 and all(letter in "0123456789abcdef" for letter in wanted):
            for image in present.values():
                if image.id.removeprefix("sha256:").startswith(wanted):
                    return image
        return None

    def sandbox(self, pod: dict[str, Any]) -> Sandbox:
        """Return the sandbox of a pod, a new one the first time."""
        metadata = pod["metadata"]
        uid = metadata.get("uid", metadata["name"])
        if uid not in self.sandboxes:
            namespace = metadata.get("namespace", "default")
            self.sandboxes[uid] = Sandbox(
                secrets.token_hex(32), metadata["name"], namespace, uid, time.time()
            )
        return self.sandboxes[uid]

    def add(
        self, name: str, image: Image, container: Container, sandbox: Sandbox | None, id: str
    ) -> ContainerRecord:
        """Keep a started container under an id."""
        attempt = sum(
            record.name == name and record.sandbox is sandbox and sandbox is not None
            for record in self.containers
        )
        record = ContainerRecord(id, name, image, sandbox, time.time(), container, attempt)
        self.containers.append(record)
        return record

    def drop_finished_pods(self) -> None:
        """Forget pods none of whose containers runs any more, as garbage collection does."""
        alive = {
            record.sandbox.uid for record in self.containers if record.sandbox and record.running
        }
        kept = set(self.machine.kubelet.pods) if self.machine.kubelet else set()
        gone = set(self.sandboxes) - alive - kept
        old = time.time() - 60
        for uid in gone:
            if self.sandboxes[uid].created < old:
                del self.sandboxes[uid]
        self.containers = [
            record
            for record in self.containers
            if record.sandbox is None or record.sandbox.uid in self.sandboxes
        ]


@dataclass
class ContainerRuntime(Runtime):
    """containerd on one machine."""

    name = "containerd"
    namespace = CRI_NAMESPACE

    def cni_directories(self) -> tuple[str, list[str]]:
        """Return where CNI configurations are, and where plugins are."""
        return containerd_config.cni_directories(self.config)

    def start(self, version: str) -> str | None:
        """Start the daemon with the configuration on disk; returns its last words when it fails."""
        try:
            text = self.machine.read_text("/etc/containerd/config.toml")
        except OSError:
            text = f"version = {containerd_config.default(version)['version']}\n"
        try:
            self.config = containerd_config.effective(version, text)
        except (tomllib.TOMLDecodeError, ValueError) as error:
            return f"containerd: failed to load TOML: /etc/containerd/config.toml: {error}"
        self.version, self.running = version, True
        self.machine.write_file(SOCKET, b"", 0o660)
        return None

    def stop(self) -> None:
        """Stop the daemon; containers run on."""
        self.running = False
        self.machine.path(SOCKET).unlink(missing_ok=True)

    def cri_error(self, endpoint: str = f"unix://{SOCKET}") -> str | None:
        """Return why a CRI client cannot talk to an endpoint, in the client's words, or None."""
        path = endpoint.removeprefix("unix://").replace("/var/run/", "/run/")
        head = f'validate CRI v1 runtime API for endpoint "{endpoint}": rpc error: code = '
        if path != SOCKET or not self.running:
            path = endpoint.removeprefix("unix://")
            return (
                f'{head}Unavailable desc = connection error: desc = "transport: Error while dialing: '
                f'dial unix {path}: connect: no such file or directory"'
            )
        if not containerd_config.cri_enabled(self.config):
            return f"{head}Unimplemented desc = unknown service runtime.v1.RuntimeService"
        return None
