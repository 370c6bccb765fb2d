"""The packet filter rules that a node's programs write; they outlive the programs, as the real ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine

_KUBELET = {
    "filter": (
        ("KUBE-FIREWALL", "KUBE-KUBELET-CANARY"),
        ("INPUT -j KUBE-FIREWALL", "OUTPUT -j KUBE-FIREWALL",
         "KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"),
    ),
    "nat": (
        ("KUBE-KUBELET-CANARY", "KUBE-MARK-MASQ", "KUBE-POSTROUTING"),
        ("POSTROUTING -j KUBE-POSTROUTING", "KUBE-MARK-MASQ -j MARK --or-mark 0x4000",
         "KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN", "KUBE-POSTROUTING -j MASQUERADE"),
    ),
    "mangle": (("KUBE-KUBELET-CANARY",), ()),
}  # fmt: skip
_KUBE_PROXY = {
    "filter": (
        ("KUBE-EXTERNAL-SERVICES", "KUBE-FORWARD", "KUBE-PROXY-CANARY", "KUBE-SERVICES"),
        ("INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES", "FORWARD -j KUBE-FORWARD",
         "FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES", "OUTPUT -m conntrack --ctstate NEW -j KUBE-SERVICES",
         "KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT"),
    ),
    "nat": (
        ("KUBE-NODEPORTS", "KUBE-PROXY-CANARY", "KUBE-SERVICES"),
        ("PREROUTING -j KUBE-SERVICES", "OUTPUT -j KUBE-SERVICES",
         "KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"),
    ),
    "mangle": (("KUBE-PROXY-CANARY",), ()),
}  # fmt: skip


def _write(
    machine: LinuxMachine, rules: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
) -> None:
    with machine.lock:
        for firewall in (machine.firewall, machine.firewall6):
            for name, (chains, lines) in rules.items():
                table = firewall.table(name)
                for chain in chains:
                    table.new_chain(chain)
                for line in lines:
                    if firewall is machine.firewall or "127.0.0.0/8" not in line:
                        table.append_once(line.split())


def of_kubelet(machine: LinuxMachine) -> None:
    """Write the chains that the kubelet makes when it starts."""
    _write(machine, _KUBELET)


def of_kube_proxy(machine: LinuxMachine) -> None:
    """Write the chains that kube-proxy makes for iptables; those of single services are left out."""
    _write(machine, _KUBE_PROXY)


def of_flannel(
    machine: LinuxMachine, network: str, subnet: str, *, masquerade: bool, chains: bool
) -> None:
    """Write flannel's rules.

    Args:
        machine: the node.
        network: of all pods.
        subnet: of this node's pods.
        masquerade: whether flanneld was started with --ip-masq.
        chains: whether this flannel has chains of its own, which it has since 0.20.
    """
    with machine.lock:
        accept = machine.firewall.table("filter")
        forward = "FORWARD"
        if chains:
            forward = "FLANNEL-FWD"
            accept.new_chain(forward)
            accept.append_once(["FORWARD", "-j", forward])
        for line in (f"{forward} -s {network} -j ACCEPT", f"{forward} -d {network} -j ACCEPT"):
            accept.append_once(line.split())
        if not masquerade:
            return
        nat = machine.firewall.table("nat")
        out = "POSTROUTING"
        if chains:
            out = "FLANNEL-POSTRTG"
            nat.new_chain(out)
            nat.append_once(["POSTROUTING", "-j", out])
        for line in (
            f"{out} -s {network} -d {network} -j RETURN",
            f"{out} -s {network} ! -d 224.0.0.0/4 -j MASQUERADE",
            f"{out} ! -s {network} -d {subnet} -j RETURN",
            f"{out} ! -s {network} -d {network} -j MASQUERADE",
        ):
            nat.append_once(line.split())
