"""Both distributions declare what they import, and nothing that they do not use."""

import ast
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

HOUSES = {"k8swin_nb": ROOT, "k8swin_lab": ROOT / "lab"}
"""Package, and the folder with its pyproject.toml."""

USED_OTHERWISE = {
    "ipykernel": "papermill starts it, by the name `python3` that notebooks give",
    "jupyterlab": "the front end, which a person starts",
    "gssapi": "pyspnego's, for Kerberos",
    "krb5": "pyspnego's, for Kerberos",
}
"""Declared and not imported, and why."""

USERS = (
    "fabric", "ipython", "ipywidgets", "jupyterlab", "kubernetes", "pandas", "papermill", "pywinrm",
)  # fmt: skip
"""What the default installation brings to whoever works at a desk."""


def normal(name):
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(package, *extras):
    """Return names of distributions by their requirement: the dependencies, and those of extras."""
    project = tomllib.loads((HOUSES[package] / "pyproject.toml").read_text())["project"]
    added = project.get("optional-dependencies", {})
    texts = [*project["dependencies"], *(text for extra in extras for text in added[extra])]
    return {normal(re.match(r"[\w.-]+", text)[0]): text for text in texts}


def imported(package):
    """Return the distributions that a package imports anywhere, also inside its functions."""
    providers = packages_distributions()
    found = set()
    for path in (HOUSES[package] / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            found |= {name.partition(".")[0] for name in names}
    found -= {*sys.stdlib_module_names, package}
    # What is not installed here, such as an extra, is called as its module is.
    return {normal(providers.get(name, [name])[0]) for name in found}


@pytest.mark.parametrize(
    ("package", "extras"),
    [("k8swin_nb", ("desk", "keyring", "kerberos")), ("k8swin_lab", ("workshop",))],
)
def test_what_is_imported_is_declared_and_the_other_way_round(package, extras):
    wanted = declared(package, *extras)
    assert imported(package) - set(wanted) == set()
    assert set(wanted) - imported(package) - set(USED_OTHERWISE) == set()


def test_a_desk_has_all_that_its_users_asked_for():
    assert set(USERS) <= set(declared("k8swin_nb", "desk"))


def test_a_run_without_a_front_end_takes_no_front_end():
    assert {"ipywidgets", "jupyterlab"}.isdisjoint(declared("k8swin_nb"))


@pytest.mark.parametrize("package", sorted(HOUSES))
def test_every_requirement_says_from_where_to_where_it_was_tried(package):
    for name, text in declared(package).items():
        assert ">=" in text, text
        assert "<" in text or name == "cryptography", text


def test_the_versions_that_were_tried_are_allowed_and_complete():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    tried = {normal(name): version for name, version in pinned.items()}
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    texts = [
        *declared("k8swin_nb", "desk", "kerberos").values(),
        *declared("k8swin_lab").values(),
        *group,
    ]
    for requirement in map(Requirement, texts):
        assert tried[normal(requirement.name)] in requirement.specifier, requirement


def test_the_versions_that_were_tried_go_together_and_leave_nothing_open():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tried = {
        normal(n): v for n, v in (line.split("==") for line in lines if not line.startswith("#"))
    }
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    open_ = [*declared("k8swin_nb", "desk").values(), *declared("k8swin_lab").values(), *group]
    seen = set()
    while open_:
        requirement = Requirement(open_.pop())
        name, extras = normal(requirement.name), tuple(sorted(requirement.extras))
        assert name in tried, f"{requirement} is pinned nowhere: run `make constraints`"
        assert tried[name] in requirement.specifier, f"{requirement}, pinned is {tried[name]}"
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            needs = requires(requirement.name) or []
        except PackageNotFoundError:
            continue  # not installed here; whoever installs it with these constraints finds out
        for text in needs:
            marker = Requirement(text).marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in (*extras, "")):
                open_.append(text.partition(";")[0])


def test_both_distributions_are_under_one_licence_and_one_number():
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert (ROOT / "lab" / "LICENSE").read_text() == licence
    for folder in HOUSES.values():
        document = tomllib.loads((folder / "pyproject.toml").read_text())
        assert document["project"]["license"] == "Apache-2.0"
        source = folder / document["tool"]["hatch"]["version"]["path"]
        assert source.resolve() == ROOT / "k8swin_nb" / "__init__.py"
