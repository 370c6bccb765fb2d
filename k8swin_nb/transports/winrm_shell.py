"""The connection to one Windows host and the WinRM shell that is open there; every wait has an end."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from typing import Any

from winrm.exceptions import WSManFaultError

from k8swin_nb.errors import TransportTimeout
from k8swin_nb.inventory import Host
from k8swin_nb.secret import resolve
from k8swin_nb.transports.bounded import Cancelled, Overdue, bounded, check
from k8swin_nb.transports.connection import OnPin
from k8swin_nb.transports.identity import Identity, protection
from k8swin_nb.transports.jump import Jump, give_jump_back, take_jump
from k8swin_nb.transports.winrm_errors import QUOTAS, place, translate
from k8swin_nb.transports.winrm_login import login_of
from k8swin_nb.transports.winrm_tls import Trust, fingerprint
from k8swin_nb.transports.wsman import LoginGone

LOGIN_SECONDS = 45.0
"""Time for the login and a new shell: several messages, and a domain controller may be asked."""

CLOSE_SECONDS = 3.0
"""Time to delete a shell that is no longer wanted, or to tell of a command's end."""

UTF8 = 65001
IDLE_TIMEOUT = "PT900S"

SHORT_IDLE_TIMEOUT = "PT180S"
"""The same for what must end soon after nobody asks any more."""

COMMANDS_PER_SHELL = 300
"""Commands after which a shell is renewed. A server counts 1,500 operations a user, and gives those of ended commands
back with the shell alone."""

REQUESTS_PER_SHELL = 1000
"""The same for all messages, in case a server counts those that ask for output."""

SHELL_NOT_FOUND = 2150858843
"""The server's fault for a shell that it no longer has."""

KEPT = 10
"""Shells at most that wait to be deleted."""


class WinrmShell:
    """One protocol and one shell. Not for several threads, but for `drop` and `give_up`."""

    def __init__(self, host: Host, make: Callable[..., Any], on_pin: OnPin | None = None) -> None:
        self._host = host
        self._make = make
        self._on_pin = on_pin
        self._jump: Jump | None = None
        self._protocol: Any = None
        self._left: list[str] = []
        self._commands = self._requests = 0
        self.id: str | None = None
        self.idle_timeout = IDLE_TIMEOUT

    def ask(
        self,
        question: Callable[[Any], Any],
        seconds: float,
        until: float = math.inf,
        cancel: threading.Event | None = None,
    ) -> Any:
        """Ask the server one thing, in at most so many seconds. What is not answered in time is cut off.

        Raises:
            Overdue: `until` has passed.
            Cancelled: `cancel` was set.
            TransportTimeout: the server took longer than `seconds`.
        """
        check(until, cancel)
        if self._protocol is None:
            self._protocol = self._new_protocol()
        protocol = self._protocol
        self._requests += 1
        limit = time.monotonic() + seconds
        try:
            return bounded(
                lambda: question(protocol), until=min(limit, until), cancel=cancel, cut=self.drop
            )
        except Overdue:
            if until <= limit:
                raise
            raise TransportTimeout(
                self._host.name, f"{place(self._host)}: no whole answer within {seconds:g} s"
            ) from None

    def start(
        self,
        program: str,
        arguments: list[str],
        seconds: float,
        until: float,
        cancel: threading.Event,
    ) -> str:
        """Start a program and return its id. It waits for its input, so that nothing has happened yet.

        A shell that the server lost, and a login that went with its connection, are made anew, once each. A server
        that booted meanwhile knows neither.

        Raises:
            Overdue, Cancelled: before anything was sent, or with `id` still set: the server may have started it.
            TransportError: when the host cannot be reached or used.
        """
        if self._commands >= COMMANDS_PER_SHELL or self._requests >= REQUESTS_PER_SHELL:
            self.delete()
        renewed: set[str] = set()
        while True:
            reused = self.id is not None
            shell = self._open(until, cancel)
            begin = methodcaller(
                "run_command",
                shell,
                program,
                arguments,
                console_mode_stdin=False,
                skip_cmd_shell=False,
            )
            try:
                command = self.ask(begin, seconds, until, cancel)
            except (Cancelled, Overdue):
                raise
            except Exception as error:
                what = _renewable(error) if reused or renewed else ""
                if not what or what in renewed:
                    self.give_up()
                    raise translate(error, self._host) from error
                renewed.add(what)
                if what == "login":
                    self.drop()
                elif what == "shell":
                    self.id = None
                else:
                    self.delete()
                continue
            self._commands += 1
            return str(command)

    def _open(self, until: float, cancel: threading.Event) -> str:
        """Return an open shell."""
        if self.id is not None:
            return self.id
        create = methodcaller("open_shell", codepage=UTF8, idle_timeout=self.idle_timeout)
        tried = False
        while self.id is None:
            try:
                self.id = str(self.ask(create, LOGIN_SECONDS, until, cancel))
            except (Cancelled, Overdue):
                self.drop()
                raise
            except Exception as error:
                what = _renewable(error)
                if tried or not (what == "login" or (what == "quota" and self._left)):
                    # A protocol whose first exchange failed would go on without message encryption.
                    self.drop()
                    raise translate(error, self._host) from error
                tried = True
                if what == "login":
                    self.drop()
                else:
                    self.delete_left(time.monotonic() + CLOSE_SECONDS)
        opened, self._commands, self._requests = self.id, 0, 0
        self.delete_left(time.monotonic() + CLOSE_SECONDS)
        return opened

    def _new_protocol(self) -> Any:
        host = self._host
        secure = host.winrm_scheme == "https"
        login = login_of(host)
        if host.winrm_jump and self._jump is None:
            self._jump = take_jump(host.winrm_jump, self._on_pin)
        phrase = host.winrm_key_passphrase if host.winrm_auth == "certificate" else None
        return self._make(
            endpoint=f"{host.winrm_scheme}://{_bracketed(host.winrm_address)}:{host.winrm_port}/wsman",
            login=login,
            trust=Trust(host, resolve(phrase, Path(host.folder)).reveal() if phrase else None)
            if secure
            else None,
            dial=self._jump.dial if self._jump else None,
            sealing=not secure,
        )

    def identity(self) -> Identity:
        """Return whom the newest connection showed."""
        shown = getattr(self._protocol, "shown", None)
        jump = self._host.winrm_jump
        return Identity(
            by="winrm",
            key=fingerprint(shown) if shown else "",
            pinned=protection(self._host),
            through=jump.name if jump else "",
        )

    def leave(self) -> None:
        """Let the jump host go, if there is one."""
        jump, self._jump = self._jump, None
        if jump is not None:
            give_jump_back(jump)

    def drop(self) -> None:
        """Let the connection go; the shell outlives it."""
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.cut()

    def give_up(self) -> None:
        """Let connection and shell go without asking the server; the shell is deleted when it answers again.

        Until then it counts against the quota of the user.
        """
        self.drop()
        shell, self.id = self.id, None
        if shell is not None:
            self._left = [*self._left, shell][-KEPT:]

    def end(self, until: float) -> bool:
        """Delete the shell with everything that was started in it; False when the server did not confirm that."""
        shell = self.id
        if shell is None:
            return True
        try:
            self.ask(methodcaller("close_shell", shell, close_session=False), CLOSE_SECONDS, until)
        except WSManFaultError as error:
            if error.wsman_fault_code != SHELL_NOT_FOUND:
                self.give_up()
                return False
        except Exception:
            self.give_up()
            return False
        self.id = None
        return True

    def delete(self) -> None:
        """Delete the shell; one that cannot be deleted now waits for that."""
        self.end(time.monotonic() + CLOSE_SECONDS)

    def delete_left(self, until: float) -> None:
        """Delete shells that were given up. When that fails the server does so by itself, after their idle time."""
        while self._left:
            close = methodcaller("close_shell", self._left.pop(0), close_session=False)
            with contextlib.suppress(Exception):
                self.ask(close, CLOSE_SECONDS, until)


def _renewable(error: Exception) -> str:
    """Return what has to be made anew after an error: `login`, `shell`, the shell for a `quota`, or nothing."""
    if isinstance(error, LoginGone):
        return "login"
    if isinstance(error, WSManFaultError):
        if error.wsman_fault_code == SHELL_NOT_FOUND:
            return "shell"
        if error.wsman_fault_code in QUOTAS or error.wmierror_code in QUOTAS:
            return "quota"
    return ""


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
