"""SSH host keys: the project's own `known_hosts` file; of a host that no description names, the user's own beside it.

A key is fetched, compared by a person, and pinned; from then on another key is an error. The file is in
OpenSSH's format, so `ssh -o UserKnownHostsFile=...` can use it too.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from k8swin_nb.errors import HostUnreachable, K8swinError
from k8swin_nb.inventory import Host
from k8swin_nb.local_files import alone_in, make_folders, write_whole
from k8swin_nb.reading import file_bytes
from k8swin_nb.transports.dialling import Dial, dial

CONNECT_SECONDS = 10.0

FILE_BYTES = 32 * 1024 * 1024
"""What a file of pinned keys may have: a hundred thousand hosts."""

_file_lock = threading.Lock()

# What paramiko logs, tracebacks of its threads among it, stands in our errors; whoever wants it sets a level.
if logging.getLogger("paramiko").level == logging.NOTSET:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


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
    return host.ssh_address if host.ssh_port == 22 else f"[{host.ssh_address}]:{host.ssh_port}"


@dataclass(frozen=True, slots=True)
class Known:
    """What the project's file says of one host."""

    keys: tuple[Any, ...]
    """Keys that are pinned, as paramiko's."""

    revoked: frozenset[bytes]
    """Keys that are marked as revoked, as bytes."""

    authority: bool
    """Whether the host's keys are to be vouched for by an authority (`@cert-authority`)."""

    def is_revoked(self, key: bytes) -> bool:
        """Tell whether a key is marked as revoked."""
        return key in self.revoked


def scan(host: Host, dial: Dial = dial) -> HostKey:
    """Fetch a host's key without logging in.

    Args:
        host: Whose.
        dial: Makes the TCP connection; by default from here.

    Raises:
        TransportError: when no SSH server answers.
    """
    from k8swin_nb.transports.connection import translate

    try:
        with dial(host.ssh_address, host.ssh_port, CONNECT_SECONDS) as sock:
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
    with _file_lock, alone_in(path.parent):
        kept = _without(_lines(path), host, key.algorithm)
        _write(path, [*kept, f"{entry_name(host)} {key.algorithm} {key.base64}"])


def forget(host: Host) -> int:
    """Remove all keys of a host from the project's file and return how many there were.

    What marks a key as revoked stays.
    """
    path = Path(host.known_hosts)
    with _file_lock, alone_in(path.parent):
        lines = _lines(path)
        kept = _without(lines, host)
        if kept != lines:
            _write(path, kept)
    return sum(_is(line, host) for line in lines)


def pinned(host: Host) -> list[HostKey]:
    """Return the pinned keys of a host."""
    return [of_paramiko(key) for key in known(host).keys]


def known(host: Host) -> Known:
    """Return what the project's file, and the one beside it, say of a host. A line that cannot be read is passed over."""
    keys: list[Any] = []
    revoked: set[bytes] = set()
    authority = False
    files = [one for one in (host.known_hosts, host.known_elsewhere) if one]
    for entry in (found for one in files for found in _index(Path(one)).of(entry_name(host))):
        try:
            data = base64.b64decode(entry.base64, validate=True)
        except ValueError:
            continue
        if entry.marker == "@revoked":
            revoked.add(data)
        elif entry.marker == "@cert-authority":
            authority = True
        elif not entry.marker:
            with contextlib.suppress(Exception):  # a kind that is not known here, or a damaged key
                keys.append(paramiko.PKey.from_type_string(entry.algorithm, data))
    return Known(tuple(keys), frozenset(revoked), authority)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the file, not yet understood as a key."""

    marker: str
    names: tuple[str, ...]
    algorithm: str
    base64: str

    def names_exactly(self, name: str) -> bool:
        return any(
            (known.startswith("|1|") and _hashed(name, known)) or known == name
            for known in self.names
        )

    def covers(self, name: str) -> bool:
        """Tell whether the line is about a host: by name, hashed name or pattern, as OpenSSH matches."""
        found = False
        for pattern in self.names:
            wanted = pattern.removeprefix("!")
            if wanted.startswith("|1|"):
                same = _hashed(name, wanted)
            else:
                same = _like(wanted.lower(), name.lower())
            if same and pattern.startswith("!"):
                return False
            found = found or same
        return found


class _Index:
    """A file's lines by the names in them; a host is given its own lines alone."""

    def __init__(self, lines: list[str]) -> None:
        self._plain: dict[str, list[tuple[int, _Entry]]] = {}
        self._others: list[tuple[int, _Entry]] = []
        for number, line in enumerate(lines):
            entry = _entry(line)
            if entry is None:
                continue
            if any(set(name) & set("*?!|") for name in entry.names):
                self._others.append((number, entry))
            else:
                for name in entry.names:
                    self._plain.setdefault(name.lower(), []).append((number, entry))

    def of(self, name: str) -> list[_Entry]:
        found = list(self._plain.get(name.lower(), ()))
        found += [(number, entry) for number, entry in self._others if entry.covers(name)]
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


_indexes: dict[Path, tuple[tuple[int, int, int], _Index]] = {}


def _index(path: Path) -> _Index:
    """Return the index of a file, which is read again only when it has changed."""
    try:
        found = path.stat()
    except OSError:
        return _Index(_lines(path))
    state = (found.st_mtime_ns, found.st_size, found.st_ino)
    with _file_lock:
        before = _indexes.get(path)
        if before is None or before[0] != state:
            before = _indexes[path] = state, _Index(_lines(path))
    return before[1]


def _lines(path: Path) -> list[str]:
    try:
        # What one line holds must not keep the others from being read, and it is written back as it was.
        text = file_bytes(path, FILE_BYTES).decode("utf-8", "surrogateescape")
        return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise K8swinError(
            f"cannot read the host keys in `{path}`: {error}",
            hint="look at the file and its folder",
        ) from error


def _write(path: Path, lines: list[str]) -> None:
    text = "".join(line + "\n" for line in lines)
    make_folders(path.parent)
    write_whole(path, text, hint="name another file as `known_hosts`")


def _entry(line: str) -> _Entry | None:
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if len(words) < 3:
        return None
    return _Entry(marker, tuple(words[0].split(",")), words[1], words[2])


def _is(line: str, host: Host, algorithm: str | None = None) -> bool:
    """Tell whether a line pins a key of a host and of it by name: that line may be replaced."""
    entry = _entry(line)
    if entry is None or entry.marker or (algorithm and entry.algorithm != algorithm):
        return False
    return entry.names_exactly(entry_name(host))


def _without(lines: list[str], host: Host, algorithm: str | None = None) -> list[str]:
    """Return the lines without a host's keys; other names on its lines keep theirs."""
    kept = []
    for line in lines:
        if not _is(line, host, algorithm):
            kept.append(line)
            continue
        words = line.split(None, 1)
        name = entry_name(host)
        others = [
            known
            for known in words[0].split(",")
            if known != name and not (known.startswith("|1|") and _hashed(name, known))
        ]
        if others:
            kept.append(f"{','.join(others)} {words[1]}")
    return kept


def _hashed(name: str, known: str) -> bool:
    """Tell whether `|1|salt|hash` stands for a name."""
    try:
        _, _, salt, digest = known.split("|")
        wanted = base64.b64decode(digest, validate=True)
        key = base64.b64decode(salt, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(key, name.encode(), "sha1"), wanted)


def _like(pattern: str, name: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), name) is not None


def unreachable(host: Host, detail: str) -> HostUnreachable:
    """Return the error for a host at which nobody answers SSH."""
    return HostUnreachable(host.name, f"SSH to {host.ssh_address} port {host.ssh_port}: {detail}")
