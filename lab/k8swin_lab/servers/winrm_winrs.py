"""The WinRS operations: Create, Command, Send, Receive, Signal and Delete of a remote shell."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from xml.sax.saxutils import escape

from k8swin_lab.servers import winrm_soap as soap
from k8swin_lab.servers.winrm_shells import Command, Shell, Shells
from k8swin_lab.servers.winrm_soap import SHELL, SoapFault, SoapRequest, tag

_ENVELOPE_OVERHEAD = 4096
_GATHER = 0.01
"""Seconds in which output that follows at once still travels in the same answer."""

_KNOWN_OPTIONS = {
    "WINRS_NOPROFILE",
    "WINRS_CODEPAGE",
    "WINRS_CONSOLEMODE_STDIN",
    "WINRS_SKIP_CMD_SHELL",
    # Of Receive: an answer without output may come before the time is over. It comes at the time here.
    "WSMAN_CMDSHELL_OPTION_KEEPALIVE",
}
_STOPPING_SIGNALS = {"terminate", "ctrl_c", "ctrl_break", "Terminate", "CtrlC", "CtrlBreak"}

GiveBack = Callable[[], None]
"""Keeps the output of an answer that could not be sent."""


def _nothing() -> None:
    """Take nothing back: the answer holds no output."""


class Winrs:
    """Answers the operations on one machine's shells."""

    def __init__(self, shells: Shells) -> None:
        self._shells = shells

    async def answer(self, request: SoapRequest, user: str) -> tuple[bytes, GiveBack]:
        """Return the answer's envelope, and how to take its output back.

        Raises:
            SoapFault: what the client gets instead.
        """
        if request.resource.casefold() != soap.CMD_RESOURCE.casefold():
            raise SoapFault(
                soap.NO_SUCH_RESOURCE,
                "a:DestinationUnreachable",
                f"not simulated in the lab: the WS-Management resource {request.resource}",
            )
        for name in request.options:
            if name not in _KNOWN_OPTIONS:
                raise SoapFault(
                    soap.INVALID_OPTION,
                    "w:InvalidOptions",
                    f"not simulated in the lab: the shell option {name}",
                )
        operations = {
            f"{soap.TRANSFER}/Create": self._create,
            f"{soap.TRANSFER}/Delete": self._delete,
            f"{SHELL}/Command": self._command,
            f"{SHELL}/Send": self._send,
            f"{SHELL}/Signal": self._signal,
        }
        if request.action == f"{SHELL}/Receive":
            return await self._receive(request, user)
        operation = operations.get(request.action)
        if operation is None:
            raise SoapFault(
                soap.ACTION_UNSUPPORTED,
                "a:ActionNotSupported",
                f"not simulated in the lab: the WS-Management action {request.action}",
            )
        return operation(request, user), _nothing

    def _create(self, request: SoapRequest, user: str) -> bytes:
        wanted = request.body.find(tag(SHELL, "Shell"))
        if wanted is None:
            raise _malformed("the body of Create holds no rsp:Shell")
        machine = self._shells.machine
        filters = getattr(machine, "filters_token", None)
        if filters is not None and filters(user):
            raise soap.access_denied()
        environment: dict[str, str] = machine.login_environment(user)
        for variable in wanted.iterfind(f"{tag(SHELL, 'Environment')}/{tag(SHELL, 'Variable')}"):
            _set_variable(environment, variable.get("Name", ""), variable.text or "")
        directory = wanted.findtext(tag(SHELL, "WorkingDirectory"), "").strip()
        idle = wanted.findtext(tag(SHELL, "IdleTimeOut"), "").strip()
        try:
            codepage = int(request.options.get("WINRS_CODEPAGE", "437"))
            idle_seconds = soap.seconds(idle) if idle else self._shells.quotas.idle_timeout
        except ValueError as error:
            raise _malformed(str(error)) from error
        shell = self._shells.create(
            Shell(
                user=user,
                environment=environment,
                directory=directory or environment.get("USERPROFILE", "C:\\"),
                codepage=codepage,
                no_profile=request.options.get("WINRS_NOPROFILE", "").upper() in ("TRUE", "1"),
                idle_timeout=idle_seconds,
                remote=machine.remote_shell(user),
            )
        )
        inputs = wanted.findtext(tag(SHELL, "InputStreams"), "stdin")
        outputs = wanted.findtext(tag(SHELL, "OutputStreams"), "stdout stderr")
        return soap.envelope(
            f"{soap.TRANSFER}/CreateResponse",
            request.message_id,
            f"<x:ResourceCreated><a:Address>http://{machine.address}:5985/wsman</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{soap.CMD_RESOURCE}</w:ResourceURI>"
            f'<w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{soap.CMD_RESOURCE}</rsp:ResourceUri>"
            f"<rsp:Owner>{escape(machine.name.upper())}\\{escape(user)}</rsp:Owner>"
            f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut>"
            f"<rsp:InputStreams>{escape(inputs)}</rsp:InputStreams>"
            f"<rsp:OutputStreams>{escape(outputs)}</rsp:OutputStreams></rsp:Shell>",
        )

    def _command(self, request: SoapRequest, user: str) -> bytes:
        shell = self._shells.get(request.shell_id, user)
        wanted = request.body.find(tag(SHELL, "CommandLine"))
        line = wanted.findtext(tag(SHELL, "Command"), "") if wanted is not None else ""
        if wanted is None or not line:
            raise _malformed("the body of Command holds no rsp:Command")
        arguments = [found.text or "" for found in wanted.iterfind(tag(SHELL, "Arguments"))]
        command = self._shells.run(shell, " ".join([line, *arguments]))
        return soap.envelope(
            f"{SHELL}/CommandResponse",
            request.message_id,
            "<rsp:CommandResponse>"
            f"<rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>",
        )

    def _send(self, request: SoapRequest, user: str) -> bytes:
        shell = self._shells.get(request.shell_id, user)
        habits = getattr(self._shells.machine, "winrm", None)
        how = habits.next_send() if habits is not None else ""
        if how == "busy":
            raise soap.busy()  # the input was not taken
        for stream in request.body.iterfind(f"{tag(SHELL, 'Send')}/{tag(SHELL, 'Stream')}"):
            command = self._shells.command(shell, stream.get("CommandId", ""))
            if stream.get("Name") != "stdin":
                raise _malformed(f"the stream {stream.get('Name')} takes no input")
            try:
                data = base64.b64decode("".join((stream.text or "").split()), validate=True)
            except binascii.Error as error:
                raise _malformed(f"the input is not base64: {error}") from error
            command.stdin.feed(data)
            if stream.get("End", "").casefold() in ("true", "1"):
                command.stdin.end()
        if how == "late":
            raise soap.timed_out()  # the input was taken
        return soap.envelope(f"{SHELL}/SendResponse", request.message_id, "<rsp:SendResponse/>")

    def _signal(self, request: SoapRequest, user: str) -> bytes:
        shell = self._shells.get(request.shell_id, user)
        signal = request.body.find(tag(SHELL, "Signal"))
        if signal is None:
            raise _malformed("the body of Signal holds no rsp:Signal")
        command = self._shells.command(shell, signal.get("CommandId", ""))
        code = signal.findtext(tag(SHELL, "Code"), "").strip().rpartition("/")[2]
        if code not in _STOPPING_SIGNALS:
            raise SoapFault(
                soap.ACTION_UNSUPPORTED,
                "a:ActionNotSupported",
                f"not simulated in the lab: the signal {code}",
            )
        command.cancel()
        if code.casefold() == "terminate":
            del shell.commands[command.id]
        return soap.envelope(f"{SHELL}/SignalResponse", request.message_id, "<rsp:SignalResponse/>")

    def _delete(self, request: SoapRequest, user: str) -> bytes:
        self._shells.delete(self._shells.get(request.shell_id, user))
        return soap.envelope(f"{soap.TRANSFER}/DeleteResponse", request.message_id, "")

    async def _receive(self, request: SoapRequest, user: str) -> tuple[bytes, GiveBack]:
        shell = self._shells.get(request.shell_id, user)
        wanted = request.body.find(f"{tag(SHELL, 'Receive')}/{tag(SHELL, 'DesiredStream')}")
        if wanted is None:
            raise _malformed("the body of Receive holds no rsp:DesiredStream")
        command = self._shells.command(shell, wanted.get("CommandId", ""))
        if not await _ready(command, request.timeout):
            # Waiting is use: a shell whose client listens is not idle.
            self._shells.get(shell.id, user)
            raise soap.timed_out()
        largest = min(request.max_envelope, self._shells.quotas.envelope_bytes)
        output, code = command.take(max(1024, (largest - _ENVELOPE_OVERHEAD) * 3 // 4))
        answer = soap.envelope(
            f"{SHELL}/ReceiveResponse",
            request.message_id,
            _receive_body(command, output, code),
        )
        return answer, lambda: command.put_back(output)


async def _ready(command: Command, timeout: float) -> bool:
    """Wait until a command has output or has ended; False when the time is over first."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def tell() -> None:
        try:
            loop.call_soon_threadsafe(event.set)
        except RuntimeError:
            return  # the server has stopped, and nobody waits

    stop = command.observe(tell)
    try:
        if not command.ready:
            await asyncio.wait_for(event.wait(), timeout)
        if command.exit_code is None:
            await asyncio.sleep(_GATHER)
    except TimeoutError:
        return command.ready
    finally:
        stop()
    return True


def _receive_body(command: Command, output: list[tuple[str, bytes]], code: int | None) -> str:
    parts = [
        f'<rsp:Stream Name="{stream}" CommandId="{command.id}">'
        f"{base64.b64encode(data).decode()}</rsp:Stream>"
        for stream, data in output
    ]
    if code is None:
        state = f'<rsp:CommandState CommandId="{command.id}" State="{SHELL}/CommandState/Running"/>'
    else:
        parts += [
            f'<rsp:Stream Name="{stream}" CommandId="{command.id}" End="true"/>'
            for stream in ("stdout", "stderr")
        ]
        state = (
            f'<rsp:CommandState CommandId="{command.id}" State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{''.join(parts)}{state}</rsp:ReceiveResponse>"


def _set_variable(environment: dict[str, str], name: str, value: str) -> None:
    """Set a variable; names differ in case only by spelling on Windows."""
    known = next((other for other in environment if other.casefold() == name.casefold()), name)
    environment[known] = value


def _malformed(text: str) -> SoapFault:
    return SoapFault(
        soap.INVALID_REQUEST, "w:SchemaValidationError", f"The Windows Remote Shell: {text}. "
    )
