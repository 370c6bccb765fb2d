"""Snapshots of running labs: taken, listed, brought back again and again, and gone with the lab."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from k8swin_lab import control, snapshots
from k8swin_lab.home import Home

from lab.tests.servers.waiting import connects, eventually
from lab.tests.snapshots.conftest import Client, children, of_home

pytestmark = pytest.mark.wire


def serves(client: Client) -> bool:
    """Whether the pod's program answers, asked from the worker."""
    address = client.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
    line = f"curl.exe -s http://{address}/; exit 0"
    return "good day" in client.winrm(line)


def running(*words: str) -> bool:
    """Whether a program with this command line runs on this computer."""
    wanted = b"".join(word.encode() + b"\0" for word in words)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return wanted in found


def ready(client: Client) -> list[str]:
    return [line.split()[1] for line in client.kubectl("get", "nodes", "--no-headers").splitlines()]


def test_a_cluster_comes_back_as_it_was_and_behaves(built: Client) -> None:
    boot = built.winrm("(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks")
    before = built.kubectl(
        "get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].containerID}"
    )
    built.ssh("sudo touch /root/after; sudo rm -rf /etc/kubernetes/manifests")
    built.winrm(
        r"Set-Content C:\after.txt x; Stop-Service kubelet -Force; Stop-Service flanneld -Force"
    )
    built.kubectl("delete", "pod", "web", "--wait=false", "--grace-period=0", "--force")
    for _ in range(2):
        built.lab("restore", "built")
        statuses = ready(built)
        assert statuses.count("Ready") >= 1
        assert "after" not in built.ssh("sudo ls /root")
        assert "kube-apiserver.yaml" in built.ssh("sudo ls /etc/kubernetes/manifests")
        for scheme in ("http", "https"):
            assert "False" in built.winrm(r"Test-Path C:\after.txt", scheme)
        assert built.winrm("(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks") == boot
        assert "Running" in built.winrm(
            "(Get-Service kubelet).Status; (Get-Service flanneld).Status"
        )
        assert (
            built.kubectl(
                "get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].containerID}"
            )
            == before
        )
        assert "'0'" in built.kubectl(
            "get", "pod", "web", "-o", "jsonpath='{.status.containerStatuses[0].restartCount}'"
        )
    eventually(lambda: serves(built))
    assert "serves" in built.kubectl("logs", "web")
    assert "winworker01" in built.kubectl("describe", "pod", "web")
    statuses = ready(built)
    eventually(lambda: ready(built)[-1] == "Ready")
    assert statuses[-1] == "Ready"  # it has never been anything else


def test_services_restart_and_a_worker_reboots_after_a_restore(built: Client) -> None:
    built.lab("restore", "built")
    before = built.winrm("(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks")
    built.winrm("Restart-Service kubelet -Force; Restart-Service flanneld -Force")
    eventually(lambda: ready(built)[-1] == "Ready")
    with contextlib.suppress(requests.ConnectionError):  # it may boot before it answers
        built.winrm("Restart-Computer -Force")

    def again() -> bool:
        try:
            return (
                built.winrm("(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.Ticks")
                != before
            )
        except Exception:  # the server is away while it boots
            return False

    eventually(again)
    eventually(lambda: ready(built)[-1] == "Ready")


def test_a_restored_lab_can_be_kept_again(built: Client) -> None:
    built.lab("restore", "built")
    built.ssh("echo second > /tmp/second")
    built.kubectl("create", "namespace", "second")
    built.lab("snapshot", "second")
    built.lab("restore", "built")
    assert "second" not in built.kubectl("get", "namespaces")
    built.lab("restore", "second")
    assert built.ssh("cat /tmp/second") == "second\n"
    assert "second" in built.kubectl("get", "namespaces")
    eventually(lambda: ready(built)[-1] == "Ready")


def test_who_is_connected_gets_an_error_and_no_hang(built: Client) -> None:
    built.lab("restore", "built")
    script = subprocess.Popen(built.ssh_command("echo begun; sleep 31415"), stdout=subprocess.PIPE)
    watch = subprocess.Popen(
        built.kubectl_command("get", "pods", "-A", "-w"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert script.stdout is not None
    assert watch.stdout is not None
    assert script.stdout.readline() == b"begun\n"
    assert watch.stdout.readline()
    built.lab("restore", "built")
    script.communicate(timeout=60)
    assert script.returncode == 255
    watch.communicate(timeout=60)
    eventually(lambda: not running("sleep", "31415"))


def test_connections_outlive_a_snapshot(built: Client) -> None:
    built.lab("restore", "built")
    watch = subprocess.Popen(
        built.kubectl_command("get", "namespaces", "-w", "--no-headers"), stdout=subprocess.PIPE
    )
    assert watch.stdout is not None
    assert watch.stdout.readline()
    built.lab("snapshot", "watched")
    built.kubectl("create", "namespace", "seen")
    for line in watch.stdout:
        if line.startswith(b"seen"):
            break
    else:
        pytest.fail("the watch ended with the snapshot")
    watch.terminate()
    watch.communicate(timeout=60)


def test_what_runs_is_named_and_keeps_the_lab_from_being_frozen(fresh: Client) -> None:
    script = subprocess.Popen(
        fresh.ssh_command("echo begun; cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert script.stdout is not None
    assert script.stdout.readline() == b"begun\n"
    said = fresh.lab("snapshot", "early", code=1)
    assert "does not come to rest" in said
    assert "linuxmaster: a command of ubuntu over SSH" in said
    assert "no snapshot" in fresh.lab("snapshots")
    assert list(fresh.home.snapshots.iterdir()) == []
    script.communicate(timeout=60)
    fresh.lab("snapshot", "early")
    assert json.loads(fresh.lab("snapshots", "--json"))[0]["name"] == "early"


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "-a", "x" * 41, "a b", ".hidden", "a\n"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(snapshots.SnapshotError, match="no name for a snapshot"):
        snapshots.find(Home(tmp_path), name)


def test_a_snapshot_that_is_not_there_is_refused_with_those_that_are(fresh: Client) -> None:
    fresh.lab("snapshot", "empty")
    said = fresh.lab("restore", "built", code=1)
    assert "no snapshot `built`" in said
    assert "there are empty" in said
    assert fresh.ssh("hostname") == "linuxmaster\n"


def test_a_snapshot_is_replaced_by_name(fresh: Client) -> None:
    fresh.ssh("echo 1 > /tmp/number")
    fresh.lab("snapshot", "one")
    fresh.ssh("echo 2 > /tmp/number")
    fresh.lab("snapshot", "one")
    fresh.ssh("echo 3 > /tmp/number")
    fresh.lab("restore", "one")
    assert fresh.ssh("cat /tmp/number") == "2\n"
    assert len(of_home(fresh.home.path)) == 2  # the lab, and one keeper


def test_faults_and_moods_are_as_they_were(fresh: Client) -> None:
    fresh.lab("site", "winworker01", "german")
    fresh.lab("fault", "winworker02", "refuse")
    fresh.lab("snapshot", "broken")
    second = fresh.status["machines"][2]
    fresh.lab("fault", "winworker02", "none")
    eventually(lambda: connects(second["address"], second["winrm_http_port"]))
    fresh.lab("restore", "broken")
    assert not connects(second["address"], second["winrm_http_port"])
    assert "de-DE" in fresh.winrm("(Get-Culture).Name")


def test_ten_restores_leave_nothing_behind(fresh: Client) -> None:
    fresh.ssh("true")
    fresh.lab("snapshot", "empty")
    temporary = fresh.home.path.parent / "temporary"

    def held() -> tuple[int, int, int, int]:
        fresh.ssh("true")
        pid = fresh.pid()
        return (
            len(list(Path(f"/proc/{pid}/fd").iterdir())),
            len(list(Path(f"/proc/{pid}/task").iterdir())),
            len(list(temporary.iterdir())),
            len(of_home(fresh.home.path)),
        )

    fresh.lab("restore", "empty")
    first, pids = held(), set()
    for _ in range(10):
        pids.add(fresh.pid())
        control.ask(fresh.home.control, {"command": "restore", "name": "empty"}, 60)
    eventually(lambda: not children(pids))
    eventually(lambda: held() == first)
    names = {path.name for path in fresh.home.path.iterdir() if path.name.startswith(".")}
    assert names == set()


def test_snapshots_end_with_the_lab(fresh: Client) -> None:
    ends: list[tuple[bool, Callable[[], object]]] = [
        (True, lambda: fresh.lab("down")),
        (False, lambda: os.kill(fresh.pid(), signal.SIGTERM)),
        (True, lambda: os.kill(fresh.pid(), signal.SIGKILL)),
    ]
    network = fresh.status["machines"][0]["address"].rpartition(".")[0] + ".0/24"
    for restored, end in ends:
        fresh.lab("up", "--network", network)
        fresh.lab("snapshot", "one")
        fresh.lab("snapshot", "two")
        if restored:
            fresh.lab("restore", "one")
        pids = of_home(fresh.home.path)
        assert len(pids) == 3
        end()
        eventually(lambda pids=pids: not children(pids))  # type: ignore[misc]
        assert not fresh.home.snapshots.exists() or not list(fresh.home.snapshots.iterdir())
        fresh.lab("status", code=3)


def test_copies_live_side_by_side_in_networks_of_their_own(fresh: Client, tmp_path: Path) -> None:
    if subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True
    ).returncode:
        pytest.skip("this system lets nobody make network namespaces")
    fresh.ssh("echo kept > /tmp/kept")
    fresh.lab("snapshot", "empty")
    copies = []
    for name in ("one", "two"):
        made = snapshots.thaw(
            fresh.home, "empty", into=tmp_path / name, namespaces={"network": "new"}
        )
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        copies.append(
            Client(Home(made.home), ("nsenter", "--target", str(made.pid), *user, "--net"))
        )
    first, second = copies
    first.ssh("echo mine > /tmp/mine")
    assert second.ssh("ls /tmp").split() == ["kept"]
    assert fresh.ssh("ls /tmp").split() == ["kept"]
    assert str(first.home.path) in first.status["kubeconfig"]
    assert second.lab("status", "--json").count(str(second.home.path)) > 3
    with pytest.raises(snapshots.SnapshotError, match="a lab runs in"):
        snapshots.thaw(fresh.home, "empty", into=first.home.path, namespaces={"network": "new"})
    first.lab("snapshot", "mine")
    first.ssh("rm /tmp/mine")
    first.lab("restore", "mine")
    assert first.inside[2] != str(first.pid())
    fresh.lab("down")
    assert second.ssh("cat /tmp/kept") == "kept\n"
    for copy in copies:
        pids = of_home(copy.home.path)
        copy.lab("down")
        eventually(lambda pids=pids: not children(pids))  # type: ignore[misc]


def test_a_copy_that_cannot_have_its_ports_says_so_and_the_lab_is_unharmed(
    fresh: Client, tmp_path: Path
) -> None:
    fresh.lab("snapshot", "empty")
    with pytest.raises(snapshots.SnapshotError, match="another program listens there"):
        snapshots.thaw(fresh.home, "empty", into=tmp_path / "copy")
    assert fresh.ssh("hostname") == "linuxmaster\n"
    assert of_home(tmp_path / "copy") == set()
