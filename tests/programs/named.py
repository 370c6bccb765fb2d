"""The programs in the folder that K8SWIN_PROGRAMS names: builds for Windows or for Linux, as this computer runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("K8SWIN_PROGRAMS", "")


def program(name: str) -> Path:
    """Return a program's path; a test that needs it skips with the reason where it is not there."""
    if not FOLDER:
        pytest.skip(
            "K8SWIN_PROGRAMS names no folder of kubelet, kube-proxy, kubeadm, flanneld, containerd"
        )
    path = Path(FOLDER) / (f"{name}.exe" if sys.platform == "win32" else name)
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder that K8SWIN_PROGRAMS names")
    return path


def answer(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it says."""
    return subprocess.run(
        [str(path), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
