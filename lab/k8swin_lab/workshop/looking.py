"""What a trainee's folder says of how far he is. He can make it say anything: all of it is bounded, and text alone."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8swin_lab.workshop import usage

_TAIL = 65_536
_LINE = 300
_RUNS = 20
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


def line_of(text: object) -> str:
    """Return a text as one short line in which everything can be seen."""
    return _UNSEEN.sub(" ", str(text)[: 4 * _LINE]).strip()[:_LINE]


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 text."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def look(work: Path, template: Path) -> dict[str, Any]:
    """Return what a trainee's folder holds and says: usage, last check, last saved notebook of the course, last error."""
    used = usage.of_folder(work)
    return {
        "bytes": used.bytes,
        "files": used.files,
        "largest": line_of(used.largest),
        "largest_bytes": used.largest_bytes,
        "progress": _progress(work / ".k8swin/progress.jsonl"),
        "saved": _saved(work / "workshop", template / "work" / "workshop"),
        "error": _last_error(work / "runs"),
    }


def _tail(path: Path) -> Iterator[dict[str, Any]]:
    """Give the last JSON objects of a file, newest first; of what is no plain file nothing."""
    try:
        # Not to be held up by a pipe, nor led elsewhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return
        file.seek(max(found.st_size - _TAIL, 0))
        lines = file.read(_TAIL).splitlines()
    for line in reversed(lines):
        with contextlib.suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def _progress(path: Path) -> dict[str, str]:
    for event in _tail(path):
        if {"exercise", "time", "met", "of"} <= event.keys():
            said = f"{event['exercise']}: {event['met']} of {event['of']}"
            return {
                "exercise": line_of(event["exercise"]),
                "time": line_of(event["time"]),
                "said": line_of(said),
            }
    return {}


def _saved(folder: Path, original: Path) -> dict[str, str]:
    newest: tuple[float, str] = (0.0, "")
    with contextlib.suppress(OSError):
        for path in original.glob("*.ipynb"):
            with contextlib.suppress(OSError):
                then = (folder / path.name).lstat().st_mtime
                if then > path.stat().st_mtime + 1:
                    newest = max(newest, (then, path.name))
    return {"notebook": newest[1], "time": moment(newest[0])} if newest[1] else {}


def _last_error(runs: Path) -> dict[str, str]:
    """Return the last step that failed; nothing when the same step went well since."""
    folders: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError), os.scandir(runs) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.stat().st_mtime, Path(entry.path)))
    for _, folder in sorted(folders, reverse=True)[:_RUNS]:
        seen: set[tuple[str, str]] = set()
        for event in _tail(folder / "events.jsonl"):
            if event.get("event") != "step":
                continue
            key = (str(event.get("step"))[:_LINE], str(event.get("host"))[:_LINE])
            if event.get("outcome") in ("failed", "unreachable") and key not in seen:
                text = f"{key[0]} on {key[1]}: {event.get('detail') or event['outcome']}"
                return {"text": line_of(text), "time": line_of(event.get("time", ""))}
            seen.add(key)
        if seen:
            return {}
    return {}
