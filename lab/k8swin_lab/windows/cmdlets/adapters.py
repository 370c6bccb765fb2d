"""NetAdapter, NetTCPIP and DnsClient: adapters, addresses, routes and DNS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_network import LOOPBACK_INDEX, Adapter, Address, Route
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.windows.objects import (
    as_list,
    cim,
    cim_error,
    enum,
    has_wildcard,
    matches,
    no_match,
    parameters,
    prop,
    texts,
    uint,
)


def _adapter_object(adapter: Adapter) -> PSObject:
    return cim(
        "MSFT_NetAdapter",
        {
            "Name": adapter.name, "InterfaceDescription": adapter.description, "ifIndex": uint(adapter.index),
            "Status": adapter.status, "MacAddress": adapter.mac, "LinkSpeed": "10 Gbps", "InterfaceIndex": uint(adapter.index),
            "InterfaceAlias": adapter.name, "ifAlias": adapter.name, "ifDesc": adapter.description, "Virtual": adapter.virtual,
            "HardwareInterface": not adapter.virtual, "ConnectorPresent": not adapter.virtual, "InterfaceGuid": adapter.guid,
            "AdminStatus": "Up", "MediaConnectionState": "Connected", "MtuSize": uint(adapter.mtu), "MediaType": "802.3",
            "PermanentAddress": adapter.mac.replace("-", ""), "PhysicalMediaType": "Unspecified", "DriverName": "netvsc", "State": uint(2),
        },
        ["Name", "InterfaceDescription", "ifIndex", "Status", "MacAddress", "LinkSpeed"],
    )  # fmt: skip


def search(
    call: Call, class_name: str, items: list[PSObject], names: tuple[str, ...]
) -> Iterator[Any]:
    """Filter by the search parameters; a value without wildcards that fits nothing is an error."""
    found = items
    for name in names:
        if not call.bound(name):
            continue
        values = as_list(call[name])
        kept = [i for i in found if any(matches(str(i.properties[name]), str(v)) for v in values)]
        for value in values:
            if not has_wildcard(str(value)) and not any(
                matches(str(i.properties[name]), str(value)) for i in found
            ):
                no_match(call, class_name, name, value)
        found = kept
    yield from found


def get_adapter(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    items = [
        _adapter_object(a) for a in machine.net.adapters if not (call["Physical"] and a.virtual)
    ]
    yield from search(
        call, "MSFT_NetAdapter", items, ("Name", "InterfaceIndex", "InterfaceDescription")
    )


def change_adapter(call: Call) -> Iterator[Any]:
    """Enable-, Disable- and Restart-NetAdapter."""
    machine: WindowsMachine = call.session.machine
    verb = call.name.partition("-")[0].lower()
    names = (
        [str(prop(call["InputObject"], "Name"))]
        if call["InputObject"] is not None
        else as_list(call["Name"])
    )
    for name in names:
        adapter = machine.net.adapter(name=str(name))
        if adapter is None:
            no_match(call, "MSFT_NetAdapter", "Name", name)
            continue
        adapter.status = "Disabled" if verb == "disable" else "Up"
        if call["PassThru"]:
            yield _adapter_object(adapter)
        if adapter is machine.net.primary():
            machine.interrupt(3 if verb == "restart" else (10**9 if verb == "disable" else 1))


def rename_adapter(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    adapter = machine.net.adapter(name=str(prop(call["InputObject"], "Name", call["Name"])))
    if adapter is None:
        no_match(call, "MSFT_NetAdapter", "Name", call["Name"])
        return
    adapter.name = str(call["NewName"])
    if call["PassThru"]:
        yield _adapter_object(adapter)


def address_object(machine: WindowsMachine, address: Address) -> PSObject:
    adapter = machine.net.adapter(index=address.index)
    up = address.index == LOOPBACK_INDEX or (adapter is not None and adapter.status == "Up")
    return cim(
        "MSFT_NetIPAddress",
        {
            "IPAddress": address.address, "InterfaceIndex": uint(address.index),
            "InterfaceAlias": machine.net.interface_name(address.index), "AddressFamily": enum("IPv4"),
            "Type": enum("Unicast"), "PrefixLength": uint(address.length, 8), "PrefixOrigin": enum(address.origin),
            "SuffixOrigin": enum(address.origin), "AddressState": enum("Preferred" if up else "Tentative"),
            "ValidLifetime": None, "PreferredLifetime": None, "SkipAsSource": False, "PolicyStore": "ActiveStore",
            "IPv4Address": address.address, "IPv6Address": None, "ifIndex": uint(address.index), "ifAlias": machine.net.interface_name(address.index),
            "CompartmentId": uint(address.compartment),
        },
        ["IPAddress", "InterfaceIndex", "InterfaceAlias", "AddressFamily", "Type", "PrefixLength", "PrefixOrigin",
         "SuffixOrigin", "AddressState", "ValidLifetime", "PreferredLifetime", "SkipAsSource", "PolicyStore"],
    )  # fmt: skip


def get_address(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    if str(call["AddressFamily"] or "").lower() == "ipv6":
        items: list[PSObject] = []
    else:
        everywhere = bool(call["IncludeAllCompartments"])
        items = [
            address_object(machine, a)
            for a in machine.net.addresses
            if everywhere or a.compartment == 1
        ]
    yield from search(
        call, "MSFT_NetIPAddress", items,
        ("IPAddress", "InterfaceIndex", "InterfaceAlias", "PrefixLength", "PrefixOrigin", "AddressState"),
    )  # fmt: skip


def named_interface(call: Call) -> Adapter | None:
    machine: WindowsMachine = call.session.machine
    if call["InterfaceIndex"] is not None:
        return machine.net.adapter(index=int(as_list(call["InterfaceIndex"])[0]))
    if call["InterfaceAlias"] is not None:
        return machine.net.adapter(name=str(as_list(call["InterfaceAlias"])[0]))
    return None


def new_address(call: Call) -> Iterator[Any]:
    _only_ipv4(call)
    machine: WindowsMachine = call.session.machine
    adapter, text = named_interface(call), str(call["IPAddress"])
    if adapter is None:
        cim_error(call, "The system cannot find the file specified. ", error_id="Windows System Error 2",
                  category="ObjectNotFound", target="MSFT_NetIPAddress")  # fmt: skip
        return
    try:
        ipaddress.ip_address(text)
    except ValueError:
        cim_error(
            call,
            "Invalid parameter IPAddress ",
            error_id="Windows System Error 87",
            category="InvalidArgument",
        )
        return
    if any(a.address == text for a in machine.net.addresses):
        cim_error(call, "The object already exists. ", error_id="Windows System Error 5010",
                  category="ResourceExists", target="MSFT_NetIPAddress")  # fmt: skip
        return
    if adapter.dhcp:
        # What is kept is of no use to an interface that asks for its address (kubernetes-sigs/sig-windows-tools#162).
        cim_error(call, "Inconsistent parameters PolicyStore PersistentStore and Dhcp Enabled ", error_id="Windows System Error 87",
                  category="InvalidArgument", target="MSFT_NetIPAddress")  # fmt: skip
        return
    if call["DefaultGateway"] and any(
        r.prefix == "0.0.0.0/0" and r.index == adapter.index for r in machine.net.routes
    ):
        cim_error(call, "Instance DefaultGateway already exists ", error_id="Windows System Error 87",
                  category="InvalidArgument", target="MSFT_NetIPAddress")  # fmt: skip
        return
    length = int(call["PrefixLength"] if call["PrefixLength"] is not None else 32)
    address = Address(adapter.index, text, length)
    machine.net.addresses = [
        a for a in machine.net.addresses if a.index != adapter.index or a.origin != "WellKnown"
    ]
    machine.net.addresses.append(address)
    machine.changed()
    if call["DefaultGateway"]:
        machine.net.routes.append(Route("0.0.0.0/0", str(call["DefaultGateway"]), adapter.index))
    yield address_object(machine, address)


def _only_ipv4(call: Call) -> None:
    """-AddressFamily IPv6 is refused where something would be changed."""
    if str(call["AddressFamily"] or "").lower() == "ipv6":
        raise NotSimulated(f"{call.name} -AddressFamily IPv6")


def remove_address(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    _only_ipv4(call)
    lengths = [int(length) for length in as_list(call["PrefixLength"])]
    wanted = (
        [str(prop(call["InputObject"], "IPAddress"))]
        if call["InputObject"] is not None
        else as_list(call["IPAddress"])
    )
    adapter = named_interface(call)
    kept: list[Address] = []
    gone: list[Address] = []
    for address in machine.net.addresses:
        fits = matches(address.address, wanted or None) and (
            adapter is None or address.index == adapter.index
        )
        fits = fits and (not lengths or address.length in lengths)
        (gone if fits and address.index != LOOPBACK_INDEX else kept).append(address)
    if not gone and wanted:
        no_match(call, "MSFT_NetIPAddress", "IPAddress", wanted[0])
    machine.net.addresses = kept
    machine.changed()
    return iter(())


def route_object(machine: WindowsMachine, route: Route) -> PSObject:
    adapter = machine.net.adapter(index=route.index)
    return cim(
        "MSFT_NetRoute",
        {
            "ifIndex": uint(route.index), "DestinationPrefix": route.prefix, "NextHop": route.next_hop,
            "RouteMetric": uint(route.metric, 16), "ifMetric": uint(adapter.metric if adapter else 75),
            "PolicyStore": "ActiveStore", "InterfaceIndex": uint(route.index),
            "InterfaceAlias": machine.net.interface_name(route.index), "AddressFamily": enum("IPv4"),
            "Protocol": enum(route.protocol), "Publish": enum("No"), "Store": enum("ActiveStore"),
            "InterfaceMetric": uint(adapter.metric if adapter else 75),
        },
        ["ifIndex", "DestinationPrefix", "NextHop", "RouteMetric", "ifMetric", "PolicyStore"],
    )  # fmt: skip


def get_route(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    six = str(call["AddressFamily"] or "").lower() == "ipv6"
    items = [] if six else [route_object(machine, r) for r in machine.net.route_table()]
    yield from search(
        call, "MSFT_NetRoute", items,
        ("DestinationPrefix", "NextHop", "InterfaceIndex", "InterfaceAlias", "RouteMetric", "Protocol"),
    )  # fmt: skip


def new_route(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    _only_ipv4(call)
    adapter = named_interface(call)
    hop = str(call["NextHop"] or "0.0.0.0")  # noqa: S104 - "on link"
    if adapter is None:
        cim_error(
            call, "The system cannot find the file specified. ", error_id="Windows System Error 2"
        )
        return
    try:
        prefix = str(ipaddress.ip_network(str(call["DestinationPrefix"])))
    except ValueError:
        cim_error(call, "Invalid parameter DestinationPrefix ", error_id="Windows System Error 87")
        return
    if any(
        (r.prefix, r.next_hop, r.index) == (prefix, hop, adapter.index) for r in machine.net.routes
    ):
        cim_error(
            call,
            "Instance MSFT_NetRoute already exists ",
            error_id="MI RESULT 11",
            category="ResourceExists",
        )
        return
    persistent = str(call["PolicyStore"] or "").lower() != "activestore"
    route = Route(prefix, hop, adapter.index, int(call["RouteMetric"] or 256), persistent)
    machine.net.routes.append(route)
    yield route_object(machine, route)


def remove_route(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    source = call["InputObject"]
    _only_ipv4(call)
    prefixes = as_list(prop(source, "DestinationPrefix", call["DestinationPrefix"]))
    hops = as_list(prop(source, "NextHop", call["NextHop"]))
    adapter = named_interface(call)
    kept = [
        r for r in machine.net.routes
        if not (matches(r.prefix, prefixes or None) and matches(r.next_hop, hops or None)
                and (adapter is None or r.index == adapter.index))
    ]  # fmt: skip
    if len(kept) == len(machine.net.routes) and prefixes:
        no_match(call, "MSFT_NetRoute", "DestinationPrefix", prefixes[0])
    machine.net.routes = kept
    return iter(())


def _interface_object(machine: WindowsMachine, adapter: Adapter) -> PSObject:
    return cim(
        "MSFT_NetIPInterface",
        {
            "ifIndex": uint(adapter.index), "InterfaceAlias": adapter.name, "AddressFamily": enum("IPv4"),
            "NlMtu": uint(adapter.mtu), "NlMtu(Bytes)": uint(adapter.mtu), "InterfaceMetric": uint(adapter.metric),
            "Dhcp": enum("Enabled" if adapter.dhcp else "Disabled"), "ConnectionState": enum("Connected"),
            "PolicyStore": "ActiveStore", "InterfaceIndex": uint(adapter.index), "ifAlias": adapter.name,
            "Forwarding": enum("Enabled" if adapter.forwarding else "Disabled"), "CompartmentId": uint(1),
            "AutomaticMetric": enum("Enabled"),
        },
        ["ifIndex", "InterfaceAlias", "AddressFamily", "NlMtu(Bytes)", "InterfaceMetric", "Dhcp", "ConnectionState",
         "PolicyStore"],
    )  # fmt: skip


def get_interface(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    six = str(call["AddressFamily"] or "").lower() == "ipv6"
    items = [] if six else [_interface_object(machine, a) for a in machine.net.adapters]
    yield from search(
        call,
        "MSFT_NetIPInterface",
        items,
        ("InterfaceIndex", "InterfaceAlias", "Dhcp", "Forwarding", "ConnectionState"),
    )


def set_interface(call: Call) -> Iterator[Any]:
    _only_ipv4(call)
    machine: WindowsMachine = call.session.machine
    source = call["InputObject"]
    adapter = (
        machine.net.adapter(index=int(prop(source, "ifIndex")))
        if source is not None
        else named_interface(call)
    )
    if adapter is None:
        no_match(
            call,
            "MSFT_NetIPInterface",
            "InterfaceAlias",
            call["InterfaceAlias"] or call["InterfaceIndex"],
        )
        return
    if call.bound("Forwarding"):
        adapter.forwarding = str(call["Forwarding"]).lower() == "enabled"
    if call.bound("Dhcp"):
        adapter.dhcp = str(call["Dhcp"]).lower() == "enabled"
        if not adapter.dhcp:
            leased = [
                a for a in machine.net.addresses if a.index == adapter.index and a.origin == "Dhcp"
            ]
            machine.net.addresses = [a for a in machine.net.addresses if a not in leased]
    if call.bound("InterfaceMetric"):
        adapter.metric = int(call["InterfaceMetric"])
    if call.bound("NlMtuBytes"):
        adapter.mtu = int(call["NlMtuBytes"])
    if call["PassThru"]:
        yield _interface_object(machine, adapter)


def get_dns(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    items = [
        cim(
            "MSFT_DNSClientServerAddress",
            {"InterfaceAlias": a.name, "InterfaceIndex": uint(a.index), "AddressFamily": uint(2, 16),
             "ServerAddresses": texts(a.dns), "Address": texts(a.dns)},
            ["InterfaceAlias", "InterfaceIndex", "AddressFamily", "ServerAddresses"],
        )
        for a in machine.net.adapters
        if str(call["AddressFamily"] or "IPv4").lower() == "ipv4"
    ]  # fmt: skip
    yield from search(
        call, "MSFT_DNSClientServerAddress", items, ("InterfaceAlias", "InterfaceIndex")
    )


def set_dns(call: Call) -> Iterator[Any]:
    adapter = named_interface(call)
    if adapter is None:
        no_match(
            call,
            "MSFT_DNSClientServerAddress",
            "InterfaceAlias",
            call["InterfaceAlias"] or call["InterfaceIndex"],
        )
    elif call["ResetServerAddresses"]:
        adapter.dns = []
    else:
        adapter.dns = [str(a) for a in as_list(call["ServerAddresses"])]
    return iter(())


def get_configuration(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for adapter in machine.net.adapters:
        if call.bound("InterfaceAlias") and not matches(adapter.name, call["InterfaceAlias"]):
            continue
        if call.bound("InterfaceIndex") and adapter.index != int(call["InterfaceIndex"]):
            continue
        own = [
            address_object(machine, a) for a in machine.net.addresses if a.index == adapter.index
        ]
        gateway = [route_object(machine, r) for r in machine.net.routes
                   if r.index == adapter.index and r.prefix == "0.0.0.0/0"]  # fmt: skip
        yield PSObject(
            {
                "InterfaceAlias": adapter.name, "InterfaceIndex": adapter.index, "InterfaceDescription": adapter.description,
                "NetProfile": profile_object(adapter), "NetAdapter": _adapter_object(adapter),
                "NetIPv4Interface": _interface_object(machine, adapter),
                "IPv4Address": own, "IPv6Address": [], "IPv4DefaultGateway": gateway or None, "IPv6DefaultGateway": None,
                "DNSServer": list(get_dns_of(adapter)), "ComputerName": machine.computer_name,
            },
            type_names=["NetIPConfiguration"],
        )  # fmt: skip


def profile_object(adapter: Adapter) -> PSObject:
    return cim(
        "MSFT_NetConnectionProfile",
        {"Name": adapter.profile, "InterfaceAlias": adapter.name, "InterfaceIndex": uint(adapter.index),
         "NetworkCategory": enum(adapter.category), "DomainAuthenticationKind": enum("None"),
         "IPv4Connectivity": enum("Internet"), "IPv6Connectivity": enum("NoTraffic")},
    )  # fmt: skip


def get_dns_of(adapter: Adapter) -> Iterator[PSObject]:
    yield PSObject(
        {"InterfaceAlias": adapter.name, "ServerAddresses": texts(adapter.dns), "AddressFamily": 2}
    )


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""

    def add(
        name: str,
        body: Any,
        declaration: str,
        module: str,
        *,
        change: bool = False,
        aliases: tuple[str, ...] = (),
    ) -> None:
        table.cmdlet(
            name,
            parameters=parameters(declaration),
            module=module,
            should_process=change,
            aliases=aliases,
        )(body)

    interface = (
        "InterfaceIndex object[] property =ifIndex; InterfaceAlias string[] property =ifAlias"
    )
    one = "InterfaceIndex object =ifIndex; InterfaceAlias string =ifAlias"
    passing = "InputObject object value; PassThru switch"
    add("Get-NetAdapter", get_adapter, "Name string[] @0 =ifAlias,InterfaceAlias; InterfaceIndex object[] =ifIndex; "
        "InterfaceDescription string[] =ifDesc; Physical switch; IncludeHidden switch ~", "NetAdapter")  # fmt: skip
    for verb in ("Enable", "Disable", "Restart"):
        add(
            f"{verb}-NetAdapter",
            change_adapter,
            f"Name string[] @0 =ifAlias,InterfaceAlias; {passing}",
            "NetAdapter",
            change=True,
        )
    add(
        "Rename-NetAdapter",
        rename_adapter,
        f"Name string @0; NewName string @1 !; {passing}",
        "NetAdapter",
        change=True,
    )
    add("Get-NetIPAddress", get_address, f"IPAddress string[] @0; {interface}; AddressFamily string; PrefixLength object[]; "
        "PrefixOrigin string[]; AddressState string[]; IncludeAllCompartments switch; PolicyStore string ~", "NetTCPIP")  # fmt: skip
    add("New-NetIPAddress", new_address, f"IPAddress string @0 !; {one}; PrefixLength int; DefaultGateway string; "
        "AddressFamily string; PolicyStore string ~; SkipAsSource bool ~", "NetTCPIP", change=True)  # fmt: skip
    add("Remove-NetIPAddress", remove_address, f"IPAddress string[] @0; {interface}; AddressFamily string; "
        f"PrefixLength object[]; InputObject object value; PassThru switch ~; DefaultGateway string ~", "NetTCPIP", change=True)  # fmt: skip
    add("Get-NetRoute", get_route, f"DestinationPrefix string[] @0; {interface}; NextHop string[]; AddressFamily string; "
        "RouteMetric object[]; Protocol string[]; IncludeAllCompartments switch; PolicyStore string ~", "NetTCPIP")  # fmt: skip
    add("New-NetRoute", new_route, f"DestinationPrefix string @0 !; {one}; NextHop string; RouteMetric int; "
        "PolicyStore string ~; AddressFamily string", "NetTCPIP", change=True)  # fmt: skip
    add("Remove-NetRoute", remove_route, f"DestinationPrefix string[] @0; {interface}; NextHop string[]; InputObject object value; "
        "PassThru switch ~; AddressFamily string; PolicyStore string ~", "NetTCPIP", change=True)  # fmt: skip
    add("Get-NetIPInterface", get_interface, f"{interface}; AddressFamily string; Dhcp string; Forwarding string; "
        "IncludeAllCompartments switch; ConnectionState string", "NetTCPIP")  # fmt: skip
    add("Set-NetIPInterface", set_interface, f"{one}; AddressFamily string; Forwarding string; Dhcp string; "
        f"InterfaceMetric int; NlMtuBytes int; {passing}", "NetTCPIP", change=True)  # fmt: skip
    add("Get-NetIPConfiguration", get_configuration, "InterfaceAlias string @0 =ifAlias; InterfaceIndex int =ifIndex; "
        "All switch ~; Detailed switch ~", "NetTCPIP", aliases=("gip",))  # fmt: skip
    add("Get-DnsClientServerAddress", get_dns, f"{interface}; AddressFamily string", "DnsClient")
    add("Set-DnsClientServerAddress", set_dns, f"{one}; ServerAddresses string[] =Addresses; ResetServerAddresses switch; "
        "Validate switch ~", "DnsClient", change=True)  # fmt: skip
