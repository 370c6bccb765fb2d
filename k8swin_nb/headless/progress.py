"""Progress on a terminal, read from the run's own record: which notebook, which step, how long, what it waits for."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.reading import open_file
from k8swin_nb.shown import cut_line, shown_line, visible
from k8swin_nb.workflow.chain import read_event
from k8swin_nb.workflow.heartbeat import QUIET, Heartbeat, next_line
from k8swin_nb.workflow.record import read_events

DIFFERENCE_LINES = 60
"""Lines of what a step would change that a terminal shows; the page has the rest."""


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
    """Follows `events.jsonl` in a thread and prints a line per step that ended, and of one that goes on at growing intervals."""

    def __init__(self, events: Path, *, stream: TextIO | None = None) -> None:
        self.events = events
        self.stream = stream or sys.stdout
        self.started = time.monotonic()
        self._offset = 0
        self._beats: dict[tuple[str, str], tuple[Heartbeat, float]] = {}
        """By notebook and step what is at work, and when it is told of next: notebooks may run beside each other."""
        self._told: set[str] = set()
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

    def tell_once(self, text: str) -> None:
        """Print a line of what hinders something that is tried again and again; nothing for an empty one."""
        with self._lock:
            known = not text or text in self._told
            self._told.add(text)
        if not known:
            self.say(text)

    def _follow(self) -> None:
        while not self._stop.wait(0.3):
            self._read()
            self._say_that_it_runs()

    def _say_that_it_runs(self) -> None:
        """Say which steps still run, where that is due."""
        for key, (beat, due) in list(self._beats.items()):
            elapsed = beat.elapsed
            if elapsed >= due:
                self._beats[key] = (beat, next_line(elapsed))
                notebook, step = key
                self.say(f"{notebook:<16} {step:<20} {beat.text()}")

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

    def _follow_step(self, event: dict[str, Any]) -> None:
        key = (str(event.get("notebook", "")), str(event.get("step", "")))
        host = str(event.get("host", ""))
        kind = event["event"]
        if kind == "step-started":
            self._beats.setdefault(key, (Heartbeat(), QUIET))[0].begin(host)
            return
        if key not in self._beats:
            return
        beat = self._beats[key][0]
        if kind == "waiting":
            beat.waits(host, str(event.get("detail", "")))
        elif kind == "script-started":
            beat.waits(host, f"the end of `{event.get('script', '')}` ({event.get('verb', '')})")
        elif kind == "script":
            beat.said(host)
        elif kind == "step":
            outcome = event.get("outcome")
            beat.end(
                host,
                fine=outcome not in ("failed", "unreachable"),
                skipped=outcome == "skipped",
            )
        if kind in ("interrupted", "failed") or not beat.going:
            del self._beats[key]

    def _show(self, event: dict[str, Any]) -> None:
        self._follow_step(event)
        if event["event"] == "step":
            self.say(
                f"{event.get('notebook', '')!s:<16} {event.get('step', '')!s:<20} "
                f"{event.get('host', '')!s:<12} {event.get('outcome', '')!s:<12} "
                f"{event.get('detail', '')}".rstrip()
            )
            if event.get("dry_run"):
                self._tell(str(event.get("difference") or "").splitlines())

    def _tell(self, lines: list[str]) -> None:
        """Print what a step would change below its line."""
        more = len(lines) - DIFFERENCE_LINES
        told = lines[:DIFFERENCE_LINES] + ([f"... {more} lines more"] if more > 0 else [])
        with self._lock, contextlib.suppress(OSError, ValueError):
            self.stream.write("".join(f"{'':8}{cut_line(visible(line))}\n" for line in told))
            self.stream.flush()
