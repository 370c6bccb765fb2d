"""Starts shells and programs of one machine without any process of the host."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from pathlib import Path
from typing import cast

from k8swin_lab.bash.proc import ProcFiles
from k8swin_lab.bash.programs import ProgramFiles, named_in, program_of
from k8swin_lab.bash.python import simple
from k8swin_lab.bash.python.builtins import BUILTINS
from k8swin_lab.bash.python.builtins.inputs import read_until
from k8swin_lab.bash.python.interpreter import Interpreter
from k8swin_lab.bash.python.parser import Parser
from k8swin_lab.bash.python.state import LETTERS, ExitShell, Job
from k8swin_lab.bash.python.streams import FileTable, LinkedEvent, Stream
from k8swin_lab.bash.python.variables import ShellFault
from k8swin_lab.bash.tools import TOOLS
from k8swin_lab.bash.tools.access import allowed
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.machines.shell import DEFAULT_PATH, ShellMachine, ShellProcess

VERSION = "5.2.21(1)-release"


class PythonShell:
    """Runs a machine's commands in this process."""

    def __init__(self, machine: ShellMachine) -> None:
        self._machine = machine
        self._own: dict[str, Program] = {**TOOLS, "bash": self._bash, "sh": self._bash}
        self._files = ProgramFiles(machine, self._own, {})
        self._files.lay_out()
        self._proc = ProcFiles(machine, machine.root)
        self._pids = itertools.count(1201)
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self.jobs: dict[int, Job] = {}
        self.writers: dict[int, list[threading.Thread]] = {}
        self.main_source: dict[int, str] = {}
        self.getopts: dict[int, tuple[int, int]] = {}
        self.directories: dict[int, list[str]] = {}
        self.simple = simple.run
        self.builtins = BUILTINS

    # Interface of every shell

    def run(self, argv: list[str], process: Process) -> int:
        self._bring_in_step()
        files = _table(process)
        cancelled = LinkedEvent(process.cancelled)
        shell = Interpreter(
            self, self._machine, user=process.user, cwd=process.cwd or "/", files=files,
            cancelled=cancelled, name=argv[0],
            umask=process.umask if isinstance(process, ShellProcess) else 0o022,
        )  # fmt: skip
        shell.start_variables(process.env, {"PATH": DEFAULT_PATH})
        try:
            path = self.path_of(shell, argv[0])
            if path is None:
                shell.error(f"{argv[0]}: command not found\n")
                return 127
            return self._execute(shell, path, argv, dict(process.env))
        finally:
            files.close_all()

    def stop(self) -> None:
        self._stopped.set()
        for job in list(self.jobs.values()):
            job.cancelled.set()

    # For interpreters

    def next_pid(self) -> int:
        """Return a process number that was not used before."""
        return next(self._pids)

    def path_of(self, shell: Interpreter, name: str) -> str | None:
        """Find a program as bash does: along PATH, or at its path when it has a slash."""
        disk = Disk(self._machine, shell.cwd)
        if "/" in name:
            return name if self._executable(shell, disk, name) else None
        for directory in (shell.variables.get("PATH") or "").split(":"):
            path = f"{directory or '.'}/{name}"
            if self._executable(shell, disk, path):
                return path
        return None

    def _executable(self, shell: Interpreter, disk: Disk, path: str) -> bool:
        try:
            host = disk.host(path)
            if not host.is_file():
                return False
            return allowed(self._machine, shell.user, disk.real(path), host, 1)
        except OSError:
            return False

    def plain(self, shell: Interpreter, arguments: list[str]) -> int:
        """Run a builtin or program, functions left aside."""
        if arguments[0] in self.builtins:
            return self.builtins[arguments[0]](shell, arguments[1:], [])
        return self.program(shell, arguments, shell.variables.environment())

    def program(self, shell: Interpreter, arguments: list[str], environment: dict[str, str]) -> int:
        """Run a program for a shell, with bash's words for what cannot be run."""
        name = arguments[0]
        path = self.path_of(shell, name)
        if path is None:
            disk = Disk(self._machine, shell.cwd)
            if "/" not in name:
                shell.complain(f"{name}: command not found")
                return 127
            if disk.is_dir(name):
                shell.complain(f"{name}: Is a directory")
                return 126
            if disk.exists(name):
                shell.complain(f"{name}: Permission denied")
                return 126
            shell.complain(f"{name}: No such file or directory")
            return 127
        return self._execute(shell, path, arguments, {**environment, "_": path})

    def _execute(
        self, shell: Interpreter, path: str, arguments: list[str], environment: dict[str, str]
    ) -> int:
        host = Disk(self._machine, shell.cwd).host(path)
        with host.open("rb") as file:
            head = file.read(256)
        named = named_in(host)
        if named is None and head.startswith(b"#!"):
            return self._interpreted(shell, path, head, arguments, environment)
        process = self._process(shell, arguments, environment)
        if named is None:
            if b"\0" in head.split(b"\n")[0] or head.startswith(b"\x7fELF"):
                shell.complain(f"{path}: cannot execute binary file: Exec format error")
                return 126
            process.argv = ["bash", path, *arguments[1:]]
            return self._bash(process)
        with self._lock:
            self._files.refresh()
        program = program_of(self._machine, self._own, *named)
        if program is None:
            shell.complain(f"{path}: cannot execute binary file: Exec format error")
            return 126
        if "/" in arguments[0]:
            process.argv = [Path(arguments[0]).name, *arguments[1:]]
            if named[0] in ("bash", "sh"):
                process.argv[0] = arguments[0]
        return self._guarded(program, process, outside=named[0] in self._machine.programs)

    def _guarded(self, program: Program, process: ShellProcess, *, outside: bool) -> int:
        """Run a program; only those of the machine can look at or change its state."""
        if outside:
            self._bring_in_step()
        try:
            return program(process)
        except NotSimulated as gap:
            said = self._machine.lacks(gap)
            with contextlib.suppress(OSError):  # the script may have closed standard error
                process.err(f"{said}\n")
            return 70
        except BrokenPipeError:
            return 141
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            return 1  # it wrote to a stream that the script had closed
        finally:
            self._bring_in_step()

    def _bring_in_step(self) -> None:
        with self._lock:
            self._proc.bring_in_step()
            self._files.refresh()

    def _interpreted(
        self,
        shell: Interpreter,
        path: str,
        head: bytes,
        arguments: list[str],
        environment: dict[str, str],
    ) -> int:
        words = head.split(b"\n")[0][2:].decode(errors="replace").strip().split(None, 1)
        interpreter = words[0] if words else ""
        if not interpreter or self.path_of(shell, interpreter) is None:
            shell.complain(f"{path}: cannot execute: required file not found")
            return 127
        line = [interpreter, *words[1:], path, *arguments[1:]]
        return self._execute(shell, interpreter, line, environment)

    def _process(
        self, shell: Interpreter, arguments: list[str], environment: dict[str, str]
    ) -> ShellProcess:
        closed = Stream()
        return ShellProcess(
            machine=cast(Machine, self._machine),
            argv=list(arguments),
            env=environment,
            cwd=shell.cwd,
            user=shell.user,
            stdin=shell.files.get(0, closed),
            stdout=shell.files.get(1, closed),
            stderr=shell.files.get(2, closed),
            cancelled=shell.cancelled,
            shell=self,
            umask=shell.umask,
            files=dict(shell.files),
        )

    # bash as a program

    def _bash(self, process: Process) -> int:
        arguments = process.argv[1:]
        files = _table(process)
        shell = Interpreter(
            self, self._machine, user=process.user, cwd=process.cwd or "/", files=files,
            cancelled=process.cancelled, name=process.argv[0],
            umask=process.umask if isinstance(process, ShellProcess) else 0o022,
        )  # fmt: skip
        return shell.whole(lambda: self._main(shell, arguments, process.env))

    def _main(self, shell: Interpreter, arguments: list[str], environment: dict[str, str]) -> None:
        uid, _ = shell.identity()
        shell.start_variables(
            environment,
            {
                "BASH": "/usr/bin/bash", "BASH_VERSION": VERSION, "HOSTNAME": self._machine.name,
                "HOSTTYPE": "x86_64", "OSTYPE": "linux-gnu", "MACHTYPE": "x86_64-pc-linux-gnu",
                "IFS": " \t\n", "OPTIND": "1", "PS4": "+ ", "UID": str(uid), "EUID": str(uid),
                "PPID": "1200", "PATH": DEFAULT_PATH,
            },
        )  # fmt: skip
        if Disk(self._machine, "/").is_dir(environment.get("PWD", "")) and (
            Disk(self._machine, "/").real(environment["PWD"])
            == Disk(self._machine, "/").real(shell.cwd)
        ):
            shell.cwd = environment["PWD"]
        shell.assign("PWD", shell.cwd)
        shell.variables.make("PWD").exported = True
        text, rest, from_input = _options(shell, arguments)
        if text is not None:
            shell.from_text = True
            if rest:
                shell.name, shell.positional = rest[0], rest[1:]
            shell.run(Parser(text), f"{shell.name}: -c")
        elif rest and not from_input:
            self._script(shell, rest)
        else:
            shell.positional = rest
            shell.run(Parser("", 1, lambda: _next_line(shell)))
        raise ExitShell(shell.status)

    def _script(self, shell: Interpreter, rest: list[str]) -> None:
        path = rest[0]
        disk = Disk(self._machine, shell.cwd)
        try:
            data = disk.host(path).read_bytes()
        except IsADirectoryError:
            shell.error(f"{path}: {path}: Is a directory\n")
            raise ExitShell(126) from None
        except OSError as error:
            shell.error(f"{shell.name}: {path}: {os.strerror(error.errno or 5)}\n")
            raise ExitShell(127) from None
        shell.name, shell.positional = path, rest[1:]
        self.main_source[shell.shell_pid] = path
        shell.run(Parser(data.decode("utf-8", "surrogateescape")))


def _next_line(shell: Interpreter) -> str:
    stream = shell.files.get(0)
    if stream is None:
        return ""
    data, complete = read_until(stream, b"\n")
    return data.decode("utf-8", "surrogateescape") + ("\n" if complete else "")


def _table(process: Process) -> FileTable:
    given = process.files if isinstance(process, ShellProcess) else {}
    files = FileTable()
    for number, stream in given.items():
        if isinstance(stream, Stream):
            files[number] = stream.share()
    for number, side in enumerate((process.stdin, process.stdout, process.stderr)):
        if isinstance(side, Stream):
            files.put(number, side.share())
        elif number:
            files.put(number, Stream(writer=side))  # type: ignore[arg-type]
        else:
            files.put(number, Stream(reader=side))  # type: ignore[arg-type]
    return files


def _options(shell: Interpreter, arguments: list[str]) -> tuple[str | None, list[str], bool]:
    """Read bash's own options; return the text of -c, what is left, and whether -s was given."""
    rest = list(arguments)
    command = from_input = False
    while rest and len(rest[0]) > 1 and rest[0][0] in "-+":
        word = rest.pop(0)
        if word in ("--", "-"):
            break
        if word.startswith("--"):
            if word in ("--norc", "--noprofile", "--login", "--posix", "--noediting"):
                continue
            if word == "--version":
                shell.output(f"GNU bash, version {VERSION} (x86_64-pc-linux-gnu)\n")
                raise ExitShell(0)
            shell.error(f"{shell.name}: {word}: invalid option\n")
            raise ExitShell(2)
        for letter in word[1:]:
            if letter == "c":
                command = True
            elif letter == "s":
                from_input = True
            elif letter in ("o", "O") and rest:
                name = rest.pop(0)
                if letter == "o":
                    shell.options.put(name, word[0] == "-")
                else:
                    shell.options.shopt.add(name)
            elif letter in LETTERS:
                shell.options.put(LETTERS[letter], word[0] == "-")
            elif letter not in "lirDp":
                shell.error(f"{shell.name}: -{letter}: invalid option\n")
                raise ExitShell(2)
    if not command:
        return None, rest, from_input
    if not rest:
        raise ShellFault("-c: option requires an argument", code=2)
    return rest[0], rest[1:], from_input
