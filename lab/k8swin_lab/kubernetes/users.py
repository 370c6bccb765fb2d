"""Who asks: the user of a request, as authentication found them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user; `extra` as in a TokenReview."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict, hash=False)

    @classmethod
    def authenticated(cls, name: str, groups: tuple[str, ...] = ()) -> User:
        """Return a user who also belongs to system:authenticated."""
        return cls(name, (*groups, "system:authenticated"))


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADMIN = User.authenticated("kubernetes-admin", ("system:masters",))
CONTROLLER = User.authenticated("system:kube-controller-manager", ("system:masters",))
SCHEDULER = User.authenticated("system:kube-scheduler", ("system:masters",))
API_SERVER = User.authenticated("system:apiserver", ("system:masters",))


def kubelet_user(node: str) -> User:
    return User.authenticated(f"system:node:{node}", ("system:nodes",))


def service_account_user(namespace: str, name: str, uid: str = "") -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(f"system:serviceaccount:{namespace}:{name}", (*groups, "system:authenticated"), uid)
