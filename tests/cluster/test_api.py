"""The API server as it may be: what it refuses, and what it answers, are errors or a table, within bounds."""

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from k8swin_nb.cluster import api as api_module
from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.kubectl_tables import pods
from k8swin_nb.errors import ClusterError, Stopped
from tests.cluster.api_server import refused, row, table
from tests.cluster.certificates import Authority, kubeconfig


def test_rows_are_cells_of_columns_in_kubectls_spelling(server):
    server.answer = lambda request: request.json(
        table(row("a", "Ready", "10.0.0.1", namespace="x"))
    )
    found = server.api().table("/api/v1/nodes")
    assert found.columns == ("NAME", "STATUS", "INTERNAL-IP")
    assert found.rows == (("a", "Ready", "10.0.0.1"),) and found.namespaces == ("x",)
    assert server.api().table("/api/v1/nodes", wide=False).columns == ("NAME", "STATUS")
    assert server.requests[0].headers["Authorization"] == "Bearer t0ken-of-nobody"


def test_a_client_certificate_says_who_asks(server):
    server.answer = lambda request: request.json(table())
    certificate, key = server.authority.client("the-administrator")
    server.api(certificate=certificate, key=key).table("/api/v1/nodes")
    (request,) = server.requests
    assert "the-administrator" in str(request.peer)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 410, 429, 500, 502, 503, 504])
def test_a_refusal_is_an_error_and_no_empty_table(server, status):
    server.answer = lambda request: request.json({"kind": "Status", "code": status}, status)
    error = refused(server)
    assert f"the API server answered {status}" in str(error) and error.status == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server, status):
    server.answer = lambda request: request.raw(b"", status, Location=f"{server.url}/elsewhere")
    assert refused(server).status == status
    assert len(server.requests) == 1


def test_what_is_told_to_come_back_later_is_an_error_now(server):
    server.answer = lambda request: request.json({}, 429, Retry_After="86400")
    began = time.monotonic()
    assert refused(server).status == 429
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"<html>", b"{" * 100_000, b"\xff\xfe", b'{"kind": "PodList", "items": []}',
     json.dumps({**table(), "columnDefinitions": []}).encode(),
     json.dumps({**table(), "columnDefinitions": [{"name": 1}]}).encode(),
     json.dumps({**table(), "columnDefinitions": [{"name": "A"}, {"name": "a"}]}).encode(),
     json.dumps({**table(), "columnDefinitions": [None]}).encode(),
     json.dumps({**table(), "columnDefinitions": [{"name": "A"}, {"name": "A\0"}]}).encode(),
     json.dumps({**table(), "columnDefinitions": [{"name": f"c{i}"} for i in range(50_000)]}).encode(),
     json.dumps({**table(), "rows": {"a": 1}}).encode(),
     json.dumps({**table(), "metadata": {"continue": ["x"]}}).encode()],
)  # fmt: skip
def test_an_answer_that_is_no_table_is_an_error_and_no_empty_table(server, body):
    server.answer = lambda request: request.raw(body)
    assert "no table that can be read" in str(refused(server))


def test_an_odd_row_takes_no_other_along(server):
    odd = [
        None,
        {},
        [],
        {"cells": None},
        {"cells": ["b"]},
        {"cells": [None, {"x": 1}, [2]], "object": 5},
    ]
    server.answer = lambda request: request.json(table(row("a", "Ready", 7), *odd))
    found = server.api().table("/api/v1/nodes")
    assert len(found.rows) == len(odd) + 1 and found.rows[0] == ("a", "Ready", 7)
    assert found.rows[1] == ("<unknown>",) * 3 and found.rows[5][0] == "b"
    assert all(len(cells) == 3 for cells in found.rows)


def test_pages_are_put_together_up_to_a_bound_and_the_caption_says_so(server, monkeypatch):
    monkeypatch.setattr(api_module, "MOST_ROWS", 1000)

    def page(request):
        start = int(request.path.rpartition("continue=")[2]) if "continue=" in request.path else 0
        rows = [row(f"p{start + i}", "Running", "") for i in range(500)]
        left = 300_000 - start - 500
        request.json(table(*rows, **{"continue": str(start + 500), "remainingItemCount": left}))

    server.answer = page
    frame = pods(server.api())
    assert len(frame) == 1000 and list(frame["NAME"])[-1] == "p999"
    assert frame.caption == "the first 1000 of 300000 pods in all namespaces"
    assert len(server.requests) == 2


@pytest.mark.parametrize("left", [-5, True, 1e308, float("nan"), "7", None])
def test_a_count_that_is_none_is_not_repeated(server, monkeypatch, left):
    monkeypatch.setattr(api_module, "MOST_ROWS", 1)
    metadata = {"continue": "x", "remainingItemCount": left}
    server.answer = lambda request: request.json(table(row("p", "Running", ""), **metadata))
    assert pods(server.api()).caption == "the first 1 of more pods in all namespaces"


def test_a_list_without_end_is_an_error(server):
    server.answer = lambda request: request.json(table(**{"continue": "again"}))
    assert "it goes on after" in str(refused(server))


def test_a_page_has_a_bound(server, monkeypatch):
    monkeypatch.setattr(api_module, "PAGE_BYTES", 1024 * 1024)

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b" " * 65536)

    server.answer = endless
    assert "more than 1 MiB" in str(refused(server))


def test_what_is_packed_is_not_unpacked(server):
    packed = gzip.compress(b" " * 10_000_000)
    server.answer = lambda request: request.raw(packed, Content_Encoding="gzip")
    assert "packed as `gzip`" in str(refused(server))
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def drip_body(request):
    request.send_response(200)
    request.send_header("Content-Length", "100000")
    request.end_headers()
    while True:
        request.wfile.write(b" ")
        time.sleep(0.05)


def drip_headers(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        request.wfile.write(b"x")
        time.sleep(0.05)


def drip_chunks(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        request.wfile.write(b"0")
        time.sleep(0.05)


def continue_for_ever(request):
    while True:
        request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


@pytest.mark.parametrize(
    "answer", [drip_body, drip_headers, drip_chunks, continue_for_ever, lambda r: time.sleep(20)]
)
def test_a_deadline_holds_for_the_whole_call_however_slowly_it_answers(server, answer):
    server.answer = answer
    began = time.monotonic()
    assert "did not answer within 1 s" in str(refused(server, seconds=1.0))
    assert time.monotonic() - began < 10


def test_a_server_that_never_shakes_hands_is_given_up():
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        text = kubeconfig(url, authority, token="t0ken-of-nobody")
        with pytest.raises(ClusterError, match="did not answer within 1 s"):
            ClusterApi(text, server=url, seconds=1.0).table("/api/v1/nodes")
        ended = time.monotonic() + 10
        while any(t.name == "kube-api" for t in threading.enumerate()):
            assert time.monotonic() < ended, "the thread that waited has ended"
            time.sleep(0.05)


def test_a_cancel_cuts_the_connection(server):
    server.answer = drip_body
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        server.api().table("/api/v1/nodes", cancel=cancel)
    assert time.monotonic() - began < 10


def test_a_server_of_another_authority_is_not_talked_to(server):
    text = kubeconfig(server.url, Authority(), token="t0ken-of-nobody")
    with pytest.raises(ClusterError, match="not of the cluster's authority"):
        ClusterApi(text, server=server.url).table("/api/v1/nodes")
    assert server.requests == []


def test_nobody_at_the_address_is_an_error():
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ClusterError, match="no answer from"):
        ClusterApi(kubeconfig(url, authority, token="t0ken-of-nobody"), server=url).table(
            "/api/v1/nodes"
        )


@pytest.mark.parametrize("memory", [True, False])
def test_no_key_is_on_the_disk_when_the_process_is_killed_while_it_is_used(tmp_path, memory):
    authority = Authority()
    certificate, key = authority.client("admin")
    url = "https://127.0.0.1:1"
    text = tmp_path / "config"
    text.write_text(kubeconfig(url, authority, certificate=certificate, key=key))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    script = (
        "import os, ssl, sys, time, pathlib\n"
        f"if not {memory} and hasattr(os, 'memfd_create'): del os.memfd_create\n"
        "original = ssl.SSLContext.load_cert_chain\n"
        "def slow(self, *a, **k):\n"
        "    original(self, *a, **k); print('here', flush=True); time.sleep(60)\n"
        "ssl.SSLContext.load_cert_chain = slow\n"
        "from k8swin_nb.cluster.api import ClusterApi\n"
        f"ClusterApi(pathlib.Path({str(text)!r}).read_text(), server={url!r})\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"here\n"
        process.kill()
    left = b"".join(path.read_bytes() for path in temporary.rglob("*") if path.is_file())
    if memory:
        assert left == b""
    assert b"-----BEGIN PRIVATE KEY" not in left and b"EC PRIVATE KEY" not in left
    assert b"".join(key.splitlines()[1:-1]) not in left.replace(b"\n", b"")
