"""The way to real hosts: TLS, lists and watches of a real socket, and what an API server runs in containers."""

from __future__ import annotations

import io
import json
import struct
import zlib

import pytest
from k8swin_lab.network import HttpRequest, NetworkError, Tls
from k8swin_lab.servers.outside import OutsideNetwork
from k8swin_lab.servers.spdy import Session, dictionary

from .conftest import Served


def ask(served: Served, path: str, trusted: bytes, **options: object) -> HttpRequest:
    authority = served.lab.cluster.authority
    certificate, key = authority.issue("kubernetes-admin", ("system:masters",))
    tls = Tls(trusted, certificate + key)
    return HttpRequest("GET", f"https://127.0.0.1:{served.port}{path}", tls=tls, **options)  # type: ignore[arg-type]


def test_a_request_shows_its_certificate_and_trusts_one_authority(served: Served) -> None:
    trusted = served.lab.cluster.authority.certificate_pem
    server = OutsideNetwork().open("127.0.0.1", served.port)
    found = json.loads(server(ask(served, "/api/v1/nodes", trusted)).body)
    assert {item["metadata"]["name"] for item in found["items"]} >= {"win1", "win2"}
    other = type(served.lab.cluster.authority).create("another").certificate_pem
    with pytest.raises(NetworkError, match="x509") as failed:
        server(ask(served, "/api/v1/nodes", other))
    assert failed.value.kind == "tls"


def test_a_watch_is_a_stream_that_ends_when_its_client_goes(served: Served) -> None:
    trusted = served.lab.cluster.authority.certificate_pem
    gone = False
    server = OutsideNetwork().open("127.0.0.1", served.port)
    answer = server(ask(served, "/api/v1/nodes?watch=true", trusted, closed=lambda: gone))
    assert answer.stream is not None
    seen = {json.loads(next(answer.stream))["object"]["metadata"]["name"] for _ in range(3)}
    assert {"win1", "win2"} <= seen
    gone = True
    assert list(answer.stream) == []


def test_nobody_at_a_port_is_refused(served: Served) -> None:
    with pytest.raises(NetworkError) as failed:
        OutsideNetwork().open("127.0.0.1", 1)
    assert failed.value.kind == "refused"


def test_the_dictionary_is_the_one_of_draft_3() -> None:
    assert (len(dictionary()), zlib.adler32(dictionary())) == (1423, 0xE3C6A7C2)


def test_streams_are_answered_and_written_to_by_their_type() -> None:
    packer = zlib.compressobj(zdict=dictionary())
    sent = b""
    for number, kind in ((1, "error"), (3, "stdout"), (5, "stdin")):
        text = kind.encode()
        block = struct.pack(">I", 1) + b"".join(
            struct.pack(">I", len(word)) + word for word in (b"streamtype", text)
        )
        packed = packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)
        payload = struct.pack(">IIH", number, 0, 0) + packed
        sent += struct.pack(">HHI", 0x8003, 1, len(payload)) + payload
    # Input comes in pieces; the flag of the last one ends it.
    pieces = struct.pack(">II", 5, 3) + b"one" + struct.pack(">II", 5, 1 << 24 | 3) + b"two"
    written = io.BytesIO()
    session = Session(io.BytesIO(sent + pieces), written.write)
    assert session.accept({"error", "stdout", "stdin"})
    assert session.read("stdin") == b"onetwo"
    before = written.tell()
    session.send("stdout", b"hello")
    assert written.getvalue()[before:] == (
        struct.pack(">II", 3, 5) + b"hello" + struct.pack(">II", 3, 1 << 24)
    )
    assert not session.accept({"nothing more"})
