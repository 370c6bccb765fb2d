"""What a site's network people are given: routes in their router's words, and the plan as a document."""

from __future__ import annotations

from collections.abc import Sequence

from k8swin_nb.phases.network.plan_file import plan_document
from k8swin_nb.phases.network.static_routes import NodeRoute, listings
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.shown import shown
from k8swin_nb.tables import escaped, folding, preformatted
from k8swin_nb.workflow.phase_run import PhaseRun

LISTING = 200_000
"""Characters of a listing; it is handed on, and is of no use without its beginning."""


WINDOWS_NEEDS = (
    "On Windows workers it has to bring a host-process DaemonSet that puts its plugin into C:\\opt\\cni\\bin and its "
    "configuration into C:\\etc\\cni\\net.d, and kube-proxy with it: 04 leaves these places empty for it. Calico does so "
    "with its operator (windowsDataplane HNS, VXLAN or no encapsulation, BGP off for VXLAN, strict affinity of addresses, "
    "`serviceCIDRs`, and the ConfigMap kubernetes-services-endpoint with the API server's host and port) and its "
    "manifest of kube-proxy for Windows; Cilium has no Windows half."
)
"""What a pod network of others has to bring for Windows workers, since 04 then brings neither flanneld nor kube-proxy."""


class RouteListing:
    """Routes to the nodes' pods, as commands for the usual routers."""

    def __init__(
        self, plan: NetworkPlan, routes: Sequence[NodeRoute], *, trouble: str = ""
    ) -> None:
        self.routes = list(routes)
        self.listings = listings(routes) if routes else {}
        missing = [name for name, _, _ in plan.nodes if name not in {r.name for r in routes}]
        self.note = {
            "l3": "The site's router needs these routes, or pods of different nodes do not reach each other.",
            "host-gw": "The nodes have these routes themselves; a router needs them for clients outside.",
        }.get(
            plan.topology,
            "No router needs these routes: pods' packets travel inside the nodes' own.",
        )
        if trouble:
            self.note += f" They could not be read: {trouble}."
        elif missing:
            self.note += f" Not a node yet: {', '.join(missing)}; look again when all have joined."

    def __repr__(self) -> str:
        lines = ["Routes to the nodes' pods", self.note]
        for router, commands in self.listings.items():
            lines += ["", f"! {router}", *commands]
        return shown("\n".join(lines), most=LISTING)

    def _repr_html_(self) -> str:
        blocks = "".join(
            folding(router, preformatted("\n".join(commands), most=LISTING))
            for router, commands in self.listings.items()
        )
        return f"<p><b>Routes to the nodes' pods.</b> {escaped(self.note)}</p>{blocks}"


class Handover:
    """The plan as a document: all that a pod network made by other means has to agree with."""

    def __init__(self, run: PhaseRun) -> None:
        self.text = plan_document(run)
        self.topology = run.plan.topology
        self.pod_network = run.plan.pod_network
        self.windows = any(system == "windows" for _, _, system in run.plan.nodes)

    @property
    def note(self) -> str:
        """Who makes the pod network, and what must be true before workers join."""
        if self.pod_network != "flannel":
            needs = f" {WINDOWS_NEEDS}" if self.windows else ""
            return (
                f"{self.pod_network} is not installed by this tool. Run 02_master, install it by its own instructions "
                "with `pod_subnet` as its pool and iptables or nftables as its data path beside kube-proxy, then run "
                f"03_flannel, which looks whether nodes are Ready, and 04.{needs}"
            )
        if self.topology != "ovn":
            return (
                f"Topology {self.topology} is made by 03_flannel; this is the plan that it follows."
            )
        return (
            "OVN/OVS is not installed by this tool. Run 02_master, give this document to those who install it, "
            "and have them give every node a part of `pod_subnet`, leave `service_subnet` to kube-proxy, and "
            "reach `dns_service_ip` from pods. 03_flannel and the notebooks after it refuse this topology."
        )

    def __repr__(self) -> str:
        return shown(f"{self.note}\n\n{self.text}", most=LISTING)

    def _repr_html_(self) -> str:
        # It is read by those to whom it is handed, where it matters: it stands open only there.
        text = preformatted(self.text, most=LISTING)
        if self.pod_network != "flannel" or self.topology == "ovn":
            return f"<p>{escaped(self.note)}</p>{text}"
        return folding(self.note, text)
