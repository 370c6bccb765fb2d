"""`%nodes`, `%pods`, `%services`, `%events` and `%workloads`: tables of the open cluster, with kubectl's options.

What they return is a DataFrame. It is shown also where Python would drop it: in a loop, or when further lines follow.
"""

from __future__ import annotations

import argparse
import dis
import fnmatch
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.display import display

from k8swin_nb.errors import InventoryError
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import (
    BETWEEN,
    HelpShown,
    LineParser,
    completing,
    documented,
    expanded,
    split,
    visible_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from k8swin_nb.cluster.kube_table import KubeTable
    from k8swin_nb.notebook.context import Context

NAMESPACED = ("pods", "services", "events", "workloads")
WITH_FIELDS = ("nodes", "pods", "services", "events")
WITH_NAMES = ("nodes", "pods", "services", "workloads")
WITH_OS = ("nodes", "pods", "workloads")

FIELDS = {
    "nodes": "spec.unschedulable=true",
    "pods": "status.phase!=Running",
    "services": "metadata.name=web",
    "events": "type=Warning",
}
"""Examples of selectors."""

DEFAULT = "default"
"""The namespace where none is named, as kubectl has it."""


def _names(kind: str) -> Callable[[Context], Iterable[str]]:
    """Return what completes names of a kind: those that are known; meanwhile they are asked for anew."""

    def known(opened: Context) -> Iterable[str]:
        return opened.cluster.known_names(kind)

    return known


def _parser(name: str, what: str) -> LineParser:
    parser = LineParser(name, what, cell=False)
    if name in WITH_NAMES:
        argument = parser.add_argument(
            "names", nargs="*", metavar="NAME", help="only these; `*` and `?` stand for any text"
        )
        if name == "nodes":
            completing(argument, _names("nodes"))
    if name in NAMESPACED:
        where = parser.add_mutually_exclusive_group()
        space = where.add_argument(
            "-n", "--namespace", metavar="NAMESPACE", help=f"default: {DEFAULT}"
        )
        completing(space, _names("namespaces"))
        where.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces")
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="such as app=web,tier!=cache"
    )
    if name in WITH_FIELDS:
        parser.add_argument(
            "--field-selector", default="", metavar="FIELDS", help=f"such as {FIELDS[name]}"
        )
    if name == "pods":
        node = parser.add_argument(
            "--node", default="", metavar="NODE", help="that run on this node"
        )
        completing(node, _names("nodes"))
    if name in WITH_OS:
        parser.add_argument("--os", default="", choices=("linux", "windows"), help="of this system")
    parser.add_argument("-w", "--wide", action="store_true", help="with all columns")
    parser.add_argument(
        "-o",
        "--out",
        metavar="VAR",
        help="put the table into this variable, and show nothing; `-o wide` is --wide, as kubectl has it",
    )
    return parser


NODES = _parser("nodes", "Show the nodes of the open cluster.")
PODS = _parser("pods", "Show pods of the open cluster.")
SERVICES = _parser("services", "Show services of the open cluster.")
EVENTS = _parser("events", "Show events of the open cluster, the latest last.")
WORKLOADS = _parser("workloads", "Show Deployments, StatefulSets, DaemonSets and Jobs.")
PARSERS = {
    "nodes": NODES, "pods": PODS, "services": SERVICES, "events": EVENTS, "workloads": WORKLOADS,
}  # fmt: skip


@magics_class
class TableMagics(Magics):
    """The magics that show tables of the open cluster."""

    @no_var_expand
    @line_magic
    @documented(NODES)
    def nodes(self, line: str) -> Any:
        """Show nodes: status, roles, age, version, system, build of Windows; returns a DataFrame.

        %nodes
        %nodes --os windows --wide
        nodes = %nodes -l kubernetes.io/os=linux
        """
        return self._table("nodes", line)

    @no_var_expand
    @line_magic
    @documented(PODS)
    def pods(self, line: str) -> Any:
        """Show pods: readiness, status, restarts, node, build of the node and of the image; returns a DataFrame.

        %pods
        %pods -A --os windows
        %pods -n kube-system --field-selector status.phase!=Running
        %pods -A web-* -o web
        """
        return self._table("pods", line)

    @no_var_expand
    @line_magic
    @documented(SERVICES)
    def services(self, line: str) -> Any:
        """Show services: addresses and ports; returns a DataFrame.

        %services
        services = %services -A --wide
        """
        return self._table("services", line)

    @no_var_expand
    @line_magic
    @documented(EVENTS)
    def events(self, line: str) -> Any:
        """Show events, the latest last; returns a DataFrame.

        %events -A --field-selector type=Warning
        """
        return self._table("events", line)

    @no_var_expand
    @line_magic
    @documented(WORKLOADS)
    def workloads(self, line: str) -> Any:
        """Show Deployments, StatefulSets, DaemonSets and Jobs: how many pods are ready; returns a DataFrame.

        %workloads -A
        %workloads -n kube-system --wide
        """
        return self._table("workloads", line)

    def _table(self, name: str, line: str) -> Any:
        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        parser = PARSERS[name]
        try:
            words = [word for word, _ in split(line)]
            options, rest = parser.read(expanded(words, visible_names(self.shell), ()))
        except HelpShown:
            return None
        if rest:
            parser.error(f"`{' '.join(rest)}` is no option")
        if options.out == "wide":
            # As one's hands know it of kubectl: a variable is hardly called so.
            options.out, options.wide = None, True
        if options.out in ("json", "yaml", "name"):
            parser.error(
                f"`-o` names a variable here; kubectl's own is `%kubectl get {name} -o {options.out}`"
            )
        if options.out is not None:
            parser.check_variable(options.out)
        made = _read(name, options, parser)
        if options.out:
            self.shell.user_ns[options.out] = made
            return None
        if _dropped():
            display(made)
            return None
        return made


def _read(name: str, options: argparse.Namespace, parser: LineParser) -> KubeTable:
    from k8swin_nb.selection import OPEN

    opened = context.current()
    if not opened.described:
        raise InventoryError(
            "no cluster is open, so that there is no API server to be asked", hint=OPEN
        )
    how: dict[str, Any] = {"labels": options.selector, "wide": options.wide}
    if name in NAMESPACED:
        how["namespace"] = "" if options.all_namespaces else options.namespace or DEFAULT
    if name in WITH_FIELDS:
        how["fields"] = options.field_selector
    if name == "pods":
        how["node"] = options.node
    if name in WITH_OS:
        how["os"] = options.os
    made: KubeTable = getattr(opened.cluster, name)(**how)
    patterns = getattr(options, "names", [])
    return _named(made, patterns, parser) if patterns else made


def _named(made: KubeTable, patterns: list[str], parser: LineParser) -> KubeTable:
    names = made["NAME"].tolist()
    for pattern in patterns:
        if not fnmatch.filter(names, pattern) and not any(sign in pattern for sign in "*?["):
            parser.nearest(pattern, names or ["none"], parser.prog.lstrip("%").removesuffix("s"))
    kept = [any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in names]
    return made[kept].reset_index(drop=True)


def _dropped() -> bool:
    """Whether the line of Python from which a magic is called drops what it returns."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in BETWEEN:
        frame = frame.f_back
    if frame is None:
        return False
    place = frame.f_lasti
    behind = next((one for one in dis.get_instructions(frame.f_code) if one.offset > place), None)
    return behind is not None and behind.opname == "POP_TOP"
