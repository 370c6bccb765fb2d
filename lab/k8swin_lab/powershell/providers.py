r"""Drives that are no file system: what a machine gives for HKLM:, WSMan:, Cert: and the like.

A machine's `drive_provider(drive)` returns an `ItemProvider` or None. Paths are without the drive and
without a separator at either end, with backslashes between parts: `HKLM:\SOFTWARE\X` is
`SOFTWARE\X` for the provider of HKLM; the root is the empty string.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class ItemProvider(Protocol):
    """Items with children and properties. Missing paths are answered by `exists`, never by errors."""

    name: str  # "Registry"
    root: str  # how the provider itself writes the drive: "HKEY_LOCAL_MACHINE"

    def exists(self, path: str) -> bool: ...

    def is_container(self, path: str) -> bool: ...

    def get(self, path: str) -> Any:
        """The item as an object for the pipeline."""

    def children(self, path: str) -> Iterator[str]:
        """Names of the items right under this one."""

    def new(self, path: str, *, kind: str, value: Any, force: bool) -> Any:
        """Make an item and return it as an object; parents are made too when `force` is set.

        Raises:
            FileExistsError: it is there and `force` is not set.
            FileNotFoundError: its parent is missing and `force` is not set.
            PermissionError: the provider does not allow it.
        """

    def remove(self, path: str, *, recursive: bool) -> None: ...

    def get_property(self, path: str) -> dict[str, Any]:
        """All properties of an item (a registry key's values), by name."""

    def set_property(self, path: str, name: str, value: Any, kind: str | None = None) -> None:
        """Set a property; `kind` is what -PropertyType says (DWord, String, MultiString, ...)."""

    def remove_property(self, path: str, name: str) -> None: ...
