"""Environment variables as Windows has them: names without case, and %NAME% in texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Environment(dict[str, str]):
    """Environment variables: names compare without case and keep their spelling."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._spelling: dict[str, str] = {}
        for name, value in items:
            self[name] = value

    def __setitem__(self, name: str, value: str) -> None:
        spelled = self._spelling.setdefault(name.lower(), name)
        super().__setitem__(spelled, value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(self._spelling.get(name.lower(), name))

    def __delitem__(self, name: str) -> None:
        super().__delitem__(self._spelling.pop(name.lower(), name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._spelling

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._spelling.get(name.lower(), name), default)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove a variable and return its value."""
        if name not in self:
            if default:
                return default[0]
            raise KeyError(name)
        value = self[name]
        del self[name]
        return value

    def update(self, *others: Any, **more: str) -> None:
        """As dict.update, without case."""
        for other in (*others, more):
            for name, value in dict(other).items():
                self[name] = value


def expand(text: str, env: Environment) -> str:
    """Replace %NAME%; unknown names stay as they are."""
    parts = text.split("%")
    result = [parts[0]]
    index = 1
    while index < len(parts):
        if index + 1 < len(parts) and parts[index] and parts[index] in env:
            result.append(env[parts[index]] + parts[index + 1])
            index += 2
        else:
            result.append("%" + parts[index])
            index += 1
    return "".join(result)
