"""The toolkit's tests need no lab, and what needs one says so."""

import importlib
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, WITHOUT_LAB


def collected(*arguments: str, **environment: str) -> str:
    """Return what pytest says that collects tests and runs none."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
    ).stdout  # fmt: skip


def test_what_needs_the_lab_says_so_where_it_is_missing():
    told = collected("tests/wire", "tests/steps", PYTHONPATH=str(WITHOUT_LAB))
    modules = [*(ROOT / "tests/wire").glob("test_*.py"), *(ROOT / "tests/steps").glob("test_*.py")]
    assert f"SKIPPED [{len(modules)}]" in told
    assert "needs the lab" in told
    assert "error" not in told


def test_the_toolkits_own_tests_are_asked_for_with_one_word():
    told = collected("--toolkit", "tests/cluster", "tests/wire", "tests/steps")
    areas = {line.split("/")[1] for line in told.splitlines() if "::" in line}
    assert areas == {"cluster"}


def test_the_lab_is_out_of_reach_in_that_run(request):
    if request.config.getoption("--toolkit"):
        done = subprocess.run([sys.executable, "-c", "import k8swin_lab"], capture_output=True)
        assert b"without the lab" in done.stderr
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("k8swin_lab")
