"""binder/: what can be built of it without Docker, run as an ordinary user."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from k8swin_lab import topology
from k8swin_lab.loopback import lab_answers_on

from tests.conftest import ROOT

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]
NOBODY = 65534

REPO2DOCKER = "jupyter-repo2docker==2026.4.0"
"""What builds the image, as pip takes it."""

RENDERED = """
import json
from repo2docker.app import Repo2Docker
for pack in Repo2Docker().buildpacks:
    made = pack(base_image="docker.io/library/buildpack-deps:24.04")
    made.platform = "linux/amd64"
    if made.detect():
        break
print(json.dumps({"pack": pack.__name__, "python": made.python_version, "dockerfile": made.render({})}))
"""
"""What repo2docker would build of the folder where it stands, without building it."""

WANTED = (
    # The kernel and the server are one environment.
    "ENV KERNEL_PYTHON_PREFIX=${NB_PYTHON_PREFIX}",
    # It keeps nothing that it loaded.
    '/bin/pip install --no-cache-dir -r "binder/requirements.txt"',
    "RUN ./binder/postBuild",
    'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
)
"""Steps of its Dockerfile."""


def as_ordinary_user() -> list[str]:
    """Return the words that give root's rights away, when there are any to give."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("runs as root, and there is no setpriv to give root's rights away")
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def test_python_is_new_enough_for_the_package():
    wanted = re.fullmatch(r"python-3\.(\d+)", (ROOT / "binder" / "runtime.txt").read_text().strip())
    assert int(wanted.group(1)) >= 11


def on_a_network_of_its_own() -> list[str]:
    """Return the words that give a command loopback addresses of its own, as a container has them.

    The lab of a container is at the addresses that params/lab.yaml names. Where the system gives no
    such network, they must be free on this computer.
    """
    words = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    with contextlib.suppress(OSError):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    if lab_answers_on(topology.DEFAULT_NETWORK):
        pytest.skip(f"a lab runs at {topology.DEFAULT_NETWORK}, and unshare makes no other network")
    return []


@pytest.fixture(scope="module")
def folder():
    """A folder that an ordinary user may enter: pytest closes its own to all but their owner, at any start of it."""
    with tempfile.TemporaryDirectory(prefix="k8swin-binder-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def image(folder):
    """Do what a build does: the repository's files, an environment, requirements, postBuild."""
    repository, home = folder / "repository", folder / "home"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, repository / name)
    home.mkdir()
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    environment = {
        "HOME": str(home),
        "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }
    user = as_ordinary_user()

    def run(*command: str, before: Sequence[str] = (), seconds: int = 600) -> str:
        done = subprocess.run(
            [*before, *user, *command],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    # An ordinary user may not be able to run the Python of the tests, when root keeps it at home.
    tried = [
        sys.executable,
        *filter(None, [shutil.which("python3", path="/usr/local/bin:/usr/bin")]),
    ]
    for python in tried:
        made = subprocess.run(
            [*user, python, "-m", "venv", "--clear", str(folder / "venv")],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
        )
        if made.returncode == 0 and "3." in run("python", "--version"):
            break
    else:
        pytest.skip(f"an ordinary user can make no environment with {' or '.join(tried)}")
    run("python", "-m", "pip", "install", "--quiet", "-r", "binder/requirements.txt")
    run("binder/postBuild")
    return run, home


def test_the_lab_is_up_when_the_container_has_started(image):
    run, _ = image
    try:
        network = on_a_network_of_its_own()
        status = run("binder/start", "k8swin", "lab", "status", "--json", before=network)
        document = json.loads(status[status.index("{") :])
        assert [machine["os"] for machine in document["machines"]] == [
            "linux",
            "windows",
            "windows",
        ]
    finally:
        run("k8swin", "lab", "down")


@pytest.fixture(scope="module")
def repo2docker(tmp_path_factory):
    """A Python with the repo2docker that this was tried with; K8SWIN_REPO2DOCKER names one that is there."""
    if given := os.environ.get("K8SWIN_REPO2DOCKER"):
        return given
    venv = tmp_path_factory.mktemp("repo2docker") / "venv"
    for command in (
        [sys.executable, "-m", "venv", str(venv)],
        [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", REPO2DOCKER],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            pytest.skip(f"{REPO2DOCKER} cannot be installed here: {done.stderr.strip()[-300:]}")
    return str(venv / "bin" / "python")


def test_repo2docker_chooses_binder_and_does_what_the_other_tests_imitate(repo2docker):
    done = subprocess.run(
        [repo2docker, "-c", RENDERED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    wanted = (ROOT / "binder" / "runtime.txt").read_text().strip()
    assert found["pack"] == "PythonBuildPack"
    assert f"python-{found['python']}" == wanted
    for step in WANTED:
        assert step in found["dockerfile"], step


def test_jupyterlab_opens_at_the_first_notebook(image):
    run, home = image
    course = sorted((ROOT / "workshop").glob("01_*.ipynb"))
    config = json.loads((home / ".jupyter" / "jupyter_server_config.json").read_text())
    url = config["LabApp"]["default_url"]
    opened = ROOT / url.removeprefix("/lab/tree/")
    assert opened.exists()
    assert not course or opened == course[0]
    assert int(run("jupyter", "lab", "--version").split(".")[0]) >= 4


def test_the_first_notebook_runs(image, tmp_path):
    run, home = image
    try:
        run(
            "papermill",
            "--no-progress-bar",
            "notebooks/00_start_here.ipynb",
            str(home / "out.ipynb"),
            before=on_a_network_of_its_own(),
        )
    finally:
        run("k8swin", "lab", "down")
