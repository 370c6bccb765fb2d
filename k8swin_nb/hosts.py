"""From a cluster's description to the inventory that transports use."""

from __future__ import annotations

from k8swin_nb.description import Description
from k8swin_nb.host_description import HostDescription, JumpDescription
from k8swin_nb.inventory import Host, Inventory


def inventory_of(description: Description) -> Inventory:
    """Return all hosts of a description."""
    return Inventory(tuple(host_of(entry, description) for entry in description.hosts))


def host_of(entry: HostDescription, description: Description) -> Host:
    """Turn a host's parameters into a host of the inventory, with paths made absolute."""

    def path(text: str | None) -> str | None:
        return str(description.path(text)) if text else None

    return Host(
        name=entry.name,
        address=entry.address,
        os=entry.os,
        roles=(entry.role,),
        user=entry.user,
        groups=tuple(entry.groups),
        labels=tuple(entry.labels.items()),
        ssh_port=entry.ssh_port,
        ssh_host=entry.ssh_host,
        ssh_config=path(description.ssh_config),
        ssh_jump=_jump(entry.ssh_jump, description) if entry.ssh_jump else None,
        identity=path(entry.identity),
        identity_passphrase=entry.identity_passphrase,
        ssh_password=entry.ssh_password,
        sudo_password=entry.sudo_password,
        winrm_port=entry.winrm_port,
        winrm_scheme=entry.winrm_scheme,
        winrm_auth=entry.winrm_auth,
        winrm_host=entry.winrm_host,
        winrm_jump=_jump(entry.winrm_jump, description) if entry.winrm_jump else None,
        credential=entry.credential,
        ca=path(entry.ca),
        winrm_fingerprint=entry.winrm_fingerprint,
        winrm_certificate=path(entry.winrm_certificate),
        winrm_key=path(entry.winrm_key),
        winrm_key_passphrase=entry.winrm_key_passphrase,
        winrm_keytab=path(entry.winrm_keytab),
        winrm_ticket_cache=_cache(entry.winrm_ticket_cache, description),
        winrm_delegation=entry.winrm_delegation,
        winrm_spn=entry.winrm_spn,
        known_hosts=str(description.host_keys()),
        folder=str(description.folder),
        host_key_policy=description.host_key_policy,
    )


def jumps_of(description: Description) -> tuple[Host, ...]:
    """Return the jump hosts of a description, which belong to no group of it."""
    return tuple(_jump_host(entry, description) for entry in description.jump_hosts)


def _jump(name: str, description: Description) -> Host:
    for entry in description.jump_hosts:
        if entry.name == name:
            return _jump_host(entry, description)
    return host_of(next(host for host in description.hosts if host.name == name), description)


def _jump_host(entry: JumpDescription, description: Description) -> Host:
    return Host(
        name=entry.name,
        address=entry.address,
        os="linux",
        roles=(),
        user=entry.user,
        ssh_port=entry.ssh_port,
        ssh_jump=_jump(entry.ssh_jump, description) if entry.ssh_jump else None,
        identity=str(description.path(entry.identity)) if entry.identity else None,
        identity_passphrase=entry.identity_passphrase,
        ssh_password=entry.ssh_password,
        known_hosts=str(description.host_keys()),
        folder=str(description.folder),
        host_key_policy=description.host_key_policy,
    )


def _cache(text: str | None, description: Description) -> str | None:
    """Return a cache of tickets with its kind; one that is a plain path is a file."""
    if text is None:
        return None
    kind, colon, rest = text.partition(":")
    if not colon or not kind.isupper():
        kind, rest = "FILE", text
    return f"{kind}:{description.path(rest)}" if kind in ("FILE", "DIR") else text
