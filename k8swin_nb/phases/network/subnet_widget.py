"""The form for the networks as widgets, see `subnet_form`."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from k8swin_nb.phases.network.address_map import AddressMap
from k8swin_nb.phases.network.free_networks import PROPOSED, USUAL, ask_hosts
from k8swin_nb.phases.network.subnet_form import (
    APART,
    FIELDS,
    Typed,
    capacity,
    change_of,
    changed_values,
    code_of,
    free_for,
    judge,
    one_network,
    source_of_routes,
    split_networks,
    static_form,
    text_of,
    values_of,
)
from k8swin_nb.phases.network.widget_parts import (
    NOTHING_TYPED,
    Form,
    Writer,
    announced,
    button,
    choice,
    marked,
    row,
    text_field,
    wrong,
)
from k8swin_nb.plan import TOPOLOGIES
from k8swin_nb.tables import escaped
from k8swin_nb.workflow.phase_run import PhaseRun


class SubnetForm(Form):
    """Fields for the networks: what is wrong stands beside each as one types, and what is free below it."""

    def __init__(self, run: PhaseRun) -> None:
        self.run = run
        values = values_of(run.description)
        topologies = [(f"{name}: {meaning}", name) for name, meaning in TOPOLOGIES.items()]
        self.fields: dict[str, Any] = {
            name: choice(label, topologies, values[name])
            if name == "topology"
            else text_field(label, text_of(values[name]))
            for name, label in FIELDS.items()
        }
        self.problems = {name: widgets.HTML() for name in FIELDS}
        self.free = {name: self._proposed(name) for name in USUAL}
        self.source = widgets.HTML()
        self.ask = button(
            "Ask the hosts for their routes", self._ask, told="Reads, changes nothing"
        )
        self.verdict, self.drawing = widgets.HTML(), widgets.HTML()
        self.writer = Writer(self._written, self._judge)
        self._now = values
        parts: list[Any] = []
        for name, entry in self.fields.items():
            parts.append(row(entry, self.problems[name]))
            if name in self.free:
                parts.append(self.free[name])
            entry.observe(lambda _: self._judge(), names="value")
        parts += [row(self.ask, self.source), self.verdict, self.drawing, self.writer]
        super().__init__(parts, static_form(run))
        self._judge()

    def typed(self) -> Typed:
        """Return what stands in the fields."""
        values: Typed = {name: one_network(entry.value) for name, entry in self.fields.items()}
        values["site_networks"] = split_networks(self.fields["site_networks"].value)
        return values

    def _judge(self) -> None:
        typed = self.typed()
        judgement = judge(self.run.description, typed)
        for name, texts in judgement.by_field.items():
            self.problems[name].value = wrong(texts)
        lines = marked(judgement.others, "failed") or (
            "" if judgement.fails else marked([APART], "ok")
        )
        lines += marked(judgement.notes, "waiting")
        if judgement.plan and not judgement.fails:
            lines += "".join(
                f"<div>{escaped(name)}: {escaped(text)}</div>"
                for name, text in capacity(judgement.plan)
            )
        self.verdict.value = announced(lines)
        self.drawing.value = AddressMap(judgement.plan)._repr_html_() if judgement.plan else ""
        self._propose(typed)
        changed = changed_values(self._now, typed)
        if judgement.fails:
            self.writer.show(
                None, "", "What is wrong above comes first; then the change is shown here."
            )
        elif not changed:
            self.writer.show(None, "", NOTHING_TYPED)
        else:
            change, why = change_of(self.run, changed)
            self.writer.show(change, code_of(self.run, changed), why)

    def _written(self) -> None:
        self._now = self.typed()

    def _propose(self, typed: Typed) -> None:
        for name, place in self.free.items():
            found = [str(one) for one in free_for(name, self.run, typed)]
            label, *buttons = place.children
            label.value = f"{'' if found else 'nothing is '}free for the {FIELDS[name].lower()}"
            for number, taken in enumerate(buttons):
                network = found[number] if number < len(found) else ""
                taken.description, taken.tooltip = network, f"{FIELDS[name]}: {network}"
                taken.layout.display = None if network else "none"
        self.source.value = announced(escaped(source_of_routes(self.run)))

    def _proposed(self, name: str) -> Any:
        """Return a place for free networks: its buttons stay, so that one that was pressed keeps the focus."""
        buttons = [button("", lambda: None) for _ in range(PROPOSED)]
        for one in buttons:
            one.on_click(lambda pressed: setattr(self.fields[name], "value", pressed.description))
        return row(widgets.HTML(), *buttons)

    def _ask(self) -> None:
        self.source.value = announced("the hosts are asked ...")
        failed = ask_hosts(self.run)
        self._propose(self.typed())
        if failed:
            told = [f"{name} could not be asked: {why}" for name, why in failed.items()]
            self.source.value = announced(escaped(source_of_routes(self.run))) + wrong(told)
