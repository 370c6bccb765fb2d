"""SPDY/3.1 as far as Kubernetes uses it to run programs in containers: streams with headers, data, an end.

An API server opens a stream each for standard input, output and error, and one for the final Status, by their header
`streamtype`; the kubelet answers each and writes. The compression of headers begins with a dictionary that draft 3 fixes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Protocol

PROTOCOL = "v4.channel.k8s.io"
"""The version of Kubernetes' stream protocol that is spoken here."""

_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get "
    "status|200 OK|version HTTP/1.1 url public set-cookie keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal "
    "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
    "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def dictionary() -> bytes:
    """Return what the compression of headers begins with."""
    first, ok, rest = _NAMES.split("|")
    words = [*first.split(), ok, *rest.split()]
    return b"".join(_counted(word.encode()) for word in words) + _TAIL.encode()


_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 1
_MOST = 1 << 14
_MOST_INPUT = 1 << 26


class Reader(Protocol):
    """A blocking stream to read from."""

    def read(self, size: int, /) -> bytes: ...


class Session:
    """The server's end of one connection.

    Args:
        reader: gives exactly as many bytes as are asked for, fewer at the end.
        write: sends bytes.
    """

    def __init__(self, reader: Reader, write: Callable[[bytes], object]) -> None:
        self._reader = reader
        self._write = write
        self._inflate = zlib.decompressobj(zdict=dictionary())
        self._deflate = zlib.compressobj(zdict=dictionary())
        self.streams: dict[str, int] = {}
        """Numbers of the streams that were opened, by their header `streamtype`."""
        self._given: dict[int, bytes] = {}
        self._ended: set[int] = set()

    def accept(self, wanted: set[str]) -> bool:
        """Answer streams until all of these are open; False when the connection ends before."""
        while not wanted <= self.streams.keys():
            if not self._frame():
                return False
        return True

    def read(self, kind: str) -> bytes:
        """Return all that is sent on a stream that is open, up to its end or that of the connection."""
        number = self.streams[kind]
        while number not in self._ended and self._frame():
            pass
        return self._given.pop(number, b"")

    def _frame(self) -> bool:
        """Take the next frame; False when the connection ends."""
        head = self._reader.read(8)
        if len(head) < 8:
            return False
        first, flagged = struct.unpack(">II", head)
        payload = self._reader.read(flagged & 0xFFFFFF)
        if not first >> 31:
            if len(self._given.get(first, b"")) + len(payload) > _MOST_INPUT:
                return False
            self._given[first] = self._given.get(first, b"") + payload
            if flagged >> 24 & _FIN:
                self._ended.add(first)
            return True
        kind = first & 0xFFFF
        if kind == _SYN_STREAM:
            self._opened(payload)
        elif kind == _PING:
            self._control(_PING, 0, payload)
        elif kind == _RST_STREAM:
            self._ended.add(struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF)
        return bool(kind != _GOAWAY)

    def _opened(self, payload: bytes) -> None:
        number = struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF
        headers = _headers(self._inflate.decompress(payload[10:]))
        self.streams[headers.get("streamtype", "")] = number
        packed = self._deflate.compress(struct.pack(">I", 0))
        packed += self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._control(_SYN_REPLY, 0, struct.pack(">I", number) + packed)

    def _control(self, kind: int, flags: int, payload: bytes) -> None:
        head = struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload))
        self._write(head + payload)

    def send(self, kind: str, data: bytes) -> None:
        """Send all of a stream, and its end; one that was not opened gets nothing."""
        number = self.streams.get(kind)
        if number is None:
            return
        for start in range(0, len(data), _MOST):
            part = data[start : start + _MOST]
            self._write(struct.pack(">II", number, len(part)) + part)
        self._write(struct.pack(">II", number, _FIN << 24))


def _counted(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _headers(block: bytes) -> dict[str, str]:
    (count,) = struct.unpack(">I", block[:4])
    found: dict[str, str] = {}
    at = 4
    for _ in range(count):
        words = []
        for _ in range(2):
            (size,) = struct.unpack(">I", block[at : at + 4])
            words.append(block[at + 4 : at + 4 + size].decode())
            at += 4 + size
        found[words[0].lower()] = words[1]
    return found
