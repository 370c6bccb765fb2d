"""A removal: what is confirmed, whose cluster it is, who answers, and which places are ours."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import DriftFound, HostUnreachable, ParamsError, StepFailed
from k8swin_nb.phases.phase_90_teardown import PHASE
from k8swin_nb.phases.teardown import removal
from k8swin_nb.phases.windows.configuration import FOLDERS
from k8swin_nb.phases.windows.places import IMAGES_FOLDERS, SHARED, TREES, places
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import check_step
from k8swin_nb.workflow.step import State
from tests import runs
from tests.runs import Hosts, at
from tests.test_description import MASTER, WORKER, described

SCRIPTS = Path(__file__).parent.parent.parent / "k8swin_nb" / "scripts" / "linux"
OTHER = {**WORKER, "name": "winworker02", "address": "10.1.0.4"}
LINUX = {"name": "linuxworker01", "address": "10.1.0.5", "os": "linux", "user": "u"}
HYPERVISOR = {**WORKER, "name": "hyperv", "address": "10.1.0.9", "role": "hypervisor"}


def make_run(
    folder: Path, *silent: str, target: str = "", confirm: str | None = None, **answers: Any
) -> PhaseRun:
    """Return a run of the removal; `answers` are by script without folder, `silent` hosts say nothing."""
    scripts = {"cluster_identity": "ours", "api_state": "answers QUJD", **answers}
    connections = Hosts(
        {
            f"{system}/{name}.check.{suffix}": answer
            for name, answer in scripts.items()
            for system, suffix in (("linux", "sh"), ("windows", "ps1"))
        },
        silent={name: HostUnreachable(name, "no route to host") for name in silent},
    )
    return runs.make_run(
        folder,
        connections,
        phase=PHASE,
        target=target,
        options={"confirm": confirm},
        cluster_name="lab",
        hosts=[MASTER, WORKER, OTHER, LINUX, HYPERVISOR],
    )


def test_the_whole_cluster_is_every_node_and_never_the_hypervisor(tmp_path):
    run = make_run(tmp_path)
    assert [host.name for host in removal.removed_hosts(run)] == [
        "linuxmaster",
        "winworker01",
        "winworker02",
        "linuxworker01",
    ]
    for step in PHASE.steps:
        assert "hyperv" not in [host.name for host in run.hosts(step.on)], step.name


def test_one_worker_is_that_worker_alone(tmp_path):
    run = make_run(tmp_path, target="10.1.0.4")
    for step in PHASE.steps:
        names = {host.name for host in run.hosts(step.on)}
        reason = step.when(at(run)) if step.when else None
        if "linuxmaster" in names and step.apply and step.name != "confirm":
            assert reason == "the cluster stays", step.name
        assert names <= {"winworker02", "linuxmaster"}, step.name


@pytest.mark.parametrize(
    "words",
    [
        "lab: linuxmaster winworker01 winworker02 linuxworker01",
        "lab:  linuxworker01, winworker02, winworker01, linuxmaster ",
    ],
)
def test_the_right_words_confirm_in_any_order(tmp_path, words):
    run = make_run(tmp_path, confirm=words)
    assert removal.check_confirmation(at(run)).state is State.OK


@pytest.mark.parametrize(
    "words",
    [
        None,
        "yes",
        "lab",
        "lab: linuxmaster",
        "lab: linuxmaster winworker01 winworker02",
        "lab: linuxmaster winworker01 winworker02 linuxworker01 hyperv",
        "plant: linuxmaster winworker01 winworker02 linuxworker01",
        "linuxmaster winworker01 winworker02 linuxworker01",
    ],
)
def test_any_other_words_stop_with_those_that_are_wanted(tmp_path, words):
    run = make_run(tmp_path, confirm=words)
    assert removal.check_confirmation(at(run)).state is State.NEEDED
    with pytest.raises(ParamsError) as caught:
        removal.demand_confirmation(at(run))
    assert "nothing was removed" in str(caught.value)
    wanted = "lab: linuxmaster winworker01 winworker02 linuxworker01"
    assert f"-p confirm '{wanted}'" in str(caught.value.hint)


def test_words_for_the_whole_cluster_do_not_confirm_one_worker(tmp_path):
    words = "lab: linuxmaster winworker01 winworker02 linuxworker01"
    run = make_run(tmp_path, target="10.1.0.4", confirm=words)
    assert removal.check_confirmation(at(run)).state is State.NEEDED


def test_a_cluster_that_was_not_made_here_is_left_alone(tmp_path):
    run = make_run(tmp_path, cluster_identity=(20, "another certificate authority"))
    with pytest.raises(DriftFound, match="another certificate authority") as caught:
        removal.check_cluster(at(run))
    assert "nothing was touched" in str(caught.value.hint)


def worker_found(run: PhaseRun, name: str):
    removal.check_cluster(at(run))
    return removal.check_worker(at(run, name))


def test_a_worker_that_is_lost_to_the_api_server_too_is_told_and_skipped(tmp_path):
    run = make_run(tmp_path, "winworker01", node_state="NotReady since 2026-11-26T20:00:00Z")
    verdict = worker_found(run, "winworker01")
    assert verdict.state is State.OK
    assert "only the node is removed, the machine is left as it is" in verdict.detail
    worker = run.inventory.host("winworker01")
    acting = [
        step.name
        for step in PHASE.steps
        if step.apply
        and worker in run.hosts(step.on)
        and not (step.when and step.when(at(run, "winworker01")))
    ]
    assert acting == ["nodes"]


def test_a_worker_that_is_ready_for_the_api_server_is_not_given_up(tmp_path):
    run = make_run(tmp_path, "winworker01", node_state="Ready")
    with pytest.raises(StepFailed, match="calls its node Ready"):
        worker_found(run, "winworker01")


def test_one_worker_is_not_removed_without_an_api_server_that_answers(tmp_path):
    run = make_run(tmp_path, api_state="silent QUJD", target="10.1.0.3")
    with pytest.raises(StepFailed, match="does not answer"):
        removal.check_cluster(at(run))


def test_a_cluster_without_an_api_server_can_be_removed_as_a_whole(tmp_path):
    run = make_run(tmp_path, "winworker01", api_state="absent")
    assert worker_found(run, "winworker01").state is State.OK
    asked = [step.name for step in PHASE.steps if step.when and step.when(at(run))]
    assert {"apps", "drain", "nodes"} <= set(asked)


@pytest.mark.parametrize(
    ("version", "flag"), [("1.36.4", "--delete-emptydir-data"), ("1.19.3", "--delete-local-data")]
)
def test_a_drain_uses_the_flag_of_its_version(tmp_path, version, flag):
    run = make_run(tmp_path)
    run.description = run.description.model_copy(update={"kubernetes_version": version})
    assert removal.removal_values(at(run))["emptydir_flag"] == flag


KUBECTL = """#!/bin/bash
case "$*" in
  *"get node winworker01 --ignore"* | *"get node winworker02 --ignore"*) echo node ;;
  *unschedulable*) ;;
  *"get deployments"*) echo default/win-webserver ;;
  *"get namespaces"*) echo kubernetes-dashboard/ ;;
  *nodeName=winworker01*) cat <<'END'
default/win-webserver-5d8f-abcde Running ReplicaSet win-webserver-5d8f
kube-flannel/kube-flannel-x Running DaemonSet kube-flannel
site/shop-77-x Running ReplicaSet shop-77
END
    ;;
  *nodeName=winworker02*) cat <<'END'
default/win-webserver-5d8f-fghij Running ReplicaSet win-webserver-5d8f
kubernetes-dashboard/board-1-x Running ReplicaSet board-1
END
    ;;
esac
"""


def test_a_dry_run_says_of_a_drain_what_is_left_to_do_after_the_first(tmp_path):
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    told: list[str] = []

    def drained(host: Any, work: Any) -> tuple[int, str]:
        values = dict(work.parameters)
        done = subprocess.run(
            ["bash", "-c", work.script.text],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **values},
            capture_output=True,
            text=True,
        )
        told.append(done.stdout.strip())
        return done.returncode, done.stdout

    answers = {"drained": drained, "apps_removed": (10, "deployed by these notebooks: x\n")}

    def outcomes(*, dry_run: bool, apps: bool = True) -> dict[str, str]:
        run = make_run(tmp_path, node_removed="gone", **answers)
        run.dry_run = dry_run
        removal.check_cluster(at(run))
        steps = [step for step in PHASE.steps if step.name in ("apps", "drain")[not apps :]]
        rows = [row for step in steps for row in check_step(run, step).rows]
        return {row.host: row.outcome.value for row in rows if row.step == "drain"}

    assert outcomes(dry_run=True) == {
        "winworker01": "would change",
        "winworker02": "ok",
        "linuxworker01": "ok",
    }
    assert told[0] == "node winworker01 takes new pods: yes, it runs: site/shop-77-x"
    assert told[1].endswith("is closed with the first worker")
    # Where the test app stays, its pods have to go from each worker.
    assert outcomes(dry_run=True, apps=False)["winworker02"] == "would change"
    # A look at one step alone tells what is.
    assert outcomes(dry_run=False, apps=False)["winworker02"] == "would change"


def test_no_folder_that_others_use_is_removed_with_what_is_in_it():
    entries = json.loads(places(check_description(described())))
    trees = {entry["path"] for entry in entries if entry["kind"] == "tree"}
    assert trees == set(TREES)
    assert not trees & set(SHARED)
    for path in (r"C:\etc", r"C:\var", r"C:\opt", r"C:\usr", r"C:\run", "C:\\", r"C:\opt\cni\bin"):
        assert path not in trees


def test_inner_folders_are_looked_at_before_outer_ones():
    for number, path in enumerate(SHARED):
        assert not [later for later in SHARED[number:] if later.startswith(path + "\\")]


def test_every_folder_that_is_made_is_known_to_the_removal():
    known = [*TREES, *SHARED, r"C:\k8swin"]
    for folder in {folder for folders in FOLDERS.values() for folder in folders}:
        assert any(folder == path or folder.startswith(path + "\\") for path in known), folder


def test_images_stay_unless_they_are_to_go():
    description = check_description(described())
    for folder in IMAGES_FOLDERS:
        assert folder.replace("\\", "\\\\") in places(description)
        assert folder.replace("\\", "\\\\") not in places(description, keep_images=True)


SAVED = """\
# Generated by iptables-save
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:FLANNEL-POSTRTG - [0:0]
:SITE-NAT - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-DN-ours - [0:0]
-A PREROUTING -j CNI-HOSTPORT-DNAT
-A CNI-HOSTPORT-DNAT -p tcp -m tcp --dport 8443 -j CNI-DN-ours
-A CNI-HOSTPORT-DNAT -p tcp -m tcp --dport 9443 -j DNAT --to-destination 10.88.0.2:443
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.9.9.9:80
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A POSTROUTING -j SITE-NAT
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A SITE-NAT -s 10.9.0.0/16 -m comment --comment "not of KUBE-SERVICES" -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:SITE - [0:0]
-A INPUT -j SITE
COMMIT
"""


def test_only_the_clusters_own_chains_leave_iptables(tmp_path):
    for name, text in {
        "iptables-save": f"cat <<'END'\n{SAVED}END\n",
        "iptables-restore": f'echo "options: $*" >>{tmp_path}/restored\ncat >>{tmp_path}/restored\n',
    }.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{text}")
        path.chmod(0o755)
    bare = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    (tmp_path / "chains").write_text("CNI-HOSTPORT-DNAT\n")
    script = (SCRIPTS / "iptables_removed.apply.sh").read_text().replace(" ip6tables;", ";")
    script = script.replace("/etc/k8swin/", f"{tmp_path}/")
    done = subprocess.run(["bash", "-c", script], env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "restored").read_text().splitlines() == [
        "options: --noflush",
        "*nat",
        "-D CNI-HOSTPORT-DNAT -p tcp -m tcp --dport 8443 -j CNI-DN-ours",
        '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        '-D POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
        "-F KUBE-SERVICES",
        "-F FLANNEL-POSTRTG",
        "-F CNI-DN-ours",
        "-X KUBE-SERVICES",
        "-X FLANNEL-POSTRTG",
        "-X CNI-DN-ours",
        "COMMIT",
    ]


def test_no_script_of_the_removal_deletes_a_shared_folder_or_flushes():
    for step in PHASE.steps:
        for name in step.scripts:
            text = Script.load(name).text
            assert "iptables -F" not in text
            assert "rm -rf /etc/cni" not in text
            assert not re.search(r"Remove-Item[^\n|]*-Recurse", text), name
