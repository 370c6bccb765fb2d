"""Variables with their attributes, and the scopes of functions (dynamic, as in bash)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


class ShellFault(Exception):
    """A command cannot go on; the text is what bash prints after `bash: line N: `.

    `fatal` ends a shell that reads a script; otherwise only the command fails.
    """

    def __init__(self, text: str, *, code: int = 1, fatal: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.fatal = fatal


@dataclass(slots=True)
class Variable:
    """One variable: `value` for plain ones, `items` for arrays (indexed keys are int)."""

    value: str | None = None
    items: dict[int | str, str] | None = None
    associative: bool = False
    exported: bool = False
    readonly: bool = False
    integer: bool = False
    lower: bool = False
    upper: bool = False
    reference: bool = False

    def copy(self) -> Variable:
        return replace(self, items=dict(self.items) if self.items is not None else None)

    def text(self) -> str | None:
        """Return what `$name` gives."""
        if self.items is not None:
            return self.items.get("0" if self.associative else 0)
        return self.value

    def cased(self, text: str) -> str:
        """Apply declare -l and -u."""
        return text.lower() if self.lower else text.upper() if self.upper else text

    def sorted_items(self) -> list[tuple[int | str, str]]:
        """Return an array's elements in bash's order; a plain variable is its own element 0."""
        if self.items is None:
            return [] if self.value is None else [(0, self.value)]
        if self.associative:
            # bash walks its hash table: FNV-1, 1024 buckets, the newest of a bucket first.
            newest_first = reversed(list(self.items.items()))
            return sorted(newest_first, key=lambda item: _bucket(str(item[0])))
        return sorted(self.items.items(), key=lambda item: int(item[0]))


@dataclass(slots=True)
class Variables:
    """All variables one shell sees; the last scope is the innermost function's."""

    scopes: list[dict[str, Variable]] = field(default_factory=lambda: [{}])

    def copy(self) -> Variables:
        return Variables([{name: v.copy() for name, v in scope.items()} for scope in self.scopes])

    def find(self, name: str) -> Variable | None:
        """Return a variable, references followed."""
        for _ in range(8):
            variable = self._raw(name)
            if variable is None or not variable.reference or not variable.value:
                return variable
            name = variable.value
        return None

    def target(self, name: str) -> str:
        """Return the name a reference stands for, or the name itself."""
        for _ in range(8):
            variable = self._raw(name)
            if variable is None or not variable.reference or not variable.value:
                return name
            name = variable.value
        return name

    def _raw(self, name: str) -> Variable | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def make(self, name: str, *, local: bool = False) -> Variable:
        """Return a variable to be changed, made where bash makes it when there is none."""
        name = self.target(name)
        if local:
            scope = self.scopes[-1]
            if name not in scope:
                outer = self._raw(name)
                scope[name] = Variable(exported=bool(outer and outer.exported))
            return scope[name]
        variable = self._raw(name)
        if variable is None:
            variable = self.scopes[0][name] = Variable()
        return variable

    def get(self, name: str) -> str | None:
        """Return the text of a variable, None when it is unset."""
        variable = self.find(name)
        return variable.text() if variable else None

    def set(self, name: str, text: str) -> None:
        """Assign a plain text.

        Raises:
            ShellFault: the variable is read-only.
        """
        variable = self.make(name)
        if variable.readonly:
            raise ShellFault(f"{name}: readonly variable")
        if variable.items is not None:
            variable.items["0" if variable.associative else 0] = variable.cased(text)
        else:
            variable.value = variable.cased(text)

    def unset(self, name: str) -> None:
        """Remove a variable from the innermost scope that has it."""
        for scope in reversed(self.scopes):
            if name in scope:
                if scope[name].readonly:
                    raise ShellFault(f"unset: {name}: cannot unset: readonly variable", fatal=False)
                if scope is self.scopes[0]:
                    del scope[name]
                else:
                    scope[name] = Variable()
                return

    def names(self) -> list[str]:
        """Return the names of all set variables, sorted."""
        found = {name for scope in self.scopes for name in scope}
        return sorted(name for name in found if (v := self.find(name)) and _is_set(v))

    def environment(self) -> dict[str, str]:
        """Return what a started program gets."""
        result: dict[str, str] = {}
        for scope in self.scopes:
            for name, variable in scope.items():
                if variable.exported and variable.items is None and variable.value is not None:
                    result[name] = variable.value
                else:
                    result.pop(name, None)
        return result


def _is_set(variable: Variable) -> bool:
    return variable.value is not None or variable.items is not None


def _bucket(key: str) -> int:
    result = 2166136261
    for byte in key.encode("utf-8", "surrogateescape"):
        result = (result * 16777619 & 0xFFFFFFFF) ^ byte
    return result & 1023
