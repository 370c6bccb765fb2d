"""kubeadm's checks of a host before anything is changed, in its own words and order."""

from __future__ import annotations

from dataclasses import dataclass

from k8swin_lab.linux.kubeadm.configuration import Configuration
from k8swin_lab.linux.kubeadm.errors import in_phase
from k8swin_lab.linux.kubeadm.versions import minor
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process

_TOOLS = ("crictl", "conntrack", "ip", "iptables", "mount", "nsenter")
_OPTIONAL_TOOLS = ("ebtables", "ethtool", "tc", "touch")
_ALWAYS_THERE = ("mount", "nsenter", "touch", "tc", "ip")
_CGROUP_V1 = (
    "cgroups v1 support is deprecated and will be removed in a future release. Please migrate to cgroups"
    " v2. To explicitly enable cgroups v1 support for kubelet v1.35 or newer, you must set the kubelet"
    " configuration option 'FailCgroupV1' to 'false'. You must also explicitly skip this validation. For"
    " more information, see https://git.k8s.io/enhancements/keps/sig-node/5573-remove-cgroup-v1"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that did not pass."""

    check: str
    text: str
    fatal: bool = True


def init_checks(machine: LinuxMachine, configuration: Configuration, version: str) -> list[Finding]:
    """Check a host that becomes a control plane."""
    found = []
    if machine.kernel.cpus < 2:
        found.append(
            Finding(
                "NumCPU",
                f"the number of available CPUs {machine.kernel.cpus} is less than the required 2",
            )
        )
    if machine.kernel.memory < 1700 * 1024 * 1024:
        found.append(
            Finding(
                "Mem",
                f"the system RAM ({machine.kernel.memory // 1024**2} MB) is less than the minimum 1700 MB",
            )
        )
    insecure = [10251, 10252] if minor(version) < 17 else [10259, 10257]
    found += _ports(machine, [configuration.bind_port, *insecure])
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"):
        path = f"/etc/kubernetes/manifests/{name}.yaml"
        if machine.exists(path):
            found.append(
                Finding(
                    f"FileAvailable--etc-kubernetes-manifests-{name}.yaml", f"{path} already exists"
                )
            )
    found += _common(machine, configuration, version)
    found += _ports(machine, [10250, 2379, 2380])
    if _not_empty(machine, "/var/lib/etcd"):
        found.append(Finding("DirAvailable--var-lib-etcd", "/var/lib/etcd is not empty"))
    return found


def join_checks(machine: LinuxMachine, configuration: Configuration, version: str) -> list[Finding]:
    """Check a host that becomes a worker."""
    found = []
    if _not_empty(machine, "/etc/kubernetes/manifests"):
        found.append(
            Finding(
                "DirAvailable--etc-kubernetes-manifests", "/etc/kubernetes/manifests is not empty"
            )
        )
    for name in ("kubelet.conf", "bootstrap-kubelet.conf"):
        if machine.exists(f"/etc/kubernetes/{name}"):
            path = f"/etc/kubernetes/{name}"
            found.append(Finding(f"FileAvailable--etc-kubernetes-{name}", f"{path} already exists"))
    found += _common(machine, configuration, version)
    found += _ports(machine, [10250])
    path = "/etc/kubernetes/pki/ca.crt"
    if machine.exists(path):
        found.append(Finding("FileAvailable--etc-kubernetes-pki-ca.crt", f"{path} already exists"))
    return found


def _not_empty(machine: LinuxMachine, path: str) -> bool:
    try:
        return any(machine.path(path).iterdir())
    except OSError:
        return False


def _ports(machine: LinuxMachine, ports: list[int]) -> list[Finding]:
    return [
        Finding(f"Port-{port}", f"Port {port} is in use")
        for port in ports
        if port in machine.listening
    ]


def _common(machine: LinuxMachine, configuration: Configuration, version: str) -> list[Finding]:
    found = []
    number = minor(version)
    endpoint = configuration.registration["criSocket"]
    docker = machine.runtime_at(endpoint) is machine.docker and number < 24
    if docker:
        found += _docker(machine, number)
    elif error := machine.runtime.cri_error(endpoint):
        text = (
            "could not connect to the container runtime: failed to create new CRI runtime service: "
            f"validate service connection: {error}"
        )
        found.append(Finding("CRI", text))
        if number >= 36:
            found.append(Finding("ContainerRuntimeVersion", text))
    for tool in _TOOLS:
        if (tool == "crictl" and docker) or (tool == "conntrack" and number < 18):
            continue
        if tool not in _ALWAYS_THERE and machine.which(tool) is None:
            fatal = tool in ("conntrack", "iptables") or (tool == "crictl" and number < 30)
            found.append(Finding(f"FileExisting-{tool}", f"{tool} not found in system path", fatal))
    for tool in (*_OPTIONAL_TOOLS, *(("socat",) if number < 33 else ())):
        if tool not in _ALWAYS_THERE and machine.which(tool) is None:
            found.append(Finding(f"FileExisting-{tool}", f"{tool} not found in system path", False))
    if machine.kernel.cgroup == "v1" and number >= 31:
        found.append(Finding("SystemVerification", _CGROUP_V1, number >= 35))
    if machine.kernel.cgroup == "v2" and number < 20:
        text = "missing cgroups: cpu cpuacct cpuset devices freezer memory"
        found.append(Finding("SystemVerification", text))
    if machine.name.lower() != configuration.registration["name"] and configuration.registration[
        "name"
    ] not in (machine.host_addresses()):
        name = configuration.registration["name"]
        found.append(Finding("Hostname", f'hostname "{name}" could not be reached', False))
    found += _services(machine, docker=docker)
    if machine.kernel.swap and number < 22:
        text = "running with swap on is not supported. Please disable swap"
        found.append(Finding("Swap", text))
    elif machine.kernel.swap:
        found.append(
            Finding(
                "Swap",
                "swap is enabled; production deployments should disable swap unless testing the NodeSwap feature"
                " gate of the kubelet"
                if number < 34
                else "swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap. "
                "Please refer to https://kubernetes.io/docs/concepts/architecture/nodes/#swap-memory, or disable"
                " swap on the node",
                False,
            )
        )
    own = machine.kubelet_version
    if own and minor(own) > number:
        found.append(
            Finding(
                "KubeletVersion",
                f'the kubelet version is higher than the control plane version. This is not a supported version skew and may lead to a malfunctional cluster. Kubelet version: "{own}" Control plane version: "{version}"',
            )
        )
    if machine.kernel.settings.get("net.ipv4.ip_forward") != "1":
        found.append(
            Finding(
                "FileContent--proc-sys-net-ipv4-ip_forward",
                "/proc/sys/net/ipv4/ip_forward contents are not set to 1",
            )
        )
    if number < 30:
        found += _bridge(machine)
    return found


def _bridge(machine: LinuxMachine) -> list[Finding]:
    name = "net.bridge.bridge-nf-call-iptables"
    path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    check = "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables"
    if name not in machine.kernel.settings:
        return [Finding(check, f"{path} does not exist")]
    if machine.kernel.settings[name] != "1":
        return [Finding(check, f"{path} contents are not set to 1")]
    return []


def _docker(machine: LinuxMachine, number: int) -> list[Finding]:
    """Check Docker as kubeadm does below 1.24: that it answers, its version and its cgroup driver."""
    engine = machine.docker
    if error := engine.cri_error():
        head = 'docker is required for container runtime: exec: "docker": executable file not found in $PATH'
        text = f"failed to get docker info: {error}"
        return [Finding("SystemVerification", text if machine.which("docker") else head)]
    newest = next(release for first, release in _DOCKER_KNOWN if number >= first)
    found = []
    if engine.cgroup_driver == "cgroupfs" and 14 <= number < 22:
        text = (
            'detected "cgroupfs" as the Docker cgroup driver. The recommended driver is "systemd". Please follow'
            " the guide at https://kubernetes.io/docs/setup/cri/"
        )
        found.append(Finding("IsDockerSystemdCheck", text, False))
    own = [int(part) for part in engine.version.split(".")[:2]]
    if own > [int(part) for part in newest.split(".")]:
        text = (
            f"this Docker version is not on the list of validated versions: {engine.version}. Latest validated"
            f" version: {newest}"
        )
        found.append(Finding("SystemVerification", text, False))
    return found


_DOCKER_KNOWN = ((21, "20.10"), (17, "19.03"), (14, "18.09"), (0, "18.06"))
"""The newest Docker that kubeadm was validated with, by minor version of Kubernetes."""


def _services(machine: LinuxMachine, *, docker: bool) -> list[Finding]:
    found = []
    for service in ("docker", "containerd", "kubelet"):
        if service != ("docker" if docker else "containerd") and service != "kubelet":
            continue
        check = f"Service-{service.capitalize()}"
        unit = machine.units.load(f"{service}.service")
        if unit is not None and not unit.masked and machine.units.file_state(unit) == "disabled":
            text = (
                f"{service} service is not enabled, please run 'systemctl enable {service}.service'"
            )
            found.append(Finding(check, text, False))
    return found


def report(process: Process, found: list[Finding], ignored: list[str], version: str) -> None:
    """Print warnings and errors.

    Raises:
        KubeadmError: an error that is not ignored.
    """
    lowered = {name.strip().lower() for text in ignored for name in text.split(",") if name.strip()}
    errors = []
    for finding in found:
        passed_over = "all" in lowered or finding.check.lower() in lowered
        if finding.fatal and not passed_over:
            errors.append(finding)
        else:
            process.err(f"\t[WARNING {finding.check}]: {finding.text}\n")
    if errors:
        process.err("[preflight] Some fatal errors occurred:\n")
        for finding in errors:
            process.err(f"\t[ERROR {finding.check}]: {finding.text}\n")
        process.err(
            "[preflight] If you know what you are doing, you can make a check non-fatal with "
            "`--ignore-preflight-errors=...`\n"
        )
        raise in_phase("preflight", "preflight checks failed")
