"""What another program is given to ask the API server: a kubeconfig of this cluster alone, and a way where there is none.

The file is made of what was read of the host's kubeconfig by field, so that no program, path or other server of that one
gets into it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from k8swin_nb.errors import ClusterError

if TYPE_CHECKING:
    from k8swin_nb.cluster.api import ClusterApi
    from k8swin_nb.cluster.connection import Dial

DIAL_SECONDS = 10.0
PIECE = 65_536


LEFT = re.compile(r"k8swin-([0-9]+)-.+")
"""Names of folders here, with the process that made them."""


@contextlib.contextmanager
def client_file(api: ClusterApi) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Make a kubeconfig, and yield its path and the descriptors that the program has to get for it.

    Where the system can, it is in memory alone: it holds the administrator's key, and what ends this process at once
    leaves nothing behind. Elsewhere it is in a folder of this account that is taken away at the end.

    Raises:
        ClusterError: when it cannot be written.
    """
    access, server, dial = api.way
    host = f"[{access.host}]" if ":" in access.host else access.host
    at = f"https://{host}:{access.port}"
    with contextlib.ExitStack() as stack:
        if dial is not None:
            at = f"https://127.0.0.1:{stack.enter_context(_forwarded(dial, access.host, access.port))}"
        cluster: dict[str, Any] = {
            "server": at,
            "certificate-authority-data": base64.b64encode(access.authority).decode(),
        }
        if (name := urlsplit(server).hostname) and name != urlsplit(at).hostname:
            cluster["tls-server-name"] = name
        user: dict[str, Any] = {}
        if access.token is not None:
            user["token"] = access.token.reveal()
        if access.certificate and access.key is not None:
            key = access.key.reveal().encode("ascii")
            user["client-certificate-data"] = base64.b64encode(access.certificate).decode()
            user["client-key-data"] = base64.b64encode(key).decode()
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "user"}}],
            "current-context": "cluster",
        }
        yield stack.enter_context(_kept(json.dumps(document).encode("ascii")))


@contextlib.contextmanager
def _kept(content: bytes) -> Iterator[tuple[Path, tuple[int, ...]]]:
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("k8swin"), "wb") as file:
            file.write(content)
            file.flush()
            # The program opens it by its own descriptor, each time from the beginning.
            yield Path(f"/proc/self/fd/{file.fileno()}"), (file.fileno(),)
        return
    remove_left()
    with contextlib.ExitStack() as stack:
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"k8swin-{os.getpid()}-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            path = folder / "kubeconfig"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except OSError as error:
            raise ClusterError(
                f"no kubeconfig can be written below {tempfile.gettempdir()}: {error.strerror}",
                hint="make room, or name another folder with TMPDIR",
            ) from error
        yield path, ()


def remove_left() -> None:
    """Take away what processes of this account have left that were ended at once."""
    if os.name == "nt":
        return  # to ask for a process by a signal ends it there
    for folder in Path(tempfile.gettempdir()).glob("k8swin-*-*"):
        made = LEFT.fullmatch(folder.name)
        with contextlib.suppress(OSError):
            if made is None or folder.lstat().st_uid != os.getuid() or _runs(int(made[1])):
                continue
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # somebody else's
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextlib.contextmanager
def _forwarded(dial: Dial, host: str, port: int) -> Iterator[int]:
    """Pass on what comes in at a port of this computer's own, which is yielded."""
    open_ends: list[socket.socket] = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    here, _ = door.accept()
                except OSError:
                    return  # it is over
                try:
                    there = dial(host, port, DIAL_SECONDS)
                except Exception:
                    here.close()  # the program says that it was cut off
                    continue
                open_ends.extend((here, there))
                if over.is_set():  # nobody looks any more at what is open
                    _shut(here, there)
                    return
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()

        threading.Thread(target=serve, name="to the API server", daemon=True).start()
        try:
            yield door.getsockname()[1]
        finally:
            # To close it alone would leave whoever waits at the door there, and the port open.
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            over.set()
            _shut(*open_ends)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(PIECE):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)
