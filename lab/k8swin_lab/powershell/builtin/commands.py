"""Get-Command and aliases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.known import commands
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.builtin.table import TABLE, session
from k8swin_lab.powershell.resolution import CommandInfo, Resolution
from k8swin_lab.powershell.scopes import Scope
from k8swin_lab.powershell.wildcards import wildcard

_CORE = "Microsoft.PowerShell.Core"
_UTILITY = "Microsoft.PowerShell.Utility"


@TABLE.cmdlet(
    "Get-Command",
    parameters=[
        Parameter("Name", "string[]", position=0, pipeline="both"),
        Parameter("CommandType", "string[]", aliases=("Type",)),
        Parameter("Module", "string[]", aliases=("PSSnapin",)),
        Parameter("Noun", "string[]"),
        Parameter("Verb", "string[]"),
        Parameter("All", "switch"),
        Parameter("Syntax", "switch"),
        Parameter("ListImported", "switch"),
        Parameter("TotalCount", "int"),
    ],
    module=_CORE,
    aliases=("gcm",),
)
def get_command(call: Call) -> Iterator[Any]:
    """What commands there are."""
    if call["Syntax"]:
        raise NotSimulated("Get-Command -Syntax")
    interp = session(call)
    scope = interp.current_scope()
    kinds = {k.strip().lower() for item in call["CommandType"] or [] for k in item.split(",")} - {
        "all"
    }
    for name in call["Name"] or ["*"]:
        if (
            any(c in name for c in "*?[")
            or call.bound("Noun")
            or call.bound("Verb")
            or call.bound("Module")
        ):
            yield from _matching(call, interp, scope, name, kinds)
            continue
        found = interp.command_info(scope, name)
        if found is not None and (
            not kinds or str(found.properties["CommandType"]).lower() in kinds
        ):
            yield found
            continue
        interp.refuse(name)
        call.session.write_error(
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is "
            "correct and try again.",
            category="ObjectNotFound",
            error_id="CommandNotFoundException",
            target=name,
            exception="System.Management.Automation.CommandNotFoundException",
        )


def _matching(
    call: Call, interp: Resolution, scope: Scope, name: str, kinds: set[str]
) -> Iterator[CommandInfo]:
    names: dict[str, str] = {}
    for at in scope.chain():
        for folded, function in (at.functions or {}).items():
            names.setdefault(folded, function.name)
    for table in interp.tables:
        for folded, cmdlet in table.cmdlets.items():
            names.setdefault(folded, cmdlet.name)
    elsewhere = {
        folded: known
        for folded, known in commands.commands().items()
        if folded not in names and interp.has_module(known.module)
    }
    names.update((folded, known.name) for folded, known in elsewhere.items())
    pattern = wildcard(name)
    for key, full in sorted(names.items()):
        verb, _, noun = full.partition("-")
        if not pattern.fullmatch(full):
            continue
        if not _one_of(noun, call["Noun"]) or not _one_of(verb, call["Verb"]):
            continue
        command = interp.find_command(scope, full)
        if command is not None:
            described = interp.describe(command)
        elif key in elsewhere:  # calling what is described here is refused
            module = elsewhere[key].module
            described = CommandInfo(
                "Cmdlet", full, full, [("Source", module), ("ModuleName", module)]
            )
        else:
            continue
        if not _one_of(str(described.properties.get("ModuleName") or ""), call["Module"]):
            continue
        if not kinds or str(described.properties["CommandType"]).lower() in kinds:
            yield described


def _one_of(text: str, patterns: Any) -> bool:
    return not patterns or any(wildcard(p).fullmatch(text) for p in patterns)


_ALIAS = [
    Parameter("Name", "string", position=0, mandatory=True, pipeline="property"),
    Parameter("Value", "string", position=1, mandatory=True, pipeline="property"),
    Parameter("Scope", "string"),
    Parameter("Option", "string[]", simulated=False),
    Parameter("Description", "string", simulated=False),
    Parameter("Force", "switch", simulated=False),
    Parameter("PassThru", "switch"),
]


def _set_alias(call: Call) -> Iterator[Any]:
    interp = session(call)
    scope = interp.current_scope()
    if call.bound("Scope"):
        scope = scope.at(call["Scope"], interp.global_scope)
    scope.define_alias(call["Name"], call["Value"])
    if call["PassThru"]:
        found = interp.command_info(scope, call["Name"])
        if found is not None:
            yield found


TABLE.cmdlet("Set-Alias", parameters=_ALIAS, module=_UTILITY, aliases=("sal",))(_set_alias)
TABLE.cmdlet("New-Alias", parameters=_ALIAS, module=_UTILITY, aliases=("nal",))(_set_alias)


@TABLE.cmdlet(
    "Get-Alias",
    parameters=[
        Parameter("Name", "string[]", position=0, pipeline="both"),
        Parameter("Definition", "string[]"),
        Parameter("Scope", "string"),
    ],
    module=_UTILITY,
    aliases=("gal",),
)
def get_alias(call: Call) -> Iterator[Any]:
    """Aliases, by name or by what they stand for."""
    interp = session(call)
    aliases = interp.drives["alias"]
    if call.bound("Definition"):
        for name, target in aliases.items():
            if _one_of(target, call["Definition"]):
                yield _alias(interp, name, target)
        return
    for wanted in call["Name"] or ["*"]:
        matching = [n for n in aliases if wildcard(wanted).fullmatch(n)]
        if not matching and not any(c in wanted for c in "*?["):
            call.session.write_error(
                f"This command cannot find a matching alias because an alias with the name '{wanted}' does not "
                "exist.",
                category="ObjectNotFound",
                error_id="ItemNotFoundException",
                target=wanted,
                exception="System.Management.Automation.ItemNotFoundException",
            )
        for name in matching:
            yield _alias(interp, name, aliases[name])


def _alias(interp: Resolution, name: str, target: str) -> CommandInfo:
    return CommandInfo(
        "Alias",
        name,
        target,
        [
            ("Definition", target),
            ("ResolvedCommandName", target),
            ("ReferencedCommand", target),
            ("Source", ""),
            ("DisplayName", f"{name} -> {target}"),
        ],
    )
