"""FileInfo and DirectoryInfo: what Get-ChildItem gives."""

from __future__ import annotations

from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import DateTime
from k8swin_lab.powershell.values import PSArray


class FileSystemInfo(NetObject):
    """A file or directory by path; `stat` asks the machine once, `refresh` forgets the answer."""

    def __init__(self, host: Any, path: str, *, is_directory: bool, known: Any = None) -> None:
        self.host = host
        self.path = path
        self.is_directory = is_directory
        self.type_name = "System.IO.DirectoryInfo" if is_directory else "System.IO.FileInfo"
        self._known = known

    @property
    def stat(self) -> Any:
        if self._known is None:
            try:
                self._known = self.host.files.stat(self.path)
            except OSError:
                return None
        return self._known

    def refresh(self) -> None:
        self._known = None

    @property
    def name(self) -> str:
        stripped = self.path.rstrip("\\/") if len(self.path) > 3 else self.path
        cut = max(stripped.rfind("/"), stripped.rfind("\\") if self.host.separator == "\\" else -1)
        return stripped[cut + 1 :] or stripped

    @property
    def parent(self) -> str:
        stripped = self.path.rstrip("\\/")
        cut = max(stripped.rfind("/"), stripped.rfind("\\") if self.host.separator == "\\" else -1)
        if cut < 0:
            return ""
        found = stripped[:cut]
        return found + self.host.separator if found == "" or found.endswith(":") else found

    @property
    def modified(self) -> DateTime:
        # A file that is not there was last written when FILETIME begins.
        return DateTime.from_epoch(self.stat.modified if self.stat else -11_644_473_600)

    @property
    def mode(self) -> str:
        """As 5.1 shows it: d-----, -a----."""
        link = bool(self.stat and self.stat.link_target)
        head = "d-" if self.is_directory else "-a"
        return head + ("r" if self.read_only else "-") + "--" + ("l" if link else "-")

    @property
    def attributes(self) -> Any:
        declared = enums.find("System.IO.FileAttributes")
        assert declared is not None  # noqa: S101 - declared in enums
        if self.stat is None and not self.is_directory:
            return declared.of(-1)
        link = 1024 if self.stat and self.stat.link_target else 0
        kept = 1 if self.read_only else 0
        return declared.of((16 if self.is_directory else 32) | link | kept)

    @property
    def read_only(self) -> bool:
        known = getattr(self.host.files, "attributes", None)
        return bool(self.stat) and known is not None and "ReadOnly" in known(self.path)

    def __str__(self) -> str:
        return self.path

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def info(host: Any, path: str) -> FileSystemInfo:
    """The file or directory at a path; one that is not there counts as a file."""
    try:
        found = host.files.stat(path)
    except OSError:
        return FileSystemInfo(host, path, is_directory=False)
    return FileSystemInfo(host, path, is_directory=found.is_directory, known=found)


def _set_time(self: FileSystemInfo, value: Any) -> None:
    raise NotSimulated("setting a file's times")


def set_attributes(self: FileSystemInfo, value: Any) -> None:
    wanted = enums.value("System.IO.FileAttributes", value).enum_number
    if wanted & ~(1 | 16 | 32 | 128 | 1024):
        raise NotSimulated(f"a file's attributes {value}")
    _set_read_only(self, bool(wanted & 1))


def _set_read_only(self: FileSystemInfo, value: Any) -> None:
    """The one attribute that decides whether a file can be written."""
    found = self.host.files.attributes(self.path)
    self.host.files.set_attributes(
        self.path, found | {"ReadOnly"} if value else found - {"ReadOnly"}
    )


BASE = NetType("System.IO.FileSystemInfo", "System.MarshalByRefObject")
FILE = NetType("System.IO.FileInfo", BASE.name)
FOLDER = NetType("System.IO.DirectoryInfo", BASE.name)
for _type in (FILE, FOLDER):
    _type.prop("Name", lambda f: f.name)
FILE.prop("Length", lambda f: f.stat.size if f.stat else None)
FILE.prop("DirectoryName", lambda f: f.parent)
FILE.prop("Directory", lambda f: FileSystemInfo(f.host, f.parent, is_directory=True))
FILE.prop("IsReadOnly", lambda f: f.read_only, _set_read_only)
FOLDER.prop(
    "Parent", lambda f: FileSystemInfo(f.host, f.parent, is_directory=True) if f.parent else None
)
FOLDER.prop(
    "Root",
    lambda f: FileSystemInfo(f.host, f.path[:3] if f.path[1:2] == ":" else "/", is_directory=True),
)
BASE.prop(
    "BaseName",
    lambda f: f.name if f.is_directory or "." not in f.name else f.name[: f.name.rfind(".")],
)
BASE.prop("Mode", lambda f: f.mode)
BASE.prop("FullName", lambda f: f.path)
BASE.prop("Exists", lambda f: f.stat is not None)
BASE.prop("Extension", lambda f: f.name[f.name.rfind(".") :] if "." in f.name else "")
for _name in ("CreationTime", "LastAccessTime", "LastWriteTime"):
    BASE.prop(_name, lambda f: f.modified, _set_time)
    BASE.prop(_name + "Utc", lambda f: f.modified.to_universal(), _set_time)
BASE.prop("Attributes", lambda f: f.attributes, set_attributes)
BASE.prop("LinkType", lambda f: "SymbolicLink" if f.stat and f.stat.link_target else None)
BASE.prop("Target", lambda f: f.stat.link_target if f.stat else None)
BASE.prop("PSIsContainer", lambda f: f.is_directory)
BASE.prop("PSPath", lambda f: f"Microsoft.PowerShell.Core\\FileSystem::{f.path}")
BASE.prop("PSParentPath", lambda f: f"Microsoft.PowerShell.Core\\FileSystem::{f.parent}")
BASE.prop("PSChildName", lambda f: f.name)
BASE.to_text = str
BASE.method("Refresh")(lambda self: self.refresh())
BASE.method("ToString")(lambda self: self.path)


@BASE.method("Delete")
def _delete(self: FileSystemInfo, recursive: bool = False) -> None:
    if self.is_directory or self.host.files.exists(self.path):
        self.host.files.remove(self.path, recursive=recursive)
    self.refresh()


def _children(self: FileSystemInfo, kind: str) -> Any:
    found = [
        FileSystemInfo(self.host, e.path, is_directory=e.is_directory, known=e)
        for e in self.host.files.list(self.path)
    ]
    return PSArray(f for f in found if kind == "any" or f.is_directory == (kind == "directory"))


FOLDER.method("GetFiles", "EnumerateFiles")(lambda self: _children(self, "file"))
FOLDER.method("GetDirectories", "EnumerateDirectories")(lambda self: _children(self, "directory"))
FOLDER.method("GetFileSystemInfos")(lambda self: _children(self, "any"))


@FILE.constructor
def _new_file(interp: Any, path: Any) -> FileSystemInfo:
    return FileSystemInfo(interp.host, interp.full_path(to_string(path)), is_directory=False)


@FOLDER.constructor
def _new_folder(interp: Any, path: Any) -> FileSystemInfo:
    return FileSystemInfo(interp.host, interp.full_path(to_string(path)), is_directory=True)
