r"""The registry of a simulated Windows: keys and typed values, names without case.

Paths are `HKLM\SOFTWARE\...` or with the long hive names (`HKEY_LOCAL_MACHINE\...`). Service definitions, the
machine's environment and its name live here, as on Windows, so that a script may read or change them either way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKU": "HKEY_USERS",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
KINDS = (
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_MULTI_SZ",
    "REG_DWORD",
    "REG_QWORD",
    "REG_BINARY",
    "REG_NONE",
)


@dataclass(slots=True)
class Value:
    """One value. `content` is a str, an int, bytes, or a list of str for REG_MULTI_SZ."""

    name: str
    kind: str
    content: Any


@dataclass(slots=True)
class Key:
    """One key with its values and subkeys by lower-case name."""

    name: str
    values: dict[str, Value] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    volatile: bool = False  # gone after a reboot


def kind_of(content: Any) -> str:
    """The kind that a value gets when nobody names one."""
    if isinstance(content, bool | int):
        return "REG_DWORD" if -(2**31) <= int(content) < 2**32 else "REG_QWORD"
    if isinstance(content, bytes):
        return "REG_BINARY"
    if isinstance(content, list | tuple):
        return "REG_MULTI_SZ"
    return "REG_SZ"


class Registry:
    """All hives of one machine."""

    def __init__(self, lock: threading.RLock | None = None) -> None:
        self._lock = lock or threading.RLock()
        self._hives = {long.lower(): Key(long) for long in HIVES.values()}

    def _parts(self, path: str) -> list[str]:
        parts = [part for part in path.replace("/", "\\").split("\\") if part]
        if parts:
            hive = parts[0].rstrip(":").upper()
            parts[0] = HIVES.get(hive, hive)
        return parts

    def key(self, path: str) -> Key | None:
        """Return the key at a path, or None."""
        parts = self._parts(path)
        with self._lock:
            if not parts:
                return None
            key = self._hives.get(parts[0].lower())
            for part in parts[1:]:
                if key is None:
                    return None
                key = key.keys.get(part.lower())
            return key

    def full_name(self, path: str) -> str:
        r"""`HKEY_LOCAL_MACHINE\...` with the spelling that the keys have."""
        parts = self._parts(path)
        names = parts[:1]
        key = self._hives.get(parts[0].lower()) if parts else None
        for part in parts[1:]:
            key = key.keys.get(part.lower()) if key is not None else None
            names.append(key.name if key is not None else part)
        return "\\".join(names)

    def create(self, path: str, *, volatile: bool = False) -> Key:
        """Return the key, made with its parents when it is not there.

        Raises:
            KeyError: There is no such hive.
        """
        parts = self._parts(path)
        with self._lock:
            key = self._hives[parts[0].lower()]
            for depth, part in enumerate(parts[1:], 2):
                if part.lower() not in key.keys:
                    key.keys[part.lower()] = Key(part, volatile=volatile and depth == len(parts))
                key = key.keys[part.lower()]
            return key

    def delete(self, path: str) -> bool:
        """Remove a key and everything below; False when it is not there."""
        parent, _, name = "\\".join(self._parts(path)).rpartition("\\")
        with self._lock:
            key = self.key(parent)
            return key is not None and key.keys.pop(name.lower(), None) is not None

    def get(self, path: str, name: str, default: Any = None) -> Any:
        """Return a value's content."""
        key = self.key(path)
        value = key.values.get(name.lower()) if key is not None else None
        return default if value is None else value.content

    def set(self, path: str, name: str, content: Any, kind: str = "") -> None:
        """Set a value; the key is made when it is not there."""
        if isinstance(content, tuple):
            content = list(content)
        with self._lock:
            key = self.create(path)
            old = key.values.get(name.lower())
            key.values[name.lower()] = Value(
                old.name if old else name, kind or kind_of(content), content
            )

    def unset(self, path: str, name: str) -> bool:
        """Remove a value; False when it is not there."""
        key = self.key(path)
        return key is not None and key.values.pop(name.lower(), None) is not None

    def subkeys(self, path: str) -> list[str]:
        """Names of the keys below, sorted as the registry does."""
        with self._lock:
            key = self.key(path)
            return sorted((child.name for child in key.keys.values()), key=str.lower) if key else []

    def walk(self, path: str) -> Iterator[tuple[str, Key]]:
        """The key and all keys below it, each with its path."""
        key = self.key(path)
        if key is None:
            return
        yield self.full_name(path), key
        for name in self.subkeys(path):
            yield from self.walk(f"{path}\\{name}")

    def drop_volatile(self) -> None:
        """What a reboot does: keys made as volatile go."""

        def clean(key: Key) -> None:
            key.keys = {name: child for name, child in key.keys.items() if not child.volatile}
            for child in key.keys.values():
                clean(child)

        with self._lock:
            for hive in self._hives.values():
                clean(hive)
