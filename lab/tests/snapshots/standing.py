"""A lab's process whose machines are a cluster already: `python -m lab.tests.snapshots.standing HOME NETWORK GENERATION`.

What takes minutes over the wire is done with the machines' own commands before the ports are opened to anybody.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab import process_lock, topology
from k8swin_lab.building import authorize
from k8swin_lab.daemon import Daemon
from k8swin_lab.home import Home
from k8swin_lab.internet import install
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.lab import Lab
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.topology import MachineSpec
from k8swin_lab.windows.software import windows_software

from lab.tests.linux.conftest import prepare, run_on
from lab.tests.linux.test_older_kubernetes import FLANNEL, classic_host
from lab.tests.windows import test_classic_join, test_join
from lab.tests.windows.conftest import runner

SERVER = """
$listener = New-Object System.Net.HttpListener
$listener.Prefixes.Add('http://+:80/')
$listener.Start()
Write-Output 'serves'
while ($true) {
    $context = $listener.GetContext()
    $bytes = [Text.Encoding]::UTF8.GetBytes('good day')
    $context.Response.OutputStream.Write($bytes, 0, $bytes.Length)
    $context.Response.Close()
}
"""
ADMIN = "kubectl --kubeconfig /etc/kubernetes/admin.conf"


def build(spec: MachineSpec, network: Network, home: Home) -> Any:
    """A machine on which the programs of Kubernetes are installed; `wait` runs until it is stopped."""
    if not network.origins:
        install(network)
    if spec.os == "windows":
        return WindowsMachine(
            spec.name, spec.address, network, windows_software(), build=spec.build,
            users={spec.user: home.password(spec.name)}, pace=0.05,
        )  # fmt: skip
    root = home.machine_root(spec.name)
    root.parent.mkdir(parents=True, exist_ok=True)
    if spec.distribution == "bionic":
        machine = classic_host(network, root, spec.address)
    else:
        machine = LinuxMachine(
            spec.name, spec.address, network, linux_software(), root=root, swap=False,
            packages=["containerd.io", "kubeadm"],
        )  # fmt: skip
        prepare(machine)
    authorize(machine, spec.user, home.public_key())
    return machine


def made(machine: LinuxMachine, line: str) -> str:
    done = run_on(machine, line)
    assert done.code == 0, line + done.out + done.err
    return done.out


def eventually(cluster: Cluster, what: Callable[[], object]) -> None:
    until = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until
        threading.Event().wait(0.05)
        cluster.settle()


def current(master: LinuxMachine, worker: WindowsMachine) -> None:
    """A control plane and a worker with containerd, a pod network by flanneld, and a pod that serves."""
    made(master, "kubeadm init --pod-network-cidr=10.244.0.0/16")
    cluster = master.cluster
    assert cluster is not None
    kubelet = test_join.KUBELET.replace("127.160.0.21", worker.address)
    run = runner(worker)
    test_join.prepare(worker, run, kubelet)
    join = made(master, "kubeadm token create --print-join-command").strip()
    done = run(rf"C:\k\{join.replace('kubeadm', 'kubeadm.exe', 1)}")
    assert done.code == 0, done.out + done.err
    flanneld(
        master, worker, cluster, r"C:\k\config", "--net-config-path=/etc/kube-flannel/net-conf.json"
    )
    worker.files.write(r"C:\etc\cni\net.d\10-flannel.conf", test_join.CNI.encode())
    pod(cluster, worker, "mcr.microsoft.com/windows/servercore:ltsc2022")


def classic(master: LinuxMachine, worker: WindowsMachine) -> None:
    """The same with Docker and Kubernetes 1.13."""
    made(master, "kubeadm init --config /root/init.yaml")
    cluster = master.cluster
    assert cluster is not None
    master.write_file("/root/flannel.yml", FLANNEL)
    made(master, f"{ADMIN} apply -f /root/flannel.yml")
    run = runner(worker)
    test_classic_join.prepare(worker, run)
    worker.files.write(r"C:\k\config", master.read_text("/etc/kubernetes/admin.conf").encode())
    arguments = test_classic_join.KUBELET.replace("127.160.0.21", worker.address)
    pause = test_classic_join.PAUSE
    test_classic_join.service(run, "kubelet", r"C:\k\kubelet.exe", arguments.format(pause=pause))
    flanneld(master, worker, cluster, r"C:\k\config", "")
    worker.files.write(r"C:\k\cni\config\cni.conf", test_classic_join.CNI.encode())
    pod(cluster, worker, test_classic_join.CORE)


def flanneld(
    master: LinuxMachine, worker: WindowsMachine, cluster: Cluster, config: str, more: str
) -> None:
    """Run it by a script, as a service of nssm."""
    worker.files.write(config, master.read_text("/etc/kubernetes/admin.conf").encode())
    settings = {"Network": "10.244.0.0/16", "Backend": {"Name": "cbr0", "Type": "host-gw"}}
    worker.files.write(r"C:\etc\kube-flannel\net-conf.json", json.dumps(settings).encode())
    line = f"& C:\\k\\flanneld.exe --kubeconfig-file={config} --iface={worker.address} --ip-masq=1 --kube-subnet-mgr=1 {more}"
    worker.files.write(r"C:\k\flanneld.ps1", f"{line}\nexit $LASTEXITCODE\n".encode())
    run = runner(worker)
    shell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
    for words in (
        rf"install flanneld {shell} -NoProfile -File C:\k\flanneld.ps1",
        "set flanneld AppEnvironmentExtra NODE_NAME=winworker01", r"set flanneld AppStderr C:\flanneld.log",
        "start flanneld",
    ):  # fmt: skip
        if words.startswith("start"):
            eventually(cluster, lambda: cluster.object("nodes", "winworker01"))
        assert run(rf"C:\k\nssm.exe {words}").code == 0, words
    eventually(cluster, lambda: worker.files.exists("/run/flannel/subnet.env"))


def pod(cluster: Cluster, worker: WindowsMachine, image: str) -> None:
    data = {"server.ps1": SERVER}
    cluster.client().create("configmaps", {"metadata": {"name": "app"}, "data": data}, "default")
    cluster.client().create("pods", test_join._pod("web", image), "default")
    eventually(
        cluster,
        lambda: test_join._phase(cluster, "web") == "Running" and worker.containers.running,
    )


def main(path: str, network: str, generation: str) -> int:
    home = Home(Path(path))
    home.create()
    lock = process_lock.take(home.lock)
    assert lock is not None
    machines = [
        spec for spec in topology.default(network, generation) if spec.name != "winworker02"
    ]
    lab = Lab(home, machines, build=build)
    lab.start()
    daemon = Daemon(lab, lock, stays=True)
    {"current": current, "classic": classic}[generation](*lab.machines.values())
    daemon.open()
    print("ready", flush=True)  # noqa: T201
    return daemon.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
