"""Scripts recorded from a complete PowerShell print the same here; `engine` holds those of its bare engine."""

from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path

import pytest
from k8swin_lab.powershell.interpreter import Interpreter

from lab.tests.powershell.posix_host import PosixHost

CASES = Path(__file__).parents[1] / "data" / "powershell"
KNOWN_TO_FAIL = frozenset(
    line.strip()
    for line in (CASES / "known-failures.txt").read_text().splitlines()
    if line.strip() and not line.startswith("#")
)
_PATIENCE = 60.0
"""Seconds after which a case is cancelled, as a client that gives up would do."""
_WORK = re.compile(r"param\([^)]*\[string\]\$Work")


def run_case(script: Path, work: Path) -> tuple[str, int, str]:
    """Standard output, exit code and standard error of a case."""
    text = script.read_text(encoding="utf-8-sig")
    stdout, stderr = io.BytesIO(), io.BytesIO()
    cancelled = threading.Event()
    timer = threading.Timer(_PATIENCE, cancelled.set)
    timer.daemon = True
    interpreter = Interpreter(
        PosixHost(),
        user="tester",
        environment=dict(os.environ),
        location=str(work),
        stdin=io.BytesIO(),
        stdout=stdout,
        stderr=stderr,
        cancelled=cancelled,
    )
    arguments = ["-Work", str(work)] if _WORK.search(text) else []
    timer.start()
    try:
        code = interpreter.run_script(text, arguments=arguments, name=str(script))
    finally:
        timer.cancel()
    return stdout.getvalue().decode(), code, stderr.getvalue().decode()


@pytest.mark.parametrize(
    "script", sorted(CASES.glob("*/*.ps1")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_recorded_script_prints_what_powershell_printed(script: Path, tmp_path: Path) -> None:
    name = f"{script.parent.name}/{script.stem}"
    expected = script.with_suffix(".out").read_text().rstrip("\n")
    expected_code = int(script.with_suffix(".rc").read_text())
    try:
        output, code, errors = run_case(script, tmp_path)
    except Exception as error:
        output, code, errors = "", -1, f"{type(error).__name__}: {error}"
    passed = output.rstrip("\n") == expected and code == expected_code
    if name in KNOWN_TO_FAIL:
        assert not passed, f"{name} passes now: take it off known-failures.txt"
        return
    assert output.rstrip("\n") == expected, errors
    assert code == expected_code, errors
