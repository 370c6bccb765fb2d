"""Functions and script blocks: their compiled code, their parameters, and how they run in a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import ast, operators
from k8swin_lab.powershell.binding import Binder
from k8swin_lab.powershell.default_parameters import apply_defaults
from k8swin_lab.powershell.errors import ExitSignal, PowerShellError, ReturnSignal, runtime_error
from k8swin_lab.powershell.parameters import ALL_SETS, Argument, Bound, Spec, gathered
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING, Frame, Scope, Variable
from k8swin_lab.powershell.values import BoundParameters, Input, PSArray

if TYPE_CHECKING:
    from k8swin_lab.powershell.compile_commands import CommandCompiler

_OWN = ("args", "psscriptroot", "pscommandpath", "psboundparameters", "input")
_MAXIMUM_DEPTH = 400
"""Calls within calls; beyond, PowerShell's own call depth error is raised before Python's stack ends."""


class CompiledBlock:
    """The code of a script block, compiled on first use. It holds nothing of a session: several may run it at once."""

    __slots__ = ("_compiler", "_ready", "ast", "begin", "end", "parameters", "process")

    def __init__(self, compiler: CommandCompiler, node: ast.ScriptBlockAst) -> None:
        self._compiler = compiler
        self._ready = False
        self.ast = node
        self.begin: Callable[[Frame], None] | None = None
        self.process: Callable[[Frame], None] | None = None
        self.end: Callable[[Frame], None] | None = None
        self.parameters: list[CompiledParameter] = []

    def ready(self) -> CompiledBlock:
        if not self._ready:
            with self._compiler.lock:
                if not self._ready:
                    self._compiler.fill(self)
                    self._ready = True
        return self

    def as_filter(self) -> None:
        """A `filter`: its body is the process block."""
        self.ready()
        with self._compiler.lock:
            if self.end is not None and self.process is None:
                self.process, self.end = self.end, None


class CompiledParameter:
    """A declared parameter: its attributes, ready to make the binder's `Spec`."""

    __slots__ = ("attributes", "constraints", "default", "name", "type_name")

    def __init__(
        self,
        name: str,
        type_name: str | None,
        attributes: list[tuple[str, list[Any], dict[str, Any]]],
        constraints: list[Any],
        default: Callable[[Frame], Any] | None,
    ) -> None:
        self.name = name
        self.type_name = type_name
        self.attributes = attributes
        self.constraints = constraints
        self.default = default


def compile_parameters(
    compiler: CommandCompiler, node: ast.ScriptBlockAst
) -> list[CompiledParameter]:
    """The parameters of a script block with their attributes' arguments compiled."""
    result = []
    for parameter in node.parameters or []:
        attributes = [
            (
                a.name,
                [compiler.expression(p) for p in a.positional],
                {n.lower(): compiler.expression(v) for n, v in a.named},
            )
            for a in parameter.attributes
        ]
        constraints: list[Any] = list(parameter.attributes)
        if parameter.type is not None:
            constraints.append(parameter.type)
        default = compiler.expression(parameter.default) if parameter.default is not None else None
        type_name = parameter.type.name if parameter.type else None
        result.append(
            CompiledParameter(parameter.name, type_name, attributes, constraints, default)
        )
    return result


def make_binder(frame: Frame, name: str, code: CompiledBlock) -> Binder:
    """The binder of a function or script block."""
    cmdlet_binding: dict[str, Any] | None = None
    for attribute in code.ast.attributes:
        if attribute.name.lower().removesuffix("attribute") == "cmdletbinding":
            compiler = frame.interp.expression_compiler
            cmdlet_binding = {n.lower(): compiler.expression(v)(frame) for n, v in attribute.named}
    decorated = any(a[0].lower() == "parameter" for p in code.parameters for a in p.attributes)
    advanced = cmdlet_binding is not None or decorated
    positional = str((cmdlet_binding or {}).get("positionalbinding", True)).lower() != "false"
    should_process = (cmdlet_binding or {}).get("supportsshouldprocess", False)
    specs = []
    explicit = False
    for parameter in code.parameters:
        spec = _spec(frame, parameter, advanced)
        explicit = explicit or any(s.position is not None for s in [spec, *spec.sets.values()])
        specs.append(spec)
    # a parameter set of the function's own means that positions have to be given, too
    if not explicit and positional and not any(spec.sets for spec in specs):
        order = 0
        for spec in specs:
            if not spec.is_switch:
                for facts in [spec, *spec.sets.values()]:
                    facts.position = order
                order += 1
    _refuse_repeated(specs)
    if name.lower().endswith(".ps1"):
        name = name.replace("\\", "/").rpartition("/")[2]
    binder = Binder(
        name,
        specs,
        advanced=advanced,
        should_process=bool(should_process) and str(should_process).lower() != "false",
        gathers=frame.interp.new_rest,
        default_set=str((cmdlet_binding or {}).get("defaultparametersetname", "")),
    )
    if frame.interp.host.edition == "Desktop":
        binder.common.pop("ProgressAction", None)
    return binder


def _refuse_repeated(specs: list[Spec]) -> None:
    """An alias belongs to one parameter."""
    known: set[str] = set()
    for spec in specs:
        for alias in spec.aliases:
            if alias.lower() in known:
                raise runtime_error(
                    f'The alias "{alias}" is declared multiple times.',
                    "AliasDeclaredMultipleTimes",
                    category="MetadataError",
                    exception="System.Management.Automation.MetadataException",
                )
            known.add(alias.lower())


def _spec(frame: Frame, parameter: CompiledParameter, advanced: bool) -> Spec:
    type_name = parameter.type_name
    folded = (type_name or "").lower()
    spec = Spec(parameter.name, type_name, default=parameter.default)
    spec.is_switch = folded in (
        "switch",
        "switchparameter",
        "system.management.automation.switchparameter",
    )
    for name, positional, named in parameter.attributes:
        short = name.lower().removesuffix("attribute")
        if short == "alias":
            spec.aliases += tuple(str(code(frame)) for code in positional)
        elif short == "parameter":
            facts = Spec(parameter.name)
            values = {key: code(frame) for key, code in named.items()}
            facts.mandatory = operators.truth(values.get("mandatory"))
            facts.by_value = operators.truth(values.get("valuefrompipeline"))
            facts.by_property = operators.truth(values.get("valuefrompipelinebypropertyname"))
            facts.remaining = operators.truth(values.get("valuefromremainingarguments"))
            if "position" in values:
                facts.position = int(values["position"])
            set_name = str(values.get("parametersetname") or ALL_SETS)
            if set_name != ALL_SETS:
                facts.name = set_name
                spec.sets[set_name.lower()] = facts
            else:
                if spec.sets:
                    facts.name = ALL_SETS
                    spec.sets[ALL_SETS.lower()] = facts
                spec.mandatory, spec.position = facts.mandatory, facts.position
            spec.by_value = spec.by_value or facts.by_value
            spec.by_property = spec.by_property or facts.by_property
            spec.remaining = spec.remaining or facts.remaining
    if parameter.constraints:
        spec.convert = frame.interp.assignment_converter(
            frame, parameter.constraints, parameter.name, True, exact=advanced
        )
    return spec


class FunctionStage(Stage):
    """A function, script or script block in a pipeline."""

    def __init__(
        self,
        frame: Frame,
        block: ScriptBlock,
        arguments: list[Argument],
        *,
        name: str = "",
        dot_sourced: bool = False,
        is_script: bool = False,
        is_file: bool = False,
        module: Any = None,
        binder: Binder | None = None,
    ) -> None:
        super().__init__(frame, name)
        self.block = block
        self.code: CompiledBlock = block.code.ready()
        self.arguments = arguments
        self.input: list[Any] = []
        interp = self.interp
        state = interp.state_of(module if module is not None else block.module)
        if dot_sourced:
            self.scope = frame.scope if state is frame.scope.state else state.current
        else:
            parent = frame.scope if state is frame.scope.state else state.current
            self.scope = Scope(parent, state, is_script=is_script)
        self.dot_sourced = dot_sourced
        self.binder = binder or interp.binders.get(self.code) or make_binder(frame, name, self.code)
        if binder is None and name:
            interp.binders[self.code] = self.binder
        self.bound = Bound()
        self.function_frame = Frame(interp, self.scope, self._emit)
        if not dot_sourced:
            # errors of the body answer to the preferences that the body set
            self.context.frame = self.function_frame
        self.is_file = is_file
        self.dotted = False
        """Whether `.` called it: it runs in the caller's scope, with arguments of its own."""
        self.bare = False
        self.borrowed: dict[str, Variable | None] = {}
        self.caller: Any = None

    def _emit(self, item: Any) -> None:
        self.write(item)

    def run(self, step: Callable[..., None], *arguments: Any) -> None:
        """Run a step with the function's scope as the current one of its session state."""
        interp = self.interp
        saved = interp.context
        state = self.scope.state
        current = state.current
        interp.context = self.context
        state.current = self.scope
        interp.depth += 1
        try:
            if interp.depth > _MAXIMUM_DEPTH:
                raise runtime_error(
                    "The script failed due to call depth overflow.",
                    "CallDepthOverflow",
                    exception="System.Management.Automation.ScriptCallDepthException",
                    target=_MAXIMUM_DEPTH,
                )
            step(*arguments)
        except PowerShellError as error:
            self._claim(error)
            raise
        except ExitSignal as signal:
            self.give_back()
            if not self.is_file:
                raise
            # `exit` ends the script file that it stands in, and not who called it
            interp.global_scope.set("LASTEXITCODE", signal.code)
            self.context.failed = self.context.failed or signal.code != 0
            self.done = True
        finally:
            interp.depth -= 1
            interp.context = saved
            state.current = current

    def _claim(self, error: PowerShellError) -> None:
        """An error that leaves a function that is a cmdlet is the function's, unless it was thrown."""
        record, name = error.record, self.context.name
        if not self.binder.advanced:
            return
        for stream, tap in self.context.taps:
            if stream == "error" and record not in tap:
                tap.append(record)
        if error.thrown or not name or self.interp.is_path(name):
            return
        category = record.properties["CategoryInfo"].properties
        if "," in record.error_id or category.get("Activity"):
            return
        record.claim(name)

    def begin(self) -> None:
        interp = self.interp
        binder = self.binder
        self.bound = bound = binder.bind(self.arguments, expecting_input=self.expects_input)
        if binder.advanced:
            apply_defaults(self, binder, bound)
        if bound.common:
            interp.apply_common(self, bound.common, function=True)
        binder.require(bound, expecting_input=self.expects_input)
        variables = self.scope.variables
        if self.dotted:
            # what a called script has of its own comes back to the caller afterwards
            self.borrowed = {name: variables.get(name) for name in _OWN}
            self.caller = self.scope.call
            self.scope.call = self
        if not self.dot_sourced or self.dotted or self.code.parameters or self.bare:
            self._set("args", PSArray(bound.rest))
        if not self.dot_sourced:
            self.scope.call = self
        if self.context.name and interp.is_path(self.context.name):
            self._set("PSScriptRoot", interp.parent_path(self.context.name))
            self._set("PSCommandPath", self.context.name)
        given = {**bound.values, **bound.common}
        in_order = [(name, given.pop(name)) for name in bound.order if name in given]
        self._set("PSBoundParameters", BoundParameters([*in_order, *given.items()]))
        for parameter, spec in zip(self.code.parameters, binder.specs, strict=True):
            self._parameter(parameter, spec)
        if self.code.begin is not None:
            self._execute(self.code.begin)

    def _set(self, name: str, value: Any) -> None:
        self.scope.variables[name.lower()] = Variable(name, value)

    def _parameter(self, parameter: CompiledParameter, spec: Spec) -> None:
        variable = Variable(parameter.name)
        self.scope.variables[parameter.name.lower()] = variable
        if spec.name in self.bound.values:
            variable.value = self.bound.values[spec.name]
        elif parameter.default is not None:
            value = parameter.default(self.function_frame)
            value = None if value is NOTHING else value
            convert = self.interp.default_converter(spec.type, exact=self.binder.advanced)
            variable.value = self.binder.converted(replace(spec, convert=convert), value)
        elif spec.type is not None:
            variable.value = self.interp.default_of_parameter(spec.type)
        if parameter.constraints:
            variable.convert = self.interp.parameter_converter_inside(
                self.function_frame,
                parameter.constraints,
                parameter.name,
                dotted=self.dot_sourced,
            )

    def _execute(self, code: Callable[[Frame], None]) -> None:
        try:
            code(self.function_frame)
        except ReturnSignal:
            pass

    def once(self) -> None:
        if self.code.process is not None:
            self._execute(self.code.process)

    def process(self, item: Any) -> None:
        if self.binder.advanced and not self._bind_item(item):
            return
        if self.code.process is None:
            self.input.append(item)
            return
        variables = self.scope.variables
        saved = variables.get("_")
        variables["_"] = Variable("_", item)
        self._set("input", Input([item]))
        try:
            self._execute(self.code.process)
        finally:
            # a scope of its own keeps the last object: the end block sees it
            if self.dot_sourced and saved is None:
                variables.pop("_", None)
            elif self.dot_sourced and saved is not None:
                variables["_"] = saved

    def _bind_item(self, item: Any) -> bool:
        values, error = bind_pipeline(self, self.binder, self.bound, item)
        if error is not None:
            for parameter, spec in zip(self.code.parameters, self.binder.specs, strict=True):
                # what an earlier object was bound to is gone
                if (spec.by_value or spec.by_property) and spec.name not in self.bound.values:
                    self._parameter(parameter, spec)
            self.interp.write_record(error.record)
            return False
        for parameter, spec in zip(self.code.parameters, self.binder.specs, strict=True):
            unbound = spec.name not in values and spec.name not in self.bound.values
            if unbound and (spec.by_value or spec.by_property):
                self._parameter(parameter, spec)
                self.scope.variables["psboundparameters"].value.pop(spec.name, None)
            if spec.name in values:
                self.scope.variables[spec.name.lower()].value = values[spec.name]
                self.scope.variables["psboundparameters"].value[spec.name] = values[spec.name]
        return True

    def end(self) -> None:
        try:
            if self.code.end is not None:
                if not self.dot_sourced:
                    self._set("input", Input(self.input))
                self._execute(self.code.end)
        finally:
            self.give_back()

    def give_back(self) -> None:
        """Put the caller's own variables back after a dot-sourced call."""
        if not self.borrowed:
            return
        for name, variable in self.borrowed.items():
            if variable is None:
                self.scope.variables.pop(name, None)
            else:
                self.scope.variables[name] = variable
        self.scope.call = self.caller
        self.borrowed = {}


def bind_pipeline(
    stage: Stage, binder: Binder, bound: Bound, item: Any
) -> tuple[dict[str, Any], PowerShellError | None]:
    """Bind one pipeline object by value, else by property names.

    Returns:
        The parameters it gave a value, and the error when it fits no parameter.
    """
    interp = stage.interp
    values: dict[str, Any] = {}
    failure: PowerShellError | None = None
    refused: PowerShellError | None = None
    for delayed, block in bound.delayed.items():
        spec = next(s for s in binder.specs if s.name == delayed)
        computed = operators.collapse(interp.invoke(block, [], dollar_underbar=item))
        values[delayed] = binder.converted(spec, None if computed is NOTHING else computed)
    sets = binder.candidate_sets(bound.values)
    open_specs = [
        s
        for s in binder.specs
        if s.name not in bound.values
        and s.name not in bound.delayed
        and (not sets or any(s.in_set(name) for name in sets))
    ]
    taken = False
    for exact in (True, False):
        for spec in open_specs:
            if not spec.by_value or taken or spec.name in values:
                continue
            wrapped = gathered(spec, item) is not item
            if exact and spec.type is not None and not wrapped and not interp.fits(item, spec.type):
                continue
            try:
                values[spec.name] = binder.converted(spec, gathered(spec, item))
                failure, taken = None, True
            except PowerShellError as error:
                failure = error
        # what has the property is bound by it before a conversion of the whole object is tried
        for spec in open_specs:
            if not spec.by_property or spec.name in values:
                continue
            for name in (spec.name, *spec.aliases):
                found, value = interp.property_for_binding(item, name)
                if not found:
                    continue
                try:
                    values[spec.name] = binder.converted(spec, value)
                    taken = taken or spec.by_value
                except PowerShellError as error:
                    refused = error
                break
    if refused is None and not values and failure is not None:
        refused = failure if "Validation" in failure.record.error_id else None
    if refused is not None:
        record = refused.record
        record.properties["TargetObject"] = item
        return values, refused
    if not values:
        return values, binder.error(
            "InputObjectNotBound",
            "The input object cannot be bound to any parameters for the command either because the command "
            "does not take pipeline input or the input and its properties do not match any of the parameters "
            "that take pipeline input.",
            target=item,
        )
    missing = [
        s.name
        for s in binder.specs
        if (s.in_set(bound.set_name) or s).mandatory
        and s.name not in bound.values
        and s.name not in values
    ]
    if missing:
        return values, binder.missing(missing)
    return values, None
