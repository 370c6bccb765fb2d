"""Looks at a record as a reader does who trusts nobody: with a counter and SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from k8swin_nb.workflow.chain import beginning


def broken(path: Path, run: str = "run") -> list[str]:
    """Return what is wrong with the chain of a record; lines that are no links are vouched for by `record-continued`."""
    content = path.read_bytes()
    problems, unlinked = [], []
    previous = beginning(run)
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line and number > content.count(b"\n"):
            break
        try:
            event = json.loads(line)
            place = event["n"]
        except (ValueError, TypeError, KeyError):
            unlinked.append(number)
        else:
            if place != number:
                problems.append(f"line {number} says {place}")
            if event["previous"] != previous:
                problems.append(f"line {number} does not follow from the one before")
            if event["event"] == "record-continued":
                head = content[: event["bytes"]]
                if (event["lines"], head.count(b"\n")) != (number - 1, number - 1):
                    problems.append(f"line {number} counts {event['lines']} lines")
                if hashlib.sha256(head).hexdigest() != event["sha256"]:
                    problems.append(f"what stands before line {number} is not what it was")
                unlinked = []
            elif unlinked:
                problems.append(f"nobody vouches for lines {unlinked}")
        previous = hashlib.sha256(line).hexdigest()
    if unlinked:
        problems.append(f"nobody vouches for lines {unlinked}")
    return problems
