"""Authorization: who may do what, from the Role and Binding objects of the cluster.

Nodes are authorized by a simplified Node authorizer: a kubelet has the rules of `system:node`, and
NodeRestriction keeps it to its own Node object and the pods bound to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from k8swin_lab.kubernetes.errors import ApiError, Object, forbidden, qualified
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.users import User


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked: a verb on a resource, or on a path when `path` is set."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def default_objects() -> list[Object]:
    """Return the roles and bindings that the API server itself makes at its start."""
    text = (Path(__file__).parent / "rbac.json").read_text("utf-8")
    loaded: list[Object] = json.loads(text)
    return loaded


def allowed(store: Store, user: User, asked: Attributes) -> bool:
    """Whether the user may do it."""
    if "system:masters" in user.groups:
        return True
    return any(_covers(rule, asked) for rule in rules_for(store, user, asked.namespace))


def rules_for(store: Store, user: User, namespace: str) -> Iterator[Object]:
    """Yield the rules that bind a user in a namespace and in the whole cluster."""
    if "system:nodes" in user.groups:
        role = store.get(named("clusterroles"), "", "system:node")
        yield from (role or {}).get("rules") or []
    for binding in store.objects(named("clusterrolebindings")):
        if any(_is(subject, user, "") for subject in binding.get("subjects") or []):
            yield from _role_rules(store, binding["roleRef"], "")
    if namespace:
        for binding in store.objects(named("rolebindings"), namespace):
            if any(_is(subject, user, namespace) for subject in binding.get("subjects") or []):
                yield from _role_rules(store, binding["roleRef"], namespace)


def _role_rules(store: Store, reference: Object, namespace: str) -> list[Object]:
    if reference["kind"] == "ClusterRole":
        role = store.get(named("clusterroles"), "", reference["name"])
    else:
        role = store.get(named("roles"), namespace, reference["name"])
    return (role or {}).get("rules") or []


def _is(subject: Object, user: User, namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    where = subject.get("namespace") or namespace
    return user.name == f"system:serviceaccount:{where}:{name}"


def _covers(rule: Object, asked: Attributes) -> bool:
    verbs = rule.get("verbs") or []
    if asked.verb not in verbs and "*" not in verbs:
        return False
    if asked.path:
        return any(
            path == asked.path
            or path == "*"
            or (path.endswith("*") and asked.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or []
        )
    groups = rule.get("apiGroups") or []
    resources = rule.get("resources") or []
    names = rule.get("resourceNames") or []
    return (
        (asked.group in groups or "*" in groups)
        and (
            "*" in resources
            or asked.full_resource in resources
            or bool(asked.subresource and f"*/{asked.subresource}" in resources)
        )
        and (not names or asked.name in names)
    )


def refuse(user: User, asked: Attributes) -> ApiError:
    """Return the Forbidden error in the API's words."""
    if asked.path:
        text = f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        return ApiError(403, "Forbidden", text, {})
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    what = qualified(asked.resource, asked.group)
    shown = f'{what} "{asked.name}"' if asked.name else what
    text = (
        f'{shown} is forbidden: User "{user.name}" cannot {asked.verb} resource '
        f'"{asked.full_resource}" in API group "{asked.group}" {where}'
    )
    return forbidden(text, asked.resource, asked.group, asked.name)


def check_node_restriction(user: User, asked: Attributes, obj: Object | None) -> None:
    """Keep a kubelet to its own Node and pods.

    Raises:
        ApiError: it tries to change another node's objects (403).
    """
    if "system:nodes" not in user.groups or asked.verb in ("get", "list", "watch"):
        return
    node = user.name.removeprefix("system:node:")
    if asked.resource == "nodes":
        name = asked.name or (obj or {}).get("metadata", {}).get("name", "")
        if name != node:
            raise forbidden(
                f'nodes "{name}" is forbidden: node "{node}" is not allowed to modify node "{name}"',
                "nodes",
                "",
                name,
            )
    elif asked.resource == "pods" and obj is not None:
        bound = (obj.get("spec") or {}).get("nodeName", "")
        if bound != node:
            raise forbidden(
                f'pods "{asked.name}" is forbidden: node "{node}" can only '
                f"{asked.verb} pods with spec.nodeName set to itself",
                "pods",
                "",
                asked.name,
            )
