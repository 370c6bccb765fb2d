"""What joins of every operating system share: whose cluster it is, the token, and the proof at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases import documents
from k8swin_nb.phases.asking import ask
from k8swin_nb.phases.flannel import MASTER
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import last_line
from k8swin_nb.workflow.step import State, Step, Verdict


def read_cluster_ca(run: Run, host: Host) -> Verdict:
    """Keep the cluster's certificate authority, by which a worker knows its own cluster."""
    result = run.script(
        "linux/cluster_ca.check.sh", host, verb="check", step="cluster-ca", quiet=True
    )
    if result.returncode != 0:
        raise StepFailed(
            phase="",
            step="cluster-ca",
            host=host.name,
            detail="check failed",
            result=result,
        )
    run.keep_facts(host, "cluster_ca", result.stdout.strip())
    return Verdict(State.OK, "the certificate authority is known")


def secret_json(
    run: Run, script: str, step: str, values: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run a script on the master whose output is a secret, and return the document that it prints."""
    result = run.script(
        script,
        run.master,
        verb="apply",
        step=step,
        values=values,
        quiet=True,
        secret_output=True,
    )
    if result.returncode != 0:
        # Its output may hold half a secret: only the exit code is told.
        raise StepFailed(
            phase="",
            step=step,
            host=run.master.name,
            detail=f"`{script}` ended with {result.returncode}",
        )
    answer: dict[str, str] = json.loads(result.stdout)
    return answer


def join_secrets(parameter: str) -> Callable[[Run, Host], Mapping[str, Secret]]:
    """Make what a join step needs: the configuration of `kubeadm join` around a token for two hours.

    Args:
        parameter: The name under which the join script declares it.
    """

    def make(run: Run, host: Host) -> Mapping[str, Secret]:
        made = secret_json(run, "linux/join_token.apply.sh", "join")
        Secret(made["token"])
        text = documents.join_configuration(
            run.params, run.master, host, made["token"], made["ca_hash"]
        )
        return {parameter: Secret(text)}

    return make


def check_worker_ready(run: Run, host: Host) -> Verdict:
    """Ask the master whether the worker is Ready."""
    state, result = ask(
        run,
        "linux/worker_ready.check.sh",
        run.master,
        "worker-ready",
        values={"worker_name": host.name, "worker_address": host.address},
    )
    return Verdict(state, last_line(result.stdout))


POD_NETWORK_PLANNED = Step(
    name="pod-network-planned",
    title="flannel is deployed as planned",
    on=MASTER,
    check="linux/pod_network.check.sh",
)

CLUSTER_CA = Step(
    name="cluster-ca",
    title="The cluster's certificate authority is known",
    on=MASTER,
    check=read_cluster_ca,
    runs=("linux/cluster_ca.check.sh",),
)


def worker_ready() -> Step:
    """Make the step that proves a worker by asking the master."""
    return Step(
        name="worker-ready",
        title="The worker is Ready at its planned address",
        on="target",
        check=check_worker_ready,
        runs=("linux/worker_ready.check.sh",),
        wait=300,
    )
