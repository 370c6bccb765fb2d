"""Operators and casts of what is no number: their values, and what PowerShell's engine says where it has none.

`operators.txt` is what the engine answered (7.6.9), in the words of Windows PowerShell 5.1: an expression,
then => and the type and text of its value, or an error's identifier, target and first line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.tests.powershell.session import run

_CASES = [
    line.split(" => ", 1)
    for line in Path(__file__).with_name("operators.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
_SHOWN = (
    'try {{ $v = & {{ {0} }}; "$($v.GetType()): $v" }} catch {{ "$($_.FullyQualifiedErrorId) '
    '[$($_.TargetObject)] $(($_.Exception.Message -split "\\r?\\n")[0])" }}'
)


@pytest.mark.parametrize(("expression", "expected"), _CASES, ids=[case[0] for case in _CASES])
def test_an_operator_does_with_its_operands_what_the_engine_does(
    expression: str, expected: str
) -> None:
    ran = run(_SHOWN.format(expression))
    assert ran.errors == ""
    assert ran.output.rstrip() == expected
