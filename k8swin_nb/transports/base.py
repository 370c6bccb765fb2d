"""What all transports have in common: checking, timing, masking, deadlines, files.

The public methods live here, once; an implementation only carries bytes. So SSH and WinRM behave alike,
and one set of tests holds for both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import ClassVar

from k8swin_nb.errors import CommandTimeout, ScriptError, Stopped, TransferFailed
from k8swin_nb.fan_out import CANCELLED as CANCELLED
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.scripts import Interpreter, Script
from k8swin_nb.secret import Secret
from k8swin_nb.shells import PLAIN, Surroundings, new_tag, objects_apart
from k8swin_nb.transports.identity import Identities
from k8swin_nb.transports.idle import watched
from k8swin_nb.transports.output import KEPT_BYTES, OnOutput, Output

FILE_SECONDS = 600.0
"""Time that one file transfer may take."""

MOST_CHARACTERS = KEPT_BYTES
"""Characters of a file in base64 that are kept."""


@dataclass(frozen=True, slots=True)
class Work:
    """One script with everything that goes with it, checked."""

    script: Script
    parameters: Mapping[str, str]
    secrets: Mapping[str, Secret]
    stdin: bytes
    timeout: float | None
    sudo: bool
    cancel: threading.Event
    feed: Iterable[bytes]
    """What follows standard input, piece by piece, as it comes (bash only)."""
    tag: str
    """The word by which its processes are found on the host."""
    around: Surroundings = PLAIN
    """What the script finds around it."""


@dataclass(frozen=True, slots=True)
class End:
    """How a script ended, apart from what it printed."""

    returncode: int
    timed_out: bool = False
    left: str = ""
    """What still runs on the host of a script that was stopped, or that this is not known."""


class Transport(ABC):
    """An open way to one host. Safe to use from several threads."""

    interpreter: ClassVar[Interpreter]
    """What interprets a script that is given as text."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.identities = Identities()
        """What the host has shown of itself on this way; told of before a script is sent."""

    def run(
        self,
        script: str | Script,
        *,
        parameters: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        secrets: Mapping[str, Secret] | None = None,
        timeout: float | None = None,
        sudo: bool = False,
        on_output: OnOutput | None = None,
        cancel: threading.Event | None = None,
        feed: Iterable[bytes] | None = None,
        tag: str = "",
        around: Surroundings | None = None,
        idle: float | None = None,
    ) -> Result:
        """Run a script and return its answer, whatever its exit code.

        Args:
            script: A script of the package, which must be given what it declares, or a text.
            parameters: Values by name: environment variables for bash, named arguments for PowerShell.
            stdin: Standard input of the script; for PowerShell UTF-8 text, in `$input`.
            secrets: Like parameters, but in no command line and, with bash, in no environment.
            timeout: Seconds until the script and its children are stopped; None: no limit. A login and the wait for
                a session count.
            sudo: Run as root (bash only).
            on_output: Told stream and masked text as it arrives, by whole lines.
            cancel: When it is set, the script is stopped with its children; its exit code is then 143, and
                `Result.left` says what could not be ended.
            feed: More standard input, sent piece by piece while the script runs (bash only).
            tag: What `new_tag` made, where the caller has written it down; empty: one of its own.
            around: What the script finds around it and does not declare.
            idle: Seconds without any output after which it is stopped with its children; None: no limit.

        Raises:
            ScriptError: when parameters and declarations differ, before anything is sent.
            CommandTimeout: with what was printed until then.
            Stopped: when `cancel` was set before the script began; nothing was run.
            TransportTimeout: when there was no session before the timeout; nothing was run.
            ScriptNotStarted: when something else than our shell answered; nothing was run.
            EndUnknown: when the script began and its end was not seen.
            TransportError: when the host cannot be reached or used.
        """
        output = Output(on_output)
        stop = cancel or threading.Event()
        work = self._work(
            script, parameters or {}, secrets or {}, stdin, timeout, sudo, stop, feed, tag, around
        )
        if idle is not None:
            work = replace(work, cancel=watched(output, idle, stop))
        started = time.monotonic()

        def result(end: End) -> Result:
            stdout, stdout_raw = output.whole("stdout")
            stderr, stderr_raw = output.whole("stderr")
            if work.around.objects:
                stdout, said = objects_apart(stdout)
                stderr, stdout_raw, stderr_raw = said + stderr, None, None
            return Result(
                args=work.script.name,
                returncode=end.returncode,
                stdout=stdout,
                stderr=stderr,
                host=self.host.name,
                seconds=time.monotonic() - started,
                left=end.left,
                stdout_raw=stdout_raw,
                stderr_raw=stderr_raw,
            )

        try:
            end = self._run(work, output)
        finally:
            output.finish()
        if output.silent and end.returncode == CANCELLED and not (cancel and cancel.is_set()):
            raise CommandTimeout(result(end), idle or 0, silent=True)
        if end.timed_out:
            raise CommandTimeout(result(end), work.timeout or 0)
        return result(end)

    def _work(
        self,
        script: str | Script,
        parameters: Mapping[str, str],
        secrets: Mapping[str, Secret],
        stdin: bytes,
        timeout: float | None,
        sudo: bool,
        cancel: threading.Event,
        feed: Iterable[bytes] | None,
        tag: str,
        around: Surroundings | None,
    ) -> Work:
        if isinstance(script, str):
            checked = Script.from_text(script, self.interpreter)
        else:
            checked = script
            given = {**parameters, **dict.fromkeys(secrets, "")}
            script.bind(given, complete=around is None)
        if checked.interpreter != self.interpreter:
            raise ScriptError(
                f"`{checked.name}` is for {checked.interpreter}, {self.host.name} runs {self.interpreter}",
                hint="choose hosts of the other operating system",
            )
        if sudo and self.interpreter != "bash":
            raise ScriptError(
                f"{self.host.name}: there is no sudo on Windows", hint="log in as an administrator"
            )
        for name, value in parameters.items():
            if not isinstance(value, str):
                raise ScriptError(
                    f"`{checked.name}`: `{name}` is of type {type(value).__name__}, expected text",
                    hint="a `Secret` belongs into `secrets`" if isinstance(value, Secret) else None,
                )
        if timeout is not None and timeout <= 0:
            raise ScriptError(f"the timeout is {timeout:g} s, expected more than 0")
        return Work(
            checked,
            parameters,
            secrets,
            stdin,
            timeout,
            sudo,
            cancel,
            feed or (),
            tag or new_tag(),
            around or PLAIN,
        )

    def put(
        self,
        content: bytes,
        path: str,
        *,
        mode: str = "",
        sudo: bool = False,
        cancel: threading.Event | None = None,
    ) -> None:
        """Write a file: beside its place first, then checked by SHA-256, then moved there.

        Args:
            content: All of it.
            path: Path on the host; its folder must exist.
            mode: Such as `0600` (Linux only); empty: that of the file that is there, else 0644.
            sudo: Write as root (Linux only).
            cancel: When it is set, it is stopped, and the file is as it was.

        Raises:
            Stopped: when it was stopped.
            TransferFailed: when it cannot be written or does not arrive whole.
        """
        values = {"Path": path, "Sha256": hashlib.sha256(content).hexdigest()}
        if self.interpreter == "bash":
            values = {"FILE": path, "SHA256": values["Sha256"], "FILE_MODE": mode}
        else:
            content = base64.b64encode(content) or b"="
        done = self.run(
            own_script("put", self.interpreter),
            parameters=values,
            stdin=content,
            timeout=FILE_SECONDS,
            sudo=sudo,
            cancel=cancel,
        )
        self._check_stopped(done, f"`{path}` was not written", cancel)
        if not done.ok:
            raise TransferFailed(self.host.name, f"`{path}` was not written: {_reason(done)}")

    def get(self, path: str, *, sudo: bool = False, cancel: threading.Event | None = None) -> bytes:
        """Read a file, checked by SHA-256.

        Args:
            path: Path on the host.
            sudo: Read as root (Linux only).
            cancel: When it is set, it is stopped.

        Raises:
            Stopped: when it was stopped.
            TransferFailed: when it cannot be read or does not arrive whole.
        """
        name = "FILE" if self.interpreter == "bash" else "Path"
        done = self.run(
            own_script("get", self.interpreter),
            parameters={name: path},
            timeout=FILE_SECONDS,
            sudo=sudo,
            cancel=cancel,
        )
        self._check_stopped(done, f"`{path}` was not read", cancel)
        if not done.ok:
            raise TransferFailed(self.host.name, f"`{path}` was not read: {_reason(done)}")
        if len(done.stdout) > MOST_CHARACTERS:
            raise TransferFailed(
                self.host.name,
                f"`{path}` is larger than the {MOST_CHARACTERS // 4 * 3 // 2**20} MiB that are read",
            )
        digest, _, encoded = done.stdout.partition("\n")
        try:
            content = base64.b64decode("".join(encoded.split()), validate=True)
        except binascii.Error as error:
            raise TransferFailed(self.host.name, f"`{path}` arrived damaged: {error}") from error
        if hashlib.sha256(content).hexdigest() != digest.strip().lower():
            raise TransferFailed(self.host.name, f"`{path}` arrived with another SHA-256")
        return content

    def _check_stopped(self, done: Result, what: str, cancel: threading.Event | None) -> None:
        if not done.ok and cancel is not None and cancel.is_set():
            left = f"; {done.left}" if done.left else ""
            raise Stopped(self.host.name, f"{what}, it was stopped{left}")

    def close(self) -> None:
        """Let go of the connection; the next use opens a new one."""
        self._close()

    def reconnect(self) -> None:
        """Drop the connection without waiting for the other end; the next use opens a new one."""
        self._close(abandon=True)

    def end_soon(self) -> None:
        """Let the host end what this way carries soon after nobody asks any more, where that is not so anyway."""
        return

    @abstractmethod
    def _run(self, work: Work, output: Output) -> End:
        """Carry one script; on a deadline stop it and return `timed_out`."""

    @abstractmethod
    def _close(self, *, abandon: bool = False) -> None: ...


SHARED = {"running": "processes", "stop": "processes"}
"""Scripts of bash that begin with the functions of another file."""


@cache
def own_script(verb: str, interpreter: Interpreter) -> Script:
    """Return one of the small scripts beside this module."""
    end = "sh" if interpreter == "bash" else "ps1"
    shared = SHARED.get(verb) if interpreter == "bash" else None
    names = [f"{name}.{end}" for name in (shared, verb) if name]
    folder = resources.files("k8swin_nb.transports")
    text = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    return Script.from_text(text, interpreter, f"transports/{names[-1]}")


def _reason(result: Result) -> str:
    lines = (result.stderr or result.stdout).strip().splitlines()
    return lines[0] if lines else f"exit code {result.returncode}"
