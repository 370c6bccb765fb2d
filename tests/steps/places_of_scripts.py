"""Which places of a host the scripts write to, move or remove: worked out from the scripts' own text.

A place is what a command that changes files is given. What is in a variable is looked up where the script sets it;
what cannot be found that way has to be declared by whoever tests, under the script's name and its own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from k8swin_nb.scripts import functions, names

BASH_CHANGES = re.compile(
    r"(?:^|[;&|(]|\bthen\b|\bdo\b|\belse\b|-exec)\s*(?:timeout \S+ )?"
    r"(?P<command>rm|mv|cp|install|rmdir|mkdir|touch|ln|tee|sed -i|chmod|chown|write_file|take_back|"
    r"forget_written|put_back|keep_found|note_written|tar|gpg|curl)\b(?P<rest>[^;|&<>\n]*)"
)
BASH_REDIRECTION = re.compile(r"(?<![<\d&])>>?\s*(?P<to>\"[^\"\n]*\"|[^\s;|&<>()]+)")
BASH_FIND = re.compile(r"\bfind\s+(?P<from>\"[^\"]*\"|\S+)[^\n|]*(?:-delete|-exec rm)")
WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s]+")
ASSIGNMENT = re.compile(
    r"^\s*(?:local )?(?P<name>\w+)=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s;]*)", re.M
)
LOOP = re.compile(r"\bfor (?P<name>\w+) in (?P<values>[^;\n]+)")
VARIABLE = re.compile(r"\$\{?(\w+)(?:%/\*)?\}?")

POWERSHELL_CHANGES = re.compile(
    r"\b(?P<command>Set-Content|Add-Content|Remove-Item|Move-Item|Copy-Item|New-Item|Write-OwnFile|Save-Found|"
    r"Restore-Found|Protect-File|Remove-File|Remove-Tree|WriteAllText|WriteAllBytes|AppendAllText|Delete|Add-Written|"
    r"New-KeptFolder)\b(?![-=])(?P<rest>[^\n;|]*)"
)
POWERSHELL_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[A-Z]:\\[^\s,)]*|\$[\w.]+(?:\([^)]*\))?")
POWERSHELL_ASSIGNMENT = re.compile(
    r"^\s*\$(?P<name>\w+) = (?P<value>'[^'\n]*'|\"[^\"\n]*\"|Join-Path [^\n]*)", re.M
)
POWERSHELL_LOOP = re.compile(r"foreach \(\$(?P<name>\w+) in (?P<values>[^)\n]*)\)")
POWERSHELL_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
KNOWN = {"$env:ProgramFiles": r"C:\Program Files", "$env:ProgramData": r"C:\ProgramData"}


WHERE_A_PERSON_SAYS = (
    "file_put.apply",
    "small_files_put.apply",
    "file_part.apply",
    "detached.apply",
    "detached.job",
    "detached_gone.apply",
)
"""Scripts of no step: they write where a person at the desk says, or into a folder of the login's own, and what they find
there is kept by themselves. tests/wire/test_host_files.py and tests/transports/test_tools.py try them."""


FUNCTIONS_OF_A_PERSON = ("put_file",)
"""Functions that those scripts alone use."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in a script's text: one path, or a spelling that nothing in the script makes one."""

    script: str
    text: str

    @property
    def found(self) -> bool:
        return self.text.startswith("/") or bool(re.match(r"[A-Z]:\\", self.text))


def changing(system: str) -> list[str]:
    """The scripts of a system that change something, and its file of functions, which they do it with."""
    return [f"{system}/functions.{'sh' if system == 'linux' else 'ps1'}"] + [
        name
        for name in names()
        if name.startswith(f"{system}/")
        and (".apply." in name or ".job." in name)
        and name.partition("/")[2].rpartition(".")[0] not in WHERE_A_PERSON_SAYS
    ]


def places(name: str) -> set[Place]:
    """Return what a script may change, a place for each spelling in it."""
    text = (
        resources.files("k8swin_nb.scripts").joinpath(*name.split("/")).read_text(encoding="utf-8")
    )
    shell = name.endswith(".sh")
    parts = [text]
    if "/functions." in name:
        # What a variable is in one function says nothing of another.
        read = functions.read(text, "bash" if shell else "powershell")
        parts = [part for of, part in read.items() if of not in FUNCTIONS_OF_A_PERSON]
    return {Place(name, one) for part in parts for one in (_bash if shell else _powershell)(part)}


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#.*$|\s# .*$", "", text)


def _bash(text: str) -> Iterator[str]:
    body = re.sub(r"(?s)<<'(\w+)'\n.*?\n\1\n", "\n", _without_comments(text)).replace("\\\n", " ")
    values: dict[str, set[str]] = {}
    for match in ASSIGNMENT.finditer(body):
        values.setdefault(match["name"], set()).add(match["value"].strip("\"'"))
    for match in LOOP.finditer(body):
        values.setdefault(match["name"], set()).update(
            w.strip("\"'") for w in WORD.findall(match["values"])
        )
    for line in body.splitlines():
        words: list[str] = []
        for match in BASH_CHANGES.finditer(line):
            given = WORD.findall(match["rest"])
            if match["command"] == "tar":
                given = given[given.index("-C") + 1 :][:1] if "-C" in given else []
            if match["command"] in ("gpg", "curl"):
                given = given[given.index("-o") + 1 :][:1] if "-o" in given else []
            words += [
                w for w in given if not w.startswith("-") and not re.fullmatch(r"[0-7]{4}", w)
            ]
        words += [match["to"] for match in BASH_REDIRECTION.finditer(line)]
        words += [match["from"] for match in BASH_FIND.finditer(line)]
        for word in words:
            # The words of a command in brackets are looked at by themselves, and patterns are no places.
            if ("/" in word or "$" in word) and not word.strip("\"'").startswith(("$(", "s/")):
                yield from _expanded(word.strip("\"')"), values, VARIABLE)


def _powershell(text: str) -> Iterator[str]:
    body = re.sub(r"(?s)<#.*?#>", "", text)
    body = re.sub(r"(?m)^\s*#.*$", "", body)
    values: dict[str, set[str]] = {}

    def literal(value: str) -> str:
        joined = re.match(r"Join-Path (\S+) '([^']*)'", value)
        if joined:
            return KNOWN.get(joined[1], joined[1]) + "\\" + joined[2]
        value = value.strip("\"'")
        for name, path in KNOWN.items():
            value = value.replace(name, path)
        return value

    for match in POWERSHELL_ASSIGNMENT.finditer(body):
        values.setdefault(match["name"], set()).add(literal(match["value"]))
    for match in POWERSHELL_LOOP.finditer(body):
        listed = re.findall(r"'([^']*)'", match["values"])
        if listed:
            values.setdefault(match["name"], set()).update(listed)
    for match in POWERSHELL_CHANGES.finditer(body):
        words = POWERSHELL_WORD.findall(
            re.split(r" -(?:Value|ItemType|PropertyType)\b", match["rest"])[0]
        )
        # Of most commands the first is the place; two have one more, where something goes.
        for word in words[: 2 if match["command"] in ("Move-Item", "Copy-Item") else 1]:
            spelt = literal(word)
            if ("\\" in spelt or spelt.startswith("$")) and not spelt.startswith("HKLM:"):
                yield from _expanded(spelt, values, POWERSHELL_VARIABLE)


def _expanded(
    word: str, values: dict[str, set[str]], variable: re.Pattern[str], depth: int = 0
) -> Iterator[str]:
    """Yield what a word may be, with variables that the script sets to a text in their place."""
    for match in variable.finditer(word):
        if depth < 4 and match[1] in values and match[1].lower() != "env":
            for value in sorted(values[match[1]]):
                if value.startswith("$(") or f"${match[1]}" in value:
                    break
                text = value.rpartition("/")[0] if "%/*" in match[0] else value
                yield from _expanded(word.replace(match[0], text), values, variable, depth + 1)
            else:
                return
            break
    if word:
        yield word
