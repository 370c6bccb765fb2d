"""One machine of a cluster's description, and what all of a description's models have in common."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from k8swin_nb.field_types import (
    Address,
    Authority,
    CertificateFingerprint,
    GroupName,
    HostName,
    Port,
    Reference,
    Server,
    Spn,
    User,
    VmName,
    WinrmAuth,
    one_line,
)
from k8swin_nb.node_fields import KubeletSettings, Labels, Taint


class StrictModel(BaseModel):
    """Values are checked and never converted, unknown keys refused, texts in one line that can be seen."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _in_one_line(cls, value: Any) -> Any:
        return one_line(value)


class HostDescription(StrictModel):
    """One machine under `hosts`."""

    name: HostName
    """Host name and node name, lower-case; at most 15 characters on Windows."""

    address: Address
    """IPv4 address on the hosts' network; becomes the node's InternalIP."""

    os: Literal["linux", "windows"]
    """Operating system; decides between SSH and WinRM."""

    role: Literal["control-plane", "worker", "hypervisor"] = "worker"
    """Exactly one host is the `control-plane`; on a `hypervisor` only MAC address spoofing is set."""

    user: User
    """Login name; on Linux it may use sudo, on Windows it is an administrator."""

    groups: list[GroupName] = Field(default=[])
    """Names of the site's own, such as `rack1`, by which magics and programs select this host with others."""

    ssh_host: Server | None = None
    """Name or address at which SSH is asked (Linux); None: `address`."""

    ssh_port: Port = 22
    """TCP port of the SSH server (Linux)."""

    ssh_jump: str | None = None
    """Name of the SSH server that SSH is reached through: one of `jump_hosts`, or another Linux host; None: from here."""

    identity: str | None = None
    """Path of the private key for SSH, or of the public half of one that the SSH agent holds; None: the agent's keys."""

    identity_passphrase: Reference | None = Field(default=None, repr=False)
    """Reference to the pass phrase of that key, where no agent holds it."""

    sudo_password: Reference | None = Field(default=None, repr=False)
    """Reference to the password that sudo asks for (Linux); None: it asks for none."""

    ssh_password: Reference | None = Field(default=None, repr=False)
    """Reference to the SSH password where no key is used."""

    winrm_scheme: Literal["https", "http"] = "https"
    """`https` verifies the server's certificate; `http` encrypts each message with the keys of the login."""

    winrm_port: Port = 5986
    """TCP port of the WinRM listener: 5986 for https, 5985 for http as Windows ships it."""

    winrm_host: Server | None = None
    """Name or address at which WinRM is asked, such as the one in its certificate; None: `address`."""

    winrm_jump: str | None = None
    """Name of the SSH server that WinRM is reached through: one of `jump_hosts`, or a Linux host; None: from here."""

    winrm_auth: WinrmAuth = "ntlm"
    """How we log in; `certificate` and `basic` are for https only."""

    credential: Reference | None = Field(default=None, repr=False)
    """Reference to the password of `user` on Windows, such as `env:WIN_PASSWORD`."""

    ca: Authority = None
    """Path of the authority that signed the WinRM listener's certificate; None: those that this computer trusts."""

    winrm_fingerprint: CertificateFingerprint | None = None
    """SHA-256 of the listener's certificate: that one is taken and no other, whoever signed it."""

    winrm_certificate: str | None = None
    """Path of the client certificate in PEM, for `winrm_auth: certificate`."""

    winrm_key: str | None = None
    """Path of its private key in PEM; None: it is in the same file."""

    winrm_key_passphrase: Reference | None = Field(default=None, repr=False)
    """Reference to the pass phrase of that key."""

    winrm_keytab: str | None = None
    """Path of a keytab of `user`, for `winrm_auth: kerberos`."""

    winrm_ticket_cache: str | None = None
    """Cache of tickets, such as `FILE:/tmp/krb5cc_1000`; None: the user's own, unless there is a keytab or a password."""

    winrm_delegation: bool = False
    """Let the host use our ticket towards other machines (Kerberos)."""

    winrm_spn: Spn | None = None
    """Service principal of the host, such as `HTTP/winworker01.corp.example`; None: `HTTP` at the name that is asked."""

    vm_name: VmName | None = None
    """The worker's name on the Hyper-V host, when it differs from `name`."""

    platform: Literal["hyper-v", "vmware", "kvm", "openstack", "cloud", "physical"] | None = None
    """What the machine runs on; None: found out. Decides what must be done against anti-spoofing."""

    labels: Labels = Field(default={})
    """Labels of the node, by key; those that others gave it stay."""

    taints: list[Taint] = Field(default=[])
    """Taints of the node, each `KEY=VALUE:EFFECT`; those that others gave it stay."""

    kubelet_settings: KubeletSettings = Field(default={})
    """Settings of this node's kubelet, before the cluster's `kubelet_settings`."""


class JumpDescription(StrictModel):
    """One SSH server under `jump_hosts`, which is passed through and otherwise left alone."""

    name: HostName
    """Name under which hosts refer to it."""

    address: Server
    """Name or IPv4 address at which its SSH server is reached from here."""

    user: User
    """Login name; it needs no rights but to have connections passed on."""

    ssh_port: Port = 22
    """TCP port of its SSH server."""

    ssh_jump: str | None = None
    """Name of another one of `jump_hosts`, through which this one is reached; None: from here."""

    identity: str | None = None
    """Path of the private key, or of the public half of one that the SSH agent holds; None: the agent's keys."""

    identity_passphrase: Reference | None = Field(default=None, repr=False)
    """Reference to the pass phrase of that key."""

    ssh_password: Reference | None = Field(default=None, repr=False)
    """Reference to the SSH password where no key is used."""


def _given(host: HostDescription) -> set[str]:
    """Return the fields that say something: a form gives all of them, most with their defaults."""
    fields = HostDescription.model_fields
    return {name for name in host.model_fields_set if getattr(host, name) != fields[name].default}


def ssh_problems(host: HostDescription, jumps: list[str]) -> list[str]:
    """Return what of a host's SSH fields does not go together, each with what to write; after `hosts[N].`.

    Args:
        host: The host.
        jumps: Names that `ssh_jump` may have.
    """
    given = _given(host)
    if host.os == "windows":
        odd = sorted(given & {*_OF_SSH, "ssh_port"})
        return [f"{name}` is for Linux, and `{host.name}` is Windows: delete it" for name in odd]
    problems = []
    if host.identity_passphrase and not host.identity:
        problems.append("identity_passphrase` opens no key: name the private key as `identity`")
    if host.sudo_password and host.user == "root":
        problems.append("sudo_password` is not asked of root: delete it")
    if host.ssh_jump == host.name:
        problems.append("ssh_jump` is the host itself")
    elif host.ssh_jump is not None and host.ssh_jump not in jumps:
        problems.append(
            f"ssh_jump` `{host.ssh_jump}` is neither one of `jump_hosts` nor a Linux host; there are: "
            f"{', '.join(jumps) or 'none'}"
        )
    return problems


_OF_SSH = (
    "ssh_host",
    "ssh_jump",
    "identity",
    "identity_passphrase",
    "ssh_password",
    "sudo_password",
)
"""Fields of a host that SSH alone uses."""


def winrm_problems(host: HostDescription, jumps: list[str]) -> list[str]:
    """Return what of a host's WinRM fields does not go together, each with what to write; after `hosts[N].`.

    Args:
        host: The host.
        jumps: Names that `winrm_jump` may have.
    """
    given = _given(host)
    if host.os != "windows":
        odd = sorted(name for name in given if name.startswith("winrm_") or name == "ca")
        return [f"{name}` is for Windows, and `{host.name}` is Linux: delete it" for name in odd]
    auth, problems = host.winrm_auth, []
    usual = {"https": 5986, "http": 5985}
    other = next(name for name in usual if name != host.winrm_scheme)
    if host.winrm_port == usual[other]:
        problems.append(
            f"winrm_port` {host.winrm_port} is the one of {other}, and `winrm_scheme` is {host.winrm_scheme}: write "
            f"`winrm_scheme: {other}`, or `winrm_port: {usual[host.winrm_scheme]}`"
        )
    where = host.winrm_host or host.address
    if auth == "basic" and host.winrm_scheme == "http":
        problems.append(
            "winrm_auth` `basic` over http sends the password in clear: write `winrm_scheme: https`, or "
            "`winrm_auth: ntlm`, which encrypts"
        )
    if auth == "certificate" and host.winrm_scheme == "http":
        problems.append("winrm_auth` `certificate` works in TLS alone: write `winrm_scheme: https`")
    if auth == "certificate" and not host.winrm_certificate:
        problems.append("winrm_certificate` is missing: the path of the client certificate in PEM")
    if auth in ("ntlm", "credssp", "basic") and host.credential is None:
        problems.append("credential` is missing, such as `env:WIN_PASSWORD`")
    for name, wanted in _BELONGS.items():
        if name in given and getattr(host, name) is not False and auth != wanted:
            problems.append(
                f"{name}` belongs to `winrm_auth: {wanted}`, found `{auth}`: change one of them"
            )
    if auth == "certificate" and host.credential:
        problems.append("credential` is not used by `winrm_auth: certificate`: delete it")
    if auth == "kerberos":
        tickets = [
            name
            for name in ("credential", "winrm_keytab", "winrm_ticket_cache")
            if getattr(host, name)
        ]
        if len(tickets) > 1:
            told = " and ".join(f"`{name}`" for name in tickets)
            problems.append(f"winrm_auth` `kerberos` takes its ticket from one place, found {told}")
        if "\\" in host.user:
            problems.append(
                "user` is no name of Kerberos: write `NAME@REALM`, the realm in capitals, such as "
                "`operator@CORP.EXAMPLE`"
            )
        if not host.winrm_spn and where.replace(".", "").isdigit():
            problems.append(
                f"winrm_auth` `kerberos` needs the host's name, found the address {where}: write `winrm_host: "
                f"{host.name}.DOMAIN`, or `winrm_spn: HTTP/{host.name}.DOMAIN` beside the address"
            )
    if host.winrm_scheme == "http":
        problems += [
            f"{name}` is about certificates, and `winrm_scheme: http` has none: delete it"
            for name in ("ca", "winrm_fingerprint")
            if name in given
        ]
    elif host.ca and host.winrm_fingerprint:
        problems.append(
            "ca` has no effect beside `winrm_fingerprint`, which pins one certificate: delete one of them"
        )
    if host.winrm_jump is not None and host.winrm_jump not in jumps:
        known = ", ".join(jumps) or "none"
        problems.append(
            f"winrm_jump` `{host.winrm_jump}` is neither one of `jump_hosts` nor a Linux host; there are: {known}"
        )
    return problems


_BELONGS = {
    "winrm_certificate": "certificate",
    "winrm_key": "certificate",
    "winrm_key_passphrase": "certificate",
    "winrm_keytab": "kerberos",
    "winrm_ticket_cache": "kerberos",
    "winrm_delegation": "kerberos",
    "winrm_spn": "kerberos",
}
"""Fields that go with one login alone."""
