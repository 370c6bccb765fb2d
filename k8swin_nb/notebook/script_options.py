"""The options that `%%remote_bash` and `%%remote_ps` share, and how their lines are read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from k8swin_nb import durations
from k8swin_nb.notebook.magic_line import (
    HALF,
    LineParser,
    as_typed,
    completing,
    expanded,
    word_end,
)
from k8swin_nb.output_frames import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from k8swin_nb.notebook.context import Context

Value = TypeVar("Value")

NOT_DETACHED = (
    "bg", "out", "err", "df", "retries", "retry_if", "serial", "fail_fast", "max_fail", "idle_timeout", "ok_rc"
)  # fmt: skip
"""Options about the end of a script, which is not waited for with `--detach`."""

EXPRESSIONS = frozenset({"--env", "--arg"})
"""Options whose value is a Python expression: it stands without braces, and its quotes are Python's."""


def told(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return a type of an option, whose ValueError is told as it is."""

    def typed(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return typed


def _share(text: str) -> Any:
    from k8swin_nb.rollout import Share

    return Share.parse(text)


def _batch(text: str) -> Any:
    share = _share(text)
    if share.number == 0:
        raise ValueError("a batch of 0 hosts never ends")
    return share


def _many(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or int(text) == 0:
        raise ValueError(f"`{text}` is no number from 1 to 9999")
    return int(text)


def _times(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text):
        raise ValueError(f"`{text}` is no number of attempts from 0 to 999")
    return int(text)


def _codes(text: str) -> frozenset[int]:
    codes = [one.strip() for one in text.split(",")]
    if not all(re.fullmatch(r"-?\d{1,10}", one) for one in codes):
        raise ValueError(f"`{text}` is no list of exit codes such as `0,3`")
    return frozenset(map(int, codes))


def _when(text: str) -> Any:
    if re.fullmatch(r"\s*-?\d+(\s*,\s*-?\d+)*\s*", text):
        return _codes(text)
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(
            f"`{text}` is neither exit codes nor a regular expression: {error}"
        ) from error


def hosts_argument(parser: LineParser, default: str) -> None:
    """Add `--host` with what it selects, and the options of a host that no description names."""
    completing(
        parser.add_argument(
            "-H",
            "--host",
            action="append",
            metavar="HOSTS",
            help="names, groups, patterns (`win*`), parts (`windows[0:2]`, `workers[-1]`), `@failed` of the last run, or "
            "`user@address[:port]`; comma-separated, `!x` takes away, `&x` keeps those alone; default: "
            + default,
        ),
        selectable(parser),
        listed=True,
    )
    login_arguments(parser)


def login_arguments(parser: LineParser) -> None:
    """Add what is said of hosts that no description names; `login_of` reads it."""
    login = parser.add_argument_group("hosts that no description names (`user@address`)")
    login.add_argument(
        "--credential", metavar="REF", help="reference to the password, such as `env:WIN_PASSWORD`"
    )
    login.add_argument(
        "--identity",
        metavar="FILE",
        help="private key for SSH; default: the usual ones and the SSH agent's",
    )
    completing(
        login.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="any other key that a host has in a description, such as `winrm_auth=kerberos`, `ca=site.pem`, "
            "`ssh_jump=admin@bastion`",
        ),
        _settings(parser),
    )


def _settings(parser: LineParser) -> Callable[[Context], Iterable[str]]:
    """Return what `--set` of a magic completes: keys that a host of its own system has."""
    others = {
        "linux": ("winrm_", "credential=", "ca="),
        # A jump host of WinRM is reached over SSH: by `identity` and `ssh_config`.
        "windows": ("ssh_host=", "ssh_jump=", "ssh_password=", "ssh_port=", "sudo_password="),
    }

    def words(_: Context) -> Iterable[str]:
        from k8swin_nb.adhoc import settings

        every = [f"{key}=" for key in settings()]
        return [key for key in every if not key.startswith(others.get(parser.system or "", ()))]

    return words


def selectable(parser: LineParser) -> Callable[[Context], Iterable[str]]:
    """Return what `--host` of a magic completes: hosts of its own system, groups that hold one, and ends of runs."""

    def words(opened: Context) -> Iterable[str]:
        from k8swin_nb.selection import STATES, words_of

        system = parser.system
        hosts = [h for h in opened.inventory.hosts if system in (None, h.os)]
        found = words_of(hosts)
        ended = STATES if opened.cluster.last is not None else ()
        return [*found, *opened.strangers, *ended]

    return words


def login_of(options: argparse.Namespace, parser: LineParser) -> dict[str, str]:
    """Return what is said of hosts that no description names, by the keys of a description."""
    given: dict[str, str] = {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals:
            parser.error(f"--set: `{text}` is no KEY=VALUE")
        given[key.strip()] = value
    if options.identity:
        given["identity"] = options.identity
    if options.credential:
        given["credential" if parser.system == "windows" else "ssh_password"] = options.credential
    return given


def script_parser(
    name: str, language: str, system: Literal["linux", "windows"], default: str
) -> LineParser:
    """Return the parser of a magic that runs its body on hosts."""
    linux = system == "linux"
    parser = LineParser(name, f"Run {language} on hosts.", system=system)
    hosts_argument(parser, default)
    _values(parser, linux)
    _ends(parser)
    _order(parser)
    _results(parser)
    return parser


def _values(parser: LineParser, linux: bool) -> None:
    group = parser.add_argument_group("what the script is given")
    group.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=EXPR",
        help="a variable: "
        + ("exported; a `Secret` is one of the shell alone" if linux else "$env:NAME")
        + ". EXPR is a Python expression; NAME alone passes the variable of that name",
    )
    group.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="EXPR",
        help=f"an argument, {'`$1`, `$2` ...' if linux else '`$args`'}: a Python expression",
    )
    strict = group.add_mutually_exclusive_group()
    strict.add_argument(
        "--strict",
        dest="strict",
        action="store_const",
        const="strict",
        help="also end at a name that is not set"
        + (
            ", and where a part of a pipe fails (set -euo pipefail)"
            if linux
            else " (Set-StrictMode -Version Latest)"
        ),
    )
    strict.add_argument(
        "--no-strict",
        dest="strict",
        action="store_const",
        const="off",
        help="go on after a line that fails; by default the script ends there "
        + ("(set -e)" if linux else "($ErrorActionPreference = 'Stop')"),
    )
    parser.set_defaults(strict="stop", sudo=False)
    if linux:
        group.add_argument("--sudo", action="store_true", help="run as root")


def _ends(parser: LineParser) -> None:
    group = parser.add_argument_group("when it ends, and when that is a failure")
    seconds = told(durations.seconds)
    group.add_argument(
        "-t",
        "--timeout",
        type=seconds,
        metavar="TIME",
        help="stop after this time (`90`, `5m`, `1h30m`), which counts from the start of the cell, with all attempts",
    )
    group.add_argument(
        "--idle-timeout",
        type=seconds,
        metavar="TIME",
        help="stop where the script has printed nothing for so long",
    )
    group.add_argument(
        "--ok-rc",
        type=told(_codes),
        default=frozenset({0}),
        metavar="N,N",
        help="exit codes beside 0 that are no failure",
    )
    group.add_argument(
        "--retries",
        type=told(_times),
        default=0,
        metavar="N",
        help="so many further attempts on a host after a failure",
    )
    group.add_argument(
        "--retry-if",
        type=told(_when),
        metavar="REGEX|N,N",
        help="only after these exit codes, or where this stands in the output or the error; default: after exit codes, "
        "silence, and where nothing could begin",
    )
    group.add_argument(
        "--retry-delay",
        type=told(partial(durations.seconds, or_none=True)),
        default=2.0,
        metavar="TIME",
        help="wait so long before another attempt; default: 2s, `0` is not at all",
    )
    failing = group.add_mutually_exclusive_group()
    failing.add_argument(
        "--no-raise-error",
        dest="raise_error",
        action="store_false",
        help="an exit code that is a failure raises nothing; it counts for --fail-fast, --retries and @failed",
    )
    failing.add_argument(
        "--raise-error", dest="raise_error", action="store_true", help="the default"
    )
    parser.set_defaults(raise_error=True)


def _order(parser: LineParser) -> None:
    group = parser.add_argument_group("in which order")
    group.add_argument(
        "--parallel",
        type=told(_many),
        metavar="N",
        help="work on N hosts at the same time; default: 32",
    )
    group.add_argument(
        "--serial",
        type=told(_batch),
        metavar="N|N%",
        help="in batches of so many hosts: the next begins when all of one have ended",
    )
    stop = group.add_mutually_exclusive_group()
    stop.add_argument(
        "--fail-fast",
        action="store_true",
        help="after a failure nothing further begins; what runs comes to its end",
    )
    stop.add_argument(
        "--max-fail",
        type=told(_share),
        metavar="N|N%",
        help="the same after more than N failures, or more than N%% of a batch",
    )
    group.add_argument("--bg", action="store_true", help="run in the background; returns a job")
    group.add_argument(
        "--detach",
        action="store_true",
        help="run apart from this kernel and its connections, on the host alone; `%%jobs` finds it again",
    )
    group.add_argument(
        "--proc", "--job", dest="job", metavar="VAR", help="put the job of --bg into this variable"
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would be sent, and where; nothing is, and no host is asked",
    )


def _results(parser: LineParser) -> None:
    group = parser.add_argument_group("what becomes of the output")
    group.add_argument(
        "-o",
        "--out",
        metavar="VAR",
        help="put the output into this variable: text with .stderr, .exit_code, .host, .seconds, .json(), .df; of several "
        "hosts a mapping with the same",
    )
    group.add_argument("-e", "--err", metavar="VAR", help="put standard error into this variable")
    group.add_argument(
        "--df",
        nargs="?",
        const="auto",
        choices=FORMS,
        metavar="=FORM",
        help="show one table with a column `host`, and return it: "
        + (
            "the objects that the script returns"
            if parser.system == "windows"
            else "of JSON, CSV, TSV or columns"
        )
        + "; `--df=csv` says which",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="show neither hosts nor output")


def read(
    parser: LineParser, line: str, cell: str | None, names: dict[str, Any]
) -> tuple[argparse.Namespace, str]:
    """Return options and script. In the line form the script begins at the first word that is no option.

    Raises:
        MagicUsageError: when something of it is wrong; nothing has run.
        HelpShown: for `--help`.
    """
    place = len(line) if cell is not None else _body_place(parser, line)
    words = as_typed(line[:place])
    if cell is None and words[-1:] == ["--"]:
        words.pop()  # as everywhere: what follows is no option
    options, rest = parser.read(expanded(words, names, EXPRESSIONS))
    if rest:
        parser.error(f"`{' '.join(rest)}` is no option{_meant(' '.join(words), rest[0])}")
    body = cell if cell is not None else line[place:].strip()
    for name in (options.out, options.err, options.job):
        if name is not None:
            parser.check_variable(name)
    if options.detach:
        for name in NOT_DETACHED:
            if getattr(options, name) != parser.get_default(name):
                parser.error(
                    f"--detach starts the script and waits for nothing, so that --{name.replace('_', '-')} has no effect"
                )
    for name in ("retry_if", "retry_delay"):
        if not options.retries and getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name.replace('_', '-')} has no effect without --retries N")
    if options.job and not options.bg:
        parser.error("--proc names the job of --bg, which is missing")
    if not body.strip():
        parser.error("there is nothing to run")
    if "\0" in body:
        number = body[: body.index("\0")].count("\n") + 1
        parser.error(
            f"line {number} of the script holds a NUL byte, which no shell takes; nothing was sent"
        )
    if half := HALF.search(body):
        number = body[: half.start()].count("\n") + 1
        parser.error(
            f"line {number} of the script holds half of a character (a lone surrogate), which is no text; nothing was sent"
        )
    return options, body


def _meant(line: str, word: str) -> str:
    """Return what a word in a place where only options stand may have been meant as."""
    before = line[: line.find(word)].split()
    option = next((one for one in reversed(before) if one.startswith("-")), "").partition("=")[0]
    if word.startswith("#"):
        return "; a comment goes below the line"
    if option in ("-H", "--host"):
        return "; hosts are separated by commas: `--host one,two`"
    if option in EXPRESSIONS:
        return f"; an expression with spaces goes into braces: `{option} {{...}}`"
    return "; the script goes below the line"


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
        end, _ = word_end(line, place)
        word = line[place:end]
        place = end
        if word == "--" and not skip:
            return place
        skip = not skip and word in takes_value
