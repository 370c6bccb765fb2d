"""Faults by name: what goes wrong on purpose on a Windows worker, and for whom."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from k8swin_lab import faults
from k8swin_lab.internet.windows_classic import docker_archive
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.servers.listener import Faults

from .conftest import TOKEN, Result
from .test_join import _flannel, _join
from .test_join import prepared as prepared

Run = Callable[[str], Result]
URL = "https://download.docker.com/win/static/stable/x86_64/docker-20.10.23.zip"


def test_a_lost_address_leaves_the_machine_unreachable_until_it_has_it_again(
    prepared: WindowsMachine, run: Run
) -> None:
    faults.apply(prepared, Faults(), "lost-address", None)
    prepared.net.create_hns_network(
        "cbr0", "L2Bridge", [{"AddressPrefix": "10.244.1.0/24", "GatewayAddress": "10.244.1.1"}]
    )
    prepared.unreachable_until = 0
    assert not prepared.reachable
    shown = run(
        'powershell -NoProfile -Command "(Get-NetIPAddress -AddressFamily IPv4).IPAddress"'
    ).out
    assert "169.254." in shown
    assert "127.160.0.21" not in shown
    run("powershell -NoProfile -Command \"New-NetIPAddress -InterfaceAlias 'vEthernet (Ethernet)' -IPAddress 127.160.0.21 -PrefixLength 24 "
        '-DefaultGateway 127.160.0.254"')  # fmt: skip
    assert prepared.reachable
    assert "169.254." not in run("ipconfig").out


def test_a_silent_flanneld_makes_a_network_when_it_is_started_again(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    faults.apply(prepared, Faults(), "no-network", "1")
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.net.silent_starts == 0)
    prepared.pause(20)
    assert prepared.services.state("flanneld") == "Running"
    assert prepared.net.network_named("cbr0") is None
    run(r"C:\k\nssm.exe restart flanneld")
    assert cluster.wait_until(lambda: prepared.net.network_named("cbr0") is not None)


def test_a_corrupted_download_arrives_whole_the_next_time(
    machine: WindowsMachine, run: Run
) -> None:
    faults.apply(machine, Faults(), "corrupted-download", None)
    digests = []
    for _ in range(2):
        assert run(rf"curl.exe -fsSL -o C:\docker.zip {URL}").code == 0
        digests.append(hashlib.sha256(machine.files.read(r"C:\docker.zip")).hexdigest())
    expected = hashlib.sha256(docker_archive("20.10.23")).hexdigest()
    assert digests[0] != expected
    assert digests[1] == expected


def test_an_expired_token_is_refused_by_the_join(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    master = prepared.network.machine_at("127.160.0.11")
    assert master is not None
    faults.apply(master, Faults(), "expired-token", None)
    refused = _join(run, cluster, TOKEN)
    assert refused.code == 1
    assert cluster.object("nodes", "winworker01") is None


def test_a_route_of_the_site_is_one_that_windows_shows(machine: WindowsMachine, run: Run) -> None:
    faults.apply(machine, Faults(), "route", "10.20.0.0/16")
    faults.apply(machine, Faults(), "route", "10.20.0.0/16")
    shown = run('powershell -Command "(Get-NetRoute -DestinationPrefix 10.20.0.0/16).NextHop"').out
    assert shown.split() == ["127.160.0.254"]
    run('powershell -Command "Remove-NetRoute -DestinationPrefix 10.20.0.0/16 -Confirm:$false"')
    assert not [route for route in machine.net.routes if route.prefix == "10.20.0.0/16"]
    with pytest.raises(faults.UnknownFault, match="expected a network"):
        faults.apply(machine, Faults(), "route", "10.20.0.1/16")


def test_rules_that_somebody_made_let_in_what_they_say(machine: WindowsMachine, run: Run) -> None:
    faults.apply(machine, Faults(), "rules-by-hand", None)
    text = "Get-NetFirewallRule -Name site-metrics-9182 | Get-NetFirewallAddressFilter"
    shown = run(f'powershell -Command "({text}).RemoteAddress"').out
    assert shown.strip() == "10.20.4.0/255.255.255.0"
    assert (
        "5938"
        in run(
            'powershell -Command "(Get-NetFirewallRule -Name site-support-5938 | Get-NetFirewallPortFilter).LocalPort"'
        ).out
    )


def test_a_kubelet_that_was_turned_off_stays_off_until_it_is_turned_on(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert _join(run, cluster).code == 0
    assert cluster.wait_until(lambda: prepared.services.state("kubelet") == "Running")
    faults.apply(prepared, Faults(), "kubelet-off", None)
    assert prepared.services.state("kubelet") == "Stopped"
    assert run("sc.exe start kubelet").code == 1058
    prepared.reboot()
    assert prepared.services.state("kubelet") == "Stopped"


def test_a_certificate_that_has_ended_ends_the_kubelet_at_its_start(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert _join(run, cluster).code == 0
    assert cluster.wait_until(lambda: prepared.services.state("kubelet") == "Running")
    faults.apply(prepared, Faults(), "certificate-expired", None)
    assert cluster.wait_until(lambda: prepared.services.state("kubelet") != "Running")


def test_a_token_for_ever_has_no_end(prepared: WindowsMachine, cluster: Cluster) -> None:
    master = prepared.network.machine_at("127.160.0.11")
    assert master is not None
    faults.apply(master, Faults(), "lasting-token", None)
    secrets = cluster.client().list("secrets", "kube-system")
    assert [
        one for one in secrets if "description" in one["data"] and "expiration" not in one["data"]
    ]


def test_a_fault_says_for_which_machine_it_is(machine: WindowsMachine) -> None:
    with pytest.raises(faults.UnknownFault, match="for a Linux machine"):
        faults.apply(machine, Faults(), "expired-token", None)
    with pytest.raises(faults.UnknownFault, match="takes no value"):
        faults.apply(machine, Faults(), "expired-token", "3")
    with pytest.raises(faults.UnknownFault, match="no service kubelet"):
        faults.apply(machine, Faults(), "kubelet-off", None)
