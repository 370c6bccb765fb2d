"""Get-, Set-, New-, Remove-, Rename-, Clear-ItemProperty and Get-ItemPropertyValue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, should_process, switch
from k8swin_lab.powershell.cmdlets.listing import PATHS, item_of
from k8swin_lab.powershell.cmdlets.targets import Target, existing
from k8swin_lab.powershell.dotnet.properties import has_property, names_of, property_value
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.powershell.wildcards import wildcard

_CUSTOM = "System.Management.Automation.PSCustomObject"


def _provided(call: Call, target: Target) -> Any:
    if target.provider is None:
        raise NotSimulated(f"{call.name} on {target.shown}")
    return target.provider


def _provider_notes(target: Target) -> list[tuple[str, Any]]:
    provider = target.provider
    assert provider is not None  # noqa: S101 - the caller has looked
    base = f"Microsoft.PowerShell.Core\\{provider.name}::{provider.root}"
    parent, _, leaf = target.path.rpartition("\\")
    return [
        ("PSPath", f"{base}\\{target.path}" if target.path else base),
        ("PSParentPath", f"{base}\\{parent}" if parent else base),
        ("PSChildName", leaf),
        ("PSDrive", target.drive),
        ("PSProvider", f"Microsoft.PowerShell.Core\\{provider.name}"),
    ]


def _missing(call: Call, name: str, target: Target) -> None:
    provider = target.provider
    shown = f"{provider.root}\\{target.path}" if provider is not None else target.shown
    call.session.write_error(
        f"Property {name} does not exist at path {shown}.",
        category="InvalidArgument",
        error_id="System.Management.Automation.PSArgumentException",
        exception="System.Management.Automation.PSArgumentException",
        target=name,
    )


def _actual(properties: dict[str, Any], name: str) -> str | None:
    wanted = "" if name.lower() == "(default)" else name.lower()
    return next((key for key in properties if key.lower() in (wanted, name.lower())), None)


@TABLE.cmdlet(
    "Get-ItemProperty",
    parameters=[
        *PATHS,
        Parameter("Name", "string[]", position=1, aliases=("PSProperty",)),
        Parameter("Filter", "string"),
        Parameter("Include", "string[]"),
        Parameter("Exclude", "string[]"),
    ],
    module=MANAGEMENT,
    aliases=("gp",),
)
def get_item_property(call: Call) -> Iterator[Any]:
    for target in existing(call):
        if target.is_file_system:
            found = item_of(call, target)
            if call["Name"]:
                yield _chosen(call, found, target)
            else:
                yield found
            continue
        properties = _provided(call, target).get_property(target.path)
        if not call["Name"]:
            if properties:
                pairs = [(_shown(name), value) for name, value in properties.items()]
                yield PSObject([*pairs, *_provider_notes(target)], type_names=[_CUSTOM])
            continue
        chosen: list[tuple[str, Any]] = []
        for name in call["Name"]:
            if any(char in name for char in "*?["):
                regex = wildcard(name)
                chosen += [(_shown(k), v) for k, v in properties.items() if regex.fullmatch(k)]
                continue
            key = _actual(properties, name)
            if key is None:
                _missing(call, name, target)
            else:
                chosen.append((_shown(key), properties[key]))
        if chosen:
            yield PSObject([*chosen, *_provider_notes(target)], type_names=[_CUSTOM])


def _shown(name: str) -> str:
    return name or "(default)"


def _chosen(call: Call, found: Any, target: Target) -> PSObject:
    pairs: list[tuple[str, Any]] = []
    for name in call["Name"]:
        regex = wildcard(name)
        matches = [n for n in names_of(found) if regex.fullmatch(n)]
        if not matches:
            _missing(call, name, target)
        pairs += [(n, property_value(call.session, found, n)) for n in matches]
    return PSObject(pairs, type_names=[_CUSTOM])


@TABLE.cmdlet(
    "Get-ItemPropertyValue",
    parameters=[
        *PATHS,
        Parameter("Name", "string[]", position=1, aliases=("PSProperty",), mandatory=True),
    ],
    module=MANAGEMENT,
    aliases=("gpv",),
)
def get_item_property_value(call: Call) -> Iterator[Any]:
    for target in existing(call):
        found = item_of(call, target) if target.is_file_system else None
        properties = {} if found is not None else _provided(call, target).get_property(target.path)
        for name in call["Name"]:
            if found is not None:
                if not has_property(found, name):
                    _missing(call, name, target)
                else:
                    yield property_value(call.session, found, name)
                continue
            key = _actual(properties, name)
            if key is None:
                _missing(call, name, target)
            else:
                yield properties[key]


_CHANGE = [
    *PATHS,
    Parameter("Name", "string", position=1, aliases=("PSProperty",), pipeline="property"),
    Parameter("Value", "object", position=2, pipeline="property"),
    Parameter("Type", "string", pipeline="property"),
    switch("Force"),
    switch("PassThru"),
    Parameter("InputObject", "object", pipeline="value"),
]


@TABLE.cmdlet(
    "Set-ItemProperty", parameters=_CHANGE, module=MANAGEMENT, aliases=("sp",), should_process=True
)
def set_item_property(call: Call) -> Iterator[Any]:
    for target in existing(call):
        pairs = [(call["Name"], call["Value"])] if call["Name"] is not None else []
        if not pairs and isinstance(call["InputObject"], PSObject):
            pairs = list(call["InputObject"].properties.items())
        for name, value in pairs:
            if not should_process(call, "Set Property", f"Item: {target.shown} Property: {name}"):
                continue
            if target.is_file_system:
                dotnet.set_member(item_of(call, target), name, value)
            else:
                _set(call, target, name, value)
        if call["PassThru"]:
            yield PSObject(
                [*pairs, *(_provider_notes(target) if target.provider else [])],
                type_names=[_CUSTOM],
            )


def _set(call: Call, target: Target, name: str, value: Any) -> None:
    key = "" if name.lower() == "(default)" else name
    try:
        _provided(call, target).set_property(
            target.path, key, value, call["PropertyType"] or call["Type"]
        )
    except PermissionError as error:
        raise Terminating(
            "Requested registry access is not allowed.",
            exception="System.Security.SecurityException",
            category="PermissionDenied",
            error_id="System.Security.SecurityException",
            target=target.shown,
        ) from error


_NEW = [
    Parameter("PropertyType", "string", aliases=("Type",), pipeline="property"),
    *(p for p in _CHANGE if p.name not in ("Type", "PassThru", "InputObject")),
]


@TABLE.cmdlet("New-ItemProperty", parameters=_NEW, module=MANAGEMENT, should_process=True)
def new_item_property(call: Call) -> Iterator[Any]:
    for target in existing(call):
        name = call["Name"]
        if not should_process(call, "New Property", f"Item: {target.shown} Property: {name}"):
            continue
        provider = _provided(call, target)
        if _actual(provider.get_property(target.path), name) is not None and not call["Force"]:
            call.session.write_error(
                "The property already exists.",
                category="ResourceExists",
                error_id="System.IO.IOException",
                exception="System.IO.IOException",
                target=target.shown,
            )
            continue
        _set(call, target, name, call["Value"])
        stored = provider.get_property(target.path)
        key = _actual(stored, name)
        yield PSObject(
            [(_shown(name), stored.get(key or "")), *_provider_notes(target)], type_names=[_CUSTOM]
        )


@TABLE.cmdlet(
    "Remove-ItemProperty",
    parameters=[
        *PATHS,
        Parameter("Name", "string[]", position=1, aliases=("PSProperty",), mandatory=True),
        switch("Force"),
    ],
    module=MANAGEMENT,
    aliases=("rp",),
    should_process=True,
)
def remove_item_property(call: Call) -> None:
    for target in existing(call):
        provider = _provided(call, target)
        for name in call["Name"]:
            key = _actual(provider.get_property(target.path), name)
            if key is None:
                _missing(call, name, target)
            elif should_process(call, "Remove Property", f"Item: {target.shown} Property: {name}"):
                provider.remove_property(target.path, key)


@TABLE.cmdlet(
    "Rename-ItemProperty",
    parameters=[
        *PATHS,
        Parameter("Name", "string", position=1, mandatory=True),
        Parameter("NewName", "string", position=2, mandatory=True),
        switch("Force"),
        switch("PassThru"),
    ],
    module=MANAGEMENT,
    aliases=("rnp",),
    should_process=True,
)
def rename_item_property(call: Call) -> None:
    for target in existing(call):
        provider = _provided(call, target)
        properties = provider.get_property(target.path)
        key = _actual(properties, call["Name"])
        if key is None:
            _missing(call, call["Name"], target)
        elif should_process(call, "Rename Property", f"Item: {target.shown} Property: {key}"):
            provider.set_property(target.path, call["NewName"], properties[key])
            provider.remove_property(target.path, key)
