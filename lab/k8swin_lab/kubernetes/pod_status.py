"""What a pod's status amounts to: ready or not, and the words of kubectl's STATUS column."""

from __future__ import annotations

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object


def condition(obj: Object, kind: str) -> Object | None:
    """Return the condition of this type, or None."""
    for found in (obj.get("status") or {}).get("conditions") or []:
        if found["type"] == kind:
            return dict(found)
    return None


def is_true(obj: Object, kind: str) -> bool:
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def is_ready(pod: Object) -> bool:
    return is_true(pod, "Ready")


def is_active(pod: Object) -> bool:
    """Whether a controller counts the pod: not done and not going."""
    done = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not done and not pod["metadata"].get("deletionTimestamp")


def pod_summary(pod: Object, now: float) -> tuple[str, str, str]:
    """Return the columns READY, STATUS and RESTARTS."""
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    gates = pod["spec"].get("schedulingGates")
    if gates:
        reason = "SchedulingGated"
    restarts, ready = 0, 0
    last_restart = ""
    running = False
    for entry in reversed(status.get("containerStatuses") or []):
        restarts += entry.get("restartCount", 0)
        finished = ((entry.get("lastState") or {}).get("terminated") or {}).get("finishedAt", "")
        last_restart = max(last_restart, finished)
        state = entry.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = ended.get("reason") or (
                f"Signal:{ended['signal']}"
                if ended.get("signal")
                else f"ExitCode:{ended['exitCode']}"
            )
        elif entry.get("ready") and "running" in state:
            running = True
            ready += 1
    if reason == "Completed" and running:
        reason = "Running" if is_ready(pod) else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    shown = str(restarts)
    if restarts and last_restart:
        shown += f" ({timestamps.age(now - timestamps.parse(last_restart))} ago)"
    return f"{ready}/{len(pod['spec']['containers'])}", reason, shown


def same(shown: object, wanted: object, written: tuple[object, object] | None) -> bool:
    """Whether a server shows what is wanted; `written` is what was sent last, and what it made of that.

    A server drops what it does not know and fills in what it does.
    """
    return shown == wanted or (written is not None and written == (wanted, shown))
