"""What the pages name is there: files, classes, commands, parameters, views, preflight ids, errors."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import yaml

import k8swin_nb
from k8swin_nb import __main__ as command_line
from k8swin_nb import errors
from k8swin_nb.description import Description
from k8swin_nb.notebook.notebook_parameters import NotebookParameters
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.phases.catalogue import PHASES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.glob("*.md")} - {DOCS / "lab.md"})
"""The lab's tests hold what is said of the lab."""

MADE = (
    "params/mine.yaml",
    "params/NAME.yaml",
    "params/mirror-artifacts.yaml",
    "runs/",
    "dist/",
    "reports/",
    "README.txt",
)
"""What a user makes."""

PATH = re.compile(r"[\w*-][\w./*-]*(?:/|\.(?:py|md|yaml|yml|sh|ps1|toml|txt|ipynb))")
SPAN = re.compile(r"`([^`\n]+)`")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def spans(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return SPAN.findall(text)


def defined(package: Path) -> set[str]:
    """Names of classes and functions, of methods and attributes as `Class.name`, and of constants."""
    names = set()
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names |= _names(node)
            if isinstance(node, ast.ClassDef):
                members = {name for inner in ast.walk(node) for name in _names(inner)}
                names |= {f"{node.name}.{member}" for member in members}
    return names


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target).removeprefix("self.")}
    if isinstance(node, ast.Assign):
        return {ast.unparse(target).removeprefix("self.") for target in node.targets}
    return set()


@every_page
def test_every_file_that_is_named_is_there(page):
    places = (ROOT, DOCS, ROOT / "k8swin_nb", ROOT / "lab", ROOT / "lab" / "k8swin_lab")
    for word in spans(page):
        if PATH.fullmatch(word) and word not in MADE:
            assert any(any(place.glob(word)) for place in places) or (
                "/" not in word and any((ROOT / "k8swin_nb").rglob(word))
            ), word


@pytest.mark.parametrize("page", ["architecture.md", "words.md", "api.md"])
def test_every_class_and_function_that_is_named_is_there(page):
    there = defined(ROOT / "k8swin_nb")
    code = re.compile(r"(?:[a-z_]+\.)?([A-Z][a-z]+[A-Za-z]*(?:\.\w+)?|[a-z]+_[a-z_]+)(?:\(\))?")
    named = [match[1] for word in spans(DOCS / page) if (match := code.fullmatch(word))]
    other = {*Description.model_fields, *NotebookParameters.__dataclass_fields__}
    other |= {
        "Event",
        "pod_routes",
        "would_write",
    }  # of Python's threading; of the shared functions in bash
    assert named
    assert [name for name in named if name not in there and name not in other] == []


def test_what_the_interface_gives_away_is_what_its_page_shows():
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    for name in re.findall(r"\bk8s\.(\w+)", page):
        assert name in k8swin_nb.__all__, name


def test_the_table_of_errors_has_every_error():
    table = (DOCS / "api.md").read_text(encoding="utf-8").partition("| error | when |")[2]
    named = set(re.findall(r"`([A-Z]\w+)`", table.partition("```")[0]))
    ours = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.K8swinError)
    }
    assert named == ours - {"K8swinError", "UnexpectedError"}


@every_page
def test_every_command_is_one(page):
    for line in re.findall(r"(?:^    |`)(k8swin [^`\n]+)", page.read_text(encoding="utf-8"), re.M):
        words = shlex.split(line.partition("  ")[0].partition(" ... ")[0])[1:]
        if words[0] in command_line.OF_THE_LAB or words[0].startswith("-"):
            continue
        options = [word for word in words if word.startswith("--")]
        (commands,) = command_line._parser()._subparsers._group_actions
        assert words[0] in commands.choices, line
        help_text = commands.choices[words[0]].format_help()
        if words[0] == "audit":
            (verbs,) = commands.choices["audit"]._subparsers._group_actions
            assert words[1] in verbs.choices, line
            help_text = verbs.choices[words[1]].format_help()
        if words[0] != "hostkey":
            assert [option for option in options if option not in help_text] == [], line


@every_page
def test_every_target_of_make_is_one(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^    |`)make ([a-z][\w-]*)", page.read_text("utf-8"), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_keys_of_a_site_without_the_internet_are_parameters():
    text = (DOCS / "offline.md").read_text(encoding="utf-8")
    keys = set(yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0]))
    keys |= {word.partition(":")[0] for word in re.findall(r"`([a-z]+_[a-z_]+(?:: \w+)?)`", text)}
    assert keys <= set(Description.model_fields)


@every_page
def test_every_view_that_is_named_is_one(page):
    views = {name for phase in PHASES for name in phase.views}
    for name in re.findall(r"\bphase\.(\w+)\(", page.read_text(encoding="utf-8")):
        assert name in views or hasattr(PhaseView, name), name


def test_the_page_of_the_preflight_has_every_check():
    page = (DOCS / "preflight.md").read_text(encoding="utf-8")
    sources = [
        *(ROOT / "k8swin_nb" / "scripts").glob("*/preflight.check.*"),
        *(ROOT / "k8swin_nb" / "phases" / "preflight").glob("*.py"),
    ]
    ident = re.compile(r"\b([LW]\d\d|X\d)\b")
    looked_at = {found for path in sources for found in ident.findall(path.read_text("utf-8"))}
    tables = {
        found
        for row in re.findall(r"^\| ([LW]\d\d(?: [LW]\d\d)*) \|", page, re.M)
        for found in row.split()
    }
    assert {found for found in looked_at if found[0] != "X"} == tables
    assert {found for found in looked_at if found[0] == "X"} <= set(ident.findall(page))
