"""Tools about names of files: mktemp, truncate, readlink, realpath, basename, dirname."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import os
import posixpath
import secrets
import string

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    options,
    own,
    put,
    reason,
    tool,
    write_file,
)
from k8swin_lab.machines.program import NotSimulated, Process


def _mktemp(process: Process) -> int:
    found, operands = options(
        process, "dqut", "p", {"directory": "d", "quiet": "q", "tmpdir?": "p", "suffix=": "suffix"}
    )
    template = operands[0] if operands else "tmp.XXXXXXXXXX"
    where = process.env.get("TMPDIR", "/tmp")  # noqa: S108
    if "p" in found:
        where = found.last("p") or where
    if "p" in found or "t" in found or not operands:
        template = f"{where.rstrip('/')}/{template}"
    body = template.rstrip("X") if template.endswith("X") else template
    count = len(template) - len(body)
    if not count and "XXX" in template:
        head, _, tail = template.rpartition("XXX")
        body, count, suffix = head.rstrip("X"), len(head) - len(head.rstrip("X")) + 3, tail
    else:
        suffix = found.last("suffix")
    if count < 3:
        raise ToolFault(f"too few X's in template ‘{template}’")
    letters = string.ascii_letters + string.digits
    path = body + "".join(secrets.choice(letters) for _ in range(count)) + suffix
    try:
        host = disk(process).host(path)
        if "u" not in found:
            if "d" in found:
                host.mkdir()
                host.chmod(0o700)
                own(process, path)
            else:
                write_file(process, path, b"")
                host.chmod(0o600)
    except OSError as error:
        kind = "directory" if "d" in found else "file"
        if "q" in found:
            return 1
        raise ToolFault(
            f"failed to create {kind} via template ‘{template}’: {reason(error)}"
        ) from error
    put(process, f"{path}\n")
    return 0


def _truncate(process: Process) -> int:
    found, paths = options(process, "c", "s", {"size=": "s", "no-create": "c"})
    size = found.last("s", "0")
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    factor = units.get(size[-1:], 1)
    digits = size[:-1] if factor > 1 else size
    if not digits.isdigit():
        raise NotSimulated(f"truncate -s {size}")
    for path in paths:
        if not disk(process).exists(path):
            if "c" in found:
                continue
            write_file(process, path, b"")
        os.truncate(disk(process).host(path), int(digits) * factor)
    return 0


def _readlink(process: Process) -> int:
    found, paths = options(process, "fnemqsvz")
    code = 0
    for path in paths:
        where = disk(process)
        try:
            if "f" in found or "e" in found or "m" in found:
                result = where.real(path)
                if "e" in found and not where.exists(path):
                    raise FileNotFoundError
            else:
                result = str(where.host(path, follow=False).readlink())
        except OSError:
            code = 1
            continue
        put(process, result + ("" if "n" in found else "\n"))
    return code


def _realpath(process: Process) -> int:
    found, paths = options(
        process, "emqsLPz", long={"relative-to=": "relative", "no-symlinks": "s"}
    )
    if not paths:
        raise ToolFault("missing operand\nTry 'realpath --help' for more information.")
    code = 0
    for path in paths:
        where = disk(process)
        try:
            result = posixpath.normpath(where.absolute(path)) if "s" in found else where.real(path)
            if "e" in found and not where.exists(path):
                raise FileNotFoundError(2, os.strerror(2))
        except OSError as error:
            if "m" in found:
                result = posixpath.normpath(where.absolute(path))
            else:
                if "q" not in found:
                    complain(process, f"{path}: {reason(error)}")
                code = 1
                continue
        if "relative" in found:
            result = posixpath.relpath(result, where.real(found.last("relative")))
        put(process, result + "\n")
    return code


def _basename(process: Process) -> int:
    found, names = options(process, "az", "s", {"multiple": "a", "suffix=": "s"}, permute=False)
    if not names:
        raise ToolFault("missing operand\nTry 'basename --help' for more information.")
    suffix = found.last("s")
    if not ("a" in found or "s" in found):
        if len(names) > 2:
            raise ToolFault(
                f"extra operand ‘{names[2]}’\nTry 'basename --help' for more information."
            )
        suffix = names[1] if len(names) > 1 else ""
        names = names[:1]
    for name in names:
        base = posixpath.basename(name.rstrip("/")) or ("/" if name.startswith("/") else "")
        if suffix and base.endswith(suffix) and base != suffix:
            base = base[: -len(suffix)]
        put(process, base + "\n")
    return 0


def _dirname(process: Process) -> int:
    _, names = options(process, "z")
    if not names:
        raise ToolFault("missing operand\nTry 'dirname --help' for more information.")
    for name in names:
        stripped = name.rstrip("/") or "/"
        above = posixpath.dirname(stripped)
        put(process, (above.rstrip("/") or ("/" if above else ".")) + "\n")
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {
        "mktemp": _mktemp,
        "truncate": _truncate,
        "readlink": _readlink,
        "realpath": _realpath,
        "basename": _basename,
        "dirname": _dirname,
    }.items()
}
