"""What becomes of errors: error actions, traps, catch clauses, `$Error`, and the console's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell.ast import Source
from k8swin_lab.powershell.errors import BreakSignal, ContinueSignal, PowerShellError
from k8swin_lab.powershell.pipeline import Context
from k8swin_lab.powershell.records import ErrorRecord, ExceptionObject, exception_chain
from k8swin_lab.powershell.scopes import Frame, Scope, Variable
from k8swin_lab.powershell.values import PSObject

Traps = list[tuple[str | None, Callable[[Frame], None]]]
_DEFAULTS = {
    "erroractionpreference": "continue",
    "warningpreference": "continue",
    "verbosepreference": "silentlycontinue",
    "debugpreference": "silentlycontinue",
    "informationpreference": "silentlycontinue",
    "progresspreference": "continue",
}
_COMMON = {
    "erroractionpreference": "ErrorAction",
    "warningpreference": "WarningAction",
    "verbosepreference": "Verbose",
    "debugpreference": "Debug",
    "informationpreference": "InformationAction",
}
_ACTIONS = ("silentlycontinue", "stop", "continue", "inquire", "ignore", "suspend")


class ErrorHandling:
    """The part of the interpreter that decides what an error does."""

    context: Context
    global_scope: Scope
    try_depth: int
    success: bool
    errors: Any

    if TYPE_CHECKING:

        def emit_error(self, record: ErrorRecord) -> None: ...
        def find_type(self, name: str) -> Any: ...
        def to_string(self, value: Any) -> str: ...

    # --- preferences

    def preference(self, name: str) -> str:
        """The value in force of $ErrorActionPreference and the like, in lower case."""
        folded = name.lower()
        common = _COMMON.get(folded)
        if common is not None and common in self.context.preferences:
            return self.context.preferences[common]
        value = self.context.frame.scope.get(folded)
        if value is None:
            return _DEFAULTS.get(folded, "continue")
        return action_name(self.to_string(value))

    # --- non-terminating errors

    def write_error(
        self,
        message: str,
        *,
        category: str = "NotSpecified",
        error_id: str = "",
        target: Any = None,
        exception: str = "System.Exception",
    ) -> None:
        """A cmdlet's non-terminating error."""
        made = ExceptionObject(exception, message)
        suffix = self.context.suffix
        identifier = error_id or exception.rpartition(".")[2]
        if suffix and "," not in identifier:
            identifier = f"{identifier},{suffix}"
        record = ErrorRecord(made, identifier, category, target, activity=self.context.name)
        self.write_record(record)

    def write_record(self, record: ErrorRecord, *, command_failed: bool = True) -> None:
        """Write an error record; the error action in force decides what that means."""
        if command_failed:
            self.context.failed = True
        action = self.preference("ErrorActionPreference")
        self.place(record)
        if action == "ignore":
            return
        for stream, tap in self.context.taps:
            if stream == "error":
                tap.append(record)
        if action == "stop":
            raise PowerShellError(record, stop=True)
        self.remember_error(record)
        if action == "silentlycontinue":
            return
        sink = self.context.sinks.get("error")
        if sink is not None:
            sink(record)
        else:
            self.emit_error(record)

    def remember_error(self, record: ErrorRecord) -> None:
        """Put a record at the head of $Error, once."""
        if record.raised:
            return
        record.raised = True
        self.errors.insert(0, record)
        del self.errors[256:]

    # --- terminating errors

    def handle_error(
        self, frame: Frame, error: PowerShellError, source: Source, node: Any, traps: Traps
    ) -> None:
        """Decide whether an error that ended a statement ends more than that."""
        self.locate(error.record, source, node)
        self.success = False
        for type_name, body in traps:
            if type_name is None or self.catches(error.record, [type_name]):
                self._run_trap(frame, error, body)
                return
        if self.try_depth:
            raise error
        action = self.preference("ErrorActionPreference")
        if error.stop or action == "stop":
            raise error
        if action in ("silentlycontinue", "ignore"):
            if action == "silentlycontinue":
                self.remember_error(error.record)
            return
        if error.thrown:
            raise error
        self.report(error)

    def report(self, error: PowerShellError) -> None:
        """Show a terminating error that ended only its statement."""
        self.remember_error(error.record)
        for stream, tap in self.context.taps:
            if stream == "error":
                tap.append(error.record)
        sink = self.context.sinks.get("error")
        if sink is not None:
            sink(error.record)
        else:
            self.emit_error(error.record)

    def _run_trap(
        self, frame: Frame, error: PowerShellError, body: Callable[[Frame], None]
    ) -> None:
        self.remember_error(error.record)
        scope = Scope(frame.scope, frame.scope.state)
        scope.variables["_"] = Variable("_", error.record.of_inner())
        depth, self.try_depth = self.try_depth, 0
        try:
            body(Frame(frame.interp, scope, frame.write, frame.returns))
        except ContinueSignal:
            return
        except BreakSignal as signal:
            raise error from signal
        finally:
            self.try_depth = depth
        self.report(error)

    def catch(
        self,
        frame: Frame,
        error: PowerShellError,
        catches: list[tuple[list[str], Callable[[Frame], None]]],
        source: Source,
        node: Any,
    ) -> None:
        """Run the first catch clause that takes the error, or raise it again."""
        record = error.record
        self.locate(record, source, node)
        chosen, by_inner = self._chosen(record, [types for types, _ in catches])
        if chosen is not None:
            body = catches[chosen][1]
            self.remember_error(record)
            variables = frame.scope.variables
            saved = variables.get("_")
            variables["_"] = Variable("_", record.of_inner() if by_inner else record)
            self.success = False
            try:
                body(frame)
            finally:
                if saved is None:
                    variables.pop("_", None)
                else:
                    variables["_"] = saved
            return
        raise error

    def _chosen(self, record: ErrorRecord, catches: list[list[str]]) -> tuple[int | None, bool]:
        """The clause that takes an error: by the exception inside, then by the RuntimeException around it.

        Also says whether it is the exception inside that the clause names and sees.

        Among the clauses the very type goes before a base type, and both before a clause without types.
        """
        wanted = []
        for types in catches:
            found = [self.find_type(name) for name in types]
            wanted.append(
                [(n if f is None else f.name).lower() for n, f in zip(types, found, strict=True)]
            )
        exception = record.exception
        outer = exception.type_names
        inner: list[str] | None = None
        if any(name.endswith(".RuntimeException") for name in outer):
            inner = exception.inner.type_names if exception.inner is not None else None
        else:
            inner, outer = outer, exception_chain("System.Management.Automation.RuntimeException")
        chosen = None if inner is None else _clause_for(inner, wanted)
        if chosen is not None and wanted[chosen]:
            return chosen, inner is not exception.type_names
        by_outer = _clause_for(outer, wanted)
        return (chosen if by_outer is None else by_outer), False

    def catches(self, record: ErrorRecord, types: list[str]) -> bool:
        """Whether one of the types is the exception's, one of its bases', or an inner exception's."""
        wanted = set()
        for name in types:
            found = self.find_type(name)
            wanted.add((found.name if found is not None else name).lower())
        current: ExceptionObject | None = record.exception
        while current is not None:
            if any(t.lower() in wanted for t in current.type_names):
                return True
            current = current.inner
        return False

    # --- positions and texts

    def place(self, record: ErrorRecord) -> None:
        """Give a record the position of the command that runs."""
        invocation = self.context.invocation
        if record.properties.get("InvocationInfo") is None and invocation is not None:
            record.properties["InvocationInfo"] = invocation()
            if record.properties.get("ScriptStackTrace") is None:
                record.properties["ScriptStackTrace"] = self.stack_trace(record)

    def locate(self, record: ErrorRecord, source: Source, node: Any) -> None:
        """Give a record the position of a statement, unless it has one."""
        if record.properties.get("InvocationInfo") is None:
            named = str(record.properties["CategoryInfo"].properties["Activity"])
            record.properties["InvocationInfo"] = invocation_info(source, node, named)
            record.properties["ScriptStackTrace"] = self.stack_trace(record)

    def stack_trace(self, record: ErrorRecord) -> str:
        info = record.properties["InvocationInfo"]
        if not isinstance(info, PSObject):
            return ""
        name = info.properties.get("ScriptName") or "<No file>"
        return f"at <ScriptBlock>, {name}: line {info.properties['ScriptLineNumber']}"

    def error_text(self, item: Any) -> None:
        """Write an object to standard error (`1>&2`)."""
        self.emit_error(
            ErrorRecord(
                ExceptionObject("System.Exception", self.to_string(item)), "RedirectedOutput"
            )
        )

    def current_error(self, frame: Frame) -> ErrorRecord | None:
        """The record that a bare `throw` inside a catch block throws again."""
        value = frame.scope.get("_")
        return value.origin if isinstance(value, ErrorRecord) else None


def _clause_for(names: list[str], wanted: list[list[str]]) -> int | None:
    """The first clause for the type itself, else for one of its bases, else for anything."""
    folded = [name.lower() for name in names]
    for test in (folded[:1], folded[1:]):
        for number, types in enumerate(wanted):
            if any(name in test for name in types):
                return number
    return next((number for number, types in enumerate(wanted) if not types), None)


def action_name(text: str) -> str:
    """An error action as its name; numbers are accepted as scripts write them."""
    folded = text.lower()
    if folded.isdigit() and int(folded) < len(_ACTIONS):
        return _ACTIONS[int(folded)]
    return folded


def invocation_info(source: Source, node: Any, command: str) -> PSObject:
    """`InvocationInfo`: where in which script."""
    line, column = source.position(node.start)
    text = source.line(line)
    place = f"{source.name or 'line'}:{line} char:{column}"
    length = max(1, min(node.end - node.start, len(text) - column + 1))
    mark = " " * (column - 1) + "~" * length
    return PSObject(
        [
            ("MyCommand", PSObject([("Name", command)], display=command) if command else None),
            ("BoundParameters", None),
            ("ScriptLineNumber", line),
            ("OffsetInLine", column),
            ("ScriptName", source.name or ""),
            ("Line", text),
            ("PositionMessage", f"At {place}\n+ {text}\n+ {mark}"),
            ("PSScriptRoot", ""),
            ("PSCommandPath", source.name),
            ("InvocationName", command),
            ("PipelineLength", 0),
            ("PipelinePosition", 0),
            ("ExpectingInput", False),
        ],
        type_names=["System.Management.Automation.InvocationInfo"],
    )
