"""What a step's functions are given: values, facts, hosts, scripts, and the word to stop."""

import shutil
import threading

import pytest

from k8swin_nb.errors import (
    CommandTimeout,
    HostUnreachable,
    InventoryError,
    K8swinError,
    ScriptError,
    StepFailed,
    Stopped,
)
from k8swin_nb.result import Result
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.transports.base import CANCELLED
from k8swin_nb.workflow.facts import Fact, Facts
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State
from tests.runs import Hosts, at, make_run
from tests.test_description import MASTER, WORKER

REACH = "linux/reach.check.sh"
COLOUR = Fact[str]("colour")
SIZES = Fact[list[int]]("sizes")


def with_values(run: PhaseRun, **values) -> PhaseRun:
    """Let a run know these values, and no others, on Linux."""
    return PhaseRun(
        phase=run.phase,
        description=run.description,
        plan=run.plan,
        inventory=run.inventory,
        connections=run.connections,
        record=run.record,
        values={"linux": values},
    )


def declaring(*names: str) -> Script:
    return Script.from_text("".join(f': "${{{n}:?}}"\n' for n in names) + "true\n", "bash", "x.sh")


def test_a_value_is_worked_out_only_for_a_script_that_declares_it():
    worked_out: list[str] = []

    def value(name: str):
        def work(run, host):
            worked_out.append(name)
            return f"{name} of {host.name}"

        return work

    run = with_values(make_run(), pod_subnet=value("subnet"), lock=value("lock"))
    assert run.bind(declaring("POD_SUBNET"), run.master) == {"POD_SUBNET": "subnet of linuxmaster"}
    assert worked_out == ["subnet"]


def test_a_value_that_cannot_be_worked_out_is_an_error_of_the_script_that_declares_it_alone():
    run = with_values(make_run(), good=lambda run, host: "g", bad=lambda run, host: 1 // 0)
    assert run.bind(declaring("GOOD"), run.master) == {"GOOD": "g"}
    with pytest.raises(ZeroDivisionError):
        run.bind(declaring("GOOD", "BAD"), run.master)


def test_a_steps_own_value_comes_before_that_of_the_run():
    run = with_values(make_run(), name=lambda run, host: 1 // 0)
    assert run.bind(declaring("NAME"), run.master, values={"name": "own"}) == {"NAME": "own"}


def test_a_secret_is_no_value():
    run = with_values(make_run())
    assert run.bind(declaring("TOKEN"), run.master, {"TOKEN": Secret("in-no-record")}) == {}


def test_what_nobody_supplies_is_told_by_name():
    run = with_values(make_run())
    with pytest.raises(ScriptError, match=r"`x\.sh` declares `NOBODY`"):
        run.bind(declaring("NOBODY"), run.master)


def test_facts_are_kept_by_host_and_name():
    run = make_run()
    master, worker = run.inventory.hosts
    facts = Facts()
    facts.keep(master, COLOUR, "red")
    assert facts[master, COLOUR] == "red"
    assert facts.get(worker, COLOUR) is None
    assert facts.get(worker, COLOUR, "none") == "none"
    assert facts.get(master, SIZES, []) == []
    with pytest.raises(ScriptError, match="`colour` is not known yet"):
        facts[worker, COLOUR]
    facts.keep(master, COLOUR, "blue")
    assert facts[master, COLOUR] == "blue"
    facts.forget(master, COLOUR)
    facts.forget(master, COLOUR)
    assert facts.get(master, COLOUR) is None


def test_facts_of_one_run_are_not_known_to_another():
    one, other = make_run(), make_run()
    one.facts.keep(one.master, COLOUR, "red")
    assert other.facts.get(other.master, COLOUR) is None


def test_no_two_facts_of_the_phases_have_one_name():
    import importlib
    import pkgutil

    import k8swin_nb.phases as package

    found: dict[str, set[int]] = {}
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Fact):
                found.setdefault(value.name, set()).add(id(value))
    assert len(found) > 10
    assert {name for name, ids in found.items() if len(ids) > 1} == set()


def test_a_target_is_found_by_name_and_by_address_and_an_unknown_one_is_told():
    for target in ("winworker01", "10.1.0.3"):
        assert [host.name for host in make_run(target=target).hosts("target")] == ["winworker01"]
    with pytest.raises(InventoryError, match=r"10\.9\.9\.9") as caught:
        make_run(target="10.9.9.9").hosts("target")
    assert "10.1.0.3 (winworker01)" in str(caught.value.hint)


def test_groups_are_joined_and_may_be_empty():
    hypervisor = {**WORKER, "name": "hyperv", "address": "10.1.0.9", "role": "hypervisor"}
    run = make_run(hosts=[MASTER, WORKER, hypervisor])

    def names(selection: str) -> list[str]:
        return [host.name for host in run.hosts(selection)]

    assert names("windows+worker") == ["winworker01"]
    assert names("node") == ["linuxmaster", "winworker01"]
    assert names("hypervisor") == ["hyperv"]
    assert make_run().hosts("linux+worker") == []


def test_a_script_is_recorded_with_who_where_and_how_it_ended(tmp_path):
    run = make_run(tmp_path, Hosts({REACH: (3, "said\n")}))
    result = at(run, step="reach").script(REACH)
    assert (result.returncode, result.stdout) == (3, "said\n")
    (event,) = run.record.events
    assert event["event"] == "script"
    assert (event["step"], event["host"], event["verb"]) == ("reach", "linuxmaster", "check")
    assert (event["script"], event["exit_code"], event["user"]) == (REACH, 3, "u")
    assert (run.record.folder / event["output"]).read_text() == "said\n"


def test_a_script_may_run_on_another_host_than_the_steps(tmp_path):
    connections = Hosts({REACH: "ok\n"})
    run = make_run(tmp_path, connections)
    at(run, "winworker01").script(REACH, on=run.master)
    assert connections.asked == [("linuxmaster", REACH)]


def test_what_is_secret_is_neither_shown_nor_kept(tmp_path):
    run = make_run(tmp_path, Hosts({REACH: "the-token-itself\n"}))
    shown: list[str] = []
    run.on_output = lambda host, stream, text: shown.append(text)
    step = at(run, verb="apply")
    assert step.script(REACH, secret_output=True).stdout == "the-token-itself\n"
    assert shown == []
    assert "the-token-itself" not in run.record.path.read_text()
    assert all("the-token-itself" not in p.read_text() for p in run.record.logs.iterdir())
    step.script(REACH)
    assert shown == ["the-token-itself\n"]


def test_half_a_secret_is_in_no_error_of_a_script_that_was_cut_off(tmp_path):
    half = Result(REACH, 143, "the-token-", "the-token-too", "linuxmaster", 5.0)
    run = make_run(tmp_path, Hosts({REACH: CommandTimeout(half, 5)}))
    step = at(run, verb="apply")
    with pytest.raises(CommandTimeout) as caught:
        step.script(REACH, secret_output=True)
    assert "the-token" not in "\n".join(caught.value.lines()) + repr(caught.value.result)
    assert "the-token" not in run.record.path.read_text()
    assert all("the-token" not in p.read_text() for p in run.record.logs.iterdir())


@pytest.mark.parametrize(("code", "state"), [(0, State.OK), (10, State.NEEDED), (20, State.DRIFT)])
def test_asking_reads_the_exit_code(tmp_path, code, state):
    step = at(make_run(tmp_path, Hosts({REACH: (code, "said\n")})))
    found, result = step.ask(REACH)
    assert found is state and result.stdout == "said\n"


@pytest.mark.parametrize("code", [1, 2, 127])
def test_a_check_that_broke_is_no_answer(tmp_path, code):
    step = at(make_run(tmp_path, Hosts({REACH: (code, "bash: oops\n")})), step="reach")
    with pytest.raises(StepFailed, match="check failed") as caught:
        step.ask(REACH)
    assert caught.value.result.returncode == code
    assert (caught.value.step, caught.value.host) == ("reach", "linuxmaster")


def test_no_script_begins_once_a_stop_was_asked_for(tmp_path):
    connections = Hosts({REACH: "ok\n"})
    run = make_run(tmp_path, connections)
    run.cancel.set()
    with pytest.raises(Stopped):
        at(run).script(REACH)
    assert connections.asked == []


def test_a_script_that_was_stopped_on_its_host_is_no_answer_of_it(tmp_path):
    def stopped(host, work):
        run.cancel.set()
        return CANCELLED, ""

    run = make_run(tmp_path, Hosts({REACH: stopped}))
    with pytest.raises(Stopped, match="was stopped"):
        at(run).ask(REACH)
    (event,) = run.record.events
    assert event["exit_code"] == CANCELLED, "what ran is written down all the same"


def test_what_was_stopped_never_acts_when_the_run_goes_on_with_others(tmp_path):
    run = make_run(tmp_path, Hosts({REACH: "ok\n"}))
    late = at(run)
    run.cancel.set()
    run.cancel = threading.Event()
    with pytest.raises(Stopped):
        late.script(REACH)
    assert at(run).script(REACH).ok


CHANGES = "linux/swap.apply.sh"


def started_and_ended(run):
    told = [event for event in run.record.events if event["event"] in ("script-started", "script")]
    return [(event["event"], event["tag"]) for event in told], told


def test_a_script_that_changes_something_is_written_down_before_it_begins(tmp_path):
    seen = []

    def work(host, work):
        seen.append([event["event"] for event in run.record.events])
        assert run.record.events[-1]["tag"] == work.tag
        return "ok\n"

    run = make_run(tmp_path, Hosts({CHANGES: work}))
    at(run, verb="apply").script(CHANGES)
    assert seen == [["script-started"]]
    pairs, (begun, ended) = started_and_ended(run)
    assert [kind for kind, _ in pairs] == ["script-started", "script"]
    assert begun["tag"] == ended["tag"] and begun["tag"].startswith("k8swin-apply-run-")
    for name in ("script", "sha256", "parameters", "host", "address", "user", "sudo", "step"):
        assert begun[name] == ended[name]
    assert begun["sudo"] is True and begun["user"] == run.master.user


def test_a_script_that_changes_something_does_not_begin_when_that_cannot_be_written_down(tmp_path):
    connections = Hosts({CHANGES: "ok\n"})
    run = make_run(tmp_path, connections)
    shutil.rmtree(run.record.folder)
    with pytest.raises((OSError, K8swinError)):
        at(run, verb="apply").script(CHANGES)
    assert connections.asked == []


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (HostUnreachable("linuxmaster", "the connection broke"), None),
        (CommandTimeout(Result("x", 143, "so far\n", "", "linuxmaster", 3.0), 3), 143),
        (RuntimeError("a bug"), None),
    ],
    ids=["broken", "late", "bug"],
)
def test_a_script_without_an_answer_has_its_end_in_the_record_too(tmp_path, trouble, code):
    def fails(host, work):
        raise trouble

    run = make_run(tmp_path, Hosts({CHANGES: fails}))
    with pytest.raises(type(trouble)):
        at(run, verb="apply").script(CHANGES)
    _, (begun, ended) = started_and_ended(run)
    assert begun["tag"] == ended["tag"]
    assert (ended["exit_code"], ended["error_kind"]) == (code, type(trouble).__name__)
    if code:
        assert (run.record.folder / ended["output"]).read_text() == "so far\n"


def test_a_pause_ends_as_soon_as_the_run_is_stopped(tmp_path):
    run = make_run(tmp_path)
    threading.Timer(0.1, run.cancel.set).start()
    with pytest.raises(Stopped):
        at(run).pause(600)


def test_one_run_that_is_stopped_stops_no_other(tmp_path):
    one, other = make_run(tmp_path), make_run(tmp_path, Hosts({REACH: "ok\n"}))
    one.cancel.set()
    assert at(other).script(REACH).ok


def test_a_target_may_be_several_hosts():
    run = make_run(target="winworker01,linuxmaster")
    assert [host.name for host in run.hosts("target")] == ["linuxmaster", "winworker01"]
    assert [host.name for host in run.hosts("windows+target")] == ["winworker01"]
