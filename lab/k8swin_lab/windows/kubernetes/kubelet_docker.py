"""kubelet.exe of the generation before containerd (1.13 to 1.23): its flags, and Docker or a CRI runtime beneath it."""

from __future__ import annotations

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_dockershim import Dockershim
from k8swin_lab.windows.kubernetes.client_certificate import Credentials
from k8swin_lab.windows.kubernetes.connection import ConnectionFailed
from k8swin_lab.windows.kubernetes.flags import FlagError, last, parse
from k8swin_lab.windows.kubernetes.klog import Klog, LogFileError
from k8swin_lab.windows.kubernetes.kubelet_endpoint import access_of
from k8swin_lab.windows.kubernetes.kubelet_node import configuration_of, rotates, serve, taint
from k8swin_lab.windows.machine_of import full_path, machine_of

_FATAL = 255  # klog.Fatal
_REFUSED = {
    "--cloud-provider", "--containerized", "--docker-endpoint", "--dynamic-config-dir", "--experimental-dockershim",
    "--pod-manifest-path", "--runonce", "--root-dir",
}  # fmt: skip
"""Flags that would change what is to be seen, and that the lab gives no effect."""


def run(process: Process) -> int:
    """Run until stopped; 1 or 255 with the reason in the log when it cannot."""
    machine = machine_of(process)
    version = machine.program_version(process)
    try:
        flags, arguments = parse("kubelet", process.argv[1:], version=version)
    except FlagError as error:
        Klog(process, {}).say("F", "server.go:145", str(error))
        return _FATAL
    if "--version" in flags:
        process.out(f"Kubernetes v{version}\n")
        return 0
    for name in sorted(_REFUSED & set(flags)):
        raise NotSimulated(f"kubelet.exe {name} in version {version}")
    log = Klog(process, flags)
    try:
        return _run(process, version, flags, arguments, log)
    except LogFileError as error:
        process.err(f"{error}\n")
        return 2


def _run(
    process: Process, version: str, flags: dict[str, list[str]], arguments: list[str], log: Klog
) -> int:
    machine = machine_of(process)

    def fail(text: str) -> int:
        log.say("F", "server.go:261", f"failed to run Kubelet: {text}")
        return _FATAL

    if arguments:
        log.say("F", "server.go:157", f"unknown command: {arguments[0]}")
        return _FATAL
    configuration = configuration_of(process, flags)
    if isinstance(configuration, str):
        log.say(
            "F",
            "server.go:190",
            f"failed to load Kubelet config file {last(flags, '--config')}, error {configuration}",
        )
        return _FATAL

    def setting(name: str, key: str, default: str) -> str:
        if name in flags:
            return last(flags, name)
        found = configuration.get(key, default)
        return (
            ",".join(map(str, found))
            if isinstance(found, list)
            else str(found).lower()
            if isinstance(found, bool)
            else str(found)
        )

    pods_qos = setting("--cgroups-per-qos", "cgroupsPerQOS", "true")
    if (
        setting("--enforce-node-allocatable", "enforceNodeAllocatable", "pods")
        and pods_qos == "false"
    ):
        log.say("F", "server.go:209", "invalid configuration: EnforceNodeAllocatable (--enforce-node-allocatable) is not supported unless "
                                      "CgroupsPerQOS (--cgroups-per-qos) feature is turned on")  # fmt: skip
        return _FATAL
    runtime = last(flags, "--container-runtime", "docker")
    if runtime not in ("docker", "remote"):
        raise NotSimulated(f"kubelet.exe {version} with --container-runtime={runtime}")
    endpoint = last(flags, "--container-runtime-endpoint")
    if last(flags, "--windows-service") == "true":
        machine.services.connected(process)
    log.say("I", "server.go:407", f"Version: v{version}")
    name = (last(flags, "--hostname-override") or machine.computer_name).lower()
    credentials = Credentials(process, flags, name, version)
    try:
        credentials.prepare()
        process.waits = "a certificate"
        if not rotates(configuration, flags) and not credentials.obtain():
            return 0
        process.waits = ""
    except ConnectionFailed as error:
        return fail(str(error))
    shim: Dockershim | None = None
    if runtime == "remote":
        if not endpoint:
            return fail("remote runtime endpoint is not set")
        if problem := machine.containers.runtime_ready():
            return fail(f"remote runtime {endpoint} is not there: {problem}")
    else:
        shim = _dockershim(
            process, flags, setting("--resolv-conf", "resolvConf", "/etc/resolv.conf")
        )
        if problem := shim.ready():
            return fail(f"failed to create kubelet: failed to get docker version: {problem}")
    if pods_qos == "true":
        log.say("W", "container_manager_windows.go:65", "CgroupsPerQOS is not supported on Windows")
    taints = [taint(text) for text in last(flags, "--register-with-taints").split(",") if text]
    labels = dict(p.split("=", 1) for p in last(flags, "--node-labels").split(",") if "=" in p)
    if last(flags, "--register-node", "true") != "true":
        raise NotSimulated("kubelet.exe --register-node=false")
    log.say("I", "kubelet_node_status.go:72", f"Attempting to register node {name}")
    return serve(
        process,
        credentials,
        name,
        last(flags, "--node-ip") or machine.address,
        version,
        access_of(configuration, flags),
        taints,
        labels,
        shim,
    )


def _dockershim(process: Process, flags: dict[str, list[str]], resolv_conf: str) -> Dockershim:
    """What the kubelet's own bridge to Docker is told."""
    folders = last(flags, "--cni-bin-dir", "/opt/cni/bin").split(",")
    return Dockershim(
        machine_of(process),
        last(flags, "--pod-infra-container-image", "k8s.gcr.io/pause:3.1"),
        last(flags, "--network-plugin"),
        full_path(process, last(flags, "--cni-conf-dir", "/etc/cni/net.d")),
        [full_path(process, part) for part in folders],
        resolv_conf,
    )
