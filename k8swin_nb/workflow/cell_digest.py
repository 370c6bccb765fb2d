"""Digests of what a cell shows: the same for what its kernel sent and for what a front end keeps of that in a file.

nbclient, papermill and nbconvert keep pieces of printed text as they came, JupyterLab joins them and lets a carriage return
write over its line, nbformat keeps a text as a list of its lines. What differs in that way alone has one digest:

- printed text that follows printed text of the same stream is one text, and its lines are as a terminal leaves them;
- of an object each form counts, but for the number of a widget's view; a number in JSON counts as JavaScript keeps it;
- execution counts, metadata and what is transient are left out, and whether an object was displayed or was a cell's value.

What may live here: what writers and readers of a record must agree on, and nothing that talks to a kernel.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"
"""A form that holds the number of a widget of one kernel."""

LONG = 65_536
"""Characters of a line of which the beginning is settled: a carriage return behind it does not reach back to there."""

_BEYOND = re.compile("[\U00010000-\U0010ffff]")
"""Characters that JavaScript counts as two."""

_MOVES = re.compile("([\n\r\b])")

_BINARY = re.compile(r"(?:image|audio|video|font)/(?!svg\+xml)|application/(?:pdf|octet-stream)")
"""Forms in Base64, in which line ends mean nothing."""


def source_digest(source: str) -> str:
    """Return the SHA-256 of a cell's source, whatever its line ends and what is blank at its end."""
    return _sha256(source.replace("\r\n", "\n").rstrip())


def outputs_digest(outputs: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of a cell's outputs as nbformat has them, from a file or a program."""
    shown = CellOutputs()
    for output in outputs:
        shown.take(output)
    return shown.digests()[0]


class StreamText:
    """Printed text that arrives in pieces and is forgotten but for its last line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._hash = hashlib.sha256()
        self._cut: Any = None
        """The same for who drops what a carriage return writes over, as nbconvert does; None: that is no other text so far."""
        self._line, self._at = "", 0
        self._moved = False
        """Whether the line was written over, or may be."""
        self._before = self._part = ""

    def feed(self, text: str) -> None:
        """Take a piece."""
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if self._moved or "\r" in text or "\b" in text:
            for piece in _MOVES.split(text):
                self._take(piece)
            return
        head, end, tail = text.rpartition("\n")
        if end:
            self._add(self._line + head + end)
            self._line, self._at = "", 0
        self._write(tail)

    def digests(self) -> tuple[str, str]:
        """Return the SHA-256 of the text so far: as a terminal shows it, and without what was written over."""
        plain, cut = self._hash.copy(), (self._cut or self._hash).copy()
        plain.update(_bytes(self._line))
        cut.update(_bytes(self._kept() if self._moved else self._line))
        return plain.hexdigest(), cut.hexdigest()

    def _take(self, piece: str) -> None:
        if piece == "\n":
            self._add(self._line + "\n", self._kept() + "\n" if self._moved else None)
            self._line, self._at, self._moved = "", 0, False
            self._before = self._part = ""
        elif piece == "\r":
            if not self._moved:
                self._part = self._line
            self._before, self._part = self._part, ""
            self._at, self._moved = 0, True
        elif piece == "\b":
            if self._at > 0:
                self._line = self._line[: self._at - 1] + self._line[self._at + 1 :]
                self._at -= 1
        elif piece:
            self._write(piece)

    def _write(self, text: str) -> None:
        """Write at the place in the line."""
        if self._moved:
            self._part = (self._part + text)[-LONG:]
        if self._at == len(self._line):
            self._line += text
            self._at = len(self._line)
        else:
            self._line, self._at = _written_over(self._line, self._at, text)
        if len(self._line) > LONG:
            settled = len(self._line) // LONG * LONG
            self._add(self._line[:settled])
            self._line = self._line[settled:]
            self._at = max(0, self._at - settled)

    def _kept(self) -> str:
        return self._part or self._before

    def _add(self, text: str, cut: str | None = None) -> None:
        if cut is not None and cut != text and self._cut is None:
            self._cut = self._hash.copy()
        self._hash.update(_bytes(text))
        if self._cut is not None:
            self._cut.update(_bytes(text if cut is None else cut))


def _written_over(line: str, at: int, text: str) -> tuple[str, int]:
    """Return a line with a text written over it from a place on, and where it ends; counted as JavaScript does."""
    if not _BEYOND.search(line) and not _BEYOND.search(text):
        end = at + len(text)
        return line[:at] + text + line[end:], end
    below = line[:at].encode("utf-16-le", "surrogatepass")
    written = below + text.encode("utf-16-le", "surrogatepass")
    rest = line.encode("utf-16-le", "surrogatepass")[len(written) :]
    done = written.decode("utf-16-le", "replace")
    return done + rest.decode("utf-16-le", "replace"), len(done)


class CellOutputs:
    """The outputs of one cell as they come about, message by message, without their contents."""

    def __init__(self) -> None:
        self._entries: list[StreamText | str] = []
        self._clears = False
        self._displays: dict[str, list[int]] = {}
        self._page: str | None = None
        self.inputs = 0
        """How often somebody was asked for a line of input; JupyterLab keeps what was answered among the outputs."""

    def take(self, output: Mapping[str, Any]) -> None:
        """Take an output as nbformat has it."""
        match output.get("output_type"):
            case "stream":
                self.stream(str(output.get("name")), _joined(output.get("text", "")))
            case "error":
                self.error(output)
            case _:
                self.display(output.get("data") or {})

    def stream(self, name: str, text: str) -> None:
        """Take printed text."""
        if not text:
            return
        if name == "stdin":
            self.inputs += 1
            return
        self._clear_late()
        last = self._entries[-1] if self._entries else None
        if not isinstance(last, StreamText) or last.name != name:
            last = StreamText(name)
            self._entries.append(last)
        last.feed(text)

    def display(self, data: Mapping[str, Any], display_id: str = "") -> None:
        """Take an object that is displayed, or a cell's value."""
        self.update(display_id, data)
        self._clear_late()
        if display_id:
            self._displays.setdefault(display_id, []).append(len(self._entries))
        self._entries.append(_of_data(data))

    def update(self, display_id: str, data: Mapping[str, Any]) -> bool:
        """Take what an object that was displayed looks like now, and return whether it is one of these."""
        places = self._displays.get(display_id, ())
        for place in places:
            self._entries[place] = _of_data(data)
        return bool(places)

    def shows(self, display_id: str) -> bool:
        """Whether an object of that name is among these."""
        return bool(self._displays.get(display_id))

    def error(self, told: Mapping[str, Any]) -> None:
        """Take the error that ended the cell."""
        self._clear_late()
        trace = told.get("traceback") or []
        lines = trace if isinstance(trace, list) else [trace]
        whole = [told.get("ename"), told.get("evalue"), "\n".join(map(str, lines))]
        self._entries.append(
            _sha256(json.dumps(["error", *(_readable(str(one)) for one in whole)]))
        )

    def clear(self, *, wait: bool) -> None:
        """Forget all; `wait`: when the next output comes."""
        if wait:
            self._clears = True
        else:
            self._entries.clear()
            self._displays.clear()
            self._clears = False

    def page(self, data: Mapping[str, Any]) -> None:
        """Take a help text, which JupyterLab keeps among the outputs and others show beside the notebook."""
        self._page = _of_data(data)

    def digests(self) -> list[str]:
        """Return the digest of all of it, and behind it those that it has in front ends that keep less or more."""
        plain, cut = [], []
        for entry in self._entries:
            if isinstance(entry, StreamText):
                whole, short = entry.digests()
                plain.append(["stream", entry.name, whole])
                cut.append(["stream", entry.name, short])
            else:
                plain.append(["other", entry])
                cut.append(["other", entry])
        kinds: list[list[list[str]]] = [plain, cut]
        if self._page is not None:
            kinds.append([*plain, ["other", self._page]])
        return list(dict.fromkeys(_sha256(json.dumps(kind)) for kind in kinds))

    def _clear_late(self) -> None:
        if self._clears:
            self.clear(wait=False)


def _of_data(data: Mapping[str, Any]) -> str:
    """Return the digest of an object's forms."""
    forms = {form: _form(form, value) for form, value in sorted(data.items()) if form != WIDGET}
    return _sha256(json.dumps(["data", forms], sort_keys=True, default=str))


def _form(form: str, value: Any) -> Any:
    if form == "application/json" or form.endswith("+json"):
        return _numbers(value)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if isinstance(value, str):
        return "".join(value.split()) if _BINARY.match(form) else _readable(value)
    return _numbers(value)


def _numbers(value: Any) -> Any:
    """Return a JSON value with its numbers as JavaScript has them."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        try:
            return repr(float(value))
        except OverflowError:
            return "inf"
    if isinstance(value, str):
        return _readable(value)
    if isinstance(value, Mapping):
        return {str(name): _numbers(item) for name, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _readable(text: str) -> str:
    """Return a text as it arrives in a front end, where half a character is a sign that it was one."""
    return _bytes(text).decode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()
