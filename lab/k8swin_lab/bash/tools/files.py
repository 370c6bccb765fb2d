"""Tools that make, copy, move and remove files."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import time

from k8swin_lab.bash.tools.common import (
    Options,
    ToolFault,
    complain,
    disk,
    machine,
    may_remove,
    open_input,
    options,
    own,
    put,
    reason,
    tool,
    umask,
    write_file,
)
from k8swin_lab.bash.tools.dates import parse_date
from k8swin_lab.bash.tools.modes import changed_mode
from k8swin_lab.machines.program import NotSimulated, Process


def _cat(process: Process) -> int:
    found, paths = options(process, "nAETsvbu", long={"number": "n", "show-all": "A"})
    code = 0
    number = 0
    for path in paths or ["-"]:
        try:
            reader = open_input(process, path)
            while data := reader.read(65536):
                if not found:
                    process.stdout.write(data)
                    continue
                if any(letter not in "nAETu" for letter in found):
                    raise NotSimulated("cat -s, -b, -v")
                while not data.endswith(b"\n") and (more := reader.read(65536)):
                    data += more
                for line in data.split(b"\n")[: None if not data.endswith(b"\n") else -1]:
                    number += 1
                    if "T" in found or "A" in found:
                        line = line.replace(b"\t", b"^I")
                    end = b"$" if "E" in found or "A" in found else b""
                    mark = f"{number:6d}\t".encode() if "n" in found else b""
                    process.stdout.write(mark + line + end + b"\n")
        except BrokenPipeError:
            raise
        except OSError as error:
            complain(process, f"{path}: {reason(error)}")
            code = 1
    return code


def _mkdir(process: Process) -> int:
    found, paths = options(
        process, "pv", "m", {"parents": "p", "mode=": "m", "verbose": "v"}, known="Z"
    )
    if not paths:
        raise ToolFault("missing operand\nTry 'mkdir --help' for more information.")
    where = disk(process)
    code = 0
    for path in paths:
        try:
            steps = [path]
            if "p" in found:
                parts = path.strip("/").split("/")
                lead = "/" if path.startswith("/") else ""
                steps = [lead + "/".join(parts[: n + 1]) for n in range(len(parts))]
            for step in steps:
                if "p" in found and where.is_dir(step):
                    continue
                may_remove(process, step)
                host = where.host(step.rstrip("/") or "/")
                host.mkdir()
                host.chmod(0o777 & ~umask(process))
                own(process, step)
                if "v" in found:
                    put(process, f"mkdir: created directory '{step}'\n")
            if "m" in found:
                host = where.host(path)
                host.chmod(changed_mode(found.last("m"), 0o777, directory=True, mask=0))
        except OSError as error:
            complain(process, f"cannot create directory ‘{path}’: {reason(error)}")
            code = 1
    return code


def _rmdir(process: Process) -> int:
    found, paths = options(process, "p", long={"parents": "p", "ignore-fail-on-non-empty": "i"})
    code = 0
    for path in paths:
        chain = [path]
        while "p" in found and posixpath.dirname(chain[-1]) not in ("", "/"):
            chain.append(posixpath.dirname(chain[-1]))
        for step in chain:
            try:
                may_remove(process, step)
                disk(process).host(step, follow=False).rmdir()
            except OSError as error:
                if "i" not in found:
                    complain(process, f"failed to remove '{step}': {reason(error)}")
                    code = 1
                break
    return code


def _rm(process: Process) -> int:
    found, paths = options(
        process, "rRfvdiI", long={"recursive": "r", "force": "f", "verbose": "v", "dir": "d",
                                  "preserve-root": "keep", "one-file-system": "one"},
    )  # fmt: skip
    if not paths and "f" not in found:
        raise ToolFault("missing operand\nTry 'rm --help' for more information.")
    code = 0
    recursive = "r" in found or "R" in found
    for path in paths:
        try:
            where = disk(process)
            if path.rstrip("/").split("/")[-1] in (".", ".."):
                complain(process, f"refusing to remove '.' or '..' directory: skipping '{path}'")
                code = 1
                continue
            host = where.host(path.rstrip("/") or "/", follow=False)
            status = host.lstat()
            if stat.S_ISDIR(status.st_mode) and not recursive and "d" not in found:
                complain(process, f"cannot remove '{path}': Is a directory")
                code = 1
                continue
            if where.real(path, follow=False) == "/":
                complain(process, "it is dangerous to operate recursively on '/'")
                complain(process, "use --no-preserve-root to override this failsafe")
                code = 1
                continue
            may_remove(process, path)
            if stat.S_ISDIR(status.st_mode):
                if recursive:
                    shutil.rmtree(host)
                else:
                    host.rmdir()
            else:
                host.unlink()
            if "v" in found:
                kind = "removed directory" if stat.S_ISDIR(status.st_mode) else "removed"
                put(process, f"{kind} '{path}'\n")
        except OSError as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError) and "f" in found:
                continue
            complain(process, f"cannot remove '{path}': {reason(error)}")
            code = 1
    return code


def _destinations(process: Process, found: Options, paths: list[str]) -> list[tuple[str, str]]:
    """Pair sources with their destinations, as cp, mv, ln and install do."""
    name = process.argv[0]
    target = found.last("t")
    if target:
        sources = paths
    else:
        if not paths:
            raise ToolFault(f"missing file operand\nTry '{name} --help' for more information.")
        if len(paths) == 1:
            raise ToolFault(
                f"missing destination file operand after '{paths[0]}'\n"
                f"Try '{name} --help' for more information."
            )
        *sources, target = paths
    into = disk(process).is_dir(target) and "T" not in found
    if not into and (len(sources) > 1 or "t" in found):
        raise ToolFault(
            f"target '{target}': "
            + ("Not a directory" if disk(process).exists(target) else "No such file or directory")
        )
    if not into:
        return [(sources[0], target)]
    base = target.rstrip("/") or ""
    return [(source, f"{base}/{posixpath.basename(source.rstrip('/'))}") for source in sources]


def _backup(process: Process, found: Options, path: str) -> None:
    if ("b" in found or "S" in found or "backup" in found) and disk(process).exists(path):
        host = disk(process).host(path)
        host.rename(host.with_name(host.name + found.last("S", "~")))


def _cp(process: Process) -> int:
    found, paths = options(
        process, "rRafpvnudLPHTbxilsS", "t",
        {"recursive": "r", "archive": "a", "force": "f", "preserve?": "p", "verbose": "v",
         "no-clobber": "n", "update": "u", "dereference": "L", "no-dereference": "P",
         "no-target-directory": "T", "target-directory=": "t", "parents": "parents",
         "backup?": "backup", "suffix=": "S", "attributes-only": "attributes"},
    )  # fmt: skip
    if "parents" in found or "l" in found or "s" in found or "i" in found:
        raise NotSimulated("cp --parents, -l, -s, -i")
    recursive = any(letter in found for letter in "rRa")
    keep_links = "P" in found or "d" in found or "a" in found or (recursive and "L" not in found)
    code = 0
    for source, target in _destinations(process, found, paths):
        try:
            where = disk(process)
            if not where.exists(source, follow=not keep_links):
                complain(process, f"cannot stat '{source}': No such file or directory")
                code = 1
                continue
            if where.is_dir(source) and not recursive:
                complain(process, f"-r not specified; omitting directory '{source}'")
                code = 1
                continue
            if "n" in found and where.exists(target):
                continue
            if "u" in found and where.exists(target):
                old, new = where.host(target).stat(), where.host(source).stat()
                if new.st_mtime_ns <= old.st_mtime_ns:
                    continue
            _backup(process, found, target)
            keep = "a" in found or "p" in found
            if "attributes" in found and where.exists(target):
                if keep:
                    mode = stat.S_IMODE(where.host(source).stat().st_mode)
                    where.host(target).chmod(mode)
                continue
            _copy(process, source, target, keep=keep, keep_links=keep_links)
            if "v" in found:
                put(process, f"'{source}' -> '{target}'\n")
        except OSError as error:
            if error.errno == 2:
                complain(process, f"cannot create regular file '{target}': {reason(error)}")
            else:
                complain(
                    process,
                    f"cannot open '{error.filename or source}' for reading: {reason(error)}"
                    if isinstance(error, PermissionError)
                    else f"'{source}' and '{target}' are the same file"
                    if isinstance(error, shutil.SameFileError)
                    else f"cannot copy '{source}': {reason(error)}",
                )
            code = 1
    return code


def _copy(process: Process, source: str, target: str, *, keep: bool, keep_links: bool) -> None:
    where = disk(process)
    link = where.host(source, follow=False)
    if keep_links and link.is_symlink():
        destination = where.host(target, follow=False)
        destination.unlink(missing_ok=True)
        destination.symlink_to(link.readlink())
        return
    host = where.host(source)
    if host.is_dir():
        destination = where.host(target)
        if not destination.exists():
            destination.mkdir()
            destination.chmod(stat.S_IMODE(host.stat().st_mode) & ~(0 if keep else umask(process)))
        for name in where.list(source):
            _copy(process, f"{source.rstrip('/')}/{name}", f"{target.rstrip('/')}/{name}",
                  keep=keep, keep_links=keep_links)  # fmt: skip
        if keep:
            shutil.copystat(host, destination)
        return
    if where.exists(target) and where.host(target).samefile(host):
        raise shutil.SameFileError(0, "same file")
    existed = where.exists(target)
    write_file(process, target, _content(process, source))
    destination = where.host(target)
    if keep:
        shutil.copystat(host, destination)
        machine(process).set_owner(
            where.real(target), *machine(process).owner_of(where.real(source))
        )
    elif not existed:
        destination.chmod(stat.S_IMODE(host.stat().st_mode) & ~umask(process))


def _content(process: Process, path: str) -> bytes:
    reader = open_input(process, path)
    return b"".join(iter(lambda: reader.read(1 << 20), b""))


def _mv(process: Process) -> int:
    found, paths = options(
        process, "fnvuTbi", "tS",
        {"force": "f", "no-clobber": "n", "verbose": "v", "target-directory=": "t",
         "no-target-directory": "T", "backup?": "backup", "suffix=": "S"},
    )  # fmt: skip
    code = 0
    for source, target in _destinations(process, found, paths):
        where = disk(process)
        try:
            if not where.exists(source, follow=False):
                complain(process, f"cannot stat '{source}': No such file or directory")
                code = 1
                continue
            if "n" in found and where.exists(target):
                continue
            may_remove(process, source)
            may_remove(process, target)
            _backup(process, found, target)
            old = where.real(source, follow=False)
            owner = machine(process).owner_of(old)
            shutil.move(where.host(source.rstrip("/"), follow=False),
                        where.host(target.rstrip("/"), follow=False))  # fmt: skip
            machine(process).set_owner(where.real(target, follow=False), *owner)
            if "v" in found:
                put(process, f"renamed '{source}' -> '{target}'\n")
        except OSError as error:
            complain(process, f"cannot move '{source}' to '{target}': {reason(error)}")
            code = 1
    return code


def _ln(process: Process) -> int:
    found, paths = options(
        process, "sfnvrTbL", "t",
        {"symbolic": "s", "force": "f", "no-dereference": "n", "verbose": "v", "relative": "r",
         "no-target-directory": "T", "target-directory=": "t"},
    )  # fmt: skip
    if "r" in found:
        raise NotSimulated("ln -r")
    where = disk(process)
    if len(paths) == 1 and "t" not in found:
        paths = [paths[0], posixpath.basename(paths[0])]
    if "n" in found and len(paths) == 2 and where.host(paths[1], follow=False).is_symlink():
        found["T"] = [""]
    code = 0
    for source, target in _destinations(process, found, paths):
        link = where.host(target, follow=False)
        kind = "symbolic" if "s" in found else "hard"
        try:
            may_remove(process, target)
            if "f" in found and (link.is_symlink() or link.is_file()):
                link.unlink()
            if "s" in found:
                link.symlink_to(source)
            else:
                os.link(where.host(source), link)
            if "v" in found:
                put(process, f"'{target}' {'->' if 's' in found else '=>'} '{source}'\n")
        except OSError as error:
            what = f"'{target}'" if "s" in found else f"'{target}' => '{source}'"
            if error.errno == 17:
                what = f"'{target}'"
            complain(process, f"failed to create {kind} link {what}: {reason(error)}")
            code = 1
    return code


def _touch(process: Process) -> int:
    found, paths = options(
        process, "acmh", "drt", {"no-create": "c", "date=": "d", "reference=": "r"}
    )
    where = disk(process)
    moment: float | None = None
    if "r" in found:
        moment = where.host(found.last("r")).stat().st_mtime
    elif "d" in found or "t" in found:
        moment = parse_date(found.last("d") or found.last("t"), process)
    code = 0
    for path in paths:
        try:
            if not where.exists(path):
                if "c" in found:
                    continue
                write_file(process, path, b"", append=True)
            now = time.time() if moment is None else moment
            os.utime(where.host(path), (now, now))
        except OSError as error:
            complain(process, f"cannot touch '{path}': {reason(error)}")
            code = 1
    return code


def _install(process: Process) -> int:
    found, paths = options(
        process, "dDvcpCTsbZ", "mogtS",
        {"mode=": "m", "owner=": "o", "group=": "g", "directory": "d", "verbose": "v",
         "target-directory=": "t", "preserve-timestamps": "p", "no-target-directory": "T",
         "compare": "C"},
    )  # fmt: skip
    where = disk(process)
    mode = changed_mode(found.last("m", "0755"), 0, directory="d" in found, mask=0)

    def finish(path: str, *, owned: bool = True) -> None:
        where.host(path).chmod(mode)
        if owned:
            user, group = found.last("o"), found.last("g")
            machine(process).set_owner(where.real(path), user or process.user, group or "")

    if "d" in found:
        for path in paths:
            parts = path.strip("/").split("/")
            lead = "/" if path.startswith("/") else ""
            for n in range(len(parts)):
                step = lead + "/".join(parts[: n + 1])
                if not where.is_dir(step):
                    may_remove(process, step)
                    where.host(step).mkdir()
                    where.host(step).chmod(0o755)
                    own(process, step)
                    if "v" in found:
                        put(process, f"install: creating directory '{step}'\n")
            finish(path)
        return 0
    if "D" in found:
        target = found.last("t") or posixpath.dirname(paths[-1])
        if target and not where.is_dir(target):
            where.host(target).mkdir(parents=True)
            where.host(target).chmod(0o755)
    for source, target in _destinations(process, found, paths):
        if where.is_dir(source):
            raise ToolFault(f"omitting directory '{source}'")
        try:
            data = _content(process, source)
        except OSError as error:
            raise ToolFault(f"cannot stat '{source}': {reason(error)}") from error
        try:
            if where.exists(target):
                may_remove(process, target)
                where.host(target).unlink()
            write_file(process, target, data)
        except OSError as error:
            raise ToolFault(f"cannot create regular file '{target}': {reason(error)}") from error
        finish(target)
        if "v" in found:
            put(process, f"'{source}' -> '{target}'\n")
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {
        "cat": _cat, "mkdir": _mkdir, "rmdir": _rmdir, "rm": _rm, "cp": _cp, "mv": _mv,
        "ln": _ln, "touch": _touch, "install": _install,
    }.items()
}  # fmt: skip
