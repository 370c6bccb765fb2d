"""What kubelet.exe does in every version: read its configuration, get its credentials, be a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.kubernetes.errors import ApiError
from k8swin_lab.kubernetes.kubelet import Kubelet
from k8swin_lab.kubernetes.remote import RemoteCluster, WireError
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.lasting import Lasting
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_containers import RunningKubelet
from k8swin_lab.network import HttpRequest, HttpResponse
from k8swin_lab.windows.kubernetes.client_certificate import Credentials
from k8swin_lab.windows.kubernetes.connection import ApiWire
from k8swin_lab.windows.kubernetes.flags import last
from k8swin_lab.windows.kubernetes.kubelet_endpoint import Access, KubeletEndpoint
from k8swin_lab.windows.machine_of import full_path, machine_of

if TYPE_CHECKING:
    from k8swin_lab.machines.windows_dockershim import Dockershim

_GONE = "The system cannot find the file specified."
_LOOK_EVERY = 0.25
"""Seconds between two looks at what tells nobody that it changed: containers, files, services."""
_RETRY = 0.5


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
    if not isinstance(found, dict) or not found.get("kind"):
        return f"failed to decode: Object 'Kind' is missing in '{found}'"
    kind, version = found["kind"], found.get("apiVersion", "")
    if (kind, version) != ("KubeletConfiguration", "kubelet.config.k8s.io/v1beta1"):
        return f'failed to decode: no kind "{kind}" is registered for version "{version}" in scheme "pkg/kubelet/apis/config/scheme/scheme.go:33"'
    return found


def serve(
    process: Process,
    credentials: Credentials,
    name: str,
    address: str,
    version: str,
    access: Access,
    taints: list[dict[str, Any]],
    labels: dict[str, str],
    shim: Dockershim | None,
) -> int:
    """Be the node's kubelet until stopped; `shim` is set for one that uses Docker."""
    machine = machine_of(process)
    process.kept["at"] = (credentials, taints, labels)
    running = RunningKubelet(name, address, version, access.max_pods, shim)
    machine.containers.kubelet = running
    machine.listening[10250] = KubeletEndpoint(machine, access)
    machine.listening[10248] = _healthz
    machine.network.proxied.setdefault(address, False)
    machine.changed()
    process.waits = "pods"
    return go_on(process)


def go_on(process: Process) -> int:
    """Be a kubelet that has started, also in a copy of a frozen lab."""
    machine = machine_of(process)
    running = machine.containers.kubelet
    try:
        _run(process, *process.kept["at"])
    finally:
        if machine.containers.kubelet is running:
            machine.containers.kubelet = None
            machine.listening.pop(10250, None)
            machine.listening.pop(10248, None)
        machine.changed()
    return 0


def _run(
    process: Process,
    credentials: Credentials,
    taints: list[dict[str, Any]],
    labels: dict[str, str],
) -> None:
    """Wait for the certificate and for the API server, then look at the node's pods again and again."""
    machine = machine_of(process)
    told: set[str] = set()

    def say(text: str) -> None:
        if text not in told:
            told.add(text)
            process.err(f"E0101 00:00:00.000000    1000 kubelet.go] {text}\n")

    if not credentials.obtained(say):
        return
    wire = ApiWire(machine, credentials.current, "kubelet")
    minor = _minor(process, wire, say)
    if minor is None:
        return
    remote = RemoteCluster(wire, minor, machine.now, say, machine.pace)
    agent = Kubelet(remote, machine, register_taints=taints, register_labels=labels)
    containers = machine.containers
    earlier = containers.agent
    if earlier is not None:
        agent.adopt(earlier)
        mine = process.kept.get("agent")
        if mine is earlier and mine is not None:
            agent.go_on_from(mine)
    process.kept["agent"] = agent
    containers.agent = agent
    address = machine.node_facts().address
    machine.network.pods[address] = agent
    remote.follow(named("nodes"), fields=f"metadata.name={agent.name}")
    remote.follow(named("pods"), fields=f"spec.nodeName={agent.name}")
    remote.follow(named("services"))
    Lasting(_stop_with, args=(process, remote), name=f"{machine.name}: end of kubelet").start()
    while not process.cancelled.is_set():
        try:
            if remote.synced():
                agent.sync()
                if remote.object("nodes", agent.name) is None:
                    gone = (
                        f'error getting node \\"{agent.name}\\": nodes \\"{agent.name}\\" not found'
                    )
                    say(f'"Error updating node status, will retry" err="{gone}"')
                else:
                    told.clear()
        except (ApiError, WireError) as error:
            say(f'"Error updating node status, will retry" err="{error}"')
            process.cancelled.wait(_RETRY * machine.pace)
        remote.wait(_LOOK_EVERY)


def _stop_with(process: Process, remote: RemoteCluster) -> None:
    process.cancelled.wait()
    remote.stop()


def _minor(process: Process, wire: ApiWire, say: Callable[[str], None]) -> int | None:
    """The release that answers, 36 of v1.36.4; None when the kubelet is stopped first."""
    machine = machine_of(process)
    while True:
        try:
            code, found = wire.send("GET", "/version", {}, None, "application/json")
            if code == 200:
                return int(str(found["gitVersion"]).split(".")[1])
            say(f'"Unable to register node with API server" err="{found.get("message", code)}"')
        except WireError as error:
            say(f'"Unable to register node with API server" err="{error}"')
        if process.cancelled.wait(_RETRY * machine.pace):
            return None


def _healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, {"content-type": "text/plain"}, b"ok")


def taint(text: str) -> dict[str, Any]:
    """KEY=VALUE:EFFECT as an API object."""
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def rotates(configuration: dict[str, Any], flags: dict[str, list[str]]) -> bool:
    """Whether the kubelet renews its certificate, and so runs while it waits for the first."""
    if "--rotate-certificates" in flags:
        return last(flags, "--rotate-certificates") == "true"
    return bool(configuration.get("rotateCertificates", False))
