"""Live output of several hosts in one cell.

Pieces are gathered and shown a few times a second: each message to the front end becomes an output of
its own in an executed notebook, and a server drops what comes too fast. With a front end one display is
updated in place; without one, lines are only ever added. What takes longer than a moment says so, and what it waits for:
in place, or in lines at growing intervals.

A cell shows so much of each host and no more. What is longer goes on in a file of the run's folder, whole and masked, and
the cell says which.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.notebook.host_text import KEPT_SIZE, LAST_LINES, HostText, KeepOutput, Whole
from k8swin_nb.shown import shown_line, visible
from k8swin_nb.tables import at_its_end, escaped, folding, preformatted
from k8swin_nb.tables.table import PREFORMATTED
from k8swin_nb.workflow.heartbeat import QUIET, Heartbeat, duration, next_line

INTERVAL = 0.2
"""Seconds between two updates."""

COSTLY = 20_000
"""Characters of a host's block that may be sent so often; a block twice as long is sent half as often."""

STOP_SECONDS = 5.0
"""How long the end of a cell waits for its last update; a front end that takes none holds nobody up."""

BEATS = ((60.0, 1.0), (600.0, 2.0), (float("inf"), 5.0))
"""Up to how many seconds of work its line is updated how often."""


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

    def __init__(
        self,
        interactive: bool | None = None,
        keep: KeepOutput | None = None,
        beat: Heartbeat | None = None,
        *,
        folds: bool = False,
    ) -> None:
        """Make it ready to be entered.

        Args:
            interactive: Whether a person looks on; None finds out.
            keep: Opens a file for what is too long for a cell.
            beat: Knows for how long there is work, and who was silent since when.
            folds: Whether what hosts said is taken away when all went well; `folded` has it for a place of its own. Without
                a person who looks on it is shown in the end alone, where it went wrong; meanwhile lines tell that there
                is work.
        """
        self.interactive = is_interactive() if interactive is None else interactive
        self._folds = folds
        self._late = folds and not self.interactive and _in_a_kernel()
        self._over = False
        self._beat = beat or Heartbeat()
        self._beat_at = QUIET
        self._beat_handle: Any = None
        self._broken = False
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
            self._ticker.join(STOP_SECONDS)
        with self._lock:
            for name, host in self._hosts.items():
                self._take(name, host.finish())
                self._close(name)
            self._over = error is None
            if self._folds:
                self._changed.update(self._hosts)
        self._safely(self._show_late if self._late else self._show)
        self._safely(self._beat_ends)

    def tail(self, host: str) -> list[str]:
        """Return the last lines of a host; empty when it has said nothing."""
        with self._lock:
            text = self._hosts.get(host)
            return [*text.lines, *text.moving()] if text else []

    def write(self, host: str, stream: str, text: str) -> None:
        """Take a piece of a host's `stdout` or `stderr`, masked already."""
        self._beat.said(host)
        with self._lock:
            if host not in self._hosts:
                self._hosts[host], self._whole[host] = HostText(), Whole(host, self._keep)
            self._take(host, self._hosts[host].add(stream, text))
            self._whole[host].write(text)

    def _take(self, host: str, lines: list[str]) -> None:
        self._changed.add(host)
        if not lines:
            return
        if not self.interactive and not self._late:
            self._pending += [(host, line) for line in self._whole[host].fitting(lines)]

    def _close(self, host: str) -> None:
        """Say where the whole output is, if the cell does not show it."""
        whole, text = self._whole[host], self._hosts[host]
        text.where = whole.close()
        if text.hidden:
            self._changed.add(host)
        left = whole.left
        if not self.interactive and not self._late and left:
            last = text.lines[-min(LAST_LINES, left) :]
            told = f"... {left - len(last)} lines are not shown here{text.where}"
            self._pending += [(host, line) for line in (told, *last)]

    def _tick(self) -> None:
        while not self._stop.wait(self._pause()):
            self._safely(self._show)
            self._safely(self._beats)

    def _pause(self) -> float:
        with self._lock:
            longest = max((text.size for text in self._hosts.values()), default=0)
        return INTERVAL * max(1.0, longest / COSTLY)

    def _beats(self) -> None:
        """Say that it still runs, when that is due."""
        elapsed = self._beat.elapsed
        if elapsed < self._beat_at:
            return
        text = self._beat.text()
        if self.interactive:
            self._beat_at = elapsed + next(pace for limit, pace in BEATS if elapsed < limit)
            line = BeatLine(text)
            if self._beat_handle is None:
                self._beat_handle = display(line, display_id=True)
            else:
                self._beat_handle.update(line)
        else:
            self._beat_at = next_line(elapsed)
            print(shown_line(text), flush=True)  # noqa: T201

    def _beat_ends(self) -> None:
        if self._beat_handle is not None:
            ran = BeatLine(f"ran {duration(self._beat.elapsed)}")
            self._beat_handle.update(Gone() if self._over and self._folds else ran)

    def _safely(self, work: Callable[[], None]) -> None:
        """Show something; when that fails, the work goes on, and all of its output is in the record."""
        try:
            work()
        except Exception as error:
            if not self._broken:
                self._broken = True
                told = shown_line(f"{type(error).__name__}: {error}")
                print(f"live output is not shown: {told}", file=sys.stderr)  # noqa: T201

    def _show(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
            changed, self._changed = self._changed, set()
            gone = self._over and self._folds
            blocks: dict[str, Block | Gone] = {
                name: Gone() if gone else Block(name, self._hosts[name]) for name in changed
            }
        if self.interactive:
            for name in sorted(blocks):
                handle = self._handles.get(name)
                if handle is None and not gone:
                    self._handles[name] = display(blocks[name], display_id=True)
                elif handle is not None:
                    handle.update(blocks[name])
        elif pending:
            text = "".join(f"[{name}] {line}".rstrip() + "\n" for name, line in pending)
            print(visible(text), end="", flush=True)  # noqa: T201 -- the cell's own output stream

    def _show_late(self) -> None:
        """Show what every host said, in one piece each, where it went wrong."""
        for name in () if self._over else sorted(self._hosts):
            display(Block(name, self._hosts[name]))

    def folded(self) -> str:
        """Return what every host said as HTML, each folded behind a line; to be asked when all is over."""
        with self._lock:
            blocks = [Block(name, self._hosts[name], folded=True) for name in sorted(self._hosts)]
        return "".join(block._repr_html_() for block in blocks)


def _in_a_kernel() -> bool:
    return getattr(get_ipython(), "kernel", None) is not None


class Block:
    """One host's output as it is at one moment.

    Args:
        name: The host's.
        text: What it has said so far.
        folded: Whether it went well, so that nobody has to read it.
    """

    def __init__(self, name: str, text: HostText, *, folded: bool = False) -> None:
        self._name = shown_line(name)
        self._folded = folded
        self._lines = [*text.lines, *text.moving()]
        if text.hidden:
            self._lines.insert(0, f"... {text.hidden} lines above{text.where}")

    def __repr__(self) -> str:
        return "\n".join(f"[{self._name}] {line}".rstrip() for line in self._lines)

    def _repr_html_(self) -> str:
        text, most = "\n".join(self._lines), 2 * KEPT_SIZE
        if self._folded:
            number = len(self._lines)
            told = f"{self._name} said {number} line{'' if number == 1 else 's'}"
            return folding(told, preformatted(text, look=PREFORMATTED, most=most))
        box = at_its_end(text, height="24em", most=most)
        return f"<div><b>{escaped(self._name)}</b>{box}</div>"


class Gone:
    """What stands in place of a display that is over: nothing, which takes no room."""

    def __repr__(self) -> str:
        return ""

    def _repr_html_(self) -> str:
        return escaped("")


class BeatLine:
    """One line that says that something still runs."""

    def __init__(self, text: str) -> None:
        self._text = shown_line(text)

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return f'<p role="timer" style="margin:0;overflow-wrap:anywhere">{escaped(self._text)}</p>'
