"""`%kubectl` and `%%kubectl`: the real program with the open cluster's kubeconfig, and tables for `get`."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from k8swin_nb.errors import ClusterError
from k8swin_nb.notebook import context
from k8swin_nb.notebook.kubectl_words import kubectl_words
from k8swin_nb.notebook.magic_line import (
    LineParser,
    completing,
    documented,
    visible_names,
)

if TYPE_CHECKING:
    from k8swin_nb.api import Cluster
    from k8swin_nb.notebook.context import Context

VERBS = [
    "annotate",
    "api-resources",
    "apply",
    "auth",
    "cluster-info",
    "config",
    "cordon",
    "cp",
    "create",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "events",
    "exec",
    "explain",
    "expose",
    "get",
    "label",
    "logs",
    "patch",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
    "version",
    "wait",
]

KINDS = [
    "nodes",
    "pods",
    "services",
    "events",
    "deployments",
    "daemonsets",
    "statefulsets",
    "replicasets",
    "jobs",
    "cronjobs",
    "configmaps",
    "secrets",
    "namespaces",
    "ingresses",
    "endpoints",
    "serviceaccounts",
    "persistentvolumes",
    "persistentvolumeclaims",
    "networkpolicies",
]

TABLES = {
    name: table
    for table, names in {
        "nodes": "nodes node no",
        "pods": "pods pod po",
        "services": "services service svc",
        "events": "events event ev",
        "workloads": "workloads",
    }.items()
    for name in names.split()
}
"""What `get` shows without the program, by kubectl's names."""


def _words(_: Context) -> list[str]:
    return [*VERBS, *KINDS]


KUBECTL = LineParser("kubectl", "Run kubectl with the open cluster's kubeconfig.", cell=False)
completing(
    KUBECTL.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="WORDS", help="as kubectl takes them"
    ),
    _words,
)
# kubectl reads its own options: these are here to be completed.
completing(
    KUBECTL.add_argument("-n", "--namespace", metavar="NAMESPACE", help="default: default"),
    lambda opened: opened.cluster.known_names("namespaces"),
)
KUBECTL.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces")
KUBECTL.add_argument(
    "-o", "--output", choices=["wide", "yaml", "json", "name"], help="`get`: wide is a table, too"
)
PARSERS = {"kubectl": KUBECTL}

TEXT = frozenset({"--watch", "--watch-only", "--no-headers", "--raw", "--help", "w", "h"})
"""Options of `get` with which it prints no table, the short ones without their dash."""


@magics_class
class KubectlMagic(Magics):
    """The magic about kubectl."""

    @no_var_expand
    @line_cell_magic
    @documented(KUBECTL)
    def kubectl(self, line: str, cell: str | None = None) -> Any:
        """Run kubectl on the open cluster; `get` returns DataFrames, all else is shown as it comes, and recorded.

        %kubectl get nodes -o wide
        pods = %kubectl get pods -A
        %kubectl describe node {name}

        %%kubectl apply -f -
        apiVersion: v1
        kind: Namespace
        metadata: {name: mine}
        """
        assert self.shell is not None  # noqa: S101 -- a magic has a shell
        words = kubectl_words(line, visible_names(self.shell))
        if not words:
            KUBECTL.error("say what kubectl is to do, such as `get nodes`")
        cluster: Any = context.current().cluster
        if not hasattr(cluster, "kubectl"):
            raise ClusterError(
                "no cluster is open, hosts alone are",
                hint="open one: `%k8swin open params/mine.yaml`",
            )
        if cell is None and _is_table(words):
            return _get(cluster, words)
        _live(cluster, words, (cell or "").encode())
        return None


def _is_table(words: list[str]) -> bool:
    """Whether `get` prints a table."""
    from k8swin_nb.host_tools.kubectl import SWITCHES, verb_of

    if verb_of(words) != "get":
        return False
    for word, behind in zip(words, [*words[1:], ""], strict=True):
        option, _, value = word.partition("=")
        if not word.startswith("--"):
            # Short options without a value may stand together, and the last have its value right behind it.
            found = re.fullmatch(f"-([{SWITCHES}]*)(o?)(.*)", word)
            if found is None:
                continue
            if TEXT & {*found[1]}:
                return False
            option, value = found[2], found[3].removeprefix("=")
        elif option in TEXT and value != "false":
            return False
        if option in ("o", "--output") and (value or behind) != "wide":
            return False
    return True


def _get(cluster: Cluster, words: list[str]) -> Any:
    from k8swin_nb.host_tools.kubectl import program
    from k8swin_nb.host_tools.kubectl_frames import frames

    try:
        program()
    except ClusterError as error:
        if table := _without_program(cluster, words):
            return table[0]
        raise error
    result = cluster.kubectl(*words)
    if result.stderr:
        print(result.stderr, end="")  # noqa: T201 -- `No resources found` is the answer; or a warning
    if not result.stdout.strip():
        return None
    found = frames(result.stdout, result.args)
    return found[0] if len(found) == 1 else found


def _without_program(cluster: Cluster, words: list[str]) -> list[Any]:
    """Return the table that the API gives for a `get`, or nothing where it has none of that form."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("get")
    parser.add_argument("kind")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("-n", "--namespace", default="default")
    parser.add_argument("-A", "--all-namespaces", action="store_true")
    parser.add_argument("-l", "--selector", default="")
    parser.add_argument("--field-selector", default="")
    parser.add_argument("-o", "--output", default="")
    try:
        asked, rest = parser.parse_known_args(words)
    except (argparse.ArgumentError, SystemExit):
        return []
    table = TABLES.get(asked.kind)
    if rest or table is None:
        return []
    wanted: dict[str, Any] = {"labels": asked.selector, "wide": asked.output == "wide"}
    if asked.name:
        wanted["name"] = asked.name
    if asked.field_selector:
        if table == "workloads":
            return []
        wanted["fields"] = asked.field_selector
    if table != "nodes":
        wanted["namespace"] = "" if asked.all_namespaces else asked.namespace
    return [getattr(cluster, table)(**wanted)]


def _live(cluster: Cluster, words: list[str], stdin: bytes) -> None:
    from k8swin_nb.notebook.stream import LiveOutput

    with LiveOutput(keep=cluster.record.open_log) as shown:
        cluster.kubectl(
            *words,
            stdin=stdin,
            on_output=lambda stream, text: shown.write("kubectl", stream, text),
        )
