"""Answers of the API server to a request for a list, read while they come in, within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3

from k8swin_nb.cluster.connection import Wire
from k8swin_nb.cluster.messages import content_of, message, of_json, parsed, whole_fields
from k8swin_nb.errors import ClusterError
from k8swin_nb.reading import Unreadable, json_document, shown

PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = "application/json"
LISTS = f"{PROTOBUF},{JSON}"

PIECE = 256 * 1024
"""Bytes that are read at once."""

PART = 256 * 1024
"""Bytes of objects that are worked on together; as many as a processor's cache holds."""

BEGIN = 1024 * 1024
"""Bytes within which a list in protobuf must have begun."""

OBJECT_BYTES = 32 * 1024 * 1024
"""What one object may have; etcd takes 1.5 MB."""

JSON_BYTES = 32 * 1024 * 1024
"""What an answer in JSON may have, which is read as a whole."""

LIST_BYTES = 4 * 1024 * 1024 * 1024
"""What an answer in protobuf may have: half a million large objects."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells of its list."""

    metadata: Any
    asked: datetime
    """When the server wrote it, by its own clock."""


class TooLong(Exception):
    """An answer has more bytes than it may; the message says how many that are."""


def answered(wire: Wire, path: str, kind: str, query: Mapping[str, object]) -> Iterator[Any]:
    """Ask for a list, and yield its objects, some at a time, and a `Told`.

    Args:
        wire: Whom to ask.
        path: Path of the list.
        kind: Kind of its objects, such as `Pod`; empty: of any, as JSON has them.
        query: What is asked for.

    Raises:
        ClusterError: when the answer is no list of that kind.
        TooLong: when it is too long.
    """
    answer = wire.get(path, query, LISTS if kind else JSON)
    try:
        if (coded := answer.headers.get("Content-Encoding", "identity")) != "identity":
            raise no_list(path, f"it is packed as `{shown(coded)}`, which was not asked for")
        asked = _moment(answer.headers.get("Date"))
        if kind and str(answer.headers.get("Content-Type", "")).startswith(PROTOBUF):
            for part in _of_protobuf(answer, kind):
                yield part if isinstance(part, list) else Told(part, asked)
        else:
            yield from _of_json(path, _body(answer), kind, asked)
    except Unreadable as error:
        raise no_list(path, str(error)) from None
    finally:
        answer.close()
        answer.release_conn()  # what was not read to its end holds the wire otherwise


def _pieces(answer: urllib3.BaseHTTPResponse, most: int) -> Iterator[bytes]:
    size = 0
    while piece := answer.read(PIECE, decode_content=False):
        size += len(piece)
        if size > most:
            raise TooLong(f"{most // 2**20} MiB")
        yield piece


def _body(answer: urllib3.BaseHTTPResponse) -> bytes:
    return b"".join(_pieces(answer, JSON_BYTES))


def _of_json(path: str, body: bytes, kind: str, asked: datetime) -> Iterator[Any]:
    document = json_document(body)
    named = str(document.get("kind")) if isinstance(document, dict) else ""
    if not isinstance(document, dict) or (kind and named not in (f"{kind}List", "List")):
        raise no_list(path, f"it is none of the kind {kind}" if kind else "it has another form")
    if not kind and "items" not in document:
        raise no_list(path, "it has no `items`")
    if not isinstance(document.get("items") or [], list):
        raise no_list(path, "`items` is no list")
    metadata = document.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    if token is not None and not (isinstance(token, str) and token.isascii()):
        raise no_list(path, "`continue` is none")
    yield Told(of_json("ListMeta", metadata), asked)
    if kind:
        yield of_json(f"{kind}List", {"items": document.get("items")}).items
    else:
        yield [item for item in document.get("items") or [] if isinstance(item, dict)]


def _of_protobuf(answer: urllib3.BaseHTTPResponse, kind: str) -> Iterator[Any]:
    """Yield what a list tells of itself, and its objects in lists.

    The content's fields are the list's metadata and its objects, one after the other: some whole fields of it are a list,
    too. What lies between them is the bytes of one object at most.
    """
    name = f"{kind}List"
    pieces = _pieces(answer, LIST_BYTES)
    held, left = _content(pieces, name)
    wanted, first = PART, True
    while left:
        gathered, size = [held], len(held)
        while size < min(left, wanted):
            piece = next(pieces, b"")
            if not piece:
                raise Unreadable("it ends in the middle of an object")
            gathered.append(piece)
            size += len(piece)
        held = b"".join(gathered)
        end = left if size >= left else whole_fields(held)
        if not end:
            wanted *= 2
            if wanted > 2 * OBJECT_BYTES:
                raise Unreadable(f"one object has more than {OBJECT_BYTES // 2**20} MiB")
            continue
        page = parsed(name, held[:end])
        if first or page.HasField("metadata"):
            yield page.metadata
        yield list(page.items)
        held, left, wanted, first = held[end:], left - end, PART, False
    if first:
        yield message("ListMeta")()


def _content(pieces: Iterator[bytes], name: str) -> tuple[bytes, int]:
    """Return what is there of the content, and how many bytes it has altogether."""
    held = b""
    for piece in pieces:
        held += piece
        found = content_of(held, name)
        if found is not None:
            place, length = found
            return held[place : place + length], length
        if len(held) > BEGIN:
            break
    raise Unreadable("it does not begin as a list in protobuf")


def _moment(text: str | None) -> datetime:
    """Return the moment that an answer names as its own; this computer's where it names none."""
    try:
        return parsedate_to_datetime(text or "").astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return datetime.now(UTC)


def no_list(path: str, what: str) -> ClusterError:
    """Return the error about an answer that cannot be read."""
    return ClusterError(
        f"GET {path}: the API server's answer is no list that can be read: {what}",
        hint="what it holds is unknown; look with kubectl on the control plane",
    )
