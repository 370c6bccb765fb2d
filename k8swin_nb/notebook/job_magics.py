"""`%jobs`: scripts of `--bg`, which end with the kernel, and of `--detach`, which do not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from k8swin_nb.errors import InventoryError, K8swinError
from k8swin_nb.host_tools.detached import is_id
from k8swin_nb.notebook import context
from k8swin_nb.notebook.job_table import JobTable, known, remember
from k8swin_nb.notebook.jobs import Job, one_or_all
from k8swin_nb.notebook.magic_line import LineParser, completing, documented
from k8swin_nb.notebook.script_options import hosts_argument
from k8swin_nb.notebook.tool_line import every, hosts_of, options_of

if TYPE_CHECKING:
    from k8swin_nb.host_tools.detached import DetachedJob
    from k8swin_nb.inventory import Host

DO = ("attach", "log", "kill", "clean")
"""What can be done with jobs."""


def _to_do(word: str) -> str:
    """Refuse a job in the place of what is to be done with it."""
    if word.isdigit() or is_id(word):
        raise argparse.ArgumentTypeError(
            f"`{word}` is a job: say what to do with it, such as `%jobs attach {word}`"
        )
    return word


JOBS = LineParser(
    "jobs", "Show jobs of `--bg` and `--detach`, or do something with one.", cell=False
)
JOBS.add_argument(
    "do",
    nargs="?",
    choices=DO,
    type=_to_do,
    help="attach: show what it prints until it ends; log: what it has printed; kill: end it with its children; "
    "clean: remove from the hosts what is kept of detached ones that have ended",
)
completing(
    JOBS.add_argument(
        "job", nargs="?", metavar="JOB", help="number of a --bg job, or word of a detached one"
    ),
    known,
)
hosts_argument(JOBS, "all")
JOBS.add_argument(
    "--no-raise-error",
    dest="raise_error",
    action="store_false",
    help="attach: an exit code other than 0 is no error",
)
PARSERS = {"jobs": JOBS}


@magics_class
class JobMagics(Magics):
    """The magic about jobs."""

    @no_var_expand
    @line_magic
    @documented(JOBS)
    def jobs(self, line: str) -> Any:
        """Show jobs with state, seconds and last lines; hosts are asked for detached ones, whoever started them.

        %jobs
        %jobs log 1
        %jobs attach d3f9a21
        %jobs kill d3f9a21
        %jobs clean
        """
        options = options_of(JOBS, line, self.shell)
        if options is None:
            return None
        opened = context.current()
        if options.do in ("attach", "log", "kill") and not options.job:
            JOBS.error(f"`{options.do}` wants a job; `%jobs` shows which there are")
        if options.job and options.job.isdigit():
            return _local(opened, options)
        hosts = hosts_of(JOBS, opened, options) if options.host else every(opened)
        if options.do is None or options.do == "clean":
            return _clean(opened, hosts, options.job or "") if options.do else _table(opened, hosts)
        return _detached(opened, hosts, options)


def _local(opened: context.Context, options: argparse.Namespace) -> Any:
    job = _number(opened, options.job)
    if options.do == "kill":
        return job.kill()
    if options.do == "log":
        return one_or_all(job.so_far())
    if options.do == "attach":
        return _heard(opened, job)
    if options.do == "clean":
        JOBS.error("a job of `--bg` leaves nothing on its hosts")
    return job


def _heard(opened: context.Context, job: Job) -> None:
    """Show what a job of this kernel has printed and prints, until it ends; an interrupt leaves it running."""
    from k8swin_nb.notebook.stream import LiveOutput

    with LiveOutput(keep=opened.cluster.record.open_log) as shown:
        job.heard.listen(shown.write)
        try:
            job.wait()
        finally:
            job.heard.leave(shown.write)


def _number(opened: context.Context, text: str) -> Job:
    for job in opened.jobs:
        if job.number == int(text):
            return job
    numbers = ", ".join(str(job.number) for job in opened.jobs) or "none"
    raise InventoryError(f"there is no job {text}", hint=f"jobs of --bg here: {numbers}")


def _table(opened: context.Context, hosts: tuple[Host, ...]) -> JobTable:
    answers = opened.cluster.detached(hosts) if hosts else None
    found = [job for jobs in answers.answers.values() for job in jobs] if answers else []
    remember(found)
    return JobTable(opened.jobs, found, answers.errors if answers else {})


def _detached(opened: context.Context, hosts: tuple[Host, ...], options: argparse.Namespace) -> Any:
    from k8swin_nb.notebook.stream import LiveOutput

    cluster = opened.cluster
    jobs = _found(opened, hosts, options.job)
    if options.do == "kill":
        ended = cluster.end_detached(jobs)
        if error := ended.error():
            raise error
        return _table(opened, tuple(job.host for job in jobs))
    if options.do == "log":
        return one_or_all(cluster.follow(jobs, wait=False).all())
    with LiveOutput(keep=cluster.record.open_log) as shown:
        answers = cluster.follow(
            jobs, on_output=lambda host, stream, text: shown.write(host.name, stream, text)
        )
    if error := answers.error():
        raise error
    for result in answers.answers.values():
        if options.raise_error:
            result.check_returncode()
    return None


def _found(opened: context.Context, hosts: tuple[Host, ...], word: str) -> list[DetachedJob]:
    """Return a detached job, on each host that has it.

    Raises:
        InventoryError: when no host has one of that word, with those that there are.
        K8swinError: when no host has it and one could not be asked.
    """
    answers = opened.cluster.detached(hosts, job=word)
    jobs = [jobs[0] for jobs in answers.answers.values() if jobs]
    if jobs:
        remember(jobs)
        return jobs
    if error := answers.error():
        raise error
    there = ", ".join(known(opened)) or "none that `%jobs` has shown"
    raise InventoryError(f"no host has a detached job `{word}`", hint=f"there are: {there}")


def _clean(opened: context.Context, hosts: tuple[Host, ...], word: str) -> JobTable:
    if word:
        jobs = _found(opened, hosts, word)
        if running := [job.host.name for job in jobs if job.state == "running"]:
            raise InventoryError(
                f"`{word}` still runs on {', '.join(running)}, and nothing was removed",
                hint=f"`%jobs kill {word}` ends it",
            )
    else:
        answers = opened.cluster.detached(hosts)
        jobs = [job for found in answers.answers.values() for job in found]
    error: K8swinError | None = opened.cluster.remove_detached(jobs).error() if jobs else None
    if error is not None:
        raise error
    return _table(opened, hosts)
