"""kubectl patch, label, annotate, taint, scale, set image, cordon, uncordon and drain."""

from __future__ import annotations

import re
import time

import yaml

from k8swin_lab.kubectl.client import JSON_PATCH, MERGE, STRATEGIC
from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.manifests import read
from k8swin_lab.kubectl.names import Wanted, full_name, resource_of, wanted
from k8swin_lab.kubectl.output import object_name, print_objects
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.kubernetes.resources import Resource, named
from k8swin_lab.machines.program import NotSimulated


def patch(session: Session, words: list[str]) -> int:
    """Run kubectl patch."""
    options = session.options
    text = options.get("-p")
    if path := options.get("--patch-file"):
        text = session.files.read(path).decode()
    if not text:
        raise KubectlError(
            "error: must specify --patch or --patch-file containing the contents of the patch"
        )
    kind = options.get("--type") or "strategic"
    kinds = {"strategic": STRATEGIC, "merge": MERGE, "json": JSON_PATCH}
    if kind not in kinds:
        raise KubectlError(f'error: --type must be one of [json merge strategic], not "{kind}"')
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubectlError(f'error: unable to parse "{text}": yaml: {error}') from error
    query = [("fieldManager", "kubectl-patch")]
    for resource, name in _named(session, words):
        target = session.path(resource, name, options.get("--subresource"))
        try:
            before = session.connection.get(session.path(resource, name))
            found = session.connection.patch(target, body, kinds[kind], query)
        except RequestError as error:
            session.fail(error)
            continue
        _report(session, found, "patched" if _changed(before, found) else "patched (no change)")
    return 1 if session.failed else 0


def _named(session: Session, words: list[str]) -> list[tuple[Resource, str]]:
    if files := session.options.all("-f"):
        objects = read(session.process, session.files, files)
        return [
            (resource_of(obj, session.minor), str(obj["metadata"]["name"])) for obj, _ in objects
        ]
    found = [(one.resource, name) for one in wanted(words, session.minor) for name in one.names]
    if not found:
        raise KubectlError("error: resource(s) were provided, but no name was specified")
    return found


def _changed(before: Object, after: Object) -> bool:
    return bool(
        before["metadata"].get("resourceVersion") != after["metadata"].get("resourceVersion")
    )


def _report(session: Session, obj: Object, text: str) -> None:
    if form := session.options.get("-o"):
        session.process.out(print_objects([obj], form, single=True))
    else:
        session.out(f"{object_name(obj)} {text}")


def label(session: Session, words: list[str]) -> int:
    """Run kubectl label."""
    return _pairs(session, words, "labels", "labeled", "unlabeled")


def annotate(session: Session, words: list[str]) -> int:
    """Run kubectl annotate."""
    return _pairs(session, words, "annotations", "annotated", "annotated")


def _pairs(session: Session, words: list[str], part: str, done: str, undone: str) -> int:
    pairs = [word for word in words if "=" in word]
    removed = [word for word in words if word.endswith("-") and "=" not in word]
    rest = [word for word in words if word not in pairs and word not in removed]
    if not pairs and not removed:
        what = "label" if part == "labels" else "annotation"
        raise KubectlError(f"error: at least one {what} update is required")
    values: dict[str, str | None] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        values[key] = value
    values |= {word[:-1]: None for word in removed}
    for obj in _chosen(session, rest):
        metadata = obj["metadata"]
        present = metadata.get(part) or {}
        conflicts = [
            key for key, value in values.items()
            if value is not None and key in present and present[key] != value
        ]  # fmt: skip
        if conflicts and "--overwrite" not in session.options:
            key = conflicts[0]
            text = f"error: '{key}' already has a value ({present[key]}), and --overwrite is false"
            if part == "annotations":
                text = f"error: --overwrite is false but found the following declared annotation(s): '{key}' already has a value ({present[key]})"
            session.fail(KubectlError(text))
            continue
        missing = [key for key, value in values.items() if value is None and key not in present]
        for key in missing:
            session.out(
                f'label "{key}" not found.'
                if part == "labels"
                else f'annotation "{key}" not found.'
            )
        resource = resource_of(obj, session.minor)
        path = resource.path(metadata.get("namespace"), metadata["name"])
        query = [("fieldManager", "kubectl-label" if part == "labels" else "kubectl-annotate")]
        try:
            found = session.connection.patch(path, {"metadata": {part: values}}, MERGE, query)
        except RequestError as error:
            session.fail(error)
            continue
        changed = _changed(obj, found)
        text = (
            (undone if not pairs else done)
            if changed
            else f"not {done}"
            if part == "labels"
            else done
        )
        _report(session, found, text)
    return 1 if session.failed else 0


def _chosen(session: Session, words: list[str]) -> list[Object]:
    found: list[Object] = []
    if files := session.options.all("-f"):
        for obj, _ in read(session.process, session.files, files):
            resource = resource_of(obj, session.minor)
            found += session.items(resource, (str(obj["metadata"]["name"]),))
        return found
    for one in wanted(words, session.minor):
        if not one.names and "--all" not in session.options and not session.options.get("-l"):
            raise KubectlError(
                "error: one or more resources must be specified as <resource> <name> or <resource>/<name>"
            )
        found += session.items(one.resource, one.names)
    return found


_TAINT = re.compile(r"([^=:]+?)(?:=([^:]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?(-)?")


def taint(session: Session, words: list[str]) -> int:
    """Run kubectl taint."""
    specs = []
    rest = []
    for word in words:
        found = _TAINT.fullmatch(word)
        if found and (found[2] is not None or found[3] or found[4]):
            specs.append(found)
        else:
            rest.append(word)
    if not specs:
        raise KubectlError("error: at least one taint update is required")
    for node in _chosen(session, rest):
        present: list[Object] = list(node["spec"].get("taints") or [])
        removing = False
        try:
            for spec in specs:
                removing = _apply_taint(session, node, present, spec) or removing
        except KubectlError as error:
            session.fail(error)
            continue
        body = {"spec": {"taints": present or None}}
        found_node = session.connection.patch(
            named("nodes").path(None, node["metadata"]["name"]),
            body,
            MERGE,
            [("fieldManager", "kubectl-taint")],
        )
        only_removed = removing and all(spec[4] for spec in specs)
        _report(
            session,
            found_node,
            "untainted" if only_removed else "modified" if removing else "tainted",
        )
    return 1 if session.failed else 0


def _apply_taint(
    session: Session, node: Object, present: list[Object], spec: re.Match[str]
) -> bool:
    key, value, effect, minus = spec[1], spec[2] or "", spec[3] or "", spec[4]
    same = [one for one in present if one["key"] == key and (not effect or one["effect"] == effect)]
    if minus:
        if not same:
            shown = f"{key}:{effect}" if effect else key
            raise KubectlError(f'error: taint "{shown}" not found')
        for one in same:
            present.remove(one)
        return True
    if same and "--overwrite" not in session.options:
        name = node["metadata"]["name"]
        raise KubectlError(
            f"error: node {name} already has {key} taint(s) with same effect(s) and --overwrite is false"
        )
    for one in same:
        present.remove(one)
    present.append({"key": key, **({"value": value} if value else {}), "effect": effect})
    return False


def scale(session: Session, words: list[str]) -> int:
    """Run kubectl scale."""
    options = session.options
    if "--replicas" not in options:
        raise KubectlError('error: required flag(s) "replicas" not set')
    for option in ("--current-replicas", "--resource-version"):
        if option in options:
            raise NotSimulated(f"kubectl scale {option}")
    body = {"spec": {"replicas": int(options.get("--replicas"))}}
    for resource, name in _named(session, words):
        if "scale" not in resource.subresources:
            raise KubectlError(
                f"error: cannot scale {resource.plural}: the server could not find the requested resource"
            )
        try:
            session.connection.patch(session.path(resource, name, "scale"), body, MERGE)
        except RequestError as error:
            session.fail(error)
            continue
        session.out(f"{full_name(resource)}/{name} scaled")
    return 1 if session.failed else 0


def set_fields(session: Session, words: list[str]) -> int:
    """Run kubectl set; the lab has `set image`."""
    what, *rest = words or [""]
    if what != "image":
        raise NotSimulated(f"kubectl set {what}".strip())
    images = dict(word.split("=", 1) for word in rest if "=" in word)
    if not images:
        raise KubectlError("error: at least one image update is required")
    objects = [word for word in rest if "=" not in word]
    if not objects:
        raise KubectlError(
            "error: one or more resources must be specified as <resource> <name> or <resource>/<name>"
        )
    for resource, name in _named(session, objects):
        try:
            found = session.connection.get(session.path(resource, name))
        except RequestError as error:
            session.fail(error)
            continue
        spec = found["spec"]["template"]["spec"] if "template" in found["spec"] else found["spec"]
        known = {one["name"]: one["image"] for one in spec["containers"]}
        wanted_images = {
            container: image
            for container in known
            for image in [images.get(container, images.get("*"))]
            if image is not None and image != known[container]
        }
        lacking = [one for one in images if one != "*" and one not in known]
        if lacking:
            session.fail(KubectlError(f'error: unable to find container named "{lacking[0]}"'))
            continue
        if not wanted_images:
            continue
        changed = {"containers": [{"name": one, "image": to} for one, to in wanted_images.items()]}
        body = {"spec": {"template": {"spec": changed}} if spec is not found["spec"] else changed}
        session.connection.patch(
            session.path(resource, name), body, STRATEGIC, [("fieldManager", "kubectl-set")]
        )
        session.out(f"{full_name(resource)}/{name} image updated")
    return 1 if session.failed else 0


def cordon(session: Session, words: list[str], *, on: bool = True) -> int:
    """Run kubectl cordon, or uncordon when `on` is False."""
    done = "cordoned" if on else "uncordoned"
    nodes = [Wanted(named("nodes"), tuple(word.removeprefix("node/") for word in words))]
    if not words and not session.options.get("-l"):
        raise KubectlError(f"error: USAGE: {'cordon' if on else 'uncordon'} NODE [flags]")
    for one in nodes:
        for node in session.items(one.resource, one.names):
            _mark(session, node, on, done)
    return 1 if session.failed else 0


def _mark(session: Session, node: Object, on: bool, done: str) -> None:
    name = node["metadata"]["name"]
    if bool(node["spec"].get("unschedulable")) == on:
        session.out(f"node/{name} already {done}")
        return
    body = {"spec": {"unschedulable": True if on else None}}
    session.connection.patch(named("nodes").path(None, name), body, MERGE)
    session.out(f"node/{name} {done}")


def uncordon(session: Session, words: list[str]) -> int:
    """Run kubectl uncordon."""
    return cordon(session, words, on=False)


def drain(session: Session, words: list[str]) -> int:
    """Run kubectl drain."""
    options = session.options
    if not words and "-l" not in options:
        raise KubectlError("error: USAGE: drain NODE [flags]")
    limit = _drain_seconds(options.get("--timeout"))
    for node in session.items(named("nodes"), tuple(word.removeprefix("node/") for word in words)):
        name = node["metadata"]["name"]
        _mark(session, node, True, "cordoned")
        listed = session.connection.get(
            "/api/v1/pods", [("fieldSelector", f"spec.nodeName={name}")]
        )
        evicted, problems, ignored = _sort_pods(session, listed["items"])
        if problems:
            text = "\n".join(problems)
            session.err(
                f'error: unable to drain node "{name}" due to error: {text}, continuing command...\n'
                f"There are pending nodes to be drained:\n {name}\n{text}"
            )
            return 1
        if ignored:
            session.err(f"Warning: ignoring DaemonSet-managed Pods: {', '.join(ignored)}")
        for pod in evicted:
            metadata = pod["metadata"]
            where = named("pods").path(metadata["namespace"], metadata["name"], "eviction")
            if "--disable-eviction" in options:
                session.out(f"deleting pod {metadata['namespace']}/{metadata['name']}")
                session.connection.delete(where.removesuffix("/eviction"))
                continue
            body: Object = {
                "apiVersion": "policy/v1" if session.minor >= 22 else "policy/v1beta1",
                "kind": "Eviction",
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            }
            if "--grace-period" in options:
                body["deleteOptions"] = {"gracePeriodSeconds": int(options.get("--grace-period"))}
            session.out(f"evicting pod {metadata['namespace']}/{metadata['name']}")
            try:
                session.connection.post(where, body)
            except RequestError as error:
                session.fail(error)
        end = time.monotonic() + limit
        for pod in evicted:
            metadata = pod["metadata"]
            path = named("pods").path(metadata["namespace"], metadata["name"])
            while (found := session.connection.find(path)) and found["metadata"]["uid"] == metadata[
                "uid"
            ]:
                if time.monotonic() > end or not session.wait_a_little():
                    raise KubectlError(
                        f'error: unable to drain node "{name}" due to error: error when waiting for pod'
                        f' "{metadata["name"]}" in namespace "{metadata["namespace"]}" to terminate: global'
                        f" timeout reached: {options.get('--timeout') or '2m'}"
                    )
            session.out(f"pod/{metadata['name']} evicted")
        session.out(f"node/{name} drained")
    return 1 if session.failed else 0


def _drain_seconds(text: str) -> float:
    """Return for how long a drain waits; without a limit the lab waits two minutes."""
    if text in ("", "0", "0s"):
        return 120.0
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if not found or "".join(number + unit for number, unit in found) != text:
        raise KubectlError(
            f'error: invalid argument "{text}" for "--timeout" flag: time: invalid duration "{text}"'
        )
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in found)


def _sort_pods(session: Session, pods: list[Object]) -> tuple[list[Object], list[str], list[str]]:
    options = session.options
    evicted, daemons, loose, local = [], [], [], []
    for pod in pods:
        metadata = pod["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}"
        owners = [one["kind"] for one in metadata.get("ownerReferences") or []]
        if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
            continue
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            evicted.append(pod)
            continue
        if "DaemonSet" in owners:
            daemons.append(name)
            continue
        if not owners and "--force" not in options:
            loose.append(name)
        if any("emptyDir" in volume for volume in pod["spec"].get("volumes") or []) and (
            "--delete-emptydir-data" not in options and "--delete-local-data" not in options
        ):
            local.append(name)
        evicted.append(pod)
    problems = []
    if daemons and "--ignore-daemonsets" not in options:
        problems.append(
            f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {', '.join(daemons)}"
        )
    if local:
        problems.append(
            f"cannot delete Pods with local storage (use --delete-emptydir-data to override): {', '.join(local)}"
        )
    if loose:
        problems.append(
            f"cannot delete Pods that declare no controller (use --force to override): {', '.join(loose)}"
        )
    return evicted, problems, daemons
