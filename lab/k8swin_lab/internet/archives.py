"""Archives that come out the same every time: fixed times, owners and order."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib

Members = dict[str, bytes | str]
"""File contents by path; a string is the target of a symbolic link (tar only)."""

_TIME = 1_700_000_000
_BLOCK = 0xFFFF  # bytes that one stored block of deflate holds


def tar(members: Members, *, mode: int = 0o755) -> bytes:
    """Return a tar archive with the directories that the paths need."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        made: set[str] = set()
        for path, content in members.items():
            parts = path.split("/")[:-1]
            for depth in range(1, len(parts) + 1):
                directory = "/".join(parts[:depth])
                if directory not in made:
                    made.add(directory)
                    _add(archive, directory, tarfile.DIRTYPE, 0o755)
            if isinstance(content, str):
                _add(archive, path, tarfile.SYMTYPE, 0o777, target=content)
            else:
                _add(archive, path, tarfile.REGTYPE, mode, content)
    return out.getvalue()


def _add(
    archive: tarfile.TarFile,
    path: str,
    kind: bytes,
    mode: int,
    content: bytes = b"",
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.mtime = kind, mode, _TIME
    entry.size, entry.linkname = len(content), target
    entry.uname = entry.gname = "root"
    archive.addfile(entry, io.BytesIO(content))


def tar_gz(members: Members) -> bytes:
    """Return a gzipped tar archive.

    Its blocks are stored, not compressed: what a compressor makes of them differs between the zlibs
    that Pythons are built with, and with it the SHA-256 that a lock file names.
    """
    content = tar(members)
    blocks = [content[at : at + _BLOCK] for at in range(0, len(content), _BLOCK)] or [b""]
    out = [b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"]
    for number, block in enumerate(blocks, 1):
        last = number == len(blocks)
        out.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    out.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(out)


def zip_archive(members: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, content in members.items():
            entry = zipfile.ZipInfo(path, (2023, 11, 14, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
