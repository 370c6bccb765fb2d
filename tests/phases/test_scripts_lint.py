"""Every script passes the linter and the parser of its own language."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from k8swin_nb.scripts import Script, names

TRANSPORTS = Path(__file__).parent.parent.parent / "k8swin_nb" / "transports"
OWN = {
    path.name: path.read_text() for path in TRANSPORTS.iterdir() if path.suffix in (".sh", ".ps1")
}
SCRIPTS = {name: Script.load(name).text for name in names()}
"""As they run: with the shared functions that they name."""
BASH = {name: text for name, text in {**SCRIPTS, **OWN}.items() if name.endswith(".sh")}
POWERSHELL = {name: text for name, text in {**SCRIPTS, **OWN}.items() if name.endswith(".ps1")}
PARSER = os.environ.get("K8SWIN_PSPARSE", "")


@pytest.mark.parametrize("name", BASH)
def test_a_bash_script_passes_shellcheck(name):
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run(
        [shellcheck, "--shell=bash", "-"],
        input=BASH[name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.endswith(".sh")])
def test_a_bash_script_stops_at_its_first_error(name):
    assert "\nset -euo pipefail\n" in SCRIPTS[name]


@pytest.mark.skipif(not PARSER, reason="K8SWIN_PSPARSE names no PowerShell parser")
def test_the_real_parser_takes_the_powershell_scripts_as_those_of_5_1(tmp_path):
    """All at once: starting the parser takes longer than parsing. It names the file of what it finds."""
    paths = [tmp_path / name.replace("/", "-") for name in POWERSHELL]
    for path, text in zip(paths, POWERSHELL.values(), strict=True):
        path.write_text(text)
    done = subprocess.run(
        [*shlex.split(PARSER), *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", POWERSHELL)
def test_a_powershell_script_is_ascii(name):
    # Windows PowerShell 5.1 reads a file without a byte-order mark in the machine's own code page.
    assert POWERSHELL[name].isascii()


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.endswith(".ps1")])
def test_a_powershell_script_stops_at_its_first_error(name):
    assert "$ErrorActionPreference = 'Stop'" in SCRIPTS[name]


@pytest.mark.parametrize("name", POWERSHELL)
def test_a_powershell_script_with_attributes_takes_its_input_by_a_parameter(name):
    """One attribute makes a script block an advanced one, to which nothing can be piped but what a parameter takes."""
    if re.search(r"\[\s*(Parameter|CmdletBinding)\b", POWERSHELL[name], re.IGNORECASE):
        assert not re.search(r"\$input\b", POWERSHELL[name], re.IGNORECASE)
