"""kubeadm reset: takes back what init or join did to this host."""

from __future__ import annotations

import shutil

from k8swin_nb.lab.arguments import Parsed
from k8swin_nb.lab.linux.files import machine_of, read_all
from k8swin_nb.lab.linux.kubeadm.errors import in_phase
from k8swin_nb.lab.linux.words import klog
from k8swin_nb.lab.machines.linux import LinuxMachine
from k8swin_nb.lab.machines.program import Process
from k8swin_nb.lab.machines.units import UnitError

_FOLDERS = ("/etc/kubernetes/manifests", "/var/lib/kubelet", "/etc/kubernetes/pki")
_FILES = tuple(
    f"/etc/kubernetes/{name}.conf"
    for name in (
        "admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler"
    )
)  # fmt: skip


def reset(process: Process, parsed: Parsed) -> int:
    """Run kubeadm reset.

    Raises:
        KubeadmError: nobody said yes.
    """
    machine = machine_of(process)
    control_plane = machine.exists("/etc/kubernetes/manifests/kube-apiserver.yaml")
    if machine.exists("/etc/kubernetes/admin.conf"):
        process.out(
            '[reset] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n'
            "[reset] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n"
        )
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
        process.out("[reset] Deleted contents of the etcd data directory: /var/lib/etcd\n")
    else:
        text = "[reset] No kubeadm config, using etcd pod spec to get data directory"
        process.err(klog("W", "removeetcdmember.go:105", text))
    process.out("[reset] Stopping the kubelet service\n")
    _stop(machine, control_plane=control_plane)
    process.out('[reset] Unmounting mounted directories in "/var/lib/kubelet"\n')
    for folder in _FOLDERS:
        target = machine.root / folder.lstrip("/")
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
    process.out(f"[reset] Deleting contents of directories: [{' '.join(_FOLDERS)}]\n")
    for file in _FILES:
        (machine.root / file.lstrip("/")).unlink(missing_ok=True)
    process.out(f"[reset] Deleting files: [{' '.join(_FILES)}]\n")
    process.out(
        "\nThe reset process does not perform cleanup of CNI plugin configuration,\n"
        "network filtering rules and kubeconfig files.\n\n"
        "For information on how to perform this cleanup manually, please see:\n"
        "    https://k8s.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/\n\n"
    )
    return 0


def _stop(machine: LinuxMachine, *, control_plane: bool) -> None:
    try:
        machine.units.stop("kubelet.service")
    except UnitError:
        pass
    kubelet, cluster = machine.kubelet, machine.cluster
    if kubelet is not None:
        kubelet.stop()
    for record in [one for one in machine.runtime.containers if one.sandbox]:
        record.container.stop()
        machine.runtime.containers.remove(record)
    machine.runtime.sandboxes.clear()
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
