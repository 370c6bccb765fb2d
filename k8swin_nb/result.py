"""One script's answer, in the words of `subprocess.CompletedProcess`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from k8swin_nb.errors import CommandFailed, ScriptError
from k8swin_nb.reading import Unreadable, json_document
from k8swin_nb.shown import LINE, shown, shown_line
from k8swin_nb.tables.text import preformatted

SHOWN_LINES = 20
"""Lines of each stream that a result shows of itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a script ended on a host.

    `stdout` and `stderr` are what the host sent, unmasked, because programs read them; everything that
    shows a result to a person (its repr, errors, live output, the record) masks secrets.
    """

    args: str
    """The script's name, or the first line of its text."""

    returncode: int
    """Exit code."""

    stdout: str
    """Standard output as UTF-8 text with `\\n` line ends."""

    stderr: str
    """Standard error, likewise."""

    host: str
    """Name of the host."""

    seconds: float
    """How long it took, in seconds."""

    left: str = ""
    """What a script that was stopped has left running on its host, or that this is not known; else empty."""

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.returncode == 0

    def check_returncode(self) -> None:
        """Raise unless the exit code is 0.

        Raises:
            CommandFailed: with this result.
        """
        if self.returncode != 0:
            raise CommandFailed(self)

    def json(self) -> Any:
        """Return the output read as JSON.

        Raises:
            ScriptError: when it is not JSON.
        """
        try:
            return json_document(self.stdout)
        except Unreadable as error:
            raise ScriptError(
                f"{self.host}: `{self.args}` printed no JSON: {error}",
                hint="look at `result.stdout`",
            ) from error

    def mapping(self) -> dict[str, Any]:
        """Return the output read as one JSON object.

        Raises:
            ScriptError: when it is none.
        """
        read = self.json()
        if not isinstance(read, dict):
            raise ScriptError(
                f"{self.host}: `{self.args}` printed JSON that is no object",
                hint="look at `result.stdout`",
            )
        return read

    def __repr__(self) -> str:
        lines = [f"{shown_line(self.host)}: exit code {self.returncode} after {self.seconds:.1f} s"]
        for name, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            # Of what is long the end is looked at alone.
            kept = shown(text, most=SHOWN_LINES * LINE).rstrip("\n").split("\n") if text else []
            if len(kept) > SHOWN_LINES:
                hidden = len(text.splitlines()) - SHOWN_LINES
                kept = [f"... {hidden} lines above, see `.{name}`", *kept[-SHOWN_LINES:]]
            prefix = "" if name == "stdout" else "stderr: "
            lines.extend(prefix + line for line in kept)
        lines.extend(shown(self.left).splitlines())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return preformatted(repr(self))


def hold_back(error: BaseException) -> None:
    """Take from an error what a script had printed whose output is a secret: half of one has no form to be known by."""
    result = getattr(error, "result", None)
    if isinstance(result, Result):
        told = "(what it printed is a secret and is not shown)"
        error.result = replace(result, stdout="", stderr=told)  # type: ignore[attr-defined]
