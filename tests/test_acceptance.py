"""The page of acceptance checks names only what is there."""

import ast
from functools import cache

import pytest

from k8swin_nb.phases.catalogue import PHASES
from tests.acceptance import PAGE, ROOT, STRENGTHS, checks, page, strength


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_there(name: str) -> bool:
    file, _, test = name.partition("::")
    if test:
        return (ROOT / file).exists() and test.startswith("test_") and test in functions_in(file)
    phase, _, step = name.partition("/")
    return any(p.name == phase and step in {s.name for s in p.steps} for p in PHASES)


@pytest.mark.parametrize("check", checks(), ids=lambda check: str(check["number"]))
def test_everything_that_holds_a_check_is_there(check):
    assert [name for name in check["held"] if not is_there(name)] == []


def test_every_check_has_its_number():
    assert [check["number"] for check in checks()] == list(range(1, len(checks()) + 1))


def test_the_page_says_what_the_data_say():
    assert PAGE.read_text() == page(), "run `python -m tests.acceptance`"


@pytest.mark.parametrize(
    "name",
    ["tests/test_plan.py::test_nothing", "tests/none.py::test_x", "02_master/none", "09_none/swap"],
)
def test_what_is_not_there_is_noticed(name):
    assert not is_there(name)


def test_every_check_says_by_what_it_was_held():
    assert {strength(name) for check in checks() for name in check["held"]} <= set(STRENGTHS)
    with pytest.raises(LookupError, match="BY_PLACE"):
        strength("elsewhere/test_x.py::test_y")
