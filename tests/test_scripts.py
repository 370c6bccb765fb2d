from __future__ import annotations

import json

import pytest

from k8swin_nb.errors import ScriptError
from k8swin_nb.scripts import Script, names
from k8swin_nb.shells import bash_input, powershell_command, powershell_input, powershell_loader

ALL = names()


@pytest.mark.parametrize("name", ALL)
def test_every_script_says_what_it_does(name: str) -> None:
    script = Script.load(name)
    assert len(script.summary) > 15
    assert script.name == name and len(script.sha256) == 64
    assert not script.text.startswith("\ufeff") and "\r" not in script.text


@pytest.mark.parametrize("name", [name for name in ALL if name.endswith(".sh")])
def test_every_bash_variable_in_capitals_is_declared_or_set(name: str) -> None:
    script = Script.load(name)
    declared = {parameter.name for parameter in script.parameters}
    assert script.text.count(': "${') == len(declared)


def test_a_bash_script_declares_its_parameters() -> None:
    script = Script.load("linux/apt_sources.check.sh")
    by_name = {parameter.name: parameter for parameter in script.parameters}
    assert by_name["KUBERNETES_VERSION"].required
    assert by_name["KUBERNETES_VERSION"].help == "for example 1.36.4"
    assert not by_name["RUNTIME_APT_SOURCE"].required
    assert by_name["RUNTIME_APT_SOURCE"].default == ""


POWERSHELL = """\
#requires -Version 5.1
using namespace System.IO
<#
.SYNOPSIS
Does a thing
in two lines.
.PARAMETER Name
param( in help is no block
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    # one, two
    [Parameter(Mandatory = $true, HelpMessage = 'a, b)')]
    [ValidateSet('a', "b$(1 + 1)")]
    [string] $Name,
    [Parameter(Mandatory)] [int]$Count,
    [Parameter(Mandatory = $false)] [int]$Port = (80 + 1), [switch]$Force,
    [string[]]$List = @('x', 'y'),
    $Plain = "a, )`" b"
)
function Inner { param([string]$NotMine) }
"""


def test_a_powershell_block_is_read_with_strings_comments_and_brackets() -> None:
    script = Script.from_text(POWERSHELL, "powershell")
    assert [(p.name, p.type, p.required, p.default) for p in script.parameters] == [
        ("Name", "string", True, None),
        ("Count", "int", True, None),
        ("Port", "int", False, "(80 + 1)"),
        ("Force", "switch", False, None),
        ("List", "string[]", False, "@('x', 'y')"),
        ("Plain", "object", False, '"a, )`" b"'),
    ]
    assert script.summary == "Does a thing in two lines."


@pytest.mark.parametrize(
    "text", ["Get-Service", "param()", "function F { param($X) }", "'param($X)'", "# param($X)", ""]
)
def test_a_script_without_a_block_of_its_own_declares_nothing(text: str) -> None:
    assert Script.from_text(text, "powershell").parameters == ()


def test_values_are_checked_against_the_declarations() -> None:
    script = Script.from_text(
        "param([Parameter(Mandatory)]$NodeName, $Port)", "powershell", "x.ps1"
    )
    assert script.bind({"nodename": "a"}) == {"NodeName": "a"}
    with pytest.raises(ScriptError, match="needs `NodeName`") as caught:
        script.bind({"NodName": "a"})
    assert "does not declare `NodName`" in str(caught.value)
    assert "did you mean `NodeName`" in (caught.value.hint or "")
    with pytest.raises(ScriptError, match="does not declare"):
        Script.from_text(': "${A:=}"', "bash").bind({"a": "1"})


@pytest.mark.parametrize(
    "name",
    [
        "linux/swp.check.sh",
        "linux/none",
        "../scripts/linux/swap.check.sh",
        "/etc/passwd",
        "__init__.py",
    ],
)
def test_a_script_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ScriptError):
        Script.load(name)


def test_a_misspelt_script_is_suggested() -> None:
    with pytest.raises(ScriptError) as caught:
        Script.load("linux/swp.check.sh")
    assert "linux/swap.check.sh" in (caught.value.hint or "")


def test_a_script_shows_itself_as_text_and_highlighted() -> None:
    script = Script.load("linux/swap.check.sh")
    assert script.text in repr(script.show())
    assert "<span style=" in script._repr_html_()


def test_the_powershell_command_is_constant_but_for_its_tag_and_reads_its_own_input() -> None:
    program, arguments = powershell_command("k8swin-check-r1-7f3a")
    line = " ".join([program, *arguments])
    assert len(line) < 400 and line.count("k8swin-check-r1-7f3a") == 1
    # cmd.exe, which stands between, would take these for its own.
    assert not set("%^!<>|&\n") & set(line) and line.count('"') == 2
    # The host would read standard input itself if it found this name.
    assert "$input" not in (line + powershell_loader()).lower()
    for tag in ("", "a b", "a';exit 0;'", 'a"b', "ä"):
        with pytest.raises(ScriptError, match="one word"):
            powershell_command(tag)


def test_the_powershell_document_is_ascii_and_holds_the_loader() -> None:
    script = Script.from_text("'Grüße 🐎'", "powershell")
    sent = powershell_input(script, {"A": "ü"}, {}, "ß".encode(), word="w")
    assert sent.isascii() and sent.count(b"\n") == 1
    assert json.loads(sent)["loader"] == powershell_loader()


def test_bash_is_sent_fields_that_end_in_a_nul_byte() -> None:
    script = Script.from_text("echo", "bash")
    assert bash_input(script, {"A": "1"}, {}, b"in") == b"A=1\0\0\0\0echo\0in"
