"""What the record says of a script that runs outside of a step: before it begins, and when it has ended or broken off."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import RecordError
from k8swin_nb.result import Result
from k8swin_nb.workflow.output_log import KeptOutput
from k8swin_nb.workflow.this_process import this_process

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.scripts import Script
    from k8swin_nb.transports.base import Transport
    from k8swin_nb.transports.identity import Identity
    from k8swin_nb.transports.output import OnOutput
    from k8swin_nb.workflow.record import Record


def about(host: Host, tag: str, *, sudo: bool, **more: Any) -> dict[str, Any]:
    """Return the fields of both events: where, as whom, under which tag, and what `more` says of the script."""
    return {
        "host": host.name,
        "address": host.address,
        "user": host.user,
        "as_root": as_root(host, sudo=sudo),
        "sudo": sudo,
        "tag": tag,
        **more,
    }


def as_root(host: Host, *, sudo: bool) -> bool:
    """Return whether a script has root's rights on its host: by sudo, or because the login is root's."""
    return host.os == "linux" and (sudo or host.user == "root")


@contextlib.contextmanager
def identified(
    record: Record, host: Host, transport: Transport, told: dict[str, Any]
) -> Iterator[None]:
    """Write down whom a host shows while a script is sent there, before it gets anything of the script.

    Args:
        record: Where `host-identified` goes, once for each host and change.
        host: Which.
        transport: The way to it.
        told: Fields of the script's events: that the login has root's rights is known for sure once it was let in.
    """

    def tell(identity: Identity) -> None:
        record.identify(host, identity)
        if identity.root:
            told["as_root"] = True

    with transport.identities.told_to(tell):
        yield


def of_script(record: Record, script: Script) -> dict[str, Any]:
    """Return what the events say of a script itself, with its text kept once in the run's folder.

    `script` is its name, `sha256` of the text that is sent, `script_file` the file that holds the text as it may be kept:
    masked, and named by the SHA-256 of what it holds. The two digests differ where a secret stood in the text.

    Raises:
        RecordError: when the text cannot be kept; nothing may run that the record does not know.
    """
    return {
        "script": script.name,
        "sha256": script.sha256,
        "script_file": record.keep_script(script.text, script.interpreter),
    }


def written_down(
    record: Record,
    told: Mapping[str, Any],
    work: Callable[[OnOutput], Result],
    *,
    show: OnOutput | None = None,
    on_file: Callable[[str], None] | None = None,
) -> Result:
    """Do one script's work on one host, with an event before it begins and one of its end, and keep all that it prints.

    Args:
        record: Where the events go.
        told: Their fields, as `about` returns them.
        work: Runs the script; given what is to be told stream and masked text as it comes.
        show: Is told the same.
        on_file: Told the name of the file in which the output is kept.

    Raises:
        RecordError: when the first event cannot be written; the script did not begin. When it has ended, and its end or
            its whole output could not be written; the `result` of the error is the script's.
        BaseException: what the work raises, unchanged. That its event could not be written is said beside it.
    """
    # Before it begins: what this process does not survive is known all the same.
    record.write("script-started", **told, **this_process())
    kept = KeptOutput(record, f"magic-{told.get('host', '')}", on_file=on_file)

    def take(stream: str, text: str) -> None:
        kept.take(stream, text)
        if show is not None:
            show(stream, text)

    began = time.monotonic()
    try:
        result = work(take)
    except BaseException as error:
        printed = getattr(error, "result", None)
        ended = printed if isinstance(printed, Result) else None
        record.write_beside(
            error,
            "magic",
            **told,
            error=str(error),
            error_kind=type(error).__name__,
            exit_code=ended.returncode if ended else None,
            seconds=round(time.monotonic() - began, 3),
            left=ended.left if ended else "",
            **kept.close(),
        )
        raise
    left = {"left": result.left} if result.left else {}
    event = {"exit_code": result.returncode, "seconds": round(result.seconds, 3), **left}
    with ended_with(result):
        record.write("magic", **told, **event, **kept.close())
        check_whole(kept, record)
    return result


@contextlib.contextmanager
def ended_with(result: Result) -> Iterator[None]:
    """Let an error of the record that comes behind a script's end have the script's result."""
    try:
        yield
    except RecordError as error:
        error.result = result  # type: ignore[attr-defined]
        how = f"`{result.args}` had ended with exit code {result.returncode} by then"
        error.hint = f"{how}, and what it did stays; make room before anything else is run"
        raise


def check_whole(kept: KeptOutput, record: Record) -> None:
    """Say that an output is not whole in the record.

    Raises:
        RecordError: when it is not.
    """
    if kept.lost:
        raise RecordError(str(record.logs), f"{kept.lost}; an output is not whole there")
