"""PowerShell on a Windows host, through WinRM.

One protocol and one shell per host, opened when first used. pywinrm's own `run_ps` is not used: it puts
the script on a command line of at most 8191 characters, and waits for a hung command forever.

What holds a script on a real server is one chain of processes:

    svchost.exe (DcomLaunch) -> winrshost.exe -Embedding -> cmd.exe /c powershell.exe ... -> powershell.exe ...

There is one winrshost.exe a shell, and one cmd.exe and one powershell.exe a script. In the script `$PID` is
powershell.exe. The tag of the script stands in the command lines of the last two, which `Win32_Process` shows, and
nothing else of the script does. Whoever wants to know whether a process still is the one that it was compares
`ProcessId` and `CreationDate`, because Windows gives numbers again.

Everything below winrshost.exe is in its job object and ends with it, also what the script has started and what has lost
its parent; only what the service manager, the task scheduler or WMI started for it goes on. That job is what the quotas
of a shell limit, and what programs such as Ansible's asynchronous tasks break away from. A shell that nobody deletes
keeps its winrshost.exe (ansible/ansible#12275). So a stop signals the command, which ends powershell.exe, and deletes
the shell, which ends the rest; and whoever ends a script that was left behind ends its winrshost.exe. A script that
ends by itself leaves the shell, and what it started there, until the transport is closed.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import Any, ClassVar

from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from k8swin_nb.errors import (
    LOOKS_FIRST,
    EndUnknown,
    HostUnreachable,
    K8swinError,
    ScriptNotStarted,
    Stopped,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.scripts import Interpreter
from k8swin_nb.shells import (
    new_tag,
    powershell_command,
    powershell_input,
    powershell_serving_input,
)
from k8swin_nb.shown import shown_line
from k8swin_nb.transport_errors import not_begun
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.bounded import Cancelled, Overdue, check, take
from k8swin_nb.transports.connection import OnPin
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.winrm_course import Course
from k8swin_nb.transports.winrm_errors import SHOWN, place, translate
from k8swin_nb.transports.winrm_serving import ErrorsEnd, Serving, again, is_gone, shared_input
from k8swin_nb.transports.winrm_shell import CLOSE_SECONDS, SHORT_IDLE_TIMEOUT, WinrmShell
from k8swin_nb.transports.wsman import (
    OPERATION_SECONDS,
    QUIET_OPERATION_SECONDS,
    WsmanProtocol,
)

_NOT_STARTED = (
    "see what `powershell -NoProfile -NonInteractive` says on the host: a language mode, AppLocker, "
    "Defender or a policy stands before it, or something ended it"
)
_NOT_FOUND = (
    "the host does not find or does not start powershell.exe: see that its variable Path (`setx /M`, group policy) has "
    r"%SystemRoot%\System32 and %SystemRoot%\System32\WindowsPowerShell\v1.0, and that nothing forbids the program"
)

REQUEST_SECONDS = 30.0
"""Time for one message that the server answers at once."""

BUSY_SECONDS = 60.0
"""How long input is offered to a server that says it is busy."""

LAST_SECONDS = 5.0
"""Time to learn what a program said that took no input."""

STOP_SECONDS = 6.0
"""Time for a stop to be confirmed."""

SLACK = 1.0
"""Seconds beyond a script's deadline in which the server may say by itself that there was no output."""

YIELD_SECONDS = 1.0
"""Time that a script has left to end by itself when the transport is closed."""

SILENT_ANSWERS = 6
"""Answers in a row without output, after which the server is asked more slowly."""

SPARED_SECONDS = 0.25
"""Pause after an answer that came at once and held nothing."""

END_SECONDS = 30.0
"""How long the server may take to say that a script is over which has said so itself: what it has started may hold
its output open for ever."""

STDIN_PIECE = 64 * 1024
"""Bytes of standard input in one message: below 100 KB, or its envelope grows past the server's limit."""

BUSY = 170
"""ERROR_BUSY: the input was not taken."""

NOT_TAKEN = (109, BUSY, 232)
"""Faults for input that nobody reads: also ERROR_BROKEN_PIPE and ERROR_NO_DATA."""

UNCONFIRMED = "WinRM did not confirm the stop; whether the script still runs is not known"

_open: weakref.WeakSet[WinrmTransport] = weakref.WeakSet()


class _Gone(Exception):
    """A process that served other scripts is no more, and nothing of this one was seen."""


class WinrmTransport(Transport):
    """PowerShell on a Windows host. One command at a time: pywinrm is not safe for threads."""

    interpreter: ClassVar[Interpreter] = "powershell"

    def __init__(
        self,
        host: Host,
        *,
        protocol: Callable[..., Any] = WsmanProtocol,
        on_pin: OnPin | None = None,
    ) -> None:
        super().__init__(host)
        self._turn = threading.Lock()
        self._shell = WinrmShell(host, protocol, on_pin)
        self._serving: Serving | None = None

    def _run(self, work: Work, output: Output) -> End:
        until = time.monotonic() + work.timeout if work.timeout else math.inf
        course = Course(work, output, until)
        sent = powershell_input(
            work.script,
            work.parameters,
            work.secrets,
            work.stdin,
            word=course.proof.word,
            around=work.around,
        )
        shared = shared_input(work, course.proof.word)
        try:
            take(self._turn, until=until, cancel=work.cancel)
            try:
                try:
                    code = self._in_turn(course, shared or sent, serving=shared is not None)
                except _Gone:
                    # Nothing of the script was seen, and it only looks.
                    course.begun, course.errors = False, None
                    course.proof.give_back()
                    code = self._in_turn(course, sent, serving=False)
            finally:
                self._turn.release()
        except Cancelled:
            if not course.begun:
                raise Stopped(self.host.name, "was stopped before its script began") from None
            return course.end or End(CANCELLED, left=course.left)
        except Overdue:
            if not course.begun:
                raise not_begun(self.host.name, work.timeout or 0) from None
            return course.end or End(CANCELLED, timed_out=True, left=course.left)
        return self._judged(code, course)

    def _in_turn(self, course: Course, sent: bytes, *, serving: bool) -> int | None:
        """Carry one script and return the exit code that the server gives; None: it gives none.

        Args:
            course: The script.
            sent: What its process is sent.
            serving: By the process that serves several; it only looks.

        Raises:
            Cancelled, Overdue: when it was stopped, or not begun.
            TransportError: when it was not begun, or its end is not known.
            _Gone: when a process that served others is gone.
        """
        _open.add(self)
        finished = used = False
        command: str | None = None
        course.errors = ErrorsEnd(course.proof.word) if serving else None
        try:
            command, first, used = self._process(course, serving=serving)
            self.identities.see(self._shell.identity())
            if used:
                course.proof.take()
                sent = again(sent)
            refusal = self._send(command, first + sent, course, last=not serving)
            if refusal is not None and used:
                raise translate(refusal, self.host) from refusal
            course.output.begun()
            if refusal is None:
                code = self._receive(command, course, course.until)
            else:
                code = self._last_words(command, course, refusal)
            finished = True
        except TransportError as error:
            finished = True
            if serving:
                self._serving = None
            if used and not course.proof.seen and is_gone(error):
                self._shell.give_up()
                raise _Gone from error
            if isinstance(error, (HostUnreachable, TransportTimeout)):
                # Nobody is there to be told. What was begun is ended when the host answers again.
                self._shell.give_up()
            elif self._shell.id is not None:
                if not isinstance(error.__cause__, WSManFaultError):
                    # After an answer that could not be read the keys of this connection are out of step.
                    self._shell.drop()
                self._stop(command, course)
            if course.end is not None:
                return course.end.returncode
            if not course.begun:
                raise
            raise self._end_unknown(error, course) from error
        finally:
            if not finished:
                self._stop(command, course)
        if serving and self._serving is not None and course.told:
            self._serving.scripts += 1
            return code
        if serving:
            self._serving = None
        if used and not course.proof.seen:
            # It ended before the script came.
            self._terminate(command)
            raise _Gone
        self._terminate(command)
        return code

    def _process(self, course: Course, *, serving: bool) -> tuple[str, bytes, bool]:
        """Return the command that runs a script, what it is sent first, and whether it has served another before."""
        work = course.work
        if serving and self._serving is not None:
            if self._serving.serves(self._shell.id):
                return self._serving.command, b"", True
            before, self._serving = self._serving, None
            if before.shell == self._shell.id:
                self._terminate(before.command)
        tag = new_tag(verb="serving") if serving else work.tag
        program, arguments = powershell_command(tag, serving=serving)
        command = self._shell.start(program, arguments, REQUEST_SECONDS, course.until, work.cancel)
        if not serving:
            return command, b"", False
        self._serving = Serving(str(self._shell.id), command)
        return command, powershell_serving_input(), False

    def _end_unknown(self, error: TransportError, course: Course) -> TransportError:
        """Return the error of a script that may have begun when something went wrong."""
        detail = f"{error.detail}; {course.so_far()}"
        if isinstance(error, (HostUnreachable, TransportTimeout)):
            unknown = type(error)(self.host.name, detail, hint=f"run the cell again: {LOOKS_FIRST}")
            unknown.begun = True
            return unknown
        left = f"; {course.left}" if course.left else ""
        return EndUnknown(self.host.name, detail + left, hint=error.hint)

    def _send(
        self, command: str, sent: bytes, course: Course, *, last: bool
    ) -> WSManFaultError | None:
        """Send the whole input, `last` with its end; return the server's refusal when it is not taken."""
        until, cancel = course.until, course.work.cancel
        for start in range(0, len(sent), STDIN_PIECE):
            whole = start + STDIN_PIECE >= len(sent)
            piece = methodcaller(
                "send_command_input",
                self._shell.id,
                command,
                sent[start : start + STDIN_PIECE],
                end=whole and last,
            )
            check(until, cancel)
            # Half a document runs nothing.
            course.begun = whole
            patience = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    self._shell.ask(piece, REQUEST_SECONDS, until, cancel)
                except WinRMOperationTimeoutError:
                    break  # the server has it and is slow to say so: sent again it would arrive twice
                except WSManFaultError as error:
                    if error.wsman_fault_code != BUSY or time.monotonic() >= patience:
                        return error
                    cancel.wait(max(0.0, min(1.0, until - time.monotonic())))
                    check(until, cancel)
                    continue
                except (K8swinError, Cancelled, Overdue):
                    raise
                except Exception as error:
                    raise translate(error, self.host) from error
                break
        return None

    def _receive(self, command: str, course: Course, until: float) -> int | None:
        """Take the output until the command has ended, and return its exit code; None: the server gave none."""
        proof, output, cancel = course.proof, course.output, course.work.cancel
        over = math.inf
        silent = 0
        while True:
            if proof.ended:
                over = min(over, time.monotonic() + END_SECONDS)
            if time.monotonic() >= over:
                return self._held_open(command, course)
            check(until, cancel)
            left = min(until, over) - time.monotonic()
            # The server answers an empty request after this time, so a deadline is met to the second.
            # Each question may count against a quota, so that a long silence is asked more slowly.
            longest = QUIET_OPERATION_SECONDS if silent >= SILENT_ANSWERS else OPERATION_SECONDS
            seconds = max(1, round(min(longest, left)))
            asked = time.monotonic()
            try:
                stdout, stderr, code, done = self._shell.ask(
                    partial(_listen, shell=self._shell.id, command=command, seconds=seconds),
                    seconds + REQUEST_SECONDS - OPERATION_SECONDS,
                    min(until, over) + SLACK,
                    cancel,
                )
            except WinRMOperationTimeoutError:
                stdout, stderr, code, done = b"", b"", None, False
            except Overdue:
                if min(until, over) == until:
                    raise
                continue
            except (K8swinError, Cancelled):
                raise
            except Exception as error:
                raise translate(error, self.host) from error
            silent = 0 if stdout or stderr else silent + 1
            if not (stdout or stderr or done) and time.monotonic() - asked < SPARED_SECONDS:
                # A server waits before it says that there was nothing. One that does not is not asked without a pause.
                cancel.wait(SPARED_SECONDS)
                continue
            output.feed("stdout", proof.feed(stdout))
            output.feed("stderr", course.errors.feed(stderr) if course.errors else stderr)
            if course.told:
                return None
            if done:
                output.feed("stdout", proof.finish())
                if course.errors:
                    output.feed("stderr", course.errors.finish())
                return code if code is None else int(code)

    def _held_open(self, command: str, course: Course) -> int | None:
        """Return the code of a script that is over, while something that it has started holds its output open."""
        if course.end is not None:
            return course.end.returncode
        self._stop(command, course)
        raise EndUnknown(
            self.host.name,
            f"`{course.work.script.name}` came to its end by `exit`, and PowerShell did not end within "
            f"{END_SECONDS:g} s: what it has started holds its output open, and was ended",
            hint=(
                "start what is to go on with an output of its own, as a service, a scheduled task or with "
                "`-RedirectStandardOutput FILE`; without `exit` the script's end is known all the same"
            ),
        )

    def _last_words(self, command: str, course: Course, refusal: WSManFaultError) -> int | None:
        """Learn why a program took no input: what it printed, and how it ended."""
        limit = min(course.until, time.monotonic() + LAST_SECONDS)
        try:
            return self._receive(command, course, limit)
        except Overdue:
            if limit == course.until:
                raise
            self._stop(command, course)
            if refusal.wsman_fault_code not in NOT_TAKEN:
                raise translate(refusal, self.host) from None
            raise TransportTimeout(
                self.host.name, f"{place(self.host)}: the program takes no input and does not end"
            ) from None

    def _judged(self, code: int | None, course: Course) -> End:
        """Return how a script ended, if that is proven."""
        host, proof, name = self.host.name, course.proof, course.work.script.name
        if course.end is not None:
            return course.end
        if proof.began and proof.ended and code is not None:
            return End(code)
        ended = "ended without an exit code" if code is None else f"ended with exit code {code}"
        if not proof.began:
            before = proof.before.decode("utf-8", "replace")
            stderr = course.output.text("stderr")
            # In all languages the command line's interpreter names the program that it does not find.
            found = "powershell.exe" not in stderr.lower()
            raise ScriptNotStarted(
                host,
                f"PowerShell {ended} before `{name}` began",
                printed=f"{before}\n{stderr}".strip(),
                hint=_NOT_STARTED if found else _NOT_FOUND,
            )
        said = shown_line(" ".join(course.output.text("stderr").split()), most=SHOWN)
        raise EndUnknown(
            host,
            f"`{name}` began and did not come to its end: PowerShell {ended}"
            + (f"; it printed: {said}" if said else ""),
            hint="something ended it from outside, or it left by `[Environment]::Exit`; look at the host's event log",
        )

    # --- the end of a command

    def _terminate(self, command: str) -> None:
        """Tell the server that the command is over, so that it forgets it."""
        try:
            self._shell.ask(methodcaller("cleanup_command", self._shell.id, command), CLOSE_SECONDS)
        except Exception:
            # Its answer is in already; the next command opens a new shell.
            self._shell.give_up()

    def _stop(self, command: str | None, course: Course) -> None:
        """End a command with all that it has started, and note when the server does not confirm it."""
        self._serving = None
        limit = time.monotonic() + STOP_SECONDS
        if command is not None and self._shell.id is not None:
            signal = methodcaller("cleanup_command", self._shell.id, command)
            with contextlib.suppress(Exception):
                self._shell.ask(signal, STOP_SECONDS / 2, limit)
        if not self._shell.end(limit):
            course.left = UNCONFIRMED

    def end_soon(self) -> None:
        """Let the server end the shell, and what runs in it, three minutes after nobody asks any more."""
        self._shell.idle_timeout = SHORT_IDLE_TIMEOUT

    def _close(self, *, abandon: bool = False) -> None:
        if abandon:
            # Not in turn: another thread may have it while it waits for a dead host.
            self._shell.give_up()
            return
        try:
            take(self._turn, until=time.monotonic() + YIELD_SECONDS)
        except Overdue:
            # What runs there is over: whoever waits for it is told, and the shell is deleted with it.
            self._shell.give_up()
            with contextlib.suppress(Overdue):
                take(self._turn, until=time.monotonic() + YIELD_SECONDS)
                self._let_go()
            return
        self._let_go()

    def _let_go(self) -> None:
        try:
            self._shell.delete()
            self._shell.delete_left(time.monotonic() + CLOSE_SECONDS)
            self._shell.drop()
        finally:
            self._shell.leave()
            self._turn.release()
            _open.discard(self)


@atexit.register
def _close_all() -> None:
    """Delete the shells that are left when the interpreter ends; the server allows few per user."""
    closing = []
    for transport in list(_open):
        try:
            thread = threading.Thread(target=transport.close, daemon=True)
            thread.start()
            closing.append(thread)
        except RuntimeError:
            transport.close()
    until = time.monotonic() + 3 * CLOSE_SECONDS
    for thread in closing:
        thread.join(max(0.0, until - time.monotonic()))


def _listen(protocol: Any, *, shell: str | None, command: str, seconds: int) -> Any:
    protocol.operation_timeout_sec = seconds
    try:
        return protocol.get_command_output_raw(shell, command)
    finally:
        protocol.operation_timeout_sec = OPERATION_SECONDS
