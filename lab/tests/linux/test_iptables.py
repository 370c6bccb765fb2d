"""iptables: what was set is listed, and a restore changes a table as a whole."""

import io
import threading

import pytest
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process

from lab.tests.linux.conftest import run_on


@pytest.fixture
def host(network, tmp_path) -> LinuxMachine:
    return LinuxMachine(
        "host",
        "192.168.160.10",
        network,
        linux_software(),
        root=tmp_path / "root",
        distribution="bionic",
    )


def test_the_version_says_the_backend_from_1_8_on(host, prepared):
    assert run_on(host, "iptables -V").out == "iptables v1.6.1\n"
    assert run_on(prepared, "iptables -V").out == "iptables v1.8.9 (nf_tables)\n"


def test_rules_are_added_checked_and_deleted(host):
    assert run_on(host, "iptables -C FORWARD -s 10.0.0.0/8 -j ACCEPT").code == 1
    assert run_on(host, "iptables -A FORWARD -s 10.0.0.0/8 -j ACCEPT").code == 0
    assert run_on(host, "iptables -I FORWARD 1 -j DROP").code == 0
    assert run_on(host, "iptables -S FORWARD").out == (
        "-P FORWARD ACCEPT\n-A FORWARD -j DROP\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n"
    )
    assert run_on(host, "iptables -D FORWARD 1").code == 0
    assert run_on(host, "iptables -C FORWARD -s 10.0.0.0/8 -j ACCEPT").code == 0


def test_a_chain_in_use_or_with_rules_cannot_be_deleted(host):
    run_on(host, "iptables -N OWN")
    run_on(host, "iptables -A INPUT -j OWN")
    assert "Too many links" in run_on(host, "iptables -X OWN").err
    run_on(host, "iptables -D INPUT -j OWN")
    run_on(host, "iptables -A OWN -j RETURN")
    assert "Directory not empty" in run_on(host, "iptables -X OWN").err
    run_on(host, "iptables -F OWN")
    assert run_on(host, "iptables -X OWN").code == 0


def test_the_two_families_are_apart(host):
    run_on(host, "iptables -P FORWARD DROP")
    assert run_on(host, "ip6tables -S FORWARD").out == "-P FORWARD ACCEPT\n"


def test_a_restore_that_fails_changes_nothing_of_its_table(host):
    run_on(host, "iptables -N KUBE-X")
    run_on(host, "iptables -A INPUT -j KUBE-X")
    before = run_on(host, "iptables-save").out
    bad = "*filter\n-F KUBE-X\n-X KUBE-X\nCOMMIT\n"
    assert run_on(host, "iptables-restore --noflush", stdin=bad).code == 1
    assert run_on(host, "iptables-save").out == before
    good = "*filter\n-D INPUT -j KUBE-X\n-F KUBE-X\n-X KUBE-X\nCOMMIT\n"
    assert run_on(host, "iptables-restore --noflush", stdin=good).code == 0
    assert "KUBE-X" not in run_on(host, "iptables-save").out


class Slow(io.BytesIO):
    """Input that comes from a command which needs the machine as well."""

    def __init__(self, machine: LinuxMachine) -> None:
        super().__init__()
        self.machine = machine

    def read(self, size: int | None = -1) -> bytes:
        asked = threading.Thread(target=run_on, args=(self.machine, "iptables-save"))
        asked.start()
        asked.join(100)
        assert not asked.is_alive(), "iptables-save waits for the restore that waits for it"
        return b""


def test_a_restore_that_reads_from_a_save_lets_it_work(host):
    process = Process(
        host, ["iptables-restore"], {}, "/", "root", Slow(host), io.BytesIO(), io.BytesIO()
    )
    assert host.run_program(process) == 0


def test_only_root_sees_the_rules(host):
    refused = run_on(host, "iptables -S", user="ubuntu")
    assert (refused.code, "you must be root" in refused.err) == (3, True)
