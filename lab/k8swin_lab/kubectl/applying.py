"""kubectl apply, create -f, replace, delete and diff: what manifests say, brought to the cluster."""

from __future__ import annotations

import copy
import difflib
import json
import time
from typing import Any

from k8swin_lab.kubectl.client import APPLY, STRATEGIC
from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.manifests import read
from k8swin_lab.kubectl.names import full_name, resource_of, wanted
from k8swin_lab.kubectl.output import object_name, print_objects, to_yaml, without_managed_fields
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.machines.program import NotSimulated

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def apply(session: Session, words: list[str]) -> int:
    """Run kubectl apply."""
    options = session.options
    for option in ("-k", "--prune"):
        if option in options:
            raise NotSimulated(f"kubectl apply {option}")
    dry_run = _dry_run(session)
    done: list[Object] = []
    for obj, source in read(session.process, session.files, options.all("-f")):
        resource = resource_of(obj, session.minor)
        namespace = _namespace(session, obj)
        try:
            if "--server-side" in options:
                result, text = _server_side(session, resource, obj, namespace, dry_run)
            else:
                result, text = _client_side(session, resource, obj, namespace, dry_run)
        except RequestError as error:
            session.fail(_with_source(error, source, "applying patch" if error.http == 422 else ""))
            continue
        done.append(result)
        if not options.get("-o"):
            suffix = f" ({options.get('--dry-run')} dry run)" if dry_run else ""
            session.out(f"{object_name(result)} {text}{suffix}")
    if form := options.get("-o"):
        session.process.out(print_objects(done, form, single=len(done) == 1))
    return 1 if session.failed else 0


def _with_source(error: RequestError, source: str, doing: str) -> KubectlError:
    if error.reason == "Conflict":
        return KubectlError(
            f"error: Apply failed with {error.message.removeprefix('Apply failed with ')}\n"
            "Please review the fields above--they currently have other managers. Here\n"
            "are the ways you can resolve this warning:\n"
            "* If you intend to manage all of these fields, please re-run the apply\n"
            "  command with the `--force-conflicts` flag.\n"
            "* If you do not intend to manage all of the fields, please edit your\n"
            "  manifest to remove references to the fields that should keep their\n"
            "  current managers.\n"
            "* You may co-own fields by updating your manifest to match the existing\n"
            "  value; in this case, you'll become the manager if the other manager(s)\n"
            "  stop managing the field (remove it from their configuration).\n"
            "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"
        )
    if error.http in (400, 404, 403) and doing == "" and source:
        return KubectlError(
            f'Error from server ({error.reason}): error when creating "{source}": {error.message}'
        )
    return error


def _dry_run(session: Session) -> bool:
    value = session.options.get("--dry-run")
    if not value and "--dry-run" in session.options:
        raise KubectlError(
            'error: Invalid dry-run value (). Must be "none", "server", or "client".'
        )
    return value in ("server", "client")


def _namespace(session: Session, obj: Object) -> str:
    own = str(obj.get("metadata", {}).get("namespace") or "")
    given = session.options.get("-n")
    if own and given and own != given:
        raise KubectlError(
            f'error: the namespace from the provided object "{own}" does not match the namespace "{given}".'
            f" You must pass '--namespace={own}' to perform this operation."
        )
    return own or session.namespace


def _name(obj: Object) -> str:
    return str(obj.get("metadata", {}).get("name") or "")


def _server_side(
    session: Session, resource: Resource, obj: Object, namespace: str, dry_run: bool
) -> tuple[Object, str]:
    manager = session.options.get("--field-manager") or "kubectl"
    query = [("fieldManager", manager), ("fieldValidation", "Strict")]
    if "--force-conflicts" in session.options:
        query.append(("force", "true"))
    if dry_run:
        query.append(("dryRun", "All"))
    path = resource.path(namespace, _name(obj))
    result = session.connection.patch(path, obj, APPLY, query)
    return result, "serverside-applied"


def _client_side(
    session: Session, resource: Resource, obj: Object, namespace: str, dry_run: bool
) -> tuple[Object, str]:
    if dry_run and session.options.get("--dry-run") == "client":
        live = session.connection.find(resource.path(namespace, _name(obj)))
        return obj, "configured" if live else "created"
    query = [("fieldManager", "kubectl-client-side-apply"), ("fieldValidation", "Strict")]
    if dry_run:
        query.append(("dryRun", "All"))
    desired = with_last_applied(obj, namespace if resource.namespaced else "")
    live = session.connection.find(resource.path(namespace, _name(obj)))
    if live is None:
        return session.connection.post(resource.path(namespace), desired, query), "created"
    annotations = live["metadata"].get("annotations") or {}
    if LAST_APPLIED not in annotations:
        session.err(
            f"Warning: resource {resource.plural}/{_name(obj)} is missing the {LAST_APPLIED} annotation which is"
            " required by kubectl apply. kubectl apply should only be used on resources created declaratively by"
            " either kubectl create --save-config or kubectl apply. The missing annotation will be patched"
            " automatically."
        )
    before = json.loads(annotations.get(LAST_APPLIED) or "{}")
    patch = _three_way(before, desired, live)
    result = session.connection.patch(resource.path(namespace, _name(obj)), patch, STRATEGIC, query)
    same = result["metadata"].get("resourceVersion") == live["metadata"].get("resourceVersion")
    return result, "unchanged" if same else "configured"


def with_last_applied(obj: Object, namespace: str) -> Object:
    """Return an object with the annotation that remembers it."""
    desired = copy.deepcopy(obj)
    metadata = desired.setdefault("metadata", {})
    if namespace:
        metadata["namespace"] = namespace
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    metadata["annotations"] = annotations
    text = json.dumps(desired, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    metadata["annotations"] = {**annotations, LAST_APPLIED: f"{text}\n"}
    return desired


def _three_way(before: Any, desired: Any, live: Any) -> Any:
    """Return the patch: what the new manifest says, without what the old one said and it no longer does."""
    patch = copy.deepcopy(desired)
    for key, old in (before or {}).items():
        if key not in desired:
            if key in (live or {}):
                patch[key] = None
        elif isinstance(old, dict) and isinstance(desired[key], dict):
            patch[key] = _three_way(old, desired[key], (live or {}).get(key) or {})
    return patch


def create(session: Session, obj: Object, source: str) -> Object | None:
    """Create one object of a manifest; a refusal is reported."""
    resource = resource_of(obj, session.minor)
    namespace = _namespace(session, obj)
    query = [("fieldManager", "kubectl-create"), ("fieldValidation", "Strict")]
    if session.options.get("--dry-run") == "client":
        return obj
    if session.options.get("--dry-run") == "server":
        query.append(("dryRun", "All"))
    try:
        found: Object = session.connection.post(resource.path(namespace), obj, query)
    except RequestError as error:
        if not source:
            session.fail(error)
        elif error.reason == "Invalid":
            session.fail(
                KubectlError(
                    f'Error from server (Invalid): error when creating "{source}": {error.message}'
                )
            )
        else:
            session.fail(
                KubectlError(
                    f'Error from server ({error.reason}): error when creating "{source}": {error.message}'
                )
            )
        return None
    return found


def delete(session: Session, words: list[str]) -> int:
    """Run kubectl delete."""
    options = session.options
    targets: list[tuple[Resource, str, str, str]] = []
    if options.all("-f"):
        for obj, source in read(session.process, session.files, options.all("-f")):
            targets.append(
                (resource_of(obj, session.minor), _namespace(session, obj), _name(obj), source)
            )
    else:
        everything = (
            "--all" in options or bool(options.get("-l")) or bool(options.get("--field-selector"))
        )
        for one in wanted(words, session.minor):
            if not one.names and not everything:
                raise KubectlError("error: resource(s) were provided, but no name was specified")
            for name in one.names:
                targets.append((one.resource, session.namespace, name, ""))
            if not one.names:
                for obj in session.items(one.resource, ()):
                    metadata = obj["metadata"]
                    targets.append(
                        (one.resource, metadata.get("namespace", ""), metadata["name"], "")
                    )
        if not targets:
            session.out("No resources found")
    gone: list[tuple[Resource, str, str]] = []
    for resource, namespace, name, source in targets:
        body: Object = {
            "propagationPolicy": (options.get("--cascade") or "background").capitalize()
        }
        if "--grace-period" in options:
            body["gracePeriodSeconds"] = int(options.get("--grace-period"))
        if "--now" in options:
            body["gracePeriodSeconds"] = 1
        if "--force" in options:
            body["gracePeriodSeconds"] = 0
        try:
            session.connection.delete(resource.path(namespace, name), body)
        except RequestError as error:
            if error.http == 404 and "--ignore-not-found" in options:
                continue
            if source:
                error = KubectlError(
                    f'Error from server ({error.reason}): error when deleting "{source}": {error.message}'
                )  # type: ignore[assignment]
            session.fail(error)
            continue
        gone.append((resource, namespace, name))
        where = f" from {namespace} namespace" if resource.namespaced else ""
        if options.get("-o") == "name":
            session.out(f"{full_name(resource)}/{name}")
        else:
            forced = " force" if "--force" in options else ""
            session.out(f'{full_name(resource)} "{name}"{forced} deleted{where}')
    if options.get("--wait", "true") != "false" and "--force" not in options:
        _wait_until_gone(session, gone)
    return 1 if session.failed else 0


def _wait_until_gone(session: Session, gone: list[tuple[Resource, str, str]]) -> None:
    end = time.monotonic() + 120
    for resource, namespace, name in gone:
        while session.connection.find(resource.path(namespace, name)) is not None:
            if time.monotonic() > end or not session.wait_a_little():
                raise KubectlError("error: timed out waiting for the condition")


def diff(session: Session, words: list[str]) -> int:
    """Run kubectl diff; 1 means that there are differences, more that it failed."""
    differs = False
    for obj, _ in read(session.process, session.files, session.options.all("-f")):
        resource = resource_of(obj, session.minor)
        namespace = _namespace(session, obj)
        try:
            live = session.connection.find(resource.path(namespace, _name(obj)))
            merged = _merged(session, resource, obj, namespace, live)
        except KubectlError as error:
            conflict = isinstance(error, RequestError) and error.http == 409
            raise KubectlError(str(error), 1 if conflict else 2) from error
        text = _difference(resource, namespace, live, merged)
        if text:
            differs = True
            session.process.out(text)
    return 1 if differs else 0


def _merged(
    session: Session, resource: Resource, obj: Object, namespace: str, live: Object | None
) -> Object:
    if "--server-side" in session.options:
        found, _ = _server_side(session, resource, obj, namespace, True)
        return found
    query = [("fieldManager", "kubectl-client-side-apply"), ("dryRun", "All")]
    if live is None:
        made: Object = session.connection.post(resource.path(namespace), obj, query)
        return made
    annotations = live["metadata"].get("annotations") or {}
    before = json.loads(annotations.get(LAST_APPLIED) or "{}")
    desired = with_last_applied(obj, namespace if resource.namespaced else "")
    patch = _three_way(before, desired, live)
    patched: Object = session.connection.patch(
        resource.path(namespace, _name(obj)), patch, STRATEGIC, query
    )
    return patched


def _difference(resource: Resource, namespace: str, live: Object | None, merged: Object) -> str:
    before, after = (_shown(one) if one else "" for one in (live, merged))
    if before == after:
        return ""
    version = resource.api_version.replace("/", ".")
    name = f"{version}.{resource.kind}.{namespace if resource.namespaced else ''}.{merged['metadata']['name']}"
    old, new = f"/tmp/LIVE-1071934261/{name}", f"/tmp/MERGED-3106521887/{name}"  # noqa: S108 - text
    stamp = time.strftime("%Y-%m-%d %H:%M:%S.000000000 +0000", time.gmtime())
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), old, new, stamp, stamp
    )
    return f"diff -u -N {old} {new}\n" + "".join(lines)


def _shown(obj: Object) -> str:
    shown = copy.deepcopy(without_managed_fields(obj))
    for key in (LAST_APPLIED,):
        annotations = shown["metadata"].get("annotations")
        if annotations and key in annotations:
            del annotations[key]
            if not annotations:
                del shown["metadata"]["annotations"]
    return to_yaml(shown)
