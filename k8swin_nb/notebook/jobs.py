"""Scripts that run in the background of a notebook: `--bg`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from k8swin_nb.errors import CommandFailed, K8swinError, MultiHostError, Stopped
from k8swin_nb.result import Result
from k8swin_nb.shown import shown_line
from k8swin_nb.tables import preformatted
from k8swin_nb.transports.base import CANCELLED

Work = Callable[[threading.Event], dict[str, Result]]


class Job:
    """One script on one or several hosts, in a thread of its own."""

    def __init__(self, number: int, what: str, hosts: list[str], work: Work) -> None:
        self.number = number
        self.what = what
        self.hosts = hosts
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
            self._results = self._work(self._cancel)
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
        if self._cancel.is_set():
            return "killed"
        return "ok" if self._error is None else "failed"

    @property
    def seconds(self) -> float:
        """How long it has been running, or did run."""
        return (self._ended or time.monotonic()) - self.started

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end and return the result: one Result, or a mapping by host.

        Args:
            timeout: Seconds; the job goes on when they have passed.

        Raises:
            K8swinError: what went wrong on the hosts; or that it still runs.
        """
        # The thread is not joined: until Python 3.12 one whose `join` was interrupted counts as ended.
        if not self._over.wait(timeout):
            raise K8swinError(
                f"job {self.number} still runs after {self.seconds:.0f} s",
                hint="wait again, or stop it with `.kill()`",
            )
        if self._error is not None and not (self._cancel.is_set() and _only_cancelled(self._error)):
            raise self._error
        return one_or_all(self._results)

    def kill(self) -> None:
        """Stop the script on its hosts; returns at once."""
        if self._ended is None:
            self._cancel.set()

    def __repr__(self) -> str:
        return (
            f"job {self.number}  {self.status:<8} {self.seconds:7.1f} s  "
            f"{shown_line(','.join(self.hosts))}  {shown_line(self.what)}"
        )


def _only_cancelled(error: BaseException) -> bool:
    errors = error.errors.values() if isinstance(error, MultiHostError) else [error]
    return all(
        isinstance(e, Stopped)
        or (isinstance(e, CommandFailed) and e.result.returncode == CANCELLED)
        for e in errors
    )


class Jobs:
    """The table of jobs."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = list(jobs)

    def __iter__(self) -> Any:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._jobs)) or "no jobs"

    def _repr_html_(self) -> str:
        return preformatted(repr(self))


def one_or_all(results: dict[str, Result]) -> Any:
    """Return the result of the only host, or all results by host."""
    return next(iter(results.values())) if len(results) == 1 else results
