"""Which tests run where the lab is or is not, and fixtures that several areas share."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

ROOT = Path(__file__).parent.parent

TO_THE_TEST_APP = (
    "01_network", "02_master", "03_flannel", "04_join_linux", "04_join_windows", "05_test_app",
)  # fmt: skip
"""The notebooks of a cluster without 06."""

NEED_THE_LAB = (
    "binder", "browser", "notebooks", "packaging", "scripts", "steps", "wire", "workshop",
)  # fmt: skip
NEED_REAL_HOSTS = ("real", "windows")
"""Folders of what is more than the toolkit; all others are its own and pass without the lab."""

SHARE_A_CLUSTER = (
    "tests/notebooks/test_canaries.py",
    "tests/notebooks/test_run.py",
    "tests/notebooks/test_troubleshoot.py",
    "tests/browser/test_jupyterlab.py",
)
"""Modules that one worker runs, so that the cluster of `built` is built once."""

A_LAB_EACH = "tests/steps/test_moods.py"
"""A module whose tests each have a lab of their own, so that several workers share it."""

TAKE_LONG = (
    "tests/steps/test_moods.py::test_every_step",
    "tests/steps/test_moods.py",
    "tests/steps/test_foretold.py",
    "tests/notebooks/test_classic.py",
    "cluster",
    "tests/notebooks/test_teardown.py",
    "tests/notebooks/test_interrupts.py",
    "tests/packaging/test_packages.py",
    "tests/workshop/test_exercises.py",
)
"""How what takes minutes with few tests begins: a worker that came to it at last would end long after the others."""

WITHOUT_LAB = Path(__file__).parent / "without_lab"

# How fast a busy computer makes examples says nothing about the code.
hypothesis.settings.register_profile(
    "k8swin", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("k8swin")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--toolkit", action="store_true", help="the toolkit's own tests, with the lab out of reach"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Put the lab out of reach, for programs that tests start too; let these hear of Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As for what a shell starts in the background; programs would inherit it, and tests of signals wait in vain.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--toolkit"):
        sys.path.insert(0, str(WITHOUT_LAB))
        paths = [str(WITHOUT_LAB), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.getoption("--toolkit") and _area(collection_path) in NEED_THE_LAB + NEED_REAL_HOSTS:
        return True
    return None


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    if _area(module_path) in NEED_THE_LAB and not _lab_is_there():
        return NeedsTheLab.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a class, or a module without classes, on one worker; its tests follow each other on one lab.

    What takes long comes first.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByLab(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            if module == A_LAB_EACH:
                return nodeid
            return "cluster" if module in SHARE_A_CLUSTER else super()._split_scope(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            for begin in reversed(TAKE_LONG):
                for scope in [scope for scope in self.workqueue if scope.startswith(begin)]:
                    self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    return ByLab(config, log)


class NeedsTheLab(pytest.Module):
    """A module of tests that cannot even be imported without the lab."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        pytest.skip(
            "needs the lab, the distribution k8swin-lab: make install", allow_module_level=True
        )


def _area(path: Path) -> str:
    """The folder of tests/ in which something lies."""
    here = Path(__file__).parent
    return path.relative_to(here).parts[0] if here in path.parents else ""


@functools.cache
def _lab_is_there() -> bool:
    try:
        import k8swin_lab  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a developer's shell holds out of the tests."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") or (
            name.startswith("K8SWIN_")
            and name
            not in ("K8SWIN_KUBECTL", "K8SWIN_PSPARSE", "K8SWIN_CHROMIUM", "K8SWIN_PROGRAMS")
        ):
            monkeypatch.delenv(name)


def k8swin(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "k8swin_nb", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        **options,
    )


@pytest.fixture
def forgotten_secrets() -> Iterator[None]:
    """Let a test know its own secrets alone: words among them would be masked in what other tests look at."""
    from k8swin_nb.redact import REDACTOR

    before = (REDACTOR._plain, REDACTOR._encoded)
    REDACTOR._plain, REDACTOR._encoded = set(), set()
    REDACTOR._index = None
    REDACTOR.known += 1
    yield
    REDACTOR._plain, REDACTOR._encoded = before
    REDACTOR._index = None
    REDACTOR.known += 1


@dataclass(frozen=True)
class RunningLab:
    """A lab that was started for the tests: where it is, and how to reach it."""

    home: Path
    status: dict[str, Any]
    params: Path

    def machine(self, name: str) -> dict[str, Any]:
        return next(machine for machine in self.status["machines"] if machine["name"] == name)

    @property
    def addresses(self) -> dict[str, str]:
        """The machines' addresses by name."""
        return {machine["name"]: machine["address"] for machine in self.status["machines"]}

    def description(self) -> dict[str, Any]:
        return yaml.safe_load(self.params.read_text())

    def write(self, folder: Path, **changes: Any) -> Path:
        """Write a description with changes and return its path."""
        path = folder / "params.yaml"
        path.write_text(yaml.safe_dump({**self.description(), **changes}))
        return path


@contextlib.contextmanager
def running_lab(home: Path, generation: str = "current") -> Iterator[RunningLab]:
    """Start a lab on a network of its own and stop it at the end.

    Its description names the addresses, versions are added by `write`.
    """
    from k8swin_lab.loopback import free_network

    with free_network() as network:
        place = ["--network", network, "--generation", generation]
        up = k8swin("lab", "up", "--home", str(home), *place)
        assert up.returncode == 0, up.stdout + up.stderr
        try:
            status = json.loads(k8swin("lab", "status", "--home", str(home), "--json").stdout)
            params = home / "tests.yaml"
            described = yaml.safe_load(Path(status["description"]).read_text())
            params.write_text(yaml.safe_dump({**described, "cluster_name": "tests"}))
            yield RunningLab(home, status, params)
        finally:
            k8swin("lab", "down", "--home", str(home))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab with fresh machines, shared by the tests that only look or that build the one cluster."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def built(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunningLab, Path]:
    """The lab after all notebooks have run, and the folder of that run."""
    from k8swin_nb.headless.notebooks import run_notebooks

    runs = tmp_path_factory.mktemp("runs")
    folder, executed = run_notebooks(ROOT / "notebooks", lab.params, runs)
    assert [(item.name, item.error) for item in executed if item.error] == []
    return lab, folder
