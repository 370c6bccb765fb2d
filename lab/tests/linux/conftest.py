"""Machines for the tests of simulated Linux commands: no shell, programs run one by one."""

from __future__ import annotations

import io
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from k8swin_lab.internet import install
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process
from k8swin_lab.network import Network


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@dataclass
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def run_on(
    machine: LinuxMachine, line: str, *, user: str = "root", stdin: str = "", **env: str
) -> Result:
    out, err = Sink(), Sink()
    home = "/root" if user == "root" else f"/home/{user}"
    process = Process(
        machine,
        shlex.split(line),
        {"HOME": home, **env},
        home,
        user,
        io.BytesIO(stdin.encode()),
        out,
        err,
    )
    code = machine.run_program(process)
    return Result(code, out.data.decode(), err.data.decode())


@pytest.fixture
def network() -> Network:
    network = Network()
    install(network)
    return network


@pytest.fixture
def machine(network: Network, tmp_path: Path) -> LinuxMachine:
    return LinuxMachine(
        "linuxmaster", "192.168.160.10", network, linux_software(), root=tmp_path / "root"
    )


@pytest.fixture
def run(machine: LinuxMachine) -> Run:
    def run(line: str, **options: str) -> Result:
        return run_on(machine, line, **options)

    return run


@pytest.fixture
def prepared(network: Network, tmp_path: Path) -> LinuxMachine:
    """A machine on which everything is installed and nothing is wrong."""
    machine = LinuxMachine(
        "linuxmaster",
        "192.168.160.10",
        network,
        linux_software(),
        root=tmp_path / "prepared",
        swap=False,
        packages=["containerd.io", "kubeadm"],
    )
    prepare(machine)
    return machine


def prepare(machine: LinuxMachine) -> None:
    machine.kernel.set("net.ipv4.ip_forward", "1")
    config = machine.read_text("/etc/containerd/config.toml")
    machine.write_file("/etc/containerd/config.toml", config.replace('["cri"]', "[]"))
    machine.units.restart("containerd.service")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinuxMachine]:
    """A control plane, made once for the tests that only look at it or add to it."""
    network = Network()
    install(network)
    root = tmp_path_factory.mktemp("cluster") / "root"
    machine = LinuxMachine(
        "linuxmaster",
        "192.168.160.10",
        network,
        linux_software(),
        root=root,
        swap=False,
        packages=["containerd.io", "kubeadm"],
    )
    prepare(machine)
    done = run_on(machine, "kubeadm init --pod-network-cidr=10.244.0.0/16")
    assert done.code == 0, done.err
    # Outside of a running lab nothing drives the kubelet but those who ask the API.
    until = time.monotonic() + 60
    while " etcd " not in run_on(machine, "crictl ps").out:
        assert time.monotonic() < until, "the control plane's containers are not listed"
        run_on(machine, "kubectl --kubeconfig /etc/kubernetes/admin.conf get pods -A")
        time.sleep(0.05)
    yield machine
    machine.shut_down()
