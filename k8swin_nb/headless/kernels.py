"""Kernels that start while something else is at work: the start of one, with what a notebook imports, takes over a second.

A kernel belongs to one notebook, whoever started it: nothing of one notebook is seen by another.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from k8swin_nb.redact import redact

NAME = "python3"
"""The kernel of the notebooks; one that asks for another gets a kernel of its own."""

IMPORTED = ("k8swin_nb.notebook.opening", "k8swin_nb.transports.ssh")
"""What each notebook imports in its first cells."""

_IMPORT = "exec('try:\\n import {}\\nexcept ImportError: pass', {{}})".format(", ".join(IMPORTED))
"""It leaves no name behind. What cannot be imported the notebook's own cell says."""


_LAST_BYTES = 16_384
_LAST_LINES = 10
"""How much of what a dead kernel said is looked at and shown."""


@dataclass(slots=True)
class Place:
    """A folder for the sockets of one kernel, and the kernel itself when it was started ahead.

    Messages between papermill and the kernel stay off the network, on sockets of this notebook's own: kernels that start
    side by side would otherwise choose the same names.
    """

    folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="k8swin-")
    )
    manager: Any = None

    def settings(self) -> dict[str, str]:
        """Return the settings of the kernel's manager."""
        return {"transport": "ipc", "ip": f"{self.folder.name}/kernel"}

    @contextlib.contextmanager
    def aside(self) -> Iterator[dict[str, Any]]:
        """Give what a kernel is started with, so that what it says past its notebook goes to a file.

        On the terminal of a run it would stand between the lines of progress: a kernel that is told to end may find its
        sockets closed already, and logs a traceback of that.
        """
        with self._said.open("ab") as said:
            yield {"stdout": said, "stderr": said}

    def last_words(self) -> list[str]:
        """Return what the kernel said last past its notebook: of one that died it may say why."""
        try:
            with self._said.open("rb") as said:
                said.seek(max(said.seek(0, os.SEEK_END) - _LAST_BYTES, 0))
                lines = said.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        return [redact(line) for line in lines if line.strip()][-_LAST_LINES:]

    @property
    def _said(self) -> Path:
        return Path(self.folder.name, "said")


class Kernels:
    """The kernels of a run.

    Args:
        root: The folder in which they work.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="kernel")
        self._begun: deque[Future[Place]] = deque()

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            begun, self._begun = list(self._begun), deque()
        self._pool.shutdown(wait=True)
        for one in begun:
            with contextlib.suppress(Exception):
                _end(one.result())

    def begin(self, count: int) -> None:
        """Start kernels beside what is at work."""
        with self._lock:
            self._begun.extend(self._pool.submit(self._start) for _ in range(count))

    @contextlib.contextmanager
    def place(self) -> Iterator[Place]:
        """Give the place of a kernel to one notebook, with one that was begun if there is any."""
        with self._lock:
            begun = self._begun.popleft() if self._begun else None
        place = None
        if begun is not None:
            # A start that failed is tried again by whoever executes the notebook, and told by him.
            with contextlib.suppress(Exception):
                place = begun.result()
        place = place or Place()
        try:
            yield place
        finally:
            _end(place)

    def _start(self) -> Place:
        from jupyter_client.manager import AsyncKernelManager
        from traitlets.config import Config

        place = Place()
        try:
            manager = AsyncKernelManager(
                kernel_name=NAME, config=Config({"KernelManager": place.settings()})
            )

            async def start() -> None:
                with place.aside() as aside:
                    await manager.start_kernel(
                        cwd=str(self._root),
                        extra_arguments=[
                            "--HistoryManager.hist_file=:memory:",
                            f"--IPKernelApp.exec_lines={_IMPORT}",
                        ],
                        **aside,
                    )

            asyncio.run(start())
        except BaseException:
            place.folder.cleanup()
            raise
        place.manager = manager
        return place


def _end(place: Place) -> None:
    """End a kernel that nobody has used, and remove its folder."""

    async def end() -> None:
        if await place.manager.is_alive():
            await place.manager.shutdown_kernel(now=True)

    with place.folder, contextlib.suppress(Exception):
        if place.manager is not None:
            asyncio.run(end())
