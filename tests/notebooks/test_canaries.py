"""Secrets are nowhere: canaries in what hosts say, in every encoding, searched for in all that a run leaves.

The passwords of the workers are known to the kernel, as those of any run. Hosts then print them in every way: into output
that is shown, into errors, into jobs, into a script that is interrupted and one whose kernel is killed.
"""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import warnings
from pathlib import Path

import nbformat
import pypdf
import pytest

from k8swin_nb.audit.archive import export
from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.audit.signatures import Trusted
from k8swin_nb.audit.story import read_story
from k8swin_nb.audit.verdict import CHANGED
from k8swin_nb.audit.verifying import verify
from k8swin_nb.headless.page import write_page
from k8swin_nb.headless.pdf import print_pdf
from tests.audit.records import allow, keygen
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


def started(source: Path, words: list[str], runs: Path, sign: str) -> subprocess.Popen[bytes]:
    """Start a program; what it says on its terminal goes to `said` beside the source."""
    more = {"TMPDIR": str(runs), "PYTHONPATH": os.pathsep.join(sys.path), "K8SWIN_SIGN": sign}
    with (source.parent / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, **more},
        )


def papermill(
    source: Path, output: Path, lab: RunningLab, runs: Path, sign: str = ""
) -> subprocess.Popen[bytes]:
    """Start stock papermill."""
    values = {"params_file": str(lab.params), "runs": str(runs), "run_id": "canaries"}
    arguments = [word for pair in values.items() for word in ("-r", *pair)]
    return started(
        source, ["papermill", str(source), str(output), *arguments, "--log-output"], runs, sign
    )


def k8swin_run(source: Path, lab: RunningLab, runs: Path, sign: str) -> subprocess.Popen[bytes]:
    """Start `k8swin run` with the notebook as 01_network."""
    folder = source.parent / "notebooks"
    folder.mkdir()
    source.rename(folder / "01_network.ipynb")
    words = ["run", "--params", str(lab.params), "--runs", str(runs), "--only", "01_network"]
    return started(source, ["k8swin_nb", *words, "--notebooks", str(folder)], runs, sign)


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


def texts_of(path: Path) -> dict[str, str]:
    """Return what a file holds, as text: of an archive its members, of a PDF its words and all of its streams."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as tar:
            members = [(member.name, tar.extractfile(member)) for member in tar]
            return {n: file.read().decode("utf-8", "replace") for n, file in members if file}
    held = {"": path.read_bytes().decode("utf-8", "replace")}
    if path.suffix == ".pdf":
        reader = pypdf.PdfReader(path)
        words = "".join(page.extract_text() for page in reader.pages)
        held |= {"words": words, "words without spaces": "".join(words.split())}
        for number in range(1, int(reader.trailer["/Size"])):
            found = reader.get_object(pypdf.generic.IndirectObject(number, 0, reader))
            if isinstance(found, pypdf.generic.StreamObject):
                held[f"stream {number}"] = found.get_data().decode("latin-1")
            elif found is not None:
                held[f"object {number}"] = str(found)
    return held


def found(folder: Path, canaries: list[str], more: str = "") -> list[tuple[str, str, str]]:
    """Return where canaries are, below a folder and in a text, in which encoding."""
    texts = {"": more}
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            texts |= {f"{name} {part}": text for part, text in texts_of(path).items()}
    forms = [
        (canary, how, form)
        for canary in canaries
        for how, form in encodings(canary)
        # An inner part: what stands around it may have been masked with a part of it.
        if len(form) >= 8
    ]
    return [
        (name, how, canary[:2])
        for name, text in texts.items()
        for canary, how, form in forms
        if form in text
    ]


def lines_of_keys(lab: RunningLab, key: Path) -> list[str]:
    """Return lines of the private keys that are used: for hosts, and for seals."""
    named = {str(host["identity"]) for host in lab.description()["hosts"] if host.get("identity")}
    paths = [key, *(Path(lab.params).parent / name for name in named)]
    return [path.read_text().splitlines()[2] for path in paths]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    key = keygen(tmp_path, "alice")
    allow(tmp_path / "allowed", key)
    return key


def test_no_canary_is_in_anything_that_a_run_leaves(
    lab: RunningLab, canaries: list[str], tmp_path: Path, key: Path
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
    run = papermill(source, runs / "executed.ipynb", lab, runs, f"ssh:{key}")
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
    folder = runs / "canaries"
    page = write_page(folder, [runs / "executed.ipynb"])
    if shutil.which("chromium") or os.environ.get("K8SWIN_CHROMIUM"):
        print_pdf(page)
    else:
        warnings.warn("no Chromium is here: no PDF was searched", stacklevel=1)
    seal_run(folder, ASKED, f"ssh:{key}")
    trusted = Trusted(allowed_signers=tmp_path / "allowed")
    verdict = verify(folder, trusted, [runs / "executed.ipynb"])
    # It is signed as it was, and its notebook has no end.
    assert [finding.what for finding in verdict.findings] == ["notebook-not-ended"]
    export(folder, runs / "canaries.tar.gz", verdict.word)
    assert not found(runs, [*canaries, *lines_of_keys(lab, key)], said + listed)


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


BROKEN_OFF = {
    "papermill, Ctrl-C": (papermill, signal.SIGINT, False),
    "papermill, ended": (papermill, signal.SIGTERM, False),
    "papermill, killed": (papermill, signal.SIGKILL, False),
    "papermill and its kernel, killed": (papermill, signal.SIGKILL, True),
    "k8swin run, killed": (k8swin_run, signal.SIGKILL, False),
    "k8swin run and its kernel, killed": (k8swin_run, signal.SIGKILL, True),
}
"""A program that executes notebooks, how it is ended in the middle of a script, and whether its kernel is killed too."""


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_a_run_that_is_interrupted_or_killed_leaves_no_canary_and_is_no_forgery(
    lab: RunningLab, canaries: list[str], tmp_path: Path, key: Path, name: str
) -> None:
    program, how, kernels_too = BROKEN_OFF[name]
    runs = tmp_path / "runs"
    runs.mkdir()
    text = sealed("".join(map(told, canaries)))
    know = "%%remote_ps --host windows\n'known'"
    long = (
        f"%%remote_bash --host linuxmaster\nbase64 -d <<<'{text}' | base64 -d\necho here; sleep 300"
    )
    source = notebook(tmp_path / "source.ipynb", [START, know, long])
    if program is papermill:
        run = papermill(source, runs / "executed.ipynb", lab, runs, f"ssh:{key}")
    else:
        run = k8swin_run(source, lab, runs, f"ssh:{key}")
    said = tmp_path / "said"
    logs = ""
    while "\nhere\n" not in logs:
        assert run.poll() is None, said.read_text(errors="replace")
        time.sleep(0.2)
        logs = "".join(path.read_text(errors="replace") for path in runs.glob("*/logs/*"))
    kernels = children(run.pid)
    run.send_signal(how)
    if kernels_too:
        for kernel in kernels:
            os.kill(kernel, signal.SIGKILL)
    run.wait(timeout=120)
    deadline = time.monotonic() + 120
    while not all(map(is_gone, kernels)):
        assert time.monotonic() < deadline, "a kernel stays"
        time.sleep(0.2)
    (folder,) = (path.parent for path in runs.glob("*/events.jsonl"))
    executed = next(runs.rglob("*.ipynb"))
    trusted = Trusted(allowed_signers=tmp_path / "allowed")
    verdict = verify(folder, trusted, [executed])
    assert verdict.code == 3 and not verdict.of(CHANGED), verdict.findings
    story = read_story(folder)[0]
    scripts = [event for event in story.scripts if event.get("host") == "linuxmaster"]
    assert len(scripts) == 1, [e.get("host") for e in story.scripts]
    # Of a kernel that is killed nobody hears how its script ended; it says so itself where it lives for long enough.
    assert scripts == story.unfinished if kernels_too else not story.unfinished
    seal_run(folder, ASKED, f"ssh:{key}")
    assert verify(folder, trusted, [executed]).code == 3
    export(folder, runs / "canaries.tar.gz", verdict.word)
    secret = [*canaries, *lines_of_keys(lab, key)]
    assert not found(runs, secret, said.read_text(errors="replace"))
