"""Records on standard error in PowerShell's own XML, as Windows PowerShell 5.1 writes them of an encoded command.

ConsoleHost turns to this form when the command came by -EncodedCommand and standard error is no console: errors line by
line, warnings, verbose and debug messages without their labels (PowerShell#5912, WinRb/WinRM#106). Nothing at all is
written of a session without records. What programs write there themselves stands between as it is.
"""

from __future__ import annotations

import re
from typing import Protocol
from xml.sax.saxutils import escape

_HEAD = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)


class Writer(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object: ...


class Records:
    """The records of one session, written as they come."""

    def __init__(self, stream: Writer) -> None:
        self._stream = stream
        self._begun = False

    def add(self, kind: str, text: str) -> None:
        """Write a text as a record of a stream: `Error`, `warning`, `verbose`, `debug`."""
        if not self._begun:
            self._begun = True
            self._write(_HEAD)
        self._write(f'<S S="{kind}">{_CONTROL.sub(_named, escape(text))}</S>')

    def error(self, text: str) -> None:
        """Write what the console would show of an error, a record a line."""
        for line in text.split("\n"):
            self.add("Error", f"{line.removesuffix(chr(13))}\r\n")

    def end(self) -> None:
        """Close the document, if there is one."""
        if self._begun:
            self._write("</Objs>")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode())


def _named(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"
