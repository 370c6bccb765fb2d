"""The oldest and the newest client of Kubernetes that the requirement allows, and an odd one, tried with all tests of the cluster's view."""

import os
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(1800)]


def clients():
    """Return requirements of the oldest and the newest version that is allowed, and of an odd one between them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (text,) = (text for text in project["dependencies"] if text.startswith("kubernetes"))
    (oldest,) = (part.version for part in Requirement(text).specifier if part.operator == ">=")
    # Between them 36.0.0, which knows a token by another name than those before it.
    return [f"kubernetes=={oldest}", "kubernetes==36.0.0", text]


@pytest.mark.parametrize("wanted", clients())
def test_a_client_that_is_allowed_asks_as_the_others_do(wanted, tmp_path):
    place = tmp_path / "libraries"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    had = subprocess.run(
        [*pip, "--retries", "1", "--target", str(place), wanted],
        capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if had.returncode != 0:
        pytest.skip(f"{wanted} cannot be had: {had.stderr.strip()[-300:]}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(place), str(ROOT)))}
    told = "import kubernetes; print(kubernetes.__file__, kubernetes.__version__)"
    tried = subprocess.run(
        [sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert tried[0].startswith(str(place))
    assert tried[1] in Requirement(wanted).specifier
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/cluster"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, f"{tried}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
