"""Progress on a terminal, read from the run's own record: which notebook, which step, how long."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.record import read_event


def elapsed_text(seconds: float) -> str:
    """Return 0:42 or 12:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


class Progress:
    """Follows `events.jsonl` in a thread and prints a line per step that ended."""

    def __init__(self, events: Path, *, stream: TextIO | None = None) -> None:
        self.events = events
        self.stream = stream or sys.stdout
        self.started = time.monotonic()
        self._offset = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()

    def say(self, text: str) -> None:
        """Print a line with the time since the start before it."""
        elapsed = elapsed_text(time.monotonic() - self.started)
        self.stream.write(f"{elapsed:>6}  {shown_line(text)}\n")
        self.stream.flush()

    def _follow(self) -> None:
        while not self._stop.wait(0.3):
            self._read()

    def _read(self) -> None:
        if not self.events.exists():
            return
        with self.events.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break  # it is still being written
                self._offset += len(line)
                event = read_event(line)
                if event is not None:
                    self._show(event)

    def _show(self, event: dict[str, Any]) -> None:
        if event["event"] == "step":
            self.say(
                f"{event.get('notebook', '')!s:<16} {event.get('step', '')!s:<20} "
                f"{event.get('host', '')!s:<12} {event.get('outcome', '')!s:<11} "
                f"{event.get('detail', '')}".rstrip()
            )
