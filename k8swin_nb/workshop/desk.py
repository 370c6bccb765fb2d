"""What a trainee calls in a notebook: `start`, `hint` and `check`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from k8swin_nb.description import open_description, project_path, project_root
from k8swin_nb.errors import K8swinError
from k8swin_nb.shown import shown
from k8swin_nb.tables import WRAPPED, preformatted
from k8swin_nb.workflow.record import utc_now
from k8swin_nb.workshop.checking import look_at
from k8swin_nb.workshop.course import Exercise, course, hints_of
from k8swin_nb.workshop.looked import Checked

PARAMS = "K8SWIN_PARAMS"
"""Environment variable that names the description of a seat's machines."""

SEAT = "K8SWIN_SEAT"
"""Environment variable that names the seat; then somebody else brings the machines to where an exercise begins."""

PLACE = ".k8swin"
PROGRESS, HINTS = "progress.jsonl", "hints.json"

_params = ""
"""What `start` was given."""


class Text:
    """A text of several lines, shown as it is."""

    def __init__(self, text: str) -> None:
        self._text = shown(text)

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return preformatted(self._text, look=WRAPPED)


class Started(Text):
    """Where an exercise begins."""

    def __init__(self, exercise: Exercise, params: Path) -> None:
        self.exercise = exercise
        self.params = str(params)
        """Path of the description of the machines."""
        super().__init__(_told(exercise, params))

    def ip(self, name: str) -> str:
        """Return the address of a machine of the description, as the notebooks' parameter `ip` takes it.

        Raises:
            K8swinError: when there is no machine of that name.
        """
        hosts = open_description(self.params).hosts
        for host in hosts:
            if host.name == name:
                return host.address
        raise K8swinError(
            f"the description names no machine `{name}`",
            hint=f"there are {', '.join(host.name for host in hosts)}",
        )


def start(exercise: str, params: str = "") -> Started:
    """Say where an exercise begins and how to get there; `params` of what it returns is the description's path.

    Args:
        exercise: Its id, such as `ex4`.
        params: The description; empty: what K8SWIN_PARAMS names, else `params/lab.yaml` of the project.

    Raises:
        K8swinError: when there is no such exercise or description.
    """
    global _params
    wanted = course().exercise(exercise)
    found = _description(params)
    _params = params
    return Started(wanted, found)


def check(exercise: str, params: str = "") -> Checked:
    """Look at the cluster, and say which conditions of an exercise are true and which are not yet.

    It changes nothing, judges no text, and may be asked as often as you like. `check("ex4").required()` raises an
    AssertionError unless all of them are.

    Args:
        exercise: Its id, such as `ex4`.
        params: As `start` takes it; empty: what `start` was given.

    Raises:
        K8swinError: when there is no such exercise, or not one machine answers.
    """
    found = look_at(exercise, _description(params or _params))
    line = {
        "time": utc_now(),
        "exercise": found.exercise.id,
        "met": found.met,
        "of": found.of,
        "done": found.done,
    }
    _append(PROGRESS, json.dumps(line))
    return found


def hint(exercise: str) -> Text:
    """Return the next hint: first a question, then a direction, then the command. After the last one it stays the last.

    Args:
        exercise: Its id, such as `ex4`.

    Raises:
        K8swinError: when there is no such exercise.
    """
    wanted = course().exercise(exercise)
    hints = hints_of(wanted.id)
    given = _given()
    number = min(int(given.get(wanted.id, 0)) + 1, len(hints))
    given[wanted.id] = number
    _write(HINTS, json.dumps(given))
    more = "" if number == len(hints) else f"\n\n(`hint({wanted.id!r})` again gives the next one)"
    return Text(f"hint {number} of {len(hints)}\n\n{hints[number - 1].strip()}{more}")


def _description(params: str) -> Path:
    found = project_path(params or os.environ.get(PARAMS, "") or "params/lab.yaml")
    if not found.is_file():
        raise K8swinError(
            f"there is no description `{found}`",
            hint=f"name it: start(EXERCISE, 'params/mine.yaml'), or in the variable {PARAMS}",
        )
    return found


def _told(exercise: Exercise, params: Path) -> str:
    minutes = f"{exercise.minutes} minutes, {exercise.points:g} points"
    lines = [f"{exercise.id}: {exercise.title} ({minutes})", f"machines: {params}"]
    seat = os.environ.get(SEAT, "")
    if seat:
        lines.append(f"seat {seat}: your trainer brings the machines to where this exercise begins")
        return "\n".join(lines)
    notebooks = course().starts[exercise.start]
    lines.append(
        f"begins with {'machines that have nothing' if not notebooks else f'what {notebooks[-1]} leaves behind'}"
        f"{', and with something broken' if exercise.drills else ''}"
    )
    lines.append("in a lab of your own, in a terminal, where the machines are not there yet:")
    snapshot = f"    k8swin lab restore {exercise.start}"
    if notebooks:
        lines.append(
            f"{snapshot}    # or: k8swin run --params {params} --only {','.join(notebooks)}"
        )
    else:
        lines.append(f"{snapshot}    # or: k8swin lab down; k8swin lab up")
    lines += [f"    {fault.command}" for drill in exercise.drills for fault in drill.faults]
    return "\n".join(lines)


def _given() -> dict[str, Any]:
    try:
        found = json.loads((project_root() / PLACE / HINTS).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(name: str, text: str) -> None:
    """Keep a line of one's own; a folder that cannot be written is no reason to refuse a hint."""
    try:
        folder = project_root() / PLACE
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    except OSError:
        return


def _append(name: str, line: str) -> None:
    try:
        folder = project_root() / PLACE
        folder.mkdir(exist_ok=True)
        with (folder / name).open("a") as file:
            file.write(f"{line}\n")
    except OSError:
        return
