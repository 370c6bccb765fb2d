"""What the record says of files that are carried: before it begins, of each that was changed, and how it ended."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.workflow.script_events import as_root
from k8swin_nb.workflow.this_process import this_process

if TYPE_CHECKING:
    from k8swin_nb.host_tools.asking import Machines
    from k8swin_nb.host_tools.file_report import FileRow
    from k8swin_nb.host_tools.host_files import Found
    from k8swin_nb.inventory import Host


class Work:
    """Files of one host that are carried there or from there.

    Args:
        cluster: Whose record is written; of a dry run nothing is.
        host: Where.
        what: What is carried, and where to.
        kind: `push` or `pull`.
        sudo: Whether as root.
        dry_run: Whether nothing is changed.
    """

    def __init__(
        self, cluster: Machines, host: Host, what: str, kind: str, *, sudo: bool, dry_run: bool
    ) -> None:
        self.cluster, self.host = cluster, host
        self._kind, self._silent = kind, dry_run
        sudo = sudo and host.asks_for_root
        self._told: dict[str, Any] = {
            "host": host.name,
            "address": host.address,
            "user": host.user,
            "as_root": as_root(host, sudo=sudo),
            "sudo": sudo,
            "files": what,
        }

    @contextlib.contextmanager
    def written_down(self, rows: list[FileRow]) -> Iterator[None]:
        """Write an event before the work and one behind it, with what its rows say by then.

        Raises:
            RecordError: when the first cannot be written; nothing was begun. When the last cannot be.
        """
        if self._silent:
            yield
            return
        record = self.cluster.record
        record.write(f"{self._kind}-started", **self._told, **this_process())
        try:
            yield
        except BaseException as error:
            how = {"error": str(error), "error_kind": type(error).__name__}
            record.write_beside(error, self._kind, **self._told, **_counted(rows), **how)
            raise
        record.write(self._kind, **self._told, **_counted(rows))

    def file(self, path: str, before: dict[str, Any], now: dict[str, Any], **more: str) -> None:
        """Write down a file that was changed: what it was, and what it is as it was read back."""
        told = {"host": self.host.name, "file": path, **more, **now}
        self.cluster.record.write(f"{self._kind}ed", **told, before=before)


def of_host(found: Found) -> dict[str, Any]:
    """Return what the record says of a file of a host; empty: there is none."""
    if found.kind != "file":
        return {}
    rights = {"mode": found.mode, "owner": found.owner, "group": found.group}
    told = {"bytes": found.size, "sha256": found.sha256}
    return told | {name: value for name, value in rights.items() if value}


def of_here(path: Path) -> dict[str, Any]:
    """Return the same of a file of this computer."""
    from k8swin_nb.host_tools.pushing import measure

    if not path.is_file():
        return {}
    size, sha256 = measure(path)
    return {"bytes": size, "sha256": sha256}


def _counted(rows: list[FileRow]) -> dict[str, Any]:
    return {"outcomes": dict(Counter(row.outcome for row in rows))}
