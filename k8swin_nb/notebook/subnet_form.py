"""A form for the networks that says, while one types, what would collide. A view over `k8swin_nb.plan`.

Nothing later in a notebook reads it: papermill never clicks. Headless it is the static table of the plan.
"""

from __future__ import annotations

import html
from typing import Any

from k8swin_nb.errors import ParamsError
from k8swin_nb.notebook.stream import is_interactive
from k8swin_nb.notebook.tables import StaticTable
from k8swin_nb.params import ClusterParams, check_params
from k8swin_nb.plan import network_plan

FIELDS = {
    "pod_subnet": "Pod network",
    "service_subnet": "Service network",
    "host_subnet": "Hosts' network",
}


def problems(params: ClusterParams, typed: dict[str, str]) -> tuple[list[str], list[str]]:
    """Judge typed networks: what fails and what is worth knowing, in words.

    Args:
        params: The description whose other values hold.
        typed: Text by parameter name, as it stands in the form.
    """
    values = {**params.model_dump(exclude_none=True), **typed}
    values.pop("dns_service_ip", None)
    values.pop("worker_service_subnet", None)
    try:
        plan = network_plan(check_params(values, source="form"))
    except ParamsError as error:
        return [
            part.strip() for part in str(error).splitlines()[0].removeprefix("form: ").split("; ")
        ], []
    found = plan.findings()
    fails = [finding.message for finding in found if finding.severity == "fail"]
    notes = [finding.message for finding in found if finding.severity == "warn"]
    if not fails:
        notes.insert(
            0,
            f"room for {plan.node_capacity} nodes; API service {plan.api_service_ip}, "
            f"DNS service {plan.dns_service_ip}",
        )
    return fails, notes


def verdict_html(fails: list[str], notes: list[str]) -> str:
    """Return the judgement as HTML that a screen reader announces."""
    lines = [f'<div style="color:#cf222e">✗ {html.escape(text)}</div>' for text in fails]
    if not fails:
        lines.append('<div style="color:#1a7f37">✓ these networks do not collide</div>')
    lines += [f"<div>{html.escape(text)}</div>" for text in notes]
    return f'<div role="status">{"".join(lines)}</div>'


def yaml_lines(typed: dict[str, str]) -> str:
    """Return the typed networks as lines for a parameters file."""
    return "\n".join(f"{name}: {value}" for name, value in typed.items())


def subnet_form(params: ClusterParams) -> Any:
    """Return the form, or headless the static table of the plan."""
    if not is_interactive():
        return static_form(params)
    import ipywidgets as widgets

    inputs = {
        name: widgets.Text(
            value=getattr(params, name),
            description=label,
            continuous_update=True,
            style={"description_width": "9em"},
            layout=widgets.Layout(width="24em"),
        )
        for name, label in FIELDS.items()
    }
    verdict = widgets.HTML()
    lines = widgets.HTML()

    def judge(_change: Any = None) -> None:
        typed = {name: field.value.strip() for name, field in inputs.items()}
        fails, notes = problems(params, typed)
        verdict.value = verdict_html(fails, notes)
        text = "" if fails else f"<pre>{html.escape(yaml_lines(typed))}</pre>"
        lines.value = text

    for field in inputs.values():
        field.observe(judge, names="value")
    judge()
    return widgets.VBox([*inputs.values(), verdict, lines])


def static_form(params: ClusterParams) -> StaticTable:
    """Return what the form shows when nobody can type: the values, and the judgement."""
    fails, notes = problems(params, {name: getattr(params, name) for name in FIELDS})
    rows = [(label, getattr(params, name)) for name, label in FIELDS.items()]
    rows += [("✗ collides", text) for text in fails] or [("✓", "these networks do not collide")]
    rows += [("note", text) for text in notes]
    return StaticTable("Networks", ("what", "value"), rows)
