"""Which processes of our scripts run on a host: those of this run, and those that an earlier one has left.

An operator's computer may die; a script on a host does not. Its processes carry the word that `new_tag` made, with what
it is about and the run that began it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from k8swin_nb.errors import ScriptError
from k8swin_nb.reading import lines, whole
from k8swin_nb.shells import KILL_AFTER
from k8swin_nb.shown import shown_line
from k8swin_nb.transports.base import Transport, own_script

LOOK_SECONDS = 30.0

CHANGING = frozenset({"apply", "magic"})
"""What a tag says of a script that may change its host; the others only look, or carry a file."""

SERVING = "k8swin-serving-"
"""How the tag of a process begins that serves scripts which only look: it waits, and is none itself."""

_TAG = re.compile(r"k8swin-(?P<verb>[a-z]+)(?:-(?P<run>.+))?-(?P<number>[0-9a-f]{16})")


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

    @property
    def verb(self) -> str:
        """What the script is about: `check`, `apply`, `magic`; empty when the tag does not say."""
        found = _TAG.fullmatch(self.tag)
        return found["verb"] if found else ""

    @property
    def run(self) -> str:
        """Id of the run that began it; empty where the tag names none."""
        found = _TAG.fullmatch(self.tag)
        return (found["run"] or "") if found else ""

    @property
    def changes(self) -> bool:
        """Whether it is a script at work that may change the host."""
        return self.script and self.verb in CHANGING

    def __str__(self) -> str:
        try:
            since = datetime.fromtimestamp(self.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        except (ValueError, OverflowError, OSError):
            since = "an unknown time"
        run = f" of run {self.run}" if self.run else ""
        return shown_line(
            f"{self.verb or 'script'}{run} since {since}, process {self.pid}: {self.command}"
        )


def running(
    transport: Transport, *, sudo: bool = False, cancel: threading.Event | None = None
) -> tuple[Running, ...]:
    """Ask a host for the processes of all our scripts, oldest first; the one that asks is left out.

    Without `sudo` those of other users of a Linux host are seen by their arguments alone.

    Raises:
        ScriptError: when the host could not be asked.
        TransportError: when it cannot be reached.
    """
    done = transport.run(
        own_script("running", transport.interpreter),
        timeout=LOOK_SECONDS,
        sudo=sudo,
        cancel=cancel,
    )
    if not done.ok:
        raise ScriptError(
            f"{transport.host.name}: which scripts run there is not known: exit code {done.returncode}",
            hint=done.stderr.strip()[-200:] or None,
        )
    found = []
    for line in lines(done.stdout):
        pid, tag, role, start, user, command = [*line.split(" ", 5), *[""] * 6][:6]
        number, began = whole(pid), whole(start)
        if tag.startswith(SERVING):
            continue
        if number is not None and began is not None and command:
            found.append(Running(tag, number, began, user, command.strip(), role == "script"))
    return tuple(sorted(found, key=lambda process: (process.started, process.pid)))


def end(
    transport: Transport, processes: Iterable[Running], *, sudo: bool = False
) -> tuple[Running, ...]:
    """End the scripts of some processes with all that they started, and return what runs still.

    Raises:
        ScriptError: when the host could not be asked what is left.
        TransportError: when it cannot be reached.
    """
    tags = {process.tag for process in processes}
    linux = transport.interpreter == "bash"
    for tag in sorted(tags):
        transport.run(
            own_script("stop", transport.interpreter),
            parameters={"TAG": tag, "PATIENCE": str(KILL_AFTER)} if linux else {"Tag": tag},
            timeout=LOOK_SECONDS,
            sudo=sudo,
        )
    return tuple(one for one in running(transport, sudo=sudo) if one.tag in tags)
