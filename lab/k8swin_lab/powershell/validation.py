"""Validation attributes: `[ValidateSet()]`, `[ValidateRange()]` and their kin as checks of a value."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import ast, operators
from k8swin_lab.powershell.arithmetic import to_number
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.scopes import Frame
from k8swin_lab.powershell.values import Hashtable, PSArray

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter

VALIDATION = "System.Management.Automation.ValidationMetadataException"
_ATTRIBUTES = frozenset(
    [
        "parameter",
        "alias",
        "cmdletbinding",
        "outputtype",
        "allownull",
        "allowemptystring",
        "allowemptycollection",
        "supportswildcards",
        "argumentcompleter",
        "psdefaultvalue",
        "dontshow",
        "credential",
    ]
)
"""Attributes that check nothing."""
_SMA = "management.automation."
_PLAIN = ("", "object", "psobject", "pscustomobject", _SMA + "psobject", _SMA + "pscustomobject")
"""Types that take an empty collection, since they are none."""


def validator(frame: Frame, attribute: ast.Attribute) -> Callable[[Any], None] | None:
    """The check that an attribute asks for; None for one that asks for none."""
    interp: Interpreter = frame.interp
    kind = attribute.name.lower().removesuffix("attribute").rpartition(".")[2]
    if kind in _ATTRIBUTES:
        return None
    compiler = interp.expression_compiler
    arguments = [compiler.expression(a)(frame) for a in attribute.positional]

    if kind == "validateset":
        options = {n.lower(): compiler.expression(v)(frame) for n, v in attribute.named}
        exact = options.get("ignorecase") is False

        def check_set(value: Any) -> None:
            for item in _each(value):
                text = interp.to_string(item)
                if not any(
                    operators.equal(interp.to_string(a), text, not exact) for a in arguments
                ):
                    raise not_in_set(text, [interp.to_string(a) for a in arguments])

        return check_set
    if kind == "validaterange":

        def check_range(value: Any) -> None:
            for item in _each(value):
                number = to_number(item)
                low, high = (to_number(a) for a in arguments[:2])
                if number < low:
                    raise validation_error(
                        f"The {number} argument is less than the minimum allowed range of {low}. Supply an "
                        f"argument that is greater than or equal to {low} and then try the command again."
                    )
                if number > high:
                    raise validation_error(
                        f"The {number} argument is greater than the maximum allowed range of {high}. Supply "
                        f"an argument that is less than or equal to {high} and then try the command again."
                    )

        return check_range
    if kind == "validatepattern":

        def check_pattern(value: Any) -> None:
            for item in _each(value):
                if (
                    operators.regex(interp.to_string(arguments[0])).search(interp.to_string(item))
                    is None
                ):
                    raise validation_error(
                        f'The argument "{interp.to_string(item)}" does not match the "{arguments[0]}" pattern. '
                        f'Supply an argument that matches "{arguments[0]}" and try the command again.'
                    )

        return check_pattern
    if kind in ("validatelength", "validatecount"):
        low, high = int(to_number(arguments[0])), int(to_number(arguments[1]))
        by_length = kind == "validatelength"

        def check_size(value: Any) -> None:
            texts = all(isinstance(item, str) for item in _each(value))
            if not (texts if by_length else isinstance(value, list | str | Hashtable)):
                raise validation_error("The argument has no size that could be checked.")
            sizes = [len(interp.to_string(i)) for i in _each(value)] if by_length else [len(value)]
            for size in sizes:
                if not low <= size <= high:
                    what = "characters" if by_length else "elements"
                    raise validation_error(
                        f"The argument has {size} {what}; from {low} to {high} are allowed. "
                        "Supply an argument of an allowed size and then try the command again."
                    )

        return check_size
    if kind == "validatescript":

        def check_script(value: Any) -> None:
            for item in _each(value):
                if not operators.truth(
                    operators.collapse(interp.invoke(arguments[0], [], dollar_underbar=item))
                ):
                    raise validation_error(
                        f'The "{arguments[0].text}" validation script for the argument with value '
                        f'"{interp.to_string(item)}" did not return a result of True. Determine why the '
                        "validation script failed, and then try the command again."
                    )

        return check_script
    if kind in ("validatenotnull", "validatenotnullorempty", "validatenotnullorwhitespace"):
        strict = kind != "validatenotnull"

        def check_filled(value: Any) -> None:
            if value is None or (strict and value == ""):
                words = "null or empty" if strict else "null"
                raise validation_error(
                    f"The argument is {words}. Provide an argument that is not {words}, and then try the "
                    "command again."
                )
            if (
                strict
                and isinstance(value, list)
                and (not value or any(v in (None, "") for v in value))
            ):
                raise validation_error(
                    "The argument is null, empty, or an element of the argument collection contains a null "
                    "value. Supply a collection that does not contain any null values and then try the "
                    "command again."
                )

        return check_filled
    return None


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def validation_error(message: str) -> PowerShellError:
    """A value that a validation attribute refuses."""
    return runtime_error(
        message, "ValidateArgumentError", category="InvalidData", exception=VALIDATION
    )


def not_in_set(text: str, allowed: Any) -> PowerShellError:
    """A value outside of a ValidateSet."""
    listed = ",".join(allowed)
    return validation_error(
        f'The argument "{text}" does not belong to the set "{listed}" specified by the ValidateSet '
        "attribute. Supply an argument that is in the set and then try the command again."
    )


def refuse_empty(value: Any, name: str, type_name: str = "", allowed: Container[str] = ()) -> None:
    """What a mandatory parameter does not take; its type says what is empty.

    `allowed`: its attributes, without case. Each of AllowNull, AllowEmptyString and
    AllowEmptyCollection allows its own kind and no other.
    """
    folded = type_name.lower().removeprefix("system.")
    if value is None:
        if "allownull" in allowed:
            return
        what, kind = "null", "Null"
    elif type(value) is str and not value and folded == "string":
        what, kind = "an empty string", "EmptyString"
    elif folded in _PLAIN or not isinstance(value, PSArray):
        return
    elif not value:
        word = "array" if folded.endswith("[]") else "collection"
        what, kind = f"an empty {word}", f"Empty{word.capitalize()}"
    elif folded == "string[]" and any(type(v) is str and not v for v in value):
        what, kind = "an empty string", "EmptyString"
    elif any(v is None for v in value):
        what, kind = "null", "Null"
    else:
        return
    if f"allow{kind.replace('Array', 'Collection').lower()}" in allowed:
        return
    raise runtime_error(
        f"Cannot bind argument to parameter '{name}' because it is {what}.",
        f"ParameterArgumentValidationError{kind}NotAllowed",
        category="InvalidData",
        exception=VALIDATION,
    )
