"""The runner: check, apply what differs, verify by reading back; per host, all hosts of a step at once.

A step may ask for one host after the other. A failed host does not stop the others of the same step; the
step raises once, at the end, with every host's answer kept in the report. The next step does not start.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from k8swin_nb.errors import (
    HostUnreachable,
    Interrupted,
    K8swinError,
    StepFailed,
    TransportTimeout,
    UnexpectedError,
    VerifyFailed,
)
from k8swin_nb.fan_out import AT_ONCE, on_each
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.symptoms import reference
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.step import EXIT_STATE, Apply, Check, Outcome, State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun

VERIFY_INTERVAL = 2.0
"""Seconds between two looks at something that takes time."""

DRIFT_HINT = "nothing was changed; make the host or the parameters agree, then run again"
FAILED_HINT = (
    "look for the cause under `If it fails` at the end of the notebook; once it is mended, run the notebook "
    "again: what was done stays done"
)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step begins on a host, or has ended there."""

    phase: str
    step: str
    host: str
    outcome: Outcome | None = None
    """None when it begins."""

    detail: str = ""
    """One line about how it ended."""


Watch = Callable[[StepProgress], None]


def apply_step(run: PhaseRun, step: Step, watch: Watch | None = None) -> Report:
    """Bring every host of a step to the wanted state.

    Raises:
        K8swinError: of the only host that failed; its `report` holds every host's row.
        MultiHostError: when several hosts failed; likewise.
        Interrupted: a KeyboardInterrupt, after the scripts that ran were stopped; likewise.
    """
    return _each_host(run, step, lambda at: _apply_on(at, step), watch)


def check_step(run: PhaseRun, step: Step, watch: Watch | None = None) -> Report:
    """Look at every host of a step and change nothing; `skipped` means that apply would act.

    Raises:
        K8swinError: as `apply_step`, also for what somebody else has made.
    """

    def look(at: StepRun) -> Row:
        started = time.monotonic()
        if reason := _not_for(at, step):
            return _row(at, Outcome.SKIPPED, started, reason)
        verdict = _judge(at, step, step.check)
        if verdict.state is State.DRIFT:
            raise _drift(at, verdict)
        outcome = Outcome.OK if verdict.state is State.OK else Outcome.SKIPPED
        return _row(at, outcome, started, verdict.detail)

    return _each_host(run, step, look, watch)


def _each_host(
    run: PhaseRun, step: Step, work: Callable[[StepRun], Row], watch: Watch | None
) -> Report:
    hosts = run.hosts(step.on)
    rows: dict[str, Row] = {}

    def one(host: Host) -> None:
        started = time.monotonic()
        at = run.at(host, step.name)
        _begins(run, step, host)
        if watch:
            watch(StepProgress(run.phase.name, step.name, host.name))
        failed: K8swinError | None = None
        try:
            row = work(at)
        except (HostUnreachable, TransportTimeout) as error:
            failed, outcome = error, Outcome.UNREACHABLE
        except K8swinError as error:
            failed, outcome = error, Outcome.FAILED
        except Exception as error:
            failed, outcome = UnexpectedError(host.name, error), Outcome.FAILED
        if failed is not None:
            _refer(failed)
            row = _row(at, outcome, started, _first_line(failed))
        rows[host.name] = row
        try:
            _ends(run, row)
        except (K8swinError, OSError) as lost:
            # What came of the host counts; that it could not be written down is said beside it.
            if failed is None:
                raise
            failed.hint = f"{failed.hint or ''}; not in the record: {_first_line(lost)}".lstrip(
                "; "
            )
        if watch:
            watch(StepProgress(run.phase.name, step.name, host.name, row.outcome, row.detail))
        if failed is not None:
            raise failed

    def report() -> Report:
        return Report(step.title, [rows[host.name] for host in hosts if host.name in rows])

    try:
        answers = on_each(
            hosts,
            one,
            name=lambda host: host.name,
            cancel=run.cancel,
            at_once=1 if step.in_turn else AT_ONCE,
        )
    except Interrupted as interrupt:
        interrupt.where = f"{run.phase.name}/{step.name}"
        interrupt.report = report()  # type: ignore[attr-defined]
        _interrupted(run, step, interrupt)
        raise
    if error := answers.error():
        error.report = report()  # type: ignore[attr-defined]
        raise error
    return report()


def _begins(run: PhaseRun, step: Step, host: Host) -> None:
    run.record.write(
        "step-started",
        phase=run.phase.name,
        step=step.name,
        host=host.name,
        dry_run=run.dry_run,
    )


def _ends(run: PhaseRun, row: Row) -> None:
    run.record.write(
        "step",
        phase=run.phase.name,
        step=row.step,
        host=row.host,
        outcome=row.outcome.value,
        seconds=round(row.seconds, 3),
        detail=row.detail,
        dry_run=run.dry_run,
    )


def _interrupted(run: PhaseRun, step: Step, interrupt: Interrupted) -> None:
    """Write down what an interrupt stopped; that it cannot be written hides no interrupt."""
    run.record.write_beside(
        interrupt,
        "interrupted",
        phase=run.phase.name,
        step=step.name,
        stopped=interrupt.stopped,
        ended=interrupt.ended,
        left=interrupt.left,
        running=interrupt.running,
    )


def _apply_on(at: StepRun, step: Step) -> Row:
    started = time.monotonic()
    if reason := _not_for(at, step):
        return _row(at, Outcome.SKIPPED, started, reason)
    before = _judge(at, step, step.check)
    if before.state is State.OK:
        return _row(at, Outcome.OK, started, before.detail)
    if before.state is State.DRIFT:
        at.run.check_lock(at)
        raise _drift(at, before)
    if at.run.dry_run:
        return _row(at, Outcome.SKIPPED, started, f"would act: {before.detail}".rstrip(": "))
    at.check_stop("was stopped before it changed anything")
    if step.apply is None:
        proven = _wait_until_ok(at.doing("verify"), step)
        return _row(at, Outcome.OK, started, proven.detail)
    if at.run.take_lock(at):
        # Another operator may have worked here until now.
        before = _judge(at, step, step.check)
        if before.state is State.OK:
            return _row(at, Outcome.OK, started, before.detail)
        if before.state is State.DRIFT:
            raise _drift(at, before)
    _apply(at.doing("apply"), step, step.apply)
    after = _wait_until_ok(at.doing("verify"), step)
    kept = at.run.kept.pop((at.step, at.host.name), [])
    return _row(at, Outcome.CHANGED, started, "; ".join([after.detail, *kept]))


def _not_for(at: StepRun, step: Step) -> str | None:
    return step.when(at) if step.when else None


def _drift(at: StepRun, verdict: Verdict) -> StepFailed:
    return at.drift(verdict.detail, hint=verdict.hint or DRIFT_HINT)


def _apply(at: StepRun, step: Step, apply: str | Apply) -> None:
    if not isinstance(apply, str):
        apply(at)
        return
    result = _script(at, step, apply)
    if result.returncode != 0:
        raise at.failed("apply failed", result=result, hint=FAILED_HINT)


def _wait_until_ok(at: StepRun, step: Step) -> Verdict:
    proof = step.verify if step.verify is not None else step.check
    deadline = time.monotonic() + step.wait
    while True:
        # Before the look: after a pause of this computer what there is now counts, not the clock.
        late = time.monotonic() >= deadline
        verdict = _judge(at, step, proof)
        if verdict.state is State.OK:
            return verdict
        detail, hint = verdict.detail or "not as wanted", verdict.hint or FAILED_HINT
        if verdict.state is not State.NEEDED:
            raise at.failed(detail, hint=hint, kind=VerifyFailed)
        if late:
            waited = f" after {step.wait:.0f} s" if step.wait else ""
            raise at.failed(f"{detail}{waited}", hint=hint, kind=VerifyFailed)
        at.pause(min(VERIFY_INTERVAL, max(0.05, deadline - time.monotonic())))


def _judge(at: StepRun, step: Step, check: str | Check) -> Verdict:
    if not isinstance(check, str):
        return check(at)
    result = _script(at, step, check)
    state = EXIT_STATE.get(result.returncode)
    if state is None:
        raise at.failed(f"{at.verb} failed", result=result, hint=FAILED_HINT)
    if step.keep:
        facts = result.mapping()
        at.run.facts.keep(at.host, step.keep, facts)
        return Verdict(state, ", ".join(f"{name} {value}" for name, value in facts.items()))
    return Verdict.read(state, result.stdout)


def _script(at: StepRun, step: Step, name: str) -> Result:
    return at.script(
        name,
        values=step.values(at) if step.values else None,
        stdin=step.reads(at) if step.reads else b"",
        secrets=step.secrets(at) if step.secrets and at.verb == "apply" else None,
        timeout=step.timeout,
        sudo=step.sudo,
    )


def _row(at: StepRun, outcome: Outcome, started: float, detail: str) -> Row:
    return Row(at.step, at.host.name, outcome, time.monotonic() - started, detail)


def _refer(error: K8swinError) -> None:
    """Add to an error's hint which entries of the table of symptoms it belongs to."""
    result = getattr(error, "result", None)
    said = (result.stdout + "\n" + result.stderr) if result is not None else ""
    entry = reference(f"{type(error).__name__}: {error}\n{said}")
    if entry and entry not in (error.hint or ""):
        error.hint = f"{error.hint}; {entry}" if error.hint else entry


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
