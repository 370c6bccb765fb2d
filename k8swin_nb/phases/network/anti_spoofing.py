"""Anti-spoofing: nodes send packets with their pods' addresses, which virtual networks drop by default.

Where a Hyper-V host is among the hosts its setting is changed and read back. Everywhere else a person does it, and
says so: nobody can look into a hypervisor from inside a machine, so the statement is recorded, not checked. Without it
the run goes on with a warning, because nothing is damaged by dropped packets and 06_verify finds them.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.phases.preflight.checks import HOST_FACTS, HostFacts
from k8swin_nb.plan import UNENCAPSULATED
from k8swin_nb.reading import Unreadable, file_text, json_document
from k8swin_nb.workflow.difference import setting
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.record import operator, utc_now
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

NAMES = {
    "hyper-v": "Hyper-V",
    "vmware": "VMware vSphere",
    "kvm": "KVM (libvirt, Proxmox)",
    "openstack": "OpenStack",
    "cloud": "a public cloud",
    "physical": "a physical machine",
}


ADDRESSES_ONLY = ("kvm", "openstack", "cloud")
"""Platforms that filter by address too, so that Linux nodes, which keep their MAC address, need it as well."""


WORDS = (
    ("vmware", ("vmware",)),
    ("openstack", ("openstack",)),
    ("cloud", ("amazon", "google", "alibaba", "digitalocean", "oraclecloud")),
    ("hyper-v", ("microsoft corporation virtual", "microsoft hv", "hyper-v")),
    ("kvm", ("qemu", "kvm", "red hat", "ovirt", "proxmox", "bochs", "nutanix")),
)
"""What manufacturer and model say, first match wins."""


DETECTED = {
    "microsoft": "hyper-v",
    "vmware": "vmware",
    "kvm": "kvm",
    "qemu": "kvm",
    "amazon": "cloud",
}
"""What systemd-detect-virt says."""


@dataclass(frozen=True, slots=True)
class Need:
    """A node whose platform must be told."""

    host: str
    platform: str
    commands: str


def instructions(platform: str, vm: str, pods: str, address: str) -> str:
    """Return exactly what to type on a platform, one command a line; `<...>` is for the reader to fill in."""
    quoted, file = "'" + vm.replace("'", "''") + "'", shlex.quote(vm)
    return {
        "hyper-v": (
            "on the Hyper-V host, in PowerShell:\n"
            f"Get-VMNetworkAdapter -VMName {quoted} | Set-VMNetworkAdapter -MacAddressSpoofing On\n"
            f"Get-VMNetworkAdapter -VMName {quoted} | Select-Object VMName, MacAddressSpoofing"
        ),
        "vmware": (
            "with PowerCLI, for the port group of this machine (it is not a setting of the machine):\n"
            "Get-VirtualPortGroup -Name <port group> | Get-SecurityPolicy | Set-SecurityPolicy "
            "-AllowPromiscuous $true -ForgedTransmits $true -MacChanges $true\n"
            "on a distributed switch: Get-VDPortgroup -Name <port group> | Get-VDSecurityPolicy | "
            "Set-VDSecurityPolicy -AllowPromiscuous $true -ForgedTransmits $true -MacChanges $true"
        ),
        "kvm": (
            "libvirt: take <filterref filter='clean-traffic'/> (and no-mac-spoofing, no-ip-spoofing) out with\n"
            f"virsh edit {file}\n"
            "Proxmox: switch the MAC filter and the IP filter of the machine's firewall off:\n"
            "pvesh set /nodes/<node>/qemu/<id>/firewall/options --macfilter 0 --ipfilter 0"
        ),
        "openstack": (
            "allow the pods' addresses at the port of this machine:\n"
            f"openstack port list --fixed-ip ip-address={address}\n"
            f"openstack port set --allowed-address ip-address={pods} <port>\n"
            "Windows pods send with other MAC addresses too; where that is filtered:\n"
            "openstack port set --no-security-group --disable-port-security <port>"
        ),
        "cloud": (
            "a public cloud drops packets of addresses that it did not give out: use `topology: vxlan`.\n"
            "Where the routes are made in the cloud's own table, switch the check off, for example\n"
            "aws ec2 modify-instance-attribute --instance-id <id> --no-source-dest-check\n"
            "az network nic update --resource-group <group> --name <nic> --ip-forwarding true\n"
            "gcloud: --can-ip-forward when the machine is made"
        ),
    }[platform]


def detect(facts: HostFacts) -> str:
    """Return the platform that a machine's facts name; `physical` when none does."""
    made = facts.get("manufacturer").lower()
    for platform, words in WORDS:
        if any(word in made for word in words):
            return platform
    return DETECTED.get(facts.get("virtualisation").lower(), "physical")


def platform_of(run: PhaseRun, name: str) -> str:
    """Return what a host runs on: as described, or as found out."""
    described = next(host for host in run.description.hosts if host.name == name)
    if described.platform:
        return described.platform
    facts = run.facts.get(run.inventory.host(name), HOST_FACTS)
    return detect(facts) if facts else "physical"


def needs(run: PhaseRun) -> list[Need]:
    """Return the nodes for which a person must act at the hypervisor."""
    if run.plan.topology not in UNENCAPSULATED:
        return []
    managed = any(host.role == "hypervisor" for host in run.description.hosts)
    found = []
    for host in run.description.hosts:
        platform = platform_of(run, host.name)
        if host.role == "hypervisor" or platform == "physical":
            continue
        if host.os == "linux" and platform not in ADDRESSES_ONLY:
            continue
        if platform == "hyper-v" and managed:
            continue  # the step mac-spoofing does it and reads it back
        commands = instructions(
            platform, host.vm_name or host.name, str(run.plan.pod_subnet), host.address
        )
        found.append(Need(host.name, platform, commands))
    return found


def encapsulated(at: StepRun) -> str | None:
    """Skip what only packets with pods' addresses need."""
    topology = at.plan.topology
    if topology == "vxlan":
        return "with vxlan packets between nodes have the nodes' own addresses"
    return None if topology in UNENCAPSULATED else f"topology {topology} is not made by this tool"


def _file(run: PhaseRun) -> Path:
    return run.description.state / "clusters" / run.description.cluster_name / "attestation.json"


def _statement(run: PhaseRun) -> dict[str, object]:
    return {
        "attested": run.description.anti_spoofing_attested,
        "hosts": {need.host: need.platform for need in needs(run)},
    }


def check_attested(at: StepRun) -> Verdict:
    """Look whether somebody said that the platforms let the nodes' packets pass."""
    open_needs = needs(at.run)
    if not open_needs:
        return Verdict(State.OK, "no node's platform needs anything that is not checked")
    where = ", ".join(f"{need.host} ({NAMES[need.platform]})" for need in open_needs)
    if not at.description.anti_spoofing_attested:
        return Verdict(
            State.OK,
            f"warning: nobody attests that packets with pods' addresses pass for {where}; "
            "do what the table above says, then set `anti_spoofing_attested`",
        )
    path = _file(at.run)
    if path.exists():
        try:
            saved = json_document(file_text(path))
        except (OSError, Unreadable):
            saved = None  # somebody else wrote it, or half of it: it is recorded anew
        kept = saved if isinstance(saved, dict) else {}
        if {key: kept.get(key) for key in ("attested", "hosts")} == _statement(at.run):
            return Verdict(State.OK, f"attested by {kept['attested']} for {where}")
    new = setting(str(path), "not recorded", f"attested for {where}")
    said = f"the attestation for {where} is not recorded yet"
    return Verdict(State.NEEDED, said, differences=(new,))


def record_attestation(at: StepRun) -> None:
    """Record who attests what, who ran this, and when."""
    statement = {**_statement(at.run), "operator": operator(), "time": utc_now()}
    at.run.record.write(
        "attestation", **{k: v for k, v in statement.items() if k not in ("time", "operator")}
    )
    make_folders(_file(at.run).parent)
    write_whole(_file(at.run), json.dumps(statement, indent=2) + "\n")


def vm_names(at: StepRun) -> dict[str, str]:
    """Return the Windows workers' names on the Hyper-V host, separated by semicolons."""
    names = [
        entry.vm_name or entry.name
        for entry in at.description.hosts
        if entry.role == "worker" and entry.os == "windows" and entry.platform in (None, "hyper-v")
    ]
    hypervisors = sum(entry.role == "hypervisor" for entry in at.description.hosts)
    return {"vm_names": ";".join(names), "hypervisors": str(hypervisors)}
