"""Scripts that run in the background of a notebook: `--bg`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from k8swin_nb.errors import K8swinError, MultiHostError, Stopped
from k8swin_nb.fan_out import wait_for_all
from k8swin_nb.notebook.heard import Heard
from k8swin_nb.result import STILL_RUNS, Result
from k8swin_nb.shown import shown_line
from k8swin_nb.transports.base import CANCELLED

Outcome = tuple[dict[str, Result], K8swinError | None]
"""Results by host, also of those that failed or were stopped, and the error to be raised."""

Work = Callable[[threading.Event], Outcome]

KILL_SECONDS = 15.0
"""How long `kill()` waits for the script to end on its hosts."""


class Job:
    """One script on one or several hosts, in a thread of its own."""

    def __init__(
        self, number: int, what: str, hosts: list[str], work: Work, heard: Heard | None = None
    ) -> None:
        self.number = number
        self.what = what
        self.hosts = hosts
        self.heard = heard or Heard()
        """What it has printed so far, masked."""
        self.started = time.monotonic()
        self._ended: float | None = None
        self._cancel = threading.Event()
        self._results: dict[str, Result] = {}
        self._error: BaseException | None = None
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job {number}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results, self._error = self._work(self._cancel)
        except BaseException as error:
            # Told by `wait()`, in the thread that asks.
            self._error = error
        finally:
            self._ended = time.monotonic()
            self._over.set()

    @property
    def status(self) -> str:
        """`running`, `ok`, `failed` or `killed`."""
        if self._ended is None:
            return "running"
        if self._killed():
            return "killed"
        return "ok" if self._error is None else "failed"

    @property
    def seconds(self) -> float:
        """How long it has been running, or did run."""
        return (self._ended or time.monotonic()) - self.started

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end and return the result: one Result, or a mapping by host.

        Of a job that was killed it is what is known: what scripts printed until then, with exit code 143. A host on
        which it had not begun has a Result that says so.

        Args:
            timeout: Seconds; the job goes on when they have passed.

        Raises:
            K8swinError: what went wrong on the hosts; or that it still runs.
        """
        # The thread is not joined: until Python 3.12 one whose `join` was interrupted counts as ended.
        if not wait_for_all([self._over], timeout):
            raise K8swinError(
                f"job {self.number} still runs after {self.seconds:.0f} s",
                hint="wait again, or stop it with `.kill()`",
            )
        if self._killed():
            return one_or_all(
                {name: self._results.get(name) or self._never(name) for name in self.hosts}
            )
        if self._error is not None:
            raise self._error
        return one_or_all(self._results)

    def so_far(self) -> dict[str, Result]:
        """Return what is known by host; of one that runs the end of what it has printed, with exit code -1."""
        if self._ended is not None and self._results:
            return dict(self._results)
        return {
            host: Result(
                self.what,
                -1,
                self.heard.text(host, "stdout"),
                self.heard.text(host, "stderr"),
                host,
                self.seconds,
                STILL_RUNS if self._ended is None else "",
            )
            for host in self.hosts
        }

    def stop(self) -> None:
        """Ask the script to end on its hosts, and do not wait for that."""
        self._cancel.set()

    def kill(self, timeout: float = KILL_SECONDS) -> Job:
        """Stop the script on its hosts with its children, and return the job, which says what was stopped.

        Args:
            timeout: Seconds that the hosts are given to say that it has ended.
        """
        if self._ended is None:
            self.stop()
            wait_for_all([self._over], timeout)
        return self

    def _killed(self) -> bool:
        """Whether it was stopped, and nothing else went wrong."""
        if not self._cancel.is_set():
            return False
        error = self._error
        errors = error.errors.values() if isinstance(error, MultiHostError) else (error,)
        cut = any(_was_cut(result) for result in self._results.values())
        stopped = any(isinstance(one, Stopped) for one in errors)
        others = [
            one
            for one in errors
            if one and not isinstance(one, Stopped) and not _was_cut(getattr(one, "result", None))
        ]
        return (cut or stopped) and not others

    def _never(self, host: str) -> Result:
        return Result(self.what, CANCELLED, "", "it was stopped before it began\n", host, 0.0)

    def _told(self) -> str:
        """Say what a kill came to, host by host."""
        if not self._cancel.is_set():
            return ""
        if self._ended is None:
            return "; asked to stop, has not ended yet"
        by_end: dict[str, list[str]] = {}
        for name in self.hosts:
            result = self._results.get(name)
            how = "had ended on"
            if result is None:
                how = "not begun on" if self._killed() else "without an answer on"
            elif _was_cut(result):
                how = "stopped on"
            by_end.setdefault(how, []).append(name)
        told = [f"; {how} {', '.join(names)}" for how, names in by_end.items()]
        told += [f"; {name}: {one.left}" for name, one in self._results.items() if one.left]
        return "".join(told)

    def __repr__(self) -> str:
        return (
            f"job {self.number}  {self.status:<8} {self.seconds:7.1f} s  "
            f"{shown_line(','.join(self.hosts))}  {shown_line(self.what + self._told())}"
        )


def _was_cut(result: Any) -> bool:
    return isinstance(result, Result) and result.returncode == CANCELLED


def one_or_all(results: dict[str, Result]) -> Any:
    """Return the result of the only host, or all results by host."""
    return next(iter(results.values())) if len(results) == 1 else results
