"""Cmdlets that are not bound to Windows: objects, text, files, paths, JSON, CSV, dates.

A module declares its cmdlets in `common.TABLE`; importing this package declares them all. What needs
the interpreter's insides (ForEach-Object, Import-Module, Write-Error) is not here, nor is anything
that asks for services, network adapters or the registry itself.
"""

from __future__ import annotations

from k8swin_lab.powershell.cmdlets import (  # noqa: F401 - these modules declare cmdlets
    archives,
    compare,
    content,
    copying,
    csv,
    dates,
    display,
    hashes,
    item_properties,
    items,
    json,
    listing,
    locations,
    members,
    ordering,
    paths,
    search,
    select,
    session,
    strings,
)
from k8swin_lab.powershell.cmdlets.common import TABLE

__all__ = ["TABLE"]
