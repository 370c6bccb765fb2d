"""Checks that a phase judges itself: the script is run, and an exit code that no check has is its failure."""

from __future__ import annotations

from collections.abc import Mapping

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import EXIT_STATE, State


def ask(
    run: Run,
    script: str,
    host: Host,
    step: str,
    *,
    phase: str = "",
    values: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 300,
    detail: str = "check failed",
) -> tuple[State, Result]:
    """Run a check script and return what it found, with all that it printed.

    Args:
        run: The run.
        script: Path below `k8swin_nb/scripts`.
        host: Where.
        step: Name of the step, for the record and for the error.
        phase: Name of the phase, for the error.
        values: Values of this script alone.
        stdin: A document for the script.
        timeout: Seconds.
        detail: What to say when the script could not find out.

    Raises:
        StepFailed: when the exit code is none of a check's.
    """
    result = run.script(
        script,
        host,
        verb="check",
        step=step,
        values=values,
        stdin=stdin,
        timeout=timeout,
        quiet=True,
    )
    state = EXIT_STATE.get(result.returncode)
    if state is None:
        raise StepFailed(phase=phase, step=step, host=host.name, detail=detail, result=result)
    return state, result
