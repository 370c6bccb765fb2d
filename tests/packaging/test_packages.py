"""The packages: built, installed where no checkout is, and used in an empty folder."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

import k8swin_nb
from k8swin_nb.project import DESCRIPTIONS
from tests.conftest import ROOT

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(1800)]

VERSION = k8swin_nb.__version__
MINE = ("params/mine.yaml", "notebooks/mine.ipynb")
"""What a site has in its checkout and does not give away."""


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=800, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def in_the_checkout(*folders):
    """Return the files of folders that git has, or would take."""
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", *folders, cwd=ROOT
    )
    return {name for name in listed.splitlines() if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Build both distributions from a copy of the checkout, each wheel from its sdist."""
    copy, dist = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in in_the_checkout():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    for name in MINE:
        (copy / name).write_text("mine\n")
    for folder in (copy, copy / "lab"):
        run(sys.executable, "-m", "build", "--outdir", dist, folder, cwd=copy)
    return dist


@pytest.fixture(scope="module")
def program(dist, tmp_path_factory):
    """Install both wheels without extras; return a function that runs a program of that environment."""
    place = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", place)
    tried = ("--no-compile", "--constraint", ROOT / "constraints.txt")
    run(place / "bin" / "pip", "install", "--quiet", *tried, *dist.glob("*.whl"), cwd=place)
    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": f"{place / 'bin'}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}

    def program(name, *arguments, cwd):
        return run(place / "bin" / name, *arguments, cwd=cwd, env=environment)

    return program


def wheel(dist, name):
    with zipfile.ZipFile(dist / f"{name}-{VERSION}-py3-none-any.whl") as archive:
        return set(archive.namelist())


def sdist(dist, name):
    with tarfile.open(dist / f"{name}-{VERSION}.tar.gz") as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def metadata(name, *files):
    return {f"{name}-{VERSION}.dist-info/{file}" for file in files}


STANDARD = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")


def test_the_toolkits_wheel_holds_the_package_the_notebooks_and_the_descriptions(dist):
    material = {
        *(name for name in in_the_checkout("notebooks") if name.endswith(".ipynb")),
        *(f"params/{name}" for name in DESCRIPTIONS),
        *(
            name
            for name in in_the_checkout("workshop")
            if not name.startswith("workshop/solutions/")
        ),
    }
    assert wheel(dist, "k8swin_nb") == {
        *in_the_checkout("k8swin_nb"),
        *(f"k8swin_nb/shipped/{name}" for name in material),
        *metadata("k8swin_nb", *STANDARD),
    }
    assert "k8swin_nb/py.typed" in wheel(dist, "k8swin_nb")


def test_the_labs_wheel_holds_its_package(dist):
    package = {name.removeprefix("lab/") for name in in_the_checkout("lab/k8swin_lab")}
    assert wheel(dist, "k8swin_lab") == {*package, *metadata("k8swin_lab", *STANDARD)}
    assert "k8swin_lab/py.typed" in wheel(dist, "k8swin_lab")


def test_the_sdists_hold_what_wheels_are_made_of_and_nothing_of_the_site(dist):
    names = sdist(dist, "k8swin_nb")
    assert in_the_checkout("k8swin_nb", "notebooks", "params", "docs") <= names
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert names.isdisjoint(MINE)
    names = sdist(dist, "k8swin_lab")
    assert {name.removeprefix("lab/") for name in in_the_checkout("lab/k8swin_lab")} <= names
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_what_is_installed_fits_together_and_has_no_front_end(program, tmp_path):
    program("pip", "check", cwd=tmp_path)
    listed = program("pip", "list", "--format", "freeze", cwd=tmp_path)
    names = {line.partition("==")[0].lower().replace("_", "-") for line in listed.splitlines()}
    assert {"k8swin-nb", "k8swin-lab", "papermill"} <= names
    assert names.isdisjoint({"jupyterlab", "ipywidgets", "notebook"})
    assert program("k8swin", "--version", cwd=tmp_path) == f"k8swin {VERSION}\n"


def test_a_folder_is_begun_twice_and_its_description_is_checked(program, tmp_path):
    assert "params/lab.yaml" in program("k8swin", "init", "site", cwd=tmp_path)
    assert "there already" in program("k8swin", "init", "site", cwd=tmp_path)
    site = tmp_path / "site"
    for name in in_the_checkout("notebooks"):
        assert (site / name).read_bytes() == (ROOT / name).read_bytes()
    assert "10.244.0.0/16" in program("k8swin", "check", "params/example.yaml", cwd=site)


def test_the_demo_runs_in_an_empty_folder_and_leaves_its_record_there(program, tmp_path):
    # A loopback network of this test run's own.
    number = os.getpid()
    network = f"127.{176 + number % 64}.{number // 64 % 256}.0/24"
    said = program("k8swin", "demo", "--network", network, cwd=tmp_path)
    assert "3 nodes" in said
    (record,) = (tmp_path / "runs").iterdir()
    assert {"index.html", "events.jsonl", "05_test_app.ipynb"} <= {p.name for p in record.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
