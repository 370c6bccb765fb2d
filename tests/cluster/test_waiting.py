"""Waiting by a watch: what comes true, what does not in time, and servers that end, forget, refuse and break off."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from k8swin_nb.cluster import waiting
from k8swin_nb.cluster.kubectl_tables import Wanted
from k8swin_nb.cluster.waiting import wait_for
from k8swin_nb.errors import ClusterError, Stopped, WaitTimeout
from tests.cluster.api_server import listed, node, nodes, pod, pods


def event(kind, made, version="2"):
    made = {**made, "metadata": {**made["metadata"], "resourceVersion": version}}
    return json.dumps({"type": kind, "object": made}).encode() + b"\n"


GONE = (
    json.dumps(
        {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
    ).encode()
    + b"\n"
)


class Cluster:
    """Serves a list of pods and watches, one after the other; each watch is what it sends, then its end."""

    def __init__(self, server, lists, watches, last=b""):
        self.lists, self.watches, self.last = list(lists), list(watches), last
        self.asked = []
        server.serves(nodes=nodes(node("w1")), pods=self.answer)
        self.server = server

    def answer(self, request):
        if "watch=true" not in request.path:
            self.asked.append("list")
            found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
            request.json(pods(*found, resourceVersion="1"))
            return
        self.asked.append(
            f"watch {request.path.partition('resourceVersion=')[2].partition('&')[0]}"
        )
        sent = self.watches.pop(0) if self.watches else self.last
        if isinstance(sent, int):
            request.json({"kind": "Status", "code": sent}, sent)
            return
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        if sent:
            request.wfile.write(f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
        request.wfile.flush()
        if not self.watches and not self.last:
            self.server.over.wait(200)
        request.wfile.write(b"0\r\n\r\n")

    def wait(self, until="ready", timeout=200.0, **how):
        wanted = Wanted(**{key: how.pop(key) for key in ("name", "os") if key in how})
        return wait_for(self.server.tables(), "pods", until, wanted, timeout=timeout, **how)


UNREADY, READY = pod("a", ready=False), pod("a")


@pytest.fixture
def over_once(monkeypatch):
    """Let the time of a wait be over as soon as something is told, however slow the computer is."""
    ahead = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(waiting, "time", clock)

    def once(text, told=None):
        ahead[0] = 0.0

        def progress(missing):
            if told is not None:
                told.append(missing)
            if text in missing:
                ahead[0] = 1000.0

        return {"timeout": 300, "progress": progress}

    return once


def test_what_is_true_already_is_returned_at_once(server):
    assert Cluster(server, [[READY]], []).wait()["NAME"].tolist() == ["a"]


def test_a_wait_without_any_time_looks_once(server):
    assert Cluster(server, [[READY]], []).wait(timeout=0)["NAME"].tolist() == ["a"]
    with pytest.raises(WaitTimeout, match="after 0 s: 1 of 1 pods are not ready"):
        Cluster(server, [[UNREADY]], []).wait(timeout=0)


@pytest.mark.parametrize(
    ("watches", "asked"),
    [
        ([event("MODIFIED", READY)], ["list", "watch 1"]),
        # The server ends the watch: it goes on where it was.
        ([event("MODIFIED", UNREADY, "7"), event("MODIFIED", READY)], ["list", "watch 1", "watch 7"]),
        ([event("BOOKMARK", {"metadata": {}}, "9"), event("MODIFIED", READY)], ["list", "watch 1", "watch 9"]),
        # It has forgotten the version, as an answer or as an event: the list is read anew.
        ([410, event("MODIFIED", READY)], ["list", "watch 1", "list", "watch 1"]),
        ([GONE, event("MODIFIED", READY)], ["list", "watch 1", "list", "watch 1"]),
        # It is not ready, or breaks off: it is asked again.
        ([503, event("MODIFIED", READY)], ["list", "watch 1", "watch 1"]),
        ([b"\x00no json\n", event("MODIFIED", READY)], ["list", "watch 1", "watch 1"]),
    ],
)  # fmt: skip
def test_what_comes_true_is_seen_whatever_becomes_of_the_watch(server, watches, asked):
    cluster = Cluster(server, [[UNREADY]], watches)
    assert cluster.wait()["READY"].tolist() == [1]
    assert cluster.asked == asked


def test_gone_waits_until_there_is_none_and_there_until_enough_are(server):
    assert not len(Cluster(server, [[READY]], [event("DELETED", READY)]).wait("gone"))
    cluster = Cluster(server, [[READY]], [event("ADDED", pod("b"))])
    assert cluster.wait("there", count=2)["NAME"].tolist() == ["a", "b"]


def test_a_condition_may_be_a_function_of_a_row(server):
    told = []
    cluster = Cluster(server, [[READY]], [event("MODIFIED", pod("a", restarts=3))])
    table = cluster.wait(
        lambda row: row["RESTARTS"] == 3 and row["IMAGE-BUILD"] is None, progress=told.append
    )
    assert table["RESTARTS"].tolist() == [3]
    assert told == ["1 of 1 pods are not as asked: default/a 1/1 Running"]


def test_what_is_not_yet_true_is_told_when_the_time_is_over(server, over_once):
    many = [pod(f"p{i}", ready=False) for i in range(8)]
    with pytest.raises(WaitTimeout) as caught:
        Cluster(server, [[READY, *many]], []).wait(**over_once("8 of 9"))
    assert "after 300 s: 8 of 9 pods are not ready: default/p0 0/1 Running" in str(caught.value)
    assert str(caught.value).endswith("and 3 more") and len(caught.value.left) == 8
    with pytest.raises(WaitTimeout, match="0 of 2 pods are there"):
        Cluster(server, [[]], []).wait(count=2, **over_once("0 of 2"))
    with pytest.raises(WaitTimeout, match=r"503"):
        Cluster(server, [[UNREADY]], [], last=503).wait(**over_once("503"))


def test_a_server_that_is_down_at_the_start_is_waited_for_and_that_is_told(
    server, monkeypatch, over_once
):
    told, answers = [], [503, 503]
    cluster = Cluster(server, [[READY]], [])
    serve = server.answer

    def answer(request):
        if "/nodes" in request.path and answers:
            request.json({"kind": "Status"}, answers.pop())
        else:
            serve(request)

    server.answer = answer
    assert cluster.wait(progress=told.append)["NODE-STATUS"].tolist() == ["Ready"]
    assert told[0].startswith("the API server told nothing yet of pods (GET /api/v1/nodes")
    server.answer = lambda request: server.over.wait(200)
    monkeypatch.setattr(waiting, "QUIET_SECONDS", 0.1)
    told.clear()
    with pytest.raises(WaitTimeout, match="told nothing yet of pods"):
        cluster.wait(**over_once("told nothing yet", told))
    assert told == ["the API server told nothing yet of pods"]


def test_pods_on_a_node_that_joined_meanwhile_are_of_its_system(server, monkeypatch):
    monkeypatch.setattr(waiting, "NODES_SECONDS", 0)
    cluster = Cluster(server, [[]], [event("ADDED", pod("a", node="win1"))])
    joined = iter([nodes(node("w1"))])
    serve = server.answer
    later = nodes(node("w1"), node("win1", os="windows", kernel="10.0.20348.1"))
    server.answer = lambda request: (
        request.json(next(joined, later)) if "/nodes" in request.path else serve(request)
    )
    assert cluster.wait(os="windows")["BUILD"].tolist() == [20348]


def test_a_refusal_ends_the_wait(server):
    with pytest.raises(ClusterError, match="403"):
        Cluster(server, [[UNREADY]], [403]).wait()


def test_a_cancel_ends_the_wait_and_its_threads(server):
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(Stopped):
        Cluster(server, [[UNREADY]], []).wait(cancel=cancel)
    ended = time.monotonic() + 100
    while any(thread.name in ("kube-api", "kube-watch") for thread in threading.enumerate()):
        assert time.monotonic() < ended, "a thread was left"
        time.sleep(0.05)


def test_an_unknown_table_or_condition_is_told_with_the_nearest(server):
    with pytest.raises(ClusterError) as caught:
        Cluster(server, [[]], []).wait("raedy")
    assert caught.value.hint == "did you mean `ready`?"
    with pytest.raises(ValueError, match="would never end"):
        Cluster(server, [[]], []).wait("ready", timeout=float("nan"))


def test_workloads_are_waited_for_over_all_their_kinds(server):
    def deployment(ready):
        status = {"readyReplicas": ready, "updatedReplicas": ready, "availableReplicas": ready}
        return {"metadata": {"name": "d"}, "spec": {"replicas": 1}, "status": status}

    def deployments(request):
        if "watch=true" not in request.path:
            request.json(listed("Deployment", deployment(0), resourceVersion="1"))
        else:
            request.raw(event("MODIFIED", deployment(1)))

    empty = {
        name: listed(kind, resourceVersion="1")
        for name, kind in (
            ("statefulsets", "StatefulSet"),
            ("daemonsets", "DaemonSet"),
            ("jobs", "Job"),
        )
    }

    def quiet(kind):
        return lambda request: (
            request.json(empty[kind]) if "watch=true" not in request.path else request.raw(b"")
        )

    server.serves(deployments=deployments, **{name: quiet(name) for name in empty})
    made = wait_for(server.tables(), "workloads", "ready", Wanted(), timeout=200)
    assert made["STATUS"].tolist() == ["Ready"]
    # A kind that may not be read is told, as in a table; when none may be, that is an error.
    refusing = {**empty, "jobs": lambda request: request.json({}, 403)}
    watching = {name: quiet(name) for name in empty if name != "jobs"}
    server.serves(deployments=deployments, **{**refusing, **watching})
    made = wait_for(server.tables(), "workloads", "ready", Wanted(), timeout=200)
    assert "not read: jobs (403 Forbidden)" in made.caption
    server.answer = lambda request: request.json({}, 403)
    with pytest.raises(ClusterError, match="403"):
        wait_for(server.tables(), "workloads", "ready", Wanted(), timeout=200)
