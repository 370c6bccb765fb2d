"""The kubelet: registers its machine as a node, reports on it, and runs the pods bound to it."""

from __future__ import annotations

import copy
import ipaddress
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.node import NodeFacts, NodeMachine
from k8swin_lab.kubernetes.pod_runtime import PodRuntime
from k8swin_lab.kubernetes.pod_status import condition, same
from k8swin_lab.kubernetes.users import kubelet_user

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.kubernetes.remote import RemoteCluster
    from k8swin_lab.network import HttpHandler

_LEASE_SECONDS = 40
_RENEW_EVERY = 10.0
_HEARTBEAT_EVERY = 300.0
_MIRROR = "kubernetes.io/config.mirror"


class Kubelet:
    """The kubelet of one machine; `sync` is called by the cluster on every look.

    Args:
        cluster: The cluster it has joined.
        machine: The machine under it.
        static_pods: Pod manifests by file name, as under /etc/kubernetes/manifests.
        register_taints: Taints the node is created with.
        register_labels: Labels besides those of the machine's facts (--node-labels).
    """

    def __init__(
        self,
        cluster: Cluster | RemoteCluster,
        machine: NodeMachine,
        *,
        static_pods: dict[str, Object] | None = None,
        register_taints: list[Object] | None = None,
        register_labels: dict[str, str] | None = None,
    ) -> None:
        self.cluster = cluster
        self.machine = machine
        self.static_pods = static_pods if static_pods is not None else {}
        self.register_taints = register_taints or []
        self.register_labels = register_labels or {}
        self.pods: dict[str, PodRuntime] = {}
        self._registered = False
        self._normal: dict[str, tuple[object, object]] = {}
        self._process = 0
        self._boot_id = ""
        self._renewed = 0.0
        self._heartbeat = 0.0
        self.facts = machine.node_facts()
        """The machine's, as the last look found them."""
        self.name = self.facts.name

    @property
    def client(self) -> Client:
        return Client(self.cluster, kubelet_user(self.name), "kubelet")

    def start(self, cluster: Cluster) -> None:
        """Join the kubelets of a cluster of this process."""
        cluster.kubelets[self.name] = self
        cluster.settle()

    def adopt(self, earlier: Kubelet) -> None:
        """Take over the pods of the machine's kubelet of before: containers outlive it."""
        self.pods, self._boot_id = earlier.pods, earlier._boot_id
        for runtime in self.pods.values():
            runtime.belong(self)

    def go_on_from(self, earlier: Kubelet) -> None:
        """Be the same start of the same kubelet, in a copy of a frozen lab."""
        self._registered, self._process = earlier._registered, earlier._process
        self._normal = earlier._normal

    def stop(self, cluster: Cluster) -> None:
        """Leave a cluster for good: the machine was reset; its containers end."""
        cluster.kubelets.pop(self.name, None)
        for runtime in self.pods.values():
            runtime.stop()
        self.pods.clear()

    def sync(self) -> None:
        """Look at the machine and at the pods once, and do what is due."""
        if not self.machine.kubelet_running():
            self._registered = False
            return
        process = self.machine.kubelet_process()
        if process != self._process:
            # It may have been stopped and started between two looks.
            self._process, self._registered = process, False
        facts = self.facts = self.machine.node_facts()
        if facts.boot_id != self._boot_id:
            self._boot_id = facts.boot_id
            for runtime in self.pods.values():
                runtime.lost()
        if not self._register(facts):
            self._end_gone({pod["metadata"]["uid"] for pod in self._bound()})
            return
        self._report(facts)
        self._renew()
        self._mirror()
        self._run(facts)

    def _register(self, facts: NodeFacts) -> bool:
        """Create the node; a node deleted under a running kubelet stays away, as in reality."""
        if self.cluster.object("nodes", self.name) is not None:
            self._registered = True
            return True
        if self._registered:
            return False
        labels = {
            "beta.kubernetes.io/arch": facts.architecture,
            "beta.kubernetes.io/os": facts.operating_system,
            "kubernetes.io/hostname": self.name,
            **(
                {
                    "kubernetes.io/arch": facts.architecture,
                    "kubernetes.io/os": facts.operating_system,
                }
                if self.cluster.minor >= 14
                else {}
            ),
            **facts.labels,
            **self.register_labels,
        }
        annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
        node: Object = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels, "annotations": annotations},
            "spec": {"taints": self.register_taints} if self.register_taints else {},
            "status": self._status(facts, None),
        }
        self.client.create("nodes", node)
        self._registered = True
        self._renewed = 0.0
        return True

    def _status(self, facts: NodeFacts, old: Object | None) -> Object:
        memory = f"{facts.memory_bytes // 1024}Ki"
        capacity = {
            "cpu": str(facts.cpus),
            "ephemeral-storage": "102834320Ki",
            "memory": memory,
            "pods": str(facts.max_pods),
        }
        return {
            "addresses": [
                {"type": "InternalIP", "address": facts.address},
                {"type": "Hostname", "address": self.name},
            ],
            "allocatable": {
                **capacity,
                "ephemeral-storage": "94772109170",
                "memory": f"{facts.memory_bytes // 1024 - 102400}Ki",
            },
            "capacity": capacity,
            "conditions": self._conditions(old),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": facts.architecture,
                "bootID": facts.boot_id,
                "containerRuntimeVersion": facts.container_runtime_version,
                "kernelVersion": facts.kernel_version,
                "kubeProxyVersion": facts.kubelet_version if self.cluster.minor < 33 else "",
                "kubeletVersion": facts.kubelet_version,
                "machineID": facts.machine_id,
                "operatingSystem": facts.operating_system,
                "osImage": facts.os_image,
                "systemUUID": facts.machine_id,
            },
        }

    def _conditions(self, old: Object | None) -> list[Object]:
        now = timestamps.rfc3339(self.cluster.clock())
        runtime, network = self.machine.runtime_ready(), self.machine.network_ready()
        problem = ""
        if runtime is not None:
            problem = f"container runtime is down: {runtime}"
        elif network is not None:
            problem = (
                "container runtime network not ready: NetworkReady=false "
                "reason:NetworkPluginNotReady message:Network plugin returns error: " + network
            )
        wanted = [
            ("MemoryPressure", "False", "KubeletHasSufficientMemory",
             "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID",
             "kubelet has sufficient PID available"),
            ("Ready", "False", "KubeletNotReady", problem)
            if problem
            else ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]  # fmt: skip
        found = []
        for kind, status, reason, message in wanted:
            before = condition(old, kind) if old else None
            kept = before and before["status"] == status
            found.append(
                {
                    "type": kind,
                    "status": status,
                    "lastHeartbeatTime": before["lastHeartbeatTime"] if kept and before else now,
                    "lastTransitionTime": before["lastTransitionTime"] if kept and before else now,
                    "reason": reason,
                    "message": message,
                }
            )
        others = (old.get("status") or {}).get("conditions") or [] if old else []
        kinds = {entry["type"] for entry in found}
        return [*[entry for entry in others if entry["type"] not in kinds], *found]

    def _report(self, facts: NodeFacts) -> None:
        node = self.cluster.object("nodes", self.name)
        if node is None:
            return
        status = self._status(facts, node)
        now = self.cluster.clock()
        if now - self._heartbeat >= _HEARTBEAT_EVERY:
            self._heartbeat = now
            for entry in status["conditions"]:
                entry["lastHeartbeatTime"] = timestamps.rfc3339(now)
        shown = node.get("status") or {}
        if all(same(shown.get(key), value, self._normal.get(key)) for key, value in status.items()):
            return
        before, after = condition(node, "Ready"), status["conditions"][-1]
        changed = copy.deepcopy(node)
        changed["status"] = {**(changed.get("status") or {}), **status}
        written = self.client.update_status("nodes", changed)["status"]
        self._normal = {key: (value, written.get(key)) for key, value in status.items()}
        if before and before["status"] != after["status"]:
            ready = after["status"] == "True"
            reason = "NodeReady" if ready else "NodeNotReady"
            text = f"Node {self.name} status is now: {reason}"
            self.cluster.recorder.record(node, reason, text, component="kubelet", host=self.name)

    def _renew(self) -> None:
        if self.cluster.minor < 14:
            return  # the node's status was the only sign of life
        now = self.cluster.clock()
        if 0 <= now - self._renewed < _RENEW_EVERY:
            return
        lease = self.cluster.object("leases", self.name, "kube-node-lease")
        node = self.cluster.object("nodes", self.name)
        if node is None:
            return
        self._renewed = now
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": _LEASE_SECONDS,
            "renewTime": timestamps.micro(now),
        }
        if lease is not None:
            self.client.update("leases", {**lease, "spec": spec})
            return
        owner = {
            "apiVersion": "v1",
            "kind": "Node",
            "name": self.name,
            "uid": node["metadata"]["uid"],
        }
        self.client.create(
            "leases",
            {
                "metadata": {
                    "name": self.name,
                    "namespace": "kube-node-lease",
                    "ownerReferences": [owner],
                },
                "spec": spec,
            },
        )

    def _mirror(self) -> None:
        """Show static pods in the API, and take away those whose file is gone."""
        wanted: dict[str, Object] = {}
        for manifest in self.static_pods.values():
            pod = copy.deepcopy(manifest)
            metadata = pod["metadata"]
            metadata["name"] = f"{metadata['name']}-{self.name}"
            metadata.setdefault("namespace", "default")
            metadata.setdefault("annotations", {}).update(
                {
                    _MIRROR: "static",
                    "kubernetes.io/config.source": "file",
                }
            )
            pod["spec"]["nodeName"] = self.name
            pod["spec"].setdefault("tolerations", [{"effect": "NoExecute", "operator": "Exists"}])
            wanted[metadata["name"]] = pod
        for pod in self._bound():
            name = pod["metadata"]["name"]
            if _MIRROR not in (pod["metadata"].get("annotations") or {}):
                continue
            if name not in wanted:
                self.client.delete("pods", name, pod["metadata"]["namespace"], grace=0)
            wanted.pop(name, None)
        node = self.cluster.object("nodes", self.name)
        for pod in wanted.values():
            if node is not None:
                pod["metadata"]["ownerReferences"] = [
                    {
                        "apiVersion": "v1",
                        "kind": "Node",
                        "name": self.name,
                        "uid": node["metadata"]["uid"],
                        "controller": True,
                    }
                ]
            try:
                self.client.create("pods", pod)
            except ApiError as error:
                if error.code != 409:
                    raise

    def _bound(self) -> list[Object]:
        return [
            pod for pod in self.cluster.objects("pods") if pod["spec"].get("nodeName") == self.name
        ]

    def _run(self, facts: NodeFacts) -> None:
        present = set()
        for pod in self._bound():
            uid = pod["metadata"]["uid"]
            present.add(uid)
            runtime = self.pods.get(uid)
            if runtime is None:
                runtime = self.pods[uid] = PodRuntime(self, pod)
            try:
                runtime.sync(pod, facts)
            except ApiError as error:
                # It was changed or deleted under the kubelet's hands: the next look sees it.
                if error.code not in (404, 409):
                    raise
        self._end_gone(present)

    def _end_gone(self, present: set[str]) -> None:
        for uid in self.pods.keys() - present:
            self.pods.pop(uid).stop()

    def pod_address(self) -> str | None:
        """Return a free address of the node's pod CIDR; None while the node has none.

        .1 is the bridge's; on Windows .2 is the endpoint that the host has on its pod network.
        """
        cidr = self.pod_network()
        if not cidr:
            return None
        network = ipaddress.ip_network(cidr)
        taken = {runtime.address for runtime in self.pods.values()}
        first = 3 if self.facts.operating_system == "windows" else 2
        for number in range(first, network.num_addresses - 1):
            if str(network[number]) not in taken:
                return str(network[number])
        return None

    def serving(self, uid: str, port: int) -> HttpHandler | None:
        """Return what answers in a pod at a port."""
        return self._serving(self.pods.get(uid), port)

    def at(self, address: str, port: int) -> HttpHandler | None:
        """Return what answers in the pod with an address of its own, at a port."""
        for runtime in list(self.pods.values()):
            if runtime.address == address and not runtime.obj["spec"].get("hostNetwork"):
                return self._serving(runtime, port)
        return None

    def ports(self) -> set[tuple[str, int]]:
        """Return the addresses and ports at which pods with addresses of their own answer."""
        return {
            (runtime.address, port)
            for runtime in list(self.pods.values())
            if runtime.address and not runtime.obj["spec"].get("hostNetwork")
            for item in runtime.containers
            if item.container is not None
            for port in list(item.container.http or {})
        }

    def pod_network(self) -> str:
        """Return the network of the node's pods; empty while it has none."""
        node = self.cluster.object("nodes", self.name)
        return str(((node or {}).get("spec") or {}).get("podCIDR") or "")

    @staticmethod
    def _serving(runtime: PodRuntime | None, port: int) -> HttpHandler | None:
        for item in runtime.containers if runtime is not None else []:
            if item.container is not None and port in (item.container.http or {}):
                return item.container.http[port]
        return None

    def find(self, namespace: str, name: str) -> PodRuntime | None:
        """Return the running side of a pod."""
        pod = self.cluster.object("pods", name, namespace)
        return self.pods.get(pod["metadata"]["uid"]) if pod else None

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str:
        """Return a container's log.

        Raises:
            ApiError: the container has not started (400).
        """
        runtime = self.find(namespace, pod)
        found = runtime.log_of(container, previous=previous) if runtime else None
        if found is None:
            reason = runtime.waiting_reason(container) if runtime else "ContainerCreating"
            text = f'container "{container}" in pod "{pod}" is waiting to start: {reason}'
            if previous:
                text = f'previous terminated container "{container}" in pod "{pod}" not found'
            raise ApiError(400, "BadRequest", text)
        return found

    def exec(
        self, namespace: str, pod: str, container: str, argv: list[str], stdin: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        """Run a program in a container with this standard input: exit code, standard output, standard error.

        Raises:
            ApiError: the container does not run (500).
        """
        runtime = self.find(namespace, pod)
        running = runtime.running(container) if runtime else None
        if running is None:
            raise ApiError(500, "InternalError", f'container not found ("{container}")', {})
        return running.exec(argv, stdin)
