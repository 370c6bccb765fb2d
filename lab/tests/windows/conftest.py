"""A Windows machine on the lab's network, and a control plane that is nothing but a cluster."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from k8swin_lab import sites
from k8swin_lab.internet import install
from k8swin_lab.kubernetes import bootstrap
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.linux.kubeadm.api_endpoint import ApiEndpoint
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.windows.software import windows_software

TOKEN = "abcdef.0123456789abcdef"


@dataclass
class Result:
    code: int
    out: str
    err: str


class Master(Machine):
    """Answers port 6443 with a cluster's API, as a control plane does."""

    os = "linux"

    def __init__(self, network: Network, cluster: Cluster) -> None:
        super().__init__("linuxmaster", "127.160.0.11", network)
        self.cluster = cluster
        self.listening[6443] = ApiEndpoint(cluster)

    def run(self, process: Process) -> int:
        raise NotImplementedError

    def shell(self, command: str, process: Process) -> int:
        raise NotImplementedError

    def reboot(self) -> None:
        raise NotImplementedError


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> Iterator[WindowsMachine]:
    """A Windows Server 2022; `@pytest.mark.site("german", ...)` brings it into moods."""
    network = Network()
    install(network)
    made = WindowsMachine("winworker01", "127.160.0.21", network, windows_software(), pace=0.02)
    marker = request.node.get_closest_marker("site")
    if marker is not None:
        sites.switch(made, marker.args)
    yield made
    made.power_off()


@pytest.fixture
def server_2019() -> Iterator[WindowsMachine]:
    """A Windows Server 2019 at the same address."""
    network = Network()
    install(network)
    made = WindowsMachine(
        "winworker01", "127.160.0.21", network, windows_software(), build=17763, pace=0.02
    )
    yield made
    made.power_off()


@pytest.fixture
def run(machine: WindowsMachine) -> Callable[[str], Result]:
    """Run a line as WinRS does."""
    return runner(machine)


def runner(machine: WindowsMachine) -> Callable[[str], Result]:
    """What runs a line on a machine as WinRS does."""

    def command(line: str) -> Result:
        out, err = io.BytesIO(), io.BytesIO()
        env = dict(machine.login_environment("Administrator"))
        process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
        code = machine.shell(line, process)
        return Result(code, out.getvalue().decode(), err.getvalue().decode())

    return command


@pytest.fixture
def cluster(machine: WindowsMachine) -> Cluster:
    made = Cluster(
        version="v1.36.4", pod_subnet="10.244.0.0/16", service_subnet="10.96.0.0/12", dns_domain="cluster.local",
        advertise_address="127.160.0.11", network=machine.network,
    )  # fmt: skip
    Master(machine.network, made)
    bootstrap.create_rbac(made)
    bootstrap.upload_config(
        made, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
    )
    bootstrap.upload_kubelet_config(
        made, "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    )
    bootstrap.cluster_info(made, "https://127.160.0.11:6443")
    bootstrap.create_bootstrap_token(made, TOKEN, 3600)
    made.settle()
    return made
