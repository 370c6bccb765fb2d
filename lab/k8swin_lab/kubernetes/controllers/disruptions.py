"""PodDisruptionBudgets: how many pods may be evicted now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.owned import share, write_status
from k8swin_lab.kubernetes.pod_status import is_active, is_ready
from k8swin_lab.kubernetes.selectors import match_selector

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def reconcile(cluster: Cluster) -> None:
    for budget in cluster.objects("poddisruptionbudgets"):
        spec = budget["spec"]
        pods = [
            pod
            for pod in cluster.objects("pods", budget["metadata"]["namespace"])
            if is_active(pod)
            and match_selector(pod["metadata"].get("labels"), spec.get("selector"))
        ]
        healthy = sum(is_ready(pod) for pod in pods)
        if "maxUnavailable" in spec:
            least = max(0, len(pods) - share(spec["maxUnavailable"], len(pods), up=True))
        else:
            least = share(spec.get("minAvailable", 1), len(pods), up=True)
        write_status(
            cluster,
            budget,
            {
                "observedGeneration": budget["metadata"]["generation"],
                "disruptionsAllowed": max(0, healthy - least) if pods else 0,
                "currentHealthy": healthy,
                "desiredHealthy": least,
                "expectedPods": len(pods),
            },
        )
