"""bash on Linux hosts, over SSH."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from k8swin_nb.errors import HostUnreachable, K8swinError, Stopped, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines as lines_of
from k8swin_nb.scripts import Interpreter
from k8swin_nb.shells import KILL_AFTER, SudoWords, bash_command, bash_input, new_tag
from k8swin_nb.transport_errors import not_begun
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work, own_script
from k8swin_nb.transports.clock import Clock, Late, Unwanted
from k8swin_nb.transports.connection import open_connection, translate
from k8swin_nb.transports.dialling import Dial
from k8swin_nb.transports.hostkeys import of_paramiko
from k8swin_nb.transports.identity import Identity
from k8swin_nb.transports.jump import Jump, give_jump_back, take_jump
from k8swin_nb.transports.lines import Lines
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.session import Session
from k8swin_nb.transports.ssh_config import configured

__all__ = ["SshTransport", "translate"]

GRACE = 2.0
"""Seconds that a host is given beyond a script's deadline and `KILL_AFTER` to say that it has stopped it."""

STOP_SECONDS = 12.0
"""For ending a script from outside: a session, the polite signal, `KILL_AFTER`, the final one."""

WAS_OVER = 3
"""Exit code of stop.sh when it met nothing that the script had started."""

_LEFT = re.compile(r"\d+ \S+ \S")
"""How a line of stop.sh begins that says what still runs: PID USER COMMAND."""

OVER = (124, 137, 143)
"""Exit codes of a script that `timeout` or a signal has ended."""


class SshTransport(Transport):
    """bash on a Linux host: a session for each script, on as few connections as the server allows."""

    interpreter: ClassVar[Interpreter] = "bash"

    def __init__(self, host: Host, *, on_pin: Callable[[str, str], None] | None = None) -> None:
        super().__init__(configured(host))
        self._on_pin = on_pin
        self._shown: Identity | None = None
        """What the host showed on the newest connection."""
        self._jump: Jump | None = None
        self._jump_lock = threading.Lock()
        self._lines = Lines(self.host, self._open)

    def _open(self, clock: Clock) -> Any:
        pinned: list[str] = []

        def on_pin(name: str, fingerprint: str) -> None:
            if name == self.host.name:
                pinned.append(fingerprint)
            if self._on_pin:
                self._on_pin(name, fingerprint)

        connection = open_connection(self.host, on_pin, clock, self._dial())
        key = of_paramiko(connection.transport.get_remote_server_key()).fingerprint
        jump = self.host.ssh_jump
        self._shown = Identity(
            by="ssh",
            key=key,
            pinned="accept-new" if pinned else "known_hosts",
            through=jump.name if jump else "",
        )
        return connection

    def _see(self, session: Session, *, sudo: bool) -> None:
        """Take note of whom a shell shows, before it is sent anything of a script."""
        user, boot = session.seen
        if self._shown is not None:
            self.identities.see(replace(self._shown, boot=boot, root=user == 0 and not sudo))

    def _dial(self) -> Dial | None:
        if self.host.ssh_jump is None:
            return None
        with self._jump_lock:
            if self._jump is None:
                self._jump = take_jump(self.host.ssh_jump, self._on_pin)
            return self._jump.dial

    def _run(self, work: Work, output: Output) -> End:
        clock = Clock(work.timeout, work.cancel)
        sent = bash_input(work.script, work.parameters, work.secrets, work.stdin, work.around)
        try:
            session, give_back = self._begun(work, output, clock)
        except Unwanted:
            raise Stopped(self.host.name, "was stopped before its script began") from None
        except Late:
            raise not_begun(self.host.name, work.timeout or 0) from None
        try:
            limit = max(0.05, clock.left(work.timeout)) if work.timeout else 0
            output.begun()
            try:
                session.send(f"{limit:.3f}\0".encode() + sent, work.feed, last=True)
                part = Clock(limit + KILL_AFTER + GRACE if limit else None, work.cancel)
                return self._ended(work, session.follow(part), clock)
            except (Late, Unwanted):
                with session.drained(STOP_SECONDS):
                    left, over = self._stop(work)
                if over and session.returncode is not None:
                    return End(session.returncode, left=left)  # it came to its end meanwhile
                return End(CANCELLED, timed_out=not work.cancel.is_set(), left=left)
            except TransportError:
                raise  # there is nothing to ask any more
            except BaseException as error:
                # A stopped cell must not leave its script running.
                with session.drained(STOP_SECONDS):
                    left, _ = self._stop(work)
                if left:
                    error.add_note(left)
                raise
        finally:
            session.close()
            give_back()

    def _begun(
        self, work: Work, output: Output, clock: Clock, *, urgent: bool = False
    ) -> tuple[Session, Callable[[], None]]:
        """Return a session in which our shell waits for a script, and what gives its place back.

        A connection that is lost before that has run nothing, so it is opened anew, once.
        """
        asks = SudoWords() if work.sudo and self.host.sudo_password else None
        command = bash_command(tag=work.tag, sudo=work.sudo, asks=asks)
        for again in (True, False):
            line, channel = self._lines.session(command, clock, urgent=urgent)
            session = Session(self.host, line, channel, output)
            try:
                session.begin(clock, sudo=work.sudo, asks=asks)
                clock.check()
                self._see(session, sudo=work.sudo)
            except BaseException as error:
                session.close()
                self._lines.give_back(line)
                if isinstance(error, HostUnreachable) and not line.alive and again:
                    self._lines.drop(line)
                    continue
                raise
            return session, partial(self._lines.give_back, line)
        raise AssertionError("unreachable")

    def _ended(self, work: Work, code: int, clock: Clock) -> End:
        """Return how a script ended that said so; what its deadline has ended may have left children."""
        if code not in OVER or not work.timeout or clock.left(1) > 0:
            return End(code)
        left, _ = self._stop(work)
        return End(CANCELLED if code == 124 else code, timed_out=True, left=left)

    def _stop(self, work: Work) -> tuple[str, bool]:
        """End a script with its children.

        Returns:
            What is left of it (an empty text: nothing), and whether it was over before anything was ended.
        """
        output = Output()
        try:
            code = self._end(work, output)
        except (Late, Unwanted):
            why = f"the host did not answer within {STOP_SECONDS:.0f} s"
        except (K8swinError, OSError) as error:
            why = str(error)
        else:
            # What a start-up file left running may print here at any time.
            lines = [line for line in lines_of(output.text("stdout")) if _LEFT.match(line)]
            if code in (0, WAS_OVER) and not lines:
                return "", code == WAS_OVER
            if code == 0:
                said = ["could not be ended and still runs, as PID USER COMMAND:", *lines]
                return "\n".join(said), False
            why = f"exit code {code}: {output.text('stderr').strip()[-200:]}"
        return f"whether the script and its children have ended is not known: {why}", False

    def _end(self, work: Work, output: Output) -> int:
        clock = Clock(STOP_SECONDS)
        script = own_script("stop", "bash")
        values = {"TAG": work.tag, "PATIENCE": str(KILL_AFTER)}
        ending = Work(
            script, values, {}, b"", STOP_SECONDS, work.sudo, clock.cancel, (), new_tag(verb="stop")
        )
        session, give_back = self._begun(ending, output, clock, urgent=True)
        try:
            session.send(f"{STOP_SECONDS}\0".encode() + bash_input(script, values, {}), last=True)
            return session.follow(clock)
        finally:
            session.close()
            give_back()

    def _close(self, *, abandon: bool = False) -> None:
        self._lines.close()
        with self._jump_lock:
            jump, self._jump = self._jump, None
        if jump is not None:
            give_jump_back(jump)
