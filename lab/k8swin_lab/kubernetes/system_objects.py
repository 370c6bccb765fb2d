"""What an API server makes at its own start: namespaces, default roles, the kubernetes service."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.admission import PRIORITIES
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.rbac import default_objects
from k8swin_lab.kubernetes.resources import of_kind
from k8swin_lab.kubernetes.users import API_SERVER

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def create_system_objects(cluster: Cluster) -> None:
    """Create the objects that every cluster has before anybody asks it anything."""
    client = Client(cluster, API_SERVER, "kube-apiserver")
    for name in NAMESPACES:
        if name == "kube-node-lease" and cluster.minor < 14:
            continue
        client.create("namespaces", _object("v1", "Namespace", name))
    for name, value in PRIORITIES.items():
        client.create(
            "priorityclasses",
            {
                **_object("scheduling.k8s.io/v1", "PriorityClass", name),
                "value": value,
                "description": "Used for system critical pods.",
            },
        )
    for obj in default_objects():
        resource = of_kind(obj["apiVersion"], obj["kind"])
        if resource is None:
            raise LookupError(f"rbac.json holds a {obj['kind']}, which resources.json lacks")
        client.create(resource.plural, obj)
    _kubernetes_service(cluster, client)


def _object(api_version: str, kind: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


def _kubernetes_service(cluster: Cluster, client: Client) -> None:
    """Create the service `kubernetes` and the endpoints that the API server keeps for it."""
    first = str(ipaddress.ip_network(cluster.service_subnet)[1])
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": cluster.port}
    metadata = {"name": "kubernetes", "namespace": "default"}
    client.create(
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "labels": labels},
            "spec": {"clusterIP": first, "ports": [port], "type": "ClusterIP"},
        },
    )
    address = cluster.advertise_address
    target = {"name": "https", "port": cluster.port, "protocol": "TCP"}
    client.create(
        "endpoints",
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {**metadata, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": address}], "ports": [target]}],
        },
    )
    client.create(
        "endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [target],
        },
    )
