"""The lab as a whole: started, asked where it is, disturbed, and gone without a trace."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import winrm
import yaml
from k8swin_lab import cli, topology
from k8swin_lab.faults import UnknownFault
from k8swin_lab.home import Home, default_home
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network
from k8swin_lab.network import HttpResponse
from k8swin_lab.servers.listener import PortInUse

from lab.tests.servers.server_machines import build
from lab.tests.servers.waiting import connects, eventually

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    with free_network() as network:
        yield network


@pytest.fixture
def master(network: str) -> str:
    return network.replace("0/24", "10")


@pytest.fixture
def worker(network: str) -> str:
    return network.replace("0/24", "151")


@pytest.fixture
def lab(tmp_path: Path, network: str) -> Iterator[Lab]:
    with Lab(tmp_path / "home", topology.default(network), build=build) as running:
        yield running


@pytest.mark.wire
def test_its_status_is_enough_to_reach_every_machine(lab: Lab) -> None:
    status = json.loads(lab.home.status.read_text())
    names = [machine["name"] for machine in status["machines"]]
    assert names == ["linuxmaster", "winworker01", "winworker02"]

    assert _ssh(status, "whoami") == "ubuntu\n"
    for machine in status["machines"][1:]:
        for endpoint in (
            f"http://{machine['address']}:{machine['winrm_http_port']}/wsman",
            f"https://{machine['address']}:{machine['winrm_https_port']}/wsman",
        ):
            assert _winrm(status, machine, endpoint, "whoami") == b"Administrator\n"


@pytest.mark.wire
def test_machines_have_passwords_of_their_own(lab: Lab) -> None:
    status = json.loads(lab.home.status.read_text())
    first, second = status["machines"][1:]
    first["credential"] = second["credential"]

    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        _winrm(status, first, f"http://{first['address']}:55985/wsman", "whoami")


def test_its_folder_and_secrets_are_for_their_owner_only(lab: Lab) -> None:
    home = lab.home
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    for path in (home.identity, home.password_file("winworker01"), home.known_hosts):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_stay_and_machines_are_fresh_on_the_next_start(
    tmp_path: Path, network: str
) -> None:
    kept = []
    for _ in range(2):
        with Lab(tmp_path, topology.default(network), build=build) as lab:
            root = lab.machines["linuxmaster"].root
            assert not (root / "tmp/left").exists()
            (root / "tmp/left").write_text("x")
            names = ("id_ed25519", "ca.pem", "winworker01.password", "known_hosts")
            kept.append([(tmp_path / name).read_bytes() for name in names])

    assert kept[0] == kept[1]


def test_a_broken_secret_is_made_anew(tmp_path: Path, network: str) -> None:
    home = Home(tmp_path)
    home.create()
    home.identity.write_text("not a key")
    home.ca.write_text("not a certificate")
    with Lab(home, topology.default(network), build=build):
        assert home.identity.read_text().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
        assert home.ca.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_nothing_listens_and_no_status_is_left_after_it_stops(
    tmp_path: Path, network: str, master: str, worker: str
) -> None:
    with Lab(tmp_path, topology.default(network), build=build):
        assert connects(master, 2222)

    assert not connects(master, 2222)
    assert not connects(worker, 55986)
    assert not (tmp_path / "status.json").exists()
    assert not (tmp_path / "machines").exists()


def test_a_port_in_use_is_named_and_nothing_stays_open(
    tmp_path: Path, network: str, master: str
) -> None:
    with socket.create_server((network.replace("0/24", "152"), 55986)):
        with (
            pytest.raises(PortInUse, match=r"152:55986: another program .* --network"),
            Lab(tmp_path, topology.default(network), build=build),
        ):
            pass
        assert not connects(master, 2222)


@pytest.mark.wire
@pytest.mark.parametrize("api_port", [6443, 7443])
def test_a_node_port_is_answered_on_every_node_and_closed_with_its_service(
    lab: Lab, master: str, worker: str, api_port: int
) -> None:
    ports = {30080: ("default", "web", 80)}
    nodes = [{"status": {"addresses": [{"address": worker}]}}]
    cluster = SimpleNamespace(
        node_ports=lambda: ports, client=lambda: SimpleNamespace(list=lambda resource: nodes)
    )
    running = lab._running["linuxmaster"]

    def http(source: Any, request: Any, *, timeout: float = 30) -> HttpResponse:
        return HttpResponse(200, {"X-Method": request.method}, f"{request.url}".encode())

    lab.network.http = http  # type: ignore[method-assign]
    url = f"http://{worker}:30080/path?x=1"
    _serve(lab, running, api_port, cluster)
    eventually(lambda: connects(worker, 30080))
    answer = requests.post(url, timeout=100)
    assert (answer.text, answer.headers["X-Method"]) == (url, "POST")
    assert not connects(master, 30080)

    ports.clear()
    eventually(lambda: not connects(worker, 30080))


@pytest.mark.wire
@pytest.mark.parametrize(("server", "api_port"), [("{}", 6443), ("api.site.example", 7443)])
def test_the_kubeconfig_appears_with_the_cluster_and_is_the_machines_own(
    lab: Lab, master: str, api_port: int, server: str
) -> None:
    running = lab._running["linuxmaster"]
    assert not lab.home.kubeconfig.exists()
    folder = running.machine.root / "etc/kubernetes"
    folder.mkdir()
    (folder / "admin.conf").write_text(f"server: https://{server.format(master)}:{api_port}\n")
    cluster = SimpleNamespace(
        node_ports=dict, client=lambda: SimpleNamespace(list=lambda resource: [])
    )
    _serve(lab, running, api_port, cluster)

    eventually(lab.home.kubeconfig.exists)
    assert lab.home.kubeconfig.read_text() == f"server: https://{master}:{api_port}\n"


@pytest.mark.wire
def test_faults_are_set_and_ended_by_name(lab: Lab, worker: str) -> None:
    lab.fault("winworker01", "refuse")
    eventually(lambda: not connects(worker, 55985))
    lab.fault("winworker01", "none")
    eventually(lambda: connects(worker, 55985))

    lab.fault("winworker01", "silent")
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"http://{worker}:55985/wsman", timeout=(100, 0.3))
    lab.fault("winworker01", "none")

    lab.fault("winworker01", "drop", "1")
    with pytest.raises(requests.ConnectionError):
        requests.post(f"http://{worker}:55985/wsman", timeout=100)
    assert requests.post(f"http://{worker}:55985/wsman", timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("machine", "name", "value", "text"),
    [
        ("nobody", "refuse", None, "no machine `nobody`; there are linuxmaster"),
        ("linuxmaster", "burn", None, "unknown fault `burn`; known are refuse"),
        ("linuxmaster", "drop", "x", "`x` is not a number"),
        ("linuxmaster", "refuse", "1", "takes no value"),
    ],
)
def test_an_unknown_fault_names_those_there_are(
    lab: Lab, machine: str, name: str, value: str | None, text: str
) -> None:
    with pytest.raises(UnknownFault, match=text):
        lab.fault(machine, name, value)


def test_without_further_loopback_addresses_machines_share_one_on_distinct_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topology, "can_bind", lambda address: address == "127.0.0.1")

    placed = topology.placed(topology.default())

    assert {spec.bound for spec in placed} == {"127.0.0.1"}
    ports = [(spec.ssh_port, spec.winrm_http_port, spec.winrm_https_port) for spec in placed]
    assert ports == [(2222, 55985, 55986), (2223, 55995, 55996), (2224, 56005, 56006)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("machines: []", "expected a list under `machines`"),
        ("machines: [{name: a, os: linux}]", "`address` is missing"),
        ("machines: [{name: a, os: mac, address: 127.0.0.2}]", "expected linux or windows"),
        ("machines: [{name: a, os: linux, address: 10.0.0.1}]", "not a loopback address"),
        ("machines: [{name: a, os: linux, address: 10.0.0.1, outside: true}]", "for a Windows"),
        (
            "machines: [{name: a, os: windows, address: 127.0.0.2, outside: true}]",
            "of this computer",
        ),
        ("machines: [{name: a, os: linux, address: 127.0.0.2, x: 1}]", "unknown key `x`"),
        ("machines: [{name: abcdefghijklmnop, os: windows, address: 127.0.0.2}]", "more than 15"),
        (
            "machines: [{name: a, os: linux, address: 127.0.0.2},"
            " {name: b, os: linux, address: 127.0.0.2}]",
            "two machines have the address 127.0.0.2",
        ),
    ],
)
def test_a_topology_that_cannot_be_says_what_is_wrong(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "topology.yaml"
    path.write_text(text)

    with pytest.raises(topology.TopologyError, match=message):
        topology.load(path)


def test_a_machine_outside_has_an_address_of_this_computer(tmp_path: Path) -> None:
    path = tmp_path / "topology.yaml"
    path.write_text("machines: [{name: a, os: windows, address: 192.0.2.1, outside: true}]")
    (spec,) = topology.load(path)
    assert spec.outside
    with pytest.raises(topology.TopologyError, match=r"does not have 192\.0\.2\.1"):
        topology.placed([spec])


def test_the_folder_belongs_to_the_project_that_holds_lab_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("K8SWIN_LAB_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    inner = tmp_path / "project/notebooks"
    inner.mkdir(parents=True)
    assert default_home(inner) == tmp_path / "state/k8swin/lab"

    (tmp_path / "project/params").mkdir()
    (tmp_path / "project/params/lab.yaml").touch()
    assert default_home(inner) == tmp_path / "project/.k8swin/lab"

    monkeypatch.setenv("K8SWIN_LAB_HOME", str(tmp_path / "named"))
    assert default_home(inner) == tmp_path / "named"


def test_status_and_down_without_a_lab_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--home", str(tmp_path / "none")]

    assert cli.main(["status", "--json", *where]) == 3
    assert cli.main(["down", *where]) == 0
    assert "start one: k8swin lab up" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_network_that_is_none_is_an_error_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["up", "--home", str(tmp_path / "h"), "--network", "127.1"]) == 1
    assert "expected one such as 127.161.0.0/24" in capsys.readouterr().err


@pytest.mark.wire
def test_a_lab_says_which_description_is_of_its_machines(lab: Lab) -> None:
    told = cli._hints(lab.home, lab.status()).splitlines()[-1]
    description = Path(told.removeprefix("k8swin run --params "))
    hosts = yaml.safe_load(description.read_text())["hosts"]
    assert [host["address"] for host in hosts] == [spec.address for spec in lab.specs]


class Daemon:
    """A lab in a process of its own."""

    def __init__(self, home: Path, network: str) -> None:
        self.home = home
        arguments = ["up", "--foreground", "--home", str(home), "--network", network]
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fake_lab.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"


@pytest.fixture
def daemon(tmp_path: Path, network: str) -> Iterator[Daemon]:
    started = Daemon(tmp_path / ("long" * 30) / "home", network)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
    started.process.communicate(timeout=100)


@pytest.mark.wire
def test_a_lab_is_found_disturbed_and_stopped_from_another_process(
    daemon: Daemon, capsys: pytest.CaptureFixture[str], master: str, worker: str
) -> None:
    where = ["--home", str(daemon.home)]
    assert cli.main(["status", "--json", *where]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["kubeconfig"] == str(daemon.home / "kubeconfig")
    assert _ssh(status, "echo hi") == "hi\n"
    assert all(machine["not_simulated"] == {} for machine in status["machines"])

    assert cli.main(["up", *where]) == 0
    assert "already up" in capsys.readouterr().out

    assert cli.main(["fault", "winworker01", "refuse", *where]) == 0
    eventually(lambda: not connects(worker, 55985))
    assert cli.main(["fault", "winworker01", "burn", *where]) == 1
    assert "unknown fault `burn`" in capsys.readouterr().err

    assert cli.main(["down", *where]) == 0
    assert daemon.process.wait(100) == 0
    assert cli.main(["status", *where]) == 3
    assert not connects(master, 2222)


@pytest.mark.wire
def test_a_lab_ends_when_its_folder_is_removed(daemon: Daemon) -> None:
    shutil.rmtree(daemon.home)

    assert daemon.process.wait(100) == 0
    assert not daemon.home.exists()


@pytest.mark.wire
def test_a_lab_that_was_killed_is_not_taken_for_a_running_one(daemon: Daemon) -> None:
    daemon.process.kill()
    daemon.process.wait(100)
    where = ["--home", str(daemon.home)]

    assert (daemon.home / "status.json").exists()
    assert cli.main(["status", *where]) == 3
    assert cli.main(["down", *where]) == 0
    assert not (daemon.home / "status.json").exists()


class _Nothing:
    async def stop(self) -> None:
        return None


def _serve(lab: Lab, running: Any, port: int, cluster: Any) -> None:
    """Let a machine serve a cluster's API; in the lab's own thread, which else would see half of it."""

    async def at_once() -> None:
        running.machine.listening[port] = SimpleNamespace(cluster=cluster)
        running.opened["api", port] = _Nothing()
        running.cluster = cluster

    lab._wait(at_once(), 100)


def _ssh(status: dict[str, Any], command: str) -> str:
    if shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client on PATH")
    machine = status["machines"][0]
    options = ["-F", "none", "-i", machine["identity"], "-p", str(machine["ssh_port"])]
    options += ["-o", f"UserKnownHostsFile={status['known_hosts']}", "-o", "BatchMode=yes"]
    options += ["-o", "StrictHostKeyChecking=yes"]
    where = f"{machine['user']}@{machine['address']}"
    done = subprocess.run(
        ["ssh", *options, where, command], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _winrm(status: dict[str, Any], machine: dict[str, Any], endpoint: str, line: str) -> bytes:
    protocol = winrm.Protocol(
        endpoint,
        transport="ntlm",
        username=machine["user"],
        password=Path(machine["credential"].removeprefix("file:")).read_text(),
        message_encryption="always" if endpoint.startswith("http:") else "auto",
        ca_trust_path=status["ca"] if endpoint.startswith("https:") else None,
        proxy=None,
    )
    shell = protocol.open_shell()
    output: bytes = protocol.get_command_output(shell, protocol.run_command(shell, line))[0]
    protocol.close_shell(shell)
    return output
