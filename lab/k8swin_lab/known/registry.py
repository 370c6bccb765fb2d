"""Keys of the registry that every server has."""

from __future__ import annotations

from functools import cache

from k8swin_lab.known import lines

_SHORT = {
    "hkey_local_machine": "hklm",
    "hkey_current_user": "hkcu",
    "hkey_users": "hku",
    "hkey_classes_root": "hkcr",
    "hkey_current_config": "hkcc",
}


@cache
def _keys() -> tuple[frozenset[str], tuple[str, ...]]:
    """Keys as they are, and those of which any key below may be there; with what lies above each."""
    plain: set[str] = set()
    deep: list[str] = []
    for line in lines("registry.txt"):
        key = line.lower()
        if key.endswith("\\*"):
            key = key.removesuffix("\\*")
            deep.append(key + "\\")
        parts = key.split("\\")
        plain.update("\\".join(parts[:count]) for count in range(2, len(parts) + 1))
    return frozenset(plain), tuple(deep)


def has_key(path: str) -> bool:
    r"""Whether a server has a key, `HKLM\SOFTWARE\...` or with the hive's long name, or may have it."""
    hive, _, rest = path.lower().strip("\\").partition("\\")
    folded = f"{_SHORT.get(hive, hive)}\\{rest}"
    plain, deep = _keys()
    return folded in plain or folded.startswith(deep)
