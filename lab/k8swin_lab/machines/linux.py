"""A simulated Linux server: Debian 12 or Ubuntu 18.04, as fresh as an installer leaves it.

The disk is a real directory; what the kernel and systemd keep in memory is here and in the modules
beside this one. Commands, the shell that runs scripts and the containers of pods are handed over
when the machine is made (`machines.software`).
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_lab.internet.binaries import identity
from k8swin_lab.internet.pulling import PullError
from k8swin_lab.kubernetes.node import Container, NodeFacts
from k8swin_lab.lasting import Later
from k8swin_lab.machines import kernel as kernels
from k8swin_lab.machines import node_rules
from k8swin_lab.machines.container_runtime import ContainerRuntime, Runtime
from k8swin_lab.machines.daemons import DAEMONS, KUBELET_CONFIG
from k8swin_lab.machines.distributions import BOOKWORM, DISTRIBUTIONS
from k8swin_lab.machines.docker_engine import SHIM, DockerEngine
from k8swin_lab.machines.firewall import Firewall
from k8swin_lab.machines.installed import InstalledPackages
from k8swin_lab.machines.interfaces import Interfaces
from k8swin_lab.machines.journal import Journal
from k8swin_lab.machines.kernel import Kernel
from k8swin_lab.machines.linux_disk import lay_out
from k8swin_lab.machines.linux_files import LinuxFiles
from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.machines.units import Units, swap_area, swap_unit_name

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.kubernetes.kubelet import Kubelet
    from k8swin_lab.machines.shell import Shell
    from k8swin_lab.machines.software import LinuxSoftware
    from k8swin_lab.network import HttpHandler, Network

BOOT_SECONDS = 2.0
"""How long the network does not reach a machine that reboots."""


class LinuxMachine(LinuxFiles):
    """One Linux server; also what a kubelet needs of it (`NodeMachine`).

    Args:
        name: host name.
        address: of eth0, in a /24.
        network: where it is attached.
        software: what it runs.
        root: directory that becomes the machine's disk; made when it is missing.
        user: a login user besides root, with sudo and no password.
        cpus: processors.
        memory: bytes.
        distribution: code name of what is installed: "bookworm" or "bionic".
        cgroup: "v2" or "v1"; the distribution's own when None.
        swap: whether a swap file is in use.
        gateway: of the default route.
        packages: names of packages that are installed from the start, "containerd.io" for example.
    """

    os = "linux"

    def __init__(
        self,
        name: str,
        address: str,
        network: Network,
        software: LinuxSoftware,
        *,
        root: Path,
        user: str = "ubuntu",
        cpus: int = 2,
        memory: int = 4 * 1024**3,
        distribution: str = BOOKWORM.codename,
        cgroup: str | None = None,
        swap: bool = True,
        gateway: str | None = None,
        packages: Sequence[str] = (),
    ) -> None:
        super().__init__(name, address, network)
        self.root = root
        self.user = user
        self.software = software
        self._owners: dict[str, tuple[str, str]] = {}
        root.mkdir(parents=True, exist_ok=True)
        self.distribution = DISTRIBUTIONS[distribution]
        lay_out(root, self.distribution, name, address, user, swap=swap)
        self._hardware = (cpus, memory, cgroup or self.distribution.cgroup, self.distribution)
        self.kernel = Kernel(*self._hardware)
        self.journal = Journal(boot=self.boot_id)
        default_gateway = address.rpartition(".")[0] + ".1"
        self.interfaces = Interfaces(address, default_gateway if gateway is None else gateway)
        self.firewall, self.firewall6 = Firewall(), Firewall()
        self.clock_synchronized = False
        self.runtime = ContainerRuntime(self)
        self.docker = DockerEngine(self)
        self.kubelet_options: dict[str, str] = {}
        self.started_kubelet = ""
        """The command line and the version of the kubelet that was started last."""
        self.installed = InstalledPackages(self)
        self.units = Units(self, DAEMONS)
        self.cluster: Cluster | None = None
        """The cluster whose control plane, or a node of which, this machine is."""
        self.kubelet: Kubelet | None = None
        self.node_name = ""
        self.control_plane: dict[int, HttpHandler | str] = {}
        """What listens while the static pods of a control plane run, by port."""
        self._shell: Shell | None = None
        self.programs: dict[str, Program] = dict(software.programs)
        if packages:
            self.installed.preinstall(list(packages))
        self._boot()

    def filesystem_type(self, path: str) -> str:
        """Return what `stat -f -c %T` prints for a path."""
        if path == "/sys/fs/cgroup" or path.startswith("/sys/fs/cgroup/"):
            return "cgroup2fs" if self.kernel.cgroup == "v2" else "tmpfs"
        for prefix, kind in (
            ("/proc", "proc"),
            ("/sys", "sysfs"),
            ("/run", "tmpfs"),
            ("/dev", "tmpfs"),
        ):
            if path == prefix or path.startswith(f"{prefix}/"):
                return kind
        return "ext2/ext3"

    def proc_files(self) -> dict[str, bytes]:
        """Return the files of /proc and /sys that belong to the machine."""
        with self.lock:
            files = self.kernel.proc_files(self.name, self.boot_id, self.booted_at)
            for link in list(self.interfaces.links.values()):
                files[f"/sys/class/net/{link.name}/address"] = f"{link.mac}\n".encode()
                files[f"/sys/class/net/{link.name}/mtu"] = f"{link.mtu}\n".encode()
                files[f"/sys/class/net/{link.name}/operstate"] = f"{link.state.lower()}\n".encode()
            return files

    def write_proc(self, path: str, data: bytes) -> None:
        """Take what was written to a file under /proc/sys; what cannot be changed stays."""
        if path.startswith("/proc/sys/"):
            name = kernels.setting_name(path.removeprefix("/proc/sys/"))
            try:
                with self.lock:
                    self.kernel.set(name, data.decode(errors="replace").strip())
            except (KeyError, PermissionError):
                return

    # Programs

    def binary(self, name: str, version: str) -> Program | None:
        """Return the program that a stand-in file of this name and version holds."""
        program = self.software.packaged.get(name)
        return partial(program, version=version) if program else None

    def program_name(self, path: str) -> str | None:
        """Return the name of the program in a file, or None when the file holds none."""
        found = self._identity(path)
        return found[0] if found else None

    def program_version(self, path: str) -> str:
        """Return the version of the program in a file, or "" when it has none."""
        found = self._identity(path)
        return found[1] if found else ""

    def _identity(self, path: str) -> tuple[str, str] | None:
        if path.startswith(("/lib/systemd/systemd-", "/usr/lib/systemd/systemd-")):
            return path.rpartition("/")[2], self.distribution.systemd
        try:
            with self.path(path).open("rb") as file:
                return identity(file.read(300))
        except OSError:
            return None

    def which(self, name: str) -> str | None:
        """Return the path of a program on root's PATH."""
        for directory in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"):
            if self.exists(f"{directory}/{name}"):
                return f"{directory}/{name}"
        return None

    def open_shell(self) -> Shell:
        """Return the shell of this machine, opened when it is first needed."""
        with self.lock:
            if self._shell is None:
                self._shell = self.software.open_shell(self)
            return self._shell

    def close_shell(self) -> None:
        """End what runs in the shell, and what it has on this computer."""
        if self._shell is not None:
            self._shell.stop()
            self._shell = None

    def run(self, process: Process) -> int:
        """Run a program without a shell around it."""
        return self.open_shell().run(process.argv, process)

    def shell(self, command: str, process: Process) -> int:
        """Run a command line as sshd does: `bash -c`."""
        return self.open_shell().run(["bash", "-c", command], process)

    def run_program(self, process: Process) -> int:
        """Run one of the lab's own programs by `argv[0]`, without a shell.

        Raises:
            NotSimulated: there is no such program.
        """
        name = process.argv[0].rpartition("/")[2]
        program = self.programs.get(name)
        if program is None:
            path = self.which(name)
            found = self._identity(path) if path else None
            program = self.binary(*found) if found else None
        if program is None:
            raise NotSimulated(process.argv[0])
        return program(process)

    # Boot and power

    def _boot(self) -> None:
        self.journal.boot = self.boot_id
        self.powered_on = True
        for line in self.fstab():
            if line[2] == "swap" and "noauto" not in line[3:4] and self.units_allow_swap(line[0]):
                self.swap_on(line[0])
        self.units.boot()
        self.changed()

    def units_allow_swap(self, area: str) -> bool:
        """Tell whether the swap unit of an area is not masked."""
        unit = self.units.load(swap_unit_name(area))
        return unit is None or not unit.masked

    def shut_down(self) -> None:
        """Power off."""
        with self.lock:
            if not self.powered_on:
                return
            self.powered_on = False
        self.units.power_off()
        self.runtime.power_off()
        self.docker.power_off()
        self.listening.clear()
        self.close_shell()
        self.changed()

    def start_up(self, *, unreachable: float = 0.0) -> None:
        """Power on: a new boot, with what the disk says.

        Args:
            unreachable: seconds until the network reaches the machine.
        """
        self.boot_id = str(uuid.uuid4())
        self.booted_at = time.time()
        uuid_of_product = self.kernel.product_uuid
        self.kernel = Kernel(*self._hardware, product_uuid=uuid_of_product)
        self.clock_synchronized = False
        self.firewall.clear()
        self.firewall6.clear()
        gateway = next(
            (r.gateway for r in self.interfaces.routes if r.destination == "default"), ""
        )
        self.interfaces = Interfaces(self.address, gateway)
        for volatile in ("run", "tmp"):
            for entry in (self.root / volatile).iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
        (self.root / "run/lock").mkdir(exist_ok=True)
        static = self.path("/etc/hostname")
        if static.exists() and (wanted := static.read_text().strip()):
            self.name = wanted
        if unreachable:
            self.interrupt(unreachable)
            self.later(unreachable + 0.05, self.changed)
        self._boot()

    def move(self, root: Path) -> None:
        """Go on in a copy of the lab, whose disk is another directory; the shell is opened anew."""
        self.root = root
        self._shell = None

    def reboot(self) -> None:
        """Stop everything, then boot from the disk; the network is away for a moment."""
        self.shut_down()
        self.start_up(unreachable=BOOT_SECONDS)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after a while, so that the command which asks for it can end first."""
        Later(seconds, action, f"{self.name}: what a command has left for later")

    # Kernel

    def swap_on(self, name: str) -> None:
        """Use a swap area; one that is in use already stays."""
        with self.lock:
            if not any(area.name == name for area in self.kernel.swap):
                area = swap_area(name)
                area.priority = -2 - len(self.kernel.swap)
                self.kernel.swap.append(area)

    def swap_off(self, name: str) -> bool:
        """Stop using a swap area; False when it is not in use."""
        with self.lock:
            before = len(self.kernel.swap)
            self.kernel.swap = [area for area in self.kernel.swap if area.name != name]
            return len(self.kernel.swap) != before

    def load_configured_modules(self) -> None:
        """Load the modules that modules-load.d names."""
        for _, text in self.configuration("modules-load.d"):
            for line in text.splitlines():
                if line.strip() and line.strip()[0] not in "#;":
                    self.kernel.load(line.strip())

    def apply_configured_settings(self) -> None:
        """Set what sysctl.d says; settings that do not exist are passed over, as at a real boot."""
        for _, text in self.configuration("sysctl.d"):
            for line in text.splitlines():
                name, equals, value = line.partition("=")
                if equals and name.strip()[:1] not in ("#", ";"):
                    try:
                        self.kernel.set(name.strip().lstrip("-").replace("/", "."), value.strip())
                    except (KeyError, PermissionError):
                        continue

    # Kubernetes node

    def service_stopped(self, program: str) -> None:
        """Do what follows when systemd stops a service of ours."""
        if program == "containerd":
            self.runtime.stop()
        elif program == "dockerd":
            self.docker.stop()
        elif program == "sshd":
            self.listening.pop(22, None)
        elif program == "chronyd":
            self.clock_synchronized = False
        elif program == "kubelet":
            self.listening.pop(10250, None)
            self.listening.pop(10248, None)

    def kubelet_started(self) -> None:
        """Open the kubelet's ports, and those of the control plane when its manifests are there."""
        node_rules.of_kubelet(self)
        self.listening[10250] = "kubelet"
        self.listening[10248] = "kubelet"
        if self.control_plane and self.exists("/etc/kubernetes/manifests/kube-apiserver.yaml"):
            self.listening.update(self.control_plane)
        self.changed()

    def node_facts(self) -> NodeFacts:
        """Return what the kubelet reports."""
        machine_id = self.read_text("/etc/machine-id").strip()
        return NodeFacts(
            name=self.node_name or self.name.lower(),
            address=self._node_address(),
            operating_system="linux",
            os_image=self.os_release().get("PRETTY_NAME", "Linux"),
            kernel_version=self.kernel.release,
            container_runtime_version=f"{self.pod_runtime.name}://{self.pod_runtime.version}",
            kubelet_version=f"v{self.started_kubelet or self.kubelet_version}",
            machine_id=machine_id,
            boot_id=self.boot_id,
            cpus=self.kernel.cpus,
            memory_bytes=self.kernel.memory,
        )

    def _node_address(self) -> str:
        return self.kubelet_options.get("node-ip") or self.address

    @property
    def kubelet_version(self) -> str:
        """The version of the kubelet that the service starts, or that is on root's PATH."""
        unit = self.units.load("kubelet.service")
        path = unit.program if unit else ""
        return self.program_version(path or self.which("kubelet") or "")

    @property
    def pod_runtime(self) -> Runtime:
        """The runtime that the kubelet uses, by its command line and its version."""
        version = self.started_kubelet or self.kubelet_version or "1.36"
        minor = int(version.split(".")[1])
        own = self.kubelet_options.get("container-runtime", "docker")
        return self.docker if minor < 24 and own == "docker" else self.runtime

    def runtime_at(self, endpoint: str) -> Runtime:
        """Return the runtime that kubeadm's criSocket means."""
        path = endpoint.removeprefix("unix://").replace("/run/", "/var/run/", 1)
        return self.docker if path.replace("/var/var/", "/var/") == SHIM else self.runtime

    def node_labels(self) -> dict[str, str]:
        """Return the labels of the kubelet's --node-labels."""
        pairs = self.kubelet_options.get("node-labels", "").split(",")
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs) if name}

    def groups_of(self, user: str) -> set[str]:
        """Return the groups a user is in, its own among them."""
        rows = [line.split(":") for line in self.read_text("/etc/group").splitlines()]
        return {user} | {row[0] for row in rows if len(row) == 4 and user in row[3].split(",")}

    def kubelet_running(self) -> bool:
        """Whether the kubelet's service runs and the machine is on."""
        return (
            self.powered_on
            and self.exists(KUBELET_CONFIG)
            and self.units.state("kubelet.service").active == "active"
        )

    def kubelet_process(self) -> int:
        """A number that differs after each start of the kubelet; 0 when it does not run."""
        return self.units.state("kubelet.service").pid

    def runtime_ready(self) -> str | None:
        """None when the container runtime answers, else why not."""
        return self.pod_runtime.cri_error()

    def network_ready(self) -> str | None:
        """None when the pod network is configured, else why not."""
        if self.pod_runtime is self.docker and "network-plugin" not in self.kubelet_options:
            return None  # Docker's own bridge
        return self.pod_runtime.network_error()

    def pull(self, image: str) -> str | None:
        """Make an image present; an error is the runtime's text."""
        runtime = self.pod_runtime
        if runtime.image(image):
            return None
        try:
            runtime.pull(image)
        except PullError as error:
            if runtime is self.docker:
                return f"rpc error: code = Unknown desc = Error response from daemon: {error}"
            return (
                f"rpc error: code = NotFound desc = {error}"
                if "not found" in str(error)
                else (f"rpc error: code = Unknown desc = {error}")
            )
        return None

    def system_started(self, image: str) -> None:
        """Do what a container of the control plane's images does to its host when it starts."""
        if image.partition("@")[0].rpartition("/")[2].partition(":")[0] == "kube-proxy":
            node_rules.of_kube_proxy(self)

    def start_container(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> Container:
        """Start a container of a pod.

        Raises:
            RuntimeError: with the runtime's text.
        """
        return self.software.start_container(self, pod, container, environment)
