"""Add-Member and Get-Member."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, inputs, switch
from k8swin_lab.powershell.dotnet import extended, psobject
from k8swin_lab.powershell.dotnet.names import literal_name
from k8swin_lab.powershell.dotnet.properties import collapse
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import Hashtable, PSObject
from k8swin_lab.powershell.wildcards import wildcard

_KINDS = (
    "AliasProperty", "CodeProperty", "Property", "NoteProperty", "ScriptProperty", "Properties", "PropertySet", "Method",
    "CodeMethod", "ScriptMethod", "Methods", "ParameterizedProperty", "MemberSet", "Event", "Dynamic", "All",
)  # fmt: skip
"""The names of PSMemberTypes."""
_MADE = ("noteproperty", "scriptproperty", "aliasproperty", "scriptmethod")


def _is_kind(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in {kind.lower() for kind in _KINDS}


def _no_kind(text: str) -> Terminating:
    return Terminating(
        f"Cannot bind parameter 'MemberType'. Cannot convert value \"{text}\" to type "
        '"System.Management.Automation.PSMemberTypes". Error: "Unable to match the identifier name '
        f"{text} to a valid enumerator name. Specify one of the following enumerator names and try again:\n"
        f'{", ".join(_KINDS)}"',
        exception="System.Management.Automation.ParameterBindingException",
        category="InvalidArgument",
        error_id="CannotConvertArgumentNoMessage,Microsoft.PowerShell.Commands.AddMemberCommand",
    )


@TABLE.cmdlet(
    "Add-Member",
    parameters=[
        Parameter("MemberType", "object", position=0, aliases=("Type",)),
        Parameter("Name", "object", position=1),
        Parameter("Value", "object", position=2),
        Parameter("SecondValue", "object", position=3),
        Parameter("TypeName", "string"),
        Parameter("NotePropertyName", "string"),
        Parameter("NotePropertyValue", "object"),
        Parameter("NotePropertyMembers", "object"),
        switch("Force"),
        switch("PassThru"),
        Parameter("InputObject", "object", mandatory=True, pipeline="value"),
    ],
    module=UTILITY,
)
def add_member(call: Call) -> Iterator[Any]:
    item = call["InputObject"]
    kind, named = call["MemberType"], call.bound("Value")
    if isinstance(kind, Hashtable):  # by position: the members themselves, or one's name and value
        for name, value in kind.items():
            item = _add(call, item, "NoteProperty", dotnet.to_string(name), value)
    elif call.bound("Name") and not named and not _is_kind(kind):
        item = _add(call, item, "NoteProperty", dotnet.to_string(kind), call["Name"])
    elif call.bound("MemberType") and not _is_kind(kind):
        raise _no_kind(dotnet.to_string(kind))
    elif call.bound("NotePropertyMembers"):
        for name, value in call["NotePropertyMembers"].items():
            item = _add(call, item, "NoteProperty", dotnet.to_string(name), value)
    elif call.bound("NotePropertyName"):
        item = _add(call, item, "NoteProperty", call["NotePropertyName"], call["NotePropertyValue"])
    elif isinstance(kind, str):
        item = _add(call, item, kind, dotnet.to_string(call["Name"]), call["Value"])
    if call.bound("TypeName") and isinstance(item, PSObject):
        item.type_names.insert(0, call["TypeName"])
    if call["PassThru"] or (
        call.bound("TypeName") and not call.bound("MemberType") and call["PassThru"]
    ):
        yield item


def _add(call: Call, item: Any, kind: str, name: str, value: Any) -> Any:
    folded = kind.lower()
    if folded not in _MADE:
        raise NotSimulated(f"Add-Member -MemberType {kind}")
    if folded == "scriptmethod":
        return _add_method(call, item, name, value)
    if _has(item, name) and not call["Force"]:
        call.session.write_error(
            f'Cannot add a member with the name "{name}" because a member with that name already exists. To '
            "overwrite the member anyway, add the Force parameter to your command.",
            category="InvalidOperation",
            error_id="MemberAlreadyExists",
            exception="System.InvalidOperationException",
            target=item,
        )
        return item
    member = value
    if folded == "scriptproperty":
        setter = call["SecondValue"]
        member = extended.BoundScriptProperty(
            call.session, value, setter if isinstance(setter, ScriptBlock) else None, target=name
        )
    elif folded == "aliasproperty":
        member = _alias(call, dotnet.to_string(value))
    if isinstance(item, PSObject):
        item.properties[name] = member
        return item
    return extended.attach(item, name, member)


def _alias(call: Call, target: str) -> extended.BoundScriptProperty:
    session: Any = call.session
    quoted = target.replace("'", "''")
    return extended.BoundScriptProperty(
        session,
        session.compile_block(f"$this.'{quoted}'"),
        session.compile_block(f"param($v) $this.'{quoted}' = $v"),
        kind="AliasProperty",
        target=target,
    )


def _has(item: Any, name: str) -> bool:
    if isinstance(item, Hashtable):
        return name.lower() in (key.lower() for key in getattr(item, "added", None) or ())
    return dotnet.has_member(item, name)


def _add_method(call: Call, item: Any, name: str, block: Any) -> Any:
    if isinstance(item, PSObject):
        for known in [n for n in item.methods if n.lower() == name.lower()]:
            del item.methods[known]
        if name.lower() == "tostring":
            # The text form is asked for where no session is at hand.
            item.methods[name] = lambda: _run(call, item, block, [])
        else:
            item.methods[name] = block
        return item
    return extended.attach_method(
        item, name, lambda *arguments: _run(call, item, block, list(arguments))
    )


def _run(call: Call, item: Any, block: Any, arguments: list[Any]) -> Any:
    session: Any = call.session
    return collapse(session.invoke(block, arguments, this=item))


@TABLE.cmdlet(
    "Get-Member",
    parameters=[
        Parameter("Name", "string[]", position=0),
        Parameter("MemberType", "string", aliases=("Type",)),
        Parameter("View", "string"),
        switch("Static"),
        switch("Force"),
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module=UTILITY,
    aliases=("gm",),
    streaming=False,
)
def get_member(call: Call) -> Iterator[Any]:
    if call["Static"]:
        raise NotSimulated("Get-Member -Static")
    seen: set[str] = set()
    wanted = [part.strip().lower() for part in (call["MemberType"] or "All").split(",")]
    names = [wildcard(pattern) for pattern in call["Name"] or ["*"]]
    for item in inputs(call):
        if item is None:
            continue
        type_name = psobject.type_names(item)[0]
        if type_name in seen:
            continue
        seen.add(type_name)
        found = [(e.name, e.kind, _definition(e)) for e in psobject.entries(item)]
        found += [
            (
                m.name,
                "ScriptMethod" if isinstance(m.method, ScriptBlock) else "Method",
                psobject.definition(m),
            )
            for m in psobject.methods(item)
            if "_" not in m.name
        ]
        found.sort(key=lambda row: (_order(row[1]), row[0].lower()))
        for name, kind, definition in found:
            if _is_wanted(kind, wanted) and any(regex.fullmatch(name) for regex in names):
                yield PSObject(
                    [
                        ("TypeName", type_name),
                        ("Name", name),
                        ("MemberType", _enum(kind)),
                        ("Definition", definition),
                    ],
                    type_names=["Microsoft.PowerShell.Commands.MemberDefinition"],
                    display=definition,
                )


def _enum(kind: str) -> Any:
    return dotnet.convert(None, kind, "System.Management.Automation.PSMemberTypes")


def _order(kind: str) -> int:
    order = (
        "AliasProperty",
        "Method",
        "ScriptMethod",
        "NoteProperty",
        "Property",
        "ScriptProperty",
    )
    return order.index(kind) if kind in order else len(order)


def _is_wanted(kind: str, wanted: list[str]) -> bool:
    folded = kind.lower()
    for name in wanted:
        if name in ("all", folded):
            return True
        if name == "properties" and folded.endswith("property"):
            return True
        if name == "methods" and folded.endswith("method"):
            return True
    return False


def _definition(entry: psobject.MemberEntry) -> str:
    if entry.kind == "Property":
        value = entry.get()
        shown = "System.Object" if value is None else literal_name(dotnet.type_name_of(value))
        return (
            f"{shown} {entry.name} {{get;set;}}"
            if entry.settable()
            else f"{shown} {entry.name} {{get;}}"
        )
    if entry.kind in ("ScriptProperty", "AliasProperty"):
        store = entry.owner.properties if isinstance(entry.owner, PSObject) else entry.owner.added
        member = store[entry.name]
        if entry.kind == "AliasProperty":
            return f"{entry.name} = {member.target}"
        text = f"System.Object {entry.name} {{get={member.getter.text};"
        return text + (f"set={member.setter.text};" if member.setter else "") + "}"
    return str(entry)
