from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb import machines
from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import (
    CommandFailed,
    CommandTimeout,
    EndUnknown,
    HostUnreachable,
    Interrupted,
    InventoryError,
    K8swinError,
    MultiHostError,
    Stopped,
    TransportTimeout,
)
from k8swin_nb.fan_out import AT_ONCE
from k8swin_nb.notebook import context
from k8swin_nb.notebook.completion import candidates
from k8swin_nb.notebook.host_text import HostText, barred
from k8swin_nb.notebook.magic_line import MagicUsageError, expand, split
from k8swin_nb.notebook.magics import ALL
from k8swin_nb.notebook.stream import LiveOutput
from k8swin_nb.secret import Secret
from k8swin_nb.transport_errors import not_begun
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.host_lock import Holder, HostLocks
from tests.interrupts import interrupt
from tests.test_description import MASTER, WORKER, described

PARSERS = {name: parser for _, parsers in ALL for name, parser in parsers.items()}

HOSTS = [
    {**MASTER, "name": "cp1"},
    {**WORKER, "name": "win1"},
    {**WORKER, "name": "win2", "address": "10.1.0.4"},
]


class Echo(Transport):
    """A transport that says what it was given; the text decides how it ends."""

    interpreter: ClassVar[Any] = "bash"
    works: ClassVar[list[tuple[str, Work]]] = []
    looks: ClassVar[int] = 0

    def _close(self, *, abandon: bool = False) -> None: ...

    lock: ClassVar[str] = "free\n"

    def _run(self, work: Work, output: Output) -> End:
        if "host_lock.check" in work.script.name:
            Echo.looks += 1
            output.feed("stdout", self.lock.encode())
            return End(0)
        Echo.works.append((self.host.name, work))
        text = work.script.text.strip()
        if text == "unreachable":
            raise HostUnreachable(self.host.name, "gone")
        if text == "hang":
            if work.cancel.wait(100 if work.timeout is None else 0.05):
                return End(CANCELLED)
            return End(124, timed_out=True)
        output.feed("stdout", f"{text}\n".encode())
        output.feed("stderr", b"complaint\n")
        return End(int(text.removeprefix("exit ")) if text.startswith("exit ") else 0)


class EchoPs(Echo):
    interpreter: ClassVar[Any] = "powershell"


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "k8swin_nb")
    yield shell
    shell.run_line_magic("unload_ext", "k8swin_nb")
    InteractiveShell.clear_instance()


@pytest.fixture
def events(shell: InteractiveShell, tmp_path: Path) -> list[dict[str, Any]]:
    """The record's events of a cluster whose hosts say what they were given."""
    Echo.works.clear()
    cluster = Cluster(check_description(described(hosts=HOSTS)), runs=tmp_path)
    cluster.pool = Pool(opener=lambda host, _: (EchoPs if host.os == "windows" else Echo)(host))
    cluster.locks = HostLocks(cluster.pool, cluster.run_id)
    written = cluster.record.events
    context.open_context(cluster)
    return written


def run(shell: InteractiveShell, code: str) -> Any:
    """Run a cell as a notebook does, and raise what it raises."""
    outcome = shell.run_cell(code)
    outcome.raise_error()
    return outcome.result


@pytest.mark.usefixtures("events")
def test_the_body_is_sent_as_it_is_typed(shell: InteractiveShell) -> None:
    body = "echo $HOME {a,b} {{.x}} \\n `id` \"q\" 'r' ${X:-1}\n"
    shell.user_ns["HOME"] = "not this"
    assert run(shell, f"%%remote_bash --host cp1\n{body}") is None
    assert Echo.works[0][1].script.text == body


@pytest.mark.usefixtures("events")
def test_in_a_dry_run_a_magic_says_what_it_would_send_and_sends_nothing(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    context.open_context(context.current().cluster, dry_run=True)
    run(shell, "%%remote_bash --host cp1\nreboot\n")
    assert Echo.works == []
    told = capsys.readouterr().out
    assert "would run on" in told and "  reboot" in told and "nothing was sent" in told
    context.open_context(context.current().cluster)
    run(shell, "%remote_bash --host cp1 echo one")
    assert len(Echo.works) == 1


@pytest.mark.usefixtures("events")
def test_a_host_on_which_somebody_else_works_is_told_before_anything_is_sent(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once a minute, so that a notebook full of magics asks a host once; an answer that never comes stops nothing."""
    other = Holder("grace", "desk7", "", 4711, "run-9", "02_master", "2026-11-29T10:00:00Z")
    monkeypatch.setattr(Echo, "lock", f"held\n{other.line()}\n")
    before = Echo.looks
    run(shell, "%remote_bash --host cp1 echo one")
    told = capsys.readouterr().err
    assert "cp1 is worked on by grace on desk7" in told and "02_master, run run-9" in told
    run(shell, "%remote_bash --host cp1 echo two")
    assert (Echo.looks - before, "worked on" in capsys.readouterr().err) == (1, False)

    def gone(*_: object) -> None:
        raise HostUnreachable("win1", "gone")

    monkeypatch.setattr(context.current().cluster.locks, "look", gone)
    run(shell, "%remote_ps --host win1 echo three")
    assert "worked on" not in capsys.readouterr().err


@pytest.mark.usefixtures("events")
def test_the_line_form_returns_the_result(shell: InteractiveShell) -> None:
    result = run(shell, "%remote_bash -H cp1 awk '{print $1}' \"a b\" --host")
    assert result.stdout == "awk '{print $1}' \"a b\" --host\n"
    assert result.host == "cp1" and result.ok
    assert run(shell, "%remote_bash -H cp1 -- --host -- x").stdout == "--host -- x\n"
    both = run(shell, "%remote_ps --host=windows $x")
    assert list(both) == ["win1", "win2"]


@pytest.mark.usefixtures("events")
def test_names_on_the_line_expand_and_dollars_do_not(shell: InteractiveShell) -> None:
    shell.user_ns.update(node="cp1", seconds=5)
    run(shell, "%%remote_bash --host {node} --timeout {seconds * 2}\nls")
    assert Echo.works[0][0] == "cp1" and Echo.works[0][1].timeout == 10
    with pytest.raises(MagicUsageError, match="did you mean `node`"):
        run(shell, "%%remote_bash --host {nodee}\nls")
    with pytest.raises(InventoryError, match=r"\$node"):
        run(shell, "%%remote_bash --host $node\nls")


@pytest.mark.usefixtures("events")
def test_output_goes_into_variables(shell: InteractiveShell) -> None:
    run(shell, '%%remote_bash -H cp1 --out text -e "errors"\nhello')
    assert (shell.user_ns["text"], shell.user_ns["errors"]) == ("hello\n", "complaint\n")
    run(shell, "%%remote_ps -H windows -o text\nhello")
    assert shell.user_ns["text"] == {"win1": "hello\n", "win2": "hello\n"}
    with pytest.raises(CommandFailed):
        run(shell, "%%remote_bash -o text\nexit 4")
    assert shell.user_ns["text"] == "exit 4\n"


@pytest.mark.usefixtures("events")
def test_live_output_without_a_front_end_is_lines_with_their_host(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%%remote_ps -H windows\nhello")
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [
        "[win1] hello",
        "[win1] stderr: complaint",
        "[win2] hello",
        "[win2] stderr: complaint",
        "will run on: win1, win2",
    ]
    assert lines[0].startswith("will run on")


@pytest.mark.usefixtures("events")
def test_a_failure_is_raised_unless_it_is_not_wanted(shell: InteractiveShell) -> None:
    with pytest.raises(CommandFailed) as caught:
        run(shell, "%%remote_bash\nexit 3")
    assert caught.value.result.returncode == 3
    run(shell, "%%remote_bash --no-raise-error\nexit 3")
    with pytest.raises(MultiHostError) as several:
        run(shell, "%%remote_ps -H all,!cp1\nexit 3")
    assert list(several.value.errors) == ["win1", "win2"]
    with pytest.raises(HostUnreachable):
        run(shell, "%%remote_bash --no-raise-error\nunreachable")
    with pytest.raises(CommandTimeout):
        run(shell, "%%remote_bash -t 5\nhang")


@pytest.mark.usefixtures("events")
def test_a_failure_is_shown_in_short(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%%remote_bash\nexit 3")
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "CommandFailed: cp1: `exit 3` ended with exit code 3" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--hots cp1", "did you mean `--host`"),
        ("--tim 5", "did you mean `--timeout`"),
        ("--timeout soon", "`soon` is no time; write `90`"),
        ("--timeout -1", "`-1` is no time"),
        ("--host", "expected one argument"),
        ("--host 'cp1", "quote"),
        ("--host {", "brace"),
        ("cp1", "goes below the line"),
        ("--out 1x", "no name for a variable"),
        ("--err class", "no name for a variable"),
        ("--host cp1 # first", "a comment goes below the line"),
        ("--retries 1 --retry-delay -1s", "`-1s` is no time"),
        ("--job j", "--bg"),
        ("--raise-error --no-raise-error", "not allowed"),
        ("--timeout 1h30", "`1h30` is no time"),
        ("--parallel 0", "`0` is no number from 1"),
        ("--serial 0", "a batch of 0 hosts"),
        ("--max-fail 120%", "a part such as `25%`"),
        ("--fail-fast --max-fail 2", "not allowed"),
        ("--retry-if ([", "neither exit codes nor a regular expression"),
        ("--ok-rc none", "no list of exit codes"),
        ("--env A=nodee", "`nodee` is not defined, did you mean `node`"),
        ("--env A=two words", "goes into braces"),
        ("--env 2A=1", "no name of a variable"),
        ("--arg object()", "type object, which is nothing that a script can be given"),
        ("--arg None", 'the value is None, which is nothing that a script can be given; pass `""`'),
        ("--arg [object()]", "cannot be passed as JSON: it holds something of the type object"),
        ("--arg b'x'", "pass `{value.decode()}`"),
        ("--arg {1,2}", "pass `{sorted(value)}`"),
        ("--arg float('nan'),", "cannot be passed as JSON"),
        ("--arg '\ud800'", "half of a character"),
        ("--host cp1 win1", "hosts are separated by commas"),
        ("--env A=node + 1", "an expression with spaces goes into braces: `--env {...}`"),
        ("--retry-if 75", "no effect without --retries"),
        ("--ok-rc 3 --ok-rc 4", "`--ok-rc` is given twice"),
        ("--identity key", "hosts that are named with their login, and none is"),
        ("--host u@::1", "IPv6 in brackets"),
        ("--set winrm_aut=ntlm --host u@h", "did you mean `winrm_auth`"),
        ("--df=table", "invalid choice"),
    ],
)
@pytest.mark.usefixtures("events")
def test_a_wrong_line_is_a_real_error_and_runs_nothing(
    shell: InteractiveShell, line: str, message: str
) -> None:
    shell.user_ns["node"] = "cp1"
    with pytest.raises((MagicUsageError, InventoryError)) as caught:
        run(shell, f"%%remote_bash {line}\nls")
    assert message in " ".join((str(caught.value), getattr(caught.value, "hint", "") or ""))
    assert not Echo.works


@pytest.mark.usefixtures("events")
def test_sudo_is_for_bash(shell: InteractiveShell) -> None:
    run(shell, "%%remote_bash --sudo\nls")
    assert Echo.works[0][1].sudo
    with pytest.raises(MagicUsageError, match="--sudo"):
        run(shell, "%%remote_ps -H win1 --sudo\nls")


@pytest.mark.usefixtures("events")
def test_of_a_mixed_selection_the_hosts_of_the_magics_system_are_taken(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%%remote_bash -H all\nls")
    assert "will run on: cp1 (left out, Windows: win1, win2)" in capsys.readouterr().out
    run(shell, "%%remote_ps -H windows[0:1],cp1 -q\nls")
    assert [name for name, _ in Echo.works] == ["cp1", "win1"] and not capsys.readouterr().out
    with pytest.raises(
        InventoryError, match="leaves no Linux host: win1, win2 run Windows"
    ) as caught:
        run(shell, "%%remote_bash -H windows\nls")
    assert "%%remote_ps" in (caught.value.hint or "")
    with pytest.raises(InventoryError, match="2 Windows hosts"):
        run(shell, "%%remote_ps\nls")
    assert len(Echo.works) == 2


def test_without_an_inventory_the_error_says_how_to_open_one(shell: InteractiveShell) -> None:
    context.close_context()
    with pytest.raises(InventoryError) as caught:
        run(shell, "%%remote_bash\nls")
    assert "open_phase(" in (caught.value.hint or "")


def test_the_record_is_told_what_ran_and_how_it_ended(
    shell: InteractiveShell, events: list[dict[str, Any]]
) -> None:
    run(shell, "%%remote_bash --no-raise-error\nexit 3")
    with pytest.raises(HostUnreachable):
        run(shell, "%%remote_bash\nunreachable")
    ended = [event for event in events if event["event"] == "magic"]
    assert [event["host"] for event in ended] == ["cp1"] * 2
    assert ended[0]["exit_code"] == 3 and len(ended[0]["sha256"]) == 64
    assert "gone" in ended[1]["error"]


@pytest.mark.usefixtures("events")
def test_a_job_runs_in_the_background_and_is_listed(shell: InteractiveShell) -> None:
    job = run(shell, "%%remote_bash --bg -o later\nhello")
    assert job.wait(100).stdout == "hello\n"
    assert job.status == "ok" and shell.user_ns["later"] == "hello\n"
    assert run(shell, "%%remote_bash --bg --proc named\nhang") is None
    named = shell.user_ns["named"]
    assert named.status == "running"
    assert "running" in repr(run(shell, "%jobs"))
    named.kill()
    named.wait(100)
    assert named.status == "killed"
    failing = run(shell, "%%remote_bash --bg\nexit 9")
    with pytest.raises(CommandFailed):
        failing.wait(100)
    assert failing.status == "failed"


@pytest.mark.usefixtures("events")
def test_an_interrupt_stops_the_script(shell: InteractiveShell) -> None:
    with interrupt(lambda: Echo.works), pytest.raises(KeyboardInterrupt):
        run(shell, "%%remote_bash\nhang")
    assert Echo.works[0][1].cancel.is_set()


@pytest.mark.usefixtures("events")
def test_an_interrupt_while_a_job_is_waited_for_leaves_it_running(shell: InteractiveShell) -> None:
    job = run(shell, "%%remote_bash --bg\nhang")
    asked: list[bool] = []
    soon = lambda: len(asked) > 20 or asked.append(True)  # noqa: E731
    with interrupt(soon), pytest.raises(KeyboardInterrupt):
        job.wait(100)
    with pytest.raises(K8swinError, match="still runs"):
        job.wait(0.1)
    assert job.kill(100) is job
    assert job.status == "killed" and repr(job).endswith("hang; stopped on cp1")
    result = job.wait(100)
    assert (result.host, result.returncode) == ("cp1", CANCELLED)


@pytest.mark.usefixtures("events")
def test_a_job_that_was_killed_says_what_came_of_each_host(shell: InteractiveShell) -> None:
    busy = threading.Event()

    def one_at_a_time(host: Any, _: Any) -> Transport:
        transport = EchoPs(host)

        def run(work: Work, output: Output) -> End:
            if host.name == "win1":
                output.feed("stdout", b"as far as it came\n")
                busy.set()
                assert work.cancel.wait(100)
                return End(CANCELLED)
            assert busy.wait(100)
            if work.cancel.wait(100):
                raise Stopped(host.name, "was stopped before it began")
            return End(0)

        transport._run = run  # type: ignore[method-assign]
        return transport

    context.current().cluster.pool = Pool(opener=one_at_a_time)
    job = run(shell, "%%remote_ps --host windows --bg --out text\nhang")
    assert busy.wait(100)
    told = repr(job.kill(100))
    assert "killed" in told and "stopped on win1; not begun on win2" in told
    results = job.wait(100)
    assert results["win1"].stdout == "as far as it came\n"
    assert {result.returncode for result in results.values()} == {CANCELLED}
    assert "before it began" in results["win2"].stderr


@pytest.mark.usefixtures("events")
def test_a_job_that_failed_before_it_was_killed_raises_its_error(shell: InteractiveShell) -> None:
    job = run(shell, "%%remote_bash --bg\nexit 9")
    with pytest.raises(CommandFailed):
        job.wait(100)
    job.kill()
    assert job.status == "failed"
    with pytest.raises(CommandFailed):
        job.wait(100)


@pytest.mark.usefixtures("events")
def test_opening_a_description_again_replaces_nothing_that_runs(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%%remote_bash --bg --proc job\nhang")
    while not Echo.works:
        time.sleep(0.01)
    capsys.readouterr()
    before = context.current()
    same = context.cluster_of(check_description(described(hosts=HOSTS)), runs=tmp_path)
    assert context.open_context(same) is before and same.pool is before.cluster.pool
    assert not capsys.readouterr().out and shell.user_ns["job"].status == "running"
    moved = [HOSTS[0], {**HOSTS[1], "user": "operator"}, {**HOSTS[2], "name": "win3"}]
    changed = check_description(described(hosts=moved))
    context.open_context(context.cluster_of(changed, runs=tmp_path))
    told = capsys.readouterr().out
    assert told == "the description has changed: new win3; gone win2; win1: user; 1 job goes on\n"
    assert [host.name for host in context.current().inventory.hosts] == ["cp1", "win1", "win3"]
    run(shell, "%k8swin close")
    first, second, last = capsys.readouterr().out.splitlines()
    assert "is stopped" in first and "job 1" in first and "running" in first
    assert "killed" in second and "stopped on cp1" in second and last == "closed"
    assert shell.user_ns["job"].status == "killed"


@pytest.mark.usefixtures("events")
def test_an_interrupted_cell_keeps_what_was_printed_until_then(shell: InteractiveShell) -> None:
    with interrupt(lambda: Echo.works), pytest.raises(Interrupted, match="stopped on cp1"):
        run(shell, "%%remote_bash --out text\nhang")
    assert shell.user_ns["text"] == ""


def test_a_magic_is_written_down_before_it_begins(
    shell: InteractiveShell, events: list[dict[str, Any]]
) -> None:
    run(shell, "%%remote_bash --sudo\necho hello")
    with pytest.raises(HostUnreachable):
        run(shell, "%%remote_bash\nunreachable")
    tag = Echo.works[0][1].tag
    told = [(event["event"], event["tag"]) for event in events[:2]]
    assert told == [("script-started", tag), ("magic", tag)]
    assert events[0]["sudo"] is True and events[0]["script"] == "echo hello"
    assert events[2]["tag"] == events[3]["tag"] and events[3]["error_kind"] == "HostUnreachable"


@pytest.mark.usefixtures("events")
def test_the_time_of_a_cell_counts_from_its_start_and_not_from_the_turn_of_a_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(machines, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    together = threading.Barrier(AT_ONCE, action=lambda: clock.__setitem__(0, 301.0))

    class Slow(Echo):
        def _run(self, work: Work, output: Output) -> End:
            seen.append((self.host.name, work.timeout))
            together.wait(100)
            return End(0)

    seen: list[tuple[str, float | None]] = []
    cluster = context.current().cluster
    cluster.pool = Pool(opener=lambda host, _: Slow(host))
    hosts = tuple(replace(cluster.hosts("cp1")[0], name=f"h{n}") for n in range(AT_ONCE + 1))
    answers = cluster.run_script("x", hosts, timeout=300)
    assert len(seen) == AT_ONCE
    (late,) = answers.errors.values()
    assert isinstance(late, CommandTimeout) and late.never
    assert "never began" in str(late) and "300 s" in str(late)


@pytest.mark.usefixtures("events")
def test_what_looking_for_others_took_is_of_the_time_and_errors_tell_all_of_it() -> None:
    class Crowded(Echo):
        def _run(self, work: Work, output: Output) -> End:
            assert work.timeout is not None and 90 < work.timeout <= 100
            if work.script.text == "begin":
                return End(124, timed_out=True)
            raise not_begun(self.host.name, work.timeout)

    cluster = context.current().cluster
    cluster.pool = Pool(opener=lambda host, _: Crowded(host))
    for text, kind in (("begin", CommandTimeout), ("x", TransportTimeout)):
        answers = cluster.run_script(text, "cp1", timeout=300, spent=200)
        assert isinstance(answers.errors["cp1"], kind) and "300 s" in str(answers.errors["cp1"])


@pytest.mark.usefixtures("events")
def test_no_hint_promises_that_a_script_of_ones_own_looks_first(shell: InteractiveShell) -> None:
    class Lost(Echo):
        def _run(self, work: Work, output: Output) -> End:
            if "host_lock.check" in work.script.name:
                return super()._run(work, output)
            raise EndUnknown(self.host.name, "the shell around a script was ended from outside")

    cluster = context.current().cluster
    cluster.pool = Pool(opener=lambda host, _: Lost(host))
    cluster.locks = HostLocks(cluster.pool, cluster.run_id)
    for line in ("--host cp1", "--host cp1 --bg --proc job"):
        with pytest.raises(EndUnknown) as caught:
            run(shell, f"%%remote_bash {line}\nls")
            shell.user_ns["job"].wait()
        assert "begins anew" in str(caught.value.hint)


@pytest.mark.usefixtures("events")
def test_help_lists_every_option(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%remote_bash --help")
    printed = capsys.readouterr().out
    assert "%%remote_bash" in printed
    assert all(option in printed for option in PARSERS["remote_bash"].options())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%remote_bash --ho", ["--host"]),
        ("%%remote_ps --su", []),
        ("%%remote_bash --host c", ["cp1", "control-plane"]),
        ("%%remote_ps -H win1,w", ["win2", "windows", "worker", "workers"]),
        ("%%remote_ps --host=!win1,!win2", ["win2"]),
        ("answer = %remote_ps --bg --host win1,win", ["win2", "windows"]),
        ("%%other --ho", []),
        ("%k8swin o", ["open"]),
        ("%%remote_bash --df --set ssh_j", ["ssh_jump="]),
        ("%%remote_bash --df --se", ["--set", "--serial"]),
        ("%%remote_bash --timeout 5", ["5"]),
        ("--ho", []),
    ],
)
@pytest.mark.usefixtures("events")
def test_completion_offers_options_and_hosts(line: str, words: list[str]) -> None:
    assert candidates(line + "\nbody", len(line), 0, PARSERS)[0] == words
    if line.startswith(("%%remote", "%%k8swin")):
        # A body is of another language: its own words, and else nothing, which keeps Python's names away.
        assert candidates(line + "\n--ho", 4, 1, PARSERS) == (["--ho"], "--ho")
        body = line + "\nsystemctl stop kubelet\nsys stop"
        assert candidates(body, 3, 2, PARSERS) == (["systemctl"], "sys")
        assert candidates(body, 4, 2, PARSERS) == ([""], "")
    elif line.startswith("%%"):
        assert candidates(line + "\n--ho", 4, 1, PARSERS)[0] == []
        assert candidates(line + "\n%remote_bash --ho", 17, 1, PARSERS)[0] == ["--host"]
    else:
        assert candidates("pass\n" + line, len(line), 1, PARSERS)[0] == words


@pytest.mark.usefixtures("events")
def test_completion_works_in_ipython(shell: InteractiveShell) -> None:
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        line = "%%remote_bash --host c"
        found = {item.text for item in shell.Completer.completions(line, len(line))}
    assert found == {"cp1", "control-plane"}


def test_unloading_leaves_nothing_behind(shell: InteractiveShell) -> None:
    before = len(shell.Completer.custom_matchers)
    shell.run_line_magic("reload_ext", "k8swin_nb")
    assert len(shell.Completer.custom_matchers) == before
    shell.run_line_magic("unload_ext", "k8swin_nb")
    assert len(shell.Completer.custom_matchers) == before - 1
    assert all(
        shell.find_magic(name, kind) is None
        for name in ("remote_bash", "remote_ps", "jobs")
        for kind in ("line", "cell")
    )
    shell.run_line_magic("load_ext", "k8swin_nb")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%nodse", "did you mean `%nodes`?"),
        ("%%remote_bahs --host cp1\nls", "did you mean `%%remote_bash`?"),
        ("for _ in range(1):\n    %remote_bahs ls", "did you mean `%remote_bash`?"),
        ("%remote_fil /x", "did you mean `%%remote_file`?"),
        ("%%host\nx", "did you mean `%hosts`?"),
        ("%timeitt 1", ""),
        ("%whatever", ""),
        ("%remote_file /x", ""),  # IPython says itself that there is one for cells
    ],
)
def test_a_mistyped_name_of_a_magic_gets_the_nearest_of_ours(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str, told: str
) -> None:
    assert isinstance(shell.run_cell(cell).error_in_exec, UsageError)
    printed = capsys.readouterr().err
    assert "not found" in printed
    assert (printed.splitlines()[-1] == told) if told else "did you mean `" not in printed


def test_loading_imports_nothing_heavy() -> None:
    heavy = "'pandas', 'ipywidgets', 'kubernetes', 'fabric', 'paramiko', 'winrm', 'requests', 'pydantic'"
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell;"
        "InteractiveShell.instance().run_line_magic('load_ext', 'k8swin_nb');"
        f"print([name for name in ({heavy}) if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        ("{a}", "1"),
        ("{a + 1} {b!r}", None),
        ("{{a}} $a {.items[0].name}", "{a} $a {.items[0].name}"),
        ("{[x for x in range(3)]}", "[0, 1, 2]"),
        ("{s}", None),
    ],
)
def test_expansion_is_strict(line: str, expanded: str | None) -> None:
    names = {"a": 1, "b": "x", "s": Secret("nicht zeigen")}
    if expanded is None:
        with pytest.raises(MagicUsageError):
            expand(line, names)
    else:
        assert expand(line, names) == expanded


def test_words_keep_backslashes_and_lose_quotes() -> None:
    line = '--out "a b" C:\\k \'x\' --err="y"'
    assert [word for word, _ in split(line)] == ["--out", "a b", "C:\\k", "x", "--err=y"]


def test_a_carriage_return_replaces_the_line_and_controls_are_dropped() -> None:
    text = HostText()
    assert text.add("stdout", "1%\r2%\r100%\n\x1b[31mred\x1b[0m\x07\nrest") == ["100%", "red"]
    assert text.finish() == ["rest"]
    text.add("stderr", "\rCopy: a.zip 10%\rCopy: a.zip 50%")
    assert text.moving() == ["stderr: ██████████░░░░░░░░░░ Copy: a.zip 50%"]
    assert barred("[####      ] 40%") == "[####      ] 40%" and barred("120% of 5") == "120% of 5"


def test_a_front_end_gets_one_display_per_host_that_is_updated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from k8swin_nb.notebook import stream

    shown: list[str] = []

    class Handle:
        def update(self, block: object) -> None:
            shown.append(f"update {block!r}")

    def display(block: object, display_id: bool) -> Handle:
        shown.append(f"new {block!r}")
        return Handle()

    monkeypatch.setattr(stream, "display", display)
    monkeypatch.setattr(stream, "INTERVAL", 30.0)
    with LiveOutput(interactive=True) as live:
        live.write("a", "stdout", "one\n")
        live._show()
        live.write("a", "stdout", "<two>\n")
    assert shown == ["new [a] one", "update [a] one\n[a] <two>"]
    block = stream.Block("a", live._hosts["a"])
    assert "&lt;two&gt;" in block._repr_html_()
