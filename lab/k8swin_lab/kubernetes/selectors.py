"""Label and field selectors, in the text form of a query and in the object form of a spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from k8swin_lab.kubernetes.errors import Object, bad_request

Matcher = Callable[[Mapping[str, str]], bool]

_SET = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_COMPARE = re.compile(r"^\s*([^\s!=]+)\s*(==|!=|=)\s*([^\s=!,]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=(),]+)\s*$")


def parse_labels(text: str) -> Matcher:
    """Return whether labels satisfy a selector such as `app=web,tier in (a, b),!old`.

    Raises:
        ApiError: the selector cannot be parsed (400).
    """
    tests = [_requirement(part, text) for part in _split(text)]
    return lambda labels: all(test(labels) for test in tests)


def _split(text: str) -> list[str]:
    parts = re.split(r",(?![^()]*\))", text)
    return [part for part in parts if part.strip()]


def _requirement(part: str, whole: str) -> Matcher:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return _values_test(key, "In" if operator == "in" else "NotIn", values)
    if found := _COMPARE.match(part):
        key, operator, value = found.groups()
        return _values_test(key, "NotIn" if operator == "!=" else "In", {value})
    if found := _EXISTS.match(part):
        negated, key = found.groups()
        return _values_test(key, "DoesNotExist" if negated else "Exists", set())
    raise bad_request(f"unable to parse requirement: {part.strip()!r} in selector {whole!r}")


def _values_test(key: str, operator: str, values: set[str]) -> Matcher:
    if operator == "In":
        return lambda labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda labels: labels.get(key) not in values
    if operator == "Exists":
        return lambda labels: key in labels
    if operator == "DoesNotExist":
        return lambda labels: key not in labels
    if operator in ("Gt", "Lt"):
        limit = int(next(iter(values)))

        def compare(labels: Mapping[str, str]) -> bool:
            found = labels.get(key, "")
            if not found.isdigit():
                return False
            return int(found) > limit if operator == "Gt" else int(found) < limit

        return compare
    raise bad_request(f"{operator!r} is not a valid label selector operator")


def match_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def match_expressions(labels: Mapping[str, str], expressions: list[Object]) -> bool:
    return all(
        _values_test(term["key"], term["operator"], set(term.get("values") or ()))(labels)
        for term in expressions
    )


def match_selector(labels: Mapping[str, str] | None, selector: Object | None) -> bool:
    """Match a LabelSelector object; a missing selector matches nothing, an empty one everything."""
    if selector is None:
        return False
    labels = labels or {}
    return match_labels(labels, selector.get("matchLabels") or {}) and match_expressions(
        labels, selector.get("matchExpressions") or []
    )


def selector_text(selector: Object | None) -> str:
    """Return a LabelSelector in the text form that tables and `status.selector` use."""
    selector = selector or {}
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or []:
        values = ",".join(term.get("values") or ())
        parts.append(
            {
                "In": f"{term['key']} in ({values})",
                "NotIn": f"{term['key']} notin ({values})",
                "Exists": term["key"],
                "DoesNotExist": f"!{term['key']}",
            }[term["operator"]]
        )
    return ",".join(parts) or "<none>"


_FIELDS: dict[str, set[str]] = {
    "Pod": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    "Node": {"spec.unschedulable"},
    "Secret": {"type"},
    "Namespace": {"status.phase"},
    "Job": {"status.successful"},
    "ReplicaSet": {"status.replicas"},
    "Service": {"spec.clusterIP", "spec.type"},
    "CertificateSigningRequest": {"spec.signerName"},
    "Event": {
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    },
}


def parse_fields(text: str, kind: str) -> Callable[[Object], bool]:
    """Return whether an object satisfies a field selector.

    Raises:
        ApiError: the field cannot be selected on for this kind (400).
    """
    tests: list[tuple[str, bool, str]] = []
    for part in _split(text):
        found = re.match(r"^([^=!]+?)\s*(==|!=|=)\s*(.*)$", part.strip())
        if not found:
            raise bad_request(f"invalid selector: {text!r}; can't understand {part!r}")
        field, operator, value = found.groups()
        known = {"metadata.name", "metadata.namespace"} | _FIELDS.get(kind, set())
        if field not in known:
            raise bad_request(
                f'Unable to find "{kind}" that match label selector "", field selector "{text}": '
                f"field label not supported: {field}"
            )
        tests.append((field, operator != "!=", value))
    return lambda obj: all((_field(obj, name) == value) == equal for name, equal, value in tests)


def _field(obj: Object, path: str) -> str:
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)
