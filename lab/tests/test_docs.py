"""What the lab's pages name is there: files, names in code, faults, commands, the number of recorded cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from k8swin_lab import cli, faults

LAB = Path(__file__).parents[1]
ROOT = LAB.parent
PACKAGE = LAB / "k8swin_lab"
ABOUT = ROOT / "docs" / "lab.md"
PAGES = [ABOUT, LAB / "README.md", LAB / "docs" / "architecture.md"]
MADE = ("params.yaml", ".k8swin/lab", ".k8swin/reach/unreached.json", "daemon.json", "snapshots/")
"""What the lab or one of its machines writes."""

PATH = re.compile(r"\.?[a-z][\w./*-]*(?:/|\.(?:py|md|yaml|json|toml|txt))")
NAME = re.compile(r"(?:\w+\.)*(_?[A-Z][A-Za-z_]+|[a-z]+_[a-z_]+)(?:\(\w*\))?")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def spans(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", text)


@every_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for word in spans(page):
        if PATH.fullmatch(word) and word not in MADE:
            here = [any(place.glob(word)) for place in (ROOT, LAB, PACKAGE)]
            assert any(here) or ("/" not in word and any(LAB.rglob(word))), word


@every_page
def test_every_link_resolves(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_name_of_the_architecture_page_is_defined() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    for word in spans(LAB / "docs" / "architecture.md"):
        if match := NAME.fullmatch(word):
            name = re.escape(match[1])
            assert re.search(rf"^ *(?:class|def) {name}\b|^{name}\b.* = ", code, re.M), word


def test_every_fault_is_told_of() -> None:
    told = ABOUT.read_text(encoding="utf-8").partition("## Faults")[2].partition("\n## ")[0]
    named = {word.split()[0] for word in re.findall(r"`([a-z][^`]*)`", told)}
    assert named - {"k8swin"} == set(faults.KNOWN)


@every_page
def test_every_command_is_one(page: Path) -> None:
    help_text = cli._parser().format_help()
    for command in re.findall(r"k8swin lab ([a-z]+)", page.read_text(encoding="utf-8")):
        assert re.search(rf"\b{command}\b", help_text), command


def test_the_recorded_cases_are_counted() -> None:
    data = LAB / "tests" / "data"
    bash = len(list((data / "bash").glob("*.sh")))
    cases = len(list((data / "powershell").glob("*/*.ps1")))
    lines = (data / "powershell" / "known-failures.txt").read_text().splitlines()
    differ = sum(1 for line in lines if line.strip() and not line.startswith("#"))
    page = ABOUT.read_text(encoding="utf-8")
    assert f"| {bash} bash scripts" in page
    assert re.search(rf"\| {cases} PowerShell scripts [^|]*\| {cases - differ} \|", page)
