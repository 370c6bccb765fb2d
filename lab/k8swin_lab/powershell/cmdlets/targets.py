"""Paths as cmdlets take them: drives, wildcards, the language's drives and the machine's providers."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Terminating
from k8swin_lab.powershell.dotnet.fileinfo import FileSystemInfo
from k8swin_lab.powershell.providers import ItemProvider
from k8swin_lab.powershell.wildcards import wildcard

_OTHER_DRIVES = ("cert",)
"""Of providers that Windows has."""
_LANGUAGE_DRIVES = ("variable", "function", "env", "alias")
_PROVIDER_PREFIX = re.compile(
    r"(?:Microsoft\.PowerShell\.Core\\)?(\w+)::(.*)", re.IGNORECASE | re.DOTALL
)
_HIVES = {
    "hkey_local_machine": "HKLM",
    "hkey_current_user": "HKCU",
    "hklm": "HKLM",
    "hkcu": "HKCU",
    "hkey_users": "HKU",
    "hkey_classes_root": "HKCR",
}


@dataclass(frozen=True)
class Target:
    """A path taken apart. `drive` is empty for the file system, whose `path` is full."""

    path: str
    drive: str = ""
    provider: ItemProvider | None = None
    table: MutableMapping[str, Any] | None = None

    @property
    def is_file_system(self) -> bool:
        return not self.drive

    @property
    def shown(self) -> str:
        """The path as messages write it."""
        if self.is_file_system:
            return self.path
        return f"{self.drive}:{'' if self.table is not None else chr(92)}{self.path}"


def target_of(call: Call, path: str) -> Target:
    """Take a path apart.

    Raises:
        Terminating: the drive is not there.
    """
    session: Any = call.session
    match = _PROVIDER_PREFIX.fullmatch(path)
    if match is not None:
        if match[1].lower() == "filesystem":
            return Target(session.full_path(match[2]))
        if match[1].lower() == "registry":
            hive, _, rest = match[2].partition("\\")
            path = f"{_HIVES.get(hive.lower(), hive)}:\\{rest}"
        else:
            path = match[2]
    drive, colon, rest = path.partition(":")
    if not colon and session.location.partition(":")[0].lower() not in (
        "",
        *"abcdefghijklmnopqrstuvwxyz",
    ):
        base_drive, base_colon, base_rest = session.location.partition(":")
        if base_colon:
            drive, colon, rest = base_drive, ":", base_rest.rstrip("\\") + "\\" + path
    if not colon or "/" in drive or "\\" in drive:
        return Target(session.full_path(path))
    if len(drive) == 1 and session.host.separator == "\\":
        return Target(session.full_path(path))
    if drive.lower() in _LANGUAGE_DRIVES:
        return Target(rest.lstrip("\\/"), drive, table=session.drive(drive.lower()))
    provider = session.host.drive_provider(drive)
    if provider is None:
        if (
            session.host.separator == "/"
            and len(drive) != 1
            and session.host.files.exists(session.full_path(path))
        ):
            return Target(session.full_path(path))
        if drive.lower() in _OTHER_DRIVES and session.host.edition == "Desktop":
            raise NotSimulated(f"the drive {drive}:")
        raise Terminating(
            f"Cannot find drive. A drive with the name '{drive}' does not exist.",
            exception="System.Management.Automation.DriveNotFoundException",
            category="ObjectNotFound",
            error_id="DriveNotFound",
            target=drive,
        )
    return Target(_tidy(rest), drive.upper(), provider=provider)


def _tidy(path: str) -> str:
    return re.sub(r"\\+", r"\\", path.replace("/", "\\")).strip("\\")


def exists(call: Call, target: Target) -> bool:
    """Whether something is there (no wildcards)."""
    if target.table is not None:
        return not target.path or target.path in target.table
    if target.provider is not None:
        return target.provider.exists(target.path)
    session: Any = call.session
    return bool(session.host.files.exists(target.path))


def has_wildcard(path: str) -> bool:
    """Whether a path needs expansion."""
    return any(char in path for char in "*?[")


def expand(call: Call, path: str, *, literal: bool = False, hidden: bool = True) -> list[Target]:
    """The existing items that a path names; empty when a wildcard matches nothing.

    A path without wildcards gives one target, there or not.
    """
    target = target_of(call, path)
    if literal or not has_wildcard(target.path):
        return [Target(_unescape(target.path), target.drive, target.provider, target.table)]
    if target.table is not None:
        regex = wildcard(target.path)
        return [
            Target(name, target.drive, None, target.table)
            for name in target.table
            if regex.fullmatch(name)
        ]
    if target.provider is not None:
        return [
            Target(found, target.drive, target.provider)
            for found in _expand_provider(target.provider, target.path)
        ]
    session: Any = call.session
    return [Target(found) for found in _expand_files(session.host, target.path, hidden)]


def _unescape(path: str) -> str:
    return re.sub(r"`([*?\[\]])", r"\1", path)


def _expand_provider(provider: ItemProvider, path: str) -> Iterator[str]:
    found = [""]
    for part in path.split("\\"):
        following: list[str] = []
        for base in found:
            if has_wildcard(part):
                regex = wildcard(part)
                names = [name for name in provider.children(base) if regex.fullmatch(name)]
            else:
                names = [part]
            following.extend(f"{base}\\{name}" if base else name for name in names)
        found = following
    return (path_ for path_ in found if provider.exists(path_))


def _expand_files(host: Any, path: str, hidden: bool) -> Iterator[str]:
    separator = host.separator
    parts = path.split(separator)
    bases = [parts[0] + separator]
    for index, part in enumerate(parts[1:], 1):
        if not part:
            continue
        following: list[str] = []
        for base in bases:
            if not has_wildcard(part):
                following.append(join(base, part, separator))
                continue
            regex = wildcard(part)
            try:
                entries = list(host.files.list(base))
            except OSError:
                continue
            for entry in sorted(entries, key=lambda e: e.path.lower()):
                name = FileSystemInfo(host, entry.path, is_directory=entry.is_directory).name
                if regex.fullmatch(name) and (
                    hidden or not name.startswith(".") or separator == "\\"
                ):
                    following.append(join(base, name, separator))
        bases = following
        if index == len(parts) - 1:
            break
    return (found for found in bases if host.files.exists(found))


def join(base: str, name: str, separator: str) -> str:
    """A child's path."""
    return base + name if base.endswith(separator) else base + separator + name


def parent_of(path: str, separator: str) -> str:
    """The directory of a full path; empty for a root."""
    stripped = path.rstrip(separator)
    cut = stripped.rfind(separator)
    if cut < 0:
        return ""
    found = stripped[:cut]
    return found + separator if not found or found.endswith(":") else found


def leaf_of(path: str, separator: str) -> str:
    """The last part of a path."""
    return path.rstrip(separator).rpartition(separator)[2]


def not_found(call: Call, shown: str) -> None:
    """Write the error of a path that is not there."""
    call.session.write_error(
        f"Cannot find path '{shown}' because it does not exist.",
        category="ObjectNotFound",
        error_id="PathNotFound",
        exception="System.Management.Automation.ItemNotFoundException",
        target=shown,
    )


def given(call: Call, *, default: str | None = None) -> list[tuple[str, bool]]:
    """The -Path or -LiteralPath arguments, with whether they are literal."""
    if call.bound("LiteralPath"):
        return [(path, True) for path in call["LiteralPath"]]
    paths = call["Path"]
    if not paths:
        return [] if default is None else [(default, False)]
    return [(path, False) for path in (paths if isinstance(paths, list) else [paths])]


def existing(call: Call, *, hidden: bool = True) -> Iterator[Target]:
    """All items that the call names; an error is written for each that is not there."""
    for path, literal in given(call):
        try:
            found = expand(call, path, literal=literal, hidden=hidden)
        except Terminating as error:
            call.session.write_error(
                str(error),
                category=error.category,
                error_id=error.error_id,
                exception=error.exception,
                target=error.target,
            )
            continue
        for target in found:
            if exists(call, target):
                yield target
            else:
                not_found(call, target.shown)


def kept(call: Call, name: str) -> bool:
    """Whether -Filter, -Include and -Exclude let a name through."""
    pattern = call["Filter"] if "Filter" in call.parameters else None
    if pattern and not wildcard("*" if pattern == "*.*" else pattern).fullmatch(name):
        return False
    include, exclude = call["Include"] or [], call["Exclude"] or []
    if include and not any(wildcard(item).fullmatch(name) for item in include):
        return False
    return not any(wildcard(item).fullmatch(name) for item in exclude)
