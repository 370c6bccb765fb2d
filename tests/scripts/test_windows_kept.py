"""What somebody else made on a Windows server is kept before it is changed, and comes back when the worker goes."""

import base64
import json

import pytest

from tests.scripts.test_windows_scripts import PARTS, part, serve

KEPT = "C:\\k8swin\\kept\\C"
CA = base64.b64encode(b"CA").decode()
KEEP = {"KeepImages": "false"}


def write(machine, path: str, text: str) -> None:
    machine.files.make_directory(path.rpartition("\\")[0] + "\\")
    machine.files.write(path, text.encode())


def read(machine, path: str) -> str:
    return machine.files.read(path).decode() if machine.files.exists(path) else ""


def found_json(machine, *places: str, services: tuple[str, ...] = ()) -> None:
    record = {"places": places, "path": False, "services": services, "kubeconfig": ""}
    write(machine, r"C:\k8swin\state\found.json", json.dumps(record))


def removed(run, *paths: str):
    places = [{"kind": "file", "path": path} for path in paths]
    return run("files_removed.apply", RemovedPlaces=json.dumps(places), **KEEP)


NET = {
    "CniConf": "{}",
    "CniFolder": r"C:\etc\cni\net.d",
    "CniFile": "10-flannel.conf",
    "WindowsNetConf": "{}",
    "NetConfFiles": r"C:\etc\kube-flannel\net-conf.json",
}
FILE = r"C:\etc\cni\net.d\10-flannel.conf"


@pytest.mark.parametrize("found", ["# theirs", ""])
def test_a_file_that_was_found_is_kept_said_and_comes_back(machine, run, found):
    machine.files.make_directory(r"C:\etc\kube-flannel")
    if found:
        write(machine, FILE, found)
    else:
        machine.files.make_directory(r"C:\etc\cni\net.d")
    found_json(machine, *([FILE] if found else []))
    said = run("cni.apply", **NET)
    assert (said.code, said.err) == (0, "")
    assert (f"kept: {FILE} is in {KEPT}" in said.out) == bool(found)
    assert run("cni.apply", **{**NET, "CniConf": '{"a":1}'}).code == 0
    assert read(machine, FILE) == '{"a":1}'
    assert read(machine, KEPT + FILE[2:]) == found
    assert (removed(run, FILE).code, read(machine, FILE)) == (0, found)
    assert not machine.files.exists(r"C:\k8swin")


def test_what_somebody_changed_since_stays_and_what_was_found_stays_kept(machine, run):
    machine.files.make_directory(r"C:\etc\kube-flannel")
    write(machine, FILE, "theirs")
    found_json(machine, FILE)
    run("cni.apply", **NET)
    write(machine, FILE, "edited")
    said = removed(run, FILE)
    assert (said.code, "was changed since" in said.out) == (0, True)
    assert (read(machine, FILE), read(machine, KEPT + FILE[2:])) == ("edited", "theirs")


def test_what_somebody_put_into_a_folder_of_ours_since_outlives_it(machine, run):
    found_json(machine)
    write(machine, r"C:\k\tools\own.ps1", "theirs")
    places = [{"kind": "tree", "path": r"C:\k"}]
    said = run("files_removed.apply", RemovedPlaces=json.dumps(places), **KEEP)
    assert (said.code, said.err) == (0, "")
    assert read(machine, r"C:\k\tools\own.ps1") == "theirs"


def test_a_program_of_somebody_elses_is_kept_before_a_download_replaces_it(machine, run):
    import hashlib

    body = b"program"
    serve(machine, body)
    write(machine, r"C:\k\part.exe", "theirs")
    artifacts = part(hashlib.sha256(body).hexdigest())
    target = json.loads(artifacts)[0]["to"]
    write(machine, target, "theirs")
    said = run("artifacts.apply", Artifacts=artifacts)
    assert said.code == 0, said
    assert read(machine, KEPT + target[2:]) == "theirs"
    assert machine.files.read(target) == body


JOIN = {"CriSocket": "npipe:////./pipe/x", "ClusterCa": CA}


def test_a_join_resets_nothing_that_was_not_begun_from_here(machine, run):
    write(machine, r"C:\etc\kubernetes\pki\ca.crt", "CA")
    write(machine, r"C:\etc\kubernetes\pki\ca.key", "key")
    run("join.apply", secrets={"JoinConfiguration": "the whole configuration of a join"}, **JOIN)
    assert read(machine, r"C:\etc\kubernetes\pki\ca.key") == "key"
    assert read(machine, KEPT + r"\etc\kubernetes\pki\ca.crt") == "CA"


def test_a_reset_leaves_what_is_not_of_kubeadms_making(machine, run):
    write(machine, r"C:\k8swin\state\cluster-ca", CA)
    for path in (r"pki\ca.crt", "kubelet.conf"):
        write(machine, rf"C:\etc\kubernetes\{path}", "CA")
    theirs = (r"C:\etc\kubernetes\pki\own.key", r"C:\var\lib\kubelet\own.txt")
    for path in theirs:
        write(machine, path, "theirs")
    assert run("reset.check").code == 10
    assert run("reset.apply", CriSocket="npipe:////./pipe/x").code == 0
    assert [read(machine, path) for path in theirs] == ["theirs", "theirs"]
    assert not machine.files.exists(r"C:\etc\kubernetes\pki\ca.crt")
    assert run("reset.check").code == 0


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (r'"C:\Program Files\containerd\bin\containerd.exe" --run-service', 20),
        (r'"C:\Program Files\containerd\containerd.exe" --run-service', 0),
    ],
)
def test_a_runtime_of_another_folder_is_drift_before_anything_is_unpacked(
    machine,
    run,
    program,
    code,
):
    found_json(machine, services=("containerd",))
    machine.services.create("containerd", program)
    artifacts = json.dumps(
        [
            {
                "name": "containerd",
                "url": f"{PARTS}/c.zip",
                "file": "c.zip",
                "algorithm": "SHA256",
                "hash": "0" * 64,
                "unpack": True,
                "to": r"C:\Program Files\containerd",
                "strip": 1,
                "services": ["containerd"],
                "provides": [r"C:\Program Files\containerd\containerd.exe"],
            }
        ]
    )
    said = run("artifacts.check", Artifacts=artifacts)
    assert said.code == code, said
    assert code == 0 or r"bin\containerd.exe" in said.said


def test_a_service_that_was_there_before_is_drift(machine, run):
    found_json(machine, services=("kubelet",))
    said = run("service.check", Service=json.dumps({"name": "kubelet"}))
    assert (said.code, "was on this server before" in said.said) == (20, True)


def test_a_file_that_was_made_to_hold_a_secret_is_not_taken_for_one_that_was_found(machine, run):
    for folder in (r"C:\etc\kube-flannel", r"C:\etc\kube-proxy"):
        machine.files.make_directory(folder)
    found_json(machine)
    config = {"FlannelKubeconfig": "the one of flannel", "KubeProxyKubeconfig": "kube-proxy's own"}
    assert run("credentials.apply", secrets=config).code == 0
    assert not machine.files.exists(KEPT)
    assert removed(run, r"C:\etc\kube-proxy\kubeconfig").code == 0
    assert not machine.files.exists(r"C:\etc\kube-proxy\kubeconfig")


def test_exclusions_from_defender_that_were_added_go_and_those_of_the_site_stay(machine, run):
    programs, folder = r"C:\k\kubelet.exe;C:\k\kube-proxy.exe", r"C:\ProgramData\containerd"
    asked = {"ExcludedPrograms": programs, "ExcludedFolders": folder}
    machine.defender["Process"] = [r"C:\site\agent.exe", r"c:\K\kubelet.exe"]
    machine.defender["Path"] = [r"D:\databases"]
    before = {kind: list(values) for kind, values in machine.defender.items()}
    found_json(machine)
    assert run("defender.check", **asked).code == 10
    assert run("defender.apply", **asked).code == 0
    assert run("defender.check", **asked).code == 0
    # A second apply adds nothing, and forgets nothing of the first.
    assert run("defender.apply", **asked).code == 0
    # Somebody takes one back by hand and adds another.
    machine.defender["Process"] += [r"C:\site\backup.exe"]
    assert "Defender" in run("files_removed.check", RemovedPlaces="[]").out
    said = removed(run)
    assert (said.code, said.err) == (0, "")
    assert machine.defender == {**before, "Process": [*before["Process"], r"C:\site\backup.exe"]}
    assert not machine.files.exists(r"C:\k8swin")


def test_exclusions_that_a_policy_hides_are_not_taken_for_none(machine, run):
    hidden = "N/A: Administrators are not allowed to view exclusions"
    machine.defender["Path"] = machine.defender["Process"] = [hidden]
    said = run("defender.check", ExcludedPrograms=r"C:\k\kubelet.exe", ExcludedFolders=r"C:\x")
    assert said.code == 20
    assert "HideExclusionsFromLocalAdmins" in said.out
