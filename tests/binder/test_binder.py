"""binder/: the image is built, started and used without Docker, as the ordinary user that it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.binder.container import NotHereError, built
from tests.conftest import ROOT

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(900)]

REPO2DOCKER = "jupyter-repo2docker==2026.4.0"
"""What builds the image on a BinderHub, as pip takes it."""

RENDERED = """
import json
from repo2docker.app import Repo2Docker
for pack in Repo2Docker().buildpacks:
    made = pack(base_image="docker.io/library/buildpack-deps:24.04")
    made.platform = "linux/amd64"
    if made.detect():
        break
print(json.dumps({"pack": pack.__name__, "dockerfile": made.render({})}))
"""
"""What repo2docker would build of the folder where it stands, without building it."""

LARGEST = 1_500_000_000
"""Bytes that the image may take."""


@pytest.fixture(scope="module")
def container():
    try:
        with built() as made:
            yield made
    except NotHereError as why:
        pytest.skip(str(why))


def test_the_image_stays_small_and_its_user_is_an_ordinary_one(container):
    assert container.size < LARGEST
    assert container.run("id", "-u").strip() == "1000"
    # Nothing of a developer's folder, or of what only tests need, came along.
    home = set(container.run("ls", "-A").split())
    assert {"notebooks", "workshop", "params"} <= home
    assert not home & {".git", ".venv", ".k8swin", "runs", "tests", "bench"}


def test_one_click_leads_to_exercise_1_with_the_lab_up(container):
    told = json.loads(
        container.run(
            *("python3", "-c", (Path(__file__).parent / "opened.py").read_text()),
            *(*container.start, *container.command),
            alone=True,
        )
    )
    (first,) = (ROOT / "workshop").glob("01_*.ipynb")
    assert told["url"] == f"/lab/tree/workshop/{first.name}"
    assert told["machines"] == ["linux", "windows", "windows"]


def test_what_a_binderhub_may_start_is_there(container):
    for program in ("jupyter-lab", "jupyter-notebook", "jupyterhub-singleuser"):
        assert container.run(program, "--version").strip()


def test_the_first_notebook_runs_there(container):
    container.run(
        *("sh", "-c", 'trap "k8swin lab down" EXIT; "$@" /tmp/out.ipynb', "sh", *container.start),
        *("papermill", "--no-progress-bar", "notebooks/00_start_here.ipynb"),
        alone=True,
    )


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


def test_repo2docker_builds_the_dockerfile(repo2docker):
    done = subprocess.run(
        [repo2docker, "-c", RENDERED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["pack"] == "DockerBuildPack"
    assert found["dockerfile"] == (ROOT / "binder" / "Dockerfile").read_text()
