"""Messages between the parts of a workshop, which are processes: one JSON object each, with open files where needed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

LARGEST = 160 * 1024
"""Bytes of a message; more fits in no buffer of the system's own size."""


class Gone(Exception):
    """Who was at the other end has ended."""


class Channel:
    """One end of a pair; a message is sent and received whole."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Return both ends of a new one."""
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LARGEST)
        return Channel(ends[0]), Channel(ends[1])

    @classmethod
    def of(cls, descriptor: int) -> Channel:
        """Return the end that an open descriptor is."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def leave(self) -> None:
        """Close this process's copy of the end, and let the others have it."""
        self._socket.close()

    def send(self, message: dict[str, Any], files: Sequence[int] = ()) -> None:
        """Send a message.

        Raises:
            Gone: nobody is there to receive it.
        """
        data = json.dumps(message).encode()
        if len(data) > LARGEST:
            data = json.dumps({**_short(message), "cut": len(data)}).encode()
        try:
            with self._sending:
                if files:
                    socket.send_fds(self._socket, [data], list(files))
                else:
                    self._socket.send(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def try_send(self, message: dict[str, Any]) -> None:
        """Send a message, if somebody is there."""
        with contextlib.suppress(Gone):
            self.send(message)

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Wait for a message, and return it with the open files that came with it.

        Raises:
            Gone: none will come.
        """
        try:
            data, files, flags, _ = socket.recv_fds(
                self._socket, LARGEST + 1, 4, socket.MSG_CMSG_CLOEXEC
            )
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("the other end was closed")
        try:
            message = json.loads(data)
        except ValueError:
            message = {}
        if flags & socket.MSG_TRUNC or not isinstance(message, dict):
            message = {}
        return message, files


def _short(message: dict[str, Any]) -> dict[str, Any]:
    """Return what is short of a message that is too long."""
    return {key: value for key, value in message.items() if len(str(value)) < 1000}


def close_others(kept: Sequence[int]) -> None:
    """Close every descriptor of this process but the standard ones and those to be kept."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a path would be a descriptor of its own
        number = int(name)
        if number > 2 and number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)
