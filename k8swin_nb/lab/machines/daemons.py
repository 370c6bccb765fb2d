"""What the services of a Linux machine do once systemd starts them, and why they end.

Each returns None while it runs, or the last line that the real program writes before it exits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from k8swin_nb.lab.machines.linux import LinuxMachine
    from k8swin_nb.lab.machines.units import Daemon, Unit

KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
BOOTSTRAP_KUBECONFIG = "/etc/kubernetes/bootstrap-kubelet.conf"
_FAILED = 'run.go:72] "command failed" err='


def _sshd(machine: LinuxMachine, unit: Unit) -> str | None:
    machine.listening.setdefault(22, "sshd")
    return None


def _containerd(machine: LinuxMachine, unit: Unit) -> str | None:
    return machine.runtime.start(machine.program_version(unit.program))


def _kubelet(machine: LinuxMachine, unit: Unit) -> str | None:
    if not machine.exists(KUBELET_CONFIG):
        return (
            f'E {_FAILED}"failed to load kubelet config file, path: {KUBELET_CONFIG}, error: failed to'
            f" load Kubelet config file {KUBELET_CONFIG}, error failed to read kubelet config file"
            f' \\"{KUBELET_CONFIG}\\", error: open {KUBELET_CONFIG}: no such file or directory"'
        )
    try:
        config = yaml.safe_load(machine.read_text(KUBELET_CONFIG)) or {}
    except yaml.YAMLError as error:
        return f'E {_FAILED}"failed to load kubelet config file, path: {KUBELET_CONFIG}, error: {error}"'
    if not machine.exists(KUBECONFIG) and not machine.exists(BOOTSTRAP_KUBECONFIG):
        return (
            f'E {_FAILED}"failed to run Kubelet: unable to load bootstrap kubeconfig: stat'
            f' {BOOTSTRAP_KUBECONFIG}: no such file or directory"'
        )
    if machine.kernel.swap and config.get("failSwapOn", True):
        used = " ".join(
            line.replace("\t", "\\t")
            for line in machine.proc_files()["/proc/swaps"].decode().splitlines()
        )
        return (
            f'E {_FAILED}"failed to run Kubelet: running with swap on is not supported, please disable'
            f' swap or set --fail-swap-on flag to false. /proc/swaps contained: [{used}]"'
        )
    if machine.kernel.cgroup == "v1" and config.get("failCgroupV1", True):
        return (
            f'E {_FAILED}"failed to validate kubelet configuration, error: kubelet is configured to not'
            ' run on a host using cgroup v1. cgroup v1 support is in maintenance mode"'
        )
    endpoint = config.get("containerRuntimeEndpoint") or "unix:///run/containerd/containerd.sock"
    if why := machine.runtime.cri_error(endpoint):
        return f'E {_FAILED}"failed to run Kubelet: validate service connection: {why}"'
    machine.kubelet_started()
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
    "kubelet": _kubelet,
    "chronyd": _chronyd,
    "systemd-modules-load": _modules_load,
    "systemd-sysctl": _sysctl,
}
"""By the name of the program that the unit starts."""
