"""The runner: check, apply what differs, verify by reading back; per host, all hosts of a step at once.

A step may ask for one host after the other. A failed host does not stop the others of the same step; the
step raises once, at the end, with every host's answer kept in the report. The next step does not start.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from k8swin_nb.errors import (
    CheckFailed,
    HostUnreachable,
    Interrupted,
    K8swinError,
    LeftOut,
    NotKnownYet,
    RecordError,
    StepFailed,
    TransportTimeout,
    UnexpectedError,
    VerifyFailed,
)
from k8swin_nb.fan_out import AT_ONCE, on_each
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.shown import shown_line
from k8swin_nb.symptoms import reference
from k8swin_nb.workflow.difference import Difference, text_of
from k8swin_nb.workflow.pauses import growing
from k8swin_nb.workflow.phase_run import Change, PhaseRun
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.step import (
    EXIT_STATE,
    Apply,
    Check,
    Outcome,
    State,
    Step,
    Verdict,
    last_line,
)
from k8swin_nb.workflow.step_run import StepRun
from k8swin_nb.workflow.stopping import HostWork

VERIFY_INTERVAL = 2.0
"""Seconds at most between two looks at something that takes time; the first ones follow sooner."""

DRIFT_HINT = "nothing was changed; make the host or the parameters agree, then run again"
FAILED_HINT = (
    "look for the cause under `If it fails` at the end of the notebook; once it is mended, run the notebook "
    "again: what was done stays done"
)

LEFT_BEFORE = (
    "not done: this host was left out at step `{step}`; apply that step again to go on with it"
)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step begins on a host, waits for something there, or has ended."""

    phase: str
    step: str
    host: str
    outcome: Outcome | None = None
    """None when it begins, and while it waits."""

    detail: str = ""
    """One line about how it ended, or what it waits for; empty when it begins."""


Watch = Callable[[StepProgress], None]


def apply_step(run: PhaseRun, step: Step, watch: Watch | None = None) -> Report:
    """Bring every host of a step to the wanted state.

    Raises:
        K8swinError: of the only host that failed; its `report` holds every host's row.
        MultiHostError: when several hosts failed; likewise.
        Interrupted: a KeyboardInterrupt, after the scripts that ran were stopped; likewise.
    """
    if not run.dry_run:
        run.foreseen.clear()
    return _each_host(run, step, lambda at: _apply_on(at, step), watch)


def check_step(run: PhaseRun, step: Step, watch: Watch | None = None) -> Report:
    """Look at every host of a step and change nothing; `would change` means that apply would act.

    Raises:
        K8swinError: as `apply_step`, also for what somebody else has made.
    """
    return _each_host(run, step, lambda at: _look_at(at, step), watch)


def _look_at(at: StepRun, step: Step) -> Row:
    """Say how a step would end on a host, and change nothing.

    What an earlier step of the phase would make is not there yet: what cannot be found out for that, or is not as no wait
    makes it, waits for that step, and so does what proves its work. Drift, a failed preflight and a host that is not reached are errors here too.
    """
    started = time.monotonic()
    if reason := _not_for(at, step):
        return _row(at, Outcome.SKIPPED, started, reason)
    at.foresee("")
    earlier = at.comes_after
    try:
        verdict = _judge(at, step, step.check)
    except (CheckFailed, NotKnownYet) as error:
        if not earlier:
            raise
        said = str(error)
        if isinstance(error, CheckFailed):
            result = error.result
            said = last_line(result.stderr or result.stdout if result else "") or error.detail
        said = said.removeprefix(f"{at.host.name}: ")
        at.foresee(f"`{step.name}`" if step.apply else earlier)
        detail = f"waits for {earlier}, and is not known before: {said}"
        return _row(at, Outcome.WOULD_CHANGE, started, detail)
    if verdict.state is State.OK:
        made = at.run.foreseen.get(at.host.name, {})
        if proved := [made[name] for name in step.proves if name in made]:
            at.foresee(proved[-1])
            detail = f"waits for {proved[-1]}; now {verdict.detail}"
            return _row(at, Outcome.WOULD_CHANGE, started, detail)
        follows = {name: what for name, what in step.follows.items() if name in made}
        if not follows:
            return _row(at, Outcome.OK, started, verdict.detail)
        at.foresee(f"`{step.name}`")
        detail = (
            f"follows from {' and '.join(f'`{name}`' for name in follows)}; now {verdict.detail}"
        )
        differences = text_of(Difference(what) for what in dict.fromkeys(follows.values()))
        return _row(at, Outcome.WOULD_CHANGE, started, detail, differences)
    made_by = f"`{step.made_by}`" if step.made_by else ""
    if verdict.state is State.DRIFT or (
        verdict.state is State.STUCK and step.apply is None and not (earlier or made_by)
    ):
        # What was found may be the half-done work of another operator.
        at.run.check_lock(at)
    if verdict.state is State.DRIFT:
        raise _drift(at, verdict)
    detail, differences = verdict.detail or "not as wanted", text_of(verdict.differences)
    if step.apply is None:
        earlier = earlier or made_by
        if verdict.state is State.STUCK and not earlier:
            raise at.failed(detail, hint=verdict.hint or FAILED_HINT, kind=VerifyFailed)
        waits = f"waits for {earlier}" if earlier else "waits"
        detail = f"{waits}: {detail}"
    elif earlier and verdict.differences and all(one.unknown for one in verdict.differences):
        detail = f"waits for {earlier}, and is not known before: {detail}"
    at.foresee(f"`{step.name}`" if step.apply else earlier)
    detail += at.run.also_there(at) if step.apply or step.made_by else ""
    return _row(at, Outcome.WOULD_CHANGE, started, detail, differences)


def _each_host(
    run: PhaseRun, step: Step, work: Callable[[StepRun], Row], watch: Watch | None
) -> Report:
    hosts = run.hosts(step.on)
    rows: dict[str, Row] = {}

    def one(host: Host) -> None:
        started = time.monotonic()
        with _at_work(run, step, host, watch) as at:
            _begins(run, step, host)
            run.tags.pop((step.name, host.name), None)
            run.changes.pop((step.name, host.name), None)
            if watch:
                watch(StepProgress(run.phase.name, step.name, host.name))
            failed: K8swinError | None = None
            try:
                if before := run.left_at(host.name, step.name):
                    row = _row(at, Outcome.SKIPPED, started, LEFT_BEFORE.format(step=before))
                else:
                    row = work(at)
                    if row.outcome in (Outcome.OK, Outcome.CHANGED):
                        _is_back(run, step, host)
            except LeftOut as left:
                run.left_out[host.name] = step.name
                row = _row(at, Outcome.SKIPPED, started, left.detail)
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
        if failed is None:
            run.record.write("step", **_told(run, row))
        else:
            # What came of the host counts; that it could not be written down is said beside it.
            run.record.write_beside(failed, "step", **_told(run, row))
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


@contextlib.contextmanager
def _at_work(run: PhaseRun, step: Step, host: Host, watch: Watch | None) -> Iterator[StepRun]:
    """Let a step on a host be seen and left out while it is at work."""

    def tell(what: str) -> None:
        if watch:
            watch(StepProgress(run.phase.name, step.name, host.name, None, what))

    def keep(what: str) -> None:
        # What it waits for is worth less than the wait.
        with contextlib.suppress(RecordError):
            run.record.write(
                "waiting", phase=run.phase.name, step=step.name, host=host.name, detail=what
            )

    whole = run.cancel
    stop = whole.child()
    work = HostWork(step.name, host.name, stop, tell, keep)
    run.at_work[host.name] = work
    try:
        yield replace(run.at(host, step.name), cancel=stop, work=work)
    finally:
        run.at_work.pop(host.name, None)
        whole.forget(stop)


def _is_back(run: PhaseRun, step: Step, host: Host) -> None:
    """Let a host take part again once the step at which it was left out is as wanted."""
    if run.left_out.get(host.name) == step.name:
        del run.left_out[host.name]


def _begins(run: PhaseRun, step: Step, host: Host) -> None:
    run.record.write(
        "step-started",
        phase=run.phase.name,
        step=step.name,
        host=host.name,
        dry_run=run.dry_run,
    )


def _told(run: PhaseRun, row: Row) -> dict[str, Any]:
    """Return what the record says of how a step ended on a host; of a change, what was found before and what is there now."""
    change = run.changes.pop((row.step, row.host), None)
    ran = run.tags.pop((row.step, row.host), [])
    difference = change.difference if change is not None else row.difference
    return {
        "phase": run.phase.name,
        "step": row.step,
        "host": row.host,
        "outcome": row.outcome.value,
        "seconds": round(row.seconds, 3),
        "detail": row.detail,
        "dry_run": run.dry_run,
        **({"difference": difference} if difference else {}),
        **({"found": change.found, "now": change.now, "tags": _tags(ran)} if change else {}),
    }


def _tags(ran: list[tuple[str, str]]) -> list[str]:
    """Return the tags of what a change rests on: the checks before it, what changed, and the last proof of many."""
    proofs = [tag for verb, tag in ran if verb == "verify"]
    return [tag for verb, tag in ran if verb != "verify"] + proofs[-1:]


def _interrupted(run: PhaseRun, step: Step, interrupt: Interrupted) -> None:
    """Write down what an interrupt stopped; that it cannot be written hides no interrupt."""
    with contextlib.suppress(RecordError):
        run.record.write(
            "interrupted",
            phase=run.phase.name,
            step=step.name,
            stopped=interrupt.stopped,
            ended=interrupt.ended,
            left=interrupt.left,
            running=interrupt.running,
        )


def _apply_on(at: StepRun, step: Step) -> Row:
    if at.run.dry_run:
        return _look_at(at, step)
    started = time.monotonic()
    if reason := _not_for(at, step):
        return _row(at, Outcome.SKIPPED, started, reason)
    before = _judge(at, step, step.check)
    if before.state is State.OK:
        return _row(at, Outcome.OK, started, before.detail)
    if before.state is State.DRIFT or (before.state is State.STUCK and step.apply is None):
        # What was found may be the half-done work of another operator.
        at.run.check_lock(at)
    if before.state is State.DRIFT:
        raise _drift(at, before)
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
    if at.run.phase.before_change is not None:
        at.run.phase.before_change(at)
    change = Change(shown_line(before.detail or "not as wanted"), text_of(before.differences))
    at.run.changes[at.step, at.host.name] = change
    _change(at, step, step.apply)
    after = _wait_until_ok(at.doing("verify"), step)
    change.now = shown_line(after.detail)
    kept = at.run.kept.pop((at.step, at.host.name), [])
    detail = "; ".join([after.detail, *kept])
    return _row(at, Outcome.CHANGED, started, detail, text_of(before.differences))


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


def _change(at: StepRun, step: Step, apply: str | Apply) -> None:
    if at.work is not None and not at.work.begin_change():
        at.check_stop()
    try:
        _apply(at.doing("apply"), step, apply)
    finally:
        if at.work is not None:
            at.work.end_change()


def _wait_until_ok(at: StepRun, step: Step) -> Verdict:
    proof = step.verify if step.verify is not None else step.check
    deadline = time.monotonic() + step.wait
    pauses = growing(VERIFY_INTERVAL)
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
        at.waiting(detail)
        at.pause(min(next(pauses), max(0.05, deadline - time.monotonic())))


def _judge(at: StepRun, step: Step, check: str | Check) -> Verdict:
    if not isinstance(check, str):
        return check(at)
    result = _script(at, step, check)
    state = EXIT_STATE.get(result.returncode)
    if state is None:
        raise at.unknown(result, hint=FAILED_HINT)
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


def _row(at: StepRun, outcome: Outcome, started: float, detail: str, difference: str = "") -> Row:
    return Row(at.step, at.host.name, outcome, time.monotonic() - started, detail, difference)


def _refer(error: K8swinError) -> None:
    """Add to an error's hint which entries of the table of symptoms it belongs to."""
    result = getattr(error, "result", None)
    said = (result.stdout + "\n" + result.stderr) if result is not None else ""
    entry = reference(f"{type(error).__name__}: {error}\n{said}")
    if entry and entry not in (error.hint or ""):
        error.hint = f"{error.hint}; {entry}" if error.hint else entry


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
