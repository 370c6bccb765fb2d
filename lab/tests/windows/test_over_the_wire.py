"""A kubelet that has nothing but the wire: credentials, restarts, deleted nodes, servers that go away.

What a real one does was read in pkg/kubelet of Kubernetes 1.36: certificate/bootstrap, kubelet_node_status.go, server/auth.go.
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from k8swin_lab.kubernetes import bootstrap
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.remote import RemoteCluster
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_programs import STUB
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, Station
from k8swin_lab.windows.kubernetes.kubelet_endpoint import access_of

from .conftest import TOKEN, Master, Result
from .test_join import KUBELET, _flannel, _join, _phase, _pod
from .test_join import prepared as prepared

Run = Callable[[str], Result]
NODE = "winworker01"
CURRENT = r"C:\var\lib\kubelet\pki\kubelet-client-current.pem"
IMAGE = "mcr.microsoft.com/windows/servercore:ltsc2022"


def there(cluster: Cluster) -> bool:
    return cluster.object("nodes", NODE) is not None


def looked(machine: WindowsMachine) -> None:
    """Let the kubelet look several times."""
    for _ in range(8):
        machine.pause(5)


def test_the_key_is_made_on_the_node_and_the_cluster_signs_what_belongs_to_it(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert _join(run, cluster).code == 0
    assert cluster.wait_until(lambda: there(cluster))
    content = prepared.files.read(CURRENT)
    certificate = x509.load_pem_x509_certificate(content)
    key = load_pem_private_key(content[content.index(b"-----BEGIN EC") :], None)
    assert certificate.public_key() == key.public_key()
    (request,) = cluster.objects("certificatesigningrequests")
    asked = x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"]))
    assert asked.public_key() == key.public_key()
    assert request["spec"]["username"] == "system:bootstrap:abcdef"
    assert b"PRIVATE" not in base64.b64decode(request["spec"]["request"])


def test_a_node_deleted_under_its_kubelet_stays_away_until_the_service_starts_again(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    assert cluster.wait_until(lambda: there(cluster))
    (entry,) = [one for one in prepared.processes.running.values() if one.name == "kubelet.exe"]
    assert entry.process is not None
    written = entry.process.stderr = io.BytesIO()
    cluster.client().delete("nodes", NODE)
    told = rb"nodes \"winworker01\" not found"
    assert cluster.wait_until(lambda: told in written.getvalue())
    looked(prepared)
    assert not there(cluster)
    assert written.getvalue().count(told) == 1
    result = run("powershell.exe -Command Restart-Service kubelet -Force")
    assert result.code == 0, result.err
    assert cluster.wait_until(lambda: there(cluster))


def test_a_kubelet_that_starts_again_reads_its_files_again(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    assert cluster.wait_until(lambda: there(cluster))
    old = prepared.files.read(r"C:\etc\kubernetes\kubelet.conf")
    prepared.files.write(r"C:\etc\kubernetes\kubelet.conf", b"{}")
    looked(prepared)
    assert prepared.kubelet_running()
    run("powershell.exe -Command Restart-Service kubelet -Force")
    assert cluster.wait_until(lambda: not prepared.kubelet_running())
    prepared.files.write(r"C:\etc\kubernetes\kubelet.conf", old)
    prepared.services.start("kubelet")
    assert cluster.wait_until(prepared.kubelet_running)


def test_pods_outlive_their_kubelet_and_go_when_they_are_deleted(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env"))
    data = {"server.ps1": "Start-Sleep 600"}
    cluster.client().create("configmaps", {"metadata": {"name": "app"}, "data": data}, "default")
    cluster.client().create("pods", _pod("web", IMAGE), "default")
    assert cluster.wait_until(lambda: _phase(cluster, "web") == "Running")

    def state() -> Any:
        return (cluster.object("pods", "web", "default") or {})["status"]["containerStatuses"][0]

    before = state()["containerID"]
    prepared.services.stop("kubelet", force=True)
    assert cluster.wait_until(lambda: "Unknown" in json.dumps(cluster.object("nodes", NODE)))
    assert len(prepared.containers.running) == 1
    prepared.services.start("kubelet")
    assert cluster.wait_until(lambda: "KubeletReady" in json.dumps(cluster.object("nodes", NODE)))
    assert (state()["containerID"], state()["restartCount"]) == (before, 0)
    cluster.client().delete("pods", "web", "default")
    assert cluster.wait_until(lambda: cluster.object("pods", "web", "default") is None)
    assert prepared.containers.running == []


def test_a_request_that_nobody_approves_is_waited_for(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    settings = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    bootstrap.upload_kubelet_config(cluster, json.dumps({**settings, "rotateCertificates": True}))
    cluster.client().delete("clusterrolebindings", "kubeadm:node-autoapprove-bootstrap")
    assert _join(run, cluster).code == 0
    assert prepared.kubelet_running()
    assert cluster.wait_until(lambda: bool(cluster.objects("certificatesigningrequests")))
    looked(prepared)
    assert not there(cluster)
    (request,) = cluster.objects("certificatesigningrequests")
    approved = [{"type": "Approved", "status": "True", "reason": "ByHand"}]
    cluster.client().update(
        "certificatesigningrequests", {**request, "status": {"conditions": approved}}, "approval"
    )
    assert cluster.wait_until(lambda: there(cluster))


def test_an_api_server_that_goes_away_is_found_again(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    assert cluster.wait_until(lambda: there(cluster))
    master = prepared.network.machine_at("127.160.0.11")
    assert master is not None
    listened = master.listening.pop(6443)
    looked(prepared)
    prepared.files.write(r"C:\etc\cni\net.d\10-flannel.conf", b'{"name": "x", "type": "y"}')
    looked(prepared)
    assert "cni plugin not initialized" in json.dumps(cluster.object("nodes", NODE))
    master.listening[6443] = listened
    assert cluster.wait_until(lambda: "KubeletReady" in json.dumps(cluster.object("nodes", NODE)))


JOIN = """
apiVersion: kubeadm.k8s.io/{version}
kind: JoinConfiguration
discovery:
  bootstrapToken: {{apiServerEndpoint: "127.160.0.11:6443", token: {token}, unsafeSkipCAVerification: true}}
"""


def test_a_worker_of_the_older_generation_joins_with_containerd(
    prepared: WindowsMachine, run: Run
) -> None:
    old = Cluster(version="v1.20.2", advertise_address="127.160.0.11", network=prepared.network)
    Master(prepared.network, old)
    bootstrap.create_rbac(old)
    bootstrap.upload_config(old, "kind: ClusterConfiguration\n")
    text = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 7\n"
    bootstrap.upload_kubelet_config(old, text, "kubelet-config-1.20")
    bootstrap.cluster_info(old, "https://127.160.0.11:6443")
    bootstrap.create_bootstrap_token(old, TOKEN, 3600)
    for name in ("kubelet", "kubeadm"):
        prepared.files.write(rf"C:\k\{name}.exe", STUB + f"{name} 1.20.2\n".encode())
    prepared.services.delete("kubelet")
    more = "--container-runtime=remote --container-runtime-endpoint=npipe:////./pipe/containerd"
    prepared.services.create("kubelet", f"{KUBELET} {more}", start=2)
    prepared.files.write(r"C:\join.yaml", JOIN.format(version="v1beta4", token=TOKEN).encode())
    refused = run(r"C:\k\kubeadm.exe join --config C:\join.yaml").err
    assert 'unsupported API version "kubeadm.k8s.io/v1beta4"' in refused
    prepared.files.write(r"C:\join.yaml", JOIN.format(version="v1beta2", token=TOKEN).encode())
    result = run(r"C:\k\kubeadm.exe join --config C:\join.yaml")
    assert result.code == 0, result.err
    node = old.object("nodes", NODE)
    assert node is not None
    assert node["status"]["capacity"]["pods"] == "7"
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"] == "containerd://2.3.4"
    assert "npipe" in node["metadata"]["annotations"]["kubeadm.alpha.kubernetes.io/cri-socket"]


@pytest.mark.parametrize(("user", "status"), [("", 401), ("system:node:x", 403), ("api", 200)])
def test_the_kubelets_port_lets_in_whom_the_cluster_vouches_for(
    prepared: WindowsMachine, run: Run, cluster: Cluster, user: str, status: int
) -> None:
    _join(run, cluster)
    headers = {}
    if user == "api":
        headers[CERTIFICATE_HEADER] = cluster.kubelet_client
    elif user:
        made, _ = cluster.authority.issue(user, ("system:nodes",))
        pem = x509.load_pem_x509_certificate(made)
        headers[CERTIFICATE_HEADER] = base64.b64encode(pem.public_bytes(Encoding.DER)).decode()
    asked = HttpRequest("GET", "https://127.160.0.21:10250/healthz", headers)
    answer = prepared.network.http(Station("127.160.0.11"), asked)
    assert answer.status == status


@pytest.mark.parametrize(
    ("configuration", "flags", "everybody"),
    [
        ({}, {}, True),
        ({}, {"--anonymous-auth": ["false"]}, False),
        ({}, {"--config": ["c.yaml"]}, False),
        ({"authorization": {"mode": "AlwaysAllow"}}, {"--config": ["c.yaml"]}, False),
    ],
)
def test_a_kubelet_without_a_file_lets_everybody_in(
    configuration: dict[str, Any], flags: dict[str, list[str]], everybody: bool
) -> None:
    access = access_of(configuration, flags)
    assert (access.anonymous and access.always_allowed) is everybody


class OddServer:
    """An API server that forgets versions, loses races and drops what it does not know."""

    def __init__(self) -> None:
        self.lists = 0
        self.sent: list[tuple[str, str]] = []
        self.node: dict[str, Any] = {
            "metadata": {"name": "n", "resourceVersion": "7"},
            "status": {"theirs": 1},
        }
        self.conflicts = 1

    def send(
        self, method: str, path: str, query: dict[str, str], body: Any, content_type: str
    ) -> tuple[int, Any]:
        self.sent.append((method, path))
        if method == "PUT":
            if self.conflicts:
                self.conflicts -= 1
                return 409, {"reason": "Conflict", "message": "the object has been modified"}
            self.node = {**self.node, "kind": "Node", "status": body["status"]}
            return 200, self.node
        if path.endswith("/n"):
            return 200, self.node
        self.lists += 1
        return 200, {"metadata": {"resourceVersion": "7"}, "items": [self.node]}

    def watch(
        self, path: str, query: dict[str, str], stopped: Callable[[], bool]
    ) -> Iterator[dict[str, Any]]:
        if self.lists < 3:
            yield {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
        if not stopped():
            time.sleep(0.01)


def test_a_status_that_lost_a_race_is_sent_again_beside_what_others_wrote() -> None:
    server = OddServer()
    remote = RemoteCluster(server, 36)
    code, found = remote.request(
        "PUT", "/api/v1/nodes/n/status", body={"metadata": {"name": "n"}, "status": {"ours": 2}}
    )
    assert (code, found["status"]) == (200, {"theirs": 1, "ours": 2})
    assert [method for method, _ in server.sent] == ["PUT", "GET", "PUT"]


def test_a_server_that_forgot_the_version_is_listed_again() -> None:
    server = OddServer()
    remote = RemoteCluster(server, 36, pace=0.01)
    remote.follow(named("nodes"))
    for _ in range(100):
        if server.lists >= 3:
            break
        remote.wait(0.05)
    remote.stop()
    assert server.lists >= 3
    assert [node["metadata"]["name"] for node in remote.objects("nodes")] == ["n"]


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("--max-pods=many", 'strconv.ParseInt: parsing "many": invalid syntax'),
        ("--node-status-update-frequency=10", 'time: missing unit in duration "10"'),
        ("--node-status-update-frequency=soon", 'time: invalid duration "soon"'),
    ],
)
def test_a_flag_takes_what_its_kind_says(
    prepared: WindowsMachine, run: Run, flag: str, text: str
) -> None:
    result = run(rf"C:\k\kubelet.exe {flag}")
    assert result.code == 1
    assert text in result.err


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("cgroupDriver: x", "Object 'Kind' is missing"),
        ("{apiVersion: v1, kind: ConfigMap}", 'no kind "ConfigMap" is registered'),
    ],
)
def test_a_kubelet_wants_a_configuration_of_its_own_kind(
    prepared: WindowsMachine, run: Run, content: str, text: str
) -> None:
    prepared.files.write(r"C:\var\lib\kubelet\config.yaml", content.encode())
    result = run(r"C:\k\kubelet.exe --config=C:/var/lib/kubelet/config.yaml")
    assert result.code == 1
    assert text in result.err
