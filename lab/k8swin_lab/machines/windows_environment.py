"""Environment variables as Windows has them: names without case, and %NAME% in texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8swin_lab.machines.registry import Registry
from k8swin_lab.machines.windows_setup import ENVIRONMENT


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


def of_system(registry: Registry, computer: str, domain: str) -> Environment:
    """Return what the system gives a program that it starts: the machine's variables, expanded.

    Args:
        registry: of the machine.
        computer: its NetBIOS name.
        domain: NetBIOS name of its domain; "" when it is in none.
    """
    env = Environment(
        [
            ("SystemDrive", "C:"), ("SystemRoot", r"C:\Windows"), ("ProgramData", r"C:\ProgramData"),
            ("ALLUSERSPROFILE", r"C:\ProgramData"), ("ProgramFiles", r"C:\Program Files"),
            ("ProgramFiles(x86)", r"C:\Program Files (x86)"), ("ProgramW6432", r"C:\Program Files"),
            ("CommonProgramFiles", r"C:\Program Files\Common Files"), ("PUBLIC", r"C:\Users\Public"),
            ("COMPUTERNAME", computer), ("USERDOMAIN", domain or computer),
        ]
    )  # fmt: skip
    _add_variables(env, registry, ENVIRONMENT)
    return env


def of_login(registry: Registry, system: Environment, user: str) -> Environment:
    """Return the environment of somebody who logs in over the network: the system's, and the user's own."""
    env = Environment(system.items())
    profile = rf"C:\Users\{user}"
    env.update(
        {
            "USERNAME": user, "USERPROFILE": profile, "HOMEDRIVE": "C:", "HOMEPATH": rf"\Users\{user}",
            "APPDATA": profile + r"\AppData\Roaming", "LOCALAPPDATA": profile + r"\AppData\Local", "PROMPT": "$P$G",
        }
    )  # fmt: skip
    path = env["Path"]
    _add_variables(env, registry, r"HKCU\Environment")
    if env["Path"] != path:
        env["Path"] = path.rstrip(";") + ";" + env["Path"]
    return env


def _add_variables(env: Environment, registry: Registry, path: str) -> None:
    key = registry.key(path)
    for value in list(key.values.values()) if key else []:
        env[value.name] = expand(str(value.content), env)
