"""The table of what exists on the lab's internet, read from catalogue.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def catalogue() -> dict[str, Any]:
    """Return the whole table."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    return loaded


def versions(of: str) -> list[str]:
    """Return the versions of a product, without a leading v, newest last.

    Args:
        of: a key of the table: "kubernetes", "containerd", "flannel".
    """
    found = catalogue()[of]
    if isinstance(found, dict):
        return [version for minor in found.values() for version in minor]
    return list(found)


def components(kubernetes_version: str) -> dict[str, str]:
    """Return the tags of coredns, pause and etcd that go with a Kubernetes version ("1.36.4").

    Raises:
        KeyError: the lab has no such minor version.
    """
    minor = ".".join(kubernetes_version.lstrip("v").split(".")[:2])
    found: dict[str, str] = catalogue()["components"][minor]
    return found
