"""Builtins that read: read, mapfile, getopts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.builtins.table import Builtin, options
from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.python.streams import Stream
from k8swin_lab.bash.python.variables import ShellFault
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter
    from k8swin_lab.bash.python.syntax import Assignment


def read_until(stream: Stream, end: bytes) -> tuple[bytes, bool]:
    """Read up to a delimiter and not one byte further.

    Returns:
        What came before it, and whether it came.
    """
    data = bytearray()
    if stream.seekable():
        while chunk := stream.read(4096):
            at = chunk.find(end)
            if at >= 0:
                data += chunk[:at]
                stream.step_back(len(chunk) - at - 1)
                return bytes(data), True
            data += chunk
        return bytes(data), False
    while byte := stream.read(1):
        if byte == end:
            return bytes(data), True
        data += byte
    return bytes(data), False


def _input(shell: Interpreter, number: int) -> Stream:
    stream = shell.files.get(number)
    if stream is None:
        raise CommandFault(f"{number}: invalid file descriptor: Bad file descriptor")
    return stream


def _read(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "ersE", "adinNptu")
    stream = _input(shell, int(found.get("u", "0")))
    raw = "r" in found
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*(\[.*\])?", name):
            raise CommandFault(f"`{name}': not a valid identifier")
    if "t" in found and not stream.ready(float(found["t"])):
        return 142 if float(found["t"]) else 1
    if "N" in found or "n" in found:
        text, complete = _read_count(stream, found, raw)
    else:
        delimiter = found.get("d", "\n")[:1].encode() or b"\0"
        text, complete = _read_line(stream, delimiter, raw)
    _store(shell, found, names, text, raw)
    return 0 if complete else 1


def _read_line(stream: Stream, delimiter: bytes, raw: bool) -> tuple[list[tuple[str, bool]], bool]:
    """Return characters with whether a backslash protects each, and whether the line is whole."""
    result: list[tuple[str, bool]] = []
    while True:
        data, complete = read_until(stream, delimiter)
        text = data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
        if raw:
            return [(c, False) for c in text], complete
        at = 0
        continued = False
        while at < len(text):
            if text[at] == "\\":
                if at + 1 < len(text):
                    if text[at + 1] != "\n":
                        result.append((text[at + 1], True))
                elif complete:
                    continued = True
                    if delimiter != b"\n":
                        result.append((delimiter.decode(), True))
                at += 2
            else:
                result.append((text[at], False))
                at += 1
        if not continued:
            return result, complete


def _read_count(
    stream: Stream, found: dict[str, str], raw: bool
) -> tuple[list[tuple[str, bool]], bool]:
    exact = "N" in found
    count = int(found["N" if exact else "n"])
    end = None if exact else found.get("d", "\n")[:1].encode() or b"\0"
    data = b""
    while len(data.decode("utf-8", "ignore")) < count:
        byte = stream.read(1)
        if not byte:
            return [(c, exact) for c in data.decode("utf-8", "surrogateescape")], False
        if byte == end:
            break
        data += byte
    return [(c, exact) for c in data.decode("utf-8", "surrogateescape")], True


def _store(
    shell: Interpreter,
    found: dict[str, str],
    names: list[str],
    text: list[tuple[str, bool]],
    raw: bool,
) -> None:
    ifs = shell.variables.get("IFS")
    ifs = " \t\n" if ifs is None else ifs
    if "a" in found:
        variable = shell.variables.make(found["a"])
        variable.items = dict(enumerate(_fields(text, ifs, 0)))
        variable.value = None
        return
    if not names:
        shell.assign("REPLY", "".join(c for c, _ in text))
        return
    values = _fields(text, ifs, len(names)) if "N" not in found else ["".join(c for c, _ in text)]
    for number, name in enumerate(names):
        value = values[number] if number < len(values) else ""
        element = re.fullmatch(r"(\w+)\[(.*)\]", name)
        if element:
            shell.assign_element(element[1], element[2], value)
        else:
            try:
                shell.assign(name, value)
            except ShellFault as fault:
                raise CommandFault(fault.text) from fault


def _fields(text: list[tuple[str, bool]], ifs: str, limit: int) -> list[str]:
    """Split what was read; the last of `limit` fields takes the rest (0: no limit)."""
    blank = {c for c in ifs if c in " \t\n"}
    at = 0
    size = len(text)

    def is_blank(n: int) -> bool:
        return text[n][0] in blank and not text[n][1]

    while at < size and is_blank(at):
        at += 1
    end = size
    while end > at and is_blank(end - 1):
        end -= 1
    result: list[str] = []
    while at < end:
        if limit and len(result) == limit - 1:
            rest = "".join(c for c, _ in text[at:end])
            # One separator at the very end belongs to no field when nothing else follows.
            tail = [n for n in range(at, end) if text[n][0] in ifs and not text[n][1]]
            if tail and tail[0] == end - 1 and text[end - 1][0] not in blank:
                rest = rest[:-1]
            result.append(rest)
            return result
        start = at
        while at < end and (text[at][0] not in ifs or text[at][1]):
            at += 1
        result.append("".join(c for c, _ in text[start:at]))
        while at < end and is_blank(at):
            at += 1
        if at < end and text[at][0] in ifs and not text[at][1] and text[at][0] not in blank:
            at += 1
            while at < end and is_blank(at):
                at += 1
    return result


def _mapfile(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "t", "dnOsuCc")
    if "C" in found or "c" in found:
        raise NotSimulated("mapfile -C")
    stream = _input(shell, int(found.get("u", "0")))
    delimiter = found.get("d", "\n")[:1].encode() or b"\0"
    name = names[0] if names else "MAPFILE"
    skip = int(found.get("s", "0"))
    limit = int(found.get("n", "0"))
    key = int(found.get("O", "0"))
    variable = shell.variables.make(name)
    if "O" not in found or variable.items is None:
        variable.items = {}
        variable.value = None
    taken = 0
    while not limit or taken < limit:
        data, complete = read_until(stream, delimiter)
        if not data and not complete:
            break
        if skip:
            skip -= 1
            continue
        text = data.decode("utf-8", "surrogateescape")
        ending = "" if "t" in found or not complete or delimiter == b"\0" else delimiter.decode()
        variable.items[key + taken] = text + ending
        taken += 1
    return 0


def _getopts(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if len(arguments) < 2:
        raise CommandFault("usage: getopts optstring name [arg ...]", 2)
    letters, name = arguments[:2]
    words = arguments[2:] if len(arguments) > 2 else shell.positional
    silent = letters.startswith(":")
    index = int(shell.variables.get("OPTIND") or "1")
    before, place = shell.host.getopts.get(shell.pid, (index, 1))
    if before != index:
        place = 1
    shell.variables.unset("OPTARG")

    def leave(letter: str, following: int, at: int, argument: str | None) -> int:
        shell.assign("OPTIND", str(following))
        shell.host.getopts[shell.pid] = (following, at)
        if argument is not None:
            shell.assign("OPTARG", argument)
        shell.assign(name, letter)
        return 0

    word = words[index - 1] if index <= len(words) else ""
    if place == 1 and (len(word) < 2 or word[0] != "-" or word == "--"):
        leave("?", index + (word == "--"), 1, None)
        return 1
    letter = word[place]
    last = place + 1 >= len(word)
    following, at = (index + 1, 1) if last else (index, place + 1)
    where = letters.find(letter)
    if letter == ":" or where < 0:
        if not silent:
            shell.error(f"{shell.name}: illegal option -- {letter}\n")
        return leave("?", following, at, letter if silent else None)
    if letters[where + 1 : where + 2] != ":":
        return leave(letter, following, at, None)
    if not last:
        return leave(letter, index + 1, 1, word[place + 1 :])
    if index < len(words):
        return leave(letter, index + 2, 1, words[index])
    if silent:
        return leave(":", index + 1, 1, letter)
    shell.error(f"{shell.name}: option requires an argument -- {letter}\n")
    return leave("?", index + 1, 1, None)


BUILTINS: dict[str, Builtin] = {
    "read": _read, "mapfile": _mapfile, "readarray": _mapfile, "getopts": _getopts,
}  # fmt: skip
