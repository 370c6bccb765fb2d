"""`%k8swin`: which cluster the magics of a notebook work on, and the host keys of machines that no description names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from k8swin_nb.errors import ParamsError
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import (
    HelpShown,
    LineParser,
    as_typed,
    completing,
    documented,
    expanded,
    visible_names,
)
from k8swin_nb.notebook.session import session_folder
from k8swin_nb.shown import shown
from k8swin_nb.tables import preformatted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from k8swin_nb.api import Cluster
    from k8swin_nb.description import Description
    from k8swin_nb.inventory import Host
    from k8swin_nb.notebook.context import Context

COMMANDS = ("status", "open", "close", "pin", "forget")

K8SWIN = LineParser("k8swin", "What the magics of this notebook work on.", cell=False)
completing(
    K8SWIN.add_argument(
        "command",
        nargs="?",
        default="status",
        metavar="COMMAND",
        help="status (the default), open FILE, close, pin HOST [FINGERPRINT], forget HOST",
    ),
    lambda _: COMMANDS,
)


def _descriptions_and_hosts(opened: Context) -> Iterable[str]:
    from k8swin_nb.description import project_root

    yield from (_from_here(file) for file in sorted((project_root() / "params").glob("*.yaml")))
    yield from (host.name for host in opened.inventory.hosts)
    yield from opened.strangers


completing(
    K8SWIN.add_argument("what", nargs="*", metavar="FILE|HOST", help="a description, or a host"),
    _descriptions_and_hosts,
)
PARSERS = {"k8swin": K8SWIN}


def use(description: str | Path | Description | Cluster) -> Cluster:
    """Let the magics of this notebook work on a cluster, and return it.

    Args:
        description: Path of a YAML file such as `params/mine.yaml`, a description, or an open cluster. A path starts at the
            working directory, or at the project's folder where it is not there.

    Raises:
        ParamsError: naming every problem of the description.
    """
    from k8swin_nb.api import Cluster
    from k8swin_nb.description import Description, open_description, project_path, project_root

    if isinstance(description, Cluster):
        return context.open_context(description).cluster
    if not isinstance(description, Description):
        if not isinstance(description, str | os.PathLike):
            kind = type(description).__name__
            raise ParamsError(f"a description is a file's path, and this is of the type `{kind}`")
        path = Path(description).expanduser()
        path = path if path.is_file() else Path(project_path(str(path)))
        if not path.is_file():
            raise _no_description(path)
        description = open_description(path)
    runs = project_root(description.folder) / "runs"
    session = session_folder(runs)
    run_id = session.name if session else None
    cluster = context.cluster_of(description, runs=runs, run_id=run_id, name="notebook")
    return context.open_context(cluster).cluster


def _no_description(path: Path) -> ParamsError:
    """Return the error about a path at which no description is, with the nearest one."""
    import difflib

    there = sorted(_descriptions())
    close = difflib.get_close_matches(str(path), [str(file) for file in there], n=1, cutoff=0.5)
    if path.is_dir():
        inside = [file for file in there if file.parent == path]
        close = [str(inside[0])] if inside else close
    hint = "`k8swin init` writes `params/example.yaml`: copy it, and open the copy"
    if close:
        hint = f"did you mean `%k8swin open {_from_here(Path(close[0]))}`?"
    what = "is a folder" if path.is_dir() else "is not there"
    return ParamsError(f"the description `{path}` {what}", hint=hint)


def _descriptions() -> Iterable[Path]:
    from k8swin_nb.description import project_root

    folders = {project_root() / "params", Path.cwd() / "params", Path.cwd()}
    return {file for folder in folders for file in folder.glob("*.y*ml")}


def _from_here(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


class Status:
    """What is open, as text."""

    def __init__(self, opened: Context | None) -> None:
        self._text = _told(opened)

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return preformatted(self._text)


def _told(opened: Context | None) -> str:
    from k8swin_nb.selection import OPEN, names

    if opened is None or not (opened.described or opened.strangers or opened.jobs):
        return f"no cluster is open; {OPEN}"
    cluster = opened.cluster
    lines = []
    if opened.described:
        description = cluster.description
        counts = [
            f"{sum(host.os == system for host in opened.inventory.hosts)} {system}"
            for system in ("linux", "windows")
        ]
        lines.append(f"{description.cluster_name}, {description.profile}: {', '.join(counts)}")
        groups = sorted({group for host in opened.inventory.hosts for group in host.groups})
        lines.append(f"hosts: {names(opened.inventory.hosts)}")
        if groups:
            lines.append(f"groups: {', '.join(groups)}")
    if opened.strangers:
        lines.append(f"hosts that no description names: {names(opened.strangers.values())}")
    folder = cluster.runs / cluster.run_id
    there = folder.is_dir()
    lines.append(f"record: {folder}{'' if there else ' (made when something runs)'}")
    if cluster.last:
        ended = ", ".join(f"{name} {state}" for name, state in list(cluster.last.items())[:20])
        lines.append(f"last run: {ended}")
    lines += [repr(job) for job in opened.jobs]
    return shown("\n".join(lines))


@magics_class
class K8swinMagic(Magics):
    """The magic that opens a cluster."""

    @no_var_expand
    @line_magic
    @documented(K8SWIN)
    def k8swin(self, line: str) -> Any:
        """Say or choose what the magics of this notebook work on.

        %k8swin open params/mine.yaml

        %k8swin

        %k8swin pin ubuntu@192.168.160.150

        %k8swin close
        """
        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        try:
            words = expanded(as_typed(line), visible_names(self.shell))
            options, rest = K8SWIN.read(words)
        except HelpShown:
            return None
        command, what = options.command, [*options.what, *rest]
        if command not in COMMANDS:
            if command.endswith((".yaml", ".yml")):
                K8SWIN.error(f"`{command}` is no command, did you mean `%k8swin open {command}`?")
            K8SWIN.nearest(command, COMMANDS)
        most = {"open": (1, 1), "pin": (1, 2), "forget": (1, 1)}.get(command, (0, 0))
        if not most[0] <= len(what) <= most[1]:
            form = {"open": "open FILE", "pin": "pin HOST [FINGERPRINT]", "forget": "forget HOST"}
            K8SWIN.error(f"found `{line.strip()}`, expected `%k8swin {form.get(command, command)}`")
        return getattr(self, f"_{command}")(*what)

    def _status(self) -> Status:
        return Status(context.known())

    def _open(self, path: str) -> Status:
        use(path)
        return Status(context.known())

    def _close(self) -> None:
        was = context.known()
        context.close_context()
        print("closed" if was else "nothing was open")  # noqa: T201 -- the answer

    def _pin(self, name: str, fingerprint: str = "") -> None:
        from k8swin_nb.transports.hostkeys import pin
        from k8swin_nb.transports.jump import scan_through

        host = _host(name)
        key = scan_through(host)
        print(f"{host.name} ({host.ssh_address} port {host.ssh_port}): {key.fingerprint}")  # noqa: T201
        if not fingerprint:
            print(  # noqa: T201
                "compare with `ssh-keygen -lf` of the key's file on the machine's console; the same? then type\n"
                f"    %k8swin pin {name} {key.fingerprint}"
            )
            return
        if fingerprint != key.fingerprint:
            K8SWIN.error(
                f"the host shows {key.fingerprint}, expected was {fingerprint}; nothing is pinned"
            )
        pin(host, key)
        print(f"pinned in {host.known_hosts}")  # noqa: T201

    def _forget(self, name: str) -> None:
        from k8swin_nb.transports.hostkeys import forget

        host = _host(name)
        print(f"{forget(host)} keys of {host.name} removed from {host.known_hosts}")  # noqa: T201


def _host(name: str) -> Host:
    from k8swin_nb.notebook.targets import choose
    from k8swin_nb.transports.ssh_config import configured

    return configured(choose(context.current(), name, "linux").hosts[0])
