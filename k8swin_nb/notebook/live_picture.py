"""How a phase that is at work looks: a bar that says where it stands, and its steps by host; as text and as HTML.

The bar is at the place where it was displayed. JupyterLab scrolls to the last cell when all cells are run, far from there,
so that in its notebooks the bar is held at the lower edge by a style sheet, which no other front end's page matches. That
takes a cell which is drawn though it is out of view: JupyterLab leaves such cells out (`content-visibility`, or
`display: none`, by its setting "Windowing mode"). There is no script in it, on paper the bar stands in its place, and a
notebook that is not trusted has no style sheet of ours.

A picture of work that goes on is drawn anew every few seconds. One that is not is old: its kernel has ended or was started
anew, the page was loaded again (a front end that is new knows no display of before), or the notebook was saved and opened,
exported or printed. That is said in it, and hidden by a style sheet for as long as the picture may be fresh.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from k8swin_nb.notebook.board import BAD, Line, Picture, Trouble, sentence
from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Column, Mark, State, escaped, table_html
from k8swin_nb.tables.palette import LOOKS, style
from k8swin_nb.tables.text import attribute
from k8swin_nb.workflow.heartbeat import duration
from k8swin_nb.workflow.report import outcome_mark
from k8swin_nb.workflow.step import Outcome

ROWS = 120
"""Rows that are drawn; of more, those that are at work or failed come first."""

KEY = "k"
"""The key that leads, with those of the browser, to the buttons while something is at work and to the step that failed."""

APART = 6
"""Hosts of a step that have a row each; those of more that ended well share one."""

MANY = " hosts"
"""How the name of a row ends that several hosts share; no host's name has a space in it."""

WORDS = 400
"""Characters of a detail in a row."""

GROUND = "var(--jp-layout-color1,Canvas)"
INK = "var(--jp-ui-font-color1,CanvasText)"
LINE = "var(--jp-border-color1,GrayText)"

SHEET = (
    "<style>@media screen{"
    ".jp-NotebookPanel .jp-Cell:has(.k8swin-held){content-visibility:visible!important;contain:none!important}"
    ".jp-NotebookPanel .jp-Cell:has(.k8swin-held)[style*='display: none']"
    "{display:block!important;position:absolute;height:0;overflow:visible;visibility:hidden}"
    ".jp-NotebookPanel .k8swin-held{position:fixed;left:0;right:0;bottom:0;z-index:20;max-height:40%;"
    f"overflow:auto;visibility:visible;border-top:2px solid {LINE}!important;margin:0!important}}"
    # What the keyboard leads to is not left behind the bar.
    ".jp-NotebookPanel .jp-WindowedPanel-outer:has(.k8swin-held){scroll-padding-bottom:9em}"
    ".jp-NotebookPanel .k8swin-held.k8swin-room{padding-bottom:3.2em!important}"
    ".jp-NotebookPanel .jp-Cell:has(.k8swin-log) .k8swin-held.k8swin-room"
    "{padding-bottom:18em!important;max-height:75%}"
    ".jp-NotebookPanel .k8swin-buttons{position:fixed;right:.8em;bottom:.3em;z-index:21;visibility:visible;max-width:80%;"
    f"background:{GROUND}}}"
    # A view of before, in a notebook that was loaded again and has a newer one further down, is held no longer.
    ".jp-NotebookPanel .jp-Cell:has(.k8swin-held):has(~ .jp-Cell .k8swin-live) .k8swin-held"
    "{position:static;visibility:inherit}"
    ".jp-NotebookPanel .jp-Cell:has(.k8swin-held):has(~ .jp-Cell .k8swin-live) .k8swin-buttons{display:none}"
    # Buttons of a kernel that ended work no longer, and would lie with their broken signs over what is said of that.
    ".jp-NotebookPanel .k8swin-buttons.jupyter-widgets-disconnected{display:none}"
    # Buttons of a kernel that is gone: JupyterLab's word for that is no news to anybody.
    ".jp-NotebookPanel .jp-OutputArea-child:has(.k8swin-live) + .jp-OutputArea-child"
    ":has(> .lm-Panel):not(:has(.k8swin-buttons)){display:none}"
    "}</style>"
)

FRESH = 20
"""Seconds after which a picture of work is old, if no other came; while there is work, one comes every few seconds."""

LATE_SHEET = (
    "<style>@media screen{"
    f".k8swin-late{{max-height:0;overflow:hidden;visibility:hidden;animation:k8swin-late 0s {FRESH}s forwards}}"
    "body.jp-Notebook .k8swin-late{max-height:none;visibility:visible;animation:none}"
    "@keyframes k8swin-late{to{max-height:20em;visibility:visible}}"
    "}</style>"
)

MOODS: dict[str, tuple[State, str]] = {
    "works": ("waiting", "at work"),
    "waits": ("neutral", "so far"),
    "failed": ("failed", "failed"),
    "stopped": ("failed", "stopped"),
    "done": ("ok", "done"),
}


def anchor(title: str) -> str:
    """Return the name by which front ends find a heading."""
    return title.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a phase stands, in two or three lines.

    Args:
        picture: What is drawn.
        held: Hold it at the lower edge of JupyterLab's notebook.
        room: Leave room for buttons.
        number: What tells this bar from others on the page.
    """

    picture: Picture
    held: bool = False
    room: bool = False

    def __repr__(self) -> str:
        picture = self.picture
        state, word = MOODS[picture.mood]
        told = [f"{LOOKS[state].glyph} {picture.phase} {word}: {sentence(picture)}"]
        if picture.beat:
            told.append(f"  {picture.beat}")
        if picture.mood == "works":
            told.append(f"  as of {picture.when}; {_late(picture)}")
        if trouble := picture.trouble:
            for what, fix in trouble.told():
                if what:
                    told.append(f"  {shown_line(what)}")
                if fix:
                    told.append(f"  fix: {shown_line(fix)}")
            if trouble.evidence:
                told.append(f"  evidence: {shown_line(trouble.evidence)}")
        return "\n".join(told)

    def _repr_html_(self) -> str:
        picture = self.picture
        state, word = MOODS[picture.mood]
        mark = f'<b style="{style(state)}">{LOOKS[state].glyph} {escaped(word)}</b>'
        title = dict(picture.steps).get(picture.step, "")
        to_step = f" {_link('#' + anchor(title), title)}" if title and not picture.trouble else ""
        dry = " (dry run)" if picture.dry_run else ""
        # What ticks is no news: a reader of screens is told the rest. Where cells are left, a saved picture may be old.
        when = f"as of {picture.when}" if picture.mood == "waits" else picture.when
        clock = f'<span role="timer" style="float:right;padding-left:1em">{escaped(when)}</span>'
        lines = [
            f"{clock}<div role='status' aria-live='polite'>{mark} <b>{escaped(picture.phase)}</b>{dry}: "
            f"{escaped(sentence(picture))}{to_step}</div>"
        ]
        if picture.beat:
            lines.append(f"<div role='timer'>{escaped(picture.beat)}</div>")
        if picture.trouble:
            lines.append(_trouble(picture, picture.trouble))
        sheet = SHEET if self.held else ""
        if picture.mood == "works":
            sheet += LATE_SHEET
            lines.append(
                f"<div class='k8swin-late'><b>old:</b> this was so at {escaped(picture.when)}, "
                f"and nothing was heard since; {escaped(_late(picture))}</div>"
            )
        names = "k8swin-live" + (" k8swin-held" if self.held else "")
        names += " k8swin-room" if self.room else ""
        return (
            f'{sheet}<div class="{names}" style="background:{GROUND};color:{INK};padding:.4em .8em;'
            f'border:1px solid {LINE};overflow-wrap:anywhere">{"".join(lines)}</div>'
        )


def _late(picture: Picture) -> str:
    """Return what a reader of an old picture does to see how it went on."""
    kept = f"; `k8swin page {picture.run}` makes the page of the run" if picture.run else ""
    return (
        "where the kernel still runs, the next cell that you run shows the view again; "
        f"where it does not, run the notebook again{kept}"
    )


def _trouble(picture: Picture, trouble: Trouble) -> str:
    parts = []
    for what, fix in trouble.told():
        if what:
            look = style("failed")
            parts.append(f"<div role='alert' style='{look}'>{escaped(shown_line(what))}</div>")
        if fix:
            parts.append(f"<div><b>fix:</b> {escaped(shown_line(fix))}</div>")
    links = []
    if title := dict(picture.steps).get(trouble.step):
        links.append(_link("#" + anchor(title), f"to the step: {title}", key=KEY))
    elif trouble.cell:
        links.append(_link(f"#cell-id={trouble.cell}", "to the cell", key=KEY))
    if trouble.evidence:
        # A folder is no page: its account of what was found is.
        file = str(Path(trouble.evidence) / "findings.txt")
        links.append(_link(_beside(file), f"evidence: {trouble.evidence}"))
    return "".join(parts) + (f"<div>{' · '.join(links)}</div>" if links else "")


def _link(to: str, text: str, *, key: str = "") -> str:
    key = f' accesskey="{key}" title="access key {key.upper()}"' if key else ""
    return (
        f'<a href="{attribute(to)}"{key} style="color:var(--jp-content-link-color,LinkText)">'
        f"{escaped(shown_line(text))}</a>"
    )


def _beside(folder: str) -> str:
    """Return a path as a link of a notebook that lies where its kernel works."""
    try:
        path = os.path.relpath(folder)
    except ValueError:  # another drive of Windows
        path = folder
    return re.sub(
        r"[^\w./-]",
        lambda one: "".join(f"%{b:02X}" for b in one[0].encode()),
        Path(path).as_posix(),
    )


class Steps:
    """The steps of a phase by host, with how far each is; as text and as a static table."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._lines, self._more = _drawn(picture.lines)

    def _rows(self) -> list[tuple[str, str, Mark, str, str]]:
        return [
            (
                line.step,
                line.host,
                _mark(line),
                f"{line.seconds:.1f}",
                shown_line(line.detail, most=WORDS),
            )
            for line in self._lines
        ]

    def _caption(self) -> str:
        return f"Steps of {self.picture.phase}, as of {self.picture.when}: {self.picture.counts() or 'none has ended'}"

    def __repr__(self) -> str:
        rows = [
            f"{mark}  {step}  {host}  {seconds}s  {detail}".rstrip()
            for step, host, mark, seconds, detail in self._rows()
        ]
        more = [f"... {self._more} more"] if self._more else []
        return "\n".join([self._caption(), *rows, *more])

    def _repr_html_(self) -> str:
        if not self.picture.lines:
            return f"<p>{escaped(self._caption())}</p>"
        columns = (
            Column("step"),
            Column("host"),
            Column("state"),
            Column("seconds", "number"),
            Column("detail", "wrapped"),
        )
        table = table_html("", columns, self._rows(), more=self._more)
        # What is over and went well is said again by the summary.
        unfolded = "" if self.picture.mood == "done" else " open"
        return f"<details{unfolded}><summary>{escaped(self._caption())}</summary>{table}</details>"


def _mark(line: Line) -> Mark:
    return outcome_mark(line.outcome) if line.outcome else Mark("at work", "waiting")


def _drawn(lines: object) -> tuple[list[Line], int]:
    """Return the lines to be drawn and how many are left out; hosts of a step that went well share one where they are many."""
    assert isinstance(lines, list)  # noqa: S101
    by_step: dict[str, list[Line]] = {}
    for line in lines:
        by_step.setdefault(line.step, []).append(line)
    drawn: list[Line] = []
    for step, own in by_step.items():
        if len(own) <= APART:
            drawn += own
            continue
        fine: dict[Outcome, list[Line]] = {}
        for line in own:
            if line.outcome and line.outcome not in BAD:
                fine.setdefault(line.outcome, []).append(line)
            else:
                drawn.append(line)
        for outcome, same in fine.items():
            longest = max(line.seconds for line in same)
            drawn.append(
                Line(
                    step,
                    f"{len(same)}{MANY}",
                    outcome,
                    longest,
                    same[-1].detail if len(same) == 1 else "",
                )
            )
    if len(drawn) <= ROWS:
        return drawn, 0
    order = sorted(range(len(drawn)), key=lambda n: (_rank(drawn[n]), -n))[:ROWS]
    return [drawn[n] for n in sorted(order)], len(drawn) - ROWS


def _rank(line: Line) -> int:
    if line.outcome in BAD:
        return 0
    if line.host.endswith(MANY):
        return 1
    return 2 if line.outcome is None else 3


def took(seconds: float) -> str:
    """Return what stays of work that was seen for a while."""
    return f"ran {duration(seconds)}"
