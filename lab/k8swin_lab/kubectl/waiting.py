"""kubectl wait and rollout: until objects are as they should be. Both ask again until then."""

from __future__ import annotations

import re
import time

from k8swin_lab.kubectl import jsonpath
from k8swin_lab.kubectl.client import STRATEGIC
from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.names import full_name, wanted
from k8swin_lab.kubectl.output import object_name
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.machines.program import NotSimulated


def duration(text: str, option: str) -> float:
    """Return the seconds of "90s", "20m", "1h30m"; 0 waits not at all, a negative one for a week.

    Raises:
        KubectlError: it is no duration.
    """
    if (
        re.fullmatch(r"-?\d+s?", text)
        and text.rstrip("s").lstrip("-").isdigit()
        and (text.endswith("s") or text == "0")
    ):
        number = float(text.rstrip("s"))
        return 7 * 86400 if number < 0 else number
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|h|m|s))+", text):
        raise KubectlError(
            f'error: invalid argument "{text}" for "{option}" flag: time: '
            + (
                f'missing unit in duration "{text}"'
                if text.lstrip("-").isdigit()
                else f'invalid duration "{text}"'
            )
        )
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(
        float(number) * units[unit]
        for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    )


def wait(session: Session, words: list[str]) -> int:
    """Run kubectl wait."""
    options = session.options
    condition = options.get("--for")
    if not condition:
        raise KubectlError(
            "error: one of --for=condition, --for=jsonpath, --for=create or --for=delete is required"
        )
    limit = duration(options.get("--timeout") or "30s", "--timeout")
    if condition == "create":
        return _wait_for_creation(session, words, limit)
    kind, _, rest = condition.partition("=")
    end = time.monotonic() + limit
    targets = []
    for one in wanted(words, session.minor):
        if (
            not one.names
            and "--all" not in options
            and not options.get("-l")
            and not options.get("--field-selector")
        ):
            raise KubectlError("error: resource name may not be empty")
        found = list(session.items(one.resource, one.names))
        if session.failed and condition != "delete":
            return 1
        targets += [(one.resource, obj) for obj in found]
    if not targets:
        if condition == "delete":
            return 0
        raise KubectlError("error: no matching resources found")
    code = 0
    for resource, obj in targets:
        if not _until(session, resource, obj, condition, kind, rest, end):
            session.err(
                f"error: timed out waiting for the condition on {resource.plural}/{obj['metadata']['name']}"
            )
            code = 1
    return code


def _wait_for_creation(session: Session, words: list[str], limit: float) -> int:
    end = time.monotonic() + limit
    for one in wanted(words, session.minor):
        for name in one.names:
            while session.connection.find(session.path(one.resource, name)) is None:
                if time.monotonic() > end or not session.wait_a_little():
                    raise KubectlError(
                        f"error: timed out waiting for the condition on {one.resource.plural}/{name}"
                    )
            session.out(f"{full_name(one.resource)}/{name} condition met")
    return 0


def _until(
    session: Session,
    resource: Resource,
    obj: Object,
    condition: str,
    kind: str,
    rest: str,
    end: float,
) -> bool:
    metadata = obj["metadata"]
    path = resource.path(metadata.get("namespace"), metadata["name"])
    while True:
        now = session.connection.find(path)
        if condition == "delete":
            met = now is None or now["metadata"]["uid"] != metadata["uid"]
        elif now is None:
            raise KubectlError(
                f'Error from server (NotFound): {resource.plural} "{metadata["name"]}" not found'
            )
        else:
            met = _holds(now, kind, rest)
        if met:
            session.out(f"{object_name(obj)} condition met")
            return True
        if time.monotonic() >= end or not session.wait_a_little():
            return False


def _holds(obj: Object, kind: str, rest: str) -> bool:
    if kind == "condition":
        name, _, value = rest.partition("=")
        wanted_value = (value or "True").lower()
        for entry in obj.get("status", {}).get("conditions") or []:
            if entry["type"].lower() == name.lower():
                return str(entry["status"]).lower() == wanted_value
        return False
    if kind == "jsonpath":
        found = re.fullmatch(r"'?(\{.*\}|[^=]+)'?(?:=(.*))?", rest, re.DOTALL)
        if not found:
            raise KubectlError(
                "error: jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3"
            )
        values = jsonpath.evaluate(found[1].strip("{}"), obj, obj)
        if found[2] is None:
            return bool(values)
        return bool(values) and jsonpath.show(values[0]) == found[2].strip("'\"")
    raise KubectlError(f'error: unrecognized condition: "{kind}={rest}"')


def rollout(session: Session, words: list[str]) -> int:
    """Run kubectl rollout status or restart."""
    verb, *rest = words or [""]
    if verb == "restart":
        return _restart(session, rest)
    if verb == "status":
        return _status(session, rest)
    raise NotSimulated(f"kubectl rollout {verb}".strip())


def _restart(session: Session, words: list[str]) -> int:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = {
        "spec": {
            "template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": stamp}}}
        }
    }
    for one in wanted(words, session.minor):
        for obj in session.items(one.resource, one.names):
            if one.resource.plural not in ("deployments", "daemonsets", "statefulsets"):
                raise KubectlError(
                    f'error: {one.resource.plural} "{obj["metadata"]["name"]}" restarting is not supported'
                )
            path = one.resource.path(obj["metadata"]["namespace"], obj["metadata"]["name"])
            session.connection.patch(path, body, STRATEGIC, [("fieldManager", "kubectl-rollout")])
            session.out(f"{object_name(obj)} restarted")
    return 1 if session.failed else 0


def _status(session: Session, words: list[str]) -> int:
    options = session.options
    limit = duration(options.get("--timeout") or "0s", "--timeout")
    watches = options.get("-w", "true") != "false"
    end = time.monotonic() + limit if limit else None
    targets = [
        (one.resource, obj)
        for one in wanted(words, session.minor)
        for obj in session.items(one.resource, one.names)
    ]
    if session.failed:
        return 1
    for resource, obj in targets:
        path = resource.path(obj["metadata"]["namespace"], obj["metadata"]["name"])
        said = ""
        while True:
            text, done = progress(resource, session.connection.get(path))
            if text != said:
                session.out(text)
                said = text
            if done or not watches:
                break
            if end is not None and time.monotonic() >= end:
                raise KubectlError("error: timed out waiting for the condition")
            if not session.wait_a_little():
                return 130
    return 0


def progress(resource: Resource, obj: Object) -> tuple[str, bool]:
    """Return what `rollout status` says of a workload, and whether its rollout is done.

    Raises:
        KubectlError: the rollout has failed, or the kind has none.
    """
    name, spec, status = obj["metadata"]["name"], obj["spec"], obj.get("status") or {}
    if resource.plural not in ("deployments", "daemonsets", "statefulsets"):
        raise KubectlError(f"error: no status viewer has been implemented for {resource.kind}")
    behind = obj["metadata"].get("generation", 1) > status.get("observedGeneration", 0)
    if resource.plural == "deployments":
        return _deployment(name, spec, status, behind)
    if resource.plural == "daemonsets":
        if behind:
            return "Waiting for daemon set spec update to be observed...", False
        wanted_count = status.get("desiredNumberScheduled", 0)
        updated, available = (
            status.get("updatedNumberScheduled", 0),
            status.get("numberAvailable", 0),
        )
        head = f'Waiting for daemon set "{name}" rollout to finish: '
        if updated < wanted_count:
            return f"{head}{updated} out of {wanted_count} new pods have been updated...", False
        if available < wanted_count:
            return f"{head}{available} of {wanted_count} updated pods are available...", False
        return f'daemon set "{name}" successfully rolled out', True
    ready, replicas = status.get("readyReplicas", 0), spec.get("replicas", 1)
    if behind:
        return "Waiting for statefulset spec update to be observed...", False
    if ready < replicas:
        return f"Waiting for {replicas - ready} pods to be ready...", False
    return (
        f"statefulset rolling update complete {ready} pods at revision {status.get('updateRevision', '')}...",
        True,
    )


def _deployment(name: str, spec: Object, status: Object, behind: bool) -> tuple[str, bool]:
    if behind:
        return "Waiting for deployment spec update to be observed...", False
    for condition in status.get("conditions") or []:
        if (
            condition["type"] == "Progressing"
            and condition.get("reason") == "ProgressDeadlineExceeded"
        ):
            raise KubectlError(f'error: deployment "{name}" exceeded its progress deadline')
    replicas = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    head = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < replicas:
        return f"{head}{updated} out of {replicas} new replicas have been updated...", False
    if total > updated:
        return f"{head}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{head}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True
