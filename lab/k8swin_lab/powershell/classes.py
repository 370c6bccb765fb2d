"""Classes that scripts define: their properties, constructors, methods and inheritance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import ExceptionObject, exception_chain
from k8swin_lab.powershell.scopes import Frame, Scope, Variable
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject

if TYPE_CHECKING:
    from k8swin_lab.powershell.functions import CompiledBlock
    from k8swin_lab.powershell.interpreter import Interpreter

_METHOD_EXCEPTION = "System.Management.Automation.MethodException"


class ClassInstance(PSObject):
    """An object of a script's class."""

    __slots__ = ("hidden", "ps_class")

    def __init__(self, ps_class: PSClass) -> None:
        self.ps_class = ps_class
        self.hidden = Hashtable()
        """Properties declared `hidden`: scripts reach them by name, lists of properties lack them."""
        super().__init__(type_names=ps_class.type_names())

    @property
    def display(self) -> str | None:
        """What `ToString()` of the class says."""
        if not self.ps_class.finds("tostring"):
            return None
        interp: Interpreter = self.ps_class.frame.interp
        return str(self.ps_class.call(interp, self, "ToString", []))

    @display.setter
    def display(self, text: str | None) -> None:
        """The class alone decides."""

    def assign(self, interp: Interpreter, name: str, value: Any) -> None:
        """Set a property with its declared type."""
        declared = self.ps_class.property(name.lower())
        if declared is None and name not in self.properties and name not in self.hidden:
            raise runtime_error(
                f"The property '{name}' cannot be found on this object. Verify that the property exists and "
                "can be set.",
                "PropertyAssignmentException",
            )
        if declared is not None:
            try:
                value = self.ps_class.converted(interp, declared, value)
            except PowerShellError as error:
                raise setting_error(declared.name, error) from error
        (self.hidden if name in self.hidden else self.properties)[name] = value


def _is_interface(full_name: str) -> bool:
    """Whether a .NET type is an interface, by the naming that .NET keeps to without exception."""
    short = full_name.partition("[")[0].rpartition(".")[2]
    return len(short) > 1 and short[0] == "I" and short[1].isupper()


def setting_error(name: str, error: PowerShellError) -> PowerShellError:
    """The error of a property that refuses its value."""
    exception = error.record.exception
    return runtime_error(
        f'Exception setting "{name}": "{exception.message}"',
        "ExceptionWhenSetting",
        category="NotSpecified",
        exception="System.Management.Automation.SetValueInvocationException",
        inner=exception.inner or exception,
    )


class ExceptionInstance(ClassInstance, ExceptionObject):
    """An object of a class that derives from an exception."""

    __slots__ = ()

    def __init__(self, ps_class: PSClass) -> None:
        self.ps_class = ps_class
        self.hidden = Hashtable()
        PSObject.__init__(self, type_names=ps_class.type_names())


def _ctor(name: str) -> str:
    """A constructor's name, as errors about its arguments have it."""
    return ".ctor" if name == "new" else name


class PSClass:
    """A class: what its text declares, and what it inherits."""

    def __init__(
        self,
        frame: Frame,
        node: ast.Class,
        methods: list[tuple[ast.MethodAst, CompiledBlock]],
        base_arguments: dict[int, Any],
        defaults: dict[int, Any],
    ) -> None:
        self.name = node.name
        self.frame = frame
        self.node = node
        self.base: PSClass | None = None
        self.net_base: str | None = None
        self.interfaces: list[str] = []
        self.base_arguments = base_arguments
        self.defaults = defaults
        self.properties = {p.name.lower(): p for p in node.properties if not p.static}
        self.static_properties = {p.name.lower(): p for p in node.properties if p.static}
        self.static_values: dict[str, Any] = {}
        self.constructors: list[tuple[ast.MethodAst, CompiledBlock]] = []
        self.methods: dict[str, list[tuple[ast.MethodAst, CompiledBlock]]] = {}
        for method, code in methods:
            if method.name.lower() == node.name.lower():
                self.constructors.append((method, code))
            else:
                self.methods.setdefault(method.name.lower(), []).append((method, code))
        interp: Interpreter = frame.interp
        for literal in node.bases:
            inherited = interp.classes.get(literal.name.lower())
            if inherited is not None:
                self.base = inherited
                continue
            name = interp.type_value(literal.name).name
            if _is_interface(name):
                self.interfaces.append(name)
            else:
                self.net_base = name

    def initialize_statics(self, interp: Interpreter) -> None:
        """Give static properties their first values."""
        for name, declared in self.static_properties.items():
            default = self.defaults.get(id(declared))
            value = default(self.frame) if default is not None else None
            self.static_values[name] = self.converted(
                interp, declared, value, unset=default is None
            )
        for method, code in self.constructors:
            if method.static:
                self._run(interp, method, code, [], None)

    def converted(
        self, interp: Interpreter, declared: ast.PropertyAst, value: Any, *, unset: bool = False
    ) -> Any:
        """A value as a property's type, checked by its attributes; `unset`: nothing was assigned."""
        constraints: list[Any] = list(declared.attributes)
        if declared.type is not None:
            if value is None and unset:
                return default_of_property(interp, declared.type.name)
            constraints.append(declared.type)
        if not constraints:
            return value
        return interp.assignment_converter(self.frame, constraints, declared.name)(value)

    def lineage(self) -> list[PSClass]:
        """This class and its bases, most derived first."""
        chain: list[PSClass] = []
        current: PSClass | None = self
        while current is not None:
            chain.append(current)
            current = current.base
        return chain

    def type_names(self) -> list[str]:
        names = [c.name for c in self.lineage()]
        net = self.lineage()[-1].net_base
        if net is not None and net.endswith("Exception"):
            names += exception_chain(net)
        elif net is not None:
            names.append(net)
        return names

    def base_name(self) -> str:
        """The full name of the type it derives from."""
        return self.base.name if self.base is not None else self.net_base or "System.Object"

    def property(self, folded: str) -> ast.PropertyAst | None:
        return next((c.properties[folded] for c in self.lineage() if folded in c.properties), None)

    def finds(self, folded: str) -> bool:
        """Whether an instance has a method of that name."""
        return any(not m.static for c in self.lineage() for m, _ in c.methods.get(folded, []))

    def finds_static(self, folded: str) -> bool:
        """Whether the class or a base has a static method of that name."""
        return any(m.static for c in self.lineage() for m, _ in c.methods.get(folded, []))

    # --- construction

    def construct(self, interp: Interpreter, arguments: list[Any]) -> ClassInstance:
        """`[Name]::new(...)`."""
        kind = ExceptionInstance if "System.Exception" in self.type_names() else ClassInstance
        instance = kind(self)
        for ps_class in reversed(self.lineage()):
            for declared in ps_class.properties.values():
                default = ps_class.defaults.get(id(declared))
                value = default(ps_class.frame) if default is not None else None
                store = instance.hidden if declared.hidden else instance.properties
                store[declared.name] = ps_class.converted(
                    interp, declared, value, unset=default is None
                )
        for ps_class in self.lineage()[1:]:
            for declared in ps_class.properties.values():  # a base's properties are listed last
                if not declared.hidden:
                    instance.properties[declared.name] = instance.properties.pop(declared.name)
        self._initialize(interp, instance, arguments)
        return instance

    def _initialize(
        self, interp: Interpreter, instance: ClassInstance, arguments: list[Any]
    ) -> None:
        usable = [(m, c) for m, c in self.constructors if not m.static]
        if not usable:
            if arguments:
                raise self._no_overload("new", arguments)
            self._base(interp, instance, [])
            return
        method, code = self._choose("new", usable, arguments)
        scope_values = self._converted_arguments(interp, method, arguments)
        base_codes = self.base_arguments.get(id(method))
        if base_codes is None:
            self._base(interp, instance, [])
        else:
            scope = self._scope(interp, method, scope_values, instance)
            frame = Frame(interp, scope, _drop)
            self._base(interp, instance, [code_(frame) for code_ in base_codes])
        self._run(interp, method, code, arguments, instance)

    def _base(self, interp: Interpreter, instance: ClassInstance, arguments: list[Any]) -> None:
        if self.base is not None:
            self.base._initialize(interp, instance, arguments)
        elif self.net_base is not None and not self.net_base.endswith("Attribute"):
            made = interp.construct_net(self.net_base, arguments)
            if isinstance(made, PSObject):
                for name, value in made.properties.items():
                    if name not in instance.properties:
                        instance.properties[name] = value

    def from_hashtable(self, interp: Interpreter, table: Hashtable) -> ClassInstance:
        """`[Name]@{...}`: the constructor without arguments, then the properties."""
        instance = self.construct(interp, [])
        for key, value in table.items():
            instance.assign(interp, str(key), value)
        return instance

    # --- methods

    def call(
        self, interp: Interpreter, instance: ClassInstance, name: str, arguments: list[Any]
    ) -> Any:
        """Call an instance method, the most derived of those that fit."""
        for ps_class in self.lineage():
            overloads = [o for o in ps_class.methods.get(name.lower(), []) if not o[0].static]
            fitting = [o for o in overloads if self._fits(interp, o[0], arguments)]
            if fitting:
                method, code = self._best(interp, fitting, arguments)
                return ps_class._run(interp, method, code, arguments, instance)
            self._refuse_argument(name, overloads, arguments)
        raise self._no_overload(name, arguments)

    def call_static(self, interp: Interpreter, name: str, arguments: list[Any]) -> Any:
        """`[Name]::Method(...)`."""
        for ps_class in self.lineage():
            overloads = [o for o in ps_class.methods.get(name.lower(), []) if o[0].static]
            if overloads:
                method, code = self._choose(name, overloads, arguments)
                return ps_class._run(interp, method, code, arguments, None)
        raise runtime_error(
            f"Method invocation failed because [{self.name}] does not contain a method named '{name}'.",
            "MethodNotFound",
            target=name,
        )

    def static_holder(self, folded: str) -> PSClass | None:
        return next((c for c in self.lineage() if folded in c.static_properties), None)

    def _choose(
        self, name: str, overloads: list[tuple[ast.MethodAst, CompiledBlock]], arguments: list[Any]
    ) -> tuple[ast.MethodAst, CompiledBlock]:
        fitting = [o for o in overloads if self._fits(self.frame.interp, o[0], arguments)]
        if not fitting:
            self._refuse_argument(name, overloads, arguments)
            raise self._no_overload(name, arguments)
        return self._best(self.frame.interp, fitting, arguments)

    def _best(
        self,
        interp: Interpreter,
        overloads: list[tuple[ast.MethodAst, CompiledBlock]],
        arguments: list[Any],
    ) -> tuple[ast.MethodAst, CompiledBlock]:
        def exact(overload: tuple[ast.MethodAst, CompiledBlock]) -> int:
            return sum(
                1
                for parameter, value in zip(
                    overload[0].block.parameters or [], arguments, strict=True
                )
                if parameter.type is not None
                and value is not None
                and interp.fits(value, parameter.type.name)
            )

        return max(overloads, key=exact)

    def _fits(self, interp: Interpreter, method: ast.MethodAst, arguments: list[Any]) -> bool:
        parameters = method.block.parameters or []
        if len(parameters) != len(arguments):
            return False
        for parameter, value in zip(parameters, arguments, strict=True):
            if parameter.type is None or value is None:
                continue
            if not interp.converts(value, parameter.type.name):
                return False
        return True

    def _refuse_argument(
        self,
        name: str,
        overloads: list[tuple[ast.MethodAst, CompiledBlock]],
        arguments: list[Any],
    ) -> None:
        """When only one overload takes that many arguments, say which of them does not convert."""
        same = [m for m, _ in overloads if len(m.block.parameters or []) == len(arguments)]
        if len(same) != 1:
            return
        interp: Interpreter = self.frame.interp
        for parameter, value in zip(same[0].block.parameters or [], arguments, strict=True):
            if parameter.type is None:
                continue
            try:
                interp.cast(value, parameter.type.name)
            except PowerShellError as error:
                exception = error.record.exception
                raise runtime_error(
                    f'Cannot convert argument "{parameter.name}", with value: '
                    f'"{interp.to_string(value)}", for "{_ctor(name)}" to type '
                    f'"{interp.type_value(parameter.type.name).name}": "{exception.message}"',
                    "MethodArgumentConversionInvalidCastArgument",
                    category="NotSpecified",
                    exception=_METHOD_EXCEPTION,
                    inner=exception.inner or exception,
                ) from error

    def _no_overload(self, name: str, arguments: list[Any]) -> Exception:
        return runtime_error(
            f'Cannot find an overload for "{name}" and the argument count: "{len(arguments)}".',
            "MethodCountCouldNotFindBest",
            category="NotSpecified",
            exception=_METHOD_EXCEPTION,
        )

    def _converted_arguments(
        self, interp: Interpreter, method: ast.MethodAst, arguments: list[Any]
    ) -> list[Any]:
        return [
            value if parameter.type is None else interp.cast(value, parameter.type.name)
            for parameter, value in zip(method.block.parameters or [], arguments, strict=True)
        ]

    def _scope(
        self,
        interp: Interpreter,
        method: ast.MethodAst,
        values: list[Any],
        instance: ClassInstance | None,
    ) -> Scope:
        state = self.frame.scope.state
        scope = Scope(state.top, state)
        for parameter, value in zip(method.block.parameters or [], values, strict=True):
            variable = Variable(parameter.name, value)
            scope.variables[parameter.name.lower()] = variable
        if instance is not None:
            scope.variables["this"] = Variable("this", instance)
        return scope

    def _run(
        self,
        interp: Interpreter,
        method: ast.MethodAst,
        code: CompiledBlock,
        arguments: list[Any],
        instance: ClassInstance | None,
    ) -> Any:
        values = self._converted_arguments(interp, method, arguments)
        scope = self._scope(interp, method, values, instance)
        returned: list[Any] = []
        frame = Frame(interp, scope, _drop, returned.append)
        interp.run_method(frame, code.ready())
        if method.returns is None or method.returns.name.lower() in ("void", "system.void"):
            return None
        result = method_result(returned)
        return (
            interp.cast(result, method.returns.name)
            if result is not None
            else (interp.default_of_type(method.returns.name))
        )


def default_of_property(interp: Interpreter, type_name: str) -> Any:
    """What a declared property holds before anything is assigned; an unset string is $null."""
    if type_name.lower() in ("string", "system.string"):
        return None
    return interp.default_of_type(type_name)


def _drop(item: Any) -> None:
    """Take what a method's statements write: only `return` gives something back."""


def method_result(returned: list[Any]) -> Any:
    """What a method gives: the `return` value (stray output never reaches here)."""
    if not returned:
        return None
    return returned[0] if len(returned) == 1 else PSArray(returned)
