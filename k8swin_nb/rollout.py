"""In which order, how many at a time and how often a script is tried on hosts, and when it is given up.

What Ansible calls a rolling update: batches (`serial`), a bound on those that are worked on at once (`parallel`), a number of
failures after which nothing further begins (`max_fail`), and further attempts on one host (`retries`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from k8swin_nb.errors import (
    CommandFailed,
    CommandTimeout,
    HostUnreachable,
    Interrupted,
    K8swinError,
    ScriptNotStarted,
    Stopped,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.fan_out import AT_ONCE, Answers, on_each
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result

RETRY_SECONDS = 2.0
"""How long is waited before a host is tried again, when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number of hosts, or a part of them in percent."""

    number: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read `3` or `25%`.

        Raises:
            ValueError: when it is neither.
        """
        found = re.fullmatch(r"(\d+)(%?)", text.strip())
        if not found or (found[2] and int(found[1]) > 100):
            raise ValueError(f"`{text}` is neither a number of hosts nor a part such as `25%`")
        return cls(int(found[1]), bool(found[2]))

    def of(self, hosts: int) -> int:
        """Return how many of so many hosts it is, rounded down."""
        return int(hosts * self.number / 100) if self.percent else int(self.number)

    def __str__(self) -> str:
        return f"{self.number:g}{'%' if self.percent else ''}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a script goes over its hosts."""

    parallel: int = AT_ONCE
    """Hosts that are worked on at the same time."""

    serial: Share | None = None
    """Hosts of a batch; the next one begins when all of it have ended. None: all hosts are one."""

    max_fail: Share | None = None
    """How many hosts may fail; with more of them nothing further begins, and what runs comes to its end. A number counts
    from the beginning, a part in percent is of each batch. None: all hosts are tried."""

    ok_codes: frozenset[int] = frozenset({0})
    """Exit codes that are no failure."""

    retries: int = 0
    """Further attempts on a host after a failure."""

    retry_if: re.Pattern[str] | frozenset[int] | None = None
    """Which failures are tried again: an exit code, or what stands in the output or the error. None: every exit code that is a
    failure, silence, and a host that could not be reached or on which nothing began."""

    retry_delay: float = RETRY_SECONDS
    """Seconds before another attempt."""

    tell: Callable[[str], None] | None = field(default=None, compare=False)
    """Told in a line what is tried again, and which batch begins."""

    def batches(self, hosts: Sequence[Host]) -> Iterator[Sequence[Host]]:
        """Return the hosts in batches, none of them empty."""
        size = max(1, self.serial.of(len(hosts))) if self.serial else max(1, len(hosts))
        for start in range(0, len(hosts), size):
            yield hosts[start : start + size]

    def failed(self, result: Result) -> bool:
        """Whether an exit code is a failure."""
        return result.returncode not in self.ok_codes

    def again(self, error: K8swinError) -> bool:
        """Whether a failure is one that is tried again; where no time is left nothing is."""
        if _too_late(error):
            return False
        result = getattr(error, "result", None)
        if isinstance(self.retry_if, frozenset):
            return isinstance(result, Result) and result.returncode in self.retry_if
        if self.retry_if is not None:
            texts = [str(error)]
            if isinstance(result, Result):
                texts += [result.stdout, result.stderr]
            return any(self.retry_if.search(text) for text in texts)
        if isinstance(error, CommandTimeout):
            return error.silent
        if isinstance(error, TransportError) and error.begun:
            return False  # it may be at work there still
        return isinstance(
            error, CommandFailed | HostUnreachable | TransportTimeout | ScriptNotStarted
        )


def roll_out(
    hosts: Sequence[Host],
    attempt: Callable[[Host], Result],
    how: Rollout,
    *,
    cancel: threading.Event,
) -> Answers[Result]:
    """Run something on hosts as `how` says, and return what came of each.

    Args:
        hosts: All of them, in the order of the batches.
        attempt: One attempt on one host. A result that `how.failed` is one of a `CommandFailed`.
        how: Batches, bounds and retries.
        cancel: When it is set nothing further begins; `attempt` has it from whoever made it.

    Returns:
        A host on which nothing began because others failed has a `Stopped` that says so.

    Raises:
        Interrupted: a KeyboardInterrupt, that tells of the hosts of all batches.
    """
    found: Answers[Result] = Answers()
    course = _Course(how, len(hosts), cancel)
    done: list[str] = []
    batches = list(how.batches(hosts))
    for number, batch in enumerate(batches, 1):
        if len(batches) > 1 and how.tell and not (course.over or cancel.is_set()):
            names = ", ".join(host.name for host in batch)
            how.tell(f"batch {number} of {len(batches)}: {names}")
        course.begin(len(batch))
        try:
            more = on_each(
                batch,
                lambda host: course.host(host, attempt),
                name=lambda host: host.name,
                cancel=cancel,
                at_once=how.parallel,
            )
        except Interrupted as interrupt:
            later = [host.name for one in batches[number:] for host in one]
            raise Interrupted(
                stopped=interrupt.stopped,
                ended=(*done, *interrupt.ended),
                left=(*interrupt.left, *later),
                running=interrupt.running,
                results={**_printed(found), **interrupt.results},
            ) from None
        found.answers |= more.answers
        found.errors |= more.errors
        done += [host.name for host in batch]
    return found


class _Course:
    """How far a rollout came, over all of its batches."""

    def __init__(self, how: Rollout, hosts: int, cancel: threading.Event) -> None:
        self._how = how
        self._hosts = hosts
        self._cancel = cancel
        self._lock = threading.Lock()
        self._failed: list[str] = []
        self._before = 0
        self._batch = hosts
        self.over = False

    def begin(self, batch: int) -> None:
        with self._lock:
            self._before, self._batch = len(self._failed), batch

    def host(self, host: Host, attempt: Callable[[Host], Result]) -> Result:
        if self.over:
            raise Stopped(host.name, f"was not begun, because others failed: {self._told()}")
        try:
            result = self._attempts(host, attempt)
        except Stopped:
            raise
        except Exception:
            self._count(host)
            raise
        if self._how.failed(result):
            self._count(host)
        return result

    def _attempts(self, host: Host, attempt: Callable[[Host], Result]) -> Result:
        how = self._how
        before: Result | K8swinError | None = None
        for left in range(how.retries, -1, -1):
            result: Result | None = None
            try:
                result = attempt(host)
                if not how.failed(result):
                    return result
                error: K8swinError = CommandFailed(result)
            except Stopped:
                raise
            except K8swinError as failure:
                error = failure
            if left and how.again(error) and not self._cancel.is_set():
                if how.tell:
                    how.tell(
                        f"{error}; attempt {how.retries - left + 2} of {how.retries + 1} "
                        f"in {how.retry_delay:g} s"
                    )
                if not self._cancel.wait(how.retry_delay):
                    before = result if result is not None else error
                    continue
            if before is not None and _too_late(error):
                # What became of the host is what the last attempt that began says.
                if how.tell:
                    how.tell(f"{host.name}: no time was left for another attempt")
                if isinstance(before, K8swinError):
                    raise before
                return before
            if result is not None:
                return result
            raise error
        raise AssertionError("unreachable")

    def _count(self, host: Host) -> None:
        with self._lock:
            self._failed.append(host.name)
            most = self._how.max_fail
            if most is None:
                return
            failed = len(self._failed) - (self._before if most.percent else 0)
            self.over = self.over or failed > most.of(self._batch)

    def _told(self) -> str:
        with self._lock:
            return ", ".join(self._failed[:10])


def _too_late(error: K8swinError) -> bool:
    """Whether nothing began because the time that was given had passed."""
    if isinstance(error, TransportTimeout):
        return error.given is not None
    return isinstance(error, CommandTimeout) and error.never


def _printed(found: Answers[Result]) -> dict[str, Result]:
    results = {name: getattr(error, "result", None) for name, error in found.errors.items()}
    return found.answers | {n: one for n, one in results.items() if one is not None}
