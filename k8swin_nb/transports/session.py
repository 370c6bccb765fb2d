"""One SSH session with the shell that stands around a script: what goes in, what comes out, how it ended."""

from __future__ import annotations

import contextlib
import re
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import paramiko

from k8swin_nb.errors import (
    LOOKS_FIRST,
    AuthenticationFailed,
    EndUnknown,
    HostUnreachable,
    ScriptNotStarted,
    TransportError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.reading import shown
from k8swin_nb.redact import redact
from k8swin_nb.secret import resolve
from k8swin_nb.shells import SudoWords, bash_supervisor
from k8swin_nb.transports.clock import Clock, Late
from k8swin_nb.transports.frames import Frame, Word
from k8swin_nb.transports.lines import Line
from k8swin_nb.transports.login import EXPIRED
from k8swin_nb.transports.output import Output

PIECE = 65_536
PIECES = 16
"""Pieces of a stream that are read before the deadline is looked at."""

START_SECONDS = 60.0
"""How long a login may take until the script's shell begins: start-up files and sudo are in between."""

QUIET_SECONDS = 20.0
"""After so much silence the other end is asked for a sign of life."""

SILENT_SECONDS = 60.0
"""After so much silence, in spite of that, the host is given up."""

ASLEEP_SECONDS = 5.0
"""A longer pause between two looks was this computer's own: it slept, or this process was suspended."""

LAST_SECONDS = 1.0
"""How long the session's end is waited for after the streams'."""

SECOND_SECONDS = 10.0
"""How long the end of the second stream is waited for after the first's, and what else is on its way then: only a host or a
computer that has much to do takes longer than a moment."""


class Session:
    """A channel in which a script runs."""

    def __init__(self, host: Host, line: Line, channel: Any, output: Output) -> None:
        self._host = host
        self._line = line
        self._channel = channel
        self._output = output
        self._word = Word()
        self._frames = {"stdout": Frame(self._word), "stderr": Frame(self._word)}
        self._heard = self._looked = time.monotonic()
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll:
            self._poll.register(channel.fileno(), select.POLLIN)

    @property
    def returncode(self) -> int | None:
        """The script's exit code, once it has said it."""
        return self._frames["stdout"].returncode

    @property
    def seen(self) -> tuple[int | None, str]:
        """As which user the shell runs, by number, and which boot of the host it is; None and empty: it did not say."""
        frame = self._frames["stdout"]
        return frame.user, frame.boot

    def begin(self, clock: Clock, *, sudo: bool, asks: SudoWords | None = None) -> None:
        """Wait for the proof that our shell runs. Nothing of the script was sent before, nor any secret of it.

        Args:
            clock: How long.
            sudo: Whether root's shell was asked for.
            asks: What sudo says when it asks for the host's password, and when it lets us in.

        Raises:
            AuthenticationFailed: when sudo refused the password.
            ScriptNotStarted: when something else answered.
            Late: when the clock has run out.
            Unwanted: when it was asked to stop.
        """
        if asks:
            self._past_sudo(asks, clock)
        self.send(bash_supervisor() + self._word.sent, last=False)
        try:
            self._pump(lambda: self._frames["stdout"].began, clock.within(START_SECONDS))
        except Late:
            clock.check()
            raise self._not_started(f"within {START_SECONDS:.0f} s", sudo=sudo, asks=asks) from None
        if not self._frames["stdout"].began:
            self._channel.status_event.wait(SECOND_SECONDS)
            code = self._channel.exit_status
            raise self._not_started(
                f"and the session ended with exit code {code}" if code >= 0 else "",
                sudo=sudo,
                asks=asks,
            )

    def _past_sudo(self, asks: SudoWords, clock: Clock) -> None:
        """Give sudo the password if it asks for one, once: a wrong one that is given again locks an account."""
        host, part = self._host, clock.within(START_SECONDS)

        def said(word: str) -> int:
            return sum(frame.noise.count(word.encode()) for frame in self._frames.values())

        # At the end of a line: in a refusal sudo repeats the command, in which the word stands too.
        let_in = asks.let_in + "\n"

        try:
            self._pump(lambda: bool(said(asks.prompt) or said(let_in)), part)
            if said(asks.prompt) and not said(let_in):
                password = resolve(host.sudo_password or "", Path(host.folder)).reveal()
                self.send(f"{password}\n".encode(), last=False)
                self._pump(lambda: said(asks.prompt) > 1 or bool(said(let_in)), part)
        except Late:
            clock.check()
            raise self._not_started(f"within {START_SECONDS:.0f} s", sudo=True, asks=asks) from None
        if said(let_in):
            return
        for frame in self._frames.values():
            frame.rest()
        noise = b"".join(frame.noise for frame in self._frames.values())
        # Asked again, or ended without another word: whatever else it says is about something else than the password.
        spoken = re.sub(rb"%s(\([^)]*\))?:?" % asks.prompt.encode(), b"", noise)
        if said(asks.prompt) > 1 or (said(asks.prompt) and _is_refusal(spoken)):
            whose = re.search(rb"%s\(([^%%)]+)\)" % asks.prompt.encode(), noise)
            owner = whose[1].decode("utf-8", "replace") if whose else host.user
            other = owner != host.user
            raise AuthenticationFailed(
                host.name,
                f"sudo refused the password `{host.sudo_password}`"
                f"{f', for it wants the one of `{shown(owner)}`' if other else f' of `{host.user}`'}; "
                "it was given once, and nothing was run",
                hint="name that one as `sudo_password`, or take `rootpw`, `targetpw` or `runaspw` out of the sudoers there"
                if other
                else f"check the reference in `sudo_password`, and try it there: `sudo -k -v` as `{host.user}`",
            )
        raise self._not_started("", sudo=True, asks=asks)

    def send(self, data: bytes, feed: Iterable[bytes] = (), *, last: bool) -> None:
        """Send standard input in the background, then `feed` as it comes. A script may end without reading all of it."""

        def write() -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                view = memoryview(data)
                for start in range(0, len(view), PIECE):
                    self._channel.sendall(bytes(view[start : start + PIECE]))
                for piece in feed:
                    self._channel.sendall(piece)
                if last:
                    self._channel.shutdown_write()

        threading.Thread(target=write, name=f"stdin of {self._host.name}", daemon=True).start()

    def follow(self, clock: Clock) -> int:
        """Pass output on until the script has ended, and return its exit code.

        Raises:
            EndUnknown: when its shell ended without saying how the script did.
            HostUnreachable: when the connection broke.
            Late: when the clock has run out.
            Unwanted: when it was asked to stop.
        """
        out, err = self._frames["stdout"], self._frames["stderr"]
        self._pump(lambda: out.ended, clock)
        if out.ended:
            with contextlib.suppress(Late):
                last = SECOND_SECONDS if err.began else 0.1
                self._pump(lambda: err.ended, Clock(last))
        for name, frame in self._frames.items():
            self._output.feed(name, frame.rest())
        if out.returncode is not None:
            return out.returncode
        transport = self._channel.get_transport()
        if not (transport and transport.is_active()):
            raise self._lost("the SSH connection broke while a script ran")
        raise EndUnknown(
            self._host.name,
            "the shell around a script was ended from outside while it ran; how the script ended is not known",
        )

    @contextlib.contextmanager
    def drained(self, seconds: float) -> Iterator[None]:
        """Go on reading while the script is being ended: what nobody reads keeps it from saying how it ended."""

        def read() -> None:
            with contextlib.suppress(Exception):
                self.follow(Clock(seconds + LAST_SECONDS))

        thread = threading.Thread(target=read, name=f"end of {self._host.name}", daemon=True)
        thread.start()
        yield
        thread.join(LAST_SECONDS)

    def close(self) -> None:
        """Let go of the session; it is waited for, because a server counts it until it has ended."""
        if self.returncode is not None:
            self._channel.status_event.wait(LAST_SECONDS)
        try:
            threading.Thread(target=self._close, name="close", daemon=True).start()
        except RuntimeError:  # the interpreter is ending and starts none
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(Exception):
            self._channel.close()

    def _pump(self, until: Callable[[], bool], clock: Clock) -> None:
        """Read until something holds or the session has ended."""
        while True:
            over = self._over()
            got = self._read()
            if until() or (over and not got):
                return
            clock.check()
            if got:
                continue
            self._look_for_life()
            self._wait()

    def _over(self) -> bool:
        """Tell whether nothing more is to be expected: what lost its shell may hold the streams open for long."""
        channel = self._channel
        if channel.eof_received or channel.closed:
            return True
        return channel.exit_status_ready() and time.monotonic() - self._heard > LAST_SECONDS

    def _read(self) -> bool:
        """Take what has arrived; a stream that never pauses gives way to the clock now and then."""
        got = False
        for _ in range(PIECES):
            more = False
            if self._channel.recv_ready():
                more = self._take("stdout", self._channel.recv(PIECE))
            if self._channel.recv_stderr_ready():
                more = self._take("stderr", self._channel.recv_stderr(PIECE)) or more
            if not more:
                break
            got = True
        if got:
            self._heard = self._line.heard = time.monotonic()
        return got

    def _take(self, name: str, data: bytes) -> bool:
        self._output.feed(name, self._frames[name].feed(data))
        return bool(data)

    def _wait(self) -> None:
        if self._poll:
            self._poll.poll(100)
        else:
            select.select([self._channel], [], [], 0.1)

    def _look_for_life(self) -> None:
        now = time.monotonic()
        if now - self._looked > ASLEEP_SECONDS:
            self._heard = now  # what the host said meanwhile has still to be read
        self._looked = now
        silence = now - max(self._heard, self._line.heard)
        if silence > QUIET_SECONDS:
            self._line.ask()
        if silence > SILENT_SECONDS:
            raise self._lost(f"the host has given no sign of life for {silence:.0f} s")

    def _lost(self, what: str) -> HostUnreachable:
        error = HostUnreachable(
            self._host.name,
            f"{what}; how it ended is not known",
            hint=f"run the cell again: {LOOKS_FIRST}",
        )
        error.begun = True
        return error

    def _not_started(
        self, how: str, *, sudo: bool, asks: SudoWords | None = None
    ) -> TransportError:
        for frame in self._frames.values():
            frame.rest()
        noise = b"\n".join(frame.noise.strip() for frame in self._frames.values())
        if asks:
            asked = rb"%s(\([^)]*\))?:?" % asks.prompt.encode()
            noise = re.sub(asked, b"(sudo asks for the password) ", noise)
            noise = noise.replace(asks.let_in.encode(), b"(sudo lets us in)")
        printed = redact(noise.decode("utf-8", "replace")).strip()
        host = self._host
        transport = self._channel.get_transport()
        if not (transport and transport.is_active()) and not printed:
            return HostUnreachable(
                host.name,
                "the SSH server ended the connection after the login, before a script began; nothing was run",
                hint="look at the server's log: the number of logins of this user may be limited",
            )
        lower = printed.lower()
        if any(word in lower for word in EXPIRED):
            return AuthenticationFailed(
                host.name,
                f"the login as `{host.user}` was let in and is of no use: {' '.join(printed.split())[-300:]}",
                hint=f"log in once with `ssh {host.user}@{host.ssh_address}` and change the password, or renew the account",
            )
        return ScriptNotStarted(
            host.name,
            f"no script began in the login as `{host.user}`{', ' + how if how else ''}; nothing was run",
            printed=printed,
            hint=_hint(lower, host, sudo=sudo),
        )


def _is_refusal(spoken: bytes) -> bool:
    """Whether sudo ended because of the password: where one attempt is all that it gives, it says so and asks no more."""
    text = spoken.decode("utf-8", "replace").lower()
    return not text.strip() or "incorrect password" in text or "sorry, try again" in text


def _hint(printed: str, host: Host, *, sudo: bool) -> str | None:
    """Return what to do about what a host printed in place of a script; None: the usual."""
    if "sudo" in printed and ("tty" in printed or "terminal" in printed):
        return f"write `Defaults:{host.user} !requiretty` into a file of /etc/sudoers.d there"
    asked = "ALL" if host.sudo_password else "NOPASSWD: ALL"
    may = f"`{host.user} ALL=(ALL) {asked}` in a file of /etc/sudoers.d there lets it"
    if sudo and ("not in the sudoers" in printed or "is not allowed to execute" in printed):
        return f"let `{host.user}` use sudo for `bash`: {may}"
    if sudo and re.search(r"sudo: \S+: command not found", printed):
        return "see that `secure_path` in the sudoers there leads to bash: `sudo -V`, and `sudo -l` as that user"
    if sudo and "permission denied" in printed and host.sudo_password:
        return "see that bash may start programs there: no `noexec` and no `NOEXEC:` for it in the sudoers"
    missing = any(word in printed for word in ("not found", "unknown command", "no such file"))
    if "sudo" in printed and missing:
        return "install sudo there, or log in as root"
    if sudo and "sudo" in printed and host.sudo_password:
        return f"try it there, as `{host.user}`: `sudo -k bash -c true`; what is printed above is sudo's"
    if sudo and "sudo" in printed:
        return (
            f"let `{host.user}` use sudo without a password: write `{host.user} ALL=(ALL) NOPASSWD: ALL` into a file of "
            "/etc/sudoers.d there; or name its password as `sudo_password`, such as `env:SUDO_PASSWORD`"
        )
    if "currently not available" in printed or "nologin" in printed:
        return f"give the account a shell: `usermod --shell /bin/bash {host.user}` on the host"
    if "bash" in printed and missing:
        return "install bash there, and see that the account's PATH leads to it"
    return None
