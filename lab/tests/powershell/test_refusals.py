"""What PowerShell's engine refuses or does at the edges of the language, as it was seen there (7.6.9).

The grammar draws such snippets against the engine; these hold what it once found, also where no engine is.
"""

from __future__ import annotations

import pytest

from lab.tests.powershell.session import run

_SEEN = [
    ("[version]7", "InvalidCastParseTargetInvocation"),
    ("[regex]@(1)", "ConvertToFinalInvalidCastException"),
    ("[Collections.ArrayList]5", "ConvertToFinalInvalidCastException"),
    ("[char]$true", "InvalidCastIConvertible"),
    ("[timespan]@{ a = 1 }", "ObjectCreationError"),
    ("[scriptblock]::Create('@{ a = 1 b = 2 }')", "ParseException"),
    ("[scriptblock]::Create('@{ a = 1; A = 2 }')", "ParseException"),
    ("[scriptblock]::Create('1 = 2')", "ParseException"),
    ("[scriptblock]::Create('a > b > c')", "ParseException"),
    ("('abc').Length = 3", "PropertyAssignmentException"),
    ("1 - @{}", "MethodNotFound"),
    ("[datetime]'2020-01-02' - 5", "MethodCountCouldNotFindBest"),
    ("'a' * @{}", "ConvertToFinalInvalidCastException"),
    ("$o = [ordered]@{ a = 1 }; $o[5] = 2", "System.ArgumentOutOfRangeException"),
    ("[Collections.Generic.List[int]]::new().Add('x')", "MethodArgumentConversionInvalidCastArgument"),
    ("$ErrorActionPreference = 'Nope'", "RuntimeException"),
    ("function f { [CmdletBinding()] param() 1 / 0 }; f", "RuntimeException,f"),
    ("function f { param([ValidateScript({ throw 'no' })]$p) }; f 1", "ParameterArgumentValidationError,f"),
    ("function f { param([ref]$r) }; f 5", "ParameterArgumentTransformationError,f"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "error_id"), _SEEN, ids=[code for code, _ in _SEEN])
def test_an_error_has_the_identifier_that_the_engine_gives_it(code: str, error_id: str) -> None:
    ran = run(f"try {{ {code} }} catch {{ $_.FullyQualifiedErrorId }}")
    assert ran.output.strip() == error_id


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("try { 1/0 } catch [SystemException] { $_.Exception.GetType().Name }", "DivideByZeroException"),
        ("try { 1/0 } catch { $_.Exception.GetType().Name }", "RuntimeException"),
        ("try { try { 1/0 } catch [SystemException] { throw } } catch { $_.Exception.GetType().Name }", "RuntimeException"),
        ("function f { process { } end { $_ } }; 1..3 | f", "3"),
        ("[Flags()] enum Fl { A; B; C }; [int][Fl]::C", "2"),
        ("function f { param([Parameter(ParameterSetName = 'A', Position = 0)][int]$n, "
         "[Parameter(ParameterSetName = 'B', Position = 0)][string]$s) $PSCmdlet.ParameterSetName }; f abc; f 5", "B\nA"),
        ("class B { [string]$X }; class C : B { [int]$Y }; [C]::new().psobject.Properties.Name", "Y\nX"),
        ("class B { [string]$X }; $b = [B]::new(); $b.X = $null; $b.X.Length", "0"),
        ("enum En { A }; $null -eq [En]::Nope", "True"),
        ("$null-lt-1", "False"),
        ("$v = 1; $private:v = 2; & { \"[$v]\" }; $private:w = 2; $w = 3; & { \"[$w]\" }", "[2]\n[]"),
        ("([object[]][string[]]'a').GetType().Name; ([object[]][int[]]1).GetType().Name", "String[]\nObject[]"),
        ("$Host.UI.WriteLine('u')", "u"),
    ],
)  # fmt: skip
def test_the_edges_of_the_language_are_the_engines(code: str, printed: str) -> None:
    assert run(code).output.strip() == printed
