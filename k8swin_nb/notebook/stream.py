"""Live output of several hosts in one cell.

Pieces are gathered and shown a few times a second: each message to the front end becomes an output of
its own in an executed notebook, and a server drops what comes too fast. With a front end one display is
updated in place; without one, lines are only ever added.

A cell shows so much of each host and no more. What is longer goes on in a file of the run's folder, whole and masked, and
the cell says which.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.notebook.host_text import KEPT_SIZE, LAST_LINES, HostText, KeepOutput, Whole
from k8swin_nb.shown import shown_line, visible
from k8swin_nb.tables import escaped, preformatted

INTERVAL = 0.2
"""Seconds between two updates."""


def is_interactive() -> bool:
    """Whether a person looks on: a front end that takes input, and no `K8SWIN_NONINTERACTIVE`."""
    if os.environ.get("K8SWIN_NONINTERACTIVE", "") not in ("", "0"):
        return False
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    try:
        parent = kernel.get_parent("shell")
        return bool(parent["content"]["allow_stdin"])
    except (AttributeError, KeyError, TypeError):
        return False


class LiveOutput:
    """Shows what hosts say while a cell runs; a context manager, safe to write to from threads."""

    def __init__(self, interactive: bool | None = None, keep: KeepOutput | None = None) -> None:
        self.interactive = is_interactive() if interactive is None else interactive
        self._keep = keep
        self._lock = threading.Lock()
        self._hosts: dict[str, HostText] = {}
        self._whole: dict[str, Whole] = {}
        self._handles: dict[str, Any] = {}
        self._pending: list[tuple[str, str]] = []
        self._changed: set[str] = set()
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> LiveOutput:
        self._ticker = threading.Thread(target=self._tick, name="live output", daemon=True)
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._ticker is not None:
            self._ticker.join()
        with self._lock:
            for name, host in self._hosts.items():
                self._take(name, host.finish())
                self._close(name)
        self._show()

    def write(self, host: str, stream: str, text: str) -> None:
        """Take a piece of a host's `stdout` or `stderr`, masked already."""
        with self._lock:
            if host not in self._hosts:
                self._hosts[host], self._whole[host] = HostText(), Whole(host, self._keep)
            self._take(host, self._hosts[host].add(stream, text))
            self._whole[host].write(text)

    def _take(self, host: str, lines: list[str]) -> None:
        if not lines:
            return
        self._changed.add(host)
        if not self.interactive:
            self._pending += [(host, line) for line in self._whole[host].fitting(lines)]

    def _close(self, host: str) -> None:
        """Say where the whole output is, if the cell does not show it."""
        whole, text = self._whole[host], self._hosts[host]
        text.where = whole.close()
        if text.hidden:
            self._changed.add(host)
        left = whole.left
        if not self.interactive and left:
            last = text.lines[-min(LAST_LINES, left) :]
            told = f"... {left - len(last)} lines are not shown here{text.where}"
            self._pending += [(host, line) for line in (told, *last)]

    def _tick(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._show()

    def _show(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
            changed, self._changed = self._changed, set()
            blocks = {name: Block(name, self._hosts[name]) for name in changed}
        if self.interactive:
            for name in sorted(blocks):
                handle = self._handles.get(name)
                if handle is None:
                    self._handles[name] = display(blocks[name], display_id=True)
                else:
                    handle.update(blocks[name])
        elif pending:
            text = "".join(f"[{name}] {line}".rstrip() + "\n" for name, line in pending)
            print(visible(text), end="", flush=True)  # noqa: T201 -- the cell's own output stream


class Block:
    """One host's output as it is at one moment."""

    def __init__(self, name: str, text: HostText) -> None:
        self._name = shown_line(name)
        self._lines = list(text.lines)
        if text.hidden:
            self._lines.insert(0, f"... {text.hidden} lines above{text.where}")

    def __repr__(self) -> str:
        return "\n".join(f"[{self._name}] {line}".rstrip() for line in self._lines)

    def _repr_html_(self) -> str:
        text = preformatted("\n".join(self._lines), look="margin:0", most=2 * KEPT_SIZE)
        return (
            f'<div style="max-height:24em;overflow:auto"><b>{escaped(self._name)}</b>{text}</div>'
        )
