"""Which processes of our scripts run on a Linux host: those of this run, and those that an earlier one has left."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from k8swin_nb.errors import ScriptError
from k8swin_nb.transports.base import Transport, own_script

LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process of one of our scripts."""

    tag: str
    """The word that `new_tag` made for the script."""

    pid: int
    started: int
    """When it was started, in seconds of the epoch by the host's clock."""

    user: str
    command: str
    """The beginning of its command line."""

    script: bool
    """Whether it is the shell around the script: the script has not ended. Others may be what it left behind."""


def running(
    transport: Transport, *, sudo: bool = False, cancel: threading.Event | None = None
) -> tuple[Running, ...]:
    """Ask a Linux host for the processes of all our scripts, oldest first.

    Without `sudo` those of other users are seen by their arguments alone.

    Raises:
        ScriptError: when the host could not be asked, or is no Linux host.
        TransportError: when it cannot be reached.
    """
    done = transport.run(
        own_script("running", "bash"), timeout=LOOK_SECONDS, sudo=sudo, cancel=cancel
    )
    if not done.ok:
        raise ScriptError(
            f"{transport.host.name}: which scripts run there is not known: exit code {done.returncode}",
            hint=done.stderr.strip()[-200:] or None,
        )
    found = []
    for line in done.stdout.splitlines():
        words = line.split(" ", 5)
        if len(words) == 6 and words[0].isdigit() and words[3].isdigit():
            pid, tag, role, start, user, command = words
            found.append(
                Running(tag, int(pid), int(start), user, command.strip(), role == "script")
            )
    return tuple(sorted(found, key=lambda process: (process.started, process.pid)))
