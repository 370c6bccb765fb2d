"""JupyterLab that is closed, interrupted or killed in the middle of a cell: what is in the run's folder is no forgery."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from jupyter_client import BlockingKernelClient

from k8swin_nb.audit.verdict import CHANGED
from k8swin_nb.audit.verifying import verify
from k8swin_nb.project import begin
from tests.test_description import described

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(300)]

SECONDS = 120
"""How long something is waited for that is to happen; only a hang reaches it."""

TOKEN = "0123456789abcdef"

CELLS = (
    'params_file: str = "params/mine.yaml"\ndry_run: bool = True\nreason: str = None',
    "from k8swin_nb import open_phase\nphase = open_phase('01_network')",
    "import os, time\nfrom pathlib import Path\nPath({begun!r}).write_text(f'{os.getpid()}\\n')\ntime.sleep(300)",
)


def happens(what):
    deadline = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
    return found


def asked(port, path, content=None):
    """Ask JupyterLab something; None while it does not answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}")
    request.add_header("Authorization", f"token {TOKEN}")
    data = None if content is None else json.dumps(content).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def children(parent):
    """Return the processes that a process has started."""
    words = ["ps", "-o", "pid=", "--ppid", str(parent)]
    said = subprocess.run(words, capture_output=True, text=True).stdout
    return [int(word) for word in said.split()]


def is_ready(client):
    """Whether a kernel answers; on a computer with much to do it is thought to be dead before it has begun."""
    try:
        client.wait_for_ready(timeout=SECONDS)
    except RuntimeError:
        return False
    return True


def closed(process):
    (server,) = children(process.pid)
    os.kill(server, signal.SIGTERM)


def interrupted(process):
    def again():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # the first one asks, the second one ends it
            time.sleep(1)
        return process.poll() is not None

    happens(again)


def killed(process):
    os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [closed, interrupted, killed])
def test_a_session_that_ends_in_the_middle_of_a_cell_is_no_forgery(tmp_path, end):
    if not find_spec("jupyterlab"):
        pytest.skip("JupyterLab is not installed")
    begin(tmp_path)
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(described()))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = ["k8swin_nb", "desk", "--no-browser", "--params", "params/mine.yaml", "--"]
    words += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    environment = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment.pop("K8SWIN_SIGN", None)
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        happens(lambda: process.poll() is not None or asked(port, "status"))
        assert process.poll() is None, (tmp_path / "said").read_text()
        (folder,) = (tmp_path / "runs").iterdir()
        path = f"runs/{folder.name}/01_network.ipynb"
        kernel = {"name": "python3"}
        wanted = {"path": path, "name": "01_network.ipynb", "type": "notebook", "kernel": kernel}
        session = happens(lambda: asked(port, "sessions", wanted))
        file = tmp_path / "runtime" / f"kernel-{session['kernel']['id']}.json"
        client = BlockingKernelClient(connection_file=str(happens(lambda: file.exists() and file)))
        client.load_connection_file()
        client.start_channels()
        happens(lambda: is_ready(client))
        begun = tmp_path / "begun"
        for source in CELLS:
            client.execute(source.replace("{begun!r}", repr(str(begun))))
        pid = happens(lambda: begun.exists() and begun.read_text().strip())
        client.stop_channels()
        end(process)
        process.wait(SECONDS)
        happens(lambda: not Path(f"/proc/{pid}").exists())
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    verdict = verify(folder)
    assert verdict.code == 3 and not verdict.of(CHANGED), verdict.findings
    assert "notebook-not-ended" in [finding.what for finding in verdict.findings]
