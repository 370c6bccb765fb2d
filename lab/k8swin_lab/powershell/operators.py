"""Comparison, matching, splitting, joining, replacing, truth: operators that are not arithmetic."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.arithmetic import to_number
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.operands import (
    beside,
    is_enum,
    is_number,
    is_numeric,
    met,
    number_of,
    plain,
)
from k8swin_lab.powershell.records import ScriptBlock, TypeValue
from k8swin_lab.powershell.scopes import NOTHING
from k8swin_lab.powershell.values import Char, Hashtable, Input, LiveView, PSArray, PSObject, Switch
from k8swin_lab.powershell.wildcards import wildcard


def truth(value: Any) -> bool:
    """A value as a condition."""
    if value is None or value is NOTHING:
        return False
    if value is True or value is False:
        return bool(value)
    if isinstance(value, str):
        if type(value) is str:
            return len(value) > 0
        number = getattr(value, "enum_number", None)
        if number is not None:
            return bool(number != 0)
        return value != "\0" if isinstance(value, Char) else len(value) > 0
    if isinstance(value, int | float | Decimal):
        return value != 0
    if isinstance(value, Hashtable):
        return True
    if isinstance(value, Switch):
        return value.present
    if isinstance(value, list | tuple):
        if len(value) == 0:
            return False
        if len(value) > 1:
            return True
        return True if isinstance(value[0], list) else truth(value[0])
    number = getattr(value, "enum_number", None)
    return number != 0 if isinstance(number, int) else True


def items_of(value: Any) -> Iterable[Any] | None:
    """What the pipeline takes apart, or None when the value goes through whole."""
    if isinstance(value, list):
        if isinstance(value, Input):
            return value.drain()
        return _walk(value) if isinstance(value, LiveView) else list(value)
    if value is NOTHING:
        return ()
    if isinstance(value, str | Hashtable | PSObject | int | float | bytes) or value is None:
        return None
    if isinstance(value, ScriptBlock):
        return None
    return dotnet.enumerate_value(value)


def _walk(view: LiveView) -> Iterator[Any]:
    owner = view.owner
    changes = owner.changes
    for item in list(view):
        yield item
        if owner.changes != changes:
            raise runtime_error(
                "Collection was modified; enumeration operation may not execute.",
                "System.InvalidOperationException",
                category="OperationStopped",
                exception="System.InvalidOperationException",
            )


def collapse(values: list[Any]) -> Any:
    """What a pipeline's output is as a value: nothing, the one object, or an array."""
    if len(values) == 1:
        return values[0]
    return PSArray(values) if values else NOTHING


# --- comparison


def equal(left: Any, right: Any, ignore_case: bool = True) -> bool:
    """`left -eq right` for a scalar on the left."""
    if isinstance(left, str):
        if right is None:
            return False
        if is_enum(left) and is_numeric(right) and not is_enum(right):
            return bool(plain(left) == met(left, right))
        if hasattr(left, "enum_number"):
            return dotnet.equals(left, right, ignore_case)
        if isinstance(left, Char) and not isinstance(right, str):
            return dotnet.equals(left, right, ignore_case)
        other = right if isinstance(right, str) else dotnet.to_string(right)
        return left == other or (ignore_case and left.casefold() == other.casefold())
    if left is None or right is None:
        return left is right
    if isinstance(left, Switch):
        return isinstance(right, bool | Switch) and bool(left) == bool(right)
    if isinstance(left, bool):
        return left == truth(right)
    if isinstance(left, int | float | Decimal):
        if isinstance(right, int | float | Decimal):
            return left == right
        try:
            return bool(left == to_number(right))
        except PowerShellError:
            return False
    if left is right:
        return True
    return dotnet.equals(left, right, ignore_case)


def order(left: Any, right: Any, ignore_case: bool = True) -> int:
    """-1, 0 or 1; the left operand's type decides."""
    if type(left) is str and right is None:
        return 1
    if left is None or right is None:
        if is_enum(left) or is_enum(right):
            raise runtime_error(
                "An enumeration value does not compare to nothing.",
                "System.InvalidOperationException",
                category="OperationStopped",
                exception="System.InvalidOperationException",
            )
        return dotnet.compare(left, right, ignore_case)
    if is_number(left):
        if type(right) is str:
            right = number_of(right, left)
        number = beside(right, dotnet.type_name_of(left))
        if number is None:
            number = _to_compare(left, right)
        a, b = plain(left), met(left, number)
        return int(a > b) - int(a < b)
    if type(left) is not str and not isinstance(left, PSObject) and dotnet.is_ordered(left):
        right = _to_compare(left, right)
    if isinstance(left, Char):
        return int(left > right) - int(left < right)
    if isinstance(left, Switch):
        if equal(left, right):
            return 0
        raise _no_order(left)
    try:
        return dotnet.compare(left, right, ignore_case)
    except Terminating as error:
        if error.error_id != "NotIcomparable":
            raise _not_comparable(left, right, str(error)) from error
        if isinstance(left, PSObject):
            own = dotnet.to_string(left)
            raise runtime_error(
                f'Cannot compare "{own}" to "{dotnet.to_string(right)}" because the objects are not the '
                f'same type or the object "{own}" does not implement "IComparable".',
                "PSObjectCompareTo",
                category="NotSpecified",
                exception="System.Management.Automation.ExtendedTypeSystemException",
            ) from error
        raise _no_order(left) from error


def _no_order(left: Any) -> PowerShellError:
    name = left.name if isinstance(left, TypeValue) else dotnet.to_string(left)
    if isinstance(left, list):
        name = dotnet.type_name_of(left)
    return runtime_error(
        f'Cannot compare "{name}" because it is not IComparable.', "NotIcomparable"
    )


def _to_compare(left: Any, right: Any) -> Any:
    """The right operand as the left one's type."""
    name = dotnet.type_name_of(left)
    if dotnet.type_name_of(right) == name:
        return right
    try:
        return dotnet.convert(None, right, name)
    except Terminating as error:
        raise _not_comparable(left, right, str(error)) from error


def _not_comparable(left: Any, right: Any, reason: str) -> PowerShellError:
    return runtime_error(
        f'Could not compare "{dotnet.to_string(left)}" to "{dotnet.to_string(right)}". Error: "{reason}"',
        "ComparisonFailure",
    )


def _filtered(test: Callable[[Any], bool], left: Any) -> Any:
    """Comparison operators filter an array on the left."""
    if isinstance(left, list):
        return PSArray(item for item in left if test(item))
    return test(left)


def comparison(name: str) -> Callable[[Any, Any], Any]:
    """The operator of that name (eq, cne, ilt, ...)."""
    ignore_case = name[0] != "c" or name == "contains"
    base = name[1:] if name[0] in "ic" and name[1:] in _ORDERS else name
    test = _ORDERS[base]
    if base in ("eq", "ne"):
        wanted = base == "eq"

        def equality(left: Any, right: Any) -> Any:
            if isinstance(left, list):
                return PSArray(i for i in left if equal(i, right, ignore_case) == wanted)
            return equal(left, right, ignore_case) == wanted

        return equality

    def ordering(left: Any, right: Any) -> Any:
        if type(left) is int and type(right) is int:
            return test((left > right) - (left < right))
        if isinstance(left, list):
            return PSArray(i for i in left if test(order(i, right, ignore_case)))
        return test(order(left, right, ignore_case))

    return ordering


_ORDERS: dict[str, Callable[[int], bool]] = {
    "eq": lambda c: c == 0,
    "ne": lambda c: c != 0,
    "gt": lambda c: c > 0,
    "ge": lambda c: c >= 0,
    "lt": lambda c: c < 0,
    "le": lambda c: c <= 0,
}


def like(left: Any, right: Any, ignore_case: bool = True, negate: bool = False) -> Any:
    pattern = wildcard(dotnet.to_string(right), ignore_case)
    texts = (
        [dotnet.to_string(i) for i in left] if isinstance(left, list) else dotnet.to_string(left)
    )
    return _filtered(lambda item: (pattern.fullmatch(item) is not None) != negate, texts)


def contains(left: Any, right: Any, ignore_case: bool = True) -> bool:
    items = items_of(left)
    if items is None:
        items = (left,)
    return any(equal(item, right, ignore_case) for item in items)


# --- regular expressions


@lru_cache(maxsize=512)
def regex(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """A .NET regular expression as a Python one; an error is .NET's own, as -match and -split tell it."""
    try:
        return dotnet.compile_regex(pattern, ignore_case)
    except Terminating as error:
        raise runtime_error(
            str(error), error.exception, category="OperationStopped", exception=error.exception
        ) from error


def checked_regex(pattern: str, ignore_case: bool = True) -> re.Pattern[str]:
    """A regular expression of -replace and switch, which have an error of their own."""
    try:
        return regex(pattern, ignore_case)
    except PowerShellError as error:
        raise runtime_error(
            f"The regular expression pattern {pattern} is not valid.",
            "InvalidRegularExpression",
            inner=error.record.exception,
        ) from error


def matches_table(match: re.Match[str]) -> Hashtable:
    """`$Matches`: groups that took part, by name or number."""
    return Hashtable((key, value) for key, value in dotnet.match_groups(match) if value is not None)


_REPLACEMENT = re.compile(r"\$(?:(\$)|(\d+)|\{(\w+)\}|(&)|(`)|(')|(\+)|(_))")


def expand_replacement(template: str, match: re.Match[str]) -> str:
    """`$1`, `${name}`, `$&` and `$$` of a replacement text."""

    def one(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        name = found.group(2) or found.group(3)
        if name:
            try:
                value = match.group(int(name) if name.isdigit() else name)
            except (IndexError, error_type):
                return found.group()
            return value or ""
        if found.group(5):
            return match.string[: match.start()]
        if found.group(6):
            return match.string[match.end() :]
        if found.group(8):
            return match.string
        return match.group()

    error_type = KeyError
    return _REPLACEMENT.sub(one, template)


def replace(
    left: Any, right: Any, ignore_case: bool, call: Callable[[ScriptBlock, Any], str]
) -> Any:
    """`left -replace pattern, replacement`."""
    operands = list(right) if isinstance(right, list) else [right]
    if len(operands) > 2:
        raise runtime_error(
            f"The -replace operator allows only two elements to follow it, not {len(operands)}.",
            "BadReplaceArgument",
            target=right,
        )
    pattern = checked_regex(dotnet.to_string(operands[0]) if operands else "", ignore_case)
    replacement: Any = operands[1] if len(operands) > 1 else ""
    expand: Callable[[re.Match[str]], str]
    if isinstance(replacement, ScriptBlock):
        block = replacement
        expand = lambda match: call(block, match)  # noqa: E731 - one of two short forms
    else:
        template = dotnet.to_string(replacement)
        expand = lambda match: expand_replacement(template, match)  # noqa: E731 - see above

    def one(item: Any) -> str:
        return pattern.sub(expand, dotnet.to_string(item))

    return PSArray(one(item) for item in left) if isinstance(left, list) else one(left)


def split(
    left: Any, right: Any, ignore_case: bool, call: Callable[[ScriptBlock, Any], Any]
) -> PSArray:
    """`left -split pattern, count, options`."""
    operands = list(right) if isinstance(right, list) else [right]
    if not operands:
        raise runtime_error(
            f"The argument to operator '-split' is not valid: {dotnet.type_name_of(right)}.",
            "BadOperatorArgument",
        )
    limit = _limit(operands[1]) if len(operands) > 1 else 0
    options = dotnet.to_string(operands[2]).lower() if len(operands) > 2 else ""
    result = PSArray((), "System.String")
    for item in left if isinstance(left, list) else [left]:
        text = dotnet.to_string(item)
        separator = operands[0]
        if isinstance(separator, ScriptBlock):
            result.extend(_split_by_block(text, separator, limit, call))
            continue
        pattern = dotnet.to_string(separator)
        if "simplematch" in options:
            pattern = re.escape(pattern)
        fold = ignore_case if not options else ignore_case and "simplematch" not in options
        if "ignorecase" in options:
            fold = True
        compiled = regex(pattern, fold)
        if "multiline" in options:
            compiled = re.compile(compiled.pattern, compiled.flags | re.MULTILINE)
        result.extend(_split_text(text, compiled, limit))
    return result


def _limit(value: Any) -> int:
    """How many pieces a text is split into at most."""
    try:
        return int(dotnet.convert(None, value, "System.Int32"))
    except Terminating as error:
        raise runtime_error(str(error), "RuntimeException", category="NotSpecified") from error


def _split_text(text: str, pattern: re.Pattern[str], limit: int) -> list[str]:
    if limit == 1:
        return [text]
    pieces: list[str] = []
    start = 0
    cuts = list(pattern.finditer(text))
    if limit < 0:
        cuts = cuts[limit + 1 :] if limit < -1 else []
    elif limit:
        cuts = cuts[: limit - 1]
    for match in cuts:
        pieces.append(text[start : match.start()])
        pieces.extend(group for group in match.groups() if group is not None)
        start = match.end()
    pieces.append(text[start:])
    return pieces


def _split_by_block(
    text: str, block: ScriptBlock, limit: int, call: Callable[[ScriptBlock, Any], Any]
) -> list[str]:
    pieces = [""]
    for char in text:
        if (not limit or len(pieces) < limit) and truth(call(block, char)):
            pieces.append("")
        else:
            pieces[-1] += char
    return pieces


def unary_split(value: Any) -> PSArray:
    """`-split text`: at white space, without empty pieces."""
    result = PSArray((), "System.String")
    for item in value if isinstance(value, list) else [value]:
        result.extend(dotnet.to_string(item).split() or [""])
    return result


def join(left: Any, right: Any) -> str:
    """`left -join separator`."""
    items = (left,) if isinstance(left, Input) else items_of(left)
    if items is None:
        return dotnet.to_string(left)
    return dotnet.to_string(right).join(
        f"{item.element_type}[]"
        if isinstance(item, PSArray)
        else ""
        if is_plain_object(item)
        else dotnet.to_string(item)
        for item in items
    )


def is_plain_object(value: Any) -> bool:
    """Whether a value is a custom object without a text of its own, which is nothing among others."""
    return (
        isinstance(value, PSObject)
        and value.type_names[-1:] == ["System.Management.Automation.PSCustomObject"]
        and value.display is None
        and not value.methods
    )
