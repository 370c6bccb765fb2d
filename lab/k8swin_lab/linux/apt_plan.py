"""What apt is going to do: packages to install with all they need, packages that have to go."""

from __future__ import annotations

from dataclasses import dataclass, field

from k8swin_lab.linux import apt_sources
from k8swin_lab.linux.apt_sources import Offer
from k8swin_lab.machines.installed import satisfies
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process


@dataclass(slots=True)
class Plan:
    """What a command would do."""

    install: list[Offer] = field(default_factory=list)
    automatic: set[str] = field(default_factory=set)
    remove: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class AptError(Exception):
    """Text for standard error; the command ends with 100."""


def resolve(process: Process, machine: LinuxMachine, offered: list[Offer], plan: Plan) -> None:
    """Add what is needed, and note what has to go."""
    chosen = {offer.name: offer for offer in plan.install}
    waiting = list(plan.install)
    unmet: list[str] = []
    while waiting:
        offer = waiting.pop(0)
        for group in offer.relations("Depends"):
            if any(_is_there(machine, chosen, relation) for relation in group):
                continue
            found = next(
                (
                    one
                    for relation in group
                    if (one := apt_sources.best(apt_sources.matching(offered, relation)))
                ),
                None,
            )
            if found is None:
                name, operator, version = group[0]
                shown = f"{name} ({operator} {version})" if operator else name
                unmet.append(f" {offer.name} : Depends: {shown} but it is not installable")
                continue
            chosen[found.name] = found
            plan.automatic.add(found.name)
            plan.install.append(found)
            waiting.append(found)
        for group in offer.relations("Conflicts"):
            for name, _, _ in group:
                if name != offer.name and machine.installed.get(name):
                    plan.remove.append(name)
    if unmet:
        process.out(
            "Some packages could not be installed. This may mean that you have\n"
            "requested an impossible situation or if you are using the unstable\n"
            "distribution that some required packages have not yet been created\n"
            "or been moved out of Incoming.\n"
            "The following information may help to resolve the situation:\n\n"
            "The following packages have unmet dependencies:\n" + "\n".join(unmet) + "\n"
        )
        raise AptError("E: Unable to correct problems, you have held broken packages.")


def _is_there(
    machine: LinuxMachine, chosen: dict[str, Offer], relation: tuple[str, str, str]
) -> bool:
    name, operator, version = relation
    if name in chosen:
        return not operator or satisfies(chosen[name].version, operator, version)
    if any(
        name == one
        for offer in chosen.values()
        for group in offer.relations("Provides")
        for one, _, _ in group
    ):
        return True
    found = machine.installed.provider(name)
    if found is None:
        return False
    own = found.package.name == name
    return not operator or not own or satisfies(found.package.version, operator, version)


def dependents(machine: LinuxMachine, names: list[str]) -> list[str]:
    found = []
    for name, one in list(machine.installed.table.items()):
        if one.removed or name in names:
            continue
        if any(depend.split()[0] in names for depend in one.package.depends):
            found.append(name)
    return found
