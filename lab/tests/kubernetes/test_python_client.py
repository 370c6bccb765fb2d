"""The real Python client against the lab's HTTPS server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubernetes import client, config, stream, watch

from lab.tests.kubernetes.conftest import Served, web

pytestmark = [pytest.mark.wire, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def api(served: Served) -> Iterator[client.ApiClient]:
    made = config.new_client_from_config(str(served.kubeconfig))
    yield made
    made.close()
    made.rest_client.pool_manager.clear()


def wait_for_pods(served: Served, count: int) -> None:
    assert served.lab.cluster.wait_until(lambda: len(served.lab.ready_pods()) == count)


@pytest.fixture
def deployed(served: Served, api: client.ApiClient) -> Iterator[client.ApiClient]:
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment("default", web())
    wait_for_pods(served, 2)
    yield api
    apps.delete_namespaced_deployment("web", "default")
    assert served.lab.cluster.wait_until(lambda: not served.lab.pods())


def test_nodes_are_listed_with_their_versions(api: client.ApiClient) -> None:
    nodes = client.CoreV1Api(api).list_node().items
    assert [node.metadata.name for node in nodes] == ["master", "win1", "win2"]
    assert nodes[1].status.node_info.operating_system == "windows"
    assert client.VersionApi(api).get_code().git_version == "v1.36.4"


def test_a_watch_streams_what_scaling_changes(served: Served, deployed: client.ApiClient) -> None:
    apps = client.AppsV1Api(deployed)
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 3}})
    events = watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=100)
    for event in events:
        if event["object"].status.ready_replicas == 3:
            break
    else:
        pytest.fail("the watch ended before three replicas were ready")
    wait_for_pods(served, 3)


def test_logs_and_exec_reach_the_container(served: Served, deployed: client.ApiClient) -> None:
    core = client.CoreV1Api(deployed)
    name = served.lab.pods()[0]["metadata"]["name"]
    assert core.read_namespaced_pod_log(name, "default") == "started web\n"
    running = stream.stream(
        core.connect_get_namespaced_pod_exec,
        name,
        "default",
        command=["echo", "a", "b"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        _preload_content=False,
    )
    running.run_forever(timeout=100)
    assert (running.read_stdout(), running.returncode) == ("a b\n", 0)
    running.sock.shutdown()


def test_a_missing_object_is_an_api_exception_with_a_status(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        client.CoreV1Api(api).read_namespaced_pod("nobody", "default")
    assert caught.value.status == 404
    assert 'pods \\"nobody\\" not found' in caught.value.body


def test_a_client_without_credentials_is_anonymous(served: Served) -> None:
    settings = client.Configuration()
    config.load_kube_config(str(served.kubeconfig), client_configuration=settings)
    settings.cert_file = settings.key_file = None
    anonymous = client.ApiClient(settings)
    with pytest.raises(client.ApiException) as caught:
        client.CoreV1Api(anonymous).list_node()
    anonymous.rest_client.pool_manager.clear()
    assert caught.value.status == 403
    assert "system:anonymous" in caught.value.body
