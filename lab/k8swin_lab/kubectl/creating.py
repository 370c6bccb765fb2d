"""kubectl create: from manifests, and of some kinds from flags."""

from __future__ import annotations

import base64

from k8swin_lab.kubectl.applying import create as create_object
from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.manifests import read
from k8swin_lab.kubectl.output import object_name, print_objects
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.kubectl.waiting import duration
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.machines.program import NotSimulated


def create(session: Session, words: list[str]) -> int:
    """Run kubectl create."""
    options = session.options
    if options.all("-f"):
        objects = read(session.process, session.files, options.all("-f"))
        return _create_all(session, [(obj, source) for obj, source in objects])
    kind, *rest = words or [""]
    if not kind:
        raise KubectlError("error: must specify one of -f and -k")
    if kind == "token":
        return _token(session, rest)
    makers = {
        "namespace": _namespace, "ns": _namespace, "configmap": _config_map, "cm": _config_map,
        "secret": _secret, "serviceaccount": _service_account, "sa": _service_account,
        "deployment": _deployment, "deploy": _deployment, "clusterrolebinding": _cluster_role_binding,
    }  # fmt: skip
    if kind not in makers:
        raise NotSimulated(f"kubectl create {kind}")
    return _create_all(session, [(makers[kind](session, rest), "")])


def _create_all(session: Session, objects: list[tuple[Object, str]]) -> int:
    options = session.options
    made = []
    for obj, source in objects:
        found = create_object(session, obj, source)
        if found is None:
            continue
        made.append(found)
        if not options.get("-o"):
            mode = options.get("--dry-run")
            suffix = f" ({mode} dry run)" if mode in ("client", "server") else ""
            session.out(f"{object_name(found)} created{suffix}")
    if (form := options.get("-o")) and made:
        session.process.out(print_objects(made, form, single=len(made) == 1))
    return 1 if session.failed else 0


def _only_name(session: Session, rest: list[str], what: str) -> str:
    if len(rest) != 1:
        raise KubectlError(
            f"error: exactly one NAME is required, got {len(rest)}\nSee 'kubectl create {what} -h' for help and examples"
        )
    return rest[0]


def _metadata(session: Session, name: str, *, namespaced: bool = True) -> Object:
    metadata: Object = {"name": name}
    if namespaced and session.options.get("-n"):
        metadata["namespace"] = session.namespace
    return metadata


def _namespace(session: Session, rest: list[str]) -> Object:
    name = _only_name(session, rest, "namespace")
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _service_account(session: Session, rest: list[str]) -> Object:
    name = _only_name(session, rest, "serviceaccount")
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(session, name)}


def _literals(session: Session) -> dict[str, bytes]:
    found = {}
    for literal in session.options.all("--from-literal"):
        key, equals, value = literal.partition("=")
        if not equals:
            raise KubectlError(f"error: invalid literal source {literal}, expected key=value")
        found[key] = value.encode()
    for one in session.options.all("--from-file"):
        key, equals, path = one.partition("=")
        if not equals:
            key, path = one.replace("\\", "/").rpartition("/")[2], one
        try:
            found[key] = session.files.read(path)
        except OSError as error:
            raise KubectlError(f"error: error reading {path}: no such file or directory") from error
    return found


def _config_map(session: Session, rest: list[str]) -> Object:
    name = _only_name(session, rest, "configmap")
    data = {key: value.decode(errors="replace") for key, value in _literals(session).items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(session, name),
        "data": data,
    }


def _secret(session: Session, rest: list[str]) -> Object:
    if rest[:1] != ["generic"]:
        raise NotSimulated(f"kubectl create secret {' '.join(rest[:1])}".strip())
    name = _only_name(session, rest[1:], "secret generic")
    data = {key: base64.b64encode(value).decode() for key, value in _literals(session).items()}
    found: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(session, name),
        "data": data,
    }
    if kind := session.options.get("--type"):
        found["type"] = kind
    return found


def _deployment(session: Session, rest: list[str]) -> Object:
    name = _only_name(session, rest, "deployment")
    images = session.options.all("--image")
    if not images:
        raise KubectlError('error: required flag(s) "image" not set')
    containers: list[Object] = []
    for image in images:
        plain = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
        containers.append({"image": image, "name": plain, "resources": {}})
        if port := session.options.get("--port"):
            containers[-1]["ports"] = [{"containerPort": int(port)}]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**_metadata(session, name), "labels": labels},
        "spec": {
            "replicas": int(session.options.get("--replicas") or 1),
            "selector": {"matchLabels": labels},
            "strategy": {},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
        "status": {},
    }


def _cluster_role_binding(session: Session, rest: list[str]) -> Object:
    name = _only_name(session, rest, "clusterrolebinding")
    subjects: list[Object] = []
    for option, kind in (("--user", "User"), ("--group", "Group")):
        for one in session.options.all(option):
            subjects.append({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": one})
    for one in session.options.all("--serviceaccount"):
        namespace, colon, account = one.partition(":")
        if not colon:
            raise KubectlError("error: serviceaccount must be <namespace>:<name>")
        subjects.append({"kind": "ServiceAccount", "name": account, "namespace": namespace})
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": session.options.get("--clusterrole"),
        },
        "subjects": subjects,
    }


def _token(session: Session, rest: list[str]) -> int:
    name = _only_name(session, rest, "token")
    options = session.options
    spec: Object = {}
    if text := options.get("--duration"):
        spec["expirationSeconds"] = int(duration(text, "--duration"))
    if audiences := options.all("--audience"):
        spec["audiences"] = audiences
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = session.path(named("serviceaccounts"), name, "token")
    try:
        found = session.connection.post(path, body)
    except RequestError as error:
        raise KubectlError(f"error: failed to create token: {error.message}") from error
    if form := options.get("-o"):
        session.process.out(print_objects([found], form, single=True))
    else:
        session.out(found["status"]["token"])
    return 0
