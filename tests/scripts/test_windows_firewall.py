"""Judgements of a Windows server's firewall: whose rules count, on which network, and whom they admit.

A profile of a group policy may say that local rules are not merged (MS-GPFAS, AllowLocalPolicyMerge), which CIS and the STIGs
want for public networks: rules that are made here exist then, and count for nothing.
"""

import json

import pytest
from k8swin_lab.machines.windows_firewall import POLICY
from k8swin_lab.machines.windows_network import FirewallRule

from tests.scripts.test_functions import powershell
from tests.scripts.test_windows_scripts import ADDRESS

RULES = [
    {"name": "k8swin-kubelet", "title": "k8swin kubelet", "protocol": "TCP", "port": "10250"},
    {"name": "k8swin-winrm", "title": "k8swin WinRM", "protocol": "TCP", "port": "5986"},
]
HOST = {
    "FirewallRules": json.dumps(RULES),
    "NodeAddress": ADDRESS,
    "WinrmPort": "5986",
}
CHECK = {**HOST, "MasterAddress": "127.160.0.11"}


def rule(machine, name="k8swin-winrm"):
    (found,) = (r for r in machine.net.rules if r.name == name)
    return found


def policy(machine, profile: str, *rules: str) -> None:
    """Let a group policy count alone in a profile, with these rules."""
    machine.registry.set(rf"{POLICY}\{profile}Profile", "AllowLocalPolicyMerge", 0)
    for number, text in enumerate(rules):
        head = "v2.31|Action=Allow|Active=TRUE|Dir=In|"
        machine.registry.set(rf"{POLICY}\FirewallRules", f"{{rule-{number}}}", f"{head}{text}|")


def opened(machine, run, category="Private"):
    machine.net.primary().category = category
    assert run("firewall.apply", FirewallRules=HOST["FirewallRules"]).code == 0


def test_rules_are_made_once_and_count(machine, run):
    assert run("firewall.check", **CHECK).code == 10
    opened(machine, run)
    assert run("firewall.check", **CHECK).code == 0
    assert run("firewall.apply", FirewallRules=HOST["FirewallRules"]).out == ""


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("local_port", ["5985"]),
        ("protocol", "UDP"),
        ("profile", "Domain"),
        ("action", "Block"),
        ("enabled", False),
    ],
)
def test_a_rule_that_is_another_than_wanted_is_brought_back(machine, run, what, value):
    """The port of WinRM may have changed since the rule was made."""
    opened(machine, run)
    wanted = getattr(rule(machine), what)
    setattr(rule(machine), what, value)
    assert run("firewall.check", **CHECK).code == 10
    opened(machine, run)
    assert getattr(rule(machine), what) == wanted
    assert run("firewall.check", **CHECK).code == 0


def test_a_rule_that_the_site_has_narrowed_stays_so(machine, run):
    opened(machine, run)
    rule(machine).remote_address = ["10.9.0.0/16"]
    assert run("firewall.check", **CHECK).code == 0


@pytest.mark.parametrize("profile", ["Public", "Domain"])
def test_a_policy_that_lets_no_local_rule_count_stops(
    machine,
    run,
    profile,
):
    opened(machine, run, "DomainAuthenticated")
    policy(machine, profile)
    answer = run("firewall.check", **CHECK)
    assert answer.code == 20
    assert f"TCP 10250 on networks of the profile {profile}" in answer.said
    assert f"TCP 5986 on networks of the profile {profile}" in answer.said


def test_a_policy_for_networks_that_this_server_is_never_on_stops_nothing(machine, run):
    opened(machine, run, "DomainAuthenticated")
    policy(machine, "Private")
    assert run("firewall.check", **CHECK).code == 0


@pytest.mark.parametrize(
    ("kubelet", "code"),
    [
        ("Protocol=6|LPort=10250|Name=kubelet", 0),
        ("Protocol=6|LPort=10000-11000|Profile=Public|Profile=Private|Name=kubelet", 0),
        ("Protocol=6|LPort=10250|RA4=127.160.0.0/255.255.255.0|Name=kubelet", 0),
        ("Protocol=6|LPort=10250|Profile=Domain|Name=kubelet", 20),
        ("Protocol=6|LPort=10250|RA4=10.9.0.0/255.255.0.0|Name=kubelet", 20),
        ("Protocol=17|LPort=10250|Name=kubelet", 20),
    ],
)
def test_rules_that_the_policy_brings_count_for_whom_they_admit(machine, run, kubelet, code):
    opened(machine, run, "Private")
    policy(machine, "Public", kubelet, "Protocol=6|LPort=5986|Name=WinRM")
    answer = run("firewall.check", **CHECK)
    assert answer.code == code, answer
    assert "5986" not in answer.out


def test_a_firewall_that_is_off_closes_nothing(machine, run):
    opened(machine, run)
    policy(machine, "Public")
    machine.registry.set(rf"{POLICY}\PublicProfile", "EnableFirewall", 0)
    assert run("firewall.check", **CHECK).code == 0


def block(machine, *, port="10250", **settings) -> None:
    made = FirewallRule("site-1", "Hardening", action="Block", protocol="TCP", local_port=[port])
    for name, value in settings.items():
        setattr(made, name, value)
    machine.net.rules.append(made)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, 20),
        ({"port": "10000-11000", "profile": "Public"}, 20),
        ({"port": "Any", "protocol": "Any", "remote_address": ["127.160.0.0/24"]}, 20),
        ({"profile": "Domain"}, 0),
        ({"remote_address": ["10.9.0.0/16"]}, 0),
        ({"enabled": False}, 0),
        ({"direction": "Outbound"}, 0),
        ({"protocol": "UDP"}, 0),
        # Windows bars services of its own from the network by such rules.
        ({"port": "Any", "protocol": "Any", "service": "TrkWks"}, 0),
        ({"port": "Any", "protocol": "Any", "program": r"C:\tools\x.exe"}, 0),
    ],
)
def test_a_rule_that_blocks_outdoes_those_that_are_made_here(machine, run, settings, code):
    """Explicit blocks take precedence over any allow: learn.microsoft.com, "Windows Firewall rules"."""
    opened(machine, run)
    block(machine, **settings)
    answer = run("firewall.check", **CHECK)
    assert answer.code == code, answer
    if code:
        assert "TCP 10250" in answer.said and "blocked by Hardening (site-1)" in answer.said
        assert "5986" not in answer.said or settings.get("port") == "Any"
    else:
        assert machine.admits(10250) or "remote_address" in settings


def test_a_rule_of_a_policy_that_blocks_is_found_too(machine, run):
    opened(machine, run)
    text = "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=10250|Name=No kubelets|"
    machine.registry.set(rf"{POLICY}\FirewallRules", "{r}", text)
    answer = run("firewall.check", **CHECK)
    assert (answer.code, "No kubelets ({r})" in answer.said) == (20, True)


def test_where_no_rule_counts_at_all_none_is_made_in_vain(machine, run):
    """DoNotAllowExceptions of MS-GPFAS: Get-NetFirewallProfile shows it as AllowInboundRules."""
    opened(machine, run)
    machine.registry.set(rf"{POLICY}\PublicProfile", "DoNotAllowExceptions", 1)
    answer = run("firewall.check", **CHECK)
    assert (answer.code, "Public, where no rule counts at all" in answer.said) == (20, True)
    machine.net.primary().category = "Public"
    assert not machine.admits(5986)


NEIGHBOURS = "WINRM-HTTP-In-TCP-PUBLIC"
"""Windows' own rule for public networks, which admits LocalSubnet alone."""


def own_rule(machine, profile: str, remote: str) -> None:
    made = FirewallRule(
        "site-winrm", "WinRM of the site", profile=profile, protocol="TCP", local_port=["5986"]
    )
    made.remote_address = [remote]
    machine.net.rules = [
        r for r in machine.net.rules if "5986" not in r.local_port or r.name == "k8swin-winrm"
    ]
    machine.net.rules.append(made)


@pytest.mark.parametrize(
    ("profile", "remote", "stays"),
    [
        ("Any", "Any", False),
        ("Public", "Any", False),
        ("Private, Public", "Any", False),
        ("Private", "Any", True),
        ("Public", "LocalSubnet", True),  # whoever removes it may be elsewhere
        ("Public", "10.9.0.0/16", True),
    ],
)
def test_the_last_rule_that_lets_this_computer_in_stays(machine, run, profile, remote, stays):
    opened(machine, run, "Public")
    own_rule(machine, profile, remote)
    assert run("firewall_removed.apply", **HOST).code == 0
    left = [r.name for r in machine.net.rules if r.name.startswith("k8swin")]
    assert left == (["k8swin-winrm"] if stays else [])
    assert run("firewall_removed.check", **HOST).code == 0


def test_local_rules_that_do_not_count_let_nobody_in(machine, run):
    opened(machine, run, "Public")
    own_rule(machine, "Any", "Any")
    policy(machine, "Public")
    assert run("firewall_removed.apply", **HOST).code == 0
    assert [r.name for r in machine.net.rules if r.name.startswith("k8swin")] == ["k8swin-winrm"]


def test_another_rule_does_not_let_this_computer_in_where_one_blocks(machine, run):
    opened(machine, run, "Public")
    own_rule(machine, "Any", "Any")
    block(machine, port="5986")
    assert run("firewall_removed.apply", **HOST).code == 0
    assert [r.name for r in machine.net.rules if r.name.startswith("k8swin")] == ["k8swin-winrm"]


@pytest.mark.parametrize(
    ("span", "client", "holds"),
    [
        ("Any", "?", True),
        ("LocalSubnet", "127.160.0.77", True),
        ("LocalSubnet", "10.9.1.1", False),
        ("10.9.0.0/16", "10.9.200.1", True),
        ("10.9.0.0/255.255.0.0", "10.10.0.1", False),
        ("10.9.0.0/255.255.0.0", "10.9.255.255", True),
        ("10.9.0.5-10.9.0.9", "10.9.0.9", True),
        ("10.9.0.5-10.9.0.9", "10.9.0.10", False),
        ("192.168.160.10", "192.168.160.10", True),
        ("200.1.1.1/32", "200.1.1.2", False),
        ("DNS", "10.9.0.9", False),
        ("Any", "fe80::1", True),
        ("10.9.0.0/16", "fe80::1", False),
        ("10.9.0.0/16", "?", False),
    ],
)
def test_addresses_are_held_against_what_a_rule_admits(machine, span, client, holds):
    """The forms are those that Get-NetFirewallAddressFilter shows."""
    machine.files.make_directory("C:\\t")
    assert (
        powershell(machine, f"Test-AddressIn '{span}' '{client}'", "Test-AddressIn") == f"{holds}\n"
    )


@pytest.mark.parametrize(
    ("ports", "holds"),
    [("'Any'", True), ("'5985'", True), ("@('5985', '5986')", True), ("'5900-6000'", True), ("'5986-6000'", False),
     ("'RPC'", False), ("@('80', '443')", False), ("'15985'", False)],
)  # fmt: skip
def test_ports_are_held_against_what_a_rule_names(machine, ports, holds):
    machine.files.make_directory("C:\\t")
    assert powershell(machine, f"Test-PortIn {ports} 5985", "Test-PortIn") == f"{holds}\n"
