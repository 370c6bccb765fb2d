"""Classes and namespaces of WMI."""

from __future__ import annotations

from functools import cache

from k8swin_lab.known import lines


@cache
def _names(kind: str) -> frozenset[str]:
    found: set[str] = set()
    for line in lines("cim-classes.txt"):
        first, *names = line.lower().split()
        if first == kind:
            found.update(names)
    return frozenset(found)


def has_namespace(name: str) -> bool:
    """Whether a server has a namespace, given with slashes; of Microsoft's own the list has none by name."""
    folded = name.lower().strip("/")
    return folded in _names("namespaces") or folded.startswith("root/microsoft/")


def has_class(name: str) -> bool:
    """Whether root/cimv2 has a class."""
    return name.lower() in _names("classes")
