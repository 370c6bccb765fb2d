"""A connection that is reset before TLS leaves no socket open."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import warnings

import pytest
from k8swin_lab.network import HttpRequest, NetworkError, Tls
from k8swin_lab.servers import outside
from k8swin_lab.tls_sockets import tls_context


def reset(*_: object) -> socket.socket:
    """Return a connection whose other end is gone with a reset."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        made = socket.create_connection(door.getsockname())
        there, _ = door.accept()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()
    return made


@pytest.fixture(autouse=True)
def all_are_closed(recwarn: pytest.WarningsRecorder) -> object:
    warnings.simplefilter("always")
    yield
    gc.collect()
    assert [str(one.message) for one in recwarn if "unclosed" in str(one.message)] == []


def test_where_a_client_is_gone_before_it_is_served() -> None:
    with pytest.raises(ConnectionResetError):
        tls_context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(reset(), server_side=True)


def test_where_a_server_outside_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    made = reset()
    monkeypatch.setattr(outside.socket, "create_connection", lambda *_: made)
    with pytest.raises(NetworkError):
        outside._send("127.0.0.1", 1, HttpRequest("GET", "https://127.0.0.1/", tls=Tls()))
