"""The course as `workshop/course.yaml` has it: exercises in their order, where each begins, what is broken there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from k8swin_nb.errors import K8swinError
from k8swin_nb.project import shipped
from k8swin_nb.reading import Unreadable, file_text, yaml_document

FILE = "course.yaml"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the lab: `k8swin lab fault MACHINE NAME VALUE`."""

    machine: str
    name: str
    value: str = ""

    @property
    def command(self) -> str:
        """What sets it, to be typed."""
        return " ".join(filter(None, ("k8swin lab fault", self.machine, self.name, self.value)))


@dataclass(frozen=True, slots=True)
class Drill:
    """Something that is broken on purpose."""

    name: str
    says: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise of the course."""

    id: str
    title: str
    notebook: str
    minutes: int
    points: float
    start: str
    """State of the cluster where it begins: `empty`, `master` or `built`."""

    drills: tuple[Drill, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """All of it."""

    title: str
    exercises: tuple[Exercise, ...]
    starts: dict[str, tuple[str, ...]]
    """By state, the notebooks that lead there from machines that have nothing."""

    drills: dict[str, Drill]

    def exercise(self, wanted: str) -> Exercise:
        """Return an exercise by its id.

        Raises:
            K8swinError: when there is none, with those that there are.
        """
        for exercise in self.exercises:
            if exercise.id == wanted:
                return exercise
        known = ", ".join(one.id for one in self.exercises)
        raise K8swinError(f"no exercise `{wanted}`", hint=f"there are {known}")


def course_folder() -> Path:
    """Return the folder of the course as it comes with the toolkit."""
    return shipped() / "workshop"


@cache
def course() -> Course:
    """Return the course.

    Raises:
        K8swinError: when its file is not there or says something else than a course.
    """
    return read_course(course_folder() / FILE)


def read_course(path: Path) -> Course:
    """Read a course from a file.

    Raises:
        K8swinError: when it cannot be read, or lacks something.
    """
    try:
        found: Any = yaml_document(file_text(path))
        drills = {
            name: Drill(
                name,
                str(one["says"]),
                tuple(
                    Fault(str(f["machine"]), str(f["fault"]), str(f.get("value", "")))
                    for f in one["faults"]
                ),
            )
            for name, one in found["drills"].items()
        }
        exercises = tuple(
            Exercise(
                id=str(one["id"]),
                title=str(one["title"]),
                notebook=str(one["notebook"]),
                minutes=int(one["minutes"]),
                points=float(one["points"]),
                start=str(one["start"]),
                drills=tuple(drills[name] for name in one["drills"]),
                optional=bool(one.get("optional", False)),
            )
            for one in found["exercises"]
        )
        starts = {str(name): tuple(map(str, books)) for name, books in found["starts"].items()}
    except (OSError, Unreadable, KeyError, TypeError, ValueError, AttributeError) as error:
        raise K8swinError(
            f"`{path}` is no course: {type(error).__name__}: {error}",
            hint="it comes with the toolkit: install it anew",
        ) from error
    unknown = {one.start for one in exercises} - set(starts)
    if unknown:
        raise K8swinError(f"`{path}`: nothing leads to the start {', '.join(sorted(unknown))}")
    return Course(str(found["title"]), exercises, starts, drills)


def hints_of(exercise: str) -> tuple[str, ...]:
    """Return the hints of an exercise: a question, a direction, the command."""
    text = resources.files("k8swin_nb.workshop").joinpath("hints.yaml").read_text(encoding="utf-8")
    found: Any = yaml_document(text)
    return tuple(found[exercise])
