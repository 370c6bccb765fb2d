"""An API server of a test's own, over TLS, which answers what the test says."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.errors import ClusterError
from tests.cluster.certificates import Authority, kubeconfig

COLUMNS = [{"name": "Name"}, {"name": "Status"}, {"name": "Internal IP", "priority": 1}]


def table(*rows, columns=COLUMNS, **metadata):
    """Return a page of a table, as an API server writes it."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": list(rows),
    }


def row(*cells, namespace="default"):
    return {"cells": list(cells), "object": {"metadata": {"namespace": namespace}}}


class Server:
    """An API server over TLS that answers what a test says, and remembers what it was asked."""

    def __init__(self, folder):
        self.answer = lambda request: request.json(table())
        self.requests = []
        self.over = threading.Event()
        self.authority = Authority()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(self)
                self.peer = self.connection.getpeercert()
                try:
                    outer.answer(self)
                except (OSError, ssl.SSLError):
                    self.close_connection = True

            def json(self, document, status=200, **headers):
                self.raw(json.dumps(document).encode(), status, **headers)

            def raw(self, body, status=200, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *a: None
        context = self.authority.server_context(folder)
        self.http.socket = context.wrap_socket(
            self.http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def api(self, seconds=20.0, dial=None, **user):
        text = kubeconfig(self.url, self.authority, **(user or {"token": "t0ken-of-nobody"}))
        return ClusterApi(text, server=self.url, seconds=seconds, dial=dial)

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


def refused(server, path="/api/v1/nodes", **how):
    with pytest.raises(ClusterError) as caught:
        server.api(**how).table(path)
    return caught.value
