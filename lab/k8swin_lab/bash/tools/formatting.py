"""`printf` formats and the escapes of `echo -e`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

_DIRECTIVE = re.compile(
    r"%(?:%|([-+ #0']*)(\*|\d+)?(?:\.(\*|\d*))?(?:\(([^)]*)\))?[hlLjzt]*(.))", re.S
)
_ESCAPE = re.compile(
    r"\\(?:(c)|0([0-7]{0,3})|([1-7][0-7]{0,2})|x([0-9A-Fa-f]{1,2})"
    r"|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(.))", re.S
)  # fmt: skip
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
           "e": "\x1b", "E": "\x1b", "\\": "\\"}  # fmt: skip


def _resolved(text: str, *, quotes: bool = False) -> tuple[str, bool]:
    out: list[str] = []
    at = 0
    for found in _ESCAPE.finditer(text):
        out.append(text[at : found.start()])
        at = found.end()
        stop, zero, octal, hexadecimal, short, long, other = found.groups()
        if stop:
            return "".join(out), True
        if zero is not None or octal or hexadecimal:
            number = int(hexadecimal, 16) if hexadecimal else int(octal or zero or "0", 8) & 255
            out.append(bytes([number]).decode("utf-8", "surrogateescape"))
        elif short or long:
            out.append(chr(int(short or long, 16)))
        elif quotes and other in "\"'?":
            out.append(other)
        else:
            out.append(_SIMPLE.get(other, "\\" + other))
    out.append(text[at:])
    joined = "".join(out).encode("utf-8", "surrogateescape")
    return joined.decode("utf-8", "surrogateescape"), False


def echo_escapes(text: str) -> tuple[str, bool]:
    r"""Resolve the escapes of `echo -e` and `%b`; tell whether `\c` ended the output."""
    return _resolved(text)


def formatted(
    form: str, arguments: list[str], *, quote: Callable[[str], str]
) -> tuple[str, list[str]]:
    """Format as printf does, the format used again while arguments are left.

    Args:
        form: the format.
        arguments: what goes in.
        quote: how `%q` quotes.

    Returns:
        The text and the complaints about numbers.
    """
    faults: list[str] = []
    rest = list(arguments)
    out = ""
    while True:
        before = len(rest)
        text, stopped = _once(form, rest, quote, faults)
        out += text
        if stopped or not rest or len(rest) == before:
            return out, faults


def _once(
    form: str, rest: list[str], quote: Callable[[str], str], faults: list[str]
) -> tuple[str, bool]:
    out = ""
    at = 0
    for found in _DIRECTIVE.finditer(form):
        if found.start() < at:
            continue
        text, _ = _resolved(form[at : found.start()], quotes=True)
        out += text
        at = found.end()
        if found[0] == "%%":
            out += "%"
            continue
        flags, width, precision, moment, kind = found.groups()
        if width == "*":
            width = str(_integer(rest.pop(0) if rest else "0", faults))
            if width.startswith("-"):
                flags, width = flags + "-", width[1:]
        if precision == "*":
            precision = str(_integer(rest.pop(0) if rest else "0", faults))
        argument = rest.pop(0) if rest else None
        text, stopped = _directive(kind, flags, precision, moment, argument, quote, faults)
        if width and kind in "sbqcQ":
            text = text.ljust(int(width)) if "-" in flags else text.rjust(int(width))
        elif width:
            text = _padded(text, flags, int(width), kind, precision)
        out += text
        if stopped:
            return out, True
    text, _ = _resolved(form[at:], quotes=True)
    return out + text, False


def _padded(text: str, flags: str, width: int, kind: str, precision: str | None) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and (precision is None or kind not in "diouxX"):
        sign = text[0] if text[:1] in ("-", "+", " ") else ""
        body = text[len(sign) :]
        prefix = body[:2] if body[:2] in ("0x", "0X") else ""
        zeros = "0" * (width - len(text))
        return sign + prefix + zeros + body[len(prefix) :]
    return text.rjust(width)


def _directive(
    kind: str,
    flags: str,
    precision: str | None,
    moment: str | None,
    argument: str | None,
    quote: Callable[[str], str],
    faults: list[str],
) -> tuple[str, bool]:
    text = argument or ""
    if kind == "T":
        seconds = time.time() if argument in (None, "-1", "-2") else float(argument or 0)
        return time.strftime(moment or "%X", time.localtime(seconds)), False
    if kind == "b":
        return _resolved(text)
    if kind in "qQ":
        return quote(text), False
    if kind == "c":
        return text[:1], False
    if kind == "s":
        return (text if precision is None else text[: int(precision or 0)]), False
    if kind in "diouxX":
        number = _integer(argument, faults)
        if kind in "ouxX" and number < 0:
            number += 1 << 64
        digits = format(abs(number), {"d": "d", "i": "d", "u": "d"}.get(kind, kind))
        if precision:
            digits = digits.rjust(int(precision), "0")
        if "#" in flags and number:
            digits = {"x": "0x", "X": "0X", "o": "0"}.get(kind, "") + digits
        sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
        return sign + digits, False
    if kind in "eEfFgGaA":
        try:
            value = float(text or 0)
        except ValueError:
            faults.append(f"{text}: invalid number")
            value = 0.0
        shape = "%" + flags.replace("0", "").replace("-", "").replace("'", "")
        shape += ("." + precision if precision is not None else "") + kind
        return shape % value, False
    faults.append(f"`{kind}': invalid format character")
    return "", True


def _integer(argument: str | None, faults: list[str]) -> int:
    text = (argument or "").strip()
    if not text:
        return 0
    if text[0] in "'\"":
        return ord(text[1]) if len(text) > 1 else 0
    found = re.match(r"[-+]?(?:0[xX][0-9A-Fa-f]+|0[0-7]*|\d+)", text)
    if not found or found[0] != text:
        reason = "invalid octal number" if re.fullmatch(r"0\d+", text) else "invalid number"
        faults.append(f"{text}: {reason}")
    if not found:
        return 0
    body = found[0].lstrip("+-")
    base = 16 if body[:2] in ("0x", "0X") else 8 if len(body) > 1 and body[0] == "0" else 10
    number = int(body, base)
    return -number if found[0][0] == "-" else number
