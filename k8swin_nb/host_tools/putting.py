"""Files into their places on hosts: one of any size, and many short ones by one script.

What arrives is proved by SHA-256 before it takes its place; what is there then is looked at by who asked for it.
"""

from __future__ import annotations

import base64
import contextlib
import io
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from k8swin_nb.errors import K8swinError, TransferFailed
from k8swin_nb.host_tools.asking import Machines, ask
from k8swin_nb.host_tools.host_files import Progress, unreadable, why
from k8swin_nb.host_tools.places import advice
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines
from k8swin_nb.result import Result

PIECE = 256 * 1024

SHORT_BYTES = 1024 * 1024
"""Bytes of short files that one script on Linux puts into their places, each with `PER_FILE` beside its own."""

NO_ROOM = 75
"""How the script ends that many short files are given, when they fit nowhere there together."""

SEND_BYTES = 1_200_000
"""Bytes of a file that one script on Windows is given: in base64, with what goes around it, below the two million
characters that Windows PowerShell reads as one JSON text whatever its settings."""

TOLD = ("kept: ", "left: ")
"""How lines begin by which a host says what it kept of somebody else's, or left as it was."""

CLEAN_SECONDS = 20.0
"""For taking away what was begun."""


@dataclass(frozen=True, slots=True)
class Short:
    """A short file that shall be in its place."""

    path: str
    sha256: str
    content: bytes | None
    """None: it is there already, and mode and owner alone are set."""


def put(
    cluster: Machines,
    host: Host,
    content: BinaryIO,
    path: str,
    *,
    sha256: str,
    write: bool = True,
    mode: str = "",
    owner: str = "",
    validate: str = "",
    sudo: bool = False,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
    told: Mapping[str, Any] | None = None,
) -> list[str]:
    """Put a file into its place, and return what the host says that it kept of somebody else's, or left as it was.

    Args:
        cluster: An open cluster.
        host: Where.
        content: What is read to its end.
        path: Its place; folders that are missing are made.
        sha256: Of the content.
        write: Whether the content is another than what is there; else only mode and owner are set.
        mode: Such as `644` (Linux only); empty: as it is, of a new file 644.
        owner: Such as `root:adm` (Linux only); empty: as it is, of a new file the login's.
        validate: A command that has to accept the file before it goes to its place; `%s` stands for the file.
        sudo: As root (Linux only).
        cancel: When it is set, it is stopped, and the file is as it was.
        progress: Told how far it is.
        told: What the record says beside it.

    Raises:
        TransferFailed: when it cannot be written, or does not arrive whole.
        Stopped: when it was stopped.
    """
    event = {"file": path, "content_sha256": sha256, **(told or {})}
    how: dict[str, Any] = {"timeout": None, "sudo": sudo, "cancel": cancel, "told": event}
    if host.os == "linux":

        def pieces() -> Iterator[bytes]:
            done = 0
            while piece := content.read(PIECE):
                yield piece
                done += len(piece)
                if progress:
                    progress(host, path, done)

        values = {
            "file": path,
            "sha256": sha256,
            "content": "true" if write else "false",
            "file_mode": mode,
            "file_owner": owner,
            "validate": validate,
        }
        feed = pieces() if write else None
        result = ask(cluster, host, "file_put.apply", values, feed=feed, **how)
    elif write:
        part = f"k8swin-{secrets.token_hex(8)}"
        _send(cluster, host, content, path, part, how, progress)
        values = {"file": path, "part": part, "sha256": sha256, "validate": validate}
        result = ask(cluster, host, "file_put.apply", values, **how)
    else:
        return []
    if not result.ok:
        raise _not_written(host, path, result, sudo=sudo)
    return [line for line in lines(result.stdout) if line.startswith(TOLD)]


def put_short(
    cluster: Machines,
    host: Host,
    files: Sequence[Short],
    *,
    mode: str = "",
    owner: str = "",
    validate: str = "",
    sudo: bool = False,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
) -> Iterator[list[str]]:
    """Put short files into their places on a Linux host by one script, and yield of each in turn what `put` returns of it.

    The first that fails ends it. Of those before it that is said first, also when it was stopped or the connection broke.

    Raises:
        TransferFailed: as `put`.
        Stopped: likewise.
    """
    fields = [
        field
        for one in files
        for field in (
            one.path,
            one.sha256,
            "false" if one.content is None else "true",
            str(len(one.content or b"")),
        )
    ]
    listed = "".join(f"{field}\0" for field in fields).encode("utf-8", "surrogateescape")

    def pieces() -> Iterator[bytes]:
        yield listed
        for one in files:
            if one.content is not None:
                yield one.content
                if progress:
                    progress(host, one.path, len(one.content))

    total = len(listed) + sum(len(one.content or b"") for one in files)
    values = {
        "list": str(len(listed)),
        "total": str(total),
        "file_mode": mode,
        "file_owner": owner,
        "validate": validate,
    }
    event = {"files": [{"file": one.path, "content_sha256": one.sha256} for one in files]}
    try:
        result = ask(
            cluster,
            host,
            "small_files_put.apply",
            values,
            feed=pieces(),
            timeout=None,
            sudo=sudo,
            cancel=cancel,
            told=event,
        )
    except BaseException as error:
        printed = getattr(error, "result", None)
        if isinstance(printed, Result):
            yield from _said_of_each(printed)
        raise
    said = list(_said_of_each(result))
    yield from said
    if result.returncode == NO_ROOM and not said:
        for one in files:
            yield put(
                cluster,
                host,
                io.BytesIO(one.content or b""),
                one.path,
                sha256=one.sha256,
                write=one.content is not None,
                mode=mode,
                owner=owner,
                validate=validate,
                sudo=sudo,
                cancel=cancel,
                progress=progress,
            )
    elif len(said) != len(files):
        if result.ok:
            raise unreadable(result, f"{len(said)} of {len(files)} files are in their places")
        raise _not_written(host, files[len(said)].path, result, sudo=sudo)


def _said_of_each(result: Result) -> Iterator[list[str]]:
    """Yield what a host says of each file that is in its place."""
    said: list[str] = []
    number = 1
    for line in lines(result.stdout):
        if line == f"put: {number}":
            yield said
            said, number = [], number + 1
        elif line.startswith(TOLD):
            said.append(line)


def _send(
    cluster: Machines,
    host: Host,
    content: BinaryIO,
    path: str,
    part: str,
    how: Mapping[str, Any],
    progress: Progress | None,
) -> None:
    """Send a file to a Windows server part by part, beside its place."""
    done, first = 0, True
    values = {"file": path, "part": part}
    # The record names the file at its first part and at its last; those between say nothing more.
    quiet = {**how, "told": None}
    try:
        while (piece := content.read(SEND_BYTES)) or first:
            encoded = base64.b64encode(piece) or b"="
            result = ask(
                cluster,
                host,
                "file_part.apply",
                {**values, "offset": str(done)},
                stdin=encoded,
                **(how if first else quiet),
            )
            if not result.ok:
                raise _not_written(host, path, result, sudo=False)
            done, first = done + len(piece), False
            if progress:
                progress(host, path, done)
    except BaseException:
        with contextlib.suppress(K8swinError):
            over = {**values, "offset": "-1"}
            ask(cluster, host, "file_part.apply", over, timeout=CLEAN_SECONDS)
        raise


def _not_written(host: Host, path: str, result: Result, *, sudo: bool) -> TransferFailed:
    reason = why(result)
    return TransferFailed(
        host.name, f"`{path}` was not written: {reason}", hint=advice(host, reason, sudo=sudo)
    )
