"""One host tried out before anything is done with it: is it reached, is it itself, does the login work, what runs there.

Each look needs the one before; the first that does not hold says why and what to do, and those behind it are not tried. Nothing
is changed on the host, and no key is pinned unless the description says so itself (`host_key_policy: accept-new`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from k8swin_nb.errors import (
    CertificateRejected,
    HostKeyMismatch,
    HostKeyRevoked,
    HostKeyUnknown,
    K8swinError,
    ParamsError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.reading import first_line, whole
from k8swin_nb.scripts import Script
from k8swin_nb.secret import SecretRef
from k8swin_nb.tables import Mark, StaticTable
from k8swin_nb.transports import open_transport
from k8swin_nb.transports.base import Transport
from k8swin_nb.versions import windows_build

SECONDS = 60.0
"""What one script there may take, with the login."""

IMPOSTORS = (CertificateRejected, HostKeyMismatch, HostKeyRevoked, HostKeyUnknown)
"""Errors of a login that are about who answers."""

LOOKS = ("reached", "identity", "secret", "login", "system", "root")


@dataclass(frozen=True, slots=True)
class Tried:
    """One look at a host."""

    what: str
    mark: Mark
    found: str
    fix: str = ""

    @property
    def stops(self) -> bool:
        """Whether what follows cannot be tried."""
        return self.mark.state == "failed"


def _ok(what: str, found: str) -> Tried:
    return Tried(what, Mark("ok", "ok"), found)


def _judged_later(found: str) -> Tried:
    """Return what a host shows, of which the login says whether it is the right one."""
    return Tried("identity", Mark("shown", "waiting"), found)


def _failed(what: str, error: BaseException) -> Tried:
    hint = getattr(error, "hint", None) or "look at the machine, then try again"
    return Tried(what, Mark("failed", "failed"), first_line(error) or type(error).__name__, hint)


def try_host(host: Host) -> list[Tried]:
    """Return what was found out about a host, in order of the looks; one at most failed, and none was tried behind it."""
    found: dict[str, Tried] = {}
    for one in _looks(host):
        if one.stops or one.what != "login":
            found[one.what] = one
        else:
            # Who has let this login in was the one that it was to be.
            shown = found["identity"].found
            found |= {"identity": _ok("identity", shown), one.what: one}
        if one.stops:
            break
    return list(found.values())


def trial_table(host: Host, tried: list[Tried]) -> StaticTable:
    """Return the looks at a host as a table; those that were not tried are named."""
    rows: list[tuple[Mark | str, ...]] = [(one.what, one.mark, one.found, one.fix) for one in tried]
    done = {one.what for one in tried}
    wanted = [what for what in LOOKS if what != "root" or host.asks_for_root]
    rows += [(what, Mark("not tried", "skipped"), "", "") for what in wanted if what not in done]
    good = tried and not any(one.stops for one in tried)
    columns: tuple[str, ...] = ("what", "result", "found", "what to do")
    if not any(one.fix for one in tried):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return StaticTable(
        f"{host.name}: {'is fit to be worked on' if good else 'cannot be worked on yet'}",
        columns,
        rows,
    )


def _looks(host: Host) -> Iterator[Tried]:
    # Imported here, because fabric takes longer to import than everything else together.
    from k8swin_nb.transports.ssh_config import configured

    try:
        host = configured(host)
        yield from _identity(host)
    except (K8swinError, OSError, ValueError) as error:
        yield _failed("reached", error)
        return
    yield _secret(host)
    transport = open_transport(host)
    try:
        yield from _inside(host, transport)
    finally:
        transport.close()


def _identity(host: Host) -> Iterator[Tried]:
    if host.os == "linux":
        yield from _host_key(host)
        return
    seen = certificate_fingerprint(host)
    through = f", through {host.winrm_jump.name}" if host.winrm_jump else ""
    yield _ok("reached", f"{host.winrm_scheme}://{host.winrm_address}:{host.winrm_port}{through}")
    if seen:
        yield _judged_later(f"certificate {seen}")
    else:
        yield _judged_later("no certificate: each message is encrypted under the login")


def certificate_fingerprint(host: Host) -> str:
    """Return the SHA-256 of the certificate that a Windows host shows, whoever signed it; over HTTP it is empty.

    Raises:
        K8swinError: when nobody answers there, or shows none.
    """
    from k8swin_nb.transports.look import look

    return look(host).fingerprint


def _host_key(host: Host) -> Iterator[Tried]:
    from k8swin_nb.transports.hostkeys import known
    from k8swin_nb.transports.jump import scan_through

    key = scan_through(host)
    yield _ok("reached", f"{host.ssh_address} port {host.ssh_port}")
    pinned = known(host).keys
    if not pinned and host.host_key_policy == "accept-new":
        yield _judged_later(f"{key.algorithm} {key.fingerprint} is pinned at first sight")
    elif not pinned:
        yield Tried(
            "identity",
            Mark("not pinned", "failed"),
            f"{key.algorithm} {key.fingerprint}",
            "compare it with the machine's console, then pin it",
        )
    else:
        # Whether it is the pinned one, or revoked, is judged where the login begins, in the errors' own words.
        yield _judged_later(f"{key.algorithm} {key.fingerprint}")


def _secret(host: Host) -> Tried:
    if not host.references:
        return _ok("secret", "none is needed" if host.os == "linux" else "none is named")
    told = []
    for reference in host.references:
        secret = SecretRef.parse(reference)
        told.append(str(secret))
        if secret.kind == "prompt":
            continue
        try:
            secret.resolve(Path(host.folder))
        except ParamsError as error:
            return _failed("secret", error)
    return _ok("secret", ", ".join(told))


def _inside(host: Host, transport: Transport) -> Iterator[Tried]:
    name = "linux/reach.check.sh" if host.os == "linux" else "windows/reach.check.ps1"
    script = Script.load(name)
    try:
        result = transport.run(script, timeout=SECONDS)
    except (K8swinError, OSError) as error:
        yield _failed("identity" if isinstance(error, IMPOSTORS) else "login", error)
        return
    said = first_line(result.stdout)
    if result.returncode != 0 or not said:
        told = first_line(result.stderr) or f"exit {result.returncode}"
        yield _failed("login", K8swinError(f"the login works, and a script does not: {told}"))
        return
    yield _ok("login", host.user)
    yield _system(host, said)
    if not host.asks_for_root:
        return
    try:
        result = transport.run(script, timeout=SECONDS, sudo=True)
    except (K8swinError, OSError) as error:
        yield _failed("root", error)
        return
    if result.returncode != 0:
        told = first_line(result.stderr) or f"exit {result.returncode}"
        hint = "let the user use sudo, and name `sudo_password` where it asks for one"
        yield _failed("root", K8swinError(f"sudo did not run a script: {told}", hint=hint))
        return
    yield _ok("root", "by sudo")


def _system(host: Host, said: str) -> Tried:
    """Judge what a host says of itself; Windows by its build."""
    build = re.search(r" (\d{5})\.\d+,", said)
    number = whole(build[1]) if build else None
    if host.os == "linux" or number is None:
        return _ok("system", said)
    try:
        known = windows_build(number)
    except ParamsError as error:
        return _failed("system", error)
    return _ok("system", f"{said}; images {known.tag}")
