"""A form for the networks that says, while one types, what would collide. A view over `k8swin_nb.plan`.

Nothing later in a notebook reads it: papermill never clicks. Headless it is the static table of the plan.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from k8swin_nb.description import Description, check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.network.address_map import AddressMap
from k8swin_nb.plan import TOPOLOGIES, NetworkPlan, network_plan
from k8swin_nb.tables import Mark, StaticTable, escaped, preformatted
from k8swin_nb.tables.palette import style
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


def split_networks(text: str) -> list[str]:
    """Return the networks of a field, which commas or spaces separate."""
    return [word for word in text.replace(",", " ").split() if word]


def capacity(plan: NetworkPlan) -> list[str]:
    """Return what fits into a plan, in words with numbers."""
    pods = plan.pods_per_node
    return [
        f"topology {plan.topology}: {TOPOLOGIES[plan.topology]}",
        f"room for {plan.node_capacity} nodes, {len(plan.nodes)} are planned",
        f"{pods['linux']} pods on a Linux node, {pods['windows']} on a Windows node, "
        f"{plan.pod_capacity} on the planned nodes",
        f"room for {plan.service_capacity} services; API {plan.api_service_ip}, DNS {plan.dns_service_ip}",
    ]


def typed_plan(description: Description, typed: Typed) -> NetworkPlan:
    """Return the plan of what is typed.

    Raises:
        ParamsError: when it is no description at all.
    """
    values = {**description.model_dump(exclude_none=True), **typed}
    values.pop("dns_service_ip", None)
    values.pop("worker_service_subnet", None)
    return network_plan(check_description(values, source="form"))


def problems(description: Description, typed: Typed) -> tuple[list[str], list[str]]:
    """Judge typed networks: what fails and what is worth knowing, in words.

    Args:
        description: The description whose other values hold.
        typed: Values by parameter name, as they stand in the form.
    """
    try:
        plan = typed_plan(description, typed)
    except ParamsError as error:
        return [
            part.strip() for part in str(error).splitlines()[0].removeprefix("form: ").split("; ")
        ], []
    found = plan.problems()
    fails = [finding.message for finding in found if finding.severity == "fail"]
    notes = [finding.message for finding in found if finding.severity == "warn"]
    return fails, notes if fails else [*capacity(plan), *notes]


def verdict_html(fails: list[str], notes: list[str]) -> str:
    """Return the judgement as HTML that a screen reader announces."""
    marks = [Mark(text, "failed") for text in fails] or [Mark(APART, "ok")]
    lines = [f'<div style="{style(mark.state)}">{escaped(mark)}</div>' for mark in marks]
    lines += [f"<div>{escaped(text)}</div>" for text in notes]
    return f'<div role="status">{"".join(lines)}</div>'


def yaml_lines(typed: Typed) -> str:
    """Return the typed values as lines for a parameters file."""
    return "\n".join(
        f"{name}: [{', '.join(value)}]" if isinstance(value, list) else f"{name}: {value}"
        for name, value in typed.items()
    )


def form(run: PhaseRun) -> Any:
    """Return the form where a person looks on and ipywidgets is there, and else the static table of the plan."""
    if run.interactive and find_spec("ipywidgets") is not None:
        return subnet_form(run.description)
    return static_form(run.description)


def subnet_form(description: Description) -> Any:
    """Return the form as a widget."""
    import ipywidgets as widgets

    look = {"style": {"description_width": "9em"}, "layout": widgets.Layout(width="34em")}
    inputs: dict[str, Any] = {
        name: widgets.Text(
            value=_text(getattr(description, name)),
            description=label,
            continuous_update=True,
            **look,
        )
        for name, label in FIELDS.items()
        if name != "topology"
    }
    topology = widgets.Dropdown(
        options=[(f"{name}: {meaning}", name) for name, meaning in TOPOLOGIES.items()],
        value=description.topology,
        description=FIELDS["topology"],
        **look,
    )
    verdict = widgets.HTML()
    drawing = widgets.HTML()
    lines = widgets.HTML()

    def judge(_change: Any = None) -> None:
        typed: Typed = {"topology": topology.value}
        typed |= {name: field.value.strip() for name, field in inputs.items()}
        typed["site_networks"] = split_networks(typed["site_networks"])
        fails, notes = problems(description, typed)
        verdict.value = verdict_html(fails, notes)
        try:
            drawing.value = AddressMap(typed_plan(description, typed))._repr_html_()
        except ParamsError:
            drawing.value = ""
        lines.value = "" if fails else preformatted(yaml_lines(typed))

    for field in (topology, *inputs.values()):
        field.observe(judge, names="value")
    judge()
    return widgets.VBox([topology, *inputs.values(), verdict, drawing, lines])


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def static_form(description: Description) -> StaticTable:
    """Return what the form shows when nobody can type: the values, and the judgement."""
    fails, notes = problems(description, {name: getattr(description, name) for name in FIELDS})
    rows = [(label, _text(getattr(description, name)) or "none") for name, label in FIELDS.items()]
    rows += [("✗ collides", text) for text in fails] or [("✓", APART)]
    rows += [("note", text) for text in notes]
    return StaticTable("Networks", ("what", "value"), rows)
