"""The page of acceptance checks, written from data: `python -m tests.acceptance`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "acceptance.md"
DATA = ROOT / "tests" / "data" / "acceptance.yaml"

HEAD = """\
# Acceptance checks

What a cluster and this tool are held to, and where. A test is named as `FILE::NAME`; a step of a notebook proves it
on the machines themselves, by reading back. What ran only against the lab has not been tried on real Windows machines.
This page is written by `python -m tests.acceptance` from `tests/data/acceptance.yaml`.

| | check | held by |
|---|---|---|
"""


def checks() -> list[dict[str, Any]]:
    """Return the checks in order."""
    read: list[dict[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return read


def page() -> str:
    """Return the page."""
    rows = []
    for check in checks():
        held = "<br>".join(f"`{name}`" for name in check["held"])
        rows.append(f"| {check['number']} | {check['claim']} | {held or 'nothing by itself yet'} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
