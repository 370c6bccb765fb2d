"""Scripts that began and of which no record says how they ended: of a kernel that died, or a broken connection.

What may live here: reading records back. Whether such a script still works on its host only the host can say.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from k8swin_nb.reading import Unreadable, file_bytes, open_file

STARTED = "script-started"
"""The event of a script that is about to begin; each other event with its tag tells of its end."""

LARGE = 64 * 1024 * 1024
"""Bytes of a record above which it is read line by line alone."""

NOT_BEGUN = frozenset(
    {
        "AuthenticationFailed",
        "CertificateRejected",
        "HostKeyMismatch",
        "HostKeyRevoked",
        "HostKeyUnknown",
        "InventoryError",
        "ParamsError",
        "ScriptError",
        "ScriptNotStarted",
        "Stopped",
    }
)
"""Errors after which nothing runs on the host: it never began, or its end was seen."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A script that began, and of which it is not known how it ended."""

    tag: str
    """The word by which its processes are found on the host."""

    run: str
    notebook: str
    time: str
    """When it began, as RFC 3339 text."""

    operator: str
    controller: str
    """The computer from which it was begun."""

    pid: int | None
    """The process there that began it."""

    host: str
    address: str
    user: str
    sudo: bool
    script: str
    phase: str = ""
    step: str = ""
    verb: str = ""
    why: str = ""
    """What is known of its end, such as that the connection broke; empty when nothing is."""

    @property
    def at_work(self) -> bool:
        """Whether the process that began it still lives on this computer, and so may be waiting for its end."""
        if self.pid is None or self.controller != platform.node():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True

    def __str__(self) -> str:
        where = f" of {self.phase}/{self.step}" if self.step else ""
        why = f" ({self.why})" if self.why else ""
        return (
            f"`{self.script}`{where} on {self.host}, begun {self.time} by {self.operator} in run "
            f"{self.run}: how it ended is not known{why}"
        )


def unfinished(runs: Path, *, address: str = "", host: str = "") -> list[Unfinished]:
    """Return the scripts of all runs in a folder that began and whose end nobody knows, oldest first.

    A script that runs at this moment is one of them. Lines that are no events are passed over: a full disk
    or a kernel that died may have left half of one.

    Args:
        runs: Folder of the records, one folder a run below it; one that is not there holds none.
        address: Only scripts on the host of this address; empty: on any.
        host: Only scripts on the host of this name; empty: on any.
    """
    records = sorted(path for path in runs.glob("*/events.jsonl") if not _settled(path))
    return [
        one
        for one in open_scripts(records)
        if (not address or one.address == address) and (not host or one.host == host)
    ]


def open_scripts(records: Iterable[Path]) -> list[Unfinished]:
    """Return the scripts in records that began and whose end none of these records tells, oldest first.

    Args:
        records: Files of events, the oldest first.
    """
    begun: dict[str, Unfinished] = {}
    for path in records:
        for event in _events(path):
            tag = event["tag"]
            if event.get("event") == STARTED:
                begun[tag] = _of(event)
            elif _is_open(event):
                if tag in begun:
                    begun[tag] = replace(
                        begun[tag], why=str(event.get("left") or event.get("error") or "")
                    )
            else:
                begun.pop(tag, None)
    return sorted(begun.values(), key=lambda one: one.time)


_TAG = re.compile(rb'"tag": "([^"\\\\]*)"')
_BEGAN = f'"event": "{STARTED}"'.encode()
_OPEN = re.compile(rb'"exit_code": null|"error_kind": |"left": "[^"]')

_known: dict[Path, tuple[int, int, int]] = {}
"""Records in which nothing was open, as they were then: thousands of earlier runs are looked at once."""


def _settled(path: Path) -> bool:
    """Whether a look at a record's bytes shows that each script in it has ended; what is not sure is read as events."""
    try:
        found = path.stat()
        state = (found.st_ino, found.st_size, found.st_mtime_ns)
        if _known.get(path) == state:
            return True
        content = file_bytes(path, LARGE)
    except (OSError, Unreadable):
        return False
    tags = Counter(_TAG.findall(content))
    # Each tag began here and was told of again; a tag of another run's script may be its end.
    told = content.count(b'"tag"') == tags.total() and content.count(_BEGAN) == len(tags)
    # A full disk left half of a line, which tells of no end: its braces do not match.
    whole = all(line.count(b"{") == line.count(b"}") for line in content.split(b"\n"))
    if not (told and whole) or 1 in tags.values() or _OPEN.search(content):
        return False
    _known[path] = state
    return True


def _is_open(event: dict[str, Any]) -> bool:
    """Whether an event that refers to a script leaves open how it ended."""
    if event.get("event") not in ("script", "magic"):
        return False
    if event.get("left"):
        return True  # it was stopped, and something of it may still run
    return event.get("exit_code") is None and event.get("error_kind") not in NOT_BEGUN


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a record that refer to a script by its tag."""
    try:
        with open_file(path) as log:
            for line in log:
                if b'"tag"' not in line:
                    continue
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict) and isinstance(event.get("tag"), str):
                    yield event
    except (OSError, Unreadable):
        return


def _of(event: dict[str, Any]) -> Unfinished:
    def text(name: str) -> str:
        return str(event.get(name) or "")

    number = event.get("pid")
    return Unfinished(
        tag=text("tag"),
        run=text("run"),
        notebook=text("notebook"),
        time=text("time"),
        operator=text("operator"),
        controller=text("controller"),
        pid=number if isinstance(number, int) else None,
        host=text("host"),
        address=text("address"),
        user=text("user"),
        sudo=event.get("sudo") is True,
        script=text("name") or text("script"),
        phase=text("phase"),
        step=text("step"),
        verb=text("verb"),
    )
