"""The step that tries all connections, and the one that judges them."""

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import HostUnreachable, ScriptError, StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases import phase_06_verify as verify
from k8swin_nb.phases.phase_06_verify import connections
from k8swin_nb.result import Result
from k8swin_nb.workflow.step import State
from tests.phases.test_connections import FACTS
from tests.test_description import described

HOST = Host(name="linuxmaster", address="10.1.0.2", os="linux", roles=("control-plane",), user="u")
WORKER = Host(name="winworker01", address="10.1.0.3", os="windows", roles=("worker",), user="u")


class _Record:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []

    def write(self, kind, **fields):
        self.events.append((kind, fields))


class _Run:
    """A cluster where everything answers but what a test breaks."""

    def __init__(self, broken=(), unreachable=()) -> None:
        self.description = check_description(described())
        self.facts: dict[str, dict[str, object]] = {"linuxmaster": {}}
        self.record = _Record()
        self.master = HOST
        self.broken, self.unreachable = broken, unreachable
        self.scripts: list[tuple[str, str]] = []

    def hosts(self, selection):
        return [HOST, WORKER]

    def keep_facts(self, host, name, facts):
        self.facts.setdefault(host.name, {})[name] = facts

    def script(self, name, host, *, values, stdin=b"", **options):
        self.scripts.append((name, host.name))
        if host.name in self.unreachable:
            raise HostUnreachable(host.name, "nobody answers")
        if name == "linux/verify_facts.check.sh":
            return Result(name, 0, FACTS, "", host.name, 0.1)
        probes = stdin.decode().splitlines() or [f"http {t}" for t in values["targets"].split()]
        lines = []
        for probe in probes:
            code = 7 if any(word in probe for word in self.broken) else 0
            lines.append(f"{code}\ttried {probe}\t{'refused' if code else 'win-a'}")
        return Result(name, 0, "\n".join(lines), "", host.name, 0.1)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(verify, "PAUSE", 0.0)
    monkeypatch.setattr(verify, "_from_here", lambda target: connections.Answer(0, target, "win-a"))


def measured(**changes) -> _Run:
    run = _Run(**changes)
    verify.look_around(run, HOST)
    verify.connect_all(run, HOST)
    return run


def test_the_matrix_is_kept_in_the_record_with_command_and_evidence():
    run = measured()
    ((kind, fields),) = run.record.events
    assert kind == "matrix"
    assert len(fields["cells"]) == len(verify.matrix_records(run)) == 7 * 11
    assert {"from", "to", "state", "evidence", "command", "reason"} == set(fields["cells"][0])
    assert verify.judge_all(run, HOST).state is State.OK


def test_each_row_is_tried_from_where_it_begins():
    scripts = measured().scripts
    assert ("windows/connect_host.check.ps1", "winworker01") in scripts
    assert ("linux/connect_pod.check.sh", "linuxmaster") in scripts
    # winworker02 is none of the hosts of the parameters: nobody can log in there.
    assert {host for _, host in scripts} == {"linuxmaster", "winworker01"}


def test_a_failure_names_cell_command_evidence_and_what_to_do():
    run = measured(broken=["10.1.0.4:30080"])
    with pytest.raises(StepFailed) as caught:
        verify.judge_all(run, HOST)
    text = str(caught.value)
    assert "linuxmaster to NodePort of winworker02" in text
    assert "3 of 3 failed: refused" in text
    assert "`tried http 10.1.0.4:30080`" in text
    assert "kube-proxy on winworker02" in caught.value.hint


def test_what_fails_is_tried_once_more_and_nothing_else():
    run = measured(broken=["kubernetes.default"])
    pods = [name for name, _ in run.scripts if name == "linux/connect_pod.check.sh"]
    assert len(pods) == 2  # one pod, two rounds
    hosts = [name for name, _ in run.scripts if name == "linux/connect_host.check.sh"]
    assert len(hosts) == 1


def test_a_limitation_of_windows_is_no_failure():
    run = measured(broken=["10.1.0.3:30080"])
    states = {(r["from"], r["to"]): r["state"] for r in verify.matrix_records(run)}
    assert states["winworker01", "NodePort of winworker01"] == "known limitation"
    assert states["linuxmaster", "NodePort of winworker01"] == "fail"


def test_a_host_that_nobody_reaches_fails_in_its_row_and_the_others_are_tried():
    run = measured(unreachable=["winworker01"])
    states = {(r["from"], r["to"]): r for r in verify.matrix_records(run)}
    cell = states["winworker01", "NodePort of winworker02"]
    assert cell["state"] == "fail"
    assert "nobody answers" in cell["evidence"]
    assert states["linuxmaster", "NodePort of winworker02"]["state"] == "pass"


def test_judging_before_trying_says_what_to_run():
    with pytest.raises(ScriptError) as caught:
        verify.judge_all(_Run(), HOST)
    assert 'phase.apply("connections")' in caught.value.hint


def test_probe_pods_are_made_for_bare_nodes_alone_and_are_ours():
    import yaml

    run = _Run()
    assert verify.check_probe_pods(run, HOST).state is State.NEEDED
    pods = {p["spec"]["nodeName"]: p for p in yaml.safe_load_all(verify.probe_pods(run, HOST))}
    assert set(pods) == {"linuxmaster", "winworker02"}
    for pod in pods.values():
        assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "k8swin"
    linux, windows = (pods[n]["spec"]["containers"][0] for n in ("linuxmaster", "winworker02"))
    assert "agnhost" in linux["image"]
    assert windows["image"] == "mcr.microsoft.com/windows/servercore:ltsc2022"
