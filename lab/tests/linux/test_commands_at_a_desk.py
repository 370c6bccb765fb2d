"""What people type on a server to look at it: docs/lab.md names these commands."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from k8swin_lab.machines.linux import LinuxMachine

from lab.tests.linux.conftest import run_on


def comes(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 100
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("free", r"Mem: +4194304 +\d+ +\d+ +\d+ +\d+ +\d+\nSwap: +0 +0 +0\n"),
        ("free -h", r"Mem: +4\.0Gi +\d+Mi .*\nSwap: +0B +0B +0B\n"),
        ("uptime -p", r"^up \d+ minutes?\n"),
        ("lscpu", r"\nCPU\(s\): +2\n"),
        ("df -h /", r"\n/dev/sda1 +39G +\S+ +\S+ +\d+% /\n"),
        ("timedatectl", r"System clock synchronized: no\n"),
        ("hostnamectl", r"Operating System: Debian GNU/Linux 12 \(bookworm\)\n"),
        ("nproc", r"^2\n$"),
        ("ip -br addr", r"\neth0 +UP +192\.168\.160\.10/24 \n"),
        ("ip -j link", r'^\[\{"ifindex":1,"ifname":"lo",.*"ifname":"eth0"'),
        ("ip -j addr show dev eth0", r'"local":"192\.168\.160\.10","prefixlen":24'),
        ("ip route get 10.96.0.1", r"^10\.96\.0\.1 via 192\.168\.160\.1 dev eth0 src 192"),
        ("systemctl cat kubelet", r"^# /lib/systemd/system/kubelet\.service\n\[Unit\]\n"),
        ("systemctl status kubelet", r"Active: active \(running\) since .* ago\n"),
        ("systemctl list-unit-files", r"\nkubelet\.service +enabled +enabled\n"),
        ("systemctl is-system-running", r"^running\n$"),
        ("dpkg -l kubeadm", r"\nii  kubeadm +1\.36\.4-1\.1 +amd64 "),
        ("dpkg -L kubeadm", r"\n/usr/bin/kubeadm\n"),
        ("dpkg -S /usr/bin/kubeadm", r"^kubeadm: /usr/bin/kubeadm\n$"),
        ("apt list --installed", r"\nkubeadm/now 1\.36\.4-1\.1 amd64 \[installed,local\]\n"),
        ("apt-cache policy kubeadm", r"  Installed: 1\.36\.4-1\.1\n  Candidate: 1\.36\.4-1\.1\n"),
        ("apt-get clean", r"^$"),
        ("apt-get check", r"Building dependency tree"),
        ("apt-get autoremove -y", r"0 upgraded, 0 newly installed, 0 to remove"),
        ("crictl images", r"\nregistry\.k8s\.io/etcd +3\.6\.8-0 +[0-9a-f]{13} +\S+MB\n"),
        ("crictl ps", r" Running +etcd +0 "),
        ("crictl pods", r" Ready +etcd-linuxmaster +kube-system +0 "),
        ("crictl inspecti registry.k8s.io/pause:3.10.2", r'"registry\.k8s\.io/pause:3\.10\.2"'),
        ("kubeadm certs check-expiration", r"\napiserver +\S+ \d+, \d+ .* UTC +36[45]d +ca +no"),
        ("kubeadm config print init-defaults", r"kind: InitConfiguration\n"),
        ("kubeadm config print join-defaults", r"kind: JoinConfiguration\n"),
        ("openssl rand -hex 4", r"^[0-9a-f]{8}\n$"),
        (
            "openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -subject -dates",
            r"^subject=CN = kubernetes\nnotBefore=.* GMT\nnotAfter=.* GMT\n$",
        ),
        ("iptables -L -n", r"^Chain INPUT \(policy ACCEPT\)\ntarget +prot opt source"),
    ],
)
def test_a_server_is_looked_at(cluster: LinuxMachine, line, pattern):
    found = run_on(cluster, line)
    assert found.code == 0, found.err
    assert re.search(pattern, found.out), found.out


@pytest.mark.parametrize(
    ("verb", "code"), [("reload-or-restart", 0), ("try-restart", 0), ("reload", 1)]
)
def test_a_service_is_restarted_or_told_to_read_its_settings(run, verb, code):
    done = run(f"systemctl {verb} cron")
    assert done.code == code, done.err
    assert ("Job type reload is not applicable" in done.err) == (verb == "reload")
    assert run("systemctl is-active cron").out == "active\n"


def test_an_image_is_pulled_and_removed(prepared: LinuxMachine):
    image = "registry.k8s.io/pause:3.10"
    assert "Image is up to date for sha256:" in run_on(prepared, f"crictl pull {image}").out
    assert run_on(prepared, f"crictl rmi {image}").out == f"Deleted: {image}\n"
    assert image not in run_on(prepared, "crictl images").out


def test_a_containers_log_is_read(cluster: LinuxMachine):
    number = run_on(cluster, "crictl ps --name etcd -q").out.strip()
    assert run_on(cluster, f"crictl logs {number}").code == 0


def test_a_route_comes_and_goes(run):
    assert run("ip route add 10.99.0.0/16 via 192.168.160.1").code == 0
    assert '{"dst":"10.99.0.0/16","gateway":"192.168.160.1"' in run("ip -j route").out
    assert run("ip route del 10.99.0.0/16").code == 0
    assert "10.99" not in run("ip route").out


def test_a_route_over_several_gateways_has_a_line_for_each(run):
    ways = "nexthop via 192.168.160.1 dev eth0 nexthop via 192.168.160.254 dev eth0"
    assert run(f"ip route replace 10.99.0.0/16 {ways}").code == 0
    assert (
        "10.99.0.0/16 \n\tnexthop via 192.168.160.1 dev eth0 weight 1 "
        "\n\tnexthop via 192.168.160.254 dev eth0 weight 1 \n"
    ) in run("ip route").out
    assert (
        '"nexthops":[{"gateway":"192.168.160.1","dev":"eth0","weight":1' in run("ip -j route").out
    )
    assert run("ip route del 10.99.0.0/16").code == 0


def test_a_certificate_is_verified_by_the_authority_that_signed_it(cluster: LinuxMachine):
    pki = "/etc/kubernetes/pki"
    ours = run_on(cluster, f"openssl verify -CAfile {pki}/ca.crt {pki}/apiserver.crt")
    assert (ours.code, ours.out) == (0, f"{pki}/apiserver.crt: OK\n")
    other = run_on(cluster, f"openssl verify -CAfile {pki}/front-proxy-ca.crt {pki}/apiserver.crt")
    assert other.code == 2
    assert "unable to get local issuer certificate" in other.err


def test_a_module_is_loaded_and_taken_out(run):
    assert run("modprobe br_netfilter").code == 0
    assert "br_netfilter" in run("lsmod").out
    assert run("rmmod br_netfilter").code == 0
    assert "br_netfilter" not in run("lsmod").out


@pytest.mark.parametrize("line", ["reboot", "systemctl reboot", "shutdown -r now"])
def test_a_reboot_is_a_new_boot(machine: LinuxMachine, run, line):
    before = machine.boot_id
    assert run(line).code == 0
    assert comes(lambda: machine.boot_id != before)
    machine.shut_down()


@pytest.mark.parametrize("line", ["poweroff", "systemctl poweroff", "shutdown now"])
def test_a_machine_is_switched_off(machine: LinuxMachine, run, line):
    assert run(line).code == 0
    assert comes(lambda: not machine.powered_on)
