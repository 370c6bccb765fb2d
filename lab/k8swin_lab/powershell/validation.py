"""Validation attributes: `[ValidateSet()]`, `[ValidateRange()]` and their kin as checks of a value."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import ast, dotnet, operators
from k8swin_lab.powershell.arithmetic import to_number
from k8swin_lab.powershell.dotnet.comparison import compare
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.scopes import Frame
from k8swin_lab.powershell.values import Hashtable, PSArray

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter

VALIDATION = "System.Management.Automation.ValidationMetadataException"
WITHOUT_CHECK = frozenset(
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
    if kind in WITHOUT_CHECK:
        return None
    compiler = interp.expression_compiler
    arguments = [compiler.expression(a)(frame) for a in attribute.positional]

    if kind == "validateset":
        options = {n.lower(): compiler.expression(v)(frame) for n, v in attribute.named}
        exact = options.get("ignorecase") is False

        def check_set(value: Any) -> None:
            for item in _elements(value):
                _refuse_null(item)
                text = interp.to_string(item)
                if not any(
                    operators.equal(interp.to_string(a), text, not exact) for a in arguments
                ):
                    raise not_in_set(text, [interp.to_string(a) for a in arguments])

        return check_set
    if kind == "validaterange":

        def check_range(value: Any) -> None:
            for item in _elements(value):
                _refuse_null(item)
                _refuse_outside(interp, item, *arguments[:2])

        return check_range
    if kind == "validatepattern":

        def check_pattern(value: Any) -> None:
            for item in _elements(value):
                _refuse_null(item)
                if (
                    operators.regex(interp.to_string(arguments[0])).search(interp.to_string(item))
                    is None
                ):
                    raise validation_error(
                        f'The argument "{interp.to_string(item)}" does not match the "{arguments[0]}" pattern. '
                        f'Supply an argument that matches "{arguments[0]}" and try the command again.',
                        "ValidatePatternFailure",
                    )

        return check_pattern
    if kind in ("validatelength", "validatecount"):
        low, high = int(to_number(arguments[0])), int(to_number(arguments[1]))
        by_length = kind == "validatelength"

        def check_size(value: Any) -> None:
            if by_length:
                for item in _elements(value):
                    _refuse_length(item, low, high)
            else:
                _refuse_count(value, low, high, interp.host.edition == "Desktop")

        return check_size
    if kind == "validatescript":

        def check_script(value: Any) -> None:
            for item in _elements(value):
                _refuse_null(item)
                answer = interp.invoke(arguments[0], [], dollar_underbar=item)
                if not operators.truth(operators.collapse(answer)):
                    raise validation_error(
                        f'The "{interp.to_string(arguments[0])}" validation script for the argument with value '
                        f'"{interp.to_string(item)}" did not return a result of True. Determine why the '
                        "validation script failed, and then try the command again.",
                        "ValidateScriptFailure",
                    )

        return check_script
    if kind in ("validatenotnull", "validatenotnullorempty", "validatenotnullorwhitespace"):
        strict = kind != "validatenotnull"

        def check_filled(value: Any) -> None:
            if not strict:
                _refuse_null(value)
            if value is None or (strict and value == ""):
                raise validation_error(
                    "The argument is null or empty. Provide an argument that is not null or empty, and "
                    "then try the command again.",
                    "ArgumentIsEmpty",
                )
            items = value if isinstance(value, list) else []
            if not strict and any(v is None for v in items):
                raise validation_error(
                    "The argument has a null value, or an element of the argument collection contains a "
                    "null value. Provide a collection that does not contain any null values, and then try "
                    "the command again.",
                    "ArgumentIsNull",
                )
            empty = isinstance(value, list | Hashtable) and not value
            if strict and (empty or any(v in (None, "") for v in items)):
                raise validation_error(_NULL_ELEMENT, "ArgumentIsEmpty")

        return check_filled
    return None


_NULL_ELEMENT = (
    "The argument is null, empty, or an element of the argument collection contains a null value. Supply "
    "a collection that does not contain any null values and then try the command again."
)


def _elements(value: Any) -> list[Any]:
    """What an attribute looks at one by one; of null there is nothing to look at."""
    if value is None:
        raise validation_error(_NULL_ELEMENT, "ArgumentIsEmpty")
    items = operators.items_of(value)
    return [value] if items is None else list(items)


def _refuse_null(item: Any) -> None:
    """An element that most attributes do not look at."""
    if item is None:
        raise validation_error(
            "The argument is null. Provide a valid value for the argument, and then try running the "
            "command again.",
            "ArgumentIsNull",
        )


def _refuse_length(item: Any, low: int, high: int) -> None:
    """ValidateLength: of texts alone."""
    if type(item) is not str:
        raise validation_error(
            "The ValidateLength attribute cannot be applied to a parameter that is not a string or "
            "string[] parameter. Make the parameter a string or string[] parameter.",
            "ValidateLengthNotString",
        )
    size = len(item)
    if size < low:
        raise validation_error(
            f"The character length ({size}) of the argument is too short. Specify an argument with a "
            f'length that is greater than or equal to "{low}", and then try the command again.',
            "ValidateLengthMinLengthFailure",
        )
    if size > high:
        raise validation_error(
            f"The character length of the {size} argument is too long. Shorten the character length of the "
            f'argument so it is fewer than or equal to "{high}" characters, and then try the command again.',
            "ValidateLengthMaxLengthFailure",
        )


def _refuse_count(value: Any, low: int, high: int, desktop: bool) -> None:
    """ValidateCount: of collections, and a text is one of characters; null has no elements."""
    if value is not None and type(value) is not str and not isinstance(value, list | Hashtable):
        raise validation_error(
            "The ValidateCount attribute cannot be applied to a non-array parameter. Either remove the "
            "attribute from the parameter or make the parameter an array parameter.",
            "NotAnArrayParameter",
        )
    size = 0 if value is None else len(value)
    if desktop and size < low:
        raise validation_error(
            f"The number of provided arguments ({size}) is fewer than the minimum number of allowed "
            f"arguments ({low}). Provide more than {low} arguments, and then try the command again.",
            "ValidateCountSmallerThanMin",
        )
    if desktop and size > high:
        raise validation_error(
            f"The number of provided arguments, ({size}), exceeds the maximum number of allowed arguments "
            f"({high}). Provide fewer than {high} arguments, and then try the command again.",
            "ValidateCountGreaterThanMax",
        )
    if low == high != size:
        raise validation_error(
            f"The parameter requires exactly {high} value(s) - {size} value(s) were provided.",
            "ValidateCountExactFailure",
        )
    if not low <= size <= high:
        raise validation_error(
            f"The parameter requires at least {low} value(s) and no more than {high} value(s) - {size} "
            "value(s) were provided.",
            "ValidateCountMinMaxFailure",
        )


def _refuse_outside(interp: Any, item: Any, low: Any, high: Any) -> None:
    """ValidateRange: the value is compared as the limits' type."""
    kind, wider = dotnet.type_name_of(low), dotnet.type_name_of(high)
    if kind == "System.Int32" and wider in ("System.Double", "System.Decimal", "System.Int64"):
        kind = wider
    value = _as_limit(interp, item, kind)
    below, above = compare(value, low, False) < 0, compare(value, high, False) > 0
    if below:
        raise validation_error(
            f"The {interp.to_string(value)} argument is less than the minimum allowed range of {low}. Supply "
            f"an argument that is greater than or equal to {low} and then try the command again.",
            "ValidateRangeTooSmall",
        )
    if above:
        raise validation_error(
            f"The {interp.to_string(value)} argument is greater than the maximum allowed range of {high}. "
            f"Supply an argument that is less than or equal to {high} and then try the command again.",
            "ValidateRangeTooBig",
        )


def _as_limit(interp: Any, item: Any, kind: str) -> Any:
    """An element as the type of the limits."""
    try:
        return interp.cast(item, kind)
    except PowerShellError as error:
        own, wanted = (n.rpartition(".")[2] for n in (dotnet.type_name_of(item), kind))
        raise validation_error(
            f'The argument cannot be validated because its type "{own}" is not the same type ({wanted}) as '
            "the maximum and minimum limits of the parameter. Make sure the argument is of type "
            f"{wanted} and then try the command again.",
            "ValidationRangeElementType",
        ) from error


def validation_error(message: str, error_id: str) -> PowerShellError:
    """A value that a validation attribute refuses."""
    return runtime_error(message, error_id, category="MetadataError", exception=VALIDATION)


def not_in_set(text: str, allowed: Any) -> PowerShellError:
    """A value outside of a ValidateSet."""
    listed = ",".join(allowed)
    return validation_error(
        f'The argument "{text}" does not belong to the set "{listed}" specified by the ValidateSet '
        "attribute. Supply an argument that is in the set and then try the command again.",
        "ValidateSetFailure",
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
