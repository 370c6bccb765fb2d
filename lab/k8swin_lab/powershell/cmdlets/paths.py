"""Split-Path and Join-Path: text only, nothing has to exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, switch
from k8swin_lab.powershell.cmdlets.targets import expand


def _separator(call: Call) -> str:
    session: Any = call.session
    return str(session.host.separator)


def normalized(path: str, separator: str) -> str:
    """With the separator of the machine."""
    return path.replace("/", "\\") if separator == "\\" else path.replace("\\", "/")


@TABLE.cmdlet(
    "Split-Path",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="both"),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        switch("Parent"),
        switch("Leaf"),
        switch("LeafBase"),
        switch("Extension"),
        switch("Qualifier"),
        switch("NoQualifier"),
        switch("IsAbsolute"),
        switch("Resolve"),
    ],
    module=MANAGEMENT,
)
def split_path(call: Call) -> Iterator[Any]:
    separator = _separator(call)
    paths = call["LiteralPath"] if call.bound("LiteralPath") else call["Path"]
    for given_path in paths or []:
        texts = [given_path]
        if call["Resolve"]:
            texts = [target.shown for target in expand(call, given_path)]
        for text in texts:
            path = normalized(text, separator)
            qualifier, rest = _qualified(path)
            if call["IsAbsolute"]:
                yield bool(qualifier) or path.startswith(separator)
            elif call["Qualifier"]:
                if qualifier:
                    yield qualifier
                else:
                    call.session.write_error(
                        f"Cannot parse path because path '{text}' does not have a qualifier specified.",
                        category="InvalidArgument",
                        error_id="ParsePathFormatError",
                        exception="System.FormatException",
                        target=text,
                    )
            elif call["NoQualifier"]:
                yield rest
            elif call["Leaf"] or call["LeafBase"] or call["Extension"]:
                leaf = _leaf(path, separator)
                stem, dot, extension = leaf.rpartition(".")
                if call["LeafBase"]:
                    yield stem if dot else leaf
                elif call["Extension"]:
                    yield dot + extension if dot else ""
                else:
                    yield leaf
            else:
                yield _parent(path, separator)


def _qualified(path: str) -> tuple[str, str]:
    match = re.match(r"^([A-Za-z][\w]*:)(.*)$", path, re.DOTALL)
    return (match[1], match[2]) if match else ("", path)


def _leaf(path: str, separator: str) -> str:
    stripped = path.rstrip(separator)
    if not stripped:
        return path
    return stripped.rpartition(separator)[2] if separator in stripped else stripped


def _parent(path: str, separator: str) -> str:
    stripped = path.rstrip(separator)
    qualifier, rest = _qualified(stripped)
    if not rest:
        return ""
    cut = stripped.rfind(separator)
    if cut < 0:
        return ""
    found = stripped[:cut]
    if not found or (found == qualifier and qualifier):
        return found + separator
    return found


@TABLE.cmdlet(
    "Join-Path",
    parameters=[
        Parameter("Path", "string[]", position=0, mandatory=True, pipeline="both"),
        Parameter("ChildPath", "string", position=1, mandatory=True, pipeline="property"),
        Parameter("AdditionalChildPath", "string[]", remaining=True),
        switch("Resolve"),
    ],
    module=MANAGEMENT,
)
def join_path(call: Call) -> Iterator[Any]:
    separator = _separator(call)
    for base in call["Path"]:
        joined = _joined(base, call["ChildPath"], separator)
        for more in call["AdditionalChildPath"] or []:
            joined = _joined(joined, dotnet.to_string(more), separator)
        if call["Resolve"]:
            for target in expand(call, joined):
                yield target.shown
        else:
            yield joined


def _joined(base: str, child: str, separator: str) -> str:
    left, right = normalized(base, separator), normalized(child, separator)
    if not left:
        return separator + right.lstrip(separator) if right else ""
    if not right:
        return left if left.endswith(separator) else left + separator
    return left.rstrip(separator) + separator + right.lstrip(separator)
