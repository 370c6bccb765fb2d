"""Which scripts began and never told how they ended."""

from pathlib import Path

import pytest

from k8swin_nb.errors import AuthenticationFailed, HostUnreachable
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.unfinished import unfinished
from tests.runs import Hosts, at, make_run

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


def test_what_a_later_run_found_out_closes_it(tmp_path):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    (one,) = unfinished(tmp_path)
    Record(tmp_path, "run-2", "02_master").write("script-gone", tag=one.tag, host=one.host)
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize("half", ['{"event": "script-started", "tag": "k8s', "[1]", '"tag"', ""])
def test_half_a_line_of_a_full_disk_is_passed_over(tmp_path, half):
    changed(tmp_path, HostUnreachable("linuxmaster", "the connection broke"))
    with (tmp_path / "run" / "events.jsonl").open("a") as log:
        log.write(half + "\n")
    assert len(unfinished(tmp_path)) == 1
    assert unfinished(tmp_path / "nowhere") == []
