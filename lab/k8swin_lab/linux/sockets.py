"""ss and ping: what listens, and what can be reached."""

from __future__ import annotations

import re
import time

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.base import serving
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.network import NetworkError
from k8swin_lab.web_client import refuse_host

_SS = Options(
    flags="-H,--no-header -l,--listening -t,--tcp -u,--udp -n,--numeric -p,--processes -a,--all"
    " -4,--ipv4 -6,--ipv6 -O,--oneline -x,--unix"
)
_PING = Options(flags="-q -n -4", values="-c -W -w -i -s -M -I")
_LOOPBACK = (2381, 10248, 10257, 10259)
_DUAL = (10250, 10256)
_ETCD = (2379, 2380)
_BACKLOG = {22: 128}


def ss(process: Process) -> int:
    """Run ss; of sockets the lab knows those that listen on TCP."""
    parsed = _SS.parse("ss", process.argv[1:])
    if "-x" in parsed:
        raise NotSimulated("ss --unix")
    machine = machine_of(process)
    ports = _filter(parsed.operands)
    rows = []
    if "-l" in parsed or "-a" in parsed:
        if "-t" in parsed or "-u" not in parsed:
            rows = [row for row in _listening(machine) if ports is None or row[1] in ports]
    elif "-t" not in parsed and "-u" not in parsed:
        raise NotSimulated("ss without -l")
    shown = [
        ("LISTEN", "0", str(_BACKLOG.get(port, 4096)), address, str(port),
         "[::]" if address == "[::]" else "*" if address == "*" else "0.0.0.0", owner)  # noqa: S104
        for address, port, owner in rows
        if not ("-4" in parsed and address in ("*", "[::]"))
    ]  # fmt: skip
    if "-p" not in parsed:
        shown = [(*row[:6], "") for row in shown]
    width = max((len(row[3]) for row in shown), default=13)
    width = max(width, 13)
    peer = max((len(row[5]) for row in shown), default=7)
    if "-H" not in parsed:
        process.out(
            f"State  Recv-Q Send-Q {'Local Address':>{width}}:Port  {'Peer Address':>{peer}}:PortProcess\n"
        )
    port_width = max((len(row[4]) for row in shown), default=5)
    for state, received, backlog, address, port, remote, owner in shown:
        process.out(
            f"{state} {received:<6} {backlog:<6} {address:>{width}}:{port:<{port_width}} {remote:>{peer}}:*{owner}\n"
        )
    return 0


def _filter(words: list[str]) -> set[int] | None:
    text = " ".join(words)
    if not text:
        return None
    ports = set()
    for part in re.split(r"\s+or\s+|\|", text.strip("() ")):
        found = re.fullmatch(r"\s*\(?\s*(?:sport|src)\s*(?:=|==|eq)?\s*:(\d+)\s*\)?\s*", part)
        if not found:
            raise NotSimulated(f"ss filter {text}")
        ports.add(int(found[1]))
    return ports


def _listening(machine: LinuxMachine) -> list[tuple[str, int, str]]:
    rows = []
    api, _ = serving(machine)
    for port in sorted(machine.listening):
        what = machine.listening[port]
        name = what if isinstance(what, str) else "kube-apiserver" if port == api else "server"
        owner = f' users:(("{name[:15]}",pid={600 + port % 997},fd=3))'
        if port in _LOOPBACK:
            rows.append(("127.0.0.1", port, owner))
        elif port in _ETCD:
            rows += [(machine.address, port, owner), ("127.0.0.1", port, owner)][
                : 2 if port == 2379 else 1
            ]
        elif port == api or port in _DUAL:
            rows.append(("*", port, owner))
        else:
            rows.append(("0.0.0.0", port, owner))  # noqa: S104
            if port == 22:
                rows.append(("[::]", port, owner))
    return rows


def ping(process: Process) -> int:
    """Run ping: one line for each packet."""
    parsed = _PING.parse("ping", process.argv[1:])
    if not parsed.operands:
        process.err("ping: usage error: Destination address required\n")
        return 1
    machine = machine_of(process)
    target = parsed.operands[0]
    try:
        address = machine.network.resolve(machine, target)
    except NetworkError:
        refuse_host(machine, target)
        process.err(f"ping: {target}: Name or service not known\n")
        return 2
    count = int(parsed.get("-c") or 4)
    size = int(parsed.get("-s") or 56)
    link = machine.interfaces.links["eth0"]
    if parsed.get("-M") == "do" and size + 28 > link.mtu:
        process.out(f"PING {target} ({address}) {size}({size + 28}) bytes of data.\n")
        process.err(f"ping: local error: message too long, mtu={link.mtu}\n")
        return 1
    other = machine.network.machine_at(address)
    alive = address.startswith("127.0.0.") or (other is not None and other.reachable)
    process.out(f"PING {target} ({address}) {size}({size + 28}) bytes of data.\n")
    for number in range(1, count + 1):
        if process.cancelled.is_set():
            return 130
        if alive and "-q" not in parsed:
            process.out(f"{size + 8} bytes from {address}: icmp_seq={number} ttl=64 time=0.41 ms\n")
        if number < count:
            time.sleep(float(parsed.get("-i") or 0.05))
    got = count if alive else 0
    loss = 0 if alive else 100
    process.out(f"\n--- {target} ping statistics ---\n{count} packets transmitted, {got} received, "
                f"{loss}% packet loss, time {count - 1}ms\n")  # fmt: skip
    if alive:
        process.out("rtt min/avg/max/mdev = 0.410/0.410/0.410/0.000 ms\n")
    return 0 if alive else 1
