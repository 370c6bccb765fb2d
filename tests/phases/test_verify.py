"""The step that tries all connections, and the one that judges them."""

import pytest
import yaml

from k8swin_nb.errors import HostUnreachable, ScriptError, StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases.verify import trying as verify
from k8swin_nb.phases.verify.connections import Answer
from k8swin_nb.transports.base import Work
from k8swin_nb.workflow.step import State
from k8swin_nb.workflow.step_run import StepRun
from tests.phases.test_connections import FACTS
from tests.runs import ALL_SCRIPTS, Hosts, at, make_run


def cluster(broken=(), unreachable=()) -> Hosts:
    """A cluster where everything answers but what a test breaks."""

    def probed(host: Host, work: Work) -> str:
        values = work.parameters
        targets = values.get("TARGETS", values.get("Targets", ""))
        probes = work.stdin.decode().splitlines() or [f"http {t}" for t in targets.split()]
        lines = []
        for probe in probes:
            code = 7 if any(word in probe for word in broken) else 0
            lines.append(f"{code}\ttried {probe}\t{'refused' if code else 'win-a'}")
        return "\n".join(lines)

    return Hosts(
        {"linux/verify_facts.check.sh": FACTS, ALL_SCRIPTS: probed},
        silent={name: HostUnreachable(name, "nobody answers") for name in unreachable},
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(verify, "PAUSE", 0.0)
    monkeypatch.setattr(verify, "_from_here", lambda target: Answer(0, target, "win-a"))


@pytest.fixture
def measured(tmp_path):
    """Make what the steps are given after everything was tried."""

    def measured(**changes) -> StepRun:
        step = at(make_run(tmp_path, cluster(**changes)))
        verify.look_around(step)
        verify.connect_all(step)
        return step

    return measured


def test_the_matrix_is_kept_in_the_record_with_command_and_evidence(measured):
    step = measured()
    (fields,) = [event for event in step.run.record.events if event["event"] == "matrix"]
    assert len(fields["cells"]) == len(verify.matrix_records(step.run)) == 7 * 11
    assert {"from", "to", "state", "evidence", "command", "reason"} == set(fields["cells"][0])
    assert verify.judge_all(step).state is State.OK


def test_each_row_is_tried_from_where_it_begins(measured):
    asked = measured().run.connections.asked
    assert ("winworker01", "windows/connect_host.check.ps1") in asked
    assert ("linuxmaster", "linux/connect_pod.check.sh") in asked
    # winworker02 is none of the hosts of the parameters: nobody can log in there.
    assert {host for host, _ in asked} == {"linuxmaster", "winworker01"}


def test_a_failure_names_cell_command_evidence_and_what_to_do(measured):
    step = measured(broken=["10.1.0.4:30080"])
    with pytest.raises(StepFailed) as caught:
        verify.judge_all(step)
    text = str(caught.value)
    assert "linuxmaster to NodePort of winworker02" in text
    assert "3 of 3 failed: refused" in text
    assert "`tried http 10.1.0.4:30080`" in text
    assert "kube-proxy on winworker02" in caught.value.hint


def test_what_fails_is_tried_once_more_and_nothing_else(measured):
    step = measured(broken=["kubernetes.default"])
    scripts = step.run.connections.scripts
    assert scripts.count("linux/connect_pod.check.sh") == 2  # one pod, two rounds
    assert scripts.count("linux/connect_host.check.sh") == 1


def test_a_limitation_of_windows_is_no_failure(measured):
    step = measured(broken=["10.1.0.3:30080"])
    states = {(r["from"], r["to"]): r["state"] for r in verify.matrix_records(step.run)}
    assert states["winworker01", "NodePort of winworker01"] == "known limitation"
    assert states["linuxmaster", "NodePort of winworker01"] == "fail"


def test_a_host_that_nobody_reaches_fails_in_its_row_and_the_others_are_tried(measured):
    step = measured(unreachable=["winworker01"])
    states = {(r["from"], r["to"]): r for r in verify.matrix_records(step.run)}
    cell = states["winworker01", "NodePort of winworker02"]
    assert cell["state"] == "fail"
    assert "nobody answers" in cell["evidence"]
    assert states["linuxmaster", "NodePort of winworker02"]["state"] == "pass"


def test_judging_before_trying_says_what_to_run(tmp_path):
    with pytest.raises(ScriptError) as caught:
        verify.judge_all(at(make_run(tmp_path)))
    assert 'phase.apply("connections")' in caught.value.hint


def test_probe_pods_are_made_for_bare_nodes_alone_and_are_ours(tmp_path):
    step = at(make_run(tmp_path, cluster()))
    assert verify.check_probe_pods(step).state is State.NEEDED
    pods = {p["spec"]["nodeName"]: p for p in yaml.safe_load_all(verify.probe_pods(step))}
    assert set(pods) == {"linuxmaster", "winworker02"}
    for pod in pods.values():
        assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "k8swin"
    linux, windows = (pods[n]["spec"]["containers"][0] for n in ("linuxmaster", "winworker02"))
    assert "agnhost" in linux["image"]
    assert windows["image"] == "mcr.microsoft.com/windows/servercore:ltsc2022"
