"""kubectl itself on this computer, with the kubeconfig of the open cluster and no other."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from k8swin_nb.cluster.client_file import client_file
from k8swin_nb.errors import ClusterError, CommandTimeout, ParamsError, Stopped
from k8swin_nb.redact import redact
from k8swin_nb.result import Result
from k8swin_nb.shown import shown_line
from k8swin_nb.transports.output import Output
from k8swin_nb.workflow.output_log import KeptOutput
from k8swin_nb.workflow.script_events import check_whole, ended_with
from k8swin_nb.workflow.this_process import this_process

if TYPE_CHECKING:
    from k8swin_nb.cluster.api import ClusterApi
    from k8swin_nb.workflow.record import Record

OTHERS = [
    "--kubeconfig",
    "--context",
    "--cluster",
    "--user",
    "--server",
    "-s",
    "--token",
    "--username",
    "--password",
    "--client-certificate",
    "--client-key",
    "--certificate-authority",
    "--insecure-skip-tls-verify",
    "--tls-server-name",
]
"""Options that would lead to another cluster, or to this one as somebody else or unproved."""

GRANTS = (["create", "rolebinding"], ["create", "clusterrolebinding"], ["set", "subject"])

SWITCHES = "AhiqRtw"
"""Short options without a value."""

WITH_VALUE = frozenset(
    [
        "-n",
        "--namespace",
        "-v",
        "--v",
        "--request-timeout",
        "--as",
        "--as-group",
        "--as-uid",
        "--cache-dir",
        "--profile",
        "--profile-output",
    ]
)
"""Options that may stand before the verb and have a value of their own."""

READS = frozenset(
    [
        "api-resources",
        "api-versions",
        "auth",
        "cluster-info",
        "describe",
        "diff",
        "events",
        "explain",
        "get",
        "kustomize",
        "logs",
        "options",
        "top",
        "version",
        "wait",
    ]
)
"""Verbs that change nothing in the cluster."""

LOOK_SECONDS = 0.1
KILL_SECONDS = 5.0
PIECE = 65_536


def verb_of(words: Sequence[str]) -> str:
    """Return what kubectl is asked to do: its first word that is no option."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in WITH_VALUE
        else:
            return word
    return ""


def elsewhere(words: Sequence[str]) -> str:
    """Return the option that would lead to another cluster or to this one as somebody else; empty: there is none.

    What follows `--` is of another program, which has options of its own.
    """
    own = list(words[: words.index("--")] if "--" in words else words)
    plain = [word for word in own if not word.startswith("-")]
    # Here it names who is given a role.
    grants = any([one, two] in GRANTS for one, two in pairwise(plain))
    for word in own:
        option = word.partition("=")[0]
        if option in OTHERS and not (grants and option == "--user"):
            return option
        # Short options without a value may stand together, and the last have its value right behind it.
        if re.match(f"-[{SWITCHES}]*s", word):
            return "-s"
    return ""


def program() -> str:
    """Return the path of kubectl.

    Raises:
        ClusterError: when there is none, with what works without it.
    """
    found = shutil.which("kubectl")
    if found is None:
        raise ClusterError(
            "there is no kubectl on this computer's PATH",
            hint="without it there are `%nodes`, `%pods`, `%services`, `%events`, `%workloads` and `%kubectl get` of these; "
            "all of it has the control plane: `%remote_bash --host control-plane kubectl ...`",
        )
    return found


def run(
    api: ClusterApi,
    words: Sequence[str],
    *,
    record: Record,
    stdin: bytes = b"",
    timeout: float | None = None,
    on_output: Callable[[str, str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Result:
    """Run kubectl against the cluster, and return what it said, whatever its exit code.

    Its kubeconfig is in memory, or a file of this account alone that is gone at the end; nothing of it is on the command
    line.

    Raises:
        ClusterError: when there is no kubectl.
        CommandTimeout: when it took longer than it was given.
        ParamsError: when a word would lead it to another cluster, or to an editor in a terminal.
        Stopped: when it was stopped.
    """
    if other := elsewhere(words):
        raise ParamsError(
            f"`{other}` leads kubectl away from the open cluster",
            hint="open the other cluster, or use `!kubectl`",
        )
    if verb_of(words) == "edit" and not os.environ.get("KUBE_EDITOR"):
        raise ParamsError(
            "`edit` opens an editor in a terminal, and there is none",
            hint="read it by `get -o yaml`, and give it back by `%%kubectl apply -f -`; or name an editor with a window of its "
            "own in KUBE_EDITOR, such as `code --wait`",
        )
    path = program()
    environment = {
        name: value
        for name, value in os.environ.items()
        # The cluster is asked directly, as everything here asks it.
        if not name.lower().endswith("_proxy") and name != "KUBECONFIG"
    }
    told: dict[str, Any] = {"words": [*words], "changes": verb_of(words) not in READS}
    if stdin:
        # A manifest may hold secrets: what is known of them is in no digest either.
        given = redact(stdin.decode("utf-8", "replace")).encode()
        told |= {"stdin_bytes": len(stdin), "stdin_sha256": hashlib.sha256(given).hexdigest()}
    record.write("kubectl-started", **told, **this_process())
    kept = KeptOutput(record, "kubectl")

    def take(stream: str, text: str) -> None:
        kept.take(stream, text)
        if on_output is not None:
            on_output(stream, text)

    output = Output(take)
    began = time.monotonic()
    late = stopped = False
    try:
        with client_file(api) as (file, descriptors):
            environment["KUBECONFIG"] = str(file)
            with subprocess.Popen(
                [path, *words],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=descriptors,
            ) as process:
                threads = _carried(process, stdin, output)
                try:
                    # It may close its output long before it ends.
                    while any(thread.is_alive() for thread in threads) or process.poll() is None:
                        late = timeout is not None and time.monotonic() - began > timeout
                        stopped = cancel is not None and cancel.is_set()
                        if late or stopped:
                            _end(process)
                            break
                        if going := next((one for one in threads if one.is_alive()), None):
                            going.join(LOOK_SECONDS)
                        else:
                            with contextlib.suppress(subprocess.TimeoutExpired):
                                process.wait(LOOK_SECONDS)
                except BaseException:
                    _end(process)
                    raise
                finally:
                    # What it has started may hold its output open; nobody reads on once that is closed here.
                    for thread in threads:
                        thread.join(LOOK_SECONDS)
                    output.finish()
                code = process.wait()
    except BaseException as error:
        how = {"error": str(error), "error_kind": type(error).__name__, "exit_code": None}
        seconds = round(time.monotonic() - began, 3)
        record.write_beside(error, "kubectl", **told, **how, seconds=seconds, **kept.close())
        raise
    seconds = time.monotonic() - began
    name = shown_line(" ".join(["kubectl", *words]))
    result = Result(name, code, output.text("stdout"), output.text("stderr"), "here", seconds)
    event = {"exit_code": code, "seconds": round(seconds, 3), **kept.close()}
    cut = {"stopped": True} if stopped else {"late": True} if late else {}
    with ended_with(result):
        record.write("kubectl", **told, **event, **cut)
        check_whole(kept, record)
    if late:
        raise CommandTimeout(result, timeout or 0)
    if stopped:
        raise Stopped("here", f"`{name}` was stopped")
    return result


def check(words: Sequence[str], result: Result) -> None:
    """Raise what a failure is; `diff` says by exit code 1 that something differs.

    Raises:
        CommandFailed: with the result.
    """
    if verb_of(words) != "diff" or result.returncode != 1:
        result.check_returncode()


def _carried(
    process: subprocess.Popen[bytes], stdin: bytes, output: Output
) -> list[threading.Thread]:
    """Carry what goes in and what comes out, each in a thread of its own."""

    def give() -> None:
        assert process.stdin is not None  # noqa: S101 -- it is a pipe
        with contextlib.suppress(OSError, ValueError):  # it may not want all of it, or is stopped
            process.stdin.write(stdin)
            process.stdin.close()

    def take(stream: str, pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # noqa: S101 -- it is a pipe
        with contextlib.suppress(OSError, ValueError):  # closed when it was stopped
            while data := os.read(pipe.fileno(), PIECE):
                output.feed(stream, data)

    work: list[Callable[[], None]] = [
        lambda: take("stdout", process.stdout),
        lambda: take("stderr", process.stderr),
        give,
    ]
    threads = [threading.Thread(target=one, name="kubectl", daemon=True) for one in work]
    for thread in threads:
        thread.start()
    return threads


def _end(process: subprocess.Popen[bytes]) -> None:
    """End kubectl with what it has started, first politely."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_SECONDS)
            return
