from __future__ import annotations

import pytest
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated


@pytest.mark.parametrize(
    ("url", "code", "text"),
    [
        ("https://nosuch.example/", 6, "Could not resolve host: nosuch.example"),
        ("http://127.0.0.1:9/", 7, "Failed to connect to 127.0.0.1 port 9 after 0 ms"),
        ("https://dl.k8s.io/release/v9.9.9/bin/linux/amd64/kubeadm", 22, "returned error: 404"),
        ("ftp://dl.k8s.io/", 1, 'Protocol "ftp" not supported'),
        ("http://192.168.160.77/", 7, "Couldn't connect to server"),
        ("http://127.0.0.1:22/", 1, "Received HTTP/0.9 when not allowed"),
    ],
)
def test_curl_fails_with_its_own_code_and_words(run, url, code, text):
    found = run(f"curl -fsS {url}")
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith(f"curl: ({code}) ")
    assert text in found.err


def test_curl_is_silent_when_asked_to_be(run):
    assert run("curl -s http://127.0.0.1:9/").err == ""


def test_redirects_are_followed_only_when_asked(run):
    url = "https://github.com/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-linux-amd64.tar.gz"
    assert run(f"curl -s -o /dev/null -w '%{{http_code}}' {url}").out == "302"
    found = run(f"curl -sL -o /root/c.tgz -w '%{{http_code}} %{{num_redirects}}\\n' {url}")
    assert found.out == "200 1\n"


def test_a_download_has_the_hash_that_is_published(machine: LinuxMachine, run):
    import hashlib

    base = "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubeadm"
    run(f"curl -fsSLO {base}")
    published = run(f"curl -fsSL {base}.sha256").out
    assert hashlib.sha256(machine.path("/root/kubeadm").read_bytes()).hexdigest() == published


def test_wget_writes_where_it_is_told(machine: LinuxMachine, run):
    assert run("wget -qO- https://dl.k8s.io/release/stable-1.36.txt").out == "v1.36.4"
    assert run("wget -q https://dl.k8s.io/release/v1.36.99/bin/linux/amd64/kubeadm").code == 8


def test_a_proxy_is_not_pretended(run):
    with pytest.raises(NotSimulated, match="curl -x"):
        run("curl -x http://proxy:3128 https://dl.k8s.io/")


def test_a_machine_that_is_off_does_not_answer(network, machine: LinuxMachine, run, tmp_path):
    other = LinuxMachine(
        "other", "192.168.160.11", network, linux_software(), root=tmp_path / "other"
    )
    assert run("ping -c 1 other").code == 0
    other.shut_down()
    assert run("ping -c 1 other").code == 1
    other.start_up()
    assert run("ping -c 1 -q 192.168.160.11").code == 0


def test_the_hosts_file_comes_first(machine: LinuxMachine, run):
    machine.write_file("/etc/hosts", "192.168.160.99 dl.k8s.io\n")
    assert run("getent hosts dl.k8s.io").out.split() == ["192.168.160.99", "dl.k8s.io"]
    assert "192.168.160.99" not in run("getent -s dns hosts dl.k8s.io").out
    assert run("curl -s https://dl.k8s.io/").code == 7
