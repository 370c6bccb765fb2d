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
from collections.abc import Hashable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import yaml

FILE_BYTES = 1024 * 1024
"""What a file of parameters or of locks may have; the longest of ours has 20 kB."""

FEW = 10_000
"""Values that a YAML text may hold with its aliases written out, however short it is."""

SHOWN = 80
"""Characters of somebody's text that a message repeats."""

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")


class Unreadable(ValueError):
    """A text is not what it should be; the message says what is wrong, in one line."""


def shown(text: object) -> str:
    """Return the beginning of somebody's text in one line, for a message."""
    line = " ".join(str(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 4] + " ..."


def first_line(text: object) -> str:
    """Return the first line of a text that says something; empty when none does."""
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "")


def file_text(path: Path, limit: int = FILE_BYTES) -> str:
    """Return the text of a regular file, in UTF-8 or, with its mark at the beginning, in UTF-16.

    Raises:
        OSError: when it cannot be opened.
        Unreadable: when it is no regular file, too long, or no text in these encodings.
    """
    # Without waiting: opening a pipe to which nobody writes would.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}.get(stat.S_IFMT(mode))
        raise Unreadable(f"it is {kind or 'a device'}, expected a file of text")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"it has more than {limit // 1024} kB, expected a short text")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"line {line} is not UTF-8 (byte 0x{content[error.start]:02x}); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise Unreadable("it holds NUL characters, so it is no text in UTF-8")
    return text


class _Loader(yaml.SafeLoader):
    """YAML as data alone: no key twice in one mapping, and whole numbers as people write them.

    `022` is no 18 and `22:22` is no 1342 here: both stay the text that was written. What aliases repeat is no more
    than a text of that length could hold without them, and nothing holds itself.
    """

    def get_single_data(self) -> Any:
        node = self.get_single_node()
        if node is None:
            return None
        if self.anchors_seen:
            most = max(FEW, len(self.buffer) + self.index)
            if _size(node, {}) > most:
                raise Unreadable("what its aliases repeat is too much, or holds itself")
        return self.construct_document(node)

    anchors_seen = False

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.anchors_seen |= self.check_event(yaml.AliasEvent)
        return super().compose_node(parent, index)

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


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """Return how many values a node stands for when its aliases are written out; infinity: it holds itself."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = float("inf")
        inner = [part for one in node.value for part in (one if isinstance(one, tuple) else (one,))]
        known[id(node)] = 1 + sum(_size(one, known) for one in inner)
    return known[id(node)]


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
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        # What stands in quotes is taken from the text, and may be half a password.
        said = shown(re.sub(r"'[^']{2,}'", "something", str(getattr(error, "problem", None) or "")))
        raise Unreadable(f"{where}it is not YAML: {said}") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except Exception as error:
        # The library's readers of dates, numbers and truth values raise what Python does.
        raise Unreadable(f"it holds a value that is none: {type(error).__name__}") from None


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
