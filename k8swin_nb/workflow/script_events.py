"""What the record says of a script that runs outside of a step: before it begins, and when it has ended or broken off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8swin_nb.result import Result
from k8swin_nb.workflow.step_run import this_process

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.workflow.record import Record


def about(host: Host, tag: str, *, sudo: bool, **more: Any) -> dict[str, Any]:
    """Return the fields of both events: where, as whom, under which tag, and what `more` says of the script."""
    return {
        "host": host.name,
        "address": host.address,
        "user": host.user,
        "sudo": sudo,
        "tag": tag,
        **more,
    }


def written_down(record: Record, told: Mapping[str, Any], work: Callable[[], Result]) -> Result:
    """Do one script's work on one host, with an event before it begins and one of its end.

    Args:
        record: Where the events go.
        told: Their fields, as `about` returns them.
        work: Runs the script.

    Raises:
        RecordError: when the first event cannot be written; the script did not begin.
        BaseException: what the work raises, unchanged. That its event could not be written is said beside it.
    """
    # Before it begins: what this process does not survive is known all the same.
    record.write("script-started", **told, **this_process())
    try:
        result = work()
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
            left=ended.left if ended else "",
        )
        raise
    left = {"left": result.left} if result.left else {}
    record.write(
        "magic", **told, exit_code=result.returncode, seconds=round(result.seconds, 3), **left
    )
    return result
