"""tar: create, extract, list; plain, gzip, bzip2 and xz."""

from __future__ import annotations

import io
import posixpath
import tarfile

from k8swin_lab.bash.tools.common import (
    Options,
    ToolFault,
    complain,
    disk,
    options,
    own,
    put,
    read_all,
    reason,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.patterns import matches
from k8swin_lab.machines.program import NotSimulated, Process


def _tar(process: Process) -> int:
    words = process.argv[1:]
    if words and not words[0].startswith("-"):
        # The old style: letters first, their values after.
        letters = words.pop(0)
        expanded = []
        for letter in letters:
            expanded.append(f"-{letter}")
            if letter in "fCTX" and words:
                expanded.append(words.pop(0))
        words = expanded + words
    process.argv = [process.argv[0], *words]
    found, names = options(
        process, "cxtzvjJpaPhkUm", "fCTX",
        {"create": "c", "extract": "x", "get": "x", "list": "t", "gzip": "z", "verbose": "v",
         "file=": "f", "directory=": "C", "strip-components=": "strip", "exclude=": "exclude",
         "no-same-owner": "owner", "no-same-permissions": "permissions", "overwrite": "overwrite",
         "wildcards": "wildcards", "owner=": "owner=", "group=": "group=", "xz": "J", "bzip2": "j",
         "preserve-permissions": "p", "absolute-names": "P", "no-overwrite-dir": "dir"}, code=64,
        known="ruAdOk",
    )  # fmt: skip
    if "T" in found or "X" in found:
        raise NotSimulated("tar -T, -X")
    try:
        if "c" in found:
            return _create(process, found, names)
        if "x" in found or "t" in found:
            return _extract(process, found, names)
    except tarfile.TarError as error:
        complain(process, "This does not look like a tar archive")
        raise ToolFault("Exiting with failure status due to previous errors", 2) from error
    raise ToolFault("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n"
                    "Try 'tar --help' or 'tar --usage' for more information.", 2)  # fmt: skip


def _create(process: Process, found: Options, names: list[str]) -> int:
    buffer = io.BytesIO()
    target = found.last("f", "-")
    kind = "w:gz" if "z" in found else "w:bz2" if "j" in found else "w:xz" if "J" in found else "w"
    if "a" in found:
        kind = {"gz": "w:gz", "tgz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}.get(
            target.rsplit(".", 1)[-1], "w"
        )
    where = disk(process)
    base = found.last("C")
    code = 0
    with tarfile.open(fileobj=buffer, mode=kind) as archive:  # type: ignore[call-overload]
        pending = list(reversed(names))
        while pending:
            name = pending.pop()
            path = posixpath.join(base, name) if base else name
            if any(matches(name, p) or matches(posixpath.basename(name), p)
                   for p in found.get("exclude", [])):  # fmt: skip
                continue
            try:
                host = where.host(path, follow=False)
                entry = archive.gettarinfo(host, arcname=name.lstrip("/") or ".")
            except OSError as error:
                complain(process, f"{name}: Cannot stat: {reason(error)}")
                code = 2
                continue
            entry.uname, entry.gname = "root", "root"
            entry.uid = entry.gid = 0
            if entry.isreg():
                with host.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
            if "v" in found:
                shown = name + ("/" if entry.isdir() and not name.endswith("/") else "")
                (process.err if target == "-" else process.out)(shown + "\n")
            if entry.isdir():
                below = [f"{name.rstrip('/')}/{child}" for child in where.list(path)]
                pending.extend(reversed(below))
    if target == "-":
        process.stdout.write(buffer.getvalue())
    else:
        write_file(process, target, buffer.getvalue())
    if code:
        complain(process, "Exiting with failure status due to previous errors")
    return code


def _extract(process: Process, found: Options, names: list[str]) -> int:
    source = found.last("f", "-")
    try:
        data = read_all(process, source)
    except OSError as error:
        complain(process, f"{source}: Cannot open: {reason(error)}")
        complain(process, "Error is not recoverable: exiting now")
        return 2
    base = found.last("C", ".")
    where = disk(process)
    if not where.is_dir(base):
        complain(process, f"{base}: Cannot open: No such file or directory")
        complain(process, "Error is not recoverable: exiting now")
        return 2
    strip = int(found.last("strip", "0"))
    wanted = [name.rstrip("/") for name in names]
    used: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
        for entry in archive:
            name = entry.name
            hits = [w for w in wanted if name == w or name.startswith(w + "/")
                    or ("wildcards" in found and matches(name, w))]  # fmt: skip
            used.update(hits)
            if wanted and not hits:
                continue
            if any(matches(name, pattern) for pattern in found.get("exclude", [])):
                continue
            shown = name + ("/" if entry.isdir() else "")
            if "t" in found or "v" in found:
                if "t" in found and "v" in found:
                    raise NotSimulated("tar -tv")
                put(process, shown + "\n")
            if "x" in found:
                kept = [part for part in name.split("/") if part not in ("", ".")][strip:]
                if ".." in kept:
                    raise ToolFault(f"{name}: Member name contains '..'", 2)
                if kept:
                    _place(process, archive, entry, posixpath.join(base, *kept))
    missing = [name for name in wanted if name not in used]
    for name in missing:
        complain(process, f"{name}: Not found in archive")
    if missing:
        complain(process, "Exiting with failure status due to previous errors")
    return 2 if missing else 0


def _place(process: Process, archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
    where = disk(process)
    above = posixpath.dirname(path)
    if above and not where.is_dir(above):
        where.host(above).mkdir(parents=True)
    if entry.isdir():
        if not where.is_dir(path):
            where.host(path).mkdir()
            own(process, path)
        where.host(path).chmod(entry.mode & 0o7777 & ~0o022 | 0o700)
        return
    link = where.host(path, follow=False)
    if link.is_symlink() or link.exists():
        link.unlink()
    if entry.issym():
        link.symlink_to(entry.linkname)
    elif entry.isreg():
        content = archive.extractfile(entry)
        write_file(process, path, content.read() if content else b"")
        where.host(path).chmod(entry.mode & 0o7777)
    elif entry.islnk():
        link.hardlink_to(where.host(posixpath.join(posixpath.dirname(path), entry.linkname)))
    else:
        raise NotSimulated(f"tar with {entry.name}, which is no file, directory or link")


TOOLS = {"tar": tool(_tar)}
