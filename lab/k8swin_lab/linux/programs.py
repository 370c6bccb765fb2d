"""Which programs a Linux machine has: those of the base system, and those that packages bring."""

from __future__ import annotations

from k8swin_lab import kubectl
from k8swin_lab.arguments import MissingValue
from k8swin_lab.linux import (
    apt,
    apt_tools,
    containerd,
    crictl,
    curl,
    docker,
    dpkg,
    getent,
    gpg,
    identity,
    ip,
    iptables,
    journal,
    kernel,
    openssl,
    power,
    refused,
    sockets,
    swap,
    systemctl,
)
from k8swin_lab.linux.files import Files
from k8swin_lab.linux.kubeadm import kubeadm
from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.machines.software import VersionedProgram


def base() -> dict[str, Program]:
    """Return the programs that every machine has, by name."""
    simulated: dict[str, Program] = {
        "apt": apt.apt_get,
        "apt-cache": apt_tools.apt_cache,
        "apt-get": apt.apt_get,
        "apt-mark": apt_tools.apt_mark,
        "curl": curl.curl,
        "df": identity.df,
        "dpkg": dpkg.dpkg,
        "dpkg-query": dpkg.dpkg,
        "free": identity.free,
        "getent": getent.getent,
        "gpg": gpg.gpg,
        "halt": power.reboot,
        "hostname": identity.hostname,
        "hostnamectl": identity.hostnamectl,
        "ip": ip.ip,
        "journalctl": journal.journalctl,
        "lscpu": identity.lscpu,
        "lsmod": kernel.lsmod,
        "modprobe": kernel.modprobe,
        "nproc": identity.nproc,
        "openssl": openssl.openssl,
        "ping": sockets.ping,
        "poweroff": power.reboot,
        "reboot": power.reboot,
        "rmmod": kernel.rmmod,
        "shutdown": power.shutdown,
        "ss": sockets.ss,
        "swapoff": swap.swapoff,
        "swapon": swap.swapon,
        "sysctl": kernel.sysctl,
        "systemctl": systemctl.systemctl,
        "systemd-detect-virt": identity.systemd_detect_virt,
        "timedatectl": identity.timedatectl,
        "uname": identity.uname,
        "uptime": identity.uptime,
        "wget": curl.wget,
    }
    return refused.PROGRAMS | {name: _by_getopt(one) for name, one in simulated.items()}


def _by_getopt(program: Program) -> Program:
    """A program that says in getopt's words that an option lacks its value."""

    def run(process: Process) -> int:
        try:
            return program(process)
        except MissingValue as error:
            option = str(error)
            long = f"option '{option}' requires an argument"
            said = (
                long
                if option.startswith("--")
                else f"option requires an argument -- '{option[-1:]}'"
            )
            process.err(f"{process.argv[0].rpartition('/')[2]}: {said}\n")
            return 1

    return run


def _unversioned(program: Program) -> VersionedProgram:
    def run(process: Process, *, version: str) -> int:
        return program(process)

    return run


def _kubelet(process: Process, *, version: str) -> int:
    if process.argv[1:] == ["--version"]:
        process.out(f"Kubernetes v{version}\n")
        return 0
    raise NotSimulated("kubelet started by hand; systemctl starts it")


def _kubectl(process: Process, *, version: str) -> int:
    return kubectl.run(process, Files(process), version)


def _only_version(name: str) -> VersionedProgram:
    def run(process: Process, *, version: str) -> int:
        if process.argv[1:] in (["--version"], ["-V"], ["-v"], ["version"]):
            process.out(f"{name} {version}\n")
            return 0
        raise NotSimulated(f"{name} {' '.join(process.argv[1:2])}".strip())

    return run


def packaged() -> dict[str, VersionedProgram]:
    """Return the programs that stand-in files name, by that name."""
    found: dict[str, VersionedProgram] = {
        "containerd": containerd.containerd,
        "crictl": crictl.crictl,
        "ctr": containerd.ctr,
        "docker": docker.docker,
        "dockerd": docker.dockerd,
        "iptables": iptables.iptables,
        "iptables-save": iptables.iptables_save,
        "iptables-restore": iptables.iptables_restore,
        "ip6tables": iptables.iptables,
        "ip6tables-restore": iptables.iptables_restore,
        "ip6tables-save": iptables.iptables_save,
        "kubeadm": kubeadm,
        "kubectl": _kubectl,
        "kubelet": _kubelet,
        "lsb_release": _unversioned(identity.lsb_release),
        "runc": containerd.runc,
        "wget": _unversioned(curl.wget),
    }
    for name in [
        "bandwidth",
        "bridge",
        "chronyc",
        "chronyd",
        "conntrack",
        "docker-containerd",
        "docker-containerd-ctr",
        "docker-containerd-shim",
        "docker-init",
        "docker-proxy",
        "docker-runc",
        "containerd-shim",
        "containerd-shim-runc-v2",
        "cron",
        "ebtables",
        "ethtool",
        "firewall",
        "flannel",
        "flanneld",
        "host-local",
        "ipset",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "loopback",
        "portmap",
        "socat",
        "sshd",
        "tuning",
        "vlan",
    ]:
        found[name] = _only_version(name)
    return found
