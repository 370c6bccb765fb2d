"""getent: users, groups and host names."""

from __future__ import annotations

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.network import NetworkError
from k8swin_lab.web_client import refuse_host


def getent(process: Process) -> int:
    """Run getent."""
    parsed = Options(flags="-i,--no-idn", values="-s,--service").parse("getent", process.argv[1:])
    service = parsed.get("-s")
    if service not in ("", "dns"):
        raise NotSimulated(f"getent --service {service}")
    if not parsed.operands:
        process.err(
            "getent: wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.\n"
        )
        return 1
    database, *keys = parsed.operands
    if service and database not in ("hosts", "ahosts", "ahostsv4"):
        raise NotSimulated(f"getent --service for {database}")
    if database in ("passwd", "group"):
        return _table(process, database, keys)
    if database in ("hosts", "ahosts", "ahostsv4"):
        if service and not keys:
            raise NotSimulated("getent --service for all hosts")
        return _hosts(process, database, keys, hosts_file=not service)
    if database in ("services", "networks", "protocols", "shadow", "ahostsv6", "netgroup"):
        raise NotSimulated(f"getent {database}")
    process.err(
        f"Unknown database: {database}\nTry `getent --help' or `getent --usage' for more information.\n"
    )
    return 1


def _table(process: Process, database: str, keys: list[str]) -> int:
    lines = machine_of(process).read_text(f"/etc/{database}").splitlines()
    if not keys:
        process.out("".join(f"{line}\n" for line in lines))
        return 0
    code = 0
    for key in keys:
        found = [line for line in lines if key in line.split(":")[:3:2]]
        process.out("".join(f"{line}\n" for line in found[:1]))
        code = code if found else 2
    return code


def _hosts(process: Process, database: str, keys: list[str], *, hosts_file: bool) -> int:
    machine = machine_of(process)
    if not keys:
        process.out(
            "".join(f"{address:<15} {name}\n" for name, address in machine.host_addresses().items())
        )
        return 0
    code = 0
    for key in keys:
        try:
            address = machine.network.resolve(machine, key, hosts_file=hosts_file)
        except NetworkError:
            refuse_host(machine, key)
            code = 2
            continue
        if database == "hosts":
            names = [name for name, one in machine.host_addresses().items() if one == address]
            shown = " ".join(names) if key in names or key == address else key
            process.out(f"{address:<15} {shown or key}\n")
        else:
            process.out(
                f"{address:<15} STREAM {key}\n{address:<15} DGRAM  \n{address:<15} RAW    \n"
            )
    return code
