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
    EndUnknown,
    HostUnreachable,
    K8swinError,
    ScriptNotStarted,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.scripts import Interpreter
from k8swin_nb.shells import powershell_command, powershell_input
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.bounded import Cancelled, Overdue, check, take
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.proof import Proof
from k8swin_nb.transports.winrm_errors import place, shown, translate
from k8swin_nb.transports.winrm_shell import CLOSE_SECONDS, WinrmShell
from k8swin_nb.transports.wsman import OPERATION_SECONDS, WsmanProtocol

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

STDIN_PIECE = 64 * 1024
"""Bytes of standard input in one message: below 100 KB, or its envelope grows past the server's limit."""

BUSY = 170
"""ERROR_BUSY: the input was not taken."""

UNCONFIRMED = (
    "k8swin: {}: WinRM did not confirm the stop: what the script began may still run there\n"
)

_open: weakref.WeakSet[WinrmTransport] = weakref.WeakSet()


class WinrmTransport(Transport):
    """PowerShell on a Windows host. One command at a time: pywinrm is not safe for threads."""

    interpreter: ClassVar[Interpreter] = "powershell"

    def __init__(self, host: Host, *, protocol: Callable[..., Any] = WsmanProtocol) -> None:
        super().__init__(host)
        self._turn = threading.Lock()
        self._shell = WinrmShell(host, protocol)

    def _run(self, work: Work, output: Output) -> End:
        proof = Proof()
        sent = powershell_input(
            work.script, work.parameters, work.secrets, work.stdin, word=proof.word
        )
        until = time.monotonic() + work.timeout if work.timeout else math.inf
        try:
            take(self._turn, until=until, cancel=work.cancel)
            try:
                end = self._in_turn(work, sent, proof, output, until)
            finally:
                self._turn.release()
        except Cancelled:
            return End(CANCELLED)
        except Overdue:
            return End(CANCELLED, timed_out=True)
        return self._judged(end, proof, output, work.script.name)

    def _in_turn(self, work: Work, sent: bytes, proof: Proof, output: Output, until: float) -> int:
        """Carry one script and return the exit code that the server gives.

        Raises:
            Cancelled, Overdue: when it was stopped, or not begun.
        """
        program, arguments = powershell_command(work.tag)
        _open.add(self)
        finished = False
        command: str | None = None
        try:
            command = self._shell.start(program, arguments, REQUEST_SECONDS, until, work.cancel)
            if self._send(command, sent, until, work.cancel):
                code = self._receive(command, proof, output, until, work.cancel)
            else:
                code = self._last_words(command, proof, output, until, work.cancel)
            finished = True
        except (HostUnreachable, TransportTimeout):
            # Nobody is there to be told. What was begun is ended when the host answers again.
            self._shell.give_up()
            finished = True
            raise
        finally:
            if not finished:
                self._stop(command, output)
        self._terminate(command)
        return code

    def _send(self, command: str, sent: bytes, until: float, cancel: threading.Event) -> bool:
        """Send the whole input; False when the program does not take it."""
        for start in range(0, len(sent), STDIN_PIECE):
            piece = methodcaller(
                "send_command_input",
                self._shell.id,
                command,
                sent[start : start + STDIN_PIECE],
                end=start + STDIN_PIECE >= len(sent),
            )
            patience = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    self._shell.ask(piece, REQUEST_SECONDS, until, cancel)
                except WinRMOperationTimeoutError:
                    break  # the server has it and is slow to say so: sent again it would arrive twice
                except WSManFaultError as error:
                    if error.wsman_fault_code != BUSY or time.monotonic() >= patience:
                        return False
                    cancel.wait(max(0.0, min(1.0, until - time.monotonic())))
                    check(until, cancel)
                    continue
                except (K8swinError, Cancelled, Overdue):
                    raise
                except Exception as error:
                    raise translate(error, self.host) from error
                break
        return True

    def _receive(
        self, command: str, proof: Proof, output: Output, until: float, cancel: threading.Event
    ) -> int:
        """Take the output until the command has ended, and return its exit code."""
        while True:
            check(until, cancel)
            left = until - time.monotonic()
            # The server answers an empty request after this time, so a deadline is met to the second.
            seconds = max(1, round(min(OPERATION_SECONDS, left)))
            try:
                stdout, stderr, code, done = self._shell.ask(
                    partial(_listen, shell=self._shell.id, command=command, seconds=seconds),
                    seconds + REQUEST_SECONDS - OPERATION_SECONDS,
                    until + SLACK,
                    cancel,
                )
            except WinRMOperationTimeoutError:
                continue
            except (K8swinError, Cancelled, Overdue):
                raise
            except Exception as error:
                raise translate(error, self.host) from error
            output.feed("stdout", proof.feed(stdout))
            output.feed("stderr", stderr)
            if done:
                output.feed("stdout", proof.finish())
                return int(code)

    def _last_words(
        self, command: str, proof: Proof, output: Output, until: float, cancel: threading.Event
    ) -> int:
        """Learn why a program took no input: what it printed, and how it ended."""
        limit = min(until, time.monotonic() + LAST_SECONDS)
        try:
            return self._receive(command, proof, output, limit, cancel)
        except Overdue:
            if limit == until:
                raise
            self._stop(command, output)
            raise TransportTimeout(
                self.host.name, f"{place(self.host)}: the program takes no input and does not end"
            ) from None

    def _judged(self, code: int, proof: Proof, output: Output, name: str) -> End:
        """Return how a script ended, if that is proven."""
        host = self.host.name
        if proof.began and proof.ended:
            return End(code if proof.code is None else proof.code)
        said = shown(
            (proof.before.decode("utf-8", "replace") + " " + output.text("stderr")).strip()
        )
        printed = f"; it printed: {said}" if said else "; it printed nothing"
        if not proof.began:
            raise ScriptNotStarted(
                host,
                f"PowerShell ended with exit code {code} before `{name}` began{printed}",
                hint=(
                    "see what `powershell -NoProfile -NonInteractive` says on the host: a language mode, AppLocker, "
                    "Defender or a policy stands before it, or something ended it"
                ),
            )
        raise EndUnknown(
            host,
            f"`{name}` began and did not come to its end: PowerShell ended with exit code {code}{printed}",
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

    def _stop(self, command: str | None, output: Output) -> None:
        """End a command with all that it has started, and say so when the server does not confirm it."""
        limit = time.monotonic() + STOP_SECONDS
        if command is not None and self._shell.id is not None:
            signal = methodcaller("cleanup_command", self._shell.id, command)
            with contextlib.suppress(Exception):
                self._shell.ask(signal, STOP_SECONDS / 2, limit)
        if not self._shell.end(limit):
            output.feed("stderr", UNCONFIRMED.format(self.host.name).encode())

    def _close(self, *, abandon: bool = False) -> None:
        if abandon:
            # Not in turn: another thread may have it while it waits for a dead host.
            self._shell.give_up()
            return
        try:
            take(self._turn, until=time.monotonic() + CLOSE_SECONDS)
        except Overdue:
            self._shell.give_up()
            return
        try:
            self._shell.delete()
            self._shell.drop()
        finally:
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
    until = time.monotonic() + 2 * CLOSE_SECONDS
    for thread in closing:
        thread.join(max(0.0, until - time.monotonic()))


def _listen(protocol: Any, *, shell: str | None, command: str, seconds: int) -> Any:
    protocol.operation_timeout_sec = seconds
    try:
        return protocol.get_command_output_raw(shell, command)
    finally:
        protocol.operation_timeout_sec = OPERATION_SECONDS
