"""The machines of a cluster, and how a reader names some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from k8swin_nb import selection as selections


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The keys that a file of OpenSSH's client names, which are tried in turn."""

    identities: tuple[str, ...] = ()
    """Paths of private keys, or of public halves of those that the SSH agent holds."""

    agent: str = ""
    """Path of the SSH agent's socket; empty: the one of the environment; `none`: no agent is asked."""

    only: bool = False
    """Whether the agent's other keys are left alone."""


@dataclass(frozen=True, slots=True)
class Host:
    """One machine. Paths are used as they are given; secrets are references, never values."""

    name: str
    """Host name, and name of its node in the cluster."""

    address: str
    """IP address or DNS name that transports connect to."""

    os: Literal["linux", "windows"]
    """Operating system: decides between SSH with bash and WinRM with PowerShell."""

    roles: tuple[str, ...]
    """`control-plane`, `worker`, `hypervisor`."""

    user: str
    """Login name."""

    groups: tuple[str, ...] = ()
    """Names of the site's own under which it is selected too."""

    labels: tuple[tuple[str, str], ...] = ()
    """Labels that the description gives its node, by which it is selected as `KEY=VALUE`."""

    ssh_port: int = 22
    """TCP port of the SSH server."""

    ssh_host: str | None = None
    """Name or address of the SSH server; None: `address`."""

    ssh_jump: Host | None = None
    """The SSH server through which this one is reached; None: it is reached from here."""

    ssh_config: str | None = None
    """Path of a file of OpenSSH's client that says how the host is reached, where the description does not."""

    identity: str | None = None
    """Path of a private key, or of the public half of one that the SSH agent holds; None asks the SSH agent."""

    own_keys: OwnKeys | None = None
    """What a file of OpenSSH's client says of keys, in the place of `identity`."""

    identity_passphrase: str | None = field(default=None, repr=False)
    """Reference to the pass phrase of that key."""

    ssh_password: str | None = field(default=None, repr=False)
    """Reference to the SSH password, where no key is used."""

    sudo_password: str | None = field(default=None, repr=False)
    """Reference to the password that sudo asks for; None: it asks for none."""

    winrm_port: int = 5986
    """TCP port of the WinRM listener."""

    winrm_scheme: Literal["https", "http"] = "https"
    """`https` verifies the certificate; `http` encrypts each message."""

    winrm_auth: Literal["ntlm", "kerberos", "credssp", "certificate", "basic"] = "ntlm"
    """How WinRM proves who we are; `certificate` and `basic` are for https only."""

    winrm_host: str | None = None
    """Name or address at which WinRM is asked; None: `address`."""

    winrm_jump: Host | None = None
    """The SSH server through which WinRM is reached; None: it is reached from here."""

    credential: str | None = field(default=None, repr=False)
    """Reference to the Windows password."""

    ca: str | None = None
    """Path of the authority that signed the WinRM listener's certificate; None: those that this computer trusts."""

    winrm_fingerprint: str | None = None
    """SHA-256 of the only certificate that is taken, whoever signed it: 64 small hexadecimal digits."""

    winrm_certificate: str | None = None
    """Path of the client certificate for `certificate`."""

    winrm_key: str | None = None
    """Path of its private key; None: it is in the certificate's file."""

    winrm_key_passphrase: str | None = field(default=None, repr=False)
    """Reference to the pass phrase of that key."""

    winrm_keytab: str | None = None
    """Path of the keytab for `kerberos`."""

    winrm_ticket_cache: str | None = None
    """Cache of tickets for `kerberos`, as `KRB5CCNAME` names one."""

    winrm_delegation: bool = False
    """Whether the host may use the user's ticket towards other machines."""

    winrm_spn: str | None = None
    """Service principal such as `HTTP/winworker01.corp.example`; None: `HTTP` at the name that is asked."""

    folder: str = "."
    """Path of the folder where relative paths in references to secrets start."""

    known_hosts: str = ".k8swin/known_hosts"
    """Path of the project's file of pinned SSH host keys."""

    known_elsewhere: str | None = None
    """Path of a further file of pinned keys, which is read and never written; None: there is none."""

    host_key_policy: Literal["strict", "accept-new"] = "strict"
    """What happens at the first sight of a host key: an error, or it is pinned and told."""

    @property
    def ssh_address(self) -> str:
        """Where SSH is asked."""
        return self.ssh_host or self.address

    @property
    def winrm_address(self) -> str:
        """Where WinRM is asked."""
        return self.winrm_host or self.address

    @property
    def references(self) -> tuple[str, ...]:
        """What refers to secrets of this host, and of the way to it."""
        own = (
            self.credential,
            self.ssh_password,
            self.identity_passphrase,
            self.sudo_password,
            self.winrm_key_passphrase,
        )
        jumps = [jump for jump in (self.ssh_jump, self.winrm_jump) if jump]
        return (*filter(None, own), *(each for jump in jumps for each in jump.references))

    @property
    def asks_for_root(self) -> bool:
        """Whether what needs root there goes through sudo: on Linux, unless the login is root's."""
        return self.os == "linux" and self.user != "root"


@dataclass(frozen=True, slots=True)
class Inventory:
    """All machines, in the order of the parameters."""

    hosts: tuple[Host, ...]

    def host(self, name: str) -> Host:
        """Return a host by name.

        Raises:
            InventoryError: with the nearest names.
        """
        for host in self.hosts:
            if host.name == name:
                return host
        raise selections.unknown(self.hosts, name)

    def select(self, selection: str, last: Mapping[str, str] | None = None) -> tuple[Host, ...]:
        """Return the hosts that a selection names, without duplicates, in the inventory's order.

        Args:
            selection: As `selection.select` takes it, such as `linux,!linuxmaster` or `win*`.
            last: How the last run ended, by host, for words such as `@failed`.

        Raises:
            InventoryError: when a word is unknown, or no host is left.
        """
        return selections.select(self.hosts, selection, last)

    def words(self) -> list[str]:
        """Return every word that selects something, hosts first; for completion and suggestions."""
        return selections.words_of(self.hosts)
