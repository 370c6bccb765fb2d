"""`%%remote_bash` and `%%remote_ps`: a cell's body runs on hosts of the open inventory.

Options mean what they mean in IPython's own `%%script`. The body is sent as it is typed: `$` and braces
belong to bash and PowerShell. On the line, `{name}` is a Python expression.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from k8swin_nb.errors import Interrupted, InventoryError, K8swinError
from k8swin_nb.notebook import completion, context, ending, kernel_door
from k8swin_nb.notebook.magic_line import HelpShown, LineParser, MagicUsageError, expand, split

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.inventory import Host
    from k8swin_nb.result import Result
    from k8swin_nb.scripts import Interpreter, Script


def _parser(name: str, language: str, default: str, sudo: bool) -> LineParser:
    parser = LineParser(name, f"Run {language} on hosts of the open inventory.")
    parser.add_argument(
        "-H",
        "--host",
        action="append",
        metavar="HOSTS",
        help=f"host, group or role; comma-separated, `!x` takes away; default: {default}",
    )
    parser.add_argument(
        "-t",
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="stop the script after this time, which counts from the start of the cell",
    )
    parser.add_argument("-o", "--out", metavar="VAR", help="put standard output into this variable")
    parser.add_argument("-e", "--err", metavar="VAR", help="put standard error into this variable")
    parser.add_argument("--bg", action="store_true", help="run in the background; returns a job")
    parser.add_argument(
        "--proc", "--job", dest="job", metavar="VAR", help="put the job of --bg into this variable"
    )
    failing = parser.add_mutually_exclusive_group()
    failing.add_argument(
        "--no-raise-error",
        dest="raise_error",
        action="store_false",
        help="an exit code other than 0 is no error",
    )
    failing.add_argument(
        "--raise-error", dest="raise_error", action="store_true", help="the default"
    )
    parser.set_defaults(raise_error=True, sudo=False)
    if sudo:
        parser.add_argument("--sudo", action="store_true", help="run as root")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


BASH = _parser("remote_bash", "bash", "the only Linux host", sudo=True)
POWERSHELL = _parser("remote_ps", "PowerShell", "the only Windows host", sudo=False)
PARSERS = {"remote_bash": BASH, "remote_ps": POWERSHELL}


@magics_class
class RemoteMagics(Magics):
    """The magics of this extension."""

    @no_var_expand
    @line_cell_magic
    def remote_bash(self, line: str, cell: str | None = None) -> Any:
        """Run bash on Linux hosts over SSH.

        %%remote_bash --host linuxmaster
        uname -r

        %remote_bash --host {node} --sudo swapon --show
        %%remote_bash --host linux --timeout 600 --out text
        """
        return self._remote(BASH, "bash", line, cell)

    @no_var_expand
    @line_cell_magic
    def remote_ps(self, line: str, cell: str | None = None) -> Any:
        """Run PowerShell on Windows hosts over WinRM.

        %%remote_ps --host windows
        Get-Service kubelet

        %remote_ps --host winworker01 $PSVersionTable.PSVersion.ToString()
        """
        return self._remote(POWERSHELL, "powershell", line, cell)

    @no_var_expand
    @line_magic
    def remote_jobs(self, line: str) -> Any:
        """List the jobs that were started with `--bg`."""
        from k8swin_nb.notebook.jobs import Jobs

        if line.strip():
            raise MagicUsageError(f"%remote_jobs takes no argument, found `{line.strip()}`")
        return Jobs(context.current().jobs)

    def _remote(
        self, parser: LineParser, interpreter: Interpreter, line: str, cell: str | None
    ) -> Any:
        from k8swin_nb.notebook.jobs import one_or_all
        from k8swin_nb.scripts import Script

        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        try:
            options, body = _read(parser, line, cell, self.shell.user_ns)
        except HelpShown:
            return None
        opened = context.current()
        hosts = _hosts(opened, options.host, interpreter)
        script = Script.from_text(body, interpreter)
        opened.tell_of_others(hosts, options.timeout)
        if options.bg:
            return self._background(opened, hosts, script, options)
        # The line form shows its result, which would say everything a second time.
        try:
            results, error = _run(
                opened, hosts, script, options, threading.Event(), live=cell is not None
            )
        except Interrupted as interrupt:
            # What there is until then is kept as well.
            self._assign(options, interrupt.results, len(hosts))
            raise
        self._assign(options, results, len(hosts))
        if error is not None:
            raise error
        return one_or_all(results) if cell is None else None

    def _background(
        self,
        opened: context.Context,
        hosts: tuple[Host, ...],
        script: Script,
        options: argparse.Namespace,
    ) -> Any:
        from k8swin_nb.notebook.jobs import Job

        def work(cancel: threading.Event) -> tuple[dict[str, Result], K8swinError | None]:
            results, error = _run(opened, hosts, script, options, cancel, live=False)
            self._assign(options, results, len(hosts))
            return results, error

        job = Job(len(opened.jobs) + 1, script.name, [host.name for host in hosts], work)
        opened.jobs.append(job)
        if options.job:
            self._set(options.job, job)
            return None
        return job

    def _assign(self, options: argparse.Namespace, results: dict[str, Result], hosts: int) -> None:
        """Fill --out and --err: a text for one host, a mapping by host for several."""
        for name, stream in ((options.out, "stdout"), (options.err, "stderr")):
            if name:
                texts = {host: getattr(result, stream) for host, result in results.items()}
                self._set(name, texts if hosts > 1 else next(iter(texts.values()), ""))

    def _set(self, name: str, value: Any) -> None:
        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        self.shell.user_ns[name] = value


def _read(
    parser: LineParser, line: str, cell: str | None, namespace: dict[str, Any]
) -> tuple[argparse.Namespace, str]:
    """Return options and script. In the line form the script begins at the first word that is no option."""
    if cell is not None:
        words = [word for word, _ in split(expand(line, namespace))]
        options, rest = parser.read(words)
        if rest:
            parser.error(f"`{' '.join(rest)}` is no option; the script goes below the line")
        body = cell
    else:
        place = _body_place(parser, line)
        options, rest = parser.read([word for word, _ in split(expand(line[:place], namespace))])
        body = line[place:].strip()
        if rest:
            parser.error(f"`{' '.join(rest)}` is no option")
    for name in (options.out, options.err, options.job):
        if name is not None and not name.isidentifier():
            parser.error(f"`{name}` is no name for a variable")
    if options.job and not options.bg:
        parser.error("--proc names the job of --bg, which is missing")
    if not body.strip():
        parser.error("there is nothing to run")
    return options, body


def _body_place(parser: LineParser, line: str) -> int:
    """Return where the options of a line end. The body is not read: its quotes are the shell's."""
    takes_value = {
        text for action in parser._actions if action.nargs is None for text in action.option_strings
    }
    place, skip = 0, False
    while True:
        rest = line[place:]
        place += len(rest) - len(rest.lstrip())
        if place >= len(line):
            return len(line)
        if not skip and line[place] != "-":
            return place
        end = _word_end(line, place)
        word = line[place:end]
        skip = not skip and word in takes_value
        place = end


def _word_end(line: str, place: int) -> int:
    quote = ""
    while place < len(line):
        char = line[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char.isspace():
            break
        place += 1
    return place


def _hosts(
    opened: context.Context, selections: list[str] | None, interpreter: Interpreter
) -> tuple[Host, ...]:
    """Return the chosen hosts, or the only one that can run this language."""
    wanted = "linux" if interpreter == "bash" else "windows"
    if selections:
        hosts = opened.inventory.select(",".join(selections))
        wrong = [host.name for host in hosts if host.os != wanted]
        if wrong:
            other = "%%remote_ps" if wanted == "linux" else "%%remote_bash"
            raise InventoryError(
                f"not {wanted}: {', '.join(wrong)}", hint=f"use `{other}`, or add `!{wrong[0]}`"
            )
        return hosts
    hosts = tuple(host for host in opened.inventory.hosts if host.os == wanted)
    if len(hosts) != 1:
        names = ", ".join(host.name for host in hosts) or "none"
        raise InventoryError(
            f"{len(hosts)} {wanted} hosts are there: {names}",
            hint=f"say which: `--host {hosts[0].name if hosts else 'NAME'}`",
        )
    return hosts


def _run(
    opened: context.Context,
    hosts: tuple[Host, ...],
    script: Script,
    options: argparse.Namespace,
    cancel: threading.Event,
    *,
    live: bool = True,
) -> tuple[dict[str, Result], K8swinError | None]:
    """Run on all hosts, and return the results with the error to be raised."""
    from k8swin_nb.notebook.stream import LiveOutput

    shown = LiveOutput(keep=opened.cluster.record.open_log)

    def show(host: Host, stream: str, text: str) -> None:
        shown.write(host.name, stream, text)

    with shown if live else contextlib.nullcontext():
        answers = opened.cluster.run_script(
            script,
            hosts,
            timeout=options.timeout,
            sudo=options.sudo,
            check=options.raise_error,
            on_output=show if live else None,
            cancel=cancel,
        )
    # What a script printed before it failed or was stopped is a result too.
    failed = {name: getattr(error, "result", None) for name, error in answers.errors.items()}
    results = answers.answers | {name: found for name, found in failed.items() if found is not None}
    return {h.name: results[h.name] for h in hosts if h.name in results}, answers.error()


def load(shell: InteractiveShell) -> None:
    """Register the magics, put the door up and watch the kernel's end; doing it twice changes nothing."""
    kernel_door.install(shell)
    shell.register_magics(RemoteMagics)
    ending.watch(shell)
    completion.install(shell, {name: parser.options() for name, parser in PARSERS.items()})


def unload(shell: InteractiveShell) -> None:
    """Remove the magics and their completion, stop jobs, close connections."""
    for name in (*PARSERS, "remote_jobs"):
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    completion.remove(shell)
    context.close_context()
    kernel_door.remove(shell)
