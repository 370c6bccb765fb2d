"""What the control plane is asked: whether it answers, whose cluster it is, for a token, and about a worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from k8swin_nb.phases.linux.kubeadm import join_configuration
from k8swin_nb.reading import Unreadable, address, json_document, network, shown, strings
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.difference import setting
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.step import State, Verdict, last_line
from k8swin_nb.workflow.step_run import StepRun

MASTER = "control-plane"

JOIN_CHECKS = {"linux": "linux/join.check.sh", "windows": "windows/join.check.ps1"}
KUBELET_CHECKS = {
    "linux": "linux/kubelet_state.check.sh",
    "windows": "windows/kubelet_state.check.ps1",
}
BASE64 = r"[A-Za-z0-9+/]{4,}={0,2}"
TOKEN = r"[\w.-]{8,8192}"  # noqa: S105 - a form, no secret
"""What a service account's token consists of."""

CLUSTER_AUTHORITY = Fact[str]("cluster_ca")
"""The certificate of the cluster's authority, PEM as base64, by which a worker knows its own cluster."""


def read_cluster_ca(at: StepRun) -> Verdict:
    """Keep the cluster's certificate authority, by which a worker knows its own cluster."""
    state, result = at.ask("linux/cluster_ca.check.sh")
    if state is not State.OK:
        return Verdict.read(state, result.stdout)
    authority = result.stdout.strip()
    if not re.fullmatch(BASE64, authority):
        raise at.failed("`linux/cluster_ca.check.sh` printed no certificate in base64")
    at.run.facts.keep(at.host, CLUSTER_AUTHORITY, authority)
    return Verdict(State.OK, "the certificate authority is known")


def secret_json(
    at: StepRun, script: str, form: Mapping[str, str], values: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run a script on the master whose output is a secret, and return the document that it prints.

    Args:
        at: The step.
        script: Path below `k8swin_nb/scripts`.
        form: What must be in the document, by name, and the expression that each matches as a whole.
        values: Values of this script alone.

    Raises:
        StepFailed: when the script fails, or prints something else; nothing of its output is repeated.
    """
    at = at.on(at.master)
    result = at.doing("apply").script(script, values=values, secret_output=True)
    if result.returncode != 0:
        # Its output may hold half a secret: only the exit code is told.
        raise at.failed(f"`{script}` ended with {result.returncode}")
    try:
        answer = strings(json_document(result.stdout))
    except Unreadable:
        answer = {}
    wrong = [
        name for name, said in form.items() if not re.fullmatch(said, answer.get(name, ""), re.A)
    ]
    if wrong:
        raise at.failed(
            f"`{script}` printed no {' and no '.join(f'`{n}`' for n in wrong)} as expected"
        )
    return {name: answer[name] for name in form}


def join_secrets(parameter: str) -> Callable[[StepRun], Mapping[str, Secret]]:
    """Make what a join step needs: the configuration of `kubeadm join` around a token for two hours.

    Args:
        parameter: The name under which the join script declares it.
    """

    def make(at: StepRun) -> Mapping[str, Secret]:
        made = secret_json(
            at,
            "linux/join_token.apply.sh",
            {"token": r"[a-z0-9]{6}\.[a-z0-9]{16}", "ca_hash": "sha256:[0-9a-f]{64}"},
        )
        Secret(made["token"])
        text = join_configuration(
            at.description, at.master, at.host, made["token"], made["ca_hash"]
        )
        return {parameter: Secret(text)}

    return make


def node_pod_cidr(at: StepRun) -> tuple[State, str]:
    """Ask the master for the pod network that the worker's node was given; needed: there is no node."""
    state, result = at.ask(
        "linux/node_pod_cidr.check.sh",
        on=at.master,
        values={"worker_name": at.host.name},
        detail="the control plane was not asked for the node",
    )
    found = result.stdout.strip()
    if state is State.OK and found:
        # It becomes the worker's own network: another one would take the worker's routes along.
        told = network(found)
        if told is None or not told.subnet_of(at.plan.pod_subnet):
            raise at.failed(
                f"`linux/node_pod_cidr.check.sh` printed `{shown(found)}`, expected a network in "
                f"{at.plan.pod_subnet}",
                result=result,
            )
        found = str(told)
    return state, found


def by_others(at: StepRun) -> str | None:
    """Skip what flannel needs where others make the pod network."""
    plan = at.plan
    return f"the pod network is {plan.pod_network}, made by others" if plan.by_others else None


def by_flannel(at: StepRun) -> str | None:
    """Skip what is looked at where others make the pod network."""
    return None if at.plan.by_others else "the pod network is flannel"


def endpoint_is_an_address(at: StepRun) -> str | None:
    """Skip what is about the control plane's name where it has none."""
    host = at.description.api_endpoint.rpartition(":")[0]
    return f"the control plane is reached by the address {host}" if address(host) else None


def check_join(at: StepRun) -> Verdict:
    """Ask the worker whether it has joined, and the control plane whether it still knows the worker.

    A node that was deleted comes back when its kubelet starts again, and at no other time.
    """
    state, result = at.ask(JOIN_CHECKS[at.host.os])
    verdict = Verdict.read(state, result.stdout)
    if state is State.OK:
        known, found = node_pod_cidr(at)
        if known is not State.OK:
            again = setting(f"node {at.host.name}", "not there", "registered by its kubelet")
            return Verdict(State.NEEDED, f"{verdict.detail}, but {found}", differences=(again,))
    return verdict


def check_worker_ready(at: StepRun) -> Verdict:
    """Ask the master whether the worker is Ready; while it is not, ask the worker whether its kubelet works."""
    state, result = at.ask(
        "linux/worker_ready.check.sh",
        on=at.master,
        values={"worker_name": at.host.name, "worker_address": at.host.address},
    )
    if state is State.NEEDED:
        seen, kubelet = at.ask(KUBELET_CHECKS[at.host.os])
        if seen is not State.OK:
            return Verdict.read(
                seen, f"{kubelet.stdout}\n{last_line(kubelet.stdout)}; {last_line(result.stdout)}"
            )
    return Verdict.read(state, result.stdout)
