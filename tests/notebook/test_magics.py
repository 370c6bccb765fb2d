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
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb import api
from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import (
    CommandFailed,
    CommandTimeout,
    HostUnreachable,
    Interrupted,
    InventoryError,
    K8swinError,
    MultiHostError,
    Stopped,
)
from k8swin_nb.fan_out import AT_ONCE
from k8swin_nb.notebook import context
from k8swin_nb.notebook.completion import candidates
from k8swin_nb.notebook.host_text import HostText
from k8swin_nb.notebook.magic_line import MagicUsageError, expand, split
from k8swin_nb.notebook.magics import PARSERS
from k8swin_nb.notebook.stream import LiveOutput
from k8swin_nb.secret import Secret
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.host_lock import Holder, HostLocks
from tests.interrupts import interrupt
from tests.test_description import MASTER, WORKER, described

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
            if work.cancel.wait(20 if work.timeout is None else 0.05):
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
    context.open_context(cluster)
    return cluster.record.events


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
    ]


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
        ("--timeout soon", "soon"),
        ("--timeout -1", "unknown option|invalid|expected"),
        ("--host", "expected one argument"),
        ("--host 'cp1", "quote"),
        ("--host {", "brace"),
        ("cp1", "goes below the line"),
        ("--out 1x", "no name for a variable"),
        ("--job j", "--bg"),
        ("--raise-error --no-raise-error", "not allowed"),
    ],
)
@pytest.mark.usefixtures("events")
def test_a_wrong_line_is_a_real_error_and_runs_nothing(
    shell: InteractiveShell, line: str, message: str
) -> None:
    with pytest.raises(MagicUsageError, match=message):
        run(shell, f"%%remote_bash {line}\nls")
    assert not Echo.works


@pytest.mark.usefixtures("events")
def test_sudo_is_for_bash(shell: InteractiveShell) -> None:
    run(shell, "%%remote_bash --sudo\nls")
    assert Echo.works[0][1].sudo
    with pytest.raises(MagicUsageError, match="--sudo"):
        run(shell, "%%remote_ps -H win1 --sudo\nls")


@pytest.mark.usefixtures("events")
def test_hosts_of_the_other_system_are_refused(shell: InteractiveShell) -> None:
    with pytest.raises(InventoryError, match="win1") as caught:
        run(shell, "%%remote_bash -H all\nls")
    assert "%%remote_ps" in (caught.value.hint or "")
    with pytest.raises(InventoryError, match="2 windows hosts"):
        run(shell, "%%remote_ps\nls")
    assert not Echo.works


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
    assert "running" in repr(run(shell, "%remote_jobs"))
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
        job.wait(20)
    with pytest.raises(K8swinError, match="still runs"):
        job.wait(0.1)
    assert job.kill() is job
    assert job.status == "killed" and repr(job).endswith("hang; stopped on cp1")
    result = job.wait(20)
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
                assert work.cancel.wait(20)
                return End(CANCELLED)
            assert busy.wait(20)
            if work.cancel.wait(20):
                raise Stopped(host.name, "was stopped before it began")
            return End(0)

        transport._run = run  # type: ignore[method-assign]
        return transport

    context.current().cluster.pool = Pool(opener=one_at_a_time)
    job = run(shell, "%%remote_ps --host windows --bg --out text\nhang")
    assert busy.wait(20)
    told = repr(job.kill())
    assert "killed" in told and "stopped on win1; not begun on win2" in told
    results = job.wait(20)
    assert results["win1"].stdout == "as far as it came\n"
    assert {result.returncode for result in results.values()} == {CANCELLED}
    assert "before it began" in results["win2"].stderr


@pytest.mark.usefixtures("events")
def test_a_job_that_failed_before_it_was_killed_raises_its_error(shell: InteractiveShell) -> None:
    job = run(shell, "%%remote_bash --bg\nexit 9")
    with pytest.raises(CommandFailed):
        job.wait(20)
    job.kill()
    assert job.status == "failed"
    with pytest.raises(CommandFailed):
        job.wait(20)


@pytest.mark.usefixtures("events")
def test_opening_a_cluster_anew_says_which_jobs_it_stops(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%%remote_bash --bg --proc job\nhang")
    while not Echo.works:
        time.sleep(0.01)
    capsys.readouterr()
    context.open_context(Cluster(check_description(described(hosts=HOSTS)), runs=tmp_path))
    first, second = capsys.readouterr().out.splitlines()
    assert "is stopped" in first and "job 1" in first and "running" in first
    assert "killed" in second and "stopped on cp1" in second
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
    assert events[0]["sudo"] is True and events[0]["script"] == "echo hello\n"
    assert events[2]["tag"] == events[3]["tag"] and events[3]["error_kind"] == "HostUnreachable"


@pytest.mark.usefixtures("events")
def test_the_time_of_a_cell_counts_from_its_start_and_not_from_the_turn_of_a_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(api, "time", SimpleNamespace(monotonic=lambda: clock[0]))
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
    assert isinstance(late, CommandTimeout) and "never began" in late.result.stderr
    assert "after 300 s" in str(late)


@pytest.mark.usefixtures("events")
def test_help_lists_every_option(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%remote_bash --help")
    printed = capsys.readouterr().out
    assert "%%remote_bash" in printed
    assert all(option in printed for option in PARSERS["remote_bash"].options())


OPTIONS = {name: parser.options() for name, parser in PARSERS.items()}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%remote_bash --ho", ["--host"]),
        ("%%remote_ps --su", []),
        ("%%remote_bash --host c", ["cp1", "control-plane"]),
        ("%%remote_ps -H win1,w", ["win2", "windows", "worker", "workers"]),
        ("%%remote_ps --host=!win1,!win2", ["win2"]),
        ("%%other --ho", []),
        ("--ho", []),
    ],
)
@pytest.mark.usefixtures("events")
def test_completion_offers_options_and_hosts(line: str, words: list[str]) -> None:
    assert candidates(line + "\nbody", len(line), 0, OPTIONS)[0] == words
    assert candidates(line + "\n--ho", 4, 1, OPTIONS)[0] == []


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
        for name in ("remote_bash", "remote_ps", "remote_jobs")
        for kind in ("line", "cell")
    )
    shell.run_line_magic("load_ext", "k8swin_nb")


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
