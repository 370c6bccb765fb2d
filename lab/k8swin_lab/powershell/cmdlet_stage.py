"""A cmdlet in a pipeline: binding to its declared parameters, and running its body."""

from __future__ import annotations

from typing import Any

from k8swin_lab.known import commands
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Cmdlet, Parameter, StopUpstream, Terminating
from k8swin_lab.powershell.binding import Binder
from k8swin_lab.powershell.default_parameters import apply_defaults
from k8swin_lab.powershell.errors import StopPipeline, from_terminating
from k8swin_lab.powershell.functions import bind_pipeline
from k8swin_lab.powershell.members import os_error
from k8swin_lab.powershell.parameters import Argument, Bound, Spec
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.scopes import NOTHING, Frame

_BINDERS: dict[tuple[int, str], tuple[Cmdlet, Binder]] = {}
_OF_THE_LAB = frozenset(("InputObject", "ClassName", "First", "Second"))
"""Parameters by which the lab's own commands take what the real ones take otherwise."""


def cmdlet_binder(interp: Any, cmdlet: Cmdlet) -> Binder:
    """The binder of a cmdlet; made once."""
    key = (id(cmdlet), interp.host.edition)
    known = _BINDERS.get(key)
    if known is not None and known[0] is cmdlet:
        return known[1]
    binder = Binder(
        cmdlet.name,
        [_spec(interp, p) for p in _there(cmdlet, interp.host.edition)],
        advanced=True,
        should_process=cmdlet.supports_should_process,
        error_suffix=error_suffix(cmdlet),
        missing=_missing(cmdlet),
        compiled=True,
    )
    if interp.host.edition == "Desktop":
        binder.common.pop("ProgressAction", None)
    _BINDERS[key] = (cmdlet, binder)
    return binder


def _there(cmdlet: Cmdlet, edition: str) -> list[Parameter]:
    """The parameters that the command has in an edition of PowerShell: 5.1 lacks what version 7 brought."""
    real = commands.command(cmdlet.name)
    if edition == "Core" or real is None or real.parameters is None:
        return list(cmdlet.parameters)
    return [
        p for p in cmdlet.parameters if p.name.lower() in real.parameters or p.name in _OF_THE_LAB
    ]


def _missing(cmdlet: Cmdlet) -> dict[str, str]:
    """Parameters that the real command has and this one has not, by folded name and alias."""
    real = commands.command(cmdlet.name)
    if real is None or real.parameters is None:
        return {}
    here = {p.name.lower() for p in cmdlet.parameters}
    taken = here | {alias.lower() for p in cmdlet.parameters for alias in p.aliases}
    return {
        key: name
        for key, name in real.parameters.items()
        if key not in taken and (name.lower() not in here or key != name.lower())
    }


def error_suffix(cmdlet: Cmdlet) -> str:
    """What an error id ends with: the name of the class that implements the cmdlet in Windows."""
    return f"Microsoft.PowerShell.Commands.{cmdlet.name.replace('-', '')}Command"


def _spec(interp: Any, parameter: Parameter) -> Spec:
    return Spec(
        parameter.name,
        parameter.type,
        parameter.aliases,
        parameter.position,
        parameter.mandatory,
        parameter.pipeline in ("value", "both"),
        parameter.pipeline in ("property", "both"),
        parameter.remaining,
        parameter.type == "switch",
        convert=interp.parameter_converter(parameter),
    )


class CmdletStage(Stage):
    """Runs a cmdlet of a `CommandTable`."""

    def __init__(self, frame: Frame, cmdlet: Cmdlet, arguments: list[Argument]) -> None:
        super().__init__(frame, cmdlet.name)
        self.cmdlet = cmdlet
        self.arguments = arguments
        self.context.suffix = error_suffix(cmdlet)
        self.binder = cmdlet_binder(self.interp, cmdlet)
        self.bound = Bound()
        self.input: list[Any] = []
        self.state: dict[str, Any] = {}
        self.called = False

    def begin(self) -> None:
        self.bound = self.binder.bind(self.arguments, expecting_input=self.expects_input)
        apply_defaults(self, self.binder, self.bound)
        if self.bound.common:
            self.interp.apply_common(self, self.bound.common, function=False)
        self.binder.require(self.bound, expecting_input=self.expects_input)
        for parameter in self.cmdlet.parameters:
            given = self.bound.values.get(parameter.name, False)
            if not parameter.simulated and given is not False:
                raise NotSimulated(f"{self.cmdlet.name} -{parameter.name}")

    def make_call(self, values: dict[str, Any], given: list[Any]) -> Call:
        """The call that the body gets."""
        parameters = {**self.bound.values, **values}
        for switch in ("WhatIf", "Confirm"):
            if switch in self.bound.common:
                parameters[switch] = bool(self.bound.common[switch])
        defaults = {
            p.name: (False if p.type == "switch" and p.default is None else p.default)
            for p in self.cmdlet.parameters
        }
        return Call(self.interp, self.cmdlet.name, parameters, defaults, given, self.state)

    def once(self) -> None:
        if self.cmdlet.streaming:
            self.call({}, [])

    def process(self, item: Any) -> None:
        if not self.binder.accepts_pipeline:
            error = self.binder.error(
                "InputObjectNotBound",
                "The input object cannot be bound to any parameters for the command either because the "
                "command does not take pipeline input or the input and its properties do not match any of "
                "the parameters that take pipeline input.",
                target=item,
            )
            self.interp.write_record(error.record)
            return
        values, failure = bind_pipeline(self, self.binder, self.bound, item)
        if failure is not None:
            self.interp.write_record(failure.record)
            return
        if self.cmdlet.streaming:
            self.call(values, [item])
        else:
            self.input.append(item)

    def call(self, values: dict[str, Any], given: list[Any]) -> None:
        """Run the body once."""
        self.called = True
        self.run_body(self.cmdlet.body, self.make_call(values, given))

    def end(self) -> None:
        if not self.cmdlet.streaming:
            self.run_body(self.cmdlet.body, self.make_call({}, self.input))
        if self.cmdlet.end is not None:
            self.run_body(self.cmdlet.end, self.make_call({}, []))

    def run_body(self, body: Any, call: Call) -> None:
        """Run a body and push what it yields; Python errors of files become PowerShell's."""
        write = self.write
        try:
            produced = body(call)
            if produced is None:
                return
            for item in produced:
                if item is not NOTHING:
                    write(item)
        except StopUpstream as stop:
            raise StopPipeline(self) from stop
        except Terminating as error:
            converted = from_terminating(error, self.cmdlet.name)
            record = converted.record
            if "," not in record.error_id:
                record.properties["FullyQualifiedErrorId"] = (
                    f"{record.error_id},{self.context.suffix}"
                )
            raise converted from error
        except OSError as error:
            wrapped = from_terminating(os_error(error), self.cmdlet.name)
            raise wrapped from error
