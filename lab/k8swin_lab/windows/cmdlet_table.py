"""Which cmdlets a Windows machine has."""

from __future__ import annotations

from functools import cache

from k8swin_lab.powershell.api import CommandTable
from k8swin_lab.windows.cmdlets import (
    access,
    adapters,
    computer,
    connection_profiles,
    connectivity,
    features,
    firewall,
    host_networking,
    instances,
    international,
    processes,
    requests,
    services,
    tasks,
)
from k8swin_lab.windows.cmdlets import (
    hyper_v as hyper_v_cmdlets,
)
from k8swin_lab.windows.service_needs import declare


@cache
def command_table(*, hns: bool = False, hyper_v: bool = False) -> CommandTable:
    """The cmdlets of Windows' own modules; `hns` adds HostNetworkingService, `hyper_v` its own."""
    table = CommandTable()
    for family in (
        access, adapters, computer, connection_profiles, connectivity, features, firewall, instances, international, processes, requests,
        services, tasks,
    ):  # fmt: skip
        family.register(table)
    if hns:
        host_networking.register(table)
    if hyper_v:
        hyper_v_cmdlets.register(table)
    declare(table)
    return table
