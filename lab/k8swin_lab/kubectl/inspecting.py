"""kubectl logs, exec, version, cluster-info, config, api-resources, api-versions, auth can-i."""

from __future__ import annotations

import json

from k8swin_lab.kubectl import jsonpath, kubeconfig
from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.names import resource_named, wanted
from k8swin_lab.kubectl.output import tabulate, to_json, to_yaml
from k8swin_lab.kubectl.session import Object, Session
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.served import groups, seen
from k8swin_lab.machines.program import NotSimulated


def logs(session: Session, words: list[str]) -> int:
    """Run kubectl logs."""
    options = session.options
    for option in ("--since-time", "--prefix", "--all-containers", "--timestamps"):
        if option in options:
            raise NotSimulated(f"kubectl logs {option}")
    container = options.get("-c")
    if options.get("-l"):
        pods = list(session.items(named("pods"), ()))
        names = [pod["metadata"]["name"] for pod in pods]
    elif not words:
        raise KubectlError(
            "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples"
        )
    else:
        names = [_pod_of(session, words[0])]
        container = container or (words[1] if words[1:] else "")
    for name in names:
        query = []
        if container:
            query.append(("container", container))
        for option, key in (
            ("-p", "previous"),
            ("--tail", "tailLines"),
            ("--limit-bytes", "limitBytes"),
        ):
            if option in options and options.get(option) != "-1":
                query.append((key, options.get(option) or "true"))
        seen = 0
        while True:
            status, body = session.connection.raw(
                "GET", session.path(named("pods"), name, "log"), query=query
            )
            if status >= 400:
                raise RequestError(json.loads(body))
            session.process.stdout.write(body[seen:])
            seen = len(body)
            if "-f" not in options or not _runs(session, name) or not session.wait_a_little(0.3):
                break
    return 0


def _runs(session: Session, name: str) -> bool:
    found = session.connection.find(session.path(named("pods"), name))
    return found is not None and found.get("status", {}).get("phase") == "Running"


def _pod_of(session: Session, text: str) -> str:
    """Return the pod that a word means: its name, or a workload's first pod."""
    kind, slash, name = text.partition("/")
    if not slash:
        return text
    resource = resource_named(kind, session.minor)
    if resource.plural == "pods":
        return name
    obj = session.connection.get(session.path(resource, name))
    labels = (
        (obj["spec"].get("selector") or {}).get("matchLabels") or obj["spec"].get("selector") or {}
    )
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    listed = session.connection.get(session.path(named("pods")), [("labelSelector", selector)])
    pods = sorted(listed["items"], key=lambda one: one.get("status", {}).get("phase") != "Running")
    if not pods:
        raise KubectlError(f"error: no pods found for {text}")
    return str(pods[0]["metadata"]["name"])


def execute(session: Session, words: list[str]) -> int:
    """Run kubectl exec."""
    if not words:
        raise KubectlError("error: pod, type/name or --filename must be specified")
    name, *command = words
    if not command:
        raise KubectlError("error: you must specify at least one command for the container")
    path = session.path(named("pods"), _pod_of(session, name), "exec")
    code, out, err = session.connection.execute(path, command, session.options.get("-c"))
    session.process.stdout.write(out)
    session.process.stderr.write(err)
    if code:
        session.err(f"command terminated with exit code {code}")
    return code


def version(session: Session, words: list[str]) -> int:
    """Run kubectl version."""
    form = session.options.get("-o")
    client = {
        "major": session.version.split(".")[0],
        "minor": session.version.split(".")[1],
        "gitVersion": f"v{session.version}",
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-08-17T10:00:00Z",
        "goVersion": "go1.26.8",
        "compiler": "gc",
        "platform": f"{session.process.machine.os}/amd64",
    }
    found: Object = {"clientVersion": client}
    if int(client["minor"]) >= 24:
        found["kustomizeVersion"] = "v5.8.1"
    failure = None
    if "--client" not in session.options:
        try:
            found["serverVersion"] = session.connection.get("/version")
        except KubectlError as error:
            failure = error
    if form == "json":
        session.process.out(json.dumps(found, indent=2) + "\n")
    elif form == "yaml":
        session.process.out(to_yaml(found))
    else:
        minor = int(session.version.split(".")[1])
        plain = minor >= 28 or "--short" in session.options
        session.out(f"Client Version: {_version_text(client, plain)}")
        if minor >= 25:
            session.out("Kustomize Version: v5.8.1")
        if "serverVersion" in found:
            session.out(f"Server Version: {_version_text(found['serverVersion'], plain)}")
    if failure:
        raise failure
    return 0


def _version_text(found: Object, plain: bool) -> str:
    """Return a version alone, or the structure that kubectl printed until 1.27."""
    if plain:
        return str(found["gitVersion"])
    fields = ", ".join(f'{key[0].upper()}{key[1:]}:"{value}"' for key, value in found.items())
    return f"version.Info{{{fields}}}"


def cluster_info(session: Session, words: list[str]) -> int:
    """Run kubectl cluster-info."""
    if words:
        raise NotSimulated(f"kubectl cluster-info {words[0]}")
    services = session.connection.get(
        "/api/v1/namespaces/kube-system/services",
        [("labelSelector", "kubernetes.io/cluster-service=true")],
    )
    server = session.access.server
    session.out(f"Kubernetes control plane is running at {server}")
    for service in services["items"]:
        metadata = service["metadata"]
        title = (metadata.get("labels") or {}).get("kubernetes.io/name") or metadata["name"]
        port = (
            (service["spec"]["ports"][0].get("name") or "") if service["spec"].get("ports") else ""
        )
        suffix = f":{port}" if port else ""
        session.out(
            f"{title} is running at {server}/api/v1/namespaces/kube-system/services/{metadata['name']}{suffix}/proxy"
        )
    session.out(
        "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'."
    )
    return 0


def config(session: Session, words: list[str]) -> int:
    """Run kubectl config view, current-context, get-contexts or use-context."""
    verb, *rest = words or [""]
    loaded = kubeconfig.load(session.process, session.files, session.options.get("--kubeconfig"))
    if verb == "view":
        shown = loaded or {"apiVersion": "v1", "clusters": None, "contexts": None, "current-context": "",
                           "kind": "Config", "users": None}  # fmt: skip
        if "--raw" not in session.options:
            shown = _redacted(shown)
        if "--minify" in session.options:
            shown = _minified(shown)
        form = session.options.get("-o") or "yaml"
        if form.startswith("jsonpath="):
            session.process.out(jsonpath.render(jsonpath.relaxed(form.partition("=")[2]), shown))
        else:
            session.process.out(to_json(shown) if form == "json" else to_yaml(shown))
        return 0
    current = loaded.get("current-context") or ""
    if verb == "current-context":
        if not current:
            raise KubectlError("error: current-context is not set")
        session.out(current)
        return 0
    if verb == "get-contexts":
        rows = [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
        for entry in loaded.get("contexts") or []:
            context = entry.get("context") or {}
            mark = "*" if entry["name"] == current else ""
            rows.append(
                [
                    mark,
                    entry["name"],
                    context.get("cluster", ""),
                    context.get("user", ""),
                    context.get("namespace", ""),
                ]
            )
        session.process.out(tabulate(rows if "--no-headers" not in session.options else rows[1:]))
        return 0
    if verb == "use-context" and rest:
        if not any(entry["name"] == rest[0] for entry in loaded.get("contexts") or []):
            raise KubectlError(f'error: no context exists with the name: "{rest[0]}"')
        loaded["current-context"] = rest[0]
        path = kubeconfig.path_of(session.process, session.options.get("--kubeconfig"))
        session.files.write(path, to_yaml(loaded).encode(), 0o600)
        session.out(f'Switched to context "{rest[0]}".')
        return 0
    raise NotSimulated(f"kubectl config {verb}".strip())


def _redacted(loaded: Object) -> Object:
    def entry(one: Object, kind: str, secret: tuple[str, ...]) -> Object:
        inner = {
            key: ("REDACTED" if key == "token" else "DATA+OMITTED") if key in secret else value
            for key, value in (one.get(kind) or {}).items()
        }
        return {**one, kind: inner}

    return {
        **loaded,
        "clusters": [
            entry(one, "cluster", ("certificate-authority-data",))
            for one in loaded.get("clusters") or []
        ]
        or None,
        "users": [
            entry(one, "user", ("client-certificate-data", "client-key-data", "token"))
            for one in loaded.get("users") or []
        ]
        or None,
    }


def _minified(loaded: Object) -> Object:
    current = loaded.get("current-context")
    contexts = [one for one in loaded.get("contexts") or [] if one["name"] == current]
    context = (contexts[0].get("context") or {}) if contexts else {}
    return {
        **loaded,
        "contexts": contexts,
        "clusters": [
            one for one in loaded.get("clusters") or [] if one["name"] == context.get("cluster")
        ],
        "users": [one for one in loaded.get("users") or [] if one["name"] == context.get("user")],
    }


def api_resources(session: Session, words: list[str]) -> int:
    """Run kubectl api-resources."""
    options = session.options
    session.connection.get("/api")
    chosen = [
        one
        for one in seen(session.minor)
        if (
            "--namespaced" not in options
            or one.namespaced == (options.get("--namespaced") != "false")
        )
        and ("--api-group" not in options or one.group == options.get("--api-group"))
    ]
    chosen.sort(key=lambda one: (one.group, one.plural))
    if options.get("-o") == "name":
        session.process.out(
            "".join(f"{one.plural}{'.' if one.group else ''}{one.group}\n" for one in chosen)
        )
        return 0
    rows = [
        [
            one.plural,
            ",".join(one.short_names),
            one.api_version,
            "true" if one.namespaced else "false",
            one.kind,
        ]
        for one in chosen
    ]
    head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    session.process.out(tabulate(rows if "--no-headers" in options else [head, *rows]))
    return 0


def api_versions(session: Session, words: list[str]) -> int:
    """Run kubectl api-versions."""
    session.connection.get("/api")
    found = [
        f"{group}/{one}" if group else one
        for group, listed in groups(session.minor).items()
        for one in listed
    ]
    session.process.out("".join(f"{one}\n" for one in sorted(found)))
    return 0


def auth(session: Session, words: list[str]) -> int:
    """Run kubectl auth can-i or whoami."""
    verb, *rest = words or [""]
    if verb == "whoami":
        body: Object = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        found = session.connection.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
        user = found["status"]["userInfo"]
        session.process.out(tabulate([["ATTRIBUTE", "VALUE"], ["Username", user["username"]],
                                      ["Groups", f"[{' '.join(user.get('groups') or [])}]"]]))  # fmt: skip
        return 0
    if verb != "can-i" or len(rest) < 2:
        raise NotSimulated(f"kubectl auth {' '.join(words)}".strip())
    one = wanted([rest[1], *rest[2:3]], session.minor)[0]
    attributes: Object = {
        "verb": rest[0],
        "resource": one.resource.plural,
        "group": one.resource.group,
        "namespace": "" if "-A" in session.options else session.namespace,
    }
    if one.names:
        attributes["name"] = one.names[0]
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    found = session.connection.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    allowed = bool(found["status"].get("allowed"))
    if "-q" not in session.options:
        session.out("yes" if allowed else "no")
    return 0 if allowed else 1
