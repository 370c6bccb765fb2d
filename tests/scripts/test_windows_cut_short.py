"""A script of a Windows worker that is killed between any two of its statements, and what the next run makes of that.

Whatever a script was cut short at: a check that then says ok tells the truth, and a second run ends where one that was
left alone ends, with nothing of its own taken for somebody else's.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from k8swin_lab.internet import install
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.powershell import interpreter
from k8swin_lab.powershell.compile_statements import Compiler
from k8swin_lab.windows.software import windows_software

from tests.scripts.test_windows_scripts import (
    ADDRESS,
    HERE,
    KUBECONFIG,
    PARTS,
    digest,
    run_on,
    serve,
    token,
)
from tests.steps.snapshot import differences, snapshot

KEEP = {"KeepImages": "true"}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, also no `finally`."""


@dataclass
class Blade:
    """Kills a script before one of its statements."""

    at: int = 0
    """Number of the statement; 0: none."""

    seen: int = 0
    look: Callable[[], object] | None = None
    """Asked before each statement; where its answer is another one than before, something was changed."""

    changes: list[int] = field(default_factory=list)
    last: object = None

    def pass_by(self) -> None:
        self.seen += 1
        if self.look is not None and (found := self.look()) != self.last:
            self.last = found
            self.changes.append(self.seen)
        if self.at and self.seen >= self.at:
            raise Killed


@pytest.fixture
def blade(monkeypatch: pytest.MonkeyPatch) -> Blade:
    made = Blade()
    compiled = Compiler.statement

    def statement(self: Compiler, node: Any, *, tail: bool = False) -> Any:
        action = compiled(self, node, tail=tail)

        def run(frame: Any) -> Any:
            made.pass_by()
            return action(frame)

        return run

    monkeypatch.setattr(Compiler, "statement", statement)
    # What was compiled before has no blade, and nobody else is to get what has one.
    monkeypatch.setattr(interpreter, "_compiled", interpreter._compiled.__wrapped__)
    return made


@dataclass
class Case:
    """A script, its check, and the server before it."""

    verb: str
    values: dict[str, str]
    prepare: Callable[[WindowsMachine], None]
    check_values: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    services: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What each service that runs reads when it starts: files, and `HKLM` keys with a value."""


class Worker:
    def __init__(self, case: Case) -> None:
        self.case = case
        network = Network()
        install(network)
        self.machine = WindowsMachine(
            "winworker01", ADDRESS, network, windows_software(), build=17763, pace=0.0
        )
        for folder in (r"C:\k8swin\downloads", r"C:\k8swin\state", r"C:\k8swin\jobs", r"C:\k"):
            self.machine.files.make_directory(folder)
        self.read: dict[str, list[Any]] = {}
        services, start = self.machine.services, self.machine.services.start
        case.prepare(self.machine)
        services.of_windows = {*services.of_windows, *case.services}
        for name in case.services:
            services.create(
                name, rf"C:\Program Files\{name}\{name.replace('docker', 'dockerd')}.exe"
            )

        def started(name: str, arguments: list[str] | None = None) -> None:
            start(name, arguments)
            self.read = {**self.read, name: self.now(name)}

        services.start = started  # type: ignore[method-assign]
        for name in case.services:
            services.start(name)

    def now(self, name: str) -> list[Any]:
        found = []
        for place in self.case.services.get(name, ()):
            if place.startswith("HKLM"):
                found.append(self.machine.registry.get(*place.rsplit("|", 1)))
            else:
                files = self.machine.files
                found.append(files.read(place) if files.exists(place) else None)
        return found

    @property
    def services_know(self) -> bool:
        return all(self.read[name] == self.now(name) for name in self.case.services)

    def apply(self) -> Any:
        return run_on(
            self.machine, self.case.verb + ".apply", self.case.secrets, **self.case.values
        )

    def check(self) -> Any:
        return run_on(self.machine, self.case.verb + ".check", **self.case.check_values)


def file(path: str, text: str | bytes) -> Callable[[WindowsMachine], None]:
    def write(machine: WindowsMachine) -> None:
        machine.files.make_directory(path.rpartition("\\")[0] + "\\")
        machine.files.write(path, text if isinstance(text, bytes) else text.encode())

    return write


def all_of(*steps: Callable[[WindowsMachine], None]) -> Callable[[WindowsMachine], None]:
    def prepare(machine: WindowsMachine) -> None:
        for step in steps:
            step(machine)

    return prepare


def folder(*paths: str) -> Callable[[WindowsMachine], None]:
    return lambda machine: [machine.files.make_directory(path) for path in paths] and None


FOUND = {"places": [], "path": False, "services": [], "kubeconfig": "", "noProxy": ""}


def found_json(**found: Any) -> Callable[[WindowsMachine], None]:
    return file(r"C:\k8swin\state\found.json", json.dumps({**FOUND, **found}))


def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name in ("tool/a.exe", "tool/b.exe"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
    return made.getvalue()


TOOL, ARCHIVE = b"the tool", archive()


def artifact(content: bytes, to: str, **more: Any) -> dict[str, str]:
    one = {"name": "tool", "url": f"{PARTS}/tool", "file": "tool", "algorithm": "SHA256"}
    return {"Artifacts": json.dumps([{**one, "hash": digest(content), "to": to, **more}])}


UNPACKED = artifact(
    ARCHIVE, r"C:\tools", unpack=True, strip=1, provides=[r"C:\tools\a.exe", r"C:\tools\b.exe"]
)
CREDENTIALS = KUBECONFIG + f"    token: {token(exp=4102444800)}\n"
NET = {
    "CniConf": "{}",
    "CniFolder": r"C:\etc\cni\net.d",
    "CniFile": "10-flannel.conf",
    "WindowsNetConf": '{"a": 1}',
    "NetConfFiles": r"C:\etc\kube-flannel\net-conf.json",
}
PROXY = {"NoProxy": "10.1.0.0/16", "RuntimeService": "containerd"}
PLACES = json.dumps([{"kind": "tree", "path": r"C:\k"}, {"kind": "tree", "path": r"C:\etc"}])
SERVICE = {
    "Service": json.dumps(
        {
            "name": "flanneld",
            "program": r"C:\k\flanneld.exe",
            "arguments": "--ip-masq",
            "environment": ["NODE_NAME=winworker01"],
            "depends": "Dnscache",
            "log": r"C:\var\log\flanneld\flanneld.log",
            "files": [{"path": r"C:\k8swin\state\flanneld.json", "text": "{}"}],
            "start": False,
        }
    )
}
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
DAEMON = r"C:\ProgramData\docker\config\daemon.json"
CONFIG = r"C:\Program Files\containerd\config.toml"
OURS = b"ours"
FOLDERS = {"Folders": r"C:\k;C:\k8swin;C:\etc"}


def written(path: str, content: bytes) -> Callable[[WindowsMachine], None]:
    record = file(r"C:\k8swin\state\written.txt", f"{digest(content)} {path}\r\n")
    return all_of(file(path, content), record)


CASES = {
    "folders": Case(
        "folders", {**FOLDERS, "Places": "[]", "NodeAddress": ADDRESS}, folder(), FOLDERS
    ),
    "a program": Case(
        "artifacts",
        artifact(TOOL, r"C:\k\tool.exe"),
        all_of(lambda machine: serve(machine, TOOL), file(r"C:\k\tool.exe", "theirs")),
        artifact(TOOL, r"C:\k\tool.exe"),
    ),
    "an archive": Case(
        "artifacts",
        UNPACKED,
        all_of(lambda machine: serve(machine, ARCHIVE), file(r"C:\tools\a.exe", "theirs")),
        UNPACKED,
    ),
    "cni": Case(
        "cni",
        NET,
        all_of(folder(r"C:\etc\kube-flannel"), file(r"C:\etc\cni\net.d\10-flannel.conf", "theirs")),
        NET,
    ),
    "credentials": Case(
        "credentials",
        {},
        folder(r"C:\etc\kube-flannel", r"C:\etc\kube-proxy"),
        HERE,
        {"FlannelKubeconfig": CREDENTIALS, "KubeProxyKubeconfig": CREDENTIALS},
        {
            "flanneld": (r"C:\etc\kube-flannel\kubeconfig",),
            "kube-proxy": (r"C:\etc\kube-proxy\kubeconfig",),
        },
    ),
    "admin kubeconfig": Case(
        "admin_kubeconfig",
        {},
        file(r"C:\k\config", "theirs"),
        {**HERE, "AdminSha256": digest(KUBECONFIG.encode())},
        {"AdminKubeconfig": KUBECONFIG},
        {"kubelet": (r"C:\k\config",), "kube-proxy": (r"C:\k\config",)},
    ),
    "kubeadm's work taken back": Case(
        "reset",
        {"CriSocket": "npipe:////./pipe/x"},
        all_of(
            found_json(),
            file(r"C:\k8swin\state\cluster-ca", "Q0E="),
            file(r"C:\etc\kubernetes\kubelet.conf", "ours"),
            file(r"C:\etc\kubernetes\pki\ca.crt", "theirs"),
            file(r"C:\etc\kubernetes\pki\site.key", "theirs"),
        ),
    ),
    "a service": Case(
        "service",
        SERVICE,
        all_of(
            file(r"C:\k\nssm.exe", stand_in("nssm", "2.24", "windows/amd64")),
            file(r"C:\k\flanneld.exe", stand_in("flanneld", "0.28.9", "windows/amd64")),
        ),
        SERVICE,
    ),
    "folders removed": Case(
        "files_removed",
        {"RemovedPlaces": PLACES, **KEEP},
        all_of(
            found_json(),
            file(r"C:\k8swin\owned", "ours"),
            file(r"C:\k\theirs.ps1", "theirs"),
            written(r"C:\k\tool.exe", TOOL),
        ),
        {"RemovedPlaces": PLACES},
    ),
    "proxy": Case(
        "proxy",
        PROXY,
        lambda machine: machine.registry.set(
            ENVIRONMENT, "HTTP_PROXY", "http://proxy:3128", "REG_SZ"
        ),
        PROXY,
        services={
            "containerd": (r"HKLM\SYSTEM\CurrentControlSet\Services\containerd|Environment",)
        },
    ),
    "containerd put back": Case(
        "runtime_removed",
        KEEP,
        all_of(
            found_json(services=["containerd"]),
            written(CONFIG, OURS),
            file(r"C:\k8swin\kept\C\Program Files\containerd\config.toml", "theirs"),
        ),
        KEEP,
        services={"containerd": (CONFIG,)},
    ),
    "docker put back": Case(
        "docker_removed",
        KEEP,
        all_of(
            found_json(services=["docker"]),
            written(DAEMON, OURS),
            file(r"C:\k8swin\kept\C\ProgramData\docker\config\daemon.json", "theirs"),
        ),
        KEEP,
        services={"docker": (DAEMON,)},
    ),
}


def state(worker: Worker) -> dict[str, str]:
    found = snapshot(worker.machine)
    # What was downloaded may lie there until it is wanted again, or all is removed.
    passing = ("\\InstallDate", r"\downloads\tool")
    return {name: value for name, value in found.items() if not name.endswith(passing)}


@pytest.mark.parametrize("name", CASES)
def test_a_script_that_is_cut_short_anywhere_is_finished_by_the_next_run(
    name: str, blade: Blade
) -> None:
    case = CASES[name]
    whole = Worker(case)
    blade.look = lambda: (state(whole), whole.read)
    said = whole.apply()
    assert said.code == 0, said
    blade.look = None
    assert whole.check().code == 0 and whole.services_know
    wanted = state(whole)
    assert len(blade.changes) > 2
    for number in blade.changes[1:]:
        worker = Worker(case)
        blade.at, blade.seen = number, 0
        with pytest.raises(Killed):
            worker.apply()
        blade.at = 0
        after = worker.check()
        assert after.code in (0, 10), (number, after)
        if after.code == 0:
            assert worker.services_know, number
        else:
            again = worker.apply()
            assert again.code == 0, (number, again)
            assert worker.check().code == 0 and worker.services_know, number
        assert differences(wanted, state(worker)) == [], number
