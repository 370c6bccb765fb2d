"""File modes: `0644`, `u+rwX,go-w`, `rw-r--r--`."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import re
import stat

from k8swin_lab.bash.tools.common import ToolFault

_BITS = {"r": 4, "w": 2, "x": 1}
_SHIFT = {"u": 6, "g": 3, "o": 0}


def changed_mode(text: str, mode: int, *, directory: bool, mask: int) -> int:
    """Return the mode after a change as chmod understands it.

    Args:
        text: octal digits or symbolic clauses.
        mode: what it is now.
        directory: whether `X` applies in any case.
        mask: bits that a clause without a letter leaves alone.

    Raises:
        ToolFault: the text is no mode.
    """
    if re.fullmatch(r"[0-7]{1,5}", text):
        return int(text, 8)
    for clause in text.split(","):
        found = re.fullmatch(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)", clause)
        if not found:
            raise ToolFault(f"invalid mode: ‘{text}’")
        who = found[1].replace("a", "ugo") or "ugo"
        for operator, letters in re.findall(r"([-+=])([rwxXst]*|[ugo])", found[2]):
            bits = _bits(letters, who, mode, directory)
            if not found[1]:
                bits &= ~mask
            if operator == "+":
                mode |= bits
            elif operator == "-":
                mode &= ~bits
            else:
                for letter in who:
                    mode &= ~(7 << _SHIFT[letter])
                mode |= bits
    return mode


def _bits(letters: str, who: str, mode: int, directory: bool) -> int:
    bits = 0
    for letter in letters:
        if letter in _SHIFT and len(letters) == 1:
            copied = mode >> _SHIFT[letter] & 7
            return sum(copied << _SHIFT[target] for target in who)
        for target in who:
            if letter in _BITS:
                bits |= _BITS[letter] << _SHIFT[target]
            elif letter == "X" and (directory or mode & 0o111):
                bits |= 1 << _SHIFT[target]
            elif letter == "s":
                bits |= {"u": 0o4000, "g": 0o2000, "o": 0}[target]
        if letter == "t":
            bits |= 0o1000
    return bits


def shown(mode: int) -> str:
    """Return the ten letters of `ls -l`."""
    return stat.filemode(mode)
