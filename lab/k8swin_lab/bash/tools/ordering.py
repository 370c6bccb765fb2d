"""Tools that put lines in order or map characters: sort, uniq, comm, tr."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import itertools
import re
from decimal import Decimal

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    open_input,
    options,
    put,
    read_all,
    stream_lines,
    text,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.formatting import echo_escapes
from k8swin_lab.bash.tools.text import read_files
from k8swin_lab.machines.program import NotSimulated, Process

_SUFFIX = {"": 0, "K": 1, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def _sort_key(line: str, letters: str) -> tuple[object, ...]:
    if "h" in letters:
        found = re.match(r"\s*(-?\d*\.?\d*)([KkMGTP]?)", line)
        number = float(found[1]) if found and found[1] not in ("", "-", ".") else 0.0
        return (_SUFFIX[found[2]] if found and number else 0, number)
    if "n" in letters or "g" in letters:
        found = re.match(r"\s*(-?\d*\.?\d*)", line)
        return (
            Decimal(found[1]) if found and found[1] not in ("", "-", ".", "-.") else Decimal(0),
        )
    if "V" in letters:
        return tuple(
            (1, int(part), "") if part.isdigit() else (0, 0, part)
            for part in re.split(r"(\d+)", line)
        )
    if "M" in letters:
        raise NotSimulated("sort -M")
    if "d" in letters:
        line = re.sub(r"[^A-Za-z0-9\s]", "", line)
    if "b" in letters:
        line = line.lstrip()
    return (line.upper() if "f" in letters else line,)


def _sort(process: Process) -> int:
    found, paths = options(
        process, "rnufVbhgdMscCz", "ktoTS",
        {"reverse": "r", "numeric-sort": "n", "unique": "u", "ignore-case": "f", "version-sort": "V",
         "key=": "k", "field-separator=": "t", "output=": "o", "stable": "s", "check?": "c",
         "human-numeric-sort": "h", "zero-terminated": "z", "general-numeric-sort": "g"}, code=2,
    )  # fmt: skip
    read, code = read_files(process, paths, "cannot read: {path}")
    if code:
        return 2
    end = "\0" if "z" in found else "\n"
    rows: list[str] = []
    for _, data in read:
        parts = text(data).split(end)
        rows += parts[:-1] if parts[-1] == "" else parts
    whole = "".join(letter for letter in "nfVbhgdM" if letter in found)
    keys = [_key_parts(given, whole) for given in found.get("k", [])] or [(1, 0, 0, 0, whole)]
    separator = found.last("t")

    def value(row: str, key: tuple[int, int, int, int, str]) -> tuple[object, ...]:
        return _sort_key(_key_text(row, key, separator) if "k" in found else row, key[4])

    def identity(row: str) -> tuple[object, ...]:
        return tuple(value(row, key) for key in keys)

    if "c" in found or "C" in found:
        for number, (one, two) in enumerate(itertools.pairwise(rows)):
            if identity(one) > identity(two):
                if "c" in found:
                    complain(process, f"{paths[0] if paths else '-'}:{number + 2}: disorder: {two}")
                return 1
        return 0
    ordered = rows
    if "u" not in found and "s" not in found:
        ordered = sorted(ordered, reverse="r" in found)
    for key in reversed(keys):
        backward = "r" in key[4] or ("r" in found and key[4] == whole)
        ordered = sorted(ordered, key=lambda row, key=key: value(row, key), reverse=backward)  # type: ignore[misc]
        if backward and ("s" in found or "u" in found):
            continue
    if "u" in found:
        seen: set[tuple[object, ...]] = set()
        unique = []
        for row in ordered:
            if identity(row) not in seen:
                seen.add(identity(row))
                unique.append(row)
        ordered = unique
    output = "".join(row + end for row in ordered)
    if "o" in found:
        write_file(process, found.last("o"), output.encode("utf-8", "surrogateescape"))
    else:
        put(process, output)
    return 0


def _key_parts(given: str, whole: str) -> tuple[int, int, int, int, str]:
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", given)
    if not found:
        raise ToolFault(f"invalid field specification ‘{given}’", 2)
    first, first_char, letters, last, last_char, more = found.groups()
    own = letters + (more or "")
    return (int(first), int(first_char or 0), int(last or 0), int(last_char or 0), own or whole)


def _key_text(row: str, key: tuple[int, int, int, int, str], separator: str) -> str:
    first, first_char, last, last_char, _ = key
    fields = row.split(separator) if separator else re.findall(r"\s*\S+|\s+\Z", row)
    chosen = fields[first - 1 : last or None]
    if chosen and last_char and last:
        chosen[-1] = chosen[-1][:last_char]
    joined = separator.join(chosen)
    return joined[max(first_char - 1, 0) :]


def _uniq(process: Process) -> int:
    found, paths = options(
        process, "cduiD", "fsw", {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i"},
        known="z",
    )  # fmt: skip
    if any(letter in found for letter in "Dfsw"):
        raise NotSimulated("uniq -D, -f, -s, -w")
    groups: list[tuple[str, int]] = []
    for row in stream_lines(open_input(process, paths[0] if paths else "-")):
        line = text(row).rstrip("\n")
        last = groups[-1][0] if groups else None
        fold = "i" in found
        if last is not None and (line.lower() == last.lower() if fold else line == last):
            groups[-1] = (groups[-1][0], groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    for line, count in groups:
        if ("d" in found and count < 2) or ("u" in found and count > 1):
            continue
        put(process, (f"{count:7d} " if "c" in found else "") + line + "\n")
    return 0


_TR_CLASSES = {
    "alpha": "[A-Za-z]", "digit": "[0-9]", "alnum": "[0-9A-Za-z]", "upper": "[A-Z]",
    "lower": "[a-z]", "space": r"[\t\n\v\f\r ]", "blank": r"[\t ]", "punct": r"[!-/:-@\[-`{-~]",
    "cntrl": r"[\x00-\x1f\x7f]", "xdigit": "[0-9A-Fa-f]", "print": r"[ -~]", "graph": "[!-~]",
}  # fmt: skip


def _tr_set(given: str) -> list[str]:
    plain: list[tuple[str, bool]] = []
    result: list[str] = []
    at = 0
    while at < len(given):
        found = re.compile(r"\[:(\w+):\]").match(given, at)
        if found:
            if found[1] not in _TR_CLASSES:
                raise ToolFault(f"invalid character class ‘{found[1]}’")
            expression = re.compile(_TR_CLASSES[found[1]])
            plain.extend((chr(n), False) for n in range(256) if expression.fullmatch(chr(n)))
            at = found.end()
            continue
        found = re.compile(r"\\([0-7]{1,3}|.)", re.S).match(given, at)
        if found:
            character = echo_escapes("\\0" + found[1] if found[1][0].isdigit() else found[0])[0]
            plain.append((character[-1:], False))
            at = found.end()
            continue
        plain.append((given[at], given[at] == "-"))
        at += 1
    at = 0
    while at < len(plain):
        if 0 < at < len(plain) - 1 and plain[at][1]:
            first, last = ord(plain[at - 1][0]), ord(plain[at + 1][0])
            result.extend(chr(n) for n in range(first + 1, last + 1))
            at += 2
        else:
            result.append(plain[at][0])
            at += 1
    return result


def _tr(process: Process) -> int:
    found, sets = options(
        process, "cCdst", long={"complement": "c", "delete": "d", "squeeze-repeats": "s",
                                "truncate-set1": "t"}, permute=False,
    )  # fmt: skip
    if not sets:
        raise ToolFault("missing operand\nTry 'tr --help' for more information.")
    if len(sets) == 1 and "d" not in found and "s" not in found:
        raise ToolFault(
            f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.\n"
            "Try 'tr --help' for more information."
        )
    first = _tr_set(sets[0])
    second = _tr_set(sets[1]) if len(sets) > 1 else []
    complement = "c" in found or "C" in found
    inside = set(first)
    table: dict[str, str] = {}
    if second and "d" not in found and not complement:
        padded = second + [second[-1]] * (len(first) - len(second))
        for one, two in zip(first, padded, strict=False):
            table[one] = two
    squeezed = set(second or first) if "s" in found else set()
    last = ""
    while data := process.stdin.read(65536):
        out: list[str] = []
        for c in (
            data.decode("latin-1") if all(ord(x) < 256 for x in first + second) else text(data)
        ):
            chosen = (c in inside) != complement
            if chosen and "d" in found:
                continue
            if chosen and second and "d" not in found:
                c = second[-1] if complement else table.get(c, c)
            hit = (c in squeezed) if second or not complement else chosen
            if "s" in found and hit and c == last:
                continue
            last = c
            out.append(c)
        joined = "".join(out)
        try:
            process.stdout.write(joined.encode("latin-1"))
        except UnicodeEncodeError:
            put(process, joined)
    return 0


def _comm(process: Process) -> int:
    found, paths = options(process, "123")
    if len(paths) != 2:
        raise ToolFault("missing operand\nTry 'comm --help' for more information.")
    one, two = (text(read_all(process, path)).splitlines() for path in paths)
    left = right = 0
    tabs = {"1": "", "2": "" if "1" in found else "\t",
            "3": ("" if "1" in found else "\t") + ("" if "2" in found else "\t")}  # fmt: skip
    while left < len(one) or right < len(two):
        if right >= len(two) or (left < len(one) and one[left] < two[right]):
            column, line = "1", one[left]
            left += 1
        elif left >= len(one) or two[right] < one[left]:
            column, line = "2", two[right]
            right += 1
        else:
            column, line = "3", one[left]
            left, right = left + 1, right + 1
        if column not in found:
            put(process, tabs[column] + line + "\n")
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {"sort": _sort, "uniq": _uniq, "tr": _tr, "comm": _comm}.items()
}
