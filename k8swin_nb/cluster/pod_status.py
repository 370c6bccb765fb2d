"""What kubectl prints as READY, STATUS and RESTARTS of a pod.

Worked out as printPod does it in kubernetes/kubernetes, pkg/printers/internalversion/printers.go: containers that
initialize decide first, then those that run, then whether the pod is being deleted.
"""

from __future__ import annotations

from typing import Any

LOST = "NodeLost"
"""Reason of a pod whose node no longer answers."""


PodState = tuple[int, int, str, int, int | None]
"""Ready containers, containers, STATUS, restarts, and when the last was, in microseconds since 1970."""


def pod_state(meta: Any, spec: Any, status: Any) -> PodState:
    """Return how a pod does, of the three parts of its message."""
    phase = status.phase
    reason = status.reason or phase or "Unknown"
    restarts, restarted, ready = 0, 0, 0
    containers = len(spec.containers)
    aside_restarts, aside_restarted = 0, 0
    initializing = False
    if phase != "Running" and any(
        c.type == "PodScheduled" and c.reason == "SchedulingGated" for c in status.conditions
    ):
        reason = "SchedulingGated"
    first = spec.initContainers
    if first:
        beside = {c.name for c in first if c.restartPolicy == "Always"}
        containers += len(beside)
        for place, one in enumerate(status.initContainerStatuses):
            restarts += one.restartCount
            restarted = max(restarted, _ended(one))
            if one.name in beside:
                aside_restarts += one.restartCount
                aside_restarted = max(aside_restarted, _ended(one))
            told = _initializing(one, one.name in beside, place, len(first))
            if told is None:
                ready += one.name in beside and one.ready and one.started
                continue
            reason, initializing = told, True
            break
    if not initializing or _true(status, "Initialized"):
        restarts, restarted = aside_restarts, aside_restarted
        running = False
        several = len(status.containerStatuses) > 1
        for one in reversed(status.containerStatuses):
            restarts += one.restartCount
            if one.restartCount or several:
                restarted = max(restarted, _ended(one))
            state = one.state
            if state.HasField("running"):
                if one.ready:
                    running = True
                    ready += 1
            elif state.waiting.reason:
                reason = state.waiting.reason
            elif state.HasField("terminated"):
                reason = _terminated(state.terminated)
        if reason == "Completed" and running:
            reason = "Running" if _true(status, "Ready") else "NotReady"
    if meta.HasField("deletionTimestamp"):
        if status.reason == LOST:
            reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return ready, containers, reason, restarts, restarted if restarts and restarted else None


def _true(status: Any, condition: str) -> bool:
    return any(c.type == condition and c.status == "True" for c in status.conditions)


def gates(spec: Any, status: Any) -> str | None:
    """Return how many of a pod's readiness gates are passed, such as `1/2`; None where it has none."""
    wanted = spec.readinessGates
    if not wanted:
        return None
    true = {c.type for c in status.conditions if c.status == "True"}
    return f"{sum(gate.conditionType in true for gate in wanted)}/{len(wanted)}"


def _ended(one: Any) -> int:
    """Return when a container ended last, in microseconds; 0 where it never did."""
    last = one.lastState
    if not last.HasField("terminated"):
        return 0
    at = last.terminated.finishedAt
    moment: int = at.seconds * 1_000_000 + at.nanos // 1000
    return moment if 0 < moment < 1 << 61 else 0


def _initializing(one: Any, beside: bool, place: int, number: int) -> str | None:
    """Return what a container that initializes makes of STATUS; None where it is done, or goes on beside the others."""
    state = one.state
    ended = state.terminated if state.HasField("terminated") else None
    if ended is not None and ended.exitCode == 0:
        return None
    if beside and one.started:
        return None
    if ended is not None:
        return f"Init:{_terminated(ended)}"
    if state.waiting.reason and state.waiting.reason != "PodInitializing":
        return f"Init:{state.waiting.reason}"
    return f"Init:{place}/{number}"


def _terminated(ended: Any) -> str:
    if ended.reason:
        return str(ended.reason)
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exitCode}"
