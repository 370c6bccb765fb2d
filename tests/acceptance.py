"""The page of acceptance checks, written from data: `python -m tests.acceptance`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "acceptance.md"
DATA = ROOT / "tests" / "data" / "acceptance.yaml"

HEAD = """\
# Acceptance checks

What a cluster and this tool are held to, and where. A test is named as `FILE::NAME`; a step of a notebook proves it
on the machines themselves, by reading back. The third column says by what it was held, the strongest first:

- **real machine**: Linux hosts with real Kubernetes, containerd or Docker, and flannel;
- **real API server**: a Windows worker of the lab on such a host's real cluster;
- **real program**: OpenSSH, an MIT KDC, kubeadm, kubelet, kube-proxy, flanneld, containerd, host-local, flannel's CNI plugin, a browser;
- **real engine**: PowerShell's own parser or engine;
- **lab**: simulated machines over real SSH, WinRM and Kubernetes connections;
- **itself**: the toolkit's own code, with answers that a test gives.

**No row was held by a real Windows Server.** [real-windows.md](real-windows.md) says how that is done.
This page is written by `python -m tests.acceptance` from `tests/data/acceptance.yaml`.

| | check | by what | held by |
|---|---|---|---|
"""

STRENGTHS = ("real machine", "real API server", "real program", "real engine", "lab", "itself")

BY_PLACE = {
    "tests/real/test_windows_worker.py": "real API server",
    "tests/real/": "real machine",
    "tests/programs/": "real program",
    "tests/scripts/test_cni_programs.py": "real program",
    "tests/transports/test_openssh": "real program",
    "tests/transports/test_winrm_logins.py": "real program",
    "tests/transports/test_winrm_jump.py": "real program",
    "tests/browser/": "real program",
    "tests/audit/test_archive.py": "real program",
    "tests/audit/test_signers.py": "real program",
    "tests/workshop/test_exercises.py": "lab",
    "tests/phases/test_scripts_lint.py": "real engine",
    "lab/tests/powershell/test_language_against_engine.py": "real engine",
    "lab/tests/": "lab",
    **dict.fromkeys(
        (
            "tests/binder/",
            "tests/notebooks/",
            "tests/packaging/",
            "tests/scripts/",
            "tests/steps/",
            "tests/wire/",
        ),
        "lab",
    ),
    "tests/": "itself",
    # What runs in tests/real, step by step.
    **dict.fromkeys(
        ("01_network", "02_master", "03_flannel", "04_join_linux", "06_verify", "90_teardown"),
        "real machine",
    ),
    "04_join_windows": "real API server",
    "05_test_app": "real API server",
    "07_dashboard": "lab",
    "80_troubleshoot": "lab",
}
"""By what a test or a step is held, by how its name begins; the first that fits counts."""


def strength(name: str) -> str:
    """Return by what a test or a step of a notebook holds a check.

    Raises:
        LookupError: when no place is known for it.
    """
    for place, found in BY_PLACE.items():
        if name.startswith(place):
            return found
    raise LookupError(f"where `{name}` runs is not known: add its place to BY_PLACE")


def checks() -> list[dict[str, Any]]:
    """Return the checks in order."""
    read: list[dict[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return read


def page() -> str:
    """Return the page."""
    rows = []
    for check in checks():
        held = "<br>".join(f"`{name}`" for name in check["held"])
        found = {strength(name) for name in check["held"]}
        by = ", ".join(each for each in STRENGTHS if each in found)
        rows.append(
            f"| {check['number']} | {check['claim']} | {by or 'nothing'} | {held or 'nothing by itself yet'} |"
        )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
