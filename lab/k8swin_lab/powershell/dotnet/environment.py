"""System.Environment, Console, Process, Thread, GC, AppDomain and the like: what surrounds a script."""

from __future__ import annotations

import codecs
import re
import time
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.dotnet import culture_now, enums
from k8swin_lab.powershell.dotnet.encodings import OEM
from k8swin_lab.powershell.dotnet.reflection import Culture, ui_culture
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, argument
from k8swin_lab.powershell.dotnet.streams import Reader, formatted
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import TimeSpan
from k8swin_lab.powershell.dotnet.values import Version
from k8swin_lab.powershell.errors import ExitSignal
from k8swin_lab.powershell.values import Hashtable

ENVIRONMENT = NetType("System.Environment")
ENVIRONMENT.value("NewLine", "\r\n")
ENVIRONMENT.value("CurrentManagedThreadId", 1)
ENVIRONMENT.value("HasShutdownStarted", False)
ENVIRONMENT.value("Is64BitOperatingSystem", True)
ENVIRONMENT.value("Is64BitProcess", True)
ENVIRONMENT.value("UserInteractive", False)
ENVIRONMENT.value("TickCount", lambda: int(time.monotonic() * 1000) & 0x7FFFFFFF)
ENVIRONMENT.value("ExitCode", 0)


def _scope(target: Any) -> str:
    declared = enums.find("System.EnvironmentVariableTarget")
    assert declared is not None  # noqa: S101 - declared in enums
    return str(declared.parse(target))


def _variables(interp: Any, target: Any) -> Any:
    """The session's variables, or the stored ones of the user or the machine."""
    scope = _scope(target)
    return None if scope == "Process" else scope


@ENVIRONMENT.static("GetEnvironmentVariable")
def _get(interp: Any, name: str, target: Any = "Process") -> str | None:
    scope = _variables(interp, target)
    if scope is None:
        drive = interp.drive("env")
        return None if drive is None or name not in drive else to_string(drive[name])
    read = getattr(interp.host, "environment_get", None)
    if read is None:
        return None
    found = read(name, scope)
    return None if found is None else str(found)


@ENVIRONMENT.static("SetEnvironmentVariable")
def _set(interp: Any, name: str, value: Any, target: Any = "Process") -> None:
    if not name:
        raise argument("String cannot be of zero length.", "variable")
    scope = _variables(interp, target)
    text = to_string(value)
    if scope is not None:
        write = getattr(interp.host, "environment_set", None)
        if write is None:
            raise NotSimulated(f"environment variables of the {scope.lower()}")
        write(name, text or None, scope)
        return
    drive = interp.drive("env")
    if text:
        drive[name] = text
    elif name in drive:
        del drive[name]


@ENVIRONMENT.static("GetEnvironmentVariables")
def _all(interp: Any, target: Any = "Process") -> Hashtable:
    scope = _variables(interp, target)
    if scope is None:
        return Hashtable((interp.drive("env") or {}).items())
    listing = getattr(interp.host, "environment_list", None)
    if listing is None:
        raise NotSimulated(f"listing the environment variables of the {scope.lower()}")
    return Hashtable(listing(scope).items())


@ENVIRONMENT.static("ExpandEnvironmentVariables")
def _expand(interp: Any, text: str) -> str:
    import re

    def one(match: Any) -> str:
        found = _get(interp, match[1])
        return match[0] if found is None else found

    return re.sub(r"%([^%]+)%", one, text)


_FOLDERS = {
    "programfiles": ("ProgramFiles", "C:\\Program Files"),
    "system": ("", "C:\\Windows\\system32"),
    "windows": ("SystemRoot", "C:\\Windows"),
    "userprofile": ("USERPROFILE", ""),
    "applicationdata": ("APPDATA", ""),
    "localapplicationdata": ("LOCALAPPDATA", ""),
    "commonapplicationdata": ("ProgramData", "C:\\ProgramData"),
}


@ENVIRONMENT.static("GetFolderPath")
def _folder(interp: Any, name: Any) -> str:
    variable, default = _FOLDERS.get(to_string(name).lower(), ("", ""))
    return (_get(interp, variable) if variable else None) or default


ENVIRONMENT.static("Exit")(lambda interp, code=0: _exit(code))


def _exit(code: Any) -> None:
    raise ExitSignal(int(code))


class OperatingSystem(NetObject):
    type_name = "System.OperatingSystem"

    def __init__(self, version: Version, windows: bool) -> None:
        self.version = version
        self.windows = windows

    def __str__(self) -> str:
        return f"{'Microsoft Windows NT' if self.windows else 'Unix'} {self.version}"


SYSTEM = NetType("System.OperatingSystem")
SYSTEM.prop(
    "Platform", lambda o: enums.value("System.PlatformID", "Win32NT" if o.windows else "Unix")
)
SYSTEM.prop("Version", lambda o: o.version)
SYSTEM.prop("VersionString", str)
SYSTEM.prop("ServicePack", lambda o: "")
SYSTEM.to_text = str

# --- console

CONSOLE = NetType("System.Console")


class ConsoleWriter(NetObject):
    """[Console]::Out and [Console]::Error."""

    type_name = "System.IO.TextWriter+SyncTextWriter"

    def __init__(self, stream: str) -> None:
        self.stream = stream

    def write(self, interp: Any, text: str) -> None:
        if self.stream == "stdout":
            interp.flush_output()
        getattr(interp, self.stream).write(text.encode())


CONSOLE_WRITER = NetType("System.IO.TextWriter+SyncTextWriter")
_OUT, _ERROR = ConsoleWriter("stdout"), ConsoleWriter("stderr")


def _printing(end: bool, writer: ConsoleWriter | None = None) -> Any:
    def bound(interp: Any, self: ConsoleWriter, *args: Any) -> None:
        self.write(interp, formatted(args) + (getattr(interp, "newline", "\r\n") if end else ""))

    def static(interp: Any, *args: Any) -> None:
        bound(interp, _OUT, *args)

    return static if writer is not None else bound


CONSOLE_WRITER.method("Write")(_printing(False))
CONSOLE_WRITER.method("WriteLine")(_printing(True))
CONSOLE_WRITER.method("Flush")(lambda self: None)
CONSOLE.static("Write")(_printing(False, _OUT))
CONSOLE.static("WriteLine")(_printing(True, _OUT))
CONSOLE.value("Out", _OUT)
CONSOLE.value("Error", _ERROR)
CONSOLE.value("OutputEncoding", OEM, lambda interp, new: None)


def _set_input_encoding(interp: Any, new: Any) -> None:
    interp.input_encoding = new


CONSOLE.value("InputEncoding", OEM, _set_input_encoding)
CONSOLE.value("Title", "", lambda interp, new: None)
CONSOLE.value("IsInputRedirected", True)
CONSOLE.value("IsOutputRedirected", True)
CONSOLE.value("IsErrorRedirected", True)
CONSOLE.value("WindowWidth", 120)
CONSOLE.value("BufferWidth", 120)
for _name in ("ForegroundColor", "BackgroundColor"):
    CONSOLE.value(
        _name,
        lambda _name=_name: enums.value(
            "System.ConsoleColor", "Gray" if _name[0] == "F" else "Black"
        ),
        lambda interp, new: None,
    )
CONSOLE.static("ResetColor", "Clear", "Beep")(lambda *args: None)


class ConsoleReader(NetObject):
    """[Console]::In: standard input of the session."""

    type_name = "System.IO.SyncTextReader"


CONSOLE_READER = NetType("System.IO.SyncTextReader")
CONSOLE.value("In", ConsoleReader())


class ConsoleText(Reader):
    """Standard input as text, read as it comes: a line is there as soon as its end is, and more may follow."""

    def __init__(self, stream: Any) -> None:
        super().__init__("", "System.IO.SyncTextReader")
        self._input = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")

    def _more(self) -> bool:
        """Read what has come, or wait for it; False at the end."""
        if self._input is None:
            return False
        data = self._input.read(_CONSOLE_BUFFER)
        self.text = self.text[self.position :] + self._decoder.decode(data, final=not data)
        self.position = 0
        if not data:
            self._input = None
        return bool(data)

    def line(self) -> str | None:
        looked = self.position
        while True:
            found = _LINE_END.search(self.text, looked)
            # After a carriage return alone .NET waits for what follows it.
            if found and not (found[0] == "\r" and found.end() == len(self.text)):
                line = self.text[self.position : found.start()]
                self.position = found.end()
                return line
            looked = max(0, len(self.text) - self.position - 1)
            if not self._more():
                return super().line()

    def rest(self) -> str:
        while self._more():
            pass
        return super().rest()


_CONSOLE_BUFFER = 4096
_LINE_END = re.compile(r"\r\n|\r|\n")


def _input(interp: Any) -> Reader:
    """Standard input as text."""
    found = getattr(interp, "console_input", None)
    if found is None:
        found = ConsoleText(getattr(interp, "stdin", None))
        interp.console_input = found
    assert isinstance(found, Reader)  # noqa: S101 - only made here
    return found


CONSOLE_READER.method("ReadToEnd")(lambda interp, self: _input(interp).rest())
CONSOLE_READER.method("ReadLine")(lambda interp, self: _input(interp).line())
CONSOLE_READER.method("Peek")(
    lambda interp, self: ord(_input(interp).text[_input(interp).position :][:1] or "\uffff")
)
CONSOLE.static("ReadLine")(lambda interp: _input(interp).line())

# --- process, threads, runtime

THREAD = NetType("System.Threading.Thread")


@THREAD.static("Sleep")
def sleep(interp: Any, duration: Any) -> None:
    """Sleep by parts, so that a session that ends does not have to wait."""
    seconds = duration.seconds if isinstance(duration, TimeSpan) else float(duration) / 1000
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if interp.cancelled():
            return
        time.sleep(min(left, 0.1))


THREAD.value("CurrentThread", lambda: Thread())


class Thread(NetObject):
    type_name = "System.Threading.Thread"


def _keep_culture(thread: Thread, new: Any) -> None:
    if to_string(new) not in ("en-US", ""):
        raise NotSimulated(f"culture {to_string(new)} of messages")


THREAD.prop(
    "CurrentCulture",
    lambda thread: Culture(culture_now.current().name),
    lambda thread, new: culture_now.change(culture_now.known(to_string(new))),
)
THREAD.prop("CurrentUICulture", lambda thread: ui_culture(), _keep_culture)
THREAD.prop("ManagedThreadId", lambda thread: 1)


GC = NetType("System.GC")
GC.static("Collect", "WaitForPendingFinalizers")(lambda *args: None)
GC.static("GetTotalMemory")(lambda force=False: 50_000_000)

RUNTIME = NetType("System.Runtime.InteropServices.RuntimeInformation")
RUNTIME.value("FrameworkDescription", ".NET Framework 4.8.4690.0")
RUNTIME.value("OSDescription", "Microsoft Windows 10.0.20348 ")
RUNTIME.value("OSArchitecture", "X64")
RUNTIME.value("ProcessArchitecture", "X64")
