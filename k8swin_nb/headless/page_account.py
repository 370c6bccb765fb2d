"""What a run's record says, put in order for its page: notebooks, steps, scripts, hosts, and what nobody knows the end of.

Records of older versions lack fields, and a record that was written elsewhere may hold anything in one; what is not there, or
is of another kind, reads as empty.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8swin_nb.reading import Unreadable, file_bytes
from k8swin_nb.workflow.chain import NUMBER
from k8swin_nb.workflow.record import read_events
from k8swin_nb.workflow.step_run import READ_ONLY
from k8swin_nb.workflow.unfinished import Unfinished, open_scripts

Event = dict[str, Any]

BAD = frozenset({"failed", "unreachable"})
"""Outcomes that are failures."""

SEAL_BYTES = 16 * 1024 * 1024
"""What a seal may have."""

SIGNATURES = {
    ".sig": "an SSH key",
    ".p7s": "a certificate",
    ".sigstore.json": "a keyless identity",
}
"""With what a seal is signed, by the end of the name of the file beside it."""


def text(event: Event, name: str) -> str:
    """Return a field as text; empty when it is not there."""
    value = event.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def items(event: Event, name: str) -> list[Any]:
    """Return a field that is a list; empty when it is none."""
    value = event.get(name)
    return value if isinstance(value, list) else []


def fields(event: Event, name: str) -> dict[str, Any]:
    """Return a field that is an object; empty when it is none."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}


@dataclass(slots=True)
class Opened:
    """A notebook of a run, as its record has it: the newest time that it was opened for a target."""

    event: Event
    name: str
    """Equal to its phase."""

    target: str
    """Names of the hosts that it is about alone; empty: all."""

    steps: list[Event] = field(default_factory=list)
    end: str = ""
    """`finished`, `failed`, `interrupted`; empty: no end is in the record."""

    told: str = ""
    """What is known of the end."""

    @property
    def label(self) -> str:
        """How it is called, which is its file's name in `k8swin run`."""
        return f"{self.name}-{self.target}" if self.target else self.name


@dataclass(slots=True)
class Done:
    """How a step ended on a host, with the scripts that it ran there."""

    event: Event
    scripts: list[Event]
    later: bool = False
    """Whether the same step ended on the same host again afterwards: that is what counts."""

    @property
    def outcome(self) -> str:
        """In the words of the record."""
        return text(self.event, "outcome")


@dataclass(frozen=True, slots=True)
class Seal:
    """The last seal of a run. It is named, not checked."""

    file: str
    signed: tuple[tuple[str, str], ...]
    """Files of signatures, and with what they were made."""

    told: str
    """What the seal says of itself: when, by whom, why."""


class Account:
    """The record of a run in order.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder.name
        path = folder / "events.jsonl"
        try:
            self.events: list[Event] = read_events(path)
            self.unreadable = ""
        except (OSError, Unreadable) as error:
            self.events, self.unreadable = [], f"{path.name} cannot be read: {error}"
        self.opened: list[Opened] = []
        self.steps: list[Done] = []
        self.magics: list[Event] = []
        self.identities: dict[tuple[str, str], Event] = {}
        """By host and what was seen of it, in the order of the record."""
        self.asked: Event = {}
        """The event with which `k8swin run` began; empty: it was something else that began."""
        self.stopped: Event = {}
        self.interrupted: list[Event] = []
        self.removal: list[Event] = []
        self._waiting: dict[tuple[str, str], list[Event]] = {}
        self._going: Counter[tuple[str, str, str]] = Counter()
        for event in self.events:
            self._take(event)
        self.unknown: list[Unfinished] = open_scripts([path]) if self.events else []
        last: set[tuple[str, str, str]] = set()
        for done in reversed(self.steps):
            key = tuple(text(done.event, name) for name in ("notebook", "step", "host"))
            done.later = key in last
            last.add(key)  # type: ignore[arg-type]

    def _take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "notebook-opened":
            self._open(event)
        elif kind == "step":
            self._ended(event)
        elif kind == "step-started":
            self._going[text(event, "notebook"), text(event, "step"), text(event, "host")] += 1
        elif kind == "script" and event.get("step"):
            key = (text(event, "notebook"), text(event, "step"))
            self._waiting.setdefault(key, []).append(event)
        elif kind in ("magic", "script"):
            self.magics.append(event)
        elif kind == "host-identified":
            seen = text(event, "host_key") or text(event, "certificate_sha256")
            self.identities.setdefault((text(event, "host"), seen), event)
        elif kind == "run-begun":
            self.asked = event
        elif kind == "run-stopped":
            self.stopped = event
        elif kind == "removal-confirmed":
            self.removal.append(event)
        elif kind in ("notebook-finished", "failed", "interrupted"):
            self._close(event, kind.removeprefix("notebook-"))

    def _open(self, event: Event) -> None:
        # The name of a notebook is its phase's; a person may have called the file otherwise.
        name = text(event, "phase") or text(event, "notebook")
        named = {text(h, "address"): text(h, "name") for h in _objects(event, "hosts")}
        target = ",".join(
            named.get(part, part) for part in text(event, "target").split(",") if part
        )
        for one in self.opened:
            if (one.name, one.target) == (name, target):
                self.opened.remove(one)
                break
        self.opened.append(Opened(event, name, target))

    def _of(self, event: Event) -> list[Opened]:
        name = text(event, "phase") or text(event, "notebook")
        return [one for one in self.opened if one.name == name]

    def _ended(self, event: Event) -> None:
        notebook, step, host = (text(event, name) for name in ("notebook", "step", "host"))
        tags = set(map(str, items(event, "tags")))
        ran = self._waiting.get((notebook, step), [])
        self._going[notebook, step, host] -= 1
        # Without tags: what ran elsewhere is of the first of these hosts that ends, unless it has such a step itself.
        own = [
            one
            for one in ran
            if (text(one, "tag") in tags if tags else text(one, "host") == host)
            or (not tags and self._going[notebook, step, text(one, "host")] <= 0)
        ]
        self._waiting[notebook, step] = [one for one in ran if one not in own]
        self.steps.append(Done(event, own))
        of = self._of(event)
        for one in of:
            if len(of) == 1 or host in one.target.split(","):
                one.steps.append(event)
                if one.end == "failed":
                    one.end = ""  # it was tried again

    def _close(self, event: Event, how: str) -> None:
        of = self._of(event)
        if how == "interrupted":
            self.interrupted.append(event)
        waiting = [one for one in of if not one.end] or of
        step = text(event, "step")
        here = [
            one for one in waiting if step and one.steps and text(one.steps[-1], "step") == step
        ]
        if here or waiting:
            # Of notebooks that run beside each other the one that came furthest has ended.
            one = max(here or waiting, key=lambda one: len(one.steps))
            one.end = how
            one.told = text(event, "error").partition("\n")[0] if how == "failed" else step

    @property
    def latest(self) -> list[Done]:
        """How each step ended last on each host."""
        return [done for done in self.steps if not done.later]

    @property
    def failed(self) -> list[Done]:
        """Steps whose last end is a failure."""
        return [done for done in self.latest if done.outcome in BAD]

    @property
    def changed(self) -> list[Done]:
        """What was changed, or what a dry run would change, each time."""
        return [done for done in self.steps if done.outcome in ("changed", "would change")]

    @property
    def left_out(self) -> list[Done]:
        """Steps at which somebody ended the wait for a host."""
        return [
            done
            for done in self.latest
            if done.outcome == "skipped" and text(done.event, "detail").startswith("left out")
        ]

    @property
    def dry_run(self) -> bool:
        """Whether nothing was to be changed by any notebook."""
        events = [one.event for one in self.opened] or ([self.asked] if self.asked else [])
        return bool(events) and all(event.get("dry_run") is True for event in events)

    @property
    def not_begun(self) -> list[str]:
        """Notebooks that were asked for and never began."""
        begun = {one.label for one in self.opened} | {
            path.stem for path in self.folder.glob("*.ipynb")
        }
        planned = [str(name) for name in items(self.asked, "notebooks")]
        if not planned:
            return [str(name) for name in items(self.stopped, "left")]
        return [name for name in planned if name not in begun]

    @property
    def found_unknown(self) -> list[str]:
        """Scripts of earlier runs whose end nobody knew when a notebook of this one was opened."""
        found = [str(said) for event in self.events for said in items(event, "unfinished")]
        return list(dict.fromkeys(found))

    @property
    def hosts(self) -> dict[str, Event]:
        """The hosts of all notebooks by name, as they were last described."""
        return {
            text(host, "name"): host for one in self.opened for host in _objects(one.event, "hosts")
        }

    def place(self, event: Event) -> str:
        """Return where an event stands in the record."""
        number = event.get(NUMBER)
        return f"events.jsonl, event {number}" if isinstance(number, int) else "events.jsonl"

    def seal(self) -> Seal | None:
        """Return the last seal that lies in the folder; None when there is none."""
        seals = sorted(self.folder.glob("seals/[0-9]*.json"))
        seals = [path for path in seals if path.name.count(".") == 1 and path.is_file()]
        if not seals:
            return None
        last = seals[-1]
        signed = tuple(
            (f"seals/{last.name}{end}", how)
            for end, how in SIGNATURES.items()
            if (last.parent / f"{last.name}{end}").is_file()
        )
        return Seal(f"seals/{last.name}", signed, _said(last))


def _said(seal: Path) -> str:
    """Return what a seal says of itself in one line."""
    try:
        statement = json.loads(file_bytes(seal, SEAL_BYTES))
        predicate = fields(statement, "predicate")
    except (OSError, Unreadable, ValueError, RecursionError, AttributeError):
        return "it cannot be read"
    names = {"time": "at", "operator": "by", "why": "because of"}
    said = [
        f"{word} {text(predicate, name)}" for name, word in names.items() if predicate.get(name)
    ]
    return " ".join(said)


def _objects(event: Event, name: str) -> list[Event]:
    return [one for one in items(event, name) if isinstance(one, dict)]


def only_looks(script: Event) -> bool:
    """Return whether a script is one that changes nothing, by its name and by what it was asked for."""
    return text(script, "verb") != "apply" and text(script, "script").endswith(READ_ONLY)
