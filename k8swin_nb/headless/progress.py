"""Progress on a terminal, read from the run's own record: which notebook, which step, how long."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.reading import open_file
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.record import read_event, read_events


def elapsed_text(seconds: float) -> str:
    """Return 0:42 or 12:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def interrupted_steps(events: Path) -> list[str]:
    """Return what an interrupt ended in a run, as `02_master/swap on linuxmaster`, and what it could not end."""
    told: list[str] = []
    open_steps: dict[tuple[str, str, str], None] = {}
    for event in read_events(events):
        kind = event.get("event")
        if kind == "interrupted":
            where = f"{event['phase']}/{event['step']}"
            for word, hosts in (("on", event["stopped"]), ("still running on", event["running"])):
                if hosts:
                    told.append(f"{where} {word} {', '.join(hosts)}")
        elif kind in ("step-started", "step"):
            key = (event["phase"], event["step"], event["host"])
            if kind == "step":
                open_steps.pop(key, None)
            else:
                open_steps[key] = None
    known = {line.partition(" ")[0] for line in told}
    cut = [key for key in open_steps if f"{key[0]}/{key[1]}" not in known]
    return told + [f"{phase}/{step} on {host}, its end is not known" for phase, step, host in cut]


class Progress:
    """Follows `events.jsonl` in a thread and prints a line per step that ended."""

    def __init__(self, events: Path, *, stream: TextIO | None = None) -> None:
        self.events = events
        self.stream = stream or sys.stdout
        self.started = time.monotonic()
        self._offset = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
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
        line = f"{elapsed_text(time.monotonic() - self.started):>6}  {shown_line(text)}\n"
        # The terminal may be gone, or what reads the pipe: the run goes on to its end, which the record holds.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self.stream.write(line)
            self.stream.flush()

    def _follow(self) -> None:
        while not self._stop.wait(0.3):
            self._read()

    def _read(self) -> None:
        # Not there yet, or gone: what becomes of the run its notebooks say.
        with contextlib.suppress(OSError, ValueError), open_file(self.events) as log:
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
