"""The API versions of a release, and old ones that stand for what is stored."""

import pytest
from k8swin_lab.kubernetes import served
from k8swin_lab.kubernetes.cluster import Cluster

DAEMON_SET = {
    "apiVersion": "extensions/v1beta1",
    "kind": "DaemonSet",
    "metadata": {"name": "agent", "namespace": "default"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"containers": [{"name": "agent", "image": "busybox"}]},
        }
    },
}
OLD = "/apis/extensions/v1beta1/namespaces/default/daemonsets"
NEW = "/apis/apps/v1/namespaces/default/daemonsets"


@pytest.fixture(scope="module")
def old() -> Cluster:
    return Cluster(version="v1.13.12")


def test_an_object_written_in_an_old_version_is_read_in_every_version(old):
    code, made = old.front.request("POST", OLD, body=DAEMON_SET)
    assert code == 201
    assert made["apiVersion"] == "extensions/v1beta1"
    assert made["spec"]["selector"] == {"matchLabels": {"app": "agent"}}
    assert made["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert old.front.request("GET", f"{NEW}/agent")[1]["apiVersion"] == "apps/v1"
    listed = old.front.request("GET", OLD)[1]
    assert [item["metadata"]["name"] for item in listed["items"]] == ["agent"]


@pytest.mark.parametrize(
    ("minor", "group_version", "is_served"),
    [
        (15, "extensions/v1beta1", True),
        (16, "extensions/v1beta1", False),
        (20, "policy/v1", False),
        (21, "policy/v1", True),
        (21, "rbac.authorization.k8s.io/v1beta1", True),
        (22, "rbac.authorization.k8s.io/v1beta1", False),
        (20, "discovery.k8s.io/v1", False),
        (36, "discovery.k8s.io/v1", True),
        (36, "policy/v1beta1", False),
    ],
)
def test_versions_come_and_go_with_their_releases(minor, group_version, is_served):
    found = {
        f"{group}/{version}"
        for group, versions in served.groups(minor).items()
        for version in versions
    }
    assert (group_version in found) == is_served


def test_pod_security_policies_exist_until_1_24():
    assert served.of_kind(24, "policy/v1beta1", "PodSecurityPolicy") is not None
    assert served.of_kind(25, "policy/v1beta1", "PodSecurityPolicy") is None


def test_what_a_release_does_not_serve_is_not_found(old):
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    assert old.front.request("GET", path)[0] == 404
    assert old.front.request("GET", "/livez")[0] == 404
    assert old.front.request("GET", "/openapi/v3")[0] == 404


def test_server_side_apply_is_refused_before_1_18(old):
    code, _ = old.front.request(
        "PATCH", f"{NEW}/other", {"fieldManager": "x"}, DAEMON_SET, "application/apply-patch+yaml"
    )
    assert code == 415


def test_accounts_get_token_secrets_until_1_23_only(old):
    assert any(
        secret["type"] == "kubernetes.io/service-account-token"
        for secret in old.objects("secrets", "default")
    )
    assert not Cluster(version="v1.24.17").objects("secrets", "default")
