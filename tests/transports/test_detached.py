"""Scripts that outlive their connection, on OpenSSH's own server."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.errors import InventoryError, Stopped
from k8swin_nb.host_tools import following
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.machines import Machines
from k8swin_nb.notebook import context, job_magics
from k8swin_nb.secret import Secret
from k8swin_nb.shells import Surroundings
from tests.transports.openssh import OpenSsh, needs_sshd, openssh

__all__ = ["openssh"]

pytestmark = [pytest.mark.wire, needs_sshd, pytest.mark.timeout(120)]

JOBS = (
    Path("/var/lib/k8swin/jobs") if os.getuid() == 0 else Path.home() / ".local/state/k8swin/jobs"
)


@pytest.fixture
def host(openssh: OpenSsh) -> Iterator[Host]:
    """A host whose logins are ended after a moment of silence, as some sites have it."""
    before = {path for path in (JOBS, *JOBS.parents) if path.exists()}
    yield openssh.host(openssh.start("SetEnv TMOUT=1"))
    for path in (JOBS, *JOBS.parents):
        if path not in before:
            with contextlib.suppress(OSError):
                path.rmdir()


def machines(host: Host, folder: Path) -> Machines:
    return Machines(Inventory((host,)), runs=folder)


def test_what_is_detached_is_found_by_another_computer_after_the_connection_is_gone(
    host: Host, tmp_path: Path
) -> None:
    around = Surroundings(
        {"WORD": "two words", "HIDDEN": Secret("hush-hush-7")}, ("first",), "strict"
    )
    text = 'echo "$WORD $1 ${#HIDDEN}"; env | grep -c ^HIDDEN || true; read -r line || echo "no input"; exit 4'
    with machines(host, tmp_path / "one") as first:
        job, started = first.detach(text, "box", around=around)
        started.all()
    with machines(host, tmp_path / "two") as second:
        (found,) = second.detached(job=job).all()["box"]
        assert found.told["run"] == first.run_id and found.name.startswith("echo")
        heard: list[str] = []
        result = second.follow([found], on_output=lambda _, stream, text: heard.append(text))
        said = result.all()["box"]
        assert said.stdout == "two words first 11\n0\nno input\n" == "".join(heard)
        assert said.returncode == 4
        assert not [path for path in (JOBS / job).iterdir() if "hush-hush-7" in path.read_text()]
        assert second.remove_detached(second.detached(job=job).all()["box"]).all() == {"box": [job]}
        assert not (JOBS / job).exists()


def test_one_that_floods_shows_its_begin_and_its_end_and_who_leaves_it_is_told_that_it_runs_on(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("MOST_BEHIND", 3000), ("HEAD_BYTES", 1000), ("TAIL_BYTES", 100)):
        monkeypatch.setattr(following, name, size)
    with machines(host, tmp_path) as one:
        job, _ = one.detach(
            "echo first; head -c 90000 /dev/zero | tr '\\0' x; echo; echo last", "box"
        )
        while (found := one.detached(job=job).all()["box"])[0].status == "running":
            pass  # all of it is there before anybody looks
        said = one.follow(found).all()["box"].stdout
        assert said.startswith("first\nxxx") and said.endswith("xxx\nlast\n") and len(said) < 9000
        assert re.search(
            rf"\[\d+\.\d KiB passed over: all is in \S+/{job}/stdout on the host\]", said
        )
        one.remove_detached(one.detached(job=job).all()["box"]).all()
        long, _ = one.detach("echo up; sleep 613", "box")
        stop = threading.Event()
        running = one.detached(job=long).all()["box"]
        with pytest.raises(Stopped, match="runs on"):
            one.follow(running, on_output=lambda *_: stop.set(), cancel=stop).all()
        assert one.end_detached(running).all() == {"box": "ended"}
        one.remove_detached(one.detached(job=long).all()["box"]).all()
        events = [event for event in one.record.events if event.get("job") == long]
        kinds = [event["event"] for event in events if event["event"].startswith("job-")]
        assert kinds == ["job-followed-started", "job-followed", "job-killed", "job-kill-ended"]
        left = next(event for event in events if event["event"] == "job-followed")
        assert left["error_kind"] == "Stopped" and events[-1]["left"] == []
        assert (one.record.folder / left["output"]).read_text() == "up\n"


def test_an_end_takes_all_that_it_has_started_and_tells_how_it_ended(
    host: Host, tmp_path: Path
) -> None:
    with machines(host, tmp_path) as one:
        job, _ = one.detach("(trap '' TERM; sleep 611) & sleep 612", "box")
        (found,) = one.detached(job=job).all()["box"]
        assert found.status == "running"
        assert (JOBS / job).stat().st_mode & 0o077 == 0
        assert one.remove_detached([found]).all() == {}
        asked: Any = one
        with pytest.raises(InventoryError, match=f"`{job}` still runs on box"):
            job_magics._clean(context.Context(asked), one.hosts(), job)
        with pytest.raises(InventoryError, match="no host has a detached job"):
            job_magics._clean(context.Context(asked), one.hosts(), "d000000")
        assert one.end_detached([found]).all() == {"box": "ended"}
        (ended,) = one.detached(job=job).all()["box"]
        assert (ended.status, ended.returncode) == ("failed", 143)
        one.remove_detached([ended]).all()


def test_a_time_limit_goes_with_it_and_a_host_that_is_away_is_told(
    host: Host, openssh: OpenSsh, tmp_path: Path
) -> None:
    with machines(host, tmp_path) as one:
        job, _ = one.detach("sleep 600", "box", timeout=0.2)
        result = one.follow(one.detached(job=job).all()["box"]).all()["box"]
        assert result.returncode == 124
        one.remove_detached(one.detached(job=job).all()["box"]).all()
        with pytest.raises(InventoryError):
            one.detached("bax")
    away = openssh.host(1)
    with machines(away, tmp_path) as other:
        table = other.survey(seconds=5)
        assert list(table["STATE"]) == ["unreachable"] and "port 1" in table["REASON"][0]
        assert list(other.detached().errors) == ["box"]
