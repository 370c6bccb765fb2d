"""Who one is and to whom files belong: id, whoami, groups, chown, chgrp, chmod, stat."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import os
import re
import stat
import time

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    machine,
    options,
    put,
    reason,
    tool,
    umask,
)
from k8swin_lab.bash.tools.formatting import echo_escapes
from k8swin_lab.bash.tools.modes import changed_mode
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.shell import Account, account, groups


def group_name(process: Process, gid: int) -> str:
    """Return the name of a group number, "" when it has none."""
    for name, (number, _) in groups(machine(process)).items():
        if number == gid:
            return name
    return ""


def _memberships(process: Process, found: Account) -> list[int]:
    others = sorted(
        number for number, members in groups(machine(process)).values() if found.name in members
    )
    return [found.gid, *[number for number in others if number != found.gid]]


def _id(process: Process) -> int:
    found, names = options(
        process, "ugGnrz", long={"user": "u", "group": "g", "groups": "G", "name": "n", "real": "r"}
    )
    code = 0
    for name in names or [process.user]:
        who = account(machine(process), name)
        if who is None:
            complain(process, f"‘{name}’: no such user")
            code = 1
            continue
        numbers = _memberships(process, who)
        if "u" in found:
            put(process, f"{who.name if 'n' in found else who.uid}\n")
        elif "g" in found:
            put(process, f"{group_name(process, who.gid) if 'n' in found else who.gid}\n")
        elif "G" in found:
            shown = [group_name(process, n) if "n" in found else str(n) for n in numbers]
            put(process, " ".join(shown) + "\n")
        else:
            texts = [_numbered(n, group_name(process, n)) for n in numbers]
            first = f"uid={who.uid}({who.name}) gid={texts[0]}"
            put(process, f"{first} groups={','.join(texts)}\n")
    return code


def _numbered(number: int, name: str) -> str:
    return f"{number}({name})" if name else str(number)


def _whoami(process: Process) -> int:
    options(process)
    put(process, process.user + "\n")
    return 0


def _groups(process: Process) -> int:
    _, names = options(process)
    for name in names or [process.user]:
        who = account(machine(process), name)
        if who is None:
            raise ToolFault(f"‘{name}’: no such user")
        texts = [group_name(process, n) or str(n) for n in _memberships(process, who)]
        put(process, (f"{name} : " if names else "") + " ".join(texts) + "\n")
    return 0


def _below(where: Disk, path: str) -> list[str]:
    result = [path]
    if where.is_dir(path) and not where.host(path, follow=False).is_symlink():
        for name in where.list(path):
            result.extend(_below(where, f"{path.rstrip('/')}/{name}"))
    return result


def _chown(process: Process) -> int:
    only_group = process.argv[0] == "chgrp"
    found, operands = options(
        process, "Rvhfc", long={"recursive": "R", "verbose": "v", "no-dereference": "h",
                                "reference=": "reference", "silent": "f", "quiet": "f"},
    )  # fmt: skip
    where = disk(process)
    if "reference" in found:
        user, group = machine(process).owner_of(where.real(found.last("reference")))
    else:
        if not operands:
            name = process.argv[0]
            raise ToolFault(f"missing operand\nTry '{name} --help' for more information.")
        user, group = _wanted(process, operands.pop(0), only_group=only_group)
    code = 0
    for path in operands:
        if not where.exists(path, follow="h" not in found):
            complain(process, f"cannot access '{path}': No such file or directory")
            code = 1
            continue
        for each in _below(where, path) if "R" in found else [path]:
            real = where.real(each, follow="h" not in found and "R" not in found)
            if process.user != "root":
                what = "group" if only_group else "ownership"
                complain(process, f"changing {what} of '{each}': Operation not permitted")
                code = 1
                continue
            machine(process).set_owner(real, user, group)
    return code


def _wanted(process: Process, text: str, *, only_group: bool) -> tuple[str, str]:
    user, separator, group = ("", ":", text) if only_group else _parted(text)
    who = account(machine(process), user) if user else None
    if user and who is None and not user.isdigit():
        raise ToolFault(f"invalid user: ‘{text}’")
    if group:
        known = groups(machine(process))
        if group.isdigit():
            group = group_name(process, int(group)) or group
        elif group not in known:
            raise ToolFault(f"invalid group: ‘{text}’")
    elif separator and who:
        group = group_name(process, who.gid)
    return (who.name if who else user), group


def _parted(text: str) -> tuple[str, str, str]:
    separator = ":" if ":" in text else "." if "." in text else ":"
    return text.partition(separator)


def _chmod(process: Process) -> int:
    # A mode such as -x looks like an option.
    words = process.argv[1:]
    modes = [word for word in words if re.fullmatch(r"-[rwxXst]+", word)]
    process.argv = [process.argv[0], *[word for word in words if word not in modes]]
    found, operands = options(
        process, "Rvfc", long={"recursive": "R", "verbose": "v", "reference=": "reference",
                               "silent": "f", "quiet": "f", "changes": "c"},
    )  # fmt: skip
    where = disk(process)
    if "reference" in found:
        text = f"{stat.S_IMODE(where.host(found.last('reference')).stat().st_mode):o}"
    elif modes:
        text = modes[0]
    elif not operands:
        raise ToolFault("missing operand\nTry 'chmod --help' for more information.")
    else:
        text = operands.pop(0)
    if not operands:
        raise ToolFault(f"missing operand after ‘{text}’\nTry 'chmod --help' for more information.")
    code = 0
    for path in operands:
        try:
            if not where.exists(path):
                complain(process, f"cannot access '{path}': No such file or directory")
                code = 1
                continue
            for each in _below(where, path) if "R" in found else [path]:
                host = where.host(each)
                owner, _ = machine(process).owner_of(where.real(each))
                if process.user not in ("root", owner):
                    complain(process, f"changing permissions of '{each}': Operation not permitted")
                    code = 1
                    continue
                now = stat.S_IMODE(host.stat().st_mode)
                wanted = changed_mode(text, now, directory=host.is_dir(), mask=umask(process))
                host.chmod(wanted)
                if "v" in found or ("c" in found and now != wanted):
                    put(
                        process,
                        f"mode of '{each}' "
                        + (
                            f"changed from {now:04o} ({stat.filemode(now)[1:]}) to "
                            f"{wanted:04o} ({stat.filemode(wanted)[1:]})\n"
                            if now != wanted
                            else f"retained as {now:04o} ({stat.filemode(now)[1:]})\n"
                        ),
                    )
        except OSError as error:
            complain(process, f"cannot access '{path}': {reason(error)}")
            code = 1
    return code


_KINDS = (
    (stat.S_ISDIR, "directory"), (stat.S_ISLNK, "symbolic link"), (stat.S_ISCHR,
     "character special file"), (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"),
    (stat.S_ISBLK, "block special file"),
)  # fmt: skip


def _stat(process: Process) -> int:
    found, paths = options(
        process, "Lft", "c", {"format=": "c", "printf=": "printf", "dereference": "L",
                              "file-system": "f", "terse": "t"}, known="Z",
    )  # fmt: skip
    form = found.last("printf") if "printf" in found else found.last("c")
    if not form or "t" in found:
        raise NotSimulated("stat without -c or --printf")
    if not paths:
        raise ToolFault("missing operand\nTry 'stat --help' for more information.")
    code = 0
    where = disk(process)
    for path in paths:
        try:
            if not where.exists(path, follow="L" in found):
                raise FileNotFoundError(2, os.strerror(2))
            if "f" in found:
                line = _file_system(process, form, path)
            else:
                line = _described(process, form, path, follow="L" in found)
        except OSError as error:
            what = "cannot read file system information for" if "f" in found else "cannot statx"
            complain(process, f"{what} '{path}': {reason(error)}")
            code = 1
            continue
        if "printf" in found:
            put(process, echo_escapes(line)[0])
        else:
            put(process, line + "\n")
    return code


INODES, INODES_USED = 2_621_440, 90_112
"""Files that a machine's disk has room for, and about as many as a fresh Debian has."""


def _file_system(process: Process, form: str, path: str) -> str:
    real = disk(process).real(path)

    def one(found: re.Match[str]) -> str:
        if found[1] == "T":
            return machine(process).filesystem_type(real)
        if found[1] == "n":
            return path
        if found[1] == "%":
            return "%"
        if found[1] in "cd":
            return str(INODES if found[1] == "c" else INODES - INODES_USED)
        raise NotSimulated(f"stat -f -c %{found[1]}")

    return re.sub(r"%(.)", one, form)


def _described(process: Process, form: str, path: str, *, follow: bool) -> str:
    where = disk(process)
    host = where.host(path, follow=follow)
    status = host.lstat()
    owner, group = machine(process).owner_of(where.real(path, follow=follow))
    who = account(machine(process), owner)
    gid = groups(machine(process)).get(group, (0, []))[0]
    kind = next((text for test, text in _KINDS if test(status.st_mode)), "regular file")
    if kind == "regular file" and not status.st_size:
        kind = "regular empty file"

    def one(found: re.Match[str]) -> str:
        flags, letter = found.groups()
        values = {
            "a": f"{stat.S_IMODE(status.st_mode):o}", "A": stat.filemode(status.st_mode),
            "U": owner, "G": group, "u": str(who.uid if who else 0), "g": str(gid),
            "s": str(status.st_size), "n": path, "F": kind, "h": str(status.st_nlink),
            "i": str(status.st_ino), "f": f"{status.st_mode:x}", "Y": str(int(status.st_mtime)),
            "X": str(int(status.st_atime)), "Z": str(int(status.st_ctime)), "%": "%",
            "b": str(status.st_blocks), "B": "512", "W": "0",
            "y": moment_of(status.st_mtime_ns), "x": moment_of(status.st_atime_ns),
            "z": moment_of(status.st_ctime_ns),
            "N": f"'{path}'" + (f" -> '{host.readlink()}'" if host.is_symlink() else ""),
        }  # fmt: skip
        if letter not in values:
            raise NotSimulated(f"stat -c %{letter}")
        width = flags.lstrip("-0")
        text = values[letter]
        if not width:
            return text
        return (
            text.ljust(int(width))
            if flags[0] == "-"
            else text.rjust(int(width), "0" if flags[0] == "0" else " ")
        )

    return re.sub(r"%([-0]?\d*)(.)", one, form)


def moment_of(nanoseconds: int) -> str:
    """Write a time stamp as stat and diff do, down to the nanosecond."""
    seconds, rest = divmod(nanoseconds, 10**9)
    zone = time.strftime("%z", time.localtime(seconds))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) + f".{rest:09d} {zone}"


def _getent(process: Process) -> int:
    _, operands = options(process)
    if not operands:
        raise ToolFault("wrong number of arguments", 1)
    database, names = operands[0], operands[1:]
    root = machine(process).root
    if database not in ("passwd", "group"):
        raise NotSimulated(f"getent {database}")
    try:
        rows = (root / "etc" / database).read_text().splitlines()
    except OSError:
        rows = []
    code = 0
    for name in names:
        chosen = [row for row in rows if row.split(":")[0] == name or row.split(":")[2] == name]
        if chosen:
            put(process, chosen[0] + "\n")
        else:
            code = 2
    if not names:
        put(process, "".join(row + "\n" for row in rows))
    return code


TOOLS = {
    name: tool(function)
    for name, function in {
        "id": _id, "whoami": _whoami, "groups": _groups, "chown": _chown, "chgrp": _chown,
        "chmod": _chmod, "stat": _stat, "getent": _getent,
    }.items()
}  # fmt: skip
