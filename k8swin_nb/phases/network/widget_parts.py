"""Pieces that forms of widgets have in common: a field with what is wrong beside it, and a change that is confirmed.

What is wrong stands in regions that screen readers announce, in colours that hold on light and dark themes. Every field has
a label of its own, and all of it is reached by the keyboard: what is pressed stays where it is, so that the focus does, and
no button is ever disabled, for the focus would leave it, and Tab would pass it by. One that cannot act yet says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from k8swin_nb.description_edit import Change
from k8swin_nb.errors import K8swinError
from k8swin_nb.tables import Mark, State, StaticTable, escaped, preformatted
from k8swin_nb.tables.palette import style
from k8swin_nb.tables.text import WRAPPED

LABEL = {"style": {"description_width": "9.5em"}}

_CLASS = "k8swin-form"

FOCUS = (
    f"<style>.{_CLASS} :is(input,select,button,pre,summary):focus-visible"
    "{outline:2px solid currentColor!important;outline-offset:2px}</style>"
)
"""Where the focus is: a front end's own sign is a pale blue line, 2.2:1 on white."""


def marked(texts: Sequence[str], state: State) -> str:
    """Return lines with their mark, as HTML."""
    marks = [Mark(text, state) for text in texts]
    return "".join(f'<div style="{style(state)}">{escaped(mark)}</div>' for mark in marks)


def announced(html: str) -> str:
    """Return HTML that a screen reader announces once nothing else is said."""
    return f'<div role="status" aria-live="polite" style="line-height:1.5">{html}</div>'


NOTHING_TYPED = "The description says the same: nothing is to be written."

MOST_WRONG = 5
"""What is wrong with one field, at most: who pastes a hundred networks is not told a hundred things."""


def wrong(texts: Sequence[str]) -> str:
    """Return what is wrong, as HTML; empty when nothing is.

    The region comes anew with each text, because a widget's HTML is replaced as a whole: of the roles, an alert is
    announced then too.
    """
    if not texts:
        return ""
    told = list(texts[:MOST_WRONG])
    if len(texts) > MOST_WRONG:
        told.append(f"and {len(texts) - MOST_WRONG} more like these")
    return f'<div role="alert" style="line-height:1.5">{marked(told, "failed")}</div>'


def text_field(label: str, value: str = "", **how: Any) -> Any:
    """Return a field of text that is judged at every key."""
    return widgets.Text(
        value=value,
        description=label,
        layout=widgets.Layout(width="30em", max_width="100%"),
        **LABEL,
        **how,
    )


def choice(label: str, options: Sequence[Any], value: Any) -> Any:
    """Return a field with a choice."""
    return widgets.Dropdown(
        options=options,
        value=value,
        description=label,
        layout=widgets.Layout(width="50em", max_width="100%"),
        **LABEL,
    )


def sure(label: str, **how: Any) -> Any:
    """Return a box to be ticked; it is as wide as its words, which a front end cuts otherwise."""
    layout = widgets.Layout(width="auto", max_width="100%")
    return widgets.Checkbox(description=label, indent=False, layout=layout, **how)


def button(label: str, act: Callable[[], None], *, told: str = "") -> Any:
    """Return a button that does something; `told` is said when one points at it."""
    made = widgets.Button(
        description=label, tooltip=told or label, layout=widgets.Layout(width="auto")
    )
    made.on_click(lambda _: act())
    return made


def row(*parts: Any) -> Any:
    """Return widgets beside each other, which a narrow window puts below each other."""
    return widgets.HBox(parts, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


class Form(widgets.VBox):  # type: ignore[misc]
    """A form that is a static table wherever it is not alive: exported, printed, in an untrusted notebook."""

    def __init__(self, children: Sequence[Any], static: StaticTable) -> None:
        super().__init__([*children, widgets.HTML(FOCUS, layout=widgets.Layout(height="0"))])
        self.add_class(_CLASS)
        self._static = static

    def _repr_mimebundle_(self, **how: Any) -> Any:
        data = super()._repr_mimebundle_(**how)
        if isinstance(data, dict):
            data |= {"text/plain": repr(self._static), "text/html": self._static._repr_html_()}
        return data


class Writer(widgets.VBox):  # type: ignore[misc]
    """Shows a change of a file as a difference, with the code that does the same, and writes it when that is confirmed."""

    def __init__(self, written: Callable[[], None], again: Callable[[], None]) -> None:
        """Make it; `written` is called when a change was, and `again` has to show the change of a file that is another one now."""
        self.shown = widgets.HTML()
        self.sure = sure("This is the change that I want")
        self.confirm = button("Write it", self._write)
        self.told = widgets.HTML()
        self._change: Change | None = None
        self._written, self._again = written, again
        super().__init__([self.shown, row(self.sure, self.confirm), self.told])
        self.show(None, "", "")

    def show(self, change: Change | None, code: str, why: str) -> None:
        """Show a change, or why there is none; one that was confirmed before has to be confirmed anew."""
        self._change = change if change and change.diff() else None
        self.sure.value = False
        if "alert" in self.told.value:
            self.told.value = ""
        if self._change is None:
            self.shown.value = announced(escaped(why or "Nothing changes."))
            return
        self.told.value = ""  # it was about the change before this one
        look = f"{WRAPPED};padding:4px 8px;border:1px solid currentColor"
        self.shown.value = (
            f"<p><strong>Change of {escaped(str(self._change.path))}</strong></p>"
            + preformatted(self._change.diff(), look=look)
            + "<p>The same in Python:</p>"
            + preformatted(code, look=look)
        )

    def _write(self) -> None:
        if self._change is None:
            self.sure.value = False
            if not self.told.value:  # what was written is no mistake when it is pressed twice
                self.told.value = wrong(["nothing is written: there is no change to be confirmed"])
            return
        if not self.sure.value:
            self.told.value = wrong(["nothing is written: read the change, and tick the box"])
            return
        try:
            path = self._change.write()
        except K8swinError as error:
            told = f"{error}" + (f" ({error.hint})" if error.hint else "")
            self._again()
            self.told.value = wrong([told])
            return
        self.show(None, "", "")
        told = f"written to {path}; in notebooks that are open, run the parameters cell and the setup cell again"
        self.told.value = announced(marked([told], "ok"))
        self._written()
