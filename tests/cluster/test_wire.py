"""The client of Kubernetes, held back: what it or urllib3 would do beyond one request as asked, does not happen."""

import functools
import http.client
import logging
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
import urllib3.util.connection

from k8swin_nb.cluster import connection
from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.kubectl_tables import Wanted
from k8swin_nb.errors import ClusterError, NotPassedOn
from tests.cluster.api_server import node, nodes, pods, read, refused
from tests.cluster.certificates import Authority, kubeconfig

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def test_the_client_of_kubernetes_makes_the_request(server, monkeypatch):
    from kubernetes.client import rest

    asked = []
    original = rest.RESTClientObject.request

    @functools.wraps(original)
    def seen(self, method, url, **how):
        asked.append((method, url))
        return original(self, method, url, **how)

    monkeypatch.setattr(rest.RESTClientObject, "request", seen)
    server.answer = lambda request: request.json(nodes(node("a")))
    read(server.api())
    assert asked == [("GET", f"{server.url}/api/v1/nodes")]


def test_a_way_that_is_given_is_the_only_one_that_is_taken(server, monkeypatch):
    """Behind a jump host nothing may be asked from here, and TLS is still checked against the server's own name."""
    asked = []

    def through(address, port, seconds):
        asked.append(f"https://{address}:{port}")
        return socket.create_connection((address, port), seconds)

    def from_here(*_, **__):
        raise ConnectionRefusedError("nothing answers from here")

    monkeypatch.setattr(urllib3.util.connection, "create_connection", from_here)
    server.answer = lambda request: request.json(nodes(node("a")))
    assert read(server.api(dial=through))
    assert asked == [server.url]
    with pytest.raises(ClusterError, match="no answer"):
        read(server.api())


def test_what_a_jump_host_says_stands_in_the_error(server):
    """A kind of error, such as `NotPassedOn`, would tell nobody which host does not pass what on."""

    def through(address, port, seconds):
        refused = NotPassedOn(
            f"the jump host `bastion` opens no connection to {address}: Connect failed"
        )
        refused.hint = "see that it reaches the machine"
        raise refused

    with pytest.raises(ClusterError, match=r"the jump host `bastion`.*Connect failed") as caught:
        read(server.api(dial=through))
    assert caught.value.hint == "see that it reaches the machine"


@pytest.mark.parametrize("status", [302, 401, 404, 429, 503])
def test_what_comes_with_a_refusal_is_not_read(server, status):
    def endless(request):
        request.send_response(status)
        request.send_header("Retry-After", "86400")
        request.send_header("Location", f"{server.url}/elsewhere")
        request.end_headers()
        while True:
            request.wfile.write(b" " * 65536)

    server.answer = endless
    assert refused(server).status == status
    assert len(server.requests) == 1


def test_a_server_that_hangs_up_is_not_asked_again(server):
    server.answer = lambda request: request.connection.shutdown(socket.SHUT_RDWR)
    assert "no answer from" in str(refused(server))
    assert len(server.requests) == 1


def test_an_answer_that_is_cut_short_is_an_error(server):
    def short(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"kind": "NodeList"}')
        request.close_connection = True

    server.answer = short
    assert "no answer from" in str(refused(server))


def test_no_proxy_of_the_environment_sees_the_cluster(server, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0.2)
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        server.answer = lambda request: request.json(nodes(node("a")))
        assert len(read(server.api())) == 1
        with pytest.raises(TimeoutError):
            proxy.accept()


def test_an_environment_that_names_no_proxy_that_can_be_is_no_obstacle(server, monkeypatch):
    for name in PROXIES:
        monkeypatch.setenv(name, "no:proxy://at all")
    server.answer = lambda request: request.json(nodes(node("a")))
    assert len(read(server.api())) == 1


def test_neither_the_token_nor_a_body_is_printed_or_logged(server, monkeypatch, capfd, caplog):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(logging.DEBUG)
    server.answer = lambda request: request.json(nodes(node("the-body")))
    read(server.api())
    server.answer = lambda request: request.json({"message": "the-body"}, 403)
    refused(server)
    said = "".join(capfd.readouterr()) + caplog.text
    assert "t0ken-of-nobody" not in said and "the-body" not in said


def test_a_header_that_is_none_is_an_error_and_nothing_of_it_is_logged(server, capfd, caplog):
    def odd(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\x1b[31mthis is no header\r\nA: b\r\n\r\n{}")
        request.close_connection = True

    server.answer = odd
    assert "no answer from" in str(refused(server))
    assert "this is no header" not in "".join(capfd.readouterr()) + caplog.text


def test_pages_come_over_one_connection_of_which_nothing_is_left(server):
    def page(request):
        more = {} if "continue=" in request.path else {"continue": "n/e+x=t"}
        request.json(nodes(node("a"), **more))

    server.answer = page
    read(server.api())
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else None
    for _ in range(3):
        found = read(server.api())
        assert len(found) == 2
    ended = time.monotonic() + 100
    while before is not None and len(list(descriptors.iterdir())) > before:
        assert time.monotonic() < ended, "a connection was left open"
        time.sleep(0.05)
    assert len({request.client_address for request in server.requests}) == 4
    assert server.requests[-1].path.endswith("continue=n%2Fe%2Bx%3Dt")


def test_the_client_leaves_no_file(server, tmp_path, monkeypatch):
    empty = tmp_path / "tmp"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    written = []
    original = tempfile.mkstemp
    monkeypatch.setattr(tempfile, "mkstemp", lambda *a, **k: written.append(a) or original(*a, **k))
    certificate, key = server.authority.client("admin")
    read(server.api(certificate=certificate, key=key))
    assert written == [] and list(empty.iterdir()) == []


@pytest.mark.parametrize("namespace", ["..", ".", "../../../version?", "\x00", "a b", "@other/"])
def test_a_namespaces_name_asks_for_nothing_else(server, namespace):
    server.serves(nodes=nodes(), pods=pods())
    try:
        server.tables().table("pods", Wanted(namespace=namespace))
    except ClusterError as error:
        assert "no path of the API" in str(error)
    for request in server.requests[1:]:
        assert request.path.startswith("/api/v1/namespaces/") and "/../" not in request.path
        assert request.path.endswith("/pods")


@pytest.mark.parametrize("token", ["\ud800", "x" * 100_000, "\x00é"])
def test_a_token_for_the_next_page_that_is_none_is_an_error(server, token):
    server.answer = lambda request: request.json(nodes(**{"continue": token}))
    assert "`continue` is none" in str(refused(server))
    assert len(server.requests) == 1


def test_a_cut_during_the_handshake_ends_the_thread_at_once(monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 600)
    authority = Authority()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        api = ClusterApi(kubeconfig(url, authority, token="t0ken-of-nobody"), server=url, seconds=1)
        began = time.monotonic()
        with pytest.raises(ClusterError, match="did not answer within 1 s"):
            read(api)
        while any(thread.name == "kube-api" for thread in threading.enumerate()):
            assert time.monotonic() - began < 60
            time.sleep(0.05)


@pytest.mark.skipif(not socket.has_ipv6 or os.name == "nt", reason="no IPv6 here")
def test_an_address_of_ipv6_is_asked(monkeypatch):
    authority = Authority()
    asked = []
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as brief:
        brief.settimeout(60)
        once = threading.Thread(target=lambda: asked.append(brief.accept()[0].close()))
        once.start()
        url = f"https://[::1]:{brief.getsockname()[1]}"
        text = kubeconfig(url, authority, token="t0ken-of-nobody")
        with pytest.raises(ClusterError, match="no answer from"):
            read(ClusterApi(text, server=url))
        once.join()
    assert len(asked) == 1
