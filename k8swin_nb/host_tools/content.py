"""A text as a file on hosts: what is there is compared, the difference shown, and only what differs is written."""

from __future__ import annotations

import codecs
import difflib
import threading
from collections.abc import Callable

from k8swin_nb.errors import ParamsError, TransferFailed
from k8swin_nb.host_tools.asking import Machines, chosen
from k8swin_nb.host_tools.file_report import FileReport
from k8swin_nb.host_tools.host_files import Found, parts
from k8swin_nb.host_tools.pushing import How, checked, of_bytes, put_all
from k8swin_nb.inventory import Host

ENCODINGS = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "utf-16": "utf-16"}
"""By their names: `utf-16` is that of Windows, little-endian with a byte-order mark."""

MOST_COMPARED = 1024 * 1024
"""Bytes of a file above which no difference is shown."""

MOST_LINES = 20_000
"""Lines above which two files are not compared: the time grows with their product."""


def encoded(text: str, encoding: str = "utf-8", *, crlf: bool = False) -> bytes:
    """Return a text as bytes of a file.

    Raises:
        ParamsError: when there is no such encoding, or the text holds what none can write.
    """
    if encoding not in ENCODINGS:
        raise ParamsError(
            f"`{encoding}` is no encoding that is written",
            hint=f"one of: {', '.join(ENCODINGS)}",
        )
    plain = text.replace("\r\n", "\n")
    whole = plain.replace("\n", "\r\n") if crlf else plain
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16" else b""
    try:
        return mark + whole.encode("utf-16-le" if mark else ENCODINGS[encoding])
    except UnicodeEncodeError as error:
        raise ParamsError(
            f"character {error.start + 1} is half of one (U+{ord(whole[error.start]):04X}), which no file can hold",
            hint="take it out, or give the content as bytes",
        ) from error


def write_file(
    cluster: Machines,
    path: str,
    content: str | bytes,
    on: str | tuple[Host, ...],
    how: How,
    *,
    encoding: str = "utf-8",
    crlf: bool = False,
    cancel: threading.Event | None = None,
) -> FileReport:
    """Write a text as a file on hosts; see `HostTools.write_file`."""
    cancel = cancel or threading.Event()
    hosts = chosen(cluster, on)
    checked(how, hosts)
    data = encoded(content, encoding, crlf=crlf) if isinstance(content, str) else content

    def differ(host: Host, found: Found) -> str:
        before = b""
        if found.kind == "file":
            if found.size > MOST_COMPARED or not found.sha256:
                return ""
            read = parts(cluster, host, path, found.size, sudo=how.sudo, cancel=cancel)
            try:
                before = b"".join(read)
            except TransferFailed:
                return ""  # it is about to be replaced, or that fails with its own reason
        return difference(path, before, data, new=found.kind != "file")

    return put_all(
        cluster, hosts, lambda _: [of_bytes(path, data)], how, path, differ=differ, cancel=cancel
    )


def difference(path: str, before: bytes, after: bytes, *, new: bool = False) -> str:
    """Return what differs between two contents of a file as a unified diff; empty where one of them is no text."""
    old, fresh = _text(before), _text(after)
    if old is None or fresh is None:
        return ""
    lines, wanted = old.splitlines(), fresh.splitlines()
    if len(lines) + len(wanted) > MOST_LINES:
        return ""
    if lines == wanted and not new:
        return f"the same text, with other {' and '.join(_kinds(before, after))}\n"
    diff = difflib.unified_diff(
        lines, wanted, "/dev/null" if new else f"{path} (found)", f"{path} (wanted)", lineterm=""
    )
    return "\n".join(diff) + "\n"


def _kinds(before: bytes, after: bytes) -> list[str]:
    """Say in what two contents of the same lines differ."""
    marks: tuple[tuple[str, Callable[[bytes], object]], ...] = (
        ("encoding", _encoding_of),
        ("line ends", lambda data: (_text(data) or "").count("\r\n")),
    )
    return [name for name, of in marks if of(before) != of(after)] or ["end of the last line"]


def _encoding_of(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"


def _text(data: bytes) -> str | None:
    try:
        text = data.decode(_encoding_of(data))
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
