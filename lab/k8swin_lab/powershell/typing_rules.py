"""Types as scripts use them: casts, -is and -as, typed variables, validation attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.known import dotnet as framework
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import ast, dotnet, language_mode, members, operators
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.classes import ClassInstance, PSClass, setting_error
from k8swin_lab.powershell.dotnet.castability import no_property
from k8swin_lab.powershell.errors import PowerShellError, from_terminating, runtime_error
from k8swin_lab.powershell.pipeline import Context
from k8swin_lab.powershell.records import (
    ExceptionObject,
    ScriptBlock,
    TypeName,
    TypeValue,
)
from k8swin_lab.powershell.scopes import NOTHING
from k8swin_lab.powershell.values import Char, Hashtable, PSArray, PSObject, Switch

_DELEGATES = (
    "System.Predicate`1",
    "System.Func`",
    "System.Action",
    "System.Comparison`1",
    "System.Converter`2",
    "System.Text.RegularExpressions.MatchEvaluator",
    "System.EventHandler",
    "System.Delegate",
    "System.Net.Security.RemoteCertificateValidationCallback",
)
"""Delegate types; a script block stands for any of them."""
_WITH_DEFAULT = frozenset(
    "System." + name
    for name in [
        "String",
        "Boolean",
        "Byte",
        "SByte",
        "Int16",
        "UInt16",
        "Int32",
        "UInt32",
        "Int64",
        "UInt64",
        "Single",
        "Double",
        "Decimal",
        "Management.Automation.SwitchParameter",
    ]
)
_SWITCH = ("switch", "switchparameter", "system.management.automation.switchparameter")


class TypingRules:
    """The part of the interpreter that knows types."""

    classes: dict[str, PSClass]
    namespaces: list[str]
    context: Context

    if TYPE_CHECKING:

        def to_string(self, value: Any) -> str: ...

    def type_value(self, name: str) -> TypeValue:
        """The type a literal names; an unknown one is an error."""
        found = self.find_type(name)
        if found is None:
            self.refuse_type(name)
            raise runtime_error(
                f"Unable to find type [{name}].",
                "TypeNotFound",
                target=TypeName(name.removesuffix("[]")),
            )
        return found

    def refuse_type(self, name: str) -> None:
        """Say of a type that the lab does not know that .NET has it.

        Raises:
            NotSimulated: it is such a type, by its full name or by a namespace that the script uses.
        """
        for prefix in ("", *(f"{namespace}." for namespace in self.namespaces)):
            if framework.exists(prefix + name):
                raise NotSimulated(f"[{name}]")

    def find_type(self, name: str) -> TypeValue | None:
        folded = name.lower()
        if folded in self.classes:
            return TypeValue(self.classes[folded].name)
        if folded.endswith("[]") and folded[:-2] in self.classes:
            return TypeValue(self.classes[folded[:-2]].name + "[]")
        full = dotnet.resolve_type(name)
        if full is None:
            for namespace in self.namespaces:
                full = dotnet.resolve_type(f"{namespace}.{name}")
                if full is not None:
                    break
        return None if full is None else TypeValue(full)

    # --- casts

    def cast(self, value: Any, type_name: str) -> Any:
        """`[type]value`."""
        if value is NOTHING:
            value = None
        folded = type_name.lower()
        if folded == "string" or folded == "system.string":
            return "" if value is None else self.to_string(value)
        if folded in ("object", "psobject", "system.object"):
            return value
        if folded == "bool":
            return operators.truth(value)
        if folded in _SWITCH:
            if not isinstance(value, bool | Switch | None):
                raise _cast_failure(
                    f'Cannot convert the "{self.to_string(value)}" value of type '
                    f'"{dotnet.type_name_of(value)}" to type '
                    '"System.Management.Automation.SwitchParameter".',
                    "InvalidCastIConvertible"
                    if isinstance(value, Char | dotnet.DateTime) or hasattr(value, "enum_number")
                    else "ConvertToFinalInvalidCastException",
                )
            return Switch(operators.truth(value))
        if folded == "scriptblock" and isinstance(value, ScriptBlock):
            return value
        ps_class = self.classes.get(folded)
        if ps_class is not None:
            return self._to_class(ps_class, value)
        if folded in ("pscustomobject", "system.management.automation.pscustomobject"):
            return value
        if folded == "type" and type(value) is str:
            if self.find_type(value) is None:
                self.refuse_type(value)
                message = f'Cannot convert the "{value}" value of type "System.String" to type "System.Type".'
                raise _cast_failure(message, "InvalidCastFromStringToType")
            return self.type_value(value)
        if folded.endswith("[]") and folded[:-2] in self.classes:
            found = operators.items_of(value)
            items = [value] if found is None else found
            return PSArray(
                (self.cast(i, type_name[:-2]) for i in items), self.classes[folded[:-2]].name
            )
        full = self.type_value(type_name).name
        if isinstance(value, ScriptBlock) and full.startswith(_DELEGATES):
            return value
        try:
            return dotnet.convert(self, value, full)
        except Terminating as error:
            raise conversion_error(error) from error

    def _to_class(self, ps_class: PSClass, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, ClassInstance) and ps_class in value.ps_class.lineage():
            return value
        without = any(not (m.block.parameters or []) for m, _ in ps_class.constructors)
        if isinstance(value, Hashtable) and (without or not ps_class.constructors):
            self._refuse_unknown(ps_class, value)
            try:
                return ps_class.from_hashtable(self, value)  # type: ignore[arg-type]
            except PowerShellError as error:
                inner = error.record.exception
                raise _cast_failure(
                    f'Cannot create object of type "{ps_class.name}". '
                    f"{(inner.inner or inner).message}",
                    "ObjectCreationError",
                ) from error
        usable = [
            m
            for m, _ in ps_class.constructors
            if len(m.block.parameters or []) == 1
            and not (_takes_text(m) and isinstance(value, PSObject | Hashtable | list))
            and ps_class._fits(self, m, [value])  # type: ignore[arg-type]
        ]
        if usable:
            try:
                return ps_class.construct(self, [value])  # type: ignore[arg-type]
            except PowerShellError as error:
                raise _cast_failure(
                    f'Cannot convert value "{self.to_string(value)}" to type "{ps_class.name}". '
                    f'Error: "{error.record.message}"',
                    "InvalidCastConstructorException",
                    error.record.exception,
                ) from error
        message = (
            f'Cannot convert the "{self.to_string(value)}" value of type '
            f'"{dotnet.type_name_of(value)}" to type "{ps_class.name}".'
        )
        raise _cast_failure(message, "ConvertToFinalInvalidCastException")

    def _refuse_unknown(self, ps_class: PSClass, table: Hashtable) -> None:
        """A key that is no property: the error lists what can be set, the own properties first."""
        declared = [p for c in ps_class.lineage() for p in c.properties.values()]
        known = {p.name.lower() for p in declared}
        for key in table:
            if self.to_string(key).lower() in known:
                continue
            settable = ", ".join(
                f"[{p.name} <{self.type_value(p.type.name).name if p.type else 'System.Object'}>]"
                for p in declared
                if not p.hidden
            )
            error = no_property(ps_class.name, self.to_string(key), settable)
            raise _cast_failure(str(error), error.error_id)

    def is_type(self, value: Any, wanted: Any) -> bool:
        """`value -is wanted`."""
        if wanted is None:
            raise runtime_error(
                "The right operand of '-is' must be a type.", "IsOperatorRequiresType"
            )
        if isinstance(wanted, TypeValue):
            return self.fits(value, wanted.name)
        found = self.find_type(self.to_string(wanted))
        if found is None:
            self.refuse_type(self.to_string(wanted))
            message = (
                f'Cannot convert the "{self.to_string(wanted)}" value of type '
                f'"{dotnet.type_name_of(wanted)}" to type "System.Type".'
            )
            raise runtime_error(
                message,
                category="NotSpecified",
                inner=ExceptionObject(
                    "System.Management.Automation.PSInvalidCastException", message
                ),
            )
        return self.fits(value, found.name)

    def fits(self, value: Any, type_name: str) -> bool:
        """Whether a value is of the type already."""
        folded = type_name.lower()
        ps_class = self.classes.get(folded)
        if ps_class is not None:
            return isinstance(value, ClassInstance) and ps_class in value.ps_class.lineage()
        if folded in ("object", "system.object"):
            return value is not None
        if folded in _SWITCH:
            return isinstance(value, Switch)
        full = self.find_type(type_name)
        if full is None:
            self.refuse_type(type_name)
            return False
        if isinstance(value, ClassInstance) and any(
            full.name in c.interfaces for c in value.ps_class.lineage()
        ):
            return True
        return bool(dotnet.is_instance(value, full.name))

    def converts(self, value: Any, type_name: str) -> bool:
        """Whether a cast would succeed."""
        try:
            self.cast(value, type_name)
        except PowerShellError:
            return False
        return True

    def convert_or_null(self, value: Any, wanted: Any) -> Any:
        """`value -as wanted`."""
        if wanted is None:
            raise runtime_error(
                "The right operand of '-as' must be a type.", "AsOperatorRequiresType"
            )
        name = wanted.name if isinstance(wanted, TypeValue) else self.to_string(wanted)
        if self.find_type(name) is None:
            self.refuse_type(name)
            message = (
                f'Cannot convert the "{name}" value of type "System.String" to type "System.Type".'
            )
            raise _cast_failure(message, "InvalidCastFromStringToType")
        try:
            return self.cast(value, name)
        except PowerShellError:
            return None

    def default_of_type(self, type_name: str) -> Any:
        """What a typed parameter or property without a value holds."""
        folded = type_name.lower().removeprefix("system.")
        if folded in ("string",):
            return ""
        if folded in ("int", "int32", "long", "int64"):
            return self.cast(0, type_name)
        if folded in ("bool", "boolean"):
            return False
        if folded in _SWITCH:
            return Switch()
        if folded in ("double", "float", "single"):
            return 0.0
        known = getattr(dotnet, "default_value", None)
        if known is None or folded in self.classes:
            return None
        found = self.find_type(type_name)
        return None if found is None else known(found.name)

    def default_of_parameter(self, type_name: str) -> Any:
        """What a parameter holds that got no value: structures other than numbers have none."""
        found = self.find_type(type_name)
        plain = found is not None and found.name in _WITH_DEFAULT
        return self.default_of_type(type_name) if plain else None

    def is_structure_without_default(self, type_name: str) -> bool:
        """Whether a parameter of the type is null before it has a value: structures other than numbers."""
        found = self.find_type(type_name)
        if found is None or found.name in _WITH_DEFAULT:
            return False
        nullable = found.name.startswith("System.Nullable")
        return nullable or "System.ValueType" in dotnet.base_types(found.name)

    # --- statics

    def static_get(self, target: Any, name: str) -> Any:
        """`[type]::Member`, or a static member through a value."""
        type_name = self._type_of(target)
        ps_class = self.classes.get(type_name.lower())
        if ps_class is not None:
            holder = ps_class.static_holder(name.lower())
            if holder is not None:
                return holder.static_values[name.lower()]
            if ps_class.finds_static(name.lower()):
                raise NotSimulated(f"[{ps_class.name}]::{name} without a call")
            if self.context.frame.scope.strictness() < 2:
                return None
            raise runtime_error(
                f"The property '{name}' cannot be found on this object. Verify that the property exists.",
                "PropertyNotFoundStrict",
            )
        try:
            found = dotnet.static_get(type_name, name, self)
        except Terminating as error:
            raise from_terminating(error) from error
        missing = found is None and not framework.has_static(type_name, name)
        if missing and self.context.frame.scope.strictness() >= 2:
            raise runtime_error(
                f"The property '{name}' cannot be found on this object. Verify that the property exists.",
                "PropertyNotFoundStrict",
                category="NotSpecified",
                exception="System.Management.Automation.PropertyNotFoundException",
            )
        return found

    def static_set(self, target: Any, name: str, value: Any) -> None:
        type_name = self._type_of(target)
        ps_class = self.classes.get(type_name.lower())
        if ps_class is not None:
            holder = ps_class.static_holder(name.lower())
            if holder is not None:
                declared = holder.static_properties[name.lower()]
                try:
                    converted = holder.converted(self, declared, value)  # type: ignore[arg-type]
                except PowerShellError as error:
                    raise setting_error(declared.name, error) from error
                holder.static_values[name.lower()] = converted
                return
        language_mode.check_property(self, type_name)
        try:
            dotnet.static_set(type_name, name, value, self)
        except Terminating as error:
            raised = from_terminating(error)
            if error.exception.endswith("SetValueException"):
                raise runtime_error(
                    str(error), error.error_id, inner=raised.record.exception
                ) from error
            raise raised from error

    def static_call(self, target: Any, name: str, arguments: list[Any]) -> Any:
        """`[type]::Method(...)` and `[type]::new(...)`."""
        type_name = self._type_of(target)
        folded = name.lower()
        ps_class = self.classes.get(type_name.lower())
        if ps_class is not None:
            if folded == "new":
                return ps_class.construct(self, arguments)  # type: ignore[arg-type]
            return ps_class.call_static(self, name, arguments)  # type: ignore[arg-type]
        if type_name == "System.Management.Automation.ScriptBlock" and folded == "create":
            try:
                return self.compile_block(self.to_string(arguments[0]))
            except PowerShellError as error:
                inner = error.record.exception
                raise runtime_error(
                    f'Exception calling "{name}" with "1" argument(s): "{inner.message}"',
                    "ParseException",
                    category="NotSpecified",
                    exception="System.Management.Automation.MethodInvocationException",
                    inner=inner,
                ) from error
        if folded == "new":
            language_mode.check_new(self, type_name)
            return members.guarded(
                ".ctor", arguments, lambda: self.construct_net(type_name, arguments)
            )
        language_mode.check_method(self, type_name)
        return members.guarded(
            name, arguments, lambda: dotnet.static_call(self, type_name, name, arguments)
        )

    if TYPE_CHECKING:

        def compile_block(self, text: str) -> ScriptBlock: ...

    def construct(self, type_name: str, arguments: list[Any]) -> Any:
        """New-Object: an instance of a script's class or of a .NET type."""
        return self.static_call(self.type_value(type_name), "new", arguments)

    def construct_net(self, type_name: str, arguments: list[Any]) -> Any:
        return dotnet.construct(self, type_name, arguments)

    def _type_of(self, target: Any) -> str:
        if isinstance(target, TypeValue):
            return target.name
        if isinstance(target, ClassInstance):
            return target.ps_class.name
        if isinstance(target, str):
            return self.type_value(target).name
        return str(dotnet.type_name_of(target))


def _takes_text(method: ast.MethodAst) -> bool:
    """Whether a constructor's only parameter is a string; no object is made one for it."""
    (parameter,) = method.block.parameters or []
    return parameter.type is not None and parameter.type.name.lower() in ("string", "system.string")


def conversion_error(error: Terminating) -> PowerShellError:
    """A failed cast: a RuntimeException around the exception that says which cast it was."""
    inner = from_terminating(error).record
    cast = inner.exception.inner or inner.exception
    if cast.type_name.endswith("PSInvalidCastException"):
        return _cast_failure(inner.message, inner.error_id, _cause(inner.message))
    return runtime_error(
        inner.message, inner.error_id, category="InvalidArgument", inner=inner.exception
    )


def _cast_failure(
    message: str, error_id: str, cause: ExceptionObject | None = None
) -> PowerShellError:
    """The error of a cast that failed, around the exception that made it fail."""
    return runtime_error(
        message,
        error_id,
        category="InvalidArgument",
        inner=ExceptionObject(
            "System.Management.Automation.PSInvalidCastException", message, inner=cause
        ),
    )


def _cause(message: str) -> ExceptionObject | None:
    """The .NET exception behind a failed conversion, known by its words."""
    for words, kind in (
        ("Input string was not in a correct format.", "System.FormatException"),
        ("Value was either too large or too small", "System.OverflowException"),
    ):
        if words in message:
            return ExceptionObject(kind, message[message.index(words) :].rstrip('"'))
    return None
