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

from k8swin_nb.cluster import answers, connection
from k8swin_nb.cluster import api as api_module
from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.messages import message
from k8swin_nb.errors import ClusterError, Stopped
from k8swin_nb.secret import Secret
from tests.cluster import api_server
from tests.cluster.api_server import node, nodes, pod, pods, protobuf, read, refused
from tests.cluster.certificates import Authority, kubeconfig


def test_objects_are_read_as_whoever_the_kubeconfig_says(server):
    server.answer = lambda request: request.json(nodes(node("a"), node("b")))
    assert read(server.api()) == ["a", "b"]
    assert server.requests[0].headers["Authorization"] == "Bearer t0ken-of-nobody"
    assert server.requests[0].path == "/api/v1/nodes"


def test_a_client_certificate_says_who_asks(server):
    server.answer = lambda request: request.json(nodes())
    certificate, key = server.authority.client("the-administrator")
    read(server.api(certificate=certificate, key=key))
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


@pytest.mark.parametrize(
    ("status", "hint"), [(400, "look at the selectors"), (401, "run 02_master"), (403, "may not"), (429, "too much to do"), (503, "not ready")]
)  # fmt: skip
def test_a_refusal_says_what_to_do(server, status, hint):
    server.answer = lambda request: request.json({"kind": "Status", "code": status}, status)
    assert hint in refused(server).hint


def test_a_refusal_has_the_servers_own_words_where_they_are_few(
    server, monkeypatch, forgotten_secrets
):
    monkeypatch.setattr(connection, "REFUSAL_SECONDS", 0.1)
    Secret("hunter2-of-dev")

    def still(request):
        request.send_response(403)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.close_connection = server.over.wait(100)

    told = 'nodes is forbidden: User "hunter2-of-dev" cannot\x1b list resource "nodes"\n'
    words = '403 Forbidden: nodes is forbidden: User "*****" cannot^[ list resource "nodes"'
    packed = message("Status")(message=told).SerializeToString()
    body = (
        b"k8s\0" + api_server.field(1, api_server.field(2, b"Status")) + api_server.field(2, packed)
    )
    for answer, said in (
        (lambda request: request.json({"kind": "Status", "message": told}, 403), words),
        (lambda request: request.raw(body, 403), words),
        (lambda request: request.json({"message": "Forbidden"}, 403), "403 Forbidden"),
        (lambda request: request.json({"message": ["x"]}, 403), "403 Forbidden"),
        (lambda request: request.json({"message": "x" * 9000}, 403), "403 Forbidden"),
        (lambda request: request.raw(b"k8s\0\xff", 403), "403 Forbidden"),
        (lambda request: request.raw(b"upstream says no", 403), "403 Forbidden"),
        (still, "403 Forbidden"),
    ):  # fmt: skip
        server.answer = answer
        error = refused(server)
        assert str(error) == f"GET /api/v1/nodes: the API server answered {said}"
        assert error.status == 403


def test_a_connection_that_breaks_in_the_middle_of_a_list_is_no_short_list(server):
    def page(request):
        if "continue=" in request.path:
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        request.json(nodes(*(node(f"n{i}") for i in range(500)), **{"continue": "n"}))

    server.answer = page
    assert "the connection broke after 500 objects" in str(refused(server))


def test_a_list_whose_version_is_gone_is_read_anew(server):
    seen = []

    def page(request):
        seen.append(request.path)
        if "continue=" not in request.path:
            more = {} if len(seen) == 5 else {"continue": "n"}
            request.json(nodes(node(f"n{len(seen)}"), **more))
        else:
            request.json({"kind": "Status", "code": 410}, 410)

    server.answer = page
    forgotten = []
    found = []
    server.api().objects(
        "/api/v1/nodes", "Node", lambda items: found.extend(one.metadata.name for one in items),
        again=lambda: (forgotten.append(list(found)), found.clear()),
    )  # fmt: skip
    assert (found, forgotten) == (["n5"], [["n1"], ["n3"]])


def test_a_list_whose_version_is_always_gone_is_an_error(server):
    def page(request):
        if "continue=" in request.path:
            request.json({"kind": "Status", "code": 410}, 410)
        else:
            request.json(nodes(node("a"), **{"continue": "n"}))

    server.answer = page
    error = refused(server)
    assert error.status == 410 and "faster than it can be read" in error.hint


def test_what_is_told_to_come_back_later_is_an_error_now(server):
    server.answer = lambda request: request.json({}, 429, Retry_After="86400")
    assert refused(server).status == 429


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"<html>", b"{" * 100_000, b"\xff\xfe", b'{"kind": "PodList", "items": []}',
     json.dumps({**nodes(), "items": {"a": 1}}).encode(),
     json.dumps({**nodes(), "metadata": {"continue": ["x"]}}).encode()],
)  # fmt: skip
def test_an_answer_that_is_no_list_is_an_error_and_no_empty_table(server, body):
    server.answer = lambda request: request.raw(body)
    assert "no list that can be read" in str(refused(server))


@pytest.mark.parametrize(
    "body",
    [b"", b"k8s\0", b"k8s\0\x12\x05hello", b"k8s\0\x08\x01\x08\x01", b"{}", b"k8s\0" + b"\xff" * 20,
     protobuf("Pod", pods(pod("a"))), protobuf("Node", nodes(node("a")))[:-40], b"k8s\0" + b" " * 2_000_000],
)  # fmt: skip
def test_protobuf_that_is_none_is_an_error_and_no_empty_table(server, body):
    kind = "application/vnd.kubernetes.protobuf"
    server.answer = lambda request: request.raw(body, Content_Type=kind)
    assert "no list that can be read" in str(refused(server))


def test_a_list_is_read_up_to_a_bound_and_the_caption_says_so(server, monkeypatch):
    monkeypatch.setattr(api_module, "MOST_ROWS", 1000)
    server.serves(nodes=nodes(), pods=pods(*(pod(f"p{i}") for i in range(1500))))
    frame = server.tables().table("pods")
    assert len(frame) == 1000 and list(frame["NAME"])[-1] == "p999"
    assert "1000 pods in default" in frame.caption and "; more were not read; " in frame.caption


def test_a_server_that_knows_json_alone_is_asked_for_long_lists_in_pages(server, monkeypatch):
    monkeypatch.setattr(answers, "JSON_BYTES", 300_000)

    def page(request):
        if "limit=500" not in request.path:
            request.json(pods(*(pod(f"p{i}") for i in range(1000))))
            return
        start = int(request.path.rpartition("continue=")[2]) if "continue=" in request.path else 0
        more = (
            {"continue": str(start + 500), "remainingItemCount": 500 - start} if not start else {}
        )
        request.json(pods(*(pod(f"p{start + i}") for i in range(500)), **more))

    server.serves(nodes=nodes(), pods=page)
    frame = server.tables().table("pods")
    assert list(frame["NAME"]) == [f"p{i}" for i in range(1000)]
    assert "not read" not in frame.caption


@pytest.mark.parametrize("left", [-5, True, 1e308, float("nan"), "7", None])
def test_a_count_that_is_none_is_not_repeated(server, monkeypatch, left):
    monkeypatch.setattr(api_module, "MOST_ROWS", 1)
    metadata = {"continue": "x", "remainingItemCount": left}
    server.serves(nodes=nodes(), pods=pods(pod("p"), **metadata))
    assert "; more were not read; " in server.tables().table("pods").caption


def test_a_list_without_end_is_an_error(server, monkeypatch):
    monkeypatch.setattr(api_module, "MOST_PAGES", 20)
    server.answer = lambda request: request.json(nodes(**{"continue": "again"}))
    assert "it goes on after" in str(refused(server))


def test_a_page_has_a_bound(server, monkeypatch):
    monkeypatch.setattr(answers, "JSON_BYTES", 1024 * 1024)

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
    "answer", [drip_body, drip_headers, drip_chunks, continue_for_ever, lambda r: time.sleep(100)]
)
def test_a_deadline_holds_for_the_whole_call_however_slowly_it_answers(server, answer):
    server.answer = answer
    assert "did not answer within 1 s" in str(refused(server, seconds=1.0))


def test_a_server_that_never_shakes_hands_is_given_up():
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        text = kubeconfig(url, authority, token="t0ken-of-nobody")
        with pytest.raises(ClusterError, match="did not answer within 1 s"):
            read(ClusterApi(text, server=url, seconds=1.0))
        ended = time.monotonic() + 100
        while any(t.name == "kube-api" for t in threading.enumerate()):
            assert time.monotonic() < ended, "the thread that waited has ended"
            time.sleep(0.05)


def test_a_cancel_cuts_the_connection(server):
    server.answer = drip_body
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    with pytest.raises(Stopped):
        read(server.api(), cancel=cancel)


def test_a_server_of_another_authority_is_not_talked_to(server):
    text = kubeconfig(server.url, Authority(), token="t0ken-of-nobody")
    with pytest.raises(ClusterError, match="not of the cluster's authority"):
        read(ClusterApi(text, server=server.url))
    assert server.requests == []


def test_nobody_at_the_address_is_an_error():
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ClusterError, match="no answer from"):
        read(ClusterApi(kubeconfig(url, authority, token="t0ken-of-nobody"), server=url))


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
