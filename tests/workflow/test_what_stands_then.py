"""What a record says when its process is killed or stopped, when the disk is full, and when nothing can be written at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from k8swin_nb.errors import RecordError
from k8swin_nb.phases.teardown import removal
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Outcome, State, Step, Verdict
from k8swin_nb.workflow.unfinished import unfinished
from tests.runs import Hosts, Machine, at, make_run, phase_of
from tests.workflow.chains import broken

ROOT = Path(__file__).resolve().parents[2]
CHECK, CHANGES = "linux/swap.check.sh", "linux/swap.apply.sh"

RUN = """
import resource, signal, sys, time
from pathlib import Path
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Step
from tests.runs import Hosts, make_run
how = sys.argv[2]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def changes(host, work):
    if how == "full":
        size = run.record.path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        return "done"
    print("it changes something", flush=True)
    work.cancel.wait(60)
    return (143, "ended")

step = Step(name="swap", title="Swap is off", on="linux", check="linux/swap.check.sh", apply="linux/swap.apply.sh")
hosts = Hosts({"linux/swap.check.sh": (10, "swap is on"), "linux/swap.apply.sh": changes})
run = make_run(Path(sys.argv[1]), hosts)
try:
    apply_step(run, step)
except BaseException as error:
    print(type(error).__name__, "\\n".join(getattr(error, "lines", lambda: [str(error)])()))
"""


def begun(folder: Path, how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), how],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def events(folder: Path) -> list[dict]:
    path = folder / "run" / "events.jsonl"
    assert broken(path) == []
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_gone_leaves_the_begin_of_what_it_did(tmp_path, number):
    one = begun(tmp_path, "wait")
    assert one.stdout is not None and one.stdout.readline() == "it changes something\n"
    one.send_signal(number)
    one.communicate()
    assert one.returncode == -number
    assert [event["event"] for event in events(tmp_path)] == [
        *("step-started", "script", "script-started")
    ]
    (left,) = unfinished(tmp_path)
    assert (left.script, left.host, left.at_work) == (CHANGES, "linuxmaster", False)
    # Whoever goes on says so, in the same chain.
    hosts = Hosts({CHECK: "swap is off"})
    step = Step(name="swap", title="Swap is off", on="linux", check=CHECK, apply=CHANGES)
    apply_step(make_run(tmp_path, hosts), step)
    assert events(tmp_path)[-1]["outcome"] == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_ctrl_c_ends_the_script_and_says_so(tmp_path):
    one = begun(tmp_path, "wait")
    assert one.stdout is not None and one.stdout.readline() == "it changes something\n"
    one.send_signal(signal.SIGINT)
    said, _ = one.communicate()
    assert said.startswith("Interrupted")
    told = events(tmp_path)
    assert [event["event"] for event in told[-3:]] == ["script", "step", "interrupted"]
    assert told[-3]["exit_code"] == 143 and told[-1]["stopped"] == ["linuxmaster"]
    # It had begun: what it found and what ran stand there, and nothing was read back.
    assert (told[-2]["found"], told[-2]["now"]) == ("swap is on", "")
    assert told[-3]["tag"] in told[-2]["tags"]
    assert unfinished(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_is_full_in_the_middle_is_said_and_the_script_is_told_as_unfinished(tmp_path):
    said, _ = begun(tmp_path, "full").communicate()
    assert said.startswith("RecordError") and "the run's record cannot be written to" in said
    assert "make room" in said
    assert [event["event"] for event in events(tmp_path)][-1] == "script-started"
    assert [one.script for one in unfinished(tmp_path)] == [CHANGES]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="a file system of its own takes root"
)
def test_in_a_folder_that_is_read_only_nothing_is_sent_to_any_host(tmp_path):
    place = tmp_path / "runs"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
    made = subprocess.run(mount, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        hosts = Hosts({CHECK: (10, "swap is on"), CHANGES: "done"})
        run = make_run(place, hosts)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        step = Step(name="swap", title="Swap is off", on="linux", check=CHECK, apply=CHANGES)
        with pytest.raises(RecordError, match="Read-only file system") as caught:
            apply_step(run, step)
        assert hosts.asked == []
        assert "name another folder with `runs`" in (caught.value.hint or "")
        with pytest.raises(RecordError, match="Read-only file system"):
            Record(place, "other", "notebook")
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_change_says_what_was_found_what_is_there_now_and_which_scripts_it_rests_on(tmp_path):
    hosts = Hosts(
        {
            CHECK: [
                (10, "would: swap: on -> off\nswap is on"),
                (10, "still on"),
                (10, "still on"),
                (0, "swap is off"),
            ],
            CHANGES: "done",
        }
    )
    run = make_run(tmp_path, hosts)
    step = Step(name="swap", title="t", on="linux", check=CHECK, apply=CHANGES, wait=60)
    apply_step(run, step)
    told = run.record.events[-1]
    assert (told["outcome"], told["found"], told["now"]) == ("changed", "swap is on", "swap is off")
    assert told["difference"] == "swap: on -> off"
    ran = [event for event in run.record.events if event["event"] == "script"]
    verbs = [event["verb"] for event in ran]
    assert verbs == ["check", "apply", "verify", "verify", "verify"]
    assert told["tags"] == [ran[0]["tag"], ran[1]["tag"], ran[4]["tag"]]


def test_a_change_that_fails_says_what_was_found_and_how_it_failed(tmp_path):
    machine = Machine(applies=False)
    run = make_run(tmp_path)
    with pytest.raises(Exception, match="it is needed"):
        apply_step(run, machine.step(on="linux"))
    told = run.record.events[-1]
    assert (told["outcome"], told["found"], told["now"]) == ("failed", "it is needed", "")


def test_what_changes_nothing_has_neither(tmp_path):
    run = make_run(tmp_path, dry_run=True)
    apply_step(run, Machine().step(on="linux"))
    looked = run.record.events[-1]
    again = make_run(tmp_path)
    apply_step(again, Machine(State.OK).step(on="linux"))
    for told in (looked, again.record.events[-1]):
        assert not {"found", "now", "tags"} & set(told)


def test_a_removal_is_confirmed_in_the_record_before_the_first_thing_goes(tmp_path):
    phase = phase_of(name="90_teardown", before_change=removal.write_confirmation)
    run = make_run(tmp_path, phase=phase)
    wanted = removal.wanted_confirmation(run)
    run.options["confirm"] = wanted
    gone: list[str] = []

    def remove(at) -> None:
        gone.append(at.host.name)
        confirmed = [e for e in run.record.events if e["event"] == "removal-confirmed"]
        assert len(confirmed) == 1 and confirmed[0]["confirm"] == wanted
        assert confirmed[0]["operator"] and len(confirmed[0]["hosts"]) == 2

    def check(at) -> Verdict:
        return Verdict(State.OK if at.host.name in gone else State.NEEDED, "x")

    step = Step(name="files", title="t", on="all", check=check, apply=remove)
    report = apply_step(run, step)
    assert [row.outcome for row in report.rows] == [Outcome.CHANGED] * 2


@pytest.mark.parametrize("confirm", [None, "another: linuxmaster"])
def test_what_is_not_confirmed_is_not_written_down_as_confirmed(tmp_path, confirm):
    phase = phase_of(name="90_teardown", before_change=removal.write_confirmation)
    run = make_run(tmp_path, phase=phase, options={"confirm": confirm})
    removal.write_confirmation(at(run))
    assert run.record.events == []
