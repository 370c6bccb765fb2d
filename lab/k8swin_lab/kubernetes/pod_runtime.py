"""One pod on its node: its address, its containers, and the status that the kubelet reports."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.container_runtime import ContainerRuntime
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.node import Container, NodeFacts
from k8swin_lab.kubernetes.pod_status import condition, same
from k8swin_lab.kubernetes.volumes import missing

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.kubelet import Kubelet

_MOUNT_AGAIN = 1.0
"""Seconds until volumes that could not be set up are tried again."""


class PodRuntime:
    """The running side of one pod."""

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        self.kubelet = kubelet
        self.cluster = kubelet.cluster
        self.machine = kubelet.machine
        self.obj = pod
        self.address: str | None = None
        self.started_at = self.cluster.clock()
        self.start_delay = self.cluster.container_start_delay
        spec = pod["spec"]
        self.init = [
            ContainerRuntime(self, item, init=True) for item in spec.get("initContainers") or []
        ]
        self.containers = [ContainerRuntime(self, item) for item in spec["containers"]]
        self._stopping = False
        self._normal: dict[str, tuple[object, object]] = {}
        self._told_network = False
        self._has_volumes = False
        self._told_volumes = ""

    def belong(self, kubelet: Kubelet) -> None:
        """Belong to another kubelet of the same machine from now on."""
        self.kubelet, self.cluster = kubelet, kubelet.cluster

    def now(self) -> float:
        return self.cluster.clock()

    def wake_in(self, seconds: float) -> None:
        self.cluster.wake_in(seconds)

    def new_id(self) -> str:
        runtime = self.machine.node_facts().container_runtime_version.partition(":")[0]
        return f"{runtime or 'containerd'}://{secrets.token_hex(32)}"

    def event(self, reason: str, message: str, *, warning: bool = False, field: str = "") -> None:
        self.cluster.recorder.record(
            self.obj,
            reason,
            message,
            component="kubelet",
            host=self.kubelet.name,
            warning=warning,
            field=field,
        )

    def shown(self) -> Object:
        """Return the pod as an API object with its addresses, as a container is started with."""
        pod = copy.deepcopy(self.obj)
        pod["status"] = {**(pod.get("status") or {}), **self._addresses()}
        return pod

    def sync(self, pod: Object, facts: NodeFacts) -> None:
        """Bring the pod one step on and report it."""
        self._take(pod)
        if pod["metadata"].get("deletionTimestamp"):
            self._end()
            return
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return
        if self._may_run(facts) and self._mounted():
            self._containers()
        self._report()

    def _take(self, pod: Object) -> None:
        """Take over a changed spec: a container with a new image starts again."""
        old, self.obj = self.obj, pod
        if old["spec"].get("containers") == pod["spec"]["containers"]:
            return
        for index, spec in enumerate(pod["spec"]["containers"]):
            if self.containers[index].spec["image"] != spec["image"]:
                self.containers[index].stop()
                self.containers[index] = ContainerRuntime(self, spec)
                self.containers[index].restarts = 1

    def _may_run(self, facts: NodeFacts) -> bool:
        system = (self.obj["spec"].get("os") or {}).get("name")
        if system and system != facts.operating_system:
            text = "Failed to admit pod as the OS field doesn't match node OS"
            self._fail("PodOSNotSupported", text)
            return False
        if self.machine.runtime_ready() is not None:
            return False
        if self.obj["spec"].get("hostNetwork"):
            self.address = facts.address
            return True
        problem = self.machine.network_ready()
        if problem is not None:
            if self.address is None:
                text = (
                    "network is not ready: container runtime network not ready: "
                    "NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
                    f"returns error: {problem}"
                )
                if not self._told_network:
                    self._told_network = True
                    self.event("NetworkNotReady", text, warning=True)
                return False
            return True
        if self.address is None:
            self.address = self.kubelet.pod_address()
        return self.address is not None

    def _mounted(self) -> bool:
        """Tell whether what its volumes refer to is there; it is asked for until it is."""
        if self._has_volumes:
            return True
        problem = missing(self.kubelet.client, self.obj)
        self._has_volumes = not problem
        if problem:
            if problem != self._told_volumes:
                self._told_volumes = problem
                self.event("FailedMount", problem, warning=True)
            self.wake_in(_MOUNT_AGAIN)
        return self._has_volumes

    def _containers(self) -> None:
        for item in self.init:
            if item.sidecar or not item.initialized():
                item.sync()
            if not item.initialized():
                return
        for item in self.containers:
            if item.waiting[0] == "PodInitializing":
                item.waiting = ("ContainerCreating", "")
            item.sync()

    def _end(self) -> None:
        if not self._stopping:
            self._stopping = True
            for item in self.containers:
                if item.running():
                    text = f"Stopping container {item.name}"
                    self.event("Killing", text, field=f"spec.containers{{{item.name}}}")
            self.stop()
        metadata = self.obj["metadata"]
        self.kubelet.client.delete(
            "pods", metadata["name"], metadata["namespace"], grace=0, uid=metadata["uid"]
        )

    def stop(self) -> None:
        """End all containers."""
        for item in [*self.init, *self.containers]:
            item.stop()

    def lost(self) -> None:
        """The machine rebooted."""
        if not self.obj["spec"].get("hostNetwork"):
            self.address = None
        for item in [*self.init, *self.containers]:
            item.lost()
        for item in self.init:
            item.terminated = None

    def _addresses(self) -> Object:
        found: Object = {}
        host = self.kubelet.facts.address
        found["hostIP"], found["hostIPs"] = host, [{"ip": host}]
        if self.address:
            found["podIP"], found["podIPs"] = self.address, [{"ip": self.address}]
        return found

    def _phase(self) -> str:
        if all(item.finished() for item in self.containers):
            codes = [(item.terminated or {}).get("exitCode") for item in self.containers]
            return "Succeeded" if not any(codes) else "Failed"
        if any(item.finished() and (item.terminated or {})["exitCode"] for item in self.init):
            return "Failed"
        begun = any(
            item.running() or item.terminated or item.last or item.restarts
            for item in self.containers
        )
        return "Running" if begun else "Pending"

    def _fail(self, reason: str, message: str) -> None:
        changed = copy.deepcopy(self.obj)
        changed["status"] |= {"phase": "Failed", "reason": reason, "message": message}
        self.kubelet.client.update_status("pods", changed)
        self.event(reason, message, warning=True)

    def _report(self) -> None:
        current = self.cluster.object(
            "pods", self.obj["metadata"]["name"], self.obj["metadata"]["namespace"]
        )
        if current is None or (current.get("status") or {}).get("phase") == "Failed":
            return
        shown = current.get("status") or {}
        phase = self._phase()
        if phase in ("Succeeded", "Failed"):
            for item in self.init:
                item.stop()  # a sidecar ends with the others
        own: Object = {
            "phase": phase,
            "startTime": timestamps.rfc3339(self.started_at),
            **self._addresses(),
            "containerStatuses": [item.status() for item in self.containers],
            "conditions": self._conditions(current, phase),
        }
        if self.init:
            own["initContainerStatuses"] = [item.status() for item in self.init]
        if all(same(shown.get(key), value, self._normal.get(key)) for key, value in own.items()):
            return
        changed = {**copy.deepcopy(current), "status": {**shown, **own}}
        written = self.kubelet.client.update_status("pods", changed).get("status") or {}
        self._normal = {key: (value, written.get(key)) for key, value in own.items()}

    def _conditions(self, pod: Object, phase: str) -> list[Object]:
        initialized = all(item.initialized() for item in self.init)
        bad = [item.name for item in self.containers if not item.ready]
        bad_init = [item.name for item in self.init if not item.status()["ready"]]
        done = phase == "Succeeded"
        text = f"containers with unready status: [{' '.join(bad)}]"
        init_text = f"containers with incomplete status: [{' '.join(bad_init)}]"
        started = any(item.running() for item in [*self.init, *self.containers])
        ready: tuple[bool, str, str] = (not bad, "ContainersNotReady", text)
        if done:
            ready = (False, "PodCompleted", "")
        wanted = {
            "PodReadyToStartContainers": (bool(self.address) and (started or done), "", ""),
            "Initialized": (initialized, "ContainersNotInitialized", init_text),
            "Ready": ready,
            "ContainersReady": ready,
            "PodScheduled": (True, "", ""),
        }
        now = timestamps.rfc3339(self.now())
        found = []
        for kind, (state, reason, message) in wanted.items():
            status = "True" if state else "False"
            before = condition(pod, kind)
            kept = before["lastTransitionTime"] if before and before["status"] == status else now
            entry: Object = {
                "type": kind,
                "status": status,
                "lastTransitionTime": kept,
            }
            if not state and reason:
                entry["reason"] = reason
                if message:
                    entry["message"] = message
            found.append(entry)
        return found

    def running(self, container: str) -> Container | None:
        """Return a container that runs, or None."""
        for item in [*self.containers, *self.init]:
            if item.name == container:
                return item.container
        return None

    def log_of(self, container: str, *, previous: bool) -> str | None:
        """Return the log of a container, or None when it has none yet."""
        for item in [*self.containers, *self.init]:
            if item.name == container:
                return item.log(previous=previous)
        return None

    def waiting_reason(self, container: str) -> str:
        for item in [*self.containers, *self.init]:
            if item.name == container:
                return item.waiting[0]
        return "ContainerCreating"
