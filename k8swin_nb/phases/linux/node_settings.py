"""Labels and taints of a node, and a control plane that takes workloads: asked and changed through the control plane.

The administrator sets them and not the kubelet: a kubelet may not give its own node most labels of kubernetes.io. What
others gave the node stays; what is described and has another value gets the described one, and the step says so. A node
that registers anew comes without them, so that every run looks at them.
"""

from __future__ import annotations

from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.host_description import HostDescription
from k8swin_nb.node_fields import CONTROL_PLANE_TAINTS
from k8swin_nb.reading import Unreadable, json_document, strings
from k8swin_nb.workflow.difference import NOT_KNOWN
from k8swin_nb.workflow.step import State, Verdict, last_line
from k8swin_nb.workflow.step_run import StepRun

CHECK = "linux/node_settings.check.sh"
APPLY = "linux/node_settings.apply.sh"


def described(at: StepRun) -> HostDescription:
    """Return what the description says of the step's host."""
    return next(host for host in at.description.hosts if host.name == at.host.name)


def _takes_workloads(description: Description, host: HostDescription) -> bool:
    return description.control_plane_workloads and host.role == "control-plane"


def nothing_described(at: StepRun) -> str | None:
    """Skip nodes of which nothing is described."""
    host = described(at)
    if host.labels or host.taints or _takes_workloads(at.description, host):
        return None
    return "no labels and no taints are described for it"


def _differs(at: StepRun) -> tuple[State, str, dict[str, str]]:
    """Ask for the node; return the state, what to say, and the changes as words of `kubectl`."""
    host = described(at)
    state, result = at.ask(CHECK, on=at.master, values={"worker_name": host.name})
    if state is not State.OK:
        # A node registers without what is described; kubeadm may have left its own taints out.
        own = f"taints of a control plane: {NOT_KNOWN}the node registers -> taken away"
        said = _wanted(at.description, host, {}, {})[0] or [own]
        return state, "\n".join([*(f"would: {one}" for one in said), result.stdout.strip()]), {}
    try:
        node = json_document(result.stdout)
    except Unreadable:
        node = None
    if not isinstance(node, dict) or not isinstance(node.get("metadata"), dict):
        raise at.failed(f"`{CHECK}` printed no node", result=result)
    labels = strings(node["metadata"].get("labels"))
    said, changes = _wanted(at.description, host, labels, _taints(node.get("spec")))
    told = [*(f"would: {one}" for one in said), "; ".join(said)]
    return State.NEEDED if said else State.OK, "\n".join(told), changes


def _wanted(
    description: Description,
    host: HostDescription,
    labels: dict[str, str],
    taints: dict[tuple[str, str], str],
) -> tuple[list[str], dict[str, str]]:
    """Hold what a node has against what is described; return what differs, and the changes as words of `kubectl`."""
    said, label_words, taint_words = [], [], []
    for key, value in host.labels.items():
        if labels.get(key) != value:
            said.append(f"label {key}: {labels.get(key, 'not there')} -> {value or 'empty'}")
            label_words.append(f"{key}={value}")
    for taint in host.taints:
        key_value, _, effect = taint.rpartition(":")
        key, _, value = key_value.partition("=")
        if taints.get((key, effect)) != value:
            found = taints.get((key, effect))
            there = "not there" if found is None else found or "without a value"
            said.append(f"taint {key}:{effect}: {there} -> {value or 'without a value'}")
            taint_words.append(f"{key}={value}:{effect}" if value else f"{key}:{effect}")
    if _takes_workloads(description, host):
        for key, effect in taints:
            if key in CONTROL_PLANE_TAINTS:
                said.append(f"taint {key}:{effect}: keeps workloads off -> taken away")
                taint_words.append(f"{key}:{effect}-")
    return said, {"node_labels": " ".join(label_words), "node_taints": " ".join(taint_words)}


def _taints(spec: Any) -> dict[tuple[str, str], str]:
    listed = spec.get("taints") if isinstance(spec, dict) else None
    found = [strings(one) for one in listed] if isinstance(listed, list) else []
    return {(one.get("key", ""), one.get("effect", "")): one.get("value", "") for one in found}


def check_node_settings(at: StepRun) -> Verdict:
    """Find out whether the node has its labels and taints."""
    state, said, _ = _differs(at)
    host = described(at)
    if state is State.OK:
        has = [*(f"{key}={value}" for key, value in host.labels.items()), *host.taints]
        if _takes_workloads(at.description, host):
            has.append("no taint of a control plane")
        said = f"node {host.name} has {', '.join(has)}"
    return Verdict.read(state, said)


def apply_node_settings(at: StepRun) -> None:
    """Set what differs, and nothing else."""
    state, said, changes = _differs(at)
    if state is State.OK:
        return
    told = last_line(said)
    if not changes:
        raise at.failed(told)
    values = changes | {"worker_name": at.host.name}
    result = at.script(APPLY, on=at.master, values=values)
    if result.returncode != 0:
        raise at.failed(f"apply failed: {told}", result=result)
