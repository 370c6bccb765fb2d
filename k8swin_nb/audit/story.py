"""What a record tells: who, when, why, with what; what was changed on which host; what ran as root; who let something be removed.

The record is read as it is. Whether it is as it was written, the verdict says, which stands beside each answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8swin_nb.audit.lines import Lines, read_lines
from k8swin_nb.audit.tree import EVENTS, content, inside
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable

SCRIPTS = frozenset({"script", "magic", "script-started", "magic-started"})
"""Events of scripts; those that began are told by their end, where that is in the record."""

SCRIPT_BYTES = 4 * 1024 * 1024

DIFF_LINES = 400
"""Lines of the difference of two scripts that are shown."""

Event = dict[str, Any]


@dataclass(slots=True)
class Story:
    """What one record says, by question; each answer is a list of events, or of what is taken from them."""

    run: str
    opened: list[Event] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)
    scripts: list[Event] = field(default_factory=list)
    confirmations: list[Event] = field(default_factory=list)
    identities: list[Event] = field(default_factory=list)
    failures: list[Event] = field(default_factory=list)
    unfinished: list[Event] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    """By notebook, how it ended last; one that has no end is not in it."""

    outcomes: dict[str, int] = field(default_factory=dict)
    """Steps by how they ended."""

    first: str = ""
    last: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {name: getattr(self, name) for name in self.__slots__}

    def of(self, host: str = "", *, root: bool = False) -> Story:
        """Return what it says of one host, or of scripts as root alone.

        Raises:
            ParamsError: when the record knows no such host, with those that it knows.
        """
        if host and host not in (known := self.hosts()):
            raise ParamsError(
                f"the record of run `{self.run}` knows no host `{host}`",
                hint=f"its hosts: {', '.join(known) or 'none'}",
            )

        def mine(events: list[Event]) -> list[Event]:
            return [event for event in events if not host or _is_about(event, host)]

        scripts = mine(self.scripts)
        return Story(
            self.run,
            self.opened,
            mine(self.changes),
            [event for event in scripts if event.get("as_root")] if root else scripts,
            mine(self.confirmations),
            mine(self.identities),
            mine(self.failures),
            mine(self.unfinished),
            self.ended,
            self.outcomes,
            self.first,
            self.last,
        )

    def hosts(self) -> list[str]:
        """Return the names of all hosts that the record tells of."""
        named = {event.get("host") for event in [*self.changes, *self.scripts, *self.identities]}
        for event in self.opened:
            named |= {item.get("name") for item in _dicts(event.get("hosts"))}
        return sorted(str(name) for name in named if name)


def _is_about(event: Event, host: str) -> bool:
    return event.get("host") == host or host in names_of(event.get("hosts"))


def names_of(hosts: Any) -> list[str]:
    """Return the names of the hosts that an event lists, by name or as it describes them."""
    listed = hosts if isinstance(hosts, list) else []
    return [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in listed]


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_story(folder: Path) -> tuple[Story, Lines]:
    """Return what the record of a run tells.

    Raises:
        ParamsError: when there is no record that can be read.
    """
    try:
        if (folder / EVENTS).is_symlink():
            raise Unreadable("it is a link")
        lines = read_lines(folder / EVENTS)
    except (OSError, Unreadable) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ParamsError(f"`{folder / EVENTS}` cannot be read: {reason}") from None
    return tell(lines.events, lines.run or folder.name), lines


def tell(events: Iterable[Event], run: str) -> Story:
    """Return what events tell, in their order."""
    story = Story(run)
    begun: dict[str, Event] = {}
    for event in events:
        kind = str(event["event"])
        notebook = str(event.get("notebook", ""))
        time = str(event.get("time", ""))
        story.first, story.last = story.first or time, time or story.last
        tag = str(event.get("tag", ""))
        match kind:
            case "notebook-opened":
                story.opened.append(event)
                story.ended.pop(notebook, None)
            case "notebook-finished":
                story.ended[notebook] = "finished"
            case "failed" | "interrupted":
                story.ended[notebook] = kind
                story.failures.append(event)
            case "step":
                outcome = str(event.get("outcome", ""))
                story.outcomes[outcome] = story.outcomes.get(outcome, 0) + 1
                if outcome in ("changed", "would change"):
                    story.changes.append(event)
            case "removal-confirmed":
                story.confirmations.append(event)
            case "host-identified" | "host-key-pinned":
                story.identities.append(event)
            case "script-started" | "magic-started":
                begun[tag] = event
            case "script" | "magic":
                begun.pop(tag, None)
                story.scripts.append(event)
            case "script-gone":
                begun.pop(tag, None)
            case _:
                pass
    story.unfinished = list(begun.values())
    story.scripts += story.unfinished
    return story


def compared(one: Path, other: Path) -> dict[str, Any]:
    """Return how two runs differ: versions, parameters, scripts with their text, outcomes and the identities of hosts.

    Raises:
        ParamsError: when one of them cannot be read.
    """
    (a, _), (b, _) = read_story(one), read_story(other)
    return {
        "runs": [a.run, b.run],
        "about": _values(_about(a), _about(b)),
        "parameters": _values(_parameters(a), _parameters(b)),
        "scripts": _scripts(a, b, one, other),
        "outcomes": _values(_outcomes(one), _outcomes(other)),
        "identities": _values(_identities(a), _identities(b)),
    }


def _values(a: dict[str, Any], b: dict[str, Any]) -> dict[str, list[Any]]:
    """Return what differs, by name, as found in one and in the other."""
    return {
        name: [a.get(name), b.get(name)] for name in sorted({*a, *b}) if a.get(name) != b.get(name)
    }


def _about(story: Story) -> dict[str, Any]:
    last = story.opened[-1] if story.opened else {}
    toolkit = last.get("toolkit")
    told = {
        name: last.get(name)
        for name in ("operator", "reason", "controller", "python", "system", "cluster", "dry_run")
    }
    if isinstance(toolkit, dict):
        told |= {f"toolkit {name}": value for name, value in toolkit.items()}
    return told | {"notebooks": [event.get("notebook") for event in story.opened]}


def _parameters(story: Story) -> dict[str, Any]:
    """Return all parameters as they were last given, each by its whole name."""
    found: dict[str, Any] = {}
    for event in story.opened:
        if event.get("parameters_sha256"):
            found["(sha256 of all)"] = event["parameters_sha256"]
        found |= _flat(event.get("parameters"), "")
    # They name the run itself.
    return {name: value for name, value in found.items() if name.rpartition(".")[2] != "run_id"}


def _flat(value: Any, name: str, depth: int = 0) -> dict[str, Any]:
    if depth < 8 and isinstance(value, dict) and value:
        parts = (_flat(item, f"{name}.{key}".lstrip("."), depth + 1) for key, item in value.items())
        return {key: item for part in parts for key, item in part.items()}
    if depth < 8 and value and list(_dicts(value)) == value:
        # Lists of hosts are told apart by the hosts' names, not by their places.
        parts = (
            _flat(item, f"{name}[{item.get('name', at)}]", depth + 1)
            for at, item in enumerate(value)
        )
        return {key: item for part in parts for key, item in part.items()}
    return {name: value} if name else {}


def _outcomes(folder: Path) -> dict[str, Any]:
    """Return how each step ended last, by notebook, step and host."""
    lines = read_lines(folder / EVENTS)
    return {
        f"{event.get('notebook')}/{event.get('step')} on {event.get('host')}": event.get("outcome")
        for event in lines.events
        if event.get("event") == "step"
    }


def _identities(story: Story) -> dict[str, Any]:
    """Return by which key or certificate each host was known, and since when it runs."""
    found: dict[str, Any] = {}
    for event in story.identities:
        for name in ("host_key", "certificate_sha256", "boot_id", "fingerprint"):
            if event.get(name):
                found[f"{event.get('host')} {name}"] = event[name]
    return found


def _scripts(a: Story, b: Story, one: Path, other: Path) -> list[dict[str, Any]]:
    """Return the scripts that are in one run alone, or have another text in the other, with the difference."""
    mine, theirs = _by_name(a), _by_name(b)
    found = []
    for name in sorted({*mine, *theirs}):
        left, right = mine.get(name, {}), theirs.get(name, {})
        if left.keys() == right.keys():
            continue
        item: dict[str, Any] = {"script": name, "sha256": [sorted(left), sorted(right)]}
        if len(left) == 1 and len(right) == 1:
            (before,), (after,) = left.values(), right.values()
            item["difference"] = _difference((one, before), (other, after))
        found.append(item)
    return found


def _by_name(story: Story) -> dict[str, dict[str, str]]:
    """Return the digests of each script that is known by a name, with the file of its text."""
    found: dict[str, dict[str, str]] = {}
    for event in story.scripts:
        name, sha256 = str(event.get("script", "")), str(event.get("sha256", ""))
        if "magic" in str(event.get("event")) or "\n" in name:
            name = str(event.get("name") or name).partition("\n")[0]
        if name and sha256:
            found.setdefault(name, {})[sha256] = str(event.get("script_file") or "")
    return found


def _difference(one: tuple[Path, str], other: tuple[Path, str]) -> str:
    """Return how two texts of a script differ; each is given by the run's folder and the file's name in it."""
    texts = []
    for folder, name in (one, other):
        try:
            if not inside(name):
                raise Unreadable("it is not kept")
            texts.append(content(folder, name, SCRIPT_BYTES).decode("utf-8", "replace"))
        except (OSError, Unreadable) as error:
            reason = getattr(error, "strerror", None) or error
            return f"the text of one of them cannot be read: {reason}"
    left, right = (text.splitlines() for text in texts)
    lines = list(difflib.unified_diff(left, right, one[1], other[1], lineterm=""))
    more = len(lines) - DIFF_LINES
    return "\n".join([*lines[:DIFF_LINES], *([f"... {more} lines more"] if more > 0 else [])])
