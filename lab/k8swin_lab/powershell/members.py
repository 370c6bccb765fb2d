"""Members and method calls of values, as scripts write them.

What a script made (hashtables, custom objects, class instances, script blocks) is served here; .NET
values are the `dotnet` package's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet, language_mode, operators
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.arithmetic import to_integer
from k8swin_lab.powershell.classes import ClassInstance
from k8swin_lab.powershell.dotnet.registry import no_overload
from k8swin_lab.powershell.errors import (
    PowerShellError,
    from_terminating,
    method_error,
    runtime_error,
)
from k8swin_lab.powershell.records import Reference, ScriptBlock, ScriptProperty, TypeValue
from k8swin_lab.powershell.scopes import NOTHING, Enumerator, Frame, Variable
from k8swin_lab.powershell.values import Hashtable, Input, PSArray, PSObject

_CUSTOM = "System.Management.Automation.PSCustomObject"
_UNWRAPPED = frozenset(
    {
        "System.Management.Automation.RuntimeException",
        "System.Management.Automation.MethodException",
        "System.Management.Automation.PSInvalidCastException",
    }
)


def custom_object(table: Hashtable) -> PSObject:
    """`[pscustomobject]@{...}`."""
    made = PSObject([(str(key), value) for key, value in table.items()])
    if "PSTypeName" in made.properties:
        made.type_names.insert(0, str(made.properties.pop("PSTypeName")))
    return made


def get(frame: Frame, target: Any, name: Any) -> Any:
    """`target.name`; a missing property is $null, or an error under strict mode."""
    if not isinstance(name, str):
        name = frame.interp.to_string(name)
    if type(target) is Hashtable:
        if name in target:
            return target[name]
    elif isinstance(target, PSObject):
        if isinstance(target, ClassInstance) and name in target.hidden:
            return target.hidden[name]
        if isinstance(target, ClassInstance) and target.ps_class.finds(name.lower()):
            raise NotSimulated(f"[{target.ps_class.name}].{name} without a call")
        if name in target.properties:
            value = target.properties[name]
            if isinstance(value, ScriptProperty):
                return (
                    operators.collapse(frame.interp.invoke(value.getter, [], this=target)) or None
                )
            return value.value if isinstance(value, Variable) else value
    elif target is None or target is NOTHING:
        if name.lower() in ("count", "length") and not frame.scope.strictness():
            return 0
        return _missing(frame, name)
    elif isinstance(target, TypeValue) and name.lower() == "basetype":
        ps_class = frame.interp.classes.get(target.name.lower())
        if ps_class is not None:
            return TypeValue(ps_class.base_name())
    elif isinstance(target, Input):
        return (
            target.current
            if name.lower() == "current"
            else _enumerated(frame, target.drain(), name)
        )
    elif isinstance(target, Enumerator) and name.lower() == "current":
        return target.current
    elif isinstance(target, Reference) and name.lower() == "value":
        return target.get()
    if dotnet.has_member(target, name):
        try:
            return dotnet.get_member(target, name)
        except Terminating as error:
            raise from_terminating(error) from error
    if isinstance(target, list | tuple):
        return _enumerated(frame, target, name)
    folded = name.lower()
    if folded in ("count", "length") and frame.scope.strictness() < 2:
        return 1
    items = operators.items_of(target)
    if items is not None:
        return _enumerated(frame, items, name)
    return (
        None
        if isinstance(target, Hashtable) and not frame.scope.strictness()
        else _missing(frame, name)
    )


def _missing(frame: Frame, name: str) -> Any:
    if frame.scope.strictness() >= 2:
        raise runtime_error(
            f"The property '{name}' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict",
            target=name,
            category="NotSpecified",
            exception="System.Management.Automation.PropertyNotFoundException",
        )
    return None


def _enumerated(frame: Frame, items: Any, name: str) -> Any:
    """Member-access enumeration: the property of every element that has it."""
    found: list[Any] = []
    for item in items:
        if item is None or not has(item, name):
            if isinstance(item, PSObject) and item.type_names[-1:] == [_CUSTOM]:
                found.append(None)  # a custom object without the property gives $null
            continue
        value = get(frame, item, name)
        inner = operators.items_of(value)
        if inner is None:
            found.append(value)
        else:
            found.extend(inner)
    if not found:
        if frame.scope.strictness() >= 2 and not isinstance(items, list | tuple):
            return _missing(frame, name)
        if frame.scope.strictness() >= 2:
            if items:
                return _missing(frame, name)
            raise runtime_error(
                f"The property '{name}' cannot be found on this object. Verify that the property exists.",
                "PropertyNotFoundStrict",
                target=name,
            )
        return None
    return found[0] if len(found) == 1 else PSArray(found)


def has(target: Any, name: str) -> bool:
    """Whether a value has the property."""
    if isinstance(target, Hashtable) and name in target:
        return True
    if isinstance(target, PSObject) and name in target.properties:
        return True
    if isinstance(target, list):
        return any(has(item, name) for item in target) or bool(dotnet.has_member(target, name))
    return target is not None and bool(dotnet.has_member(target, name))


def set_member(frame: Frame, target: Any, name: Any, value: Any) -> None:
    """`target.name = value`."""
    if not isinstance(name, str):
        name = frame.interp.to_string(name)
    if isinstance(target, ClassInstance):
        target.assign(frame.interp, name, value)
        return
    if isinstance(target, Hashtable):
        target[name] = value
        return
    if isinstance(target, Reference) and name.lower() == "value":
        target.set(value)
        return
    if isinstance(target, PSObject) and name in target.properties:
        existing = target.properties[name]
        if isinstance(existing, ScriptProperty):
            if existing.setter is None:
                raise _not_settable(name)
            frame.interp.invoke(existing.setter, [value], this=target)
            return
        target.properties[name] = value
        return
    if isinstance(target, PSObject) and not dotnet.has_member(target, name):
        message = (
            f"The property '{name}' cannot be found on this object. Verify that the property "
            "exists and can be set."
        )
        raise runtime_error(
            f'Exception setting "{name}": "{message}"',
            "ExceptionWhenSetting",
            category="NotSpecified",
            exception="System.Management.Automation.SetValueInvocationException",
            inner=from_terminating(Terminating(message)).record.exception,
        )
    if target is None or not dotnet.has_member(target, name):
        raise runtime_error(
            f"The property '{name}' cannot be found on this object. Verify that the property exists and "
            "can be set.",
            "PropertyNotFound" if target is None else "PropertyAssignmentException",
            category="InvalidOperation",
        )
    if language_mode.constrained(frame.interp):
        language_mode.check_property(frame.interp, dotnet.type_name_of(target))
    try:
        dotnet.set_member(target, name, value)
    except Terminating as error:
        if error.exception == "System.Management.Automation.RuntimeException":
            raise from_terminating(error) from error
        if error.error_id == "PropertyAssignmentException":
            raise runtime_error(
                str(error), error.error_id, inner=from_terminating(error).record.exception
            ) from error
        raise runtime_error(
            f'Exception setting "{name}": "{error}"',
            "ExceptionWhenSetting",
            category="NotSpecified",
            exception="System.Management.Automation.SetValueInvocationException",
            inner=from_terminating(error).record.exception,
        ) from error


def _not_settable(name: str) -> PowerShellError:
    return runtime_error(
        f'Set accessor for property "{name}" is unavailable.',
        "SetWithoutSetterFromScriptProperty",
        exception="System.Management.Automation.SetValueException",
    )


def call(frame: Frame, target: Any, name: str, arguments: list[Any]) -> Any:
    """`target.name(arguments)`."""
    interp = frame.interp
    folded = name.lower()
    if target is None or target is NOTHING:
        raise runtime_error(
            "You cannot call a method on a null-valued expression.", "InvokeMethodOnNull"
        )
    if isinstance(target, PSObject):
        if isinstance(target, ClassInstance) and target.ps_class.finds(folded):
            return target.ps_class.call(interp, target, name, arguments)
        method = next((m for n, m in target.methods.items() if n.lower() == folded), None)
        if isinstance(method, ScriptBlock):
            result = operators.collapse(interp.invoke(method, arguments, this=target))
            return None if result is NOTHING else result
        if method is not None:
            return _guarded(name, arguments, lambda: method(*arguments))
    if isinstance(target, Input) and folded == "reset":
        target.place = 0
        return None
    if isinstance(target, Enumerator | Input) and folded == "movenext":
        return target.move_next()
    if isinstance(target, ScriptBlock):
        found, value = _script_block_method(frame, target, folded, arguments)
        if found:
            return value
    if (
        isinstance(target, Hashtable)
        and folded not in ("foreach", "where")
        and isinstance(target.get(name), ScriptBlock)
    ):
        return interp.invoke_value(target[name], arguments)
    if folded in ("foreach", "where"):
        return (_for_each if folded == "foreach" else _where)(frame, target, arguments)
    if language_mode.constrained(interp):
        language_mode.check_method(interp, dotnet.type_name_of(target))
    try:
        return _guarded(
            name, arguments, lambda: dotnet.call_method(interp, target, name, arguments)
        )
    except PowerShellError as error:
        several = operators.items_of(target)
        if error.record.error_id != "MethodNotFound" or several is None:
            raise
        results = PSArray()
        target = list(several)
        for item in target:
            result = call(frame, item, name, arguments)
            if result is not None:
                results.extend(result if isinstance(result, list) else [result])
        if not target:
            raise
        return results if len(results) != 1 else results[0]


def _guarded(name: str, arguments: list[Any], action: Callable[[], Any]) -> Any:
    """Run a .NET method; what it raises becomes a MethodInvocationException."""
    try:
        return action()
    except Terminating as error:
        if error.exception in _UNWRAPPED or error.error_id.endswith("NotFound"):
            raise from_terminating(error) from error
        raise method_error(name, len(arguments), error) from error
    except OSError as error:
        raise method_error(name, len(arguments), os_error(error)) from error
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        if name == ".ctor" and isinstance(error, (TypeError, AttributeError)):
            raise from_terminating(no_overload("new", len(arguments))) from error
        raise NotSimulated(f"{name}() with such {len(arguments)} argument(s)") from error


def os_error(error: OSError) -> Terminating:
    """A Python file error as the .NET exception it stands for."""
    kinds: list[tuple[type[OSError], str]] = [
        (FileNotFoundError, "System.IO.FileNotFoundException"),
        (NotADirectoryError, "System.IO.DirectoryNotFoundException"),
        (PermissionError, "System.UnauthorizedAccessException"),
        (OSError, "System.IO.IOException"),
    ]
    name = next(name for kind, name in kinds if isinstance(error, kind))
    path = error.filename or ""
    if isinstance(error, FileNotFoundError):
        return Terminating(f"Could not find file '{path}'.", exception=name)
    return Terminating(error.strerror or str(error), exception=name)


guarded = _guarded


def _script_block_method(
    frame: Frame, block: ScriptBlock, folded: str, arguments: list[Any]
) -> tuple[bool, Any]:
    interp = frame.interp
    if folded == "invoke":
        return True, interp.new_collection(interp.invoke(block, arguments))
    if folded == "invokereturnasis":
        result = operators.collapse(interp.invoke(block, arguments))
        return True, None if result is NOTHING else result
    if folded == "getnewclosure":
        return True, interp.closure(frame, block)
    if folded == "tostring":
        return True, block.text
    return False, None


def _for_each(frame: Frame, target: Any, arguments: list[Any]) -> Any:
    """The intrinsic `.ForEach({...})`, `.ForEach('Name')` and `.ForEach([type])`."""
    interp = frame.interp
    found = operators.items_of(target)
    items = [target] if found is None else list(found)
    action = arguments[0]
    results: list[Any] = []
    for item in items:
        if isinstance(action, ScriptBlock):
            results.extend(interp.invoke(action, arguments[1:], dollar_underbar=item, local=False))
        elif isinstance(action, str):
            value = (
                get(frame, item, action)
                if has(item, action)
                else call(frame, item, action, arguments[1:])
            )
            results.append(value)
        else:
            results.append(interp.cast(item, action.name))
    if isinstance(action, TypeValue):
        return interp.new_collection(results, action.name)
    return interp.new_collection(results)


def _where(frame: Frame, target: Any, arguments: list[Any]) -> Any:
    """The intrinsic `.Where({...}, mode, count)`."""
    interp = frame.interp
    found = operators.items_of(target)
    items = [target] if found is None else list(found)
    mode = interp.to_string(arguments[1]).lower() if len(arguments) > 1 else "default"
    limit = to_integer(arguments[2]) if len(arguments) > 2 else 0

    def accepts(item: Any) -> bool:
        return operators.truth(
            operators.collapse(interp.invoke(arguments[0], [], dollar_underbar=item, local=False))
        )

    if mode == "split":
        chosen: list[Any] = []
        others: list[Any] = []
        for item in items:
            (chosen if accepts(item) and (not limit or len(chosen) < limit) else others).append(
                item
            )
        return PSArray([interp.new_collection(chosen), interp.new_collection(others)])
    if mode in ("until", "skipuntil"):
        cut = next((i for i, item in enumerate(items) if accepts(item)), len(items))
        picked = items[:cut] if mode == "until" else items[cut:]
        return interp.new_collection(picked[:limit] if limit else picked)
    chosen = []
    for item in items:
        if accepts(item):
            chosen.append(item)
            if mode == "first" and len(chosen) >= (limit or 1):
                break
    if mode == "last":
        chosen = chosen[-(limit or 1) :]
    return interp.new_collection(chosen[:limit] if limit and mode == "default" else chosen)
