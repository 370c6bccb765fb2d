"""A user's things in every place that a script writes to, moves or removes: none of them is lost.

The places come from the scripts' text (`places_of_scripts`), so that those of a new script are among them. On fresh
machines something is put into each of them, the phases run from the first to the removal, and then each thing is where
it was, or is kept below the documented folder. What stops a run instead is tried by itself: the step has to name it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.errors import DriftFound, StepFailed
from k8swin_nb.phases.catalogue import PHASES, phase
from k8swin_nb.phases.linux.control_plane import CLUSTER_AUTHORITY
from k8swin_nb.phases.linux.kubelet_service import (
    from_packages,
    from_tarball,
    nothing_to_download,
)
from k8swin_nb.phases.verify import trying
from k8swin_nb.phases.windows import detached
from k8swin_nb.phases.windows.configuration import CNI_FILE, CNI_FOLDER, NET_CONF_FILES
from k8swin_nb.phases.windows.places import SHARED, TREES
from k8swin_nb.phases.windows.places import places as windows_places
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Step
from tests.conftest import ROOT
from tests.steps.places_of_scripts import Place, changing, places
from tests.steps.test_every_step import EVERYTHING, REMOVAL, machines_of, run_of
from tests.steps.world import World, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]

PROFILES = ("current", "classic")

OWN = (
    "/etc/k8swin", "/var/lib/k8swin", "/var/cache/k8swin", "C:\\k8swin",
)  # fmt: skip
"""The toolkit's own folders, which are named after it: what is written about, kept and downloaded."""

ARGUMENT = "what its callers name, which are looked at themselves"
TEMPORARY = "a file that `mktemp` made"
KEPT = "a place below the folder of what is kept"
LISTED = "places that a record of what was written names"
MODE = "the rights that a file is given"

DECLARED: dict[str, dict[str, str | tuple[str, ...]]] = {
    "linux/functions.sh": {
        "$1": ARGUMENT,
        "$2": ARGUMENT,
        "$2.k8swin-new": ARGUMENT,
        "$@": ARGUMENT,
        "$path": ARGUMENT,
        "$authority": TEMPORARY,
        "$said": TEMPORARY,
        "$record": "a record of the toolkit's own",
        "${1##*/}": "a name that is compared",
        **dict.fromkeys(
            (
                "${kept#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}",
                "${kept#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}#/var/lib/k8swin/kept}.k8swin-new",
            ),
            "where something was that was kept, and is gone",
        ),
    },
    "linux/apt_sources.apply.sh": {
        "$2": ("/etc/apt/keyrings/k8swin-kubernetes.gpg", "/etc/apt/keyrings/k8swin-docker.gpg"),
        "$home": TEMPORARY,
        "$armoured": TEMPORARY,
        "$armoured.gpg": TEMPORARY,
        "$file": "the folder of a keyring that the description names",
    },
    "linux/api_name.apply.sh": {"$new": TEMPORARY, "$old": TEMPORARY},
    "linux/containerd.apply.sh": {"$new": TEMPORARY, "0600": MODE, "0644": MODE},
    "linux/control_plane.apply.sh": {"$file": ("/etc/kubernetes/pki/ca.crt",)},
    "linux/downloads.apply.sh": {
        "$5": "a download in the toolkit's own folder",
        "$5.part": "a download in the toolkit's own folder",
        "$unpacked": "a folder in the toolkit's own",
        "$record": "a record of the toolkit's own",
        "$record.new": "a record of the toolkit's own",
        "$file": "a program of an unpacked archive",
        "$folder": ("/opt/cni/bin", "/usr/local/bin"),
        "$folder/${file##*/}": (
            "/opt/cni/bin/bridge",
            "/usr/local/bin/kubeadm",
            "/usr/local/bin/dockerd",
        ),
        "$folder/${file##*/}.k8swin-new": "beside the place until it is moved there",
    },
    "linux/host_settings_restored.apply.sh": {
        "$home/.kube": ("/home/USER/.kube",),
        "$home/.kube/cache": "what kubectl remembers of clusters",
        "$home/.kube/cache/discovery/${API_ENDPOINT/:/_}": "what kubectl remembers of this cluster",
        "$new": TEMPORARY,
    },
    "linux/hostname.apply.sh": {"$new": TEMPORARY},
    "linux/join.apply.sh": {"$file": TEMPORARY},
    "linux/kubeadm_config.apply.sh": {"$new": TEMPORARY},
    "linux/kubeconfig.apply.sh": {
        "$NODE_USER": "an owner",
        "$group": "a group",
        "$home/.kube": ("/home/USER/.kube",),
        "$home/.kube/config": ("/home/USER/.kube/config",),
        "$home/.kube/config.k8swin-new": "beside the place until it is moved there",
    },
    "linux/kubeconfig_removed.apply.sh": {"$config": ("/home/USER/.kube/config",)},
    "linux/packages_released.apply.sh": {
        "$file": LISTED,
        "()[@]}": "configurations that belong to packages, as dpkg lists them",
    },
    "linux/records_removed.apply.sh": {"$copy": KEPT},
    "linux/registries.apply.sh": {
        "$path": ("/etc/containerd/certs.d/quay.example/hosts.toml",),
        "${path%/*}": "a folder that goes when it is empty",
    },
    "linux/runtime_restored.apply.sh": {
        "$file": LISTED,
        "${file%/*}": "a folder that goes when it is empty",
    },
    "linux/swap.apply.sh": {"$new": TEMPORARY},
    "windows/functions.ps1": dict.fromkeys(
        ("$Copy", "$Path", "$Path.new", "$copy", "$copy.$number", "$copy.new", "$path"),
        ARGUMENT,
    ),
    "windows/artifacts.apply.ps1": {
        **dict.fromkeys(
            ("$Download", "$Download.again", "$Download.sha256", "$Download.unpacked", "$Path", "$ready"),
            "a download in the toolkit's own folder",
        ),
        **dict.fromkeys(("$From", "$To"), ARGUMENT),
        "$To.k8swin-new": "beside a program's place, until it is moved there",
        **dict.fromkeys(
            ("$To.k8swin-old-*", "$To.k8swin-old-$([guid]::NewGuid().ToString('N').Substring(0, 8))"),
            "a program that runs on under another name",
        ),
        "$change.to": ("C:\\k\\kubelet.exe", "C:\\opt\\cni\\bin\\flannel.exe", "C:\\k\\start.ps1"),
    },
    "windows/containerd_log.job.ps1": dict.fromkeys(
        (f"C:\\var\\log\\containerd\\containerd.log.{end}" for end in ("$number", "$($number + 1)")),
        "what the log held",
    ),
    "windows/cni.apply.ps1": {
        "$CniFolder\\$CniFile": tuple(f"{CNI_FOLDER[p]}\\{CNI_FILE[p]}" for p in PROFILES),
        ";": tuple(sorted({file for p in PROFILES for file in NET_CONF_FILES[p]})),
        "$reservation": "an address in host-local's store that bears our name",
    },
    "windows/credentials.apply.ps1": {
        "$file": ("C:\\etc\\kube-flannel\\kubeconfig", "C:\\etc\\kube-proxy\\kubeconfig")
    },
    "windows/files_removed.apply.ps1": {
        "$Path": ARGUMENT,
        "$path": "where something was that was kept, and is gone",
        "$place.path": "PLACES",
    },
    "windows/hns_removed.job.ps1": {
        "$file.FullName": "an address in host-local's store that bears our name"
    },
    "windows/registries.apply.ps1": {
        "$folder": "a folder of a registry's files, which goes when it is empty",
    },
    "windows/system_settings.apply.ps1": {
        "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\hns\\State": "a key of the registry"
    },
}  # fmt: skip
"""What a script's text does not say by itself: the places behind a spelling, or why there are none to look at."""

NOT_PLANTED = {
    "/dev/null": "a device",
    "/usr/bin": "the folder of the host's programs",
    "/usr/bin/crictl": "a program that a step runs before it is installed: one that does nothing would stop it",
    "/etc/systemd/system/docker:docker#*:}": "the same places as in the scripts that write them",
    "/etc/systemd/system/kubernetes-node:kubelet#*:}": "the same places as in the scripts that write them",
    "/usr/local/bin/dockerd": "as kubeadm beside it, where Docker comes as a tarball",
    "/home/USER/.kube": "its file config stands for it; a folder that holds anything stays",
    "C:\\Program Files\\containerd": "programs of a runtime; its configuration stands for them",
    "C:\\Program Files\\docker": "programs of a runtime; its configuration stands for them",
    "C:\\ProgramData\\containerd": "images and layers, which the runtime alone may write",
    "C:\\ProgramData\\docker": "images and layers; its configuration stands for it",
    "C:\\run": "Windows' own root of folders that go when they are empty",
}

DRIFT = {
    "/etc/kubernetes/admin.conf": ("90_teardown", "cluster"),
    "/etc/kubernetes/super-admin.conf": ("02_master", "control-plane"),
    "/etc/kubernetes/controller-manager.conf": ("02_master", "control-plane"),
    "/etc/kubernetes/scheduler.conf": ("02_master", "control-plane"),
    "/etc/kubernetes/kubelet.conf": ("04_join_linux", "join"),
    "/etc/kubernetes/bootstrap-kubelet.conf": ("04_join_linux", "join"),
    "/etc/kubernetes/manifests": ("02_master", "control-plane"),
    "/etc/kubernetes/pki/ca.crt": ("04_join_linux", "join"),
    "/var/lib/etcd": ("02_master", "control-plane"),
    "/var/lib/etcd/member": ("02_master", "control-plane"),
    "/usr/local/bin/kubeadm": ("02_master", "downloads"),
}
WINDOWS_DRIFT = {
    "current": {
        "C:\\etc\\cni\\net.d": ("04_join_windows", "cni"),
        "C:\\etc\\kubernetes\\kubelet.conf": ("04_join_windows", "join"),
        "C:\\etc\\kubernetes\\manifests": ("04_join_windows", "join"),
        "C:\\etc\\kubernetes\\pki\\ca.crt": ("04_join_windows", "join"),
    },
    "classic": {"C:\\k\\cni\\config": ("04_join_windows", "cni")},
}
"""Places of which a step says that somebody else's thing is there, and stops: with the phase and the step."""

PREFLIGHT = {
    "C:\\etc\\kubernetes\\kubelet.conf": "the preflight of 01 refuses a server that is another cluster's node",
}

FOLDERS = (
    "/etc/apt/keyrings", "/etc/cni", "/etc/cni/net.d", "/etc/containerd/certs.d", "/etc/kubernetes", "/etc/kubernetes/manifests",
    "/etc/kubernetes/pki", "/etc/kubernetes/tmp", "/etc/systemd/system/docker.service.d",
    "/etc/systemd/system/kubelet.service.d", "/opt/cni/bin", "/run/flannel", "/usr/local/bin", "/var/lib/cni",
    "/var/lib/cni/flannel", "/var/lib/cni/networks/cbr0", "/var/lib/etcd", "/var/lib/etcd/member",
    "/var/lib/kubelet", "/var/log/containers", "/var/log/pods",
)  # fmt: skip
"""Linux places that are folders: something of the user's lies in them."""

WINDOWS_FOLDERS = (
    *TREES, *SHARED, "C:\\etc\\containerd\\certs.d", "C:\\k\\cni\\config", "C:\\ProgramData\\docker\\config",
    "C:\\etc\\kubernetes\\manifests",
    "C:\\etc\\kubernetes\\pki",
)  # fmt: skip

LINE = {"/etc/hosts": "198.51.100.9 users-own\n", "/etc/fstab": "# the user's own line\n"}
"""Files of which lines are changed: the user's are among them."""

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "a-office", "cluster": {"server": "https://198.51.100.7:6443"}}],
    "users": [{"name": "kubernetes-admin", "user": {"token": "of-the-office"}}],
    "contexts": [{"name": "o", "context": {"cluster": "a-office", "user": "kubernetes-admin"}}],
    "current-context": "o",
}


def own_folder(path: str) -> bool:
    return any(path == own or path.startswith((own + "/", own + "\\", own + "-")) for own in OWN)


OF_THE_DESCRIPTION = (from_packages, from_tarball, nothing_to_download)
"""What leaves a step out for all hosts of a description: its scripts do nothing there."""


def resolved(system: str, run: PhaseRun) -> dict[str, list[str]]:
    """Return every path that a system's scripts change, with the scripts that do; declarations are looked up."""
    found: dict[str, list[str]] = {}
    profile, description = run.description.profile, run.description

    def add(path: str, script: str) -> None:
        if not own_folder(path) and path not in NOT_PLANTED:
            found.setdefault(path, []).append(script)

    used = {
        name
        for each in PHASES
        for step in each.variant(profile).steps
        if not (step.when in OF_THE_DESCRIPTION and step.when(run.at(run.master, step.name)))
        for name in step.scripts
    }
    for name in changing(system):
        if name not in used and "functions" not in name:
            continue
        for place in places(name):
            for path in paths_of(place, description):
                add(path, name)
    return {path: scripts for path, scripts in sorted(found.items()) if not set("*{") & set(path)}


def paths_of(place: Place, description: Any) -> Iterator[str]:
    told = DECLARED.get(place.script, {}).get(place.text)
    if told == "PLACES":
        yield from (entry["path"] for entry in json.loads(windows_places(description)))
    elif isinstance(told, tuple):
        yield from told
    elif place.found and "$" not in place.text:
        yield place.text


@pytest.mark.parametrize("name", [*changing("linux"), *changing("windows")])
def test_every_place_of_a_script_is_known_or_declared(name):
    unknown = [
        place.text
        for place in sorted(places(name))
        if (not place.found or "$" in place.text)
        and not own_folder(place.text)
        and place.text not in DECLARED.get(name, {})
    ]
    assert unknown == [], f"say in DECLARED what {name} changes there"


def test_what_is_declared_is_in_the_scripts():
    for name, declared in DECLARED.items():
        assert set(declared) <= {place.text for place in places(name)}, name


def content(path: str, machine: str) -> bytes:
    """Something of the user's that belongs into a file of this name."""
    if path in LINE:
        return LINE[path].encode()
    if path.endswith("docker.service"):
        return b"[Service]\nType=notify\nExecStart=/usr/bin/dockerd\n\n[Install]\nWantedBy=multi-user.target\n"
    if path.endswith("daemon.json"):
        return b'{"insecure-registries": ["registry.office.example:5000"]}\n'
    if path.endswith((".json", ".conflist")) or (path.endswith((".conf",)) and "cni" in path):
        return json.dumps({"of": "the user", "path": path}).encode()
    if path.endswith("kube/config"):
        return json.dumps(KUBECONFIG).encode()
    return f"# the user's own, at {path} of {machine}\n".encode()


class Planted:
    """The user's things on one machine."""

    def __init__(self, machine: Any, user: str) -> None:
        self.machine = machine
        self.user = user
        self.things: dict[str, bytes] = {}
        """By path, what was put there."""
        self._made: dict[str, list[Path]] = {}
        """By path, the folders that were made for it, the innermost first."""

    def path(self, place: str) -> str:
        place = place.replace("/home/USER", f"/home/{self.user}")
        if place in FOLDERS:
            return f"{place}/users-own"
        if self.machine.os == "windows" and place in WINDOWS_FOLDERS:
            # Of files with other endings a runtime takes no notice.
            end = ".conf" if place in CNI_FOLDER.values() else ""
            return f"{place}\\users-own{end}"
        return place

    def put(self, place: str) -> str:
        path = self.path(place)
        self.things[path] = content(path, self.machine.name)
        self.write(path, self.things[path])
        return path

    def write(self, path: str, text: bytes) -> None:
        if self.machine.os == "windows":
            folder = path.rpartition("\\")[0]
            if not self.machine.files.exists(folder):
                self.machine.files.make_directory(folder)
            self.machine.files.write(path, text)
            return
        file = Path(self.machine.root) / path.lstrip("/")
        self._made[path] = [folder for folder in file.parents if not folder.exists()]
        file.parent.mkdir(parents=True, exist_ok=True)
        if path in LINE and file.exists():
            text = file.read_bytes() + text
        file.write_bytes(text)
        file.chmod(0o640 if path not in LINE else 0o644)

    def read(self, path: str) -> bytes | None:
        if self.machine.os == "windows":
            return self.machine.files.read(path) if self.machine.files.exists(path) else None
        file = Path(self.machine.root) / path.lstrip("/")
        return file.read_bytes() if file.is_file() else None

    def remove(self, path: str) -> None:
        if self.machine.os == "windows":
            self.machine.files.remove(path)
        else:
            file = Path(self.machine.root) / path.lstrip("/")
            file.unlink()
            for folder in self._made.pop(path, []):
                folder.rmdir()

    def kept(self, path: str) -> bytes | None:
        if self.machine.os == "windows":
            return self.read(f"C:\\k8swin\\kept\\{path[0]}{path[2:]}")
        return self.read(f"/var/lib/k8swin/kept{path}")

    def lost(self) -> list[str]:
        """What is neither where it was nor kept."""
        gone = []
        for path, text in self.things.items():
            found = self.read(path)
            whole = found is not None and (text in found if path in LINE else found == text)
            mode = 0o644 if path in LINE else 0o640
            if whole and self.machine.os == "linux":
                file = Path(self.machine.root) / path.lstrip("/")
                whole = file.stat().st_mode & 0o777 in (mode, 0o600)
            if not whole and self.kept(path) != text:
                gone.append(f"{self.machine.name}: {path}: {(found or b'nothing')[:80]!r}")
        return gone


@pytest.fixture(scope="module", params=PROFILES)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A lab of a profile on which nothing ran yet."""
    profile = request.param
    folder = tmp_path_factory.mktemp(f"planted-{profile}")
    shutil.copytree(ROOT / "params", folder / "params")
    with (
        pytest.MonkeyPatch.context() as patch,
        free_network() as network,
        Lab(folder / "lab", machines_of(profile, network)) as lab,
    ):
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.2)
        patch.setattr(runner, "VERIFY_INTERVAL", 0.2)
        patch.setattr(trying, "PAUSE", 0.5)
        opened = open_world(lab, folder, probe_pods=True, dashboard=profile == "current")
        for host in opened.run().hosts("linux"):
            opened.pool.transport(host).run("sudo true", sudo=True)
        yield opened
        opened.pool.close()


def steps(world: World, name: str) -> tuple[PhaseRun, tuple[Step, ...]]:
    of_profile = phase(name).variant(world.description.profile)
    return run_of(world, of_profile, **(EVERYTHING if name == REMOVAL else {})), of_profile.steps


def drift_of(world: World) -> dict[str, tuple[str, str]]:
    return DRIFT | WINDOWS_DRIFT[world.description.profile]


def planted_on(world: World) -> list[Planted]:
    return [
        Planted(machine, next(h.user for h in world.run().inventory.hosts if h.name == name))
        for name, machine in world.lab.machines.items()
        if machine.os in ("linux", "windows")
        and name in {h.name for h in world.run().hosts("node")}
    ]


def test_what_stands_in_the_way_is_named_and_left_alone(world):
    """Each by itself: the check of its step says drift and names it. Nothing ran on these machines yet."""
    named = []
    for place, (name, step_name) in drift_of(world).items():
        run, listed = steps(world, name)
        run.facts.keep(run.master, CLUSTER_AUTHORITY, "T1RIRVI=")
        (step,) = [one for one in listed if one.name == step_name] or [None]
        if step is None or (step.when and step.when(run.at(run.hosts(step.on)[0], step.name))):
            continue
        for planted in planted_on(world):
            if planted.machine.name not in {host.name for host in run.hosts(step.on)}:
                continue
            path = planted.put(place)
            with pytest.raises(DriftFound) as caught:
                pytest.fail(f"{place}: {check_step(run, step).rows}")
            named.append(place)
            short = path.rpartition("\\")[2] if planted.machine.os == "windows" else place
            assert short.removesuffix("\\users-own") in str(caught.value), place
            assert planted.read(path) == planted.things[path]
            planted.remove(path)
    assert len(named) >= 6


def test_a_users_things_are_where_they_were_or_kept(world):
    everywhere = planted_on(world)
    for planted in everywhere:
        system = planted.machine.os
        for place in resolved(system, world.run()):
            if place not in drift_of(world) and place not in PREFLIGHT:
                planted.put(place)
    failures = []
    for each in PHASES:
        run, listed = steps(world, each.name)
        for step in listed:
            try:
                apply_step(run, step)
            except StepFailed as error:
                said = error.result.stdout + error.result.stderr if error.result else ""
                pytest.fail(f"{error}\n{said}")
        events = [e for e in run.record.events if e["event"] == "step"]
        failures += [e for e in events if e["outcome"] not in ("ok", "changed", "skipped")]
    assert failures == []
    assert [line for planted in everywhere for line in planted.lost()] == []
