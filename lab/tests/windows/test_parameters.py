"""Every parameter that a simulated cmdlet takes is read by what runs it, or refused by name."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.powershell import builtin, cmdlets
from k8swin_lab.powershell.api import Cmdlet, CommandTable, Parameter
from k8swin_lab.windows.cmdlet_table import command_table

from .conftest import Result

WINDOWS = command_table(hns=True).cmdlets
BY_THE_ENGINE = {
    "ForEach-Object", "Where-Object", "Invoke-Command", "Invoke-Expression", "Out-Default", "Out-Host",
}  # fmt: skip
"""Their bodies stand for what the pipeline itself does."""
_ASKS_NOTHING = "nothing of the lab asks before it acts, and nobody is logged on at the console"
_EVERYTHING = "it gives everything already when nothing is named"
NO_DIFFERENCE: dict[tuple[str, str], str] = {
    **{(f"{verb}-MpPreference", "Force"): _ASKS_NOTHING for verb in ("Add", "Set", "Remove")},
    ("Rename-Computer", "Force"): _ASKS_NOTHING,
    ("Restart-Computer", "Force"): _ASKS_NOTHING,
    ("Stop-Computer", "Force"): _ASKS_NOTHING,
    ("Set-ExecutionPolicy", "Force"): _ASKS_NOTHING,
    ("Stop-Process", "Force"): _ASKS_NOTHING,
    **{(f"Get-NetFirewall{kind}", "All"): _EVERYTHING
       for kind in ("Rule", "Profile", "PortFilter", "AddressFilter", "ApplicationFilter", "ServiceFilter")},
    ("Get-NetIPInterface", "IncludeAllCompartments"): "all adapters of the host are in its first compartment",
    ("Get-NetRoute", "IncludeAllCompartments"): "all adapters of the host are in its first compartment",
    ("Enable-WindowsOptionalFeature", "All"): "no feature of the lab needs another",
    ("Invoke-WebRequest", "UseBasicParsing"): "an answer of the lab is never parsed by Internet Explorer",
    ("Invoke-RestMethod", "UseBasicParsing"): "an answer of the lab is never parsed by Internet Explorer",
    ("Invoke-WebRequest", "DisableKeepAlive"): "each request of the lab has a connection of its own",
    ("Invoke-RestMethod", "DisableKeepAlive"): "each request of the lab has a connection of its own",
    **{("Start-BitsTransfer", name): "every transfer is refused before it is looked at"
       for name in ("Source", "Destination", "DisplayName", "Priority")},
    ("ConvertTo-Csv", "UseCulture"): "the list separator of en-US is the comma",
    ("Export-Csv", "UseCulture"): "the list separator of en-US is the comma",
    ("Format-List", "Force"): "objects of the lab hide nothing",
    ("Format-Table", "Force"): "objects of the lab hide nothing",
    ("Resolve-DnsName", "DnsOnly"): "no name of the lab is found by LLMNR or NetBIOS",
    ("Set-ItemProperty", "Force"): "values of the lab's registry are protected by nothing",
    ("Start-Process", "WindowStyle"): "no program of the lab has a window",
}  # fmt: skip
"""What is taken and changes nothing, because nothing in the lab could show the difference, each with its reason."""


@cache
def functions_of(module: ModuleType) -> dict[tuple[int, str], ast.AST]:
    """The syntax of every function of a module, by its first line and its name."""
    found: dict[tuple[int, str], ast.AST] = {}
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[first, node.name] = node
        elif isinstance(node, ast.Lambda):
            found[node.lineno, "<lambda>"] = node
    return found


@cache
def module_of(function: FunctionType) -> ModuleType | None:
    return inspect.getmodule(function)


@cache
def own(function: FunctionType) -> tuple[frozenset[str], frozenset[str]] | None:
    """The texts of a function, and the names that it uses."""
    module = module_of(function)
    if module is None:
        return None
    node = functions_of(module).get((function.__code__.co_firstlineno, function.__code__.co_name))
    if node is None:
        return None
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return frozenset(texts_in(node)), frozenset(names)


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
    known = own(function)
    if known is None:
        return set()
    found = set(known[0])
    for name in known[1]:
        target = function.__globals__.get(name)
        if isinstance(target, type) and target.__module__.startswith("k8swin_lab"):
            for method in vars(target).values():
                if isinstance(method, FunctionType):
                    found |= reads(method, seen)
        if isinstance(target, FunctionType) and target.__module__.startswith("k8swin_lab"):
            found |= reads(target, seen)
        elif isinstance(target, tuple | dict):
            found |= {item for item in target if isinstance(item, str)}
    for cell in function.__closure__ or ():
        if isinstance(cell.cell_contents, FunctionType):
            found |= reads(cell.cell_contents, seen)
    return found


def ignored(cmdlet: Cmdlet) -> list[str]:
    """Parameters that nothing reads."""
    body = inspect.unwrap(cmdlet.body)
    assert isinstance(body, FunctionType)
    found = reads(body, set())
    if isinstance(cmdlet.end, FunctionType):
        found |= reads(cmdlet.end, set())
    fragments = tuple(text for text in found if len(text) > 5)
    return [
        p.name for p in cmdlet.parameters
        if p.simulated and p.name not in found and not p.name.startswith(fragments) and (cmdlet.name, p.name) not in NO_DIFFERENCE
    ]  # fmt: skip


def language() -> dict[str, Cmdlet]:
    """The cmdlets that belong to PowerShell itself."""
    found: dict[str, Cmdlet] = {}
    for package in (builtin, cmdlets):
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for value in vars(module).values():
                if isinstance(value, CommandTable):
                    found |= value.cmdlets
    return found


LANGUAGE = {name: cmdlet for name, cmdlet in language().items() if cmdlet.name not in BY_THE_ENGINE}


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_no_parameter_of_windows_is_taken_and_ignored(name: str) -> None:
    assert ignored(WINDOWS[name]) == []


@pytest.mark.parametrize("name", sorted(LANGUAGE))
def test_no_parameter_of_the_language_is_taken_and_ignored(name: str) -> None:
    assert ignored(LANGUAGE[name]) == []


def test_a_parameter_that_nothing_reads_is_noticed() -> None:
    def body(call: Any) -> None:
        """Reads one of two."""
        call["Path"]

    assert ignored(Cmdlet("Get-Thing", (Parameter("Path"), Parameter("Depth")), body)) == ["Depth"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("Get-NetFirewallRule -PolicyStore X", "Get-NetFirewallRule -PolicyStore"),
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


def test_a_name_is_found_by_dns_alone(run: Callable[[str], Result]) -> None:
    ask = "(Resolve-DnsName -Name {} -Type A -DnsOnly -ErrorAction Stop).IPAddress"
    found = run(f'powershell -NoProfile -Command "{ask.format("localhost")}"')
    assert (found.code, found.out) == (0, "127.0.0.1\r\n")
    hosts = r"C:\Windows\System32\drivers\etc\hosts"
    run(f"powershell -NoProfile -Command \"Add-Content {hosts} '10.1.0.9 box.example'\"")
    ask_file = (
        "(Resolve-DnsName box.example -NoHostsFile:${} -ErrorAction SilentlyContinue).IPAddress"
    )
    assert [
        run(f'powershell -NoProfile -Command "{ask_file.format(without)}"').out
        for without in ("false", "true")
    ] == ["10.1.0.9\r\n", ""]
    unknown = run(f'powershell -NoProfile -Command "{ask.format("nobody.example")}"')
    assert unknown.code != 0
    assert "DNS name does not exist" in unknown.out + unknown.err
