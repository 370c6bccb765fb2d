"""The real ports of a workshop's seats: bytes go between a browser and the seat's JupyterLab as they are."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import socket
import threading
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_CHUNK = 65_536
_MOST = 256
"""Connections of one seat at once; JupyterLab with five notebooks has about twenty."""

_HEAD_SECONDS = 5.0


class Forwarder:
    """Listens for all seats in one event loop, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="forward", daemon=True).start()

    def open(
        self,
        listening: socket.socket,
        connect: Callable[[], Awaitable[socket.socket]],
        why_not: Callable[[], str],
    ) -> None:
        """Pass what comes at a listening socket on.

        Args:
            listening: from now on the forwarder's.
            connect: gives a connection to the seat, or raises OSError.
            why_not: what a browser is shown when there is none.
        """
        count = 0

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            count += 1
            try:
                if count > _MOST:
                    return
                await _pass_on(reader, writer, connect, why_not)
            finally:
                count -= 1
                writer.close()

        async def serve() -> None:
            await asyncio.start_server(one, sock=listening, limit=_CHUNK)

        asyncio.run_coroutine_threadsafe(serve(), self._loop).result(10)


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    connect: Callable[[], Awaitable[socket.socket]],
    why_not: Callable[[], str],
) -> None:
    try:
        seat_reader, seat_writer = await asyncio.open_connection(sock=await connect(), limit=_CHUNK)
    except (TimeoutError, OSError):
        await _say(reader, writer, why_not())
        return
    try:
        await asyncio.gather(_copy(reader, seat_writer), _copy(seat_reader, writer))
    finally:
        seat_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if target.can_write_eof():
            target.write_eof()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str) -> None:
    """Answer a browser in place of a seat that does not; it asks again by itself."""
    with contextlib.suppress(
        OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError
    ):
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
    body = (
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=3><title>Seat</title>"
        f"<p style='font:18px sans-serif;margin:3em'>{html.escape(text)}</p>"
    ).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        writer.write(head.encode() + body)
        await writer.drain()


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: the port is taken, or the address is not this computer's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(128)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening
