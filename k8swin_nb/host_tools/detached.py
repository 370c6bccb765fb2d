"""Scripts that outlive the kernel and the connection: started, found again from any computer, followed, ended, removed.

Each has a folder on its host that only the account which started it, and administrators, may enter: what it got, what it
printed, how it ended. Hosts know which there are; nothing here has to be remembered.
"""

from __future__ import annotations

import base64
import binascii
import json
import platform
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8swin_nb.errors import CommandFailed, K8swinError, ParamsError, ScriptError
from k8swin_nb.fan_out import Answers, on_each
from k8swin_nb.host_tools.asking import Machines, ask, chosen
from k8swin_nb.host_tools.host_files import why
from k8swin_nb.inventory import Host
from k8swin_nb.reading import Unreadable, json_document, lines, whole
from k8swin_nb.scripts import Interpreter, Script
from k8swin_nb.shells import (
    PLAIN,
    Surroundings,
    bash_input,
    new_tag,
    powershell_command,
    powershell_input,
)
from k8swin_nb.shown import shown_line
from k8swin_nb.transports.processes import Running, end
from k8swin_nb.workflow.record import operator

LANGUAGES: dict[str, Interpreter] = {"linux": "bash", "windows": "powershell"}

START_SECONDS = 60.0
LOOK_SECONDS = 20.0

_ID = re.compile(r"[a-z][a-z0-9]{6}")


@dataclass(frozen=True, slots=True)
class DetachedJob:
    """A detached script on one host, as the host told when it was asked."""

    host: Host
    id: str
    """The word that names it, on all hosts where it was started at once."""

    state: str
    """`running`, `ended`, or `gone`: it runs no more and did not say how it ended, as after a reboot."""

    folder: str
    """Where the host keeps what belongs to it."""

    returncode: int | None = None
    seconds: float = 0.0
    """How long it has been running, or did run, by the host's clock."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of `stdout` and `stderr` so far."""

    told: Mapping[str, Any] = field(default_factory=dict)
    """What was written down when it was started: tag, name, run, operator, controller."""

    last: str = ""
    """The end of what it has printed, unmasked."""

    sudo: bool = False
    """Whether it runs as root through sudo."""

    @property
    def name(self) -> str:
        """The script's name, or its first line."""
        return str(self.told.get("name", ""))

    @property
    def tag(self) -> str:
        """The word by which its processes are found."""
        return str(self.told.get("tag", ""))

    @property
    def status(self) -> str:
        """`running`, `ok`, `failed` or `gone`."""
        if self.state != "ended":
            return self.state
        return "ok" if self.returncode == 0 else "failed"


def new_id() -> str:
    """Return a word that names a new job: a letter and six of letters and digits."""
    return "d" + secrets.token_hex(3)


def start(
    cluster: Machines,
    script: str | Script,
    on: str | tuple[Host, ...],
    *,
    parameters: Mapping[str, str] | None = None,
    around: Surroundings = PLAIN,
    timeout: float | None = None,
    sudo: bool = False,
    cancel: threading.Event | None = None,
) -> tuple[str, Answers[str]]:
    """Start a script on hosts apart from this process and its connections, and return the word that names it.

    Args:
        cluster: An open cluster.
        script: Text, bash on Linux and PowerShell on Windows hosts, or a `Script`.
        on: A selection, or hosts.
        parameters: Values that the script declares.
        around: What it finds around it and does not declare: variables, arguments, strictness.
        timeout: Seconds that it may take (Linux); None: no limit.
        sudo: As root; Linux only.
        cancel: When it is set, none begins any more; what was started runs on.

    Returns:
        The word, and by host the folder that belongs to it there, or why it was not started.

    Raises:
        ParamsError: when an option is not for a host's system.
    """
    hosts = chosen(cluster, on)
    windows = [host.name for host in hosts if host.os == "windows"]
    if windows and (sudo or timeout):
        raise ParamsError(
            f"what is detached has no sudo and no time limit on Windows: {', '.join(windows)}",
            hint="leave `--sudo` and `--timeout` out; `%jobs kill` ends it",
        )
    job, stop = new_id(), cancel or threading.Event()

    def one(host: Host) -> str:
        text = (
            script if isinstance(script, Script) else Script.from_text(script, LANGUAGES[host.os])
        )
        bound = dict(parameters or {})
        if text.parameters and bound:
            bound = text.bind(bound, complete=around is PLAIN)
        tag = new_tag(cluster.run_id, "job")
        proof = "k8swin" + secrets.token_hex(16)
        told = {
            "job": job,
            "tag": tag,
            "name": shown_line(text.name),
            "sha256": text.sha256,
            "run": cluster.run_id,
            "operator": operator(),
            "controller": platform.node(),
            "proof": proof,
        }
        values = {"job_id": job, "job_told": json.dumps(told)}
        if host.os == "linux":
            runner = Script.load("linux/detached.job.sh").text
            values |= {"job_tag": tag, "job_runner": runner, "job_limit": f"{timeout or 0:g}"}
            stdin = bash_input(text, bound, {}, around=around)
        else:
            program, arguments = powershell_command(tag)
            values["job_command"] = " ".join([program, *arguments])
            stdin = powershell_input(text, bound, {}, word=proof, around=around)
        event = {
            "job": job,
            "job_tag": tag,
            "job_name": text.name,
            "job_script_file": cluster.record.keep_script(text.text, text.interpreter),
            "job_sha256": text.sha256,
            "job_parameters": bound,
            "job_environment": {n: v for n, v in around.environment.items() if isinstance(v, str)},
        }
        result = ask(
            cluster,
            host,
            "detached.apply",
            values,
            stdin=stdin,
            timeout=START_SECONDS,
            sudo=sudo,
            cancel=stop,
            told=event,
        )
        if not result.ok:
            raise CommandFailed(result)
        return result.stdout.strip()

    return job, on_each(hosts, one, name=lambda host: host.name, cancel=stop)


def listed(
    cluster: Machines,
    on: str | tuple[Host, ...] = "all",
    *,
    job: str = "",
    seconds: float = LOOK_SECONDS,
    cancel: threading.Event | None = None,
) -> Answers[list[DetachedJob]]:
    """Ask hosts which detached scripts they have, of this login and, where it may use sudo, of root.

    Args:
        cluster: An open cluster.
        on: A selection, or hosts.
        job: The word of one alone; empty: all.
        seconds: After that a host is an error.
        cancel: When it is set, asking is stopped.
    """
    check_id(job)
    stop = cancel or threading.Event()

    def one(host: Host) -> list[DetachedJob]:
        found = of_host(cluster, host, job, sudo=False, seconds=seconds, cancel=stop)
        if host.asks_for_root:
            try:
                found += of_host(cluster, host, job, sudo=True, seconds=seconds, cancel=stop)
            except K8swinError:
                pass  # without sudo there are none of root's
        return sorted(found, key=lambda one: -one.seconds)

    return on_each(chosen(cluster, on), one, name=lambda host: host.name, cancel=stop)


def is_id(word: str) -> bool:
    """Whether a word is of the form of those that name detached scripts."""
    return _ID.fullmatch(word) is not None


def check_id(job: str) -> None:
    """Refuse what names no job.

    Raises:
        ParamsError: when it is not of that form.
    """
    if job and not is_id(job):
        raise ParamsError(f"`{job}` names no detached script", hint="`%jobs` shows which there are")


def of_host(
    cluster: Machines,
    host: Host,
    job: str,
    *,
    sudo: bool,
    seconds: float,
    cancel: threading.Event,
) -> list[DetachedJob]:
    result = ask(
        cluster,
        host,
        "detached.check",
        {"job_id": job},
        timeout=seconds,
        sudo=sudo,
        cancel=cancel,
    )
    if not result.ok:
        raise ScriptError(f"{host.name}: its detached scripts are not known: {why(result)}")
    now, folder, found = 0, "", []
    for line in lines(result.stdout):
        match line.split("\t"):
            case ["now", time, place]:
                now, folder = whole(time) or 0, place
            case ["job", name, state, code, started, ended, out, err, told, last] if _ID.fullmatch(
                name
            ):
                begun = whole(started) or now
                until = whole(ended) or now
                slash = "\\" if host.os == "windows" else "/"
                found.append(
                    DetachedJob(
                        host,
                        name,
                        state,
                        f"{folder}{slash}{name}",
                        _code(code) if state == "ended" else None,
                        float(max(0, until - begun)),
                        {"stdout": whole(out) or 0, "stderr": whole(err) or 0},
                        _told(told),
                        _decoded(last),
                        sudo,
                    )
                )
    return found


def _code(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _told(text: str) -> dict[str, Any]:
    """Return what was written down when it was started; what is on a host is data that others may have changed."""
    try:
        found = json_document(_decoded(text))
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}


def kill(
    cluster: Machines, jobs: list[DetachedJob], cancel: threading.Event | None = None
) -> Answers[str]:
    """End detached scripts with all that they started; what they printed stays. Return how that went, by host.

    Raises:
        Interrupted: a KeyboardInterrupt.
    """
    stop = cancel or threading.Event()

    def one(job: DetachedJob) -> str:
        if job.state != "running" or not job.tag:
            return f"had ended: {job.status}"
        told = {"host": job.host.name, "job": job.id, "job_tag": job.tag}
        cluster.record.write("job-killed", **told)
        transport = cluster.pool.transport(job.host)
        process = Running(job.tag, 0, 0, "", "", script=True)
        try:
            left = end(transport, [process], sudo=job.sudo)
        except BaseException as error:
            cluster.record.write_beside(error, "job-kill-ended", **told, error=str(error))
            raise
        cluster.record.write("job-kill-ended", **told, left=[str(one) for one in left])
        return f"still runs: {'; '.join(map(str, left))}" if left else "ended"

    return on_each(jobs, one, name=lambda job: job.host.name, cancel=stop)


def clean(
    cluster: Machines, jobs: list[DetachedJob], cancel: threading.Event | None = None
) -> Answers[list[str]]:
    """Remove from hosts what is kept of detached scripts that run no more, and return which, by host."""
    stop = cancel or threading.Event()
    ways: dict[tuple[str, bool], tuple[Host, list[str]]] = {}
    for job in jobs:
        if job.state != "running":
            ways.setdefault((job.host.name, job.sudo), (job.host, []))[1].append(job.id)

    def one(way: tuple[str, bool]) -> list[str]:
        host, ids = ways[way]
        result = ask(
            cluster,
            host,
            "detached_gone.apply",
            {"job_ids": " ".join(ids)},
            sudo=way[1],
            cancel=stop,
            told={"jobs": ids},
        )
        if not result.ok:
            raise ScriptError(f"{host.name}: not everything was removed: {why(result)}")
        return [line.strip() for line in lines(result.stdout) if line.strip()]

    named: Callable[[tuple[str, bool]], str] = lambda way: way[0] + (" (sudo)" if way[1] else "")  # noqa: E731
    return on_each(list(ways), one, name=named, cancel=stop)
