"""The connections to one host and the sessions on them.

A server allows a number of sessions on a connection (`MaxSessions`) and does not say how many. So a refused session
teaches the number; what does not fit waits for one that ends, or gets a further connection. Nothing else is closed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paramiko

from k8swin_nb.errors import HostUnreachable, K8swinError, TransportError, TransportTimeout
from k8swin_nb.inventory import Host
from k8swin_nb.transports.clock import LOOK_SECONDS, Clock, Late
from k8swin_nb.transports.connection import close_soon, translate

MOST_CONNECTIONS = 4
"""Connections to one host; one more is allowed for what ends a script."""

MOST_SESSIONS = 10
"""Sessions on a connection that are tried: OpenSSH's default."""

SESSION_SECONDS = 20.0
"""How long a server may take to open a session and to start a command in it."""

CLOSE_SECONDS = 1.0
"""How long the end of a connection is waited for; a frozen host does not get more."""

ENDING_SECONDS = 3.0
"""For so long a server that refuses the only session of a connection is asked again."""

AGAIN_SECONDS = 30.0
"""After this a further connection is tried again where the last was refused."""


@dataclass(eq=False, slots=True)
class Line:
    """One connection."""

    connection: Any
    limit: int = MOST_SESSIONS
    used: int = 0
    heard: float = field(default_factory=time.monotonic)
    """When the other end has last shown that it is alive."""

    asking: bool = False

    @property
    def alive(self) -> bool:
        """Whether it is still connected."""
        return bool(self.connection.is_connected)

    def ask(self) -> None:
        """Ask the other end for a sign of life, in the background."""
        if self.asking:
            return
        self.asking = True

        def ask() -> None:
            try:
                # An error is no sign of life; its silence will be seen.
                with contextlib.suppress(Exception):
                    self.connection.transport.global_request("keepalive@openssh.com", wait=True)
                    if self.alive:
                        self.heard = time.monotonic()
            finally:
                self.asking = False

        threading.Thread(target=ask, name="sign of life", daemon=True).start()


class Lines:
    """All connections to a host. Safe to use from several threads."""

    def __init__(self, host: Host, opener: Callable[[Clock], Any]) -> None:
        self._host = host
        self._opener = opener
        self._changed = threading.Condition()
        self._lines: list[Line] = []
        self._opening = False
        self._closed = 0
        """How often all were closed."""
        self._refused_at = -AGAIN_SECONDS

    def session(self, command: str, clock: Clock, *, urgent: bool = False) -> tuple[Line, Any]:
        """Start a command in a session of its own, and return its connection and channel.

        Args:
            command: The command line.
            clock: Until when.
            urgent: It ends a script: a further connection may be opened for it beyond the usual number.

        Raises:
            TransportError: when there is none to be had.
            Late: when the clock has run out.
            Unwanted: when it was asked to stop.
        """
        lost = 0
        refusals: Clock | None = None
        while True:
            line = self._take(clock, urgent=urgent)
            try:
                return line, self._start(line, command, clock)
            except _Full:
                with self._changed:
                    others = line.used > 1
                    if others:
                        line.limit = line.used - 1
                self.give_back(line)
                if others:
                    refusals = None
                    continue
                # A server may still count a session that has just ended.
                refusals = refusals or clock.within(ENDING_SECONDS)
                if refusals.left(1) > 0:
                    with contextlib.suppress(Late):
                        clock.within(LOOK_SECONDS).wait(threading.Event())
                    continue
                raise TransportError(
                    self._host.name,
                    "the SSH server lets us in and opens no session",
                    hint="look at `MaxSessions` in its configuration, and at its log",
                ) from None
            except (paramiko.SSHException, EOFError, OSError) as error:
                # A connection that was lost meanwhile is opened anew, once: nothing was started on it.
                self.give_back(line)
                self.drop(line)
                lost += 1
                if lost > 1:
                    raise translate(error, self._host) from error
            except BaseException:
                self.give_back(line)
                raise

    def give_back(self, line: Line) -> None:
        """A session has ended."""
        with self._changed:
            line.used -= 1
            self._changed.notify_all()

    def drop(self, line: Line) -> None:
        """Close a connection that has failed; the others stay."""
        with self._changed:
            if line in self._lines:
                self._lines.remove(line)
            self._changed.notify_all()
        close_soon(line.connection)

    def close(self) -> None:
        """Close all connections, also one that is just being opened."""
        with self._changed:
            self._closed += 1
            lines, self._lines = self._lines, []
            self._changed.notify_all()
        closing = [close_soon(line.connection) for line in lines]
        for thread in closing:
            if thread is not None:
                thread.join(CLOSE_SECONDS)

    def _take(self, clock: Clock, *, urgent: bool) -> Line:
        """Return a connection that has a session free, and count the session."""
        while True:
            with self._changed:
                while True:
                    clock.check()
                    for line in [line for line in self._lines if not line.alive]:
                        self._lines.remove(line)
                        close_soon(line.connection)
                    free = [line for line in self._lines if line.used < line.limit]
                    if free:
                        line = min(free, key=lambda line: line.used)
                        line.used += 1
                        return line
                    if self._may_open(urgent=urgent):
                        self._opening = True
                        break
                    self._changed.wait(LOOK_SECONDS)
            further = self._open(clock)
            if further is not None:
                return further

    def _may_open(self, *, urgent: bool) -> bool:
        if self._opening:
            return False
        if not self._lines:
            return True
        if len(self._lines) >= MOST_CONNECTIONS + urgent:
            return False
        return urgent or time.monotonic() - self._refused_at >= AGAIN_SECONDS

    def _open(self, clock: Clock) -> Line | None:
        """Open a further connection; None: it was refused, and a session of the others is to be waited for."""
        line = None
        with self._changed:
            closed = self._closed
        try:
            line = Line(self._opener(clock), used=1)
        except K8swinError:
            with self._changed:
                others = any(other.alive for other in self._lines)
                self._refused_at = time.monotonic()
            if not others:
                raise
        finally:
            with self._changed:
                self._opening = False
                late = closed != self._closed
                if line is not None and not late:
                    self._lines.append(line)
                self._changed.notify_all()
        if line is not None and late:
            # Nobody would close it: whoever closed has let go of all this.
            close_soon(line.connection)
            raise HostUnreachable(
                self._host.name,
                "the connection was closed from here while it was opened; nothing was run",
                hint="run it again",
            )
        return line

    def _start(self, line: Line, command: str, clock: Clock) -> Any:
        def work() -> Any:
            transport = line.connection.transport
            if transport is None or not transport.is_active():
                raise EOFError("the connection is lost")
            try:
                channel = transport.open_session(timeout=SESSION_SECONDS)
            except paramiko.ChannelException as error:
                raise _Full from error
            except paramiko.SSHException as error:
                if transport.is_active() and "Unable to open channel" in str(error):
                    raise _Full from error
                raise
            try:
                channel.exec_command(command)
            except BaseException as error:
                channel.close()
                if isinstance(error, paramiko.SSHException) and transport.is_active():
                    raise TransportError(
                        self._host.name,
                        f"the SSH server starts no command: {error}",
                        hint="log in there with `ssh` and the same user, and look at what answers",
                    ) from error
                raise
            line.heard = time.monotonic()
            return channel

        part = clock.within(SESSION_SECONDS)
        try:
            return part.run(work, lambda channel: channel.close(), f"session at {self._host.name}")
        except Late:
            # It accepts and does not answer: whatever is asked next gets a connection of its own.
            self.drop(line)
            clock.check()
            raise TransportTimeout(
                self._host.name,
                f"the SSH server opened no session within {SESSION_SECONDS:.0f} s",
                hint="look at the machine's load; it may be frozen",
            ) from None


class _Full(Exception):
    """The connection has no session free."""
