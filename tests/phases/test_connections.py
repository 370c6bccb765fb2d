"""The connectivity matrix: what is tried, what is skipped and why, and what an answer means."""

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.phases.verify import connections
from k8swin_nb.phases.verify.connections import Answer, CellState
from tests.test_description import described

FACTS = """\
node winworker01 10.1.0.3 windows True
node linuxmaster 10.1.0.2 linux True
node winworker02 10.1.0.4 windows True
pod win-a winworker01 10.244.1.3 True
pod win-b winworker01 10.244.1.4 True
pod win-c winworker02 10.244.2.3 False
external registry.k8s.io yes no
image mcr.microsoft.com/windows/servercore:ltsc2022
service 10.96.5.5 30080
"""


def found(text: str = FACTS):
    return connections.parse_found(text, "linuxmaster")


def cells(text: str = FACTS) -> dict[tuple[str, str], connections.Cell]:
    return {(c.row.label, c.column.label): c for c in connections.plan_cells(found(text))}


def test_facts_are_read_with_the_control_plane_first_and_one_ready_pod_a_node():
    facts = found()
    assert [node.name for node in facts.nodes] == ["linuxmaster", "winworker01", "winworker02"]
    assert [pod.name for pod in facts.pods] == ["win-a"]
    assert (facts.service, facts.node_port) == ("10.96.5.5", 30080)
    assert (facts.resolves, facts.connects) == (True, False)


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_what_a_pod_says_is_no_line_of_its_own(end):
    text = f"0\tcurl a\tI am{end}7\tcurl b\tnobody\n7\tcurl c\t\n"
    first, second = connections.parse_answers(text)
    assert (first.code, second.code, second.command) == (0, 7, "curl c")
    assert found(f"image x{end}service 10.9.9.9 1\n{FACTS}").service == "10.96.5.5"


def test_there_is_a_row_for_this_computer_every_host_and_a_pod_on_every_node():
    assert [row.label for row in connections.rows(found())] == [
        "this computer",
        "linuxmaster",
        "winworker01",
        "winworker02",
        "linux pod on linuxmaster",
        "windows pod on winworker01",
        "windows pod on winworker02",
    ]


def test_every_cell_is_tried_or_says_why_not():
    for cell in connections.plan_cells(found()):
        assert cell.probes or cell.reason, (cell.row.label, cell.column.label)


def test_a_node_without_a_pod_is_skipped_with_the_reason():
    cell = cells()["windows pod on winworker02", "ClusterIP 10.96.5.5"]
    assert cell.state is CellState.SKIPPED
    assert "no pod of the test app is Ready on winworker02" in cell.reason


@pytest.mark.parametrize(
    ("row", "column", "limited"),
    [
        ("winworker01", "NodePort of winworker01", True),
        ("winworker01", "NodePort of winworker02", False),
        ("winworker01", "ClusterIP 10.96.5.5", True),
        ("windows pod on winworker01", "ClusterIP 10.96.5.5", False),
        ("windows pod on winworker01", "NodePort of winworker01", True),
        ("linuxmaster", "NodePort of linuxmaster", False),
        ("this computer", "NodePort of winworker01", False),
    ],
)
def test_limitations_of_windows_are_those_of_its_own_node(row, column, limited):
    cell = cells()[row, column]
    assert cell.may_fail is limited
    connections.judge(cell, [Answer(28, "curl.exe", "")] * len(cell.probes))
    assert cell.state is (CellState.LIMITATION if limited else CellState.FAIL)


def test_a_limitation_that_is_none_here_passes():
    cell = cells()["winworker01", "NodePort of winworker01"]
    connections.judge(cell, [Answer(0, "curl.exe", "win-a")] * 3)
    assert cell.state is CellState.PASS


def test_one_of_three_connections_that_fails_makes_the_cell_fail_and_names_its_command():
    cell = cells()["linuxmaster", "ClusterIP 10.96.5.5"]
    answers = [Answer(0, "curl 1", "win-a"), Answer(7, "curl 2", ""), Answer(0, "curl 3", "win-a")]
    answers = [
        Answer(a.code, a.command, "curl: (7) refused" if a.code else a.said) for a in answers
    ]
    connections.judge(cell, answers)
    assert cell.state is CellState.FAIL
    assert cell.evidence == "1 of 3 failed: curl: (7) refused"
    assert cell.record()["command"] == "curl 2"
    assert "kube-proxy" in connections.next_action(cell)


def test_names_and_the_way_out_are_skipped_where_the_control_plane_has_none_either():
    assert (
        "gets no connection" in cells()["windows pod on winworker01", "registry.k8s.io:443"].reason
    )
    blind = FACTS.replace("registry.k8s.io yes no", "registry.k8s.io no no")
    assert "finds no" in cells(blind)["windows pod on winworker01", "DNS registry.k8s.io"].reason
    assert cells(blind)["windows pod on winworker01", "cluster DNS"].probes


def test_a_cluster_of_one_node_skips_what_needs_another():
    alone = """\
node linuxmaster 10.1.0.2 linux True
pod linux-a linuxmaster 10.244.0.3 True
external registry.k8s.io no no
service 10.96.5.5 30080
"""
    cell = cells(alone)["linux pod on linuxmaster", "pods on other nodes"]
    assert cell.reason == "no other node has a pod of the test app"


def test_logs_and_exec_are_asked_from_the_control_plane_alone():
    planned = cells()
    assert [p.kind for p in planned["linuxmaster", "logs, exec on winworker01"].probes] == [
        "logs",
        "exec",
    ]
    assert not planned["winworker01", "logs, exec on winworker01"].probes


def test_a_name_counts_as_found_when_agnhost_gets_as_far_as_to_connect():
    cell = cells()["windows pod on winworker01", "DNS registry.k8s.io"]
    connections.judge(cell, [Answer(1, "/agnhost connect registry.k8s.io:443", "TIMEOUT")])
    assert cell.state is CellState.PASS
    said = "DNS: lookup registry.k8s.io on 10.96.0.10:53: no such host"
    connections.judge(cell, [Answer(1, "/agnhost connect registry.k8s.io:443", said)])
    assert cell.state is CellState.FAIL


def test_a_refused_connection_is_no_name_that_was_found_when_a_pod_was_asked_for():
    cell = cells()["winworker02", "pods on other nodes"]
    connections.judge(cell, [Answer(1, "/agnhost connect 10.244.1.3:80", "REFUSED")])
    assert cell.state is CellState.FAIL


def test_exec_into_an_image_without_the_program_has_reached_the_kubelet():
    cell = cells()["linuxmaster", "logs, exec on winworker01"]
    missing = (
        "OCI runtime exec failed: exec failed: unable to start container process: exec: "
        '"/agnhost": stat /agnhost: no such file or directory'
    )
    connections.judge(cell, [Answer(0, "kubectl logs", ""), Answer(1, "kubectl exec", missing)])
    assert cell.state is CellState.PASS
    blocked = "Error from server: error dialing backend: dial tcp 10.1.0.3:10250: i/o timeout"
    connections.judge(cell, [Answer(1, "kubectl logs", blocked)] * 2)
    assert cell.state is CellState.FAIL
    assert "10250 of winworker01" in connections.next_action(cell)


def test_an_image_that_has_nothing_to_try_it_with_is_skipped():
    cell = cells()["windows pod on winworker01", "cluster DNS"]
    connections.judge(
        cell, connections.parse_answers("127\t\tthe image has nothing to try it with\n")
    )
    assert cell.state is CellState.SKIPPED
    assert cell.reason == "the image has nothing to try it with"


def test_answers_keep_tabs_out_of_the_way_and_silent_curls_get_words():
    text = "0\tcurl x\twin-a\n28\tcurl.exe -fs y\t\nnoise\n"
    assert connections.parse_answers(text) == [
        Answer(0, "curl x", "win-a"),
        Answer(28, "curl.exe -fs y", "no answer in time"),
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "registry.k8s.io"),
        ({"image_repository": "mirror.example:5000/k8s"}, "mirror.example"),
        ({"image_repository": "10.1.0.9:5000/k8s"}, "registry.k8s.io"),
        ({"test_external_name": "ntp.example"}, "ntp.example"),
    ],
)
def test_the_external_name_is_the_given_one_or_the_registry(changes, name):
    assert connections.external_name(check_description(described(**changes))) == name
