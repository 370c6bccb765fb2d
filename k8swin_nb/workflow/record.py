"""The record of a run: an append-only log of who did what, where, when, and how it ended.

One JSON object a line in `runs/<id>/events.jsonl`, written and synced before the next thing happens,
so that what ran is known even when the kernel dies. Every line passes the redactor; what a script
printed goes to a file of its own beside it, and the event holds that file's SHA-256.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from k8swin_nb.redact import redact


def utc_now() -> str:
    """Return the time as RFC 3339 text with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_run_id() -> str:
    """Return an id that sorts by time: 20261123-205512-7f3a."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)


def operator() -> str:
    """Who runs this: `K8SWIN_OPERATOR`, else the system's user name."""
    name = os.environ.get("K8SWIN_OPERATOR")
    if name:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in the password file
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


class Record:
    """The event log of one run, shared by all notebooks that are given its id."""

    def __init__(self, folder: Path, run_id: str, notebook: str) -> None:
        self.run_id = run_id
        self.notebook = notebook
        self.folder = folder / run_id
        self.logs = self.folder / "logs"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(exist_ok=True, mode=0o700)
        self.path = self.folder / "events.jsonl"
        self._lock = threading.Lock()
        self.events: list[dict[str, Any]] = []
        """The events of this notebook, as written."""

    def write(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Append an event and return it as written; `kind` is a word such as `script` or `step`."""
        event = {
            "time": utc_now(),
            "run": self.run_id,
            "notebook": self.notebook,
            "event": kind,
            "operator": operator(),
            **fields,
        }
        line = redact(json.dumps(event, ensure_ascii=False, default=str))
        with self._lock:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as log:
                log.write(line + "\n")
                log.flush()
                os.fsync(log.fileno())
            written: dict[str, Any] = json.loads(line)
            self.events.append(written)
        return written

    def keep_output(self, name: str, text: str) -> tuple[str, str]:
        """Store what a script printed; return the file's name below the run's folder and its SHA-256."""
        content = redact(text).encode()
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            number = len(list(self.logs.iterdir())) + 1
            while True:
                path = self.logs / f"{number:04d}-{name}.log"
                try:
                    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    break
                except (
                    FileExistsError
                ):  # a notebook of the same run, in a process of its own, took it
                    number += 1
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        return f"logs/{path.name}", digest

    def opened(self, **fields: Any) -> dict[str, Any]:
        """Append the event that starts a notebook: where the toolkit itself runs."""
        return self.write(
            "notebook-opened",
            controller=platform.node(),
            system=platform.platform(terse=True),
            python=platform.python_version(),
            **fields,
        )
