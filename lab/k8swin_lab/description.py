"""A running lab as a cluster's description: the YAML that tools for clusters read, and its lock files.

The description lies in the lab's folder beside what it names: keys, passwords, the authority, and the locks
of what the machines download. Hashes in the locks are those of the lab's own stand-ins.
"""

from __future__ import annotations

import ipaddress
from importlib import resources
from pathlib import Path
from typing import Any

LOCKS = ("artifacts.yaml", "artifacts-classic.yaml", "linux-artifacts-classic.yaml")
"""Files of this package that a description may name; each start writes them into the lab's folder."""

PROFILES: dict[str, dict[str, str]] = {
    "current": {
        "profile": "current",
        "kubernetes_version": "1.36.4",
        "containerd_version": "2.3.4",
        "flannel_version": "0.28.9",
        "artifacts": "artifacts.yaml",
    },
    "classic": {
        "profile": "classic",
        "kubernetes_version": "1.13.12",
        "artifacts": "artifacts-classic.yaml",
        "linux_artifacts": "linux-artifacts-classic.yaml",
    },
}
"""By generation: which versions its machines are for, and which locks go with them."""


def lock(name: str) -> bytes:
    """Return one of the `LOCKS`."""
    return resources.files("k8swin_lab.locks").joinpath(name).read_bytes()


def describe(status: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a lab, given what `k8swin lab status --json` says; paths are absolute.

    The first Linux machine is the control plane, all others are workers.
    """
    folder = Path(status["home"])
    hosts: list[dict[str, Any]] = []
    for machine in status["machines"]:
        common = {key: machine[key] for key in ("name", "address", "os", "user")}
        if machine["os"] == "linux":
            first = not any(host["os"] == "linux" for host in hosts)
            reach = {
                "role": "control-plane" if first else "worker",
                "ssh_port": machine["ssh_port"],
                "identity": machine["identity"],
            }
        else:
            reach = {
                "role": "worker",
                "winrm_port": machine["winrm_https_port"],
                "credential": machine["credential"],
                "ca": status["ca"],
            }
        hosts.append({**common, **reach})
    profile = {
        key: str(folder / value) if value in LOCKS else value
        for key, value in PROFILES[status["generation"]].items()
    }
    return {
        "cluster_name": "lab",
        **profile,
        "host_subnet": str(_around([host["address"] for host in hosts])),
        "known_hosts": status["known_hosts"],
        "hosts": hosts,
    }


def _around(addresses: list[str]) -> ipaddress.IPv4Network:
    """Return the smallest network, a /24 or larger, that holds all addresses."""
    network = ipaddress.IPv4Network(f"{addresses[0]}/24", strict=False)
    while not all(ipaddress.IPv4Address(address) in network for address in addresses):
        network = network.supernet()
    return network
