r"""Who gets in: the rules of a simulated Windows' firewall, those of the domain, and which of them count.

A profile of the group policy may say that rules of the machine itself are not merged
(`AllowLocalPolicyMerge` 0, shown as `AllowLocalFirewallRules` False): then only the rules that the policy brings
count in that profile, whatever `New-NetFirewallRule` has made. CIS and the STIGs want exactly that for Public, and
an adapter whose network is not known yet, such as the virtual switch's in its first moments, is Public. With
`DoNotAllowExceptions` 1, shown as `AllowInboundRules` False, no rule counts at all. A rule that blocks outdoes all that
allow.

Sources: MS-GPFAS 2.2.2 for the keys below and the form of rules; CIS benchmark 9.3.4; STIG WN19 firewall; Microsoft's page
on Windows Firewall rules for the precedence of explicit blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8swin_lab.machines.windows_network import FirewallRule, WindowsNetwork

if TYPE_CHECKING:
    from k8swin_lab.machines.registry import Registry

POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
_PROTOCOLS = {"6": "TCP", "17": "UDP", "1": "ICMPv4"}
KEYS = {"Domain": "DomainProfile", "Private": "PrivateProfile", "Public": "PublicProfile"}
"""The policy's key of each profile; older ones have StandardProfile for Private."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile as the active store has it: the machine's own settings under those of the policy."""

    name: str
    enabled: bool
    merges_local_rules: bool
    heeds_rules: bool  # not "block all connections, including those in the list of allowed apps"
    of_policy: bool  # whether a group policy says anything about it


def profile_of(category: str) -> str:
    """Return the firewall's profile of a network category."""
    return "Domain" if category == "DomainAuthenticated" else category


def active_profile(net: WindowsNetwork, registry: Registry, name: str) -> Profile:
    """Return what holds of a profile."""
    path = rf"{POLICY}\{KEYS[name]}"
    if registry.key(path) is None and name == "Private":
        path = rf"{POLICY}\StandardProfile"
    switch = registry.get(path, "EnableFirewall")
    merge = registry.get(path, "AllowLocalPolicyMerge")
    shut = registry.get(path, "DoNotAllowExceptions")
    return Profile(
        name,
        net.profiles_enabled[name] if switch is None else bool(int(str(switch))),
        merge is None or bool(int(str(merge))),
        shut is None or not int(str(shut)),
        any(setting is not None for setting in (switch, merge, shut)),
    )


def policy_rules(registry: Registry) -> list[FirewallRule]:
    """Return the rules that the group policy brings."""
    key = registry.key(POLICY + r"\FirewallRules")
    values = list(key.values.values()) if key else []
    return [_rule(value.name, str(value.content)) for value in values]


def _rule(name: str, text: str) -> FirewallRule:
    rule = FirewallRule(name, name, enabled=False)
    profiles: list[str] = []
    for part in text.split("|")[1:]:
        word, _, value = part.partition("=")
        if word == "Name":
            rule.display_name = value
        elif word == "Active":
            rule.enabled = value == "TRUE"
        elif word == "Action":
            rule.action = value
        elif word == "Dir":
            rule.direction = "Inbound" if value == "In" else "Outbound"
        elif word == "Protocol":
            rule.protocol = _PROTOCOLS.get(value, value)
        elif word in ("LPort", "LPort2_10"):
            rule.local_port = [*(p for p in rule.local_port if p != "Any"), value]
        elif word == "RA4":
            rule.remote_address = [*(a for a in rule.remote_address if a != "Any"), value]
        elif word == "Profile":
            profiles.append(value)
        elif word == "App":
            rule.program = value
        elif word == "Svc":
            rule.service = value
        elif word == "EmbedCtxt":
            rule.group = value
    rule.profile = ", ".join(profiles) or "Any"
    return rule


def admits(net: WindowsNetwork, registry: Registry, category: str, port: int) -> bool:
    """Tell whether a TCP connection from a neighbour gets in on a network of a category."""
    profile = active_profile(net, registry, profile_of(category))
    if not profile.enabled:
        return True
    if not profile.heeds_rules:
        return False
    rules = policy_rules(registry) + (net.rules if profile.merges_local_rules else [])
    fitting = [rule for rule in rules if _fits(rule, profile.name, port)]
    return bool(fitting) and all(rule.action == "Allow" for rule in fitting)


def _fits(rule: FirewallRule, profile: str, port: int) -> bool:
    profiles = [word.strip() for word in rule.profile.split(",")]
    return (
        rule.enabled
        and rule.direction == "Inbound"
        and rule.service == "Any"
        and rule.program in ("Any", "System")
        and rule.protocol.upper() in ("ANY", "TCP", "6")
        and ("Any" in profiles or profile in profiles)
        and any(_holds(text, port) for text in rule.local_port)
    )


def _holds(text: str, port: int) -> bool:
    if text == "Any":
        return True
    first, _, last = text.partition("-")
    return first.isdigit() and int(first) <= port <= int(last or first)
