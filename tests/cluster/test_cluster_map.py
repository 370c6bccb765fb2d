"""The map of a cluster: what is read of its API server, and what is drawn and told of it."""

import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.cluster.cluster_map import ClusterMap, MapNode, MapPod, MapService, workload
from k8swin_nb.cluster.map_reading import read_map
from k8swin_nb.errors import ClusterError
from tests.cluster.api_server import node, nodes, pod, pods

SVG = "{http://www.w3.org/2000/svg}"

NODES = nodes(
    node("linuxmaster"),
    node("winworker01", "False", os="windows", address="10.1.0.11"),
)
WAITS = {"reason": "ErrImagePull"}
PODS = pods(
    pod("etcd-linuxmaster", "kube-system", node="linuxmaster"),
    pod("web-6d4f8b9c7-bcd24", node="winworker01"),
    pod(
        "web-6d4f8b9c7-zzzz2",
        node="winworker01",
        status={"containerStatuses": [{"state": {"waiting": WAITS}}]},
    ),
    pod("web-6d4f8b9c7-xxxx2", node="", status={"phase": "Pending", "containerStatuses": []}),
)


def service(name, **spec):
    return {"metadata": {"namespace": "default", "name": name}, "spec": spec}


SERVICES = {
    "kind": "ServiceList",
    "items": [
        service(
            "web", type="NodePort", clusterIP="10.96.0.7", ports=[{"port": 80, "nodePort": 31000}]
        ),
        service("kubernetes", clusterIP="10.96.0.1", ports=[{"port": 443}]),
        service("lost", clusterIP="10.96.0.8", ports=[{"port": 80}]),
        service("elsewhere", type="ExternalName", externalName="www.example.org"),
    ],
}


def target(name):
    return {"kind": "Pod", "name": name}


SLICES = {
    "items": [
        {
            "metadata": {"namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [
                {"addresses": ["10.244.1.2"], "targetRef": target("web-6d4f8b9c7-bcd24")},
                {
                    "addresses": ["10.244.1.3"],
                    "conditions": {"ready": False},
                    "targetRef": target("web-6d4f8b9c7-zzzz2"),
                },
            ],
        },
        {
            "metadata": {
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "endpoints": [{"addresses": ["10.1.0.10"], "conditions": {"ready": True}}],
        },
    ]
}
ENDPOINTS = {
    "items": [
        {
            "metadata": {"namespace": "default", "name": "web"},
            "subsets": [
                {
                    "addresses": [{"ip": "10.244.1.2", "targetRef": target("web-6d4f8b9c7-bcd24")}],
                    "notReadyAddresses": [
                        {"ip": "10.244.1.3", "targetRef": target("web-6d4f8b9c7-zzzz2")}
                    ],
                }
            ],
        },
        {
            "metadata": {"namespace": "default", "name": "kubernetes"},
            "subsets": [{"addresses": [{"ip": "10.1.0.10"}]}],
        },
    ]
}


def answers(slices):
    def answer(request):
        kind = request.path.partition("?")[0].rpartition("/")[2]
        if kind == "endpointslices" and slices is None:
            request.json({"kind": "Status", "reason": "NotFound"}, 404)
            return
        known = {"nodes": NODES, "pods": PODS, "services": SERVICES, "endpointslices": slices}
        request.json({**known, "endpoints": ENDPOINTS}[kind])

    return answer


@pytest.mark.parametrize("slices", [SLICES, None], ids=["slices", "endpoints"])
def test_who_answers_is_read_from_slices_and_from_endpoints_where_there_are_none(server, slices):
    server.answer = answers(slices)
    text = repr(read_map(server.api()))
    assert "1 of 2 nodes ready, 2 of 4 pods ready, 4 Services" in text
    assert "web NodePort 10.96.0.7 80:31000/TCP: ✓ 1 pod on 1 node answers, 1 not ready" in text
    assert "kubernetes ClusterIP 10.96.0.1 443/TCP: ✓ answered by 10.1.0.10" in text
    assert "lost ClusterIP 10.96.0.8 80/TCP: ✗ nobody answers" in text
    assert "another name for www.example.org" in text
    assert "✗ winworker01 · windows · NotReady · 10.1.0.11 · 2 pods" in text
    assert "● on no node yet: 1 pod" in text
    assert "✗ default/web x2, 1 ErrImagePull" in text


def test_one_namespace_is_asked_for_by_its_own_lists(server):
    server.answer = answers(SLICES)
    assert "namespace default" in repr(read_map(server.api(), "default"))
    asked = {request.path.partition("?")[0] for request in server.requests}
    assert "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices" in asked
    assert "/api/v1/namespaces/default/services" in asked


def test_a_refusal_of_one_list_is_an_error_and_no_empty_map(server):
    def forbidden(request):
        if "endpointslices" in request.path:
            request.json({"kind": "Status", "reason": "Forbidden"}, 403)
        else:
            answers(SLICES)(request)

    server.answer = forbidden
    with pytest.raises(ClusterError, match="endpointslices: the API server answered 403"):
        read_map(server.api())


def test_objects_that_have_nothing_of_what_is_looked_for_are_passed_over(server):
    def bare(request):
        if "endpointslices" in request.path or "services" in request.path:
            request.json({"items": [{}, {"metadata": None, "spec": None}, 7], "metadata": None})
        else:
            answers(SLICES)(request)

    server.answer = bare
    assert "2 Services" in repr(read_map(server.api()))


def drawn(picture):
    svg = ET.fromstring(picture._repr_svg_())
    return svg, [text.text for text in svg.iter(f"{SVG}text")]


def test_the_picture_leads_from_a_service_to_its_nodes_and_dashes_where_no_pod_is_ready():
    nodes = [MapNode("a", "linux", "Ready", ""), MapNode("b", "windows", "Ready", "")]
    pods = [
        MapPod("x", "web-bcdfg", "a", "Running", True),
        MapPod("x", "web-hjklm", "b", "Running", False),
    ]
    web = MapService(
        "x", "web", "ClusterIP", "1.2.3.4", "80/TCP",
        frozenset({("x", "web-bcdfg")}), frozenset({("x", "web-hjklm")}),
    )  # fmt: skip
    svg, said = drawn(ClusterMap(nodes, pods, [web]))
    lines = list(svg.iter(f"{SVG}path"))
    assert [line.get("stroke-dasharray") for line in lines].count(None) == 1
    assert len(lines) == 2
    assert said.count("[1]") == 3  # the Service, and both fields
    assert "● x/web, 1 not ready" in said


def test_a_large_cluster_stays_a_page_and_draws_what_is_wrong():
    nodes = [MapNode(f"n{i:04}", "linux", "Ready", "") for i in range(1000)]
    nodes[777] = MapNode("n0777", "linux", "NotReady", "")
    pods = [
        MapPod("x", f"app{i % 40}-{i}", f"n{i % 1000:04}", "Running", True) for i in range(20_000)
    ]
    # Nodes that are well, and have one bad pod each: more of them than are drawn.
    pods += [MapPod("x", "bad-bcdfg", f"n{i:04}", "Error", False) for i in range(30)]
    services = [MapService("x", f"s{i}", "ClusterIP", "", "") for i in range(900)]
    told = repr(ClusterMap(nodes, pods[:9], services))
    assert "✗ n0777" in told and "... 700 more Services" in told
    picture = ClusterMap(nodes, pods, services[:99])
    svg, said = drawn(picture)
    assert len(picture._repr_svg_()) < 200_000
    assert int(svg.get("width")) < 1000
    assert any(word and word.startswith("✗ n0777") for word in said)
    assert "... 976 more nodes with 19527 pods" in said
    assert "... 75 more Services" in said
    assert len(repr(picture).splitlines()) < 410


def test_a_long_name_leaves_room_for_what_is_said_of_it_and_shows_how_it_ends():
    name = "worker-of-the-site-in-the-far-east-" * 5 + "07"
    _, said = drawn(
        ClusterMap(
            [MapNode(name, "windows", "NotReady", "10.1.0.3")],
            [MapPod("x", f"{'w' * 90}-end-0", name, "CrashLoopBackOff", False)],
            [MapService("x", f"{name}-end", "ClusterIP", "", "80/TCP")],
        )
    )
    assert any(t and t.endswith("07 · windows · NotReady · 10.1.0.3 · 1 pod") for t in said)
    assert any(t and t.endswith("-end, 1 CrashLoopBackOff") for t in said)
    assert any(t and t.endswith("-end 80/TCP") for t in said)


def test_names_with_markup_are_text():
    evil = '<script>"&'
    picture = ClusterMap(
        [MapNode(evil, evil, evil, evil)],
        [MapPod(evil, evil, evil, evil, False)],
        [MapService(evil, evil, evil, evil, evil)],
        evil,
    )
    svg, said = drawn(picture)
    assert not list(svg.iter(f"{SVG}script"))
    assert any(evil in (word or "") for word in said)
    assert "<script" not in picture._repr_html_()


@pytest.mark.parametrize(
    ("name", "node", "is_of"),
    [
        ("web-6d4f8b9c7-bcd24", "n", "web"),
        ("kube-proxy-x2b4z", "n", "kube-proxy"),
        ("etcd-linuxmaster", "linuxmaster", "etcd"),
        ("db-0", "n", "db"),
        ("job-28391-x2b4z", "n", "job-28391"),
        ("plain", "n", "plain"),
        ("win-webserver", "n", "win-webserver"),
    ],
)
def test_pods_are_put_together_by_what_made_them(name, node, is_of):
    assert workload(MapPod("x", name, node, "Running", True)) == f"x/{is_of}"


def test_a_cluster_without_anything_is_drawn():
    _, said = drawn(ClusterMap([], [], []))
    assert "0 of 0 nodes ready, 0 of 0 pods ready, 0 Services" in said
