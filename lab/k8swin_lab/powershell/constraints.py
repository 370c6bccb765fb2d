"""Typed variables and parameters: the conversions and checks that a value goes through."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import ast, dotnet, operators
from k8swin_lab.powershell.api import Parameter
from k8swin_lab.powershell.binding_errors import no_switch
from k8swin_lab.powershell.dotnet.castability import shown
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import Reference
from k8swin_lab.powershell.scopes import NOTHING, Frame
from k8swin_lab.powershell.validation import (
    VALIDATION,
    WITHOUT_CHECK,
    not_in_set,
    refuse_empty,
    validator,
)
from k8swin_lab.powershell.values import PSArray, Switch

_CONDITIONS = ("bool", "boolean", "system.boolean")
_TEXTS = ("string[]", "system.string[]")
_TRANSFORMATION = "System.Management.Automation.ArgumentTransformationMetadataException"


_SWITCHES = ("switch", "switchparameter", "system.management.automation.switchparameter")


def _is_condition(value: Any) -> bool:
    """Whether the binder takes a value for a condition: Booleans, numbers and what counts as one."""
    enumerated = isinstance(getattr(value, "enum_number", None), int)
    return enumerated or isinstance(value, bool | int | float | Decimal | Switch)


def _no_condition(value: Any, type_name: str) -> PowerShellError:
    """The error of a parameter that is a condition and gets something else."""
    kind = "" if value is None else dotnet.type_name_of(value)
    return runtime_error(
        f'Cannot convert value "{kind}" to type "{type_name}". Boolean parameters accept only '
        "Boolean values and numbers, such as $True, $False, 1 or 0.",
        "RuntimeException",
        category="InvalidArgument",
        exception="System.Management.Automation.PSInvalidCastException",
    )


class Constraints:
    """The part of the interpreter that keeps variables and parameters to their declarations."""

    if TYPE_CHECKING:

        def cast(self, value: Any, type_name: str) -> Any: ...
        def is_structure_without_default(self, type_name: str) -> bool: ...
        def to_string(self, value: Any) -> str: ...

    def parameter_converter(self, parameter: Parameter) -> Callable[[Any], Any] | None:
        """What a cmdlet's declared parameter does to its argument."""
        name = parameter.type
        if name == "object" and not parameter.choices:
            return None

        def convert(value: Any) -> Any:
            if value is NOTHING:
                value = None
            if name == "switch":
                if not (value is None or _is_condition(value)):
                    raise no_switch(value)
                return operators.truth(value)
            if name != "object":
                if isinstance(value, Reference):
                    return value
                if name.endswith("[]"):
                    found = operators.items_of(value)
                    items = [] if value is None else [value] if found is None else list(found)
                    element = name[:-2]
                    value = PSArray(
                        self.cast(i, element) if element != "object" else i for i in items
                    )
                elif not (value is None and name not in ("string", "int", "bool", "switch")):
                    value = self.cast(value, name)
            if parameter.choices:
                for item in value if isinstance(value, list) else [value]:
                    if self.to_string(item).lower() not in (c.lower() for c in parameter.choices):
                        raise not_in_set(self.to_string(item), parameter.choices)
            return value

        return convert

    def default_converter(self, type_name: str | None, *, exact: bool) -> Callable[[Any], Any]:
        """What a default value goes through: the conversion of an argument, and no validation."""
        return (
            self._caster(type_name, True, exact) if type_name is not None else lambda value: value
        )

    def assignment_converter(
        self,
        frame: Frame,
        constraints: list[Any],
        name: str,
        parameter: bool = False,
        *,
        exact: bool = False,
        strict: bool = False,
    ) -> Callable[[Any], Any]:
        """The conversion and checks that types and attributes before a variable or parameter ask for.

        `exact`: an array is no [string], as in functions with CmdletBinding. `strict`: [bool] takes no texts.
        """
        steps: list[Callable[[Any], Any]] = []
        mandatory = any(
            isinstance(c, ast.Attribute)
            and c.name.lower() == "parameter"
            and any(
                n.lower() == "mandatory"
                and (getattr(v, "value", None) is True or getattr(v, "name", "") == "true")
                for n, v in c.named
            )
            for c in constraints
        )
        allowed = {
            c.name.lower().removesuffix("attribute")
            for c in constraints
            if isinstance(c, ast.Attribute)
        }
        type_constraint: ast.TypeLiteral | None = None
        checks: list[Callable[[Any], None]] = []
        for constraint in constraints:
            if isinstance(constraint, ast.TypeLiteral):
                type_constraint = constraint
            elif (own := self._own_attribute(frame, constraint)) is not None:
                kind, step = own
                if kind == "transform":
                    steps.append(step)
                else:
                    checks.append(step)
            else:
                check = validator(frame, constraint)
                if check is not None:
                    checks.append(check)
        if type_constraint is not None:
            steps.append(
                self._caster(
                    type_constraint.name,
                    parameter,
                    exact,
                    strict,
                )
            )

        def convert(value: Any) -> Any:
            if value is NOTHING:
                value = None
            for step in steps:
                value = step(value)
            for check in reversed(checks):  # the attribute beside the name is asked first
                try:
                    check(value)
                except PowerShellError as error:
                    error.validates, error.checked = True, value
                    raise
            if parameter and mandatory:
                refuse_empty(value, name, type_constraint.name if type_constraint else "", allowed)
            return value

        return convert

    def _own_attribute(
        self, frame: Frame, attribute: ast.Attribute
    ) -> tuple[str, Callable[[Any], Any]] | None:
        """What an attribute does that a class of the script defines."""
        interp = frame.interp
        folded = attribute.name.lower()
        ps_class = interp.classes.get(folded) or interp.classes.get(folded + "attribute")
        if ps_class is None:
            return None
        compiler = interp.expression_compiler
        instance = ps_class.construct(
            interp, [compiler.expression(a)(frame) for a in attribute.positional]
        )
        for name, code in attribute.named:
            instance.assign(interp, name, compiler.expression(code)(frame))
        if ps_class.finds("transform"):
            return "transform", lambda value: ps_class.call(
                interp, instance, "Transform", [None, value]
            )

        def check(value: Any) -> None:
            if ps_class.finds("validate"):
                ps_class.call(interp, instance, "Validate", [value, None])
                return
            for item in value if isinstance(value, list) else [value]:
                ps_class.call(interp, instance, "ValidateElement", [item])

        return "validate", check

    def variable_converter(
        self, frame: Frame, constraints: list[Any], name: str, elsewhere: bool = False
    ) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """What the first assignment to a typed variable goes through, and any later one.

        `elsewhere`: the assignment names the scope.
        """
        own = not elsewhere and frame.scope is not frame.interp.global_scope
        if own and all(
            isinstance(c, ast.TypeLiteral) and not c.name.lower().startswith("nullable[")
            for c in constraints
        ):
            # a compiled function's own variable: the conversion's error is plain
            plain = self.assignment_converter(frame, constraints, name)
            return plain, plain
        convert = self.assignment_converter(frame, constraints, name, strict=True)
        return self.named_errors(convert, name, adding=True), self.named_errors(convert, name)

    def parameter_converter_inside(
        self,
        frame: Frame,
        constraints: list[Any],
        name: str,
        *,
        dotted: bool,
    ) -> Callable[[Any], Any]:
        """What an assignment to a parameter goes through in its own function: no rule that is the binder's own.

        A compiled function's parameter that has a type alone is converted as its other variables are.
        """
        kinds = [c for c in constraints if isinstance(c, ast.TypeLiteral)]
        checked = any(
            isinstance(c, ast.Attribute)
            and c.name.lower().removesuffix("attribute") not in WITHOUT_CHECK
            for c in constraints
        )
        plain = (
            len(kinds) == 1
            and not checked
            and not dotted
            and kinds[0].name.lower() != "ref"
            and not self.is_structure_without_default(kinds[0].name)
        )
        if plain:
            return self.assignment_converter(frame, kinds, name)
        return self.named_errors(
            self.assignment_converter(frame, constraints, name, strict=True), name
        )

    def named_errors(
        self, convert: Callable[[Any], Any], name: str, *, adding: bool = False
    ) -> Callable[[Any], Any]:
        """A conversion whose errors are those of an assignment to a variable.

        `adding`: the assignment is the one that gives the variable its attributes.
        """

        def assign(value: Any) -> Any:
            try:
                return convert(value)
            except PowerShellError as error:
                exception = error.record.exception
                script = error.validates and exception.type_name != VALIDATION
                if script or error.record.error_id == "TypeNotFound":
                    raise  # what a ValidateScript throws goes through
                if exception.type_name == VALIDATION:
                    if adding:
                        message = (
                            f"The attribute cannot be added because variable {name} with value "
                            f"{shown(error.checked)} would no longer be valid."
                        )
                    else:
                        text = "$null" if error.checked is None else shown(error.checked)
                        message = (
                            f"The variable cannot be validated because the value {text} "
                            f"is not a valid value for the {name} variable."
                        )
                    raise runtime_error(
                        message,
                        "ValidateSetFailure",
                        category="MetadataError",
                        exception=VALIDATION,
                    ) from error
                raise runtime_error(
                    exception.message,
                    category="MetadataError",
                    exception=_TRANSFORMATION,
                    inner=exception.inner or exception,
                ) from error

        return assign

    def _condition(self, value: Any, type_name: str, strict: bool) -> Any:
        """[bool]: a parameter takes only Booleans and numbers, a function's own variable anything."""
        if strict and not _is_condition(value):
            raise _no_condition(value, "System.Boolean")
        return self.cast(value, type_name)

    def _caster(
        self, type_name: str, parameter: bool, exact: bool, strict: bool = False
    ) -> Callable[[Any], Any]:
        folded = type_name.lower()

        def step(value: Any) -> Any:
            if isinstance(value, Reference):
                return value
            if folded == "ref":
                raise runtime_error("Reference type is expected in argument.")
            if folded in _CONDITIONS:
                return self._condition(value, type_name, parameter or strict)
            if (
                (parameter or strict)
                and folded in _SWITCHES
                and not (value is None or _is_condition(value))
            ):
                raise _no_condition(value, "System.Management.Automation.SwitchParameter")
            if value is None and (folded.endswith("[]") or folded in ("array", "system.array")):
                return None
            if exact and folded in ("string", "system.string") and type(value) is PSArray:
                raise runtime_error(
                    "Cannot convert value to type System.String.",
                    "CannotConvertArgument",
                    category="InvalidArgument",
                    exception="System.Management.Automation.PSInvalidCastException",
                )
            if (
                parameter
                and folded in _TEXTS
                and type(value) is PSArray
                and all(i is None or type(i) is str for i in value)
            ):  # the binder hands on an element that is null; only a cast makes it a text
                return PSArray(value, "System.String")
            return self.cast(value, type_name)

        return step
