"""A workshop's course: exercises, where each begins, and what is broken there; read from its `course.yaml`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from k8swin_lab.faults import KNOWN
from k8swin_lab.workshop.model import SeatError

FILE = "course.yaml"
_OF_THE_TOOLKIT = "k8swin_nb"


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of the course."""

    id: str
    title: str
    notebook: str
    start: str
    """Name of the state of the cluster where it begins."""

    drills: tuple[str, ...]
    """What is broken when it begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to let go wrong, as `k8swin lab fault` takes it."""

    machine: str
    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught."""

    folder: Path
    title: str
    exercises: tuple[Exercise, ...]
    starts: Mapping[str, tuple[str, ...]]
    """By state of the cluster: the notebooks that lead there from machines that have nothing."""

    drills: Mapping[str, tuple[str, tuple[Fault, ...]]]
    """By name: what it does in words, and by which faults."""

    def exercise(self, name: str) -> Exercise:
        """Return an exercise by its id.

        Raises:
            SeatError: there is none.
        """
        for one in self.exercises:
            if one.id == name:
                return one
        known = ", ".join(one.id for one in self.exercises)
        raise SeatError(f"there is no exercise `{name}`; there are {known}")

    def faults(self, drill: str) -> tuple[Fault, ...]:
        """Return by which faults something is broken: a drill of the course, or MACHINE:FAULT[=VALUE] of the lab.

        Raises:
            SeatError: there is no such drill.
        """
        if drill in self.drills:
            return self.drills[drill][1]
        machine, colon, rest = drill.partition(":")
        name, equals, value = rest.partition("=")
        if machine and colon and name in KNOWN:
            return (Fault(machine, name, value if equals else None),)
        raise SeatError(
            f"there is no drill `{drill}`; there are {', '.join(self.drills)}, and MACHINE:FAULT or MACHINE:FAULT=VALUE "
            f"with a fault of the lab, such as winworker01:refuse: {', '.join(KNOWN)}"
        )


def shipped() -> Path | None:
    """Return the folder of the course that comes with the toolkit, wherever that is installed; None when it is not."""
    found = importlib.util.find_spec(_OF_THE_TOOLKIT)
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    for folder in (package / "shipped/workshop", package.parent / "workshop"):
        if (folder / FILE).is_file():
            return folder
    return None


def find(named: str | None, project: Path) -> Path:
    """Return the folder of the course: the one that is named, the project's own, else the toolkit's.

    Raises:
        SeatError: there is none.
    """
    places = [Path(named).absolute()] if named else [project / "workshop", shipped()]
    for folder in places:
        if folder and (folder / FILE).is_file():
            return folder
    looked = " and ".join(str(folder / FILE) for folder in places if folder)
    raise SeatError(f"there is no course: looked for {looked}; name its folder with --course")


def read(folder: Path) -> Course:
    """Read a course.

    Raises:
        SeatError: it is not one; the text names the key, what was found and what was expected.
    """
    path = folder / FILE
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SeatError(f"{path}: {error}") from error
    if not isinstance(document, Mapping):
        raise SeatError(f"{path}: expected keys such as `exercises`, found {document!r:.80}")
    starts = {
        str(name): tuple(map(str, notebooks or ()))
        for name, notebooks in _mapping(path, document, "starts").items()
    }
    drills = {
        str(name): (str(entry["says"]), tuple(_fault(path, name, one) for one in entry["faults"]))
        for name, entry in _mapping(path, document, "drills").items()
        if _is_drill(path, name, entry)
    }
    if not isinstance(document.get("exercises"), list):
        raise SeatError(
            f"{path}: `exercises` is {document.get('exercises')!r:.80}, expected a list"
        )
    exercises = tuple(
        _exercise(path, number, entry, starts, drills)
        for number, entry in enumerate(document.get("exercises") or ())
    )
    if not exercises:
        raise SeatError(f"{path}: expected a list under `exercises`")
    return Course(folder, str(document.get("title", "")), exercises, starts, drills)


def _mapping(path: Path, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key) or {}
    if not isinstance(found, Mapping):
        raise SeatError(f"{path}: `{key}` is {found!r:.80}, expected names and what they are")
    return found


def _is_drill(path: Path, name: str, entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not {"says", "faults"} <= set(entry):
        raise SeatError(f"{path}: drill `{name}` is {entry!r:.80}, expected `says` and `faults`")
    return True


def _fault(path: Path, drill: str, entry: Any) -> Fault:
    if not isinstance(entry, Mapping) or not {"machine", "fault"} <= set(entry):
        raise SeatError(
            f"{path}: drill `{drill}`: {entry!r:.80}, expected `machine`, `fault` and maybe `value`"
        )
    if entry["fault"] not in KNOWN:
        raise SeatError(
            f"{path}: drill `{drill}`: the lab knows no fault `{entry['fault']}`; known are {', '.join(KNOWN)}"
        )
    value = entry.get("value")
    return Fault(str(entry["machine"]), str(entry["fault"]), None if value is None else str(value))


def _exercise(
    path: Path,
    number: int,
    entry: Any,
    starts: Mapping[str, Any],
    drills: Mapping[str, Any],
) -> Exercise:
    where = f"{path}: exercises[{number}]"
    missing = {"id", "title", "notebook", "start"} - set(
        entry if isinstance(entry, Mapping) else ()
    )
    if missing:
        raise SeatError(f"{where}: `{sorted(missing)[0]}` is missing")
    if entry["start"] not in starts:
        raise SeatError(f"{where}: start is `{entry['start']}`, expected {' or '.join(starts)}")
    names = tuple(map(str, entry.get("drills") or ()))
    for name in names:
        if name not in drills:
            raise SeatError(f"{where}: `{name}` is none of the drills {', '.join(drills)}")
    return Exercise(
        id=str(entry["id"]),
        title=str(entry["title"]),
        notebook=str(entry["notebook"]),
        start=str(entry["start"]),
        drills=names,
    )
