from __future__ import annotations

import hashlib

import pytest
from k8swin_lab.machines.installed import compare
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.network import HttpRequest, HttpResponse, Network

KEY = "https://pkgs.k8s.io/core:/stable:/v1.36/deb/Release.key"
SOURCE = "deb [signed-by=/etc/apt/keyrings/k.gpg] https://pkgs.k8s.io/core:/stable:/v1.36/deb/ /\n"


@pytest.fixture
def with_source(machine: LinuxMachine, run):
    assert run(f"curl -fsSL -o /tmp/key {KEY}").code == 0
    assert run("gpg --dearmor -o /etc/apt/keyrings/k.gpg /tmp/key").code == 0
    machine.write_file("/etc/apt/sources.list.d/k.list", SOURCE)
    assert run("apt-get update -q").code == 0
    return machine


def test_gpg_shows_the_primary_key_of_a_file_and_imports_nothing(run):
    show = "gpg --batch --with-colons --import-options show-only --import"
    assert run(f"curl -fsSL -o /tmp/key {KEY}").code == 0
    found = run(f"{show} /tmp/key")
    assert found.code == 0
    assert "fpr:::::::::DE15B14486CD377B9E876E1A234654DA9A296436:" in found.out.splitlines()
    assert found.out.splitlines()[0].startswith("pub:-:4096:1:234654DA9A296436:")
    assert run(f"{show} /etc/hostname").code == 2
    with pytest.raises(NotSimulated):
        run("gpg --import /tmp/key")


def test_nothing_is_known_of_packages_before_the_lists_are_read(run):
    found = run("apt-get install -y socat")
    assert (found.code, found.err) == (100, "E: Unable to locate package socat\n")


def test_a_source_is_refused_while_its_key_is_missing(machine, run):
    machine.write_file("/etc/apt/sources.list.d/k.list", SOURCE)
    found = run("apt-get update")
    assert found.code == 100
    assert "NO_PUBKEY 234654DA9A296436" in found.err


def test_a_source_that_cannot_be_resolved_is_a_warning_and_no_error(machine, run):
    machine.write_file("/etc/apt/sources.list", "deb https://nosuch.example/debian bookworm main\n")
    found = run("apt-get update")
    assert found.code == 0
    assert "Could not resolve 'nosuch.example'" in found.err


def test_a_repository_that_does_not_exist_has_no_release_file(machine, run):
    machine.write_file(
        "/etc/apt/sources.list", "deb https://pkgs.k8s.io/core:/stable:/v9.9/deb/ /\n"
    )
    found = run("apt-get update")
    assert found.code == 100
    assert "does not have a Release file." in found.err


def test_a_version_pattern_installs_the_newest_that_fits_and_what_it_needs(with_source, run):
    found = run("apt-get install -y kubeadm=1.36.3-*")
    assert found.code == 0, found.err
    assert "Selected version '1.36.3-1.1'" in found.out
    assert run("dpkg-query -W kubeadm kubelet conntrack").out == (
        "kubeadm\t1.36.3-1.1\nkubelet\t1.36.4-1.1\nconntrack\t1:1.4.7-1+b2\n"
    )
    assert run("kubeadm version -o short").out == "v1.36.3\n"


def test_dpkg_knows_what_a_packages_configuration_was_when_it_came(with_source, run):
    assert run("apt-get install -y -q kubelet").code == 0
    listed = run("dpkg-query -W -f '${Conffiles}\\n' kubelet").out
    assert listed.startswith("\n /etc/")
    path, md5 = listed.split()[:2]
    assert hashlib.md5(with_source.read_text(path).encode()).hexdigest() == md5
    assert run("dpkg-query -W -f '${Conffiles}' kubectl").out == ""


def test_an_unknown_version_is_named_as_apt_names_it(with_source, run):
    found = run("apt-get install -y kubelet=9.9*")
    assert (found.code, found.err) == (100, "E: Version '9.9*' for 'kubelet' was not found\n")


def test_held_packages_are_kept_until_changing_them_is_allowed(with_source, run):
    run("apt-get install -y kubectl=1.36.3-*")
    assert run("apt-mark hold kubectl").out == "kubectl set on hold.\n"
    assert "kept back" in run("apt-get upgrade -y").out
    refused = run("apt-get install -y kubectl=1.36.4-*")
    assert refused.code == 100
    assert "--allow-change-held-packages" in refused.err
    allowed = run("apt-get install -y --allow-change-held-packages kubectl=1.36.4-*")
    assert allowed.code == 0
    assert (
        run("dpkg-query -W -f '${Status} ${Version}' kubectl").out == "hold ok installed 1.36.4-1.1"
    )


def test_removing_a_package_takes_what_needs_it_along(with_source, run):
    run("apt-get install -y kubeadm")
    assert "kubeadm kubectl" in run("apt-get remove -y kubectl").out
    assert run("dpkg -s kubeadm").code == 1
    with pytest.raises(NotSimulated):
        run("kubeadm version")


def test_a_broken_download_is_not_unpacked(with_source, run, network: Network):
    real = network.origins["pkgs.k8s.io"]

    def damaged(request: HttpRequest) -> HttpResponse:
        answer = real(request)
        return HttpResponse(200, {}, answer.body[:-1]) if request.url.endswith(".deb") else answer

    network.origins["pkgs.k8s.io"] = damaged
    found = run("apt-get install -y kubectl")
    assert found.code == 100
    assert "Hash Sum mismatch" in found.err
    assert run("dpkg -s kubectl").code == 1


def test_only_root_changes_packages(run):
    found = run("apt-get update", user="ubuntu")
    assert found.code == 100
    assert "Permission denied" in found.err


def test_an_option_that_the_lab_does_not_know_is_named(run):
    with pytest.raises(NotSimulated, match="apt-get --nosuch"):
        run("apt-get install --nosuch x")


def test_upgrading_the_kernel_asks_for_a_reboot(machine, run):
    run("apt-get update")
    assert run("apt-get upgrade -y").code == 0
    assert machine.exists("/var/run/reboot-required")
    machine.reboot()
    assert not machine.exists("/var/run/reboot-required")


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("1.2-1", "1.10-1", -1),
        ("1.2~rc1", "1.2", -1),
        ("1:0.9", "2.0", 1),
        ("1.0", "1.0-0", 0),
        ("1.0+b1", "1.0", 1),
        ("2.3.4-1~debian.12~bookworm", "2.3.4-1", -1),
    ],
)
def test_versions_compare_as_dpkg_compares_them(one, other, order):
    assert compare(one, other) == order
    assert compare(other, one) == -order
