"""Variables and where they live: scopes, and the session states (global and modules) that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from k8swin_lab.powershell.errors import PowerShellError, runtime_error


class _Nothing:
    """What a command that wrote nothing gives: $null, except that enumerating it yields nothing."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING = _Nothing()


class Variable:
    """A variable: its value, its options and what an assignment to it goes through."""

    __slots__ = ("convert", "name", "options", "type_name", "value")

    def __init__(self, name: str, value: Any = None, options: str = "") -> None:
        self.name = name
        self.value = value
        self.options = options
        self.type_name: str | None = None
        self.convert: Callable[[Any], Any] | None = None

    def assign(self, value: Any, *, force: bool = False) -> None:
        """Set the value as a script does; read-only and constant variables refuse."""
        options = self.options
        if options and ("Constant" in options or ("ReadOnly" in options and not force)):
            raise not_writable(self.name)
        if self.convert is not None:
            value = self.convert(None if value is NOTHING else value)
        self.value = value


def not_writable(name: str) -> PowerShellError:
    """The error of an assignment to a read-only variable."""
    return runtime_error(
        f"Cannot overwrite variable {name} because it is read-only or constant.",
        "VariableNotWritable",
        category="WriteError",
        target=name,
        exception="System.Management.Automation.SessionStateUnauthorizedAccessException",
    )


class Scope:
    """One scope. `parent` is the caller's (PowerShell scopes are dynamic), up to the module's or the global."""

    __slots__ = (
        "aliases",
        "call",
        "functions",
        "is_script",
        "parent",
        "state",
        "strict",
        "variables",
    )

    def __init__(
        self, parent: Scope | None, state: SessionState, *, is_script: bool = False
    ) -> None:
        self.parent = parent
        self.state = state
        self.is_script = is_script
        self.variables: dict[str, Variable] = {}
        self.functions: dict[str, Any] | None = None
        self.aliases: dict[str, tuple[str, str]] | None = None
        self.strict: float | None = None
        self.call: Any = None
        """The function stage whose scope this is, for $MyInvocation and $PSCmdlet."""

    def chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, folded: str) -> Variable | None:
        """The variable of that name (lower case) in this scope or the nearest one above."""
        scope: Scope | None = self
        while scope is not None:
            variable = scope.variables.get(folded)
            if variable is not None and (scope is self or "Private" not in variable.options):
                return variable
            scope = scope.parent
        return None

    def get(self, folded: str, default: Any = None) -> Any:
        variable = self.find(folded)
        return default if variable is None else variable.value

    def set(self, name: str, value: Any) -> Variable:
        """Set a variable of this very scope."""
        folded = name.lower()
        variable = self.variables.get(folded)
        if variable is None:
            variable = self.variables[folded] = Variable(name, value)
        else:
            variable.assign(value)
        return variable

    def script_scope(self) -> Scope:
        """What `$script:` means here: the script's or module's scope, or the global one."""
        scope = self
        while not scope.is_script and scope.parent is not None:
            scope = scope.parent
        return scope

    def at(self, name: str, global_scope: Scope) -> Scope:
        """The scope that a -Scope argument or a variable's prefix names (global, script, local, 0, 1...)."""
        folded = name.lower()
        if folded == "global":
            return global_scope
        if folded == "script":
            return self.script_scope()
        if folded.isdigit():
            scope = self
            for _ in range(int(folded)):
                if scope.parent is None:
                    raise runtime_error(
                        f"The scope number '{name}' exceeds the number of active scopes.",
                        "ScopeIDExceedsAvailableScopes",
                        category="InvalidArgument",
                    )
                scope = scope.parent
            return scope
        return self

    def strictness(self) -> float:
        """The version that Set-StrictMode asked for in force here; 0 when off."""
        for scope in self.chain():
            if scope.strict is not None:
                return scope.strict
        return 0.0

    def function(self, folded: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if scope.functions is not None and folded in scope.functions:
                return scope.functions[folded]
            scope = scope.parent
        return None

    def alias(self, folded: str) -> str | None:
        scope: Scope | None = self
        while scope is not None:
            if scope.aliases is not None and folded in scope.aliases:
                return scope.aliases[folded][1]
            scope = scope.parent
        return None

    def define_function(self, name: str, function: Any) -> None:
        if self.functions is None:
            self.functions = {}
        self.functions[name.lower()] = function

    def define_alias(self, name: str, target: str) -> None:
        if self.aliases is None:
            self.aliases = {}
        self.aliases[name.lower()] = (name, target)


class SessionState:
    """The global session state or a module's: its top scope, and the scope that runs now."""

    __slots__ = ("current", "module", "top")

    def __init__(self, parent: Scope | None, module: Any = None) -> None:
        self.module = module
        self.top = Scope(parent, self, is_script=True)
        self.current = self.top


class Frame:
    """Where code runs: the interpreter, the scope, and the function that takes its output."""

    __slots__ = ("interp", "returns", "scope", "write")

    def __init__(
        self,
        interp: Any,
        scope: Scope,
        write: Callable[[Any], Any],
        returns: Callable[[Any], Any] | None = None,
    ) -> None:
        self.interp = interp
        self.scope = scope
        self.write = write
        self.returns = returns
        """Where `return` writes, when that is not where statements write (methods of classes)."""


class Enumerator:
    """`$foreach`: the loop's place in its values."""

    def __init__(self, items: Any) -> None:
        self._items = iter(items)
        self.current: Any = None

    def __iter__(self) -> Enumerator:
        return self

    def __next__(self) -> Any:
        self.current = next(self._items)
        return self.current

    def move_next(self) -> bool:
        """`$foreach.MoveNext()`."""
        try:
            next(self)
        except StopIteration:
            self.current = None
            return False
        return True
