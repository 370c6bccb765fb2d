"""Files and folders from hosts to here; what is here already stays as it is unless the caller says otherwise."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from k8swin_nb.errors import K8swinError, TransferFailed
from k8swin_nb.fan_out import on_each
from k8swin_nb.host_tools.asking import Machines, chosen
from k8swin_nb.host_tools.file_events import Work, of_here
from k8swin_nb.host_tools.file_report import FileReport, FileRow
from k8swin_nb.host_tools.host_files import (
    SMALL_BYTES,
    Below,
    Found,
    Progress,
    below,
    parts,
    small,
    states,
)
from k8swin_nb.host_tools.places import is_name_here
from k8swin_nb.host_tools.pushing import measure
from k8swin_nb.inventory import Host
from k8swin_nb.local_files import make_folders

READS = 3
"""How often a file is read that changes meanwhile: a log that grows is had as it was at one moment."""


def pull(
    cluster: Machines,
    remote: str,
    local: str | Path,
    on: str | tuple[Host, ...],
    *,
    sudo: bool = False,
    force: bool = False,
    dry_run: bool = False,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
) -> FileReport:
    """Bring a file, or all files below a folder, from hosts; see `HostTools.pull`."""
    cancel = cancel or threading.Event()
    hosts = chosen(cluster, on)
    done: dict[str, list[FileRow]] = {host.name: [] for host in hosts}
    others: dict[str, list[FileRow]] = {}

    def read(host: Host, name: str, file: Below, place: Path, content: bytes | None) -> Below:
        """Bring one file, as it is when it is read, and return what it was; `content`: what has been read of it."""
        for left in reversed(range(READS)):
            pieces: Iterable[bytes]
            if content is not None:
                pieces, content = [content], None
            else:
                pieces = parts(cluster, host, name, file.size, sudo=sudo, cancel=cancel)
            try:
                _write(host, name, file, place, pieces, progress)
                break
            except _Changed:
                if not left:
                    raise
                now = states(cluster, host, [name], sudo=sudo, cancel=cancel)[0]
                file = Below(file.path, now.size, now.sha256, now.mode)
        return file

    def one(host: Host) -> None:
        work = Work(cluster, host, f"{remote} to {local}", "pull", sudo=sudo, dry_run=dry_run)
        with work.written_down(done[host.name]):
            bring(host, work)

    def bring(host: Host, work: Work) -> None:
        root = _place(str(local), host, several=len(hosts) > 1)
        found = states(cluster, host, [remote], sudo=sudo, cancel=cancel)[0]
        if found.kind == "folder":
            listed, left = below(cluster, host, remote, sudo=sudo, cancel=cancel)
            places = [(file, _inside(host, root, file.path)) for file in listed]
            slash = "\\" if host.os == "windows" else "/"
            names = [
                remote.rstrip("/\\") + slash + file.path.replace("/", slash) for file in listed
            ]
            others[host.name] = [
                FileRow(host.name, remote.rstrip("/\\") + slash + path, "skipped", 0, reason)
                for path, reason in sorted(left.items())
            ]
        elif found.kind == "file" and found.sha256:
            name = re.split(r"[/\\]" if host.os == "windows" else "/", remote)[-1]
            is_folder = root.is_dir() or str(local).endswith(("/", os.sep)) or len(hosts) > 1
            place = _inside(host, root, name) if is_folder else root
            places = [(Below(name, found.size, found.sha256, found.mode), place)]
            names = [remote]
        else:
            reason, what = _not_carried(found)
            raise TransferFailed(host.name, f"`{remote}`: {reason}", hint=what)
        _refuse_others(host, places, force)
        same = [_is_same(place, file) for file, place in places]
        short = [
            (name, file.size)
            for name, (file, _), there in zip(names, places, same, strict=True)
            if not there and file.size <= SMALL_BYTES
        ]
        # A script a file takes most of the time of a folder of many small ones.
        at_once = host.os == "linux" and len(short) > 1
        ready: dict[str, bytes] = {}
        for name, (file, place), there in zip(names, places, same, strict=True):
            if there:
                done[host.name].append(FileRow(host.name, str(place), "ok", file.size))
                continue
            detail = "other content" if place.exists() else "new"
            if not dry_run:
                before = of_here(place)
                if at_once and file.size <= SMALL_BYTES:
                    if name not in ready:
                        ready = small(cluster, host, short, sudo=sudo, cancel=cancel)
                    del short[0]
                file = read(host, name, file, place, ready.pop(name, None))
                now = {"bytes": file.size, "sha256": file.sha256}
                work.file(str(place), before, now, remote=name)
            outcome = "would change" if dry_run else "changed"
            done[host.name].append(FileRow(host.name, str(place), outcome, file.size, detail))

    answers = on_each(hosts, one, name=lambda host: host.name, cancel=cancel)
    caption = f"{remote} to {local}"
    rows = [row for host in hosts for row in (*done[host.name], *others.get(host.name, ()))]
    report = FileReport(caption, rows)
    if error := answers.error():
        report.rows += [
            FileRow(name, "", "failed", 0, each.lines()[0]) for name, each in answers.errors.items()
        ]
        error.report = report  # type: ignore[attr-defined]
        raise error
    return report


class _Changed(TransferFailed):
    """It was changed while it was read."""


def _not_carried(found: Found) -> tuple[str, str]:
    """Say why what is at a place is not brought, and what to do."""
    sudo = "use `--sudo` (`sudo=True`)"
    return {
        "missing": ("there is none", "look at the path"),
        "file": ("this login may not read it", sudo),
        "hidden": ("its folder may not be entered by this login", sudo),
        "broken": ("a link is there that leads nowhere", "name what it should lead to"),
    }.get(found.kind, ("it is neither a file nor a folder", "look at the path"))


def _place(local: str, host: Host, *, several: bool) -> Path:
    """Return where the files of one host go: with several hosts each has a folder of its name."""
    if "{host}" in local:
        return Path(local.replace("{host}", host.name)).expanduser()
    return Path(local).expanduser() / host.name if several else Path(local).expanduser()


def _inside(host: Host, root: Path, name: str) -> Path:
    """Return the place here of a file that a host named.

    Raises:
        TransferFailed: when the name leads out of the folder: a host decides over no other file of this computer.
    """
    path = PurePosixPath(name)
    words = path.parts
    named = all(is_name_here(word, host) for word in words)
    if path.is_absolute() or not words or ".." in words or not named:
        raise TransferFailed(
            host.name,
            f"the name `{name}` is none for a file here",
            hint="pull it by itself, with another name here",
        )
    place = root.joinpath(*words)
    # A link below the folder would lead out of it just so.
    above = place.parent
    while above != root and above != above.parent:
        if above.is_symlink():
            raise TransferFailed(
                host.name,
                f"`{above}` is a link here, which is not followed",
                hint="remove the link",
            )
        above = above.parent
    return place


def _is_same(place: Path, file: Below) -> bool:
    return (
        place.is_file() and place.stat().st_size == file.size and measure(place)[1] == file.sha256
    )


def _refuse_others(host: Host, places: Iterable[tuple[Below, Path]], force: bool) -> None:
    """Stop before the first file is written over that holds something else.

    Raises:
        TransferFailed: naming them.
    """
    taken = [
        place
        for file, place in places
        if place.is_symlink()
        or (place.exists() and (not place.is_file() or not _is_same(place, file)))
    ]
    over = [place for place in taken if place.is_symlink() or not place.is_file()]
    if over:
        raise TransferFailed(
            host.name, f"`{over[0]}` is there and is no file", hint="give another place"
        )
    if taken and not force:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise TransferFailed(
            host.name,
            f"`{taken[0]}`{more} is there with other content, and was not written over",
            hint="give another place, or `--force`",
        )


def _write(
    host: Host,
    name: str,
    file: Below,
    place: Path,
    pieces: Iterable[bytes],
    progress: Progress | None,
) -> None:
    """Write a file beside its place, prove its content, and move it there."""
    make_folders(place.parent)
    try:
        descriptor, beside = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:50]}.")
        try:
            digest, size = hashlib.sha256(), 0
            with os.fdopen(descriptor, "wb") as out:
                for piece in pieces:
                    out.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    if progress:
                        progress(host, name, size)
            if digest.hexdigest() != file.sha256:
                raise _Changed(
                    host.name,
                    f"`{name}` was changed while it was read",
                    hint="wait until nobody writes it, then run it again",
                )
            if place.exists():
                Path(beside).chmod(place.stat().st_mode & 0o7777)
            Path(beside).replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as error:
        raise K8swinError(
            f"cannot write `{place}`: {error.strerror or error}",
            hint="make room, or let this account write there; then run it again",
        ) from error
