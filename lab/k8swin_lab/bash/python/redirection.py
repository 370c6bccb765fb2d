"""Redirections: applied one after the other to the table of open files, and taken back."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from typing import TYPE_CHECKING

from k8swin_lab.bash.descriptors import DescriptorReader, DescriptorWriter
from k8swin_lab.bash.python.streams import Stream, opened
from k8swin_lab.bash.python.syntax import Redirect
from k8swin_lab.bash.tools.access import may_open
from k8swin_lab.machines.disk import Disk

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter

_FLAGS = {
    "<": os.O_RDONLY,
    ">": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    ">|": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "&>": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    ">>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "&>>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "<>": os.O_RDWR | os.O_CREAT,
}
_DESCRIPTOR_PATH = re.compile(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))\Z|/proc/self/fd/(\d+)\Z")
_NAMED = {"stdin": 0, "stdout": 1, "stderr": 2}


class RedirectFault(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Saved:
    """What a command's redirections replaced."""

    def __init__(self, shell: Interpreter) -> None:
        self._shell = shell
        self._before: list[tuple[int, Stream | None]] = []

    def put(self, number: int, stream: Stream | None) -> None:
        """Open (or, with None, close) a number, remembering what it was."""
        old = self._shell.files.get(number)
        self._before.append((number, old.share() if old else None))
        if stream is None:
            self._shell.files.drop(number)
        else:
            self._shell.files.put(number, stream)

    def restore(self) -> None:
        """Take everything back, last first."""
        while self._before:
            number, stream = self._before.pop()
            if stream is None:
                self._shell.files.drop(number)
            else:
                self._shell.files.put(number, stream)

    def keep(self) -> None:
        """Let the redirections stay (`exec`)."""
        for _, stream in self._before:
            if stream:
                stream.close()
        self._before.clear()


def null_stream(cancelled: threading.Event) -> Stream:
    """Open /dev/null for reading."""
    return opened(os.open(os.devnull, os.O_RDONLY), os.O_RDONLY, cancelled, "/dev/null")


def text_stream(data: bytes, cancelled: threading.Event) -> Stream:
    """Make a file that holds a here-document and vanishes when it is closed."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        descriptor = os.dup(file.fileno())
    os.lseek(descriptor, 0, os.SEEK_SET)
    reader, writer = DescriptorReader(descriptor), DescriptorWriter(descriptor)
    return Stream(reader, writer, lambda: os.close(descriptor))


def open_path(shell: Interpreter, path: str, flags: int) -> Stream:
    """Open a path of the machine.

    Raises:
        RedirectFault: it cannot be opened; the text is bash's.
    """
    found = _DESCRIPTOR_PATH.match(path)
    if found:
        number = _NAMED[found[2]] if found[2] else int(found[1] or found[3])
        stream = shell.files.get(number)
        if stream is None:
            raise RedirectFault(f"{path}: No such file or directory")
        return stream.share()
    disk = Disk(shell.machine, shell.cwd)
    try:
        host = disk.host(path)
        if host.is_dir() and flags & os.O_ACCMODE != os.O_RDONLY:
            raise IsADirectoryError(21, os.strerror(21))
        may_open(shell.machine, shell.user, disk.real(path), host, flags)
        new = flags & os.O_CREAT and not host.exists()
        descriptor = os.open(host, flags | os.O_CLOEXEC, 0o666 & ~shell.umask)
        if new:
            host.chmod(0o666 & ~shell.umask)
            if shell.user != "root":
                shell.machine.set_owner(disk.real(path), shell.user, shell.user)
    except OSError as error:
        raise RedirectFault(f"{path}: {os.strerror(error.errno or 5)}") from error
    return opened(descriptor, flags, shell.cancelled, path)


def apply(shell: Interpreter, redirect: Redirect, saved: Saved) -> None:
    """Carry out one redirection.

    Raises:
        RedirectFault: with bash's words.
    """
    operator = redirect.operator
    number = redirect.descriptor
    if number is None:
        number = 0 if operator[0] == "<" else 1
    if redirect.variable:
        number = shell.files.free()
        if operator in (">&", "<&") and redirect.target and redirect.target.plain() == "-":
            saved.put(int(shell.parameter(redirect.variable) or -1), None)
            return
        shell.assign(redirect.variable, str(number))
    if operator in ("<<", "<<-", "<<<"):
        if operator == "<<<":
            text = shell.expand.text(redirect.target) + "\n"
        else:
            text = shell.expand.text(redirect.body)
        data = text.encode("utf-8", "surrogateescape")
        saved.put(number, text_stream(data, shell.cancelled))
        return
    if operator in (">&", "<&"):
        _duplicate(shell, redirect, number, saved)
        return
    path = _target(shell, redirect)
    flags = _FLAGS[operator]
    if operator in (">", "&>") and shell.options.noclobber:
        disk = Disk(shell.machine, shell.cwd)
        if disk.is_file(path):
            raise RedirectFault(f"{path}: cannot overwrite existing file")
    stream = open_path(shell, path, flags)
    if operator in ("&>", "&>>"):
        saved.put(1, stream)
        saved.put(2, stream.share())
    else:
        saved.put(number, stream)


def _target(shell: Interpreter, redirect: Redirect) -> str:
    if redirect.target is None:
        return ""
    fields = shell.expand.fields(redirect.target)
    if len(fields) != 1:
        raise RedirectFault(f"{redirect.target.source}: ambiguous redirect")
    return fields[0]


def _duplicate(shell: Interpreter, redirect: Redirect, number: int, saved: Saved) -> None:
    target = shell.expand.text(redirect.target)
    if target == "-":
        saved.put(number, None)
        return
    moved = target.endswith("-") and target[:-1].isdigit()
    digits = target[:-1] if moved else target
    if digits.isdigit():
        stream = shell.files.get(int(digits))
        if stream is None:
            raise RedirectFault(f"{digits}: Bad file descriptor")
        saved.put(number, stream.share())
        if moved:
            saved.put(int(digits), None)
        return
    if redirect.operator == ">&" and redirect.descriptor is None:
        stream = open_path(shell, target, _FLAGS[">"])
        saved.put(1, stream)
        saved.put(2, stream.share())
        return
    raise RedirectFault(f"{target}: ambiguous redirect")
