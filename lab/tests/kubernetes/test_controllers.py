"""Controllers, scheduler and kubelets on fake machines."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from k8swin_lab.kubernetes.errors import ApiError
from k8swin_lab.kubernetes.services import ServiceRouter
from k8swin_lab.kubernetes.users import User
from k8swin_lab.network import HttpRequest, NetworkError

from lab.tests.kubernetes.conftest import TOKEN, Lab, web, web_service


def node_condition(lab: Lab, name: str) -> dict[str, Any]:
    node = lab.client.get("nodes", name)
    assert node is not None
    return next(c for c in node["status"]["conditions"] if c["type"] == "Ready")


def test_two_replicas_run_on_two_windows_nodes_with_addresses_of_their_cidr(lab: Lab) -> None:
    lab.client.create("deployments", web())
    assert lab.cluster.wait_until(lambda: len(lab.ready_pods()) == 2)
    assert {pod["spec"]["nodeName"] for pod in lab.pods()} == {"win1", "win2"}
    assert {pod["status"]["podIP"] for pod in lab.pods()} == {"10.244.1.3", "10.244.2.3"}


def test_a_new_image_makes_a_second_revision_and_retires_the_first(lab: Lab) -> None:
    lab.client.create("deployments", web())
    lab.client.patch("deployments", "web", {"spec": web(2, "example/web:2")["spec"]}, "default")
    assert lab.cluster.wait_until(
        lambda: (
            {pod["spec"]["containers"][0]["image"] for pod in lab.pods()} == {"example/web:2"}
            and len(lab.ready_pods()) == 2
        )
    )
    sets = lab.client.list("replicasets", "default")
    assert sorted(item["spec"]["replicas"] for item in sets) == [0, 2]
    found = lab.client.get("deployments", "web", "default")
    assert found is not None
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_deleting_a_deployment_takes_its_pods_along(lab: Lab) -> None:
    lab.client.create("deployments", web())
    lab.client.delete("deployments", "web", "default")
    assert lab.cluster.wait_until(lambda: not lab.pods())
    assert not lab.client.list("replicasets", "default")


def test_a_node_without_network_is_not_ready_in_the_kubelets_words(lab: Lab) -> None:
    lab.machines["win1"].network = "cni plugin not initialized"
    lab.cluster.settle()
    found = node_condition(lab, "win1")
    assert found["status"] == "False"
    assert found["message"] == (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:Network plugin returns error: cni plugin not initialized"
    )
    lab.machines["win1"].network = None
    lab.cluster.settle()
    assert node_condition(lab, "win1")["status"] == "True"


def test_a_stopped_kubelet_makes_its_node_unknown_and_its_pods_unready(lab: Lab) -> None:
    lab.client.create("deployments", web())
    lab.machines["win1"].running = False
    lab.cluster.settle()
    assert node_condition(lab, "win1")["reason"] == "NodeStatusUnknown"
    assert {pod["spec"]["nodeName"] for pod in lab.ready_pods()} == {"win2"}


def test_a_deleted_node_comes_back_when_its_kubelet_was_started_anew_between_two_looks(
    lab: Lab,
) -> None:
    lab.client.delete("nodes", "win1")
    lab.cluster.settle()
    assert lab.client.get("nodes", "win1") is None
    lab.machines["win1"].started += 1
    assert lab.cluster.wait_until(lambda: lab.client.get("nodes", "win1") is not None)


def test_an_image_that_cannot_be_pulled_ends_in_back_off(lab: Lab) -> None:
    problem = "no matching manifest for windows/amd64 in the manifest list entries"
    for name in ("win1", "win2"):
        lab.machines[name].missing_images["example/web:1"] = problem
    lab.client.create("deployments", web(1))

    def state() -> dict[str, Any]:
        return lab.pods()[0]["status"]["containerStatuses"][0]["state"]["waiting"]

    assert state() == {"reason": "ErrImagePull", "message": problem}
    assert lab.cluster.wait_until(lambda: state()["reason"] == "ImagePullBackOff")


def test_a_container_that_dies_at_once_is_in_crash_loop_back_off(lab: Lab) -> None:
    lab.client.create("deployments", web(1))
    machine = lab.machines[lab.pods()[0]["spec"]["nodeName"]]
    machine.containers[-1].code = 1
    lab.cluster.settle()
    entry = lab.pods()[0]["status"]["containerStatuses"][0]
    assert entry["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert (entry["restartCount"], entry["lastState"]["terminated"]["exitCode"]) == (1, 1)


def test_a_reboot_starts_the_pods_again_and_counts_it(lab: Lab) -> None:
    lab.client.create("deployments", web(1))
    pod = lab.pods()[0]
    lab.machines[pod["spec"]["nodeName"]].boot_id = "another"
    assert lab.cluster.wait_until(lambda: len(lab.ready_pods()) == 1)
    assert lab.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_pod_no_node_admits_says_why(lab: Lab) -> None:
    obj = web(1)
    obj["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/os": "plan9"}
    lab.client.create("deployments", obj)
    found = next(c for c in lab.pods()[0]["status"]["conditions"] if c["type"] == "PodScheduled")
    assert found["reason"] == "Unschedulable"
    assert found["message"].startswith(
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
    )


def test_kube_proxy_runs_on_linux_nodes_only(lab: Lab) -> None:
    pods = lab.client.list("pods", "kube-system", "k8s-app=kube-proxy")
    assert [pod["spec"]["nodeName"] for pod in pods] == ["master"]


def test_a_job_completes(lab: Lab) -> None:
    spec = {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "nodeSelector": {"kubernetes.io/os": "windows"},
                "containers": [{"name": "once", "image": "example/tool:1"}],
            }
        }
    }
    lab.client.create("jobs", {"metadata": {"name": "j", "namespace": "default"}, "spec": spec})

    def complete() -> bool:
        job = lab.client.get("jobs", "j", "default")
        return bool(job and job["status"].get("succeeded") == 1)

    assert lab.cluster.wait_until(complete)


def test_a_deleted_namespace_is_emptied_and_goes(lab: Lab) -> None:
    lab.client.create("namespaces", {"metadata": {"name": "team"}})
    obj = web()
    obj["metadata"]["namespace"] = "team"
    lab.client.create("deployments", obj)
    lab.client.delete("namespaces", "team")
    assert lab.cluster.wait_until(lambda: lab.client.get("namespaces", "team") is None)
    assert not lab.client.list("pods", "team")


def test_a_node_port_reaches_both_pods_in_turn_but_not_from_its_own_windows_node(lab: Lab) -> None:
    lab.client.create("deployments", web())
    lab.client.create("services", web_service())
    lab.cluster.wait_until(lambda: len(lab.ready_pods()) == 2)
    router = ServiceRouter(lab.cluster)
    source: Any = lab.machines["master"]
    seen = set()
    for _ in range(4):
        handler = router.route(source, "127.160.0.21", 30080)
        assert handler is not None
        seen.add(handler(HttpRequest("GET", "http://127.160.0.21:30080/")).body.decode())
    assert seen == {pod["metadata"]["name"] for pod in lab.pods()}
    own: Any = lab.machines["win1"]
    with pytest.raises(NetworkError) as caught:
        router.route(own, "127.160.0.21", 30080)
    assert caught.value.kind == "timeout"


def test_an_expired_bootstrap_token_is_removed_and_no_longer_signs(lab: Lab) -> None:
    later = lab.cluster.clock() + 25 * 3600
    lab.cluster.clock = lambda: later
    lab.cluster.settle()
    assert lab.client.get("secrets", "bootstrap-token-abcdef", "kube-system") is None
    found = lab.client.get("configmaps", "cluster-info", "kube-public")
    assert found is not None
    assert list(found["data"]) == ["kubeconfig"]


def test_a_stateful_set_has_pods_with_numbers_one_after_the_other(lab: Lab) -> None:
    spec = web()["spec"] | {"serviceName": "web"}
    del spec["template"]["spec"]["containers"][0]["readinessProbe"]
    lab.client.create(
        "statefulsets", {"metadata": {"name": "db", "namespace": "default"}, "spec": spec}
    )

    def ready() -> bool:
        found = lab.client.get("statefulsets", "db", "default")
        return bool(found and found["status"].get("readyReplicas") == 2)

    assert lab.cluster.wait_until(ready)
    assert sorted(pod["metadata"]["name"] for pod in lab.pods()) == ["db-0", "db-1"]


def test_a_disruption_budget_forbids_an_eviction(lab: Lab) -> None:
    lab.client.create("deployments", web(1))
    assert lab.cluster.wait_until(lambda: len(lab.ready_pods()) == 1)
    budget = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    lab.client.create("poddisruptionbudgets", budget)

    def judged() -> bool:
        found = lab.client.get("poddisruptionbudgets", "web", "default")
        return bool(found and "disruptionsAllowed" in (found.get("status") or {}))

    assert lab.cluster.wait_until(judged)
    name = lab.pods()[0]["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": "default"},
    }
    with pytest.raises(ApiError, match="would violate the pod's disruption budget"):
        lab.client.post("pods", name, "eviction", eviction, "default")


def csr(common_name: str, organization: str = "system:nodes") -> str:
    """A certificate request as it stands in `spec.request`."""
    names = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


def asked_for(
    lab: Lab, user: User, common_name: str, organization: str = "system:nodes"
) -> dict[str, Any]:
    spec = {
        "request": csr(common_name, organization),
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
        "usages": ["digital signature", "client auth"],
        "username": "somebody-else",
    }
    made = lab.cluster.client(user).create(
        "certificatesigningrequests", {"metadata": {"generateName": "csr-"}, "spec": spec}
    )
    found = lab.cluster.object("certificatesigningrequests", made["metadata"]["name"])
    assert found is not None
    return found


def test_a_nodes_certificate_is_signed_for_those_who_may_ask_for_one(lab: Lab) -> None:
    token = lab.cluster.token_user(TOKEN)
    assert token is not None
    found = asked_for(lab, token, "system:node:win3")
    assert found["spec"]["username"] == "system:bootstrap:abcdef"
    assert found["status"]["conditions"][0]["reason"] == "AutoApproved"
    made = x509.load_pem_x509_certificate(base64.b64decode(found["status"]["certificate"]))
    assert lab.cluster.authority.issued(made)
    assert made.subject.rfc4514_string() == "CN=system:node:win3,O=system:nodes"


def test_a_request_that_nobody_approved_waits(lab: Lab) -> None:
    token = lab.cluster.token_user(TOKEN)
    assert token is not None
    assert asked_for(lab, token, "admin", "system:masters")["status"] == {}
    lab.client.delete("clusterrolebindings", "kubeadm:node-autoapprove-bootstrap")
    waiting = asked_for(lab, token, "system:node:win3")
    assert waiting["status"] == {}
    approved = [{"type": "Approved", "status": "True", "reason": "ByHand"}]
    lab.client.update(
        "certificatesigningrequests", {**waiting, "status": {"conditions": approved}}, "approval"
    )
    found = lab.cluster.object("certificatesigningrequests", waiting["metadata"]["name"])
    assert found is not None
    assert found["status"]["certificate"]


def test_what_is_no_certificate_request_is_refused(lab: Lab) -> None:
    request = {
        "metadata": {"name": "c"},
        "spec": {"request": "eA==", "signerName": "kubernetes.io/kube-apiserver-client"},
    }
    with pytest.raises(ApiError, match="PEM block type must be CERTIFICATE REQUEST"):
        lab.client.create("certificatesigningrequests", request)
