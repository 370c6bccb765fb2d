"""Get-, Set-, New-, Remove- and Clear-Variable, and Set-StrictMode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.builtin.table import TABLE, session
from k8swin_lab.powershell.errors import PowerShellError
from k8swin_lab.powershell.scopes import NOTHING, Scope, Variable
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.powershell.wildcards import wildcard

_UTILITY = "Microsoft.PowerShell.Utility"
_UNWRITABLE = "System.Management.Automation.SessionStateUnauthorizedAccessException"
_NAME = Parameter("Name", "string[]", position=0, pipeline="property")
_SCOPE = Parameter("Scope", "string")


def _scope(call: Call) -> Scope:
    interp = session(call)
    scope = interp.current_scope()
    return scope.at(call["Scope"], interp.global_scope) if call.bound("Scope") else scope


def _describe(variable: Variable) -> PSObject:
    value = None if variable.value is NOTHING else variable.value
    return PSObject(
        [
            ("Name", variable.name),
            ("Value", value),
            ("Options", variable.options or "None"),
            ("Description", ""),
            ("Visibility", "Public"),
            ("Module", None),
            ("ModuleName", ""),
            ("Attributes", PSArray()),
        ],
        type_names=["System.Management.Automation.PSVariable"],
        default_properties=["Name", "Value"],
    )


def _find(call: Call, name: str) -> list[Variable]:
    scope = _scope(call)
    scopes = [scope] if call.bound("Scope") else list(scope.chain())
    if not any(c in name for c in "*?["):
        found = next(
            (s.variables[name.lower()] for s in scopes if name.lower() in s.variables), None
        )
        if found is None:
            call.session.write_error(
                f"Cannot find a variable with the name '{name}'.",
                category="ObjectNotFound",
                error_id="VariableNotFound",
                target=name,
                exception="System.Management.Automation.ItemNotFoundException",
            )
        return [found] if found is not None else []
    seen: dict[str, Variable] = {}
    pattern = wildcard(name)
    for at in scopes:
        for folded, variable in at.variables.items():
            if pattern.fullmatch(variable.name):
                seen.setdefault(folded, variable)
    return sorted(seen.values(), key=lambda v: v.name.lower())


@TABLE.cmdlet(
    "Get-Variable",
    parameters=[
        Parameter("Name", "string[]", position=0, pipeline="both"),
        Parameter("ValueOnly", "switch"),
        _SCOPE,
        Parameter("Include", "string[]"),
        Parameter("Exclude", "string[]"),
    ],
    module=_UTILITY,
    aliases=("gv",),
)
def get_variable(call: Call) -> Iterator[Any]:
    """Variables as objects, or their values."""
    for name in call["Name"] or ["*"]:
        for variable in _find(call, name):
            if any(wildcard(e).fullmatch(variable.name) for e in call["Exclude"] or []):
                continue
            if call["Include"] and not any(
                wildcard(i).fullmatch(variable.name) for i in call["Include"]
            ):
                continue
            yield variable.value if call["ValueOnly"] else _describe(variable)


def _store(call: Call, scope: Scope, name: str, value: Any, *, new: bool) -> Variable | None:
    prefix, colon, rest = name.partition(":")
    if colon and prefix.lower() in ("global", "script", "local"):
        scope, name = scope.at(prefix, session(call).global_scope), rest
    existing = scope.variables.get(name.lower())
    if existing is not None and new and not call["Force"]:
        call.session.write_error(
            f"A variable with name '{name}' already exists.",
            category="ResourceExists",
            error_id="VariableAlreadyExists",
            target=name,
            exception="System.Management.Automation.SessionStateException",
        )
        return None
    if existing is None or new:
        if existing is not None and "Constant" in existing.options:
            _refuse(call, name)
            return None
        scope.variables[name.lower()] = made = Variable(name, value)
        return made
    try:
        existing.assign(value, force=bool(call["Force"]))
    except PowerShellError as error:
        if error.record.error_id != "VariableNotWritable":
            raise
        _refuse(call, name)
        return None
    return existing


def _refuse(call: Call, name: str) -> None:
    call.session.write_error(
        f"Cannot overwrite variable {name} because it is read-only or constant.",
        category="WriteError",
        error_id="VariableNotWritable",
        target=name,
        exception=_UNWRITABLE,
    )


def _options(call: Call) -> str:
    options = call["Option"]
    if options is None:
        return ""
    known = {
        "none": "",
        "readonly": "ReadOnly",
        "constant": "Constant",
        "private": "Private",
        "allscope": "AllScope",
    }
    names = [n.strip().lower() for item in options for n in str(item).split(",")]
    return ", ".join(known.get(n, n) for n in names if known.get(n, n))


_COMMON = [
    Parameter("Value", "object", position=1, pipeline="both"),
    Parameter("Option", "string[]"),
    Parameter("Description", "string", simulated=False),
    Parameter("Visibility", "string", simulated=False),
    Parameter("Force", "switch"),
    Parameter("PassThru", "switch"),
    _SCOPE,
]


@TABLE.cmdlet(
    "Set-Variable",
    parameters=[
        Parameter("Name", "string[]", position=0, mandatory=True, pipeline="property"),
        *_COMMON,
    ],
    streaming=True,
    module=_UTILITY,
    aliases=("sv", "set"),
    end=lambda call: _set_all(call),
)
def set_variable(call: Call) -> None:
    """Collect the values; they are stored at the end."""
    call.state.setdefault("values", [])
    call.state["names"] = call["Name"]
    if call.bound("Value"):
        call.state["values"].append(call["Value"])


def _set_all(call: Call) -> Iterator[Any]:
    values = call.state.get("values", [])
    value: Any = None
    if call.bound("Value"):
        value = call["Value"]
    elif values:
        value = values[0] if len(values) == 1 else PSArray(values)
    for name in call.state.get("names") or call["Name"] or []:
        variable = _store(call, _scope(call), name, value, new=False)
        if variable is not None and call.bound("Option"):
            variable.options = _options(call)
        if variable is not None and call["PassThru"]:
            yield _describe(variable)


@TABLE.cmdlet(
    "New-Variable",
    parameters=[
        Parameter("Name", "string", position=0, mandatory=True, pipeline="property"),
        *_COMMON,
    ],
    module=_UTILITY,
    aliases=("nv",),
)
def new_variable(call: Call) -> Iterator[Any]:
    """A variable that was not there before."""
    variable = _store(call, _scope(call), call["Name"], call["Value"], new=True)
    if variable is not None:
        variable.options = _options(call)
        if call["PassThru"]:
            yield _describe(variable)


@TABLE.cmdlet(
    "Remove-Variable",
    parameters=[
        Parameter("Name", "string[]", position=0, mandatory=True, pipeline="property"),
        Parameter("Force", "switch"),
        _SCOPE,
    ],
    module=_UTILITY,
    aliases=("rv",),
)
def remove_variable(call: Call) -> None:
    """Remove variables of the scope."""
    for name in call["Name"]:
        for variable in _find(call, name):
            constant = "Constant" in variable.options
            if constant or ("ReadOnly" in variable.options and not call["Force"]):
                call.session.write_error(
                    f"Cannot remove variable {variable.name} because it is constant or read-only. If the variable "
                    "is read-only, try the operation again specifying the Force option.",
                    category="WriteError",
                    error_id="VariableNotRemovable",
                    target=variable.name,
                    exception=_UNWRITABLE,
                )
                continue
            for scope in _scope(call).chain():
                if scope.variables.get(variable.name.lower()) is variable:
                    del scope.variables[variable.name.lower()]


@TABLE.cmdlet(
    "Clear-Variable",
    parameters=[
        Parameter("Name", "string[]", position=0, mandatory=True, pipeline="property"),
        Parameter("Force", "switch"),
        _SCOPE,
    ],
    module=_UTILITY,
    aliases=("clv",),
)
def clear_variable(call: Call) -> None:
    """Set variables to $null."""
    for name in call["Name"]:
        for variable in _find(call, name):
            try:
                variable.assign(None, force=bool(call["Force"]))
            except PowerShellError:
                _refuse(call, variable.name)


@TABLE.cmdlet(
    "Set-StrictMode",
    parameters=[Parameter("Version", "string"), Parameter("Off", "switch")],
    module="Microsoft.PowerShell.Core",
)
def set_strict_mode(call: Call) -> None:
    """Strict mode for the caller's scope and what it calls."""
    scope = session(call).current_scope()
    if call["Off"]:
        scope.strict = 0.0
        return
    text = (call["Version"] or "").lower()
    if text == "latest":
        scope.strict = 3.0
        return
    try:
        scope.strict = float(".".join(text.split(".")[:2]))
    except ValueError as error:
        raise Terminating(
            f"Cannot validate argument on parameter 'Version'. \"{text}\" is not a valid version.",
            category="InvalidData",
            error_id="ParameterArgumentTransformationError",
        ) from error
