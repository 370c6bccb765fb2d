"""A small internet: the hosts from which clusters are installed, each a function from request to answer.

What lives here: origins (`releases`, `packages`, `registries`, `mirror`), the stand-ins they serve
(`binaries`, `archives`) and the table of what exists (`catalogue`), and how a container runtime asks
a registry (`pulling`). Every byte is made here, the same on every run, so that hashes can be locked.
What may not: sockets, machines' state, and clusters.

An origin can be replaced, which is how a lab goes wrong on purpose: `network.origins[NAME] = handler`.
"""

from __future__ import annotations

from k8swin_lab.internet.mirror import site_mirror
from k8swin_lab.internet.packages import kept_origins, package_origins
from k8swin_lab.internet.registries import registry_origins
from k8swin_lab.internet.releases import release_origins
from k8swin_lab.internet.windows_classic import windows_classic_origins
from k8swin_lab.network import Network

__all__ = ["MIRROR", "install"]

MIRROR = "mirror.lab.example"
"""The site's own mirror: https://mirror.lab.example/HOST/PATH is HOST's file, also of hosts that are no more,
and the image mirror.lab.example/HOST/NAME is HOST's image."""


def install(network: Network, *, mirror: str = MIRROR) -> None:
    """Connect a network to the internet.

    Args:
        network: gets the origins by host name.
        mirror: name of a host that serves the files of all others, or "" for none.
    """
    network.origins |= release_origins() | package_origins() | registry_origins()
    network.origins |= windows_classic_origins(network.origins)
    if mirror:
        network.origins[mirror] = site_mirror(network.origins, kept_origins())
    network.internet = frozenset(network.origins)
