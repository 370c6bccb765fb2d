"""`python -m bench.lab_api PODS`: the lab's API server with so many pods; prints a kubeconfig, and ends with its input."""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
import threading
from pathlib import Path

import yaml
from k8swin_lab.kubernetes import bootstrap
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.servers.kube_api import KubeApiServer


def pod(number: int) -> dict[str, object]:
    """Return a pod that nobody runs."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"web-{number:05}", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "registry.k8s.io/pause:3.10"}]},
    }


def main() -> None:
    """Serve until standard input ends."""
    cluster = Cluster()
    client = cluster.client()
    client.create("nodes", {"metadata": {"name": "master"}})
    token = "abcdef.0123456789abcdef"  # noqa: S105 - of a cluster that nobody joins
    bootstrap.init_cluster(cluster, bootstrap.InitSettings("master", token=token))
    for number in range(int(sys.argv[1])):
        client.create("pods", pod(number))
    server = KubeApiServer(cluster)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0), loop).result(30)
    certificate, key = cluster.authority.issue("kubernetes-admin", ("system:masters",))

    def text(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    where = {
        "server": f"https://127.0.0.1:{server.port}",
        "certificate-authority-data": text(cluster.authority.certificate_pem),
    }
    user = {"client-certificate-data": text(certificate), "client-key-data": text(key)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "lab", "cluster": where}],
                    "users": [{"name": "admin", "user": user}],
                    "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
                    "current-context": "lab",
                }
            )
        )
        print(path, flush=True)  # noqa: T201 - it is asked for
        sys.stdin.read()


if __name__ == "__main__":
    main()
