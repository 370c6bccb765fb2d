"""What a magic hands over: the text that a script printed, which knows its exit code, its host and its time too.

A `ScriptOutput` is a `str`, its standard output, so that `text.splitlines()` and `"x" in text` work, with all of a `Result` beside
it: `.stderr`, `.exit_code`, `.host`, `.seconds`, `.json()`, `.df`. Several hosts are a mapping by name that answers the same
questions for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from k8swin_nb.output_frames import one_frame
from k8swin_nb.result import Result
from k8swin_nb.tables import preformatted

if TYPE_CHECKING:
    import pandas as pd


def this_cell() -> int:
    """Return the number of the cell that runs."""
    return getattr(get_ipython(), "execution_count", 0)


class _Shown:
    """What was shown while its cell ran is not shown a second time as that cell's value."""

    shown_in: int | None = None

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.shown_in != this_cell():
            html = preformatted(repr(self))
            display({"text/plain": repr(self), "text/html": html}, raw=True)


class ScriptOutput(_Shown, str):
    """Standard output of a script on one host, as text, with the rest of its result."""

    result: Result

    def __new__(cls, result: Result, shown_in: int | None = None) -> ScriptOutput:
        text = super().__new__(cls, result.stdout)
        text.result = result
        text.shown_in = shown_in
        return text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "result":
            raise AttributeError(name)
        return getattr(self.result, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.result)})

    def __repr__(self) -> str:
        return repr(self.result)

    def __reduce__(self) -> tuple[Any, ...]:
        return ScriptOutput, (self.result,)


class ScriptOutputs(_Shown, dict[str, ScriptOutput]):
    """What several hosts answered, by name, in their order."""

    def __init__(self, results: Mapping[str, Result], shown_in: int | None = None) -> None:
        super().__init__({name: ScriptOutput(one) for name, one in results.items()})
        self.shown_in = shown_in

    @property
    def results(self) -> dict[str, Result]:
        """The results by host."""
        return {name: one.result for name, one in self.items()}

    @property
    def stdout(self) -> dict[str, str]:
        """Standard output by host."""
        return {name: one.stdout for name, one in self.items()}

    @property
    def stderr(self) -> dict[str, str]:
        """Standard error by host."""
        return {name: one.stderr for name, one in self.items()}

    @property
    def exit_code(self) -> dict[str, int]:
        """Exit code by host."""
        return {name: one.exit_code for name, one in self.items()}

    @property
    def returncode(self) -> dict[str, int]:
        """Exit code by host, under its other name."""
        return self.exit_code

    @property
    def seconds(self) -> dict[str, float]:
        """How long it took, by host."""
        return {name: one.seconds for name, one in self.items()}

    @property
    def host(self) -> list[str]:
        """The hosts' names."""
        return list(self)

    @property
    def ok(self) -> bool:
        """Whether every exit code is 0."""
        return all(one.ok for one in self.values())

    def json(self) -> dict[str, Any]:
        """Return each host's output read as JSON.

        Raises:
            ScriptError: when one is no JSON.
        """
        return {name: one.json() for name, one in self.items()}

    @property
    def df(self) -> pd.DataFrame:
        """All outputs as one table, with a column `host` in front.

        Raises:
            ScriptError: when one is no table.
        """
        return frame(self.results)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.values())) or "no host answered"

    def __reduce__(self) -> tuple[Any, ...]:
        return ScriptOutputs, (self.results,)


def frame(results: Mapping[str, Result], form: str = "auto") -> pd.DataFrame:
    """Return what hosts printed as one table, with a column `host` in front.

    Args:
        results: By host.
        form: `auto`, or one of `output_frames.FORMS`.

    Raises:
        ScriptError: when an output is no table.
    """
    return one_frame({name: result.frame(form) for name, result in results.items()})


def outputs(results: Mapping[str, Result], several: bool, shown_in: int | None = None) -> Any:
    """Return the output of the only host, or a mapping of several; None when the only one gave no result."""
    if several:
        return ScriptOutputs(results, shown_in)
    return next((ScriptOutput(one, shown_in) for one in results.values()), None)
