"""Addresses and ports that the API hands out: cluster IPs and node ports."""

from __future__ import annotations

import ipaddress

from k8swin_lab.kubernetes.errors import Object, invalid, invalid_value

NODE_PORTS = range(30000, 32768)


def allocate_service(obj: Object, others: list[Object], subnet: str) -> None:
    """Give a Service its cluster IP and node ports, in place, as its type asks for.

    The free address and port are the first ones past the static band (where users pick theirs),
    so that a lab is the same on every run.

    Raises:
        ApiError: an address or port is outside the range or taken (422).
    """
    spec = obj["spec"]
    name = obj["metadata"]["name"]
    others = [
        other
        for other in others
        if (other["metadata"]["namespace"], other["metadata"]["name"])
        != (obj["metadata"]["namespace"], name)
    ]
    if spec["type"] == "ExternalName":
        for field in ("clusterIP", "clusterIPs"):
            spec.pop(field, None)
        return
    _allocate_address(spec, name, others, ipaddress.ip_network(subnet))
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _allocate_ports(spec, name, others)
    else:
        for port in spec.get("ports") or []:
            port.pop("nodePort", None)


def _allocate_address(
    spec: Object,
    name: str,
    others: list[Object],
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> None:
    wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
    if wanted == "None":
        spec["clusterIP"], spec["clusterIPs"] = "None", ["None"]
        return
    taken = {other["spec"].get("clusterIP") for other in others}
    if wanted:
        problem = ""
        if ipaddress.ip_address(wanted) not in network:
            problem = "the provided network does not match the current range"
        elif wanted in taken:
            problem = "provided IP is already allocated"
        if problem:
            text = f"failed to allocate IP {wanted}: {problem}"
            raise invalid("Service", "", name, [invalid_value("spec.clusterIPs", [wanted], text)])
        found = wanted
    else:
        size = network.num_addresses
        band = min(max(16, size // 16), 256)
        start = band if band < size - 1 else 1
        places = [*range(start + 1, min(size - 1, start + 4096)), *range(1, start + 1)]
        found = next(text for place in places if (text := str(network[place])) not in taken)
    spec["clusterIP"], spec["clusterIPs"] = found, [found]


def _allocate_ports(spec: Object, name: str, others: list[Object]) -> None:
    taken = {
        port["nodePort"]
        for other in others
        for port in other["spec"].get("ports") or []
        if port.get("nodePort")
    }
    for index, port in enumerate(spec.get("ports") or []):
        wanted = port.get("nodePort")
        problem = ""
        if wanted and wanted not in NODE_PORTS:
            problem = (
                "provided port is not in the valid range. The range of valid ports is 30000-32767"
            )
        elif wanted in taken:
            problem = "provided port is already allocated"
        if problem:
            where = f"spec.ports[{index}].nodePort"
            raise invalid("Service", "", name, [invalid_value(where, wanted, problem)])
        if not wanted:
            # Past the first 86 ports, which Kubernetes keeps for ports that users name.
            wanted = next(number for number in NODE_PORTS[87:] if number not in taken)
            port["nodePort"] = wanted
        taken.add(wanted)
