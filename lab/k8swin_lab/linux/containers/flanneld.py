"""flannel on a Linux node: subnet.env, the node's annotations, and routes to the other nodes."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any

from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.errors import ApiError
from k8swin_lab.kubernetes.users import service_account_user
from k8swin_lab.linux.containers.container import LinuxContainer
from k8swin_lab.machines import node_rules
from k8swin_lab.machines.interfaces import Route, mac_of

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_PREFIX = "flannel.alpha.coreos.com"
_NET_CONF = "/etc/kube-flannel/net-conf.json"


def flannel(container: LinuxContainer) -> None:
    """Run flanneld until the container stops."""
    flanneld = _Flanneld(container)
    error = flanneld.start()
    if error:
        container.say(f"E {error}")
        container.finish(1)


class _Flanneld:
    def __init__(self, container: LinuxContainer) -> None:
        self._container = container
        self._machine = container.machine
        self._backend = ""
        self._config: dict[str, Any] = {}
        self._routes: set[str] = set()

    def start(self) -> str | None:
        """Take the node's lease; returns why not."""
        cluster = self._machine.cluster
        if cluster is None:
            return "Failed to create SubnetManager: error retrieving pod spec: connection refused"
        try:
            self._config = json.loads(self._container.read(_NET_CONF))
            network = ipaddress.ip_network(self._config["Network"])
        except (OSError, ValueError, KeyError) as error:
            return f"Failed to create SubnetManager: unable to read net-conf.json: {error}"
        backend = self._config.get("Backend", {})
        self._backend = str(backend.get("Type", "udp")).lower()
        if self._backend not in ("host-gw", "vxlan", "alloc"):
            raise RuntimeError(f"not simulated in the lab: flannel backend {self._backend}")
        facts = self._machine.node_facts()
        node = cluster.object("nodes", facts.name)
        if node is None or not node["spec"].get("podCIDR"):
            return (
                "Error registering network: failed to acquire lease: node "
                f'"{facts.name}" pod cidr not assigned'
            )
        subnet = ipaddress.ip_network(node["spec"]["podCIDR"])
        if not subnet.subnet_of(network):  # type: ignore[arg-type]
            return (
                "Error registering network: failed to acquire lease: subnet "
                f'"{network}" specified in the flannel net config doesn\'t contain "{subnet}" PodCIDR'
                f' of the "{facts.name}" node'
            )
        try:
            self._announce(cluster, facts.name, facts.address, backend)
        except ApiError as error:
            return f"Error registering network: failed to acquire lease: {error}"
        self._write(network, subnet)
        version = self._container.version.lstrip("v").split("-")[0].split(".")
        node_rules.of_flannel(
            self._machine,
            str(network),
            str(subnet),
            masquerade="--ip-masq" in self._container.command,
            chains=[int(part) for part in version[:2] if part.isdigit()] >= [0, 20],
        )
        say = self._container.say
        say("I Determining IP address of default interface")
        say(f"I Using interface with name eth0 and address {facts.address}")
        say("I Created subnet manager: Kubernetes Subnet Manager - " + facts.name)
        say(f"I Found network config - Backend type: {self._backend}")
        say("I Wrote subnet file to /run/flannel/subnet.env")
        say("I Running backend.")
        if self._backend != "alloc":
            cluster.observe(self._changed)
            self._changed(cluster)
        self._container.on_stop.append(self._leave)
        return None

    def _announce(self, cluster: Cluster, name: str, address: str, backend: dict[str, Any]) -> None:
        data = "null"
        if self._backend == "vxlan":
            vni = int(backend.get("VNI", 1))
            data = json.dumps({"VNI": vni, "VtepMAC": mac_of(f"flannel.{vni}{address}")})
            data = data.replace(" ", "")
        account = self._container.pod["spec"].get("serviceAccountName", "default")
        namespace = self._container.pod["metadata"]["namespace"]
        client = Client(cluster, service_account_user(namespace, account), "flanneld")
        annotations = {
            f"{_PREFIX}/backend-data": data,
            f"{_PREFIX}/backend-type": "" if self._backend == "alloc" else self._backend,
            f"{_PREFIX}/kube-subnet-manager": "true",
            f"{_PREFIX}/public-ip": address,
        }
        client.patch(
            "nodes", name, {"metadata": {"annotations": annotations}}, subresource="status"
        )

    def _write(self, network: Any, subnet: Any) -> None:
        mtu = 1450 if self._backend == "vxlan" else 1500
        first = f"{subnet.network_address + 1}/{subnet.prefixlen}"
        text = (
            f"FLANNEL_NETWORK={network}\nFLANNEL_SUBNET={first}\nFLANNEL_MTU={mtu}\n"
            f"FLANNEL_IPMASQ={'true' if '--ip-masq' in self._container.command else 'false'}\n"
        )
        self._container.write("/run/flannel/subnet.env", text.encode())
        if self._backend == "vxlan":
            vni = self._config["Backend"].get("VNI", 1)
            with self._machine.lock:
                self._machine.interfaces.add(
                    f"flannel.{vni}", "vxlan", f"{subnet.network_address}/32", mtu
                )

    def _changed(self, cluster: Cluster) -> None:
        """Bring the routes in step with the nodes."""
        if self._container.exit_code() is not None:
            return
        own = self._machine.node_facts().name
        wanted: dict[str, Route] = {}
        for node in cluster.objects("nodes"):
            notes = node["metadata"].get("annotations") or {}
            subnet, gateway = node["spec"].get("podCIDR"), notes.get(f"{_PREFIX}/public-ip")
            if node["metadata"]["name"] == own or not subnet or not gateway:
                continue
            if notes.get(f"{_PREFIX}/backend-type") != self._backend:
                continue
            if self._backend == "host-gw":
                wanted[subnet] = Route(subnet, "eth0", gateway)
            else:
                device = f"flannel.{self._config['Backend'].get('VNI', 1)}"
                peer = subnet.partition("/")[0]
                wanted[subnet] = Route(subnet, device, peer, flags=("onlink",))
        with self._machine.lock:
            for gone in self._routes - set(wanted):
                self._machine.interfaces.remove_route(gone)
            for route in wanted.values():
                self._machine.interfaces.add_route(route)
            self._routes = set(wanted)

    def _leave(self) -> None:
        self._routes.clear()
