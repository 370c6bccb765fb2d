"""Streams, readers and writers of System.IO, all over a buffer in memory; a FileStream writes it back."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows_handles import READ, WRITE
from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.composite import format_operator
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.encodings import UTF8_PLAIN, Encoding, detect
from k8swin_lab.powershell.dotnet.files import FILE, held, read_bytes, read_whole, write_bytes
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, io_error
from k8swin_lab.powershell.dotnet.text import to_string


class Stream(NetObject):
    """A buffer with a place in it; `store` gets the content when the stream is closed."""

    def __init__(self, data: bytes = b"", type_name: str = "System.IO.MemoryStream") -> None:
        self.buffer = io.BytesIO(data)
        self.type_name = type_name
        self.store: Callable[[bytes], None] | None = None
        self.name = ""
        self.let_go: Callable[[], None] | None = None
        """Closes the file for others to open, where the machine knows of that."""

    def flush(self) -> None:
        if self.store is not None:
            self.store(self.buffer.getvalue())

    def close(self) -> None:
        self.flush()
        self.store = None
        if self.let_go is not None:
            self.let_go()
            self.let_go = None


STREAM = NetType("System.IO.Stream", "System.MarshalByRefObject")
FILE_STREAM = NetType("System.IO.FileStream", STREAM.name)
STREAM.prop("Length", lambda s: len(s.buffer.getvalue()))
STREAM.prop("Position", lambda s: s.buffer.tell(), lambda s, new: s.buffer.seek(int(new)))
STREAM.prop("CanRead", lambda s: True)
STREAM.prop("CanWrite", lambda s: True)
STREAM.prop("CanSeek", lambda s: True)
FILE_STREAM.prop("Name", lambda s: s.name)
STREAM.method("Close", "Dispose")(lambda self: self.close())
STREAM.method("Flush")(lambda self, *rest: self.flush())
STREAM.method("ReadByte")(lambda self: (self.buffer.read(1) or [-1])[0])


@STREAM.method("SetLength")
def _set_length(self: Stream, size: Any) -> None:
    self.buffer.truncate(int(size))


@STREAM.method("Seek")
def _seek(self: Stream, offset: Any, origin: Any) -> int:
    declared = enums.find("System.IO.SeekOrigin")
    assert declared is not None  # noqa: S101 - declared in enums
    return self.buffer.seek(int(offset), declared.parse(origin).enum_number)


@STREAM.method("WriteByte")
def _write_byte(self: Stream, value: Any) -> None:
    self.buffer.write(bytes([int(value)]))


@STREAM.method("CopyTo")
def _copy_to(self: Stream, target: Stream, *rest: Any) -> None:
    target.buffer.write(self.buffer.read())


@STREAM.method("Write")
def _write(self: Stream, data: Any, start: int = 0, count: int = -1) -> None:
    raw = to_bytes(data)[start:]
    self.buffer.write(raw if count < 0 else raw[:count])


@STREAM.method("Read")
def _read(self: Stream, target: list[Any], start: int, count: int) -> int:
    raw = self.buffer.read(count)
    target[start : start + len(raw)] = byte_array(raw)
    return len(raw)


def _bits(kind: str, value: Any) -> int:
    declared = enums.find(f"System.IO.{kind}")
    assert declared is not None  # noqa: S101 - declared in enums
    return declared.parse(value).enum_number


def open_file(
    interp: Any, path: str, mode: Any = "Open", access: Any = None, share: Any = None
) -> Stream:
    """A FileStream; what is written reaches the file when the stream is flushed or closed.

    Nothing is shared where `share` says nothing, as File.Open has it.
    """
    declared = enums.find("System.IO.FileMode")
    assert declared is not None  # noqa: S101 - declared in enums
    wanted = str(declared.parse(mode))
    full = str(interp.full_path(path))
    exists = bool(interp.host.files.exists(full))
    if wanted == "CreateNew" and exists:
        raise io_error(f"The file '{full}' already exists.")
    keep = wanted in ("Open", "OpenOrCreate", "Append") and (exists or wanted == "Open")
    asked = (
        _bits("FileAccess", access)
        if access is not None
        else WRITE
        if wanted == "Append"
        else READ | WRITE
    )
    handle = held(interp, full, asked, 0 if share is None else _bits("FileShare", share))
    data = read_bytes(interp, path) if keep else b""
    stream = Stream(data, "System.IO.FileStream")
    stream.name = full
    if handle is not None:
        stream.let_go = handle
        interp.opened.append(stream)
    reading = to_string(access) == "Read" or (wanted == "Open" and access is None)
    if not reading or wanted != "Open":
        if not keep:
            write_bytes(interp, path, b"")
        stream.store = lambda content: write_bytes(interp, path, content)
    if wanted == "Append":
        stream.buffer.seek(0, 2)
    return stream


@FILE_STREAM.constructor
def _file_stream(
    interp: Any, path: str, mode: Any = "Open", access: Any = None, share: Any = "Read", *rest: Any
) -> Stream:
    return open_file(interp, path, mode, access, share)


FILE.static("Open")(open_file)
FILE.static("OpenRead")(
    lambda interp, path: open_file(interp, to_string(path), "Open", "Read", "Read")
)
FILE.static("OpenWrite")(
    lambda interp, path: open_file(interp, to_string(path), "OpenOrCreate", "Write")
)
FILE.static("Create")(
    lambda interp, path, *rest: open_file(interp, to_string(path), "Create", "ReadWrite")
)


class Reader(NetObject):
    """TextReader: the whole text and a place in it."""

    def __init__(self, text: str, type_name: str, stream: Stream | None = None) -> None:
        self.text = text
        self.position = 0
        self.type_name = type_name
        self.stream = stream

    def line(self) -> str | None:
        """The next line, or None at the end."""
        if self.position >= len(self.text):
            return None
        end = self.position
        while end < len(self.text) and self.text[end] not in "\r\n":
            end += 1
        found = self.text[self.position : end]
        self.position = end + (2 if self.text[end : end + 2] == "\r\n" else 1)
        return found

    def rest(self) -> str:
        found = self.text[self.position :]
        self.position = len(self.text)
        return found


READER = NetType("System.IO.TextReader", "System.MarshalByRefObject")
STRING_READER = NetType("System.IO.StringReader", READER.name)
STREAM_READER = NetType("System.IO.StreamReader", READER.name)
STRING_READER.constructor(lambda text: Reader(to_string(text), "System.IO.StringReader"))
READER.method("ReadLine")(lambda self: self.line())
READER.method("ReadToEnd")(lambda self: self.rest())
READER.method("Peek")(
    lambda self: ord(self.text[self.position]) if self.position < len(self.text) else -1
)
STREAM_READER.prop("EndOfStream", lambda self: self.position >= len(self.text))


def _base_stream(self: Reader) -> Stream:
    if self.stream is None:
        raise NotSimulated("[System.IO.StreamReader].BaseStream of a file")
    return self.stream


STREAM_READER.prop("BaseStream", _base_stream)


@READER.method("Close", "Dispose")
def _close_reader(self: Reader) -> None:
    if self.stream is not None:
        self.stream.close()


@STREAM_READER.constructor
def _stream_reader(interp: Any, source: Any, encoding: Any = None, *rest: Any) -> Reader:
    default = encoding if isinstance(encoding, Encoding) else UTF8_PLAIN
    if isinstance(source, Stream):
        return Reader(detect(source.buffer.read(), default)[0], "System.IO.StreamReader", source)
    return Reader(
        detect(read_whole(interp, to_string(source)), default)[0], "System.IO.StreamReader"
    )


FILE.static("OpenText")(lambda interp, path: _stream_reader(interp, path))


class Writer(NetObject):
    """TextWriter over a stream, or into a string."""

    def __init__(
        self,
        type_name: str,
        newline: str,
        stream: Stream | None = None,
        encoding: Encoding = UTF8_PLAIN,
    ) -> None:
        self.type_name = type_name
        self.newline = newline
        self.stream = stream
        self.encoding = encoding
        self.text = ""
        self.automatic = False

    def write(self, text: str) -> None:
        if self.stream is None:
            self.text += text
        else:
            if self.stream.buffer.tell() == 0:
                self.stream.buffer.write(self.encoding.bom)
            self.stream.buffer.write(self.encoding.encode(text))

    def __str__(self) -> str:
        return self.text if self.type_name.endswith("StringWriter") else self.type_name


WRITER = NetType("System.IO.TextWriter", "System.MarshalByRefObject")
STRING_WRITER = NetType("System.IO.StringWriter", WRITER.name)
STREAM_WRITER = NetType("System.IO.StreamWriter", WRITER.name)


@STRING_WRITER.constructor
def _string_writer(interp: Any, *rest: Any) -> Writer:
    if any(getattr(item, "type_name", "").endswith("StringBuilder") for item in rest):
        raise NotSimulated("[System.IO.StringWriter]::new() over a StringBuilder")
    return Writer("System.IO.StringWriter", getattr(interp, "newline", "\r\n"))


STRING_WRITER.to_text = str
WRITER.prop("NewLine", lambda w: w.newline, lambda w, new: setattr(w, "newline", to_string(new)))
STREAM_WRITER.prop(
    "AutoFlush", lambda w: w.automatic, lambda w, new: setattr(w, "automatic", bool(new))
)
STREAM_WRITER.prop("BaseStream", lambda w: w.stream)


def formatted(args: tuple[Any, ...]) -> str:
    """The text of Write(value) and of Write(format, arguments)."""
    if len(args) <= 1:
        return (
            "".join(to_string(i) for i in args[0])
            if args and isinstance(args[0], list)
            else to_string(args[0] if args else "")
        )
    if isinstance(args[0], list):
        start, count = (int(number) for number in args[1:])
        return "".join(to_string(item) for item in args[0][start : start + count])
    return format_operator(to_string(args[0]), list(args[1:]))


def _written(end: bool) -> Any:
    def apply(self: Writer, *args: Any) -> None:
        self.write(formatted(args) + (self.newline if end else ""))
        if self.automatic and self.stream is not None:
            self.stream.flush()

    return apply


WRITER.method("Write")(_written(False))
WRITER.method("WriteLine")(_written(True))
WRITER.method("Flush")(lambda self: self.stream.flush() if self.stream is not None else None)
WRITER.method("Close", "Dispose")(
    lambda self: self.stream.close() if self.stream is not None else None
)


@STREAM_WRITER.constructor
def _stream_writer(interp: Any, target: Any, *args: Any) -> Writer:
    encoding = next((a for a in args if isinstance(a, Encoding)), UTF8_PLAIN)
    append = next((a for a in args if isinstance(a, bool)), False)
    stream = (
        target
        if isinstance(target, Stream)
        else open_file(interp, to_string(target), "Append" if append else "Create", "Write")
    )
    return Writer("System.IO.StreamWriter", getattr(interp, "newline", "\r\n"), stream, encoding)


FILE.static("CreateText")(lambda interp, path: _stream_writer(interp, path))
FILE.static("AppendText")(lambda interp, path: _stream_writer(interp, path, True))
