"""`%push`, `%pull` and `%%remote_file`: files to hosts and from them, and a cell as a file."""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from k8swin_nb.host_tools.content import ENCODINGS
from k8swin_nb.host_tools.facts import size_text
from k8swin_nb.inventory import Host
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import LineParser, documented
from k8swin_nb.notebook.script_options import hosts_argument
from k8swin_nb.notebook.tool_line import hosts_of, options_of, with_report
from k8swin_nb.shown import shown_line

QUIET_SECONDS = 2.0
"""What takes no longer shows its end alone."""

SHOW_SECONDS = 0.5
"""Between two looks at how far it is."""


def _parser(name: str, what: str, *places: str, cell: bool = False) -> LineParser:
    parser = LineParser(name, what, cell=cell)
    for place, told in zip(places[::2], places[1::2], strict=True):
        parser.add_argument(place, metavar=place.upper(), help=told)
    hosts_argument(parser, "the only host")
    parser.add_argument("--sudo", action="store_true", help="as root (Linux)")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, and change nothing"
    )
    return parser


def _add_rights(parser: LineParser) -> None:
    parser.add_argument("--mode", default="", metavar="MODE", help="such as 644 (Linux)")
    parser.add_argument(
        "--owner", default="", metavar="OWNER", help="`USER`, `USER:GROUP` or `:GROUP` (Linux)"
    )


PUSH = _parser(
    "push",
    "Bring a file, or all files below a folder, to hosts.",
    "local",
    "file or folder here; `{{host}}` stands for the host's name",
    "remote",
    "its place there; with a slash at the end, the folder for it",
)
_add_rights(PUSH)
PULL = _parser(
    "pull",
    "Bring a file, or all files below a folder, from hosts.",
    "remote",
    "file or folder there",
    "local",
    "place here; of several hosts each has a folder of its name in it, or where `{{host}}` says",
)
PULL.add_argument("--force", action="store_true", help="write over files here that differ")
FILE = _parser(
    "remote_file", "Write the cell as a file on hosts.", "path", "its place there", cell=True
)
_add_rights(FILE)
FILE.add_argument(
    "--validate",
    default="",
    metavar="COMMAND",
    help="has to accept the file before it goes to its place; `%%s` stands for the file",
)
FILE.add_argument("--encoding", default="utf-8", choices=list(ENCODINGS), help="default: utf-8")
FILE.add_argument("--crlf", action="store_true", help="lines end as on Windows")
PARSERS = {"push": PUSH, "pull": PULL, "remote_file": FILE}


@magics_class
class FileMagics(Magics):
    """The magics about files."""

    @no_var_expand
    @line_magic
    @documented(PUSH)
    def push(self, line: str) -> Any:
        r"""Bring a file or a folder to hosts: only what differs, proved by SHA-256; somebody else's is kept.

        %push app.conf /etc/app/app.conf --host linux --sudo --mode 640 --owner root:adm
        %push site/ C:\site --host windows
        %push certs/{{host}}.pem /tmp/host.pem --host linux --dry-run
        """
        options = options_of(PUSH, line, self.shell)
        if options is None:
            return None
        opened, hosts = _asked(PUSH, options)
        with with_report(), _Carried() as carried:
            return opened.cluster.push(
                options.local,
                options.remote,
                hosts,
                mode=options.mode,
                owner=options.owner,
                sudo=options.sudo,
                dry_run=options.dry_run,
                progress=carried,
            )

    @no_var_expand
    @line_magic
    @documented(PULL)
    def pull(self, line: str) -> Any:
        r"""Bring a file or a folder from hosts; what is here with other content stays, unless `--force` is said.

        %pull /etc/kubernetes/admin.conf admin.conf --host control-plane --sudo
        %pull C:\k8swin\logs logs --host windows
        %pull /var/log/syslog logs/{{host}}/syslog --host linux --sudo
        """
        options = options_of(PULL, line, self.shell)
        if options is None:
            return None
        opened, hosts = _asked(PULL, options)
        with with_report(), _Carried() as carried:
            return opened.cluster.pull(
                options.remote,
                options.local,
                hosts,
                sudo=options.sudo,
                force=options.force,
                dry_run=options.dry_run,
                progress=carried,
            )

    @no_var_expand
    @cell_magic
    @documented(FILE)
    def remote_file(self, line: str, cell: str) -> Any:
        r"""Write the cell as a file on hosts, and show what differed; what is there already is `ok`.

        %%remote_file /etc/sysctl.d/90-mine.conf --host linux --sudo --mode 644
        vm.swappiness = 10

        %%remote_file C:\app\app.ini --host windows --encoding utf-8-bom --crlf
        %%remote_file /etc/sudoers.d/ops --host linux --sudo --mode 440 --validate "visudo -cf %s"
        """
        options = options_of(FILE, line, self.shell)
        if options is None:
            return None
        opened, hosts = _asked(FILE, options)
        with with_report():
            return opened.cluster.write_file(
                options.path,
                cell,
                hosts,
                mode=options.mode,
                owner=options.owner,
                sudo=options.sudo,
                validate=options.validate,
                encoding=options.encoding,
                crlf=options.crlf,
                dry_run=options.dry_run,
            )


def _asked(
    parser: LineParser, options: argparse.Namespace
) -> tuple[context.Context, tuple[Host, ...]]:
    opened = context.current()
    hosts = hosts_of(parser, opened, options)
    # A notebook that changes nothing carries nothing either.
    options.dry_run = options.dry_run or opened.dry_run
    if not options.dry_run:
        opened.tell_of_others(hosts, None)
    return opened, hosts


class _Carried:
    """Shows how far files are, in one place, once it takes longer than a moment."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._far: dict[str, str] = {}
        self._handle: Any = None

    def __enter__(self) -> _Carried:
        return self

    def __exit__(self, *how: object) -> None:
        with self._lock:
            if self._handle is not None:
                seconds = time.monotonic() - self._began
                self._show("; ".join([*self._far.values(), f"ended after {seconds:.0f} s"]))

    def __call__(self, host: Host, path: str, done: int) -> None:
        now = time.monotonic()
        with self._lock:
            self._far[host.name] = f"{host.name}: {size_text(done)} of {path}"
            if now - self._began >= QUIET_SECONDS and now - self._told >= SHOW_SECONDS:
                self._told = now
                self._show("; ".join(self._far.values()))

    def _show(self, text: str) -> None:
        line = Line(shown_line(text))
        if self._handle is None:
            self._handle = display(line, display_id=True)
        else:
            self._handle.update(line)


class Line:
    """One line that has passed the door."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
