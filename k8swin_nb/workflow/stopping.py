"""Stopping the work of a phase, or leaving out one of its hosts alone.

A stop reaches every host. A host may be left out by itself while it is looked at or waited for, and while a script
changes it, it may not: nobody would know then what state it is in. A host that was left out takes no part in the later
steps of its phase until the step at which it was left is applied again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from k8swin_nb.workflow.heartbeat import next_line


class Stop(threading.Event):
    """An event that sets those which were made of it, too; they can be set alone."""

    def __init__(self) -> None:
        super().__init__()
        self._children: list[Stop] = []
        self._own = threading.Lock()

    def child(self) -> Stop:
        """Return an event that is set with this one, or by itself."""
        new = Stop()
        with self._own:
            self._children.append(new)
            asked = self.is_set()
        if asked:
            new.set()
        return new

    def forget(self, child: Stop) -> None:
        """Let go of one whose work is over."""
        with self._own:
            self._children.remove(child)

    def set(self) -> None:
        """Set it, and all that were made of it."""
        super().set()
        with self._own:
            children = list(self._children)
        for child in children:
            child.set()


class HostWork:
    """One step on one host while it is at work: what it waits for, and whether it may be left out now.

    Args:
        step: The step's name.
        host: The host's name.
        stop: Set when this host alone, or the whole run, is stopped.
        tell: Told what is waited for when that changes.
        keep: Told the same less and less often, for what is kept for good.
    """

    def __init__(
        self,
        step: str,
        host: str,
        stop: Stop,
        tell: Callable[[str], None],
        keep: Callable[[str], None],
    ) -> None:
        self.step = step
        self.host = host
        self.stop = stop
        self.applied = False
        """Whether it has changed something on the host."""
        self.waits = ""
        """What was waited for last."""
        self._tell = tell
        self._keep = keep
        self._lock = threading.Lock()
        self._changing = False
        self._left = False
        self._began = time.monotonic()
        self._due = 0.0
        self._verb = ""

    @property
    def left_out(self) -> bool:
        """Whether somebody left it out."""
        return self._left

    @property
    def changing(self) -> bool:
        """Whether it is being changed at the moment."""
        return self._changing

    def begin_change(self) -> bool:
        """Take note that a change begins; False when the host was left out just before."""
        with self._lock:
            if not self._left:
                self._changing = self.applied = True
            return self._changing

    def end_change(self) -> None:
        """Take note that the change is through, and is to be proven now."""
        with self._lock:
            self._changing = False

    def leave_out(self) -> bool:
        """End the wait for this host; False where it is being changed, which only a stop of all ends."""
        with self._lock:
            if self._changing:
                return False
            self._left = True
        self.stop.set()
        return True

    def runs(self, script: str, verb: str, *, changes: bool) -> None:
        """Say which script's end is waited for, unless it only looks after what is waited for anyway.

        Args:
            script: The script's name.
            verb: What the step does on the host with it.
            changes: Whether it may change something.
        """
        if self.waits and verb == self._verb and not changes:
            return
        self._verb, self.waits = verb, ""
        self._tell(f"the end of `{script}` ({verb})")

    def waits_for(self, what: str) -> None:
        """Say what is waited for."""
        if what == self.waits:
            return
        self.waits = what
        self._tell(what)
        elapsed = time.monotonic() - self._began
        if elapsed >= self._due:
            self._due = next_line(elapsed)
            self._keep(what)

    def outcome(self) -> str:
        """Return how it ended when it was left out, as one line."""
        last = f"; last seen: {self.waits}" if self.waits else ""
        if self.applied:
            return f"left out after it was applied; that it is as wanted is not proven{last}"
        return f"left out while it was looked at; this step changed nothing{last}"
