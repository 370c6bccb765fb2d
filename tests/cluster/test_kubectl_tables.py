"""Tables of a cluster: kubectl's columns as typed values, and as people read them."""

import pickle
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from k8swin_nb.cluster import answers
from k8swin_nb.cluster.columns import Columns
from k8swin_nb.cluster.kube_table import KubeTable, state_of
from k8swin_nb.cluster.kubectl_tables import Wanted
from k8swin_nb.cluster.messages import of_json
from k8swin_nb.cluster.rows import (
    PodRows,
    event_row,
    image_build,
    node_row,
    service_row,
    workload_row,
)
from k8swin_nb.cluster.schema import SCHEMAS
from k8swin_nb.errors import ClusterError
from tests.cluster.api_server import listed, node, nodes, pod, pods

WINDOWS = node("win1", os="windows", kernel="10.0.20348.2762")

TYPES = {
    "nodes": "NAME string, STATUS string, ROLES string, AGE timedelta64[us], VERSION string, INTERNAL-IP string, "
    "EXTERNAL-IP string, OS-IMAGE string, KERNEL-VERSION string, CONTAINER-RUNTIME string, OS string, BUILD Int64, "
    "ARCH string, CPU Float64, MEMORY Int64, PODS Int64, TAINTS string, POD-CIDR string, REASON string, "
    "CREATED datetime64[us, UTC]",
    "pods": "NAMESPACE string, NAME string, READY Int64, DESIRED Int64, STATUS string, RESTARTS Int64, "
    "LAST-RESTART timedelta64[us], AGE timedelta64[us], IP string, NODE string, NODE-STATUS string, OS string, "
    "BUILD Int64, IMAGE string, IMAGE-BUILD Int64, NOMINATED-NODE string, READINESS-GATES string, OWNER string, "
    "CPU Float64, MEMORY Int64, CREATED datetime64[us, UTC]",
    "services": "NAMESPACE string, NAME string, TYPE string, CLUSTER-IP string, EXTERNAL-IP string, PORT(S) string, "
    "AGE timedelta64[us], SELECTOR string, CREATED datetime64[us, UTC]",
    "events": "NAMESPACE string, LAST-SEEN timedelta64[us], TYPE string, REASON string, OBJECT string, "
    "SUBOBJECT string, SOURCE string, MESSAGE string, FIRST-SEEN timedelta64[us], COUNT Int64, NAME string, "
    "LAST datetime64[us, UTC], FIRST datetime64[us, UTC]",
    "workloads": "NAMESPACE string, KIND string, NAME string, READY Int64, DESIRED Int64, CURRENT Int64, "
    "UP-TO-DATE Int64, AVAILABLE Int64, STATUS string, DURATION timedelta64[us], AGE timedelta64[us], OS string, "
    "CONTAINERS string, IMAGES string, SELECTOR string, NODE-SELECTOR string, CREATED datetime64[us, UTC]",
}  # fmt: skip


def types(table):
    return ", ".join(f"{name} {dtype}" for name, dtype in table.dtypes.items())


def everything(server, *items):
    """Let a server have these pods, and one of all else."""
    server.serves(
        nodes=nodes(node("w1"), WINDOWS),
        pods=pods(*(items or (pod("a"),))),
        services=listed("Service", {"metadata": {"name": "s", "namespace": "default"}}),
        events=listed("Event", {"metadata": {"name": "e", "namespace": "default"}, "message": "m"}),
        deployments=listed("Deployment", {"metadata": {"name": "d", "namespace": "default"}}),
        statefulsets=listed("StatefulSet"),
        daemonsets=listed("DaemonSet"),
        jobs=listed("Job"),
    )
    return server.tables()


@pytest.mark.parametrize("name", TYPES)
def test_names_and_types_of_columns_are_the_same_for_every_result(server, name):
    full = everything(server).table(name)
    assert len(full) and types(full) == TYPES[name]
    narrow = server.tables().table(name, wide=False)
    assert list(narrow.columns) == list(SCHEMAS[name].narrow)
    empty = Columns(SCHEMAS[name]).frame(datetime.now(UTC))
    assert types(empty) == TYPES[name] and not len(empty)
    assert SCHEMAS[name].dtypes() == {n: str(t) for n, t in full.dtypes.items()}


def test_values_are_values_and_what_is_not_there_is_missing(server):
    server.serves(
        nodes=nodes(WINDOWS, {"metadata": {"name": "bare"}}),
        pods=pods(
            pod(
                "a", node="win1", restarts=4, image="mcr.microsoft.com/windows/nanoserver:ltsc2019"
            ),
            pod("b", node="", ready=False, status={"podIP": None}),
        ),
    )
    table = server.tables().table("pods")
    first, second = table.iloc[0], table.iloc[1]
    assert table[table["RESTARTS"] > 0]["NAME"].tolist() == ["a"]
    assert (first["OS"], first["BUILD"], first["IMAGE-BUILD"]) == ("windows", 20348, 17763)
    assert table["AGE"].iloc[0] > timedelta(days=1)
    assert table["CREATED"].iloc[0] == datetime(2026, 11, 1, tzinfo=UTC)
    assert (first["READY"], first["DESIRED"], second["READY"]) == (1, 1, 0)
    for name in ("IP", "NODE", "OS", "BUILD", "NODE-STATUS", "LAST-RESTART"):
        assert pd.isna(second[name]), name
    seen = server.tables().table("nodes")
    assert seen["STATUS"].tolist() == ["Ready", "Unknown"] and pd.isna(seen["AGE"].iloc[1])


def test_quantities_are_numbers():
    has = {"cpu": "7910m", "memory": "33554432Ki", "pods": "110"}
    row = node_row(of_json("Node", node("a", status={"allocatable": has})))
    assert row[13:16] == (7.91, 32 * 2**30, 110)
    two = [{"image": "a", "resources": {"requests": {"cpu": "100m", "memory": "1G"}}}] * 2
    asked = PodRows({})([of_json("Pod", pod("a", spec={"containers": two}))])[0]
    assert asked[-2:] == (0.2, 2_000_000_000)
    odd = node_row(
        of_json(
            "Node", node("a", status={"allocatable": {"cpu": "much", "memory": [1], "pods": 9e99}})
        )
    )
    assert odd[13:16] == (None, None, None)


@pytest.mark.parametrize(
    ("image", "build"),
    [
        ("mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022", 20348),
        ("mcr.microsoft.com/windows/servercore:1809-amd64", 17763),
        ("mcr.microsoft.com/windows/nanoserver:10.0.26100.2314", 26100),
        ("site:5000/windows-ltsc2019/tool:2", None),
        ("web@sha256:ltsc2022", None),
        ("web", None),
    ],
)
def test_the_build_of_an_image_is_what_its_tag_says(image, build):
    assert image_build(image) == build


def terminated(**what):
    return {"state": {"terminated": what}}


WAITS = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 7,
         "lastState": {"terminated": {"finishedAt": "2026-11-02T00:00:00Z"}}}  # fmt: skip
RUNS = {"state": {"running": {}}, "ready": True}
GONE = {"deletionTimestamp": "2026-11-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("status", "spec", "metadata", "told"),
    [
        ({"phase": "Pending", "containerStatuses": []}, {}, {}, "0/1 Pending 0"),
        ({"containerStatuses": [RUNS]}, {}, {}, "1/1 Running 0"),
        ({"containerStatuses": [WAITS]}, {}, {}, "0/1 CrashLoopBackOff 7"),
        ({"containerStatuses": [terminated(reason="OOMKilled")]}, {}, {}, "0/1 OOMKilled 0"),
        ({"containerStatuses": [terminated(signal=9)]}, {}, {}, "0/1 Signal:9 0"),
        ({"containerStatuses": [terminated(exitCode=3)]}, {}, {}, "0/1 ExitCode:3 0"),
        ({"containerStatuses": [RUNS, terminated(reason="Completed")]},
         {"containers": [{"name": "a"}, {"name": "b"}]}, {}, "1/2 Running 0"),
        ({"containerStatuses": [terminated(reason="Completed"), RUNS],
          "conditions": [{"type": "Ready", "status": "False"}]},
         {"containers": [{"name": "a"}, {"name": "b"}]}, {}, "1/2 NotReady 0"),
        ({"phase": "Failed", "reason": "Evicted", "containerStatuses": []}, {}, {}, "0/1 Evicted 0"),
        ({"containerStatuses": [RUNS]}, {}, GONE, "1/1 Terminating 0"),
        ({"reason": "NodeLost", "containerStatuses": [RUNS]}, {}, GONE, "1/1 Unknown 0"),
        ({"phase": "Succeeded", "containerStatuses": [terminated(reason="Completed")]}, {}, GONE, "0/1 Completed 0"),
        ({"phase": "Pending", "containerStatuses": [],
          "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
         {}, {}, "0/1 SchedulingGated 0"),
        ({"phase": "Pending", "containerStatuses": [], "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]},
         {"initContainers": [{"name": "i"}, {"name": "j"}]}, {}, "0/1 Init:0/2 0"),
        ({"phase": "Pending", "containerStatuses": [], "initContainerStatuses": [
            {"name": "i", **terminated(exitCode=0)}, {"name": "j", **terminated(exitCode=2), "restartCount": 3}]},
         {"initContainers": [{"name": "i"}, {"name": "j"}]}, {}, "0/1 Init:ExitCode:2 3"),
        ({"phase": "Pending", "containerStatuses": [], "initContainerStatuses": [
            {"name": "i", "state": {"waiting": {"reason": "ErrImagePull"}}}]},
         {"initContainers": [{"name": "i"}]}, {}, "0/1 Init:ErrImagePull 0"),
        # Which one was restarted last is asked of all.
        ({"containerStatuses": [{**RUNS, "lastState": WAITS["lastState"]}, {**RUNS, "restartCount": 2}]},
         {"containers": [{"name": "a"}, {"name": "b"}]}, {}, "2/2 Running 2 2026-11-02"),
        # A container that begins before the others and goes on beside them counts as one of them.
        ({"containerStatuses": [RUNS], "initContainerStatuses": [
            {"name": "i", "started": True, "restartCount": 2, **RUNS}]},
         {"initContainers": [{"name": "i", "restartPolicy": "Always"}]}, {}, "2/2 Running 2"),
    ],
)  # fmt: skip
def test_ready_status_and_restarts_are_what_kubectl_prints(status, spec, metadata, told):
    """The cases are those of printPod and its tests in kubernetes/kubernetes, pkg/printers/internalversion."""
    made = pod("a", status=status, spec=spec, metadata=metadata)
    row = PodRows({})([of_json("Pod", made)])[0]
    day = told.split()[3:]
    assert f"{row[2]}/{row[3]} {row[4]} {row[5]}" == " ".join(told.split()[:3])
    assert not day or f"{datetime.fromtimestamp(row[6] / 1e6, UTC):%Y-%m-%d}" == day[0]


def test_a_service_an_event_and_a_workload_have_kubectls_columns(server):
    balanced = {"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "selector": {"b": "1", "a": "2"},
                "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]}}  # fmt: skip
    row = service_row(of_json("Service", balanced))
    assert row[2:6] == ("LoadBalancer", "10.96.0.9", "<pending>", "80:30080/TCP,53/UDP")
    assert row[7] == "a=2,b=1"
    given = [{"hostname": "lb"}, {"ip": "9.9.9.9"}, {"ip": "9.9.9.9"}, {}]
    balanced["spec"]["externalIPs"] = ["1.1.1.1"]
    for ingress, outside in ((given, "9.9.9.9,lb,1.1.1.1"), ([{}], "1.1.1.1")):
        balanced["status"] = {"loadBalancer": {"ingress": ingress}}
        assert service_row(of_json("Service", balanced))[4] == outside
    del balanced["spec"]["externalIPs"]
    assert service_row(of_json("Service", balanced))[4] == "<pending>"
    event = {"metadata": {"name": "e"}, "eventTime": "2026-11-01T00:00:00.5Z", "type": "Warning", "message": " m\n",
             "involvedObject": {"kind": "Pod", "name": "p"}, "series": {"count": 4, "lastObservedTime": "2026-11-01T01:00:00Z"},
             "reportingComponent": "kubelet"}  # fmt: skip
    row = event_row(of_json("Event", event))
    assert row[1] - row[8] == 3_599_500_000 and row[4] == "pod/p" and row[5] == "m" and row[9] == 4
    assert row[7] == "kubelet"
    old = {
        **event,
        "source": {"component": "kubelet", "host": "w1"},
        "eventTime": None,
        "series": None,
    }
    row = event_row(of_json("Event", old))
    # When nobody said when, kubectl does not know, and the others stand behind it.
    assert row[7] == "kubelet, w1" and (row[1], row[8]) == (None, None)
    # What the source does not say, the reporter does, each by itself.
    old["source"] = {"host": "w1"}
    assert event_row(of_json("Event", old))[7] == "kubelet, w1"
    old["source"], old["reportingInstance"] = {"component": "kubectl"}, "w2"
    assert event_row(of_json("Event", old))[7] == "kubectl, w2"
    deployment = {"metadata": {"name": "d", "namespace": "x", "generation": 2}, "spec": {"replicas": 3},
                  "status": {"readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}}  # fmt: skip
    server.serves(
        deployments=listed("Deployment", deployment),
        statefulsets=lambda request: request.json({}, 403),
        daemonsets=listed("DaemonSet"),
        jobs=listed("Job", {"metadata": {"name": "j", "namespace": "x"}, "spec": {"completions": 2},
                            "status": {"succeeded": 2, "conditions": [{"type": "Complete", "status": "True"}]}}),
    )  # fmt: skip
    table = server.tables().table("workloads", Wanted(namespace="x"))
    assert table[["KIND", "READY", "DESIRED", "STATUS"]].to_numpy().tolist() == [
        ["Deployment", 3, 3, "Progressing"], ["Job", 2, 2, "Complete"],
    ]  # fmt: skip
    assert "not read: statefulsets (403 Forbidden)" in table.caption
    assert server.requests[0].path.startswith("/apis/apps/v1/namespaces/x/deployments")


DONE = {"observedGeneration": 1, "readyReplicas": 2, "updatedReplicas": 2}
BEGAN = {"startTime": "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "status", "spec", "state"),
    [
        ("Deployment", {**DONE, "availableReplicas": 2}, {}, "Ready"),
        # Ready, but not yet for the seconds that it has to be.
        ("Deployment", {**DONE, "availableReplicas": 1}, {}, "Progressing"),
        ("Deployment", DONE, {}, "Progressing"),
        ("StatefulSet", DONE, {}, "Ready"),
        ("StatefulSet", {**DONE, "availableReplicas": 0}, {}, "Progressing"),
        ("Job", {"conditions": [{"type": "FailureTarget", "status": "True"}]}, {}, "FailureTarget"),
        ("Job", {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]},
         {}, "Complete"),
        ("Job", {}, {"suspend": True}, "Suspended"),
        ("Job", {"conditions": [{"type": "FailureTarget", "status": "True"}]}, {"suspend": True}, "FailureTarget"),
        ("Job", {}, {}, "Running"),
    ],
)  # fmt: skip
def test_a_workload_is_ready_when_all_that_is_wanted_is_there_and_available(
    kind, status, spec, state
):
    made = {"metadata": {"generation": 1}, "spec": {"replicas": 2, **spec}, "status": status}
    fields = list(SCHEMAS["workloads"].fields)
    row = workload_row(kind, of_json(kind, made))
    assert row[fields.index("STATUS")] == state
    made["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"
    row = workload_row(kind, of_json(kind, made))
    assert row[fields.index("STATUS")] == (state if state == "Complete" else "Terminating")


def test_a_job_says_how_long_it_took_and_a_selector_is_in_kubectls_order(server):
    jobs = [
        {"metadata": {"name": "done"}, "status": {**BEGAN, "completionTime": "2026-11-01T00:03:20Z"}},
        {"metadata": {"name": "on"}, "status": BEGAN},
        {"metadata": {"name": "not-yet"}},
    ]  # fmt: skip
    chosen = {"matchLabels": {"z": "1", "b": "1"}, "matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["y", "x"]},
              {"key": "a", "operator": "DoesNotExist"}]}  # fmt: skip
    template = {"spec": {"nodeSelector": {"kubernetes.io/os": "windows"}}}
    server.serves(
        deployments=listed("Deployment"), statefulsets=listed("StatefulSet"), jobs=listed("Job", *jobs),
        daemonsets=listed("DaemonSet", {"metadata": {"name": "d"}, "spec": {"selector": chosen, "template": template},
                                        "status": {"currentNumberScheduled": 4}}),
    )  # fmt: skip
    table = server.tables().table("workloads")
    assert table["DURATION"].iloc[1] == timedelta(minutes=3, seconds=20)
    assert table["DURATION"].iloc[2] > timedelta(days=1)
    assert table["DURATION"].isna().tolist() == [True, False, False, True]
    daemon = table.iloc[0]
    assert daemon["SELECTOR"] == "!a,b=1,b notin (x,y),z=1" and daemon["CURRENT"] == 4
    assert daemon["NODE-SELECTOR"] == "kubernetes.io/os=windows" and daemon["OS"] == "windows"


def test_workloads_of_which_nothing_may_be_read_are_an_error(server):
    server.answer = lambda request: request.json({}, 403)
    with pytest.raises(ClusterError, match="403"):
        server.tables().table("workloads")


def test_what_is_chosen_is_chosen_by_the_server(server):
    tables = everything(server)
    tables.table("pods", Wanted("x", labels="app=web", fields="status.phase=Running", node="w,1"))
    path = server.requests[-1].path
    assert path.startswith("/api/v1/namespaces/x/pods?")
    assert "labelSelector=app%3Dweb" in path
    assert "fieldSelector=status.phase%3DRunning%2Cspec.nodeName%3Dw%5C%2C1" in path
    assert "spec.nodeName" not in server.requests[-2].path  # which asks for that node itself
    tables.table("services", Wanted("x", labels=" ", fields=" metadata.name=a "))
    assert server.requests[-1].path.endswith("/services?fieldSelector=metadata.name%3Da")
    assert (
        "chosen by -n x -l app=web" in tables.table("pods", Wanted("x", labels="app=web")).caption
    )


def test_a_system_is_chosen_by_the_node(server):
    tables = everything(server, pod("a", node="win1"), pod("b", node="w1"))
    assert tables.table("pods", Wanted(os="windows"))["NAME"].tolist() == ["a"]
    assert tables.table("nodes", Wanted(os="linux"))["NAME"].tolist() == ["w1"]


def test_pods_are_shown_without_their_nodes_where_these_may_not_be_read(server):
    server.serves(nodes=lambda request: request.json({}, 403), pods=pods(pod("a")))
    table = server.tables().table("pods")
    assert table["NAME"].tolist() == ["a"] and table["OS"].isna().all()
    assert "of nodes nothing is known (403 Forbidden)" in table.caption


def test_odd_objects_take_no_other_along(server):
    odd = [None, 7, [], {}, {"metadata": 5, "spec": [], "status": "x"},
           {"metadata": {"name": 7, "namespace": ["x"], "creationTimestamp": "yesterday", "labels": {"a": {}}},
            "status": {"podIPs": [None, {"ip": 5}], "containerStatuses": [None, {"restartCount": 1e400, "state": []}]}},
           {"metadata": {"name": "\ud800\x1b]0;x", "creationTimestamp": "9999-12-31T23:59:59Z"},
            "spec": {"containers": {"a": 1}}, "status": {"phase": True}}]  # fmt: skip
    server.serves(nodes=nodes(*odd, node("w1")), pods=pods(pod("a"), *odd, pod("z")))
    table = server.tables().table("pods")
    assert len(table) == len(odd) + 2 and {"a", "z"} <= set(table["NAME"])
    assert "\x1b" not in "".join(table["NAME"]) and "^[" in "".join(table["NAME"])
    assert len(server.tables().table("nodes")) == len(odd) + 1
    assert repr(table) and table._repr_html_()


def test_the_same_is_read_of_protobuf_and_of_json(server, monkeypatch):
    monkeypatch.setattr(answers, "PIECE", 1000)
    monkeypatch.setattr(answers, "PART", 2000)  # an object may be larger than what is read at once
    large = {"labels": {f"label{i}": "x" * 40 for i in range(200)}}
    made = pods(
        pod("a", restarts=3, metadata=GONE, status={"containerStatuses": [WAITS, RUNS]}),
        *(pod(f"p{i}", metadata=large if i == 7 else {}) for i in range(50)),
    )
    seen = nodes(node("w1"), WINDOWS)
    server.serves(nodes=seen, pods=made)
    of_document = server.tables().table("pods")
    server.serves(
        nodes=lambda request: request.protobuf("Node", seen),
        pods=lambda request: request.protobuf("Pod", made),
    )
    of_wire = server.tables().table("pods")
    assert len(of_wire) == 51 and of_wire["STATUS"].iloc[0] == "Terminating"
    pd.testing.assert_frame_equal(
        pd.DataFrame(of_wire).drop(columns=["AGE", "LAST-RESTART"]),
        pd.DataFrame(of_document).drop(columns=["AGE", "LAST-RESTART"]),
    )
    assert "application/vnd.kubernetes.protobuf" in server.requests[-1].headers["Accept"]


def test_half_of_the_nodes_unknown_is_seen_on_nodes_and_on_their_pods(server):
    silent = [node(f"w{i}", "Unknown" if i % 2 else "True") for i in range(4)]
    server.serves(nodes=nodes(*silent), pods=pods(*(pod(f"p{i}", node=f"w{i}") for i in range(4))))
    seen = server.tables().table("nodes")
    assert "4 nodes: 2 Ready, 2 NotReady" in seen.caption
    assert seen["REASON"].tolist() == [pd.NA, "IsUnknown", pd.NA, "IsUnknown"]
    html = server.tables().table("pods")._repr_html_()
    assert html.count("✗ NotReady") == 2 and html.count("✓ Running") == 4


# As people see them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Ready", "ok"), ("NotReady", "failed"), ("Ready,SchedulingDisabled", "waiting"), ("Running", "ok"),
        ("Completed", "ok"), ("Pending", "waiting"), ("ContainerCreating", "waiting"), ("Init:0/2", "waiting"),
        ("Init:ErrImagePull", "failed"), ("CrashLoopBackOff", "failed"), ("ErrImagePull", "failed"), ("Unknown", "failed"),
        ("NotReady,SchedulingDisabled", "failed"), ("Progressing", "waiting"),
    ],
)  # fmt: skip
def test_every_status_has_a_state(status, state):
    assert state_of(status) == state


def test_people_see_what_kubectl_shows(server):
    table = everything(server, pod("a"), pod("b", ready=False, restarts=2)).table("pods")
    html = table._repr_html_()
    assert "1/1" in html and "0/1" in html and "✓ Running" in html
    assert "DESIRED" not in html and "timedelta" not in html
    text = repr(table[["NAME", "READY", "DESIRED", "AGE"]])
    assert "1/1" in text and "days" not in text
    assert "READY" in repr(table[["READY"]]) and "1/1" not in repr(table[["READY"]])


def test_what_a_cluster_says_is_masked_escaped_and_one_line(server, forgotten_secrets):
    from k8swin_nb.secret import Secret

    Secret("hunter22-of-plant")
    hostile = {"type": "Warning", "message": "<script>alert(1)</script> hunter22-of-plant\nnext"}
    server.serves(
        nodes=nodes(node("<b>w1</b>")),
        pods=pods(pod("x-hunter22-of-plant"), pod("y"), pod("<img src=x>", node="<b>w1</b>")),
        events=listed("Event", {"metadata": {"name": "e"}, **hostile}),
    )
    tables = server.tables()
    for name in ("nodes", "pods", "events"):
        table = tables.table(name)
        told = table.to_csv() + repr(table) + table._repr_html_() + table.caption
        assert "hunter22-of-plant" not in told
        assert "<script>" not in table._repr_html_() and "<b>w1" not in table._repr_html_()
        assert "<img" not in table._repr_html_()
    assert tables.table("pods")["NAME"].tolist()[:2] == ["x-*****", "y"]


def test_many_names_are_looked_at_together_and_a_secret_in_one_is_still_masked(
    server, forgotten_secrets
):
    from k8swin_nb.secret import Secret

    Secret("Set/of-plant-77")
    owners = ["web", "of-plant-77", "a_b"]

    def made(number):
        owner = {"kind": "ReplicaSet", "name": owners[number % 3], "controller": True}
        return pod(f"p-{number}", metadata={"ownerReferences": [owner]}, node=f"w{number}")

    server.serves(nodes=nodes(), pods=pods(*map(made, range(60)), pod("odd\u202e name")))
    table = server.tables().table("pods")
    assert table["OWNER"].dropna().unique().tolist() == [
        "ReplicaSet/web", "Replica*****", "ReplicaSet/a_b",
    ]  # fmt: skip
    assert table["NAME"].tolist()[58:] == ["p-58", "p-59", "odd<U+202E> name"]


def test_the_caption_is_about_what_is_in_the_table_and_says_when_and_from_where(server):
    items = [pod(f"p{i}", "x" if i < 3 else "y", ready=i > 0) for i in range(10)]
    table = everything(server, *items).table("pods")
    begin, _, source = table.caption.partition("; ")
    assert begin == "10 pods in 2 namespaces: 10 Running"
    assert source.startswith(f"from plant1, {server.url} at 20") and source.endswith(" UTC")
    part = table[table["NAMESPACE"] == "x"].head(1)
    assert part.caption == f"1 pod in x: 1 Running; {source}"
    assert isinstance(part, KubeTable) and "✓ Running" in part._repr_html_()
    assert table[["STATUS"]].caption == f"10 rows made of pods; {source}"
    events = server.tables().table("events", wide=False)
    assert events.caption.startswith("1 event in default; from plant1")
    assert (
        table.groupby("NAMESPACE")[["RESTARTS"]].sum().caption == f"2 rows made of pods; {source}"
    )
    assert pd.concat([part, part]).caption.startswith("2 pods in x")


def test_tables_stay_tables_of_values_whatever_pandas_does(server, tmp_path):
    tables = everything(server, pod("a"), pod("b", restarts=9, node="win1"))
    table, seen = tables.table("pods"), tables.table("nodes")
    assert table.sort_values("RESTARTS", ascending=False)["NAME"].tolist() == ["b", "a"]
    assert table.groupby("NODE")["RESTARTS"].sum().to_dict() == {"w1": 0, "win1": 9}
    both = table.merge(seen, left_on="NODE", right_on="NAME", suffixes=("", "-NODE"))
    assert len(both) == 2 and both["BUILD-NODE"].tolist()[1] == 20348
    assert both.caption == "" and both._repr_html_()
    assert types(pd.concat([table, table.head(0)])) == TYPES["pods"]
    assert pd.concat([table, seen]).caption == ""
    again = pickle.loads(pickle.dumps(table))
    assert again.caption == table.caption and types(again) == TYPES["pods"]
    assert table.copy().caption == table.caption
    for other in (
        table.T,
        table.describe(),
        pd.concat([table, table], axis=1),
        table.set_index(["NAMESPACE", "NAME"]),
    ):
        assert repr(other) and other._repr_html_()
    assert (
        "✓ Running" in table.set_index("NAME")._repr_html_()
        and ">a</th>" in table.set_index("NAME")._repr_html_()
    )
    pytest.importorskip("pyarrow")
    table.to_parquet(tmp_path / "pods.parquet")
    assert pd.read_parquet(tmp_path / "pods.parquet")["RESTARTS"].tolist() == [0, 9]


def test_a_moment_in_another_zone_is_told_with_it(server):
    table = everything(server).table("pods")
    assert ">2026-11-01 00:00:00<" in table[["NAME", "CREATED"]]._repr_html_()
    table["CREATED"] = table["CREATED"].dt.tz_convert("Asia/Kolkata")
    for told in (table[["NAME", "CREATED"]]._repr_html_(), repr(table[["NAME", "CREATED"]])):
        assert "2026-11-01 05:30:00+05:30" in told


def test_ages_are_exact_and_by_the_servers_clock(server):
    def answer(request):
        request.date_time_string = lambda: "Fri, 06 Nov 2026 03:00:01 GMT"
        request.json(nodes(node("w1")))

    server.answer = answer
    table = server.tables().table("nodes")
    assert table["AGE"].iloc[0] == timedelta(days=5, hours=3, seconds=1)
    assert "5d3h" in repr(table[["NAME", "AGE"]]) and "at 2026-11-06 03:00:01 UTC" in table.caption
