"""Real signals, real papermill and real kernels: what runs is stopped, nothing further begins, and it is written down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import yaml

from k8swin_nb.headless.stopping import AGAIN_SECONDS
from tests.test_description import described

pytestmark = pytest.mark.notebook

SECONDS = 120
"""How long something is waited for that is to happen; only a hang reaches it."""

WORKS = """
import os, threading
from pathlib import Path
from k8swin_nb.fan_out import on_each
here = Path({folder!r})
(here / "kernel").write_text(str(os.getpid()))
cancel = threading.Event()
both = threading.Barrier(2)
def work(host):
    both.wait()
    (here / "begun").touch()
    if cancel.wait(100):
        (here / f"stopped-on-{{host}}").touch()
on_each(["a", "b"], work, name=str, cancel=cancel)
"""
"""A cell that works on two hosts until it is stopped; `begun` is there once it works on both."""

LATER = "from pathlib import Path\n(Path({folder!r}) / {name!r}).touch()"


def notebook(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(made, path)


def happens(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two notebooks; the first works on hosts in its first cell."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(described()))
    (tmp_path / "notebooks").mkdir()
    given = {"folder": str(tmp_path)}
    notebook(
        tmp_path / "notebooks" / "01_network.ipynb",
        "%load_ext k8swin_nb",
        WORKS.format(**given),
        LATER.format(name="later-cell", **given),
    )
    notebook(
        tmp_path / "notebooks" / "02_master.ipynb", LATER.format(name="later-notebook", **given)
    )
    return tmp_path


started: list[subprocess.Popen[str]] = []


def start(project: Path, *command: str) -> subprocess.Popen[str]:
    """Start a program of Python's in a session of its own; the end of the test ends it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """A process of a test that failed would tell of itself in a later one."""
    yield
    while started:
        process = started.pop()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


RUN = ("k8swin_nb", "run", "--params", "params/mine.yaml", "--only", "01_network,02_master")
"""What `start` is given for a run of the two notebooks that tests write."""


@pytest.fixture
def run(project: Path) -> subprocess.Popen[str]:
    return start(project, *RUN)


def stopped_on_both(project: Path) -> bool:
    return (project / "stopped-on-a").exists() and (project / "stopped-on-b").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_what_runs_and_nothing_further_begins(project, run, number):
    happens((project / "begun").exists)
    os.killpg(run.pid, number)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 128 + number
    assert stopped_on_both(project)
    assert not (project / "later-cell").exists() and not (project / "later-notebook").exists()
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if "stopped by" in line]
    assert "01_network" in line and "not begun: 02_master" in line
    assert ended(int((project / "kernel").read_text()))


def test_the_executed_notebook_the_record_and_the_page_of_a_stopped_run_are_written(project, run):
    happens((project / "begun").exists)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=SECONDS)
    (folder,) = (project / "runs").iterdir()
    executed = nbformat.read(folder / "01_network.ipynb", as_version=4)
    outputs = [out for cell in executed.cells for out in cell.get("outputs", [])]
    (error,) = [out for out in outputs if out.output_type == "error"]
    assert error.ename == "Interrupted" and "had ended on a, b" in error.evalue
    assert "01_network" in (folder / "index.html").read_text()
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (told,) = [event for event in events if event["event"] == "run-stopped"]
    assert told["by"] == "Ctrl-C" and told["left"] == ["02_master"]


def test_a_second_signal_loses_nothing(project, run):
    happens((project / "begun").exists)
    for _ in range(5):
        run.send_signal(signal.SIGINT)
        time.sleep(0.05)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 130 and "Traceback" not in said
    assert stopped_on_both(project)
    (folder,) = (project / "runs").iterdir()
    assert (folder / "index.html").exists() and (folder / "01_network.ipynb").exists()


def test_a_signal_before_the_first_cell_keeps_every_cell_from_beginning(project, run):
    happens(lambda: list((project / "runs").glob("*/01_network.ipynb")))
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 130 and "Traceback" not in said
    assert not (project / "begun").exists() and not (project / "later-cell").exists()


def test_signals_at_any_moment_of_quick_cells_stop_the_run(project):
    """Between two cells a kernel ignores interrupts."""
    cells = [LATER.format(folder=str(project), name=f"cell-{number}") for number in range(400)]
    notebook(project / "notebooks" / "01_network.ipynb", *cells)
    for number in (3, 6, 11):
        for path in project.glob("cell-*"):
            path.unlink()
        process = start(
            project, "k8swin_nb", "run", "--params", "params/mine.yaml",
            "--only", "01_network,02_master",
        )  # fmt: skip
        happens((project / f"cell-{number}").exists)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 130 and "Traceback" not in said
        assert not (project / "cell-399").exists() and not (project / "later-notebook").exists()


SILENT = """
from pathlib import Path
kernel = get_ipython().kernel
real = kernel.session.send
def send(stream, kind, *rest, **more):
    if kind == "execute_reply":
        (Path({folder!r}) / "silent").touch()
        return kernel.session.msg(kind, dict(status="ok"))
    return real(stream, kind, *rest, **more)
kernel.session.send = send
"""
"""A cell whose end the kernel never tells, as after an interrupt in the cell's last moment."""


def test_a_kernel_that_never_tells_the_end_of_a_cell_holds_nothing_up(project):
    source = SILENT.format(folder=str(project))
    notebook(project / "notebooks" / "01_network.ipynb", "%load_ext k8swin_nb", source)
    process = start(project, *RUN)
    happens((project / "silent").exists)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130 and "Traceback" not in said
    assert time.monotonic() - sent < sum(AGAIN_SECONDS[:2])


LATE = """
from pathlib import Path
import time
kernel = get_ipython().kernel
real = kernel.session.send
def send(stream, kind, *rest, **more):
    if kind != "execute_reply":
        return real(stream, kind, *rest, **more)
    try:
        (Path({folder!r}) / "late").touch()
        time.sleep(600)
    except KeyboardInterrupt:
        pass
    told = dict(status="error", ename="KeyboardInterrupt", evalue="", traceback=[])
    return real(stream, kind, told, *rest[1:], **more)
kernel.session.send = send
"""
"""A cell that is interrupted when its work is over: it is said to have failed, and shows no error."""


def test_an_interrupt_in_the_last_moment_of_a_cell_is_no_failure(project):
    source = LATE.format(folder=str(project))
    notebook(project / "notebooks" / "01_network.ipynb", "%load_ext k8swin_nb", source)
    process = start(project, *RUN)
    happens((project / "late").exists)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "01_network was stopped" in said and "failed" not in said


def test_a_reader_that_goes_with_the_signal_changes_nothing(project):
    """`k8swin run | tee log`: a terminal's Ctrl-C ends tee as well."""
    process = start(project, *RUN)
    happens((project / "begun").exists)
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert stopped_on_both(project) and list((project / "runs").glob("*/index.html"))


def test_a_run_that_is_killed_leaves_no_kernel_and_nothing_that_runs_on_hosts(project, run):
    happens((project / "begun").exists)
    run.kill()
    happens(lambda: stopped_on_both(project))
    happens(lambda: ended(int((project / "kernel").read_text())))
    assert not (project / "later-cell").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_papermill_alone_leaves_nothing_that_runs_on_hosts(project, number):
    process = start(project, "papermill", "notebooks/01_network.ipynb", "out.ipynb")
    happens((project / "begun").exists)
    process.send_signal(number)
    process.communicate(timeout=SECONDS)
    happens(lambda: stopped_on_both(project))
    happens(lambda: ended(int((project / "kernel").read_text())))
    assert not (project / "later-cell").exists()


def test_a_kernel_that_is_told_to_end_stops_what_runs_on_hosts(project):
    process = start(project, "papermill", "notebooks/01_network.ipynb", "out.ipynb")
    happens((project / "begun").exists)
    kernel = int((project / "kernel").read_text())
    os.kill(kernel, signal.SIGTERM)
    happens(lambda: stopped_on_both(project))
    process.communicate(timeout=SECONDS)
    happens(lambda: ended(kernel))
    assert process.returncode != 0 and not (project / "later-cell").exists()


SAYS = """
import os, sys
os.write(getattr(sys.stderr, "_original_stdstream_copy", 2), b"{}\\n")
"""
"""A cell whose kernel says something past its notebook, as its loop does of a message that comes while it ends."""


def test_what_a_kernel_says_past_its_notebook_is_not_among_the_lines_of_progress(project):
    notebook(project / "notebooks" / "01_network.ipynb", SAYS.format("a socket is closed already"))
    process = start(project, *RUN)
    said, _ = process.communicate(timeout=SECONDS)
    assert (project / "later-notebook").exists()
    assert "02_master is done" in said and "socket" not in said


def test_what_a_dead_kernel_said_last_is_told(project):
    cell = SAYS.format("malloc(): corrupted top size") + "os._exit(134)"
    notebook(project / "notebooks" / "01_network.ipynb", cell)
    process = start(project, *RUN)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "DeadKernelError: Kernel died\nmalloc(): corrupted top size\n" in said


def test_a_kernel_that_dies_is_one_line_and_the_page_is_written(project):
    notebook(project / "notebooks" / "01_network.ipynb", "import os\nos._exit(9)")
    process = start(project, *RUN)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "01_network failed" in said and "Kernel died" in said and "Traceback" not in said
    assert not (project / "later-notebook").exists()
    assert list((project / "runs").glob("*/index.html"))
