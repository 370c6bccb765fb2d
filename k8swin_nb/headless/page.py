"""One HTML page of a whole run: its outcomes first, then every executed notebook in full.

Nothing that a host said becomes Markdown here: the outcomes are HTML, and the page carries a policy by which a browser
runs nothing of it and loads nothing from elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from k8swin_nb.errors import RecordError
from k8swin_nb.headless.listings import Listings, shortened
from k8swin_nb.headless.page_style import PRINTED, with_style
from k8swin_nb.redact import REDACTOR, redact, redact_kept
from k8swin_nb.tables import Folded, escaped, folding, table_html
from k8swin_nb.tables.code import highlighted
from k8swin_nb.workflow.record import read_events as _events
from k8swin_nb.workflow.report import COLUMNS, PASSED, outcome_mark
from k8swin_nb.workflow.step import Outcome

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What a browser may do with the page: show it. Its styles, fonts and pictures are in it."""


def write_page(folder: Path, notebooks: Sequence[Path]) -> Path:
    """Write `index.html` into a run's folder and return its path; see `RunPage.write`."""
    return RunPage(folder).write(notebooks)


class RunPage:
    """The page of a run. A notebook that has ended can be taken in while others run: most of the work is there.

    It may be used from several threads.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._exporter: Any = None
        self._listings = Listings()
        self._secrets = -1
        self._parts: dict[Path, tuple[tuple[int, int], str]] = {}

    def take_in(self, path: Path) -> None:
        """Make the part of a notebook that has ended. What fails here fails again, and is told, when the page is written."""
        with self._lock, contextlib.suppress(Exception):
            self._part(path)

    def write(self, notebooks: Sequence[Path]) -> Path:
        """Write `index.html` into the run's folder and return its path.

        The page is one file: no script or style is fetched from elsewhere when it is opened. A notebook that cannot be
        read is named in it.

        Args:
            notebooks: Files, in the order of the page.

        Raises:
            RecordError: when it cannot be written.
        """
        with self._lock:
            parts = "".join(map(self._part, notebooks))
            contents = _contents(
                self._folder.name, _events(self._folder / "events.jsonl"), notebooks
            )
            body = self._html([_shown_html(contents)])
            loader = self._exporter.environment.loader
        dark, _, _ = loader.get_source(self._exporter.environment, "static/theme-dark.css")
        # Of the head the title alone is of this run; the rest is a long style.
        head, begin, rest = _with_policy(with_style(body, dark)).partition("<body")
        before, end, after = shortened(redact(rest)).rpartition(_MAIN_END)
        page = self._folder / "index.html"
        _write(page, head + begin + before + parts + end + after)
        return page

    def _part(self, path: Path) -> str:
        """Return what the page shows of a notebook: masked HTML, made once as long as file and known secrets are the same."""
        if self._secrets != REDACTOR.known:
            self._secrets = REDACTOR.known
            self._parts.clear()
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
        except OSError:
            stamp = (0, 0)
        kept = self._parts.get(path)
        if kept is None or kept[0] != stamp:
            body = self._html(self._cells(path))
            main = body.partition(_MAIN)[2].partition(">")[2].rpartition(_MAIN_END)[0]
            html = shortened(self._listings.put_back(redact(main), redact_kept))
            kept = self._parts[path] = (stamp, html)
        return kept[1]

    def _cells(self, path: Path) -> list[Any]:
        cells = [_shown_html(f'<hr/><a id="{escaped(path.stem)}"></a>')]
        try:
            notebook = nbformat.read(path, as_version=4)
        except (OSError, ValueError) as error:
            return [
                *cells,
                _shown_html(f"<p>{escaped(f'{path.name} cannot be read: {error}')}</p>"),
            ]
        for cell in notebook.cells:
            # Ids are unique in a notebook, not between them.
            cell["id"] = re.sub(r"[^\w-]", "-", f"{path.stem}-{cell.get('id', '')}")[:64]
            if cell.get("metadata", {}).get("jupyter", {}).get("source_hidden"):
                _fold_source(cell)
            _take_out(self._listings, cell)
            cells.append(cell)
        return cells

    def _html(self, cells: list[Any]) -> str:
        """Return cells as a whole page of nbconvert's."""
        if self._exporter is None:
            self._exporter = _new_exporter()
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["title"] = redact(f"Run {self._folder.name}")
        body, _ = self._exporter.from_notebook_node(notebook)
        return str(body)


_MAIN, _MAIN_END = "<main", "</main>"
"""The tags around the cells of nbconvert's page."""


def _new_exporter() -> Any:
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    return HTMLExporter(
        config=Config({"TagRemovePreprocessor": {"enabled": True, "remove_input_tags": {_ALONE}}}),
        template_name="lab",
        mathjax_url="",
        require_js_url="",
        mermaid_js_url="",
    )


def _fold_source(cell: Any) -> None:
    """Fold a cell's source away, as the notebook itself has it: nbconvert would show it."""
    first = cell["source"].partition("\n")[0]
    code = folding(first, highlighted(cell["source"], "python"))
    cell["outputs"] = [
        nbformat.v4.new_output("display_data", {"text/html": code}),
        *cell.get("outputs", ()),
    ]
    cell.metadata["tags"] = [*cell.metadata.get("tags", ()), _ALONE]


def _take_out(listings: Listings, cell: Any) -> None:
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if isinstance(html := data.get("text/html"), str):
            # A widget needs scripts, which the page does not run; what it says is in the HTML beside it.
            data.pop(WIDGET, None)
            data["text/html"] = listings.taken_out(html)


def _with_policy(body: str) -> str:
    """Return a page with its policy before all else in its head."""
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
    return re.sub(r"<head\b[^>]*>", head, body, count=1)


WIDGET = "application/vnd.jupyter.widget-view+json"
"""How an output is called that is a widget."""

_ALONE = "html-alone"
"""Tag of a cell that is shown without its empty source."""


def _shown_html(text: str) -> Any:
    """Return a cell that is HTML and nothing else."""
    cell = nbformat.v4.new_code_cell()
    cell["outputs"] = [nbformat.v4.new_output("display_data", {"text/html": text})]
    cell.metadata["tags"] = [_ALONE]
    return cell


def _write(page: Path, text: str) -> None:
    """Write a file whole or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(dir=page.parent, prefix=".page-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            Path(name).replace(page)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(str(page), error.strerror or str(error)) from None


def _contents(run_id: str, events: list[dict[str, Any]], notebooks: Sequence[Path]) -> str:
    opened = [event for event in events if event["event"] == "notebook-opened"]
    steps = [event for event in events if event["event"] == "step"]
    counts = Counter(str(event.get("outcome")) for event in steps)
    recap = ", ".join(f"{counts[o]} {o}" for o in map(str, Outcome) if counts[o]) or "nothing ran"
    who = f"{opened[0].get('operator')} on {opened[0].get('controller')}" if opened else "unknown"
    when = f"{events[0].get('time')} to {events[-1].get('time')}" if events else "no events"
    links = "".join(
        f'<li><a href="#{escaped(path.stem)}">{escaped(path.stem)}</a></li>' for path in notebooks
    )
    passed = [event for event in steps if event.get("outcome") in PASSED]
    table = table_html(
        "",
        ("notebook", *COLUMNS),
        [_row(event) for event in steps if event.get("outcome") not in PASSED],
        folded=list(map(_row, passed)),
        word=", ".join(
            f"{n} {outcome}" for outcome, n in Counter(str(e["outcome"]) for e in passed).items()
        ),
    )
    told = escaped(f"{recap}; by {who}, {when}.")
    notes = "".join(f"<p><strong>{escaped(note)}</strong></p>" for note in _notes(events))
    return (
        f"<h1>Run {escaped(run_id)}</h1><p>{told}</p>{notes}<ul>{links}</ul>"
        f'<div class="{PRINTED}">{table}</div>'
    )


def _notes(events: list[dict[str, Any]]) -> list[str]:
    """Return what a reader must know first: who stopped the run, and which scripts' end nobody knows."""
    notes = [
        f"Stopped by {event.get('by')}: {event.get('what')}; not begun: "
        f"{', '.join(map(str, event.get('left') or [])) or 'nothing is left'}."
        for event in events
        if event["event"] == "run-stopped"
    ]
    found = [text for event in events for text in event.get("unfinished") or []]
    return notes + [f"Found when a notebook was opened: {text}." for text in dict.fromkeys(found)]


def _row(event: dict[str, Any]) -> tuple[object, ...]:
    outcome, seconds = str(event.get("outcome", "")), event.get("seconds")
    difference = str(event.get("difference") or "")
    return (
        event.get("notebook", ""),
        event.get("step", ""),
        event.get("host", ""),
        outcome_mark(Outcome(outcome)) if outcome in set(Outcome) else outcome,
        f"{seconds:.1f}" if isinstance(seconds, int | float) else "",
        Folded(str(event.get("detail", "")), difference) if difference else event.get("detail", ""),
    )
