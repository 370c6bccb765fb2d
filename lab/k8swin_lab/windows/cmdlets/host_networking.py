"""HostNetworkingService: HNS networks, endpoints and policy lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_network import HnsEndpoint, HnsError, HnsNetwork
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.windows.objects import as_list, parameters, prop

_MODULE = "HostNetworkingService"


def network_object(network: HnsNetwork) -> PSObject:
    subnets = PSArray(
        [
            PSObject({"AdditionalParams": PSObject(), "AddressPrefix": s.get("AddressPrefix", ""), "Flags": 0,
                      "GatewayAddress": s.get("GatewayAddress", ""), "Health": PSObject(), "ID": network.id,
                      "ObjectType": 5, "Policies": PSArray(), "State": 0})
            for s in network.subnets
        ]
    )  # fmt: skip
    return PSObject(
        {
            "ActivityId": network.id, "AdditionalParams": PSObject(), "CurrentEndpointCount": 0, "ID": network.id,
            "Extensions": PSArray(), "LayeredOn": network.id, "Name": network.name, "Type": network.kind,
            "ManagementIP": network.management_address, "NetworkAdapterName": network.adapter_name,
            "SourceMac": network.source_mac, "State": 1, "Subnets": subnets, "Policies": PSArray(), "Version": 55834574851,
        }
    )  # fmt: skip


def endpoint_object(machine: WindowsMachine, endpoint: HnsEndpoint) -> PSObject:
    network = next((n for n in machine.net.hns_networks if n.id == endpoint.network), None)
    return PSObject(
        {
            "ID": endpoint.id, "Name": endpoint.name, "VirtualNetwork": endpoint.network,
            "VirtualNetworkName": network.name if network else "", "IPAddress": endpoint.address, "MacAddress": endpoint.mac,
            "GatewayAddress": endpoint.gateway, "PrefixLength": endpoint.prefix_length, "State": 2 if endpoint.compartment else 1,
            "Policies": PSArray(endpoint.policies), "Type": network.kind if network else "",
        }
    )  # fmt: skip


def _failed(error: HnsError) -> Terminating:
    return Terminating(str(error), exception="System.Management.Automation.RuntimeException")


def _require(call: Call) -> WindowsMachine:
    machine: WindowsMachine = call.session.machine
    try:
        machine.net.require_hns()
    except HnsError as error:
        raise _failed(error) from error
    return machine


def _wanted(call: Call, identifier: str) -> bool:
    if call["Id"] is None:
        return True
    return str(call["Id"]).lower() == identifier.lower()


def get_network(call: Call) -> Iterator[Any]:
    machine = _require(call)
    for network in machine.net.hns_networks:
        if _wanted(call, network.id) and (
            call["Name"] is None or call["Name"].lower() == network.name.lower()
        ):
            yield network_object(network)


def new_network(call: Call) -> Iterator[Any]:
    machine = _require(call)
    if call["JsonString"]:
        given = json.loads(str(call["JsonString"]))
        name, kind = given.get("Name", ""), given.get("Type", "")
        subnets = list(given.get("Subnets") or [])
        adapter = given.get("NetworkAdapterName", "")
    else:
        name, kind, adapter = (
            str(call["Name"] or ""),
            str(call["Type"] or ""),
            str(call["AdapterName"] or ""),
        )
        prefixes, gateways = as_list(call["AddressPrefix"]), as_list(call["Gateway"])
        subnets = [
            {"AddressPrefix": str(p), "GatewayAddress": str(g)}
            for p, g in zip(prefixes, gateways, strict=False)
        ]
    try:
        yield network_object(machine.net.create_hns_network(name, kind, subnets, adapter))
    except HnsError as error:
        raise _failed(error) from error


def remove_network(call: Call) -> Iterator[Any]:
    machine = _require(call)
    for item in as_list(call["InputObjects"]):
        identifier = str(prop(item, "ID", item))
        network = next(
            (n for n in machine.net.hns_networks if n.id.lower() == identifier.lower()), None
        )
        if network is None:
            raise _failed(
                HnsError(
                    "0x803b0001",
                    f"hnsCall failed in Win32: The network was not found. ID: {identifier}",
                )
            )
        machine.net.remove_hns_network(network)
    return iter(())


def get_endpoint(call: Call) -> Iterator[Any]:
    machine = _require(call)
    for endpoint in machine.net.hns_endpoints:
        if _wanted(call, endpoint.id) and (
            call["Name"] is None or call["Name"].lower() == endpoint.name.lower()
        ):
            yield endpoint_object(machine, endpoint)


def new_endpoint(call: Call) -> Iterator[Any]:
    machine = _require(call)
    network = next(
        (n for n in machine.net.hns_networks if n.id.lower() == str(call["NetworkId"]).lower()),
        None,
    )
    if network is None:
        raise _failed(HnsError("0x803b0001", "hnsCall failed in Win32: The network was not found."))
    try:
        endpoint = machine.net.create_hns_endpoint(
            str(call["Name"] or "Ethernet"),
            network,
            str(call["IPAddress"] or ""),
            str(call["Gateway"] or ""),
        )
        endpoint.mac = str(call["MacAddress"] or endpoint.mac)
    except HnsError as error:
        raise _failed(error) from error
    yield endpoint_object(machine, endpoint)


def remove_endpoint(call: Call) -> Iterator[Any]:
    machine = _require(call)
    for item in as_list(call["InputObjects"]):
        identifier = str(prop(item, "ID", item)).lower()
        for endpoint in [e for e in machine.net.hns_endpoints if e.id.lower() == identifier]:
            machine.net.remove_hns_endpoint(endpoint)
    return iter(())


def get_policies(call: Call) -> Iterator[Any]:
    machine = _require(call)
    for policy in machine.net.hns_policies:
        if not _wanted(call, str(policy["ID"])):
            continue
        yield PSObject(policy)


def remove_policies(call: Call) -> Iterator[Any]:
    machine = _require(call)
    gone = [str(prop(item, "ID")) for item in as_list(call["InputObjects"])]
    machine.net.hns_policies = [p for p in machine.net.hns_policies if p["ID"] not in gone]
    return iter(())


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""

    def add(name: str, body: Any, declaration: str) -> None:
        table.cmdlet(name, parameters=parameters(declaration), module=_MODULE)(body)

    add(
        "Get-HnsNetwork", get_network, "Id string @0; Name string; Detailed switch ~; Version int ~"
    )
    add("New-HnsNetwork", new_network, "JsonString string value; Type string; Name string; AddressPrefix object[]; "
        "Gateway object[]; AdapterName string")  # fmt: skip
    add("Remove-HnsNetwork", remove_network, "InputObjects object[] @0 value =Id; Version int ~")
    add(
        "Get-HnsEndpoint",
        get_endpoint,
        "Id string @0; Name string; Detailed switch ~; Version int ~",
    )
    add(
        "New-HnsEndpoint",
        new_endpoint,
        "NetworkId string @0 !; Name string; IPAddress string; Gateway string; MacAddress string",
    )
    add("Remove-HnsEndpoint", remove_endpoint, "InputObjects object[] @0 value =Id; Version int ~")
    add("Get-HnsPolicyList", get_policies, "Id string @0; Detailed switch ~; Version int ~")
    add(
        "Remove-HnsPolicyList", remove_policies, "InputObjects object[] @0 value =Id; Version int ~"
    )
