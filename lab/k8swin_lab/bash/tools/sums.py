"""Tools over bytes: checksums, base64, comparison, od, gzip."""

from __future__ import annotations

import base64
import binascii
import difflib
import gzip
import hashlib
import re

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    options,
    put,
    read_all,
    reason,
    text,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.identity import moment_of
from k8swin_lab.machines.program import NotSimulated, Process


def _sum(process: Process) -> int:
    algorithm = process.argv[0].removesuffix("sum")
    found, paths = options(
        process, "bctwz", long={"check": "c", "binary": "b", "text": "t", "quiet": "quiet",
                                "status": "status", "ignore-missing": "missing", "strict": "strict",
                                "warn": "w", "tag": "tag", "zero": "z"},
    )  # fmt: skip
    if "tag" in found or ("z" in found and "c" in found):
        raise NotSimulated(f"{process.argv[0]} --tag, -z with -c")
    code, end = 0, "\0" if "z" in found else "\n"
    if "c" in found:
        return _check(process, algorithm, paths or ["-"], found)
    for path in paths or ["-"]:
        try:
            digest = hashlib.new(algorithm, read_all(process, path)).hexdigest()
        except OSError as error:
            complain(process, f"{path}: {reason(error)}")
            code = 1
            continue
        put(process, f"{digest} {'*' if 'b' in found else ' '}{path}{end}")
    return code


def _check(process: Process, algorithm: str, lists: list[str], found: dict[str, list[str]]) -> int:
    silent = "status" in found
    wrong = missing = malformed = good = 0
    for name in lists:
        seen = 0
        for line in text(read_all(process, name)).splitlines():
            parts = re.fullmatch(r"\\?([0-9A-Fa-f]+) [ *](.+)", line)
            if not parts or len(parts[1]) != hashlib.new(algorithm).digest_size * 2:
                malformed += 1
                continue
            seen += 1
            try:
                data = read_all(process, parts[2])
            except OSError as error:
                if "missing" in found and error.errno == 2:
                    continue
                complain(process, f"{parts[2]}: {reason(error)}")
                if not silent:
                    put(process, f"{parts[2]}: FAILED open or read\n")
                missing += 1
                continue
            if hashlib.new(algorithm, data).hexdigest() == parts[1].lower():
                good += 1
                if not silent and "quiet" not in found:
                    put(process, f"{parts[2]}: OK\n")
            else:
                wrong += 1
                if not silent:
                    put(process, f"{parts[2]}: FAILED\n")
        if not seen:
            shown = "'standard input'" if name == "-" else name
            complain(process, f"{shown}: no properly formatted checksum lines found")
            return 1
        if "missing" in found and not good and not wrong:
            complain(process, f"{name}: no file was verified")
            return 1
    if not silent:
        if malformed:
            plural = "line is" if malformed == 1 else "lines are"
            complain(process, f"WARNING: {malformed} {plural} improperly formatted")
        if missing:
            plural = "listed file" if missing == 1 else "listed files"
            complain(process, f"WARNING: {missing} {plural} could not be read")
        if wrong:
            plural = "computed checksum did" if wrong == 1 else "computed checksums did"
            complain(process, f"WARNING: {wrong} {plural} NOT match")
    return int(bool(wrong or missing))


def _base64(process: Process) -> int:
    found, paths = options(process, "di", "w", {"decode": "d", "ignore-garbage": "i", "wrap=": "w"})
    data = read_all(process, paths[0] if paths else "-")
    if "d" in found:
        try:
            process.stdout.write(
                base64.b64decode(b"".join(data.split()), validate="i" not in found)
            )
        except binascii.Error:
            raise ToolFault("invalid input") from None
        return 0
    encoded = base64.b64encode(data).decode()
    width = int(found.last("w", "76"))
    if not width:
        put(process, encoded)
    elif encoded:
        rows = [encoded[n : n + width] for n in range(0, len(encoded), width)]
        put(process, "\n".join(rows) + "\n")
    return 0


def _cmp(process: Process) -> int:
    found, paths = options(process, "sl", long={"silent": "s", "quiet": "s"}, code=2)
    if "l" in found:
        raise NotSimulated("cmp -l")
    one, two = (read_all(process, path) for path in [*paths, "-"][:2])
    if one == two:
        return 0
    if "s" in found:
        return 1
    at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), -1)
    if at < 0:
        shorter = paths[0] if len(one) < len(two) else paths[1]
        size = min(len(one), len(two))
        if not size:
            complain(process, f"EOF on {shorter} which is empty")
        else:
            line = (one if len(one) < len(two) else two).count(b"\n")
            complain(process, f"EOF on {shorter} after byte {size}, line {line}"
                     if (one if len(one) < len(two) else two).endswith(b"\n")
                     else f"EOF on {shorter} after byte {size}, in line {line + 1}")  # fmt: skip
    else:
        put(
            process, f"{paths[0]} {paths[1]} differ: byte {at + 1}, line {one[:at].count(10) + 1}\n"
        )
    return 1


def _diff(process: Process) -> int:
    found, paths = options(process, "uqrNwbBs", "U", {"unified?": "u", "brief": "q", "recursive": "r",
                                                    "new-file": "N"}, code=2)  # fmt: skip
    if len(paths) != 2:
        raise ToolFault(
            "missing operand after 'diff'\ndiff: Try 'diff --help' for more information.", 2
        )
    if any(letter in found for letter in "rwbB") or any(disk(process).is_dir(p) for p in paths):
        raise NotSimulated("diff -r, -w, -b, -B and of directories")
    try:
        one, two = (text(read_all(process, path)).splitlines(keepends=True) for path in paths)
    except OSError as error:
        raise ToolFault(f"{error.filename}: {reason(error)}", 2) from error
    if one == two:
        return 0
    if "q" in found:
        put(process, f"Files {paths[0]} and {paths[1]} differ\n")
        return 1
    if "u" in found or "U" in found:
        count = int(found.last("U", "3"))
        rows = list(difflib.unified_diff(one, two, "A", "B", n=count))[2:]
        head = [f"{mark} {path}\t{moment_of(disk(process).host(path).stat().st_mtime_ns)}\n"
                for mark, path in zip(("---", "+++"), paths, strict=True)]  # fmt: skip
        put(process, "".join(_whole(row) for row in head + rows))
        return 1
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        letter = {"replace": "c", "delete": "d", "insert": "a"}[tag]
        left = _span(a, b) if tag != "insert" else str(a)
        right = _span(c, d) if tag != "delete" else str(c)
        put(process, f"{left}{letter}{right}\n")
        put(process, "".join(_whole("< " + row) for row in one[a:b]))
        if tag == "replace":
            put(process, "---\n")
        put(process, "".join(_whole("> " + row) for row in two[c:d]))
    return 1


def _span(first: int, last: int) -> str:
    return str(last) if last - first == 1 else f"{first + 1},{last}"


def _whole(row: str) -> str:
    return row if row.endswith("\n") else row + "\n\\ No newline at end of file\n"


def _od(process: Process) -> int:
    found, paths = options(process, "cvxbdo", "AtNjw", {"address-radix=": "A", "format=": "t"})
    form = found.last("t")
    if form not in ("x1", "c", "") or (not form and "c" not in found) or "j" in found:
        raise NotSimulated("od other than -c and -t x1")
    data = read_all(process, paths[0] if paths else "-")
    if "N" in found:
        data = data[: int(found.last("N"))]
    radix = found.last("A", "o")
    names = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
    for at in range(0, len(data) + 16, 16):
        row = data[at : at + 16]
        offset = min(at, len(data))
        label = {"n": "", "x": f"{offset:06x}", "d": f"{offset:07d}", "o": f"{offset:07o}"}[radix]
        if not row:
            if label:
                put(process, label + "\n")
            break
        if form == "x1":
            cells = [f"{byte:02x}" for byte in row]
            put(process, label + "".join(f" {cell}" for cell in cells) + "\n")
        else:
            cells = [names.get(b, chr(b) if 32 <= b < 127 else f"{b:03o}") for b in row]
            put(process, label + "".join(f"{cell:>4}" for cell in cells) + "\n")
    return 0


def _hexdump(process: Process) -> int:
    found, paths = options(process, "Cv", "n")
    if "C" not in found:
        raise NotSimulated("hexdump without -C")
    data = read_all(process, paths[0] if paths else "-")
    if "n" in found:
        data = data[: int(found.last("n"))]
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        cells = [f"{byte:02x}" for byte in row] + ["  "] * (16 - len(row))
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        put(process, f"{at:08x}  {' '.join(cells[:8])}  {' '.join(cells[8:])}  |{shown}|\n")
    if data:
        put(process, f"{len(data):08x}\n")
    return 0


def _gzip(process: Process) -> int:
    name = process.argv[0]
    found, paths = options(
        process, "cdfknqv123456789", long={"decompress": "d", "stdout": "c", "keep": "k",
                                           "force": "f", "best": "9", "fast": "1"},
    )  # fmt: skip
    back = "d" in found or name in ("gunzip", "zcat")
    out = "c" in found or name == "zcat" or not paths
    for path in paths or ["-"]:
        data = read_all(process, path)
        try:
            result = gzip.decompress(data) if back else gzip.compress(data)
        except (OSError, EOFError):
            raise ToolFault(f"{'stdin' if path == '-' else path}: not in gzip format") from None
        if out:
            process.stdout.write(result)
            continue
        if back and not path.endswith(".gz"):
            raise ToolFault(f"{path}: unknown suffix -- ignored", 2)
        target = path[:-3] if back else path + ".gz"
        if disk(process).exists(target) and "f" not in found:
            raise ToolFault(f"{target} already exists;\tnot overwritten", 2)
        write_file(process, target, result)
        if "k" not in found:
            disk(process).host(path).unlink()
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {
        "md5sum": _sum, "sha1sum": _sum, "sha224sum": _sum, "sha256sum": _sum, "sha384sum": _sum,
        "sha512sum": _sum, "base64": _base64, "cmp": _cmp, "diff": _diff, "od": _od,
        "hexdump": _hexdump, "gzip": _gzip, "gunzip": _gzip, "zcat": _gzip,
    }.items()
}  # fmt: skip
