"""A cluster with a control plane and two Windows workers, as state and behind its HTTPS server."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from k8swin_lab.kubernetes import bootstrap
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.kubelet import Kubelet
from k8swin_lab.servers.kube_api import KubeApiServer

from lab.tests.kubernetes.machines import FakeMachine

TOKEN = "abcdef.0123456789abcdef"


@dataclass
class Lab:
    cluster: Cluster
    client: Client
    machines: dict[str, FakeMachine]

    def pods(self, label: str = "app=web") -> list[dict[str, Any]]:
        return self.client.list("pods", "default", label)

    def ready_pods(self) -> list[dict[str, Any]]:
        return [
            pod
            for pod in self.pods()
            if any(
                c["type"] == "Ready" and c["status"] == "True"
                for c in pod["status"].get("conditions", [])
            )
        ]

    def join(self, name: str, address: str, system: str) -> FakeMachine:
        machine = self.machines[name] = FakeMachine(name, address, system)
        Kubelet(self.cluster, machine).start(self.cluster)
        return machine


def make_lab(delay: float = 0.0) -> Lab:
    cluster = Cluster(container_start_delay=delay)
    lab = Lab(cluster, cluster.client(), {})
    settings = bootstrap.InitSettings("master", token=TOKEN)
    master = lab.machines["master"] = FakeMachine("master", "127.160.0.10")
    manifests = bootstrap.static_pod_manifests(cluster, settings)
    Kubelet(cluster, master, static_pods=manifests).start(cluster)
    bootstrap.init_cluster(cluster, settings)
    lab.join("win1", "127.160.0.21", "windows")
    lab.join("win2", "127.160.0.22", "windows")
    return lab


def web(replicas: int = 2, image: str = "example/web:1") -> dict[str, Any]:
    container = {
        "name": "web",
        "image": image,
        "ports": [{"containerPort": 80}],
        "readinessProbe": {"httpGet": {"port": 80}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "nodeSelector": {"kubernetes.io/os": "windows"},
                    "containers": [container],
                },
            },
        },
    }


def web_service() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "web"},
            "ports": [{"port": 80, "nodePort": 30080}],
        },
    }


@pytest.fixture
def lab() -> Lab:
    return make_lab()


@dataclass
class Served:
    lab: Lab
    port: int
    kubeconfig: Path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The cluster behind real sockets, and an administrator's kubeconfig."""
    lab = make_lab(0.05)
    server = KubeApiServer(lab.cluster)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0), loop).result(100)
    authority = lab.cluster.authority
    certificate, key = authority.issue("kubernetes-admin", ("system:masters",))

    def text(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    where = {
        "server": f"https://127.0.0.1:{server.port}",
        "certificate-authority-data": text(authority.certificate_pem),
    }
    user = {"client-certificate-data": text(certificate), "client-key-data": text(key)}
    kubeconfig.write_text(
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
    yield Served(lab, server.port, kubeconfig)
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(100)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.6), loop).result(100)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(100)
    loop.close()
