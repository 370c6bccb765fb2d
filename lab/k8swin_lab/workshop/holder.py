"""The process behind a seat: it has the seat's network, starts its lab and its desk in it, and ends with both.

It stands outside of what a trainee sees. What it is told comes from the workshop, and what it tells are the words of
the two, which may say anything.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab.socket_paths import within_length
from k8swin_lab.workshop import inside_desk, inside_lab, sandbox, system
from k8swin_lab.workshop.channel import Channel, Gone, close_others

DESK_PORT = 8888
"""Where a seat's JupyterLab listens, on the seat's own network."""

LAB_HOME = sandbox.WORK / ".k8swin" / "lab"
"""Where the lab's folder is seen: the path that descriptions of the project name."""

_STOP_SECONDS = 15.0


class Copy:
    """A lab that was made elsewhere from a kept state, and came into the seat's network.

    Args:
        channel: to its first process.
        process: which waits for that one's end, and is nobody's child here.
    """

    def __init__(self, channel: Channel, process: int) -> None:
        self.channel = channel
        self.process = process

    def ended(self) -> int | None:
        """Return how it ended, as far as can be known; None: it has not."""
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return 1
        return None

    def end(self) -> None:
        """End it with all its processes, and wait for that."""
        _end(self)


class Part:
    """A world of its own for one of the seat's parts, with a channel to its first process."""

    def __init__(
        self, spec: dict[str, Any], view: sandbox.View, user: int, then: Callable[[Channel], int]
    ) -> None:
        self.channel, theirs = Channel.pair()
        parent = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            try:
                close_others([theirs.fileno()])
                _default_signals()
                system.end_with_parent(parent)
                if spec["shared"]:
                    code = _run_beside(user, lambda: then(theirs))
                else:
                    code = sandbox.run_apart(view, Path(spec["place"]), user, lambda: then(theirs))
                os._exit(code if 0 <= code < 256 else 1)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        theirs.leave()

    def ended(self) -> int | None:
        """Return how it ended; None: it has not."""
        try:
            ended, status = os.waitpid(self.process, os.WNOHANG)
        except ChildProcessError:
            return 1
        return os.waitstatus_to_exitcode(status) if ended else None

    def end(self) -> None:
        """End it with all its processes, and wait for that."""
        _end(self)


def _end(part: Part | Copy) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(part.process, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while part.ended() is None:
        if time.monotonic() > until:
            with contextlib.suppress(ProcessLookupError):
                os.kill(part.process, signal.SIGKILL)
        time.sleep(0.01)
    part.channel.close()


def _default_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)


def _run_beside(user: int, then: Callable[[], int]) -> int:
    """Run a function among the computer's other processes; what it started is looked for when it has ended."""
    system.adopt_orphans()
    parent = os.getpid()
    first = os.fork()
    if first == 0:
        code = 1
        try:
            os.setsid()
            if os.geteuid() == 0 and user:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            system.gain_nothing()
            system.end_with_parent(parent)
            code = then()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    _, status = os.waitpid(first, 0)
    while left := list(sandbox.descendants(os.getpid())):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(status)


class Holder:
    """One seat, from what it is told first to its end.

    Args:
        spec: `name`, `folder`, `user`, `place`, `shared`, `network`, `token`, `limits`, `hidden` and `course`.
        channel: to the workshop.
    """

    def __init__(self, spec: dict[str, Any], channel: Channel) -> None:
        self._spec = spec
        self._channel = channel
        self._folder = Path(spec["folder"])
        self._parts: dict[str, Part | Copy] = {}
        self._arriving: socket.socket | None = None
        self._limits = sandbox.Limits(**spec["limits"])

    def run(self) -> None:
        """Do what the workshop says until it is gone."""
        waking, woken = socket.socketpair()
        for end in (waking, woken):
            end.setblocking(False)
        signal.set_wakeup_fd(woken.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            readers: dict[Any, str] = {self._channel: "workshop", waking: "child"}
            if self._arriving is not None:
                readers[self._arriving] = "arriving"
            readers |= {part.channel: name for name, part in self._parts.items()}
            ready, _, _ = select.select(list(readers), [], [])
            for one in ready:
                name = readers[one]
                if name == "child":
                    with contextlib.suppress(BlockingIOError):
                        waking.recv(4096)
                    self._reap()
                elif name == "workshop":
                    try:
                        message, _ = self._channel.receive()
                    except Gone:
                        self._end()
                        return
                    self._told(message)
                elif name == "arriving":
                    self._arrived()
                elif self._parts.get(name) and self._parts[name].channel is one:
                    self._heard(name)

    def _told(self, message: dict[str, Any]) -> None:
        what = message.get("do")
        try:
            if what == "connect":
                self._connect(message["id"])
            elif what == "expect":
                self._expect(message)
            elif what == "start":
                self._start(message["part"], message)
            elif what == "stop":
                self._stop(message["part"])
                self._answer(message, {})
            elif what == "grade":
                self._grade(message)
            elif what == "end":
                self._end()
                os._exit(0)
            else:
                self._parts[message["part"]].channel.send(message)
        except KeyError as error:
            self._answer(message, {"error": f"{error.args[0]} does not run"})
        except (OSError, Gone, ValueError) as error:
            self._answer(message, {"error": str(error)})

    def _answer(self, message: dict[str, Any], answer: dict[str, Any]) -> None:
        if "id" in message:
            self._channel.try_send({"id": message["id"], **answer})

    def _heard(self, name: str) -> None:
        """Pass on what a part says; client files of the lab go to the desk."""
        try:
            message, files = self._parts[name].channel.receive()
        except Gone:
            self._reap()
            return
        for descriptor in files:
            os.close(descriptor)
        if name == "lab" and "clients" in message:
            if "desk" in self._parts:
                self._parts["desk"].channel.try_send(message)
            return
        self._channel.try_send({**message, "part": name})

    def _connect(self, number: int) -> None:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with connection:
            connection.settimeout(2)
            connection.connect((self._spec["network"], DESK_PORT))
            connection.setblocking(False)
            self._channel.send({"id": number}, [connection.fileno()])

    def _start(self, part: str, message: dict[str, Any]) -> None:
        if part in self._parts:
            self._stop(part)
        spec = {**self._spec, **message, "limits": self._limits}
        user = self._spec["lab_user" if part == "lab" else "user"]
        if part == "builder":
            from k8swin_lab.workshop import builder

            self._parts[part] = Part(
                {**self._spec, "shared": True}, sandbox.View(), 0, lambda c: builder.run(spec, c)
            )
        elif part == "lab":
            lab = inside_lab.ordinary(spec["lab_network"])
            self._parts[part] = Part(
                self._spec, sandbox.View(), user, lambda c: inside_lab.run(spec, c, lab)
            )
        else:
            self._parts[part] = Part(
                self._spec, self._desk_view(), user, lambda c: inside_desk.run(spec, c)
            )
        self._answer(message, {})

    def _python(self) -> dict[Path, Path]:
        return {path: path for path in map(Path, self._spec["python"])}

    def _expect(self, message: dict[str, Any]) -> None:
        """Wait for a copy of a lab that is to come into this seat's network."""
        self._stop("lab")
        path = self._folder / "arriving"
        path.unlink(missing_ok=True)
        if self._arriving is not None:
            self._arriving.close()
        self._arriving = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with within_length(path) as name:
            self._arriving.bind(name)
        self._arriving.listen(1)
        self._answer(message, {})

    def _arrived(self) -> None:
        if self._arriving is None:
            return
        end, _ = self._arriving.accept()
        self._arriving.close()
        self._arriving = None
        channel = Channel(end)
        with contextlib.suppress(Gone, KeyError, ValueError):
            message, _ = channel.receive()
            self._parts["lab"] = Copy(channel, int(message["process"]))

    def _desk_view(self) -> sandbox.View:
        hidden = tuple(Path(text) for text in self._spec["hidden"])
        template = Path(self._spec["template"])
        readable = {**self._python(), **sandbox.programs(), inside_desk.TEMPLATE: template}
        return sandbox.View({sandbox.WORK: self._folder / "work"}, readable, hidden)

    def _stop(self, part: str) -> None:
        if part in self._parts:
            self._parts.pop(part).end()

    def _grade(self, message: dict[str, Any]) -> None:
        """Run the check beside the seat: in its network, with the lab's own files, and nothing of the trainee's."""
        course = Path(self._spec["course"])
        view = sandbox.View(
            {LAB_HOME: self._folder / "lab"}, {**self._python(), course: course}, ()
        )
        command = [sys.executable, "-m", *message["arguments"]]
        seconds = float(message["seconds"])

        def check(channel: Channel) -> int:
            home = self._folder / "lab" if self._spec["shared"] else LAB_HOME
            where = home if self._spec["shared"] else sandbox.HOME
            words = {
                "HOME": str(where),
                "K8SWIN_LAB_HOME": str(home),
                "K8SWIN_OPERATOR": "workshop",
            }
            try:
                done = subprocess.run(
                    [text.replace("{lab}", str(home)) for text in command],
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    cwd=where,
                    env=sandbox.environment(words),
                    timeout=seconds,
                )
                answer = {
                    "code": done.returncode,
                    "out": done.stdout.decode(errors="replace")[-60_000:],
                    "err": done.stderr.decode(errors="replace")[-4_000:],
                }
            except subprocess.TimeoutExpired:
                answer = {"error": f"the check did not end within {seconds:.0f} seconds"}
            channel.send({"id": message["id"], **answer})
            return 0

        name = f"grade {message['id']}"
        self._parts[name] = Part(self._spec, view, self._spec["lab_user"], check)

    def _reap(self) -> None:
        for name, part in list(self._parts.items()):
            code = part.ended()
            if code is None:
                continue
            # What it said last is still to be heard.
            while select.select([part.channel], [], [], 0)[0]:
                try:
                    message, _ = part.channel.receive()
                except Gone:
                    break
                self._channel.try_send({**message, "part": name})
            part.channel.close()
            del self._parts[name]
            if name.startswith("grade "):
                why = {"error": "the check ended without an answer"}
                self._channel.try_send({"id": int(name.split()[1]), **why})
            else:
                self._channel.try_send({"part": name, "ended": code})

    def _end(self) -> None:
        """Let the desk close its kernels, then end all."""
        desk = self._parts.get("desk")
        if desk:
            desk.channel.try_send({"do": "end"})
            until = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < until and select.select([desk.channel], [], [], 1)[0]:
                try:
                    desk.channel.receive()
                except Gone:
                    break
        for name in list(self._parts):
            self._stop(name)


def hold(channel: Channel, parent: int) -> None:
    """Be a seat's process until the workshop or the seat ends; never returns."""
    code = 1
    try:
        spec, _ = channel.receive()
        os.setsid()
        _default_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not spec["shared"]:
            sandbox.new_network()
        system.end_with_parent(parent)
        channel.send({"part": "seat", "process": os.getpid()})
        Holder(spec, channel).run()
        code = 0
    except Gone:
        code = 0
    except BaseException as error:
        channel.try_send({"part": "seat", "failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code)
