"""Services as kube-proxy on one node knows them from its API server: node ports and cluster addresses to endpoints."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.network import HttpHandler, NetworkError

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.remote import RemoteCluster
    from k8swin_lab.network import Network, Source

Endpoint = tuple[str, int]


class RemoteServices:
    """Router of one node of a cluster that is not the lab's, round robin over the ready endpoints.

    Args:
        remote: follows services, and endpointslices or endpoints.
        network: on which pods answer.
        addresses: of the node.
    """

    def __init__(self, remote: RemoteCluster, network: Network, addresses: list[str]) -> None:
        self._remote = remote
        self._network = network
        self.addresses = set(addresses)
        self._turn: dict[str, int] = {}
        self._lock = threading.Lock()

    def node_ports(self) -> set[int]:
        """The node ports of all services."""
        return {
            port["nodePort"]
            for service in self._remote.objects("services")
            for port in service["spec"].get("ports") or []
            if port.get("nodePort")
        }

    def route(self, source: Source, address: str, port: int) -> HttpHandler | None:
        """Return who answers at a node port of this node or, for the node itself, at a cluster address.

        Raises:
            NetworkError: it is a service's and nobody answers.
        """
        own = address in self.addresses
        if not own and source.address not in self.addresses:
            return None
        for service in self._remote.objects("services"):
            spec = service["spec"]
            for entry in spec.get("ports") or []:
                at_node = own and entry.get("nodePort") == port
                at_cluster = spec.get("clusterIP") == address and entry["port"] == port
                if at_node or at_cluster:
                    return self._behind(service, entry, f"{address}:{port}")
        return None

    def _behind(self, service: Object, port: Object, shown: str) -> HttpHandler:
        ready = self._endpoints(service, port)
        with self._lock:
            turn = self._turn[shown] = self._turn.get(shown, -1) + 1
        if not ready:
            raise NetworkError("refused", f"dial tcp {shown}: connect: connection refused")
        address, number = ready[turn % len(ready)]
        for kubelet in self._network.pods.values():
            handler = kubelet.at(address, number)
            if handler is not None:
                return handler
        if self._network.outside is None:
            raise NetworkError("timeout", f"dial tcp {address}:{number}: i/o timeout")
        found = self._network.outside.open(address, number)
        if isinstance(found, str):
            raise NetworkError("protocol", f"{found} speaks no HTTP")
        return found

    def _endpoints(self, service: Object, port: Object) -> list[Endpoint]:
        metadata, name = service["metadata"], port.get("name") or ""
        if self._remote.follows("endpoints"):
            return sorted(
                (address["ip"], entry["port"])
                for found in self._remote.objects("endpoints", metadata["namespace"])
                if found["metadata"]["name"] == metadata["name"]
                for subset in found.get("subsets") or []
                for entry in subset.get("ports") or []
                if (entry.get("name") or "") == name
                for address in subset.get("addresses") or []
            )
        return sorted(
            (address, entry["port"])
            for found in self._remote.objects("endpointslices", metadata["namespace"])
            if (found["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
            == metadata["name"]
            for entry in found.get("ports") or []
            if (entry.get("name") or "") == name
            for endpoint in found.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint["addresses"]
        )
