"""Signals at many moments of real runs against machines: what runs there is ended, and nothing is changed any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.api import open_cluster
from k8swin_nb.headless.stopping import AGAIN_SECONDS
from tests.conftest import ROOT, RunningLab, running_lab

pytestmark = [pytest.mark.notebook, pytest.mark.wire, pytest.mark.timeout(600)]

SECONDS = 120
"""How long something is waited for that is to happen; only a hang reaches it."""

ENDS = sum(AGAIN_SECONDS[:2])
"""Seconds after which a kernel whose cell does not end is ended itself."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab of this module alone: what is stopped half way is finished by the next test."""
    with running_lab(tmp_path_factory.mktemp("interrupts")) as lab:
        yield lab


class Run:
    """One `k8swin run` in a session of its own, with what its record holds so far."""

    def __init__(self, lab: RunningLab, runs: Path, *arguments: str) -> None:
        self.runs = runs
        self.log = (runs.parent / "log").open("w+")
        command = [sys.executable, "-m", "k8swin_nb", "run", "--params", str(lab.params)]
        self.process = subprocess.Popen(
            [*command, "--runs", str(runs), *arguments],
            cwd=ROOT,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        paths = list(self.runs.glob("*/events.jsonl"))
        lines = paths[0].read_text().splitlines(keepends=True) if paths else []
        # The last line may be half written as yet.
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def until(self, seen: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not any(map(seen, self.events)):
            assert self.process.poll() is None, "it ended before that moment"
            assert time.monotonic() < deadline, "that moment never came"
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """Send a signal as a terminal does, wait for the end, and return the one line."""
        sent = time.time()
        os.killpg(self.process.pid, number)
        assert self.process.wait(SECONDS) == 128 + number
        (stopped,) = [event for event in self.events if event["event"] == "run-stopped"]
        assert datetime.fromisoformat(stopped["time"]).timestamp() - sent < ENDS
        said = self.said
        assert "Traceback" not in said
        (line,) = [line for line in said.splitlines() if line.startswith("k8swin: stopped by")]
        (folder,) = self.runs.iterdir()
        assert (folder / "index.html").exists()
        return line

    @property
    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()


@pytest.fixture
def begin(lab: RunningLab, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    begun: list[Run] = []

    def start(*arguments: str) -> Run:
        (tmp_path / f"{len(begun)}").mkdir()
        begun.append(Run(lab, tmp_path / f"{len(begun)}" / "runs", *arguments))
        return begun[-1]

    yield start
    for run in begun:
        run.close()


def script(name: str) -> Callable[[dict[str, Any]], bool]:
    """The moment at which a script is about to begin that changes something."""
    return lambda event: event["event"] == "script-started" and event["script"] == name


def nothing_runs(lab: RunningLab) -> bool:
    """Whether no script of ours is left on the Linux host, by the word that all of them carry."""
    with open_cluster(lab.params, runs=lab.home / "asked") as cluster:
        answers = cluster.run_script(
            "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null",
            "linuxmaster",
            sudo=True,
            recorded=False,
        )
        (result,) = answers.all().values()
    # The one that asks is a magic.
    return "k8swin-apply-" not in result.stdout and "k8swin-check-" not in result.stdout


def test_nothing_is_removed_when_a_removal_is_stopped_during_its_preview(lab, begin):
    run = begin("--only", "90_teardown", "--confirm", "tests: linuxmaster winworker01 winworker02")
    run.until(lambda event: event["event"] == "script")
    line = run.stop()
    assert "90_teardown" in line
    assert not [event for event in run.events if event.get("verb") == "apply"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_while_something_is_changed_ends_that_on_the_host(lab, begin, number):
    moment = {signal.SIGINT: "linux/swap.apply.sh", signal.SIGTERM: "linux/containerd.apply.sh"}
    run = begin("--only", "02_master,03_flannel")
    run.until(script(moment[number]))
    line = run.stop(number)
    assert "02_master/" in line and "not begun: 03_flannel" in line
    assert nothing_runs(lab)
    started = {e["tag"] for e in run.events if e["event"] == "script-started"}
    assert started == {
        e["tag"] for e in run.events if e["event"] == "script" and e["tag"] in started
    }
    assert not [e for e in run.events if e["notebook"] == "03_flannel"]


def test_what_was_stopped_is_finished_by_the_next_run(lab, begin):
    run = begin("--only", "02_master")
    run.until(script("linux/control_plane.apply.sh"))
    run.stop()
    assert nothing_runs(lab)
    again = begin("--only", "02_master")
    assert again.process.wait(SECONDS) == 0, again.said


MARKS = {"linuxmaster": "/tmp/k8swin-late", "winworker01": r"C:\k8swin-late.txt"}
LONG = {
    "linuxmaster": f"echo begun; while touch {MARKS['linuxmaster']}; do sleep 0.2; done",
    "winworker01": f"'begun'; while ($true) {{ Set-Content {MARKS['winworker01']} x; Start-Sleep -Milliseconds 200 }}",
}
"""By host, a cell's body that makes a mark again and again for as long as it runs."""

REMOVE = {
    "linuxmaster": f"rm -f {MARKS['linuxmaster']}",
    "winworker01": f"if (Test-Path {MARKS['winworker01']}) {{ Remove-Item {MARKS['winworker01']} }}",
}
LOOK = {
    "linuxmaster": f"! [ -e {MARKS['linuxmaster']} ] || echo True",
    "winworker01": f"Test-Path {MARKS['winworker01']}",
}


def marks(lab: RunningLab, folder: Path) -> set[str]:
    """Return the hosts on which a mark that was taken away is made again; they have time until that ends."""
    deadline = time.monotonic() + SECONDS
    with open_cluster(lab.params, runs=folder) as cluster:

        def said(bodies: dict[str, str]) -> dict[str, str]:
            return {
                host: cluster.run_script(body, host).all()[host].stdout
                for host, body in bodies.items()
            }

        while True:
            said(REMOVE)
            time.sleep(2)
            left = {host for host, text in said(LOOK).items() if "True" in text}
            if not left or time.monotonic() > deadline:
                return left


@pytest.fixture
def kernel(lab: RunningLab, tmp_path: Path) -> Iterator[Any]:
    """A kernel in which a cluster is open, and its client."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        _open(client, lab, tmp_path)
        yield manager, client
    finally:
        client.stop_channels()
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def _open(client: Any, lab: RunningLab, tmp_path: Path) -> None:
    given = f"params_file = {str(lab.params)!r}\nruns = {str(tmp_path / 'runs')!r}"
    client.execute_interactive(given, timeout=SECONDS, output_hook=lambda _: None)
    opened = (
        "%load_ext k8swin_nb\nfrom k8swin_nb import open_phase\nphase = open_phase('01_network')"
    )
    reply = client.execute_interactive(opened, timeout=SECONDS, output_hook=lambda _: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def begun(client: Any, number: int) -> None:
    """Wait until so many bodies have said that they have begun."""
    deadline = time.monotonic() + SECONDS
    said = ""
    while said.count("] begun") < number:
        assert time.monotonic() < deadline, said
        message = client.get_iopub_msg(timeout=SECONDS)
        assert message["content"].get("execution_state") != "idle", said
        if message["msg_type"] == "stream":
            said += message["content"]["text"]


@pytest.mark.parametrize("host", ["linuxmaster", "winworker01"])
@pytest.mark.parametrize("how", ["stop button", "SIGTERM", "shutdown"])
def test_a_cell_that_is_ended_ends_its_script_on_both_systems(lab, tmp_path, kernel, host, how):
    manager, client = kernel
    magic = "remote_bash" if host == "linuxmaster" else "remote_ps"
    # Without a front end that takes input, output is lines with their host.
    client.execute(f"%%{magic} --host {host}\n{LONG[host]}", allow_stdin=False)
    begun(client, 1)
    if how == "stop button":
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=SECONDS)
        assert reply["content"]["ename"] == "Interrupted"
        assert f"stopped on {host}" in reply["content"]["evalue"]
    elif how == "SIGTERM":
        os.kill(manager.provisioner.pid, signal.SIGTERM)
    else:
        manager.shutdown_kernel()
    assert marks(lab, tmp_path / "asked") == set()


BOTH_BEGUN = """
import time
from k8swin_nb.notebook import context
def said():
    return [one.stdout for job in context.current().running for one in job.so_far().values()]
while "".join(said()).count("begun") < 2:
    time.sleep(0.1)
"""
"""A cell that waits until two jobs have said that they have begun."""


def test_a_job_that_is_killed_ends_its_scripts_on_both_systems(lab, tmp_path, kernel):
    _, client = kernel
    said: list[str] = []

    def cell(code: str) -> None:
        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(content.get("text", "") or content.get("data", {}).get("text/plain", ""))

        reply = client.execute_interactive(code, timeout=SECONDS, output_hook=hook)
        assert reply["content"]["status"] == "ok", reply["content"]

    cell(f"%%remote_bash --host linuxmaster --bg --proc one\n{LONG['linuxmaster']}")
    cell(f"%%remote_ps --host winworker01 --bg --proc two\n{LONG['winworker01']}")
    cell(BOTH_BEGUN)
    cell(f"one.kill({SECONDS})")
    assert "stopped on linuxmaster" in "".join(said)
    cell(f"two.kill({SECONDS})")
    assert "stopped on winworker01" in "".join(said)
    cell("print(one.wait().returncode, two.wait().returncode, repr(one.wait().stdout))")
    assert "143 143 'begun" in "".join(said)
    assert marks(lab, tmp_path / "asked") == set()


def test_opening_the_phase_again_stops_no_job(lab, kernel):
    _, client = kernel
    client.execute_interactive(
        f"%%remote_bash --host linuxmaster --bg\n{LONG['linuxmaster']}", timeout=SECONDS
    )
    client.execute_interactive(BOTH_BEGUN.replace("2", "1"), timeout=SECONDS)
    said: list[str] = []
    client.execute_interactive(
        "phase = open_phase('01_network')",
        timeout=SECONDS,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    client.execute_interactive(
        "from k8swin_nb.notebook import context\n"
        "(job,) = context.current().running\nprint('still', job.status)\nprint(job.kill(100).status)",
        timeout=SECONDS,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    assert "is stopped" not in "".join(said)
    assert "still running" in "".join(said) and "killed" in "".join(said)


@pytest.mark.parametrize(
    ("moment", "number"), [(" swap ", signal.SIGINT), ("the lab is up", signal.SIGTERM)]
)
def test_a_demo_that_is_stopped_stops_its_run_and_takes_its_lab_down(tmp_path, moment, number):
    log = tmp_path / "log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "k8swin_nb", "demo", "--runs", str(tmp_path / "runs")],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + SECONDS
        while moment not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        os.killpg(process.pid, number)
        assert process.wait(SECONDS) == 128 + number
    finally:
        process.kill()
    said_at_last = log.read_text()
    assert "Traceback" not in said_at_last and "the lab is down" in said_at_last
    if moment == " swap ":
        assert "k8swin: stopped by Ctrl-C: 02_master" in said_at_last
