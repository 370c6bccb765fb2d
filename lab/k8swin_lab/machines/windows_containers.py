"""containerd and the kubelet of a simulated Windows node: what runs, which images, which configuration."""

from __future__ import annotations

import itertools
import json
import secrets
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet import pulling
from k8swin_lab.kubernetes.node import Container, NodeFacts
from k8swin_lab.machines.windows_pause import Pause

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.kubelet import Kubelet
    from k8swin_lab.machines.windows import WindowsMachine
    from k8swin_lab.machines.windows_dockershim import Dockershim
    from k8swin_lab.machines.windows_pause import Pause

DEFAULT_CNI_CONF = r"C:\Program Files\containerd\cni\conf"
DEFAULT_ROOT = r"C:\ProgramData\containerd\root"
DEFAULT_CNI_BIN = r"C:\Program Files\containerd\cni\bin"
_CNI_TABLES = ("io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri")


STARTS = itertools.count(1)
"""Numbers for the starts of kubelets."""


@dataclass(slots=True)
class RunningKubelet:
    """A kubelet process that is up."""

    name: str
    address: str
    version: str
    max_pods: int = 110
    shim: Dockershim | None = None  # of a kubelet that runs pods with Docker
    number: int = field(default_factory=lambda: next(STARTS))  # of this start


@dataclass(slots=True)
class RunningContainerd:
    """A containerd process that is up, with the configuration it read when it started."""

    version: str
    configuration: dict[str, Any] = field(default_factory=dict)

    def cni(self) -> dict[str, Any]:
        """The table of the CNI settings, in either version of the configuration."""
        plugins = self.configuration.get("plugins", {})
        for name in _CNI_TABLES:
            table = plugins.get(name, {}).get("cni")
            if table is not None:
                return dict(table)
        return {}

    @property
    def conf_dir(self) -> str:
        return str(self.cni().get("conf_dir", DEFAULT_CNI_CONF))

    @property
    def bin_dirs(self) -> list[str]:
        cni = self.cni()
        return [str(d) for d in cni.get("bin_dirs", [cni.get("bin_dir", DEFAULT_CNI_BIN)])]


@dataclass(slots=True)
class ContainerRecord:
    """A container or a pod's sandbox as containerd keeps it; `process` is its task."""

    id: str
    namespace: str
    image: str
    name: str
    pod_name: str
    pod_namespace: str
    pod_uid: str
    sandbox_id: str
    sandbox: bool = False
    process: Container | Pause | None = None

    @property
    def running(self) -> bool:
        """Whether its task runs."""
        return self.process is not None and self.process.exit_code() is None


class WindowsContainers:
    """The container side of one machine; images outlive a reboot, processes do not."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self._root = DEFAULT_ROOT
        self.containerd: RunningContainerd | None = None
        self.kubelet: RunningKubelet | None = None
        self.agent: Kubelet | None = None
        """What knows the node's pods; they outlive the process of the kubelet."""
        self.images: dict[str, dict[str, pulling.Image]] = {}  # by namespace, then reference
        self.running: list[Container] = []
        self.records: list[ContainerRecord] = []

    def image_bytes(self) -> int:
        """What all images take on the disk."""
        found = {
            image.digest: image.size
            for images in list(self.images.values())
            for image in images.values()
        }
        return sum(found.values())

    def namespace(self, name: str) -> dict[str, pulling.Image]:
        """Images of a containerd namespace; the kubelet's is k8s.io."""
        return self.images.setdefault(name, {})

    def pull_into(self, namespace: str, reference: str) -> pulling.Image:
        """Pull an image.

        Raises:
            pulling.PullError: In the words of the runtime.
        """
        full = pulling.normalize(reference)
        image = pulling.resolve(self._machine, full, "windows", self._machine.edition.full)
        folder = self._layer(image)
        if not self._machine.files.exists(folder):
            self._machine.files.make_directory(folder)
            self._machine.files.write(rf"{folder}\layerchain.json", b"[]")
        self.namespace(namespace)[full] = image
        return image

    @property
    def root(self) -> str:
        """Containerd's folder, by its configuration."""
        configuration = self.containerd.configuration if self.containerd is not None else {}
        return str(configuration.get("root") or self._root)

    def _layer(self, image: pulling.Image) -> str:
        return rf"{self.root}\io.containerd.snapshotter.v1.windows\snapshots\{image.id.removeprefix('sha256:')[:16]}"

    def layers(self) -> list[str]:
        """Folders that only containerd can take away, in lower case."""
        return [
            self._layer(image).lower()
            for images in list(self.images.values())
            for image in images.values()
        ]

    def open_root(self, root: str) -> None:
        """Containerd starts over a folder; a new one holds nothing."""
        self._root = root
        database = rf"{root}\io.containerd.metadata.v1.bolt"
        if not self._machine.files.exists(database):
            self.images.clear()
            self.records.clear()
            self._machine.files.make_directory(database)

    def drop_image(self, namespace: str, reference: str) -> bool:
        """Remove a name, and the layers when no other name needs them; False when there is none."""
        image = self.namespace(namespace).pop(reference, None)
        if image is None:
            return False
        folder = self._layer(image)
        if folder.lower() not in self.layers() and self._machine.files.exists(folder):
            self._machine.files.remove(folder, recursive=True)
        return True

    def records_of(self, namespace: str) -> list[ContainerRecord]:
        """Containers and sandboxes of a namespace."""
        return [record for record in self.records if record.namespace == namespace]

    def record(self, namespace: str, identifier: str) -> ContainerRecord | None:
        """One of them by its whole id."""
        return next((r for r in self.records_of(namespace) if r.id == identifier), None)

    def forget(self, record: ContainerRecord) -> None:
        """Remove a container or sandbox that does not run any more."""
        self.records = [r for r in self.records if r is not record]

    def collect(self) -> None:
        """What a running kubelet does: containers of pods that are gone are removed."""
        if self.kubelet is None or self.agent is None:
            return
        alive = set(self.agent.pods)
        for record in [r for r in self.records if r.pod_uid not in alive]:
            if record.process is not None and record.running:
                record.process.stop()
            self.forget(record)

    def _keep(self, pod: dict[str, Any], name: str, image: str, process: Container) -> None:
        self.collect()
        metadata = pod["metadata"]
        uid = str(metadata.get("uid", metadata["name"]))
        known: dict[str, Any] = {
            "pod_name": str(metadata["name"]),
            "pod_namespace": str(metadata.get("namespace", "default")),
            "pod_uid": uid,
        }
        sandbox = next(
            (r for r in self.records if r.sandbox and r.pod_uid == uid and r.running), None
        )
        if sandbox is None:
            identifier = secrets.token_hex(32)
            sandbox = ContainerRecord(identifier, "k8s.io", "registry.k8s.io/pause:3.10.2", "", sandbox_id=identifier, sandbox=True,
                                      process=Pause(), **known)  # fmt: skip
            self.records.append(sandbox)
        self.records = [r for r in self.records if r.running or r.pod_uid != uid or r.name != name]
        self.records.append(ContainerRecord(secrets.token_hex(32), "k8s.io", image, name, sandbox_id=sandbox.id, process=process, **known))  # fmt: skip

    def stop_all(self) -> None:
        """The machine goes down."""
        for container in list(self.running):
            container.stop()
        self.running.clear()
        for record in self.records:
            record.process = None
        self.containerd = None
        self.kubelet = None

    @property
    def shim(self) -> Dockershim | None:
        """Set while a kubelet runs that uses Docker."""
        return self.kubelet.shim if self.kubelet is not None else None

    # --- NodeMachine

    def node_facts(self) -> NodeFacts:
        machine, kubelet = self._machine, self.kubelet
        labels = {"node.kubernetes.io/windows-build": f"10.0.{machine.edition.build}"}
        if kubelet is not None and kubelet.version.startswith(("1.13.", "1.14.", "1.15.", "1.16.")):
            labels = {}  # the label came with 1.17
        return NodeFacts(
            name=kubelet.name if kubelet else machine.computer_name.lower(),
            address=kubelet.address if kubelet else machine.address,
            operating_system="windows",
            os_image=machine.edition.product,
            kernel_version=machine.edition.full,
            container_runtime_version=self._runtime_version(),
            kubelet_version=f"v{kubelet.version}" if kubelet else "",
            machine_id=machine.computer_name,
            boot_id=machine.boot_id,
            cpus=machine.cpus,
            memory_bytes=machine.memory_bytes,
            max_pods=kubelet.max_pods if kubelet else 110,
            labels=labels,
        )

    def _runtime_version(self) -> str:
        if self.shim is not None:
            engine = self._machine.docker.engine
            return f"docker://{engine.version if engine else ''}"
        return f"containerd://{self.containerd.version if self.containerd else ''}"

    def runtime_ready(self) -> str | None:
        if self.shim is not None:
            return self.shim.ready()
        machine = self._machine
        if self.containerd is None or not machine.powered_on:
            return (
                'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: open '
                '//./pipe/containerd-containerd: The system cannot find the file specified."'
            )
        if machine.services.state("vmcompute") != "Running":
            return "container runtime is down: the Host Compute Service does not run"
        return None

    def cni_configuration(self) -> dict[str, Any] | str:
        """The first CNI configuration, or why there is none."""
        if self.containerd is None:
            return "cni plugin not initialized"
        files = self._machine.files
        folder = self.containerd.conf_dir
        if not files.exists(folder):
            return "cni plugin not initialized"
        for info in files.list(folder):
            if (
                info.path.lower().endswith((".conf", ".conflist", ".json"))
                and not info.is_directory
            ):
                try:
                    found = json.loads(files.read(info.path).decode("utf-8"))
                except ValueError:
                    return "cni plugin not initialized"
                return found if isinstance(found, dict) else "cni plugin not initialized"
        return "cni plugin not initialized"

    def network_ready(self) -> str | None:
        if self.shim is not None:
            return self.shim.network_ready()
        found = self.cni_configuration()
        return found if isinstance(found, str) else None

    def pull(self, image: str) -> str | None:
        if self.shim is not None:
            return self.shim.pull(image)
        full = pulling.normalize(image)
        if full in self.namespace("k8s.io"):
            return None
        try:
            self.pull_into("k8s.io", image)
        except pulling.PullError as error:
            return f'failed to pull and unpack image "{full}": {error}'
        return None

    def sandbox_problem(self) -> str | None:
        """Why the network of a new pod cannot be set up, in the runtime's words; None when it can."""
        machine, found = self._machine, self.cni_configuration()
        if isinstance(found, str) or self.containerd is None:
            return f"cni config load failed: {found}"
        kinds = (
            [str(found.get("type", ""))]
            if "plugins" not in found
            else [str(p.get("type")) for p in found["plugins"]]
        )
        delegate = str(found.get("delegate", {}).get("type", ""))
        for kind in filter(None, [*kinds, delegate]):
            if not any(
                machine.is_program(rf"{folder}\{kind}.exe") for folder in self.containerd.bin_dirs
            ):
                folders = " ".join(self.containerd.bin_dirs)
                return f'plugin type="{kinds[0]}" failed (add): failed to find plugin "{kind}" in path [{folders}]'
        if "flannel" in kinds:
            if not machine.files.exists(r"C:\run\flannel\subnet.env"):
                return (
                    'plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: The '
                    "system cannot find the file specified."
                )
            name = str(found.get("name", ""))
            if machine.net.network_named(name) is None:
                return f'plugin type="flannel" failed (add): plugin type="{delegate}" failed (add): network {name} not found'
        return None

    def start_container(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> Container:
        if self.shim is not None:
            return self.shim.start(pod, container, environment)
        machine = self._machine
        image = self.namespace("k8s.io").get(pulling.normalize(container["image"]))
        if image is None:
            raise RuntimeError(f'failed to get image "{container["image"]}": not found')
        if not pod["spec"].get("hostNetwork"):
            problem = self.sandbox_problem()
            if problem is not None:
                raise RuntimeError(f"failed to setup network for sandbox: {problem}")
        build = ".".join(image.os_version.split(".")[:3])
        if image.behaviour != "pause" and build and build != f"10.0.{machine.edition.build}":
            raise RuntimeError(
                "failed to create containerd task: failed to create shim task: hcs::CreateComputeSystem: The container "
                "operating system does not match the host operating system.: (0xc0370101)"
            )
        started = machine.software.make_container(machine, image, pod, container, environment)
        self.running.append(started)
        self._keep(pod, str(container["name"]), pulling.normalize(container["image"]), started)
        started.start()
        return started


def read_configuration(text: str) -> dict[str, Any]:
    """Parse config.toml.

    Raises:
        ValueError: It is not TOML (a byte-order mark is enough for that).
    """
    return tomllib.loads(text)
