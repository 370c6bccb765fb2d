"""Secrets are nowhere: canaries in what hosts say, in every encoding, searched for in all that a run leaves.

The passwords of the workers are known to the kernel, as those of any run. Hosts then print them in every way: into output
that is shown, into errors, into jobs, into a script that is interrupted and one whose kernel is killed.
"""

import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from k8swin_nb.headless.page import write_page
from tests.conftest import ROOT, RunningLab
from tests.test_redact import encodings

pytestmark = [pytest.mark.notebook, pytest.mark.wire, pytest.mark.timeout(600)]

START = """\
%load_ext k8swin_nb
from k8swin_nb import open_phase
phase = open_phase("01_network")
"""

# The texts arrive in Base64 twice and in two halves, as a host's own would: no source of a cell holds a form of them.
CELLS = {
    "shown": "%%remote_bash --host linuxmaster\nbase64 -d <<<'{text}' | base64 -d",
    "on standard error": "%%remote_bash --host linuxmaster\nbase64 -d <<<'{text}' | base64 -d >&2",
    "failed": "%%remote_bash --host linuxmaster\nbase64 -d <<<'{text}' | base64 -d >&2; exit 3",
    "result": "%remote_bash --host linuxmaster base64 -d <<<'{text}' | base64 -d",
    "variable": "%%remote_bash --host linuxmaster --out said\nbase64 -d <<<'{text}' | base64 -d",
    "printed": "print(said)",
    "repr": "said",
    "unexpected": "raise ValueError(said)",
    "job": "%%remote_bash --host linuxmaster --bg --proc job\nbase64 -d <<<'{text}' | base64 -d; exit 4",
    "awaited": "job.wait(60)",
    "jobs": "%jobs",
    "frame": "import pandas; pandas.DataFrame({{'a': said.splitlines()}})",
    "nodes": "phase.preflight()",
}


@pytest.fixture(scope="module")
def canaries(lab: RunningLab) -> list[str]:
    """The secrets of this lab's description: the workers' passwords."""
    folder = Path(lab.params).parent
    references = [host.get("credential", "") for host in lab.description()["hosts"]]
    files = [folder / reference.removeprefix("file:") for reference in references if reference]
    return [file.read_text(encoding="utf-8").strip() for file in files]


def told(canary: str) -> str:
    """What a host prints: the canary in every encoding that standard output can carry."""
    return "".join(f"== {how}\n{form}\n" for how, form in encodings(canary) if "\0" not in form)


def sealed(text: str) -> str:
    """Base64 in which no form of the text stands: of its bytes turned over."""
    inner = base64.b64encode(text.encode())
    return base64.b64encode(inner).decode()


def notebook(path: Path, cells: list[str]) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    parameters = nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]})
    made.cells.insert(0, parameters)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(made, path)
    return path


def papermill(source: Path, output: Path, lab: RunningLab, runs: Path) -> subprocess.Popen[bytes]:
    """Start stock papermill; what it says on its terminal goes to `said` beside the source."""
    values = {"params_file": str(lab.params), "runs": str(runs), "run_id": "canaries"}
    arguments = [word for pair in values.items() for word in ("-r", *pair)]
    with (source.parent / "said").open("wb") as said:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "papermill",
                str(source),
                str(output),
                *arguments,
                "--log-output",
            ],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(runs), "PYTHONPATH": os.pathsep.join(sys.path)},
        )


def command_lines() -> str:
    """Return the command line of every process of this computer."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(lines)


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            number, _, rest = file.read_text().partition(" ")
            if int(rest.rpartition(")")[2].split()[1]) == parent:
                found.append(int(number))
    return found


def found(folder: Path, canaries: list[str], more: str = "") -> list[tuple[str, str, str]]:
    """Return where canaries are, below a folder and in a text, in which encoding."""
    texts = {"": more}
    for path in folder.rglob("*"):
        if path.is_file():
            texts[path.relative_to(folder).as_posix()] = path.read_text(errors="replace")
    return [
        (name, how, canary[:2])
        for canary in canaries
        for how, form in encodings(canary)
        # An inner part: what stands around it may have been masked with a part of it.
        if len(form) >= 8
        for name, text in texts.items()
        if form in text
    ]


def test_no_canary_is_in_anything_that_a_run_leaves(
    lab: RunningLab, canaries: list[str], tmp_path: Path
) -> None:
    assert canaries and all(len(canary) >= 8 for canary in canaries)
    runs = tmp_path / "runs"
    runs.mkdir()
    text = sealed("".join(map(told, canaries)))
    # A login that makes the passwords known, then one cell for each way; errors do not end the notebook.
    know = "%%remote_ps --host windows\n'known'"
    cells = [START, know, *(cell.format(text=text) for cell in CELLS.values())]
    source = notebook(tmp_path / "source.ipynb", cells)
    made = nbformat.read(source, as_version=4)
    for cell in made.cells:
        cell.metadata.setdefault("tags", []).append("raises-exception")
    nbformat.write(made, source)
    run = papermill(source, runs / "executed.ipynb", lab, runs)
    listed = ""
    while run.poll() is None:
        listed += command_lines()
        time.sleep(0.5)
    said = (tmp_path / "said").read_text(errors="replace")
    # The tags let all cells run; papermill tells of their errors at the end.
    executed = nbformat.read(runs / "executed.ipynb", as_version=4)
    ran = [cell for cell in executed.cells if cell.get("execution_count")]
    assert len(ran) >= len(cells), said
    assert nbformat.writes(executed).count("*****") > 50
    names = {output.get("ename") for cell in ran for output in cell.outputs}
    assert {"CommandFailed", "ValueError"} <= names
    write_page(runs / "canaries", [runs / "executed.ipynb"])
    assert not found(runs, canaries, said + listed)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_canary_is_left_by_a_run_that_is_interrupted_or_killed(
    lab: RunningLab, canaries: list[str], tmp_path: Path, how: signal.Signals
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    text = sealed("".join(map(told, canaries)))
    know = "%%remote_ps --host windows\n'known'"
    long = f"%%remote_bash --host linuxmaster\nbase64 -d <<<'{text}' | base64 -d\nsleep 300"
    source = notebook(tmp_path / "source.ipynb", [START, know, long])
    run = papermill(source, runs / "executed.ipynb", lab, runs)
    said = tmp_path / "said"
    while "*****" not in said.read_text(errors="replace"):
        assert run.poll() is None, said.read_text(errors="replace")
        time.sleep(0.2)
    kernels = children(run.pid)
    run.send_signal(how)
    if how is signal.SIGKILL:
        for kernel in kernels:
            os.kill(kernel, signal.SIGKILL)
    run.wait(timeout=120)
    assert not found(runs, canaries, said.read_text(errors="replace"))
