"""kubectl's command line: options that every verb knows, and which verb runs."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.arguments import MissingValue, Options, Parsed
from k8swin_lab.kubectl import (
    applying,
    changing,
    creating,
    describing,
    getting,
    inspecting,
    waiting,
)
from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.kubeconfig import Files
from k8swin_lab.kubectl.session import Session
from k8swin_lab.machines.program import NotSimulated, Process

Verb = Callable[[Session, list[str]], int]

_GLOBAL_VALUES = (
    "-n,--namespace --kubeconfig --context -s,--server --token --request-timeout -v,--v"
)
_GLOBAL_FLAGS = "-h,--help"
_REFUSED = ("-h",)
_DURATION = re.compile(r"0|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+|\d+")

_OBJECTS = "-o,--output -l,--selector --field-selector -f,--filename"
_VERBS: dict[str, tuple[Verb, str, str]] = {
    # name: function, flags, values
    "get": (
        getting.get,
        "-A,--all-namespaces --no-headers --ignore-not-found --show-labels -w,--watch --show-kind",
        f"{_OBJECTS} --raw --sort-by -L,--label-columns --chunk-size",
    ),
    "describe": (describing.describe, "-A,--all-namespaces", _OBJECTS + " --show-events"),
    "apply": (
        applying.apply,
        "--server-side --force-conflicts --prune -R,--recursive --force --overwrite",
        "-f,--filename -o,--output --dry-run --field-manager -k,--kustomize --validate --wait -l,--selector",
    ),
    "create": (
        creating.create,
        "--save-config",
        "-f,--filename -o,--output --dry-run --from-literal --from-file --image --replicas --port --type"
        " --duration --audience --clusterrole --user --group --serviceaccount --validate",
    ),
    "delete": (
        applying.delete,
        "--all --ignore-not-found --force --now -A,--all-namespaces",
        f"{_OBJECTS} --grace-period --wait --cascade",
    ),
    "diff": (applying.diff, "--server-side --force-conflicts", "-f,--filename --field-manager"),
    "patch": (
        changing.patch,
        "",
        "-p,--patch --patch-file --type -o,--output -f,--filename --subresource",
    ),
    "label": (changing.label, "--overwrite --all -A,--all-namespaces", _OBJECTS),
    "annotate": (changing.annotate, "--overwrite --all -A,--all-namespaces", _OBJECTS),
    "taint": (changing.taint, "--overwrite --all", "-o,--output -l,--selector"),
    "scale": (
        changing.scale,
        "",
        "--replicas -f,--filename -o,--output --current-replicas --resource-version --timeout",
    ),
    "set": (changing.set_fields, "", "-l,--selector"),
    "cordon": (changing.cordon, "", "-l,--selector"),
    "uncordon": (changing.uncordon, "", "-l,--selector"),
    "drain": (
        changing.drain,
        "--ignore-daemonsets --delete-emptydir-data --delete-local-data --force --disable-eviction",
        "--grace-period --timeout -l,--selector",
    ),
    "rollout": (waiting.rollout, "", "--timeout -w,--watch -l,--selector"),
    "wait": (waiting.wait, "--all -A,--all-namespaces", f"{_OBJECTS} --for --timeout"),
    "logs": (
        inspecting.logs,
        "-f,--follow -p,--previous --prefix --all-containers --timestamps",
        "-c,--container --tail --since-time --limit-bytes -l,--selector",
    ),
    "exec": (inspecting.execute, "-i,--stdin -t,--tty -q,--quiet", "-c,--container"),
    "version": (inspecting.version, "--client --short", "-o,--output"),
    "cluster-info": (inspecting.cluster_info, "", ""),
    "config": (inspecting.config, "--raw --minify --flatten --no-headers", "-o,--output"),
    "api-resources": (
        inspecting.api_resources,
        "--no-headers --cached",
        "-o,--output --api-group --namespaced",
    ),
    "api-versions": (inspecting.api_versions, "", ""),
    "auth": (inspecting.auth, "-A,--all-namespaces -q,--quiet", ""),
}
_KNOWN_ELSEWHERE = [
    "alpha",
    "attach",
    "autoscale",
    "certificate",
    "completion",
    "cp",
    "debug",
    "edit",
    "events",
    "explain",
    "expose",
    "kuberc",
    "kustomize",
    "options",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "run",
    "top",
]


def run(process: Process, files: Files, version: str) -> int:
    """Run kubectl.

    Args:
        process: with the whole command line in argv.
        files: of the machine, as the process's user sees them.
        version: of kubectl, "1.36.4".

    Raises:
        NotSimulated: a verb or an option that the lab does not know.
    """
    try:
        return _run(process, files, version)
    except KubectlError as error:
        process.err(f"{error}\n")
        return error.code
    except MissingValue as error:
        name = str(error)
        shown = f"'{name[1]}' in {name}" if len(name) == 2 else name
        process.err(f"error: flag needs an argument: {shown}\nSee 'kubectl --help' for usage.\n")
        return 1


def _run(process: Process, files: Files, version: str) -> int:
    words = process.argv[1:]
    verb, before, after = _verb(words)
    if not verb or verb in ("help", "--help"):
        process.out(
            "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n"
        )
        return 0
    if verb == "log":
        verb = "logs"
    known = _VERBS.get(verb)
    if known is None:
        if verb in _KNOWN_ELSEWHERE:
            raise NotSimulated(f"kubectl {verb}")
        raise KubectlError(f'error: unknown command "{verb}" for "kubectl"')
    function, flags, values = known
    command: list[str] = []
    if verb == "exec" and "--" in after:
        at = after.index("--")
        after, command = after[:at], after[at + 1 :]
    options = Options(f"{_GLOBAL_FLAGS} {flags}", f"{_GLOBAL_VALUES} {values}")
    parsed = options.parse(f"kubectl {verb}", [*before, *_joined(verb, after)])
    for option in _REFUSED:
        if option in parsed:
            raise NotSimulated(f"kubectl {verb} {option}")
    # a request of the lab is answered or refused at once, so that no time-out is ever reached
    timeout = parsed.get("--request-timeout")
    if timeout and not _DURATION.fullmatch(timeout):
        raise KubectlError(f'error: invalid timeout value: "{timeout}"')
    _check_version(verb, parsed, version)
    session = Session(process, files, version, parsed, verb)
    return function(session, [*parsed.operands, *command])


_OPTIONS_SINCE = {
    ("apply", "--server-side"): (16, 1000),
    ("apply", "--force-conflicts"): (16, 1000),
    ("diff", "--server-side"): (18, 1000),
    ("drain", "--delete-emptydir-data"): (20, 1000),
    ("drain", "--delete-local-data"): (0, 27),
    ("drain", "--disable-eviction"): (18, 1000),
    ("patch", "--patch-file"): (20, 1000),
    ("patch", "--subresource"): (24, 1000),
    ("version", "--short"): (0, 27),
}
"""The first and the last minor version of kubectl that has an option."""


def _check_version(verb: str, parsed: Parsed, version: str) -> None:
    minor = int(version.split(".")[1])
    for option, value in parsed.options:
        first, last = _OPTIONS_SINCE.get((verb, option), (0, 1000))
        if not first <= minor <= last:
            raise KubectlError(
                f"error: unknown flag: {option}\nSee 'kubectl {verb} --help' for usage."
            )
        if option == "--dry-run" and minor < 18 and value not in ("", "true", "false"):
            raise KubectlError(
                f'error: invalid argument "{value}" for "--dry-run" flag: strconv.ParseBool: parsing'
                f" \"{value}\": invalid syntax\nSee 'kubectl {verb} --help' for usage."
            )


def _verb(words: list[str]) -> tuple[str, list[str], list[str]]:
    """Return the verb, and the options before and the words after it."""
    taking = _GLOBAL_VALUES.replace(",", " ").split()
    before: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word, before, rest
        before.append(word)
        if word in taking and rest:
            before.append(rest.pop(0))
    return "", before, []


def _joined(verb: str, words: list[str]) -> list[str]:
    """Give options their value whose value may be left out (`--watch`, `--wait`)."""
    if verb == "rollout":
        return [f"{word}=true" if word in ("-w", "--watch") else word for word in words]
    if verb in ("delete", "apply"):
        return [f"{word}=true" if word == "--wait" else word for word in words]
    if verb == "api-resources":
        return [f"{word}=true" if word == "--namespaced" else word for word in words]
    return words
