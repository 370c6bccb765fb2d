"""Expand-Archive and Compress-Archive (zip)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import TABLE, should_process, switch
from k8swin_lab.powershell.cmdlets.targets import (
    Target,
    expand,
    given,
    join,
    leaf_of,
    not_found,
    parent_of,
)
from k8swin_lab.powershell.dotnet.fileinfo import info

_MODULE = "Microsoft.PowerShell.Archive"


@TABLE.cmdlet(
    "Expand-Archive",
    parameters=[
        Parameter("Path", "string", position=0, pipeline="both"),
        Parameter("LiteralPath", "string", aliases=("PSPath",), pipeline="property"),
        Parameter("DestinationPath", "string", position=1),
        switch("Force"),
        switch("PassThru"),
    ],
    module=_MODULE,
    should_process=True,
)
def expand_archive(call: Call) -> Iterator[Any]:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    given_path = call["LiteralPath"] if call.bound("LiteralPath") else call["Path"]
    path = expand(call, given_path, literal=call.bound("LiteralPath"))[0].path
    if not files.exists(path):
        raise Terminating(
            f"The path '{given_path}' either does not exist or is not a valid file system path.",
            exception="System.InvalidOperationException",
            category="InvalidArgument",
            error_id="ArchiveCmdletPathNotFound",
            target=given_path,
        )
    if not path.lower().endswith(".zip"):
        raise Terminating(
            f"{leaf_of(path, separator)} is not a supported archive file format. .zip is the only supported "
            "archive file format.",
            exception="System.IO.IOException",
            category="InvalidArgument",
            error_id="NotSupportedArchiveFileExtension",
            target=path,
        )
    stem = leaf_of(path, separator)[: -len(".zip")]
    base = session.full_path(call["DestinationPath"] or stem)
    try:
        archive = zipfile.ZipFile(io.BytesIO(files.read(path)))
    except zipfile.BadZipFile as error:
        raise Terminating(
            "End of Central Directory record could not be found.",
            exception="System.IO.InvalidDataException",
            error_id="InvalidDataException",
        ) from error
    if not should_process(call, "Expand-Archive", path):
        return
    files.make_directory(base)
    for entry in archive.infolist():
        target = _inside(base, entry.filename, separator)
        if entry.is_dir():
            files.make_directory(target)
            continue
        if files.exists(target) and not call["Force"]:
            call.session.write_error(
                f"Failed to create file '{target}' while expanding the archive file '{path}' contents as the "
                "file '"
                + target
                + "' already exists. Use the -Force parameter if you want to overwrite the "
                "existing directory contents when expanding the archive file.",
                category="ResourceExists",
                error_id="ExpandArchiveFileExists",
                exception="System.IO.IOException",
                target=target,
            )
            continue
        files.make_directory(parent_of(target, separator))
        files.write(target, archive.read(entry))
        if call["PassThru"]:
            yield info(session.host, target)


def _inside(base: str, name: str, separator: str) -> str:
    """An entry's place; one that leads out of the destination is refused."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    if ".." in parts or ":" in name:
        raise Terminating(
            "Extracting Zip entry would have resulted in a file outside the specified destination directory.",
            exception="System.IO.IOException",
            error_id="IOException",
        )
    for part in parts:
        base = join(base, part, separator)
    return base


@TABLE.cmdlet(
    "Compress-Archive",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="both"),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        Parameter("DestinationPath", "string", position=1, mandatory=True),
        Parameter("CompressionLevel", "string", choices=("Optimal", "NoCompression", "Fastest")),
        switch("Update"),
        switch("Force"),
        switch("PassThru"),
    ],
    module=_MODULE,
    streaming=False,
    should_process=True,
)
def compress_archive(call: Call) -> Iterator[Any]:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    target = session.full_path(call["DestinationPath"])
    if not target.lower().endswith(".zip"):
        target += ".zip"
    if files.exists(target) and not call["Force"] and not call["Update"]:
        raise Terminating(
            f"The archive file {target} already exists. Use the -Update parameter to update the existing archive "
            "file or use the -Force parameter to overwrite the existing archive file.",
            exception="System.IO.IOException",
            category="ResourceExists",
            error_id="ArchiveFileExists",
            target=target,
        )
    sources: list[Target] = []
    piped = [getattr(item, "path", None) or session.to_string(item) for item in call.input]
    for path, literal in [(p, True) for p in piped] or given(call):
        for found in expand(call, path, literal=literal):
            if not files.exists(found.path):
                not_found(call, found.shown)
                return
            sources.append(found)
    if not should_process(call, "Compress-Archive", target):
        return
    level = (
        zipfile.ZIP_STORED if call["CompressionLevel"] == "NoCompression" else zipfile.ZIP_DEFLATED
    )
    entries: dict[str, bytes] = {}
    if call["Update"] and files.exists(target):
        with zipfile.ZipFile(io.BytesIO(files.read(target))) as old:
            entries = {e.filename: old.read(e) for e in old.infolist()}
    for source in sources:
        name = leaf_of(source.path, separator)
        if files.stat(source.path).is_directory:
            entries.update(_tree(files, source.path, name, separator))
        else:
            entries[name] = files.read(source.path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", level) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    files.write(target, buffer.getvalue())
    if call["PassThru"]:
        yield info(session.host, target)


def _tree(files: Any, folder: str, prefix: str, separator: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    entries = list(files.list(folder))
    if not entries:
        found[prefix + "/"] = b""
    for entry in entries:
        name = f"{prefix}/{leaf_of(entry.path, separator)}"
        if entry.is_directory:
            found.update(_tree(files, entry.path, name, separator))
        else:
            found[name] = files.read(entry.path)
    return found
