r"""Moods of a site: how servers of real sites differ from a fresh one, by name.

A mood is state of a machine and nothing else: values in its registry, its adapters and their addresses, rules,
members and latencies. `k8swin lab up --site`, `site:` in a topology file and `k8swin lab site` set it; whoever
edits a machine by its own commands comes to the same behaviour. What a mood does follows from what Windows does;
docs/lab.md has each with its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from k8swin_lab.machines import windows_firewall, windows_policies
from k8swin_lab.machines.windows_network import Adapter, Address, Route
from k8swin_lab.machines.windows_setup import ENVIRONMENT

if TYPE_CHECKING:
    from k8swin_lab.machines.base import Machine
    from k8swin_lab.machines.windows import WindowsMachine

DOMAIN = "corp.example"
_SECOND_NETWORK = "172.30.250"


class UnknownMood(Exception):
    """There is no such mood, or it does not go with another; the text lists what there is."""


@dataclass(frozen=True, slots=True)
class Mood:
    """One way in which a site's servers differ.

    Attributes:
        text: what it is, in one line.
        set: makes a fresh or running machine so.
        excludes: moods that cannot be at the same time.
        stops: the toolkit cannot work on such a machine, says so, and the site's administrator has to act.
    """

    text: str
    set: Callable[[WindowsMachine], None]
    excludes: tuple[str, ...] = ()
    stops: bool = False


def _german(machine: WindowsMachine) -> None:
    machine.locale.install("0407", oem=850, ansi=1252)
    _rename(machine, "Büro-LAN")


def _japanese(machine: WindowsMachine) -> None:
    machine.locale.install("0411", oem=932, ansi=932)
    _rename(machine, machine.locale.words.adapter)


def _rename(machine: WindowsMachine, name: str) -> None:
    adapter = machine.net.primary()
    if not adapter.virtual:
        adapter.name = name


def _two_adapters(machine: WindowsMachine) -> None:
    net = machine.net
    name = f"{net.primary().name} 2"
    if net.adapter(name=name) is not None:
        return
    index = net.next_index()
    mac = net.new_mac()
    # The first in HNS' own order, which is not that of the interface's metric.
    net.adapters.insert(
        0, Adapter(index, name, "Microsoft Hyper-V Network Adapter #2", mac, metric=5)
    )
    host = machine.address.rpartition(".")[2]
    net.addresses.append(Address(index, f"{_SECOND_NETWORK}.{host}", 24))
    net.routes.append(Route("0.0.0.0/0", f"{_SECOND_NETWORK}.254", index, 512))


def _nssm_paused(machine: WindowsMachine) -> None:
    machine.net.early_ends = 1


def _hns_busy(machine: WindowsMachine) -> None:
    machine.net.rebinding_seconds = 4.0


def _dhcp_return(machine: WindowsMachine) -> None:
    machine.net.returns_as_dhcp = 1


def _domain(machine: WindowsMachine) -> None:
    machine.domain = DOMAIN
    machine.net.primary().category = "DomainAuthenticated"
    machine.net.primary().profile = DOMAIN


def _firewall_policy(machine: WindowsMachine) -> None:
    _domain(machine)
    path = rf"{windows_firewall.POLICY}\PublicProfile"
    machine.registry.set(path, "EnableFirewall", 1)
    machine.registry.set(path, "AllowLocalPolicyMerge", 0)
    # What such domains bring: WinRM for the domain's own networks.
    machine.registry.set(
        rf"{windows_firewall.POLICY}\FirewallRules",
        "{B2F5B5B5-0F3F-4C1C-8A83-6D1C1A1E5985}",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort=5985|LPort=5986|Name=WinRM|",
    )


def _scripts_off(machine: WindowsMachine) -> None:
    _domain(machine)
    machine.registry.set(windows_policies.POWERSHELL, "EnableScripts", 0)


def _constrained(machine: WindowsMachine) -> None:
    _domain(machine)
    machine.registry.set(ENVIRONMENT, windows_policies.LOCKDOWN, "4")


def _ntlm_refused(machine: WindowsMachine) -> None:
    _domain(machine)
    machine.registry.set(windows_policies.MSV1_0, "RestrictReceivingNTLMTraffic", 2)


def _filtered_token(machine: WindowsMachine) -> None:
    machine.registry.set(windows_policies.SYSTEM_POLICIES, "FilterAdministratorToken", 1)
    machine.registry.set(windows_policies.SYSTEM_POLICIES, "LocalAccountTokenFilterPolicy", 0)


def _dns_certificate(machine: WindowsMachine) -> None:
    machine.listener_names = [f"{machine.name}.{DOMAIN}", machine.name]


def _no_revocation_list(machine: WindowsMachine) -> None:
    machine.revocation_reached = False


def _late_logon(machine: WindowsMachine) -> None:
    machine.logon_delay = 3.0


def _late_pending(machine: WindowsMachine) -> None:
    machine.features.finishing_seconds = 3.0


def _winrm_quotas(machine: WindowsMachine) -> None:
    machine.winrm.shells_per_user = 5
    machine.winrm.operations_per_shell = 150


def _winrm_busy(machine: WindowsMachine) -> None:
    machine.winrm.busy_every = 5
    machine.winrm.late_send_every = 7


def _scanner(machine: WindowsMachine) -> None:
    machine.files.scan_seconds = 0.4


def _clock_steps(machine: WindowsMachine) -> None:
    machine.steps_after_boot = [(0.0, 0.004), (2.0, -97.0)]
    machine.clock_steps = [(0.0, 0.004)]


MOODS = {
    "german": Mood("Windows in German: groups, programs' words, code page 850, an adapter with an umlaut",
                   _german, ("japanese",)),
    "japanese": Mood("Windows in Japanese: the adapter's name, programs' words, code page 932",
                     _japanese, ("german",)),
    "two-adapters": Mood("a second adapter that is up, of another network, and first in HNS' order", _two_adapters),
    "nssm-paused": Mood("the first start of flanneld ends at once, and nssm pauses its service", _nssm_paused),
    "hns-busy": Mood("HNS refuses every question while the adapter is handed over", _hns_busy),
    "dhcp-return": Mood("the static address comes back from the hand-over as one of DHCP", _dhcp_return),
    "domain": Mood("a member of a domain, with its network category", _domain),
    "firewall-policy": Mood("a domain's policy: rules of the machine do not count on Public networks",
                            _firewall_policy, stops=True),
    "scripts-off": Mood("a domain's policy: no script files", _scripts_off, stops=True),
    "constrained-language": Mood("a domain's policy: PowerShell in ConstrainedLanguage", _constrained, stops=True),
    "ntlm-refused": Mood("a domain's policy: nobody logs in with NTLM", _ntlm_refused, stops=True),
    "filtered-token": Mood("local administrators have no rights over the network", _filtered_token, stops=True),
    "dns-certificate": Mood("the listener's certificate has DNS names and no address", _dns_certificate, stops=True),
    "no-revocation-list": Mood("the mirror's private authority is trusted and names no reachable revocation list",
                               _no_revocation_list, stops=True),
    "late-logon": Mood("after a boot logins are refused (401) until the domain is reached", _late_logon),
    "late-pending": Mood("the flag of a pending reboot clears some seconds after the boot", _late_pending),
    "winrm-quotas": Mood("few shells a user, few operations a shell", _winrm_quotas),
    "winrm-busy": Mood("WinRM answers some Sends with 170 (busy), and some too late", _winrm_busy),
    "scanner": Mood("a scanner holds each new file open for a moment", _scanner),
    "clock-steps": Mood("the time service steps the clock after a boot", _clock_steps),
}  # fmt: skip
"""By name. `stops`: what the toolkit has to name instead of working."""


def named(text: str | Iterable[str]) -> tuple[str, ...]:
    """Return moods' names from `a,b` or a list, without repetition.

    Raises:
        UnknownMood: a name is not known, or two exclude each other.
    """
    words = text.split(",") if isinstance(text, str) else [str(word) for word in text]
    names = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    for name in names:
        if name not in MOODS:
            raise UnknownMood(f"unknown mood `{name}` of a site; known are {', '.join(MOODS)}")
        other = next((n for n in MOODS[name].excludes if n in names), "")
        if other:
            raise UnknownMood(f"a site is not `{name}` and `{other}` at once")
    return names


def switch(machine: Machine, names: Iterable[str]) -> None:
    """Bring a machine into moods. They stay until the lab ends, or somebody changes the state back.

    Raises:
        UnknownMood: a name is not known, or the machine is not one of Windows.
    """
    wanted = named(names)
    if machine.os != "windows":
        raise UnknownMood(f"moods are of Windows machines, {machine.name} is none")
    windows = cast("WindowsMachine", machine)
    for name in wanted:
        MOODS[name].set(windows)
    windows.moods = tuple(dict.fromkeys([*windows.moods, *wanted]))
    machine.changed()


def listed() -> str:
    """Return all moods, one a line."""
    return "\n".join(f"{name:<22}{mood.text}" for name, mood in MOODS.items())
