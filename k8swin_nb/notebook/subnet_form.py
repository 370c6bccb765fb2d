"""A form for the networks that says, while one types, what would collide. A view over `k8swin_nb.plan`.

Nothing later in a notebook reads it: papermill never clicks. Headless it is the static table of the plan.
"""

from __future__ import annotations

import html
from importlib.util import find_spec
from typing import Any

from k8swin_nb.errors import ParamsError
from k8swin_nb.notebook.address_map import AddressMap
from k8swin_nb.notebook.stream import is_interactive
from k8swin_nb.notebook.tables import TOPOLOGIES, StaticTable
from k8swin_nb.params import ClusterParams, check_params
from k8swin_nb.plan import NetworkPlan, network_plan

FIELDS = {
    "topology": "Topology",
    "pod_subnet": "Pod network",
    "service_subnet": "Service network",
    "host_subnet": "Hosts' network",
    "site_networks": "Site networks",
}

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


def typed_plan(params: ClusterParams, typed: Typed) -> NetworkPlan:
    """Return the plan of what is typed.

    Raises:
        ParamsError: when it is no description at all.
    """
    values = {**params.model_dump(exclude_none=True), **typed}
    values.pop("dns_service_ip", None)
    values.pop("worker_service_subnet", None)
    return network_plan(check_params(values, source="form"))


def problems(params: ClusterParams, typed: Typed) -> tuple[list[str], list[str]]:
    """Judge typed networks: what fails and what is worth knowing, in words.

    Args:
        params: The description whose other values hold.
        typed: Values by parameter name, as they stand in the form.
    """
    try:
        plan = typed_plan(params, typed)
    except ParamsError as error:
        return [
            part.strip() for part in str(error).splitlines()[0].removeprefix("form: ").split("; ")
        ], []
    found = plan.findings()
    fails = [finding.message for finding in found if finding.severity == "fail"]
    notes = [finding.message for finding in found if finding.severity == "warn"]
    return fails, notes if fails else [*capacity(plan), *notes]


def verdict_html(fails: list[str], notes: list[str]) -> str:
    """Return the judgement as HTML that a screen reader announces."""
    lines = [f'<div style="color:#cf222e">✗ {html.escape(text)}</div>' for text in fails]
    if not fails:
        lines.append('<div style="color:#1a7f37">✓ these networks do not collide</div>')
    lines += [f"<div>{html.escape(text)}</div>" for text in notes]
    return f'<div role="status">{"".join(lines)}</div>'


def yaml_lines(typed: Typed) -> str:
    """Return the typed values as lines for a parameters file."""
    return "\n".join(
        f"{name}: [{', '.join(value)}]" if isinstance(value, list) else f"{name}: {value}"
        for name, value in typed.items()
    )


def subnet_form(params: ClusterParams) -> Any:
    """Return the form; headless, and where ipywidgets is not installed, the static table of the plan."""
    if not is_interactive() or find_spec("ipywidgets") is None:
        return static_form(params)
    import ipywidgets as widgets

    look = {"style": {"description_width": "9em"}, "layout": widgets.Layout(width="34em")}
    inputs: dict[str, Any] = {
        name: widgets.Text(
            value=_text(getattr(params, name)), description=label, continuous_update=True, **look
        )
        for name, label in FIELDS.items()
        if name != "topology"
    }
    topology = widgets.Dropdown(
        options=[(f"{name}: {meaning}", name) for name, meaning in TOPOLOGIES.items()],
        value=params.topology,
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
        fails, notes = problems(params, typed)
        verdict.value = verdict_html(fails, notes)
        try:
            drawing.value = AddressMap(typed_plan(params, typed))._repr_html_()
        except ParamsError:
            drawing.value = ""
        lines.value = "" if fails else f"<pre>{html.escape(yaml_lines(typed))}</pre>"

    for field in (topology, *inputs.values()):
        field.observe(judge, names="value")
    judge()
    return widgets.VBox([topology, *inputs.values(), verdict, drawing, lines])


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def static_form(params: ClusterParams) -> StaticTable:
    """Return what the form shows when nobody can type: the values, and the judgement."""
    fails, notes = problems(params, {name: getattr(params, name) for name in FIELDS})
    rows = [(label, _text(getattr(params, name)) or "none") for name, label in FIELDS.items()]
    rows += [("✗ collides", text) for text in fails] or [("✓", "these networks do not collide")]
    rows += [("note", text) for text in notes]
    return StaticTable("Networks", ("what", "value"), rows)
