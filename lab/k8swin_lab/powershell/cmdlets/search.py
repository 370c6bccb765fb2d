"""Select-String."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, inputs, switch
from k8swin_lab.powershell.cmdlets.content import encoding_named, split_lines
from k8swin_lab.powershell.cmdlets.targets import existing, kept
from k8swin_lab.powershell.dotnet import encodings
from k8swin_lab.powershell.dotnet.fileinfo import FileSystemInfo
from k8swin_lab.powershell.dotnet.regexes import Match, Regex
from k8swin_lab.powershell.values import PSArray, PSObject


@TABLE.cmdlet(
    "Select-String",
    parameters=[
        Parameter("Pattern", "string[]", position=0, mandatory=True),
        Parameter("Path", "string[]", position=1, pipeline="property"),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        switch("SimpleMatch"),
        switch("CaseSensitive"),
        switch("Quiet"),
        switch("List"),
        switch("NotMatch"),
        switch("AllMatches"),
        switch("Raw"),
        Parameter("Encoding", "object"),
        Parameter("Context", "int[]", simulated=False),
        Parameter("Include", "string[]"),
        Parameter("Exclude", "string[]"),
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module=UTILITY,
    aliases=("sls",),
    streaming=False,
)
def select_string(call: Call) -> Iterator[Any]:
    session: Any = call.session
    found_any = False
    regexes = [
        Regex(re.escape(p) if call["SimpleMatch"] else p, 0 if call["CaseSensitive"] else 1)
        for p in call["Pattern"]
    ]
    for path, lines in _sources(call, session):
        numbered = list(enumerate(lines, 1))
        for number, line in numbered:
            matches = _matches(call, regexes, line)
            if matches is None:
                continue
            found_any = True
            if call["Quiet"]:
                yield True
                return
            if call["Raw"]:
                yield line
            else:
                yield _info(call, path, number, line, matches)
            if call["List"]:
                break
    if call["Quiet"] and not found_any:
        yield False


def _sources(call: Call, session: Any) -> Iterator[tuple[str, list[str]]]:
    if call.bound("Path") or call.bound("LiteralPath"):
        yield from _files(call, session)
        return
    texts: list[str] = []
    for item in inputs(call):
        if isinstance(item, FileSystemInfo):
            if texts:
                yield "InputStream", texts
                texts = []
            if not item.is_directory and kept(call, item.name):
                yield item.path, _read(call, session, item.path)
        elif isinstance(item, list):
            texts.extend(dotnet.to_string(i) for i in item)
        else:
            texts.append(dotnet.to_string(item))
    if texts:
        yield "InputStream", texts


def _files(call: Call, session: Any) -> Iterator[tuple[str, list[str]]]:
    for target in existing(call):
        name = FileSystemInfo(session.host, target.path, is_directory=False).name
        if kept(call, name) and not session.host.files.stat(target.path).is_directory:
            yield target.path, _read(call, session, target.path)


def _read(call: Call, session: Any, path: str) -> list[str]:
    chosen = encoding_named(call, call["Encoding"], encodings.UTF8_PLAIN)
    return split_lines(encodings.detect(session.host.files.read(path), chosen)[0])


def _matches(call: Call, regexes: list[Regex], line: str) -> list[Match] | None:
    """The matches of a line that counts, None for a line that does not."""
    for regex in regexes:
        found = list(regex.compiled.finditer(line)) if call["AllMatches"] else []
        if not found:
            first = regex.compiled.search(line)
            found = [first] if first is not None else []
        if found:
            return None if call["NotMatch"] else [Match(regex, match) for match in found]
    return [] if call["NotMatch"] else None


def _info(call: Call, path: str, number: int, line: str, matches: list[Match]) -> PSObject:
    from_stream = path == "InputStream"
    name = path.replace("\\", "/").rpartition("/")[2]
    shown = line if from_stream else f"{path}:{number}:{line}"
    return PSObject(
        [
            ("IgnoreCase", not call["CaseSensitive"]),
            ("LineNumber", number),
            ("Line", line),
            ("Filename", name),
            ("Path", path),
            ("Pattern", call["Pattern"][0]),
            ("Context", None),
            ("Matches", PSArray(matches, "System.Text.RegularExpressions.Match")),
        ],
        type_names=["Microsoft.PowerShell.Commands.MatchInfo"],
        display=shown,
    )
