"""What Out-Default prints for objects, in the layout of Windows PowerShell 5.1."""

from __future__ import annotations

import pytest

from lab.tests.powershell.session import run

CASES = [
    ("'a', 1, 2.5, $true", "a\n1\n2.5\nTrue\n"),
    ("[pscustomobject]@{ Name = 'x'; Size = 12 }", "\nName Size\n---- ----\nx      12\n\n\n"),
    (
        "[pscustomobject]@{ A = 1; B = 2; C = 3; D = 4; E = $null }",
        "\n\nA : 1\nB : 2\nC : 3\nD : 4\nE :\n\n\n\n",
    ),
    ("@{ a = 'x' }", f"\nName{' ' * 27}Value\n----{' ' * 27}-----\na{' ' * 30}x\n\n\n"),
    ("[datetime]'2024-01-02 15:04:05'", "Tuesday, January 2, 2024 3:04:05 PM\n"),
    (
        "[version]'1.2.3'",
        "\nMajor  Minor  Build  Revision\n-----  -----  -----  --------\n1      2      3      -1\n\n\n",
    ),
    (
        "1..5 | ForEach-Object { [pscustomobject]@{ N = $_; L = 1..$_ } } | Select-Object -Last 1",
        "\nN L\n- -\n5 {1, 2, 3, 4...}\n\n\n",
    ),
    ("[pscustomobject]@{ A = 'x' } | Format-List", "\n\nA : x\n\n\n\n"),
    ("[pscustomobject]@{ A = 'x'; B = 'y' } | Format-Table B", "\nB\n-\ny\n\n\n"),
    ("[pscustomobject]@{ A = 'x'; B = 'y' } | Format-Table -HideTableHeaders", "\nx y\n\n\n"),
    (
        "[pscustomobject]@{ A = 3 } | Format-Table @{ n = 'Twice'; e = { $_.A * 2 }; f = 'N1' }",
        "\nTwice\n-----\n  6.0\n\n\n",
    ),
    ("'b', 'a' | Format-Table", "b\na\n"),
]


@pytest.mark.parametrize(("script", "expected"), CASES, ids=[case[0] for case in CASES])
def test_objects_print_as_in_windows_powershell(script: str, expected: str) -> None:
    ran = run(script, edition="Desktop")
    printed = "\n".join(line.rstrip() for line in ran.output.split("\n"))
    assert printed == expected


def test_out_string_ends_lines_as_the_edition_does() -> None:
    assert run("('x' | Out-String).Length", edition="Desktop").output == "3\n"
    assert run("('x' | Out-String).Length").output == "2\n"


def test_a_cell_that_is_too_wide_is_cut_with_dots() -> None:
    ran = run("[pscustomobject]@{ A = 'x' * 300 } | Out-String -Width 20", edition="Desktop")
    assert "x" * 16 + "..." in ran.output


def test_grouped_tables_name_each_group() -> None:
    script = "'a', 'bb', 'c' | Select-Object @{ n = 'T'; e = { $_ } }, Length | Sort-Object Length | Format-Table T -GroupBy Length"
    ran = run(script, edition="Desktop")
    assert ran.output.count("Length: ") == 2
