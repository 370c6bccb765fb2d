"""What flannel is told of the networks, on Linux and on Windows."""

from __future__ import annotations

import json

from k8swin_nb.phases.documents import Document
from k8swin_nb.plan import VXLAN_PORT, VXLAN_VNI, NetworkPlan


def net_conf(plan: NetworkPlan, *, windows: bool = False, early: bool = False) -> str:
    """Return flannel's net-conf.json in one line.

    Windows names the HNS network in it; Linux is told not to use nftables, which the kubelet's own
    rules do not use either, unless it is an early flannel that has never heard of them.
    """
    backend: Document = {"Type": plan.windows_backend if windows else plan.backend}
    if plan.encapsulated:
        backend |= {"VNI": VXLAN_VNI, "Port": VXLAN_PORT}
    if windows:
        backend["Name"] = plan.hns_network
        return json.dumps({"Network": str(plan.pod_subnet), "Backend": backend})
    if early:
        return json.dumps({"Network": str(plan.pod_subnet), "Backend": backend})
    return json.dumps(
        {"Network": str(plan.pod_subnet), "EnableNFTables": False, "Backend": backend}
    )
