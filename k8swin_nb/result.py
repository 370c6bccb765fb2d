"""One script's answer, in the words of `subprocess.CompletedProcess`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import CommandFailed, ScriptError
from k8swin_nb.reading import Unreadable, json_document, lines
from k8swin_nb.shown import LINE, shown, shown_line
from k8swin_nb.tables.text import preformatted

if TYPE_CHECKING:
    import pandas as pd

SHOWN_LINES = 20
"""Lines of each stream that a result shows of itself."""

STILL_RUNS = "it still runs"
"""What has been left of a script whose result is what it has printed so far; its exit code says nothing yet."""


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

    stdout_raw: bytes | None = field(default=None, repr=False)
    """Standard output where `stdout` is not byte for byte the same: what is no UTF-8, other line ends; else None."""

    stderr_raw: bytes | None = field(default=None, repr=False)
    """Standard error, likewise."""

    @property
    def exit_code(self) -> int:
        """The exit code, under its other name."""
        return self.returncode

    @property
    def stdout_bytes(self) -> bytes:
        """Standard output as the host sent it."""
        return self.stdout.encode() if self.stdout_raw is None else self.stdout_raw

    @property
    def stderr_bytes(self) -> bytes:
        """Standard error as the host sent it."""
        return self.stderr.encode() if self.stderr_raw is None else self.stderr_raw

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return lines(self.stdout)

    @property
    def df(self) -> pd.DataFrame:
        """Standard output as a table: JSON, CSV, TSV, or columns under a header, whichever it is.

        Raises:
            ScriptError: when it is none of them.
        """
        return self.frame()

    def frame(self, form: str = "auto") -> pd.DataFrame:
        """Return standard output as a table.

        Args:
            form: `auto`, `json`, `csv`, `tsv` or `columns`.

        Raises:
            ScriptError: when it is none.
        """
        from k8swin_nb.output_frames import frame_of

        try:
            return frame_of(self.stdout, form)
        except ValueError as error:
            raise ScriptError(
                f"{self.host}: `{self.args}` printed no table: {error}",
                hint="look at `.stdout`; print JSON, CSV or columns under a header",
            ) from error

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
        runs = self.left == STILL_RUNS
        how = "still running" if runs else f"exit code {self.returncode}"
        lines = [f"{shown_line(self.host)}: {how} after {self.seconds:.1f} s"]
        for name, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            # Of what is long the end is looked at alone.
            kept = shown(text, most=SHOWN_LINES * LINE).rstrip("\n").split("\n") if text else []
            if len(kept) > SHOWN_LINES:
                hidden = len(text.splitlines()) - SHOWN_LINES
                kept = [f"... {hidden} lines above, see `.{name}`", *kept[-SHOWN_LINES:]]
            prefix = "" if name == "stdout" else "stderr: "
            lines.extend(prefix + line for line in kept)
        lines.extend([] if runs else shown(self.left).splitlines())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return preformatted(repr(self))


def hold_back(error: BaseException) -> None:
    """Take from an error what a script had printed whose output is a secret: half of one has no form to be known by."""
    result = getattr(error, "result", None)
    if isinstance(result, Result):
        told = "(what it printed is a secret and is not shown)"
        error.result = replace(result, stdout="", stderr=told, stdout_raw=None, stderr_raw=None)  # type: ignore[attr-defined]
