"""Every error that a user of the toolkit is expected to meet, as one tree.

    K8swinError                  message, hint
    ├─ ParamsError               a parameter is unknown, mistyped or contradictory; a secret is not there
    ├─ InventoryError            no host, group, phase or step of that name
    ├─ ScriptError               no such script or view, a parameter that is undeclared or missing, odd output
    │  └─ NotKnownYet            a fact that an earlier step finds out
    ├─ TransportError            host, detail
    │  ├─ HostUnreachable        nobody answers, or the connection broke
    │  ├─ HostKeyUnknown         an SSH host key that nobody has pinned
    │  ├─ HostKeyMismatch        another SSH host key than the pinned one
    │  ├─ HostKeyRevoked         an SSH host key that is marked as revoked
    │  ├─ CertificateRejected    a TLS certificate that the given authority did not sign
    │  ├─ AuthenticationFailed   the login was refused; never tried again by itself
    │  ├─ TransportTimeout       the other end is there and does not answer in time
    │  ├─ ScriptNotStarted       the login worked, and no script began; what the host printed instead
    │  ├─ EndUnknown             a script began, and nobody knows how it ended
    │  └─ TransferFailed         a file did not arrive whole
    ├─ CommandFailed             result
    ├─ CommandTimeout            result with what was printed so far, timeout
    ├─ StepFailed                phase, step, host, detail, result
    │  ├─ CheckFailed            a check could not find out
    │  ├─ VerifyFailed           it was applied, and still is not as wanted
    │  └─ DriftFound             someone else's state is in the way; nothing was touched
    ├─ ClusterError              status, reason
    │  └─ WaitTimeout            what was waited for in the cluster is not so yet
    ├─ HostLocked                host, detail: another operator works on the host
    ├─ RecordError               where, detail: the run's folder cannot be written
    ├─ Stopped                   host, detail: somebody stopped the work
    │  └─ LeftOut                a wait for one host was ended; the others went on
    ├─ UnexpectedError           host, cause: an exception that is a bug of ours
    └─ MultiHostError            errors by host

    Interrupted                  a KeyboardInterrupt that says what it stopped and what is left

A message is computed from fields, the fields survive pickling, and a notebook shows two short lines
instead of a Python traceback: these are the expected errors; a bug keeps its traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from k8swin_nb.base_error import LOOKS_FIRST as LOOKS_FIRST
from k8swin_nb.base_error import TAIL_LINES, last_lines
from k8swin_nb.base_error import K8swinError as K8swinError
from k8swin_nb.shown import shown, shown_line, shown_lines
from k8swin_nb.transport_errors import AuthenticationFailed as AuthenticationFailed
from k8swin_nb.transport_errors import CertificateRejected as CertificateRejected
from k8swin_nb.transport_errors import EndUnknown as EndUnknown
from k8swin_nb.transport_errors import HostKeyMismatch as HostKeyMismatch
from k8swin_nb.transport_errors import HostKeyRevoked as HostKeyRevoked
from k8swin_nb.transport_errors import HostKeyUnknown as HostKeyUnknown
from k8swin_nb.transport_errors import HostUnreachable as HostUnreachable
from k8swin_nb.transport_errors import NotPassedOn as NotPassedOn
from k8swin_nb.transport_errors import ScriptNotStarted as ScriptNotStarted
from k8swin_nb.transport_errors import TransferFailed as TransferFailed
from k8swin_nb.transport_errors import TransportError as TransportError
from k8swin_nb.transport_errors import TransportTimeout as TransportTimeout

if TYPE_CHECKING:
    from k8swin_nb.result import Result

HOSTS_SHOWN = 4
"""Errors that a MultiHostError shows in full."""


class ParamsError(K8swinError):
    """A parameter is unknown, mistyped, missing or contradictory; or a secret cannot be had."""


class InventoryError(K8swinError):
    """There is no host, group, phase or step of that name."""


class ScriptError(K8swinError):
    """A script or a view does not exist, is not given what it declares, or printed something else than it should."""


class NotKnownYet(ScriptError):
    """A fact is asked for that an earlier step finds out, and that step has not found it."""


class CommandFailed(K8swinError):
    """A script ended with an exit code other than 0.

    Args:
        result: What it printed and how it ended.
    """

    def __init__(self, result: Result, *, hint: str | None = None) -> None:
        super().__init__(
            f"{result.host}: `{result.args}` ended with exit code {result.returncode}", hint=hint
        )
        self.result = result

    def details(self) -> list[str]:
        """Return the last lines of the error output, or of the output if there is none."""
        return _tail(self.result)


class CommandTimeout(K8swinError):
    """A script ran into its deadline and was stopped.

    Args:
        result: What it printed until then.
        timeout: Seconds that it was given.
        silent: They were for its silence, and not for all of it.
        never: They had passed before the host's turn came; nothing was run there.
    """

    def __init__(
        self, result: Result, timeout: float, *, silent: bool = False, never: bool = False
    ) -> None:
        how = f"was stopped after {timeout:g} s"
        if silent:
            how = f"printed nothing for {timeout:g} s and was stopped"
        elif never:
            how = f"never began, its turn did not come within the {timeout:g} s that were given"
        option = "--idle-timeout" if silent else "--timeout"
        super().__init__(
            f"{result.host}: `{result.args}` {how}",
            hint=f"give it more time with `{option} SECONDS`, or look at what it waits for",
        )
        self.result = result
        self.timeout = timeout
        self.silent = silent
        self.never = never

    def details(self) -> list[str]:
        """Return the last lines that were printed, and what could not be ended."""
        left = [f"  {line}" for line in shown_lines(self.result.left, last=TAIL_LINES) if line]
        return [*_tail(self.result), *left]


class StepFailed(K8swinError):
    """A step did not do its work on a host.

    Args:
        phase: Name of the phase; may be empty.
        step: Name of the step.
        host: Name of the host.
        detail: What happened, or what was found.
        result: The script's answer, if one ran.
        hint: What to do.
    """

    def __init__(
        self,
        *,
        phase: str,
        step: str,
        host: str,
        detail: str,
        result: Result | None = None,
        hint: str | None = None,
    ) -> None:
        where = f"{phase}/{step}" if phase else step
        code = f" (exit code {result.returncode})" if result is not None else ""
        super().__init__(f"{host}: step `{where}`: {detail}{code}", hint=hint)
        self.phase = phase
        self.step = step
        self.host = host
        self.detail = detail
        self.result = result

    def details(self) -> list[str]:
        """Return the end of the script's output."""
        return _tail(self.result) if self.result is not None else []


class CheckFailed(StepFailed):
    """A check could not find out how things are; what is missing may be an earlier step's to make."""


class VerifyFailed(StepFailed):
    """A step was applied, and what is read back is not what was wanted."""


class DriftFound(StepFailed):
    """A step found a state that someone else made; it was left as it is."""


class ClusterError(K8swinError):
    """The Kubernetes API refused a request or could not be asked.

    Args:
        message: What was asked and what was answered.
        status: HTTP status, or None when there was no answer.
        reason: The `reason` of the API's Status object, such as `NotFound`.
        hint: What to do.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason


class WaitTimeout(ClusterError):
    """What was waited for has not become true in time.

    Args:
        message: What is not yet true.
        left: A table of the objects of which it is not, or None.
        hint: What to do.
    """

    def __init__(self, message: str, *, left: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.left = left


class RecordError(K8swinError):
    """The record of a run cannot be written: the disk is full, read-only or gone. Nothing further was begun.

    Args:
        where: The file or folder.
        detail: What the system said.
    """

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(
            f"the run's record cannot be written to {where}: {detail}",
            hint=f"make room, or name another folder with `runs`, then run it again: {LOOKS_FIRST}",
        )
        self.where = where
        self.detail = detail


class Stopped(K8swinError):
    """Work on a host was stopped on request, or was not begun because of that.

    Args:
        host: The host's name.
        detail: What was stopped.
    """

    def __init__(self, host: str, detail: str) -> None:
        super().__init__(f"{host}: {detail}", hint=f"run it again: {LOOKS_FIRST}")
        self.host = host
        self.detail = detail


class LeftOut(Stopped):
    """Somebody ended the wait for one host; `detail` says how far it was."""


class HostLocked(K8swinError):
    """Another operator works on a host, or took the work on it over; nothing was changed.

    Args:
        host: The host's name.
        detail: Who, from where, since when, for what.
        hint: What to do.
    """

    def __init__(self, host: str, detail: str, *, hint: str | None = None) -> None:
        super().__init__(f"{host}: {detail}", hint=hint)
        self.host = host
        self.detail = detail


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, the stop button or a signal ended work on hosts; it says what came of each.

    Args:
        stopped: Hosts on which something was stopped.
        ended: Hosts that had ended before.
        left: Hosts on which nothing had begun, and nothing does any more.
        running: Hosts that did not end in time; nothing more begins there either.
        results: By host, what scripts printed that had ended or were stopped.
    """

    def __init__(
        self,
        *,
        stopped: Iterable[str] = (),
        ended: Iterable[str] = (),
        left: Iterable[str] = (),
        running: Iterable[str] = (),
        results: Mapping[str, Any] | None = None,
    ) -> None:
        self.stopped, self.ended = tuple(stopped), tuple(ended)
        self.left, self.running = tuple(left), tuple(running)
        self.results = dict(results or {})
        self.where = ""
        """What was worked on, such as `02_master/swap`; whoever knows it fills it in."""
        self.hint = f"run it again: {LOOKS_FIRST}"
        super().__init__()

    def __str__(self) -> str:
        told = [
            f"{what} {', '.join(hosts)}"
            for what, hosts in (
                ("stopped on", self.stopped),
                ("still running on", self.running),
                ("had ended on", self.ended),
                ("not begun on", self.left),
            )
            if hosts
        ]
        where = f"step `{self.where}`: " if self.where else ""
        remains = [
            f"{host}: {result.left}"
            for host, result in self.results.items()
            if getattr(result, "left", "")
        ]
        return shown_line(f"{where}{'; '.join(told + remains) or 'nothing had begun'}")

    def lines(self) -> list[str]:
        """Return what a reader sees instead of a traceback."""
        return [
            f"{type(self).__name__}: {self}",
            f"hint: {self.hint}",
        ]

    def _render_traceback_(self) -> list[str]:
        return self.lines()


class UnexpectedError(K8swinError):
    """An exception that no code of ours expected, on one host; the others' answers are kept.

    The exception itself is the `__cause__`, with its traceback.

    Args:
        host: The host's name.
        error: What was raised.
    """

    def __init__(self, host: str, error: Exception) -> None:
        super().__init__(
            f"{host}: {type(error).__name__}: {error}",
            hint="this is a bug of k8swin_nb; its traceback is the `__cause__` of this error",
        )
        self.host = host
        self.__cause__ = error
        _mask_chain(error)


class MultiHostError(K8swinError):
    """Several hosts failed; raised once, after all hosts have answered.

    Args:
        errors: What happened, by host name.
    """

    def __init__(self, errors: Mapping[str, Exception]) -> None:
        self.errors = dict(errors)
        left = [host for host, error in self.errors.items() if isinstance(error, Stopped)]
        failed = [host for host in self.errors if host not in left]
        count = "1 host" if len(failed) == 1 else f"{len(failed)} hosts"
        told = [f"{count} failed: {', '.join(failed)}"] if failed else []
        told += [f"stopped or not begun: {', '.join(left)}"] if left else []
        super().__init__("; ".join(told))

    def details(self) -> list[str]:
        """Return each host's error, the first ones in full, and those before the ones that were stopped for them."""
        lines: list[str] = []
        ordered = sorted(self.errors.items(), key=lambda item: isinstance(item[1], Stopped))
        for number, (host, error) in enumerate(ordered):
            if number == HOSTS_SHOWN:
                lines.append(f"... {len(self.errors) - HOSTS_SHOWN} more")
                break
            if isinstance(error, K8swinError):
                # What is wrong here, as with a secret's file, knows of no host.
                first, *others = error.lines()
                if not names_host("\n".join([first, *others]), host):
                    kind, colon, said = first.partition(": ")
                    first = f"{kind}{colon}{host}: {said}"
                lines += [first, *others]
            else:
                lines.append(shown_line(f"{host}: {type(error).__name__}: {error}"))
        return lines


def names_host(text: str, host: str) -> bool:
    """Whether a text says which host it is about."""
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", text) is not None


def _mask_chain(error: BaseException) -> None:
    """Mask what exceptions of others say: a traceback prints their arguments as they are."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        if not isinstance(following, K8swinError | OSError | UnicodeError):
            following.args = tuple(
                shown(argument) if isinstance(argument, str) else argument
                for argument in following.args
            )
        following = following.__cause__ or following.__context__


def _tail(result: Result) -> list[str]:
    return last_lines(result.stderr.strip() or result.stdout.strip())
