"""All that a script or a program prints, in a file of the run's folder, as it comes.

It is masked before it comes here, and written at once, so that a kernel that dies leaves what had come until then; of an
output of any size nothing stays in memory. A disk that is full ends the file and not the script: half of a change on a
host would be worse than a record that says that it is not whole.
"""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import RecordError
from k8swin_nb.shown import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from k8swin_nb.workflow.record import Record

MARK = "--- {} ---\n"
"""Line before what comes on standard error, and before what comes on standard output behind that: what two streams print
is never one text, as which nobody has masked it."""

NAMES = {"stdout": "standard output", "stderr": "standard error"}


class KeptOutput:
    """The output of one script on one host. Its file is made when something comes; safe to use from several threads.

    Args:
        record: In whose folder.
        name: What it is of, for the file's name.
        on_file: Told the file's name, below the folder of all runs, once it is there.
    """

    def __init__(
        self, record: Record, name: str, *, on_file: Callable[[str], None] | None = None
    ) -> None:
        self._record, self._name, self._on_file = record, name, on_file
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._hash = hashlib.sha256()
        self._stream, self._ends = "stdout", True
        self._file = ""
        self.lost = ""
        """Why the file is not whole; empty: it is."""

    def take(self, stream: str, text: str) -> None:
        """Append masked text of `stdout` or `stderr`."""
        with self._lock:
            if not text or self.lost:
                return
            told = visible(text)
            if stream != self._stream:
                mark = MARK.format(NAMES.get(stream, stream))
                told = ("" if self._ends else "\n") + mark + told
                self._stream = stream
            self._ends = told.endswith("\n")
            try:
                self._write(told.encode("utf-8", "replace"))
            except RecordError as error:
                self.lost = error.detail
            except OSError as error:
                self.lost = error.strerror or str(error)

    def close(self) -> dict[str, Any]:
        """Return what an event says of it: `output` and `output_sha256`, and in `output_lost` why it is not whole."""
        with self._lock:
            if self._descriptor is not None:
                try:
                    os.close(self._descriptor)
                except OSError as error:  # a network's file system says it here
                    self.lost = self.lost or error.strerror or str(error)
                self._descriptor = None
            told = {"output": self._file, "output_sha256": self._hash.hexdigest()}
            return told | ({"output_lost": self.lost} if self.lost else {})

    def _write(self, content: bytes) -> None:
        if self._descriptor is None:
            path, self._descriptor = self._record.new_log(self._name)
            self._file = f"logs/{path.name}"
            if self._on_file is not None:
                self._on_file(self._record.shown_name(self._file))
        while content:
            # What the digest is of is what lies there, also when the disk is full.
            done = os.write(self._descriptor, content)
            self._hash.update(content[:done])
            content = content[done:]


class AlreadyKept:
    """Stands for a file of the run's folder where the same text is kept already."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> None:
        """Keep nothing twice."""

    def close(self) -> str:
        """Return the file's name."""
        return self.name
