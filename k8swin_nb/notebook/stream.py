"""Live output of several hosts in one cell.

Pieces are gathered and shown a few times a second: each message to the front end becomes an output of
its own in an executed notebook, and a server drops what comes too fast. With a front end one display is
updated in place; without one, lines are only ever added.
"""

from __future__ import annotations

import html
import os
import re
import threading
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

INTERVAL = 0.2
"""Seconds between two updates."""

KEPT_LINES = 400
"""Lines of a host that its display shows; what a step's script printed the record keeps whole."""

# Colours, cursor movements and other control characters of terminals.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


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


class HostText:
    """One host's lines: the whole ones, and the unfinished last one of each stream."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.hidden = 0
        self._rest: dict[str, str] = {}

    def add(self, stream: str, text: str) -> list[str]:
        """Take a piece and return the lines that it completed."""
        pieces = (self._rest.get(stream, "") + text).split("\n")
        self._rest[stream] = pieces.pop()
        return self._keep(stream, pieces)

    def finish(self) -> list[str]:
        """Return the lines that never ended."""
        rest, self._rest = self._rest, {}
        done = []
        for stream, text in rest.items():
            if text:
                done += self._keep(stream, [text])
        return done

    def _keep(self, stream: str, pieces: list[str]) -> list[str]:
        mark = "stderr: " if stream == "stderr" else ""
        # A carriage return overwrites the line, as progress bars do: only the last state is kept.
        lines = [
            mark + _CONTROL.sub("", piece.rstrip("\r").rpartition("\r")[2]) for piece in pieces
        ]
        self.lines += lines
        if len(self.lines) > KEPT_LINES:
            self.hidden += len(self.lines) - KEPT_LINES
            del self.lines[:-KEPT_LINES]
        return lines


class LiveOutput:
    """Shows what hosts say while a cell runs; a context manager, safe to write to from threads."""

    def __init__(self, interactive: bool | None = None) -> None:
        self.interactive = is_interactive() if interactive is None else interactive
        self._lock = threading.Lock()
        self._hosts: dict[str, HostText] = {}
        self._handles: dict[str, Any] = {}
        self._pending: list[tuple[str, str]] = []
        self._changed: set[str] = set()
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None
        self._last_host: str | None = None
        self._parent: Any = None

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
                for line in host.finish():
                    self._pending.append((name, line))
                    self._changed.add(name)
        self._show()

    def write(self, host: str, stream: str, text: str) -> None:
        """Take a piece of a host's `stdout` or `stderr`, masked already."""
        with self._lock:
            lines = self._hosts.setdefault(host, HostText()).add(stream, text)
            if lines:
                self._pending += [(host, line) for line in lines]
                self._changed.add(host)

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
            print(text, end="", flush=True)  # noqa: T201 -- the cell's own output stream


class Block:
    """One host's output as it is at one moment."""

    def __init__(self, name: str, text: HostText) -> None:
        self._name = name
        self._lines = list(text.lines)
        if text.hidden:
            self._lines.insert(0, f"... {text.hidden} lines above")

    def __repr__(self) -> str:
        return "\n".join(f"[{self._name}] {line}".rstrip() for line in self._lines)

    def _repr_html_(self) -> str:
        text = html.escape("\n".join(self._lines))
        return (
            f'<div style="max-height:24em;overflow:auto"><b>{html.escape(self._name)}</b>'
            f'<pre style="margin:0">{text}</pre></div>'
        )
