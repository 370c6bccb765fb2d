r"""The file system of a simulated Windows: drive C: in memory, names without case.

Paths may be long (`\\?\C:\x`), with forward slashes or without a drive (Go programs write `/run/x`); all name
the same entry. Access control lists are kept and inherited as NTFS does, and not enforced: everybody who gets
onto the lab's machines is an administrator or SYSTEM.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from k8swin_lab.machines.file_info import FileInfo
from k8swin_lab.machines.windows_handles import READ, WRITE, Handles

_MAXIMUM_LINKS = 31
Names = list[str]


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One entry of an access control list; `rights` and `flags` in the letters of icacls (F, M, RX; OI, CI)."""

    identity: str
    rights: str
    flags: str = ""
    allow: bool = True
    inherited: bool = False


@dataclass(slots=True)
class AccessList:
    """An explicit list. `protected` means that nothing is inherited from the folder above."""

    owner: str = r"BUILTIN\Administrators"
    protected: bool = False
    rules: list[AccessRule] = field(default_factory=list)


@dataclass(slots=True)
class _Entry:
    name: str
    modified: float
    created: float
    children: dict[str, _Entry] | None = None  # None: a file
    content: bytes = b""
    target: str | None = None
    attributes: set[str] = field(default_factory=set)
    access: AccessList = field(default_factory=AccessList)


def split_path(path: str) -> list[str]:
    r"""Return the names below C:\ that a path in any spelling has.

    Raises:
        FileNotFoundError: The path names another drive.
    """
    text = path.replace("/", "\\")
    for prefix in ("\\\\?\\", "\\\\.\\"):
        text = text.removeprefix(prefix)
    if len(text) > 1 and text[1] == ":":
        if text[0] not in "cC":
            raise FileNotFoundError(f"Could not find a part of the path '{path}'.")
        text = text[2:]
    parts: list[str] = []
    for part in text.split("\\"):
        if part in ("", "."):
            continue
        if part == "..":
            parts = parts[:-1]
            continue
        parts.append(part.rstrip(" .") or part)
    return parts


class WindowsFiles:
    """The tree under C:; a `FileSystem` of the PowerShell host."""

    def __init__(
        self, lock: threading.RLock | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._lock = lock or threading.RLock()
        self._clock = clock
        now = clock()
        self._root = _Entry("", now, now, children={})
        self._root.access = AccessList(
            r"NT SERVICE\TrustedInstaller",
            True,
            [
                AccessRule(r"NT AUTHORITY\SYSTEM", "F", "OI,CI"),
                AccessRule(r"BUILTIN\Administrators", "F", "OI,CI"),
                AccessRule(r"BUILTIN\Users", "RX", "OI,CI"),
            ],
        )
        self.in_use: Callable[[str], bool] = lambda path: False
        """Whether a running program holds this file open (its executable); such a file cannot be replaced."""
        self.renamed: Callable[[str, str], None] = lambda old, new: None
        """Told when a file has another name: a program that runs from it may be renamed, and runs on."""
        self.open: set[str] = set()
        """Files that a program has open and lets others read and write, but not delete; in lower case."""
        self.handles = Handles()
        """Files that scripts have open."""
        self.scan_seconds = 0.0
        """How long a scanner holds each file that was written; 0: there is none."""

    # --- finding

    def _walk(
        self, parts: list[str], *, follow: bool, depth: int = 0
    ) -> tuple[_Entry, list[str]] | None:
        if depth > _MAXIMUM_LINKS:
            raise OSError("The name of the file cannot be resolved by the system.")
        entry, spelled = self._root, list[str]()
        for index, part in enumerate(parts):
            if entry.children is None:
                return None
            child = entry.children.get(part.lower())
            if child is None:
                return None
            last = index == len(parts) - 1
            if child.target is not None and (follow or not last):
                base = child.target
                if ":" not in base and not base.startswith(("\\", "/")):
                    base = "\\".join([*spelled, base])
                found = self._walk(split_path(base), follow=True, depth=depth + 1)
                if found is None:
                    return None
                entry = found[0]
            else:
                entry = child
            spelled.append(child.name)
        return entry, spelled

    def _find(self, path: str, *, follow: bool = True) -> tuple[_Entry, list[str]]:
        found = self._walk(split_path(path), follow=follow)
        if found is None:
            raise FileNotFoundError(f"Could not find file '{path}'.")
        return found

    def _parent(self, path: str) -> tuple[_Entry, str]:
        parts = split_path(path)
        if not parts:
            raise PermissionError(f"Access to the path '{path}' is denied.")
        found = self._walk(parts[:-1], follow=True)
        if found is None or found[0].children is None:
            raise FileNotFoundError(f"Could not find a part of the path '{path}'.")
        return found[0], parts[-1]

    def _check_use(self, path: str) -> None:
        if self.in_use("C:\\" + "\\".join(split_path(path))):
            raise OSError(
                f"The process cannot access the file '{path}' because it is being used by another process."
            )

    # --- FileSystem

    def _check_shared(self, path: str, access: int) -> None:
        if self.handles.refuses("C:\\" + "\\".join(split_path(path)), access):
            raise OSError(
                f"The process cannot access the file '{path}' because it is being used by another process."
            )

    def read(self, path: str) -> bytes:
        """Open, read and close a file.

        Raises:
            OSError: it cannot be read, or somebody has it open and does not share it.
        """
        self._check_shared(path, READ)
        return self.read_opened(path)

    def read_opened(self, path: str) -> bytes:
        """Read through a handle that was taken."""
        with self._lock:
            entry = self._find(path)[0]
            if entry.children is not None:
                raise PermissionError(f"Access to the path '{path}' is denied.")
            return entry.content

    def write(self, path: str, data: bytes) -> None:
        """Open, write and close a file.

        Raises:
            OSError: it cannot be written, or somebody has it open and does not share it.
        """
        self._check_shared(path, WRITE)
        self.write_opened(path, data)

    def write_opened(self, path: str, data: bytes) -> None:
        """Write through a handle that was taken."""
        if self.scan_seconds:
            self.handles.hold("C:\\" + "\\".join(split_path(path)), self.scan_seconds)
        with self._lock:
            self._check_use(path)
            found = self._walk(split_path(path), follow=True)
            now = self._clock()
            if found is None:
                parent, name = self._parent(path)
                assert parent.children is not None  # noqa: S101 - _parent returns folders
                parent.children[name.lower()] = _Entry(
                    name, now, now, content=data, attributes={"Archive"}
                )
                return
            entry = found[0]
            if entry.children is not None or "ReadOnly" in entry.attributes:
                raise PermissionError(f"Access to the path '{path}' is denied.")
            entry.content, entry.modified = data, now

    def append(self, path: str, data: bytes) -> None:
        """Add to the end of a file, which is made when it is not there."""
        with self._lock:
            found = self._walk(split_path(path), follow=True)
            if found is None or found[0].children is not None:
                self.write(path, data)
            elif "ReadOnly" in found[0].attributes:
                raise PermissionError(f"Access to the path '{path}' is denied.")
            else:
                found[0].content += data
                found[0].modified = self._clock()

    def stat(self, path: str) -> FileInfo:
        with self._lock:
            entry, spelled = self._find(path, follow=False)
            return self._describe(entry, spelled)

    def _describe(self, entry: _Entry, spelled: list[str]) -> FileInfo:
        directory = entry.children is not None
        if entry.target is not None:
            found = self._walk(spelled, follow=True)
            directory = found is not None and found[0].children is not None
        full = "C:\\" + "\\".join(spelled)
        return FileInfo(full, directory, len(entry.content), entry.modified, entry.target)

    def exists(self, path: str) -> bool:
        with self._lock:
            try:
                return self._walk(split_path(path), follow=True) is not None
            except OSError:
                return False

    def list(self, path: str) -> Iterator[FileInfo]:
        with self._lock:
            entry, spelled = self._find(path)
            if entry.children is None:
                raise NotADirectoryError(f"The directory name is invalid: '{path}'.")
            found = [
                self._describe(child, [*spelled, child.name]) for child in entry.children.values()
            ]
        return iter(sorted(found, key=lambda info: info.path.lower()))

    def make_directory(self, path: str) -> None:
        with self._lock:
            entry, now = self._root, self._clock()
            parts = split_path(path)
            for index, part in enumerate(parts):
                found = self._walk(parts[: index + 1], follow=True)
                if found is None:
                    assert entry.children is not None  # noqa: S101 - checked below
                    entry.children[part.lower()] = _Entry(part, now, now, children={})
                    entry = entry.children[part.lower()]
                else:
                    entry = found[0]
                if entry.children is None:
                    raise FileExistsError(f"An item with the specified name {path} already exists.")

    def remove(self, path: str, *, recursive: bool = False) -> None:
        with self._lock:
            entry, spelled = self._find(path, follow=False)
            self._refuse_held(entry, spelled)
            if entry.children and entry.target is None and not recursive:
                raise OSError(f"The directory is not empty: '{path}'.")
            parent, name = self._parent(path)
            assert parent.children is not None  # noqa: S101 - _parent returns folders
            del parent.children[name.lower()]

    def _refuse_held(self, entry: _Entry, spelled: Names, *, rename: bool = False) -> None:
        """Raise when a file of a tree cannot go away: a program that runs, a file that is open.

        A program's own file may be renamed while it runs, a folder around it may not.
        """
        for held in self._files_below(entry, spelled):
            below = "C:\\" + "\\".join(held)
            if not rename and "ReadOnly" in self._find(below, follow=False)[0].attributes:
                raise PermissionError(f"Access to the path '{below}' is denied.")
            if self.in_use(below) and not (rename and entry.children is None):
                raise PermissionError(f"Access to the path '{below}' is denied.")
            if below.lower() in self.open or self.handles.undeletable(below):
                raise OSError(
                    f"The process cannot access the file '{below}' because it is being used by another process."
                )

    def _files_below(self, entry: _Entry, spelled: Names) -> Iterator[Names]:
        if entry.children is None:
            yield spelled
            return
        for child in entry.children.values():
            yield from self._files_below(child, [*spelled, child.name])

    def move(self, source: str, target: str) -> None:
        with self._lock:
            entry, spelled = self._find(source, follow=False)
            self._refuse_held(entry, spelled, rename=True)
            parent, name = self._parent(target)
            assert parent.children is not None  # noqa: S101 - _parent returns folders
            there = parent.children.get(name.lower())
            if (
                there is not None
                and there is not entry
                and (there.children is not None or entry.children is not None)
            ):
                raise FileExistsError(
                    f"Cannot create a file when that file already exists: '{target}'."
                )
            if there is not None and there is not entry:
                self._refuse_held(there, [*self._spelled_parent(target), there.name])
            old_parent, old_name = self._parent(source)
            assert old_parent.children is not None  # noqa: S101 - _parent returns folders
            del old_parent.children[old_name.lower()]
            entry.name = name
            parent.children[name.lower()] = entry
            self.renamed("C:\\" + "\\".join(spelled), "C:\\" + "\\".join(split_path(target)))

    def _spelled_parent(self, path: str) -> Names:
        found = self._walk(split_path(path)[:-1], follow=True)
        return found[1] if found is not None else []

    # --- what NTFS has besides

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link (or junction; the lab makes no difference)."""
        with self._lock:
            parent, name = self._parent(path)
            assert parent.children is not None  # noqa: S101 - _parent returns folders
            if name.lower() in parent.children:
                raise FileExistsError(
                    f"Cannot create a file when that file already exists: '{path}'."
                )
            now = self._clock()
            parent.children[name.lower()] = _Entry(name, now, now, target=target)

    def attributes(self, path: str) -> set[str]:
        """Names as in [System.IO.FileAttributes], Directory and ReparsePoint included."""
        with self._lock:
            entry, spelled = self._find(path, follow=False)
            names = set(entry.attributes)
            if self._describe(entry, spelled).is_directory:
                names.add("Directory")
            if entry.target is not None:
                names.add("ReparsePoint")
            return names or {"Normal"}

    def set_attributes(self, path: str, names: set[str]) -> None:
        """Set those that can be set; what follows from the kind of entry stays."""
        with self._lock:
            self._find(path, follow=False)[0].attributes = names - {
                "Directory",
                "ReparsePoint",
                "Normal",
            }

    def make_writable(self, path: str) -> None:
        """Take ReadOnly from a file, or from all files below a folder."""
        with self._lock:
            entry, spelled = self._find(path, follow=False)
            for below in self._files_below(entry, spelled):
                self._find("\\".join(below), follow=False)[0].attributes.discard("ReadOnly")

    def created(self, path: str) -> float:
        """When the entry was made (seconds since the epoch)."""
        with self._lock:
            return self._find(path, follow=False)[0].created

    def access(self, path: str) -> AccessList:
        """The list in force: explicit rules, then those inherited from the folders above."""
        with self._lock:
            entry, _ = self._find(path)
            result = AccessList(
                entry.access.owner, entry.access.protected, list(entry.access.rules)
            )
            parts = split_path(path)
            protected = entry.access.protected
            while parts and not protected:
                parts = parts[:-1]
                found = self._walk(parts, follow=True)
                if found is None:
                    break
                above = found[0].access
                for rule in above.rules:
                    if rule.flags:
                        flags = rule.flags if entry.children is not None else ""
                        result.rules.append(replace(rule, flags=flags, inherited=True))
                protected = above.protected
            return result

    def set_access(self, path: str, access: AccessList) -> None:
        """Replace the explicit list; inherited rules in it are left out."""
        with self._lock:
            rules = [rule for rule in access.rules if not rule.inherited]
            self._find(path)[0].access = AccessList(access.owner, access.protected, rules)

    def used_bytes(self) -> int:
        """The size of all files."""

        def size(entry: _Entry) -> int:
            if entry.children is None:
                return len(entry.content)
            return sum(size(child) for child in entry.children.values())

        with self._lock:
            return size(self._root)
