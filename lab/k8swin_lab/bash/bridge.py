"""Runs the machine's programs for commands of a private root: one socket for each command.

A stub in the private root (`run.pl`) sends its call and its three descriptors; a thread of this
process runs the program on those very descriptors, so that pipes and files behave as for any
other process, and answers with the exit code. When the stub goes away the program is cancelled.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from k8swin_lab.bash.descriptors import DescriptorReader, DescriptorWriter
from k8swin_lab.bash.programs import program_of
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.machines.shell import Shell, ShellMachine, ShellProcess
from k8swin_lab.socket_paths import within_length

log = logging.getLogger(__name__)


class Bridge:
    """Answers the stubs of one running command."""

    def __init__(
        self,
        machine: ShellMachine,
        own: dict[str, Program],
        shell: Shell,
        parent: Process,
        around: Callable[[], None],
    ) -> None:
        """Say whose programs run, for whom.

        Args:
            machine: whose programs they are.
            own: the shell's tools that are written in Python.
            shell: where a program starts others.
            parent: the command the stubs belong to; its user is theirs.
            around: called before and after each program; brings disk and state in step.
        """
        self._machine = machine
        self._own = own
        self._shell = shell
        self._parent = parent
        self._around = around
        self._calls: set[threading.Event] = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)

    def listen(self, path: Path) -> None:
        """Take calls at a socket of this path until closed."""
        with within_length(path) as name:
            self._listener.bind(name)
        self._listener.listen(64)
        threading.Thread(
            target=self._accept, name=f"bridge-{self._machine.name}", daemon=True
        ).start()

    def close(self) -> None:
        """Take no more calls, cancel those that run."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cancel()

    def cancel(self) -> None:
        """Cancel the programs that run."""
        with self._lock:
            for call in self._calls:
                call.set()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            descriptors: list[int] = []
            try:
                _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
                if len(descriptors) != 3:
                    return
                (size,) = struct.unpack("!I", _exactly(connection, 4))
                fields = _fields(_exactly(connection, size))
                cancelled = threading.Event()
                with self._lock:
                    self._calls.add(cancelled)
                watch = threading.Thread(
                    target=_set_at_end, args=(connection, cancelled), daemon=True
                )
                watch.start()
                code = self._run(fields, descriptors, cancelled)
                with self._lock:
                    self._calls.discard(cancelled)
            except (ConnectionError, struct.error):
                return
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            try:
                connection.sendall(struct.pack("!I", code & 0xFF))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            watch.join()

    def _run(self, fields: list[str], descriptors: list[int], cancelled: threading.Event) -> int:
        name, version, path, cwd, umask, count = fields[:6]
        arguments = fields[6 : 6 + int(count)]
        rest = fields[6 + int(count) :]
        process = ShellProcess(
            machine=cast(Machine, self._machine),
            argv=[Path(path).name, *arguments],
            env=dict(zip(rest[::2], rest[1::2], strict=True)),
            cwd=cwd,
            user=self._parent.user,
            stdin=DescriptorReader(descriptors[0], cancelled),
            stdout=DescriptorWriter(descriptors[1]),
            stderr=DescriptorWriter(descriptors[2]),
            cancelled=cancelled,
            shell=self._shell,
            umask=int(umask),
        )
        self._around()
        program = program_of(self._machine, self._own, name, version)
        try:
            if program is None:
                process.err(f"{path}: cannot execute binary file: Exec format error\n")
                return 126
            return program(process)
        except NotSimulated as gap:
            _complain(process, process.machine.lacks(gap))
            return 70
        except BrokenPipeError:
            return 141
        except Exception as error:  # a fault of the lab's must not leave the script waiting
            if isinstance(error, OSError) and error.errno == errno.EBADF:
                return 1  # it wrote to a stream that the script had closed
            log.exception("%s failed", name)
            _complain(process, f"the lab's {name} failed: {type(error).__name__}: {error}")
            return 70
        finally:
            self._around()


def _complain(process: ShellProcess, text: str) -> None:
    """Write a line to standard error, unless the script has closed it."""
    with contextlib.suppress(OSError):
        process.err(f"{text}\n")


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the stub went away")
        parts += part
    return bytes(parts)


def _fields(text: bytes) -> list[str]:
    fields = []
    at = 0
    while at < len(text):
        (size,) = struct.unpack_from("!I", text, at)
        fields.append(os.fsdecode(text[at + 4 : at + 4 + size]))
        at += 4 + size
    return fields


def _set_at_end(connection: socket.socket, cancelled: threading.Event) -> None:
    try:
        connection.recv(1)
    except OSError:
        pass
    cancelled.set()
