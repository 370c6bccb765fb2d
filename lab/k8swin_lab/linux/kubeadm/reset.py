"""kubeadm reset: takes back what init or join did to this host."""

from __future__ import annotations

import shutil

from k8swin_lab.arguments import Parsed
from k8swin_lab.linux.files import machine_of, read_all
from k8swin_lab.linux.kubeadm.errors import in_phase
from k8swin_lab.linux.kubeadm.texts import reading_configuration, reset_epilogue
from k8swin_lab.linux.kubeadm.versions import minor
from k8swin_lab.linux.words import klog
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.units import UnitError

_FILES = tuple(
    f"/etc/kubernetes/{name}.conf"
    for name in (
        "admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler"
    )
)  # fmt: skip


def reset(process: Process, parsed: Parsed, version: str) -> int:
    """Run kubeadm reset.

    Raises:
        KubeadmError: nobody said yes.
    """
    machine = machine_of(process)
    control_plane = machine.exists("/etc/kubernetes/manifests/kube-apiserver.yaml")
    if machine.exists("/etc/kubernetes/admin.conf"):
        for line in reading_configuration("reset", version):
            process.out(f"{line}\n")
    if "-f" not in parsed:
        text = "[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted."
        process.err(klog("W", "preflight.go:55", text))
        process.out("[reset] Are you sure you want to proceed? [y/N]: ")
        if not read_all(process).decode(errors="replace").strip().lower().startswith("y"):
            raise in_phase(
                "preflight", "won't proceed; the user didn't answer (Y|y) in order to continue"
            )
    process.out("[preflight] Running pre-flight checks\n")
    if control_plane:
        shutil.rmtree(machine.root / "var/lib/etcd", ignore_errors=True)
        (machine.root / "var/lib/etcd").mkdir(parents=True)
        if minor(version) >= 25:
            process.out("[reset] Deleted contents of the etcd data directory: /var/lib/etcd\n")
    else:
        text = "[reset] No kubeadm config, using etcd pod spec to get data directory"
        process.err(klog("W", "removeetcdmember.go:105", text))
    process.out("[reset] Stopping the kubelet service\n")
    _stop(machine, control_plane=control_plane)
    process.out('[reset] Unmounting mounted directories in "/var/lib/kubelet"\n')
    number = minor(version)
    own = ["/etc/kubernetes/manifests", "/etc/kubernetes/pki"]
    stateful = ["/var/lib/kubelet"]
    if number < 32:  # those of a CNI plugin too, until that was left to the user
        stateful += ["/var/lib/dockershim", "/var/run/kubernetes", "/var/lib/cni"]
    if number >= 24:
        stateful = [folder for folder in stateful if folder != "/var/lib/dockershim"]
    files = [name for name in _FILES if number >= 29 or "super-admin" not in name]
    for folder in (*own, *stateful):
        target = machine.path(folder)
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
    for file in files:
        machine.path(file).unlink(missing_ok=True)
    if number >= 25:
        process.out(
            f"[reset] Deleting contents of directories: [{' '.join([own[0], *stateful, own[1]])}]\n"
        )
        process.out(f"[reset] Deleting files: [{' '.join(files)}]\n")
    else:
        process.out(f"[reset] Deleting contents of config directories: [{' '.join(own)}]\n")
        process.out(f"[reset] Deleting files: [{' '.join(files)}]\n")
        etcd = ["/var/lib/etcd"] if control_plane else []
        process.out(
            f"[reset] Deleting contents of stateful directories: [{' '.join([*etcd, *stateful])}]\n"
        )
    process.out(reset_epilogue(version))
    return 0


def _stop(machine: LinuxMachine, *, control_plane: bool) -> None:
    try:
        machine.units.stop("kubelet.service")
    except UnitError:
        pass
    kubelet, cluster = machine.kubelet, machine.cluster
    if kubelet is not None and cluster is not None:
        kubelet.stop(cluster)
    for runtime in (machine.runtime, machine.docker):
        for record in [one for one in runtime.containers if one.sandbox]:
            record.container.stop()
            runtime.containers.remove(record)
        runtime.sandboxes.clear()
    with machine.lock:
        for port in machine.control_plane:
            machine.listening.pop(port, None)
        machine.control_plane = {}
        machine.kubelet, machine.cluster, machine.node_name = None, None, ""
    if control_plane and cluster is not None:
        for router in list(machine.network.routers):
            if getattr(router, "cluster", None) is cluster:
                machine.network.routers.remove(router)
        cluster.stop()
    machine.changed()
