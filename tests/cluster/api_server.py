"""An API server of a test's own, over TLS, which answers what the test says."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.kubectl_tables import ClusterTables
from k8swin_nb.cluster.messages import of_json
from k8swin_nb.errors import ClusterError
from k8swin_nb.tls_sockets import closing
from tests.cluster.certificates import Authority, kubeconfig


def pod(name, namespace="default", *, node="w1", ready=True, restarts=0, image="web:1", **more):
    """Return a pod that runs, as an API server writes it; `more` replaces parts of it."""
    state = {"running": {"startedAt": "2026-11-01T00:00:00Z"}}
    status = {
        "phase": "Running",
        "podIP": "10.244.1.7",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [
            {"name": "web", "ready": ready, "restartCount": restarts, "state": state}
        ],
    }
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-11-01T00:00:00Z"}
    spec = {"nodeName": node, "containers": [{"name": "web", "image": image}]}
    made = {"metadata": metadata, "spec": spec, "status": status}
    for part, changed in more.items():
        made[part] = {**made[part], **changed}
    return made


def node(name, ready="True", *, os="linux", kernel="6.8.0", address="10.1.0.1", **more):
    """Return a node, as an API server writes it."""
    conditions = [{"type": "Ready", "status": ready, "reason": f"Is{ready}"}]
    info = {"operatingSystem": os, "kernelVersion": kernel, "kubeletVersion": "v1.36.4"}
    metadata = {"name": name, "creationTimestamp": "2026-11-01T00:00:00Z"}
    made = {
        "metadata": metadata,
        "spec": {},
        "status": {
            "conditions": conditions,
            "nodeInfo": info,
            "addresses": [{"type": "InternalIP", "address": address}],
        },
    }
    return {**made, **more}


def listed(kind, *items, **metadata):
    """Return a page of a list, as an API server writes it."""
    return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": list(items)}


def nodes(*items, **metadata):
    return listed("Node", *items, **metadata)


def pods(*items, **metadata):
    return listed("Pod", *items, **metadata)


def field(number, content):
    """Return a field of protobuf that is bytes."""
    length, size = b"", len(content)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def protobuf(kind, document):
    """Return a list in protobuf, in the envelope that API servers put around it."""
    content = of_json(f"{kind}List", document).SerializeToString()
    told = field(1, b"v1") + field(2, f"{kind}List".encode())
    return b"k8s\0" + field(1, told) + field(2, content) + field(3, b"") + field(4, b"")


class Server:
    """An API server over TLS that answers what a test says, and remembers what it was asked."""

    def __init__(self, folder):
        self.answer = lambda request: request.json(nodes())
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

            def protobuf(self, kind, document, **headers):
                """Answer as an API server does that is asked for protobuf."""
                body = protobuf(kind, document)
                self.raw(body, Content_Type="application/vnd.kubernetes.protobuf", **headers)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *a: None
        # A client may be gone again before it is accepted.
        context = closing(self.authority.server_context(folder))
        self.http.socket = context.wrap_socket(
            self.http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def api(self, seconds=100.0, dial=None, **user):
        text = kubeconfig(self.url, self.authority, **(user or {"token": "t0ken-of-nobody"}))
        return ClusterApi(text, server=self.url, seconds=seconds, dial=dial)

    def tables(self, **how):
        return ClusterTables(self.api(**how), "plant1")

    def serves(self, **by_path):
        """Answer by the last word of a path: with a document, or what a function makes of the request."""

        def answer(request):
            name = request.path.partition("?")[0].rpartition("/")[2]
            found = by_path.get(name)
            if found is None:
                request.json({"kind": "Status", "code": 404}, 404)
            elif callable(found):
                found(request)
            else:
                request.json(found)

        self.answer = answer

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


def refused(server, path="/api/v1/nodes", **how):
    with pytest.raises(ClusterError) as caught:
        read(server.api(**how), path)
    return caught.value


def read(api, path="/api/v1/nodes", kind="Node", **how):
    """Return the names of what a list holds."""
    found = []
    api.objects(path, kind, lambda items: found.extend(one.metadata.name for one in items), **how)
    return found
