"""NetSecurity: firewall rules, their filters, and the profiles."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_firewall import KEYS, active_profile, policy_rules
from k8swin_lab.machines.windows_network import FirewallRule
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
)

_SETTINGS = {
    "DisplayName": "display_name", "Description": "description", "Profile": "profile", "Direction": "direction",
    "Action": "action", "Protocol": "protocol", "Program": "program", "Service": "service", "Group": "group",
}  # fmt: skip
_LISTS = {
    "LocalPort": "local_port", "RemotePort": "remote_port", "LocalAddress": "local_address",
    "RemoteAddress": "remote_address", "IcmpType": "icmp_type", "InterfaceAlias": "interface_alias",
}  # fmt: skip


_FILTERS = {
    "port": "MSFT_NetProtocolPortFilter", "address": "MSFT_NetAddressFilter",
    "application": "MSFT_NetApplicationFilter", "service": "MSFT_NetServiceFilter",
}  # fmt: skip

_LOCAL_STORES = ("", "persistentstore", "localhost")
_ACTIVE, _RESULTANT = "activestore", "rsop"


def _store(call: Call) -> str:
    """The store that is meant; one of which the lab knows nothing is refused."""
    store = str(call["PolicyStore"] or "").lower()
    if store not in (*_LOCAL_STORES, _ACTIVE, _RESULTANT):
        raise NotSimulated(f"{call.name} -PolicyStore {call['PolicyStore']}")
    return store


def _rules_of(call: Call) -> list[FirewallRule]:
    """What a store holds: the machine's own rules, those of the group policy, or what is in force."""
    machine: WindowsMachine = call.session.machine
    store = _store(call)
    if store == _RESULTANT:
        return policy_rules(machine.registry)
    if store == _ACTIVE:
        merged = any(
            active_profile(machine.net, machine.registry, name).merges_local_rules for name in KEYS
        )
        return policy_rules(machine.registry) + (machine.net.rules if merged else [])
    return machine.net.rules


def rule_object(rule: FirewallRule, *, policy: bool = False) -> PSObject:
    return cim(
        "MSFT_NetFirewallRule",
        {
            "Name": rule.name, "ID": rule.name, "InstanceID": rule.name, "DisplayName": rule.display_name,
            "Description": rule.description or None, "DisplayGroup": rule.group or None, "Group": rule.group or None,
            "Enabled": enum("True" if rule.enabled else "False"), "Profile": enum(rule.profile), "Platform": texts([]),
            "Direction": enum(rule.direction), "Action": enum(rule.action), "EdgeTraversalPolicy": enum("Block"),
            "PrimaryStatus": enum("OK"), "Status": "The rule was parsed successfully from the store. (65536)",
            "EnforcementStatus": enum("NotApplicable"), "PolicyStoreSource": "RSOP" if policy else "PersistentStore",
            "PolicyStoreSourceType": enum("GroupPolicy" if policy else "Local"),
        },
    )  # fmt: skip


def _selected(call: Call) -> list[FirewallRule]:
    """Rules that -InputObject, -Name, -DisplayName or -Group mean; nothing found is an error."""
    rules = _rules_of(call)
    source = call["InputObject"]
    if source is not None:
        names = [str(prop(s, "Name")).lower() for s in as_list(source)]
        return [r for r in rules if r.name.lower() in names]
    for name, attribute in (
        ("Name", "name"),
        ("DisplayName", "display_name"),
        ("DisplayGroup", "group"),
        ("Group", "group"),
    ):
        if call.bound(name) and not (name == "DisplayName" and call.bound("Name")):
            found = []
            for value in as_list(call[name]):
                fits = [r for r in rules if matches(getattr(r, attribute), value)]
                if not fits and not has_wildcard(str(value)):
                    no_match(
                        call,
                        "MSFT_NetFirewallRule",
                        "InstanceID" if name == "Name" else name,
                        value,
                    )
                found += fits
            return found
    return list(rules)


def get_rule(call: Call) -> Iterator[Any]:
    for rule in _selected(call):
        if (
            call["Enabled"] is not None
            and str(call["Enabled"]).lower() != str(rule.enabled).lower()
        ):
            continue
        if call["Direction"] and str(call["Direction"]).lower() != rule.direction.lower():
            continue
        if call["Action"] and str(call["Action"]).lower() != rule.action.lower():
            continue
        yield rule_object(rule, policy=rule not in call.session.machine.net.rules)


def _apply(call: Call, rule: FirewallRule) -> None:
    for name, attribute in _SETTINGS.items():
        if call.bound(name):
            values = as_list(call[name])
            setattr(rule, attribute, ", ".join(str(v) for v in values))
    for name, attribute in _LISTS.items():
        if call.bound(name):
            setattr(rule, attribute, [str(v) for v in as_list(call[name])])
    if call.bound("Enabled"):
        rule.enabled = str(call["Enabled"]).lower() == "true"


def new_rule(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name = str(call["Name"] or "{" + str(uuid.uuid4()) + "}")
    if any(r.name.lower() == name.lower() for r in machine.net.rules):
        cim_error(call, "Cannot create a file when that file already exists. ", error_id="Windows System Error 183",
                  category="ResourceExists", target="MSFT_NetFirewallRule")  # fmt: skip
        return
    rule = FirewallRule(name, str(call["DisplayName"]))
    _apply(call, rule)
    ports = rule.local_port != ["Any"] or rule.remote_port != ["Any"]
    if ports and rule.protocol.upper() not in ("TCP", "UDP", "6", "17"):
        cim_error(call, "A port may be specified only if the protocol is TCP or UDP. ", error_id="HRESULT 0x80070057",
                  category="InvalidArgument")  # fmt: skip
        return
    if call["WhatIf"]:
        return
    machine.net.rules.append(rule)
    yield rule_object(rule)


def set_rule(call: Call) -> Iterator[Any]:
    for rule in _selected(call):
        if call.bound("NewDisplayName"):
            rule.display_name = str(call["NewDisplayName"])
        searched = dict(call.parameters)
        searched.pop("DisplayName", None)
        searched.pop("Group", None)
        _apply(Call(call.session, call.name, searched), rule)
        if call["PassThru"]:
            yield rule_object(rule)


def switch_rule(call: Call) -> Iterator[Any]:
    for rule in _selected(call):
        rule.enabled = call.name.lower().startswith("enable")
        if call["PassThru"]:
            yield rule_object(rule)


def remove_rule(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    gone = _selected(call)
    if not call["WhatIf"]:
        machine.net.rules = [r for r in machine.net.rules if r not in gone]
    return iter(())


def _every_rule(call: Call) -> list[FirewallRule]:
    """Rules of whichever store: a filter follows the rule that it is asked for."""
    machine: WindowsMachine = call.session.machine
    if call["PolicyStore"] is not None:
        return _rules_of(call)
    return [*policy_rules(machine.registry), *machine.net.rules]


def get_filter(call: Call) -> Iterator[Any]:
    """Get-NetFirewallPortFilter, -AddressFilter, -ApplicationFilter and -ServiceFilter."""
    machine: WindowsMachine = call.session.machine
    kind = call.name.lower()
    source = call["AssociatedNetFirewallRule"]
    names = [str(prop(s, "Name")).lower() for s in as_list(source)]
    protocols = [str(p).lower() for p in as_list(call["Protocol"])] if "port" in kind else []

    def one_or_all(values: list[str]) -> Any:
        return values[0] if len(values) == 1 else texts(values)

    rules = machine.net.rules if call["PolicyStore"] is None and not names else _every_rule(call)
    for rule in rules:
        if names and rule.name.lower() not in names:
            continue
        if protocols and rule.protocol.lower() not in protocols:
            continue
        base: dict[str, Any] = {"InstanceID": rule.name}
        if "port" in kind:
            base.update(Protocol=rule.protocol, LocalPort=one_or_all(rule.local_port), RemotePort=one_or_all(rule.remote_port),
                        IcmpType=one_or_all(rule.icmp_type), DynamicTarget=enum("Any"))  # fmt: skip
        elif "address" in kind:
            base.update(
                LocalAddress=one_or_all(rule.local_address),
                RemoteAddress=one_or_all(rule.remote_address),
            )
        elif "service" in kind:
            base.update(Service=rule.service)
        else:
            base.update(Program=rule.program, Package=None)
        yield cim(_FILTERS[kind.removeprefix("get-netfirewall").removesuffix("filter")], base)


def get_profile(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    store = _store(call)
    for name, on in machine.net.profiles_enabled.items():
        if not matches(name, as_list(call["Name"]) or None):
            continue
        found = active_profile(machine.net, machine.registry, name)
        values = {"Enabled": str(on), "AllowInboundRules": "NotConfigured", "AllowLocalFirewallRules": "NotConfigured",
                  "DefaultInboundAction": "NotConfigured", "DefaultOutboundAction": "NotConfigured"}  # fmt: skip
        if store == _ACTIVE or (store == _RESULTANT and found.of_policy):
            values = {"Enabled": str(found.enabled), "AllowInboundRules": str(found.heeds_rules),
                      "AllowLocalFirewallRules": str(found.merges_local_rules), "DefaultInboundAction": "Block", "DefaultOutboundAction": "Allow"}  # fmt: skip
        elif store == _RESULTANT:
            values = dict.fromkeys(values, "NotConfigured")
        shown = {key: enum(value) for key, value in values.items()}
        yield cim("MSFT_NetFirewallProfile", {"Name": name, "Profile": name, **shown})


def set_profile(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    chosen = as_list(call["Name"])
    for name in machine.net.profiles_enabled:
        if (call["All"] or matches(name, chosen)) and call["Enabled"] is not None:
            machine.net.profiles_enabled[name] = str(call["Enabled"]).lower() == "true"
    return iter(())


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""

    def add(name: str, body: Any, declaration: str, *, change: bool = False) -> None:
        table.cmdlet(
            name, parameters=parameters(declaration), module="NetSecurity", should_process=change
        )(body)

    select = "Name string[] @0 =ID; DisplayName string[]; DisplayGroup string[]; Group string[]; PolicyStore string; InputObject object[] value"
    settings = (
        "Description string; Enabled string; Profile string[]; Direction string |Inbound|Outbound; Action string "
        "|Allow|Block|NotConfigured; Protocol string; LocalPort string[]; RemotePort string[]; LocalAddress string[]; "
        "RemoteAddress string[]; IcmpType string[]; Program string; Service string; InterfaceAlias string[]"
    )
    add(
        "Get-NetFirewallRule",
        get_rule,
        select + "; Enabled string; Direction string; Action string; All switch",
    )
    add("New-NetFirewallRule", new_rule, f"Name string =ID; DisplayName string !; Group string; PolicyStore string ~; {settings}",
        change=True)  # fmt: skip
    add(
        "Set-NetFirewallRule",
        set_rule,
        f"{select}; NewDisplayName string; PassThru switch; {settings}",
        change=True,
    )
    add("Remove-NetFirewallRule", remove_rule, select + "; All switch ~", change=True)
    add("Enable-NetFirewallRule", switch_rule, select + "; PassThru switch", change=True)
    add("Disable-NetFirewallRule", switch_rule, select + "; PassThru switch", change=True)
    for kind in ("Port", "Address", "Application", "Service"):
        add(
            f"Get-NetFirewall{kind}Filter",
            get_filter,
            "AssociatedNetFirewallRule object[] value; All switch; PolicyStore string"
            + ("; Protocol string[]" if kind == "Port" else ""),
        )
    add(
        "Get-NetFirewallProfile",
        get_profile,
        "Name string[] @0 =Profile; All switch; PolicyStore string",
    )
    add("Set-NetFirewallProfile", set_profile, "Name string[] @0 =Profile; Enabled string; All switch; "
        "PolicyStore string ~", change=True)  # fmt: skip
