"""What the form for the networks knows: what is wrong, beside which field, what would fit, what is free, what is written.

A view over `k8swin_nb.plan`; `subnet_widget` shows it while one types. Nothing later in a notebook reads it: papermill never
clicks. Headless, exported and without ipywidgets it is a static table of the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from k8swin_nb.description import (
    Description,
    check_description,
    project_path,
    read_description,
)
from k8swin_nb.description_edit import Change, change_description
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.phases.network.free_networks import (
    USUAL,
    Taken,
    asked,
    proposals,
    taken_by_plan,
    taken_by_routes,
)
from k8swin_nb.plan import TOPOLOGIES, NetworkPlan, network_plan
from k8swin_nb.reading import network
from k8swin_nb.tables import Column, Mark, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun

FIELDS = {
    "topology": "Topology",
    "pod_subnet": "Pod network",
    "service_subnet": "Service network",
    "host_subnet": "Hosts' network",
    "site_networks": "Site networks",
}

APART = "these networks do not collide"

Typed = dict[str, Any]
"""Values by parameter name, as they stand in the form."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of typed networks."""

    plan: NetworkPlan | None
    """None: what is typed is no description at all."""

    fails: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def by_field(self) -> dict[str, list[str]]:
        """What is wrong, by the fields that it is about."""
        found: dict[str, list[str]] = {name: [] for name in FIELDS}
        for text in self.fails:
            named = [name for name in FIELDS if re.search(rf"`{name}\b[^`]*`", text)]
            for name in named:
                found[name].append(text)
        return found

    @property
    def others(self) -> list[str]:
        """What is wrong and about none of the fields."""
        told = {text for texts in self.by_field.values() for text in texts}
        return [text for text in self.fails if text not in told]


_AROUND = "\"'`[](){},;\uff0c\uff1b"
"""What stands around networks where a list is pasted: YAML's or Python's signs, and the commas of other scripts."""


def split_networks(text: str) -> list[str]:
    """Return the networks of a field, each once: commas, semicolons or spaces separate them, as any pasted list has them."""
    apart = "".join(" " if sign in _AROUND else sign for sign in text)
    return list(dict.fromkeys(word for word in apart.split() if word != "-"))


def one_network(text: str) -> str:
    """Return the network of a field that holds one, without the signs that were pasted around it."""
    return text.strip(f"{_AROUND} \t\r\n\xa0")


def capacity(plan: NetworkPlan) -> list[tuple[str, str]]:
    """Return what fits into a plan and what is derived from it, as names and words with numbers."""
    pods = plan.pods_per_node
    return [
        ("topology", f"{plan.topology}: {TOPOLOGIES[plan.topology]}"),
        ("nodes", f"room for {plan.node_capacity} nodes, {len(plan.nodes)} are planned"),
        (
            "pods",
            f"{pods['linux']} on a Linux node, {pods['windows']} on a Windows node, "
            f"{plan.pod_capacity} on the planned nodes",
        ),
        ("services", f"room for {plan.service_capacity} services"),
        ("API service", str(plan.api_service_ip)),
        ("DNS service", str(plan.dns_service_ip)),
    ]


def judge(description: Description, typed: Typed) -> Judgement:
    """Judge typed networks.

    Args:
        description: The description whose other values hold.
        typed: Values by parameter name, as they stand in the form.
    """
    values = {**description.model_dump(exclude_none=True), **typed}
    values.pop("dns_service_ip", None)
    values.pop("worker_service_subnet", None)
    try:
        plan = network_plan(check_description(values, source="form"))
    except ParamsError as error:
        told = str(error).splitlines()[0].removeprefix("form: ")
        return Judgement(None, [part.strip() for part in re.split(r"; (?=`)", told)])
    found = plan.problems()
    return Judgement(
        plan,
        [finding.message for finding in found if finding.severity == "fail"],
        [finding.message for finding in found if finding.severity == "warn"],
    )


def free_for(name: str, run: PhaseRun, typed: Typed) -> list[IPv4Network]:
    """Return free networks for a field, beside what else is typed; none for a field that has no choice."""
    if name not in USUAL:
        return []
    other = network(typed["service_subnet" if name == "pod_subnet" else "pod_subnet"])
    now = network(typed[name])
    places = [*filter(None, (network(typed["host_subnet"]), *map(network, typed["site_networks"])))]
    taken = [
        *taken_by_plan(run.plan),
        *taken_by_routes(run),
        *(Taken(place, "typed") for place in places),
    ]
    found = proposals(name, now.prefixlen if now else None, taken, [other] if other else [])
    return [one for one in found if one != now]


def source_of_routes(run: PhaseRun) -> str:
    """Say what the proposals were made from."""
    known = asked(run)
    if not known:
        return "free by the description; the hosts have not been asked for their routes yet"
    return f"free by the description and by the routes of {', '.join(known)}"


def description_file(run: PhaseRun) -> Path | None:
    """Return the file of a notebook's description; None where a program has opened it otherwise."""
    named = run.options.get("params_file")
    return project_path(named) if isinstance(named, str) and named else None


def changed_values(before: Typed, typed: Typed) -> Typed:
    """Return the typed values that differ from those of before."""
    return {name: value for name, value in typed.items() if before[name] != value}


def change_of(run: PhaseRun, typed: Typed) -> tuple[Change | None, str]:
    """Return what typed values change in the description's file, or None and why that cannot be said.

    The file may hold other networks than the form began with: another notebook wrote it, or a parameters cell sets them.
    """
    path = description_file(run)
    if path is None:
        return None, "this phase was opened without a file of its description"
    try:
        change = change_description(path, **typed)
        values = {**read_description(path), **typed}
        plan = network_plan(check_description(values, source=path.name, folder=path.parent))
    except K8swinError as error:
        return None, str(error)
    fails = [found.message for found in plan.problems() if found.severity == "fail"]
    if fails:
        return None, f"{path.name} holds other networks than this form began with: {fails[0]}"
    return change, ""


def code_of(run: PhaseRun, typed: Typed) -> str:
    """Return the Python that makes the same change; empty when there is none."""
    path = run.options.get("params_file") or "params/mine.yaml"
    values = "".join(f", {name}={value!r}" for name, value in typed.items())
    return (
        f"from k8swin_nb import change_description\n\nchange_description({path!r}{values}).write()"
    )


def form(run: PhaseRun) -> Any:
    """Return the form where a person looks on and ipywidgets is there, and else the static table."""
    if run.interactive and find_spec("ipywidgets") is not None:
        from k8swin_nb.phases.network.subnet_widget import SubnetForm

        return SubnetForm(run)
    return static_form(run)


def values_of(description: Description) -> Typed:
    """Return what the form begins with."""
    return {name: getattr(description, name) for name in FIELDS}


def text_of(value: Any) -> str:
    """Return a value as it stands in its field."""
    return ", ".join(value) if isinstance(value, list) else str(value)


def static_form(run: PhaseRun) -> StaticTable:
    """Return what the form shows when nobody can type: the values, what is wrong, what fits, what is free."""
    typed = values_of(run.description)
    judgement = judge(run.description, typed)
    rows: list[tuple[Any, ...]] = []
    for name, label in FIELDS.items():
        wrong = judgement.by_field[name]
        free = ", ".join(map(str, free_for(name, run, typed)))
        state = Mark("; ".join(wrong), "failed") if wrong else Mark("fits", "ok")
        rows.append((label, text_of(typed[name]) or "none", state, free))
    rows += [("", "", Mark(text, "failed"), "") for text in judgement.others]
    if judgement.plan and not judgement.fails:
        rows += [(name, text, "", "") for name, text in capacity(judgement.plan)]
    rows += [("", "", Mark(text, "waiting"), "") for text in judgement.notes]
    columns = [Column("what"), Column("value"), Column("judgement"), Column("free too")]
    return StaticTable(f"Networks ({source_of_routes(run)})", columns, rows)
