"""docs/api.md: its examples run as they stand, one after the other, on a built cluster."""

import re

import pytest
import yaml

from tests.conftest import ROOT

pytestmark = [pytest.mark.notebook, pytest.mark.timeout(600)]

EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_of_the_page_runs(built, tmp_path, monkeypatch, capsys):
    lab, _ = built
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(lab.description()))
    monkeypatch.chdir(tmp_path)
    examples = EXAMPLE.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
    assert len(examples) > 5
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, "docs/api.md", "exec"), names)
    told = capsys.readouterr().out
    assert "swap linuxmaster ok" in told
    assert "no host or group is named `winworker9`\ndid you mean `winworker" in told
    assert list((tmp_path / "runs").iterdir()), "the record is not where the program runs"
