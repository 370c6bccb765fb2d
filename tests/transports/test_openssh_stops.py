"""Deadlines and stops against a real server: each wait ends, and what was begun is ended with all its children."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from k8swin_nb.errors import (
    CommandTimeout,
    HostUnreachable,
    K8swinError,
    Stopped,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.result import Result
from k8swin_nb.shells import new_tag
from k8swin_nb.transports import connection, output, session
from k8swin_nb.transports.processes import running
from k8swin_nb.transports.ssh import SshTransport

from .openssh import OpenSsh, children_of, needs_sshd, signal_all

pytestmark = needs_sshd

SOON = 60.0
"""What only a hang reaches, however busy the computer is."""


def alive(word: str) -> list[str]:
    """Return the processes whose command line has a word of its own, zombies left aside."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = file.read_bytes().decode(errors="replace").split("\0")
            if word in words:
                found.append(" ".join(words))
    return found


def gone(word: str) -> bool:
    end = time.monotonic() + SOON
    while alive(word) and time.monotonic() < end:
        time.sleep(0.1)
    return not alive(word)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    ended: list[object] = []

    def one() -> None:
        try:
            ended.append(work())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=one, daemon=True)
    thread.start()
    return thread, ended


def seconds_of(work: Callable[[], object]) -> tuple[float, object]:
    begun = time.monotonic()
    thread, ended = in_thread(work)
    thread.join(SOON * 2)
    assert ended, "it hangs"
    return time.monotonic() - begun, ended[0]


def at_its_deadline(run: Callable[[float], object]) -> Result:
    """Return what a script had said by its deadline; one that had not begun by then is given a longer one."""
    for limit in (3.0, 15.0, 60.0):
        try:
            run(limit)
        except CommandTimeout as error:
            if error.result.stdout or error.result.stderr or limit == 60.0:
                return error.result
        except TransportTimeout:
            continue  # it was not begun
    raise AssertionError("no deadline ended it")


STUBBORN = [
    "sleep {n}; echo over",
    "(sleep {n}; echo over) | (cat; echo over); echo over",
    "setsid sleep {n} & sleep 600",
    "setsid -f sleep {n}; sleep 600",
    "nohup sleep {n} >/dev/null 2>&1 & sleep 600",
    "(trap '' TERM; sleep {n}; sleep {n}) & wait",
    "trap '' TERM INT HUP; while :; do sleep {n}; done",
    "env -i setsid sleep {n} & sleep 600",
    "sh -c 'kill -STOP $$' & sleep {n}",
    "exec sleep {n}",
]


@pytest.mark.parametrize("script", STUBBORN)
@pytest.mark.parametrize("sudo", [False, True])
def test_a_stopped_script_ends_with_its_children(
    openssh: OpenSsh,
    script: str,
    sudo: bool,
) -> None:
    if sudo and not shutil.which("sudo"):
        pytest.skip("needs sudo")
    seconds = f"{3000 + STUBBORN.index(script)}.{os.getpid() * 10 + sudo}"
    cancel = threading.Event()
    ssh = openssh.transport(openssh.start())
    result = ssh.run(
        f"echo begun; {script.format(n=seconds)}",
        sudo=sudo,
        cancel=cancel,
        on_output=lambda stream, text: threading.Timer(0.3, cancel.set).start(),
    )
    assert (result.returncode, result.stdout, result.left) == (143, "begun\n", "")
    assert not alive(seconds)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("sleep {n}", 143),
        ("trap '' TERM; while :; do sleep {n}; done", 137),
        ("setsid -f sleep {n}; sleep 600", 143),
        ("exec sleep {n}", 143),
    ],
)
def test_a_deadline_ends_a_script_with_its_children_and_always_says_how(
    openssh: OpenSsh,
    script: str,
    code: int,
) -> None:
    seconds = f"4000.{os.getpid()}"
    ssh = openssh.transport(openssh.start())
    ssh.run("true")
    result = at_its_deadline(
        lambda limit: ssh.run(f"echo begun; {script.format(n=seconds)}", timeout=limit)
    )
    assert (result.returncode, result.stdout, result.left) == (code, "begun\n", "")
    assert gone(seconds)


def test_a_script_that_ends_with_the_code_of_a_deadline_in_time_has_met_none(
    openssh: OpenSsh,
) -> None:
    ssh = openssh.transport(openssh.start())
    assert ssh.run("exit 124", timeout=100).returncode == 124


@pytest.mark.parametrize("code", [0, 7])
def test_a_script_that_came_to_its_end_before_it_could_be_stopped_was_not_stopped(
    openssh: OpenSsh,
    code: int,
) -> None:
    cancel = threading.Event()
    word = f"all-{os.getpid()}-{code}"
    ssh = openssh.transport(openssh.start())

    def ended(stream: str, text: str) -> None:
        assert gone(word)
        cancel.set()

    script = f"exec -a {word} bash -c 'echo all; exit {code}' {word}"
    result = ssh.run(script, cancel=cancel, on_output=ended)
    assert (result.returncode, result.stdout, result.left) == (code, "all\n", "")


def test_a_script_is_stopped_where_the_server_has_no_further_session(
    openssh: OpenSsh,
) -> None:
    seconds = f"4100.{os.getpid()}"
    cancel = threading.Event()
    ssh = openssh.transport(openssh.start("MaxSessions 1"))
    result = ssh.run(
        f"echo begun; sleep {seconds}", cancel=cancel, on_output=lambda *_: cancel.set()
    )
    assert (result.returncode, result.left) == (143, "")
    assert not alive(seconds)


def test_what_could_not_be_asked_is_said_to_be_unknown(openssh: OpenSsh) -> None:
    cancel = threading.Event()
    port = openssh.start("MaxSessions 1")
    ssh = openssh.transport(port)
    server = openssh.servers[-1]

    def begun(stream: str, text: str) -> None:
        os.kill(server.pid, signal.SIGKILL)  # no further connection; the one that is open goes on
        cancel.set()

    result = ssh.run("echo begun; sleep 30", cancel=cancel, on_output=begun)
    assert result.returncode == 143
    assert "is not known" in result.left
    assert "is not known" in repr(result)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but a deadline or a stop end a login."""
    for name in ("OPEN_SECONDS", "BANNER_SECONDS"):
        monkeypatch.setattr(connection, name, 600)


@pytest.mark.usefixtures("patient")
def test_a_deadline_counts_while_a_login_hangs(openssh: OpenSsh, silent: int) -> None:
    _, error = seconds_of(lambda: openssh.transport(silent).run("true", timeout=1))
    assert isinstance(error, TransportTimeout) and "nothing was run" in str(error)


@pytest.mark.usefixtures("patient")
def test_a_stop_ends_a_hanging_login_and_the_script_never_runs(
    openssh: OpenSsh,
    silent: int,
) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    _, error = seconds_of(lambda: openssh.transport(silent).run("true", cancel=cancel))
    assert isinstance(error, Stopped)


def test_what_was_stopped_before_it_began_sends_nothing(
    openssh: OpenSsh,
    tmp_path: Path,
) -> None:
    cancel = threading.Event()
    cancel.set()
    ssh = openssh.transport(openssh.start(f"ForceCommand touch {tmp_path}/asked"))
    for work in (
        lambda: ssh.run("true", cancel=cancel),
        lambda: ssh.put(b"x", str(tmp_path / "x"), cancel=cancel),
        lambda: ssh.get("/etc/hostname", cancel=cancel),
    ):
        with pytest.raises(Stopped):
            work()
    assert not (tmp_path / "asked").exists()


def test_a_stop_in_a_slow_login_runs_nothing_later(
    openssh: OpenSsh,
    tmp_path: Path,
) -> None:
    cancel = threading.Event()
    threading.Timer(1, cancel.set).start()
    mark = tmp_path / "ran"
    ssh = openssh.transport(openssh.start('ForceCommand sleep 3; eval "$SSH_ORIGINAL_COMMAND"'))
    with pytest.raises(Stopped):
        ssh.run("touch $MARK", parameters={"MARK": str(mark)}, cancel=cancel)
    time.sleep(4)
    assert not mark.exists()


def test_a_deadline_and_a_stop_count_while_a_session_is_waited_for(
    openssh: OpenSsh,
    tmp_path: Path,
) -> None:
    ssh = openssh.transport(openssh.start("MaxSessions 1"))
    release = threading.Event()
    threads = [in_thread(lambda: ssh.run("sleep 600", cancel=release))[0] for _ in range(4)]
    end = time.monotonic() + SOON
    while len(running(ssh_of(openssh, ssh))) < 4 and time.monotonic() < end:
        time.sleep(0.2)
    mark = str(tmp_path / "ran")
    _, error = seconds_of(lambda: ssh.run(f"touch {mark}", timeout=1))
    assert isinstance(error, TransportTimeout)
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    _, error = seconds_of(lambda: ssh.run(f"touch {mark}", cancel=cancel))
    assert isinstance(error, Stopped)
    release.set()
    for thread in threads:
        thread.join(SOON)
    assert not Path(mark).exists()
    assert ssh.run("echo again").stdout == "again\n"


def ssh_of(openssh: OpenSsh, other: SshTransport) -> SshTransport:
    return openssh.transport(other.host.ssh_port)


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_frozen_host_holds_neither_a_deadline_nor_a_stop(
    openssh: OpenSsh,
    how: str,
) -> None:
    ssh = openssh.transport(openssh.start())
    server = openssh.servers[-1]
    cancel = threading.Event()

    def freeze(stream: str, text: str) -> None:
        signal_all(server.pid, signal.SIGSTOP)
        if how == "cancel":
            cancel.set()

    timeout = 5.0 if how == "timeout" else None
    try:
        ssh.run("true")
        took, ended = seconds_of(
            lambda: ssh.run(
                "echo begun; sleep 600", timeout=timeout, cancel=cancel, on_output=freeze
            )
        )
        took_again, error = seconds_of(lambda: ssh.run("true", timeout=2))
    finally:
        signal_all(server.pid, signal.SIGCONT)
    result = ended if isinstance(ended, Result) else getattr(ended, "result", None)
    assert isinstance(ended, CommandTimeout if how == "timeout" else Result), ended
    assert isinstance(result, Result) and "not known" in result.left
    assert took < session.SILENT_SECONDS
    assert isinstance(error, K8swinError) and took_again < connection.OPEN_SECONDS


def test_a_host_without_a_sign_of_life_is_given_up(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "QUIET_SECONDS", 1.0)
    monkeypatch.setattr(session, "SILENT_SECONDS", 12.0)
    ssh = openssh.transport(openssh.start())
    assert ssh.run("sleep 15; echo quiet but alive").stdout == "quiet but alive\n"
    server = openssh.servers[-1]

    def freeze(stream: str, text: str) -> None:
        for pid in children_of(server.pid):
            signal_all(pid, signal.SIGSTOP)

    with pytest.raises(HostUnreachable, match="no sign of life"):
        ssh.run("echo begun; sleep 600", on_output=freeze)


def test_a_computer_that_slept_does_not_take_its_own_silence_for_the_hosts(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "SILENT_SECONDS", 6.0)
    slept: list[int] = []
    wait = session.Session._wait

    def sleep_once(self: session.Session) -> None:
        if not slept and self._frames["stdout"].began:
            slept.append(1)
            time.sleep(7)
        wait(self)

    ssh = openssh.transport(openssh.start())
    ssh.run("true")
    slept.clear()
    monkeypatch.setattr(session.Session, "_wait", sleep_once)
    assert ssh.run("sleep 9; echo alive").stdout == "alive\n"


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_a_stream_without_an_end_ends_with_its_deadline_and_is_bounded(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
) -> None:
    monkeypatch.setattr(output.Output.__init__, "__kwdefaults__", {"kept_bytes": 100_000})
    ssh = openssh.transport(openssh.start())
    result = at_its_deadline(
        lambda limit: ssh.run(f"yes 'a line that never ends'{stream}", timeout=limit)
    )
    assert result.left == ""
    text = result.stderr if stream else result.stdout
    assert 100_000 <= len(text) < 101_000
    assert "bytes are left out here" in text


def test_a_stream_without_an_end_is_stopped(openssh: OpenSsh) -> None:
    cancel = threading.Event()
    ssh = openssh.transport(openssh.start())
    result = ssh.run("yes", cancel=cancel, on_output=lambda *_: cancel.set())
    assert (result.returncode, result.left) == (143, "")


def test_a_script_that_reads_nothing_ends_with_its_deadline(openssh: OpenSsh) -> None:
    ssh = openssh.transport(openssh.start())
    ssh.run("true")
    more = bytes(32 * 2**20)
    at_its_deadline(lambda limit: ssh.run("echo begun; sleep 600", stdin=more, timeout=limit))
    assert ssh.run("echo again").stdout == "again\n"


def test_a_stopped_file_leaves_nothing_beside_its_place(
    openssh: OpenSsh,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("before")
    ssh = openssh.transport(openssh.start())
    cancel = threading.Event()
    bash_input = "k8swin_nb.transports.ssh.bash_input"
    from k8swin_nb.shells import bash_input as whole

    # The end of the file is kept back, so that it is stopped in the middle.
    monkeypatch.setattr(bash_input, lambda *given: whole(*given)[:-1000])
    monkeypatch.setattr(session.Session, "send", _without_an_end)
    thread, ended = in_thread(lambda: ssh.put(b"x" * 500_000, str(folder / "file"), cancel=cancel))
    end = time.monotonic() + SOON
    while len(list(folder.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    monkeypatch.undo()
    cancel.set()
    thread.join(SOON)
    assert isinstance(ended[0], Stopped)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("file", "before")]


_send = session.Session.send


def _without_an_end(
    self: session.Session, data: bytes, feed: Iterable[bytes] = (), *, last: bool
) -> None:
    _send(self, data, feed, last=False)


def test_the_processes_of_our_scripts_are_found_by_their_tag(openssh: OpenSsh) -> None:
    ssh = openssh.transport(openssh.start())
    cancel = threading.Event()
    begun = threading.Event()
    tag = new_tag("20260101-120000-ab12", "apply")
    seconds = f"4200.{os.getpid()}"
    thread, _ = in_thread(
        lambda: ssh.run(
            f"setsid -f sleep {seconds}; echo begun; sleep 600",
            tag=tag,
            cancel=cancel,
            on_output=lambda *_: begun.set(),
        )
    )
    assert begun.wait(SOON)
    found = [process for process in running(ssh) if process.tag == tag]
    assert [process.script for process in found if "bash -p -s" in process.command]
    child = next(process for process in found if seconds in process.command)
    assert not child.script
    assert abs(child.started - time.time()) < 3 * SOON
    assert {process.user for process in found} == {ssh.run("id -un").stdout.strip()}
    cancel.set()
    thread.join(SOON)
    assert not [process for process in running(ssh) if process.tag == tag]


def test_what_a_script_left_behind_is_told_from_a_script_that_runs(
    openssh: OpenSsh,
) -> None:
    ssh = openssh.transport(openssh.start())
    tag = new_tag("20260101-120000-ab12", "apply")
    ssh.run("nohup sleep 600 >/dev/null 2>&1 &", tag=tag)
    found = [process for process in running(ssh) if process.tag == tag]
    assert found and not [process for process in found if process.script]
    for process in found:
        os.kill(process.pid, signal.SIGKILL)


def the_one_login(port: int) -> socket.socket:
    """Take the only login that a server takes at a time."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        held = socket.create_connection(("127.0.0.1", port), SOON)
        if held.recv(4) == b"SSH-":
            return held
        held.close()
        time.sleep(0.1)
    raise AssertionError("the server takes nobody")


def test_a_server_that_is_busy_is_asked_again(openssh: OpenSsh) -> None:
    port = openssh.start("MaxStartups 1:100:1")
    held = the_one_login(port)
    threading.Timer(1.0, held.close).start()
    assert openssh.transport(port).run("echo in").stdout == "in\n"


def test_a_server_that_stays_busy_says_so(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "BUSY_TRIES", 2)
    port = openssh.start("MaxStartups 1:100:1")
    with the_one_login(port), pytest.raises(TransportError, match="says anything") as caught:
        openssh.transport(port).run("true")
    assert "MaxStartups" in (caught.value.hint or "")
