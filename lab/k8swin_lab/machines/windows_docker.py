"""Docker on a simulated Windows: its images, containers and networks, and the engine while it runs.

Images and containers belong to the engine's data folder: they outlive the engine and a reboot, and are gone when
the folder is. The layers in it are taken away by the engine alone, as on a real Windows, where they belong to the
system.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet.pulling import Image, normalize, split
from k8swin_lab.internet.registries import HOSTS, INDEX
from k8swin_lab.machines.windows_network import HnsError, HnsNetwork
from k8swin_lab.network import HttpRequest, NetworkError

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.node import Container
    from k8swin_lab.machines.windows import WindowsMachine
    from k8swin_lab.machines.windows_pause import Pause

API_VERSIONS = {"18.06": "1.38", "18.09": "1.39", "19.03": "1.40", "20.10": "1.41"}
_NAT_PREFIX = "172.{}.0.0/20"
_DEFAULT_COMMAND = {"windows-base": [r"c:\windows\system32\cmd.exe"], "hello-world": ["cmd /C 'type C:\\hello.txt'"],
                    "pause": ["/pause.exe"], "iis": []}  # fmt: skip
_DEFAULT_ENTRYPOINT = {"iis": [r"C:\ServiceMonitor.exe", "w3svc"]}


class DockerError(Exception):
    """The text follows "Error response from daemon: "; `status` is the HTTP one of the engine."""

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.status = status

    @property
    def told(self) -> str:
        """The line of the commands that go on with the next object."""
        return f"{'Error' if self.status == 404 else 'Error response from daemon'}: {self}\n"


def familiar(reference: str) -> str:
    """A full reference as Docker shows it: "hello-world:latest"."""
    return reference.removeprefix("docker.io/library/").removeprefix("docker.io/")


@dataclass(slots=True)
class DockerImage:
    """An image by id, with the names that lead to it."""

    source: Image
    id: str  # sha256:...
    created: float
    tags: list[str] = field(default_factory=list)  # full references
    digests: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    env: list[str] = field(default_factory=list)
    working_directory: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    user: str = ""
    parent: str = ""
    layer: str = ""

    @property
    def os_version(self) -> str:
        return self.source.os_version

    @property
    def size(self) -> int:
        return self.source.size


@dataclass(slots=True)
class DockerContainer:
    """A container by id; `process` is what runs or ran in it."""

    id: str
    name: str
    image: DockerImage
    shown_image: str
    command: list[str]
    created: float
    process: Container | Pause | None = None
    started: float = 0
    exit_code: int = 0
    network: str = "nat"
    address: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    auto_remove: bool = False
    isolation: str = "process"
    error: str = ""
    sandbox: str = ""  # uid of the pod whose network it holds

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.exit_code() is None

    @property
    def state(self) -> str:
        """created, running or exited."""
        if self.running:
            return "running"
        return "exited" if self.started else "created"

    @property
    def code(self) -> int:
        """Its exit code, 0 while it runs."""
        found = self.process.exit_code() if self.process is not None else None
        return self.exit_code if found is None else found


@dataclass(slots=True)
class RunningDocker:
    """A dockerd process that is up."""

    version: str
    root: str
    configuration: dict[str, Any] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        """Of its HTTP API: 1.41 for 20.10."""
        return API_VERSIONS.get(".".join(self.version.split(".")[:2]), "1.41")


class WindowsDocker:
    """The Docker side of one machine."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self.engine: RunningDocker | None = None
        self.images: dict[str, DockerImage] = {}
        self.containers: dict[str, DockerContainer] = {}
        self._root = ""

    def image_bytes(self) -> int:
        """What the layers of all images take on the disk."""
        return sum({image.layer: image.size for image in list(self.images.values())}.values())

    def layers(self) -> list[str]:
        """Folders that only the engine can take away, in lower case."""
        folders = {image.layer for image in list(self.images.values())}
        return [rf"{self._root}\windowsfilter\{name}".lower() for name in folders if name]

    # --- the engine

    def start(self, version: str, root: str, configuration: dict[str, Any]) -> None:
        """Dockerd has read its configuration and begins.

        Raises:
            DockerError: The Containers feature is not installed.
        """
        machine = self._machine
        if machine.services.find("vmcompute") is None:
            raise DockerError(
                "failed to load vmcompute.dll. Ensure that the Containers feature is installed."
            )
        if machine.services.state("vmcompute") != "Running":
            machine.services.start("vmcompute")
        if root != self._root or not machine.files.exists(rf"{root}\windowsfilter"):
            self.images.clear()
            self.containers.clear()
        self._root = root
        for name in ("containers", "image", "network", "tmp", "volumes", "windowsfilter"):
            machine.files.make_directory(rf"{root}\{name}")
        if str(configuration.get("bridge", "")).lower() != "none":
            self._nat(str(configuration.get("fixed-cidr", "")))
        self.engine = RunningDocker(version, root, configuration)

    def _nat(self, prefix: str) -> None:
        """The network that containers get by default; HNS keeps one and Docker takes it over."""
        net = self._machine.net
        if any(n.kind == "NAT" for n in net.hns_networks):
            return
        number = 17 + sum(self._machine.address.encode()) % 14
        prefix = prefix or _NAT_PREFIX.format(number)
        try:
            net.create_hns_network(
                "nat", "NAT", [{"AddressPrefix": prefix, "GatewayAddress": first_host(prefix)}]
            )
        except HnsError as error:
            raise DockerError(f"Error initializing network controller: {error}") from error

    def stop(self) -> None:
        """Dockerd ends, and its containers with it."""
        for container in list(self.containers.values()):
            if container.running and container.process is not None:
                container.process.stop()
        self.engine = None

    def crash(self) -> None:
        """The machine goes down."""
        for container in list(self.containers.values()):
            if container.process is not None:
                container.exit_code = container.code or 0xC000013A
                container.process = None
        self.engine = None

    # --- images

    def find_image(self, name: str) -> DockerImage | None:
        """By reference, or by (the beginning of) an id."""
        full = normalize(name)
        for image in list(self.images.values()):
            if full in image.tags or full in image.digests:
                return image
        short = name.removeprefix("sha256:")
        if len(short) >= 4 and all(letter in "0123456789abcdef" for letter in short):
            found = [
                i
                for i in list(self.images.values())
                if i.id.removeprefix("sha256:").startswith(short)
            ]
            return found[0] if len(found) == 1 else None
        return None

    def pull(self, reference: str) -> tuple[DockerImage, bool]:
        """Ask the registry; returns the image and whether it is new.

        Raises:
            DockerError: In the engine's words.
        """
        full = normalize(reference)
        source = self._resolve(full)
        old = self.find_image(full)
        fresh = old is None or old.id != source.id
        if old is not None and fresh:
            old.tags.remove(full)
        image = self.images.get(source.id)
        if image is None:
            behaviour = source.behaviour
            image = self._store(DockerImage(
                source, source.id, self._machine.now(), layer=source.id.removeprefix("sha256:"),
                entrypoint=list(_DEFAULT_ENTRYPOINT.get(behaviour, [])), command=list(_DEFAULT_COMMAND.get(behaviour, [])),
            ))  # fmt: skip
        repository = split(full)[0]
        for names, name in ((image.tags, full), (image.digests, f"{repository}@{source.digest}")):
            if name not in names:
                names.append(name)
        return image, fresh

    def _store(self, image: DockerImage) -> DockerImage:
        folder = rf"{self._root}\windowsfilter\{image.layer}"
        if not self._machine.files.exists(folder):
            self._machine.files.make_directory(folder)
            self._machine.files.write(rf"{folder}\layerchain.json", b"[]")
        self.images[image.id] = image
        return image

    def _resolve(self, full: str) -> Image:
        machine = self._machine
        repository, tag = split(full)
        registry, _, name = repository.partition("/")
        host = HOSTS.get(registry, registry)
        url = f"https://{host}/v2/{name}/manifests/{tag}"
        try:
            response = machine.network.http(machine, HttpRequest("GET", url, {"accept": INDEX}))
        except NetworkError as error:
            why = {"name": f"dial tcp: lookup {host}: no such host", "refused": f"dial tcp {host}:443: connectex: No connection "
                   "could be made because the target machine actively refused it."}.get(error.kind, f"dial tcp {host}:443: i/o timeout")  # fmt: skip
            raise DockerError(f"Get https://{host}/v2/: {why}") from error
        if response.status != 200:
            if b"NAME_UNKNOWN" in response.body:
                raise DockerError(f"pull access denied for {familiar(repository)}, repository does not exist or may require "
                                  "'docker login': denied: requested access to the resource is denied", 404)  # fmt: skip
            if response.status == 404:
                raise DockerError(f"manifest for {familiar(full)} not found: manifest unknown: manifest unknown", 404)  # fmt: skip
            raise DockerError(f"received unexpected HTTP status: {response.status}")
        index = json.loads(response.body)
        host_build = machine.edition.build
        fitting = []
        for manifest in index["manifests"]:
            platform = manifest["platform"]
            version = platform.get("os.version", "")
            build = int(version.split(".")[2]) if version else 0
            # an image of an older build may be kept (for Hyper-V isolation), one of a newer build may not
            if platform["os"] == "windows" and build <= host_build:
                fitting.append((build == host_build, build, manifest))
        if not fitting:
            raise DockerError(f"no matching manifest for windows/amd64 10.0.{host_build} in the manifest list entries", 404)  # fmt: skip
        manifest = max(fitting, key=lambda entry: entry[:2])[2]
        return Image(full, index["digest"], manifest["config"], manifest["size"], index["behaviour"], "windows",
                     manifest["platform"].get("os.version", ""))  # fmt: skip

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name.

        Raises:
            DockerError: There is no such image.
        """
        image = self.find_image(source)
        if image is None:
            raise DockerError(f"No such image: {familiar(normalize(source))}", 404)
        full = normalize(target)
        for other in list(self.images.values()):
            if full in other.tags:
                other.tags.remove(full)
        image.tags.append(full)

    def derive(self, base: DockerImage, **changed: Any) -> DockerImage:
        """The image that one step of a Dockerfile makes of another; the same step gives the same image."""
        facts = {
            "entrypoint": base.entrypoint, "command": base.command, "env": base.env, "labels": base.labels,
            "working_directory": base.working_directory, "user": base.user, **changed,
        }  # fmt: skip
        text = json.dumps([base.id, facts], sort_keys=True)
        identifier = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        if identifier not in self.images:
            self.images[identifier] = DockerImage(
                base.source,
                identifier,
                self._machine.now(),
                parent=base.id,
                layer=base.layer,
                **facts,
            )
        return self.images[identifier]

    def remove_image(self, name: str, *, force: bool) -> list[str]:
        """Take a name or an image away; returns the lines that Docker prints.

        Raises:
            DockerError: There is none, or something needs it.
        """
        image = self.find_image(name)
        if image is None:
            raise DockerError(f"No such image: {familiar(normalize(name))}", 404)
        full = normalize(name)
        users = [c for c in list(self.containers.values()) if c.image is image]
        by_name = full in image.tags
        if by_name and len(image.tags) > 1:
            image.tags.remove(full)
            return [f"Untagged: {familiar(full)}"]
        if not by_name and len(image.tags) > 1 and not force:
            raise DockerError(f"conflict: unable to delete {short(image.id)} (must be forced) - image is referenced in multiple repositories", 409)  # fmt: skip
        if any(c.running for c in users):
            user = next(c for c in users if c.running)
            raise DockerError(f"conflict: unable to remove repository reference \"{name}\" (cannot be forced) - container {short(user.id)} "
                              f"is using its referenced image {short(image.id)}" if by_name else
                              f"conflict: unable to delete {short(image.id)} (cannot be forced) - image is being used by running container {short(user.id)}", 409)  # fmt: skip
        if users and not force:
            raise DockerError(f"conflict: unable to remove repository reference \"{name}\" (must force) - container {short(users[0].id)} "
                              f"is using its referenced image {short(image.id)}" if by_name else
                              f"conflict: unable to delete {short(image.id)} (must be forced) - image is being used by stopped container {short(users[0].id)}", 409)  # fmt: skip
        lines = [f"Untagged: {familiar(tag)}" for tag in [*image.tags, *image.digests]]
        image.tags.clear()
        image.digests.clear()
        return [*lines, *self._delete(image)]

    def _delete(self, image: DockerImage) -> list[str]:
        if any(other.parent == image.id for other in list(self.images.values())):
            return []
        del self.images[image.id]
        lines = [f"Deleted: {image.id}"]
        if image.layer and not any(
            other.layer == image.layer for other in list(self.images.values())
        ):
            folder = rf"{self._root}\windowsfilter\{image.layer}"
            if self._machine.files.exists(folder):
                self._machine.files.remove(folder, recursive=True)
        parent = self.images.get(image.parent)
        if parent is not None and not parent.tags and not parent.digests:
            lines += self._delete(parent)
        return lines

    # --- containers

    def find_container(self, name: str) -> DockerContainer:
        """By name or (the beginning of) an id.

        Raises:
            DockerError: There is none.
        """
        for container in list(self.containers.values()):
            if name.lstrip("/") == container.name or (
                len(name) >= 2 and container.id.startswith(name)
            ):
                return container
        raise DockerError(f"No such container: {name}", 404)

    def create(
        self, image: DockerImage, shown: str, command: list[str], **facts: Any
    ) -> DockerContainer:
        """Register a container.

        Raises:
            DockerError: Its name is taken.
        """
        identifier = secrets.token_hex(32)
        name = facts.pop("name", "") or f"{_word(identifier)}_{identifier[:6]}"
        for other in list(self.containers.values()):
            if other.name == name:
                raise DockerError(f'Conflict. The container name "/{name}" is already in use by container "{other.id}". You have to '
                                  "remove (or rename) that container to be able to reuse that name.", 409)  # fmt: skip
        container = DockerContainer(
            identifier, name, image, shown, command, self._machine.now(), **facts
        )
        self.containers[identifier] = container
        return container

    def check_build(self, container: DockerContainer) -> None:
        """Raise what the Host Compute Service says when image and host are of different builds."""
        build = ".".join(container.image.os_version.split(".")[:3])
        if (
            build
            and build != f"10.0.{self._machine.edition.build}"
            and container.isolation != "hyperv"
        ):
            raise DockerError(
                f"hcsshim::CreateComputeSystem {container.id}: The container operating system does not match the host "
                "operating system.\n(0xc0370101)"
            )

    def remove_container(self, container: DockerContainer, *, force: bool) -> None:
        """Take a container away.

        Raises:
            DockerError: It runs, and is not to be stopped first.
        """
        if container.running:
            if not force:
                raise DockerError(f"You cannot remove a running container {container.id}. Stop the container before attempting "
                                  "removal or force remove", 409)  # fmt: skip
            if container.process is not None:
                container.process.stop()
        self.containers.pop(container.id, None)

    def networks(self) -> list[HnsNetwork]:
        """The networks that Docker knows: those of HNS."""
        return list(self._machine.net.hns_networks)

    def free_address(self) -> str:
        """The next address of the nat network, "" when there is none."""
        import ipaddress

        network = next((n for n in self._machine.net.hns_networks if n.kind == "NAT"), None)
        if network is None:
            return ""
        taken = {c.address for c in list(self.containers.values()) if c.running}
        hosts = ipaddress.ip_network(network.subnets[0]["AddressPrefix"]).hosts()
        gateway = network.subnets[0]["GatewayAddress"]
        return next(str(host) for host in hosts if str(host) not in taken and str(host) != gateway)


def first_host(prefix: str) -> str:
    """The first address of a network."""
    import ipaddress

    return str(ipaddress.ip_network(prefix)[1])


def short(identifier: str) -> str:
    """Twelve digits of an id."""
    return identifier.removeprefix("sha256:")[:12]


def _word(identifier: str) -> str:
    words = ("brave", "calm", "eager", "gifted", "happy", "keen", "quiet", "swift")
    return words[int(identifier[:2], 16) % len(words)]
