"""Machines and scripts on them, whether or not they are a cluster: what programs and magics run everything through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from k8swin_nb.description import check_reason, check_run_id, check_sign
from k8swin_nb.elsewhere import Job, end_from_here, references, run_there
from k8swin_nb.errors import (
    CommandFailed,
    CommandTimeout,
    HostUnreachable,
    Interrupted,
    Stopped,
    TransportTimeout,
)
from k8swin_nb.executors import answer_of
from k8swin_nb.fan_out import Answers
from k8swin_nb.host_tools.job_tools import JobTools
from k8swin_nb.host_tools.tools import HostTools
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.redact import redact
from k8swin_nb.result import Result
from k8swin_nb.rollout import Rollout, roll_out
from k8swin_nb.scripts import Interpreter, Script
from k8swin_nb.secret import Secret, SecretRef, know_names
from k8swin_nb.shells import PLAIN, Surroundings, new_tag
from k8swin_nb.transport_errors import not_begun
from k8swin_nb.transports.base import CANCELLED
from k8swin_nb.transports.output import OnOutput
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.phase_run import Output
from k8swin_nb.workflow.record import Record, new_run_id
from k8swin_nb.workflow.script_events import about, identified, of_script, written_down

LANGUAGES: dict[str, Interpreter] = {"linux": "bash", "windows": "powershell"}
"""By operating system, what interprets a script that is given as text."""

TURN_SECONDS = 1.0
"""A host that began sooner did not wait for its turn; its transport counts from there."""


@dataclass(slots=True)
class _Ended:
    """How the last run ended, for all that share its connections."""

    states: dict[str, str] | None = None


class Machines(HostTools, JobTools):
    """Hosts, the connections to them, and the record of what ran there; a context manager that closes the connections."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        runs: Path,
        run_id: str | None = None,
        name: str = "program",
        lock_wait: int = 0,
        reason: str | None = None,
        sign: str | None = None,
    ) -> None:
        self.inventory = inventory
        self.name = name
        self.reason = check_reason(reason)
        """Why this is done, as the record says it; also on `record.reason`."""
        self.sign = check_sign(sign)
        """What the record is signed with; None: what the environment says. Also on `record.sign`."""
        self.run_id = check_run_id(run_id) if run_id else new_run_id()
        self.runs = runs
        """Folder of the records."""
        self.on_record: Callable[[Record], None] | None = None
        """Told once when the record is there, before its first other event."""
        self.pool = Pool(on_pin=self._pinned)
        self._lock_wait = lock_wait
        self.locks = HostLocks(self.pool, self.run_id, wait=lock_wait)
        """The hosts that this cluster's work has locked against others."""
        self._ended = _Ended()
        for host in inventory.hosts:
            self.know(host)

    @property
    def last(self) -> dict[str, str] | None:
        """How the last run ended, by host: `ok`, `changed`, `failed`, `unreachable`, `left`; None: nothing has run."""
        return self._ended.states

    @last.setter
    def last(self, states: dict[str, str]) -> None:
        self._ended.states = states

    @property
    def secrets_folder(self) -> Path:
        """Where relative paths of `file:` references start that a script is given: the description's folder."""
        return Path(self.inventory.hosts[0].folder) if self.inventory.hosts else Path.cwd()

    def know(self, host: Host) -> None:
        """Let the secrets of a host be masked from now on, as far as they lie ready."""
        know_names([host.name, host.user, host.address])
        for reference in host.references:
            SecretRef.parse(reference).know(Path(host.folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def take_over(self, other: Machines) -> None:
        """Work over the connections that another has open, and know how its last run ended; before anything else is done."""
        self.pool, self._ended = other.pool, other._ended
        self.locks = HostLocks(self.pool, self.run_id, wait=self._lock_wait)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self.locks.release()
        self.pool.close()

    @cached_property
    def record(self) -> Record:
        """The record of the run, `runs/<id>/events.jsonl`; its folder is made when it is first asked for."""
        record = Record(self.runs, self.run_id, self.name, reason=self.reason, sign=self.sign)
        if self.on_record is not None:
            # What is told asks for the record again.
            self.__dict__["record"] = record
            self.on_record(record)
        return record

    @property
    def records(self) -> bool:
        """Whether the record of the run has been begun here."""
        return "record" in self.__dict__

    def _pinned(self, host: str, fingerprint: str) -> None:
        self.record.write("host-key-pinned", host=host, fingerprint=fingerprint)

    def hosts(self, selection: str = "all") -> tuple[Host, ...]:
        """Return hosts: by name, pattern, operating system, role, group or `all`; see `selection.select`.

        Raises:
            InventoryError: when a word is unknown, with the nearest, or no host is left.
        """
        return self.inventory.select(selection, self.last)

    def run_script(
        self,
        script: str | Script,
        on: str | tuple[Host, ...] = "all",
        *,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, Secret | SecretRef] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
        sudo: bool = False,
        check: bool = True,
        on_output: Output | None = None,
        cancel: threading.Event | None = None,
        recorded: bool = True,
        around: Surroundings | None = None,
        how: Rollout | None = None,
        idle_timeout: float | None = None,
        executor: Executor | None = None,
        spent: float = 0.0,
        on_log: Callable[[Host, str], None] | None = None,
    ) -> Answers[Result]:
        """Run a script on hosts at once, and return every host's answer or error.

        Args:
            script: Text, which is bash on Linux and PowerShell on Windows hosts, or a `Script`.
            on: A selection as `hosts` takes it, or hosts.
            parameters: Values that the script declares, by name.
            secrets: Likewise; they travel on standard input alone and are never recorded. With an executor they are
                references (`SecretRef`), resolved by the process that sends the script.
            stdin: Standard input.
            timeout: Seconds until the script and its children are stopped, from now on: a slow login and the turn of a
                host count as well; None: no limit.
            sudo: As root; Linux only.
            check: An exit code other than 0 is a `CommandFailed`.
            on_output: Told host, stream (`stdout`, `stderr`) and masked text as it arrives.
            cancel: When it is set, scripts are stopped, and no further one begins.
            recorded: Write an event for each host into the record.
            around: What the script finds around it and does not declare: variables, arguments, strictness.
            how: Batches, how many hosts at a time, what is a failure, and what is tried again; None: all hosts at once.
            idle_timeout: Seconds without any output after which the script is stopped on a host; None: no limit.
            executor: A `concurrent.futures.Executor` whose workers send the script in the place of this process, each over
                a connection of its own. Keys, pinned host keys and references of secrets are looked for there, under the
                same paths and names; what is printed is told when the script has ended.
            spent: Seconds of the timeout that have passed before; errors tell the whole of it.
            on_log: Told host and name of the file in which the record keeps all that the script prints.

        Raises:
            K8swinError: when a secret is given as its value, and there is an executor.
            InventoryError: when the selection names no host.
            Interrupted: a KeyboardInterrupt, after all scripts were stopped; it says what came of each host.
        """
        stop = cancel or threading.Event()
        began = time.monotonic() - spent
        way = how or Rollout()
        named = references(secrets) if executor is not None else {}
        values = {} if executor is not None else self._values(secrets)

        def one(host: Host) -> Result:
            text = (
                script
                if isinstance(script, Script)
                else Script.from_text(script, LANGUAGES[host.os])
            )
            as_root = sudo and host.user != "root"
            tag = new_tag(self.run_id, "magic")
            transport = self.pool.transport(host)

            def work(show: OnOutput | None) -> Result:
                left_over = _left(host, text, timeout, began)
                if executor is not None:
                    job = Job(
                        host=host,
                        script=text,
                        parameters=dict(parameters or {}),
                        secrets=named,
                        folder=self.secrets_folder,
                        stdin=stdin,
                        timeout=left_over,
                        sudo=as_root,
                        tag=tag,
                        around=around,
                        idle=idle_timeout,
                    )
                    return self._elsewhere(executor, job, stop, show)
                return transport.run(
                    text,
                    parameters=parameters,
                    stdin=stdin,
                    secrets=values,
                    timeout=left_over,
                    sudo=as_root,
                    on_output=show,
                    cancel=stop,
                    tag=tag,
                    around=around,
                    idle=idle_timeout,
                )

            show = (lambda *piece: on_output(host, *piece)) if on_output else None
            try:
                if not recorded:
                    return work(show)
                told = of_script(self.record, text)
                told = _told(host, told, text, tag, parameters, secrets, as_root, around)
                on_file = (lambda file: on_log(host, file)) if on_log else None
                with identified(self.record, host, transport, told):
                    return written_down(self.record, told, work, show=show, on_file=on_file)
            except CommandTimeout as error:
                if error.silent:
                    raise
                # About the time that was given, not about what was left of it.
                raise CommandTimeout(
                    error.result, timeout or error.timeout, never=error.never
                ) from error
            except TransportTimeout as error:
                if error.given is None or not timeout:
                    raise
                raise not_begun(host.name, timeout) from error

        hosts = self.hosts(on) if isinstance(on, str) else on
        try:
            answers = roll_out(hosts, one, way, cancel=stop)
        except Interrupted as interrupt:
            if recorded:
                self.last = _interrupted(hosts, interrupt, way)
            raise
        if check:
            wrong = {name for name, result in answers.answers.items() if way.failed(result)}
            failed = {name: CommandFailed(answers.answers.pop(name)) for name in wrong}
            both = answers.errors | failed
            answers.errors = {host.name: both[host.name] for host in hosts if host.name in both}
        if recorded:
            self.last = ended(answers, way)
        return answers

    def _values(self, secrets: Mapping[str, Secret | SecretRef] | None) -> dict[str, Secret]:
        """Return secrets as values; references are resolved here."""
        return {
            name: given.resolve(self.secrets_folder) if isinstance(given, SecretRef) else given
            for name, given in (secrets or {}).items()
        }

    def _elsewhere(
        self, executor: Executor, job: Job, stop: threading.Event, show: OnOutput | None
    ) -> Result:
        """Have a job done by an executor; one that is no longer wanted is ended on its host from here."""
        transport = self.pool.transport(job.host)
        result = answer_of(
            executor,
            stop,
            job.host.name,
            run_there,
            job,
            end=lambda: end_from_here(transport, job),
        )
        if show:
            for stream, text in (("stdout", result.stdout), ("stderr", result.stderr)):
                if text:
                    show(stream, redact(text))
        return result


def ended(answers: Answers[Result], how: Rollout) -> dict[str, str]:
    """Return how a run ended, by host, in the words of `selection.STATES`."""
    states = {n: "failed" if how.failed(one) else "ok" for n, one in answers.answers.items()}
    for name, error in answers.errors.items():
        states[name] = "failed"
        if isinstance(error, HostUnreachable | TransportTimeout):
            states[name] = "unreachable"
        elif isinstance(error, Stopped):
            states[name] = "left"
    return states


def _interrupted(hosts: Sequence[Host], interrupt: Interrupted, how: Rollout) -> dict[str, str]:
    """Return the same of a run that was interrupted: a host on which it did not come to its end is `left`."""
    states = {}
    for host in hosts:
        result = interrupt.results.get(host.name)
        states[host.name] = "left"
        if host.name in interrupt.ended and isinstance(result, Result):
            states[host.name] = "failed" if how.failed(result) else "ok"
    return states


def _told(
    host: Host,
    text: Mapping[str, Any],
    script: Script,
    tag: str,
    parameters: Mapping[str, str] | None,
    secrets: Mapping[str, Secret | SecretRef] | None,
    sudo: bool,
    around: Surroundings | None,
) -> dict[str, Any]:
    """Return what the record says of a script, when it begins and when it has ended."""
    given = around or PLAIN
    values = {name: one for name, one in given.environment.items() if isinstance(one, str)}
    more = {
        "environment": values,
        "arguments": [one if isinstance(one, str) else "(secret)" for one in given.arguments],
        "strict": given.strict,
    }
    return about(
        host,
        tag,
        sudo=sudo,
        **text,
        interpreter=script.interpreter,
        parameters=dict(parameters or {}),
        secrets=sorted([*(secrets or {}), *given.secrets]),
        **{key: value for key, value in more.items() if value},
    )


def _left(host: Host, script: Script, timeout: float | None, began: float) -> float | None:
    """Return what is left of a deadline for a host whose turn has come.

    Raises:
        CommandTimeout: when nothing is left; the script never began.
    """
    if timeout is None or timeout <= 0:
        return timeout
    waited = time.monotonic() - began
    if waited < TURN_SECONDS:
        return timeout
    if waited < timeout:
        return timeout - waited
    raise CommandTimeout(
        Result(script.name, CANCELLED, "", "", host.name, 0.0), timeout, never=True
    )
