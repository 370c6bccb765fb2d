"""The lab's folder: generated secrets, what clients need to connect, and the running lab's traces.

Secrets are made here and never shipped. They stay from one run to the next, so that a params file
keeps working; machines do not, every start begins with fresh ones.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import secrets
import shutil
import ssl
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.description import LOCKS, describe, lock
from k8swin_lab.topology import MachineSpec

if TYPE_CHECKING:
    import asyncssh

    from k8swin_lab.kubernetes.authority import CertificateAuthority

_PASSWORD_LENGTH = 24
_RENEW_BEFORE = datetime.timedelta(days=2)
_MARK = "params/lab.yaml"


def default_home(start: Path | None = None) -> Path:
    """Return the lab's folder: K8SWIN_LAB_HOME, the project's `.k8swin/lab`, or the user's state."""
    named = os.environ.get("K8SWIN_LAB_HOME")
    if named:
        return Path(named).absolute()
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / _MARK).is_file():
            return folder / ".k8swin" / "lab"
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(state) / "k8swin" / "lab"


class Home:
    """Paths and generated files of one lab. Nothing is written before `prepare`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.ca = self.path / "ca.pem"
        self.identity = self.path / "id_ed25519"
        self.known_hosts = self.path / "known_hosts"
        self.kubeconfig = self.path / "kubeconfig"
        self.status = self.path / "status.json"
        self.description = self.path / "params.yaml"
        self.log = self.path / "lab.log"
        self.pid = self.path / "pid"
        self.lock = self.path / "lock"
        self.control = self.path / "control"
        self.machines = self.path / "machines"
        self.snapshots = self.path / "snapshots"
        self._keys = self.path / "private"

    def create(self) -> None:
        """Make the folder, open to its owner only."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self._keys.mkdir(exist_ok=True)

    def prepare(self, machines: Iterable[MachineSpec]) -> None:
        """Make or keep the secrets of these machines, and remove machines of an earlier run."""
        import asyncssh

        self.create()
        self._remove_machines()
        self.kubeconfig.unlink(missing_ok=True)
        for name in LOCKS:
            self._write(self.path / name, lock(name))
        if not self.identity.is_file() or not _readable_key(self.identity):
            key = asyncssh.generate_private_key("ssh-ed25519", comment="k8swin-lab")
            self._write(self.identity, key.export_private_key())
            self._write(self.identity.with_suffix(".pub"), key.export_public_key())
        lines = []
        for machine in machines:
            if machine.os == "linux":
                public = self.host_key(machine.name).export_public_key().decode().split()[:2]
                lines.append(f"[{machine.bound}]:{machine.ssh_port} {' '.join(public)}\n")
            else:
                self.password(machine.name)
        self._write(self.known_hosts, "".join(lines).encode())

    def public_key(self) -> str:
        """Return the line of the client's key for `authorized_keys`."""
        return self.identity.with_suffix(".pub").read_text()

    def host_key(self, name: str) -> asyncssh.SSHKey:
        """Return a machine's SSH host key, made on first use."""
        import asyncssh

        path = self._keys / f"{name}.host"
        if not path.is_file() or not _readable_key(path):
            self._write(path, asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        return asyncssh.read_private_key(path)

    def password_file(self, name: str) -> Path:
        return self.path / f"{name}.password"

    def password(self, name: str) -> str:
        """Return a Windows machine's administrator password, made on first use."""
        path = self.password_file(name)
        if path.is_file() and (text := path.read_text().strip()):
            path.chmod(0o600)
            return text
        # One of each class at the start satisfies Windows' complexity rule whatever follows.
        letters = string.ascii_letters + string.digits
        rest = "".join(secrets.choice(letters) for _ in range(_PASSWORD_LENGTH - 4))
        text = f"Lb7-{rest}"
        self._write(path, text.encode())
        return text

    def authority(self) -> CertificateAuthority:
        """Return the authority that signs the machines' HTTPS certificates; its file is `ca.pem`."""
        from k8swin_lab.kubernetes.authority import CertificateAuthority

        key = self._keys / "ca.key"
        with contextlib.suppress(OSError, ValueError):
            known = CertificateAuthority(self.ca.read_bytes(), key.read_bytes())
            limit = datetime.datetime.now(datetime.UTC) + _RENEW_BEFORE
            if known.certificate.not_valid_after_utc > limit:
                return known
        made = CertificateAuthority.create("k8swin lab")
        self._write(key, made.key_pem)
        self._write(self.ca, made.certificate_pem)
        return made

    def server_certificate(
        self, authority: CertificateAuthority, machine: MachineSpec, names: Sequence[str] = ()
    ) -> ssl.SSLContext:
        """Return a fresh TLS identity for `names`; when empty, for a machine's real address and name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.renew_certificate(context, authority, machine, names)
        return context

    def renew_certificate(
        self,
        context: ssl.SSLContext,
        authority: CertificateAuthority,
        machine: MachineSpec,
        names: Sequence[str],
    ) -> None:
        """Give a listener another certificate: connections from now on are shown that."""
        names = list(names) or list(dict.fromkeys([machine.bound, machine.address, machine.name]))
        certificate, key = authority.issue(machine.name, sans=names, server=True)
        path = self._keys / f"{machine.name}.tls"
        self._write(path, certificate + key)
        context.load_cert_chain(path)

    def machine_root(self, name: str) -> Path:
        """Return the directory of a machine's disk."""
        return self.machines / name

    def write_status(self, status: dict[str, Any]) -> None:
        """Write where everything is, and the same as a cluster's description."""
        self._write(self.status, (json.dumps(status, indent=2) + "\n").encode())
        described = yaml.safe_dump(describe(status), sort_keys=False)
        self._write(self.description, described.encode())

    def clear(self) -> None:
        """Remove what only a running lab has; secrets and logs stay."""
        if not self.path.is_dir():
            return
        for path in (self.status, self.description, self.pid, self.control, self.kubeconfig):
            path.unlink(missing_ok=True)
        self._remove_machines()

    def write_kubeconfig(self, text: str) -> None:
        """Write or replace the cluster's admin credentials for clients."""
        self._write(self.kubeconfig, text.encode())

    def secrets(self) -> list[Path]:
        """Return the files and folders of which another lab's folder needs copies to be the same lab."""
        files = [
            self.ca,
            self.identity,
            self.identity.with_suffix(".pub"),
            self.known_hosts,
            self._keys,
        ]
        files += [*self.path.glob("*.password"), *(self.path / name for name in LOCKS)]
        return [path for path in files if path.exists()]

    def _remove_machines(self) -> None:
        def unlock(function: Any, path: str, _: object) -> None:
            with contextlib.suppress(OSError):
                Path(path).parent.chmod(0o700)
                function(path)

        for folder in (self.machines, self.snapshots):
            shutil.rmtree(folder, onerror=unlock)

    def _write(self, path: Path, data: bytes) -> None:
        """Replace a file at once, readable by its owner only."""
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        fresh.replace(path)


def _readable_key(path: Path) -> bool:
    import asyncssh

    try:
        asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return False
    path.chmod(0o600)
    return True
