"""Reviews: questions that are posted and answered at once, and never stored."""

from __future__ import annotations

import copy
from collections.abc import Callable

from k8swin_lab.kubernetes import rbac
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.users import User

REVIEWS = {
    "selfsubjectreviews",
    "tokenreviews",
    "selfsubjectaccessreviews",
    "subjectaccessreviews",
    "selfsubjectrulesreviews",
}


def _user_fields(user: User) -> Object:
    fields: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        fields["uid"] = user.uid
    return fields


def answer(
    plural: str,
    body: Object,
    user: User,
    store: Store,
    token_user: Callable[[str], User | None],
) -> Object:
    """Return the review with its status filled in."""
    review = copy.deepcopy(body)
    review.setdefault("metadata", {"creationTimestamp": None})
    spec = review.get("spec") or {}
    if plural == "selfsubjectreviews":
        review["status"] = {"userInfo": _user_fields(user)}
    elif plural == "tokenreviews":
        found = token_user(spec.get("token", ""))
        if found is None:
            review["status"] = {"user": {}, "error": "invalid bearer token"}
        else:
            review["status"] = {"authenticated": True, "user": _user_fields(found)}
    elif plural == "selfsubjectrulesreviews":
        review["status"] = _rules(store, user, spec.get("namespace", ""))
    else:
        asker = user
        if plural == "subjectaccessreviews":
            asker = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        review["status"] = {"allowed": rbac.allowed(store, asker, _attributes(spec))}
    return review


def _attributes(spec: Object) -> rbac.Attributes:
    path = spec.get("nonResourceAttributes")
    if path:
        return rbac.Attributes(verb=path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    return rbac.Attributes(
        verb=asked.get("verb", ""),
        group=asked.get("group", ""),
        resource=asked.get("resource", ""),
        subresource=asked.get("subresource", ""),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
    )


def _rules(store: Store, user: User, namespace: str) -> Object:
    if "system:masters" in user.groups:
        every: list[Object] = [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ]
    else:
        every = list(rbac.rules_for(store, user, namespace))
    return {
        "resourceRules": [rule for rule in every if "nonResourceURLs" not in rule],
        "nonResourceRules": [rule for rule in every if "nonResourceURLs" in rule],
        "incomplete": False,
    }
