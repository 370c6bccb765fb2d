"""What all expected errors have in common: a message, a hint, and how a reader sees them. The tree is in `errors`."""

from __future__ import annotations

from typing import Any

from k8swin_nb.shown import shown_begin, shown_line, shown_lines

TAIL_LINES = 10
"""Lines of a failed command's output that its error repeats."""

LOOKS_FIRST = "it looks first at what is there"
"""What a hint says of a step that is run again; a script of a user's own does not."""

MESSAGE = 4_000
"""Characters of a message that are shown; what a host said may be any length."""


def _restore(cls: type[K8swinError], state: dict[str, Any]) -> K8swinError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (state.get("message", ""),)
    return error


class K8swinError(Exception):
    """Base of all expected errors.

    Args:
        message: What happened, where, found against expected; no full stop.
        hint: What to type or to open next.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def hint(self) -> str | None:
        """What to type or to open next, in one line, masked; None when there is nothing to say."""
        return shown_line(self._hint) if self._hint else self._hint

    @hint.setter
    def hint(self, text: str | None) -> None:
        self._hint = text

    def __str__(self) -> str:
        return shown_begin(self.message, most=MESSAGE)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.__dict__)

    def lines(self) -> list[str]:
        """Return the error as a reader sees it: message, details, hint."""
        lines = [f"{type(self).__name__}: {self}", *self.details()]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return lines

    def details(self) -> list[str]:
        """Return lines between message and hint, such as the end of a command's output."""
        return []

    def _render_traceback_(self) -> list[str]:
        # IPython's protocol: the cell shows these lines, and so does papermill on its console.
        return self.lines()


def last_lines(text: str) -> list[str]:
    """Return the end of what was printed, as an error shows it; nothing where nothing was."""
    return ["  " + line for line in shown_lines(text, last=TAIL_LINES)] if text.strip() else []
