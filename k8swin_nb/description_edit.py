"""Change a description's file and leave everything else of it as it is: comments, order, quotes, ends of lines.

Only the text of the values that change is replaced, at the places where PyYAML's parser has found them; a round trip
through a library that keeps comments would still write the rest anew. What comes out is read again and must say exactly
what was wanted, or nothing is changed: whatever form a file has that is not foreseen here, it is refused and kept. A comment
goes with the item of a list that it stands behind, and with nothing else.

    change = change_description("params/mine.yaml", pod_subnet="10.245.0.0/16")
    change            # shows the difference
    change.write()
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from k8swin_nb.description import Description, check_description, read_description, refuse_secrets
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.host_description import HostDescription
from k8swin_nb.local_files import alone_in, write_whole
from k8swin_nb.reading import Unreadable, decoded, file_bytes, yaml_document
from k8swin_nb.shown import shown

BY_HAND = "change it in an editor"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a description's file that can be looked at before it is written."""

    path: Path
    before: str
    after: str

    def diff(self) -> str:
        """Return the unified diff; empty when nothing changes."""
        return "\n".join(
            difflib.unified_diff(
                self.before.splitlines(),
                self.after.splitlines(),
                f"{self.path.name} (now)",
                f"{self.path.name} (then)",
                lineterm="",
                n=2,
            )
        )

    def __repr__(self) -> str:
        return shown(self.diff() or f"{self.path.name}: nothing changes")

    def write(self) -> Path:
        """Write the file, whole or not at all, and return its path.

        Raises:
            K8swinError: when the file is another one than it was, is read-only, or cannot be written.
        """
        with alone_in(self.path.resolve().parent):
            content = _content(self.path)
            if decoded(content) != self.before:
                raise K8swinError(
                    f"`{self.path}` was changed by somebody else in the meantime; nothing was written",
                    hint="look at the difference again, then write it",
                )
            if self.after != self.before:
                if not (self.path.stat().st_mode & 0o222 and os.access(self.path, os.W_OK)):
                    # It could be put into another one's place; somebody does not want that.
                    raise K8swinError(
                        f"`{self.path}` is read-only; nothing was written",
                        hint="find out who manages it; `chmod u+w` lets its owner write",
                    )
                mark = "\ufeff" if content.startswith(codecs.BOM_UTF8) else ""
                write_whole(self.path, mark + self.after)
        return self.path


def change_description(path: str | Path, **values: Any) -> Change:
    """Return the change of a description's file that sets parameters; nothing is written yet.

    Args:
        path: The file.
        values: Parameters by name, such as `pod_subnet="10.245.0.0/16"`.

    Raises:
        ParamsError: when the file cannot be read, or would not be a description with these values.
        K8swinError: when the file is of a form that cannot be changed without touching the rest.
    """
    file = Path(path)
    order = [name for name in Description.model_fields if name != "hosts"]

    def edit(text: str, root: yaml.MappingNode) -> str:
        for name, value in values.items():
            if name == "hosts":
                raise ParamsError(
                    "hosts are changed one by one", hint="`change_host(path, name, ...)`"
                )
            text = _with_value(text, _root(text), name, value, order)
        return text

    return _change(file, edit, {**read_description(file), **values})


def change_host(path: str | Path, name: str, **fields: Any) -> Change:
    """Return the change of a description's file that sets fields of a host, or adds one; nothing is written yet.

    Args:
        path: The file.
        name: The host's name. One that is not there yet is added behind the others.
        fields: Fields by name, such as `address="192.168.160.153"`.

    Raises:
        ParamsError: when the file cannot be read, or would not be a description with these fields.
        K8swinError: when the file is of a form that cannot be changed without touching the rest.
    """
    file = Path(path)
    values = read_description(file)
    refuse_secrets({"hosts": [fields]}, "host")
    hosts = [dict(host) if isinstance(host, dict) else host for host in values.get("hosts") or []]
    known = [isinstance(host, dict) and host.get("name") == name for host in hosts]
    new = {"name": name, **fields}
    order = list(HostDescription.model_fields)
    if True in known:
        index = known.index(True)
        hosts[index] |= fields

        def edit(text: str, root: yaml.MappingNode) -> str:
            for field, value in fields.items():
                text = _with_value(text, _host(_root(text), index), field, value, order)
            return text

    else:
        hosts.append(new)

        def edit(text: str, root: yaml.MappingNode) -> str:
            return _with_item(text, _find(root, "hosts"), {n: new[n] for n in order if n in new})

    return _change(file, edit, {**values, "hosts": hosts})


def _change(path: Path, edit: Any, wanted: Mapping[str, Any]) -> Change:
    check_description(wanted, source=f"`{path.name}`", folder=path.parent)
    before = _text(path)
    try:
        after = edit(before, _root(before))
        found = yaml_document(after)
    except (Unreadable, yaml.YAMLError):
        found = None
    if found != dict(wanted):
        raise K8swinError(
            f"`{path}` is written in a way that cannot be changed here without touching the rest of it",
            hint=BY_HAND,
        )
    return Change(path, before, after)


def _text(path: Path) -> str:
    content = _content(path)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise K8swinError(f"`{path}` is UTF-16", hint=f"save it as UTF-8, or {BY_HAND}")
    return decoded(content)


def _content(path: Path) -> bytes:
    """Return what a description's file holds, which is text."""
    try:
        content = file_bytes(path)
        decoded(content)
    except (OSError, Unreadable) as error:
        raise ParamsError(f"cannot read `{path}`: {error}") from None
    return content


def _root(text: str) -> yaml.MappingNode:
    node = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise K8swinError("the description is not written in lines of `key: value`", hint=BY_HAND)
    return node


def _host(root: yaml.MappingNode, index: int) -> yaml.MappingNode:
    hosts = _find(root, "hosts")
    node = hosts.value[index] if isinstance(hosts, yaml.SequenceNode) else None
    if not isinstance(node, yaml.MappingNode):
        raise K8swinError("`hosts` is not a list of records", hint=BY_HAND)
    return node


def _find(node: yaml.MappingNode, name: str) -> Any:
    return next((value for key, value in node.value if key.value == name), None)


def _with_value(text: str, node: yaml.MappingNode, name: str, value: Any, order: list[str]) -> str:
    """Return a text in which a mapping has a value; a key that is new comes behind the one that it follows in `order`."""
    for key, old in node.value:
        if key.value == name:
            return _replaced(text, key, old, value)
    if node.flow_style:
        end = _end(node) - 1
        comma = ", " if node.value else ""
        return f"{text[:end].rstrip()}{comma}{name}: {_flow(value)}{text[end:]}"
    before = order[: order.index(name)] if name in order else []
    places = {key.value: (key, old) for key, old in node.value}
    key, old = next(
        (places[one] for one in reversed(before) if one in places),
        (None, None),
    )
    if key is None or old is None:
        first = node.value[0][0]
        at, indent = first.start_mark.index, first.start_mark.column
        line = f"{name}: {_flow(value)}{_newline(text, at)}{' ' * indent}"
        return text[:at] + line + text[at:]
    at = _line_end(text, max(_end(old), key.end_mark.index))
    line = f"{_newline(text, at)}{' ' * key.start_mark.column}{name}: {_flow(value)}"
    return text[:at] + line + text[at:]


def _replaced(text: str, key: yaml.Node, old: yaml.Node, value: Any) -> str:
    start, end = old.start_mark.index, _end(old)
    if start < key.end_mark.index:
        raise K8swinError(f"`{key.value}` is written as a reference to another value", hint=BY_HAND)
    colon = text.index(":", key.end_mark.index) + 1
    if isinstance(old, yaml.SequenceNode) and not old.flow_style and isinstance(value, list):
        edits = _items(text, old, value)
        if edits is not None:
            return _edited(text, edits if value else [*edits, (colon, colon, " []")])
    if isinstance(old, yaml.CollectionNode) and _has_comment(text, start, end):
        raise K8swinError(f"comments stand within the value of `{key.value}`", hint=BY_HAND)
    between = text[colon:start]
    alone = isinstance(old, yaml.ScalarNode) and old.style not in ("|", ">")
    if alone and "\n" in between and "#" in between[between.index("\n") :]:
        # Comments stand between the key and the line with its value, which so is a line of its own.
        return text[:start] + _flow(value) + text[end:]
    if start == end or between.strip(" "):
        # Nothing stands there, or it begins on a line of its own; a comment behind the key stays there.
        behind = "" if start == end else between.partition("\n")[0].rstrip("\r")
        return f"{text[:colon]} {_flow(value)}{behind}{text[max(end, colon) :]}"
    written = _flow(value)
    if isinstance(old, yaml.ScalarNode) and old.style == '"' and isinstance(value, str):
        written = _quoted(value)
    return text[:start] + written + text[end:]


_Edit = tuple[int, int, str]
"""Where a piece of text begins and ends, and what stands there instead."""


def _edited(text: str, edits: list[_Edit]) -> str:
    for begin, end, instead in sorted(edits, reverse=True):
        text = text[:begin] + instead + text[end:]
    return text


def _items(text: str, old: yaml.SequenceNode, value: list[Any]) -> list[_Edit] | None:
    """Return the edits that give a list, one item a line, other plain items; what stays keeps its line. None: not such a list."""
    if not all(isinstance(node, yaml.ScalarNode) for node in old.value):
        return None
    left, indent = list(value), " " * old.start_mark.column
    new = _newline(text, old.start_mark.index)
    edits: list[_Edit] = []
    at = None
    for node in old.value:
        begin = text.rfind("\n", 0, node.start_mark.index) + 1
        end = _line_end(text, _end(node))
        if node.value in left:
            left.remove(node.value)
            at = end
        else:
            edits.append((begin, text.find("\n", end) + 1 or len(text), ""))
    lines = [f"{indent}- {_flow(one)}" for one in left]
    if not lines:
        return edits
    if at is None:
        first = min(begin for begin, _, _ in edits)
        return [*edits, (first, first, "".join(line + new for line in lines))]
    return [*edits, (at, at, "".join(new + line for line in lines))]


def _with_item(text: str, hosts: Any, record: Mapping[str, Any]) -> str:
    """Return a text whose list `hosts` has a further record."""
    if not isinstance(hosts, yaml.SequenceNode) or not hosts.value:
        raise K8swinError("`hosts` is no list that has a host already", hint=BY_HAND)
    if hosts.flow_style:
        end = _end(hosts) - 1
        return f"{text[:end].rstrip()}, {_flow(dict(record))}{text[end:]}"
    column = hosts.start_mark.column
    at = _line_end(text, _end(hosts))
    new = _newline(text, at)
    # Comments that are indented as the last host's fields are its own.
    for line in re.finditer(r"\n([ \t]*)#[^\r\n]*", text):
        if line.start() == at + len(new) - 1 and len(line[1]) > column:
            at = line.end()
    lines = [f"{name}: {_flow(value)}" for name, value in record.items()]
    dashes = ["- ", *["  "] * len(lines)]
    added = [f"{new}{' ' * column}{dash}{line}" for dash, line in zip(dashes, lines, strict=False)]
    return text[:at] + "".join(added) + text[at:]


def _end(node: Any) -> int:
    """Return where a value's text ends: PyYAML ends a block of lines where the next one begins."""
    end: int = node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        key, value = last if isinstance(last, tuple) else (last, last)
        end = _end(value)
        return max(end, key.end_mark.index) if key is not value else end
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        text = node.end_mark.buffer
        while text and end > node.start_mark.index and text[end - 1] in "\r\n":
            end -= 1
    return end


def _line_end(text: str, at: int) -> int:
    """Return where the line ends that a place is in, before its end sign."""
    found = text.find("\n", at)
    if found < 0:
        return len(text)
    return found - 1 if text[found - 1] == "\r" else found


def _newline(text: str, at: int) -> str:
    """Return the end of the line that a place is in, of the last line the one before it."""
    found = text.find("\n", at)
    if found < 0:
        found = text.rfind("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def _has_comment(text: str, start: int, end: int) -> bool:
    """Whether a comment stands in a part of a text: between two words of YAML is nothing else that has a `#`."""
    last = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        between = text[max(last, start) : min(token.start_mark.index, end)]
        if "#" in between:
            return True
        last = token.end_mark.index
    return False


def _flow(value: Any) -> str:
    """Return a value as YAML in one line that this project's reader reads as the same value."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str) and not _is_plain(value):
        return _quoted(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _is_plain(text: str) -> bool:
    """Whether a text stays that text without quotes, in a list too."""
    if not re.fullmatch(r"[A-Za-z0-9/~.][A-Za-z0-9_./@:+~-]*(?: [A-Za-z0-9_./@+~-]+)*", text):
        return False
    if text.endswith(":"):
        return False
    try:
        return bool(yaml_document(f"[{text}]") == [text])
    except Unreadable:
        return False


def _quoted(text: str) -> str:
    dumped = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6)
    return dumped.removesuffix("\n")
