"""One step on one host: who asks, and by which way. What a step's functions are given."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from k8swin_nb.errors import (
    CheckFailed,
    DriftFound,
    K8swinError,
    LeftOut,
    StepFailed,
    Stopped,
)
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines as lines_of
from k8swin_nb.result import Result, hold_back
from k8swin_nb.scripts import Script
from k8swin_nb.shells import new_tag
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.script_events import about, identified, of_script
from k8swin_nb.workflow.step import EXIT_STATE, State
from k8swin_nb.workflow.this_process import this_process

if TYPE_CHECKING:
    from k8swin_nb.description import Description
    from k8swin_nb.plan import NetworkPlan
    from k8swin_nb.secret import Secret
    from k8swin_nb.workflow.phase_run import PhaseRun
    from k8swin_nb.workflow.stopping import HostWork

Verb = Literal["check", "apply", "verify"]

SECONDS = 300.0
"""Time that a script is given when nothing else is said."""

READ_ONLY = (".check.sh", ".check.ps1", ".status.sh", ".status.ps1")
"""How scripts are named that change nothing; any other stands in the record before it begins."""


KEPT = "kept: "
"""How a line of a script begins that says what of somebody else's it kept, and where."""

KEPT_LINES = 20
"""How many such lines of one script go into a step's outcome; all of them are in its output."""


def _kept(output: str) -> list[str]:
    lines = [line.strip() for line in lines_of(output) if line.startswith(KEPT)]
    more = [f"and {len(lines) - KEPT_LINES} more"] if len(lines) > KEPT_LINES else []
    return [*lines[:KEPT_LINES], *more]


@dataclass(frozen=True, slots=True)
class StepRun:
    """A step, the host that it is about, and what it does there at the moment."""

    run: PhaseRun
    step: str
    """Name of the step."""

    host: Host
    verb: Verb = "check"

    cancel: threading.Event = field(default_factory=threading.Event)
    """Set when this step was stopped: no further script begins, and one that runs is stopped on its host.

    It stays the step's own when the run goes on with others, so that what was stopped never acts later.
    """

    work: HostWork | None = None
    """What is known of it while a runner applies it or looks at it."""

    @property
    def description(self) -> Description:
        """The cluster's description."""
        return self.run.description

    @property
    def plan(self) -> NetworkPlan:
        """The network plan."""
        return self.run.plan

    @property
    def master(self) -> Host:
        """The control plane's host."""
        return self.run.master

    def on(self, host: Host) -> StepRun:
        """Return the same step about another host."""
        return replace(self, host=host)

    def doing(self, verb: Verb) -> StepRun:
        """Return the same step and host with another verb."""
        return replace(self, verb=verb)

    def script(
        self,
        name: str,
        *,
        on: Host | None = None,
        values: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        secrets: Mapping[str, Secret] | None = None,
        timeout: float = SECONDS,
        sudo: bool = True,
        quiet: bool | None = None,
        secret_output: bool = False,
    ) -> Result:
        """Run one of the package's scripts and record it, whatever its exit code.

        Args:
            name: Path below `k8swin_nb/scripts`.
            on: Where; the step's own host when None.
            values: Values of this script alone, before those of the run.
            stdin: A document for the script.
            secrets: Values that only travel by standard input; never recorded.
            timeout: Seconds.
            sudo: Run as root on Linux.
            quiet: Do not show the output as it arrives; None: only an apply shows it.
            secret_output: What the script prints is a secret: neither shown nor kept.

        Raises:
            Stopped: when the run was stopped before or while it ran.
            TransportError: when the host cannot be reached or used.
        """
        host = on or self.host
        run = self.run
        self.check_stop()
        script = Script.load(name)
        given = dict(secrets or {})
        bound = run.bind(script, host, given, values)
        hidden = secret_output or (self.verb != "apply" if quiet is None else quiet)
        show = None if hidden else run.on_output
        as_root = sudo and host.asks_for_root
        tag = new_tag(run.record.run_id, self.verb)
        told = self._told(host, script, tag, bound, given, as_root)
        run.tags.setdefault((self.step, self.host.name), []).append((self.verb, tag))
        if self.verb == "apply" or not name.endswith(READ_ONLY):
            # Before it begins: what the kernel does not survive is known all the same.
            run.record.write("script-started", **told, **this_process())
        if self.work is not None:
            self.work.runs(script.name, self.verb, changes=not name.endswith(READ_ONLY))
        started = time.monotonic()
        try:
            transport = run.connections.transport(host)
            with identified(run.record, host, transport, told):
                result = transport.run(
                    script,
                    parameters=bound,
                    stdin=stdin,
                    secrets=given,
                    timeout=timeout,
                    sudo=as_root,
                    on_output=(lambda stream, text: show(host, stream, text)) if show else None,
                    cancel=self.cancel,
                    tag=tag,
                )
        except BaseException as error:
            if secret_output:
                hold_back(error)
            self._broke_off(told, error, started, secret_output=secret_output)
            raise
        self._ended(told, result, secret_output=secret_output)
        self.check_stop(f"`{name}` was stopped{f'; {result.left}' if result.left else ''}")
        return result

    def _told(
        self,
        host: Host,
        script: Script,
        tag: str,
        bound: Mapping[str, str],
        secrets: Mapping[str, Secret],
        sudo: bool,
    ) -> dict[str, Any]:
        """Return what the record says of a script, when it begins and when it has ended."""
        where = {"phase": self.run.phase.name, "step": self.step, "verb": self.verb}
        return {
            **where,
            **about(host, tag, sudo=sudo),
            **of_script(self.run.record, script),
            "parameters": dict(bound),
            "secrets": sorted(secrets),
        }

    def _ended(self, told: Mapping[str, Any], result: Result, **how: Any) -> None:
        secret_output = how.pop("secret_output", False)
        output = "(not kept: secret)" if secret_output else result.stdout + result.stderr
        host = told["host"]
        path, digest = self.run.record.keep_output(f"{self.step}-{host}-{self.verb}", output)
        self.run.record.write(
            "script",
            **told,
            exit_code=result.returncode,
            seconds=round(result.seconds, 3),
            output=path,
            output_sha256=digest,
            **({"left": result.left} if result.left else {}),
            **how,
        )
        if kept := _kept(output):
            self.run.kept.setdefault((self.step, self.host.name), []).extend(kept)

    def _broke_off(
        self, told: Mapping[str, Any], error: BaseException, started: float, *, secret_output: bool
    ) -> None:
        """Write down how a script ended that gave no answer; that stands behind the error itself."""
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        how = {"error": said, "error_kind": type(error).__name__}
        result = getattr(error, "result", None)
        with contextlib.suppress(OSError, K8swinError):
            if isinstance(result, Result):
                self._ended(told, result, secret_output=secret_output, **how)
                return
            seconds = round(time.monotonic() - started, 3)
            self.run.record.write("script", **told, exit_code=None, seconds=seconds, **how)

    def ask(
        self,
        name: str,
        *,
        on: Host | None = None,
        values: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = SECONDS,
        detail: str = "",
    ) -> tuple[State, Result]:
        """Run a check script and return what it found, with all that it printed.

        Args:
            name: Path below `k8swin_nb/scripts`.
            on: Where; the step's own host when None.
            values: Values of this script alone.
            stdin: A document for the script.
            timeout: Seconds.
            detail: What to say when the script could not find out.

        Raises:
            CheckFailed: when the exit code is none of a check's.
        """
        result = self.script(name, on=on, values=values, stdin=stdin, timeout=timeout, quiet=True)
        state = EXIT_STATE.get(result.returncode)
        if state is None:
            raise self.unknown(result, detail)
        return state, result

    def unknown(self, result: Result, detail: str = "", *, hint: str | None = None) -> StepFailed:
        """Return the error that a script could not find out how things are, to be raised."""
        told = detail or f"{self.verb} failed"
        return self.failed(told, result=result, hint=hint, kind=CheckFailed)

    def failed(
        self,
        detail: str,
        *,
        result: Result | None = None,
        hint: str | None = None,
        kind: type[StepFailed] = StepFailed,
    ) -> StepFailed:
        """Return the error that this step failed on its host, to be raised."""
        return kind(
            phase=self.run.phase.name,
            step=self.step,
            host=self.host.name,
            detail=detail,
            result=result,
            hint=hint,
        )

    def drift(self, detail: str, *, hint: str) -> StepFailed:
        """Return the error that somebody else's state is in the way, to be raised."""
        return self.failed(detail, hint=hint, kind=DriftFound)

    @property
    def comes_after(self) -> str:
        """What a dry run would make last, before this step, on its host or the control plane's; empty: nothing."""
        # Hosts may be worked on without a control plane among them.
        planes = [host.name for host in self.run.inventory.hosts if "control-plane" in host.roles]
        for name in (self.host.name, *planes[:1]):
            before = self.run.foreseen.get(name, {})
            if made := [label for step, label in before.items() if step != self.step]:
                return made[-1]
        return ""

    def foresee(self, label: str) -> None:
        """Remember what would be made before later steps; empty: nothing."""
        before = self.run.foreseen.setdefault(self.host.name, {})
        before.pop(self.step, None)
        if label:
            before[self.step] = label

    def check_stop(self, detail: str = "was stopped") -> None:
        """Go on unless the run was stopped.

        Raises:
            Stopped: when it was.
        """
        if self.cancel.is_set():
            if self.work is not None and self.work.left_out and not self.run.cancel.is_set():
                raise LeftOut(self.host.name, self.work.outcome())
            raise Stopped(self.host.name, f"step `{self.run.phase.name}/{self.step}`: {detail}")

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: as soon as the run is stopped.
        """
        self.cancel.wait(seconds)
        self.check_stop("was stopped while it waited")

    def waiting(self, what: str) -> None:
        """Say in one line what is waited for at the moment, and why, to whoever watches."""
        if self.work is not None:
            self.work.waits_for(shown_line(what))

    def tell(self, line: str) -> None:
        """Show a line as if the host had said it."""
        if self.run.on_output:
            self.run.on_output(self.host, "stdout", line + "\n")

    def option(self, name: str, default: Any = None) -> Any:
        """Return a parameter of the notebook alone, such as `confirm`."""
        return self.run.options.get(name, default)
