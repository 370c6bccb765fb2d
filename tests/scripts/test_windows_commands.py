"""Every .ps1 calls only commands and parameters that Windows PowerShell 5.1 has on Server 2019, 2022 and 2025.

The lab's parser reads the scripts, so this runs everywhere; the names are data with sources.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from k8swin_lab.powershell import ast
from k8swin_lab.powershell.parser import parse

from k8swin_nb.scripts import Script, names

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = {name: Script.load(name).text for name in names() if name.endswith(".ps1")} | {
    path.name: path.read_text() for path in (ROOT / "k8swin_nb" / "transports").glob("*.ps1")
}
DOCUMENT = ROOT / "docs" / "windows-commands.md"
DATA = ROOT / "tests" / "data" / "windows-powershell-5.1.txt"

# https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_commonparameters
COMMON = frozenset(
    [
        "debug",
        "erroraction",
        "errorvariable",
        "informationaction",
        "informationvariable",
        "outbuffer",
        "outvariable",
        "pipelinevariable",
        "verbose",
        "warningaction",
        "warningvariable",
        "whatif",
        "confirm",
    ]
)
# Of CIM commands, which are generated from a schema: about_CimSession and about_Jobs.
OF_CIM = frozenset({"cimsession", "throttlelimit", "asjob"})
# In every session of 5.1: about_Aliases; prompt and the like are not for scripts.
ALIASES = {"foreach": "ForEach-Object", "where": "Where-Object"}

WORDS = re.compile(r"`([^`]+)`")


def documented() -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """Return the two tables of the page: commands with parameters, and programs."""
    commands: dict[str, frozenset[str]] = {}
    programs = set()
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `"):
            continue
        assert "https://" in cells[-1], f"{cells[0]} has no source"
        (name,) = WORDS.findall(cells[0])
        if len(cells) == 4:
            commands[name.lower()] = frozenset(word.lower() for word in WORDS.findall(cells[1]))
        else:
            programs.add(name.lower())
    return commands, frozenset(programs)


def known() -> dict[str, frozenset[str]]:
    """Return every command with its parameters, in lower case."""
    commands = {}
    for line in DATA.read_text().splitlines():
        if not line.startswith(("#", "[")):
            name, *parameters = line.lower().split()
            commands[name] = frozenset(parameters)
    return commands | documented()[0]


KNOWN = known()
PROGRAMS = documented()[1]


def nodes(tree: Any) -> Iterator[Any]:
    """Walk everything below a node."""
    waiting = [tree]
    seen = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
        elif dataclasses.is_dataclass(node) and not isinstance(node, type | ast.Source):
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            waiting.extend(getattr(node, field.name) for field in dataclasses.fields(node))


def fits(given: str, parameters: frozenset[str]) -> bool:
    """Return whether a parameter is there in full, or is the beginning of exactly one."""
    name = given.lower().rstrip(":")
    if name in parameters:
        return True
    return len([p for p in parameters if p.startswith(name)]) == 1


def problems(text: str) -> list[str]:
    """Return what a script calls that is not there."""
    tree = parse(text)
    everything = list(nodes(tree))
    own = {node.name.lower() for node in everything if isinstance(node, ast.Function)}
    found = []
    for node in everything:
        if not isinstance(node, ast.Command):
            continue
        first = node.elements[0]
        if isinstance(first, ast.ExpandString | ast.Constant):
            name = str(getattr(first, "value", "") or getattr(first, "text", "") or literal(first))
        else:
            continue  # a variable or a block: what it holds is the script's own
        name = ALIASES.get(name.lower(), name)
        if name.lower() in own:
            continue
        if name.lower().endswith(".exe"):
            if re.split(r"[\\/]", name.lower())[-1] not in PROGRAMS:
                found.append(f"no program `{name}`")
            continue
        parameters = KNOWN.get(name.lower())
        if parameters is None:
            found.append(f"no command `{name}`")
            continue
        for element in node.elements[1:]:
            if isinstance(element, ast.CommandParameter) and not fits(
                element.name, parameters | COMMON | OF_CIM
            ):
                found.append(f"`{name}` has no parameter `-{element.name}`")
    return found


def literal(node: Any) -> str:
    """Return the text that an expandable string ends with, such as `\\containerd.exe`."""
    return "".join(part for part in getattr(node, "parts", ()) if isinstance(part, str))


def test_what_programs_say_on_standard_error_is_taken_as_text():
    """Formatted, as by Out-String, a line is an error with place and category in 5.1: PowerShell#4002, about_Redirection."""
    merged = [
        (name, line.strip())
        for name, text in SCRIPTS.items()
        for line in text.splitlines()
        if "2>&1" in line
        and not re.search(r"2>&1 \| (ForEach-Object \{ \[string\]\$_ \}|Out-Null)", line)
    ]
    assert merged == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_calls_only_what_windows_powershell_has(name):
    assert problems(SCRIPTS[name]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Get-Servise -Name x", "no command `Get-Servise`"),
        ("if ($true) { Get-Process | ForEach-Object { Get-Nothing } }", "no command `Get-Nothing`"),
        ("Get-Content -Path x -AsByteStream", "`Get-Content` has no parameter `-AsByteStream`"),
        ("Test-Connection -TargetName x", "`Test-Connection` has no parameter `-TargetName`"),
        ("$a = @(Get-Item x -Nope:$true)", "`Get-Item` has no parameter `-Nope`"),
        ("ConvertFrom-Json -AsHashtable '{}'", "`ConvertFrom-Json` has no parameter `-AsHashtable`"),
        ("& wget.exe https://example.com", "no program `wget.exe`"),
        ('& "$env:ProgramFiles\\x\\unknown.exe" -a', "no program `\\x\\unknown.exe`"),
        ("function f { Get-Uptime }", "no command `Get-Uptime`"),
        ("ls C:\\", "no command `ls`"),
        ("Get-HnsNetwork -Nope", "`Get-HnsNetwork` has no parameter `-Nope`"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(text, problem):
    assert problems(text) == [problem]


def test_own_functions_common_parameters_and_unique_beginnings_are_accepted():
    text = "function Write-Thing { 1 }\nWrite-Thing -Anything\nGet-Service x -ErrorAction Stop\nGet-ChildItem -Rec x"
    assert problems(text) == []


def test_a_beginning_that_could_be_two_parameters_is_refused():
    assert problems("Get-ChildItem -F x") == ["`Get-ChildItem` has no parameter `-F`"]
