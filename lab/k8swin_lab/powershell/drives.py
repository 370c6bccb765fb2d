"""The language's own drives: variable:, function:, env: and alias:, as mappings."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import Scope

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter


_CONSTANTS = {"true": True, "false": False, "null": None}


class VariableDrive(MutableMapping[str, Any]):
    """The drive `variable:`."""

    def __init__(self, interp: Interpreter) -> None:
        self._interp = interp

    @property
    def _scope(self) -> Scope:
        return self._interp.context.frame.scope

    def __getitem__(self, name: str) -> Any:
        folded = name.lower()
        if folded in _CONSTANTS:
            return _CONSTANTS[folded]
        variable = self._scope.find(folded)
        if variable is None:
            raise KeyError(name)
        return variable.value

    def __setitem__(self, name: str, value: Any) -> None:
        (self._scope.find(name.lower()) or self._scope.set(name, value)).assign(value)

    def __delitem__(self, name: str) -> None:
        for scope in self._scope.chain():
            if scope.variables.pop(name.lower(), None) is not None:
                return
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        for scope in self._scope.chain():
            for folded, variable in scope.variables.items():
                seen.setdefault(folded, variable.name)
        return iter(sorted(seen.values(), key=str.lower))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FunctionDrive(MutableMapping[str, Any]):
    """The drive `function:`."""

    def __init__(self, interp: Interpreter) -> None:
        self._interp = interp

    @property
    def _scope(self) -> Scope:
        return self._interp.context.frame.scope

    def __getitem__(self, name: str) -> Any:
        function = self._scope.function(name.lower())
        if function is None:
            raise KeyError(name)
        return function.block

    def __setitem__(self, name: str, value: Any) -> None:
        block = value if isinstance(value, ScriptBlock) else self._interp.compile_block(str(value))
        self._interp.set_function(self._scope, name, block)

    def __delitem__(self, name: str) -> None:
        for scope in self._scope.chain():
            if scope.functions is not None and scope.functions.pop(name.lower(), None) is not None:
                return
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        for scope in self._scope.chain():
            for folded, function in (scope.functions or {}).items():
                seen.setdefault(folded, function.name)
        return iter(sorted(seen.values(), key=str.lower))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class AliasDrive(MutableMapping[str, Any]):
    """The drive `alias:`."""

    def __init__(self, interp: Interpreter) -> None:
        self._interp = interp

    def _all(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for scope in self._interp.context.frame.scope.chain():
            for folded, pair in (scope.aliases or {}).items():
                found.setdefault(folded, pair)
        for table in self._interp.tables:
            for folded, target in table.aliases.items():
                found.setdefault(folded, (folded, target))
        return found

    def __getitem__(self, name: str) -> Any:
        return self._all()[name.lower()][1]

    def __setitem__(self, name: str, value: Any) -> None:
        self._interp.context.frame.scope.define_alias(name, str(value))

    def __delitem__(self, name: str) -> None:
        for scope in self._interp.context.frame.scope.chain():
            if scope.aliases is not None and scope.aliases.pop(name.lower(), None) is not None:
                return
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted((pair[0] for pair in self._all().values()), key=str.lower))

    def __len__(self) -> int:
        return len(self._all())


class EnvironmentDrive(MutableMapping[str, Any]):
    """env:; names without case where the machine has them so."""

    def __init__(self, interp: Interpreter) -> None:
        self._interp = interp

    def _key(self, name: str) -> str:
        environment = self._interp.environment
        if name in environment or self._interp.host.separator == "/":
            return name
        return next((key for key in environment if key.lower() == name.lower()), name)

    def __getitem__(self, name: str) -> Any:
        return self._interp.environment[self._key(name)]

    def __setitem__(self, name: str, value: Any) -> None:
        text = self._interp.to_string(value)
        if text:
            self._interp.environment[self._key(name)] = text
        else:
            self._interp.environment.pop(self._key(name), None)

    def __delitem__(self, name: str) -> None:
        del self._interp.environment[self._key(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._interp.environment, key=str.lower))

    def __len__(self) -> int:
        return len(self._interp.environment)
