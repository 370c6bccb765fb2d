"""A seal as it is written and read: an in-toto Statement, version 1, about all files of a run's folder.

{"_type": "https://in-toto.io/Statement/v1",
 "subject": [{"name": "events.jsonl", "digest": {"sha256": ...}, "annotations": {"bytes": ..., "prefix": true}},
             {"name": "logs/0001-kubeadm.log", "digest": {"sha256": ...}, "annotations": {"bytes": ...}}, ...],
 "predicateType": "urn:k8swin:seal:1",
 "predicate": {"run": ..., "number": 3, "why": ..., "time": ..., "previous": {"sha256": ...}, ...}}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from k8swin_nb.audit.tree import FILE_BYTES, SEALS, inside
from k8swin_nb.reading import Unreadable, json_document

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:k8swin:seal:1"

SEAL_BYTES = 32 * 1024 * 1024
"""What a seal may have; one of a run with some hundred files has 60 kB."""

HEX = re.compile(r"[0-9a-f]{64}")
SEAL_NAME = re.compile(rf"{SEALS}/([0-9]{{4,6}})\.json")
SIGNATURES = {".sig": "ssh", ".p7s": "certificate", ".sigstore.json": "sigstore"}
"""Ends that are added to a seal's name for its signatures, and their kinds."""


BEGUN = re.compile(
    rf"{SEALS}/\.([0-9]{{4,6}})\.json(?:{'|'.join(re.escape(end) for end in SIGNATURES)})?"
)
"""Names that a seal and its signatures have until the record tells of them."""


def seal_name(number: int) -> str:
    """Return the name of a seal below the run's folder."""
    return f"{SEALS}/{number:04d}.json"


def begun_name(number: int) -> str:
    """Return the name that a seal has until the record tells of it."""
    return f"{SEALS}/.{number:04d}.json"


@dataclass(frozen=True, slots=True)
class Subject:
    """A file as a seal has it."""

    name: str
    sha256: str
    bytes: int
    """How much of it the digest covers."""

    prefix: bool = False
    """Whether it may have grown since: of `events.jsonl` the beginning is sealed."""

    open: bool = False
    """Whether somebody may have been at work on it: a notebook that runs or is not saved yet, a page."""

    def as_json(self) -> dict[str, Any]:
        notes: dict[str, Any] = {"bytes": self.bytes}
        notes |= {name: True for name in ("prefix", "open") if getattr(self, name)}
        return {"name": self.name, "digest": {"sha256": self.sha256}, "annotations": notes}


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that was read."""

    number: int
    sha256: str
    """Of the file."""

    subjects: dict[str, Subject]
    predicate: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its file below the run's folder."""
        return seal_name(self.number)

    @property
    def events(self) -> Mapping[str, Any]:
        """What it says of the record's lines: `bytes`, `n`, `lines`, `last`."""
        found = self.predicate.get("events")
        return found if isinstance(found, dict) else {}

    @property
    def run(self) -> str:
        """The run that it seals."""
        return str(self.predicate.get("run", ""))

    @property
    def final(self) -> bool:
        """Whether nobody was at work on the run's files any more."""
        return self.predicate.get("final") is True

    @property
    def time(self) -> str:
        """When it was made, by the clock of who made it."""
        return str(self.predicate.get("time", ""))


def written(subjects: list[Subject], predicate: Mapping[str, Any]) -> bytes:
    """Return the bytes of a seal."""
    statement = {
        "_type": STATEMENT,
        "subject": [subject.as_json() for subject in sorted(subjects, key=lambda s: s.name)],
        "predicateType": PREDICATE,
        "predicate": dict(predicate),
    }
    return (json.dumps(statement, indent=1, ensure_ascii=True) + "\n").encode()


def read(content: bytes, number: int) -> Seal:
    """Return a seal.

    Args:
        content: What its file holds.
        number: The number in the file's name.

    Raises:
        Unreadable: when it is none, or not as it was written.
    """
    found = json_document(content)
    if not isinstance(found, dict) or found.get("_type") != STATEMENT:
        raise Unreadable("it is no in-toto statement of version 1")
    if found.get("predicateType") != PREDICATE:
        raise Unreadable(f"its predicate is not `{PREDICATE}`; it may be of a newer version")
    predicate, listed = found.get("predicate"), found.get("subject")
    if not isinstance(predicate, dict) or not isinstance(listed, list):
        raise Unreadable("it has no predicate or no subjects")
    subjects: dict[str, Subject] = {}
    for item in listed:
        subject = _subject(item)
        if subject.name in subjects:
            raise Unreadable("it names a file twice")
        subjects[subject.name] = subject
    said = predicate.get("number")
    if said != number:
        raise Unreadable(f"it is number {said!r} by what it says, and {number} by its name")
    if written(list(subjects.values()), predicate) != content:
        raise Unreadable("it is not written as a seal is: somebody has written it anew")
    return Seal(number, hashlib.sha256(content).hexdigest(), subjects, predicate)


def _subject(item: Any) -> Subject:
    try:
        name, sha256, notes = item["name"], item["digest"]["sha256"], item["annotations"]
        size = notes["bytes"]
        flags = {flag: notes.get(flag, False) for flag in ("prefix", "open")}
    except (KeyError, TypeError, AttributeError):
        raise Unreadable("one of its subjects is not as a seal has it") from None
    if not inside(name):
        raise Unreadable("it names a file outside of the run's folder")
    if not (isinstance(sha256, str) and HEX.fullmatch(sha256)):
        raise Unreadable("one of its digests is none")
    if type(size) is not int or not 0 <= size <= FILE_BYTES:
        raise Unreadable("one of its sizes is none")
    return Subject(name, sha256, size, **{flag: value is True for flag, value in flags.items()})
