"""From a cluster's description to the inventory that transports use."""

from __future__ import annotations

from k8swin_nb.description import Description
from k8swin_nb.host_description import HostDescription
from k8swin_nb.inventory import Host, Inventory


def inventory_of(description: Description) -> Inventory:
    """Return all hosts of a description."""
    return Inventory(tuple(host_of(entry, description) for entry in description.hosts))


def host_of(entry: HostDescription, description: Description) -> Host:
    """Turn a host's parameters into a host of the inventory, with paths made absolute."""
    return Host(
        name=entry.name,
        address=entry.address,
        os=entry.os,
        roles=(entry.role,),
        user=entry.user,
        ssh_port=entry.ssh_port,
        identity=str(description.path(entry.identity)) if entry.identity else None,
        ssh_password=entry.ssh_password,
        winrm_port=entry.winrm_port,
        winrm_scheme=entry.winrm_scheme,
        winrm_auth=entry.winrm_auth,
        credential=entry.credential,
        ca=str(description.path(entry.ca)) if entry.ca else None,
        known_hosts=str(description.host_keys()),
        folder=str(description.folder),
        host_key_policy=description.host_key_policy,
    )
