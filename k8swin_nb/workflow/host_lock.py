"""The lock of a host: who changes it at the moment, so that a second one is told and does not do it too.

It is a process on the host that holds a file. The operating system lets go of the file when that process
ends; the process ends when its holder lets go, when his connection ends, when nothing is heard from him any
more, and when somebody breaks the lock. So what is left of a holder that died never has to be judged by its age.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from k8swin_nb.errors import HostLocked, RecordError, StepFailed, Stopped, TransportTimeout
from k8swin_nb.inventory import Host
from k8swin_nb.reading import json_document, lines
from k8swin_nb.scripts import Script
from k8swin_nb.shells import new_tag
from k8swin_nb.transports.processes import Running, running
from k8swin_nb.workflow.record import operator, utc_now
from k8swin_nb.workflow.unfinished import unfinished

if TYPE_CHECKING:
    from k8swin_nb.result import Result
    from k8swin_nb.transports.base import Transport
    from k8swin_nb.workflow.step_run import StepRun

BEAT = 15.0
"""Seconds between two signs of life that a holder on Linux is sent; on Windows the shell is asked anyway."""

SILENCE = 90
"""Seconds without a sign of life after which the lock is let go."""

ANSWER_SECONDS = 60.0
"""Time that a host has to say whether the lock was taken: a login and one script."""

RELEASE_SECONDS = 5.0
"""Time that letting go may take; after it the connection's end does the same."""

ASK_SECONDS = 3.0
"""Seconds between two attempts to take a lock that another one holds."""

ORPHAN_SECONDS = 3600.0
"""Time that a script whose operator is gone is given to end; most end by their own deadlines before."""

BOOTED = "booted "
"""How the line begins by which a host of Windows says when it booted, once its lock is taken."""

HELD, BROKEN = 75, 76
"""Exit codes of the script that holds a lock: another one has it; it was broken."""

TAKE = {"linux": "linux/host_lock.apply.sh", "windows": "windows/host_lock.apply.ps1"}
LOOK = {"linux": "linux/host_lock.check.sh", "windows": "windows/host_lock.check.ps1"}
BREAK = {
    "linux": "linux/host_lock_broken.apply.sh",
    "windows": "windows/host_lock_broken.apply.ps1",
}


class Ways(Protocol):
    """What locks need of the pool: the way to a host, and one beside it that may be kept busy."""

    def transport(self, host: Host) -> Transport: ...

    def aside(self, host: Host) -> Transport: ...

    def part(self, transport: Transport) -> None: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as he wrote it down on the host."""

    operator: str
    controller: str
    """Name of the computer on which the toolkit runs."""
    boot: str
    """Id of that computer's boot and of the numbers of processes there, empty where it has none."""
    pid: int
    run: str
    purpose: str
    """What is done: the phase's name."""
    since: str
    """RFC 3339, by the controller's clock."""

    @classmethod
    def here(cls, run: str, purpose: str) -> Holder:
        """Return this process as a holder."""
        return cls(operator(), platform.node(), _boot(), os.getpid(), run, purpose, utc_now())

    @classmethod
    def read(cls, text: str) -> Holder:
        """Return what a host says; what cannot be read becomes a holder of whom nothing is known."""
        try:
            found = json_document(text)
            read = cls(**{name: kind(found[name]) for name, kind in _KINDS.items()})
            if not 0 <= read.pid < 2**31:
                raise ValueError("no number of a process")
            return read
        except (ValueError, TypeError, KeyError, OverflowError):
            return cls(
                "an unknown operator", "an unknown computer", "", 0, "", "", "an unknown time"
            )

    def line(self) -> str:
        """Return the holder as one line of JSON."""
        return json.dumps(asdict(self))

    @property
    def is_gone(self) -> bool:
        """Whether this was a process of this computer which runs no more."""
        if not self.boot or (self.controller, self.boot) != (platform.node(), _boot()):
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    def __str__(self) -> str:
        what = ", ".join(part for part in (self.purpose, self.run and f"run {self.run}") if part)
        return f"{self.operator} on {self.controller} (process {self.pid}) since {self.since}" + (
            f": {what}" if what else ""
        )


_KINDS: Mapping[str, type] = {
    "operator": str, "controller": str, "boot": str, "pid": int, "run": str, "purpose": str, "since": str,
}  # fmt: skip


def _boot() -> str:
    """Return what tells whether two numbers of processes are comparable: containers of one computer count their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


class HostLock:
    """One lock, from the attempt to take it until it is let go."""

    def __init__(
        self,
        transport: Transport,
        holder: Holder,
        lost: Holder | None = None,
        on_boot: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._transport = transport
        self.holder = holder
        self._on_boot = on_boot
        """Told when a host of Windows booted, some time after its lock was taken."""
        self._lost = lost
        """Whom this work was there before, if its connection broke."""
        self._lines: list[str] = []
        self._text = ""
        self._booted = ""
        self._answered = threading.Event()
        self._release = threading.Event()
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._result: Result | None = None

    def take(self, cancel: threading.Event) -> Holder | None:
        """Take it; return who has it where it is taken.

        Args:
            cancel: Set: the attempt is given up.

        Raises:
            Stopped: when `cancel` was set.
            TransportError: when the host cannot be asked.
            StepFailed: when its answer is none.
        """
        threading.Thread(target=self._hold, name="host lock", daemon=True).start()
        deadline = time.monotonic() + ANSWER_SECONDS
        while not (self._answered.wait(0.1) or self._over.is_set()):
            name = self._transport.host.name
            if cancel.is_set():
                self.release()
                raise Stopped(name, "was stopped while it asked for the host's lock")
            if time.monotonic() > deadline:
                self.release()
                raise TransportTimeout(
                    name, f"did not say within {ANSWER_SECONDS:.0f} s whether its lock is free"
                )
        if self._lines[:1] == ["taken"]:
            return None
        self._over.wait(RELEASE_SECONDS)
        if self._error is not None:
            raise self._error
        if self._result is not None and self._result.returncode == HELD:
            return Holder.read("\n".join(self._lines[1:]))
        raise StepFailed(
            phase=self.holder.purpose,
            step="host-lock",
            host=self._transport.host.name,
            detail="the host's lock could not be taken",
            result=self._result,
            hint="`/run/k8swin/lock`, or `%ProgramData%\\k8swin\\lock`, must be a file that the administrator can write",
        )

    @property
    def alive(self) -> bool:
        """Whether it is held still."""
        return self._lines[:1] == ["taken"] and not self._over.is_set()

    @property
    def breaker(self) -> Holder | None:
        """Who broke it; None: nobody did."""
        lost = self._result is not None and self._result.returncode == BROKEN
        if not lost or "broken" not in self._lines:
            return None
        return Holder.read("\n".join(self._lines[self._lines.index("broken") + 1 :]))

    def release(self) -> None:
        """Let go; no error when it is gone already."""
        self._release.set()
        if self._transport.interpreter == "bash" and self._over.wait(RELEASE_SECONDS):
            return
        self._cancel.set()
        if self._over.wait(RELEASE_SECONDS) and self._transport.interpreter == "powershell":
            self._transport.close()

    def _hold(self) -> None:
        linux = self._transport.interpreter == "bash"
        host = self._transport.host
        values = {"LOCK_HOLDER": self.holder.line(), "LOCK_SILENCE": str(SILENCE)}
        if not linux:
            values = {"LockHolder": values["LOCK_HOLDER"]}
            if self._lost is not None:
                values["LockLost"] = self._lost.line()
        try:
            self._result = self._transport.run(
                Script.load(TAKE[host.os]),
                parameters=values,
                feed=self._beats() if linux else None,
                sudo=host.asks_for_root,
                on_output=self._said,
                cancel=self._cancel,
                tag=new_tag(self.holder.run, "lock"),
            )
        except Exception as error:
            self._error = error
        finally:
            self._over.set()

    def _beats(self) -> Iterator[bytes]:
        while not self._release.wait(BEAT):
            yield b"\n"
        yield b"release\n"

    def _said(self, stream: str, text: str) -> None:
        if stream == "stdout":
            self._text += text
            self._lines = lines(self._text)
            if self._text.startswith("taken\n"):
                self._answered.set()
            whole = lines(self._text.rpartition("\n")[0])
            booted = [line for line in whole if line.startswith(BOOTED)]
            if booted and not self._booted:
                self._booted = booted[0].removeprefix(BOOTED)
                with contextlib.suppress(RecordError):  # what is written next says so
                    self._on_boot(self._booted)


class HostLocks:
    """The locks that one cluster's work holds. Safe to use from several threads, one a host."""

    def __init__(self, ways: Ways, run: str, *, wait: float = 0.0) -> None:
        self._ways = ways
        self._run = run
        self._wait = wait
        self._held: dict[Host, HostLock] = {}
        self._guards: defaultdict[Host, threading.Lock] = defaultdict(threading.Lock)
        """Of two threads that want the lock of one host, the second finds it held."""

    def take(self, at: StepRun) -> bool:
        """Make sure that the host's lock is held; return whether it was taken just now.

        Raises:
            HostLocked: when another one holds it, or broke ours.
            Stopped: when the run was stopped meanwhile.
            TransportError: when the host cannot be asked.
        """
        guard = self._guards[at.host]
        while not guard.acquire(timeout=0.2):
            at.check_stop("was stopped before it changed anything")
        try:
            return self._take(at)
        finally:
            guard.release()

    def _take(self, at: StepRun) -> bool:
        host = at.host
        had = self._held.get(host)
        if had is not None and had.alive:
            return False
        if had is not None and had.breaker is not None:
            del self._held[host]
            raise HostLocked(
                host.name,
                f"the lock of this run was broken by {had.breaker}; nothing more was changed",
                hint="talk to them; then run it again: it looks first at what is there",
            )
        # One way for all attempts: Windows allows one user few shells, and waiting may take many.
        way = self._ways.aside(host)
        try:
            self._held[host] = self._obtain(at, way)
        except BaseException:
            self._ways.part(way)
            raise
        self._wait_for_orphans(at)
        _note_ended(at)
        at.run.record.write("host-locked", host=host.name, phase=at.run.phase.name)
        return True

    def _obtain(self, at: StepRun, way: Transport) -> HostLock:
        """Try to take a host's lock until it is taken or the time for waiting is over."""
        host = at.host
        deadline = time.monotonic() + self._wait
        told = False
        while True:
            at.check_stop("was stopped before it changed anything")
            had = self._held.get(host)
            lost = had.holder if had is not None else None
            holder = Holder.here(self._run, at.run.phase.name)
            lock = HostLock(way, holder, lost, partial(self._see_boot, at))
            other = lock.take(at.run.cancel)
            if other is None:
                return lock
            if other.is_gone or self._is_mine(host, other):
                why = "that process has ended" if other.is_gone else "its connection was lost"
                self._say(at, f"the lock of {other} is left over: {why}")
                self.break_(host, other, at.run.phase.name)
                continue
            if time.monotonic() >= deadline:
                at.run.record.write("host-locked-by-another", host=host.name, holder=asdict(other))
                raise HostLocked(
                    host.name,
                    f"is worked on by {other}; nothing was changed"
                    + (f" (waited {self._wait:.0f} s)" if self._wait else ""),
                    hint="wait for them with the parameter `lock_wait`, in seconds, or see "
                    f"`k8swin unlock --params FILE {host.name}`",
                )
            if not told:
                self._say(at, f"waits for at most {self._wait:.0f} s: worked on by {other}")
                told = True
            at.waiting(f"the lock of this host, which is worked on by {other}")
            at.pause(ASK_SECONDS)

    def _see_boot(self, at: StepRun, boot: str) -> None:
        """Write down which boot it is whose lock is held; the way that holds it is another one than the steps'."""
        identities = self._ways.transport(at.host).identities
        identities.see_boot(boot)
        if identities.known is not None:
            at.run.record.identify(at.host, identities.known)

    def _wait_for_orphans(self, at: StepRun) -> None:
        """Wait for scripts that change the host though nobody waits for them: of a run that was killed."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        told: set[str] = set()
        while True:
            at.check_stop("was stopped before it changed anything")
            left = [one for one in self._running(at) if self._orphan(one)]
            if not left:
                return
            for one in left:
                if one.tag not in told:
                    self._say(at, f"waits for what still runs there: {one}")
                    at.run.record.write("orphan-found", host=at.host.name, script=str(one))
                    told.add(one.tag)
            if time.monotonic() >= deadline:
                raise HostLocked(
                    at.host.name,
                    f"a script of another run has changed it for {ORPHAN_SECONDS:.0f} s and does not end: {left[0]}",
                    hint=f"look at it on the host, or end it: `k8swin unlock --params FILE --stop {at.host.name}`",
                )
            at.waiting(f"the end of what still runs there: {left[0]}")
            at.pause(ASK_SECONDS)

    def _running(self, at: StepRun) -> tuple[Running, ...]:
        return running(
            self._ways.transport(at.host), sudo=at.host.asks_for_root, cancel=at.run.cancel
        )

    def _orphan(self, one: Running) -> bool:
        # A magic of this run may well go on beside a step; an apply of it cannot: it would hold the lock.
        return one.changes and not (one.run == self._run and one.verb != "apply")

    def look(self, host: Host, cancel: threading.Event | None = None) -> tuple[bool, Holder | None]:
        """Return whether somebody holds a host's lock, and who did last; None: nobody is known.

        Args:
            host: Which one.
            cancel: Set: it is asked no longer.

        Raises:
            TransportError: when the host cannot be asked.
        """
        held, _, said = self._asked(host, LOOK, {}, cancel).stdout.strip().partition("\n")
        said = said.strip()
        return held.strip() == "held", Holder.read(said) if said else None

    def break_(self, host: Host, holder: Holder, purpose: str) -> None:
        """Break the lock that a holder was seen to have.

        Raises:
            StepFailed: when it has changed hands, or its process does not answer.
        """
        breaker = Holder.here(self._run, purpose)
        linux = host.os == "linux"
        names = ("LOCK_HOLDER", "LOCK_BREAKER") if linux else ("LockHolder", "LockBreaker")
        self._asked(host, BREAK, dict(zip(names, (holder.line(), breaker.line()), strict=True)))

    def _is_mine(self, host: Host, other: Holder) -> bool:
        """Whether a lock is the one that this work had there: its connection broke, as when a worker's network is made."""
        had = self._held.get(host)
        return had is not None and had.holder == other and not had.alive

    def holds(self, host: Host) -> bool:
        """Whether the lock of a host is held by this work."""
        lock = self._held.get(host)
        return lock is not None and lock.alive

    def release(self) -> None:
        """Let go of all locks, side by side."""
        locks, self._held = list(self._held.values()), {}
        threads = [threading.Thread(target=lock.release, daemon=True) for lock in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * RELEASE_SECONDS)

    def _asked(
        self,
        host: Host,
        scripts: Mapping[str, str],
        values: dict[str, str],
        cancel: threading.Event | None = None,
    ) -> Result:
        result = self._ways.transport(host).run(
            Script.load(scripts[host.os]),
            parameters=values,
            timeout=ANSWER_SECONDS,
            tag=new_tag(self._run, "lock"),
            sudo=host.asks_for_root,
            cancel=cancel,
        )
        if result.returncode != 0:
            raise StepFailed(
                phase="",
                step="host-lock",
                host=host.name,
                detail="the lock was not dealt with",
                result=result,
            )
        return result

    def _say(self, at: StepRun, text: str) -> None:
        if at.run.on_output:
            at.run.on_output(at.host, "stderr", f"{at.host.name}: {text}\n")


def _note_ended(at: StepRun) -> None:
    """Write down that nothing runs any more of the scripts whose end no record tells."""
    for one in unfinished(at.run.record.folder.parent, address=at.host.address):
        # Nobody waits for one whose connection broke either, and an `apply` that still ran would have been waited for.
        if not one.at_work or (one.why and one.verb == "apply"):
            at.run.record.write("script-gone", tag=one.tag, host=at.host.name, script=one.script)
