"""Buttons of the live view that work while a cell runs: stop, skip, log.

A kernel reads messages for its cells one after the other. JupyterLab sends those of widgets to a subshell, a thread of the
kernel's own, so that they are handled while a cell runs (ipykernel 7; JupyterLab's setting "Kernel Comms over subshells").
ipykernel 7.4 sends the answer to a widget's message back to the shell that spoke last, which is the one that is busy
(`ipykernel/comm/comm.py`, `_reply_subshell_for`); here each widget keeps to the shell that the front end chose.

Where there are no widgets nothing is lost: the front end's own button stops a cell, files of the run's folder hold what
hosts print, and `phase.leave_out()` in a subshell's console leaves a host out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import display

from k8swin_nb.notebook.live_picture import KEY
from k8swin_nb.reading import open_file
from k8swin_nb.shown import shown_lines
from k8swin_nb.tables import at_its_end, escaped

if TYPE_CHECKING:
    from k8swin_nb.notebook.live_view import LiveView

VIEW = "application/vnd.jupyter.widget-view+json"

TAIL = 40
"""Lines of a host that `log` shows."""

_READ = 40_000
"""Bytes of a file's end that are looked at for them."""

ALL = "all that wait"


class _Place:
    """Where the buttons are shown: they, or nothing."""

    def __init__(self, model: str = "") -> None:
        self._model = model

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if not self._model:
            return {"text/plain": ""}
        view = {"version_major": 2, "version_minor": 0, "model_id": self._model}
        return {VIEW: view, "text/plain": "the front end's own button stops the cell"}


def buttons(view: LiveView) -> Buttons | None:
    """Return the buttons of a view, or None where there is no ipywidgets."""
    try:
        import ipywidgets
    except ImportError:
        return None
    return Buttons(view, ipywidgets)


class Buttons:
    """Stop, skip and log, which are there while something is at work for more than a moment."""

    def __init__(self, view: LiveView, widgets: Any) -> None:
        self._view = view
        self._shown = False
        small = widgets.Layout(width="auto")
        self.stop = widgets.Button(
            description="Stop", tooltip="End what runs, on its hosts too", layout=small
        )
        self.skip = widgets.Button(
            description="Skip",
            tooltip="End the wait for a host and leave it out of the later steps",
            layout=small,
        )
        self.log = widgets.Button(
            description="Log", tooltip="What the hosts printed last", layout=small
        )
        self.host = widgets.Dropdown(
            options=[ALL],
            description="host to skip",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="auto", display="none"),
        )
        # The cell that holds the buttons is far from where a person is, whose next Tab leads to the first of them from here.
        self.key = widgets.HTML(
            f'<span accesskey="{KEY}" tabindex="-1" title="Alt+{KEY.upper()}, with Shift in Firefox, '
            f'Ctrl+Option+{KEY.upper()} on a Mac; then Tab">access key {KEY.upper()}</span>'
        )
        self.said = widgets.HTML()
        self.text = widgets.HTML(layout=widgets.Layout(display="none"))
        row = widgets.HBox(
            [self.said, self.key, self.host, self.stop, self.skip, self.log],
            layout=widgets.Layout(justify_content="flex-end", flex_flow="row wrap"),
        )
        self._box = widgets.VBox([self.text, row], layout=widgets.Layout(display="none"))
        self._box.add_class("k8swin-buttons")
        self._all = (self.stop, self.skip, self.log, self.host)
        for one in self._all:
            _stay_with_the_front_end(one.comm)
        self.stop.on_click(lambda _: self._say(view.stop()))
        self.skip.on_click(lambda _: self._say(view.skip(self._chosen())))
        self.log.on_click(lambda _: self._toggle())
        self._handle: Any = display(_Place(), display_id=True)

    def _chosen(self) -> str:
        return "" if self.host.value in (ALL, None) else str(self.host.value)

    def _say(self, text: str) -> None:
        self.said.value = f'<div role="status">{escaped(text)}</div>'

    def _toggle(self) -> None:
        hidden = self.text.layout.display == "none"
        self.text.value = log_html(self._view) if hidden else ""
        self.text.layout.display = "" if hidden else "none"
        self.log.description = "Hide log" if hidden else "Log"

    def refresh(self, *, at_work: bool) -> bool:
        """Show them while something is at work, with what is known now; return whether they are shown."""
        if at_work:
            names = (ALL, *sorted(self._view.run.at_work))
            if tuple(self.host.options) != names:
                kept = self.host.value if self.host.value in names else ALL
                self.host.options, self.host.value = names, kept
                self.host.layout.display = "" if len(names) > 2 else "none"
            if self.text.layout.display != "none":
                self.text.value = log_html(self._view)
        if at_work != self._shown:
            self._shown = at_work
            # A page that was loaded again shows them from the saved notebook.
            self._box.layout.display = "" if at_work else "none"
            if not at_work:
                self.said.value = ""
            self._handle.update(_Place(self._box.model_id if at_work else ""))
        return at_work

    def show_again(self) -> None:
        """Display their place once more, in the cell that runs."""
        shown = self._box.model_id if self._shown else ""
        display(_Place(shown), display_id=self._handle.display_id)

    def close(self) -> None:
        """Take them away for good."""
        self.refresh(at_work=False)
        self._box.close()
        for one in (*self._all, self.key, self.said, self.text):
            one.close()


def _stay_with_the_front_end(comm: Any) -> None:
    """Let a widget's messages be handled by the shell to which the front end sent them."""
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default


def log_html(view: LiveView) -> str:
    """Return what the hosts at work printed last, and where all of it is."""
    parts = []
    for host in sorted(view.run.at_work):
        lines = view.output.tail(host) if view.output is not None else []
        where, kept = _kept(view, host)
        lines = lines or kept
        told = "\n".join(lines[-TAIL:]) or "nothing was printed yet"
        look = "margin:0;white-space:pre-wrap;overflow-wrap:anywhere"
        box = at_its_end(told, height="12em", look=look)
        parts.append(f"<div><b>{escaped(host)}</b> {escaped(where)}</div>{box}")
    told = "".join(parts) or escaped("nothing is at work at the moment")
    return f'<div class="k8swin-log" style="max-height:14em;overflow:auto;line-height:1.3">{told}</div>'


def _kept(view: LiveView, host: str) -> tuple[str, list[str]]:
    """Return the file of what a host printed last, and its end."""
    record = view.run.record
    for event in reversed(record.events):
        if event.get("event") == "script" and event.get("host") == host and event.get("output"):
            path = Path(record.folder) / str(event["output"])
            try:
                with open_file(path) as file:
                    file.seek(max(0, path.stat().st_size - _READ))
                    text = file.read().decode("utf-8", "replace")
            except (OSError, ValueError):
                return "", []
            return f"{record.folder.name}/{event['output']}", shown_lines(text, last=TAIL)
    return "", []
