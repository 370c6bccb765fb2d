"""Fixtures that several areas share: a clean environment, and a lab with the wire in between."""

from __future__ import annotations

import json
import os
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

# How fast a busy computer makes examples says nothing about the code.
hypothesis.settings.register_profile(
    "k8swin", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("k8swin")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a developer's shell holds out of the tests."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") or (
            name.startswith("K8SWIN_")
            and name not in ("K8SWIN_KUBECTL", "K8SWIN_PSPARSE", "K8SWIN_CHROMIUM")
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


@dataclass(frozen=True)
class RunningLab:
    """A lab that was started for the tests: where it is, and how to reach it."""

    home: Path
    status: dict[str, Any]
    params: Path

    def machine(self, name: str) -> dict[str, Any]:
        return next(machine for machine in self.status["machines"] if machine["name"] == name)

    def description(self) -> dict[str, Any]:
        return yaml.safe_load(self.params.read_text())

    def write(self, folder: Path, **changes: Any) -> Path:
        """Write a description with changes and return its path."""
        path = folder / "params.yaml"
        path.write_text(yaml.safe_dump({**self.description(), **changes}))
        return path


def start_lab(home: Path, network: str, generation: str = "current") -> RunningLab:
    """Start a lab; its description names the addresses, versions are added by `write`."""
    place = ["--home", str(home), "--network", network, "--generation", generation]
    up = k8swin("lab", "up", *place)
    assert up.returncode == 0, up.stdout + up.stderr
    status = json.loads(k8swin("lab", "status", "--home", str(home), "--json").stdout)
    params = home / "tests.yaml"
    described = yaml.safe_load(Path(status["description"]).read_text())
    params.write_text(yaml.safe_dump({**described, "cluster_name": "tests"}))
    return RunningLab(home, status, params)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab with fresh machines, shared by the tests that only look or that build the one cluster."""
    home = tmp_path_factory.mktemp("lab")
    try:
        yield start_lab(home, "127.171.0.0/24")
    finally:
        k8swin("lab", "down", "--home", str(home))


@pytest.fixture(scope="session")
def built(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunningLab, Path]:
    """The lab after all notebooks have run, and the folder of that run."""
    from k8swin_nb.headless.notebooks import run_notebooks

    runs = tmp_path_factory.mktemp("runs")
    folder, executed = run_notebooks(ROOT / "notebooks", lab.params, runs)
    assert [(item.name, item.error) for item in executed if item.error] == []
    return lab, folder
