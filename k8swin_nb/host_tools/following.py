"""A detached script followed to its end: what it prints as it comes, through losses of the connection."""

from __future__ import annotations

import threading
import time

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    EndUnknown,
    K8swinError,
    Stopped,
    TransportError,
)
from k8swin_nb.fan_out import Answers, on_each
from k8swin_nb.host_tools.asking import Machines
from k8swin_nb.host_tools.detached import LOOK_SECONDS, DetachedJob, of_host
from k8swin_nb.host_tools.facts import size_text
from k8swin_nb.host_tools.host_files import parts
from k8swin_nb.result import STILL_RUNS, Result
from k8swin_nb.transports.output import OnOutput, Output
from k8swin_nb.transports.proof import Proof
from k8swin_nb.workflow.output_log import KeptOutput
from k8swin_nb.workflow.phase_run import Output as Told
from k8swin_nb.workflow.script_events import check_whole, ended_with
from k8swin_nb.workflow.this_process import this_process

INTERVAL = 1.0
"""Seconds between two looks."""

SILENT_SECONDS = 300.0
"""How long its host may be away, as for a reboot or a network that changes."""

MOST_BEHIND = 32 * 1024 * 1024
"""Bytes that are read at once of what a script has printed. Of more the begin and the end are read: one that floods is
never caught up with."""

HEAD_BYTES = 4 * 1024 * 1024
TAIL_BYTES = 1024 * 1024


def follow(
    cluster: Machines,
    jobs: list[DetachedJob],
    *,
    wait: bool = True,
    on_output: Told | None = None,
    cancel: threading.Event | None = None,
) -> Answers[Result]:
    """Return what detached scripts printed and how they ended, by host. They run on, whatever becomes of this.

    Args:
        cluster: An open cluster.
        jobs: One for each host.
        wait: Until they have ended; else what there is so far, with exit code -1 of one that runs.
        on_output: Told host, stream and masked text as it comes.
        cancel: When it is set, they are no longer followed.

    Raises:
        Interrupted: a KeyboardInterrupt; what runs, runs on.
    """
    stop = cancel or threading.Event()

    def one(job: DetachedJob) -> Result:
        told = {"host": job.host.name, "job": job.id, "job_tag": job.tag, "wait": wait}
        record = cluster.record
        record.write("job-followed-started", **told, **this_process())
        kept = KeptOutput(record, f"job-{job.host.name}")

        def take(stream: str, text: str) -> None:
            kept.take(stream, text)
            if on_output is not None:
                on_output(job.host, stream, text)

        try:
            result = _Followed(cluster, job, take, stop).to_the_end(wait=wait)
        except BaseException as error:
            how = {"error": str(error), "error_kind": type(error).__name__}
            record.write_beside(error, "job-followed", **told, **how, **kept.close())
            raise
        with ended_with(result):
            code = None if result.left == STILL_RUNS else result.returncode
            record.write("job-followed", **told, exit_code=code, **kept.close())
            check_whole(kept, record)
        return result

    return on_each(jobs, one, name=lambda job: job.host.name, cancel=stop)


class _Followed:
    """One script on one host, and how much of its output is known."""

    def __init__(
        self, cluster: Machines, job: DetachedJob, on_output: OnOutput, stop: threading.Event
    ) -> None:
        self.cluster, self.job, self.stop = cluster, job, stop
        self.output = Output(on_output)
        self.known = {"stdout": 0, "stderr": 0}
        self.proof = Proof(str(job.told.get("proof", ""))) if job.host.os == "windows" else None

    def to_the_end(self, *, wait: bool) -> Result:
        seen = time.monotonic()
        try:
            while True:
                try:
                    found = of_host(
                        self.cluster,
                        self.job.host,
                        self.job.id,
                        sudo=self.job.sudo,
                        seconds=LOOK_SECONDS,
                        cancel=self.stop,
                    )
                    if not found:
                        raise K8swinError(
                            f"{self.job.host.name}: nothing is kept of `{self.job.id}` any more",
                            hint="somebody removed it; `%jobs` shows which there are",
                        )
                    self.job = found[0]
                    self._read()
                    seen = time.monotonic()
                except (AuthenticationFailed, CertificateRejected):
                    raise
                except Stopped:
                    raise self._left() from None
                except TransportError:
                    if not wait or time.monotonic() - seen > SILENT_SECONDS:
                        raise
                    self.cluster.pool.transport(self.job.host).reconnect()
                    found = [self.job]
                if self.job.state != "running" or not wait:
                    return self._ended()
                if self.stop.wait(INTERVAL):
                    raise self._left()
        finally:
            self.output.finish()

    def _left(self) -> Stopped:
        job = self.job.id
        return Stopped(
            self.job.host.name,
            f"`{job}` is no longer followed, it runs on; `%jobs kill {job}` would end it",
        )

    def _read(self) -> None:
        """Take what has been printed since the last look; what breaks off is read again."""
        for stream, size in self.job.sizes.items():
            if size - self.known[stream] > MOST_BEHIND:
                self._take(stream, self.known[stream] + HEAD_BYTES)
                passed = size - TAIL_BYTES - self.known[stream]
                note = f"\n[{size_text(passed)} passed over: all is in {self._file(stream)} on the host]\n"
                self.output.feed(stream, note.encode())
                self.known[stream] += passed
            self._take(stream, size)

    def _file(self, stream: str) -> str:
        return self.job.folder + ("\\" if self.job.host.os == "windows" else "/") + stream

    def _take(self, stream: str, size: int) -> None:
        """Read one stream up to a number of bytes."""
        pieces = parts(
            self.cluster,
            self.job.host,
            self._file(stream),
            size,
            start=self.known[stream],
            sudo=self.job.sudo,
            cancel=self.stop,
        )
        for piece in pieces:
            self.known[stream] += len(piece)
            own = self.proof.feed(piece) if self.proof and stream == "stdout" else piece
            self.output.feed(stream, own)

    def _ended(self) -> Result:
        code = self.job.returncode
        if self.proof is not None:
            self.output.feed("stdout", self.proof.finish())
            if self.proof.code is not None and self.job.state == "ended":
                code = self.proof.code
        result = Result(
            self.job.name,
            -1 if code is None else code,
            self.output.text("stdout"),
            self.output.text("stderr"),
            self.job.host.name,
            self.job.seconds,
            STILL_RUNS if self.job.state == "running" else "",
        )
        if self.job.state == "gone":
            error = EndUnknown(
                self.job.host.name,
                f"`{self.job.id}` runs no more, and how it ended is not known",
                hint="the host was rebooted, or it was killed; `%jobs log` shows what it printed",
            )
            error.result = result  # type: ignore[attr-defined]
            raise error
        return result
