"""Every parameter that a simulated cmdlet takes is read by what runs it, or refused by name."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from k8swin_nb.lab.machines.windows import WindowsMachine
from k8swin_nb.lab.powershell.api import Cmdlet
from k8swin_nb.lab.windows.catalogue import command_table

from .conftest import Result

WINDOWS = command_table(hns=True).cmdlets
_ASKS_NOTHING = "nothing of the lab asks before it acts, and nobody is logged on at the console"
_EVERYTHING = "it gives everything already when nothing is named"
NO_DIFFERENCE: dict[tuple[str, str], str] = {
    **{(f"{verb}-MpPreference", "Force"): _ASKS_NOTHING for verb in ("Add", "Set", "Remove")},
    ("Rename-Computer", "Force"): _ASKS_NOTHING,
    ("Restart-Computer", "Force"): _ASKS_NOTHING,
    ("Stop-Computer", "Force"): _ASKS_NOTHING,
    ("Stop-Process", "Force"): _ASKS_NOTHING,
    **{(f"Get-NetFirewall{kind}", "All"): _EVERYTHING
       for kind in ("Rule", "Profile", "PortFilter", "AddressFilter", "ApplicationFilter")},
    ("Get-NetIPInterface", "IncludeAllCompartments"): "all adapters of the host are in its first compartment",
    ("Get-NetRoute", "IncludeAllCompartments"): "all adapters of the host are in its first compartment",
    ("Enable-WindowsOptionalFeature", "All"): "no feature of the lab needs another",
    ("Invoke-WebRequest", "UseBasicParsing"): "an answer of the lab is never parsed by Internet Explorer",
    ("Invoke-RestMethod", "UseBasicParsing"): "an answer of the lab is never parsed by Internet Explorer",
    ("Invoke-WebRequest", "DisableKeepAlive"): "each request of the lab has a connection of its own",
    ("Invoke-RestMethod", "DisableKeepAlive"): "each request of the lab has a connection of its own",
    **{("Start-BitsTransfer", name): "every transfer is refused before it is looked at"
       for name in ("Source", "Destination", "DisplayName", "Priority")},
    ("Start-Process", "WindowStyle"): "no program of the lab has a window",
}  # fmt: skip
"""What is taken and changes nothing, because nothing in the lab could show the difference, each with its reason."""


@cache
def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def node_of(function: FunctionType) -> ast.AST | None:
    """The syntax of a function, found by its line."""
    module = inspect.getmodule(function)
    if module is None:
        return None
    kinds = (ast.FunctionDef, ast.Lambda)
    line, name = function.__code__.co_firstlineno, function.__code__.co_name
    for node in ast.walk(tree_of(module)):
        first = getattr(node, "lineno", 0)
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            first = min(first, *(d.lineno for d in node.decorator_list))
        if (
            isinstance(node, kinds)
            and first == line
            and (getattr(node, "name", "<lambda>") == name)
        ):
            return node
    return None


def texts_in(node: ast.AST) -> Iterator[str]:
    """Texts by which a call may be asked for a parameter: not keys of a dict, not parts of an f-string alone."""
    keys = {
        id(key)
        for found in ast.walk(node)
        if isinstance(found, ast.Dict)
        for key in found.keys
        if key is not None
    }
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in (
            "cim",
            "record",
            "PSObject",
        ):
            columns = [
                n for given in call.args if isinstance(given, ast.List) for n in ast.walk(given)
            ]
            keys |= {id(column) for column in columns}
    for found in ast.walk(node):
        if (
            isinstance(found, ast.Constant)
            and isinstance(found.value, str)
            and id(found) not in keys
        ):
            yield found.value


def reads(function: FunctionType, seen: set[Any]) -> set[str]:
    """All such texts of a function and of the lab's functions that it calls."""
    if function in seen:
        return set()
    seen.add(function)
    node = node_of(function)
    if node is None:
        return set()
    found = set(texts_in(node))
    for name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }:
        target = function.__globals__.get(name)
        if isinstance(target, FunctionType) and target.__module__.startswith("k8swin_nb.lab"):
            found |= reads(target, seen)
        elif isinstance(target, tuple | dict):
            found |= {item for item in target if isinstance(item, str)}
    for cell in function.__closure__ or ():
        if isinstance(cell.cell_contents, FunctionType):
            found |= reads(cell.cell_contents, seen)
    return found


def ignored(cmdlet: Cmdlet) -> list[str]:
    """Parameters that nothing reads."""
    body = cmdlet.body
    assert isinstance(body, FunctionType)
    found = reads(body, set())
    if isinstance(cmdlet.end, FunctionType):
        found |= reads(cmdlet.end, set())
    fragments = tuple(text for text in found if len(text) > 5)
    return [
        p.name for p in cmdlet.parameters
        if p.simulated and p.name not in found and not p.name.startswith(fragments) and (cmdlet.name, p.name) not in NO_DIFFERENCE
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_no_parameter_is_taken_and_ignored(name: str) -> None:
    assert ignored(WINDOWS[name]) == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("Get-NetFirewallRule -PolicyStore ActiveStore", "Get-NetFirewallRule -PolicyStore"),
        ("Get-HnsNetwork -Detailed", "Get-HnsNetwork -Detailed"),
        ("Remove-NetRoute -AddressFamily IPv6", "Remove-NetRoute -AddressFamily IPv6"),
        ("Resolve-DnsName linuxmaster -Type MX", "Resolve-DnsName -Type MX"),
    ],
)
def test_what_has_no_effect_is_refused_by_name(
    machine: WindowsMachine, run: Callable[[str], Result], line: str, named: str
) -> None:
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.features.apply_pending()
    refused = run(f'powershell -NoProfile -Command "{line}"')
    assert f"not simulated in the lab: {named}" in refused.out + refused.err
    assert refused.code != 0


def test_a_switch_that_is_off_is_no_option(run: Callable[[str], Result]) -> None:
    assert (
        run(
            'powershell -NoProfile -Command "(Get-NetIPConfiguration -Detailed:$false).InterfaceAlias"'
        ).out
        == "Ethernet\r\n"
    )
