"""WinRM through pywinrm's `Protocol`; no other module imports pywinrm or requests.

One protocol and one shell per host, opened when first used. pywinrm's own `run_ps` is not used: it puts
the script on a command line of at most 8191 characters, and waits for a hung command forever.
"""

from __future__ import annotations

import atexit
import contextlib
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import requests
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    HostUnreachable,
    K8swinError,
    ParamsError,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.redact import redact
from k8swin_nb.scripts import Interpreter
from k8swin_nb.secret import resolve
from k8swin_nb.shells import powershell_command, powershell_input
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.output import Output

OPERATION_SECONDS = 20
"""Time that the server may hold one request open."""

READ_SECONDS = 30
"""Time after which an unanswered request counts as lost."""

UTF8 = 65001
IDLE_TIMEOUT = "PT900S"

STDIN_PIECE = 64 * 1024
"""Bytes of standard input in one message: below 100 KB, or its envelope grows past the server's limit."""

UNREADABLE = 400
"""HTTP status for a message that was encrypted for a connection which is gone."""

SHELL_NOT_FOUND = 2150858843
"""The server's fault for a shell that it no longer has."""

_open: weakref.WeakSet[WinrmTransport] = weakref.WeakSet()


class WinrmTransport(Transport):
    """PowerShell on a Windows host. One command at a time: pywinrm is not safe for threads."""

    interpreter: ClassVar[Interpreter] = "powershell"

    def __init__(self, host: Host, *, protocol: Callable[..., Any] = Protocol) -> None:
        super().__init__(host)
        self._make = protocol
        self._lock = threading.RLock()
        self._protocol: Any = None
        self._shell: str | None = None

    def _connect(self) -> tuple[Any, str]:
        """Return the protocol and an open shell."""
        if self._protocol is not None and self._shell is not None:
            return self._protocol, self._shell
        host = self.host
        if host.winrm_scheme == "http" and host.winrm_auth == "basic":
            raise AuthenticationFailed(
                host.name,
                "Basic authentication over http would send the password in clear; nothing was sent",
                hint="set `winrm_scheme` to https, or `winrm_auth` to ntlm",
            )
        if not host.credential:
            raise ParamsError(
                f"{host.name}: no `credential` is given",
                hint="write `credential: env:WIN_PASSWORD`",
            )
        password = resolve(host.credential, Path(host.folder)).reveal()
        protocol = None
        try:
            protocol = self._make(
                endpoint=f"{host.winrm_scheme}://{_bracketed(host.address)}:{host.winrm_port}/wsman",
                transport="ssl" if host.winrm_auth == "basic" else host.winrm_auth,
                username=host.user,
                password=password,
                server_cert_validation="validate",
                ca_trust_path=host.ca,
                message_encryption="always" if host.winrm_scheme == "http" else "auto",
                read_timeout_sec=READ_SECONDS,
                operation_timeout_sec=OPERATION_SECONDS,
                # Neither a proxy nor a certificate bundle of the notebook server's environment.
                proxy=None,
            )
            shell = protocol.open_shell(codepage=UTF8, idle_timeout=IDLE_TIMEOUT)
        except Exception as error:
            # A protocol whose first exchange failed would go on without message encryption.
            if protocol is not None:
                protocol.transport.close_session()
            raise translate(error, host) from error
        self._protocol, self._shell = protocol, shell
        _open.add(self)
        return protocol, shell

    def _start(self) -> tuple[Any, str, str]:
        """Start the loader. A shell that the server lost is opened anew, once: nothing has run yet.

        A server that booted meanwhile knows neither the shell nor the keys of the messages: it answers
        that it cannot read them.
        """
        program, arguments = powershell_command()
        for attempt in (1, 2):
            reused = self._protocol is not None
            protocol, shell = self._connect()
            try:
                command = protocol.run_command(
                    shell, program, arguments, console_mode_stdin=False, skip_cmd_shell=False
                )
            except WSManFaultError as error:
                self._close(abandon=True)
                if error.wsman_fault_code != SHELL_NOT_FOUND or attempt == 2:
                    raise translate(error, self.host) from error
                continue
            except WinRMTransportError as error:
                self._close(abandon=True)
                if error.code != UNREADABLE or not reused or attempt == 2:
                    raise translate(error, self.host) from error
                continue
            except Exception as error:
                self._close(abandon=True)
                raise translate(error, self.host) from error
            return protocol, shell, command
        raise AssertionError("unreachable")

    def _run(self, work: Work, output: Output) -> End:
        sent = powershell_input(work.script, work.parameters, work.secrets, work.stdin)
        with self._lock:
            protocol, shell, command = self._start()
            deadline = time.monotonic() + work.timeout if work.timeout else None
            lost = False
            try:
                for start in range(0, len(sent), STDIN_PIECE):
                    piece = sent[start : start + STDIN_PIECE]
                    last = start + STDIN_PIECE >= len(sent)
                    protocol.send_command_input(shell, command, piece, end=last)
                return self._receive(protocol, shell, command, output, deadline, work.cancel)
            except WinRMOperationTimeoutError as error:
                lost = True
                raise TransportTimeout(
                    self.host.name, "WinRM: the server took no input in time"
                ) from error
            except K8swinError:
                raise
            except Exception as error:
                lost = True
                raise translate(error, self.host) from error
            finally:
                if lost:
                    self._close(abandon=True)
                else:
                    self._terminate(protocol, shell, command)

    def _receive(
        self,
        protocol: Any,
        shell: str,
        command: str,
        output: Output,
        deadline: float | None,
        cancel: threading.Event,
    ) -> End:
        while True:
            if cancel.is_set():
                return End(CANCELLED)
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return End(CANCELLED, timed_out=True)
                # The server answers an empty request after this time, so a deadline is met to the second.
                protocol.operation_timeout_sec = max(1, min(OPERATION_SECONDS, round(left)))
            try:
                stdout, stderr, code, done = protocol.get_command_output_raw(shell, command)
            except WinRMOperationTimeoutError:
                continue
            finally:
                protocol.operation_timeout_sec = OPERATION_SECONDS
            output.feed("stdout", stdout)
            output.feed("stderr", stderr)
            if done:
                return End(code)

    def _terminate(self, protocol: Any, shell: str, command: str) -> None:
        """Tell the server that the command is over, which ends it if it still runs."""
        try:
            protocol.cleanup_command(shell, command)
        except Exception:
            # Its answer is in already, or its deadline has passed; the next command opens a new shell.
            self._close(abandon=True)

    def _close(self, *, abandon: bool = False) -> None:
        # Not under the lock when abandoned: another thread may hold it while it waits for a dead host.
        with contextlib.nullcontext() if abandon else self._lock:
            protocol, shell = self._protocol, self._shell
            self._protocol = self._shell = None
            _open.discard(self)
            if protocol is None:
                return
            with contextlib.suppress(Exception):  # the server drops the shell by itself in the end
                if shell is not None and not abandon:
                    protocol.close_shell(shell, close_session=True)
                else:
                    protocol.transport.close_session()


@atexit.register
def _close_all() -> None:
    """Delete the shells that are left when the interpreter ends; the server allows few per user."""
    for transport in list(_open):
        transport.close()


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def translate(error: BaseException, host: Host) -> K8swinError:
    """Return our error for one of pywinrm's or requests'."""
    where = f"WinRM at {host.winrm_scheme}://{host.address}:{host.winrm_port}"
    detail = redact(str(error)) or type(error).__name__
    if isinstance(error, K8swinError):
        return error
    if isinstance(error, AuthenticationError):
        return AuthenticationFailed(
            host.name,
            f"{where} refused the login as `{host.user}` ({host.winrm_auth}, {host.credential})",
            hint="check both before you try again: accounts are locked after a few attempts",
        )
    if isinstance(error, requests.exceptions.SSLError):
        if any(isinstance(e, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for e in _causes(error)):
            # A server that goes down, or is not up yet, ends a connection before its certificate was seen.
            return HostUnreachable(host.name, f"{where}: {_last_cause(error)}")
        return CertificateRejected(host.name, f"{where}: {_last_cause(error)}")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return HostUnreachable(host.name, f"{where}: no answer in time")
    if isinstance(error, (requests.exceptions.Timeout, WinRMOperationTimeoutError)):
        return TransportTimeout(host.name, f"{where}: no answer after {READ_SECONDS} s")
    if isinstance(
        error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        return HostUnreachable(host.name, f"{where}: {_last_cause(error)}")
    if isinstance(error, WSManFaultError):
        code = f" (fault {error.wsman_fault_code})" if error.wsman_fault_code else ""
        return TransportError(host.name, f"{where}: {redact(str(error.reason)).strip()}{code}")
    if isinstance(error, WinRMTransportError):
        return TransportError(
            host.name, f"{where} answered HTTP {error.code}", hint="is it a WinRM listener?"
        )
    if isinstance(error, OSError) and "CA certificate" in detail:
        return CertificateRejected(host.name, f"there is no authority's certificate at `{host.ca}`")
    if isinstance(error, (WinRMError, requests.exceptions.RequestException)):
        return TransportError(host.name, f"{where}: {detail}")
    if isinstance(error, (OSError, EOFError)):
        return HostUnreachable(host.name, f"{where}: {detail}")
    return TransportError(host.name, f"{where}: {type(error).__name__}: {detail}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and, from outer to inner, those that requests nested in it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        reason = getattr(seen, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        if inner is None:
            inner = next((arg for arg in seen.args if isinstance(arg, BaseException)), None)
        seen = inner or seen.__cause__ or seen.__context__


def _last_cause(error: BaseException) -> str:
    """Return what lies at the bottom of requests' nested errors, such as `Connection refused`."""
    text = str(error)
    for seen in _causes(error):
        text = getattr(seen, "strerror", None) or getattr(seen, "verify_message", None) or str(seen)
    return redact(text)
