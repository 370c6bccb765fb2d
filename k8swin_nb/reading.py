"""Text that somebody else wrote, read at the edge: files, YAML, JSON, numbers, addresses, with one error for all of it.

Hosts, API servers and people write what they like. A reader here returns what was asked for or says in one line what
is wrong: no exception of a library leaves it, nothing waits for a pipe that nobody writes to, and nothing grows without
a bound. Readers that return None mean: this cannot be known from that text.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Hashable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, BinaryIO

import yaml

FILE_BYTES = 1024 * 1024
"""What a file of parameters or of locks may have; the longest of ours has 20 kB."""

SHOWN = 80
"""Characters of somebody's text that a message repeats."""

NODES = 100_000
"""Values that a YAML document may have with each reference written out, unless it is longer than that itself; 60 lines
of references make billions."""

_YAML_SAYS = {
    "mapping values are not allowed": "a second `: ` in one line, or none in the line before",
    "could not find expected ':'": "a line has no `: ` behind its key",
    "found undefined alias": "a value begins with `*`, which stands for a value of that name, and there is none",
    "could not determine a constructor": "a value begins with `!`, which stands for a kind of value, and there is none",
    "expected <block end>": "a line is further in or out than those that it belongs to, or a quote or a bracket is left open",
    "found unhashable key": "a key is a list or a mapping, expected a name",
}
"""What the library says that people cannot act on, and what it means."""

_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\xab\xbb"
"""Quotes that programs for letters put in place of plain ones."""

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")


class Unreadable(ValueError):
    """A text is not what it should be; the message says what is wrong, in one line."""


def shown(text: object) -> str:
    """Return the beginning of somebody's text in one line, for a message."""
    line = " ".join(str(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 4] + " ..."


def lines(text: str) -> list[str]:
    """Return the lines of a script's answer as the script printed them, without their ends.

    `str.splitlines` finds further ends, such as U+2028 and ^L, where only values stand: what a process, a pod or another
    host is called would begin a line of its own.
    """
    found = [line.removesuffix("\r") for line in text.split("\n")]
    return found if found[-1] else found[:-1]


def first_line(text: object) -> str:
    """Return the first line of a text that says something; empty when none does."""
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "")


def expanded(text: str) -> Path:
    """Return a path in which `~` stands for a home folder; as it is written where there is none of that account."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def unseen(text: str) -> str:
    """Return the first of what a text holds that nobody sees, or that looks like a space and is none; empty: nothing."""
    if text.isascii() and text.isprintable():
        return ""
    # Half a megabyte of tables, which most texts need not.
    from unicodedata import category

    for sign in text:
        kind = category(sign)
        # The wide space of the East is typed on purpose.
        if kind in ("Cc", "Cf", "Cs", "Zl", "Zp") or (kind == "Zs" and sign not in " \u3000"):
            return _called(sign)
    return ""


def quoted_otherwise(text: str) -> str:
    """Return the quote with which a text begins when it is not a plain one; empty when it is none."""
    return _called(text[0]) if text[:1] and text[0] in _QUOTES else ""


def _called(sign: str) -> str:
    from unicodedata import name

    called = name(sign, "control character").lower()
    return f"U+{ord(sign):04X} ({called})"


def file_text(path: Path, limit: int = FILE_BYTES) -> str:
    """Return the text of a regular file, in UTF-8 or, with its mark at the beginning, in UTF-16.

    Raises:
        OSError: when it cannot be opened.
        Unreadable: when it is no regular file, too long, or no text in these encodings.
    """
    return decoded(file_bytes(path, limit))


def open_file(path: Path) -> BinaryIO:
    """Open a regular file to be read.

    Raises:
        OSError: when it cannot be opened.
        Unreadable: when it is no regular file.
    """
    # Without waiting: opening a pipe to which nobody writes would.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind == stat.S_IFREG:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    name = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}.get(kind, "a device")
    raise Unreadable(f"it is {name}, expected a file of text")


def decoded(content: bytes) -> str:
    """Return bytes as text, in UTF-8 or, with its mark at the beginning, in UTF-16.

    Raises:
        Unreadable: when they are no text in these encodings.
    """
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if wide:
            raise Unreadable("it begins as UTF-16 and is none; save it as UTF-8") from None
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"line {line} is not UTF-8 (byte 0x{content[error.start]:02x}); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise Unreadable("it holds NUL characters, so it is no text in UTF-8")
    return text


def file_bytes(
    path: Path, limit: int = FILE_BYTES, *, look: Callable[[os.stat_result], None] | None = None
) -> bytes:
    """Return what a regular file holds.

    Args:
        path: The file.
        limit: How many bytes it may have.
        look: Is given what is known of the opened file before it is read.

    Raises:
        OSError: when it cannot be opened or read.
        Unreadable: when it is no regular file, or too long.
    """
    with open_file(path) as file:
        if look:
            look(os.fstat(file.fileno()))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"it has more than {limit // 1024} kB, expected a short text")
    return content


class _Loader(yaml.SafeLoader):
    """YAML as data alone: no key twice in one mapping, and whole numbers as people write them.

    `022` is no 18 and `22:22` is no 1342 here: both stay the text that was written. What aliases repeat is no more
    than a text of that length could hold without them, and nothing holds itself.
    """

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        most = max(NODES, len(self.buffer))
        if _written_out(node, {}) > most:
            raise Unreadable(
                f"it has more than {most} values once its references (`*name`) are written out"
            )
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (Unreadable, yaml.YAMLError, RecursionError):
            raise
        except Exception as error:
            # The library's readers of dates, numbers and truth values raise what Python does.
            kind = str(node.tag).rpartition(":")[2]
            where = f"line {node.start_mark.line + 1}"
            raise Unreadable(
                f"{where} holds a value that is none of its kind ({shown(kind)})"
            ) from error

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[Hashable, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            merges = key.tag == "tag:yaml.org,2002:merge"
            value = "<<" if merges else self.construct_object(key)
            line = key.start_mark.line + 1
            if value in lines:
                raise Unreadable(
                    f"`{shown(key.value)}` stands twice, in line {lines[value]} and in line {line}"
                )
            lines[value] = line
        return node


def _written_out(node: Any, sizes: dict[int, int]) -> int:
    """Return how many values a node has where each reference counts as what it refers to."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) in sizes:
        if not sizes[id(node)]:
            line = node.start_mark.line + 1
            raise Unreadable(f"line {line}: a value refers to itself, and so has no end")
        return sizes[id(node)]
    sizes[id(node)] = 0
    parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    sizes[id(node)] = 1 + sum(_written_out(part, sizes) for part in parts)
    return sizes[id(node)]


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    return int(node.value) if _WHOLE.fullmatch(node.value) else str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _int)


def yaml_document(text: str) -> Any:
    """Return the one document of a YAML text.

    Raises:
        Unreadable: with line and column where there are any; also for a key that stands twice at any depth.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except Unreadable:
        raise
    except yaml.YAMLError as error:
        raise Unreadable(_not_yaml(text, error)) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None


def _not_yaml(text: str, error: yaml.YAMLError) -> str:
    """Return what is wrong with a text that is no YAML, with what a page or an editor may have put into it."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"line {line}: it is not YAML: {_called(text[error.position])} stands there"
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or "")
    if said.startswith("but found another document"):
        return (
            f"line {mark.line + 1}: another document begins, expected one in a file"
            if mark
            else said
        )
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    near = "".join(text.split("\n")[max(0, mark.line - 1) : mark.line + 1]) if mark else ""
    if r"'\t'" in said:
        return f"{where}it is not YAML: a tab stands where spaces belong"
    near = re.sub(r"[\t\r\n]", "", near)
    found = unseen(near) or next((_called(sign) for sign in near if sign in _QUOTES), "")
    if found:
        return f"{where}it is not YAML: {found} stands there or in the line before, as copied pages have it"
    for begin, told in _YAML_SAYS.items():
        if said.startswith(begin):
            return f"{where}it is not YAML: {told}"
    # What stands in quotes is taken from the text, and may be half a password.
    said = re.sub(r"'[^']{2,}'", "something", said)
    return f"{where}it is not YAML: {shown(said)}"


def json_document(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        Unreadable: when it is none.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON: {shown(error)}") from None


def whole(text: object) -> int | None:
    """Return a whole number of at most 18 digits that is written as such; None for anything else."""
    return int(text) if isinstance(text, str) and _WHOLE.fullmatch(text.strip()) else None


def address(text: object) -> IPv4Address | None:
    """Return an IPv4 address; None for anything else."""
    try:
        return IPv4Address(text) if isinstance(text, str) else None
    except ValueError:
        return None


def network(text: object) -> IPv4Network | None:
    """Return an IPv4 network, of an address in it too; None for anything else."""
    try:
        return IPv4Network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def strings(value: object) -> dict[str, str]:
    """Return the entries of a JSON object whose values are text; none when it is no object."""
    if not isinstance(value, dict):
        return {}
    return {str(name): text for name, text in value.items() if isinstance(text, str)}
