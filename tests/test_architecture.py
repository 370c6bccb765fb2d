"""The house: light imports, small modules, packages that say what they are for, docs that are true."""

import ast
import datetime
import re
import subprocess
import sys
from pathlib import Path

import pytest

import k8swin_nb

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "k8swin_nb"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("pandas", "ipywidgets", "kubernetes", "fabric", "paramiko", "winrm", "papermill")
LINES = 500


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import k8swin_nb").isdisjoint((*HEAVY, "IPython"))


def test_loading_the_extension_loads_nothing_heavy():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'k8swin_nb')"
    )
    assert loaded_after(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_is_explained_and_of_a_size_to_be_read(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= LINES


def test_nothing_is_left_to_do():
    for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]:
        if path != Path(__file__):
            assert not re.search(r"\b(TODO|FIXME)\b", path.read_text(encoding="utf-8")), path


def test_the_changelog_and_the_package_agree():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    version, _, day = headings[1].partition(" - ")
    assert version == k8swin_nb.__version__
    assert datetime.date.fromisoformat(day)


def test_the_readmes_commands_exist():
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^    make ([\w-]+)$", readme, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets[:2] == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_link_of_the_docs_resolves():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_command_of_the_readme_is_one():
    parser = subprocess.run(
        [sys.executable, "-m", "k8swin_nb", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in re.findall(r"(?<!%)\bk8swin (\w+)", (ROOT / "README.md").read_text()):
        assert command in parser, command
