"""What a removal has to know first: whose cluster it is, which hosts answer, and what was confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from k8swin_nb.errors import HostUnreachable, ParamsError, TransportTimeout
from k8swin_nb.inventory import Host
from k8swin_nb.phases.linux import user_kubeconfig
from k8swin_nb.phases.linux.control_plane import CLUSTER_AUTHORITY
from k8swin_nb.phases.windows.places import places
from k8swin_nb.reading import first_line
from k8swin_nb.versions import EMPTYDIR_FLAG, gate
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import Check, State, Step, Verdict, check_and_apply, last_line
from k8swin_nb.workflow.step_run import StepRun

DRAIN_SECONDS = 300
"""How long disruption budgets may hold a drain up."""


NAME = "90_teardown"


API = Fact[str]("api")
"""How the API server is: `answers`, `silent`, or empty where there is none."""

GONE = Fact[bool]("gone")
"""Whether a worker does not answer."""

IDENTITY = {
    "linux": "linux/cluster_identity.check.sh",
    "windows": "windows/cluster_identity.check.ps1",
}


def removed_hosts(run: PhaseRun) -> list[Host]:
    """Return the hosts that the removal is about: all nodes, or the one worker that was named."""
    return run.hosts("node+target")


def _identity(at: StepRun) -> str:
    state, result = at.ask(IDENTITY[at.host.os])
    if state is State.DRIFT:
        raise at.drift(
            last_line(result.stdout),
            hint="nothing was touched; it is not these notebooks' to remove",
        )
    return last_line(result.stdout)


def check_cluster(at: StepRun) -> Verdict:
    """Find out whose cluster the master holds and whether its API server answers."""
    found = _identity(at)
    _, result = at.ask("linux/api_state.check.sh")
    api, _, authority = last_line(result.stdout).partition(" ")
    if api not in ("answers", "silent", "absent"):
        # Unknown is not absent: a removal that does not ask the cluster would follow from that.
        raise at.failed(
            "`linux/api_state.check.sh` does not say whether the API server answers", result=result
        )
    at.run.facts.keep(at.host, API, api)
    at.run.facts.keep(at.host, CLUSTER_AUTHORITY, authority)
    if at.run.target and api != "answers":
        raise at.failed(
            f"the API server does not answer ({api}), and one worker cannot be removed without it",
            hint="repair the control plane with 02_master, or remove the whole cluster",
        )
    told = {"answers": "the API server answers", "silent": "the API server does not answer"}
    return Verdict(State.OK, ", ".join([found, *([told[api]] if api in told else [])]))


def check_worker(at: StepRun) -> Verdict:
    """Find out whose worker a host is. One that does not answer must be gone for the API server too."""
    try:
        found = _identity(at)
    except (HostUnreachable, TransportTimeout) as error:
        at.run.facts.keep(at.host, GONE, True)
        reason = first_line(error)
        if at.run.facts.get(at.master, API) != "answers":
            return Verdict(State.OK, f"does not answer and is left as it is: {reason}")
        values = {"worker_name": at.host.name}
        script = "linux/node_state.check.sh"
        _, node = at.ask(script, on=at.master, values=values)
        state = last_line(node.stdout)
        if node.returncode != 0 or not re.match(r"(absent|Ready|NotReady)\b", state):
            raise at.failed(
                "does not answer here, and the API server does not say what it knows of its node: "
                f"{reason}",
                result=node,
            ) from error
        if state == "Ready":
            raise at.failed(
                f"does not answer here, but the API server calls its node Ready: {reason}",
                hint="correct its address or its firewall; if it was switched off, run again in a minute",
            ) from error
        return Verdict(
            State.OK,
            f"does not answer, its node is {state}: only the node is removed, the machine is left as it is",
        )
    at.run.facts.keep(at.host, GONE, False)
    return Verdict(State.OK, found)


def wanted_confirmation(run: PhaseRun) -> str:
    """Return the words that confirm this removal."""
    return f"{run.description.cluster_name}: {' '.join(host.name for host in removed_hosts(run))}"


def check_confirmation(at: StepRun) -> Verdict:
    """Compare `confirm` with what would be removed; the order of the hosts does not matter."""
    given = str(at.option("confirm") or "")
    cluster, _, names = given.partition(":")
    hosts = {host.name for host in removed_hosts(at.run)}
    if (
        cluster.strip() == at.description.cluster_name
        and set(re.split(r"[\s,]+", names.strip())) == hosts
    ):
        return Verdict(State.OK, f"confirmed: {given}")
    wanted = wanted_confirmation(at.run)
    said = f'not confirmed: `confirm` is "{given}", wanted "{wanted}"'
    if at.run.dry_run:
        # The run itself ends here.
        raise ParamsError(f"{said}; nothing was removed", hint=_how_to_confirm(at))
    return Verdict(State.NEEDED, said, _how_to_confirm(at))


def write_confirmation(at: StepRun) -> None:
    """Write down, before the first thing is removed, who confirmed it, with which words, and for which hosts."""
    if check_confirmation(at).state is not State.OK:
        return  # the step that demands it says so
    hosts = [{"name": host.name, "address": host.address} for host in removed_hosts(at.run)]
    at.run.once(
        "removal-confirmed",
        lambda: at.run.record.write(
            "removal-confirmed",
            phase=at.run.phase.name,
            cluster=at.description.cluster_name,
            confirm=str(at.option("confirm")),
            hosts=hosts,
        ),
    )


def preview(at: StepRun) -> str | None:
    """Skip the confirmation where nothing is confirmed and nothing is removed."""
    if at.run.dry_run and not at.option("confirm"):
        return f"a preview, nothing is removed; {_how_to_confirm(at)}"
    return None


def _how_to_confirm(at: StepRun) -> str:
    """Return what to do when all of it shall go: at a desk, or where nobody types."""
    wanted = wanted_confirmation(at.run)
    if at.run.interactive:
        told = f'set `confirm = "{wanted}"` in the parameters cell and run all cells again'
    else:
        told = f"`-p confirm '{wanted}'` for papermill, `--confirm '{wanted}'` for k8swin run"
    return f"if all of that shall go: {told}"


def demand_confirmation(at: StepRun) -> None:
    """Stop: nothing is removed without the words that name it.

    Raises:
        ParamsError: always, with the words.
    """
    raise ParamsError(
        check_confirmation(at).detail + "; nothing was removed",
        hint=_how_to_confirm(at),
    )


def check_host_settings(at: StepRun) -> Verdict:
    """Find out whether a host's settings are back, and whether its login user still has the cluster's kubeconfig."""
    state, result = at.ask("linux/host_settings_restored.check.sh", values=removal_values(at))
    said = last_line(result.stdout)
    there = user_kubeconfig.remaining(at, at.run.facts.get(at.master, CLUSTER_AUTHORITY, ""))
    if there is None:
        return Verdict(state, said)
    found = f"{there[0].path} holds this cluster"
    return Verdict(State.NEEDED, f"{said}; {found}" if state is State.NEEDED else found)


def restore_host_settings(at: StepRun) -> None:
    """Put a host's settings back, and take the cluster out of the login user's kubeconfig."""
    user_kubeconfig.take_out(at, at.run.facts.get(at.master, CLUSTER_AUTHORITY, ""))
    result = at.script("linux/host_settings_restored.apply.sh", values=removal_values(at))
    if result.returncode != 0:
        raise at.failed("apply failed", result=result)


When = Callable[[StepRun], str | None]


def gone(at: StepRun) -> str | None:
    """Skip what is done on a worker that does not answer."""
    return (
        "does not answer, and is left as it is" if at.run.facts.get(at.host, GONE, False) else None
    )


def no_api(at: StepRun) -> str | None:
    """Skip what the API server would be asked when there is none."""
    api = at.run.facts.get(at.master, API)
    return None if api == "answers" else "there is no API server that answers"


def cluster_stays(at: StepRun) -> str | None:
    """Skip what is for the whole cluster when one worker is removed."""
    return "the cluster stays" if at.run.target else None


def not_asked(option: str) -> When:
    """Skip what is done only when a parameter of the notebook asks for it."""

    def when(at: StepRun) -> str | None:
        return None if at.option(option) else f"`{option}` is false"

    return when


def first(*reasons: When) -> When:
    """Skip for the first reason that holds."""

    def when(at: StepRun) -> str | None:
        return next((reason for each in reasons if (reason := each(at))), None)

    return when


def on_master(script: str) -> Check:
    """Make a check that asks the master about a worker."""

    def ask_master(at: StepRun) -> Verdict:
        values = removal_values(at)
        state, result = at.ask(script, on=at.master, values=values)
        return Verdict.read(state, result.stdout)

    return ask_master


def through_master(script: str, hint: str) -> Callable[[StepRun], None]:
    """Make an apply that runs on the master for a worker."""

    def act_on_master(at: StepRun) -> None:
        result = at.script(
            script, on=at.master, values=removal_values(at), timeout=DRAIN_SECONDS + 120
        )
        if result.returncode != 0:
            raise at.failed("apply failed", result=result, hint=hint)

    return act_on_master


def removal_values(at: StepRun) -> dict[str, str]:
    """Return the values that the scripts of a removal declare beside the usual ones."""

    def asked(option: str) -> str:
        return str(bool(at.option(option))).lower()

    keep_images = at.option("keep_images", True)
    values = {
        "worker_name": at.host.name,
        "closed_nodes": " ".join(h.name for h in at.run.hosts("worker+target")),
        "emptydir_flag": gate(EMPTYDIR_FLAG, at.description.kubernetes_version),
        "whole_cluster": str(not at.run.target).lower(),
        **_done_before(at),
        "drain_seconds": str(DRAIN_SECONDS),
        "keep_images": str(bool(keep_images)).lower(),
        "remove_packages": asked("remove_packages"),
        "restore_swap": asked("restore_swap"),
    }
    if at.host.os == "windows":
        values["removed_places"] = places(at.description, keep_images=bool(keep_images))
    return values


def _done_before(at: StepRun) -> dict[str, str]:
    """Return what earlier steps of a dry run would have done to what a drain looks at; otherwise they have done it."""
    foreseen = at.run.foreseen if at.run.dry_run else {}
    others = [made for host, made in foreseen.items() if host != at.host.name]
    return {
        "closed_before": str(any("drain" in made for made in others)).lower(),
        "apps_gone_before": str(any("apps" in made for made in foreseen.values())).lower(),
    }


def removed(name: str, title: str, on: str, scripts: str, **more: Any) -> Step:
    """Make a step of two scripts, such as `linux/reset`, on hosts that answer."""
    return Step(
        name=name,
        title=title,
        on=on,
        values=removal_values,
        **check_and_apply(scripts),
        **{"when": gone, **more},
    )
