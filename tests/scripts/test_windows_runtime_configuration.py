"""A container runtime that was on a Windows server before us gets its own configuration back."""

import hashlib
import io
import json

import pytest
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.windows.software import windows_software

from k8swin_nb.scripts import Script

OURS = '{\n  "log-driver": "json-file"\n}\n'
THEIRS = '{"data-root": "D:\\\\docker"}'
RUNTIMES = {
    "docker": ("docker_removed", r"C:\ProgramData\docker\config\daemon.json"),
    "containerd": ("runtime_removed", r"C:\Program Files\containerd\config.toml"),
}


class Server:
    """A Windows server on which a runtime was there before the first step."""

    def __init__(self, runtime: str) -> None:
        self.scripts, self.file = RUNTIMES[runtime]
        self.saved = rf"C:\k8swin\kept\C{self.file[2:]}"
        self.machine = WindowsMachine("winworker01", "127.160.0.21", Network(), windows_software())
        found = json.dumps({"places": [], "path": False, "services": [runtime]})
        self.write(r"C:\k8swin\state\found.json", found)

    def write(self, path: str, text: str) -> None:
        self.machine.files.make_directory(path.rpartition("\\")[0] + "\\")
        self.machine.files.write(path, text.encode())

    def write_ours(self) -> None:
        """Write the configuration as a step does, which writes its hash down."""
        self.write(self.file, OURS)
        digest = hashlib.sha256(OURS.encode()).hexdigest()
        self.write(r"C:\k8swin\state\written.txt", f"{digest} {self.file}\r\n")

    def read(self, path: str) -> str:
        return self.machine.files.read(path).decode()

    def run(self, verb: str) -> int:
        self.write(r"C:\script.ps1", Script.load(f"windows/{self.scripts}.{verb}.ps1").text)
        self.write(r"C:\run.ps1", "& C:\\script.ps1 -KeepImages true\nexit $LASTEXITCODE\n")
        out, err = io.BytesIO(), io.BytesIO()
        env = dict(self.machine.login_environment("Administrator"))
        process = Process(self.machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
        code = self.machine.shell(r"powershell -NoProfile -File C:\run.ps1", process)
        assert err.getvalue() == b"", err.getvalue().decode()
        return code


@pytest.fixture(params=sorted(RUNTIMES))
def server(request):
    return Server(request.param)


def test_the_configuration_that_was_found_is_put_back(server):
    server.write_ours()
    server.write(server.saved, THEIRS)
    assert (server.run("check"), server.run("apply"), server.run("check")) == (10, 0, 0)
    assert server.read(server.file) == THEIRS


def test_a_configuration_where_there_was_none_is_removed(server):
    server.write_ours()
    assert (server.run("check"), server.run("apply"), server.run("check")) == (10, 0, 0)
    assert not server.machine.files.exists(server.file)


def test_a_configuration_that_somebody_changed_since_stays(server):
    server.write_ours()
    server.write(server.file, THEIRS)
    assert (server.run("check"), server.run("apply")) == (0, 0)
    assert server.read(server.file) == THEIRS


def test_one_that_was_like_ours_before_is_as_it_was_found(server):
    server.write(server.file, OURS)
    assert (server.run("check"), server.run("apply")) == (0, 0)
    assert server.read(server.file) == OURS
