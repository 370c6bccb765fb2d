"""Cmdlets that are not bound to Windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from k8swin_lab.powershell.values import PSObject

from lab.tests.powershell.posix_host import PosixHost
from lab.tests.powershell.session import run

CASES = [
    ("(1..10 | Select-Object -First 2 -Skip 3) -join ','", "4,5"),
    ("(1..5 | Select-Object -Last 2) -join ','", "4,5"),
    ("(3, 1, 2 | Sort-Object -Descending) -join ','", "3,2,1"),
    ("('b', 'A', 'a' | Sort-Object -Unique) -join ','", "A,b"),
    ("(1, 2, 3 | Measure-Object -Average).Average", "2"),
    (
        "(Compare-Object 1, 2, 3 2, 3, 4 | ForEach-Object { \"$($_.InputObject)$($_.SideIndicator)\" }) -join ' '",
        "4=> 1<=",
    ),
    ("@{ a = 1 } | ConvertTo-Json -Compress", '{"a":1}'),
    ('(\'{"a":[1,2],"b":{"c":null}}\' | ConvertFrom-Json).a.Count', "2"),
    ("('a,b', '1,\"x,y\"' | ConvertFrom-Csv).b", "x,y"),
    (
        "([pscustomobject]@{ a = 1; b = 'x\"y' } | ConvertTo-Csv -NoTypeInformation) -join '|'",
        '"a","b"|"1","x""y"',
    ),
    ("('a=1', 'b=2' -join \"`n\" | ConvertFrom-StringData).b", "2"),
    ("Split-Path '/a/b/c.txt' -Leaf", "c.txt"),
    ("Split-Path '/a/b/c.txt'", "/a/b"),
    ("Join-Path '/a/' '/b'", "/a/b"),
    ("('one', 'two', 'three' | Select-String 't').Count", "2"),
    ("(Get-Date '2024-02-29' -Format 'yyyyMMdd')", "20240229"),
    ("(New-TimeSpan -Hours 25).Days", "1"),
    ("(New-Guid).ToString().Length", "36"),
    ("Test-Path env:PATH", "True"),
    ("$env:LAB_X = 'y'; (Get-Item env:LAB_X).Value", "y"),
    ("Get-Random -Maximum 100 -SetSeed 3", "29"),
    ("[pscustomobject]@{ a = 1 } | ForEach-Object GetType | ForEach-Object Name", "PSCustomObject"),
    ("class A { [int] m() { return 5 } }; [A]::new() | ForEach-Object M", "5"),
    ("'apple', 'banana' | Select-String an", "\nbanana"),
    ("Set-Content s.txt one, two; Select-String two s.txt", "\ns.txt:2:two"),
    (
        '$o = [pscustomobject]@{}; $o | Add-Member n 1; $o | Add-Member @{ x = 2 }; "$o"',
        "@{n=1; x=2}",
    ),
    (
        "try { 1 | Add-Member frob a b } catch { \"$($_.FullyQualifiedErrorId)\".Split(',')[0] }",
        "CannotConvertArgumentNoMessage",
    ),
]


@pytest.mark.parametrize(("script", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_cmdlet_gives_what_powershell_gives(script: str, expected: str, tmp_path: Path) -> None:
    ran = run(script, str(tmp_path))
    assert ran.errors == ""
    assert ran.output.rstrip("\n") == expected


def test_encodings_are_those_of_windows_powershell(tmp_path: Path) -> None:
    run(
        "'\u00e9' | Out-File a.txt; Set-Content b.txt '\u00e9'; '\u00e9' | Set-Content c.txt -Encoding UTF8",
        str(tmp_path),
        edition="Desktop",
    )
    assert (tmp_path / "a.txt").read_bytes() == b"\xff\xfe\xe9\0\r\0\n\0"
    assert (tmp_path / "b.txt").read_bytes() == b"\xe9\r\n"
    assert (tmp_path / "c.txt").read_bytes() == b"\xef\xbb\xbf\xc3\xa9\r\n"


def test_encodings_of_powershell_7_have_no_byte_order_mark(tmp_path: Path) -> None:
    run("'\u00e9' | Out-File a.txt; Set-Content b.txt '\u00e9' -Encoding utf8", str(tmp_path))
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "b.txt").read_bytes() == b"\xc3\xa9\n"


def test_json_has_the_layout_of_the_edition() -> None:
    script = "[ordered]@{ a = 1; b = @(1); c = '<x>' } | ConvertTo-Json"
    assert run(script, edition="Desktop").output == (
        '{\n    "a":  1,\n    "b":  [\n              1\n          ],\n    "c":  "\\u003cx\\u003e"\n}\n'
    )
    assert run(script).output == '{\n  "a": 1,\n  "b": [\n    1\n  ],\n  "c": "<x>"\n}\n'


def test_directories_are_copied_with_what_is_in_them(tmp_path: Path) -> None:
    script = (
        "New-Item -ItemType Directory -Force d/e | Out-Null; Set-Content d/e/f.txt x; Copy-Item d g -Recurse;"
        "Move-Item g/e/f.txt h.txt; Remove-Item d -Recurse; (Get-ChildItem -Recurse | % Name) -join ','"
    )
    assert run(script, str(tmp_path)).output == "g,h.txt,e\n"


def test_a_missing_file_is_an_error_that_does_not_end_the_script(tmp_path: Path) -> None:
    ran = run(
        "Get-Content nope.txt -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId",
        str(tmp_path),
    )
    assert ran.output == "PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand\n"


def test_archives_round_trip(tmp_path: Path) -> None:
    script = (
        "mkdir a/b | Out-Null; Set-Content a/b/c.txt hi; Compress-Archive a z.zip; Expand-Archive z.zip out;"
        "Get-Content out/a/b/c.txt"
    )
    assert run(script, str(tmp_path)).output == "hi\n"


def test_what_if_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("x")
    ran = run("Remove-Item keep.txt -WhatIf", str(tmp_path))
    assert 'What if: Performing the operation "Remove File"' in ran.output
    assert (tmp_path / "keep.txt").exists()


class Keys:
    """A registry hive in a dictionary."""

    name = "Registry"
    root = "HKEY_LOCAL_MACHINE"

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {"": {}, "SOFTWARE": {}}

    def exists(self, path: str) -> bool:
        return path in self.keys

    is_container = exists

    def get(self, path: str) -> Any:
        return PSObject(
            [("Name", f"{self.root}\\{path}")], type_names=["Microsoft.Win32.RegistryKey"]
        )

    def children(self, path: str) -> Iterator[str]:
        prefix = path + "\\" if path else ""
        names = [key[len(prefix) :] for key in self.keys if key and key.startswith(prefix)]
        return iter([name for name in names if name and "\\" not in name])

    def new(self, path: str, *, kind: str, value: Any, force: bool) -> Any:
        self.keys.setdefault(path, {})
        return self.get(path)

    def remove(self, path: str, *, recursive: bool) -> None:
        del self.keys[path]

    def get_property(self, path: str) -> dict[str, Any]:
        return self.keys[path]

    def set_property(self, path: str, name: str, value: Any, kind: str | None = None) -> None:
        self.keys[path][name] = value

    def remove_property(self, path: str, name: str) -> None:
        del self.keys[path][name]


class RegistryHost(PosixHost):
    def __init__(self) -> None:
        super().__init__()
        self.hive = Keys()

    def drive_provider(self, drive: str) -> Any:
        return self.hive if drive.upper() == "HKLM" else None


def test_registry_items_and_properties_go_to_the_provider() -> None:
    host = RegistryHost()
    script = r"""
New-Item HKLM:\SOFTWARE\Lab -Force | Out-Null
New-ItemProperty -Path HKLM:\SOFTWARE\Lab -Name Port -Value 80 -PropertyType DWord | Out-Null
Set-ItemProperty 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Lab' -Name Port -Value 81
(Get-ItemProperty HKLM:\SOFTWARE\Lab).Port
Test-Path HKLM:\SOFTWARE\Nope
(Get-ChildItem HKLM:\SOFTWARE).Name
(Get-ItemProperty HKLM:\SOFTWARE\Lab -Name Nope -ErrorAction SilentlyContinue) -eq $null
"""
    ran = run(script, host=host)
    assert ran.output == "81\nFalse\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Lab\nTrue\n"
    assert host.hive.keys["SOFTWARE\\Lab"] == {"Port": 81}


def test_a_drive_that_is_not_there_is_named() -> None:
    assert "A drive with the name 'HKLM' does not exist" in run("Get-Item HKLM:\\X").errors


def test_reading_from_a_person_is_an_error() -> None:
    assert "NonInteractive" in run("Read-Host 'who'").errors
