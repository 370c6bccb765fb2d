"""What people type to look at a cluster and to change it by hand: docs/lab.md names these verbs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated

from lab.tests.linux.conftest import Result, run_on
from lab.tests.linux.test_kubectl import APP


@pytest.fixture(scope="module")
def kubectl(cluster: LinuxMachine) -> Iterator[object]:
    def kubectl(line: str, stdin: str = "") -> Result:
        return run_on(
            cluster, f"kubectl {line}", stdin=stdin, KUBECONFIG="/etc/kubernetes/admin.conf"
        )

    kubectl("apply -f -", APP)
    assert kubectl("rollout status deploy/web --timeout=100s").code == 0
    yield kubectl
    kubectl("delete deploy web")


@pytest.mark.parametrize(
    ("line", "patterns"),
    [
        (
            "describe node linuxmaster",
            [
                r"Name: +linuxmaster\nRoles: +control-plane\n",
                r"Taints: +node\.kubernetes\.io/not-ready:NoSchedule\n",
                r"  Ready +False .*KubeletNotReady",
                r"  InternalIP:  192\.168\.160\.10\n",
                r"  kube-system +etcd-linuxmaster",
            ],
        ),
        (
            "describe pods -l app=web",
            [
                r"Node: +linuxmaster/192\.168\.160\.10\n",
                r"Controlled By: +ReplicaSet/web-",
                r"    State: +Running\n",
                r"    Restart Count: +0\n",
                r"  Normal +Scheduled +\S+ +default-scheduler +Successfully assigned default/web-",
            ],
        ),
        ("describe svc kubernetes", [r"Name: +kubernetes\n", r"  ClusterIP: +10\.96\.0\.1\n"]),
        (
            "cluster-info",
            [r"Kubernetes control plane is running at https://192\.168\.160\.10:6443"],
        ),
        (
            "config view",
            [r"certificate-authority-data: DATA\+OMITTED", r"client-key-data: DATA\+OMITTED"],
        ),
        ("config current-context", [r"^kubernetes-admin@kubernetes\n$"]),
        ("config get-contexts", [r"\* +kubernetes-admin@kubernetes +kubernetes +kubernetes-admin"]),
        ("api-resources", [r"deployments +deploy +apps/v1 +true +Deployment\n"]),
        ("api-versions", [r"^apps/v1\n", r"\nv1\n$"]),
        ("auth can-i get pods", [r"^yes\n$"]),
        ("auth whoami", [r"Username +kubernetes-admin\n"]),
        ("get events", [r"Normal +Scheduled +pod/web-", r"Normal +Pulled +pod/web-"]),
        ("get pods -A -o wide", [r"kube-system +etcd-linuxmaster +1/1 +Running +0 .*linuxmaster"]),
        ("get ns", [r"\nkube-system +Active +"]),
        ("get cm -n kube-system", [r"\nkubeadm-config +1 +"]),
        ("get sa -n kube-system", [r"\ncoredns +"]),
        ("get leases -n kube-node-lease", [r"\nlinuxmaster +linuxmaster +"]),
        ("get endpointslices", [r"\nkubernetes +IPv4 +6443 +192\.168\.160\.10 +"]),
        ("get clusterrolebindings", [r"\ncluster-admin +ClusterRole/cluster-admin +"]),
        ("exec deploy/web -- env", [r"(^|\n)KUBERNETES_SERVICE_HOST=10\.96\.0\.1\n"]),
        ("get all", [r"deployment\.apps/web +2/2 +2 +2 ", r"replicaset\.apps/web-\S+ +2 +2 +2 "]),
    ],
)
def test_a_cluster_is_looked_at(kubectl, line, patterns):
    found = kubectl(line)
    assert (found.code, found.err) == (0, "")
    missing = [pattern for pattern in patterns if not re.search(pattern, found.out)]
    assert missing == [], found.out


def test_what_is_looked_for_in_vain_is_said(kubectl):
    found = kubectl("describe pod nosuch")
    assert (found.code, found.err) == (1, 'Error from server (NotFound): pods "nosuch" not found\n')


PATCHES = [
    ("strategic", '{"spec":{"replicas":1}}', "1"),
    ("merge", '{"spec":{"replicas":3}}', "3"),
    ("json", '[{"op":"replace","path":"/spec/replicas","value":4}]', "4"),
]


@pytest.mark.parametrize(("kind", "patch", "replicas"), PATCHES)
def test_an_object_is_patched(kubectl, kind, patch, replicas):
    try:
        done = kubectl(f"patch deploy web --type={kind} -p '{patch}'")
        assert done.out == "deployment.apps/web patched\n"
        assert kubectl("get deploy web -o jsonpath={.spec.replicas}").out == replicas
    finally:  # as every test of the cluster finds it, alone or after others
        kubectl("scale deploy web --replicas=2")
        kubectl("rollout status deploy/web --timeout=100s")


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        (
            '[{"op":"add","path":"/data/c","value":"3"},{"op":"remove","path":"/data/a"}]',
            '{"b":"2","c":"3"}',
        ),
        ('[{"op":"move","from":"/data/a","path":"/data/d"}]', '{"b":"2","d":"1"}'),
        ('[{"op":"copy","from":"/data/a","path":"/data/d"}]', '{"a":"1","b":"2","d":"1"}'),
        ('[{"op":"test","path":"/data/a","value":"1"}]', '{"a":"1","b":"2"}'),
    ],
)
def test_operations_of_a_json_patch_are_done_in_their_order(kubectl, operations, left):
    assert kubectl("create cm patched --from-literal=a=1 --from-literal=b=2").code == 0
    try:
        assert kubectl(f"patch cm patched --type=json -p '{operations}'").code == 0
        assert kubectl("get cm patched -o jsonpath={.data}").out == left
    finally:
        kubectl("delete cm patched")


def test_annotations_come_and_go(kubectl):
    assert kubectl("annotate deploy web note=1").out == "deployment.apps/web annotated\n"
    assert kubectl("get deploy web -o jsonpath={.metadata.annotations.note}").out == "1"
    assert kubectl("annotate deploy web note-").out == "deployment.apps/web annotated\n"
    assert kubectl("get deploy web -o jsonpath={.metadata.annotations.note}").out == ""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("create cm c1 --from-literal=a=b", "configmap/c1 created\n"),
        ("create secret generic s1 --from-literal=p=q", "secret/s1 created\n"),
        ("create sa me", "serviceaccount/me created\n"),
        ("create deployment d1 --image=nginx", "deployment.apps/d1 created\n"),
    ],
)
def test_objects_are_created_by_hand(kubectl, line, told):
    kubectl("create ns desk")
    try:
        assert kubectl(f"{line} -n desk").out == told
    finally:
        assert kubectl("delete ns desk").out == 'namespace "desk" deleted\n'


def test_a_role_is_given_to_a_service_account(kubectl):
    line = "create clusterrolebinding crb --clusterrole=view --serviceaccount=default:default"
    assert kubectl(line).out == "clusterrolebinding.rbac.authorization.k8s.io/crb created\n"
    assert kubectl("create token default --duration=1h").out.count(".") == 2
    kubectl("delete clusterrolebinding crb")


def test_a_deployment_is_waited_for_and_restarted(kubectl):
    done = kubectl("wait --for=condition=Available deploy/web --timeout=100s")
    assert done.out == "deployment.apps/web condition met\n"
    running = "wait --for=jsonpath='{.status.phase}'=Running pod -l app=web --timeout=100s"
    assert re.fullmatch(r"(pod/web-\S+ condition met\n)+", kubectl(running).out)
    before = kubectl("get pods -l app=web -o name").out
    assert kubectl("rollout restart deploy/web").out == "deployment.apps/web restarted\n"
    assert "successfully rolled out" in kubectl("rollout status deploy/web --timeout=100s").out
    assert set(kubectl("get pods -l app=web -o name").out.split()) & set(before.split()) == set()


def test_a_node_is_drained_and_taken_back(kubectl):
    assert kubectl("cordon linuxmaster").out == "node/linuxmaster cordoned\n"
    done = kubectl("drain linuxmaster --ignore-daemonsets --force --timeout=100s")
    assert re.search(r"evicting pod default/web-\S+\n", done.out)
    assert done.out.endswith("node/linuxmaster drained\n")
    assert "ignoring DaemonSet-managed Pods: kube-system/kube-proxy-" in done.err
    assert kubectl("uncordon linuxmaster").out == "node/linuxmaster uncordoned\n"


@pytest.mark.parametrize(
    "line", ["top nodes", "explain pods", "rollout history deploy/web", "get pods --sort-by=.a"]
)
def test_what_kubectl_has_and_the_lab_has_not_is_refused(kubectl, line):
    with pytest.raises(NotSimulated, match="kubectl"):
        kubectl(line)
