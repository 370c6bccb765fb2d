"""What snapshots are made of: the copy of a disk, and time that was slept through."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest
from k8swin_lab import disk_copy
from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.lasting import Later
from k8swin_lab.namespaces import NamespaceError, enter


def test_a_disk_is_copied_whole_and_shares_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    (disk / "etc/deep").mkdir(parents=True)
    (disk / "etc/deep/file").write_bytes(b"x" * 100_000)
    (disk / "etc/empty").touch()
    os.link(disk / "etc/deep/file", disk / "etc/same")
    (disk / "etc/link").symlink_to("/nowhere/at all")
    os.mkfifo(disk / "pipe", 0o640)
    (disk / "etc/program").write_text("#!/bin/sh\n")
    (disk / "etc/program").chmod(0o4755)
    (disk / "closed").mkdir()
    (disk / "closed/secret").write_text("s")
    (disk / "closed/secret").chmod(0)
    os.utime(disk / "closed/secret", ns=(1, 2))
    (disk / "closed").chmod(0)

    disk_copy.copy(disk, tmp_path / "copy")
    copy = tmp_path / "copy"
    (disk / "etc/deep/file").write_bytes(b"y")
    assert (copy / "etc/deep/file").read_bytes() == b"x" * 100_000
    assert (copy / "etc/same").stat().st_ino == (copy / "etc/deep/file").stat().st_ino
    assert (copy / "etc/empty").read_bytes() == b""
    assert str((copy / "etc/link").readlink()) == "/nowhere/at all"
    assert stat.S_ISFIFO((copy / "pipe").stat().st_mode)
    assert stat.S_IMODE((copy / "etc/program").stat().st_mode) == 0o4755
    assert stat.S_IMODE((copy / "closed").stat().st_mode) == 0
    assert stat.S_IMODE((disk / "closed").stat().st_mode) == 0
    (copy / "closed").chmod(0o700)
    assert (copy / "closed/secret").stat().st_mtime_ns == 2
    assert stat.S_IMODE((copy / "closed/secret").stat().st_mode) == 0
    disk_copy.remove(copy)
    assert not copy.exists()
    disk_copy.remove(copy)
    (disk / "closed").chmod(0o700)


def test_signs_of_life_move_by_the_time_that_was_slept() -> None:
    cluster = Cluster()
    hour = 3600.0
    then = time.time() - 2 * hour
    node = {
        "metadata": {"name": "n", "uid": "u"},
        "spec": {},
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True", "lastHeartbeatTime": timestamps.rfc3339(then)}
            ]
        },
    }
    cluster.store.put(named("nodes"), node)
    lease = {
        "metadata": {"name": "n", "namespace": "kube-node-lease"},
        "spec": {"renewTime": timestamps.micro(then)},
    }
    cluster.store.put(named("leases"), lease)
    version = cluster.store.version
    cluster.wake(2 * hour)
    (renewed,) = cluster.objects("leases", "kube-node-lease")
    assert timestamps.parse(renewed["spec"]["renewTime"]) == pytest.approx(then + 2 * hour)
    (alive,) = cluster.objects("nodes")
    seen = timestamps.parse(alive["status"]["conditions"][0]["lastHeartbeatTime"])
    assert seen == pytest.approx(then + 2 * hour, abs=1)
    assert len(cluster.store.changes_after(version)) == 2  # who watches is told


def test_what_is_due_later_waits_for_what_was_left_of_its_time() -> None:
    done = threading.Event()
    later = Later(30, done.set, "something")
    (thread,) = [one for one in threading.enumerate() if one.name == "later: something"]
    assert thread.busy() == ""  # type: ignore[attr-defined]
    later.cancel()
    thread.join(60)
    later._cancelled.clear()
    later._due = time.monotonic() - 1000
    thread.again(1000.2)  # type: ignore[attr-defined]
    assert not done.is_set()
    assert done.wait(60)


def test_namespaces_that_are_no_namespaces_are_refused() -> None:
    enter(None)
    enter({})
    with pytest.raises(NamespaceError, match="expected"):
        enter({"network": "old"})
    with pytest.raises(NamespaceError, match="unknown kind of namespace `pid`"):
        enter({"of": os.getpid(), "kinds": ["pid"]})
    with pytest.raises(NamespaceError, match="No such file"):
        enter({"of": 2**22 + 1})
