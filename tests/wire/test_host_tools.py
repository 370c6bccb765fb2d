"""Files, facts, detached scripts and reboots on machines of the lab, over real SSH and WinRM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from k8swin_lab import topology
from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import InventoryError, K8swinError, ParamsError, TransferFailed
from k8swin_nb.host_tools import host_files, putting
from k8swin_nb.host_tools.file_report import FileReport

pytestmark = [pytest.mark.wire, pytest.mark.timeout(120)]

PLACES = {"linuxmaster": "/srv/app", "winworker01": r"C:\srv\app"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("tools")
    with (
        free_network() as network,
        Lab(folder / "lab", topology.default(network), python_bash=True) as lab,
    ):
        described = {**describe(lab.status()), "cluster_name": "tools"}
        cluster = Cluster(check_description(described, folder=folder), runs=folder / "runs")
        yield cluster
        cluster.close()


def ends(report: FileReport) -> list[str]:
    return [row.outcome for row in report]


@pytest.mark.parametrize("host", PLACES)
def test_a_text_is_written_once_and_somebody_elses_file_is_kept(
    cluster: Cluster, host: str
) -> None:
    slash = PLACES[host][0] if PLACES[host][0] == "/" else "\\"
    path = f"{PLACES[host]}{slash}app.conf"
    sudo = host == "linuxmaster"
    planned = cluster.write_file(path, "a\nb\n", host, sudo=sudo, dry_run=True)
    assert ends(planned) == ["would change"] and "+a" in planned.diffs[host, path]
    assert ends(cluster.write_file(path, "a\nb\n", host, sudo=sudo)) == ["changed"]
    assert ends(cluster.write_file(path, "a\nb\n", host, sudo=sudo)) == ["ok"]
    ours = cluster.write_file(path, "a\nc\n", host, sudo=sudo)
    assert ends(ours) == ["changed"] and "kept" not in ours.rows[0].detail
    theirs = f"printf 'his\\n' >{path}" if sudo else f"Set-Content '{path}' his"
    cluster.run_script(theirs, host, sudo=sudo).all()
    again = cluster.write_file(path, "mine\n", host, sudo=sudo)
    assert "-his" in again.diffs[host, path] and "kept: " in again.rows[0].detail
    kept = again.rows[0].detail.rpartition(" is in ")[2]
    shown = "cat" if sudo else "Get-Content"
    assert cluster.run_script(f"{shown} {kept}", host, sudo=sudo).all()[host].stdout == "his\n"
    same = cluster.write_file(path, "mine\n", host, sudo=sudo, encoding="utf-16", crlf=True)
    assert "the same text, with other encoding and line ends" in same.diffs[host, path]
    refused = "false %s" if sudo else "cmd.exe /c exit 3 %s"
    with pytest.raises(TransferFailed, match="did not pass"):
        cluster.write_file(path, "bad\n", host, sudo=sudo, validate=refused)
    assert ends(
        cluster.write_file(path, "mine\n", host, sudo=sudo, encoding="utf-16", crlf=True)
    ) == ["ok"]


def test_a_file_of_windows_that_is_read_only_or_has_no_folder_leaves_nothing_behind(
    cluster: Cluster,
) -> None:
    make = r"Set-Content C:\ro his; Set-ItemProperty C:\ro -Name IsReadOnly -Value $true"
    cluster.run_script(make, "winworker01").all()
    for path, told in (
        (r"C:\ro", "is read-only"),
        (r"C:\ro\x", "is no folder"),
        (r"Q:\x", "there is no Q"),
    ):
        with pytest.raises(TransferFailed, match=told) as caught:
            cluster.write_file(path, "mine", "winworker01")
        assert caught.value.hint
    left = r"Get-Content C:\ro; Get-ChildItem C:\ -Force -Filter ro* | ForEach-Object Name"
    assert cluster.run_script(left, "winworker01").all()["winworker01"].stdout == "his\nro\n"
    with pytest.raises(ParamsError, match="half of one"):
        cluster.write_file(r"C:\half", "a\ud800", "winworker01")


def test_mode_and_owner_are_of_linux_alone_and_are_set_without_sending_the_file(
    cluster: Cluster,
) -> None:
    how = {"sudo": True, "mode": "640", "owner": "root:adm"}
    assert ends(cluster.write_file("/srv/owned", "x\n", "linux", **how)) == ["changed"]
    assert ends(cluster.write_file("/srv/owned", "x\n", "linux", **how)) == ["ok"]
    report = cluster.write_file("/srv/owned", "x\n", "linux", sudo=True, mode="600")
    assert report.rows[0].detail == "mode 640 → 600" and report.diffs == {}
    kept = cluster.write_file("/srv/owned", "y\n", "linux", sudo=True)
    assert ends(kept) == ["changed"]
    said = cluster.run_script("stat -c '%a %U:%G' /srv/owned", "linux").all()["linuxmaster"]
    assert said.stdout == "600 root:adm\n"
    # A group that the login cannot give is not changed without a word.
    cluster.run_script(
        "mkdir -m 777 /srv/open; touch /srv/open/f; chown ubuntu:adm /srv/open/f",
        "linux",
        sudo=True,
    ).all()
    with pytest.raises(TransferFailed, match="belongs to ubuntu:adm"):
        cluster.write_file("/srv/open/f", "x\n", "linux")
    with pytest.raises(ParamsError, match="Windows has no modes"):
        cluster.write_file(r"C:\x", "x", "winworker01", mode="644")
    with pytest.raises(ParamsError, match="no mode"):
        cluster.write_file("/srv/x", "x", "linux", mode="u+x")


@pytest.mark.parametrize("host", PLACES)
def test_a_folder_goes_there_and_back_in_parts_and_only_what_differs(
    cluster: Cluster, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(putting, "SEND_BYTES", 40_000)
    monkeypatch.setattr(host_files, "READ_BYTES", 30_000)
    source = tmp_path / "site"
    (source / "a b").mkdir(parents=True)
    (source / "a b" / "big").write_bytes(bytes(range(256)) * 400)
    (source / "empty").write_bytes(b"")
    (source / "nothing").mkdir()
    there = PLACES[host].replace("app", "site")
    here = tmp_path / "back"
    sudo = host == "linuxmaster"
    assert ends(cluster.push(source, there, host, sudo=sudo)) == ["changed", "changed", "skipped"]
    (source / "empty").write_text("no more")
    assert ends(cluster.push(source, there, host, sudo=sudo)) == ["ok", "changed", "skipped"]
    nothing = f"mkdir {there}/nothing" if sudo else rf"mkdir {there}\nothing"
    cluster.run_script(nothing, host, sudo=sudo).all()
    assert ends(cluster.pull(there, here, host)) == ["changed", "changed", "skipped"]
    assert (here / "a b" / "big").read_bytes() == (source / "a b" / "big").read_bytes()
    assert ends(cluster.pull(there, here, host)) == ["ok", "ok", "skipped"]
    (here / "empty").write_text("somebody's")
    with pytest.raises(TransferFailed, match="was not written over"):
        cluster.pull(there, here, host)
    assert (here / "empty").read_text() == "somebody's"
    assert ends(cluster.pull(there, here, host, force=True)) == ["ok", "changed", "skipped"]


def test_one_host_that_fails_leaves_the_others_rows(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(K8swinError) as caught:
        cluster.pull("/etc/hostname", tmp_path / "names", "linuxmaster,winworker01")
    report = caught.value.report  # type: ignore[attr-defined]
    assert [(row.host, row.outcome) for row in report] == [
        ("linuxmaster", "changed"),
        ("winworker01", "failed"),
    ]
    assert (tmp_path / "names" / "linuxmaster" / "hostname").read_text() == "linuxmaster\n"


def test_hosts_are_a_table_and_their_facts_have_types(cluster: Cluster) -> None:
    table = cluster.survey()
    assert list(table["STATE"]) == ["ok", "ok", "ok"]
    assert str(table["BOOTED"].dtype) == "datetime64[ns, UTC]" and table["BOOTED"].notna().all()
    assert table["FINGERPRINT"][0].startswith("SHA256:") and len(table["FINGERPRINT"][1]) == 64
    assert "3 of 3 hosts" in table.caption and "1 of 1" in table[:1].caption
    facts = cluster.facts().all()
    assert facts["winworker01"]["kernel"].startswith("20348.")
    for found in facts.values():
        assert found["memory"] > 2**30 and found["pending_reboot"] == ""
        assert any(str(one["address"].ip).startswith("127.") for one in found["addresses"])


def test_a_detached_script_of_windows_is_found_followed_ended_and_removed(cluster: Cluster) -> None:
    text = "'hello'; [Console]::Error.WriteLine('trouble'); exit 3"
    job, started = cluster.detach(text, "winworker01")
    started.all()
    found = cluster.detached(job=job).all()["winworker01"]
    result = cluster.follow(found).all()["winworker01"]
    assert (result.returncode, result.stdout, result.stderr) == (3, "hello\n", "trouble\n")
    long, _ = cluster.detach("Start-Sleep 600", "winworker01")
    running = cluster.detached("winworker01", job=long).all()["winworker01"]
    assert [one.status for one in running] == ["running"]
    so_far = repr(cluster.follow(running, wait=False).all()["winworker01"])
    assert so_far.startswith("winworker01: still running after ") and "exit code" not in so_far
    assert cluster.end_detached(running).all() == {"winworker01": "ended"}
    both = cluster.detached("winworker01").all()["winworker01"]
    cluster.remove_detached(both).all()
    assert cluster.detached("winworker01").all() == {"winworker01": []}
    with pytest.raises(ParamsError, match="on Windows"):
        cluster.detach("hostname", "winworker01", sudo=True)


def test_a_reboot_is_waited_for_and_the_only_control_plane_is_asked_about(cluster: Cluster) -> None:
    before = cluster.facts("winworker02").all()["winworker02"]["booted"]
    report = cluster.reboot("winworker02", seconds=60)
    assert [row.outcome for row in report.rows] == ["changed"]
    assert cluster.facts("winworker02").all()["winworker02"]["booted"] > before
    with pytest.raises(InventoryError, match="only control plane"):
        cluster.reboot("all")
    planned = cluster.reboot("linux", control_plane=True, dry_run=True)
    assert [row.outcome for row in planned.rows] == ["would change"]
