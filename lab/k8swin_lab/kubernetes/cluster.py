"""One simulated cluster: its objects, its API, its controllers and its kubelets.

Controllers run to quiescence after every write, in the thread that wrote (or in the one that is
reconciling already). What has to happen later (a container that takes a moment to start, a token
that expires) is a time at which the cluster looks again: the ticking thread does, or the next
request.
"""

from __future__ import annotations

import base64
import copy
import functools
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.api import Api
from k8swin_lab.kubernetes.authentication import authenticate, token_user
from k8swin_lab.kubernetes.authority import CertificateAuthority
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.controllers import CONTROLLERS
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.events import Recorder
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.served import Front
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.system_objects import create_system_objects
from k8swin_lab.kubernetes.tokens import ServiceAccountSigner
from k8swin_lab.kubernetes.users import ADMIN, CONTROLLER, User
from k8swin_lab.lasting import Lasting

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.kubelet import Kubelet
    from k8swin_lab.network import Network, Pods

_MOST_ROUNDS = 200


class Cluster:
    """State of one cluster.

    Args:
        version: Release of the control plane, "v1.36.4".
        pod_subnet: CIDR from which nodes get a /24 each; None leaves nodes without.
        service_subnet: CIDR of cluster IPs.
        dns_domain: "cluster.local".
        advertise_address: Address of the API server.
        port: Its port.
        network: The lab's network; None for a cluster that serves nobody.
        authority: The cluster's certificate authority; None makes one.
        clock: Seconds since the epoch.
        service_account_key: PEM of sa.key; None makes one.
        container_start_delay: Seconds from a pulled image to a running container.
    """

    def __init__(
        self,
        *,
        version: str = "v1.36.4",
        pod_subnet: str | None = "10.244.0.0/16",
        service_subnet: str = "10.96.0.0/12",
        dns_domain: str = "cluster.local",
        advertise_address: str = "127.0.0.1",
        port: int = 6443,
        network: Network | None = None,
        authority: CertificateAuthority | None = None,
        clock: Callable[[], float] = time.time,
        service_account_key: bytes | None = None,
        container_start_delay: float = 0.3,
    ) -> None:
        self.version = version if version.startswith("v") else f"v{version}"
        self.pod_subnet = pod_subnet
        self.service_subnet = service_subnet
        self.dns_domain = dns_domain
        self.advertise_address = advertise_address
        self.port = port
        self.network = network
        self.authority = authority or CertificateAuthority.create()
        self.clock = clock
        self.container_start_delay = container_start_delay
        self.id = secrets.token_hex(8)
        self.store = Store()
        self.signer = ServiceAccountSigner(
            f"https://kubernetes.default.svc.{dns_domain}", service_account_key
        )
        self.api = Api(self)
        self.front = Front(self.api, self.minor)
        """What clients from outside ask."""
        self.kubelets: dict[str, Kubelet] = {}
        self.recorder = Recorder(self)
        self._observers: list[Callable[[Cluster], None]] = []
        self._reconciling = threading.Lock()
        self._again = threading.Event()
        self._due_lock = threading.Lock()
        self._due: float | None = None
        self._ticker: threading.Thread | None = None
        self._stopped = threading.Event()
        self._reconciled_version = 0
        create_system_objects(self)
        self.settle()

    @property
    def minor(self) -> int:
        """13 of "v1.13.12"."""
        return int(self.version.split(".")[1])

    def client(self, user: User = ADMIN, manager: str = "kubectl") -> Client:
        """Return a client that asks as `user`."""
        return Client(self, user, manager)

    @property
    def control(self) -> Client:
        """The controllers' own client."""
        return Client(self, CONTROLLER, "kube-controller-manager")

    def authenticate(self, authorization: str | None, certificate: bytes | None) -> User | None:
        """Return who asks, from an Authorization header and a client certificate (DER).

        None means that credentials were shown and are not valid; no credentials are anonymous.
        """
        return authenticate(
            self.authority, self.store, self.signer, authorization, certificate, self.clock()
        )

    def token_user(self, token: str) -> User | None:
        """Return the user of a bearer token, or None."""
        return token_user(self.store, self.signer, token, self.clock())

    def observe(self, callback: Callable[[Cluster], None]) -> None:
        """Be told after each reconciliation that changed something."""
        self._observers.append(callback)

    def wake_in(self, seconds: float) -> None:
        """Ask for a look at the cluster after so many seconds."""
        when = time.monotonic() + seconds
        with self._due_lock:
            if self._due is None or when < self._due:
                self._due = when

    def run_due(self) -> None:
        """Reconcile when something is due; cheap otherwise."""
        with self._due_lock:
            due = self._due is not None and time.monotonic() >= self._due
        if due:
            self.settle()

    def settle(self) -> None:
        """Run controllers and kubelets until nothing changes.

        Called while another thread (or an outer call) reconciles, it only asks that one to go
        round again.
        """
        self._again.set()
        while self._again.is_set():
            if not self._reconciling.acquire(blocking=False):
                return
            try:
                self._again.clear()
                self._reconcile()
            finally:
                self._reconciling.release()

    def _reconcile(self) -> None:
        with self._due_lock:
            self._due = None
        before = self.store.version
        for _ in range(_MOST_ROUNDS):
            start = self.store.version
            for controller in CONTROLLERS:
                controller(self)
            for kubelet in list(self.kubelets.values()):
                kubelet.sync()
            self._again.clear()
            if self.store.version == start:
                break
        else:
            # Two writers that undo each other must not hold up the request that started them.
            self.wake_in(1.0)
        if self.store.version != before:
            for callback in list(self._observers):
                callback(self)

    def start(self, interval: float = 0.25) -> None:
        """Run a thread that looks at the cluster when something is due, and at its machines."""
        if self._ticker is not None and self._ticker.is_alive():
            return
        self._stopped.clear()

        def tick() -> None:
            while not self._stopped.wait(interval):
                self.settle()

        # In a copy of the lab the API server starts it again.
        self._ticker = Lasting(tick, name=f"cluster-{self.id}")
        self._ticker.start()

    def stop(self) -> None:
        """Stop the ticking thread."""
        self._stopped.set()
        if self._ticker is not None and self._ticker is not threading.current_thread():
            self._ticker.join(timeout=10)
        self._ticker = None

    def wake(self, slept: float) -> None:
        """Go on after `slept` seconds in which no time passed here: signs of life of nodes move by as much."""
        with self._reconciling, self.store.lock:
            for lease in self.objects("leases", "kube-node-lease"):
                spec = lease.get("spec") or {}
                if "renewTime" in spec:
                    moved = timestamps.micro(timestamps.parse(spec["renewTime"]) + slept)
                    self.store.put(named("leases"), {**lease, "spec": {**spec, "renewTime": moved}, "metadata": dict(lease["metadata"])})  # fmt: skip
            for node in self.objects("nodes"):
                fresh = copy.deepcopy(node)
                for entry in (fresh.get("status") or {}).get("conditions") or []:
                    if entry.get("lastHeartbeatTime"):
                        seen = timestamps.parse(entry["lastHeartbeatTime"]) + slept
                        entry["lastHeartbeatTime"] = timestamps.rfc3339(seen)
                self.store.put(named("nodes"), fresh)

    def wait_until(self, predicate: Callable[[], bool], timeout: float = 60.0) -> bool:
        """Reconcile until the predicate holds; returns whether it came to hold in time."""
        end = time.monotonic() + timeout
        while True:
            self.settle()
            if predicate():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)

    def node_ports(self) -> dict[int, tuple[str, str, int]]:
        """Return the open node ports: number -> (namespace, service, service port)."""
        found: dict[int, tuple[str, str, int]] = {}
        for service in self.store.objects(named("services")):
            metadata = service["metadata"]
            for port in service["spec"].get("ports") or []:
                if port.get("nodePort"):
                    found[port["nodePort"]] = (
                        metadata["namespace"],
                        metadata["name"],
                        port["port"],
                    )
        return found

    @functools.cached_property
    def kubelet_client(self) -> str:
        """The certificate (base64 DER) that the API server shows to kubelets."""
        made, _ = self.authority.issue("kube-apiserver-kubelet-client", ("system:masters",))
        return base64.b64encode(ssl.PEM_cert_to_DER_cert(made.decode())).decode()

    def kubelet_of(self, pod: Object) -> Pods | None:
        """What runs a pod: a kubelet of this process, or the one at the node's address."""
        own = self.kubelets.get(pod["spec"].get("nodeName", ""))
        if own is not None or self.network is None:
            return own
        return self.network.pods.get((pod.get("status") or {}).get("hostIP", ""))

    def objects(self, resource: str, namespace: str | None = None) -> list[Object]:
        """Return the stored objects themselves: to read, never to change."""
        return self.store.objects(named(resource), namespace)

    def object(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """Return a stored object itself: to read, never to change."""
        return self.store.get(named(resource), namespace, name)
