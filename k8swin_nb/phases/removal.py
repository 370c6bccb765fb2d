"""What a removal has to know first: whose cluster it is, which hosts answer, and what was confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_nb.errors import (
    DriftFound,
    HostUnreachable,
    ParamsError,
    StepFailed,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.phases.asking import ask
from k8swin_nb.phases.places import places
from k8swin_nb.versions import EMPTYDIR_FLAG, cri_socket, gate
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import last_line
from k8swin_nb.workflow.step import Check, State, Verdict

DRAIN_SECONDS = 300
"""How long disruption budgets may hold a drain up."""

NAME = "90_teardown"
IDENTITY = {
    "linux": "linux/cluster_identity.check.sh",
    "windows": "windows/cluster_identity.check.ps1",
}


def removed_hosts(run: Run) -> list[Host]:
    """Return the hosts that the removal is about: all nodes, or the one worker that was named."""
    return run.hosts("node+target")


def _identity(run: Run, host: Host, step: str) -> str:
    state, result = ask(run, IDENTITY[host.os], host, step, phase=NAME)
    if state is State.DRIFT:
        raise DriftFound(
            phase=NAME,
            step=step,
            host=host.name,
            detail=last_line(result.stdout),
            hint="nothing was touched; it is not these notebooks' to remove",
        )
    return last_line(result.stdout)


def check_cluster(run: Run, host: Host) -> Verdict:
    """Find out whose cluster the master holds and whether its API server answers."""
    found = _identity(run, host, "cluster")
    _, result = ask(run, "linux/api_state.check.sh", host, "cluster", phase=NAME)
    api, _, authority = result.stdout.strip().partition(" ")
    run.keep_facts(host, "api", api)
    run.keep_facts(host, "cluster_ca", authority)
    if run.target and api != "answers":
        raise StepFailed(
            phase=NAME,
            step="cluster",
            host=host.name,
            detail=f"the API server does not answer ({api}), and one worker cannot be removed without it",
            hint="repair the control plane with 02_master, or remove the whole cluster",
        )
    told = {"answers": "the API server answers", "silent": "the API server does not answer"}
    return Verdict(State.OK, ", ".join([found, *([told[api]] if api in told else [])]))


def check_worker(run: Run, host: Host) -> Verdict:
    """Find out whose worker a host is. One that does not answer must be gone for the API server too."""
    try:
        found = _identity(run, host, "workers")
    except (HostUnreachable, TransportTimeout) as error:
        run.keep_facts(host, "gone", True)
        reason = str(error).splitlines()[0]
        if run.facts[run.master.name].get("api") != "answers":
            return Verdict(State.OK, f"does not answer and is left as it is: {reason}")
        values = {"worker_name": host.name}
        script = "linux/node_state.check.sh"
        _, node = ask(run, script, run.master, "workers", phase=NAME, values=values)
        state = last_line(node.stdout)
        if state == "Ready":
            raise StepFailed(
                phase=NAME,
                step="workers",
                host=host.name,
                detail=f"does not answer here, but the API server calls its node Ready: {reason}",
                hint="correct its address or its firewall; if it was switched off, run again in a minute",
            ) from error
        return Verdict(
            State.OK,
            f"does not answer, its node is {state}: only the node is removed, the machine is left as it is",
        )
    run.keep_facts(host, "gone", False)
    return Verdict(State.OK, found)


def wanted_confirmation(run: Run) -> str:
    """Return the words that confirm this removal."""
    return f"{run.params.cluster_name}: {' '.join(host.name for host in removed_hosts(run))}"


def check_confirmation(run: Run, host: Host) -> Verdict:
    """Compare `confirm` with what would be removed; the order of the hosts does not matter."""
    given = str(run.options.get("confirm") or "")
    cluster, _, names = given.partition(":")
    hosts = {host.name for host in removed_hosts(run)}
    if (
        cluster.strip() == run.params.cluster_name
        and set(re.split(r"[\s,]+", names.strip())) == hosts
    ):
        return Verdict(State.OK, f"confirmed: {given}")
    return Verdict(
        State.NEEDED, f'not confirmed: `confirm` is "{given}", wanted "{wanted_confirmation(run)}"'
    )


def demand_confirmation(run: Run, host: Host) -> None:
    """Stop: nothing is removed without the words that name it.

    Raises:
        ParamsError: always, with the words.
    """
    raise ParamsError(
        check_confirmation(run, host).detail + "; nothing was removed",
        hint=f"if all of that shall go: `-p confirm '{wanted_confirmation(run)}'`",
    )


When = Callable[[Run, Host], str | None]


def gone(run: Run, host: Host) -> str | None:
    """Skip what is done on a worker that does not answer."""
    return (
        "does not answer, and is left as it is"
        if run.facts.get(host.name, {}).get("gone")
        else None
    )


def no_api(run: Run, host: Host) -> str | None:
    """Skip what the API server would be asked when there is none."""
    api = run.facts.get(run.master.name, {}).get("api")
    return None if api == "answers" else "there is no API server that answers"


def cluster_stays(run: Run, host: Host) -> str | None:
    """Skip what is for the whole cluster when one worker is removed."""
    return "the cluster stays" if run.target else None


def not_asked(option: str) -> When:
    """Skip what is done only when a parameter of the notebook asks for it."""

    def when(run: Run, host: Host) -> str | None:
        return None if run.options.get(option) else f"`{option}` is false"

    return when


def first(*reasons: When) -> When:
    """Skip for the first reason that holds."""

    def when(run: Run, host: Host) -> str | None:
        return next((reason for each in reasons if (reason := each(run, host))), None)

    return when


def on_master(script: str, step: str) -> Check:
    """Make a check that asks the master about a worker."""

    def ask_master(run: Run, host: Host) -> Verdict:
        values = removal_values(run, host)
        state, result = ask(run, script, run.master, step, phase=NAME, values=values)
        return Verdict(state, last_line(result.stdout))

    return ask_master


def through_master(script: str, step: str, hint: str) -> Callable[[Run, Host], None]:
    """Make an apply that runs on the master for a worker."""

    def act_on_master(run: Run, host: Host) -> None:
        result = run.script(
            script,
            run.master,
            verb="apply",
            step=step,
            values=removal_values(run, host),
            timeout=DRAIN_SECONDS + 120,
        )
        if result.returncode != 0:
            raise StepFailed(
                phase=NAME,
                step=step,
                host=host.name,
                detail="apply failed",
                result=result,
                hint=hint,
            )

    return act_on_master


def removal_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values that the scripts of a removal declare beside the usual ones."""

    def asked(option: str) -> str:
        return str(bool(run.options.get(option))).lower()

    keep_images = run.options.get("keep_images", True)
    values = {
        "worker_name": host.name,
        "closed_nodes": " ".join(h.name for h in run.hosts("worker+target")),
        "emptydir_flag": gate(EMPTYDIR_FLAG, run.params.kubernetes_version),
        "whole_cluster": str(not run.target).lower(),
        "drain_seconds": str(DRAIN_SECONDS),
        "keep_images": str(bool(keep_images)).lower(),
        "remove_packages": asked("remove_packages"),
        "restore_swap": asked("restore_swap"),
    }
    if host.os == "windows":
        values["cri_socket"] = cri_socket(
            run.params.profile, "windows", run.params.kubernetes_version
        )
        values["removed_places"] = places(run.params, keep_images=bool(keep_images))
    return values
