"""SSH host keys: the project's own `known_hosts` file, and nobody else's.

A key is fetched, compared by a person, and pinned; from then on another key is an error. The file is in
OpenSSH's format, so `ssh -o UserKnownHostsFile=...` can use it too.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from paramiko.hostkeys import HostKeyEntry, HostKeys

from k8swin_nb.errors import HostUnreachable, K8swinError
from k8swin_nb.inventory import Host

CONNECT_SECONDS = 10.0

_file_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's public key."""

    algorithm: str
    """Such as `ssh-ed25519`."""

    fingerprint: str
    """`SHA256:...` as `ssh-keygen -l` prints it."""

    base64: str
    """The key as it stands in `known_hosts`."""


def of_paramiko(key: Any) -> HostKey:
    """Return a host key of paramiko's."""
    return HostKey(key.get_name(), str(key.fingerprint), key.get_base64())


def entry_name(host: Host) -> str:
    """Return the name under which OpenSSH keeps a host's key: `[address]:port` unless the port is 22."""
    return host.address if host.ssh_port == 22 else f"[{host.address}]:{host.ssh_port}"


def scan(host: Host) -> HostKey:
    """Fetch a host's key without logging in.

    Raises:
        TransportError: when no SSH server answers.
    """
    from k8swin_nb.transports.ssh import translate

    try:
        with socket.create_connection((host.address, host.ssh_port), CONNECT_SECONDS) as sock:
            transport = paramiko.Transport(sock)
            try:
                transport.start_client(timeout=CONNECT_SECONDS)
                return of_paramiko(transport.get_remote_server_key())
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise translate(error, host) from error


def pin(host: Host, key: HostKey) -> None:
    """Write a host's key into the project's file, in place of older ones of the same kind."""
    path = Path(host.known_hosts)
    with _file_lock:
        kept = [line for line in _lines(path) if not _is(line, host, key.algorithm)]
        _write(path, [*kept, f"{entry_name(host)} {key.algorithm} {key.base64}"])


def forget(host: Host) -> int:
    """Remove all keys of a host from the project's file and return how many there were."""
    path = Path(host.known_hosts)
    with _file_lock:
        lines = _lines(path)
        kept = [line for line in lines if not _is(line, host)]
        if len(kept) != len(lines):
            _write(path, kept)
    return len(lines) - len(kept)


def pinned(host: Host) -> list[HostKey]:
    """Return the pinned keys of a host."""
    found = [_entry(line) for line in _lines(Path(host.known_hosts)) if _is(line, host)]
    return [of_paramiko(entry.key) for entry in found if entry is not None]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise K8swinError(
            f"cannot read the host keys in `{path}`: {error}",
            hint="look at the file and its folder",
        ) from error


def _write(path: Path, lines: list[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise K8swinError(
            f"cannot write the host keys into `{path}`: {error.strerror}",
            hint="name another file as `known_hosts`",
        ) from error


def _entry(line: str) -> HostKeyEntry | None:
    if not line.strip() or line.lstrip().startswith(("#", "@")):
        return None
    try:
        entry = HostKeyEntry.from_line(line)
    except (paramiko.SSHException, ValueError):
        return None
    return entry if entry is not None and entry.key is not None else None


def _is(line: str, host: Host, algorithm: str | None = None) -> bool:
    entry = _entry(line)
    if entry is None or (algorithm and entry.key.get_name() != algorithm):
        return False
    name = entry_name(host)
    return any(
        (known.startswith("|1|") and HostKeys.hash_host(name, known) == known) or known == name
        for known in entry.hostnames
    )


def unreachable(host: Host, detail: str) -> HostUnreachable:
    """Return the error for a host at which nobody answers SSH."""
    return HostUnreachable(host.name, f"SSH to {host.address} port {host.ssh_port}: {detail}")
