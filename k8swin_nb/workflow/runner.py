"""The runner: check, apply what differs, verify by reading back; per host, all hosts of a step at once.

A step may ask for one host after the other. A failed host does not stop the others of the same step; the
step raises once, at the end, with every host's answer kept in the report. The next step does not start.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from k8swin_nb.errors import (
    DriftFound,
    K8swinError,
    MultiHostError,
    StepFailed,
    TransportError,
    VerifyFailed,
)
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.symptoms import reference
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import EXIT_STATE, Apply, Check, Outcome, State, Step, Verdict

VERIFY_INTERVAL = 2.0
"""Seconds between two looks at something that takes time."""

DRIFT_HINT = "nothing was changed; make the host or the parameters agree, then run again"
FAILED_HINT = "see `If it fails` at the end of the notebook; what was done stays done, run it again"

Watch = Callable[[Step, Host, Outcome | None, str], None]
"""Told when a step starts on a host (outcome None) and how it ended."""


def apply_step(phase: Phase, step: Step, run: Run, watch: Watch | None = None) -> Report:
    """Bring every host of a step to the wanted state.

    Raises:
        K8swinError: of the only host that failed.
        MultiHostError: when several hosts failed.
    """
    return _each_host(phase, step, run, lambda host: _apply_on(phase, step, run, host), watch)


def check_step(phase: Phase, step: Step, run: Run, watch: Watch | None = None) -> Report:
    """Look at every host of a step and change nothing; `skipped` means that apply would act."""

    def look(host: Host) -> Row:
        started = time.monotonic()
        if reason := _not_for(step, run, host):
            return _row(step, host, Outcome.SKIPPED, started, reason)
        verdict = _judge(phase, step, run, host, step.check, "check")
        outcome = Outcome.OK if verdict.state is State.OK else Outcome.SKIPPED
        return _row(step, host, outcome, started, verdict.detail)

    return _each_host(phase, step, run, look, watch)


def _each_host(
    phase: Phase, step: Step, run: Run, work: Callable[[Host], Row], watch: Watch | None
) -> Report:
    hosts = run.hosts(step.on)
    report = Report(step.title)
    errors: dict[str, K8swinError] = {}

    def one(host: Host) -> Row:
        started = time.monotonic()
        if watch:
            watch(step, host, None, "")
        try:
            row = work(host)
        except TransportError as error:
            _refer(error)
            errors[host.name] = error
            row = _row(step, host, Outcome.UNREACHABLE, started, _first_line(error))
        except K8swinError as error:
            _refer(error)
            errors[host.name] = error
            row = _row(step, host, Outcome.FAILED, started, _first_line(error))
        run.record.write(
            "step",
            phase=phase.name,
            step=step.name,
            host=host.name,
            outcome=row.outcome.value,
            seconds=round(row.seconds, 3),
            detail=row.detail,
            dry_run=run.dry_run,
        )
        if watch:
            watch(step, host, row.outcome, row.detail)
        return row

    at_once = 1 if step.in_turn else max(1, len(hosts))
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix=step.name) as pool:
        report.rows.extend(pool.map(one, hosts))
    if len(errors) == 1:
        error = next(iter(errors.values()))
        error.report = report  # type: ignore[attr-defined]
        raise error
    if errors:
        failed = MultiHostError(errors)
        failed.report = report  # type: ignore[attr-defined]
        raise failed
    return report


def _apply_on(phase: Phase, step: Step, run: Run, host: Host) -> Row:
    started = time.monotonic()
    if reason := _not_for(step, run, host):
        return _row(step, host, Outcome.SKIPPED, started, reason)
    before = _judge(phase, step, run, host, step.check, "check")
    if before.state is State.OK:
        return _row(step, host, Outcome.OK, started, before.detail)
    if before.state is State.DRIFT:
        # Scripts end what they found with `: run ...` when there is one thing to do about it.
        found, _, action = before.detail.partition(": run ")
        raise DriftFound(
            phase=phase.name,
            step=step.name,
            host=host.name,
            detail=found,
            hint=f"run {action}" if action else DRIFT_HINT,
        )
    if run.dry_run:
        return _row(
            step, host, Outcome.SKIPPED, started, f"would act: {before.detail}".rstrip(": ")
        )
    if step.apply is None:
        proven = _wait_until_ok(phase, step, run, host)
        return _row(step, host, Outcome.OK, started, proven.detail)
    _apply(phase, step, run, host, step.apply)
    after = _wait_until_ok(phase, step, run, host)
    return _row(step, host, Outcome.CHANGED, started, after.detail)


def _not_for(step: Step, run: Run, host: Host) -> str | None:
    return step.when(run, host) if step.when else None


def _apply(phase: Phase, step: Step, run: Run, host: Host, apply: str | Apply) -> None:
    if not isinstance(apply, str):
        apply(run, host)
        return
    result = _script(step, run, host, apply, "apply")
    if result.returncode != 0:
        raise StepFailed(
            phase=phase.name,
            step=step.name,
            host=host.name,
            detail="apply failed",
            result=result,
            hint=FAILED_HINT,
        )


def _wait_until_ok(phase: Phase, step: Step, run: Run, host: Host) -> Verdict:
    proof = step.verify if step.verify is not None else step.check
    deadline = time.monotonic() + step.wait
    while True:
        verdict = _judge(phase, step, run, host, proof, "verify")
        if verdict.state is State.OK:
            return verdict
        if time.monotonic() >= deadline:
            waited = f" after {step.wait:.0f} s" if step.wait else ""
            raise VerifyFailed(
                phase=phase.name,
                step=step.name,
                host=host.name,
                detail=f"{verdict.detail or 'not as wanted'}{waited}",
                hint=FAILED_HINT,
            )
        time.sleep(min(VERIFY_INTERVAL, max(0.05, deadline - time.monotonic())))


def _judge(
    phase: Phase, step: Step, run: Run, host: Host, check: str | Check, verb: str
) -> Verdict:
    if not isinstance(check, str):
        return check(run, host)
    result = _script(step, run, host, check, verb)
    state = EXIT_STATE.get(result.returncode)
    if state is None:
        raise StepFailed(
            phase=phase.name,
            step=step.name,
            host=host.name,
            detail=f"{verb} failed",
            result=result,
            hint=FAILED_HINT,
        )
    if step.keep:
        facts = result.json()
        run.keep_facts(host, step.keep, facts)
        return Verdict(state, ", ".join(f"{name} {value}" for name, value in facts.items()))
    return Verdict(state, last_line(result.stdout))


def _script(step: Step, run: Run, host: Host, name: str, verb: str) -> Result:
    return run.script(
        name,
        host,
        verb=verb,
        step=step.name,
        values=step.values(run, host) if step.values else None,
        stdin=step.reads(run, host) if step.reads else b"",
        secrets=step.secrets(run, host) if step.secrets and verb == "apply" else None,
        timeout=step.timeout,
        sudo=step.sudo,
        quiet=verb != "apply",
    )


def _row(step: Step, host: Host, outcome: Outcome, started: float, detail: str) -> Row:
    return Row(step.name, host.name, outcome, time.monotonic() - started, detail)


def _refer(error: K8swinError) -> None:
    """Add to an error's hint which entries of the table of symptoms it belongs to."""
    result = getattr(error, "result", None)
    said = (result.stdout + "\n" + result.stderr) if result is not None else ""
    entry = reference(f"{type(error).__name__}: {error}\n{said}")
    if entry and entry not in (error.hint or ""):
        error.hint = f"{error.hint}; {entry}" if error.hint else entry


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def last_line(text: str) -> str:
    """Return the last line that says something; by convention it sums a script's output up."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
