"""Request bodies in Kubernetes' protobuf form, which Go clients send for the built-in types.

`protobuf.json` holds, by message, each field's number, JSON name and type: `s` string, `i` integer,
`b` boolean, `d` double, `y` bytes, `t` Time, `T` MicroTime, `q` Quantity, `x` IntOrString,
`r` raw JSON, `v` list of strings, `m:NAME` message; `[]` and `{}` in front for lists and maps, `*`
behind for optional fields. Answers are always JSON: those clients accept both.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object, bad_request

_MAGIC = b"k8s\x00"
_Wire = int | bytes


@cache
def _messages() -> dict[str, dict[str, list[str]]]:
    text = (Path(__file__).parent / "protobuf.json").read_text("utf-8")
    loaded: dict[str, dict[str, list[str]]] = json.loads(text)
    return loaded


def decode(body: bytes) -> Object:
    """Return the object in a protobuf body.

    Raises:
        ApiError: it is no Kubernetes object, or of a kind that this API does not have (400).
    """
    if not body.startswith(_MAGIC):
        raise bad_request(
            "provided data does not appear to be a protobuf message, expected k8s magic"
        )
    envelope = dict(_fields(body[4:]))
    kind_fields = {number: _text(value) for number, value in _fields(_bytes(envelope.get(1, b"")))}
    version, kind = kind_fields.get(1, ""), kind_fields.get(2, "")
    package = version if "/" in version else f"core/{version}"
    name = f"{package}.{kind}"
    if kind == "DeleteOptions":
        name = "meta/v1.DeleteOptions"
    if name not in _messages():
        raise bad_request(f'no kind "{kind}" is registered for version "{version}"')
    obj = _message(_bytes(envelope.get(2, b"")), name)
    return {**obj, "apiVersion": version, "kind": kind}


def _fields(data: bytes) -> Iterator[tuple[int, _Wire]]:
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, value
        elif wire == 2:
            length, place = _varint(data, place)
            yield number, data[place : place + length]
            place += length
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            yield number, data[place : place + size]
            place += size
        else:
            raise bad_request(f"proto: illegal wireType {wire}")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data):
            raise bad_request("unexpected EOF")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, place
        shift += 7


def _bytes(value: _Wire) -> bytes:
    if isinstance(value, bytes):
        return value
    raise bad_request("proto: wrong wireType: found a number, expected bytes")


def _text(value: _Wire) -> str:
    return _bytes(value).decode("utf-8", "replace")


def _message(data: bytes, name: str) -> Object:
    described = _messages()[name]
    found: Object = {}
    for number, value in _fields(data):
        field = described.get(str(number))
        if field is None:
            continue
        key, kind = field
        optional = kind.endswith("*")
        kind = kind.rstrip("*")
        if kind.startswith("[]"):
            found.setdefault(key, []).append(_value(value, kind[2:]))
        elif kind.startswith("{}"):
            entry = dict(_fields(_bytes(value)))
            inner = _value(entry.get(2, b""), kind[2:])
            found.setdefault(key, {})[_text(entry.get(1, b""))] = inner
        else:
            plain = _value(value, kind)
            # Go writes the zero of every field that is not a pointer; JSON clients leave it out.
            if plain is None or (not optional and plain in ("", 0, False)):
                continue
            if key:
                found[key] = plain
            else:
                found.update(plain)
    return found


def _value(value: _Wire, kind: str) -> Any:
    if kind.startswith("m:"):
        return _message(_bytes(value), kind[2:])
    if kind == "s":
        return _text(value)
    if kind == "b":
        return bool(value)
    if kind == "i":
        return _signed(value)
    if kind == "d":
        return struct.unpack("<d", _bytes(value))[0]
    if kind == "y":
        return base64.b64encode(_bytes(value)).decode()
    if kind in ("t", "T"):
        parts = dict(_fields(_bytes(value)))
        if not parts.get(1):
            return None
        seconds = _signed(parts[1]) + _signed(parts.get(2, 0)) / 1e9
        return timestamps.micro(seconds) if kind == "T" else timestamps.rfc3339(seconds)
    inner = dict(_fields(_bytes(value)))
    if kind == "q":
        return _text(inner.get(1, b""))
    if kind == "x":
        return _text(inner.get(3, b"")) if inner.get(1) else _signed(inner.get(2, 0))
    if kind == "v":
        return [_text(item) for _, item in _fields(_bytes(value))]
    return json.loads(_bytes(inner.get(1, b"null")))


def _signed(value: _Wire) -> int:
    if isinstance(value, bytes):
        raise bad_request("proto: wrong wireType: found bytes, expected a number")
    return value - (1 << 64) if value >= 1 << 63 else value
