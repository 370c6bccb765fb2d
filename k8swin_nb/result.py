"""One script's answer, in the words of `subprocess.CompletedProcess`."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any

from k8swin_nb.errors import CommandFailed, ScriptError
from k8swin_nb.redact import redact

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
            return json.loads(self.stdout)
        except ValueError as error:
            raise ScriptError(
                f"{self.host}: `{self.args}` printed no JSON: {error}",
                hint="look at `result.stdout`",
            ) from error

    def __repr__(self) -> str:
        lines = [f"{self.host}: exit code {self.returncode} after {self.seconds:.1f} s"]
        for name, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            kept = redact(text).splitlines()
            if len(kept) > SHOWN_LINES:
                hidden = len(kept) - SHOWN_LINES
                kept = [f"... {hidden} lines above, see `.{name}`", *kept[-SHOWN_LINES:]]
            prefix = "" if name == "stdout" else "stderr: "
            lines.extend(prefix + line for line in kept)
        lines.extend(redact(self.left).splitlines())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
