"""The grammar of internationalised addresses: a run of notebooks does not pay for it, and who asks gets its answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import k8swin_nb.headless.page
assert "jsonschema" in sys.modules and "rfc3987_syntax.syntax_helpers" not in sys.modules, "it was built"
import jsonschema
checks = jsonschema.Draft7Validator.FORMAT_CHECKER
assert checks.conforms("http://b\\u00fccher.example/", "iri") and not checks.conforms("no address", "iri")
from rfc3987_syntax import parse
"""


def test_the_grammar_of_addresses_is_built_when_a_schema_asks_for_one_and_not_before() -> None:
    pytest.importorskip("rfc3987_syntax")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
