"""A Windows worker's CNI configuration, by container runtime, and the networks of HNS that go with it."""

from __future__ import annotations

import json
from typing import Any

from k8swin_nb.phases.documents import Document
from k8swin_nb.plan import WINDOWS_DUMMY, NetworkPlan


def exceptions(plan: NetworkPlan) -> list[str]:
    """Return where a Windows pod shows its own address, and not the worker's: other pods, services, and nodes.

    Nobody but the nodes knows a way back to a pod's address: another host of the same network would answer into
    nowhere. Packets in an envelope leave the worker with its address in any case, so that nodes are none of them
    (RKE2's pkg/windows/flannel.go; microsoft/SDN#313, sig-windows-tools#141).
    """
    inside = [str(plan.pod_subnet), str(plan.service_subnet)]
    if plan.encapsulated:
        return inside
    return inside + [f"{address}/32" for _, address, _ in plan.nodes]


def cni_conf(plan: NetworkPlan, node_address: str) -> str:
    """Return a Windows worker's CNI configuration (10-flannel.conf) for containerd.

    Pods reach other pods, services and nodes with their own address (the exceptions);
    service addresses and the node itself are reached through the bridge.
    """

    def endpoint(kind: str, settings: Document) -> Document:
        return {"name": "EndpointPolicy", "value": {"Type": kind, "Settings": settings}}

    policies = [
        endpoint("OutBoundNAT", {"Exceptions": exceptions(plan)}),
        endpoint("SDNRoute", {"DestinationPrefix": str(plan.service_subnet), "NeedEncap": True}),
    ]
    if plan.encapsulated:
        policies.append(endpoint("ProviderAddress", {"ProviderAddress": node_address}))
    else:
        policies.append(
            endpoint("SDNRoute", {"DestinationPrefix": f"{node_address}/32", "NeedEncap": True})
        )
    delegate: Document = {
        "type": "win-overlay" if plan.encapsulated else "win-bridge",
        "apiVersion": 2,
        "dns": {"Nameservers": [str(plan.dns_service_ip)], "Search": ["svc.cluster.local"]},
        "policies": policies,
    }
    if not plan.encapsulated:
        delegate["loopbackDSR"] = True
    return json.dumps(
        {
            "cniVersion": "0.3.0",
            "name": plan.hns_network,
            "type": "flannel",
            "capabilities": {"portMappings": True, "dns": True},
            "delegate": delegate,
        }
    )


def dockershim_cni_conf(plan: NetworkPlan, node_address: str) -> str:
    """Return a Windows worker's CNI configuration (cni.conf) for Docker.

    dockershim names the container and not its network namespace, which is the first version of the HNS
    interface: its policies are flat and have other words than containerd's. Every network in it is the
    plan's, so that a worker cannot have another service network than the control plane.
    """

    def endpoint(kind: str, **value: Any) -> dict[str, Any]:
        return {"name": "EndpointPolicy", "value": {"Type": kind, **value}}

    return json.dumps(
        {
            "cniVersion": "0.2.0",
            "name": plan.hns_network,
            "type": "flannel",
            "delegate": {
                "type": "win-bridge",
                "dns": {
                    "nameservers": [str(plan.dns_service_ip)],
                    "search": ["svc.cluster.local"],
                },
                "policies": [
                    endpoint("OutBoundNAT", ExceptionList=exceptions(plan)),
                    endpoint("ROUTE", DestinationPrefix=str(plan.service_subnet), NeedEncap=True),
                    endpoint("ROUTE", DestinationPrefix=f"{node_address}/32", NeedEncap=True),
                ],
                "loopbackDSR": True,
            },
        }
    )


def external_network(plan: NetworkPlan) -> str:
    """Return the placeholder HNS network of Microsoft's scripts as JSON; empty where none is made.

    It makes the virtual switch before flanneld starts: an early flanneld waits for the adapter for five
    seconds only, which is less than the adapter may need.
    """
    if plan.profile != "classic":
        return ""
    subnet = {
        "AddressPrefix": str(WINDOWS_DUMMY),
        "GatewayAddress": str(WINDOWS_DUMMY[1]),
    }
    return json.dumps({"Name": "External", "Type": "L2Bridge", "Subnets": [subnet]})
