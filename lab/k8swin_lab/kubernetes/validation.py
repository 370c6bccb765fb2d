"""What the API refuses: names, required fields, immutable fields, addresses and ports."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator

from k8swin_lab.kubernetes.errors import Cause, Object, invalid_value, required, unsupported
from k8swin_lab.kubernetes.selectors import match_selector

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    rf"for validation is '{_LABEL}(\.{_LABEL})*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{_LABEL}')"
)
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_LABEL_1035}')"
)
_RBAC = "rbac.authorization.k8s.io"
_IMMUTABLE = "field is immutable"


def check(obj: Object, old: Object | None) -> list[Cause]:
    """Return every reason to refuse an object; `old` is the stored one on an update."""
    causes = list(_metadata(obj))
    rule = _RULES.get(obj["kind"])
    if rule is not None:
        causes += rule(obj)
    if old is not None:
        causes += _immutable(obj, old)
    return causes


def _metadata(obj: Object) -> Iterator[Cause]:
    name = obj["metadata"].get("name", "")
    kind = obj["kind"]
    if not name:
        yield required("metadata.name", "name or generateName is required")
        return
    if kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"):
        if "/" in name or "%" in name:
            yield invalid_value("metadata.name", name, "may not contain '/' or '%'")
    elif kind == "Namespace":
        if not re.fullmatch(_LABEL, name) or len(name) > 63:
            yield invalid_value("metadata.name", name, _LABEL_TEXT)
    elif kind == "Service":
        if not re.fullmatch(_LABEL_1035, name) or len(name) > 63:
            yield invalid_value("metadata.name", name, _LABEL_1035_TEXT)
    elif not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", name):
        yield invalid_value("metadata.name", name, _SUBDOMAIN_TEXT)
    elif len(name) > 253:
        yield invalid_value("metadata.name", name, "must be no more than 253 characters")


def _pod_spec(spec: Object, path: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    seen: set[str] = set()
    for group in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(group) or []):
            where = f"{path}.{group}[{index}]"
            name = container.get("name", "")
            if not name:
                yield required(f"{where}.name")
            elif not re.fullmatch(_LABEL, name) or len(name) > 63:
                yield invalid_value(f"{where}.name", name, _LABEL_TEXT)
            elif name in seen:
                yield Cause("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{name}"')
            seen.add(name)
            if not container.get("image"):
                yield required(f"{where}.image")
            yield from _container(container, where, volumes)
    if spec.get("restartPolicy") not in ("Always", "OnFailure", "Never"):
        yield unsupported(
            f"{path}.restartPolicy", spec.get("restartPolicy"), ["Always", "Never", "OnFailure"]
        )
    name = (spec.get("os") or {}).get("name")
    if name is not None and name not in ("linux", "windows"):
        yield unsupported(f"{path}.os.name", name, ["linux", "windows"])
    yield from _windows_only(spec, path, name)


def _container(container: Object, where: str, volumes: set[object]) -> Iterator[Cause]:
    for index, port in enumerate(container.get("ports") or []):
        number = port.get("containerPort")
        if not number:
            yield required(f"{where}.ports[{index}].containerPort")
        elif not 1 <= number <= 65535:
            yield invalid_value(
                f"{where}.ports[{index}].containerPort",
                number,
                "must be between 1 and 65535, inclusive",
            )
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            yield Cause(
                "FieldValueNotFound",
                f"{where}.volumeMounts[{index}].name",
                f'Not found: "{mount.get("name")}"',
            )


def _windows_only(spec: Object, path: str, system: str | None) -> Iterator[Cause]:
    if system == "windows":
        for field in ("hostPID", "hostIPC"):
            if spec.get(field):
                yield Cause(
                    "FieldValueForbidden",
                    f"{path}.{field}",
                    "Forbidden: cannot be set for a windows pod",
                )
    windows = (spec.get("securityContext") or {}).get("windowsOptions") or {}
    if system == "linux" and windows:
        yield Cause(
            "FieldValueForbidden",
            f"{path}.securityContext.windowsOptions",
            "Forbidden: windows options cannot be set for a linux pod",
        )
    if windows.get("hostProcess") and not spec.get("hostNetwork"):
        yield invalid_value(
            f"{path}.hostNetwork",
            False,
            "hostNetwork must be true if pod contains any hostProcess containers",
        )


def _pod(obj: Object) -> Iterator[Cause]:
    yield from _pod_spec(obj["spec"], "spec")


def _workload(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    selector = spec.get("selector")
    labels = spec["template"]["metadata"].get("labels") or {}
    if selector is None:
        yield required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid_value("spec.selector", {}, f"empty selector is invalid for {_noun(obj)}")
    if not match_selector(labels, selector):
        yield invalid_value(
            "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )
    replicas = spec.get("replicas", 0)
    if isinstance(replicas, int) and replicas < 0:
        yield invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    strategy = spec.get("strategy") or {}
    if obj["kind"] == "Deployment":
        if strategy.get("type") not in ("Recreate", "RollingUpdate"):
            yield unsupported(
                "spec.strategy.type", strategy.get("type"), ["Recreate", "RollingUpdate"]
            )
        elif strategy["type"] == "Recreate" and strategy.get("rollingUpdate"):
            yield Cause(
                "FieldValueForbidden",
                "spec.strategy.rollingUpdate",
                "Forbidden: may not be specified when strategy `type` is 'Recreate'",
            )


def _noun(obj: Object) -> str:
    return {
        "Deployment": "deployment",
        "DaemonSet": "daemonset",
        "ReplicaSet": "deployment",
        "StatefulSet": "statefulset",
    }[obj["kind"]]


def _job(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy == "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ["OnFailure", "Never"])


def _service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    if spec.get("type") not in kinds:
        yield unsupported("spec.type", spec.get("type"), kinds)
    ports = spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            yield required(f"{where}.name")
        if not 1 <= port.get("port", 0) <= 65535:
            yield invalid_value(
                f"{where}.port", port.get("port", 0), "must be between 1 and 65535, inclusive"
            )
        if spec.get("type") == "ClusterIP" and port.get("nodePort"):
            yield Cause(
                "FieldValueForbidden",
                f"{where}.nodePort",
                "Forbidden: may not be used when `type` is 'ClusterIP'",
            )
    for field in ("externalIPs", "loadBalancerSourceRanges"):
        for index, text in enumerate(spec.get(field) or []):
            if field == "externalIPs" and (problem := _address(text)):
                yield invalid_value(f"spec.{field}[{index}]", text, problem)
    cluster = spec.get("clusterIP")
    if cluster and cluster != "None" and (problem := _address(cluster)):
        yield invalid_value("spec.clusterIPs[0]", cluster, problem)


def _address(text: str) -> str | None:
    """Return what is wrong with an address; leading zeros are refused as Kubernetes 1.36 does."""
    if re.search(r"(^|\.)0\d", text):
        return "must not have leading 0s"
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    return None


def _config_values(obj: Object) -> Iterator[Cause]:
    for field in ("data", "binaryData"):
        for key, value in (obj.get(field) or {}).items():
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                yield invalid_value(
                    f"{field}[{key}]",
                    key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation "
                    "is '[-._a-zA-Z0-9]+')",
                )
            if obj["kind"] == "Secret" or field == "binaryData":
                try:
                    base64.b64decode(value or "", validate=True)
                except (binascii.Error, ValueError):
                    yield invalid_value(f"{field}[{key}]", value, "illegal base64 data")


def _role_binding(obj: Object) -> Iterator[Cause]:
    reference = obj.get("roleRef") or {}
    if reference.get("apiGroup") != _RBAC:
        yield unsupported("roleRef.apiGroup", reference.get("apiGroup"), [_RBAC])
    if not reference.get("name"):
        yield required("roleRef.name")


def _role(obj: Object) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or []):
        if not rule.get("verbs"):
            yield required(f"rules[{index}].verbs", "verbs must contain at least one value")


def _immutable(obj: Object, old: Object) -> Iterator[Cause]:
    kind = obj["kind"]
    if kind in ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet"):
        selector = obj["spec"].get("selector")
        if selector != old["spec"].get("selector"):
            yield invalid_value("spec.selector", selector, _IMMUTABLE)
    elif kind == "Job":
        for field in ("selector", "template", "completionMode"):
            if obj["spec"].get(field) != old["spec"].get(field):
                yield invalid_value(f"spec.{field}", obj["spec"].get(field), _IMMUTABLE)
    elif kind == "Service":
        before, after = old["spec"].get("clusterIP"), obj["spec"].get("clusterIP")
        if before and after != before and obj["spec"]["type"] != "ExternalName":
            yield invalid_value("spec.clusterIPs[0]", [after], "may not change once set")
    elif kind in ("RoleBinding", "ClusterRoleBinding"):
        if obj.get("roleRef") != old.get("roleRef"):
            yield invalid_value("roleRef", obj.get("roleRef"), "cannot change roleRef")
    elif kind == "Secret":
        if obj.get("type") != old.get("type"):
            yield invalid_value("type", obj.get("type"), _IMMUTABLE)
    elif kind == "Node":
        before = old.get("spec", {}).get("podCIDR")
        if before and obj.get("spec", {}).get("podCIDR") != before:
            yield Cause(
                "FieldValueForbidden",
                "spec.podCIDRs",
                'Forbidden: node updates may not change podCIDR except from "" to valid',
            )
    elif kind == "Pod":
        yield from _pod_update(obj["spec"], old["spec"])
    frozen = old.get("immutable") and kind in ("ConfigMap", "Secret")
    if frozen and obj.get("data") != old.get("data"):
        text = "Forbidden: field is immutable when `immutable` is set"
        yield Cause("FieldValueForbidden", "data", text)


def _pod_update(new: Object, old: Object) -> Iterator[Cause]:
    def fixed(spec: Object) -> Object:
        kept = {
            key: value
            for key, value in spec.items()
            if key not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
        }
        for group in ("containers", "initContainers"):
            if group in kept:
                kept[group] = [{**item, "image": ""} for item in kept[group]]
        return kept

    if fixed(new) != fixed(old):
        yield Cause(
            "FieldValueForbidden",
            "spec",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
            "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
            "be set to 1 if it was previously negative)",
        )


_RULES: dict[str, Callable[[Object], Iterator[Cause]]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "DaemonSet": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "Job": _job,
    "Service": _service,
    "ConfigMap": _config_values,
    "Secret": _config_values,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
    "Role": _role,
    "ClusterRole": _role,
}
