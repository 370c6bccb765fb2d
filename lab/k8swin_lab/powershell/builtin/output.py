"""Write-* and Out-*: what goes to which stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import operators
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.builtin.table import TABLE, session
from k8swin_lab.powershell.errors import PowerShellError
from k8swin_lab.powershell.records import ErrorRecord, ExceptionObject

_UTILITY = "Microsoft.PowerShell.Utility"
_CORE = "Microsoft.PowerShell.Core"


def _message(name: str = "Message") -> Parameter:
    return Parameter(name, "string", position=0, mandatory=True, pipeline="value", aliases=("Msg",))


@TABLE.cmdlet(
    "Write-Output",
    parameters=[
        Parameter(
            "InputObject", "object", position=0, mandatory=True, pipeline="value", remaining=True
        ),
        Parameter("NoEnumerate", "switch"),
    ],
    module=_UTILITY,
    aliases=("echo", "write"),
)
def write_output(call: Call) -> Iterator[Any]:
    """Write objects to the pipeline."""
    value = call["InputObject"]
    if call["NoEnumerate"]:
        yield value[0] if isinstance(value, list) and len(value) == 1 else value
        return
    items = operators.items_of(value)
    if items is None:
        yield value
        return
    for item in items:
        inner = operators.items_of(item)
        if inner is None:
            yield item
        else:
            yield from inner


@TABLE.cmdlet(
    "Write-Host",
    parameters=[
        Parameter(
            "Object",
            "object",
            position=0,
            pipeline="value",
            aliases=("Msg", "Message"),
            remaining=True,
        ),
        Parameter("NoNewline", "switch"),
        Parameter("Separator", "object", default=" "),
        Parameter("ForegroundColor", "string"),
        Parameter("BackgroundColor", "string"),
    ],
    module=_UTILITY,
)
def write_host(call: Call) -> None:
    """Write text to the console."""
    interp = session(call)
    separator = interp.to_string(call["Separator"])

    def shown(value: Any) -> str:
        items = operators.items_of(value)
        return interp.to_string(value) if items is None else separator.join(shown(i) for i in items)

    interp.write_host(shown(call["Object"]), newline=not call["NoNewline"])


@TABLE.cmdlet("Write-Warning", parameters=[_message()], module=_UTILITY)
def write_warning(call: Call) -> None:
    """Write to the warning stream."""
    call.session.write_warning(call["Message"])


@TABLE.cmdlet("Write-Verbose", parameters=[_message()], module=_UTILITY)
def write_verbose(call: Call) -> None:
    """Write to the verbose stream."""
    call.session.write_verbose(call["Message"])


@TABLE.cmdlet("Write-Debug", parameters=[_message()], module=_UTILITY)
def write_debug(call: Call) -> None:
    """Write to the debug stream."""
    session(call).write_debug(call["Message"])


@TABLE.cmdlet(
    "Write-Information",
    parameters=[
        Parameter(
            "MessageData",
            "object",
            position=0,
            mandatory=True,
            pipeline="value",
            aliases=("Msg", "Message"),
        ),
        Parameter("Tags", "string[]", position=1),
    ],
    module=_UTILITY,
)
def write_information(call: Call) -> None:
    """Write to the information stream."""
    session(call).write_information(call["MessageData"], call["Tags"] or ())


@TABLE.cmdlet(
    "Write-Progress",
    parameters=[
        Parameter("Activity", "string", position=0, mandatory=True),
        Parameter("Status", "string", position=1),
        Parameter("Id", "int", position=2),
        Parameter("PercentComplete", "int"),
        Parameter("SecondsRemaining", "int"),
        Parameter("CurrentOperation", "string"),
        Parameter("ParentId", "int"),
        Parameter("Completed", "switch"),
        Parameter("SourceId", "int"),
    ],
    module=_UTILITY,
)
def write_progress(call: Call) -> None:
    """Show progress: a session without a console window shows none."""


@TABLE.cmdlet(
    "Write-Error",
    parameters=[
        Parameter("Message", "string", position=0, pipeline="value", aliases=("Msg",)),
        Parameter("Exception", "object"),
        Parameter("ErrorRecord", "object"),
        Parameter("Category", "string", default="NotSpecified"),
        Parameter("ErrorId", "string", default=""),
        Parameter("TargetObject", "object"),
        Parameter("RecommendedAction", "string"),
        Parameter("CategoryActivity", "string", aliases=("Activity",)),
        Parameter("CategoryReason", "string", aliases=("Reason",)),
        Parameter("CategoryTargetName", "string", aliases=("TargetName",)),
        Parameter("CategoryTargetType", "string", aliases=("TargetType",)),
    ],
    module=_UTILITY,
)
def write_error(call: Call) -> None:
    """Write a non-terminating error in the name of the function that calls it."""
    interp = session(call)
    scope = interp.current_scope()
    caller = next(
        (s.call for s in scope.chain() if s.call is not None and s.call.context.name), None
    )
    name = caller.context.name if caller is not None else ""
    record = call["ErrorRecord"]
    if not isinstance(record, ErrorRecord):
        exception = call["Exception"]
        kind = "Microsoft.PowerShell.Commands.WriteErrorException"
        if not isinstance(exception, ExceptionObject):
            exception = ExceptionObject(kind, call["Message"] or "")
        identifier = call["ErrorId"] or exception.type_name
        suffix = f",{name}" if name and not interp.is_path(name) else ""
        record = ErrorRecord(
            exception,
            identifier + suffix,
            call["Category"],
            call["TargetObject"],
            activity=call["CategoryActivity"] or "Write-Error",
        )
    if caller is not None and caller.context.invocation is not None:
        record.properties["InvocationInfo"] = caller.context.invocation()
    try:
        interp.write_record(record)
    except PowerShellError:
        interp.context.failed = True
        raise


@TABLE.cmdlet(
    "Out-Null", parameters=[Parameter("InputObject", "object", pipeline="value")], module=_CORE
)
def out_null(call: Call) -> None:
    """Take objects and show nothing."""


def _out(call: Call) -> None:
    if call.input:
        interp = session(call)
        interp.flush_output()
        for line in (
            interp.formatted_text(call.input).removesuffix(interp.newline).split(interp.newline)
        ):
            interp.print_text(line)


_INPUT = Parameter("InputObject", "object", pipeline="value")
TABLE.cmdlet("Out-Default", parameters=[_INPUT], module=_CORE, streaming=False)(_out)
TABLE.cmdlet(
    "Out-Host",
    parameters=[_INPUT, Parameter("Paging", "switch", simulated=False)],
    module=_CORE,
    streaming=False,
    aliases=("oh",),
)(_out)
