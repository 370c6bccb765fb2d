"""What reaches what: open ports, names, and connection tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import NetworkError
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.web_client import refuse_host
from k8swin_lab.windows.cmdlets.adapters import search
from k8swin_lab.windows.objects import as_list, cim, enum, parameters, uint


def get_tcp(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    items = [
        cim(
            "MSFT_NetTCPConnection",
            {"LocalAddress": "0.0.0.0", "LocalPort": uint(port, 16), "RemoteAddress": "0.0.0.0",  # noqa: S104
             "RemotePort": uint(0, 16), "State": enum("Listen"), "AppliedSetting": None, "OwningProcess": uint(4)},
            ["LocalAddress", "LocalPort", "RemoteAddress", "RemotePort", "State", "AppliedSetting", "OwningProcess"],
        )
        for port in sorted(machine.listening)
    ]  # fmt: skip
    yield from search(
        call,
        "MSFT_NetTCPConnection",
        items,
        ("LocalPort", "State", "OwningProcess", "LocalAddress", "RemotePort", "RemoteAddress"),
    )


def resolve_name(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name, kind = str(call["Name"]), str(call["Type"] or "A").upper()
    if kind not in ("A", "A_AAAA"):
        raise NotSimulated(f"Resolve-DnsName -Type {kind}")
    try:
        address = machine.network.resolve(machine, name, hosts_file=not call["NoHostsFile"])
    except NetworkError as error:
        refuse_host(machine, name)
        raise Terminating(
            f"{name} : DNS name does not exist", exception="System.ComponentModel.Win32Exception",
            category="ResourceUnavailable", error_id="DNS_ERROR_RCODE_NAME_ERROR",
        ) from error  # fmt: skip
    yield PSObject(
        {"Name": name, "Type": enum("A"), "TTL": 600, "Section": enum("Answer"), "NameHost": None,
         "IPAddress": address, "IP4Address": address},
        type_names=["Microsoft.DnsClient.Commands.DnsRecord_A"],
    )  # fmt: skip


def _reach(machine: WindowsMachine, name: str, port: int) -> tuple[str, bool]:
    try:
        address = machine.network.resolve(machine, name)
    except NetworkError:
        refuse_host(machine, name)
        return "", False
    try:
        machine.network.open(machine, address, port)
    except NetworkError:
        return address, False
    return address, True


def _alive(machine: WindowsMachine, name: str) -> str | None:
    try:
        address = machine.network.resolve(machine, name)
    except NetworkError:
        refuse_host(machine, name)
        return None
    target = machine.network.machine_at(address)
    own = address in ("127.0.0.1", machine.address)
    return (
        address if own or (target is not None and target.reachable and machine.reachable) else None
    )


def test_net(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name = str(call["ComputerName"] or "internetbeacon.msedge.net")
    common = {"HTTP": 80, "RDP": 3389, "SMB": 445, "WINRM": 5985}
    port = int(call["Port"] or 0) or common.get(str(call["CommonTCPPort"] or "").upper(), 0)
    primary = machine.net.primary()
    result: dict[str, Any] = {"ComputerName": name}
    if port:
        address, succeeded = _reach(machine, name, port)
        if not address:
            call.session.write_warning(f"Name resolution of {name} failed")
        elif not succeeded:
            call.session.write_warning(f"TCP connect to ({address} : {port}) failed")
        result.update(RemoteAddress=address or None, RemotePort=port, InterfaceAlias=primary.name,
                      SourceAddress=machine.address, PingSucceeded=_alive(machine, name) is not None,
                      TcpTestSucceeded=succeeded)  # fmt: skip
    else:
        alive = _alive(machine, name)
        succeeded = alive is not None
        result.update(RemoteAddress=alive, InterfaceAlias=primary.name, SourceAddress=machine.address,
                      PingSucceeded=succeeded)  # fmt: skip
    if str(call["InformationLevel"] or "").lower() == "quiet":
        yield succeeded
    else:
        yield PSObject(result, type_names=["TestNetConnectionResult"])


def test_connection(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for name in as_list(call["ComputerName"]):
        address = _alive(machine, str(name))
        if call["Quiet"]:
            yield address is not None
            continue
        if address is None:
            call.session.write_error(
                f"Testing connection to computer '{name}' failed: Error due to lack of resources",
                category="ResourceUnavailable", error_id="TestConnectionException", target=name,
                exception="System.Net.NetworkInformation.PingException",
            )  # fmt: skip
            continue
        for _ in range(int(call["Count"] or 4)):
            yield cim(
                "Win32_PingStatus",
                {"PSComputerName": machine.computer_name, "Address": str(name), "IPV4Address": address, "StatusCode": uint(0),
                 "Bytes": 32, "BufferSize": uint(32), "ResponseTime": uint(0), "ProtocolAddress": address},
                standard=False,
            )  # fmt: skip


def clear_cache(call: Call) -> Iterator[Any]:
    """The lab resolves every name anew, so there is nothing to clear."""
    return iter(())


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    table.cmdlet("Get-NetTCPConnection", parameters=parameters(
        "LocalPort object[] @1; State string[]; OwningProcess object[]; LocalAddress string[] @0; RemotePort object[]; "
        "RemoteAddress string[]"), module="NetTCPIP")(get_tcp)  # fmt: skip
    table.cmdlet("Resolve-DnsName", parameters=parameters(
        "Name string @0 ! both; Type string @1; Server string[] ~; DnsOnly switch; NoHostsFile switch; QuickTimeout switch ~"),
        module="DnsClient")(resolve_name)  # fmt: skip
    table.cmdlet("Clear-DnsClientCache", module="DnsClient")(clear_cache)
    table.cmdlet("Test-NetConnection", parameters=parameters(
        "ComputerName string @0 =RemoteAddress,cn; Port int =RemotePort; CommonTCPPort string @1 |HTTP|RDP|SMB|WINRM; "
        "InformationLevel string"), module="NetTCPIP", aliases=("TNC",))(test_net)  # fmt: skip
    table.cmdlet("Test-Connection", parameters=parameters(
        "ComputerName string[] @0 ! property =CN,IPAddress,Destination; Count int; Quiet switch; Delay int ~; BufferSize int ~; "
        "TimeToLive int ~"), module="Microsoft.PowerShell.Management")(test_connection)  # fmt: skip
