"""Create, update, patch and delete: the pipelines through which every object goes into the store."""

from __future__ import annotations

import base64
import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography import x509

from k8swin_lab.kubernetes import (
    admission,
    allocation,
    defaults,
    errors,
    managed_fields,
    naming,
    schema,
    timestamps,
    validation,
)
from k8swin_lab.kubernetes.errors import Object, bad_request
from k8swin_lab.kubernetes.resources import Resource, named
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.users import User

_HAS_GENERATION = {
    "Pod", "Deployment", "DaemonSet", "ReplicaSet", "StatefulSet", "Job", "EndpointSlice",
    "PodDisruptionBudget", "Ingress", "NetworkPolicy", "PriorityClass", "CSIDriver",
}  # fmt: skip


@dataclass(slots=True)
class WriteOptions:
    """What comes with a write besides the object."""

    user: User
    manager: str = "unknown"
    dry_run: bool = False
    field_validation: str = "Warn"
    subresource: str = ""
    warnings: list[str] = field(default_factory=list)
    applied: bool = False  # server-side apply has settled the managed fields already


class Writer:
    """Writes to one store."""

    def __init__(
        self, store: Store, service_subnet: str, clock: Callable[[], float], minor: int
    ) -> None:
        self.store = store
        self.service_subnet = service_subnet
        self.clock = clock
        self.minor = minor

    def create(
        self, resource: Resource, namespace: str, obj: Object, options: WriteOptions
    ) -> Object:
        """Store a new object and return it.

        Raises:
            ApiError: it exists (409), is not valid (422), or its namespace does not exist (404).
        """
        obj = copy.deepcopy(obj)
        self.decode(resource, namespace, "", obj, options)
        metadata = obj["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + naming.suffix()
        if resource.namespaced:
            self._check_namespace(resource, metadata)
        defaults.fill(obj)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamps.rfc3339(self.clock())
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"):
            metadata.pop(name, None)
        if resource.kind in _HAS_GENERATION:
            metadata["generation"] = 1
        applied = metadata.pop("managedFields", None)
        self._prepare_new(resource, obj, options)
        self._check(resource, obj, None)
        if self.store.get(resource, namespace, metadata["name"]) is not None:
            raise errors.already_exists(resource.plural, resource.group, metadata["name"])
        if resource.kind == "Service":
            others = self.store.objects(resource)
            allocation.allocate_service(obj, others, self.service_subnet)
        if applied is not None:
            metadata["managedFields"] = applied
        else:
            self._record_manager(resource, None, obj, options)
        return obj if options.dry_run else self.store.put(resource, obj)

    def _prepare_new(self, resource: Resource, obj: Object, options: WriteOptions) -> None:
        if resource.kind == "Pod":
            admission.admit_pod(self.store, obj, self.minor)
        elif resource.kind == "CertificateSigningRequest":
            _check_request(obj)
            # Who asks is what the server knows, whatever the request says.
            obj["spec"] |= {"username": options.user.name, "groups": list(options.user.groups)}
            obj["status"] = {}
        elif "status" in resource.subresources and resource.kind not in (
            "Node",
            "Namespace",
            "Service",
        ):
            obj["status"] = {}
            if resource.kind in ("DaemonSet", "ReplicaSet", "StatefulSet"):
                obj["status"] = _zero_status(resource.kind)
        if resource.kind == "Job" and "selector" not in obj["spec"]:
            labels = {
                "batch.kubernetes.io/controller-uid": obj["metadata"]["uid"],
                "batch.kubernetes.io/job-name": obj["metadata"]["name"],
                "controller-uid": obj["metadata"]["uid"],
                "job-name": obj["metadata"]["name"],
            }
            obj["spec"]["template"]["metadata"].setdefault("labels", {}).update(labels)
            first = "batch.kubernetes.io/controller-uid"
            obj["spec"]["selector"] = {"matchLabels": {first: labels[first]}}

    def decode(
        self, resource: Resource, namespace: str, name: str, obj: Object, options: WriteOptions
    ) -> None:
        """Check that the body is this kind, in this place; treat fields that the kind lacks."""
        expected = (resource.api_version, resource.kind)
        obj.setdefault("apiVersion", expected[0])
        obj.setdefault("kind", expected[1])
        if obj["apiVersion"] != expected[0]:
            raise bad_request(
                f"the API version in the data ({obj['apiVersion']}) does not match the expected "
                f"API version ({expected[0]})"
            )
        if obj["kind"] != expected[1]:
            raise bad_request(
                f'{obj["kind"]} in version "{resource.version}" cannot be handled as a '
                f"{expected[1]}: converting ({expected[0]}.{obj['kind']}) to "
                f"({expected[0]}.{expected[1]}): unknown conversion"
            )
        metadata = obj.setdefault("metadata", {})
        if resource.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on "
                    "the request"
                )
        else:
            metadata.pop("namespace", None)
        if name and metadata.setdefault("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({name})"
            )
        self._check_fields(resource, obj, options)

    def _check_fields(self, resource: Resource, obj: Object, options: WriteOptions) -> None:
        kind = schema.schema_of(resource.api_version, resource.kind)
        if kind is None:
            return
        unknown = schema.unknown_fields(obj, kind)
        texts = [f'unknown field "{path}"' for path in unknown]
        start = (
            f'{resource.kind} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: "
        )
        if unknown and options.field_validation == "Strict":
            raise bad_request(f"{start}strict decoding error: {', '.join(texts)}")
        if options.field_validation == "Warn":
            options.warnings += texts
        schema.prune(obj, kind)
        if problem := schema.type_errors(obj, kind):
            raise bad_request(start + problem)
        _drop_nulls(obj)

    def _check_namespace(self, resource: Resource, metadata: Object) -> None:
        where = metadata["namespace"]
        found = self.store.get(named("namespaces"), "", where)
        if found is None:
            raise errors.not_found("namespaces", "", where)
        if found["metadata"].get("deletionTimestamp"):
            name = metadata.get("name", "")
            raise errors.forbidden(
                f'{errors.qualified(resource.plural, resource.group)} "{name}" is forbidden: '
                f"unable to create new content in namespace {where} because it is being "
                "terminated",
                resource.plural,
                resource.group,
                name,
            )

    def _check(self, resource: Resource, obj: Object, old: Object | None) -> None:
        causes = validation.check(obj, old)
        if causes:
            name = obj["metadata"].get("name", "")
            raise errors.invalid(resource.kind, resource.group, name, causes)

    def _record_manager(
        self, resource: Resource, old: Object | None, new: Object, options: WriteOptions
    ) -> None:
        kind = schema.schema_of(resource.api_version, resource.kind) or {}
        managed_fields.after_update(
            old,
            new,
            kind,
            options.manager,
            options.subresource,
            timestamps.rfc3339(self.clock()),
        )

    def update(self, resource: Resource, old: Object, obj: Object, options: WriteOptions) -> Object:
        """Store a new state of an object; `options.subresource` limits it to that part.

        Raises:
            ApiError: the resource version is not the stored one (409), or it is not valid (422).
        """
        new = copy.deepcopy(obj)
        name = old["metadata"]["name"]
        self.decode(resource, old["metadata"].get("namespace", ""), name, new, options)
        metadata = new["metadata"]
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise errors.conflict(resource.plural, resource.group, name)
        if metadata.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
            raise errors.conflict(
                resource.plural,
                resource.group,
                name,
                f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object "
                f"meta: {old['metadata']['uid']}",
            )
        new = self._limited(resource, old, new, options.subresource)
        defaults.fill(new)
        self._check(resource, new, old)
        if resource.kind == "Service":
            allocation.allocate_service(new, self.store.objects(resource), self.service_subnet)
        metadata = new["metadata"]
        if "generation" in old["metadata"]:
            changed = new.get("spec") != old.get("spec")
            metadata["generation"] = old["metadata"]["generation"] + (1 if changed else 0)
        if not options.applied:
            self._record_manager(resource, old, new, options)
        if _without_version(new) == _without_version(old):
            return old
        if options.dry_run:
            return new
        going = metadata.get("deletionTimestamp") and not metadata.get("finalizers")
        if going and not _graceful(new):
            return self.store.remove(resource, metadata.get("namespace", ""), name)
        return self.store.put(resource, new)

    def _limited(self, resource: Resource, old: Object, new: Object, subresource: str) -> Object:
        kept = {
            key: old["metadata"][key]
            for key in (
                "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                "generation", "namespace", "generateName",
            )
            if key in old["metadata"]
        }  # fmt: skip
        if subresource in ("status", "approval"):
            limited = copy.deepcopy(old)
            if "status" in new:
                limited["status"] = new["status"]
            if resource.kind == "Node":
                # Kubelets and network daemons label and annotate their node through its status.
                for key in ("annotations", "labels"):
                    if key in new["metadata"]:
                        limited["metadata"][key] = new["metadata"][key]
            if "managedFields" in new["metadata"]:
                limited["metadata"]["managedFields"] = new["metadata"]["managedFields"]
            return limited
        new["metadata"] = {**new["metadata"], **kept}
        if "status" in resource.subresources or resource.kind == "Pod":
            new.pop("status", None)
            if "status" in old:
                new["status"] = copy.deepcopy(old["status"])
        return new

    def apply(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        configuration: Object,
        options: WriteOptions,
        *,
        force: bool,
    ) -> tuple[Object, bool]:
        """Server-side apply: returns the object and whether it is new."""
        configuration = copy.deepcopy(configuration)
        options.field_validation = options.field_validation or "Strict"
        if (configuration.get("metadata") or {}).get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        self.decode(resource, namespace, name, configuration, options)
        live = self.store.get(resource, namespace, name)
        kind = schema.schema_of(resource.api_version, resource.kind) or {}
        now = timestamps.rfc3339(self.clock())
        merged = managed_fields.apply(
            live,
            configuration,
            kind,
            manager=options.manager,
            subresource=options.subresource,
            force=force,
            now=now,
        )
        if live is None:
            return self.create(resource, namespace, merged, options), True
        options.applied = True
        options.field_validation = "Ignore"
        return self.update(resource, live, merged, options), False

    def delete(self, resource: Resource, old: Object, body: Object, *, dry_run: bool) -> Object:
        """Delete an object, or mark it when finalizers or a running pod keep it."""
        metadata = old["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace", "")
        wanted = body.get("preconditions") or {}
        for key in ("uid", "resourceVersion"):
            if wanted.get(key) and wanted[key] != metadata[key]:
                why = (
                    f"Precondition failed: {key} in precondition: {wanted[key]}, {key} in object "
                    f"meta: {metadata[key]}"
                )
                raise errors.conflict(resource.plural, resource.group, name, why)
        if dry_run:
            return old
        grace = self._grace(resource, old, body.get("gracePeriodSeconds"))
        finalizers = list(metadata.get("finalizers") or [])
        policy = body.get("propagationPolicy") or (
            "Orphan" if body.get("orphanDependents") else "Background"
        )
        extra = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(policy)
        if extra and extra not in finalizers and not metadata.get("deletionTimestamp"):
            finalizers.append(extra)
        if not finalizers and grace == 0 and resource.kind != "Namespace":
            return self.store.remove(resource, namespace, name)
        going = bool(metadata.get("deletionTimestamp"))
        if going and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
            return old
        marked = copy.deepcopy(old)
        marked["metadata"]["deletionTimestamp"] = timestamps.rfc3339(self.clock() + grace)
        marked["metadata"]["deletionGracePeriodSeconds"] = grace
        if finalizers:
            marked["metadata"]["finalizers"] = finalizers
        if "generation" in marked["metadata"]:
            marked["metadata"]["generation"] += 1
        if resource.kind == "Namespace":
            marked["metadata"].pop("deletionGracePeriodSeconds")
            marked["status"] = {**(marked.get("status") or {}), "phase": "Terminating"}
        return self.store.put(resource, marked)

    def _grace(self, resource: Resource, old: Object, asked: int | None) -> int:
        if resource.kind != "Pod":
            return 0
        if asked == 0:
            return 0
        done = (old.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if done or not old["spec"].get("nodeName"):
            return 0
        if asked is not None and asked > 0:
            return asked
        return int(old["spec"].get("terminationGracePeriodSeconds", 30))


def _graceful(obj: Object) -> bool:
    return bool(obj["metadata"].get("deletionGracePeriodSeconds") or obj["kind"] == "Namespace")


def _without_version(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {**obj, "metadata": metadata}


def _drop_nulls(value: object) -> None:
    if isinstance(value, dict):
        for key in [key for key, inner in value.items() if inner is None]:
            del value[key]
        for inner in value.values():
            _drop_nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            _drop_nulls(inner)


def _zero_status(kind: str) -> Object:
    if kind == "DaemonSet":
        names = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
                 "numberReady")  # fmt: skip
        return dict.fromkeys(names, 0)
    if kind == "StatefulSet":
        return {"replicas": 0, "availableReplicas": 0}
    return {"replicas": 0}


def _check_request(obj: Object) -> None:
    """Refuse what is no certificate request, or has another key's signature."""
    text = str(obj["spec"].get("request") or "")
    try:
        request = x509.load_pem_x509_csr(base64.b64decode(text))
        problem = "" if request.is_signature_valid else "x509: invalid signature"
    except ValueError:
        problem = "PEM block type must be CERTIFICATE REQUEST"
    if problem:
        cause = errors.invalid_value("spec.request", text, problem)
        name = obj["metadata"].get("name", "")
        raise errors.invalid("CertificateSigningRequest", "certificates.k8s.io", name, [cause])
