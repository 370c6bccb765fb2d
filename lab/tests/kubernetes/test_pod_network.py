"""What a pod reaches, and the names that it finds, as far as its node lets it."""

import pytest
from k8swin_lab.kubernetes import agnhost
from k8swin_lab.kubernetes.pod_network import PodStation, resolve
from k8swin_lab.kubernetes.services import ServiceRouter
from k8swin_lab.network import HttpRequest, HttpResponse, Network, NetworkError, Station

from lab.tests.kubernetes.conftest import Lab, web, web_service


class _Node:
    """The part of a machine that a pod's network asks."""

    reachable = True

    def __init__(self, name: str, address: str, system: str, network: Network) -> None:
        self.name, self.address, self.os, self.network = name, address, system, network
        self.listening: dict[int, object] = {}

    def host_addresses(self) -> dict[str, str]:
        return {}


@pytest.fixture
def network(lab: Lab) -> Network:
    lab.client.create("deployments", web())
    lab.client.create("services", web_service())
    assert lab.cluster.wait_until(lambda: len(lab.ready_pods()) == 2)
    made = Network()
    made.routers.append(ServiceRouter(lab.cluster))
    made.origins["registry.k8s.io"] = lambda request: HttpResponse(200)
    return made


def pod_on(lab: Lab, network: Network, node: str) -> PodStation:
    machine = lab.machines[node]
    (pod,) = [pod for pod in lab.ready_pods() if pod["spec"]["nodeName"] == node]
    host = _Node(node, machine.address, machine.os, network)
    return PodStation(pod["metadata"]["name"], pod["status"]["podIP"], host)


def service(lab: Lab) -> str:
    return lab.cluster.object("services", "web", "default")["spec"]["clusterIP"]


def answers(network: Network, source, address: str, port: int) -> str:
    return network.http(source, HttpRequest("GET", f"http://{address}:{port}/")).body.decode()


def test_a_windows_pod_reaches_pods_services_and_other_nodes_ports(lab, network):
    pod, other = pod_on(lab, network, "win1"), pod_on(lab, network, "win2")
    assert answers(network, pod, other.address, 80) == other.name
    names = {answers(network, pod, service(lab), 80) for _ in range(4)}
    assert names == {pod.name, other.name}
    assert answers(network, pod, lab.machines["win2"].address, 30080)


def test_a_pod_reaches_the_api_server_under_the_clusters_own_name(lab, network):
    pod = pod_on(lab, network, "win1")
    master = _Node("cp1", "127.160.0.9", "linux", network)
    lab.cluster.network, lab.cluster.advertise_address = network, master.address
    network.machines[master.address] = master
    ask = ["connect", "kubernetes.default.svc.cluster.local:443"]

    def connect() -> tuple[int, bytes, bytes]:
        return agnhost.run(
            ask,
            "2.63.0",
            network,
            pod,
            lambda name: resolve(lab.cluster, pod.node, "default", name),
        )

    assert connect() == (1, b"", b"REFUSED\n")
    master.listening[lab.cluster.port] = lambda request: HttpResponse(200)
    assert connect() == (0, b"", b"")
    master.reachable = False
    assert connect() == (1, b"", b"TIMEOUT\n")


def test_its_own_nodes_port_is_closed_to_a_windows_pod(lab, network):
    pod = pod_on(lab, network, "win1")
    with pytest.raises(NetworkError, match="through itself"):
        network.open(pod, lab.machines["win1"].address, 30080)


def test_a_windows_host_reaches_no_services_and_a_stranger_no_cluster_addresses(lab, network):
    host = _Node("win1", lab.machines["win1"].address, "windows", network)
    with pytest.raises(NetworkError, match="through itself"):
        network.open(host, service(lab), 80)
    with pytest.raises(NetworkError, match="i/o timeout"):
        network.open(Station("127.160.0.99"), service(lab), 80)


def test_a_pod_sees_the_address_from_which_another_one_asks(lab, network):
    pod, other = pod_on(lab, network, "win1"), pod_on(lab, network, "win2")
    seen = []
    runtime = lab.cluster.kubelets["win2"].find("default", other.name)
    runtime.containers[0].container.http[80] = lambda request: (
        seen.append(request.peer) or HttpResponse(200)
    )
    network.http(pod, HttpRequest("GET", f"http://{other.address}/"))
    assert seen == [pod.address]


@pytest.mark.parametrize(
    ("system", "name", "found"),
    [
        ("linux", "web", True),
        ("linux", "web.default", True),
        ("linux", "web.default.svc.cluster.local", True),
        ("windows", "web", True),
        # Windows takes a name with a dot for a whole one.
        ("windows", "web.default", False),
        ("windows", "web.default.svc.cluster.local.", True),
        ("windows", "nosuch.default.svc.cluster.local", False),
    ],
)
def test_names_are_completed_as_the_operating_system_does(lab, network, system, name, found):
    node = _Node("win1", "127.160.0.21", system, network)
    if found:
        assert resolve(lab.cluster, node, "default", name) == service(lab)
    else:
        with pytest.raises(NetworkError) as caught:
            resolve(lab.cluster, node, "default", name)
        assert caught.value.kind == "name"


def test_names_outside_are_found_and_addresses_are_none(lab, network):
    node = _Node("win1", "127.160.0.21", "windows", network)
    assert resolve(lab.cluster, node, "default", "registry.k8s.io").count(".") == 3
    assert resolve(lab.cluster, node, "default", "10.244.1.3") == "10.244.1.3"


def test_without_a_dns_server_no_name_is_found(lab, network):
    node = _Node("win1", "127.160.0.21", "windows", network)
    coredns = lab.cluster.object("deployments", "coredns", "kube-system")
    lab.client.update("deployments", {**coredns, "spec": {**coredns["spec"], "replicas": 0}})
    gone = lambda: not lab.client.list("pods", "kube-system", "k8s-app=kube-dns")  # noqa: E731
    assert lab.cluster.wait_until(gone)
    with pytest.raises(NetworkError) as caught:
        resolve(lab.cluster, node, "default", "registry.k8s.io")
    assert caught.value.kind == "name"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["connect", "{other}:80"], 0, ""),
        (["connect", "{other}:80", "--timeout=5s"], 0, ""),
        (["connect", "{other}:81"], 1, "REFUSED"),
        (["connect", "nosuch.example:80"], 1, "DNS: lookup nosuch.example"),
        (["connect", "192.0.2.1:80"], 1, "TIMEOUT"),
        (["connect", "nowhere"], 1, "OTHER"),
        (["connect", "{other}:80", "--protocol=udp"], 70, "not simulated in the lab"),
        (["--version"], 0, "app version 2.63.0"),
        (["dns-suffix"], 70, "not simulated in the lab"),
    ],
)
def test_agnhost_connects_and_says_why_it_cannot(lab, network, arguments, code, words):
    pod, other = pod_on(lab, network, "win1"), pod_on(lab, network, "win2")
    words_given = [word.format(other=other.address) for word in arguments]
    found = agnhost.run(
        words_given, "2.63.0", network, pod, lambda name: network.resolve(pod, name)
    )
    assert found[0] == code
    assert (found[1] + found[2]).decode().startswith(words)
