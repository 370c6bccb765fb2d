"""Docker on a simulated Linux machine, beside what docker.io 20.10 says on a real Debian host."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.units import UnitError

from lab.tests.linux.conftest import run_on

SOURCE = "deb [trusted=yes] https://download.docker.com/linux/ubuntu bionic stable\n"


@pytest.fixture
def docker(network, tmp_path: Path) -> LinuxMachine:
    machine = LinuxMachine(
        "linuxmaster",
        "192.168.160.10",
        network,
        linux_software(),
        root=tmp_path / "root",
        distribution="bionic",
    )
    machine.write_file("/etc/apt/sources.list.d/docker.list", SOURCE)
    assert run_on(machine, "apt-get update").code == 0
    done = run_on(machine, "apt-get install -y docker-ce=18.06.3~ce~3-0~ubuntu")
    assert done.code == 0, done.err
    return machine


def restart(machine: LinuxMachine, config: object) -> str:
    """Restart Docker with a daemon.json, and return its last words ("" when it runs)."""
    text = config if isinstance(config, str) else json.dumps(config)
    machine.write_file("/etc/docker/daemon.json", text)
    try:
        machine.units.restart("docker.service")
    except UnitError:
        log = run_on(machine, "journalctl -u docker --no-pager").out.splitlines()
        return next(line for line in reversed(log) if "dockerd[" in line).partition("]: ")[2]
    return ""


def test_the_vendors_version_strings_are_offered_and_installed_as_named(docker):
    offered = run_on(docker, "apt-cache madison docker-ce").out
    assert "18.06.3~ce~3-0~ubuntu" in offered
    assert "5:20.10.24~3-0~ubuntu-bionic" in offered
    assert run_on(docker, "docker --version").out == "Docker version 18.06.3-ce, build d7080c1\n"


def test_daemon_json_decides_what_docker_does(docker):
    config = {
        "exec-opts": ["native.cgroupdriver=systemd"],
        "log-driver": "json-file",
        "log-opts": {"max-size": "100m"},
        "storage-driver": "overlay2",
    }
    form = "{{.CgroupDriver}} {{.LoggingDriver}} {{.Driver}}"
    assert run_on(docker, f"docker info --format '{form}'").out == "cgroupfs json-file overlay2\n"
    assert restart(docker, config) == ""
    assert run_on(docker, f"docker info --format '{form}'").out == "systemd json-file overlay2\n"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ({"nosuch": 1}, "the following directives don't match any configuration option: nosuch"),
        ({"log-driver": "paper"}, "no log driver named 'paper' is registered"),
        ({"mtu": 1400}, "not simulated in the lab: mtu in /etc/docker/daemon.json"),
    ],
)
def test_a_daemon_json_that_docker_does_not_take_ends_it_with_the_reason(docker, config, words):
    assert words in restart(docker, config)
    refused = run_on(docker, "docker ps")
    assert (refused.code, "Is the docker daemon running?" in refused.err) == (1, True)


def test_docker_closes_forwarding_when_it_turns_it_on(docker):
    assert run_on(docker, "iptables -S FORWARD").out.startswith("-P FORWARD DROP\n")
    assert run_on(docker, "sysctl -n net.ipv4.ip_forward").out == "1\n"
    assert "172.17.0.1/16" in run_on(docker, "ip -4 addr show dev docker0").out


def test_what_a_unit_adds_after_its_program_is_run(docker):
    docker.write_file(
        "/etc/systemd/system/docker.service.d/open.conf",
        "[Service]\nExecStartPost=/bin/sh -c 'iptables -w -P FORWARD ACCEPT'\n",
    )
    docker.units.restart("docker.service")
    assert run_on(docker, "iptables -S FORWARD").out.startswith("-P FORWARD ACCEPT\n")


def test_containers_without_a_name_get_names_that_no_other_has(docker, monkeypatch):
    monkeypatch.setattr("secrets.choice", lambda words: words[0])
    for _ in range(3):
        assert run_on(docker, "docker run hello-world").code == 0
    names = run_on(docker, "docker ps -a --format '{{.Names}}'").out.split()
    assert sorted(names) == ["brave_curie", "brave_curie1", "brave_curie2"]


def test_a_container_runs_and_is_gone_with_rm(docker):
    first = run_on(docker, "docker run --rm hello-world")
    assert "Hello from Docker!" in first.out
    assert "Unable to find image 'hello-world:latest' locally" in first.err
    assert "Unable to find" not in run_on(docker, "docker run --rm hello-world").err
    assert run_on(docker, "docker ps -aq").out == ""


def test_a_container_in_the_background_is_listed_stopped_and_removed(docker):
    started = run_on(docker, "docker run -d --name one busybox sleep 100")
    identifier = started.out.strip()
    assert run_on(docker, "docker ps -q").out == f"{identifier[:12]}\n"
    shown = run_on(docker, "docker ps --format '{{.Names}} {{.Image}}'")
    assert shown.out == "one busybox\n"
    taken = run_on(docker, "docker run -d --name one busybox sleep 100")
    assert taken.code == 125
    assert 'The container name "/one" is already in use' in taken.err
    assert "You cannot remove a running container" in run_on(docker, "docker rm one").err
    assert run_on(docker, "docker exec one hostname").code == 0
    assert run_on(docker, "docker stop one").out == "one\n"
    assert run_on(docker, "docker inspect --format '{{.State.Status}}' one").out == "exited\n"
    assert run_on(docker, "docker rm one").out == "one\n"


def test_images_are_pulled_tagged_saved_and_loaded(docker):
    pulled = run_on(docker, "docker pull k8s.gcr.io/pause:3.1")
    assert "Status: Downloaded newer image for k8s.gcr.io/pause:3.1" in pulled.out
    assert run_on(docker, "docker tag k8s.gcr.io/pause:3.1 site.example/pause:1").code == 0
    names = run_on(docker, "docker images --format '{{.Repository}}:{{.Tag}}'").out.split()
    assert names == ["k8s.gcr.io/pause:3.1", "site.example/pause:1"]
    assert run_on(docker, "docker save -o /root/p.tar site.example/pause:1").code == 0
    assert run_on(docker, "docker rmi site.example/pause:1").out == (
        "Untagged: site.example/pause:1\n"
    )
    assert run_on(docker, "docker load -i /root/p.tar").out == (
        "Loaded image: site.example/pause:1\n"
    )


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("docker image inspect nosuch", 1, "Error: No such image: nosuch"),
        ("docker rm nosuch", 1, "Error: No such container: nosuch"),
        ("docker stop nosuch", 1, "Error response from daemon: No such container: nosuch"),
        ("docker rmi nosuch", 1, "Error: No such image: nosuch"),
        ("docker foo", 1, "docker: 'foo' is not a docker command."),
        ("docker pull nope.example/x:1", 1, 'Get "https://nope.example/v2/": dial tcp: lookup'),
    ],
)
def test_failures_are_told_in_dockers_words(docker, line, code, words):
    found = run_on(docker, line)
    assert found.code == code
    assert words in found.err


def test_an_ordinary_user_needs_the_group(docker):
    refused = run_on(docker, "docker ps", user="ubuntu")
    assert refused.code == 1
    assert "permission denied" in refused.err
    groups = docker.read_text("/etc/group")
    docker.write_file("/etc/group", re.sub(r"(?m)^(docker:x:\d+:)$", r"\1ubuntu", groups))
    assert run_on(docker, "docker ps", user="ubuntu").code == 0


def test_a_template_may_loop_choose_and_call_functions(docker):
    run_on(docker, "docker pull busybox")
    template = (
        '{{range .RepoTags}}<{{.}}>{{end}} {{if eq .Os "linux"}}L{{else}}W{{end}}'
        " {{json .Config.Cmd}} {{index .RepoTags 0 | upper}} {{len .RepoTags}}"
    )
    found = run_on(docker, f"docker inspect --format '{template}' busybox")
    assert found.out == "<busybox:latest> L null BUSYBOX:LATEST 1\n"
    wrong = run_on(docker, "docker inspect --format '{{.NoSuch}}' busybox")
    assert wrong.code == 1
    assert 'map has no entry for key "NoSuch"' in wrong.err


def test_the_static_archive_runs_from_a_unit_written_by_hand(network, tmp_path: Path):
    machine = LinuxMachine(
        "host", "192.168.160.11", network, linux_software(), root=tmp_path / "host"
    )
    from k8swin_lab.internet.binaries import stand_in

    for name in ("docker", "dockerd"):
        machine.write_file(f"/usr/local/bin/{name}", stand_in(name, "20.10.24"), 0o755)
    machine.write_file(
        "/etc/systemd/system/docker.service",
        "[Service]\nType=notify\nExecStart=/usr/local/bin/dockerd --exec-opt native.cgroupdriver=systemd\n",
    )
    machine.units.start("docker.service")
    shown = run_on(machine, "docker info --format '{{.ServerVersion}} {{.CgroupDriver}}'")
    assert shown.out == "20.10.24 systemd\n"


def test_the_name_filter_is_a_pattern_that_can_be_anchored(docker: LinuxMachine):
    for name in ("my_k8s_db", "k8s_POD_x"):
        assert run_on(docker, f"docker run -d --name {name} busybox sleep 100").code == 0
    listed = "docker ps -a --format '{{.Names}}' --filter name="
    assert set(run_on(docker, listed + "k8s_").out.split()) == {"my_k8s_db", "k8s_POD_x"}
    assert run_on(docker, listed + "^/k8s_").out.split() == ["k8s_POD_x"]
    run_on(docker, "docker rm -f my_k8s_db k8s_POD_x")
