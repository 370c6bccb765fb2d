"""The login user's kubeconfig: this cluster's entries are put among those that the user has, and taken out again.

It is edited as data. The user's own clusters, users and contexts stay as they are, and so does the context that
they work in; what cannot be told apart stops as drift.
"""

from __future__ import annotations

import base64
import binascii
import copy
from typing import Any, NamedTuple

import yaml

from k8swin_nb.reading import Unreadable, lines, yaml_document
from k8swin_nb.redact import MIN_LENGTH
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.difference import setting
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

LONGEST = 1024 * 1024
"""Bytes of a kubeconfig that is read at all."""

KINDS = ("cluster", "user", "context")


class NotMergeable(Exception):
    """A kubeconfig cannot be brought to what is wanted without harm; the text says why and repeats no value."""


class Found(NamedTuple):
    """What a host has."""

    path: str
    mode: str
    """Mode and owner, such as `600 ubuntu`; empty when there is no file."""

    admin: str
    """The administrator's kubeconfig of this cluster; empty when there is none."""

    text: str
    """The login user's; empty when there is none."""


def read(text: str, what: str) -> dict[str, Any]:
    """Return a kubeconfig as data, with lists of its entries.

    Raises:
        NotMergeable: It is none.
    """
    if len(text) > LONGEST:
        raise NotMergeable(f"{what} has more than {LONGEST // 1024} kB")
    try:
        document = yaml_document(text)
    except Unreadable as error:
        raise NotMergeable(f"{what} is no YAML that can be written back: {error}") from error
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise NotMergeable(f"{what} is no kubeconfig")
    for kind in KINDS:
        listed = document.setdefault(f"{kind}s", None) or []
        if not isinstance(listed, list) or not all(
            isinstance(entry, dict) and isinstance(entry.get(kind), dict) for entry in listed
        ):
            raise NotMergeable(f"{what} has no list of {kind}s that is one")
        texts = [entry.get("name") for entry in listed]
        if kind == "context":
            texts += [entry[kind].get(name, "") for entry in listed for name in ("cluster", "user")]
        if not all(isinstance(text, str) for text in texts):
            raise NotMergeable(f"{what} has a {kind} with a name that is no text")
        document[f"{kind}s"] = listed
    return document


def _entries(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {str(entry.get("name")): entry[kind] for entry in document[f"{kind}s"]}


def merged(existing: str, admin: str, path: str = "~/.kube/config") -> str:
    """Return a user's kubeconfig in which this cluster's entries are up to date.

    Args:
        existing: The user's, empty when there is none.
        admin: The administrator's of this cluster, with one cluster, user and context.
        path: The user's file, for messages.

    Raises:
        NotMergeable: One of them is no kubeconfig, or the user has another cluster of this one's name.
    """
    if not existing.strip():
        return admin
    ours, theirs = read(admin, "/etc/kubernetes/admin.conf"), read(existing, path)
    if len(ours["clusters"]) != 1 or len(ours["users"]) != 1 or len(ours["contexts"]) != 1:
        raise NotMergeable(
            "/etc/kubernetes/admin.conf has not one cluster, one user and one context"
        )
    (cluster,), (user,), (context,) = (ours[f"{kind}s"] for kind in KINDS)
    found = _entries(theirs, "cluster").get(cluster["name"])
    if found is not None and found.get("server") != cluster["cluster"].get("server"):
        raise NotMergeable(
            f"{path} has another cluster under the name `{cluster['name']}`: give that one another name with "
            "`kubectl config`, or set another `cluster_name`"
        )
    # kubeadm calls the administrator the same in every cluster: another one's keeps the name.
    users = _entries(theirs, "user")
    linked = _entries(theirs, "context").get(context["name"], {})
    name = user["name"]
    if linked.get("cluster") == cluster["name"] and linked.get("user") in users:
        name = linked["user"]
    elif name in users and users[name] != user["user"]:
        name = f"{user['name']}-{cluster['name']}"
    shared = [
        entry["name"]
        for entry in theirs["contexts"]
        if entry["context"].get("user") == name
        and entry["context"].get("cluster") != cluster["name"]
    ]
    if shared and users.get(name) != user["user"]:
        raise NotMergeable(
            f"{path} has the user `{name}` in the context `{shared[0]}` of another cluster too: give it a name of "
            "its own there"
        )
    wanted = {
        "cluster": cluster,
        "user": {"name": name, "user": user["user"]},
        "context": {
            "name": context["name"],
            "context": {**linked, "cluster": cluster["name"], "user": name},
        },
    }
    before = copy.deepcopy(theirs)
    for kind, entry in wanted.items():
        listed = theirs[f"{kind}s"]
        at = next((i for i, one in enumerate(listed) if one.get("name") == entry["name"]), None)
        if at is None:
            listed.append(entry)
        else:
            listed[at] = entry
    if not theirs.get("current-context"):
        theirs["current-context"] = context["name"]
    theirs.setdefault("apiVersion", "v1")
    theirs.setdefault("kind", "Config")
    if theirs == before:
        return existing  # as somebody formatted it
    return _written(theirs)


def without(existing: str, authority: str, path: str = "~/.kube/config") -> str:
    """Return a user's kubeconfig without the cluster of an authority; empty when nothing else is in it.

    Args:
        existing: The user's.
        authority: The certificate of the cluster's authority, PEM as base64.
        path: The user's file, for messages.

    Raises:
        NotMergeable: It is no kubeconfig.
    """
    theirs = read(existing, path)
    gone = {
        name
        for name, cluster in _entries(theirs, "cluster").items()
        if authority and cluster.get("certificate-authority-data") == authority
    }
    if not gone:
        return existing
    contexts = _entries(theirs, "context")
    left = {name: one for name, one in contexts.items() if one.get("cluster") not in gone}
    users = {one.get("user") for name, one in contexts.items() if name not in left}
    users -= {one.get("user") for one in left.values()}
    for kind, names in (
        ("cluster", gone),
        ("context", contexts.keys() - left.keys()),
        ("user", users),
    ):
        theirs[f"{kind}s"] = [e for e in theirs[f"{kind}s"] if str(e.get("name")) not in names]
    if theirs.get("current-context") not in left:
        theirs["current-context"] = ""
    if not any(theirs[f"{kind}s"] for kind in KINDS):
        return ""
    return _written(theirs)


def _written(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=True)


def look(at: StepRun) -> Found:
    """Read what the host has. Both files are secrets: they are neither shown nor kept."""
    result = at.script("linux/kubeconfig.check.sh", secret_output=True)
    if result.returncode != 0:
        raise at.failed(f"the kubeconfigs were not read: exit code {result.returncode}")
    told = (lines(result.stdout) + [""] * 4)[:4]
    try:
        admin, text = (base64.b64decode(line, validate=True).decode() for line in told[2:])
    except (binascii.Error, UnicodeDecodeError) as error:
        raise at.failed(f"{told[0][:200]} or /etc/kubernetes/admin.conf is no text") from error
    for secret in (admin, text):
        _register(secret)
    return Found(told[0][:200], told[1][:80], admin, text)


def _register(text: str) -> None:
    """Let nothing of a kubeconfig that is secret be shown from here on."""
    if len(text) >= MIN_LENGTH:
        Secret(text)
    try:
        document = read(text, "")
    except NotMergeable:
        return
    for user in _entries(document, "user").values():
        for field in ("token", "password", "client-key-data"):
            # What is shorter cannot be masked, and is no secret to speak of.
            value = user.get(field)
            if isinstance(value, str | int) and len(str(value)) >= MIN_LENGTH:
                Secret(str(value))


def check_merged(at: StepRun) -> Verdict:
    """Find out whether the login user's kubeconfig has this cluster, beside what else it has."""
    found = look(at)
    try:
        wanted = merged(found.text, found.admin, found.path)
    except NotMergeable as error:
        return Verdict(State.DRIFT, str(error))
    if not found.mode:
        new = setting(found.path, "not there", "this cluster's administrator (it is a secret)")
        return Verdict(State.NEEDED, f"{found.path} does not exist", differences=(new,))
    if found.text != wanted:
        more = setting(found.path, "without this cluster as it is now", "with it (it is a secret)")
        said = f"{found.path} lacks this cluster as it is now"
        return Verdict(State.NEEDED, said, differences=(more,))
    if found.mode != f"600 {at.host.user}":
        return Verdict(
            State.NEEDED,
            f"{found.path} has mode and owner {found.mode}, wanted 600 {at.host.user}",
        )
    said = f"{found.path} is in place, readable by {at.host.user} alone"
    document = read(wanted, found.path)
    if len(document["clusters"]) > 1:
        ours = f"https://{at.description.api_endpoint}"
        names = {n for n, c in _entries(document, "cluster").items() if c.get("server") == ours}
        mine = [n for n, c in _entries(document, "context").items() if c.get("cluster") in names]
        said += (
            f"; it holds other clusters too, its current context stays "
            f"{document.get('current-context')}, this cluster's is {', '.join(mine)}"
        )
    return Verdict(State.OK, said)


def merged_secret(at: StepRun) -> dict[str, Secret]:
    """Return what the login user's kubeconfig is to be.

    Raises:
        StepFailed: drift, when it became something since that cannot be merged.
    """
    found = look(at)
    try:
        return {"KUBECONFIG_TEXT": Secret(merged(found.text, found.admin, found.path))}
    except NotMergeable as error:
        raise at.drift(
            str(error), hint="nothing was changed; see that file, then run again"
        ) from error


def remaining(at: StepRun, authority: str) -> tuple[Found, str] | None:
    """Return what the login user has and what is left of it without an authority's cluster; None: nothing to do."""
    found = look(at)
    try:
        left = without(found.text, authority, found.path)
    except NotMergeable:
        return None
    return (found, left) if left != found.text else None


def take_out(at: StepRun, authority: str) -> None:
    """Take an authority's cluster out of the login user's kubeconfig."""
    if (there := remaining(at, authority)) is None:
        return
    secrets = {"KUBECONFIG_TEXT": Secret(there[1])} if there[1] else {}
    result = at.script("linux/kubeconfig_removed.apply.sh", secrets=secrets)
    if result.returncode != 0:
        raise at.failed("apply failed", result=result)
