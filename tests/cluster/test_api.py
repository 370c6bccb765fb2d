"""What an API server refuses is an error, with every release of the client that is allowed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.errors import ClusterError


class Refusing(BaseHTTPRequestHandler):
    """Answers a path such as `/403` with that status, and as a Kubernetes API server does."""

    def do_GET(self):
        code = int(self.path.partition("?")[0].strip("/"))
        body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code})
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def api():
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    named = {"name": "it"}
    kubeconfig = {
        "clusters": [
            {**named, "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}
        ],
        "contexts": [{**named, "context": {"cluster": "it", "user": "it"}}],
        "users": [{**named, "user": {"token": "abcdefgh"}}],
        "current-context": "it",
    }
    api = ClusterApi(yaml.safe_dump(kubeconfig))
    yield api
    api.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
def test_a_refusal_is_an_error_and_no_empty_table(api, status):
    with pytest.raises(ClusterError, match=f"the API server answered {status}") as caught:
        api.table(f"/{status}")
    assert caught.value.status == status
