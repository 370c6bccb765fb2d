"""System.IO: Path, File, Directory over the machine's file system."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows_handles import READ, WRITE, SharingViolation
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.encodings import UTF8_PLAIN, Encoding, detect
from k8swin_lab.powershell.dotnet.fileinfo import FileSystemInfo, info, set_attributes
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import NetType, io_error
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import DateTime
from k8swin_lab.powershell.values import PSArray
from k8swin_lab.powershell.wildcards import wildcard

PATH = NetType("System.IO.Path")


def _separators(interp: Any) -> str:
    return "\\/" if interp.host.separator == "\\" else "/"


def split_path(interp: Any, path: str) -> tuple[str, str]:
    """Directory and last part."""
    cut = max(path.rfind(char) for char in _separators(interp))
    return path[: cut + 1], path[cut + 1 :]


@PATH.static("Combine")
def _combine(interp: Any, *parts: Any) -> str:
    texts = [
        to_string(p)
        for p in (parts[0] if len(parts) == 1 and isinstance(parts[0], list) else parts)
    ]
    result = ""
    for text in texts:
        if not text:
            continue
        if _is_rooted(interp, text) or not result:
            result = text
        elif result[-1] in _separators(interp) + ":":
            result += text
        else:
            result += interp.host.separator + text
    return result


@PATH.static("IsPathRooted")
def _is_rooted(interp: Any, path: str) -> bool:
    return path[:1] != "" and (
        path[0] in _separators(interp) or (interp.host.separator == "\\" and path[1:2] == ":")
    )


@PATH.static("GetFileName")
def _file_name(interp: Any, path: str) -> str:
    return split_path(interp, path)[1]


@PATH.static("GetExtension")
def _extension(interp: Any, path: str) -> str:
    name = _file_name(interp, path)
    dot = name.rfind(".")
    return name[dot:] if dot >= 0 and dot < len(name) - 1 else ""


@PATH.static("GetFileNameWithoutExtension")
def _stem(interp: Any, path: str) -> str:
    name = _file_name(interp, path)
    return name[: name.rfind(".")] if "." in name else name


@PATH.static("GetDirectoryName")
def _directory_name(interp: Any, path: str) -> str | None:
    folder, name = split_path(interp, path)
    stripped = folder.rstrip(_separators(interp))
    if not stripped and folder:
        return None if not name else interp.host.separator
    if len(stripped) == 2 and stripped.endswith(":") and interp.host.separator == "\\":
        return stripped + "\\" if name else None
    return stripped.replace("/", "\\") if interp.host.separator == "\\" else stripped


@PATH.static("ChangeExtension")
def _change_extension(interp: Any, path: str, extension: Any) -> str:
    folder, name = split_path(interp, path)
    stem = name[: name.rfind(".")] if "." in name else name
    wanted = to_string(extension)
    return folder + stem + (wanted if not wanted or wanted.startswith(".") else "." + wanted)


PATH.static("HasExtension")(lambda interp, path: bool(_extension(interp, to_string(path))))
PATH.static("GetFullPath")(lambda interp, path, base=None: _full(interp, to_string(path)))
PATH.static("GetRandomFileName")(lambda: f"{uuid.uuid4().hex[:8]}.{uuid.uuid4().hex[:3]}")
PATH.static("GetPathRoot")(lambda interp, path: _root(interp, to_string(path)))
PATH.static("GetTempPath")(lambda interp: temp_directory(interp) + interp.host.separator)
PATH.static("GetInvalidFileNameChars")(lambda: PSArray(list('"<>|\0:*?\\/'), "System.Char"))
PATH.static("GetInvalidPathChars")(lambda: PSArray(list('"<>|\0'), "System.Char"))
PATH.value("DirectorySeparatorChar", "\\")
PATH.value("AltDirectorySeparatorChar", "/")
PATH.value("PathSeparator", ";")
PATH.value("VolumeSeparatorChar", ":")


def _root(interp: Any, path: str) -> str:
    if interp.host.separator == "\\" and path[1:2] == ":":
        return path[:3] if path[2:3] in ("\\", "/") else path[:2]
    return path[:1] if path[:1] and path[0] in _separators(interp) else ""


def temp_directory(interp: Any) -> str:
    """TEMP of the session, without a separator at its end."""
    environment = {key.upper(): value for key, value in interp.environment.items()}
    default = "C:\\Windows\\Temp" if interp.host.separator == "\\" else "/tmp"  # noqa: S108 - the machine's
    return str(environment.get("TEMP") or environment.get("TMPDIR") or default).rstrip(
        interp.host.separator
    )


@PATH.static("GetTempFileName")
def new_temp_file(interp: Any) -> str:
    """Make an empty file of a new name."""
    path = f"{temp_directory(interp)}{interp.host.separator}tmp{uuid.uuid4().hex[:4].upper()}.tmp"
    interp.host.files.make_directory(temp_directory(interp))
    interp.host.files.write(path, b"")
    return path


def _full(interp: Any, path: str) -> str:
    full = str(interp.full_path(path))
    if interp.host.separator == "/":
        return posixpath.normpath(full)
    return full


FILE = NetType("System.IO.File")


def held(interp: Any, full: str, access: int, share: int) -> Callable[[], None] | None:
    """Open a file for others to see, and return what closes it; None where the machine keeps no such book.

    Raises:
        Terminating: somebody else has it open and does not share it for this.
    """
    handles = getattr(interp.host.files, "handles", None)
    if handles is None:
        return None
    try:
        handle = handles.take(full, access, share)
    except SharingViolation:
        raise io_error(
            f"The process cannot access the file '{full}' because it is being used by another process."
        ) from None
    return lambda: handles.release(handle)


def _touched(interp: Any, full: str, access: int) -> None:
    """Open a file for a moment, as what reads or writes all of it does."""
    let_go = held(interp, full, access, READ)
    if let_go is not None:
        let_go()


def read_bytes(interp: Any, path: str) -> bytes:
    """Read a file with .NET's errors."""
    full = _full(interp, path)
    try:
        files = interp.host.files
        return bytes(getattr(files, "read_opened", files.read)(full))
    except FileNotFoundError:
        parent = _directory_name(interp, full)
        if parent and not interp.host.files.exists(parent):
            raise io_error(
                f"Could not find a part of the path '{full}'.",
                "System.IO.DirectoryNotFoundException",
            ) from None
        raise io_error(
            f"Could not find file '{full}'.", "System.IO.FileNotFoundException"
        ) from None
    except (IsADirectoryError, PermissionError):
        raise io_error(
            f"Access to the path '{full}' is denied.", "System.UnauthorizedAccessException"
        ) from None


def write_bytes(interp: Any, path: str, data: bytes) -> None:
    """Write a file with .NET's errors: the directory must be there."""
    full = _full(interp, path)
    parent = _directory_name(interp, full)
    if parent and not interp.host.files.exists(parent):
        raise io_error(
            f"Could not find a part of the path '{full}'.", "System.IO.DirectoryNotFoundException"
        )
    try:
        files = interp.host.files
        getattr(files, "write_opened", files.write)(full, data)
    except (IsADirectoryError, PermissionError):
        raise io_error(
            f"Access to the path '{full}' is denied.", "System.UnauthorizedAccessException"
        ) from None


def read_whole(interp: Any, path: str) -> bytes:
    """Read a file as what opens it only for that does: nobody may be writing it."""
    _touched(interp, _full(interp, path), READ)
    return read_bytes(interp, path)


def _write_whole(interp: Any, path: str, data: bytes) -> None:
    _touched(interp, _full(interp, path), WRITE)
    write_bytes(interp, path, data)


def lines_of(text: str) -> list[str]:
    """Lines without their ends (CR, LF or both)."""
    parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return parts[:-1] if parts[-1] == "" else parts


def _decode(data: bytes, encoding: Any) -> str:
    return detect(data, encoding if isinstance(encoding, Encoding) else UTF8_PLAIN)[0]


def _encode(text: str, encoding: Any, *, mark: bool = True) -> bytes:
    chosen = encoding if isinstance(encoding, Encoding) else UTF8_PLAIN
    return (chosen.bom if mark else b"") + chosen.encode(text)


def _joined(interp: Any, lines: Any) -> str:
    items = lines if isinstance(lines, Iterable) and not isinstance(lines, str) else [lines]
    end = getattr(interp, "newline", "\r\n")
    return "".join(to_string(line) + end for line in items)


@FILE.static("ReadAllText")
def _read_text(interp: Any, path: str, encoding: Any = None) -> str:
    return _decode(read_whole(interp, path), encoding)


@FILE.static("ReadAllLines")
def _read_lines(interp: Any, path: str, encoding: Any = None) -> PSArray:
    return PSArray(lines_of(_read_text(interp, path, encoding)), "System.String")


FILE.static("ReadLines")(_read_lines)
FILE.static("ReadAllBytes")(lambda interp, path: byte_array(read_whole(interp, to_string(path))))


@FILE.static("WriteAllText")
def _write_text(interp: Any, path: str, text: str, encoding: Any = None) -> None:
    _write_whole(interp, path, _encode(text, encoding))


@FILE.static("WriteAllLines")
def _write_lines(interp: Any, path: str, lines: Any, encoding: Any = None) -> None:
    _write_whole(interp, path, _encode(_joined(interp, lines), encoding))


@FILE.static("WriteAllBytes")
def _write_all(interp: Any, path: str, data: Any) -> None:
    _write_whole(interp, path, to_bytes(data))


def _existing(interp: Any, path: str) -> bytes:
    return read_whole(interp, path) if interp.host.files.exists(_full(interp, path)) else b""


@FILE.static("AppendAllText")
def _append_text(interp: Any, path: str, text: str, encoding: Any = None) -> None:
    old = _existing(interp, path)
    _write_whole(interp, path, old + _encode(text, encoding, mark=not old))


def is_directory(interp: Any, path: str) -> bool:
    """Whether a directory of that path is there."""
    try:
        return bool(interp.host.files.stat(_full(interp, path)).is_directory)
    except OSError:
        return False


FILE.static("Exists")(
    lambda interp, path: (
        bool(path)
        and bool(interp.host.files.exists(_full(interp, to_string(path))))
        and not is_directory(interp, to_string(path))
    )
)


@FILE.static("Delete")
def _delete(interp: Any, path: str) -> None:
    full = _full(interp, path)
    if is_directory(interp, path):
        raise io_error(
            f"Access to the path '{full}' is denied.", "System.UnauthorizedAccessException"
        )
    if interp.host.files.exists(full):
        interp.host.files.remove(full)


@FILE.static("Copy")
def _copy(interp: Any, source: str, target: str, overwrite: bool = False) -> None:
    if interp.host.files.exists(_full(interp, target)) and not overwrite:
        raise io_error(f"The file '{_full(interp, target)}' already exists.")
    _write_whole(interp, target, read_whole(interp, source))


@FILE.static("Move")
def _move(interp: Any, source: str, target: str) -> None:
    if not interp.host.files.exists(_full(interp, source)):
        raise io_error(
            f"Could not find file '{_full(interp, source)}'.", "System.IO.FileNotFoundException"
        )
    if interp.host.files.exists(_full(interp, target)):
        raise io_error("Cannot create a file when that file already exists.")
    interp.host.files.move(_full(interp, source), _full(interp, target))


@FILE.static("Replace")
def _replace(interp: Any, source: str, target: str, backup: str) -> None:
    """As ReplaceFile: the new content takes the place, the rights of what was there stay, and that is the backup."""
    files = interp.host.files
    new, old, kept = (_full(interp, path) for path in (source, target, backup))
    for path in (new, old):
        if not files.exists(path):
            raise io_error(f"Could not find file '{path}'.", "System.IO.FileNotFoundException")
    if files.exists(kept):
        files.remove(kept)
    content = files.read(new)
    files.write(kept, files.read(old))
    files.write(old, content)
    files.remove(new)


def _written(interp: Any, path: str) -> DateTime:
    full = _full(interp, path)
    if not interp.host.files.exists(full):
        return _NEVER
    return DateTime.from_epoch(interp.host.files.stat(full).modified)


_NEVER = DateTime(504_911_232_000_000_000, "Local")
"""1601, which Windows says of a file that is not there."""
for _name in ("LastWriteTime", "CreationTime", "LastAccessTime"):
    FILE.static(f"Get{_name}")(lambda interp, path: _written(interp, to_string(path)))
    FILE.static(f"Get{_name}Utc")(
        lambda interp, path: _written(interp, to_string(path)).to_universal()
    )
FILE.static("GetAttributes")(lambda interp, path: info(interp.host, _full(interp, path)).attributes)
FILE.static("SetAttributes")(
    lambda interp, path, value: set_attributes(info(interp.host, _full(interp, path)), value)
)

DIRECTORY = NetType("System.IO.Directory")
for _name in ("LastWriteTime", "CreationTime", "LastAccessTime"):
    DIRECTORY.static_methods[f"get{_name.lower()}"] = FILE.static_methods[f"get{_name.lower()}"]
    DIRECTORY.static_methods[f"get{_name.lower()}utc"] = FILE.static_methods[
        f"get{_name.lower()}utc"
    ]
DIRECTORY.static("Exists")(
    lambda interp, path: bool(path) and is_directory(interp, to_string(path))
)


@DIRECTORY.static("CreateDirectory")
def _create(interp: Any, path: str) -> FileSystemInfo:
    interp.host.files.make_directory(_full(interp, path))
    return info(interp.host, _full(interp, path))


@DIRECTORY.static("Delete")
def _delete_directory(interp: Any, path: str, recursive: bool = False) -> None:
    full = _full(interp, path)
    if not is_directory(interp, path):
        raise io_error(
            f"Could not find a part of the path '{full}'.", "System.IO.DirectoryNotFoundException"
        )
    if not recursive and any(True for _ in interp.host.files.list(full)):
        raise io_error("The directory is not empty.")
    interp.host.files.remove(full, recursive=recursive)


DIRECTORY.static("Move")(
    lambda interp, source, target: interp.host.files.move(
        _full(interp, to_string(source)), _full(interp, to_string(target))
    )
)
DIRECTORY.static("GetCurrentDirectory")(lambda interp: interp.location)
DIRECTORY.static("GetParent")(
    lambda interp, path: info(
        interp.host, _directory_name(interp, _full(interp, to_string(path))) or ""
    )
)


@DIRECTORY.static("SetCurrentDirectory")
def _set_current(interp: Any, path: str) -> None:
    # .NET keeps a directory of its own beside $PWD; the lab has none, so it must be the same place.
    if _full(interp, path) != _full(interp, interp.location):
        raise NotSimulated("[System.IO.Directory]::SetCurrentDirectory() elsewhere than $PWD")


def _walk(interp: Any, path: str, pattern: str, deep: bool) -> Iterator[Any]:
    regex = wildcard(pattern if pattern != "*.*" else "*")
    if not is_directory(interp, path):
        raise io_error(
            f"Could not find a part of the path '{_full(interp, path)}'.",
            "System.IO.DirectoryNotFoundException",
        )
    for entry in interp.host.files.list(_full(interp, path)):
        if regex.fullmatch(split_path(interp, entry.path)[1]):
            yield entry
        if deep and entry.is_directory:
            yield from _walk(interp, entry.path, pattern, deep)


def _lister(want: str) -> Any:
    def listing(
        interp: Any, path: str, pattern: str = "*", option: Any = "TopDirectoryOnly"
    ) -> PSArray:
        deep = to_string(option) in ("AllDirectories", "1")
        found = _walk(interp, path, pattern, deep)
        return PSArray(
            (e.path for e in found if want == "any" or e.is_directory == (want == "directory")),
            "System.String",
        )

    return listing


DIRECTORY.static("GetFiles", "EnumerateFiles")(_lister("file"))
DIRECTORY.static("GetDirectories", "EnumerateDirectories")(_lister("directory"))
DIRECTORY.static("GetFileSystemEntries", "EnumerateFileSystemEntries")(_lister("any"))
