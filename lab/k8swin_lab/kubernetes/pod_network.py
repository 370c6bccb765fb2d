"""The network as a pod sees it: its own address, the cluster's names, and the way out through its node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.endpoints import backends
from k8swin_lab.kubernetes.pod_status import is_ready
from k8swin_lab.network import Attached, HttpHandler, NetworkError

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.kubernetes.errors import Object

NDOTS = 5
"""A Linux pod completes names with fewer dots than this before it asks for them as they stand."""


@dataclass(slots=True)
class PodStation:
    """A pod as a source of connections: at its own address, on the network of its node."""

    name: str
    address: str
    node: Attached
    listening: dict[int, HttpHandler | str] = field(default_factory=dict)
    os: str = field(init=False)

    def __post_init__(self) -> None:
        self.os = self.node.os

    @property
    def home(self) -> str:
        """The address of the node."""
        return self.node.address

    @property
    def reachable(self) -> bool:
        """Whether the node is on and its network works."""
        return self.node.reachable

    def host_addresses(self) -> dict[str, str]:
        """Return its hosts file: nothing of the node's."""
        return {}


def resolve(cluster: Cluster | None, node: Attached, namespace: str, name: str) -> str:
    """Return the address of a name, asked of the cluster's DNS as a pod's resolver asks.

    Linux completes a name by the search list; Windows completes only names without a dot.

    Raises:
        NetworkError: kind "name"; also when no DNS server answers.
    """
    try:
        return (
            node.network.resolve(node, name)
            if _literal(name)
            else _asked(cluster, node, namespace, name)
        )
    except NetworkError as error:
        raise NetworkError("name", f"could not resolve host: {name}") from error


def _literal(name: str) -> bool:
    return name.replace(".", "").isdigit() or ":" in name or name == "localhost"


def _asked(cluster: Cluster | None, node: Attached, namespace: str, name: str) -> str:
    if cluster is None:
        return node.network.resolve(node, name)
    if not _dns_answers(cluster):
        raise NetworkError("timeout", f"no DNS server answers for {name}")
    suffixes = [
        f"{namespace}.svc.{cluster.dns_domain}",
        f"svc.{cluster.dns_domain}",
        cluster.dns_domain,
    ]
    asked = [name.rstrip(".").lower()]
    if node.os == "windows":
        if "." not in name:
            asked = [f"{name}.{suffixes[0]}".lower(), *asked]
    elif not name.endswith(".") and name.count(".") < NDOTS:
        asked = [*(f"{asked[0]}.{suffix}" for suffix in suffixes), *asked]
    for candidate in asked:
        if candidate.endswith(f".{cluster.dns_domain}"):
            if found := _service(cluster, candidate):
                return found
        else:
            return node.network.resolve(node, candidate)
    raise NetworkError("name", f"could not resolve host: {name}")


def _dns_answers(cluster: Cluster) -> bool:
    service = cluster.object("services", "kube-dns", "kube-system")
    return service is not None and any(
        is_ready(pod) and _is_dns(pod) for pod in backends(cluster, service)
    )


def _is_dns(pod: Object) -> bool:
    """Whether a program runs in a pod that answers on port 53; labels alone make none."""
    return any("dns" in str(one.get("image", "")) for one in pod["spec"]["containers"])


def _service(cluster: Cluster, name: str) -> str:
    """Return the cluster address of SERVICE.NAMESPACE.svc.DOMAIN; a headless one is its first pod's."""
    parts = name.removesuffix(f".{cluster.dns_domain}").split(".")
    if len(parts) != 3 or parts[2] != "svc":
        return ""
    service: Object | None = cluster.object("services", parts[0], parts[1])
    if service is None:
        return ""
    address = str(service["spec"].get("clusterIP") or "")
    if address != "None":
        return address
    ready = [pod for pod in backends(cluster, service) if is_ready(pod)]
    return str(ready[0]["status"]["podIP"]) if ready else ""
