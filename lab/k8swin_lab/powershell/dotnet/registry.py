"""How a .NET type is declared: its name, base types, constructors, members and text form.

A type is a `NetType` with Python functions as members. The annotations of a function say how its
arguments convert (`int`, `float`, `str`, `bool`; anything else goes in as it is), as the binder of
PowerShell converts arguments to the parameters of a method. A first parameter named `interp` gets
the running session.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from k8swin_lab.known import dotnet as framework
from k8swin_lab.known import signatures
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.records import type_name_of

F = TypeVar("F", bound=Callable[..., Any])
METHOD_EXCEPTION = "System.Management.Automation.MethodException"
RUNTIME_EXCEPTION = "System.Management.Automation.RuntimeException"


class ConversionError(Terminating):
    """A value that does not convert to a type; the message is PowerShell's own."""

    def __init__(self, message: str, error_id: str = "ConvertToFinalInvalidCastException") -> None:
        super().__init__(
            message,
            exception="System.Management.Automation.PSInvalidCastException",
            category="InvalidArgument",
            error_id=error_id,
        )


class NetObject:
    """An instance of a .NET type that has no Python type of its own."""

    type_name: str = "System.Object"


@dataclass(frozen=True, slots=True)
class Method:
    """One callable member; `maximum` None means any number of arguments."""

    name: str
    function: Callable[..., Any]
    minimum: int
    maximum: int | None
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    wants_session: bool
    rest_kind: str = ""
    owner: str = ""
    static: bool = False

    def call(self, interp: Any, bound: tuple[Any, ...], args: list[Any]) -> Any:
        """Call with converted arguments; `bound` is the instance, if there is one.

        Raises:
            Terminating: no overload of the real method takes them, or what the method throws.
            NotSimulated: an overload of the real method does, and the lab has it not.
        """
        known = signatures.find(self.owner, self.name, self.static)
        count = len(args)
        if known is not None and not known.takes(count) and not self._is_zero(count):
            known = self._of_instance(bound)
            if known is None or not known.takes(count):
                raise no_overload(self.name, count)
        if count < self.minimum or (self.maximum is not None and count > self.maximum):
            raise self._lacking(count) if known is not None else no_overload(self.name, count)
        try:
            converted = [self._convert(index, value) for index, value in enumerate(args)]
        except Terminating as error:
            if known is not None and count in known.shared:
                raise self._lacking(count) from error
            raise
        try:
            given = (interp, *bound) if self.wants_session else bound
            result = self.function(*given, *converted)
        except _PYTHONS_OWN as error:
            raise self._lacking(count) from error
        return result if known is None or not known.result else _typed(known.result, result, args)

    def _is_zero(self, count: int) -> bool:
        """Whether this is the constructor without arguments that every value type has and no list names."""
        made = TYPES.get(self.owner.lower())
        by_value = made is not None and made.base == "System.ValueType"
        return count == 0 and by_value and self.name == signatures.CONSTRUCTOR

    def _of_instance(self, bound: tuple[Any, ...]) -> signatures.Signature | None:
        """The method as the instance's own type has it, which may add overloads to its base's."""
        return signatures.find(type_name_of(bound[0]), self.name, False) if bound else None

    def _lacking(self, count: int) -> NotSimulated:
        mark = "::" if self.static else "."
        name = "new" if self.name == signatures.CONSTRUCTOR else self.name
        return NotSimulated(f"[{self.owner}]{mark}{name}() with such {count} argument(s)")

    def _convert(self, index: int, value: Any) -> Any:
        kind = self.kinds[index] if index < len(self.kinds) else self.rest_kind
        target = _KINDS.get(kind)
        if target is None or type(value).__name__ == kind:
            return value
        if kind == "str" and (value is None or isinstance(value, str)):
            return "" if value is None else value
        if kind == "int" and type(value) is int:
            return value
        from k8swin_lab.powershell.dotnet import conversion, text

        try:
            return conversion.convert(None, value, target)
        except ConversionError as error:
            name = self.names[index] if index < len(self.names) else "args"
            raise Terminating(
                f'Cannot convert argument "{name}", with value: "{text.to_string(value)}", for '
                f'"{self.name}" to type "{target}": "{error}"',
                exception=METHOD_EXCEPTION,
                error_id="MethodArgumentConversionInvalidCastArgument",
            ) from error


_PYTHONS_OWN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a function of the lab raises for values that it was not written for."""


def _typed(wanted: str, value: Any, args: list[Any]) -> Any:
    """A number, character or type code as the type that the real member has."""
    from k8swin_lab.powershell.dotnet import conversion

    if wanted == signatures.FIRST_ARGUMENT:
        wanted = type_name_of(args[0])
        if not isinstance(value, int | float) and wanted != "System.Char":
            return value
        if isinstance(args[0], str) and wanted != "System.Char":
            return value
    if value is None or isinstance(value, list) or type_name_of(value) == wanted:
        return value
    return conversion.convert(None, value, wanted)


_KINDS = {
    "int": "System.Int64",
    "float": "System.Double",
    "str": "System.String",
    "bool": "System.Boolean",
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `set` None means read-only."""

    name: str
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], None] | None = None


class NetType:
    """A declared type. `static_values` may be callables of no arguments (computed on each access)."""

    def __init__(
        self,
        name: str,
        base: str = "System.Object",
        *,
        interfaces: Iterable[str] = (),
        aliases: Iterable[str] = (),
        value_type: bool = False,
    ) -> None:
        self.name = name
        self.base = "System.ValueType" if value_type else base
        self.interfaces = tuple(interfaces)
        self.properties: dict[str, Property] = {}
        self.methods: dict[str, Method] = {}
        self.static_methods: dict[str, Method] = {}
        self.static_values: dict[str, Any] = {}
        self.static_names: dict[str, str] = {}
        self.static_setters: dict[str, Callable[[Any, Any], None]] = {}
        self.constructor_method: Method | None = None
        self.to_text: Callable[[Any], str] | None = None
        self.from_value: Callable[[Any], Any] | None = None
        self.compare: Callable[[Any, Any], int] | None = None
        self.default: Callable[[], Any] | None = None
        TYPES[name.lower()] = self
        for alias in aliases:
            ACCELERATORS[alias.lower()] = name

    def method(self, *names: str) -> Callable[[F], F]:
        """Declare an instance method (first parameter: the instance)."""

        def register(function: F) -> F:
            for name in names:
                self.methods[name.lower()] = _method(name, function, 1, self.name)
            return function

        return register

    def static(self, *names: str) -> Callable[[F], F]:
        """Declare a static method."""

        def register(function: F) -> F:
            for name in names:
                self.static_methods[name.lower()] = _method(name, function, 0, self.name)
            return function

        return register

    def constructor(self, function: F) -> F:
        """Declare what `new` does."""
        self.constructor_method = _method(signatures.CONSTRUCTOR, function, 0, self.name)
        return function

    def prop(
        self, name: str, get: Callable[[Any], Any], set_: Callable[[Any, Any], None] | None = None
    ) -> None:
        """Declare an instance property."""
        wanted = signatures.property_type(self.name, name)
        typed = (lambda value: _typed(wanted, get(value), [])) if wanted else get
        self.properties[name.lower()] = Property(name, typed, set_)

    def value(self, name: str, value: Any, set_: Callable[[Any, Any], None] | None = None) -> None:
        """Declare a static property or field; `set_` gets the session and the new value."""
        self.static_values[name.lower()] = value
        self.static_names[name.lower()] = name
        if set_ is not None:
            self.static_setters[name.lower()] = set_


def _method(name: str, function: Callable[..., Any], bound: int, owner: str) -> Method:
    parameters = list(inspect.signature(function).parameters.values())
    wants_session = bool(parameters) and parameters[0].name == "interp"
    own = parameters[bound + wants_session :]
    plain = [p for p in own if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    rest = [p for p in own if p.kind is inspect.Parameter.VAR_POSITIONAL]
    return Method(
        name,
        function,
        sum(p.default is inspect.Parameter.empty for p in plain),
        None if rest else len(plain),
        tuple(p.name for p in plain),
        tuple(str(p.annotation) for p in plain),
        wants_session,
        str(rest[0].annotation) if rest else "",
        owner,
        bound == 0,
    )


TYPES: dict[str, NetType] = {}
ACCELERATORS: dict[str, str] = {}


def find(name: str) -> NetType | None:
    """The declared type of that full name; a closed generic type is found by its definition."""
    folded = name.lower()
    found = TYPES.get(folded)
    if found is None and "`" in folded:
        found = TYPES.get(folded.partition("[")[0])
    return found


def chain(name: str) -> list[NetType]:
    """The declared types from `name` up."""
    result: list[NetType] = []
    current = find(name)
    while current is not None and current not in result:
        result.append(current)
        current = find(current.base)
    return result


def no_overload(name: str, count: int) -> Terminating:
    """The error of a call with a number of arguments that no overload takes."""
    return Terminating(
        f'Cannot find an overload for "{name}" and the argument count: "{count}".',
        exception=METHOD_EXCEPTION,
        error_id="MethodCountCouldNotFindBest",
    )


def read_only(name: str) -> Terminating:
    """The error of a property or field that cannot be set."""
    return Terminating(
        f"'{name}' is a ReadOnly property.",
        exception="System.Management.Automation.SetValueException",
        category="InvalidOperation",
        error_id="PropertyAssignmentException",
    )


def no_method(type_name: str, name: str) -> Terminating:
    """The error of a method that a type does not have."""
    return Terminating(
        f"Method invocation failed because [{type_name}] does not contain a method named '{name}'.",
        exception=RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="MethodNotFound",
    )


def no_type(name: str) -> Terminating | NotSimulated:
    """The error of a type literal that names nothing here: a type of .NET's is refused."""
    if framework.exists(name):
        return NotSimulated(f"[{name}]")
    return Terminating(
        f"Unable to find type [{name}].",
        exception=RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="TypeNotFound",
        target=name,
    )


def argument(message: str, name: str = "") -> Terminating:
    """A System.ArgumentException in the words of the .NET Framework."""
    suffix = f"\r\nParameter name: {name}" if name else ""
    return Terminating(
        message + suffix, exception="System.ArgumentException", error_id="ArgumentException"
    )


def out_of_range(message: str, name: str = "") -> Terminating:
    """A System.ArgumentOutOfRangeException."""
    suffix = f"\r\nParameter name: {name}" if name else ""
    return Terminating(
        message + suffix,
        exception="System.ArgumentOutOfRangeException",
        error_id="ArgumentOutOfRangeException",
    )


def format_error(message: str = "Input string was not in a correct format.") -> Terminating:
    """A System.FormatException."""
    return Terminating(message, exception="System.FormatException", error_id="FormatException")


def io_error(message: str, kind: str = "System.IO.IOException") -> Terminating:
    """A System.IO exception."""
    return Terminating(message, exception=kind, error_id=kind.rpartition(".")[2])


def invalid_operation(message: str) -> Terminating:
    """A System.InvalidOperationException."""
    return Terminating(message, error_id="InvalidOperationException")
