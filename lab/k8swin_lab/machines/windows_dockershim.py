"""How the kubelet of the Docker generation runs pods: a pause container for each, and Docker for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_lab.kubernetes.node import Container
from k8swin_lab.machines.windows_docker import DockerContainer, DockerError, DockerImage
from k8swin_lab.machines.windows_pause import Pause

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

_UNREADY = "docker: network plugin is not ready: cni config uninitialized"


@dataclass(slots=True)
class Dockershim:
    """What a kubelet was told about its runtime."""

    machine: WindowsMachine
    pause_image: str = "k8s.gcr.io/pause:3.1"
    network_plugin: str = ""
    conf_dir: str = r"C:\etc\cni\net.d"
    bin_dirs: list[str] = field(default_factory=lambda: [r"C:\opt\cni\bin"])
    resolv_conf: str = "/etc/resolv.conf"

    def ready(self) -> str | None:
        """None when Docker answers, else the kubelet's words."""
        if self.machine.docker.engine is None or not self.machine.powered_on:
            return (
                "error during connect: Get http://%2F%2F.%2Fpipe%2Fdocker_engine/v1.24/version: open //./pipe/docker_engine: The "
                "system cannot find the file specified. In the default daemon configuration on Windows, the docker client must be "
                "run elevated to connect. This error may also indicate that the docker daemon is not running."
            )
        return None

    def configuration(self) -> dict[str, Any] | None:
        """The first usable CNI configuration; a file that is no JSON is passed over."""
        files = self.machine.files
        if not files.exists(self.conf_dir):
            return None
        for info in files.list(self.conf_dir):
            if info.is_directory or not info.path.lower().endswith((".conf", ".conflist", ".json")):
                continue
            try:
                found = json.loads(files.read(info.path).decode("utf-8"))
            except ValueError:
                continue
            if isinstance(found, dict) and found.get("type" if "plugins" not in found else "name"):
                return found
        return None

    def network_ready(self) -> str | None:
        """None when pods can be connected, else the kubelet's words."""
        if self.network_plugin == "cni" and self.configuration() is None:
            return _UNREADY
        return None

    def pull(self, image: str) -> str | None:
        """Make an image present; None, or the daemon's words."""
        if self.machine.docker.find_image(image) is not None:
            return None
        try:
            self.machine.docker.pull(image)
        except DockerError as error:
            return f"rpc error: code = Unknown desc = Error response from daemon: {error}"
        return None

    def start(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> Container:
        """Start a container of a pod.

        Raises:
            RuntimeError: In the kubelet's words.
        """
        docker = self.machine.docker
        self._sandbox(pod)
        image = docker.find_image(str(container["image"]))
        if image is None:
            raise RuntimeError(f"Error response from daemon: No such image: {container['image']}")
        record = self._record(pod, str(container["name"]), image, str(container["image"]))
        spec = dict(container)
        default = [] if spec.get("command") else [*image.entrypoint]
        if not spec.get("args") and not spec.get("command"):
            default += [] if image.source.behaviour != "windows-base" else image.command
        elif default:
            spec["command"] = default
        if [word.lower() for word in default] == [
            r"c:\windows\system32\cmd.exe"
        ] or image.source.behaviour == "iis":
            default = []
        try:
            docker.check_build(record)
        except DockerError as error:
            docker.containers.pop(record.id, None)
            raise RuntimeError(f"Error response from daemon: {error}") from error
        started = self.machine.software.make_container(
            self.machine, image.source, pod, spec, environment, default=default
        )
        record.process, record.started = started, self.machine.now()
        self.machine.containers.running.append(started)
        started.start()
        return started

    def _record(
        self, pod: dict[str, Any], name: str, image: DockerImage, shown: str
    ) -> DockerContainer:
        docker, metadata = self.machine.docker, pod["metadata"]
        self.collect()
        namespace, uid = metadata.get("namespace", "default"), metadata.get("uid", "")
        attempt = 0
        while any(
            c.name == f"k8s_{name}_{metadata['name']}_{namespace}_{uid}_{attempt}"
            for c in docker.containers.values()
        ):
            attempt += 1
        labels = {
            "io.kubernetes.container.name": name, "io.kubernetes.pod.name": metadata["name"], "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.uid": uid, "io.kubernetes.docker.type": "podsandbox" if name == "POD" else "container",
        }  # fmt: skip
        return docker.create(image, shown, [], name=f"k8s_{name}_{metadata['name']}_{namespace}_{uid}_{attempt}",
                             network="none", labels=labels)  # fmt: skip

    def collect(self) -> None:
        """Forget the containers of pods that are gone."""
        docker, agent = self.machine.docker, self.machine.containers.agent
        alive = set(agent.pods) if agent is not None else set()
        for record in list(docker.containers.values()):
            uid = record.labels.get("io.kubernetes.pod.uid")
            if uid is not None and uid not in alive:
                docker.remove_container(record, force=True)

    def _sandbox(self, pod: dict[str, Any]) -> None:
        """Make the pod's pause container and connect it, or raise why it cannot be.

        Raises:
            RuntimeError: In the kubelet's words.
        """
        docker, metadata = self.machine.docker, pod["metadata"]
        name, uid = metadata["name"], metadata.get("uid", "")
        self.collect()
        if any(c.sandbox == uid and c.running for c in docker.containers.values()):
            return
        head = f'failed to create a sandbox for pod "{name}": '
        if problem := self.pull(self.pause_image):
            raise RuntimeError(
                f'{head}unable to pull sandbox image "{self.pause_image}": {problem}'
            )
        image = docker.find_image(self.pause_image)
        assert image is not None  # noqa: S101 - it was just pulled
        if self.resolv_conf and not self.machine.files.exists(
            "C:" + self.resolv_conf.replace("/", "\\")
            if self.resolv_conf[0] == "/"
            else self.resolv_conf
        ):
            raise RuntimeError(f"GeneratePodSandboxConfig for pod \"{name}\" failed: open {self.resolv_conf}: The system cannot find "
                               "the path specified.")  # fmt: skip
        record = self._record(pod, "POD", image, self.pause_image)
        try:
            docker.check_build(record)
            if not pod["spec"].get("hostNetwork") and (problem := self._connect()):
                raise DockerError(problem)
        except DockerError as error:
            docker.containers.pop(record.id, None)
            if "CreateComputeSystem" in str(error):
                raise RuntimeError(
                    f'failed to start sandbox container for pod "{name}": Error response from daemon: {error}'
                ) from error
            raise RuntimeError(f'failed to set up sandbox container "{record.id}" network for pod "{name}": NetworkPlugin cni failed to set '
                               f'up pod "{name}_{metadata.get("namespace", "default")}" network: {error}') from error  # fmt: skip
        record.sandbox, record.started = uid, self.machine.now()
        record.process = Pause()

    def _connect(self) -> str | None:
        machine, found = self.machine, self.configuration()
        if self.network_plugin != "cni":
            raise RuntimeError("not simulated in the lab: kubelet.exe without --network-plugin=cni")
        if found is None:
            return "cni config uninitialized"
        plugins = found.get("plugins", [found])
        kinds = [str(p.get("type", "")) for p in plugins]
        delegate: dict[str, Any] = next(
            (p.get("delegate", {}) for p in plugins if p.get("type") == "flannel"), {}
        )
        for kind in [*kinds, str(delegate.get("type", ""))]:
            if kind and not any(
                machine.is_program(rf"{folder}\{kind}.exe") for folder in self.bin_dirs
            ):
                return f'failed to find plugin "{kind}" in path [{" ".join(self.bin_dirs)}]'
        if "flannel" in kinds:
            if not machine.files.exists(r"C:\run\flannel\subnet.env"):
                return "open /run/flannel/subnet.env: The system cannot find the path specified."
            name = str(found.get("name", ""))
            if machine.net.network_named(name) is None:
                return f"error while GETHNSNewtorkByName({name}): Network {name} not found"
        return None
