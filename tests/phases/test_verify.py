"""The step that tries all connections, and the one that judges them."""

import contextlib
import socket
import threading

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

FROM_HERE = verify._from_here


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
    told = {"from", "from_kind", "to", "to_kind", "state", "evidence", "command", "reason"}
    assert told == set(fields["cells"][0])
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


def test_a_row_that_answers_noise_fails_and_takes_no_other_along(tmp_path):
    answering = cluster()
    answering.answers["winworker01:windows/connect_host.check.ps1"] = "²\t\nnoise\n"
    step = at(make_run(tmp_path, answering))
    verify.look_around(step)
    verify.connect_all(step)
    states = {}
    for record in verify.matrix_records(step.run):
        states.setdefault(record["from"], set()).add(record["state"])
    assert "fail" in states["winworker01"]
    assert "fail" not in states["linuxmaster"] | states["windows pod on winworker01"]


@pytest.mark.parametrize(
    "text",
    ["node linuxmaster 10.1.0.2 linux True\n", "service 10.96.5.5 x\n", FACTS.replace("service 10", "service x"), ""],
)  # fmt: skip
def test_surroundings_without_a_service_are_an_error_and_not_an_empty_matrix(tmp_path, text):
    step = at(make_run(tmp_path, Hosts({"linux/verify_facts.check.sh": text})))
    with pytest.raises(StepFailed, match=r"verify_facts.check.sh` printed no"):
        verify.look_around(step)


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwin-a", 0, "win-a"),
     (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 22, "302"),
     (b"SSH-2.0-OpenSSH\r\n", 1, "SSH-2.0"), (b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000, 1, "line"), (b"", 1, "")],
)  # fmt: skip
def test_whatever_answers_this_computer_is_an_answer_and_is_led_nowhere(sent, code, said):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            # Who has read enough hangs up.
            with contextlib.suppress(OSError), listening.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(sent)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        found = FROM_HERE(f"127.0.0.1:{listening.getsockname()[1]}")
        thread.join(100)
    assert found.code == code and said in found.said


def test_an_answer_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(verify, "PROBE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def drip():
            with listening.accept()[0] as peer:
                while not over.wait(0.05):
                    try:
                        peer.sendall(b"x")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        found = FROM_HERE(f"127.0.0.1:{listening.getsockname()[1]}")
        over.set()
    assert found.code == 1
