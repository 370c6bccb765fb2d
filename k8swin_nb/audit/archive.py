"""One file that holds a run for the archive, and such a file taken apart again without trust.

The same run gives the same bytes. What is in it is what the last seal names, the seal, its signatures, and two files for
whoever has nothing else: `README.txt` and `SHA256SUMS`.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from k8swin_nb.audit.readme import readme, sums
from k8swin_nb.audit.statement import SEAL_BYTES, SEAL_NAME, SIGNATURES, Seal, read
from k8swin_nb.audit.tree import EVENTS, FILE_BYTES, FILES, content, inside, look
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.reading import Unreadable
from k8swin_nb.shown import shown_line

ALL_BYTES = 2 * 1024**3
"""What all files of an archive may have together; a whole build has some 10 MB."""

TIME = 315_532_800
"""Time of all files in an archive, the first of 1980: other programs that pack them again know no earlier one."""

README, SUMS = "README.txt", "SHA256SUMS"

_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----|client-key-data: *[A-Za-z0-9+/=]{40}"
)
_CHUNK = 1024 * 1024


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Path, str]]:
    """Give the folder of a run, and what the run is called: of an archive what it holds, in a folder that is gone afterwards.

    Raises:
        ParamsError: when it is neither, or not to be taken apart safely.
    """
    if path.is_dir():
        yield path, path.resolve().name
        return
    with tempfile.TemporaryDirectory(prefix="k8swin-audit-") as place:
        try:
            folder = _unpacked(path, Path(place))
        except (
            tarfile.TarError,
            zipfile.BadZipFile,
            EOFError,
            zlib.error,
            gzip.BadGzipFile,
        ) as error:
            raise _no_archive(path, shown_line(error, most=200)) from None
        except (NotImplementedError, RuntimeError, ValueError) as error:
            raise _no_archive(path, shown_line(error, most=200)) from None
        except OSError as error:
            raise ParamsError(f"`{path}` cannot be read: {error.strerror or error}") from None
        yield folder, folder.name


def _no_archive(path: Path, why: str) -> ParamsError:
    return ParamsError(
        f"`{path}` is no archive of a run: {why}",
        hint="name a run's folder, its id, or a file of `k8swin audit export`",
    )


def _unpacked(path: Path, place: Path) -> Path:
    """Write the plain files of an archive below a folder; return the one of the run."""
    names: set[str] = set()
    total = 0
    with _plain_file(path) as file:
        for name, size, member in _members(path, file):
            if not inside(name):
                raise _no_archive(
                    path, f"it holds `{shown_line(name, most=80)}`, which leads out of it"
                )
            if name in names:
                raise _no_archive(path, f"it holds `{shown_line(name, most=80)}` twice")
            names.add(name)
            total += size
            if len(names) > FILES or size > FILE_BYTES or total > ALL_BYTES:
                raise _no_archive(
                    path, f"it holds more than {FILES} files, or than {ALL_BYTES // 1024**2} MB"
                )
            target = place / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as into:
                    _copy(member, into, size)
            except (FileExistsError, NotADirectoryError):
                raise _no_archive(
                    path, f"`{shown_line(name, most=80)}` is a file and a folder"
                ) from None
    found = sorted(
        name.partition("/")[0]
        for name in names
        if name.endswith(f"/{EVENTS}") and name.count("/") == 1
    )
    if len(found) != 1:
        raise _no_archive(path, f"it holds {len(found)} runs, expected one")
    return place / found[0]


@contextlib.contextmanager
def _plain_file(path: Path) -> Iterator[BinaryIO]:
    from k8swin_nb.reading import open_file

    try:
        file = open_file(path)
    except Unreadable as error:
        raise _no_archive(path, str(error)) from None
    with file:
        yield file


def _members(path: Path, file: BinaryIO) -> Iterator[tuple[str, int, BinaryIO]]:
    """Yield name, size and content of each file; folders are passed over, anything else is refused."""
    begin = file.read(4)
    file.seek(0)
    if begin.startswith(b"PK"):
        with zipfile.ZipFile(file) as zipped:
            for info in zipped.infolist():
                if info.is_dir():
                    continue
                if (info.external_attr >> 16) & 0o170000 not in (0, 0o100000):
                    raise _no_archive(
                        path, f"`{shown_line(info.filename, most=80)}` in it is a link"
                    )
                with zipped.open(info) as member:
                    yield info.filename, info.file_size, member  # type: ignore[misc]
        return
    unpacked = gzip.GzipFile(fileobj=file) if begin.startswith(b"\x1f\x8b") else file
    bounded = _Bounded(unpacked, ALL_BYTES + 64 * 1024**2)
    with tarfile.open(fileobj=bounded, mode="r|") as tar:  # type: ignore[call-overload]
        for info in tar:
            if info.isdir():
                continue
            if not info.isreg() or info.sparse is not None:
                raise _no_archive(
                    path, f"`{shown_line(info.name, most=80)}` in it is no plain file"
                )
            member = tar.extractfile(info)
            if member is not None:
                yield info.name, info.size, member


class _Bounded:
    """A stream that ends with an error when more comes than may come."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        found = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ValueError(f"it holds more than {ALL_BYTES // 1024**2} MB")
        return found


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    """Copy a file of which the size is known, and no byte more."""
    left = size
    while left and (part := source.read(min(_CHUNK, left))):
        target.write(part)
        left -= len(part)
    if left or source.read(1):
        raise ValueError("a file in it has another size than it says")


def last_seal(folder: Path) -> Seal | None:
    """Return the last seal of a run, or None when it has none that can be read."""
    numbers = [int(found[1]) for name in look(folder) if (found := SEAL_NAME.fullmatch(name))]
    for number in sorted(numbers, reverse=True):
        with contextlib.suppress(OSError, Unreadable):
            return read(content(folder, f"seals/{number:04d}.json", SEAL_BYTES), number)
    return None


def export(folder: Path, target: Path, verdict_word: str) -> Path:
    """Pack the files of a run that its last seal names.

    Args:
        folder: The run's folder, which was verified.
        target: The archive; is made, and never written over.
        verdict_word: What the verification said, for whoever opens it.

    Raises:
        ParamsError: when there is no seal, a file is there already, or one holds a private key.
        K8swinError: when it cannot be written; nothing of it is then left.
    """
    seal = last_seal(folder)
    if seal is None:
        raise ParamsError(
            f"run `{folder.name}` has no seal, so that nobody can say what belongs to it",
            hint=f"k8swin audit seal {folder.name}",
        )
    entries = look(folder)
    beside = [seal.name, *(seal.name + ending for ending in SIGNATURES)]
    # What was taken away, or is a link by now, the verdict says.
    names = sorted(
        name for name in {*seal.subjects, *beside} if name in entries and not entries[name].odd
    )
    if not inside(seal.run) or "/" in seal.run:
        raise ParamsError(
            f"the seal names a run `{shown_line(seal.run, most=80)}`, which no folder can be called"
        )
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ParamsError(
            f"`{target}` is there already, and nothing is written over",
            hint="name another: --output FILE",
        ) from None
    except OSError as error:
        raise ParamsError(f"`{target}` cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            _pack(file, folder, names, seal, verdict_word)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError | Unreadable):
            reason = getattr(error, "strerror", None) or str(error)
            raise K8swinError(
                f"`{target}` cannot be written: {reason}",
                hint="make room, or name another place with --output",
            ) from None
        raise
    return target


def _pack(file: BinaryIO, folder: Path, names: list[str], seal: Seal, word: str) -> None:
    # Without a name and a time in the head, and on one level, the same content is the same bytes.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=9) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        run = seal.run
        _add(tar, README, readme(seal, names, word).encode())
        _add(tar, SUMS, sums(seal).encode())
        for name in names:
            written = content(folder, name, FILE_BYTES)
            if found := _KEY.search(written):
                line = written.count(b"\n", 0, found.start()) + 1
                raise ParamsError(
                    f"`{name}` holds a private key in line {line}, so that nothing is packed",
                    hint="treat the key as lost; take the file out, seal the run again, and say why in the reason",
                )
            _add(tar, f"{run}/{name}", written)


def _add(tar: tarfile.TarFile, name: str, written: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(written), 0o644, TIME
    tar.addfile(info, io.BytesIO(written))
