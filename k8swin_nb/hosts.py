"""From a cluster's description to the inventory that transports use."""

from __future__ import annotations

from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.params import ClusterParams, HostParams, project_path


def inventory_of(params: ClusterParams) -> Inventory:
    """Return all hosts of a description."""
    return Inventory(tuple(host_of(entry, params) for entry in params.hosts))


def host_of(entry: HostParams, params: ClusterParams) -> Host:
    """Turn a host's parameters into a host of the inventory, with paths made absolute."""
    return Host(
        name=entry.name,
        address=entry.address,
        os=entry.os,
        roles=(entry.role,),
        user=entry.user,
        ssh_port=entry.ssh_port,
        identity=str(project_path(entry.identity)) if entry.identity else None,
        ssh_password=entry.ssh_password,
        winrm_port=entry.winrm_port,
        winrm_scheme=entry.winrm_scheme,
        winrm_auth=entry.winrm_auth,
        credential=entry.credential,
        ca=str(project_path(entry.ca)) if entry.ca else None,
        known_hosts=str(project_path(params.known_hosts)),
        host_key_policy=params.host_key_policy,
    )
