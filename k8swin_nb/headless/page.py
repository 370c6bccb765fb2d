"""One HTML page of a whole run: its outcomes first, then every executed notebook in full."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from k8swin_nb.tables import table_html
from k8swin_nb.workflow.report import COLUMNS, outcome_mark
from k8swin_nb.workflow.step import Outcome


def write_page(folder: Path, notebooks: Sequence[Path]) -> Path:
    """Write `index.html` into a run's folder and return its path.

    The page is one file: no script or style is fetched from elsewhere when it is opened.
    """
    from nbconvert import HTMLExporter

    events = _events(folder / "events.jsonl")
    merged = nbformat.v4.new_notebook()
    merged.cells.append(nbformat.v4.new_markdown_cell(_contents(folder.name, events, notebooks)))
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        merged.cells.append(nbformat.v4.new_markdown_cell(f'<a id="{path.stem}"></a>\n\n---'))
        for cell in notebook.cells:
            # Ids are unique in a notebook, not between them.
            cell["id"] = f"{path.stem}-{cell.get('id', '')}"[:64]
            merged.cells.append(cell)
    merged.metadata["title"] = f"Run {folder.name}"
    exporter = HTMLExporter(
        template_name="lab", mathjax_url="", require_js_url="", mermaid_js_url=""
    )
    body, _ = exporter.from_notebook_node(merged)
    page = folder / "index.html"
    page.write_text(body, encoding="utf-8")
    page.chmod(0o600)
    return page


def _events(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _contents(run_id: str, events: list[dict[str, Any]], notebooks: Sequence[Path]) -> str:
    opened = [event for event in events if event["event"] == "notebook-opened"]
    steps = [event for event in events if event["event"] == "step"]
    counts = Counter(event["outcome"] for event in steps)
    recap = ", ".join(f"{counts[o]} {o}" for o in map(str, Outcome) if counts[o]) or "nothing ran"
    who = (
        html.escape(f"{opened[0]['operator']} on {opened[0]['controller']}")
        if opened
        else "unknown"
    )
    when = f"{events[0]['time']} to {events[-1]['time']}" if events else "no events"
    links = "\n".join(f"- [{path.stem}](#{path.stem})" for path in notebooks)
    table = table_html("", ("notebook", *COLUMNS), map(_row, steps))
    return f"# Run {run_id}\n\n{recap}; by {who}, {when}.\n\n{links}\n\n{table}"


def _row(event: dict[str, Any]) -> tuple[object, ...]:
    return (
        event["notebook"],
        event["step"],
        event["host"],
        outcome_mark(Outcome(event["outcome"])),
        f"{event['seconds']:.1f}",
        event["detail"],
    )
