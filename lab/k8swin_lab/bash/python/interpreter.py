"""One shell: its state, and how commands of every kind run in it.

A subshell is a copy with its own thread where bash would fork; threads and pipes of the host take
the part of processes, so output streams and a reader that stops early ends its writer.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.bash.python import compound, redirection
from k8swin_lab.bash.python.conditions import Conditions
from k8swin_lab.bash.python.expansion import Expander
from k8swin_lab.bash.python.parser import Parser
from k8swin_lab.bash.python.state import (
    BreakLoop,
    ContinueLoop,
    ExitShell,
    Frame,
    Job,
    Options,
    ReturnFrom,
)
from k8swin_lab.bash.python.store import Store
from k8swin_lab.bash.python.streams import FileTable, LinkedEvent, pipe
from k8swin_lab.bash.python.syntax import (
    Command,
    Function,
    ProcessSubstitution,
    Script,
    Simple,
    Word,
)
from k8swin_lab.bash.python.variables import ShellFault, Variables
from k8swin_lab.bash.python.words import SyntaxFault
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.shell import ShellMachine, account, groups

if TYPE_CHECKING:
    from k8swin_lab.bash.python.shell import PythonShell

_DEPTH = 120


class Interpreter(Store):
    """A bash that runs, or a subshell of one."""

    def __init__(
        self,
        host: PythonShell,
        machine: ShellMachine,
        *,
        user: str,
        cwd: str,
        files: FileTable,
        cancelled: threading.Event,
        name: str = "bash",
        umask: int = 0o022,
    ) -> None:
        """Make a shell with no variables yet; see `PythonShell` for how one starts."""
        self.host = host
        self.machine = machine
        self.user = user
        self.cwd = cwd
        self.files = files
        self.cancelled = cancelled
        self.name = name
        self.umask = umask
        self.variables = Variables()
        self.functions: dict[str, tuple[Function, str]] = {}
        self.positional: list[str] = []
        self.options = Options()
        self.traps: dict[str, str] = {}
        self.frames: list[Frame] = []
        self.jobs: list[Job] = []
        self.last_job = 0
        self.status = 0
        self.line = 1
        self.pid = host.next_pid()
        self.shell_pid = self.pid
        self.subshell_level = 0
        self.from_text = False  # started with -c
        self.pipe_status = [0]
        self.last_argument = ""
        self.started = time.time()
        self.expand = Expander(self)
        self.conditions = Conditions(self)
        self.store = self
        self._quiet = 0  # > 0 where set -e and ERR do not look
        self.loops = 0
        self._substituted: int | None = None
        self._temporary: list[int] = []
        self._in_trap = False

    # Copies

    def child(self, files: FileTable | None = None) -> Interpreter:
        """Return a subshell: a copy that shares nothing but open files and the machine."""
        other = Interpreter(
            self.host, self.machine, user=self.user, cwd=self.cwd,
            files=files if files is not None else self.files.copy(),
            cancelled=self.cancelled, name=self.name, umask=self.umask,
        )  # fmt: skip
        other.variables = self.variables.copy()
        other.functions = dict(self.functions)
        other.positional = list(self.positional)
        other.options = self.options.copy()
        other.traps = {n: t for n, t in self.traps.items() if not t or n == "ERR"}
        if not self.options.errtrace:
            other.traps.pop("ERR", None)
        other.frames = list(self.frames)
        other.status = self.status
        other.line = self.line
        other.shell_pid = self.shell_pid
        other.last_job = self.last_job
        other.started = self.started
        other.subshell_level = self.subshell_level + 1
        other.from_text = self.from_text
        other._quiet = self._quiet
        other.loops = self.loops
        return other

    # Messages

    def where(self) -> str:
        """Return how an error message begins."""
        source = self.frames[-1].source if self.frames else self.name
        return f"{source}: line {self.line}: "

    def complain(self, text: str) -> None:
        """Write an error message to standard error."""
        self.error(f"{self.where()}{text}\n")

    def error(self, text: str) -> None:
        """Write to standard error; a closed one swallows it."""
        stream = self.files.get(2)
        try:
            if stream:
                stream.write(text.encode("utf-8", "surrogateescape"))
        except OSError:
            pass

    def output(self, text: str) -> None:
        """Write to standard output.

        Raises:
            OSError: it is closed, or nobody reads it any more.
        """
        stream = self.files.get(1)
        if stream is None:
            raise OSError(9, os.strerror(9))
        stream.write(text.encode("utf-8", "surrogateescape"))

    # Scripts

    def run(self, parser: Parser, syntax_name: str | None = None) -> int:
        """Run a script command by command, as far as it parses."""
        while True:
            parser.extended_globs = "extglob" in self.options.shopt
            try:
                script = parser.complete_command()
            except SyntaxFault as fault:
                self.syntax_error(fault, parser, syntax_name)
                return self.status
            except NotSimulated as gap:
                self.error(f"{self.machine.lacks(gap)}\n")
                raise ExitShell(70) from gap
            if script is None:
                return self.status
            if self.options.noexec:
                continue
            try:
                self.script(script)
            except ShellFault as fault:
                self.fault(fault)

    def fault(self, fault: ShellFault) -> None:
        """Report an error of expansion; ends the shell when it is of that kind."""
        self.complain(fault.text)
        self.status = fault.code
        if fault.fatal:
            self.status = 127 if self.from_text and fault.code == 1 else fault.code
            raise ExitShell(self.status)
        if self.options.errexit and not self._quiet:
            raise ExitShell(self.status)

    def syntax_error(self, fault: SyntaxFault, parser: Parser, name: str | None) -> None:
        """Report text that is no bash."""
        prefix = name or self.name
        self.error(f"{prefix}: line {fault.line}: {fault.text}\n")
        if not fault.at_end and "near unexpected" in fault.text:
            lines = parser.text.split("\n")
            number = fault.line - parser.line + parser.text.count("\n", 0, parser.at)
            shown = lines[min(number, len(lines) - 1)]
            self.error(f"{prefix}: line {fault.line}: `{shown}'\n")
        self.status = 2

    def finish(self, code: int) -> int:
        """Run the EXIT trap, if there is one, and return the shell's exit code."""
        text = self.traps.pop("EXIT", "")
        self.status = code
        if text:
            try:
                self.run_trap(text, keep=False)
            except ExitShell as leave:
                return leave.code
            return code
        return code

    def run_trap(self, text: str, *, keep: bool = True) -> None:
        """Run a trap's commands; the status is kept unless they exit."""
        if self._in_trap and keep:
            return
        status, line, quiet = self.status, self.line, self._quiet
        before, self._in_trap = self._in_trap, True
        try:
            self._quiet = 0
            self.run(Parser(text, line))
        finally:
            self._in_trap = before
            self._quiet = quiet
        self.status, self.line = status, line

    def script(self, script: Script) -> int:
        """Run a list of commands."""
        for command, background in script.items:
            if background:
                self.start_job(command)
                self.status = 0
            else:
                self.command(command)
        return self.status

    def start_job(self, command: Command) -> None:
        """Run a command in the background."""
        shell = self.child()
        shell._quiet = 0
        shell.cancelled = LinkedEvent(self.cancelled)
        if 0 in shell.files:
            shell.files.put(0, redirection.null_stream(self.cancelled))
        job = Job(shell.pid, "", shell.cancelled)
        self.last_job = shell.pid

        def work() -> None:
            job.code = shell.whole(lambda: shell.command(command))
            if job.killed:
                job.code = 128 + job.killed

        job.thread = threading.Thread(target=work, daemon=True)
        self.jobs.append(job)
        self.host.jobs[shell.pid] = job
        job.thread.start()

    def whole(self, work: Callable[[], object]) -> int:
        """Run a subshell from start to end: errors, EXIT trap, files closed."""
        try:
            try:
                work()
                code = self.status
            except ExitShell as leave:
                code = leave.code
            except ReturnFrom as leave:
                code = leave.code
            except (BreakLoop, ContinueLoop):
                code = 0
            except ShellFault as fault:
                try:
                    self.fault(fault)
                    code = self.status
                except ExitShell as leave:
                    code = leave.code
            return self.finish(code)
        except BrokenPipeError:
            return 141
        except OSError as error:
            self.complain(f"write error: {error.strerror}")
            return 1
        finally:
            self.files.close_all()

    # Commands

    def command(self, command: Command) -> int:
        """Run one command with its redirections."""
        if self.cancelled.is_set():
            raise ExitShell(130)
        if command.line:
            self.line = command.line
        if isinstance(command, Simple):
            self.status = self.host.simple(self, command)
            self._clean_temporary()
            return self.looked_at(self.status)
        if not command.redirects or isinstance(command, Function):
            return compound.run(self, command)
        saved = redirection.Saved(self)
        try:
            for redirect in command.redirects:
                redirection.apply(self, redirect, saved)
        except redirection.RedirectFault as fault:
            saved.restore()
            self.complain(fault.text)
            self.status = 1
            return self.looked_at(1)
        try:
            return compound.run(self, command)
        finally:
            saved.restore()
            self._clean_temporary()

    def source_name(self) -> str:
        """Return the name of the file whose commands run, as messages show it."""
        if self.frames and self.frames[-1].name == "source":
            return self.frames[-1].source
        if self.from_text:
            return "environment"
        return self.host.main_source.get(self.shell_pid, "main")

    def looked_at(self, status: int) -> int:
        """Let ERR and set -e see a failure."""
        self.status = status
        if status and not self._quiet:
            text = self.traps.get("ERR")
            if text and (
                self.options.errtrace or not self.frames or self.frames[-1].name == "source"
            ):
                self.run_trap(text)
            if self.options.errexit:
                raise ExitShell(status)
        return status

    def quietly(self, work: Callable[[], int]) -> int:
        """Run what may fail without set -e or ERR looking."""
        self._quiet += 1
        try:
            return work()
        finally:
            self._quiet -= 1

    @property
    def in_loop(self) -> bool:
        """Tell whether break and continue mean something here."""
        return self.loops > 0

    # Functions and substitutions

    def call(self, name: str, arguments: list[str]) -> int:
        """Call a function."""
        if len(self.frames) > _DEPTH:
            raise ShellFault(f"{name}: maximum function nesting level exceeded ({_DEPTH})")
        function, source = self.functions[name]
        saved, loops, line = self.positional, self.loops, self.line
        self.positional = arguments
        self.frames.append(Frame(name, source, line))
        self.variables.scopes.append({})
        self.loops = 0
        try:
            self.command(function.body)
        except ReturnFrom as leave:
            self.status = leave.code
        finally:
            self.variables.scopes.pop()
            self.frames.pop()
            self.positional, self.loops = saved, loops
            self.line = line
        return self.status

    def substitute(self, body: Script) -> str:
        """Return what commands print, without the line ends at the end."""
        shell = self.child()
        shell._quiet = 0
        if "inherit_errexit" not in self.options.shopt:
            shell.options.errexit = False
        out, into = pipe(self.cancelled)
        shell.files.put(1, into)
        codes: list[int] = []
        thread = threading.Thread(
            target=lambda: codes.append(shell.whole(lambda: self._substituted_body(shell, body))),
            daemon=True,
        )
        thread.start()
        text = out.read()
        out.close()
        thread.join()
        self._substituted = codes[0] if codes else 1
        return text.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    @staticmethod
    def _substituted_body(shell: Interpreter, body: Script) -> None:
        only = body.items[0][0] if len(body.items) == 1 else None
        if isinstance(only, Simple) and not only.words and not only.assignments:
            redirect = only.redirects[0] if len(only.redirects) == 1 else None
            if redirect and redirect.operator == "<":
                saved = redirection.Saved(shell)
                try:
                    redirection.apply(shell, redirect, saved)
                except redirection.RedirectFault as fault:
                    shell.complain(fault.text)
                    shell.status = 1
                    return
                while data := shell.files[0].read(65536):
                    shell.files[1].write(data)
                saved.restore()
                shell.status = 0
                return
        shell.script(body)

    def take_substituted(self) -> int:
        """Return the status of the last command substitution since the last call, or 0."""
        status, self._substituted = self._substituted, None
        return status or 0

    def process_substitution(self, part: ProcessSubstitution) -> str:
        """Start the commands and return the path under which their pipe can be opened."""
        out, into = pipe(self.cancelled)
        mine, theirs = (out, into) if part.direction == "<" else (into, out)
        shell = self.child()
        shell._quiet = 0
        shell.files.put(1 if part.direction == "<" else 0, theirs)
        number = 63
        while number in self.files:
            number -= 1
        self.files.put(number, mine)
        self._temporary.append(number)
        thread = threading.Thread(
            target=lambda: shell.whole(lambda: shell.script(part.body)), daemon=True
        )
        self.last_job = shell.pid
        thread.start()
        if part.direction == ">":
            self.host.writers.setdefault(self.shell_pid, []).append(thread)
        return f"/dev/fd/{number}"

    def _clean_temporary(self) -> None:
        while self._temporary and not self.frames:
            self.files.drop(self._temporary.pop())

    # What words need

    def parse_word(self, text: str) -> Word:
        """Read a text as one word (a subscript that comes from a variable)."""
        return Parser(text).word("", operand=True) or Word(())

    def identity(self) -> tuple[int, list[int]]:
        """Return the user's number and groups."""
        found = account(self.machine, self.user)
        if found is None:
            return 0, [0]
        more = [n for n, members in groups(self.machine).values() if self.user in members]
        return found.uid, [found.gid, *[n for n in more if n != found.gid]]
