"""Routes into the cluster: cluster IPs, node ports and pod addresses to the containers behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.endpoints import backends, target_port
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import is_ready
from k8swin_lab.network import HttpHandler, NetworkError

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.network import Source


def _home(source: Source) -> str:
    """Return the address of the node from which a connection comes: its own, or that of a pod's node."""
    return str(getattr(source, "home", source.address))


class ServiceRouter:
    """Router of one cluster, round robin over the ready endpoints.

    Args:
        cluster: The cluster.
        windows_reaches_own_services: Whether a Windows node, or a pod on it, gets through the node's
            own node ports, and the node to cluster IPs; with host-gw and l2bridge networks it does not.
    """

    def __init__(self, cluster: Cluster, *, windows_reaches_own_services: bool = False) -> None:
        self.cluster = cluster
        self.windows_reaches_own_services = windows_reaches_own_services
        self._turn: dict[tuple[str, str, int], int] = {}
        self._lock = threading.Lock()

    def route(self, source: Source, address: str, port: int) -> HttpHandler | str | None:
        """Return who answers at an address of the cluster, or None when it is not the cluster's.

        Raises:
            NetworkError: it is the cluster's and nobody answers (refused, timeout).
        """
        node = self._node_at(address)
        if node is not None:
            owner = self.cluster.node_ports().get(port)
            if owner is None or not self.proxies(node):
                return self._host_network(address, port)
            self._check_own(source, address == _home(source))
            return self._behind(owner[0], owner[1], owner[2], f"{address}:{port}")
        for service in self.cluster.objects("services"):
            if service["spec"].get("clusterIP") == address:
                return self._cluster_address(source, service, address, port)
        return self._pod_at(address, port)

    def _cluster_address(
        self, source: Source, service: Object, address: str, port: int
    ) -> HttpHandler | str | None:
        own = self._node_at(_home(source))
        if own is None or not self.proxies(own):
            raise NetworkError("timeout", f"dial tcp {address}:{port}: i/o timeout")
        # A Windows host has no way to cluster addresses; its pods do.
        self._check_own(source, _home(source) == source.address)
        metadata = service["metadata"]
        for entry in service["spec"].get("ports") or []:
            if entry["port"] == port:
                if metadata["name"] == "kubernetes" and metadata["namespace"] == "default":
                    return self._api_server(source, f"{address}:{port}")
                return self._behind(
                    metadata["namespace"], metadata["name"], port, f"{address}:{port}"
                )
        raise NetworkError("refused", f"dial tcp {address}:{port}: connect: connection refused")

    def _api_server(self, source: Source, shown: str) -> HttpHandler | str | None:
        """The Service of the API leads to no pod's address: the control plane's machine serves it."""
        network = self.cluster.network
        if network is None or network.machine_at(self.cluster.advertise_address) is None:
            return None
        try:
            return network.open(source, self.cluster.advertise_address, self.cluster.port)
        except NetworkError as error:
            raise NetworkError(error.kind, f"dial tcp {shown}: {error}") from error

    def _check_own(self, source: Source, own: bool) -> None:
        if own and source.os == "windows" and not self.windows_reaches_own_services:
            raise NetworkError("timeout", "a Windows node does not reach services through itself")

    def _node_at(self, address: str) -> Object | None:
        for node in self.cluster.objects("nodes"):
            if address in self._addresses(node):
                return node
        return None

    @staticmethod
    def _addresses(node: Object) -> list[str]:
        return [
            entry["address"]
            for entry in (node.get("status") or {}).get("addresses") or []
            if entry["type"] == "InternalIP"
        ]

    def proxies(self, node: Object) -> bool:
        """Whether kube-proxy runs on a node.

        Where it is a service, the network knows; elsewhere Linux nodes need a ready kube-proxy pod and Windows
        nodes count as proxied.
        """
        name = node["metadata"]["name"]
        for address in self._addresses(node):
            if self.cluster.network is not None and address in self.cluster.network.proxied:
                return self.cluster.network.proxied[address]
        if (node["metadata"].get("labels") or {}).get("kubernetes.io/os") == "windows":
            return True
        return any(
            pod["spec"].get("nodeName") == name
            and pod["metadata"]["name"].startswith("kube-proxy-")
            and is_ready(pod)
            for pod in self.cluster.objects("pods", "kube-system")
        )

    def _behind(self, namespace: str, name: str, port: int, shown: str) -> HttpHandler:
        service = self.cluster.object("services", name, namespace)
        if service is None:
            raise NetworkError("refused", f"dial tcp {shown}: connect: connection refused")
        entry = next(item for item in service["spec"]["ports"] if item["port"] == port)
        ready = [
            pod
            for pod in backends(self.cluster, service)
            if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")
        ]
        key = (namespace, name, port)
        with self._lock:
            turn = self._turn[key] = self._turn.get(key, -1) + 1
        for step in range(len(ready)):
            pod = ready[(turn + step) % len(ready)]
            number = target_port(entry, pod)
            handler = self._serving(pod, number) if number is not None else None
            if handler is not None:
                return handler
        raise NetworkError("refused", f"dial tcp {shown}: connect: connection refused")

    def _pod_at(self, address: str, port: int) -> HttpHandler | None:
        for pod in self.cluster.objects("pods"):
            if (pod.get("status") or {}).get("podIP") != address:
                continue
            if pod["spec"].get("hostNetwork") or pod["status"]["phase"] != "Running":
                continue
            handler = self._serving(pod, port)
            if handler is None:
                text = f"dial tcp {address}:{port}: connect: connection refused"
                raise NetworkError("refused", text)
            return handler
        return None

    def _host_network(self, address: str, port: int) -> HttpHandler | None:
        for pod in self.cluster.objects("pods"):
            state = pod.get("status") or {}
            if pod["spec"].get("hostNetwork") and state.get("podIP") == address:
                handler = self._serving(pod, port)
                # The API server's own port belongs to the machine, which serves it for real.
                if handler is not None and port != self.cluster.port:
                    return handler
        return None

    def _serving(self, pod: Object, port: int) -> HttpHandler | None:
        kubelet = self.cluster.kubelet_of(pod)
        return kubelet.serving(pod["metadata"]["uid"], port) if kubelet is not None else None
