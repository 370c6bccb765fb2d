"""host-local.exe: the CNI plugin that hands out addresses and keeps them in files."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from k8swin_lab.machines.program import Process
from k8swin_lab.windows.machine_of import full_path, machine_of, variable


class _Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def host_local(process: Process) -> int:
    """Answer ADD, DEL and VERSION of the environment's CNI_COMMAND."""
    try:
        return _command(process)
    except _Refused as error:
        answer = {"cniVersion": "0.4.0", "code": error.code, "msg": str(error)}
        process.out(json.dumps(answer, indent=4) + "\n")
        return 1


def _command(process: Process) -> int:
    command = variable(process, "CNI_COMMAND")
    if not command:
        process.err(f"CNI host-local plugin v{machine_of(process).program_version(process)}\nCNI protocol versions supported: 0.1.0, "
                    "0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0\n")  # fmt: skip
        return 0
    if command == "VERSION":
        process.out(
            json.dumps(
                {
                    "cniVersion": "1.0.0",
                    "supportedVersions": ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"],
                }
            )
            + "\n"
        )
        return 0
    if command not in ("ADD", "DEL", "CHECK"):
        raise _Refused(4, f"unknown CNI_COMMAND: {command}")
    needed = ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"] + (
        [] if command == "DEL" else ["CNI_NETNS"]
    )
    if missing := [name for name in needed if not variable(process, name)]:
        raise _Refused(4, f"required env variables [{','.join(missing)}] missing")
    try:
        given = json.loads(process.stdin.read().decode("utf-8"))
    except ValueError as error:
        raise _Refused(6, f"error unmarshall network config: {error}") from error
    ipam = given.get("ipam") or {}
    if ipam.get("type") != "host-local":
        raise _Refused(999, "IPAM config missing 'ipam' key")
    if not given.get("name"):
        raise _Refused(7, "missing network name")
    ranges = ipam.get("ranges") or ([[{"subnet": ipam["subnet"]}]] if ipam.get("subnet") else [])
    if not ranges:
        raise _Refused(999, "no IP ranges specified")
    folder = rf"{full_path(process, str(ipam.get('dataDir') or '/var/lib/cni/networks'))}\{given['name']}"
    holder = f"{variable(process, 'CNI_CONTAINERID')}\r\n{variable(process, 'CNI_IFNAME')}".encode()
    files = machine_of(process).files
    held = (
        {info.path.rpartition("\\")[2]: files.read(info.path) for info in files.list(folder)}
        if files.exists(folder)
        else {}
    )
    if command == "CHECK":
        if holder not in held.values():
            raise _Refused(
                999,
                f"host-local: Failed to find address added by container {variable(process, 'CNI_CONTAINERID')}",
            )
        return 0
    if command == "DEL":
        for name, content in held.items():
            if content == holder:
                files.remove(rf"{folder}\{name}")
        return 0
    if holder in held.values():
        raise _Refused(999, f"failed to allocate for range 0: {next(n for n, c in held.items() if c == holder)} has been allocated to "
                            f"{variable(process, 'CNI_CONTAINERID')}, duplicate allocation is not allowed")  # fmt: skip
    entries = [_allocate(one, held, index) for index, one in enumerate(ranges)]
    files.make_directory(folder)
    for entry in entries:
        files.write(rf"{folder}\{entry[0]}", holder)
        files.write(rf"{folder}\last_reserved_ip.0", entry[0].encode())
    process.out(
        json.dumps(_answer(str(given.get("cniVersion", "0.1.0")), entries, ipam), indent=4) + "\n"
    )
    return 0


def _allocate(
    group: list[dict[str, Any]], held: dict[str, bytes], index: int
) -> tuple[str, int, str]:
    for one in group:
        try:
            network = ipaddress.IPv4Network(one["subnet"])
        except (KeyError, ValueError) as error:
            raise _Refused(999, f"invalid range set {index}: {error}") from error
        gateway = str(one.get("gateway") or network[1])
        first = ipaddress.IPv4Address(one.get("rangeStart") or network[1])
        last = ipaddress.IPv4Address(one.get("rangeEnd") or network[-2])
        for host in network.hosts():
            if first <= host <= last and str(host) not in held and str(host) != gateway:
                return str(host), network.prefixlen, gateway
    raise _Refused(
        11, f"failed to allocate for range {index}: no IP addresses available in range set"
    )


def _answer(
    version: str, entries: list[tuple[str, int, str]], ipam: dict[str, Any]
) -> dict[str, Any]:
    address, length, gateway = entries[0]
    if version in ("0.1.0", "0.2.0"):
        return {"cniVersion": version, "ip4": {"ip": f"{address}/{length}", "gateway": gateway, **({"routes": ipam["routes"]} if ipam.get("routes") else {})}, "dns": {}}  # fmt: skip
    ips = [
        {**({"version": "4"} if version != "1.0.0" else {}), "address": f"{a}/{n}", "gateway": g}
        for a, n, g in entries
    ]
    return {
        "cniVersion": version,
        "ips": ips,
        **({"routes": ipam["routes"]} if ipam.get("routes") else {}),
        "dns": {},
    }
