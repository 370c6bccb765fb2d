"""Native programs in a pipeline: their command line, their input, and their output by lines."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_command_line import split_command_line
from k8swin_lab.powershell.dotnet.encodings import Encoding
from k8swin_lab.powershell.dotnet.surroundings import input_encoding
from k8swin_lab.powershell.parameters import Argument
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.records import ErrorRecord, ExceptionObject
from k8swin_lab.powershell.scopes import NOTHING, Frame


class LineWriter:
    """Bytes that a program writes, handed on as lines of text as soon as each is complete."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write
        self._rest = b""

    def write(self, data: bytes, /) -> int:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._write(line.removesuffix(b"\r").decode("utf-8", "replace"))
        return len(data)

    def close(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            self._write(rest.removesuffix(b"\r").decode("utf-8", "replace"))


class NativeStage(Stage):
    """Runs a program of the machine when its input is complete."""

    def __init__(self, frame: Frame, path: str, arguments: list[Argument]) -> None:
        super().__init__(frame, path)
        self.path = path
        self.argv = [path, *native_arguments(self.interp, arguments)]
        self.input: list[Any] = []
        self._complained = False

    def process(self, item: Any) -> None:
        if item is not NOTHING:
            self.input.append(item)

    def end(self) -> None:
        interp = self.interp
        lines = LineWriter(self.write)
        error_sink = self.context.sinks.get("error")
        taps = [tap for stream, tap in self.context.taps if stream == "error"]
        errors: Any = interp.stderr
        if error_sink is not None or taps:
            errors = LineWriter(lambda line: self._error_line(line, error_sink))
        stdin: Any = interp.stdin
        if self.expects_input:
            text = interp.formatted_text(self.input)
            chosen = self.context.frame.scope.get("outputencoding")
            sent = chosen.encode(text) if isinstance(chosen, Encoding) else text.encode()
            stdin = io.BytesIO(input_encoding(interp).bom + sent)
        process = Process(
            machine=interp.machine,
            argv=self.argv,
            env=dict(interp.environment),
            cwd=interp.location,
            user=interp.user,
            stdin=stdin,
            stdout=lines,
            stderr=errors,
            cancelled=interp.cancelled_event,
            codepage=interp.codepage,
        )
        interp.flush_output()
        try:
            # what the program lacks ends the whole session: its exit code alone is easily overlooked
            code = interp.host.run_program(process)
        finally:
            lines.close()
            if isinstance(errors, LineWriter):
                errors.close()
        interp.global_scope.set("LASTEXITCODE", code)
        self.context.failed = self.context.failed or code != 0

    def _error_line(self, line: str, sink: Any) -> None:
        exception = ExceptionObject("System.Management.Automation.RemoteException", line)
        error_id = "NativeCommandErrorMessage" if self._complained else "NativeCommandError"
        record = ErrorRecord(exception, error_id, "NotSpecified", line)
        self._complained = True
        self.interp.place(record)
        if sink is not None:
            # under Stop, Windows PowerShell ends the script at the first line of redirected standard error
            if (
                self.interp.host.edition == "Desktop"
                and self.interp.preference("ErrorActionPreference") == "stop"
            ):
                self.interp.write_record(record)
                return
            self.interp.remember_error(record)
            sink(record)


def native_arguments(interp: Any, arguments: list[Argument]) -> list[str]:
    """The argument list of a program, as Windows PowerShell 5.1 hands it over."""
    result: list[str] = []
    for argument in arguments:
        if argument.name == "%" and argument.text is not None and argument.value is None:
            result.extend(argument.text.split())
            continue
        if argument.name is not None:
            text = argument.text or f"-{argument.name}"
            if argument.attached:
                if argument.splatted and argument.value is True:
                    result.append(text.rstrip(":"))
                    continue
                value = interp.to_string(argument.value)
                result.append(f"{text}{value}")
            else:
                result.append(text)
            continue
        if argument.text is not None:
            result.append(argument.text)
            continue
        value = argument.value
        if value is None:
            if interp.host.edition == "Core":
                result.append("")
            continue
        if isinstance(value, list):
            values = argument.spellings or [None] * len(value)
            result.extend(
                s if s else interp.to_string(v) for v, s in zip(value, values, strict=False)
            )
            continue
        result.append(interp.to_string(value))
    if interp.host.edition == "Core":
        return result
    return split_command_line(" ".join(quoted(text) for text in result))


def quoted(text: str) -> str:
    """One argument on the command line that Windows PowerShell builds: quotes inside are not escaped."""
    if text and (text.startswith('"') or not any(c in " \t" for c in text)):
        return text
    if not text:
        return ""
    return f'"{text}"'
