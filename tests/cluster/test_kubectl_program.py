"""The program that `%kubectl` runs: what it is given, through a real jump host too, and how it ends.

The program is a stand-in that reads its kubeconfig and asks the server that stands in it, as kubectl does; kubectl's own
words: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_diff/ (exit code 1: something differs).
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.errors import CommandFailed, CommandTimeout, ParamsError, Stopped
from k8swin_nb.host_tools import kubectl
from k8swin_nb.transports.jump import give_jump_back, take_jump
from k8swin_nb.workflow.record import Record
from tests.transports.openssh import OpenSsh, needs_sshd, openssh

__all__ = ["openssh"]

PROGRAM = f"""#!{sys.executable}
import base64, http.client, json, os, ssl, sys, time
if sys.argv[1] == "sleep":
    time.sleep(600)
if sys.argv[1] == "quiet":
    os.close(1), os.close(2)
    time.sleep(600)
for again in 1, 2:
    with open(os.environ["KUBECONFIG"]) as file:
        config = json.load(file)
cluster = config["clusters"][0]["cluster"]
context = ssl.create_default_context(
    cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
)
place = cluster["server"].removeprefix("https://")
wire = http.client.HTTPSConnection(place, context=context)
wire.request("GET", "/" + "/".join(sys.argv[1:]))
print(place, wire.getresponse().read().decode())
sys.exit(sys.argv[1] in ("diff", "fail"))
"""


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path, "run", "notebook")


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    path = tmp_path / "bin" / "kubectl"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)


def answered(server):
    server.answer = lambda request: request.json({"said": request.path})
    return server.url.removeprefix("https://")


def test_it_asks_the_server_of_the_open_cluster_and_diff_may_say_that_something_differs(
    server, record, monkeypatch
):
    place = answered(server)
    result = kubectl.run(server.api(), ["get", "pods"], record=record)
    assert result.stdout == f'{place} {{"said": "/get/pods"}}\n'
    differs = kubectl.run(server.api(), ["diff"], record=record)
    kubectl.check(["diff"], differs)
    with pytest.raises(CommandFailed):
        kubectl.check(["fail"], kubectl.run(server.api(), ["fail"], record=record))
    monkeypatch.delenv("KUBE_EDITOR", raising=False)
    with pytest.raises(ParamsError, match="opens an editor"):
        kubectl.run(server.api(), ["-n", "web", "edit", "deploy/x"], record=record)
    monkeypatch.setenv("KUBE_EDITOR", "window --wait")
    assert kubectl.run(server.api(), ["edit"], record=record).returncode == 0


def test_who_stops_it_is_told_so(server, record):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped, match="was stopped"):
        kubectl.run(server.api(), ["sleep"], record=record, cancel=stop)


def test_one_that_has_closed_its_output_and_does_not_end_is_ended(server, record):
    """Its end alone was waited for then, without a look at the time or at who wants it stopped."""
    with pytest.raises(CommandTimeout):
        kubectl.run(server.api(), ["quiet"], record=record, timeout=2)


@needs_sshd
def test_behind_a_jump_host_it_asks_through_it(server, record, openssh: OpenSsh, monkeypatch):
    place = answered(server)
    jump = take_jump(replace(openssh.host(openssh.start()), name="bastion"))
    try:
        result = kubectl.run(server.api(dial=jump.dial), ["get", "nodes"], record=record)
    finally:
        give_jump_back(jump)
    until = time.monotonic() + 60
    while any(thread.name == "to the API server" for thread in threading.enumerate()):
        assert time.monotonic() < until, "somebody still waits at the door"
        time.sleep(0.02)
    passed_on, _, said = result.stdout.partition(" ")
    assert said == '{"said": "/get/nodes"}\n' and passed_on != place


def test_what_it_is_given_says_and_ends_with_is_recorded_also_when_it_is_stopped(server, record):
    place = answered(server)
    kubectl.run(server.api(), ["apply", "-f", "-"], record=record, stdin=b"kind: Pod\n")
    began, ended = record.events
    assert (began["event"], ended["event"]) == ("kubectl-started", "kubectl")
    assert ended["words"] == ["apply", "-f", "-"] and ended["changes"] and ended["exit_code"] == 0
    assert ended["stdin_sha256"] == hashlib.sha256(b"kind: Pod\n").hexdigest()
    said = (record.folder / ended["output"]).read_bytes()
    assert said.decode().startswith(place)
    assert hashlib.sha256(said).hexdigest() == ended["output_sha256"]
    with pytest.raises(CommandTimeout):
        kubectl.run(server.api(), ["sleep"], record=record, timeout=0.2)
    assert record.events[-1]["late"] and record.events[-1]["exit_code"] != 0
