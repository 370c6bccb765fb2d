"""Which nodes a pod may run on: selectors, affinities, taints. Resources are not counted."""

from __future__ import annotations

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.selectors import match_expressions, match_labels

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def fits(spec: Object, node: Object) -> bool:
    """Whether nodeSelector, required node affinity and pod OS admit the node."""
    labels = node["metadata"].get("labels") or {}
    if not match_labels(labels, spec.get("nodeSelector") or {}):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    if affinity is None:
        return True
    return any(_term(term, node) for term in affinity.get("nodeSelectorTerms") or [])


def _term(term: Object, node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    names = {"metadata.name": node["metadata"]["name"]}
    return match_expressions(node["metadata"].get("labels") or {}, expressions) and (
        match_expressions(names, fields)
    )


def tolerates(spec: Object, taint: Object) -> bool:
    """Whether some toleration of the pod matches the taint."""
    for item in spec.get("tolerations") or []:
        if item.get("effect") and item["effect"] != taint["effect"]:
            continue
        key, operator = item.get("key"), item.get("operator", "Equal")
        if not key and operator == "Exists":
            return True
        if key != taint["key"]:
            continue
        if operator == "Exists" or item.get("value", "") == taint.get("value", ""):
            return True
    return False


def untolerated(spec: Object, node: Object) -> list[Object]:
    """Return the taints that keep the pod off the node."""
    taints = (node.get("spec") or {}).get("taints") or []
    return [
        taint
        for taint in taints
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(spec, taint)
    ]


def tolerated(spec: Object, node: Object) -> bool:
    return not untolerated(spec, node)


def pinned_node(spec: Object) -> str | None:
    """Return the node that a DaemonSet's pod is pinned to by its affinity."""
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    for term in affinity.get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            if field["key"] == "metadata.name" and field["operator"] == "In":
                return str(field["values"][0])
    return None
