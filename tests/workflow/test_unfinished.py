"""Which scripts began and never told how they ended."""

import json
import os
import platform
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import AuthenticationFailed, HostUnreachable
from k8swin_nb.headless.page import write_page
from k8swin_nb.hosts import inventory_of
from k8swin_nb.notebook.header import Header
from k8swin_nb.workflow import host_lock
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.unfinished import unfinished
from tests.runs import Hosts, at, make_run
from tests.test_description import described

CHANGES = "linux/swap.apply.sh"


def changed(folder: Path, answer) -> None:
    folder.mkdir(exist_ok=True)
    run = make_run(folder, Hosts({CHANGES: answer}))
    try:
        at(run, verb="apply").script(CHANGES)
    except Exception:
        return


def test_a_script_whose_end_was_told_is_finished(tmp_path):
    changed(tmp_path, (3, "failed"))
    assert unfinished(tmp_path) == []


def test_a_script_in_which_the_kernel_died_is_found_by_host_and_address(tmp_path):
    def dies(host, work):
        # What stands in the record now is all that is left of a process that is killed here.
        killed.append(unfinished(tmp_path))
        return "ok"

    killed: list = []
    changed(tmp_path, dies)
    (one,) = killed[0]
    assert one.tag.startswith("k8swin-apply-run-")
    assert (one.host, one.script, one.step, one.sudo) == ("linuxmaster", CHANGES, "step", True)
    assert "linux/swap.apply.sh" in str(one) and "how it ended is not known" in str(one)


def _event(kind: str, tag: str, **fields: object) -> str:
    return json.dumps({"event": kind, "tag": tag, "host": "h", "time": "t", **fields}) + "\n"


@pytest.mark.parametrize(
    "end",
    [
        _event("script", "a", exit_code=None, error_kind="HostUnreachable"),
        _event("script", "a", error_kind="EndUnknown"),
        _event("magic", "a", exit_code=1, left="sleep runs on"),
        "",
        '{"event": "script", "tag": "a", "exit_',
    ],
)
def test_what_is_open_is_found_among_records_that_are_not_read_again(tmp_path, end):
    for name, text in (("1", end), ("2", _event("script", "a", exit_code=0))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "events.jsonl").write_text(
            _event("script-started", "a" if name == "1" else "b") + text
        )
    # An end in the record of a later run, in which it stands twice.
    for _ in range(2):
        assert [one.tag for one in unfinished(tmp_path)] == ["b"]
    (tmp_path / "2" / "events.jsonl").write_text(
        _event("script-started", "b") + _event("script", "b", exit_code=0)
    )
    for _ in range(2):
        assert [one.tag for one in unfinished(tmp_path)] == ["a"]
    with (tmp_path / "2" / "events.jsonl").open("a") as log:
        log.write(_event("script-started", "c"))
    assert [one.tag for one in unfinished(tmp_path)] == ["a", "c"]
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "events.jsonl").write_text(2 * _event("orphan-ended", "a"))
    assert [one.tag for one in unfinished(tmp_path)] == ["c"]


def test_thousands_of_earlier_runs_are_looked_at_once(tmp_path, monkeypatch):
    for n in range(300):
        (tmp_path / f"{n:04}").mkdir()
        lines = _event("script-started", f"t{n}") + _event("script", f"t{n}", exit_code=0)
        (tmp_path / f"{n:04}" / "events.jsonl").write_text(lines)
    assert unfinished(tmp_path) == []

    def again(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("k8swin_nb.workflow.unfinished.open_file", again)
    monkeypatch.setattr("k8swin_nb.workflow.unfinished.file_bytes", again)
    assert unfinished(tmp_path) == []


def test_only_the_host_that_was_asked_for_is_told_of(tmp_path):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    (one,) = unfinished(tmp_path, host="linuxmaster")
    assert unfinished(tmp_path, address=one.address) == [one]
    assert (
        unfinished(tmp_path, host="winworker01") == unfinished(tmp_path, address="10.9.9.9") == []
    )


def test_a_connection_that_broke_leaves_the_end_open_and_a_refused_login_does_not(tmp_path):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    (one,) = unfinished(tmp_path)
    assert "the connection broke" in one.why and one.pid
    changed(tmp_path / "other", AuthenticationFailed("linuxmaster", "refused"))
    assert unfinished(tmp_path / "other") == []


def test_a_script_that_was_stopped_and_left_something_running_is_not_finished(tmp_path):
    run = make_run(tmp_path)
    told = {"tag": "k8swin-apply-run-1", "host": "linuxmaster", "script": CHANGES}
    run.record.write("script-started", **told)
    run.record.write("script", **told, exit_code=143, left="a process of it does not end")
    (one,) = unfinished(tmp_path)
    assert one.why == "a process of it does not end"


def test_one_that_its_process_still_waits_for_is_told_from_one_that_nobody_waits_for(tmp_path):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    (one,) = unfinished(tmp_path)
    assert one.at_work, "this very process began it"
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not replace(one, pid=gone.pid).at_work
    assert not replace(one, controller="another computer").at_work


def test_a_phase_that_is_opened_later_says_what_was_begun_and_never_ended(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    description = check_description(described(), folder=tmp_path)
    mine = next(host for host in inventory_of(description).hosts if host.os == "linux")
    told = {"tag": "k8swin-apply-run-1", "script": CHANGES, "controller": platform.node()}
    for address in (mine.address, "10.9.9.9"):
        Record(tmp_path, f"run-{address}", "02_master").write(
            "script-started", **told, host=mine.name, address=address, pid=gone.pid
        )
        told["tag"] += "x"
    opened = Cluster(description, runs=tmp_path).phase("02_master")
    (one,) = opened.unfinished
    assert one.address == mine.address
    (told_of,) = opened.opened["unfinished"]
    assert CHANGES in told_of and "how it ended is not known" in told_of
    assert CHANGES in repr(Header(opened))
    page = write_page(opened.run.record.folder, []).read_text()
    assert "Found when a notebook was opened" in page and CHANGES in page


def test_what_a_later_run_found_out_closes_it(tmp_path):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    (one,) = unfinished(tmp_path)
    Record(tmp_path, "run-2", "02_master").write("script-gone", tag=one.tag, host=one.host)
    assert unfinished(tmp_path) == []


def test_the_lock_of_a_host_on_which_nothing_runs_any_more_closes_it(tmp_path):
    run = make_run(tmp_path)
    gone = subprocess.Popen(["true"])
    gone.wait()
    told = {"script": CHANGES, "host": run.master.name, "address": run.master.address}
    told["controller"] = platform.node()
    for tag, pid in (("k8swin-apply-run-1", gone.pid), ("k8swin-apply-run-2", os.getpid())):
        run.record.write("script-started", **told, tag=tag, pid=pid)
    for verb in ("apply", "magic"):
        broken = {**told, "tag": f"k8swin-{verb}-run-3", "verb": verb}
        run.record.write("script-started", **broken, pid=os.getpid())
        run.record.write("script", **broken, exit_code=None, error="the connection broke")
    host_lock._note_ended(at(run))
    waited_for, magic = unfinished(tmp_path)
    assert waited_for.tag == "k8swin-apply-run-2", "a living process waits for it"
    assert magic.tag == "k8swin-magic-run-3", "a magic may go on beside a step"


@pytest.mark.parametrize("half", ['{"event": "script-started", "tag": "k8s', "[1]", '"tag"', ""])
def test_half_a_line_of_a_full_disk_is_passed_over(tmp_path, half):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    with (tmp_path / "run" / "events.jsonl").open("a") as log:
        log.write(half + "\n")
    assert len(unfinished(tmp_path)) == 1
    assert unfinished(tmp_path / "nowhere") == []
