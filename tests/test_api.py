"""The Python interface: what it offers, what it costs to import, and that no two clusters know each other."""

import hashlib
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

import k8swin_nb
from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import (
    ClusterError,
    CommandFailed,
    DriftFound,
    HostUnreachable,
    InventoryError,
    K8swinError,
    ScriptError,
    StepFailed,
)
from k8swin_nb.opened import OpenPhase
from k8swin_nb.redact import redact
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.tables import StaticTable
from k8swin_nb.workflow.runner import StepProgress
from k8swin_nb.workflow.step import Outcome, State, Verdict
from tests.cluster.certificates import Authority, kubeconfig
from tests.interrupts import interrupt
from tests.runs import ALL_SCRIPTS, Hosts, Machine, Unlocked, phase_of
from tests.test_description import MASTER, WORKER, described

ROOT = Path(__file__).parent.parent
HEAVY = {"pandas", "kubernetes", "fabric", "paramiko", "winrm", "ipywidgets", "IPython"}
NAMES = sorted(set(k8swin_nb.__all__) - {"__version__"})


def cluster(folder: Path, answers=None, *, silent=None, **changes) -> Cluster:
    """Return a cluster of the public class, whose hosts answer what a test says."""
    (folder / "params").mkdir(parents=True, exist_ok=True)
    description = check_description(described(**changes), folder=folder / "params")
    opened = Cluster(description, runs=folder / "runs")
    opened.pool.close()
    opened.pool = Hosts(answers, silent=silent)
    opened.locks = Unlocked(opened.pool, opened.run_id)
    return opened


def test_secrets_that_lie_ready_are_masked_before_anybody_logs_in(
    tmp_path, monkeypatch, forgotten_secrets
):
    monkeypatch.setenv("WORD_OF_ONE", "Liegt-bereit-1")
    (tmp_path / "params").mkdir()
    file = tmp_path / "params" / "password"
    file.write_text("Liegt-bereit-2\n")
    file.chmod(0o600)
    os.mkfifo(tmp_path / "params" / "pipe", 0o600)
    for reference in ("env:WORD_OF_ONE", "file:password", "file:pipe", "env:NOT_SET", "file:none"):
        worker = {**WORKER, "credential": reference}
        cluster(tmp_path, hosts=[MASTER, worker]).close()
    assert redact("1: Liegt-bereit-1 2: Liegt-bereit-2") == "1: ***** 2: *****"


def opened(made: Cluster, *steps, **more) -> OpenPhase:
    """Open a phase of these steps alone."""
    views = more.pop("views", {})
    return OpenPhase(made, made.phase_run(phase_of(*steps, views=views), **more))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_package_resolves_and_is_explained(name):
    found = getattr(k8swin_nb, name)
    assert inspect.getdoc(found)
    # Of its own: a class without one would show its base's.
    assert found.__doc__
    assert found.__module__.startswith("k8swin_nb")


def test_what_the_package_offers_is_what_it_says():
    assert sorted(k8swin_nb.__all__) == sorted(set(k8swin_nb.__all__))
    assert set(dir(k8swin_nb)) == set(k8swin_nb.__all__)
    names: dict[str, object] = {}
    exec("from k8swin_nb import *", names)
    assert set(names) - {"__builtins__"} == set(k8swin_nb.__all__)
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        _ = k8swin_nb.nothing
    with pytest.raises(ImportError):
        from k8swin_nb import nothing  # noqa: F401


def test_type_checkers_are_told_of_the_same_names():
    source = (ROOT / "k8swin_nb" / "__init__.py").read_text(encoding="utf-8")
    block = source.partition("if TYPE_CHECKING:\n")[2].partition("\n\n__version__")[0]
    told = set(re.findall(r"^ {8}(\w+),$", block, re.MULTILINE))
    for names in re.findall(r"import ([\w, ]+)$", block, re.MULTILINE):
        told |= set(names.split(", "))
    assert told - {"InteractiveShell"} == set(NAMES) - {
        "load_ipython_extension",
        "unload_ipython_extension",
    }


def test_every_error_of_the_package_is_offered():
    module = importlib.import_module("k8swin_nb.errors")
    errors = {
        name
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, K8swinError)
    }
    assert errors <= set(k8swin_nb.__all__)


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import k8swin_nb; dir(k8swin_nb)",
        "from k8swin_nb import Cluster, Description, Host, Report, Script, Secret, StepFailed",
        "from k8swin_nb import open_cluster; open_cluster('params/lab.yaml').phase_run",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_used(code):
    assert modules_after(code) & HEAVY == set()


def test_two_clusters_of_one_process_do_not_know_each_other(tmp_path):
    one = cluster(tmp_path / "one", {ALL_SCRIPTS: "of one\n"}, cluster_name="one")
    worker = {**WORKER, "name": "other01"}
    two = cluster(
        tmp_path / "two",
        {ALL_SCRIPTS: "of two\n"},
        cluster_name="two",
        hosts=[MASTER, worker],
        pod_subnet="10.32.0.0/16",
    )
    assert [host.name for host in one.hosts()] == ["linuxmaster", "winworker01"]
    assert [host.name for host in two.hosts()] == ["linuxmaster", "other01"]
    assert str(two.plan.pod_subnet) != str(one.plan.pod_subnet)
    assert one.hosts()[0].known_hosts == str(tmp_path / "one" / ".k8swin" / "known_hosts")
    assert two.hosts()[0].known_hosts == str(tmp_path / "two" / ".k8swin" / "known_hosts")

    said = [c.run_script("hostname", "linux").all()["linuxmaster"].stdout for c in (one, two)]
    assert said == ["of one\n", "of two\n"]
    assert one.run_id != two.run_id
    assert len(one.record.events) == len(two.record.events) == 2
    assert one.record.folder.parent == tmp_path / "one" / "runs"

    machine = Machine()
    opened(one, machine.step()).apply()
    stopped = opened(two, machine.step())
    stopped.run.cancel.set()
    assert opened(one, machine.step()).check().counts() == {"ok": 2}
    kinds = [event["event"] for event in two.record.events]
    assert kinds == ["script-started", "magic", "notebook-opened"]
    one.close()
    assert two.run_script("hostname", "linux").all()


def test_two_clusters_work_at_the_same_time(tmp_path):
    together = threading.Barrier(2, timeout=100)

    def meet(host, work):
        together.wait()
        return host.name

    one, two = (cluster(tmp_path / name, {ALL_SCRIPTS: meet}) for name in ("one", "two"))
    told = {}

    def ask(made: Cluster) -> None:
        told[made.run_id] = made.run_script("hostname", "linux").all()["linuxmaster"].stdout

    other = threading.Thread(target=ask, args=(two,))
    other.start()
    ask(one)
    other.join()
    assert list(told.values()) == ["linuxmaster"] * 2


def test_a_cluster_writes_nothing_before_it_is_used(tmp_path):
    made = cluster(tmp_path)
    made.hosts()
    made.close()
    assert not (tmp_path / "runs").exists()


def test_a_description_is_opened_from_its_file_and_its_paths_start_there(tmp_path):
    (tmp_path / "site" / "params").mkdir(parents=True)
    hosts = [{**MASTER, "identity": "keys/id"}, {**WORKER, "credential": "file:secrets/win"}]
    path = tmp_path / "site" / "params" / "mine.yaml"
    path.write_text(yaml.safe_dump(described(hosts=hosts)))
    with k8swin_nb.open_cluster(path, runs=tmp_path) as made:
        master, worker = made.hosts()
        assert master.identity == str(path.parent / "keys" / "id")
        assert worker.folder == str(path.parent)
        assert made.description.state == tmp_path / "site" / ".k8swin"


def test_text_is_bash_on_linux_and_powershell_on_windows(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"})
    assert list(made.run_script("hostname").all()) == ["linuxmaster", "winworker01"]
    assert {work.script.interpreter for work in made.pool.works} == {"bash", "powershell"}


def test_every_host_is_asked_before_the_failure_is_raised(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"}, silent={"linuxmaster": OSError("a bug")})
    answers = made.run_script("hostname")
    assert list(answers.answers) == ["winworker01"]
    assert "OSError: a bug" in str(answers.errors["linuxmaster"])
    gone = HostUnreachable("linuxmaster", "gone")
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"}, silent={"linuxmaster": gone})
    with pytest.raises(HostUnreachable) as caught:
        made.run_script("hostname").all()
    assert caught.value is gone


def test_an_exit_code_is_an_error_unless_it_is_not_wanted(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: (4, "said\n")})
    with pytest.raises(CommandFailed) as caught:
        made.run_script("exit 4", "linux").all()
    assert caught.value.result.stdout == "said\n"
    assert made.run_script("exit 4", "linux", check=False).all()["linuxmaster"].returncode == 4


def test_a_script_is_recorded_without_its_secrets(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"})
    script = Script.from_text(': "${TOKEN:?}"\necho hello\n', "bash", "mine.sh")
    made.run_script(script, "linux", secrets={"TOKEN": Secret("in-no-record")})
    begun, event = made.record.events
    assert begun["event"] == "script-started" and begun["tag"] == event["tag"]
    assert event["event"] == "magic" and event["exit_code"] == 0
    assert event["script"] == "mine.sh"
    assert "echo hello" in (made.record.folder / event["script_file"]).read_text()
    assert "in-no-record" not in made.record.path.read_text()
    made.run_script("hostname", "linux", recorded=False)
    assert len(made.record.events) == 2


def test_hosts_that_there_are_not_are_told_with_the_nearest(tmp_path):
    with pytest.raises(InventoryError) as caught:
        cluster(tmp_path).run_script("hostname", "winworker9")
    assert "winworker01" in str(caught.value.hint)


def test_an_interrupt_stops_the_scripts_on_all_hosts(tmp_path):
    def hang(host, work):
        assert work.cancel.wait(100)
        return 143, ""

    made = cluster(tmp_path, {ALL_SCRIPTS: hang})
    with interrupt(lambda: len(made.pool.works) == 2), pytest.raises(KeyboardInterrupt):
        made.run_script("sleep 100")
    assert all(work.cancel.is_set() for work in made.pool.works)
    ended = [event for event in made.record.events if event["event"] == "magic"]
    assert [event["exit_code"] for event in ended] == [143, 143]


def test_without_a_kubeconfig_there_are_no_tables_and_the_error_says_what_to_run(tmp_path):
    made = cluster(tmp_path, {"linux/read_kubeconfig.check.sh": (10, "")})
    for ask in (made.nodes, made.pods):
        with pytest.raises(ClusterError) as caught:
            ask()
        assert "02_master" in str(caught.value.hint)
    assert made.record.events == [], "reading it is no event of the record"


def test_a_kubeconfig_of_a_managed_host_runs_sends_and_follows_nothing(tmp_path):
    mark = tmp_path / "ran"
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "touch",
        "args": [str(mark)],
    }
    planned = f"https://{MASTER['address']}:6443"
    authority = Authority()
    for user in (
        {"exec": command},
        {"tokenFile": "/etc/hostname"},
        {"auth-provider": {"name": "x"}},
    ):
        text = kubeconfig(planned, authority, user=user)
        made = cluster(tmp_path, {"linux/read_kubeconfig.check.sh": text})
        with pytest.raises(ClusterError, match=f"`{next(iter(user))}`"):
            made.nodes()
    elsewhere = kubeconfig("https://127.0.0.1:6443", authority, token="t0ken-of-nobody")
    made = cluster(tmp_path, {"linux/read_kubeconfig.check.sh": elsewhere})
    with pytest.raises(ClusterError, match=f"names no cluster at {planned}"):
        made.pods()
    assert not mark.exists()


def test_a_phase_is_opened_by_name_in_the_variant_of_the_profile(tmp_path):
    made = cluster(tmp_path, profile="classic")
    phase = made.phase("02_master")
    assert phase.phase.name == "02_master" and phase.phase.variants == {}
    assert phase.opened["phase"] == "02_master"
    assert len(phase.opened["parameters_sha256"]) == 64
    assert [host["name"] for host in phase.opened["hosts"]] == ["linuxmaster", "winworker01"]
    with pytest.raises(InventoryError) as caught:
        made.phase("02_mastr")
    assert "did you mean `02_master`" in str(caught.value.hint)


def test_steps_are_applied_in_order_until_one_fails(tmp_path):
    machine = Machine()

    def broken(at):
        raise at.failed("it broke")

    phase = opened(
        cluster(tmp_path, {ALL_SCRIPTS: "x\n"}),
        machine.step(name="first", on="linux"),
        Machine().step(name="second", on="linux", check=broken),
        machine.step(name="third", on="linux"),
    )
    told: list[StepProgress] = []
    with pytest.raises(StepFailed, match="it broke") as caught:
        phase.apply(progress=told.append)
    assert machine.calls.count("apply linuxmaster") == 1
    assert [(row.step, row.outcome) for row in phase.report.rows] == [
        ("first", Outcome.CHANGED),
        ("second", Outcome.FAILED),
    ]
    assert [progress.step for progress in told] == ["first", "first", "second", "second"]
    assert "evidence is in" in str(caught.value.hint)
    assert [e["event"] for e in phase.run.record.events][-1] == "failed"


def test_a_step_is_applied_by_name_and_an_unknown_one_is_told(tmp_path):
    one, two = Machine(), Machine()
    phase = opened(cluster(tmp_path), one.step(name="one"), two.step(name="two"))
    report = phase.apply("two")
    assert one.calls == [] and {row.step for row in report.rows} == {"two"}
    with pytest.raises(InventoryError) as caught:
        phase.apply("tow")
    assert "one, two" in str(caught.value.hint)


def test_a_step_that_is_applied_again_has_one_row_for_each_host(tmp_path):
    phase = opened(cluster(tmp_path), Machine().step(on="linux"))
    phase.apply()
    phase.apply()
    assert [(row.host, row.outcome) for row in phase.report.rows] == [("linuxmaster", Outcome.OK)]


def test_what_was_stopped_may_be_tried_again(tmp_path):
    phase = opened(cluster(tmp_path), Machine().step(on="linux"))
    phase.run.cancel.set()
    assert phase.apply().counts() == {"changed": 1}


def test_what_is_pending_is_looked_at_and_is_no_outcome(tmp_path):
    done, left = Machine(), Machine()
    phase = opened(
        cluster(tmp_path), done.step(name="done", on="linux"), left.step(name="left", on="linux")
    )
    phase.apply("done")
    pending = phase.pending()
    assert [(row.step, row.outcome) for row in pending.rows] == [("left", Outcome.WOULD_CHANGE)]
    assert "apply linuxmaster" not in left.calls
    assert [row.step for row in phase.report.rows] == ["done"]


def test_drift_is_an_error_of_looking_too(tmp_path):
    step = Machine().step(on="linux", check=lambda at: Verdict(State.DRIFT, "of another"))
    with pytest.raises(DriftFound, match="of another"):
        opened(cluster(tmp_path, {ALL_SCRIPTS: "x\n"}), step).check()


def test_a_dry_run_changes_nothing_and_the_record_says_that_it_was_one(tmp_path):
    machine = Machine()
    phase = opened(cluster(tmp_path), machine.step(on="linux"), dry_run=True)
    assert phase.apply().counts() == {"would change": 1}
    assert machine.calls == ["check linuxmaster"]
    phase.summary()
    assert [e["dry_run"] for e in phase.run.record.events] == [True] * 4
    assert phase.run.record.events[-1]["outcomes"] == {"would change": 1}


def test_options_reach_the_steps_of_their_phase(tmp_path):
    step = Machine().step(on="linux", check=lambda at: Verdict(State.OK, at.option("confirm")))
    phase = opened(cluster(tmp_path), step, options={"confirm": "all of it"})
    assert phase.apply().rows[0].detail == "all of it"


def test_views_are_functions_of_the_run_and_an_unknown_one_is_told_with_those_there_are(tmp_path):
    def table(run, **options):
        return StaticTable(run.phase.name, ("a",), [(options.get("row", "none"),)])

    phase = opened(cluster(tmp_path), views={"table": table, "other": table})
    assert phase.view("table", row="1").rows == [["1"]]
    with pytest.raises(ScriptError, match="phase `phase` has no view `tabel`") as caught:
        phase.view("tabel")
    assert caught.value.hint == "its views: table, other"


def test_every_line_of_the_record_is_json_and_names_run_and_program(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"})
    made.run_script("hostname")
    opened(made, Machine().step()).apply()
    events = [json.loads(line) for line in made.record.path.read_text().splitlines()]
    assert {event["run"] for event in events} == {made.run_id}
    assert {event["notebook"] for event in events} == {"program"}


def test_the_first_event_holds_the_parameters_as_given_and_names_the_file_of_all(tmp_path):
    made = cluster(tmp_path, {ALL_SCRIPTS: "x\n"})
    first, second = (made.phase("02_master", options={"ip": None}).opened for _ in range(2))
    told = first["parameters"]
    assert told == {
        "description": json.loads(json.dumps(made.description.as_given())),
        "notebook": {"ip": None},
    }
    assert set(told["description"]) == set(described()) and "api_port" not in told["description"]
    assert told["description"]["hosts"][1]["credential"] == WORKER["credential"]
    file = made.record.folder / first["parameters_file"]
    assert json.loads(file.read_text()) == json.loads(made.description.model_dump_json())
    assert file.name == hashlib.sha256(file.read_bytes()).hexdigest() + ".json"
    assert second["parameters_file"] == first["parameters_file"]
    assert first["parameters_sha256"] == second["parameters_sha256"]


def test_what_a_profile_adds_was_not_given(tmp_path):
    classic = check_description(described(profile="classic", kubernetes_version="1.13.12"))
    assert "docker_version" not in classic.as_given() and classic.docker_version == "18.06.3"


def test_a_reason_reaches_the_record_and_what_signs_it(tmp_path):
    (tmp_path / "params").mkdir()
    description = check_description(described(), folder=tmp_path / "params")
    made = Cluster(description, runs=tmp_path / "runs", reason=" CHG-4711\n", sign="ssh:/key")
    assert (made.record.reason, made.record.sign) == ("CHG-4711", "ssh:/key")
    # What cannot sign is told before anything is done.
    with pytest.raises(K8swinError, match="`sign` names `/key`, which cannot be read"):
        made.phase("01_network")
    unsigned = Cluster(description, runs=tmp_path / "runs", reason=" CHG-4711\n")
    assert unsigned.phase("01_network").opened["reason"] == "CHG-4711"
    with pytest.raises(K8swinError, match="`sign` is gpg, expected"):
        Cluster(description, sign="gpg")
