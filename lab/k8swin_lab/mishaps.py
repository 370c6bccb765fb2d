"""What somebody's hand or time did to a machine: states that stay until somebody puts them right.

Each comes about by what the machine itself has (its files, settings, services, the API server's objects), so that every
way to put it right on a real machine does it here, too.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from k8swin_lab.kubernetes.authority import CertificateAuthority
from k8swin_lab.machines import interfaces, windows_network
from k8swin_lab.machines.base import Machine, serving

_SWAP_FILE = "/swap.img"
_IDENTITY = r"C:\var\lib\kubelet\pki\kubelet-client-current.pem"
_EXPIRED_DAYS = 4 / 24 / 60
"""Certificates begin five minutes before they are made: this one ended a minute ago."""


class NotHere(Exception):
    """A machine cannot be brought to this; the text says why."""


def expire_tokens(machine: Any, value: str) -> None:
    """Let the expiry of each bootstrap token have passed a minute ago."""
    cluster = _cluster(machine)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(cluster.clock() - 60))
    client = cluster.client()
    for secret in client.list("secrets", "kube-system"):
        if secret.get("type") == "bootstrap.kubernetes.io/token":
            data = {**secret["data"], "expiration": base64.b64encode(moment.encode()).decode()}
            client.update("secrets", {**secret, "data": data})


def lasting_token(machine: Any, value: str) -> None:
    """Have a bootstrap token that never ends, as `kubeadm token create --ttl 0` leaves one."""
    client = _cluster(machine).client()
    name = secrets.token_hex(3)
    data = {
        "token-id": name,
        "token-secret": secrets.token_hex(8),
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        "description": "for the vendor, do not delete",
    }
    client.create(
        "secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"bootstrap-token-{name}", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token",
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
        },
    )


def add_route(machine: Any, value: str) -> None:
    """Have a route to a network of the site, as a routing protocol or a colleague sets one."""
    try:
        network = str(ipaddress.IPv4Network(value))
    except ValueError as error:
        raise NotHere(f"{error}; expected a network such as 10.244.64.0/18") from error
    if machine.os == "windows":
        net = machine.net
        gateway = next((r.next_hop for r in net.routes if r.prefix == "0.0.0.0/0"), machine.address)
        route = windows_network.Route(network, gateway, net.primary().index)
        net.routes = [*(one for one in net.routes if one.prefix != network), route]
        return
    gateway = next((r.gateway for r in machine.interfaces.routes if r.destination == "default"), "")
    machine.interfaces.remove_route(network)
    machine.interfaces.add_route(interfaces.Route(network, "eth0", gateway, protocol="static"))


def swap_on(machine: Any, value: str) -> None:
    """Use the swap file again, now and after a boot."""
    fstab = machine.root / "etc/fstab"
    lines = [
        line
        for line in fstab.read_text().splitlines()
        if not re.match(rf"#?\s*{_SWAP_FILE}\s", line)
    ]
    fstab.write_text("\n".join([*lines, f"{_SWAP_FILE} none swap sw 0 0", ""]))
    machine.swap_on(_SWAP_FILE)


def forwarding_off(machine: Any, value: str) -> None:
    """Forward no packets, now and after a boot: a file of hardening rules that comes after all others says so."""
    (machine.root / "etc/sysctl.d/zz-site-hardening.conf").write_text("net.ipv4.ip_forward = 0\n")
    machine.kernel.set("net.ipv4.ip_forward", "0")


def dns_silent(machine: Any, value: str) -> None:
    """Let the Service of the cluster's DNS select pods that there are not."""
    client = _cluster(machine).client()
    found = next(
        (
            one
            for one in client.list("services", "kube-system")
            if one["metadata"]["name"] == "kube-dns"
        ),
        None,
    )
    if found is None:
        raise NotHere(f"the cluster of {machine.name} has no Service kube-dns")
    spec = {**found["spec"], "selector": {"k8s-app": "coredns"}}
    client.update("services", {**found, "spec": spec})


def hns_lost(machine: Any, value: str) -> None:
    """Lose the HNS networks that hold the adapter, as by a cleanup script or a reset of HNS."""
    for network in [one for one in machine.net.hns_networks if one.adapter_name]:
        machine.net.remove_hns_network(network)


def rules_by_hand(machine: Any, value: str) -> None:
    """Have two rules of the firewall more: one as a monitoring agent needs it, one that lets everybody in."""
    rules = [
        windows_network.FirewallRule(
            "site-metrics-9182",
            "Site metrics exporter",
            protocol="TCP",
            local_port=["9182"],
            remote_address=["10.20.4.0/255.255.255.0"],
        ),
        windows_network.FirewallRule(
            "site-support-5938", "Site support access", protocol="TCP", local_port=["5938"]
        ),
    ]
    names = {rule.name for rule in rules}
    machine.net.rules = [*(one for one in machine.net.rules if one.name not in names), *rules]


def certificate_expired(machine: Any, value: str) -> None:
    """Have a kubelet whose client certificate ended while nobody renewed it; it has found that out at its start."""
    if not machine.files.exists(_IDENTITY):
        raise NotHere(f"{machine.name} has no kubelet with a certificate at {_IDENTITY}")
    made, key = _authority(machine).issue(
        f"system:node:{machine.name}", ("system:nodes",), days=_EXPIRED_DAYS
    )
    machine.files.write(_IDENTITY, made + key)
    if machine.services.state("kubelet") == "Running":
        machine.services.stop("kubelet", force=True)
        machine.services.start_at_boot("kubelet")


def kubelet_off(machine: Any, value: str) -> None:
    """Have a kubelet that was stopped and set not to start with the machine."""
    if machine.services.find("kubelet") is None:
        raise NotHere(f"{machine.name} has no service kubelet")
    machine.services.set_value("kubelet", "Start", 4)
    if machine.services.state("kubelet") == "Running":
        machine.services.stop("kubelet", force=True)


def _cluster(machine: Machine) -> Any:
    _, cluster = serving(machine)
    if cluster is None:
        raise NotHere(f"{machine.name} serves no cluster")
    return cluster


def _authority(machine: Machine) -> CertificateAuthority:
    """The authority of the cluster that a worker belongs to."""
    for other in machine.network.machines.values():
        _, cluster = serving(other) if isinstance(other, Machine) else (0, None)
        if cluster is not None:
            found: CertificateAuthority = cluster.authority
            return found
    raise NotHere(f"no machine beside {machine.name} serves a cluster")


MISHAPS: dict[str, tuple[str, str, Callable[[Any, str], None]]] = {
    "expired-token": ("linux", "every bootstrap token of the cluster that this machine serves expires now", expire_tokens),
    "lasting-token": ("linux", "the cluster that this machine serves has a bootstrap token that never ends", lasting_token),
    "route": ("", "a route to a network of the site (VALUE: the network, default 10.244.64.0/18)", add_route),
    "swap-on": ("linux", "the swap file is used again, now and after a boot", swap_on),
    "forwarding-off": ("linux", "packets are not forwarded any more, now and after a boot", forwarding_off),
    "dns-silent": ("linux", "the DNS Service of the cluster that this machine serves leads to no pod", dns_silent),
    "hns-lost": ("windows", "the HNS networks are gone, as after a reset of HNS", hns_lost),
    "rules-by-hand": ("windows", "two rules of the firewall more than before", rules_by_hand),
    "certificate-expired": ("windows", "the client certificate of the kubelet has expired", certificate_expired),
    "kubelet-off": ("windows", "the kubelet is stopped, and does not start with the machine", kubelet_off),
}  # fmt: skip
"""By name: of which system's machines (empty: any), what it is, and what brings it about."""

VALUES = {"route": "10.244.64.0/18"}
"""What takes a value, and its default."""
