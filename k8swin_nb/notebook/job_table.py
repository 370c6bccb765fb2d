"""The table of jobs, and which of them have been seen, for completion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8swin_nb.errors import K8swinError
from k8swin_nb.host_tools.detached import DetachedJob
from k8swin_nb.notebook.context import Context
from k8swin_nb.notebook.jobs import Job
from k8swin_nb.shown import shown, shown_line
from k8swin_nb.tables import Column, Mark, State, StaticTable, table_html

LAST_LINES = 3

STATES: dict[str, State] = {
    "running": "waiting",
    "ok": "ok",
    "failed": "failed",
    "killed": "skipped",
    "gone": "failed",
}

_seen: dict[str, None] = {}


def remember(jobs: Iterable[DetachedJob]) -> None:
    """Take note of detached jobs that were seen on hosts."""
    _seen.update(dict.fromkeys(job.id for job in jobs))


def known(opened: Context) -> list[str]:
    """Return what names a job, as far as that was seen; nobody is asked."""
    return [*(str(job.number) for job in opened.jobs), *_seen]


class JobTable:
    """Jobs of `--bg` and of `--detach`, a row each; `jobs` are those of this kernel, `detached` those on hosts."""

    def __init__(
        self,
        jobs: Iterable[Job],
        detached: Iterable[DetachedJob],
        errors: Mapping[str, K8swinError],
    ) -> None:
        self.jobs = list(jobs)
        self.detached = list(detached)
        self.errors = dict(errors)
        """Hosts that could not be asked."""

    def __iter__(self) -> Any:
        return iter([*self.jobs, *self.detached])

    def __len__(self) -> int:
        return len(self.jobs) + len(self.detached)

    def _rows(self) -> list[list[Any]]:
        rows = [
            [
                str(job.number),
                Mark(job.status, STATES[job.status]),
                f"{job.seconds:.0f}",
                ", ".join(job.hosts),
                shown_line(job.what),
                "this kernel",
                _last("\n".join(result.stdout for result in job.so_far().values())),
            ]
            for job in self.jobs
        ]
        rows += [
            [
                job.id,
                Mark(
                    job.status + (f" ({job.returncode})" if job.status == "failed" else ""),
                    STATES.get(job.status, "neutral"),
                ),
                f"{job.seconds:.0f}",
                job.host.name + (" (sudo)" if job.sudo else ""),
                shown_line(job.name),
                shown_line(f"{job.told.get('operator', '?')} on {job.told.get('controller', '?')}"),
                _last(job.last),
            ]
            for job in self.detached
        ]
        rows += [
            ["", Mark("not asked", "failed"), "", host, shown_line(error), "", ""]
            for host, error in self.errors.items()
        ]
        return rows

    def __repr__(self) -> str:
        rows = self._rows()
        if not rows:
            return "no jobs"
        headings = ["job", "state", "seconds", "host", "script", "started by", "last lines"]
        return repr(StaticTable("Jobs", headings, rows))

    def _repr_html_(self) -> str:
        columns = [
            Column("job", "name"),
            Column("state"),
            Column("seconds", "number"),
            Column("host"),
            Column("script", "wrapped"),
            Column("started by"),
            Column("last lines", "wrapped"),
        ]
        rows = self._rows()
        return table_html("Jobs" if rows else "no jobs", columns, rows)


def _last(text: str) -> str:
    lines = [line for line in shown(text, most=2000).split("\n") if line.strip()]
    return "\n".join(lines[-LAST_LINES:])
