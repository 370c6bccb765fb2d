"""A half-built Windows worker is taken apart: what was there before stays, and a second time finds nothing."""

import contextlib
import time

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import TransportError
from k8swin_nb.notebook.notebook_parameters import NotebookParameters
from k8swin_nb.notebook.opening import open_view
from tests.conftest import running_lab
from tests.notebooks.test_teardown import ask

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]
PREPARE = (
    "facts",
    "host-name",
    "containers",
    "reboot",
    "folders",
    "firewall",
    "artifacts",
    "container-runtime",
    "kubelet",
    "flanneld",
)
REMOVE = (
    "services-stopped",
    "reset-windows",
    "services",
    "runtime-windows",
    "hns",
    "firewall",
    "files",
)
NETWORK = (
    "New-HnsNetwork -Type L2Bridge -Name cbr0 -AddressPrefix 10.244.1.0/24 "
    "-Gateway 10.244.1.1 -AdapterName Ethernet | Out-Null"
)
LOOK = r"""
"files: $(@(Get-ChildItem C:\opt -Recurse -Force | ForEach-Object { $_.Name }) -join ' ') $(@('C:\etc', 'C:\k', 'C:\var', 'C:\run', 'C:\k8swin\owned' | Where-Object { Test-Path $_ }) -join ' ')"
"linked: $(Get-Content C:\site.txt)"
"rules: $(@(Get-NetFirewallRule | Where-Object { $_.Name -like 'k8swin*' } | ForEach-Object { $_.Name }) -join ' ')"
"networks: $(@(Get-HnsNetwork | ForEach-Object { $_.Name }) -join ' ')"
"address on: $((Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq 'ADDRESS' }).InterfaceAlias)"
"services: $(@(Get-Service kubelet, flanneld, containerd -ErrorAction SilentlyContinue).Count)"
"feature: $((Get-WindowsFeature -Name Containers).InstallState)"
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("windows")) as lab:
        yield lab


def until_it_answers(lab, name):
    for _ in range(60):
        with contextlib.suppress(TransportError):
            ask(lab, name, "'here'")
            return
        time.sleep(1)
    pytest.fail(f"{name} does not answer")


def test_a_half_built_worker_is_taken_apart_and_only_what_is_ours_goes(lab, tmp_path):
    description = check_description(lab.description())
    runs = str(tmp_path)
    others = (
        r"New-Item -ItemType Directory -Path C:\opt\site -Force | Out-Null; "
        r"Set-Content -Path C:\opt\site\keep.txt, C:\site.txt -Value kept; "
        "New-NetFirewallRule -Name k8swin-of-the-site -DisplayName site -Direction Inbound "
        "-Protocol TCP -LocalPort 4444 -Action Allow | Out-Null"
    )
    assert ask(lab, "winworker01", others).returncode == 0
    address = lab.machine("winworker01")["address"]
    join = open_view("04_join_windows", NotebookParameters(ip=address, runs=runs), description)
    for name in PREPARE:
        join.apply(name)
    link = (
        r"New-Item -ItemType SymbolicLink -Path C:\var\lib\kubelet\link -Value C:\site.txt -Force"
    )
    ask(lab, "winworker01", link)
    with contextlib.suppress(TransportError):  # the virtual switch takes the adapter over
        ask(lab, "winworker01", NETWORK)
    until_it_answers(lab, "winworker01")

    # Whoever leaves a half-done notebook open is told that it is worked on there.
    join.cluster.close()
    hosts = " ".join(host.name for host in join.cluster.inventory.hosts)
    confirmed = NotebookParameters(runs=runs, confirm=f"{description.cluster_name}: {hosts}")
    teardown = open_view("90_teardown", confirmed, description)
    teardown.apply("cluster", "workers")
    changed = [row.step for row in teardown.apply(*REMOVE).rows if row.outcome == "changed"]
    assert changed == ["services", "runtime-windows", "hns", "firewall", "files"]
    assert ask(lab, "winworker01", LOOK.replace("ADDRESS", address)).stdout.splitlines() == [
        "files: site keep.txt ",
        "linked: kept",
        "rules: k8swin-of-the-site",
        "networks: ",
        "address on: Ethernet",
        "services: 0",
        "feature: Installed",
    ]
    again = teardown.check(*REMOVE)
    assert {row.outcome for row in again.rows} == {"ok"}
