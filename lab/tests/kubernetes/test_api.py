"""The API as state: verbs, errors, patches, selectors, watches, authorization."""

from __future__ import annotations

import json
from typing import Any

import pytest
from k8swin_lab.kubernetes.errors import ApiError
from k8swin_lab.kubernetes.users import User, kubelet_user

from lab.tests.kubernetes.conftest import TOKEN, Lab, web, web_service

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


def send(lab: Lab, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    return lab.cluster.api.request(method, path, options.pop("query", None), body, **options)


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "reason", "message"),
    [
        ("GET", "/api/v1/namespaces/default/pods/x", None, 404, "NotFound", 'pods "x" not found'),
        (
            "GET", "/apis/extensions/v1beta1/deployments", None, 404, "NotFound",
            "the server could not find the requested resource",
        ),
        (
            "POST", "/api/v1/namespaces", {"metadata": {"name": "default"}}, 409, "AlreadyExists",
            'namespaces "default" already exists',
        ),
        (
            "POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "a"}}, 404,
            "NotFound", 'namespaces "nowhere" not found',
        ),
        (
            "POST", "/api/v1/namespaces/default/services",
            {"metadata": {"name": "a"}, "spec": {"type": "NodePort",
                                                 "ports": [{"port": 80, "nodePort": 80}]}},
            422, "Invalid",
            'Service "a" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is '
            "not in the valid range. The range of valid ports is 30000-32767",
        ),
        (
            "POST", "/api/v1/namespaces/default/services",
            {"metadata": {"name": "a"}, "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}},
            422, "Invalid",
            'Service "a" is invalid: spec.clusterIPs: Invalid value: ["1.2.3.4"]: failed to '
            "allocate IP 1.2.3.4: the provided network does not match the current range",
        ),
        (
            "POST", "/api/v1/namespaces/default/services",
            {"metadata": {"name": "a"}, "spec": {"externalIPs": ["010.2.3.4"],
                                                 "ports": [{"port": 80}]}},
            422, "Invalid",
            'Service "a" is invalid: spec.externalIPs[0]: Invalid value: "010.2.3.4": must not '
            "have leading 0s",
        ),
    ],
)  # fmt: skip
def test_a_refused_request_gets_the_real_servers_words(
    lab: Lab, method: str, path: str, body: Any, code: int, reason: str, message: str
) -> None:
    status, found = send(lab, method, path, body)
    assert (status, found["reason"], found["message"]) == (code, reason, message)


def test_a_deployment_without_selector_is_refused_with_both_causes(lab: Lab) -> None:
    obj = web()
    del obj["spec"]["selector"]
    status, found = send(lab, "POST", "/apis/apps/v1/namespaces/default/deployments", obj)
    assert status == 422
    assert [cause["field"] for cause in found["details"]["causes"]] == [
        "spec.selector",
        "spec.template.metadata.labels",
    ]


def test_an_unknown_field_is_refused_when_strict_and_a_warning_otherwise(lab: Lab) -> None:
    obj = web()
    obj["spec"]["replcas"] = 3
    path = "/apis/apps/v1/namespaces/default/deployments"
    status, found = send(lab, "POST", path, obj, query={"fieldValidation": "Strict"})
    assert status == 400
    assert found["message"].endswith('strict decoding error: unknown field "spec.replcas"')
    warnings: list[str] = []
    status, found = send(lab, "POST", path, obj, warnings=warnings)
    assert (status, warnings) == (201, ['unknown field "spec.replcas"'])
    assert "replcas" not in found["spec"]


def test_dry_run_leaves_nothing_behind(lab: Lab) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    status, _ = send(lab, "POST", path, {"metadata": {"name": "a"}}, query={"dryRun": "All"})
    assert status == 201
    assert lab.client.get("configmaps", "a", "default") is None


def test_an_update_with_an_old_resource_version_conflicts(lab: Lab) -> None:
    made = lab.client.create("configmaps", {"metadata": {"name": "a", "namespace": "default"}})
    lab.client.update("configmaps", {**made, "data": {"k": "1"}})
    with pytest.raises(ApiError, match="the object has been modified") as caught:
        lab.client.update("configmaps", {**made, "data": {"k": "2"}})
    assert caught.value.code == 409


def test_a_strategic_merge_patch_merges_containers_by_name(lab: Lab) -> None:
    lab.client.create("deployments", web())
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "new:2"}]}}}}
    status, found = send(
        lab,
        "PATCH",
        "/apis/apps/v1/namespaces/default/deployments/web",
        json.dumps(change).encode(),
        content_type="application/strategic-merge-patch+json",
    )
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (status, container["image"]) == (200, "new:2")
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_server_side_apply_conflicts_over_anothers_field_until_forced(lab: Lab) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments/web"

    def apply(manager: str, replicas: int, force: str = "false") -> tuple[int, Any]:
        query = {"fieldManager": manager, "force": force}
        kind = "application/apply-patch+yaml"
        return send(lab, "PATCH", path, web(replicas), query=query, content_type=kind)

    assert apply("one", 2)[0] == 201
    status, found = apply("two", 1)
    assert status == 409
    assert found["message"] == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
    status, found = apply("two", 1, "true")
    assert (status, found["spec"]["replicas"]) == (200, 1)
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} >= {"one", "two"}


def test_a_field_dropped_from_an_applied_configuration_is_removed(lab: Lab) -> None:
    path = "/api/v1/namespaces/default/configmaps/a"
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    query, kind = {"fieldManager": "one"}, "application/apply-patch+yaml"
    send(lab, "PATCH", path, {**obj, "data": {"x": "1", "y": "2"}}, query=query, content_type=kind)
    _, found = send(lab, "PATCH", path, {**obj, "data": {"x": "1"}}, query=query, content_type=kind)
    assert found["data"] == {"x": "1"}


def test_lists_are_paged_and_selected(lab: Lab) -> None:
    for name, tier in (("a", "x"), ("b", "y"), ("c", "x")):
        metadata = {"name": name, "namespace": "default", "labels": {"tier": tier}}
        lab.client.create("configmaps", {"metadata": metadata})
    path = "/api/v1/namespaces/default/configmaps"
    query = {"labelSelector": "tier in (x)", "limit": "1"}
    _, first = send(lab, "GET", path, query=query)
    _, second = send(lab, "GET", path, query={**query, "continue": first["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in first["items"] + second["items"]] == ["a", "c"]
    assert "continue" not in second["metadata"]


def test_a_watch_shows_an_object_that_falls_out_of_its_selector_as_deleted(lab: Lab) -> None:
    metadata = {"name": "a", "namespace": "default", "labels": {"tier": "x"}}
    made = lab.client.create("configmaps", {"metadata": metadata})
    query = {"labelSelector": "tier=x", "timeoutSeconds": "1"}
    query["resourceVersion"] = str(int(made["metadata"]["resourceVersion"]) - 1)
    lab.client.patch("configmaps", "a", {"metadata": {"labels": {"tier": "y"}}}, "default")
    events = lab.cluster.api.watch("/api/v1/namespaces/default/configmaps", query)
    assert [event["type"] for event in events] == ["ADDED", "DELETED"]


def test_the_node_table_has_kubectls_columns(lab: Lab) -> None:
    _, found = send(lab, "GET", "/api/v1/nodes", accept=TABLE)
    names = [column["name"] for column in found["columnDefinitions"] if not column["priority"]]
    assert names == ["Name", "Status", "Roles", "Age", "Version"]
    assert found["rows"][0]["cells"][:3] == ["master", "Ready", "control-plane"]


def test_a_bootstrap_token_may_request_a_certificate_and_nothing_else(lab: Lab) -> None:
    user = lab.cluster.authenticate(f"Bearer {TOKEN}", None)
    assert user is not None
    assert user.name == "system:bootstrap:abcdef"
    status, found = send(lab, "GET", "/api/v1/secrets", user=user)
    assert status == 403
    assert 'User "system:bootstrap:abcdef" cannot list resource "secrets"' in found["message"]


def test_a_wrong_token_is_not_anonymous(lab: Lab) -> None:
    assert lab.cluster.authenticate("Bearer abcdef.ffffffffffffffff", None) is None


def test_anybody_may_read_the_signed_cluster_info(lab: Lab) -> None:
    user = User("system:anonymous", ("system:unauthenticated",))
    path = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
    status, found = send(lab, "GET", path, user=user)
    assert status == 200
    assert found["data"]["jws-kubeconfig-abcdef"].count(".") == 2


def test_a_kubelet_may_not_change_another_node(lab: Lab) -> None:
    change = {"metadata": {"labels": {"x": "y"}}}
    kind = "application/merge-patch+json"
    status, found = send(
        lab, "PATCH", "/api/v1/nodes/win2", change, content_type=kind, user=kubelet_user("win1")
    )
    assert status == 403
    assert 'node "win1" is not allowed to modify node "win2"' in found["message"]


def test_a_service_account_token_secret_is_filled_and_authenticates(lab: Lab) -> None:
    import base64

    metadata = {
        "name": "t",
        "namespace": "default",
        "annotations": {"kubernetes.io/service-account.name": "default"},
    }
    lab.client.create(
        "secrets", {"metadata": metadata, "type": "kubernetes.io/service-account-token"}
    )
    secret = lab.client.get("secrets", "t", "default")
    assert secret is not None
    token = base64.b64decode(secret["data"]["token"]).decode()
    user = lab.cluster.authenticate(f"Bearer {token}", None)
    assert user is not None
    assert user.name == "system:serviceaccount:default:default"


def test_the_dns_service_has_the_tenth_address(lab: Lab) -> None:
    service = lab.client.get("services", "kube-dns", "kube-system")
    assert service is not None
    assert service["spec"]["clusterIP"] == "10.96.0.10"


def test_a_node_port_cannot_be_taken_twice(lab: Lab) -> None:
    lab.client.create("services", web_service())
    second = web_service()
    second["metadata"]["name"] = "other"
    with pytest.raises(ApiError, match="provided port is already allocated"):
        lab.client.create("services", second)
