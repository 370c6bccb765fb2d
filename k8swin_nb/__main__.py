"""The command line: `k8swin init`, `desk`, `run`, `page`, `audit`, `check` and `hostkey`, and what other distributions add, as `lab` and `demo`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TextIO, cast

from k8swin_nb import __version__
from k8swin_nb.errors import K8swinError
from k8swin_nb.headless.audit_commands import add_audit
from k8swin_nb.headless.stopping import NAMES, Told, interrupts
from k8swin_nb.inventory import Host
from k8swin_nb.shown import ShownStream

ADDED = "k8swin.commands"
"""Group of entry points under which other distributions add commands: functions of a list of arguments."""

OF_THE_LAB = {
    "lab": "start, stop and ask the lab: see `k8swin lab --help`",
    "demo": "start a lab of its own, execute the notebooks, stop it",
    "workshop": "seats for trainees, each with a lab and a JupyterLab: see `k8swin workshop --help`",
}
"""Commands that are told of even where the distribution that brings them is missing."""

READER_GONE = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO})
"""How a closed pipe and a terminal that hung up are told: whoever read has seen what they wanted."""

PASSED_ON = ("confirm", "reason", "sign")
"""Options of `k8swin run` that are parameters of the notebooks, where they are given."""

NEXT = """next, in that folder:
    k8swin lab up                               simulated machines, of the distribution k8swin-lab
    k8swin desk                                 at a desk, with k8swin_nb[desk]
    k8swin run --params params/lab.yaml         the same without a front end
your own machines: copy params/example.yaml to params/mine.yaml; every key is explained in it
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong parameters, 130 stopped by Ctrl-C.

    Of other signals it is 128 and their number.
    """
    _three_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] and arguments[0] in {*OF_THE_LAB, *entry_points(group=ADDED).names}:
        return _added(arguments[0], arguments[1:])
    words, further = _further(arguments)
    options = _parser().parse_args(words)
    options.jupyter = further
    with _behind_the_door() as (out, err), interrupts() as told:
        code = _command(options, told)
        out.flush()
        if out.lost is not None and out.lost.errno not in READER_GONE:
            err.write(f"k8swin: standard output could not be written: {out.lost.strerror}\n")
            code = code or 1
    return code


def _further(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of `k8swin desk`, and those behind `--`, which are another program's; of others, all of them."""
    if arguments[:1] != ["desk"] or "--" not in arguments:
        return arguments, []
    split = arguments.index("--")
    return arguments[:split], arguments[split + 1 :]


def _command(options: argparse.Namespace, told: Told) -> int:
    """Run a command, and say in a line or two what hinders it."""
    try:
        return int(options.command(options))
    except KeyboardInterrupt as interrupt:
        how = f"stopped by {NAMES[signal.Signals(told.number)]}"
        # The terminal may be gone: that is what SIGHUP says.
        with contextlib.suppress(OSError):
            sys.stderr.write(f"k8swin: {how}{f': {interrupt}' if str(interrupt) else ''}\n")
        return 128 + told.number
    except K8swinError as error:
        sys.stderr.write(f"k8swin: {error}\n")
        if error.hint:
            sys.stderr.write(f"hint: {error.hint}\n")
        return 2
    except OSError as error:
        # What this computer refuses: room, rights, open files.
        sys.stderr.write(
            f"k8swin: {error.strerror or error}: {error.filename or 'this computer'}\n"
        )
        return 1


def _three_streams() -> None:
    """Open what the caller has closed of standard input, output and error.

    Else the next file that is opened, such as the run's record, is what this program and its kernels print into.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


@contextlib.contextmanager
def _behind_the_door() -> Iterator[tuple[ShownStream, ShownStream]]:
    """Let all that is printed pass the door: what libraries log and warn of too, and a traceback."""
    out, err = sys.stdout, sys.stderr
    shown = ShownStream(out), ShownStream(err)
    sys.stdout, sys.stderr = cast(TextIO, shown[0]), cast(TextIO, shown[1])
    try:
        yield shown
    except Exception:
        sys.stderr.write(traceback.format_exc())
        raise SystemExit(1) from None
    finally:
        for stream in shown:
            with contextlib.suppress(ValueError):
                stream.flush()
        sys.stdout, sys.stderr = out, err
        _let_go(out)
        _let_go(err)


def _let_go(stream: TextIO) -> None:
    """Drop what can no longer be written: at the end of the process it would change the exit code."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Once(argparse.Action):
    """Stores a value, and refuses another one: argparse itself takes the last without a word."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = namespace.__dict__.setdefault("_given", set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} is given twice; it takes one value")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """argparse that takes no option twice, and does not repeat the value of one that it does not know.

    That may be a password.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register("action", None, _Once)
        self.register("action", "store", _Once)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, or leave with what is unknown."""
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            names = [word.partition("=")[0] for word in rest if word.startswith("-")]
            self.error(
                f"unrecognized arguments: {', '.join(names) or f'{len(rest)} words too many'}"
            )
        return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="k8swin",
        allow_abbrev=False,
        description="On-premises Kubernetes clusters with Windows workers, built by notebooks.",
    )
    parser.add_argument("--version", action="version", version=f"k8swin {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for name, text in OF_THE_LAB.items():
        commands.add_parser(name, help=text)

    init = commands.add_parser("init", help="begin a working folder with notebooks and params")
    init.add_argument("folder", type=Path, metavar="FOLDER", help="is made when it is not there")
    init.add_argument(
        "--workshop",
        action="store_true",
        help="with the exercises of the course, without solutions",
    )
    init.set_defaults(command=_init)

    desk = commands.add_parser(
        "desk",
        help="open a copy of the notebooks in JupyterLab: one session, one run",
        epilog="What follows `--` is passed to `jupyter lab`: k8swin desk --no-browser -- --port 9000",
    )
    desk.add_argument("--params", type=Path, help="the description; default: params/lab.yaml")
    desk.add_argument("--run", help="go on with this run; without it a new one begins")
    desk.add_argument("--no-browser", action="store_true", help="only serve, and print the address")
    desk.set_defaults(command=_desk)

    page = commands.add_parser("page", help="write the page of a run again")
    page.add_argument("run", help="the run's id, the name of its folder")
    page.add_argument(
        "--runs", type=Path, help="folder of the records; default: runs in the project"
    )
    page.add_argument(
        "--pdf",
        action="store_true",
        help="print it as index.pdf too, with Chromium, Chrome or Edge",
    )
    page.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write it to FILE.html, and the PDF to FILE.pdf; default: index.html of the run, or RUN.html here when the run is signed",
    )
    page.add_argument(
        "--size",
        choices=("A4", "Letter"),
        help="sheet of the PDF, and print one; default: that of the country in LC_ALL, LC_PAPER or LANG, else A4",
    )
    page.set_defaults(command=_page)

    run = commands.add_parser("run", help="execute the notebooks against a cluster's description")
    run.add_argument("--params", type=Path, required=True, help="the description, params/NAME.yaml")
    run.add_argument(
        "--notebooks",
        type=Path,
        default=None,
        help="folder of the notebooks; default: the project's, else those of the package",
    )
    run.add_argument(
        "--runs",
        type=Path,
        default=None,
        help="folder of the records; default: runs in the project",
    )
    run.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NOTEBOOKS",
        help="notebooks, comma-separated or one after the other: 01_network,02_master; without it 01 to 06",
    )
    run.add_argument("--dry-run", action="store_true", help="show what would run, change nothing")
    run.add_argument("--confirm", help="what 90_teardown removes: 'CLUSTER: HOST HOST'")
    run.add_argument(
        "--reason",
        metavar="TEXT",
        help="why this is done, such as a ticket's number; it stands in the record",
    )
    run.add_argument(
        "--sign",
        metavar="HOW",
        help="what the record is signed with: ssh:PATH, certificate:PATH or sigstore; default: the variable K8SWIN_SIGN",
    )
    run.set_defaults(command=_run)

    add_audit(commands)

    check = commands.add_parser(
        "check", help="check a description, its network plan and its lock files"
    )
    check.add_argument("params", type=Path)
    check.set_defaults(command=_check)

    unlock = commands.add_parser("unlock", help="say who works on a host, and break that lock")
    unlock.add_argument("--params", type=Path, required=True, help="params/NAME.yaml")
    unlock.add_argument("host", help="the host's name")
    unlock.add_argument("--stop", action="store_true", help="end what still changes the host, too")
    unlock.add_argument("--yes", action="store_true", help="do not ask")
    unlock.set_defaults(command=_unlock)

    keys = commands.add_parser("hostkey", help="pin and forget SSH host keys")
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    for verb, text in (
        ("pin", "fetch a host's key, show its fingerprint, and pin it"),
        ("forget", "remove a host's pinned key"),
    ):
        command = verbs.add_parser(verb, help=text)
        command.add_argument("--params", type=Path, required=True, help="params/NAME.yaml")
        command.add_argument("host", help="the host's name")
        if verb == "pin":
            command.add_argument("--fingerprint", help="pin only this one: SHA256:...")
            command.add_argument("--yes", action="store_true", help="do not ask")
        command.set_defaults(command=_pin if verb == "pin" else _forget)
    return parser


def _added(name: str, arguments: list[str]) -> int:
    """Run a command that another distribution brings; `lab` and `demo` are known to come with the lab."""
    for entry in entry_points(group=ADDED, name=name):
        return int(entry.load()(arguments))
    sys.stderr.write(
        f"k8swin: the command `{name}` comes with the distribution `k8swin-lab`, which is not installed\n"
        "hint: pip install k8swin-lab\n"
    )
    return 2


def _init(options: argparse.Namespace) -> int:
    from k8swin_nb.project import begin

    written = begin(options.folder, workshop=options.workshop)
    said = f"{len(written)} files written" if written else "everything is there already"
    sys.stdout.write(f"{options.folder}: {said}\n{NEXT}")
    return 0


def _desk(options: argparse.Namespace) -> int:
    from k8swin_nb.headless.desk import open_desk

    return open_desk(
        options.params, options.run, browser=not options.no_browser, jupyter=options.jupyter
    )


def _page(options: argparse.Namespace) -> int:
    from k8swin_nb.description import project_root
    from k8swin_nb.headless.run_page import print_page

    size = ""
    if options.pdf or options.size:
        from k8swin_nb.headless.pdf import size_here

        size = options.size or size_here()
    return print_page(
        options.runs or project_root() / "runs", options.run, pdf=size, out=options.out
    )


def _run(options: argparse.Namespace) -> int:
    from k8swin_nb.description import project_root
    from k8swin_nb.headless.notebooks import DEFAULT, print_failure, run_notebooks
    from k8swin_nb.headless.stopping import Stop
    from k8swin_nb.project import notebooks_of

    root = project_root()
    stop = Stop()
    folder, executed = run_notebooks(
        options.notebooks or notebooks_of(root),
        options.params,
        options.runs or root / "runs",
        names=_words(options.only) or DEFAULT,
        dry_run=options.dry_run,
        more={name: one for name in PASSED_ON if (one := getattr(options, name))},
        stop=stop,
    )
    code = print_failure(executed, stop)
    built = any(item.name == "02_master" and not item.error for item in executed)
    try:
        if built and not options.dry_run and not stop.requested:
            _print_tables(options.params)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.write(f"executed notebooks and index.html: {folder}\n")
    return code


def _words(given: Sequence[str]) -> list[str]:
    """Return what is between commas, of one option or of several."""
    return [word.strip() for words in given for word in words.split(",") if word.strip()]


def _print_tables(params: Path) -> None:
    """Print all nodes and pods as kubectl would."""
    from k8swin_nb.api import open_cluster

    with open_cluster(params) as cluster:
        for table in (cluster.nodes(), cluster.pods()):
            sys.stdout.write(f"\n{table.caption}\n{table.to_string(index=False)}\n")
    sys.stdout.write("\n")


def _check(options: argparse.Namespace) -> int:
    from k8swin_nb.api import open_cluster
    from k8swin_nb.phases.locks import check_locks
    from k8swin_nb.phases.network.views import plan_table
    from k8swin_nb.phases.network.ways import ways_table

    with open_cluster(options.params) as cluster:
        sys.stdout.write(f"{plan_table(cluster.plan)!r}\n\n{ways_table(cluster.inventory)!r}\n")
        check_locks(cluster.description)
    return 0


def _unlock(options: argparse.Namespace) -> int:
    from k8swin_nb.headless.unlocking import unlock

    return unlock(options.params, options.host, yes=options.yes, stop=options.stop)


def _pin(options: argparse.Namespace) -> int:
    from k8swin_nb.transports.hostkeys import pin
    from k8swin_nb.transports.jump import scan_through
    from k8swin_nb.transports.ssh_config import configured

    host = configured(_host(options))
    key = scan_through(host)
    through = f" through {host.ssh_jump.name}" if host.ssh_jump else ""
    sys.stdout.write(
        f"{host.name} ({host.ssh_address} port {host.ssh_port}{through}): {key.fingerprint}\n"
    )
    if options.fingerprint and options.fingerprint != key.fingerprint:
        sys.stderr.write(f"k8swin: expected {options.fingerprint}, nothing is pinned\n")
        return 1
    if not (options.yes or options.fingerprint):
        if not sys.stdin.isatty():
            sys.stderr.write(
                "k8swin: nobody can answer here, nothing is pinned\n"
                f"hint: --fingerprint {key.fingerprint}\n"
            )
            return 1
        sys.stdout.write("Does the host's console show the same? Type yes to pin it: ")
        sys.stdout.flush()
        if sys.stdin.readline().strip() != "yes":
            return 1
    pin(host, key)
    sys.stdout.write(f"pinned in {host.known_hosts}\n")
    return 0


def _forget(options: argparse.Namespace) -> int:
    from k8swin_nb.transports.hostkeys import forget
    from k8swin_nb.transports.ssh_config import configured

    host = configured(_host(options))
    removed = forget(host)
    sys.stdout.write(f"{removed} keys of {host.name} removed from {host.known_hosts}\n")
    return 0


def _host(options: argparse.Namespace) -> Host:
    from k8swin_nb.description import open_description
    from k8swin_nb.hosts import inventory_of, jumps_of

    description = open_description(options.params)
    for jump in jumps_of(description):
        if jump.name == options.host:
            return jump
    return inventory_of(description).select(options.host)[0]


if __name__ == "__main__":
    sys.exit(main())
