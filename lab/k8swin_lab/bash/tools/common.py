"""What every tool needs: options read as GNU's getopt does, input lines, GNU's error texts."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from typing import cast

from k8swin_lab.arguments import refuse_option
from k8swin_lab.bash.tools.access import may_change, may_open
from k8swin_lab.known import options as options_of
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated, Process, Program, Reader
from k8swin_lab.machines.shell import ShellMachine, ShellProcess

_DESCRIPTOR = re.compile(r"(?:/dev/fd/|/proc/self/fd/)(\d+)\Z|/dev/(stdin)\Z")


class ToolFault(Exception):
    """A tool gives up: its text goes to standard error behind the tool's name."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


def tool(function: Callable[[Process], int]) -> Program:
    """Make a program of a function that may raise `ToolFault` or `OSError`."""

    def program(process: Process) -> int:
        try:
            return function(process)
        except ToolFault as fault:
            complain(process, fault.text)
            return fault.code
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            process.err(f"{process.argv[0]}: {where}{os.strerror(error.errno or 5)}\n")
            return 1

    return program


class Options(dict[str, list[str]]):
    """Options by their letter (or long name), each with all its values."""

    def last(self, name: str, default: str = "") -> str:
        """Return the value given last."""
        return self[name][-1] if name in self else default


def options(
    process: Process,
    flags: str = "",
    valued: str = "",
    long: dict[str, str] | None = None,
    *,
    known: str = "",
    permute: bool = True,
    code: int = 1,
) -> tuple[Options, list[str]]:
    """Read a tool's options.

    Args:
        process: whose arguments are read.
        flags: letters without a value.
        valued: letters with a value.
        long: long names and the letter (or name) they stand for; a `=` at the end of a name says
            that it takes a value, a `?` that it may.
        known: letters the real tool has and the lab has not.
        permute: whether options may follow operands.
        code: exit code for an unknown option.

    Raises:
        ToolFault: an unknown option, or a missing value.
        NotSimulated: an option the real tool has and this one has not.
    """
    name = process.argv[0]
    found = Options()
    operands: list[str] = []
    rest = list(process.argv[1:])
    names = long or {}
    while rest:
        word = rest.pop(0)
        if word == "--":
            return found, operands + rest
        if word.startswith("--"):
            _long(name, word[2:], rest, names, found, code)
        elif len(word) > 1 and word[0] == "-":
            _short(name, word[1:], rest, flags, valued, known, found, code)
        else:
            operands.append(word)
            if not permute:
                return found, operands + rest
    return found, operands


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]


def _long(
    name: str, text: str, rest: list[str], names: dict[str, str], found: Options, code: int
) -> None:
    key, equals, value = text.partition("=")
    plain = {known.rstrip("=?"): known for known in names}
    real = {word[2:] for word in options_of.of(_leaf(name)) if word.startswith("--")} | set(plain)
    fitting = [key] if key in real else sorted(known for known in real if known.startswith(key))
    if len(fitting) > 1 and len({names.get(plain.get(n, ""), n) for n in fitting}) > 1:
        listed = " ".join(f"'--{n}'" for n in fitting)
        raise ToolFault(
            f"option '--{key}' is ambiguous; possibilities: {listed}\n"
            f"Try '{name} --help' for more information.", code
        )  # fmt: skip
    if fitting and fitting[0] not in plain:
        raise NotSimulated(f"{_leaf(name)} --{fitting[0]}")
    if not fitting:
        raise ToolFault(
            f"unrecognized option '--{key}'\nTry '{name} --help' for more information.", code
        )
    declared = plain[fitting[0]]
    if declared.endswith("=") and not equals:
        if not rest:
            raise ToolFault(
                f"option '--{fitting[0]}' requires an argument\n"
                f"Try '{name} --help' for more information.", code
            )  # fmt: skip
        value = rest.pop(0)
    found.setdefault(names[declared], []).append(value)


def _short(
    name: str,
    letters: str,
    rest: list[str],
    flags: str,
    valued: str,
    known: str,
    found: Options,
    code: int,
) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in flags:
            found.setdefault(letter, []).append("")
        elif letter in valued:
            if not letters and not rest:
                raise ToolFault(
                    f"option requires an argument -- '{letter}'\n"
                    f"Try '{name} --help' for more information.", code
                )  # fmt: skip
            found.setdefault(letter, []).append(letters or rest.pop(0))
            return
        elif letter in known:
            raise NotSimulated(f"{name} -{letter}")
        else:
            refuse_option(_leaf(name), f"-{letter}")
            raise ToolFault(
                f"invalid option -- '{letter}'\nTry '{name} --help' for more information.", code
            )


def disk(process: Process) -> Disk:
    """Return the disk as the process sees it."""
    return Disk(machine(process), process.cwd)


def machine(process: Process) -> ShellMachine:
    """Return the process's machine as shells see it."""
    return cast(ShellMachine, process.machine)


def umask(process: Process) -> int:
    """Return the file mode creation mask of a process."""
    return process.umask if isinstance(process, ShellProcess) else 0o022


class _Closing:
    """A reader of an opened file that closes it at its end."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb")

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size) if not self._file.closed else b""

    def __del__(self) -> None:
        self._file.close()


def open_input(process: Process, path: str) -> Reader:
    """Open a file for reading; `-` is standard input.

    Raises:
        OSError: with the path as it was given.
    """
    if path == "-":
        return process.stdin
    found = _DESCRIPTOR.match(path)
    if found:
        number = int(found[1] or 0)
        if isinstance(process, ShellProcess) and number in process.files:
            stream = process.files[number]
            if hasattr(stream, "read"):
                return stream
        if number == 0:
            return process.stdin
    where = disk(process)
    try:
        host = where.host(path)
        may_open(machine(process), process.user, where.real(path), host, os.O_RDONLY)
        if host.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return _Closing(os.open(host, os.O_RDONLY))
    except OSError as error:
        raise type(error)(error.errno, os.strerror(error.errno or 5), path) from error


def read_all(process: Process, path: str) -> bytes:
    """Return all of a file or of standard input."""
    reader = open_input(process, path)
    parts = []
    while part := reader.read(65536):
        parts.append(part)
    return b"".join(parts)


def write_file(process: Process, path: str, data: bytes, *, append: bool = False) -> None:
    """Write a file of the machine as this process."""
    where = disk(process)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    try:
        host = where.host(path)
        may_open(machine(process), process.user, where.real(path), host, flags)
        new = not host.exists()
        descriptor = os.open(host, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if new:
            host.chmod(0o666 & ~umask(process))
            own(process, path)
    except OSError as error:
        raise type(error)(error.errno, os.strerror(error.errno or 5), path) from error


def own(process: Process, path: str) -> None:
    """Make the process's user the owner of what it created."""
    if process.user != "root":
        machine(process).set_owner(
            disk(process).real(path, follow=False), process.user, process.user
        )


def may_remove(process: Process, path: str) -> None:
    """Check that the process may change the directory that holds a path."""
    where = disk(process)
    real = where.real(path, follow=False)
    may_change(machine(process), process.user, real, where.host(path, follow=False))


def lines(data: bytes) -> list[bytes]:
    """Split into lines, each with its end."""
    parts = data.split(b"\n")
    last = parts.pop()
    return [part + b"\n" for part in parts] + ([last] if last else [])


def stream_lines(reader: Reader) -> Iterator[bytes]:
    """Yield lines as they come, each with its end."""
    rest = b""
    while chunk := reader.read(65536):
        rest += chunk
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def text(data: bytes) -> str:
    """Decode; bytes that are no UTF-8 survive."""
    return data.decode("utf-8", "surrogateescape")


def put(process: Process, content: str) -> None:
    """Write text to standard output."""
    process.stdout.write(content.encode("utf-8", "surrogateescape"))


def complain(process: Process, content: str) -> None:
    """Write a line of complaint behind the tool's name, quoted as the locale wants it."""
    locale = next((v for n in ("LC_ALL", "LC_CTYPE", "LANG") if (v := process.env.get(n))), "C")
    if not re.search("utf-?8", locale, re.I):
        content = content.replace("‘", "'").replace("’", "'")
    process.err(f"{process.argv[0]}: {content}\n")


def reason(error: OSError) -> str:
    """Return the kernel's words for an error."""
    return os.strerror(error.errno or errno.EIO)
