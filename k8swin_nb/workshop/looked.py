"""What a check found: conditions, each with what was found, as a person and a program read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Column, Mark, StaticTable, table_html
from k8swin_nb.tables.table import Cell
from k8swin_nb.workshop.course import Exercise


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that shall be true of the cluster."""

    text: str
    """What shall be true, in a sentence."""

    met: bool
    found: str
    """What was found, in words."""


class NotDone(AssertionError):
    """An exercise is not done, and somebody asked for that to be an error."""

    of_no_phase = True
    """No phase that is open in the notebook has failed by it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How an exercise stands."""

    exercise: Exercise
    conditions: tuple[Condition, ...]
    seconds: float = 0.0

    @property
    def of(self) -> int:
        """How many conditions there are."""
        return len(self.conditions)

    @property
    def met(self) -> int:
        """How many of them are true."""
        return sum(one.met for one in self.conditions)

    @property
    def done(self) -> bool:
        """Whether all of them are."""
        return self.met == self.of

    @property
    def max_score(self) -> float:
        """The points that the exercise is worth."""
        return self.exercise.points

    @property
    def score(self) -> float:
        """The points for what is true."""
        return round(self.max_score * self.met / self.of, 2) if self.of else 0.0

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not true yet, in words."""
        return tuple(one.text for one in self.conditions if not one.met)

    def required(self) -> None:
        """Raise unless the exercise is done: for a cell that somebody grades.

        Raises:
            NotDone: an AssertionError that says what is not true yet.
        """
        if not self.done:
            raise NotDone(f"{self._heading()}; not yet: {'; '.join(self.missing)}")

    def as_json(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {
            "exercise": self.exercise.id,
            "met": self.met,
            "of": self.of,
            "score": self.score,
            "max_score": self.max_score,
            "done": self.done,
            "conditions": [
                {"text": one.text, "met": one.met, "found": one.found} for one in self.conditions
            ],
        }

    def _heading(self) -> str:
        state = "done" if self.done else f"{self.met} of {self.of} are true"
        return f"{self.exercise.id}, {self.exercise.title}: {state}"

    def _rows(self) -> list[tuple[Cell, str, str]]:
        return [
            (
                Mark("true" if one.met else "not yet", "ok" if one.met else "failed"),
                one.text,
                shown_line(one.found),
            )
            for one in self.conditions
        ]

    def _repr_html_(self) -> str:
        columns = (Column(""), Column("what shall be true", "wrapped"), Column("found", "wrapped"))
        return table_html(self._heading(), columns, self._rows())

    def __repr__(self) -> str:
        columns = (Column(""), Column("what shall be true"), Column("found"))
        return repr(StaticTable(self._heading(), columns, self._rows()))
