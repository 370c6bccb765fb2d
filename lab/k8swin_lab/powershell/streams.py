"""Where output goes: the formatter at the end, files, and the warning, verbose and information streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import formatting
from k8swin_lab.powershell.clixml import Records
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import ErrorRecord, StreamRecord
from k8swin_lab.powershell.scopes import NOTHING

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter
    from k8swin_lab.powershell.pipeline import Context


class FileOutput:
    """`> file`: what is written is formatted as on the console."""

    def __init__(self, interp: Interpreter, path: str, append: bool) -> None:
        self._interp = interp
        self._path = path
        self._append = append
        self._items: list[Any] = []
        if not append:
            self._store("")

    def write(self, item: Any) -> None:
        self._items.append(item)

    def close(self) -> None:
        if self._items:
            self._store(self._interp.formatted_text(self._items))

    def _store(self, text: str) -> None:
        interp = self._interp
        files = interp.host.files
        wide = interp.host.edition == "Desktop"
        old = files.read(self._path) if self._append and files.exists(self._path) else b""
        data = text.encode("utf-16-le" if wide else "utf-8")
        if wide and not old:
            data = b"\xff\xfe" + data
        try:
            files.write(self._path, old + data)
        except OSError as error:
            held = "being used by another process" in str(error)
            raise runtime_error(
                str(error) if held else f"Could not find a part of the path '{self._path}'.",
                "FileOpenFailure",
                category="OpenError",
                exception="System.IO.DirectoryNotFoundException",
            ) from error


class Streams:
    """The part of the interpreter that writes."""

    context: Context
    formatter: Any
    stdout: Any
    newline: str
    width: int
    records: Records | None
    """Where records go in PowerShell's own XML; None: as text, errors to standard error and the rest to standard output."""

    if TYPE_CHECKING:

        def preference(self, name: str) -> str: ...
        def emit_error(self, record: ErrorRecord) -> None: ...
        def to_string(self, value: Any) -> str: ...

    def output(self, item: Any) -> None:
        """The end of the outermost pipeline: Out-Default."""
        if item is NOTHING:
            return
        if isinstance(item, ErrorRecord):
            self.emit_error(item)
            return
        for text in self.formatter.write(item):
            self.print_text(text)

    def flush_output(self) -> None:
        """Show what the formatter still holds back."""
        for text in self.formatter.end():
            self.print_text(text)
        self.formatter = formatting.Formatter(self, self.width)

    def print_text(self, text: str) -> None:
        """Write a line to standard output."""
        self.stdout.write((text.replace("\n", self.newline) + self.newline).encode())

    def formatted_text(self, items: Iterable[Any]) -> str:
        """Objects as the console shows them, for files and standard input."""
        lines = formatting.format_objects(self, list(items), self.width)
        return "".join(line.replace("\n", self.newline) + self.newline for line in lines)

    # --- the other streams

    def _record(self, stream: str, preference: str, label: str, text: str) -> None:
        action = self.preference(preference)
        record = StreamRecord(stream.capitalize(), text)
        if action == "ignore":
            return
        if action != "silentlycontinue" or stream == "warning":
            for name, tap in self.context.taps:
                if name == stream:
                    tap.append(record)
        if action == "silentlycontinue":
            return
        sink = self.context.sinks.get(stream)
        if sink is not None:
            sink(record)
        elif self.records is not None:
            self.records.add(stream, text)
        else:
            self.print_text(f"{label}: {text}")
        if action == "stop":
            raise self._stopped(preference, text)

    def _stopped(self, preference: str, text: str) -> PowerShellError:
        error = runtime_error(
            "The running command stopped because the preference variable "
            f'"{preference}" or common parameter is set to Stop: {text}',
            "ActionPreferenceStop",
            category="OperationStopped",
            exception="System.Management.Automation.ActionPreferenceStopException",
        )
        error.stop = True
        return error

    def write_warning(self, text: str) -> None:
        self._record("warning", "WarningPreference", "WARNING", text)

    def write_verbose(self, text: str) -> None:
        self._record("verbose", "VerbosePreference", "VERBOSE", text)

    def write_debug(self, text: str) -> None:
        self._record("debug", "DebugPreference", "DEBUG", text)

    def write_information(self, value: Any, tags: Iterable[str] = ()) -> None:
        """Write-Information: shown only when the preference says so."""
        record = StreamRecord("Information", value, tags)
        for name, tap in self.context.taps:
            if name == "information":
                tap.append(record)
        action = self.preference("InformationPreference")
        if action == "ignore":
            return
        sink = self.context.sinks.get("information")
        if sink is not None:
            sink(record)
        elif action != "silentlycontinue":
            self.print_text(self.to_string(value))

    def write_host(self, text: str, *, newline: bool = True) -> None:
        """Write-Host: to the console, unless the information stream is redirected."""
        record = StreamRecord("Information", text, ["PSHOST"])
        for name, tap in self.context.taps:
            if name == "information":
                tap.append(record)
        sink = self.context.sinks.get("information")
        if sink is not None:
            sink(record)
            return
        end = self.newline if newline else ""
        self.stdout.write((text.replace("\n", self.newline) + end).encode())
