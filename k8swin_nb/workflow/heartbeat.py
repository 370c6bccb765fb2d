"""What is said of work that takes long: how long it runs, how long nothing was heard of it, and what it waits for.

A front end asks for the text as often as it likes. What is printed for good is printed at growing intervals, so that an
hour of waiting is some forty lines.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from k8swin_nb.shown import shown_line

QUIET = 2.0
"""Seconds for which nothing is said: most work is over by then."""

FIRST = 5.0
"""Seconds between two lines that stay, at the beginning."""

SHARE = 6.0
"""Which part of the time that has passed lies between two lines later on."""

LONGEST = 300.0
"""Seconds between two lines at most."""

HOSTS = 3
"""Hosts that a text names; of more it says how many there are."""

WORDS = 240
"""Characters of what one host waits for."""


def duration(seconds: float) -> str:
    """Return a time as a person says it: `40 s`, `2 min 10 s`, `1 h 5 min`."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def next_line(elapsed: float) -> float:
    """Return after how many seconds of the work the next line is due, where lines stay for good."""
    return elapsed + min(max(FIRST, elapsed / SHARE), LONGEST)


@dataclass(slots=True)
class _Going:
    said: float
    waits: str = ""


class Heartbeat:
    """What is known of work on some hosts while it goes on; may be told and asked from any thread.

    Args:
        hosts: Names of those that are worked on, where they are known.
        clock: Seconds; only differences count.
    """

    def __init__(
        self, hosts: Iterable[str] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._going: dict[str, _Going] = {}
        self._ended: dict[str, str] = {}
        self._hosts = dict.fromkeys(hosts)
        self.began = self._said = clock()
        self.why = ""
        """What goes on beside the hosts' work, in a few words."""

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self.began

    @property
    def going(self) -> bool:
        """Whether any host is worked on."""
        return bool(self._going)

    def begin(self, host: str) -> None:
        """Take note that a host is worked on from now on."""
        with self._lock:
            self._hosts.setdefault(host)
            self._said = self._clock()
            self._going[host] = _Going(self._said)

    def said(self, host: str) -> None:
        """Take note of a sign of life."""
        with self._lock:
            self._said = self._clock()
            if host in self._going:
                self._going[host].said = self._said

    def waits(self, host: str, what: str) -> None:
        """Take note of what is waited for on a host; the same once more is no sign of life."""
        with self._lock:
            going = self._going.get(host)
            if going is None or going.waits == what:
                return
            going.waits = what
            going.said = self._said = self._clock()

    def end(self, host: str, *, fine: bool = True, skipped: bool = False) -> None:
        """Take note that a host is through, and whether it went well; one that was skipped is neither."""
        with self._lock:
            self._going.pop(host, None)
            self._said = self._clock()
            self._ended[host] = "skipped" if skipped else "ready" if fine else "failed"

    def text(self) -> str:
        """Return one line: `still running 2 min 10 s, silent for 40 s: 2 of 3 ready; winworker02: pulling servercore`."""
        with self._lock:
            now = self._clock()
            silent = now - self._said
            told = f"still running {duration(now - self.began)}"
            if silent >= QUIET:
                told += f", silent for {duration(silent)}"
            parts = self._parts()
        return f"{told}: {'; '.join(parts)}" if parts else told

    def waiting(self) -> dict[str, str]:
        """Return what is waited for, by host."""
        with self._lock:
            return {name: going.waits for name, going in self._going.items() if going.waits}

    def _parts(self) -> list[str]:
        parts = []
        if len(self._hosts) > 1:
            ends = Counter(self._ended.values())
            others = [f", {ends[end]} {end}" for end in ("failed", "skipped") if ends[end]]
            parts.append(f"{ends['ready']} of {len(self._hosts)} ready{''.join(others)}")
        waits: dict[str, list[str]] = {}
        for name, going in self._going.items():
            if going.waits:
                waits.setdefault(going.waits, []).append(name)
        parts += [
            f"{_named(names)}: {shown_line(what, most=WORDS)}"
            for what, names in list(waits.items())[:HOSTS]
        ]
        if len(waits) > HOSTS:
            parts.append(f"{sum(map(len, list(waits.values())[HOSTS:]))} more wait")
        elif not waits and self._going:
            parts.append(f"on {_named(list(self._going))}")
        return [*parts, self.why] if self.why else parts


def _named(hosts: list[str]) -> str:
    more = f" and {len(hosts) - HOSTS} more" if len(hosts) > HOSTS else ""
    return shown_line(", ".join(hosts[:HOSTS])) + more
