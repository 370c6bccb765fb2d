"""What kubelet.exe does in every version: read its configuration, get its credentials, be a node."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.kubernetes.kubelet import Kubelet
from k8swin_lab.kubernetes.users import User
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_containers import STARTS, RunningKubelet
from k8swin_lab.network import HttpRequest, HttpResponse
from k8swin_lab.windows.kubernetes.connection import (
    ConnectionFailed,
    Kubeconfig,
    cluster_behind,
    read_kubeconfig,
)
from k8swin_lab.windows.kubernetes.flags import last
from k8swin_lab.windows.machine_of import full_path, machine_of

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.machines.windows_dockershim import Dockershim

_GONE = "The system cannot find the file specified."


def configuration_of(process: Process, flags: dict[str, list[str]]) -> dict[str, Any] | str:
    """The content of --config, empty without one; a text says why it cannot be read."""
    machine, path = machine_of(process), last(flags, "--config")
    if not path:
        return {}
    full = full_path(process, path)
    if not machine.files.exists(full):
        return (
            f"failed to load Kubelet config file {path}, error failed to read kubelet config file "
            f'\\"{path}\\", error: open {path}: {_GONE}'
        )
    try:
        found = yaml.safe_load(machine.files.read(full).decode("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return str(error)
    return found if isinstance(found, dict) else "it is not a mapping"


def serve(
    process: Process,
    cluster: Cluster,
    name: str,
    address: str,
    version: str,
    taints: list[dict[str, Any]],
    labels: dict[str, str],
    shim: Dockershim | None,
) -> int:
    """Be the node's kubelet until stopped; `shim` is set for one that uses Docker."""
    machine = machine_of(process)
    running = RunningKubelet.__new__(RunningKubelet)
    running.name, running.address, running.version, running.shim = name, address, version, shim
    running.number = next(STARTS)
    machine.containers.kubelet = running
    agent = cluster.kubelets.get(name)
    fresh = agent is None or agent.machine is not machine
    if fresh:
        agent = Kubelet(cluster, machine, register_taints=taints, register_labels=labels)
    assert agent is not None  # noqa: S101 - made above when there was none
    running.agent = agent
    machine.listening[10250] = "kubelet"
    machine.listening[10248] = _healthz
    machine.changed()
    for router in machine.network.routers:
        proxied = getattr(router, "proxied", None)
        if proxied is not None and getattr(router, "cluster", None) is cluster:
            proxied.setdefault(name, False)
    if fresh:
        agent.start()
    else:
        cluster.settle()
    process.cancelled.wait()
    if machine.containers.kubelet is running:
        machine.containers.kubelet = None
    machine.listening.pop(10250, None)
    machine.listening.pop(10248, None)
    machine.changed()
    return 0


def _healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, {"content-type": "text/plain"}, b"ok")


def taint(text: str) -> dict[str, Any]:
    """KEY=VALUE:EFFECT as an API object."""
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def credentials(process: Process, flags: dict[str, list[str]], name: str) -> Kubeconfig:
    """The kubeconfig, made from the bootstrap one when it is not there."""
    machine = machine_of(process)
    path = full_path(process, last(flags, "--kubeconfig"))
    bootstrap = full_path(process, last(flags, "--bootstrap-kubeconfig"))
    if not last(flags, "--kubeconfig"):
        raise ConnectionFailed("no client provided, cannot use webhook authentication")
    if machine.files.exists(path):
        return read_kubeconfig(machine, path)
    if not last(flags, "--bootstrap-kubeconfig"):
        raise ConnectionFailed(f"stat {path}: {_GONE}")
    if not machine.files.exists(bootstrap):
        raise ConnectionFailed(f"unable to load bootstrap kubeconfig: stat {bootstrap}: {_GONE}")
    config = read_kubeconfig(machine, bootstrap)
    cluster = cluster_behind(machine, config.server)
    user: User | None = cluster.authenticate(f"Bearer {config.token}", None)
    if user is None or "system:bootstrappers" not in user.groups:
        raise ConnectionFailed("cannot create certificate signing request: Unauthorized", 401)
    certificate, key = cluster.authority.issue(f"system:node:{name}", ("system:nodes",))
    folder = full_path(process, last(flags, "--cert-dir") or r"C:\var\lib\kubelet\pki")
    machine.files.make_directory(folder)
    current = folder + r"\kubelet-client-current.pem"
    machine.files.write(current, certificate + key)
    machine.files.write(
        path,
        kubeconfig_text(
            config.server, config.authority, "default-auth", certificate_file=current
        ).encode(),
    )
    return read_kubeconfig(machine, path)


def kubeconfig_text(
    server: str, authority: bytes, user: str, *, token: str = "", certificate_file: str = ""
) -> str:
    """A kubeconfig with one cluster, one user and one context."""
    login: dict[str, str] = (
        {"token": token}
        if token
        else {"client-certificate": certificate_file, "client-key": certificate_file}
    )
    return yaml.safe_dump(
        {
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": "default-context",
            "clusters": [{"name": "default-cluster", "cluster": {
                "certificate-authority-data": base64.b64encode(authority).decode(), "server": server}}],
            "contexts": [{"name": "default-context", "context": {"cluster": "default-cluster", "user": user}}],
            "users": [{"name": user, "user": login}],
        },
        width=10**6,
    )  # fmt: skip
