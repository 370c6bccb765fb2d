"""The powershell.exe of a WinRM shell that serves one script after the other, as long as they only look.

Each script otherwise costs four messages (Command, Send, Receive, Signal) and a new process; here it costs two. What
may share a process, `plain` says; a script with secrets or standard input never does. The process ends with its
shell, after anything that went wrong in it, and after some scripts or minutes.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from winrm.exceptions import WSManFaultError

from k8swin_nb.errors import HostUnreachable, TransportError
from k8swin_nb.shells import PLAIN, powershell_input
from k8swin_nb.transports.base import Work
from k8swin_nb.transports.plain import looks_only
from k8swin_nb.transports.winrm_shell import SHELL_NOT_FOUND
from k8swin_nb.transports.wsman import LoginGone

BROKEN_PIPE, NO_DATA = 109, 232
"""Faults for input of a process that has ended."""

SCRIPTS = 50
"""Scripts that one process serves."""

SECONDS = 600.0
"""How long one process serves."""

LONGEST = 60_000
"""Bytes of a script with its values that go in one message."""


def shared_input(work: Work, word: str) -> bytes | None:
    """Return what a serving process is sent for a script; None: the script gets a process of its own."""
    # An environment is that of the whole process. A step's change is found on the host by its own process, whatever it says.
    alone = work.secrets or work.stdin or work.around != PLAIN or work.tag.startswith(APPLIES)
    if alone or not looks_only(work.script.text):
        return None
    sent = powershell_input(work.script, work.parameters, {}, word=word, serving=True)
    return sent if len(sent) <= LONGEST else None


def again(sent: bytes) -> bytes:
    """Return the input of a script for a process that has proved itself: it does not say once more that a script begins."""
    return b'{"again": true, ' + sent[1:]


APPLIES = "k8swin-apply-"
"""How the tags of scripts begin by which a step changes a host."""


@dataclass(slots=True)
class Serving:
    """One such process."""

    shell: str
    command: str
    since: float = field(default_factory=time.monotonic)
    scripts: int = 0

    def serves(self, shell: str | None) -> bool:
        """Whether it may be sent one more script."""
        fresh = time.monotonic() - self.since < SECONDS and self.scripts < SCRIPTS
        return fresh and shell == self.shell


def is_gone(error: TransportError) -> bool:
    """Whether an error says that shell, process, login or connection are no more, as after a pause or a boot."""
    cause = error.__cause__
    if isinstance(cause, WSManFaultError):
        return cause.wsman_fault_code in (SHELL_NOT_FOUND, BROKEN_PIPE, NO_DATA)
    return isinstance(cause, LoginGone) or isinstance(error, HostUnreachable)


class ErrorsEnd:
    """Tells where a script's standard error ends: it is a stream of its own, which may arrive later than the other."""

    def __init__(self, word: str) -> None:
        self._line = re.compile(re.escape(word.encode()) + rb" end\r?\n")
        self._longest = len(word) + len(" end\r\n")
        self._held = b""
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """Take what arrives, and return what of it is the script's own."""
        self._held += data
        found = self._line.search(self._held)
        if found:
            self.ended = True
            own, self._held = self._held[: found.start()] + self._held[found.end() :], b""
            return own
        keep = 0 if self.ended else min(len(self._held), self._longest - 1)
        # A line end in what is held back cannot belong to the word.
        keep = min(keep, len(self._held) - (self._held.rfind(b"\n") + 1))
        own = self._held[: len(self._held) - keep]
        self._held = self._held[len(self._held) - keep :]
        return own

    def finish(self) -> bytes:
        """Return what was held back, once nothing more can come."""
        own, self._held = self._held, b""
        return own
