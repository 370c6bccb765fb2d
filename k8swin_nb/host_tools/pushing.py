"""Files and folders from here to hosts: only what differs is sent, and what arrived is read back."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from k8swin_nb.errors import K8swinError, ParamsError, TransferFailed
from k8swin_nb.fan_out import on_each
from k8swin_nb.host_tools.asking import Machines, chosen
from k8swin_nb.host_tools.file_events import Work, of_host
from k8swin_nb.host_tools.file_report import FileReport, FileRow
from k8swin_nb.host_tools.host_files import PER_FILE, SMALL_BYTES, Found, Progress, states
from k8swin_nb.host_tools.places import below
from k8swin_nb.host_tools.putting import SHORT_BYTES, Short, put, put_short
from k8swin_nb.inventory import Host

PIECE = 1024 * 1024

Differ = Callable[[Host, Found], str]
"""Returns what differs between what was found and what is wanted, to be shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file as it shall be on a host."""

    path: str
    """Its place there."""

    size: int
    sha256: str
    open: Callable[[], BinaryIO]
    """Opens its content."""


@dataclass(frozen=True, slots=True)
class How:
    """How files are put."""

    mode: str = ""
    owner: str = ""
    validate: str = ""
    sudo: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class _Ready:
    """What comes of one file: it is put, or only told of."""

    file: Wanted
    outcome: str
    detail: list[str]
    diff: str
    write: bool
    """Whether its content is another one; else mode and owner alone are set."""

    @property
    def put(self) -> bool:
        return self.outcome == "changed"

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return self.file.size if self.write else 0

    def row(self, host: Host) -> FileRow:
        told = ", ".join(self.detail)
        return FileRow(host.name, self.file.path, self.outcome, self.file.size, told, self.diff)


def of_bytes(path: str, content: bytes) -> Wanted:
    """Return a file of some bytes."""
    digest = hashlib.sha256(content).hexdigest()
    return Wanted(path, len(content), digest, lambda: io.BytesIO(content))


def checked(how: How, hosts: tuple[Host, ...]) -> How:
    """Return how files are put, if that can be.

    Raises:
        ParamsError: when mode or owner are none, or are for Windows.
    """
    # A mode as a number would say 644 of the system of tens: only its digits are clear.
    if how.mode and not _is(r"[0-7]{3,4}", how.mode):
        raise ParamsError(
            f"`{how.mode}` is no mode", hint="give three or four digits as text: `644`"
        )
    if how.owner and not _is(r"[\w.][\w.-]*\$?(:[\w.][\w.-]*)?|:[\w.][\w.-]*", how.owner):
        raise ParamsError(
            f"`{how.owner}` is no owner", hint="give `USER`, `USER:GROUP` or `:GROUP`"
        )
    windows = [host.name for host in hosts if host.os == "windows"]
    if windows and (how.mode or how.owner or how.sudo):
        raise ParamsError(
            f"Windows has no modes, owners of this form and sudo: {', '.join(windows)}",
            hint="leave mode, owner and sudo out there; a file that is there keeps its rights",
        )
    if how.validate and "%s" not in how.validate:
        raise ParamsError(
            f"`{how.validate}` does not say where the file goes", hint="write `%s` in its place"
        )
    return how


def _is(pattern: str, text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(pattern, text, re.ASCII) is not None


def push(
    cluster: Machines,
    local: str | Path,
    remote: str,
    on: str | tuple[Host, ...],
    how: How,
    *,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
) -> FileReport:
    """Bring a file, or all files below a folder, to hosts; see `HostTools.push`."""
    cancel = cancel or threading.Event()
    hosts = chosen(cluster, on)
    checked(how, hosts)
    known: dict[Path, tuple[int, str]] = {}
    left_out: dict[str, list[FileRow]] = {}
    lock = threading.Lock()

    def measured(path: Path) -> tuple[int, str]:
        with lock:
            if path not in known:
                known[path] = measure(path)
            return known[path]

    def wanted(host: Host) -> list[Wanted]:
        here = Path(str(local).replace("{host}", host.name)).expanduser()
        slash = "\\" if host.os == "windows" else "/"
        if here.is_dir():
            files, left = below(here)
            with lock:
                left_out[host.name] = [
                    FileRow(host.name, str(path), "skipped", 0, reason) for path, reason in left
                ]
            root = remote.rstrip("/\\") + slash
            return [
                Wanted(
                    root + slash.join(path.relative_to(here).parts),
                    *measured(path),
                    partial(_opened, path),
                )
                for path in files
            ]
        place = remote
        if remote.endswith(("/", "\\")) or _is_folder(cluster, host, remote, how, cancel):
            place = remote.rstrip("/\\") + slash + here.name
        return [Wanted(place, *measured(here), partial(_opened, here))]

    return put_all(
        cluster,
        hosts,
        wanted,
        how,
        f"{local} to {remote}",
        left_out=left_out,
        cancel=cancel,
        progress=progress,
    )


def put_all(
    cluster: Machines,
    hosts: tuple[Host, ...],
    wanted: Callable[[Host], list[Wanted]],
    how: How,
    caption: str,
    *,
    differ: Differ | None = None,
    left_out: Mapping[str, list[FileRow]] | None = None,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
) -> FileReport:
    """Put files on all hosts at once, and return how each ended.

    `left_out` has the rows of what is not carried, by host; they are looked at when the hosts have ended.

    Raises:
        K8swinError: of the only host that failed; its `report` holds all rows.
        MultiHostError: when several failed; likewise.
        Interrupted: a KeyboardInterrupt, after what ran was stopped.
    """
    done: dict[str, list[FileRow]] = {host.name: [] for host in hosts}

    def one(host: Host) -> None:
        work = Work(cluster, host, caption, "push", sudo=how.sudo, dry_run=how.dry_run)
        with work.written_down(done[host.name]):
            _on_one(work, wanted(host), how, done[host.name], differ, cancel, progress)

    answers = on_each(hosts, one, name=lambda host: host.name, cancel=cancel)
    others = left_out or {}
    rows = [row for host in hosts for row in (*done[host.name], *others.get(host.name, ()))]
    report = FileReport(caption, rows)
    if error := answers.error():
        report.rows += [
            FileRow(name, "", "failed", 0, each.lines()[0]) for name, each in answers.errors.items()
        ]
        error.report = report  # type: ignore[attr-defined]
        raise error
    return report


def _on_one(
    work: Work,
    wanted: list[Wanted],
    how: How,
    done: list[FileRow],
    differ: Differ | None,
    cancel: threading.Event | None,
    progress: Progress | None,
) -> None:
    cluster, host = work.cluster, work.host
    ways: dict[str, Any] = {"sudo": how.sudo, "cancel": cancel}
    found = states(cluster, host, [file.path for file in wanted], **ways) if wanted else []
    changed: list[Wanted] = []
    waiting: list[_Ready] = []
    carry: dict[str, Any] = {"progress": progress, **ways}

    def flush() -> None:
        """Put what waits, and tell of each in its turn; what fails ends it."""
        said = _put_each(cluster, host, [one for one in waiting if one.put], how, carry)
        for one in waiting:
            if one.put:
                one.detail += next(said)
                changed.append(one.file)
            done.append(one.row(host))
        waiting.clear()

    room = SHORT_BYTES
    for file, there in zip(wanted, found, strict=True):
        if there.kind not in ("file", "missing"):
            flush()
            told, what = _in_the_way(there)
            raise TransferFailed(host.name, f"`{file.path}`: {told}", hint=what)
        write = there.sha256 != file.sha256
        rights = _rights(there, how)
        if not write and not rights:
            waiting.append(_Ready(file, "ok", [], "", write=False))
            continue
        diff = differ(host, there) if differ and write else ""
        detail = ["new" if there.kind == "missing" else "other content"] if write else []
        if there.kind == "file":
            detail += rights
        outcome = "would change" if how.dry_run else "changed"
        ready = _Ready(file, outcome, detail, diff, write=write)
        # A script a file takes most of the time of a folder of many small ones.
        short = host.os == "linux" and ready.size <= SMALL_BYTES
        if not short or room < ready.size:
            flush()
            room = SHORT_BYTES
        room -= ready.size + PER_FILE
        waiting.append(ready)
        if not short:
            flush()
    flush()
    if changed:
        again = states(cluster, host, [file.path for file in changed], **ways)
        before = {file.path: there for file, there in zip(wanted, found, strict=True)}
        for file, there in zip(changed, again, strict=True):
            work.file(file.path, of_host(before[file.path]), of_host(there))
        for file, there in zip(changed, again, strict=True):
            _read_back(host, file, there, how)


def _put_each(
    cluster: Machines,
    host: Host,
    ready: list[_Ready],
    how: How,
    ways: Mapping[str, Any],
) -> Iterator[list[str]]:
    """Put files into their places, several by one script, and yield of each in turn what the host says beside it."""
    rights: dict[str, Any] = {"mode": how.mode, "owner": how.owner, "validate": how.validate}
    if len(ready) > 1:
        files = []
        for one in ready:
            content = None
            if one.write:
                with one.file.open() as opened:
                    # What it has become longer by since it was measured makes it another one, however much that is.
                    content = opened.read(one.file.size + 1)
            files.append(Short(one.file.path, one.file.sha256, content))
        yield from put_short(cluster, host, files, **rights, **ways)
        return
    for one in ready:
        with one.file.open() as opened:
            given = {"sha256": one.file.sha256, "write": one.write, **rights, **ways}
            yield put(cluster, host, opened, one.file.path, **given)


def _rights(there: Found, how: How) -> list[str]:
    """Say which of mode, owner and group are others than wanted."""
    told = []
    if how.mode and not there.has_mode(how.mode):
        told.append(f"mode {there.mode} → {how.mode}")
    user, _, group = how.owner.partition(":")
    for what, found, wanted in (("owner", there.owner, user), ("group", there.group, group)):
        if wanted and wanted not in found.split(":"):
            told.append(f"{what} {found.partition(':')[0]} → {wanted}")
    return told


def _read_back(host: Host, file: Wanted, there: Found, how: How) -> None:
    """Prove by what the host says afterwards that a file is as it was wanted."""
    trouble = ""
    if there.kind == "file" and not there.sha256:
        raise TransferFailed(
            host.name,
            f"`{file.path}` was written, and this login may not read it back: its mode is {there.mode}",
            hint="use `--sudo` (`sudo=True`), or a mode that lets it read",
        )
    if there.sha256 != file.sha256:
        trouble = f"SHA-256 is {there.sha256 or 'not to be had'}, expected {file.sha256}"
    elif how.mode and not there.has_mode(how.mode):
        trouble = f"its mode is {there.mode}, expected {how.mode}"
    elif how.owner and not there.has_owner(how.owner):
        trouble = f"it belongs to {there.owner}, {there.group}, expected {how.owner}"
    if trouble:
        raise TransferFailed(
            host.name,
            f"`{file.path}` was written, and is another one now: {trouble}",
            hint="look for what else writes it there, such as a management of its own",
        )


def _in_the_way(there: Found) -> tuple[str, str]:
    """Say what is there in place of a file, and what to do."""
    return {
        "folder": ("a folder is there, wanted a file", "name the file itself"),
        "hidden": (
            "its folder may not be entered by this login",
            "use `--sudo` (`sudo=True`)",
        ),
        "broken": ("a link is there that leads nowhere", "remove the link, or make what it names"),
    }.get(there.kind, ("what is there is neither a file nor a folder", "give another place"))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _is_folder(
    cluster: Machines, host: Host, path: str, how: How, cancel: threading.Event | None
) -> bool:
    return states(cluster, host, [path], sudo=how.sudo, cancel=cancel)[0].kind == "folder"


def measure(path: Path) -> tuple[int, str]:
    """Return a local file's size and SHA-256.

    Raises:
        K8swinError: when it cannot be read, or is no file.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        if path.exists() and not path.is_file():
            raise K8swinError(f"`{path}` is no file", hint="name a file or a folder")
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        reason = error.strerror or error
        raise K8swinError(
            f"`{path}` cannot be read here: {reason}", hint="look at the path"
        ) from error
    return size, digest.hexdigest()
