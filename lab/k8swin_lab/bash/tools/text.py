"""Tools that read text and write text: head, tail, cut, wc, tee, seq, tac, rev, nl, paste, fold, column..."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import re
from decimal import Decimal

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    lines,
    open_input,
    options,
    put,
    read_all,
    reason,
    stream_lines,
    text,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.formatting import echo_escapes
from k8swin_lab.machines.program import NotSimulated, Process


def read_files(
    process: Process, paths: list[str], verb: str = ""
) -> tuple[list[tuple[str, bytes]], int]:
    """Read files one by one, complaining about those that cannot be read."""
    result: list[tuple[str, bytes]] = []
    code = 0
    for path in paths or ["-"]:
        try:
            result.append((path, read_all(process, path)))
        except OSError as error:
            what = verb.format(path=path) if verb else path
            complain(process, f"{what}: {reason(error)}")
            code = 1
    return result, code


def _old_style(process: Process) -> None:
    """Turn `head -5` into `head -n 5`."""
    if len(process.argv) > 1 and re.fullmatch(r"-\d+", process.argv[1]):
        process.argv = [process.argv[0], "-n", process.argv[1][1:], *process.argv[2:]]


_SIZES = {"b": 512, "K": 1 << 10, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30, "kB": 1000, "MB": 10**6}


def _count(given: str, what: str) -> int:
    found = re.fullmatch(r"[-+]?(\d+)([A-Za-z]*)", given)
    if not found or (found[2] and found[2] not in _SIZES):
        raise ToolFault(f"invalid number of {what}: ‘{given.lstrip('-+')}’")
    return int(found[1]) * _SIZES.get(found[2], 1)


def _head(process: Process) -> int:
    _old_style(process)
    found, paths = options(
        process, "qvz", "nc", {"lines=": "n", "bytes=": "c", "quiet": "q", "verbose": "v"}
    )
    code = 0
    many = (len(paths) > 1 or "v" in found) and "q" not in found
    for number, path in enumerate(paths or ["-"]):
        try:
            reader = open_input(process, path)
            if many:
                put(process, ("\n" if number else "") + f"==> {path} <==\n")
            if "c" in found:
                size = _count(found.last("c"), "bytes")
                if found.last("c")[0] == "-":
                    data = read_all(process, path) if path != "-" else reader.read()
                    process.stdout.write(data[:-size] if size else data)
                    continue
                while size and (data := reader.read(min(size, 65536))):
                    process.stdout.write(data)
                    size -= len(data)
                continue
            wanted = found.last("n", "10")
            size = _count(wanted, "lines")
            if wanted.startswith("-"):
                kept = list(stream_lines(reader))
                process.stdout.write(b"".join(kept[: len(kept) - size]))
                continue
            if size:
                for taken, line in enumerate(stream_lines(reader), 1):
                    process.stdout.write(line)
                    if taken == size:
                        break
        except BrokenPipeError:
            raise
        except OSError as error:
            complain(process, f"cannot open '{path}' for reading: {reason(error)}")
            code = 1
    return code


def _tail(process: Process) -> int:
    _old_style(process)
    found, paths = options(
        process, "qvfFz", "ncs", {"lines=": "n", "bytes=": "c", "quiet": "q", "follow?": "f"}
    )
    if "f" in found or "F" in found:
        raise NotSimulated("tail -f")
    read, code = read_files(process, paths, "cannot open '{path}' for reading")
    for number, (path, data) in enumerate(read):
        if (len(read) > 1 or "v" in found) and "q" not in found:
            put(process, ("\n" if number else "") + f"==> {path} <==\n")
        kind = "c" if "c" in found else "n"
        given = found.last(kind, "10")
        size = _count(given, "bytes" if kind == "c" else "lines")
        if kind == "c":
            process.stdout.write(
                data[size - 1 :] if given[0] == "+" else data[-size:] if size else b""
            )
            continue
        rows = lines(data)
        chosen = rows[max(size - 1, 0) :] if given[0] == "+" else rows[-size:] if size else []
        process.stdout.write(b"".join(chosen))
    return code


def _ranges(given: str) -> list[tuple[int, int]]:
    result = []
    for part in given.split(","):
        found = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if not found or part in ("", "-"):
            raise ToolFault("invalid byte, character or field list\n"
                            "Try 'cut --help' for more information.")  # fmt: skip
        first, dash, last = found.groups()
        begin = int(first or 1)
        if not begin:
            raise ToolFault("fields are numbered from 1\nTry 'cut --help' for more information.")
        result.append((begin, int(last) if last else (1 << 60) if dash else begin))
    return sorted(result)


def _cut(process: Process) -> int:
    found, paths = options(
        process, "sn", "bcfd", {"bytes=": "b", "characters=": "c", "fields=": "f", "delimiter=": "d",
                                "only-delimited": "s", "complement": "complement",
                                "output-delimiter=": "output"},
    )  # fmt: skip
    kind = next((letter for letter in "bcf" if letter in found), "")
    if not kind:
        raise ToolFault("you must specify a list of bytes, characters, or fields\n"
                        "Try 'cut --help' for more information.")  # fmt: skip
    ranges = _ranges(found.last(kind))

    def wanted(number: int) -> bool:
        inside = any(first <= number <= last for first, last in ranges)
        return inside != ("complement" in found)

    delimiter = found.last("d", "\t") or "\0"
    if len(delimiter) > 1:
        raise ToolFault("the delimiter must be a single character\n"
                        "Try 'cut --help' for more information.")  # fmt: skip
    read, code = read_files(process, paths)
    for _, data in read:
        for row in lines(data):
            line = text(row).rstrip("\n")
            if kind == "f":
                if delimiter not in line:
                    if "s" not in found:
                        put(process, line + "\n")
                    continue
                parts = [p for n, p in enumerate(line.split(delimiter), 1) if wanted(n)]
                put(process, found.last("output", delimiter).join(parts) + "\n")
            else:
                put(process, "".join(c for n, c in enumerate(line, 1) if wanted(n)) + "\n")
    return code


def _wc(process: Process) -> int:
    found, paths = options(
        process, "lwcmL", long={"lines": "l", "words": "w", "bytes": "c", "chars": "m"}, known="L"
    )
    read, code = read_files(process, paths)
    kinds = [letter for letter in "lwmc" if letter in found] or ["l", "w", "c"]
    rows = []
    for path, data in read:
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data),
                  "m": len(text(data))}  # fmt: skip
        rows.append(([counts[kind] for kind in kinds], path if paths else ""))
    if len(rows) > 1:
        rows.append(([sum(row[0][n] for row in rows) for n in range(len(kinds))], "total"))
    total = max((number for numbers, _ in rows for number in numbers), default=0)
    width = len(str(total)) if paths else 7
    if len(kinds) == 1 and len(rows) == 1:
        width = 1
    if paths and "-" in paths:
        width = max(width, 7)
    for numbers, name in rows:
        shown = " ".join(f"{number:{width}d}" for number in numbers)
        put(process, shown + (f" {name}" if name else "") + "\n")
    return code


def _tee(process: Process) -> int:
    found, paths = options(process, "ai", long={"append": "a", "ignore-interrupts": "i"}, known="p")
    code = 0
    good = []
    for path in paths:
        try:
            write_file(process, path, b"", append="a" in found)
            good.append(path)
        except OSError as error:
            complain(process, f"{path}: {reason(error)}")
            code = 1
    handles = [disk(process).host(path).open("ab") for path in good]
    try:
        while data := process.stdin.read(65536):
            process.stdout.write(data)
            for handle in handles:
                handle.write(data)
                handle.flush()
    finally:
        for handle in handles:
            handle.close()
    return code


def _seq(process: Process) -> int:
    words = process.argv[1:]
    separator, wide, form = "\n", False, ""
    while words and words[0].startswith("-") and not re.match(r"-[\d.]", words[0]):
        word = words.pop(0)
        if word == "-w":
            wide = True
        elif word.startswith("-s"):
            separator = word[2:] or words.pop(0)
        elif word.startswith("-f"):
            form = word[2:] or words.pop(0)
        else:
            raise ToolFault(
                f"invalid option -- '{word[1:2]}'\nTry 'seq --help' for more information."
            )
    try:
        numbers = [Decimal(word) for word in words]
    except ArithmeticError:
        wrong = next(word for word in words if not re.fullmatch(r"[-+]?\d*\.?\d+", word))
        raise ToolFault(
            f"invalid floating point argument: ‘{wrong}’\nTry 'seq --help' for more information."
        ) from None
    if not numbers:
        raise ToolFault("missing operand\nTry 'seq --help' for more information.")
    first = numbers[0] if len(numbers) > 1 else Decimal(1)
    step = numbers[1] if len(numbers) == 3 else Decimal(1)
    last = numbers[-1]
    places = max(0, *(-int(n.as_tuple().exponent) for n in (first, step)))
    rows = []
    now = first
    while (now <= last) if step > 0 else (now >= last):
        rows.append((form % float(now)) if form else f"{now:.{places}f}")
        now += step
    if wide:
        width = max((len(row) for row in rows), default=0)
        rows = [
            ("-" + row[1:].zfill(width - 1)) if row[0] == "-" else row.zfill(width) for row in rows
        ]
    if rows:
        put(process, separator.join(rows) + "\n")
    return 0


def _tac(process: Process) -> int:
    _, paths = options(process)
    read, code = read_files(process, paths)
    for _, data in read:
        process.stdout.write(b"".join(reversed(lines(data))))
    return code


def _rev(process: Process) -> int:
    _, paths = options(process)
    read, code = read_files(process, paths)
    for _, data in read:
        for line in lines(data):
            body = text(line)
            end = "\n" if body.endswith("\n") else ""
            put(process, body.rstrip("\n")[::-1] + end)
    return code


def _nl(process: Process) -> int:
    found, paths = options(process, "", "bwsn", {"body-numbering=": "b"})
    read, code = read_files(process, paths)
    number = 0
    width, separator = int(found.last("w", "6")), found.last("s", "\t")
    for _, data in read:
        for line in lines(data):
            body = text(line).rstrip("\n")
            if not body and found.last("b", "t") != "a":
                put(process, " " * (width + len(separator)) + "\n")
                continue
            number += 1
            put(process, f"{number:{width}d}{separator}{body}\n")
    return code


def _paste(process: Process) -> int:
    found, paths = options(process, "s", "d", {"serial": "s", "delimiters=": "d"})
    delimiters = echo_escapes(found.last("d", "\t"))[0] or "\0"
    read, code = read_files(process, paths)
    tables = [text(data).splitlines() for _, data in read]
    rows = tables if "s" in found else [
        [table[n] if n < len(table) else "" for table in tables]
        for n in range(max((len(table) for table in tables), default=0))
    ]  # fmt: skip
    for row in rows:
        line = row[0] if row else ""
        for n, part in enumerate(row[1:]):
            line += delimiters[n % len(delimiters)].replace("\0", "") + part
        put(process, line + "\n")
    return code


def _fold(process: Process) -> int:
    found, paths = options(process, "sb", "w", {"width=": "w", "spaces": "s"})
    if "s" in found:
        raise NotSimulated("fold -s")
    width = int(found.last("w", "80"))
    read, code = read_files(process, paths)
    for _, data in read:
        for line in lines(data):
            body = text(line).rstrip("\n")
            parts = [body[n : n + width] for n in range(0, len(body), width)] or [""]
            put(process, "\n".join(parts) + ("\n" if line.endswith(b"\n") else ""))
    return code


def _column(process: Process) -> int:
    found, paths = options(process, "t", "so", {"table": "t", "separator=": "s"})
    if "t" not in found:
        raise NotSimulated("column without -t")
    read, code = read_files(process, paths)
    separator = found.last("s")
    rows = [
        [part for part in re.split(f"[{re.escape(separator)}]", line) if part]
        if separator else line.split()
        for _, data in read for line in text(data).splitlines() if line.strip()
    ]  # fmt: skip
    widths: list[int] = []
    for row in rows:
        for n, part in enumerate(row):
            if n == len(widths):
                widths.append(0)
            widths[n] = max(widths[n], len(part))
    for row in rows:
        cells = [part.ljust(widths[n]) if n < len(row) - 1 else part for n, part in enumerate(row)]
        put(process, found.last("o", "  ").join(cells) + "\n")
    return code


def _expand(process: Process) -> int:
    found, paths = options(process, "i", "t", {"tabs=": "t"})
    if "i" in found:
        raise NotSimulated("expand -i")
    read, code = read_files(process, paths)
    for _, data in read:
        put(process, text(data).expandtabs(int(found.last("t", "8"))))
    return code


def _yes(process: Process) -> int:
    line = (" ".join(process.argv[1:]) or "y") + "\n"
    while not process.cancelled.is_set():
        put(process, line * 512)
    return 143


TOOLS = {
    name: tool(function)
    for name, function in {
        "head": _head, "tail": _tail, "cut": _cut,
        "wc": _wc, "tee": _tee, "seq": _seq, "tac": _tac, "rev": _rev, "nl": _nl, "paste": _paste, "fold": _fold, "column": _column, "yes": _yes,
        "expand": _expand,
    }.items()
}  # fmt: skip
