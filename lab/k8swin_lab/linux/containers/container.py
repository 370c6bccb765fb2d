"""A running container: its files, its output, the programs that can be run in it."""

from __future__ import annotations

import secrets
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_lab.kubernetes import agnhost
from k8swin_lab.kubernetes.pod_network import PodStation, resolve
from k8swin_lab.network import HttpHandler, HttpRequest, NetworkError, Source

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine


@dataclass(slots=True)
class LinuxContainer:
    """One container on a Linux node."""

    machine: LinuxMachine
    pod: dict[str, Any]
    spec: dict[str, Any]
    environment: dict[str, str]
    command: list[str]  # what runs: command and arguments, or the image's own
    image_files: dict[str, bytes] = field(default_factory=dict)
    version: str = ""  # the image's tag
    http: dict[int, HttpHandler] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    on_stop: list[Callable[[], None]] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    finished: float = 0.0
    _exit: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def hostname(self) -> str:
        if self.pod.get("spec", {}).get("hostNetwork"):
            return self.machine.name
        return str(self.pod.get("metadata", {}).get("name", self.id[:12]))

    def say(self, text: str) -> None:
        """Append lines to the container's output."""
        with self._lock:
            self._lines += text.splitlines()

    def logs(self) -> str:
        """Return everything it has written."""
        with self._lock:
            return "".join(f"{line}\n" for line in self._lines)

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._exit

    def finish(self, code: int) -> None:
        """End with an exit code."""
        if self._exit is None:
            self._exit, self.finished = code, time.time()
            for action in self.on_stop:
                action()

    def stop(self) -> None:
        """Terminate it."""
        self.finish(143)

    # Files

    def mounted(self, path: str) -> Path | dict[str, bytes] | None:
        """Return what a path inside the container leads to in a volume.

        Returns:
            A path of the host's disk for hostPath volumes, file contents by name for ConfigMaps and
            Secrets (the rest of the path is the name), or None for the image's own files.
        """
        mounts = self.spec.get("volumeMounts") or []
        for mount in sorted(mounts, key=lambda one: -len(one["mountPath"])):
            base = mount["mountPath"].rstrip("/")
            if path != base and not path.startswith(f"{base}/"):
                continue
            rest = path[len(base) :].lstrip("/")
            volumes = self.pod.get("spec", {}).get("volumes") or []
            named = [one for one in volumes if one["name"] == mount["name"]]
            volume: dict[str, Any] = named[0] if named else {}
            if "hostPath" in volume:
                host = volume["hostPath"]["path"].rstrip("/")
                return self.machine.path(f"{host}/{rest}" if rest else host)
            if "configMap" in volume:
                return self._config_map(volume["configMap"]["name"])
            return {}
        return None

    def _config_map(self, name: str) -> dict[str, bytes]:
        cluster = self.machine.cluster
        namespace = self.pod["metadata"].get("namespace", "default")
        found = cluster.object("configmaps", name, namespace) if cluster else None
        return {key: str(text).encode() for key, text in ((found or {}).get("data") or {}).items()}

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            FileNotFoundError: there is no such file.
        """
        where = self.mounted(path)
        if isinstance(where, Path):
            return where.read_bytes()
        files = self.image_files if where is None else where
        key = path if where is None else path.rpartition("/")[2]
        if key not in files:
            raise FileNotFoundError(path)
        return files[key]

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file, on the host's disk when a hostPath volume is there."""
        where = self.mounted(path)
        if isinstance(where, Path):
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
            where.chmod(mode)
        else:
            self.image_files[path] = content

    # Programs

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run a program in the container: exit code, standard output, standard error."""
        if not argv:
            return 0, b"", b""
        name = argv[0].rpartition("/")[2]
        own = self.command[0] if self.command else ""
        if name == "agnhost" and own.endswith("agnhost"):
            version = str(self.spec["image"]).rpartition(":")[2]
            network = self.machine.network
            return agnhost.run(argv[1:], version, network, self.station(), self.resolve)
        program = _PROGRAMS.get(name)
        if program is None:
            text = (
                "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                f'"{argv[0]}": executable file not found in $PATH'
            )
            return 126, b"", f"{text}\n".encode()
        return program(self, argv[1:])

    def station(self) -> Source:
        """Return from where the container connects: its pod's address, or the host's."""
        status = self.pod.get("status") or {}
        if self.pod.get("spec", {}).get("hostNetwork") or not status.get("podIP"):
            return self.machine
        return PodStation(self.hostname, status["podIP"], self.machine, dict(self.http))

    def fetch(self, url: str) -> bytes:
        """Send a GET request from the container.

        Raises:
            NetworkError: nothing answers.
        """
        url = url if "://" in url else f"http://{url}"
        host = urllib.parse.urlsplit(url).hostname or ""
        address = self.resolve(host)
        target = url.replace(host, address, 1)
        answer = self.machine.network.http(self.station(), HttpRequest("GET", target))
        if answer.status >= 400:
            raise NetworkError("protocol", f"server returned error: HTTP {answer.status}")
        return answer.body

    def resolve(self, name: str) -> str:
        """Return the address of a service or host name, as the cluster's DNS does.

        Raises:
            NetworkError: kind "name".
        """
        if isinstance(self.station(), PodStation):
            namespace = self.pod["metadata"].get("namespace", "default")
            return resolve(self.machine.cluster, self.machine, namespace, name)
        return self.machine.network.resolve(self.machine, name)


def _hostname(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    return 0, f"{container.hostname}\n".encode(), b""


def _cat(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    out, err = b"", b""
    for path in arguments:
        try:
            out += container.read(path)
        except OSError:
            err += f"cat: can't open '{path}': No such file or directory\n".encode()
    return (1 if err else 0), out, err


def _env(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    pairs = {"HOSTNAME": container.hostname, **container.environment}
    return 0, "".join(f"{key}={value}\n" for key, value in pairs.items()).encode(), b""


def _get(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    urls = [word for word in arguments if not word.startswith("-")]
    try:
        return 0, container.fetch(urls[-1]), b""
    except NetworkError as error:
        return 1, b"", f"{error}\n".encode()


def _nslookup(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    try:
        address = container.resolve(arguments[0])
    except NetworkError:
        text = f"** server can't find {arguments[0]}: NXDOMAIN\n"
        return 1, text.encode(), b""
    cluster = container.machine.cluster
    dns = cluster.object("services", "kube-dns", "kube-system") if cluster else None
    server = dns["spec"]["clusterIP"] if dns else "192.0.2.53"
    text = (
        f"Server:\t\t{server}\nAddress:\t{server}:53\n\nName:\t{arguments[0]}\nAddress: {address}\n"
    )
    return 0, text.encode(), b""


def _echo(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    return 0, (" ".join(arguments) + "\n").encode(), b""


def _true(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    return 0, b"", b""


def _false(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    return 1, b"", b""


def _date(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    return 0, time.strftime("%a %b %e %H:%M:%S UTC %Y\n", time.gmtime()).encode(), b""


def _cp(container: LinuxContainer, arguments: list[str]) -> tuple[int, bytes, bytes]:
    paths = [word for word in arguments if not word.startswith("-")]
    if len(paths) != 2:
        return 1, b"", b"cp: missing file operand\n"
    try:
        content = container.read(paths[0])
    except OSError:
        return 1, b"", f"cp: can't stat '{paths[0]}': No such file or directory\n".encode()
    container.write(paths[1], content, 0o755 if content.startswith(b"#!") else 0o644)
    return 0, b"", b""


_PROGRAMS: dict[str, Callable[[LinuxContainer, list[str]], tuple[int, bytes, bytes]]] = {
    "cat": _cat,
    "cp": _cp,
    "curl": _get,
    "date": _date,
    "echo": _echo,
    "env": _env,
    "false": _false,
    "hostname": _hostname,
    "nslookup": _nslookup,
    "printenv": _env,
    "true": _true,
    "wget": _get,
}


def is_program(name: str) -> bool:
    """Tell whether the lab knows what a program in a container does."""
    return name.rpartition("/")[2] in _PROGRAMS
