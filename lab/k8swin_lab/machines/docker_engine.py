"""Docker's engine on a Linux machine: its configuration, and what it changes on its host when it starts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet import pulling
from k8swin_lab.internet.pulling import Image, PullError
from k8swin_lab.machines.container_runtime import Runtime

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine

SOCKET = "/var/run/docker.sock"
SHIM = "/var/run/dockershim.sock"
"""What a kubelet with Docker serves, and how kubeadm's configuration names this runtime."""

CONFIG = "/etc/docker/daemon.json"
LOG_DRIVERS = (
    "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "logentries", "none",
    "splunk", "syslog",
)  # fmt: skip
_EFFECTIVE = {
    "bip", "data-root", "debug", "exec-opts", "graph", "group", "hosts", "insecure-registries", "ip-forward",
    "iptables", "labels", "live-restore", "log-driver", "log-level", "log-opts", "registry-mirrors",
    "storage-driver", "storage-opts",
}  # fmt: skip
_ELSEWHERE = {
    "allow-nondistributable-artifacts", "api-cors-header", "authorization-plugins", "bridge", "builder",
    "cgroup-parent", "cluster-advertise", "cluster-store", "containerd", "cpu-rt-period", "cpu-rt-runtime",
    "default-address-pools", "default-cgroupns-mode", "default-gateway", "default-runtime", "default-shm-size",
    "default-ulimits", "dns", "dns-opts", "dns-search", "exec-root", "experimental", "features", "fixed-cidr",
    "icc", "init", "init-path", "ip", "ip-masq", "ipv6", "max-concurrent-downloads", "max-concurrent-uploads",
    "metrics-addr", "mtu", "no-new-privileges", "oom-score-adjust", "pidfile", "raw-logs", "runtimes",
    "seccomp-profile", "selinux-enabled", "shutdown-timeout", "tls", "tlscacert", "tlscert", "tlskey",
    "tlsverify", "userland-proxy", "userns-remap",
}  # fmt: skip
_DEFAULT_BRIDGE = "172.17.0.1/16"
_RULES = (
    ("FORWARD", "-j", "DOCKER-USER"),
    ("FORWARD", "-j", "DOCKER-ISOLATION-STAGE-1"),
    ("FORWARD", "-o", "docker0", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"),
    ("FORWARD", "-o", "docker0", "-j", "DOCKER"),
    ("FORWARD", "-i", "docker0", "!", "-o", "docker0", "-j", "ACCEPT"),
    ("FORWARD", "-i", "docker0", "-o", "docker0", "-j", "ACCEPT"),
    ("DOCKER-ISOLATION-STAGE-1", "-i", "docker0", "!", "-o", "docker0", "-j", "DOCKER-ISOLATION-STAGE-2"),
    ("DOCKER-ISOLATION-STAGE-1", "-j", "RETURN"),
    ("DOCKER-ISOLATION-STAGE-2", "-o", "docker0", "-j", "DROP"),
    ("DOCKER-ISOLATION-STAGE-2", "-j", "RETURN"),
    ("DOCKER-USER", "-j", "RETURN"),
)  # fmt: skip


@dataclass
class DockerEngine(Runtime):
    """dockerd on one machine, and the dockershim that a kubelet below 1.24 has inside."""

    name = "docker"
    namespace = "moby"

    def cni_directories(self) -> tuple[str, list[str]]:
        """Return where the kubelet looks: with Docker, CNI is its own matter."""
        options = self.machine.kubelet_options
        folders = options.get("cni-bin-dir", "/opt/cni/bin").split(",")
        return options.get("cni-conf-dir", "/etc/cni/net.d"), folders

    def start(self, version: str, flags: dict[str, list[str]]) -> str | None:
        """Start the daemon; returns its last words when it fails.

        Args:
            version: of dockerd.
            flags: values of its options by name.
        """
        try:
            self.config = self._read(flags)
        except ValueError as error:
            return str(error)
        self.version, self.running = version, True
        self.machine.write_file(SOCKET, b"", 0o660)
        self.machine.set_owner("/run/docker.sock", "root", self._group())
        self._prepare_host()
        return None

    def _read(self, flags: dict[str, list[str]]) -> dict[str, Any]:
        path = (flags.get("config-file") or [CONFIG])[-1]
        head = f"unable to configure the Docker daemon with file {path}: "
        found: Any = {}
        if self.machine.exists(path):
            text = self.machine.read_text(path)
            if not text.strip():
                raise ValueError(f"{head}EOF")
            try:
                found = json.loads(text)
            except ValueError as error:
                raise ValueError(head + _why(text, error)) from error
            if not isinstance(found, dict):
                kind = "array" if isinstance(found, list) else "string"
                raise ValueError(
                    f"{head}json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
                )
        elif "config-file" in flags:
            raise ValueError(f"{head}open {path}: no such file or directory")
        unknown = sorted(set(found) - _EFFECTIVE - _ELSEWHERE)
        if unknown:
            names = ", ".join(unknown)
            raise ValueError(
                f"{head}the following directives don't match any configuration option: {names}"
            )
        given = {_PLURAL.get(name, name): values for name, values in flags.items()}
        twice = [name for name in found if name in given]
        if twice:
            shown = ", ".join(
                f"{name}: (from flag: {_go(given[name])}, from file: {_go(found[name])})"
                for name in twice
            )
            raise ValueError(
                f"{head}the following directives are specified both as a flag and in the configuration"
                f" file: {shown}"
            )
        if refused := sorted(set(found) & _ELSEWHERE):
            raise ValueError(f"not simulated in the lab: {refused[0]} in {path}")
        lists = {"exec-opts", "hosts", "insecure-registries", "labels", "registry-mirrors"}
        for name, values in given.items():
            found[name] = values if name in lists else values[-1]
        self._check(found)
        return dict(found)

    def _check(self, config: dict[str, Any]) -> None:
        for option in config.get("exec-opts") or []:
            key, _, value = option.partition("=")
            if key != "native.cgroupdriver":
                raise ValueError(f"not simulated in the lab: exec-opts {option}")
            if value not in ("systemd", "cgroupfs"):
                raise ValueError(
                    f"failed to start daemon: invalid native.cgroupdriver: {value}: Supported values are"
                    " cgroupfs and systemd"
                )
        driver = config.get("log-driver", "json-file")
        if driver not in LOG_DRIVERS:
            raise ValueError(
                f"failed to start daemon: failed to set log opts: logger: no log driver named '{driver}' is registered"
            )
        storage = config.get("storage-driver", "overlay2")
        if storage not in ("overlay2", "vfs"):
            raise ValueError(
                f"failed to start daemon: error initializing graphdriver: driver not supported: {storage}"
            )

    @property
    def cgroup_driver(self) -> str:
        for option in self.config.get("exec-opts") or []:
            if option.startswith("native.cgroupdriver="):
                return str(option.partition("=")[2])
        # Control groups v2 have no other way since 20.10.
        return "systemd" if self.machine.kernel.cgroup == "v2" else "cgroupfs"

    @property
    def log_driver(self) -> str:
        return str(self.config.get("log-driver", "json-file"))

    @property
    def storage_driver(self) -> str:
        return str(self.config.get("storage-driver", "overlay2"))

    def _group(self) -> str:
        wanted = str(self.config.get("group", "docker"))
        text = self.machine.read_text("/etc/group")
        return wanted if f"\n{wanted}:" in f"\n{text}" else "root"

    def _prepare_host(self) -> None:
        """Make docker0, forward packets, and close the FORWARD chain, as Docker has done since 1.13."""
        machine = self.machine
        with machine.lock:
            machine.kernel.load("bridge")
            machine.kernel.load("br_netfilter")
            machine.kernel.load("overlay")
            bridge = machine.interfaces.add(
                "docker0", "bridge", str(self.config.get("bip", _DEFAULT_BRIDGE))
            )
            bridge.state, bridge.flags = "DOWN", ("NO-CARRIER", "BROADCAST", "MULTICAST", "UP")
            rules = bool(self.config.get("iptables", True))
            forwards = machine.kernel.settings.get("net.ipv4.ip_forward") == "1"
            if self.config.get("ip-forward", True) and not forwards:
                machine.kernel.set("net.ipv4.ip_forward", "1")
                if rules:
                    machine.firewall.table("filter").policies["FORWARD"] = "DROP"
            if rules:
                _write_rules(machine, machine.interfaces.network_of("docker0"))

    def stop(self) -> None:
        """Stop the daemon and, without live-restore, its containers."""
        self.running = False
        self.machine.path(SOCKET).unlink(missing_ok=True)
        if not self.config.get("live-restore"):
            for record in self.containers:
                record.container.stop()

    def power_off(self) -> None:
        """End everything; containers of nobody's pods stay, stopped."""
        own = [record for record in self.containers if record.sandbox is None]
        super().power_off()
        self.containers = own

    def pull(self, reference: str, namespace: str = "") -> Image:
        """Make an image present.

        Raises:
            PullError: the text is the daemon's.
        """
        full = pulling.normalize(reference)
        try:
            return super().pull(reference, namespace)
        except PullError as error:
            raise PullError(_docker_words(full, str(error))) from error

    def socket_error(self, user: str) -> str | None:
        """Return why a client of this user does not reach the daemon, in the client's words."""
        machine = self.machine
        _, group = machine.owner_of("/run/docker.sock")
        if user != "root" and machine.exists(SOCKET) and group not in machine.groups_of(user):
            return (
                "Got permission denied while trying to connect to the Docker daemon socket at "
                'unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json":'
                " dial unix /var/run/docker.sock: connect: permission denied"
            )
        if not self.running:
            return (
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
                " Is the docker daemon running?"
            )
        return None

    def cri_error(self, endpoint: str = SHIM) -> str | None:
        """Return why the kubelet's shim cannot work, or None."""
        return None if self.running else self.socket_error("root")


def _why(text: str, error: Exception) -> str:
    """Return what Go says of text that is no JSON."""
    at = getattr(error, "pos", 0)
    if at >= len(text.rstrip()):
        return "unexpected EOF"
    place = "looking for beginning of value"
    before = text[:at].rstrip()
    if before.endswith(("{", ",")) and "{" in before:
        place = "looking for beginning of object key string"
    elif before.endswith(('"', "]", "}")):
        place = "after object key:value pair"
    return f"invalid character '{text[at]}' {place}"


_PLURAL = {
    "exec-opt": "exec-opts",
    "host": "hosts",
    "insecure-registry": "insecure-registries",
    "label": "labels",
    "log-opt": "log-opts",
    "registry-mirror": "registry-mirrors",
}


def _go(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]" if len(value) != 1 else str(value[0])
    return str(value)


def _write_rules(machine: LinuxMachine, network: str) -> None:
    table = machine.firewall.table("filter")
    for chain in ("DOCKER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"):
        table.new_chain(chain)
    for rule in _RULES:
        table.append_once(list(rule))
    nat = machine.firewall.table("nat")
    nat.new_chain("DOCKER")
    for line in (
        "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        "OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
        f"POSTROUTING -s {network} ! -o docker0 -j MASQUERADE",
        "DOCKER -i docker0 -j RETURN",
    ):
        nat.append_once(line.split())


def _docker_words(full: str, text: str) -> str:
    """Turn what the registry's client says into what the daemon answers."""
    repository, tag = pulling.split(full)
    registry = repository.partition("/")[0]
    if text.endswith("not found") and "no match for platform" in text:
        return f"no matching manifest for linux/amd64 in the manifest list entries: {full}"
    if text.endswith("not found"):
        if registry == "docker.io":
            name = repository.removeprefix("docker.io/").removeprefix("library/")
            return f"pull access denied for {name}, repository does not exist or may require 'docker login'"
        return f"manifest for {repository}:{tag} not found: manifest unknown: manifest unknown"
    if 'Head "' in text:
        host = text.split('Head "https://', 1)[1].partition("/")[0]
        return f'Get "https://{host}/v2/": ' + text.rpartition('": ')[2]
    return text
