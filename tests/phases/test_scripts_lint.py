"""Every script passes the linter and the parser of its own language."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BASH = sorted((ROOT / "k8swin_nb").rglob("*.sh"))
POWERSHELL = sorted((ROOT / "k8swin_nb" / "scripts").rglob("*.ps1")) + sorted(
    (ROOT / "k8swin_nb" / "transports").glob("*.ps1")
)
PARSER = os.environ.get("K8SWIN_PSPARSE", "")


@pytest.mark.parametrize("path", BASH, ids=lambda p: p.name)
def test_a_bash_script_passes_shellcheck(path):
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run(
        [shellcheck, "--shell=bash", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "path", [path for path in BASH if "scripts" in path.parts], ids=lambda p: p.name
)
def test_a_bash_script_stops_at_its_first_error(path):
    assert "\nset -euo pipefail\n" in path.read_text()


@pytest.mark.skipif(not PARSER, reason="K8SWIN_PSPARSE names no PowerShell parser")
@pytest.mark.parametrize("path", POWERSHELL, ids=lambda p: p.name)
def test_the_real_parser_takes_a_powershell_script_as_one_of_5_1(path):
    done = subprocess.run(
        [*shlex.split(PARSER), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", POWERSHELL, ids=lambda p: p.name)
def test_a_powershell_script_is_ascii(path):
    # Windows PowerShell 5.1 reads a file without a byte-order mark in the machine's own code page.
    path.read_text(encoding="ascii")


@pytest.mark.parametrize(
    "path", [path for path in POWERSHELL if "scripts" in path.parts], ids=lambda p: p.name
)
def test_a_powershell_script_stops_at_its_first_error(path):
    assert "$ErrorActionPreference = 'Stop'" in path.read_text()
