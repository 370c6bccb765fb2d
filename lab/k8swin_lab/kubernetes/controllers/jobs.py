"""Jobs: pods until enough have succeeded or too many have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.controllers.owned import make_pod, owned_by, write_status
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import is_active, is_ready

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_COMPONENT = "job-controller"


def reconcile(cluster: Cluster) -> None:
    for job in cluster.objects("jobs"):
        if not job["metadata"].get("deletionTimestamp"):
            _run(cluster, job)


def _run(cluster: Cluster, job: Object) -> None:
    status, spec = job.get("status") or {}, job["spec"]
    if any(item["type"] in ("Complete", "Failed") for item in status.get("conditions") or []):
        return
    pods = owned_by(cluster, "pods", job)
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = [pod for pod in pods if is_active(pod)]
    wanted = spec.get("completions", 1)
    now = timestamps.rfc3339(cluster.clock())
    new: Object = {
        "startTime": status.get("startTime", now),
        "succeeded": succeeded or None,
        "failed": failed or None,
        "ready": sum(is_ready(pod) for pod in active),
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    if succeeded >= wanted:
        new["completionTime"] = now
        reason = ("CompletionsReached", "Reached expected number of succeeded pods")
        new["conditions"] = [
            _condition("SuccessCriteriaMet", now, *reason),
            _condition("Complete", now, *reason),
        ]
        cluster.recorder.record(job, "Completed", "Job completed", component=_COMPONENT)
    elif failed > spec["backoffLimit"]:
        reason = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        new["conditions"] = [
            _condition("FailureTarget", now, *reason),
            _condition("Failed", now, *reason),
        ]
        cluster.recorder.record(job, *reason, component=_COMPONENT, warning=True)
    elif not spec.get("suspend"):
        for _ in range(min(spec["parallelism"], wanted - succeeded) - len(active)):
            if make_pod(cluster, job, spec["template"], component=_COMPONENT):
                active.append({})
    new["active"] = len(active) or None
    write_status(cluster, job, new)


def _condition(kind: str, now: str, reason: str, message: str) -> Object:
    return {
        "type": kind,
        "status": "True",
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
