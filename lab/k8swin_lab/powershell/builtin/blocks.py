"""Cmdlets that run script blocks: ForEach-Object, Where-Object, Invoke-Command, Invoke-Expression.

They are stages of their own, because what their blocks write has to flow on while the block runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from k8swin_lab.known import dotnet as framework
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet, members, operators
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.builtin.table import TABLE, session
from k8swin_lab.powershell.cmdlet_stage import CmdletStage
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING
from k8swin_lab.powershell.values import Hashtable, PSObject

_CORE = "Microsoft.PowerShell.Core"


def _nothing(call: Call) -> None:
    """The stage does the work."""


TABLE.cmdlet(
    "ForEach-Object",
    parameters=[
        Parameter("Process", "object[]", position=0),
        Parameter("Begin", "scriptblock"),
        Parameter("End", "scriptblock"),
        Parameter("MemberName", "string"),
        Parameter("ArgumentList", "object[]", aliases=("Args",)),
        Parameter("RemainingScripts", "object[]", remaining=True),
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module=_CORE,
    aliases=("foreach", "%"),
)(_nothing)


class ForEachStage(CmdletStage):
    """ForEach-Object."""

    def begin(self) -> None:
        super().begin()
        values = self.bound.values
        process = list(values.get("Process") or [])
        rest = list(values.get("RemainingScripts") or [])
        self.member: str | None = values.get("MemberName")
        self.arguments_given: list[Any] = list(values.get("ArgumentList") or [])
        if process and not isinstance(process[0], ScriptBlock):
            self.member = self.interp.to_string(process[0])
            self.arguments_given = self.arguments_given or rest or process[1:]
            process, rest = [], []
        blocks = process + rest
        begin: Any = values.get("Begin")
        end: Any = values.get("End")
        if begin is None and len(blocks) > 1:
            begin, blocks = blocks[0], blocks[1:]
            if end is None and len(blocks) > 1:
                end, blocks = blocks[-1], blocks[:-1]
        elif end is None and begin is not None and len(blocks) > 1:
            end, blocks = blocks[-1], blocks[:-1]
        self.blocks = blocks
        self.end_block = end
        if begin is not None:
            self._run(begin, NOTHING)
        if "InputObject" in values:
            self.expects_input = False

    def _run(self, block: ScriptBlock, item: Any) -> None:
        self.interp.stream(block, [], self.write, dollar_underbar=item, local=False)

    def once(self) -> None:
        given = self.bound.values.get("InputObject", NOTHING)
        if given is not NOTHING or not self.expects_input:
            self.process(None if given is NOTHING else given)

    def process(self, item: Any) -> None:
        for block in self.blocks:
            self._run(block, item)
        if self.member is None:
            return
        frame = self.frame
        if item is not None and members.has(item, self.member) and not self.arguments_given:
            value = members.get(frame, item, self.member)
        elif item is None or (
            str(self.member).lower() in ("length", "count") and not self.arguments_given
        ):
            value = None
        elif self._is_method(item):
            try:
                value = members.call(frame, item, self.member, self.arguments_given)
            except PowerShellError as error:
                missing = error.record.error_id == "MethodNotFound" and not self.arguments_given
                if not missing or frame.scope.strictness() >= 2:
                    raise
                value = None
        else:
            value = members.get(frame, item, self.member)
        items = operators.items_of(value)
        if items is not None:
            for inner in items:
                self.write(inner)
        else:
            self.write(value)

    def _is_method(self, item: Any) -> bool:
        if self.arguments_given:
            return True
        if str(self.member).lower() in ("length", "count"):
            return False  # the one that every value has is no property here
        if not isinstance(item, PSObject):
            return True
        folded = str(self.member).lower()
        made = getattr(item, "ps_class", None)
        return (
            folded in _OF_EVERY_OBJECT
            or any(name.lower() == folded for name in item.methods)
            or (made is not None and made.finds(folded))
            or framework.has_method(dotnet.type_name_of(item), folded)
        )

    def end(self) -> None:
        if self.end_block is not None:
            self._run(self.end_block, NOTHING)


_OF_EVERY_OBJECT = ("gettype", "tostring", "equals", "gethashcode")
_COMPARISONS = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "contains",
    "notcontains",
    "in",
    "notin",
    "is",
    "isnot",
    "ceq",
    "cne",
    "cgt",
    "cge",
    "clt",
    "cle",
    "clike",
    "cnotlike",
    "cmatch",
    "cnotmatch",
    "ccontains",
    "cnotcontains",
    "cin",
    "cnotin",
    "not",
]
TABLE.cmdlet(
    "Where-Object",
    parameters=[
        Parameter("FilterScript", "object", position=0, aliases=("Property",)),
        Parameter("Value", "object", position=1),
        *[
            Parameter(name.upper() if len(name) == 2 else name.capitalize(), "switch")
            for name in _COMPARISONS
        ],
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module=_CORE,
    aliases=("where", "?"),
)(_nothing)


class WhereStage(CmdletStage):
    """Where-Object."""

    def begin(self) -> None:
        super().begin()
        values = self.bound.values
        self.filter = values.get("FilterScript")
        self.operator = next(
            (n for n in _COMPARISONS for given in values if given.lower() == n), ""
        )
        self.operand = values.get("Value")

    def once(self) -> None:
        given = self.bound.values.get("InputObject", NOTHING)
        if given is not NOTHING:
            for item in operators.items_of(given) or [given]:
                self.process(item)

    def process(self, item: Any) -> None:
        if isinstance(self.filter, ScriptBlock):
            result = operators.collapse(
                self.interp.invoke(self.filter, [], dollar_underbar=item, local=False)
            )
            if operators.truth(result):
                self.write(item)
            return
        name = self.interp.to_string(self.filter)
        value = members.get(self.frame, item, name) if item is not None else None
        if operators.truth(self._compare(value)):
            self.write(item)

    def _compare(self, value: Any) -> Any:
        name, operand = self.operator, self.operand
        if name == "":
            return value if operand is None else operators.equal(value, operand)
        if name == "not":
            return not operators.truth(value)
        ignore_case = not (name[0] == "c" and name != "contains")
        base = name if ignore_case else name[1:]
        negate = base.startswith("not")
        base = base.removeprefix("not")
        if base == "like":
            return operators.like(value, operand, ignore_case, negate)
        if base == "match":
            return self.interp.match(self.frame, value, operand, ignore_case, negate)
        if base == "contains":
            return operators.contains(value, operand, ignore_case) != negate
        if base == "in":
            return operators.contains(operand, value, ignore_case) != negate
        if base in ("is", "isnot"):
            return self.interp.is_type(value, operand) == (base == "is")
        return operators.comparison(("" if ignore_case else "c") + base)(value, operand)


TABLE.cmdlet(
    "Invoke-Command",
    parameters=[
        Parameter("ScriptBlock", "scriptblock", position=0, aliases=("Command",)),
        Parameter("ArgumentList", "object[]", aliases=("Args",)),
        Parameter("NoNewScope", "switch"),
        Parameter("ComputerName", "string[]", aliases=("Cn",)),
        Parameter("Session", "object[]"),
        Parameter("Credential", "object"),
        Parameter("FilePath", "string"),
        Parameter("AsJob", "switch"),
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module=_CORE,
    aliases=("icm",),
)(_nothing)


class InvokeCommandStage(CmdletStage):
    """Invoke-Command on this machine."""

    def begin(self) -> None:
        super().begin()
        for option in ("ComputerName", "Session", "FilePath", "AsJob"):
            if option in self.bound.values:
                raise NotSimulated(f"Invoke-Command -{option}")
        self.given: list[Any] = []

    def once(self) -> None:
        """The block runs when the input is complete."""

    def process(self, item: Any) -> None:
        self.given.append(item)

    def end(self) -> None:
        values = self.bound.values
        block = values.get("ScriptBlock")
        if not isinstance(block, ScriptBlock):
            raise self.binder.missing(["ScriptBlock"])
        self.interp.stream(
            block,
            list(values.get("ArgumentList") or []),
            self.write,
            local=not values.get("NoNewScope"),
            given=self.given if self.expects_input else None,
        )


TABLE.cmdlet(
    "Invoke-Expression",
    parameters=[Parameter("Command", "string", position=0, mandatory=True, pipeline="value")],
    module="Microsoft.PowerShell.Utility",
    aliases=("iex",),
)(_nothing)


class InvokeExpressionStage(CmdletStage):
    """Invoke-Expression: the text runs in the caller's scope."""

    def call(self, values: dict[str, Any], given: list[Any]) -> None:
        text = {**self.bound.values, **values}["Command"]
        interp = self.interp
        block = interp.compile_block(text)
        block.module = self.frame.scope.state.module
        interp.stream(block, [], self.write, local=False)


STAGE_TYPES: dict[str, type[CmdletStage]] = {
    "ForEach-Object": ForEachStage,
    "Where-Object": WhereStage,
    "Invoke-Command": InvokeCommandStage,
    "Invoke-Expression": InvokeExpressionStage,
}


@TABLE.cmdlet(
    "Measure-Command",
    parameters=[
        Parameter("Expression", "scriptblock", position=0, mandatory=True),
        Parameter("InputObject", "object", pipeline="value"),
    ],
    module="Microsoft.PowerShell.Utility",
)
def measure_command(call: Call) -> Iterator[Any]:
    """How long a block takes."""
    interp = session(call)
    started = time.monotonic()
    interp.invoke(call["Expression"], [], local=False)
    seconds = time.monotonic() - started
    yield dotnet.static_call(interp, "System.TimeSpan", "FromSeconds", [seconds])


@TABLE.cmdlet(
    "New-Object",
    parameters=[
        Parameter("TypeName", "string", position=0),
        Parameter("ArgumentList", "object", position=1, aliases=("Args",)),
        Parameter("Property", "object"),
        Parameter("ComObject", "string"),
        Parameter("Strict", "switch"),
    ],
    module="Microsoft.PowerShell.Utility",
)
def new_object(call: Call) -> Iterator[Any]:
    """An instance of a .NET type or of a script's class."""
    interp = session(call)
    if call.bound("ComObject"):
        make = getattr(interp.host, "com_object", None)
        if make is None:
            raise NotSimulated(f"New-Object -ComObject {call['ComObject']}")
        yield make(call["ComObject"], interp.user, interp.cancelled_event)
        return
    name = call["TypeName"]
    given = call["ArgumentList"]
    arguments = list(given) if isinstance(given, list) else [] if given is None else [given]
    if (
        name.lower()
        in ("psobject", "pscustomobject", "system.management.automation.psobject", "object")
        and not arguments
    ):
        made: Any = members.custom_object(Hashtable(ordered=True))
    else:
        if interp.find_type(name) is None:
            interp.refuse_type(name)
            raise runtime_error(
                f"Cannot find type [{name}]: verify that the assembly containing this type is loaded.",
                "TypeNotFound,Microsoft.PowerShell.Commands.NewObjectCommand",
                category="InvalidType",
                exception="System.Management.Automation.PSArgumentException",
            )
        try:
            made = interp.construct(name, arguments)
        except PowerShellError as error:
            if error.record.exception.type_name.endswith("MethodInvocationException"):
                record = error.record
                record.properties["FullyQualifiedErrorId"] = (
                    "ConstructorInvokedThrowException,Microsoft.PowerShell.Commands.NewObjectCommand"
                )
            raise
    properties = call["Property"]
    if isinstance(properties, Hashtable):
        for key, value in properties.items():
            if type(made).__name__ == "PSObject":
                made.properties[str(key)] = value
            else:
                members.set_member(interp.context.frame, made, str(key), value)
    yield made
