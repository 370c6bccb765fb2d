"""What the join of a Windows worker carries between hosts: credentials, the node's pod network, kube-proxy's address."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

from k8swin_nb.cluster.kubeconfig import read_kubeconfig
from k8swin_nb.phases.linux.control_plane import (
    BASE64,
    CLUSTER_AUTHORITY,
    TOKEN,
    by_others,
    node_pod_cidr,
    secret_json,
)
from k8swin_nb.phases.linux.kubeadm import kubeconfig
from k8swin_nb.phases.windows.detached import await_pod_network
from k8swin_nb.phases.windows.services import SOURCE_VIP
from k8swin_nb.reading import address, shown, strings, whole
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.step import State, Verdict, last_line
from k8swin_nb.workflow.step_run import StepRun


def credential_secrets(at: StepRun) -> Mapping[str, Secret]:
    """Make the kubeconfigs of flanneld and kube-proxy, each around a token of its service account."""
    made = secret_json(at, "linux/worker_tokens.apply.sh", {"flannel": TOKEN, "kube_proxy": TOKEN})
    ca = at.run.facts[at.master, CLUSTER_AUTHORITY]
    config = {}
    for name, user in (("flannel", "flannel"), ("kube_proxy", "kube-proxy")):
        Secret(made[name])
        config[name] = kubeconfig(at.description, at.master, ca, user, made[name])
    return {
        "FlannelKubeconfig": Secret(config["flannel"]),
        "KubeProxyKubeconfig": Secret(config["kube_proxy"]),
    }


def admin_values(at: StepRun) -> Mapping[str, str]:
    """Return what is public of the administrator's kubeconfig: its hash, and how long it is valid."""
    state, result = at.on(at.master).ask(
        "linux/admin_kubeconfig.check.sh", detail="the administrator's kubeconfig was not read"
    )
    if state is not State.OK:
        return {}
    found = strings(result.mapping())
    digest, days = found.get("sha256", ""), found.get("days", "")
    if not re.fullmatch("[0-9a-f]{64}", digest) or whole(days) is None:
        raise at.on(at.master).failed(
            "`linux/admin_kubeconfig.check.sh` printed no SHA-256 with a number of days",
            result=result,
        )
    return {"admin_sha256": digest, "admin_days": days}


def admin_secrets(at: StepRun) -> Mapping[str, Secret]:
    """Fetch the administrator's kubeconfig; it goes to the worker on standard input.

    Programs on the worker take it for their administrator's word, so that it must hold access to the planned server
    and nothing else.
    """
    made = secret_json(at, "linux/admin_kubeconfig.apply.sh", {"kubeconfig": BASE64})
    try:
        text = base64.b64decode(made["kubeconfig"], validate=True).decode()
    except ValueError:
        raise at.failed("`linux/admin_kubeconfig.apply.sh` printed no text in base64") from None
    read_kubeconfig(text, f"https://{at.description.api_endpoint}", alone=True)
    return {"AdminKubeconfig": Secret(text)}


def pod_cidr_values(at: StepRun) -> Mapping[str, str]:
    """Return the pod network that the worker's HNS network must have; empty before there is a node."""
    state, found = node_pod_cidr(at)
    return {"node_pod_cidr": found if state is State.OK else ""}


def make_pod_network(at: StepRun) -> None:
    """Have the worker's HNS network made, with the pod network of its node.

    Raises:
        StepFailed: when the job rolled back, or the worker does not answer in time.
    """
    await_pod_network(at, pod_cidr_values(at.doing("check")))


def check_source_vip(at: StepRun) -> Verdict:
    """Look for kube-proxy's own address on an encapsulated network, and keep it for its service."""
    state, result = at.ask("windows/source_vip.check.ps1")
    found = last_line(result.stdout)
    if state is State.OK:
        if not address(found):
            raise at.failed(
                f"`windows/source_vip.check.ps1` printed `{shown(found)}`, expected an address",
                result=result,
            )
        at.run.facts.keep(at.host, SOURCE_VIP, found)
        return Verdict(state, f"kube-proxy sends from {found}")
    return Verdict(state, found)


def only_when(parameter: str, reason: str) -> Callable[[StepRun], str | None]:
    """Make the `when` of a step that is done only when a parameter asks for it."""
    return lambda at: None if getattr(at.description, parameter) else reason


def only_encapsulated(at: StepRun) -> str | None:
    """Return why kube-proxy needs no address of its own."""
    if skipped := by_others(at):
        return skipped
    return None if at.plan.encapsulated else "packets are not encapsulated: no address is needed"
