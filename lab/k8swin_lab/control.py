"""The lab's control socket: one JSON object per line each way, for the commands that ask a running lab."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab.lasting import Lasting
from k8swin_lab.socket_paths import within_length

_TIMEOUT = 10.0
_LARGEST = 65536


class ControlError(Exception):
    """The lab did not answer, or refused; the text is its own."""


def ask(path: Path, request: dict[str, Any], timeout: float = _TIMEOUT) -> dict[str, Any]:
    """Send a request, wait until it is done, at most `timeout` seconds, and return the answer.

    Raises:
        ControlError: there is no lab, or it refuses.
    """
    try:
        with within_length(path) as name, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(name)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline() or b"{}")
    except (OSError, ValueError) as error:
        raise ControlError(f"{path}: {error}") from error
    if answer.get("error"):
        raise ControlError(answer["error"])
    return answer


class ControlServer:
    """Answers requests one after another in a thread of its own.

    Args:
        path: the Unix socket, readable by its owner only as its folder is.
        answer: does what a request asks and returns what is to be said; an exception's text goes to the client.
    """

    def __init__(
        self, path: Path, answer: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> None:
        self._answer = answer
        self.asking: socket.socket | None = None
        """Who asks now."""
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with within_length(path) as name:
            self._socket.bind(name)
        self._socket.listen(8)
        # In a copy of the lab another one is opened.
        Lasting(self._serve, name="control").start()

    def close(self) -> None:
        """Take no more requests."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_TIMEOUT)
                self.asking = connection
                with connection.makefile("rb") as lines:
                    answer = self._reply(lines.readline(_LARGEST))
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _reply(self, line: bytes) -> dict[str, Any]:
        try:
            said = self._answer(json.loads(line))
        except Exception as error:
            return {"error": str(error) or type(error).__name__}
        return {"done": "yes"} | (said or {})
