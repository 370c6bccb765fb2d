"""An executed notebook as a part of the page: its texts, cells and outputs, and what the page shows elsewhere and once.

The live view, the tables of steps and the listings of scripts stand in the page's own tables, made of the record; here is a
link to them. Pictures and the tables of nodes and pods are handed out, for the last of each kind stands before all notebooks.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat

from k8swin_nb.headless.listings import Listings, Text, text_of
from k8swin_nb.headless.page_html import clean, from_markdown
from k8swin_nb.redact import redact
from k8swin_nb.shown import shown
from k8swin_nb.tables import escaped
from k8swin_nb.tables.text import attribute, passed
from k8swin_nb.workflow.report import COLUMNS

WIDGET = "application/vnd.jupyter.widget-view+json"
"""How an output is called that is a widget: it needs scripts. What it says is in the HTML beside it."""

PRINTED_LINES, PRINTED_ROWS = 40, 24
"""What of a long output and of a long table is printed."""

MOST_COLUMNS = 12
"""Columns of a table that is printed."""

PRINTED_CHARACTERS = 4_000
"""An output with a longer line than this is not printed: it would take sheets."""

OUTPUT = 200_000
"""Characters of an output that are shown; of more, the end."""

_HEADS = "".join(rf"<th[^>]*>{re.escape(column.heading)}</th>" for column in COLUMNS)
_STEPS = re.compile(
    rf"<table[^>]*>(?:<caption[^>]*>(?P<caption>(?:(?!</caption>).)*)</caption>)?<thead><tr>{_HEADS}</tr></thead>.*?</table>",
    re.DOTALL,
)
_LIVE = re.compile(r'<div class="k8swin-live"|<details><summary>Steps of \S+, as of ')
_CAPTION = re.compile(r"<caption[^>]*>((?:(?!</caption>).)*)</caption>", re.DOTALL)
_TABLES = {
    "nodes": re.compile(r"\d+ nodes?: "),
    "pods": re.compile(r"\d+ pods? in (?P<where>[^:]+):"),
}
_DATA = "data:image/svg+xml;base64,"
_FOLDED = ("parameters", "injected-parameters", "this-notebook")
"""Tags of cells that are shown folded, and not on paper: what was given stands before all notebooks."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A picture, or a table of the cluster, of which the last of its kind is shown before the notebooks."""

    kind: str
    said: str
    """What it is, in one line."""

    html: str
    picture: bool


@dataclass(slots=True)
class Part:
    """What the page shows of a notebook."""

    path: Path
    sha256: str = ""
    """Of the file."""

    fragments: list[str | Exhibit] = field(default_factory=list)
    texts: dict[str, Text] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    """Cells that ended with an error: which, and what it said in one line."""

    form: str = ""
    """Digest of its texts and its code: two notebooks of one form differ in their outputs alone."""

    given: str = ""
    """The cell of its parameters, as a program wrote it."""

    broken: str = ""
    """Why it cannot be read."""

    @property
    def place(self) -> str:
        """What its place in the page is called."""
        return place_of(self.path.stem)


def place_of(stem: str) -> str:
    """Return what the place of a notebook in the page is called."""
    plain = re.sub(r"[^\w.-]", "-", stem)
    # Two names that differ in such characters alone are two places.
    digest = hashlib.sha256(stem.encode("utf-8", "replace")).hexdigest()[:8]
    return f"nb-{plain}" if plain == stem else f"nb-{plain}-{digest}"


class Rendering:
    """How one notebook becomes a part.

    Args:
        path: The file.
        steps: Place of the table that has this notebook's steps; empty: no record of them is there.
    """

    def __init__(self, path: Path, steps: str) -> None:
        self._path = path
        self._steps = steps
        self._listings = Listings()
        self._part = Part(path)

    def part(self) -> Part:
        """Return the part: masked HTML."""
        part = self._part
        try:
            content = self._path.read_bytes()
            part.sha256 = hashlib.sha256(content).hexdigest()
            notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        except (OSError, ValueError) as error:
            part.broken = f"{self._path.name} cannot be read: {error}"
            return part
        except (
            nbformat.ValidationError,
            AttributeError,
            KeyError,
            TypeError,
            RecursionError,
        ) as error:
            part.broken = (
                f"{self._path.name} cannot be read: it is no notebook ({type(error).__name__})"
            )
            return part
        form = hashlib.sha256()
        for cell in notebook.cells:
            tags = cell.get("metadata", {}).get("tags", [])
            source = str(cell.get("source", ""))
            if "injected-parameters" not in tags:
                form.update(f"{cell.cell_type}\0{source}\0".encode("utf-8", "replace"))
            elif not part.given:
                part.given = redact(source)
            if cell.cell_type == "code":
                self._code(cell, source, tags)
            elif cell.cell_type == "markdown":
                self._add(
                    f'<div class="md">{from_markdown(shown(source, most=OUTPUT), self._link, heading=3)}</div>'
                )
            elif source.strip():
                self._add(f"<pre>{escaped_text(source)}</pre>")
        part.form = form.hexdigest()
        part.texts = self._listings.texts
        return part

    def _link(self, target: str) -> str | None:
        """Return where a link leads; to texts and steps those alone that are there."""
        if target.startswith("#"):
            known = target[1:] in self._listings.texts or target[1:] == self._steps
            return target if known else None
        return beside(target)

    def _add(self, fragment: str) -> None:
        self._part.fragments.append(redact(fragment))

    def _code(self, cell: Any, source: str, tags: list[str]) -> None:
        folded = [tag for tag in _FOLDED if tag in tags]
        count = cell.get("execution_count")
        number = f"[{count}]" if isinstance(count, int) else "[ ]"
        if source.strip():
            text = text_of("", language_of_cell(source), source)
            code = f"<pre>{chr(10).join(text.lines)}</pre>"
            if folded or cell.get("metadata", {}).get("jupyter", {}).get("source_hidden"):
                first = escaped(source.strip().partition("\n")[0])
                code = (
                    f'<details class="screen"><summary>{number} {first}</summary>{code}</details>'
                )
            else:
                code = f'<div class="in"><span class="no">{number}</span>{code}</div>'
            self._add(code)
        said: set[str] = set()
        for output in cell.get("outputs", ()):
            for fragment in self._output(output, number):
                # The live view and its steps are two outputs, and one link.
                if isinstance(fragment, Exhibit) or fragment not in said:
                    self._part.fragments.append(
                        fragment if isinstance(fragment, Exhibit) else redact(fragment)
                    )
                    said.add(fragment if isinstance(fragment, str) else "")

    def _output(self, output: Any, number: str) -> list[str | Exhibit]:
        kind = output.get("output_type")
        if kind == "stream":
            return [self._stream(_joined(output.get("text", "")), str(output.get("name", "")))]
        if kind == "error":
            name, value = str(output.get("ename", "")), str(output.get("evalue", ""))
            self._part.errors.append((number, f"{name}: {value.strip().partition(chr(10))[0]}"))
            said = "\n".join(map(str, output.get("traceback", ()))) or f"{name}: {value}"
            if len(said) > PRINTED_CHARACTERS * 4:
                note = self._note("a traceback with very long lines")
                return [f'<div class="err screen"><pre>{escaped_text(said)}</pre></div>{note}']
            return [f'<div class="err"><pre>{escaped_text(said)}</pre></div>']
        return self._shown(output.get("data", {}))

    def _shown(self, data: Any) -> list[str | Exhibit]:
        if "text/html" in data:
            return self._html(_joined(data["text/html"]))
        if "image/svg+xml" in data:
            import base64

            drawn = base64.b64encode(_joined(data["image/svg+xml"]).encode()).decode()
            told = attribute(_joined(data.get("text/plain", "")) or "picture")
            return self._html(f'<img alt="{told}" src="{_DATA}{drawn}"/>')
        for kind in ("image/png", "image/jpeg"):
            if kind in data:
                told = attribute(_joined(data.get("text/plain", "")) or "picture")
                return self._html(
                    f'<img alt="{told}" src="data:{kind};base64,{_joined(data[kind])}"/>'
                )
        if "text/markdown" in data:
            text = shown(_joined(data["text/markdown"]), most=OUTPUT)
            return [f'<div class="out">{from_markdown(text, self._link, heading=3)}</div>']
        if "text/plain" in data:
            return [self._stream(_joined(data["text/plain"]), "")]
        return []

    def _html(self, text: str) -> list[str | Exhibit]:
        if self._steps and _LIVE.match(text):
            return [f'<p class="screen">{self._to_steps()}</p>']
        listed = self._listings.taken_out(text)
        # How steps ended, with their scripts: paper has that in the table of steps.
        how = " screen" if self._steps and listed != text else ""
        text = listed
        if self._steps:
            text = _STEPS.sub(
                lambda table: f"<p>{table['caption'] or ''} {self._to_steps()}</p>", text
            )
        made = clean(text, self._link, heading=3)
        exhibit = _table_of_cluster(made)
        made = _bounded(_narrow(made) if exhibit else made, self._note)
        if made.startswith('<img alt="') and made.count("<") == 1:
            said = html.unescape(made.partition('alt="')[2].partition('"')[0]).partition("\n")[0]
            kind = re.match(r"[A-Za-z' ]{3,40}", said)
            if kind:
                return [Exhibit(kind[0].strip(), redact(said), redact(made), picture=True)]
        elif exhibit:
            name, said = exhibit
            return [Exhibit(name, redact(said), redact(made), picture=False)]
        return [f'<div class="out{how}">{made}</div>']

    def _to_steps(self) -> str:
        return f'<a href="#{self._steps}">steps: in the table of steps</a>'

    def _note(self, what: str) -> str:
        return (
            f'<p class="paper">Not printed: {what}; whole in {escaped(self._path.name)}, '
            f"sha256 {self._part.sha256}</p>"
        )

    def _stream(self, text: str, name: str) -> str:
        lines = shown(text, most=OUTPUT).rstrip("\n").split("\n")
        live = all(line.startswith("still running ") or not line for line in lines)
        how = " screen" if live else ""
        if any(len(line) > PRINTED_CHARACTERS for line in lines[:PRINTED_LINES]):
            said = escaped_text(chr(10).join(lines))
            return f'<div class="out screen"><pre>{said}</pre></div>{self._note("an output with very long lines")}'
        kept, rest = lines[:PRINTED_LINES], lines[PRINTED_LINES:]
        said = f"<pre>{escaped_text(chr(10).join(kept))}</pre>"
        if rest:
            said += f'<pre class="screen">{escaped_text(chr(10).join(rest))}</pre>'
            said += self._note(f"{len(rest)} more lines")
        word = "" if name != "stderr" else '<span class="no">standard error</span>'
        return f'<div class="out{how}">{word}{said}</div>'


def _table_of_cluster(made: str) -> tuple[str, str] | None:
    """Return name and caption of a table that shows a cluster's nodes or pods; None for anything else."""
    caption = _CAPTION.search(made)
    if caption is None or made.count("<caption") != 1:
        return None
    said = html.unescape(re.sub(r"<[^>]*>", "", caption[1]))
    for name, begin in _TABLES.items():
        if found := begin.match(said):
            where = found.groupdict().get("where") or ""
            return name + ("" if not where or "namespace" in where else f" in {where}"), said
    return None


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def escaped_text(text: str) -> str:
    """Return text of several lines as HTML for a `<pre>`, masked and bounded."""
    return passed(shown(text, most=OUTPUT))


_PRINTED_CELL = re.compile(r'<t[dh]\b(?![^>]*class="[^"]*\bscreen\b)')


def _bounded(made: str, note: Callable[[str], str]) -> str:
    """Let the rows of long tables that say that all is well stay out of print, and what is then still too long."""

    def bound(table: re.Match[str]) -> str:
        rows = table[0].split("<tr")
        columns = max(len(_PRINTED_CELL.findall(row)) for row in rows)
        if columns > MOST_COLUMNS:
            # It would run over the edge, and a browser makes the whole page smaller then.
            return f'<div class="screen">{table[0]}</div>{note(f"a table of {columns} columns")}'
        if len(rows) - 2 <= PRINTED_ROWS:
            return table[0]
        # Before the body is the row of headings.
        kept, out = 0, 0
        for n, row in enumerate(rows):
            if n == 0 or '<th scope="col"' in row:
                continue
            if "✓" in row or kept >= PRINTED_ROWS:
                rows[n] = _with_class(row)
                out += 1
            else:
                kept += 1
        return (
            "<tr".join(rows) + note(f"{out} rows of this table, those that hold first of all")
            if out
            else table[0]
        )

    return re.sub(r"<table.*?</table>", bound, made, flags=re.DOTALL)


PRINTED_COLUMNS = set(
    re.findall(
        r"[\w-]+",
        "NAMESPACE NAME STATUS READY ROLES AGE VERSION INTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME PODCIDR POD-CIDR RESTARTS "
        "IP NODE IMAGE",
    )
)
"""Columns of the tables of nodes and pods that paper has room for."""

_LONG = {"IMAGE", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"}
"""Those of them whose words are broken where there is no room; names of pods too."""

_CELL = re.compile(r"<(t[hd])(?: class=\"([^\"]*)\")?([^>]*)>((?:(?!</\1>).)*)</\1>", re.DOTALL)


def _narrow(made: str) -> str:
    """Let the columns of a wide table that paper has no room for stay on the screen."""
    rows = made.split("<tr")
    heads = [cell[4] for cell in _CELL.finditer(rows[1])] if len(rows) > 1 else []
    if not set(heads) & PRINTED_COLUMNS:
        return made

    def narrow(row: str) -> str:
        place = itertools.count()

        def cell(match: re.Match[str]) -> str:
            at = next(place)
            head = heads[at] if at < len(heads) else "NAME"
            long = head in _LONG or (head == "NAME" and "IMAGE" in heads)
            if head in PRINTED_COLUMNS and (not long or 'scope="col"' in match[3]):
                return match[0]
            classes = f"{match[2] or ''} {'long' if long else 'screen'}".strip()
            return f'<{match[1]} class="{classes}"{match[3]}>{match[4]}</{match[1]}>'

        return _CELL.sub(cell, row)

    first = rows[0].replace("<table", '<table class="slim"', 1)
    return "<tr".join([first, *map(narrow, rows[1:])])


def _with_class(row: str) -> str:
    return f' class="screen"{row}'


def language_of_cell(source: str) -> str:
    """Return the language of a cell: that of the host's shell behind a magic."""
    first = source.lstrip().partition("\n")[0]
    if first.startswith(("%%remote_bash", "%%bash")):
        return "bash"
    return "powershell" if first.startswith("%%remote_ps") else "python"


PROSE = '<div class="md">'
"""How a text of a notebook begins."""

_BESIDE = "beside:"
_BESIDE_LINK = re.compile(rf'<a href="{_BESIDE}([^"]*)">((?:(?!</a>).)*)</a>', re.DOTALL)


def beside(target: str) -> str | None:
    """Return a link to a file beside a notebook as `resolved` reads it; None for one that leads elsewhere."""
    name = target.partition("#")[0].removeprefix("./")
    return f"{_BESIDE}{name}" if re.fullmatch(r"\w[\w. -]*", name) else None


def resolved(fragment: str, folder: Path, stems: Sequence[str]) -> str:
    """Return HTML whose links lead to notebooks of the page, else to files of the folder; one that leads nowhere is text."""

    def lead(link: re.Match[str]) -> str:
        name, said = link[1], link[2]
        stem = name.removesuffix(".ipynb")
        if name.endswith(".ipynb"):
            for one in stems:
                if one == stem or one.startswith(f"{stem}-"):
                    return f'<a href="#{place_of(one)}">{said}</a>'
        return f'<a href="{quote(name)}">{said}</a>' if (folder / name).is_file() else said

    return _BESIDE_LINK.sub(lead, fragment)
