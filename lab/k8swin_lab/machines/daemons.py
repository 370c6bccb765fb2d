"""What the services of a Linux machine do once systemd starts them, and why they end.

Each returns None while it runs, or the last line that the real program writes before it exits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.machines.kubelet_options import KubeletOptionError, parse
from k8swin_lab.machines.unit_commands import command_line

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine
    from k8swin_lab.machines.units import Daemon, Unit

KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
_FAILED = 'run.go:72] "command failed" err='


def _sshd(machine: LinuxMachine, unit: Unit) -> str | None:
    machine.listening.setdefault(22, "sshd")
    return None


def _dockerd(machine: LinuxMachine, unit: Unit) -> str | None:
    flags: dict[str, list[str]] = {}
    words = command_line(machine, unit)[1:]
    while words:
        name, equals, value = words.pop(0).lstrip("-").partition("=")
        if not equals:
            value = "true" if name in ("debug", "D") else words.pop(0) if words else ""
        name = {"H": "host", "D": "debug", "G": "group", "g": "data-root"}.get(name, name)
        if name not in _DOCKERD_FLAGS:
            return f"not simulated in the lab: dockerd --{name}"
        if name != "containerd":
            flags.setdefault(name, []).append(value)
    return machine.docker.start(machine.program_version(unit.program), flags)


_DOCKERD_FLAGS = {
    "bip", "config-file", "containerd", "data-root", "debug", "exec-opt", "group", "host",
    "insecure-registry", "label", "log-driver", "log-level", "log-opt", "registry-mirror", "storage-driver",
}  # fmt: skip


def _containerd(machine: LinuxMachine, unit: Unit) -> str | None:
    return machine.runtime.start(machine.program_version(unit.program))


def _kubelet(machine: LinuxMachine, unit: Unit) -> str | None:
    version = machine.program_version(unit.program)
    minor = int(version.split(".")[1])
    head = f"E {_FAILED}" if minor >= 22 else "F server.go:198] "
    try:
        options = parse(command_line(machine, unit)[1:], minor)
    except KubeletOptionError as error:
        return f"{head}{error}"
    machine.kubelet_options, machine.started_kubelet = options, version
    path = options.get("config", "")
    config: dict[str, Any] = {}
    if path:
        if not machine.exists(path):
            return (
                f'{head}"failed to load kubelet config file, path: {path}, error: failed to'
                f" load Kubelet config file {path}, error failed to read kubelet config file"
                f' \\"{path}\\", error: open {path}: no such file or directory"'
            )
        try:
            config = yaml.safe_load(machine.read_text(path)) or {}
        except yaml.YAMLError as error:
            return f'{head}"failed to load kubelet config file, path: {path}, error: {error}"'
    if "kubeconfig" not in options:
        return "not simulated in the lab: a kubelet without --kubeconfig, which runs for itself"
    bootstrap = options.get("bootstrap-kubeconfig", "")
    if not machine.exists(options["kubeconfig"]) and not (bootstrap and machine.exists(bootstrap)):
        missing = bootstrap or options["kubeconfig"]
        return (
            f'{head}"failed to run Kubelet: unable to load bootstrap kubeconfig: stat'
            f' {missing}: no such file or directory"'
        )
    why = _host_refusal(machine, config, options, minor) or _runtime_refusal(
        machine, config, options, minor
    )
    if why:
        return f'{head}"{why}"'
    machine.kubelet_started()
    return None


def _host_refusal(
    machine: LinuxMachine, config: dict[str, Any], options: dict[str, str], minor: int
) -> str | None:
    """Return why the kubelet does not run with this kernel, or None."""
    fails = options.get("fail-swap-on", str(config.get("failSwapOn", True))).lower() == "true"
    if machine.kernel.swap and fails:
        used = " ".join(
            line.replace("\t", "\\t")
            for line in machine.proc_files()["/proc/swaps"].decode().splitlines()
        )
        return (
            "failed to run Kubelet: running with swap on is not supported, please disable"
            f" swap or set --fail-swap-on flag to false. /proc/swaps contained: [{used}]"
        )
    if machine.kernel.cgroup == "v1" and minor >= 35 and config.get("failCgroupV1", True):
        return (
            "failed to validate kubelet configuration, error: kubelet is configured to not"
            " run on a host using cgroup v1. cgroup v1 support is in maintenance mode"
        )
    if machine.kernel.cgroup == "v2" and minor < 19:
        return "failed to run Kubelet: failed to get the container manager: mountpoint for cpu not found"
    return None


def _runtime_refusal(
    machine: LinuxMachine, config: dict[str, Any], options: dict[str, str], minor: int
) -> str | None:
    """Return why the kubelet does not run with its container runtime, or None."""
    docker = machine.docker
    if machine.pod_runtime is docker:
        if why := docker.cri_error():
            return f"failed to run Kubelet: failed to get docker version: {why}"
        own = options.get("cgroup-driver") or config.get("cgroupDriver") or "cgroupfs"
        if own != docker.cgroup_driver:
            return (
                f'failed to run Kubelet: misconfiguration: kubelet cgroup driver: \\"{own}\\" is'
                f' different from docker cgroup driver: \\"{docker.cgroup_driver}\\"'
            )
        return None
    endpoint = (
        options.get("container-runtime-endpoint")
        or config.get("containerRuntimeEndpoint")
        or "unix:///run/containerd/containerd.sock"
    )
    if minor < 23 and machine.runtime.running and int(machine.runtime.version.split(".")[0]) >= 2:
        return (
            "failed to run Kubelet: failed to create kubelet: get remote runtime typed version failed: rpc error:"
            " code = Unimplemented desc = unknown service runtime.v1alpha2.RuntimeService"
        )
    if why := machine.runtime.cri_error(endpoint):
        return f"failed to run Kubelet: validate service connection: {why}"
    return None


def _modules_load(machine: LinuxMachine, unit: Unit) -> str | None:
    machine.load_configured_modules()
    return None


def _sysctl(machine: LinuxMachine, unit: Unit) -> str | None:
    machine.apply_configured_settings()
    return None


def _chronyd(machine: LinuxMachine, unit: Unit) -> str | None:
    machine.clock_synchronized = True
    return None


DAEMONS: dict[str, Daemon] = {
    "sshd": _sshd,
    "containerd": _containerd,
    "dockerd": _dockerd,
    "kubelet": _kubelet,
    "chronyd": _chronyd,
    "systemd-modules-load": _modules_load,
    "systemd-sysctl": _sysctl,
}
"""By the name of the program that the unit starts."""
