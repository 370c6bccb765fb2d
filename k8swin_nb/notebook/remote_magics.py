"""`%%remote_bash` and `%%remote_ps`: a cell's body runs on hosts.

Options mean what they mean in IPython's own `%%script`, and in Ansible. The body is sent as it is typed: `$` and braces
belong to bash and PowerShell. On the line, `{name}` is a Python expression.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from k8swin_nb import durations
from k8swin_nb.errors import (
    LOOKS_FIRST,
    HostKeyUnknown,
    Interrupted,
    K8swinError,
    MultiHostError,
    Stopped,
)
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import (
    HelpShown,
    LineParser,
    MagicUsageError,
    documented,
    visible_names,
)
from k8swin_nb.notebook.script_options import login_of, read, script_parser
from k8swin_nb.shown import shown, shown_lines

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.notebook.heard import Listener
    from k8swin_nb.notebook.targets import Targets
    from k8swin_nb.result import Result
    from k8swin_nb.rollout import Rollout
    from k8swin_nb.scripts import Interpreter, Script
    from k8swin_nb.secret import Secret, SecretRef
    from k8swin_nb.shells import Surroundings

BASH = script_parser("remote_bash", "bash", "linux", "the only Linux host")
POWERSHELL = script_parser("remote_ps", "PowerShell", "windows", "the only Windows host")
PARSERS = {"remote_bash": BASH, "remote_ps": POWERSHELL}

BEGINS_ANEW = "run again it begins anew, whatever it has done so far; `--host @left` are the hosts on which it did not end"
"""What to know where a script of the user's own was stopped; a step of a phase looks first at what is there."""

NOT_KNOWN = (
    "look on the host how far it came: run again it begins anew, whatever it has done so far"
)
"""The same where nobody saw how it ended."""

NO_FILE = "no file, for the record could not be written"

DRY_LINE = 200
"""Characters of each line that it shows."""

DRY_LINES = 10
"""Lines of a script that `--dry-run` repeats."""


@magics_class
class RemoteMagics(Magics):
    """The magics that run scripts."""

    @no_var_expand
    @line_cell_magic
    @documented(BASH)
    def remote_bash(self, line: str, cell: str | None = None) -> Any:
        """Run bash on Linux hosts over SSH.

        %%remote_bash --host linux --timeout 5m --out text
        uname -r

        %remote_bash --host ubuntu@192.168.160.150 --sudo swapon --show

        %%remote_bash --host workers[0:2] --env REPLICAS=3 --arg "two words" --strict
        echo "$REPLICAS replicas, $1"

        %%remote_bash --host linux --serial 1 --fail-fast --retries 2 --retry-if 75
        systemctl restart containerd

        %%remote_bash --host @failed --dry-run
        systemctl restart containerd

        disks = %remote_bash --host linux --df df -B1
        """
        return self._remote(BASH, "bash", line, cell)

    @no_var_expand
    @line_cell_magic
    @documented(POWERSHELL)
    def remote_ps(self, line: str, cell: str | None = None) -> Any:
        r"""Run PowerShell on Windows hosts over WinRM.

        %%remote_ps --host windows
        Get-Service kubelet

        %remote_ps --host winworker01 $PSVersionTable.PSVersion.ToString()

        %%remote_ps --host win* --df --out services
        Get-Service containerd, kubelet | Select-Object Name, Status, StartType

        %%remote_ps --host windows --env LEVEL=3 --arg "C:\k8swin"
        "$env:LEVEL $($args[0])"

        %%remote_ps --host Administrator@192.168.160.151 --credential env:WIN_PASSWORD --dry-run
        hostname
        """
        return self._remote(POWERSHELL, "powershell", line, cell)

    def _remote(
        self, parser: LineParser, interpreter: Interpreter, line: str, cell: str | None
    ) -> Any:
        from k8swin_nb.notebook.outputs import frame, outputs, this_cell
        from k8swin_nb.notebook.targets import choose
        from k8swin_nb.scripts import Script

        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        names = visible_names(self.shell)
        try:
            options, body = read(parser, line, cell, names)
        except HelpShown:
            return None
        opened = context.current()
        script = Script.from_text(body, interpreter)
        given = _given(options, names, parser, script)
        selection = ",".join(options.host) if options.host else None
        targets = choose(opened, selection, parser.system, login_of(options, parser))
        if options.dry_run or opened.dry_run:
            print(_dry(targets, script, options, given))  # noqa: T201 -- the answer
            return None
        if not options.quiet:
            print(targets, flush=True)  # noqa: T201 -- before anything is sent
        began = time.monotonic()
        opened.tell_of_others(targets.hosts, options.timeout)
        run = Run(opened, targets.hosts, script, options, given, time.monotonic() - began)
        if options.detach:
            return run.detached()
        if options.bg:
            return self._background(run)
        live = not (options.quiet or options.df)
        try:
            results, error = run(threading.Event(), live=live)
        except Interrupted as interrupt:
            interrupt.hint = BEGINS_ANEW
            # What there is until then is kept as well.
            self._assign(options, interrupt.results, len(targets.hosts))
            raise
        self._assign(options, results, len(targets.hosts))
        if error is not None:
            raise error
        if options.df:
            if not options.quiet:
                _tell_said(results)
            return frame(results, options.df)
        # What was shown while the cell ran is not shown once more as its value.
        value = outputs(results, len(targets.hosts) > 1, this_cell() if live else None)
        return value if cell is None else None

    def _background(self, run: Run) -> Any:
        from k8swin_nb.notebook.heard import Heard
        from k8swin_nb.notebook.jobs import Job

        options, opened = run.options, run.opened
        heard = Heard()

        def work(cancel: threading.Event) -> tuple[dict[str, Result], K8swinError | None]:
            results, error = run(cancel, live=False, tell=heard.hear)
            self._assign(options, results, len(run.hosts))
            return results, error

        hosts = [host.name for host in run.hosts]
        job = Job(len(opened.jobs) + 1, run.script.name, hosts, work, heard)
        opened.jobs.append(job)
        if options.job:
            self._set(options.job, job)
            return None
        return job

    def _assign(self, options: argparse.Namespace, results: dict[str, Result], hosts: int) -> None:
        """Fill --out and --err: an output for one host, a mapping by host for several."""
        from k8swin_nb.notebook.outputs import outputs

        if options.out:
            found = outputs(results, hosts > 1)
            self._set(options.out, "" if found is None else found)
        if options.err:
            texts = {host: result.stderr for host, result in results.items()}
            self._set(options.err, texts if hosts > 1 else next(iter(texts.values()), ""))

    def _set(self, name: str, value: Any) -> None:
        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        self.shell.user_ns[name] = value


class Run:
    """One script with its options and hosts: what runs in the cell, or in a job."""

    def __init__(
        self,
        opened: context.Context,
        hosts: tuple[Host, ...],
        script: Script,
        options: argparse.Namespace,
        given: Given,
        spent: float = 0.0,
    ) -> None:
        from k8swin_nb.machines import TURN_SECONDS

        self.opened, self.hosts, self.script, self.options = opened, hosts, script, options
        self._cluster = opened.cluster
        self._given = given
        # What looking for others took counts as well; who could not be asked in that time is tried all the same.
        self._spent = 0.0
        if options.timeout and spent > TURN_SECONDS:
            self._spent = min(spent, options.timeout * 3 / 4)

    def __call__(
        self, cancel: threading.Event, *, live: bool, tell: Listener | None = None
    ) -> tuple[dict[str, Result], K8swinError | None]:
        """Run on all hosts, and return the results with the error to be raised."""
        from k8swin_nb.notebook.stream import LiveOutput
        from k8swin_nb.workflow.output_log import AlreadyKept

        options = self.options
        logs: dict[str, str] = {}
        # What is too long for the cell is in the record already.
        shown_live = LiveOutput(
            keep=lambda name: AlreadyKept(logs.get(name.partition("-")[2], NO_FILE))
        )

        def show(host: Host, stream: str, text: str) -> None:
            if tell is not None:
                tell(host.name, stream, text)
            if live:
                shown_live.write(host.name, stream, text)

        with shown_live if live else contextlib.nullcontext():
            answers = self._cluster.run_script(
                self.script,
                self.hosts,
                parameters=self._given.plain,
                secrets=self._given.secrets,
                timeout=options.timeout,
                sudo=options.sudo,
                check=options.raise_error,
                on_output=show if live or tell else None,
                cancel=cancel,
                around=replace(self._given.around, progress=live),
                how=rollout_of(options),
                idle_timeout=options.idle_timeout,
                spent=self._spent,
                on_log=lambda host, file: logs.__setitem__(host.name, file),
            )
        # What a script printed before it failed or was stopped is a result too.
        failed = {name: getattr(error, "result", None) for name, error in answers.errors.items()}
        results = answers.answers | {n: one for n, one in failed.items() if one is not None}
        ordered = {h.name: results[h.name] for h in self.hosts if h.name in results}
        error = answers.error()
        return ordered, told_here(error, self.opened) if error is not None else None

    def detached(self) -> Any:
        """Start it apart from this kernel, and return the table with it."""
        from k8swin_nb.notebook.job_table import JobTable, remember

        options = self.options
        if self._given.secrets:
            raise MagicUsageError(
                "--detach keeps what it is given on the host: pass a secret by --env"
            )
        job, started = self._cluster.detach(
            self.script,
            self.hosts,
            parameters=self._given.plain,
            around=self._given.around,
            timeout=options.timeout,
            sudo=options.sudo,
        )
        hosts = tuple(host for host in self.hosts if host.name in started.answers)
        there = self._cluster.detached(hosts, job=job) if hosts else None
        found = [one for jobs in there.answers.values() for one in jobs] if there else []
        remember(found)
        table = JobTable((), found, started.errors | (there.errors if there else {}))
        if error := started.error():
            error.report = table  # type: ignore[attr-defined]
            raise error
        return table


def told_here(error: K8swinError, opened: context.Context) -> K8swinError:
    """Return an error with the hints that fit a script of the user's own, and a host that no description names."""
    errors = error.errors.values() if isinstance(error, MultiHostError) else (error,)
    for one in errors:
        if isinstance(one, Stopped):
            one.hint = BEGINS_ANEW
        elif isinstance(one, K8swinError) and LOOKS_FIRST in (one.hint or ""):
            one.hint = NOT_KNOWN
        host = opened.strangers.get(getattr(one, "host", ""))
        if host is not None and isinstance(one, HostKeyUnknown):
            one.hint = (
                "compare with `ssh-keygen -lf` of the key's file on the machine's console; the same? then type "
                f"`%k8swin pin {host.name} {one.fingerprint}`"
            )
    return error


def rollout_of(options: argparse.Namespace) -> Rollout:
    """Return in which order, how often and until when hosts are tried."""
    from k8swin_nb.fan_out import AT_ONCE
    from k8swin_nb.rollout import Rollout, Share

    return Rollout(
        parallel=options.parallel or AT_ONCE,
        serial=options.serial,
        max_fail=Share(0) if options.fail_fast else options.max_fail,
        ok_codes=options.ok_rc | {0},
        retries=options.retries,
        retry_if=options.retry_if,
        retry_delay=options.retry_delay,
        tell=None if options.quiet else _tell,
    )


def _tell_said(results: dict[str, Result]) -> None:
    """Show what hosts said beside their table: warnings and errors that ended nothing."""
    for host, result in results.items():
        if result.stderr.strip():
            _tell("\n".join(f"[{host}] stderr: {line}" for line in shown_lines(result.stderr)))


def _tell(text: str) -> None:
    print(shown(text), file=sys.stderr, flush=True)  # noqa: T201 -- beside the hosts' output


@dataclass(frozen=True, slots=True)
class Given:
    """What a script is given."""

    around: Surroundings
    """Variables and arguments in order."""

    named: dict[str, str | Secret]
    """What its declared parameters are given by name."""

    @property
    def plain(self) -> dict[str, str]:
        """Of the parameters by name those that are no secrets."""
        return {name: one for name, one in self.named.items() if isinstance(one, str)}

    @property
    def secrets(self) -> dict[str, Secret | SecretRef]:
        """Those that are."""
        return {name: one for name, one in self.named.items() if not isinstance(one, str)}


def _given(
    options: argparse.Namespace, names: dict[str, Any], parser: LineParser, script: Script
) -> Given:
    from k8swin_nb.notebook.passed import arguments, environment
    from k8swin_nb.shells import Surroundings

    named, rest = arguments(options.arg, names, script)
    around = Surroundings(
        environment=environment(options.env, names),
        arguments=tuple(rest),
        strict=options.strict,
        objects=bool(options.df) and parser.system == "windows",
    )
    return Given(around, named)


def _dry(targets: Targets, script: Script, options: argparse.Namespace, given: Given) -> str:
    """Say what would be sent, and where; nothing of it is, and no host is asked."""
    how = rollout_of(options)
    batches = list(how.batches(targets.hosts))
    lines = [str(targets).replace("will run on", "would run on")]
    for host in targets.hosts:
        port = host.ssh_port if host.os == "linux" else host.winrm_port
        at = host.ssh_address if host.os == "linux" else host.winrm_address
        root = ", as root" if options.sudo and host.user != "root" else ""
        lines.append(f"  {host.name}: {host.user} at {at} port {port}{root}")
    if len(batches) > 1:
        lines.append("  batches: " + " | ".join(", ".join(h.name for h in one) for one in batches))
    if options.timeout:
        lines.append(f"  at most {durations.told(options.timeout)}")
    around = given.around
    lines += [f"  {name}={value!s}" for name, value in around.environment.items()]
    lines += [f"  -{name}: {value!s}" for name, value in given.named.items()]
    lines += [f"  argument {number}: {value!s}" for number, value in enumerate(around.arguments, 1)]
    count = len(script.text.splitlines())
    size = len(script.text.encode("utf-8", "surrogatepass"))
    what = f"{count} line{'s' * (count != 1)} of {script.interpreter}, {size} bytes"
    lines.append(f"{what}, SHA-256 {script.sha256}:")
    body = script.text.splitlines()
    lines += [f"  {line}" for line in body[:DRY_LINES]]
    if len(body) > DRY_LINES:
        lines.append(f"  ... {len(body) - DRY_LINES} more lines")
    # A long line hides neither the hosts above it nor what comes below; it is masked before it is cut.
    near = "\n".join(line[: 5 * DRY_LINE] for line in [*lines, "nothing was sent"])
    told = shown(near, most=len(near)).split("\n")
    return "\n".join(line if len(line) <= DRY_LINE else line[:DRY_LINE] + " ..." for line in told)
