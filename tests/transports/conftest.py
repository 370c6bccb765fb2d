"""A real SSH server on a free port, which runs commands on this machine, and a host that leads to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from k8swin_nb.inventory import Host

from .openssh import openssh  # noqa: F401 - the fixture


@dataclass
class Server:
    """The server and what it was asked."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)
    host_key: Any = None
    loop: asyncio.AbstractEventLoop | None = None
    children: set[asyncio.subprocess.Process] = field(default_factory=set)

    def drop_all(self) -> None:
        assert self.loop
        for connection in self.connections:
            self.loop.call_soon_threadsafe(connection.abort)
        self.connections.clear()


async def _copy(reader: Any, write: Any, close: Any = None) -> None:
    while data := await reader.read(65536):
        write(data)
    if close:
        close()


def _process(server: Server) -> Any:
    async def run(process: Any) -> None:
        server.commands.append(process.command)
        child = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            process.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        server.children.add(child)

        async def feed() -> None:
            try:
                while data := await process.stdin.read(65536):
                    child.stdin.write(data)
                    await child.stdin.drain()
                child.stdin.close()
            except (OSError, asyncssh.Error):
                child.stdin.close()

        feeding = asyncio.ensure_future(feed())
        copies = asyncio.gather(
            _copy(child.stdout, process.stdout.write),
            _copy(child.stderr, process.stderr.write),
            return_exceptions=True,
        )
        await copies
        code = await child.wait()
        server.children.discard(child)
        feeding.cancel()
        process.exit(code)

    return run


def _end_session(leader: int) -> None:
    """End all processes of a session; a script's are in several groups."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("user", "stranger"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        (folder / name).write_bytes(key.export_private_key())
        (folder / name).chmod(0o600)
        (folder / f"{name}.pub").write_bytes(key.export_public_key())
    return folder


@pytest.fixture
def server(keys: Path) -> Iterator[Server]:
    state = Server(host_key=asyncssh.generate_private_key("ssh-ed25519"))
    loop = asyncio.new_event_loop()
    state.loop = loop
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    class Accept(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            state.connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return password == "right password"

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Accept,
            server_host_keys=[state.host_key],
            authorized_client_keys=str(keys / "user.pub"),
            process_factory=_process(state),
            encoding=None,
        )

    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(100)
    state.port = listener.get_port()
    yield state

    async def stop() -> None:
        listener.close()
        await listener.wait_closed()
        for connection in state.connections:
            connection.abort()
        # Commands that hang on purpose end here, with all that they have started: nothing is left
        # that would speak to a loop that is closed.
        for child in state.children:
            _end_session(child.pid)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        _, waiting = await asyncio.wait(tasks, timeout=60) if tasks else (None, set())
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # a pipe's end and a connection's end are told to their owners in a turn of the loop each
        for _ in range(5):
            await asyncio.sleep(0)
        await loop.shutdown_asyncgens()

    asyncio.run_coroutine_threadsafe(stop(), loop).result(100)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(100)
    loop.close()


@pytest.fixture
def host(server: Server, keys: Path, tmp_path: Path) -> Host:
    return Host(
        "box",
        "127.0.0.1",
        "linux",
        ("control-plane",),
        "somebody",
        ssh_port=server.port,
        identity=str(keys / "user"),
        known_hosts=str(tmp_path / "known_hosts"),
        host_key_policy="accept-new",
    )


@pytest.fixture
def strict(host: Host) -> Host:
    return replace(host, host_key_policy="strict")
