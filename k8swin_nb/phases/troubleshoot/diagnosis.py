"""From evidence to findings: figures become sentences, and sentences and logs are looked up in the table.

Each rule compares what hosts showed with the plan or with each other, and says what is wrong in one
sentence that an entry of the table matches. A rule that lacks its evidence says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from k8swin_nb import symptoms
from k8swin_nb.phases.preflight.identity import owners
from k8swin_nb.phases.proxies import uncovered
from k8swin_nb.phases.troubleshoot.evidence import Evidence, cni_files, end_of_validity
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.reading import Unreadable, json_document, whole
from k8swin_nb.reading import address as read_address
from k8swin_nb.versions import minor

_VERSION = r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}"

EXPIRES_SOON = 30
"""Days before its end at which a certificate or a token is a finding."""

SKEW = 2.0
"""Seconds that clocks may differ."""

LOW_DISK = {"linux": 5, "windows": 20}
"""GiB that have to be free."""

OVER_WHEN_READY = frozenset(
    {
        "cni-not-initialized",
        "container-runtime-too-old",
        "first-pod-object-exists",
        "flanneld-needs-kube-proxy",
        "hns-network-not-created",
        "join-half-done",
        "node-deleted",
        "join-token-or-time",
        "kubelet-crash-loop",
    }
)
"""Entries that a log tells of while a node comes about; on a node that is Ready that is history."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of the table that applies to a host, with what shows it."""

    entry: symptoms.Entry
    host: str
    evidence: str


Said = Iterator[tuple[str, str]]
"""Host and sentence."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a rule may look at."""

    plan: NetworkPlan
    profile: str
    all: Sequence[Evidence]
    now: datetime

    @property
    def reached(self) -> list[Evidence]:
        """The hosts that answered."""
        return [evidence for evidence in self.all if not evidence.unreachable]

    @property
    def windows(self) -> list[Evidence]:
        """The Windows hosts that answered."""
        return [evidence for evidence in self.reached if evidence.host.os == "windows"]

    @property
    def master(self) -> Evidence | None:
        """What the control plane's host showed; None when it did not answer."""
        for evidence in self.reached:
            if "control-plane" in evidence.host.roles and "nodes" in evidence.sections:
                return evidence
        return None

    def nodes(self) -> list[dict[str, str]]:
        """The cluster's nodes, as far as they are known: none where the API server did not tell them."""
        keys = ("name", "os", "address", "pods", "kubelet", "ready", "flannel", "message")
        if self.master is None or self.master.unread("nodes"):
            return []
        return [dict(zip(keys, row, strict=True)) for row in self.master.rows("nodes", len(keys))]

    @property
    def nodes_known(self) -> bool:
        """Whether the API server told its nodes. A cluster has one at least, its control plane's."""
        return self.master is not None and self.master.known("nodes") and bool(self.nodes())


def unreachable(case: Case) -> Said:
    """Hosts that did not answer."""
    for evidence in case.all:
        if evidence.unreachable:
            yield evidence.host.name, f"{evidence.host.name} {evidence.silence}"


def clocks(case: Case) -> Said:
    """Clocks against this computer's."""
    for evidence in case.reached:
        told = whole(evidence.fact("host", "time"))
        if told is None or not evidence.received:
            continue
        # The host told whole seconds, at some moment of the round trip, however long that took.
        ahead = told - evidence.received
        behind = evidence.asked - (told + 1)
        if ahead > SKEW:
            yield evidence.host.name, f"its clock is {ahead:.0f} s ahead"
        elif behind > SKEW:
            yield evidence.host.name, f"its clock is {behind:.0f} s behind"


def services(case: Case) -> Said:
    """Services of a joined Windows worker that are absent or stopped."""
    needed = ["kubelet", "flanneld", "kube-proxy"]
    needed.append("docker" if case.profile == "classic" else "containerd")
    for evidence in case.windows:
        if evidence.fact("host", "kubelet.conf") != "yes" and not any(
            node["name"] == evidence.host.name for node in case.nodes()
        ):
            continue
        state = {row[0]: row[1].lower() for row in evidence.rows("services", 3)}
        for name in needed:
            if state.get(name) == "absent":
                yield evidence.host.name, f"the service {name} is not there"
            elif state.get(name) not in (None, "running"):
                yield evidence.host.name, f"the service {name} is stopped"


def addresses(case: Case) -> Said:
    """The planned address on the host, and on the node."""
    for evidence in case.windows:
        held = [row[1].split("/")[0] for row in evidence.rows("addresses", 2)]
        if held and evidence.host.address not in held:
            yield evidence.host.name, f"the address {evidence.host.address} is on no interface"
        # A card without a cable has such an address too; names of cards are in the server's language.
        up = {row[0] for row in evidence.rows("links", 2) if row[1] == "Up"}
        for alias, address in evidence.rows("addresses", 2):
            if address.startswith("169.254.") and (
                alias in up or alias.startswith(("vEthernet", "Ethernet"))
            ):
                yield evidence.host.name, f"address {address} is on {alias}"
    planned = {str(name): str(address) for name, address, _ in case.plan.nodes}
    for node in case.nodes():
        name, address = node["name"], node["address"]
        known = read_address(address)
        if name not in planned or known is None:
            continue
        if known in case.plan.pod_subnet:
            yield (
                name,
                f"node {name} has InternalIP {address}, an address of the pod network {case.plan.pod_subnet}",
            )
        elif address != planned[name]:
            yield name, f"the node {name} has InternalIP {address}, planned {planned[name]}"
        elif node["flannel"] not in ("", planned[name]) and not case.plan.other_interfaces:
            yield (
                name,
                f"flannel announces {case.plan.backend} at {node['flannel']} for {name}, wanted {planned[name]}",
            )


def profiles(case: Case) -> Said:
    """A Public network that no WinRM rule of ours covers."""
    for evidence in case.windows:
        covered = any(
            row[1].lower() == "true" and row[2].lower() == "any"
            for row in evidence.rows("firewall", 3)
        )
        for alias, category in evidence.rows("profiles", 2):
            if category == "Public" and not covered:
                yield evidence.host.name, f"the network profile of {alias} is Public"


def cni(case: Case) -> Said:
    """CNI files: byte-order marks, JSON, order, and what they say of the cluster's networks."""
    live = _live_networks(case)
    for evidence in case.reached:
        files = cni_files(evidence)
        own = [file for file in files if "flannel" in file.name or file.name == "cni.conf"]
        if own:
            for file in files[: files.index(own[0])]:
                if file.name.endswith((".conf", ".conflist", ".json")):
                    yield evidence.host.name, f"the CNI file {file.name} stands before flannel's"
        for file in own:
            if file.has_mark:
                yield evidence.host.name, f"the CNI file {file.name} begins with a byte-order mark"
            document = file.document()
            if document is None:
                yield evidence.host.name, f"the CNI file {file.name} is not JSON"
            elif evidence.host.os == "windows":
                for sentence in _cni_against(document, live):
                    yield evidence.host.name, sentence


def _live_networks(case: Case) -> dict[str, str]:
    """Return the cluster's own `dns`, `services` and `pods`, as far as it tells them."""
    live = {}
    if case.master is not None:
        for line in case.master.lines("dns-address"):
            live["dns"] = line.strip()
        for line in case.master.lines("cluster-networks"):
            name, _, value = line.partition(":")
            live[{"serviceSubnet": "services", "podSubnet": "pods"}.get(name.strip(), "")] = (
                value.strip().strip("\"'")
            )
    live.pop("", None)
    return live


def _cni_against(document: dict[str, Any], live: dict[str, str]) -> Iterator[str]:
    delegate = document.get("delegate")
    if not isinstance(delegate, dict):
        return
    dns = delegate.get("dns")
    listed = dns.get("Nameservers") if isinstance(dns, dict) else None
    servers = [str(server) for server in listed] if isinstance(listed, list) else []
    if servers and live.get("dns") and servers != [live["dns"]]:
        yield (
            f"the CNI configuration names DNS server {' '.join(servers)}, the cluster has {live['dns']}"
        )
    text = json.dumps(delegate.get("policies", []))
    routes = re.findall(r'"DestinationPrefix": "([\d./]+)"', text)
    networks = [route for route in routes if not route.endswith("/32")]
    if networks and live.get("services") and live["services"] not in networks:
        yield (
            f"the CNI configuration names service network {' '.join(networks)}, "
            f"the cluster has {live['services']}"
        )
    exceptions = re.findall(r'"(?:Exceptions|ExceptionList)": \[([^\]]*)\]', text)
    for name in ("pods", "services"):
        if exceptions and live.get(name) and not any(live[name] in e for e in exceptions):
            yield f"the CNI configuration does not except {live[name]} from translation"


def hns(case: Case) -> Said:
    """The HNS network of a joined worker, and the load balancers of kube-proxy."""
    if case.plan.by_others:
        return
    planned = "Overlay" if case.plan.backend == "vxlan" else "L2Bridge"
    wanted = "flannel.4096" if case.plan.backend == "vxlan" else "cbr0"
    joined = {node["name"] for node in case.nodes() if node["os"] == "windows"}
    for evidence in case.windows:
        networks = [row for row in evidence.rows("hns", 5) if row[0] == "network"]
        ours = [row for row in networks if row[1] == wanted]
        if "hns" in evidence.sections and evidence.host.name in joined and not ours:
            yield evidence.host.name, f"there are 0 HNS networks named {wanted}"
        for row in ours:
            if row[2].lower() != planned.lower():
                yield evidence.host.name, f"the HNS network {wanted} is {row[2]}, planned {planned}"
            elif row[4] not in ("", evidence.host.address):
                yield (
                    evidence.host.name,
                    f"the HNS network {wanted} holds the adapter with the address [{row[4]}], "
                    f"wanted that of {evidence.host.address}",
                )


def routes(case: Case) -> Said:
    """Routes to the pods of every other node, which host-gw needs."""
    if case.plan.backend != "host-gw":
        return
    for evidence in case.reached:
        if "hypervisor" in evidence.host.roles or "routes" not in evidence.sections:
            continue
        known = {re.split(r"[\t ]", line)[0] for line in evidence.lines("routes")}
        if not known or not any(node["name"] == evidence.host.name for node in case.nodes()):
            continue
        for node in case.nodes():
            if node["name"] != evidence.host.name and node["pods"] and node["pods"] not in known:
                yield (
                    evidence.host.name,
                    f"{evidence.host.name} has no route to {node['pods']}, the pods of {node['name']}",
                )


def forward(case: Case) -> Said:
    """A FORWARD policy that drops; flannel's own rules let pods through when they are there."""
    for evidence in case.reached:
        for line in evidence.lines("forward"):
            if line.strip() == "-P FORWARD DROP" and case.profile == "classic":
                yield evidence.host.name, "the policy of the chain FORWARD is DROP"


def ports(case: Case) -> Said:
    """Port 10250 of every node, seen from the control plane."""
    if case.master is None:
        return
    for name, address, code in case.master.rows("kubelet-ports", 3):
        if code in ("7", "28"):
            yield name, f"port 10250 of {address} does not answer"


def node_ports(case: Case) -> Said:
    """Services whose nodePort equals their port, where there are Windows nodes."""
    if case.master is None or not any(node["os"] == "windows" for node in case.nodes()):
        return
    for name, _, _, listed in case.master.rows("cluster-services", 4):
        for pair in listed.split():
            port, _, node_port = pair.partition(":")
            if node_port and port == node_port:
                yield (
                    case.master.host.name,
                    f"the Service {name} has nodePort {port} equal to its port",
                )


def linux_pods(case: Case) -> Said:
    """Pods of the cluster's own namespaces on Windows nodes that select no operating system."""
    if case.master is None:
        return
    for name, node, selector, affinity in case.master.rows("windows-pods", 4):
        if name.startswith(("kube-system/", "kube-flannel/")) and "/os" not in selector + affinity:
            yield node, f"{name} runs on the Windows node {node} and selects no operating system"


def vxlan(case: Case) -> Said:
    """The numbers of flannel's vxlan, which Windows is particular about."""
    if case.master is None or not any(node["os"] == "windows" for node in case.nodes()):
        return
    try:
        net_conf = json_document("\n".join(case.master.lines("net-conf")))
    except Unreadable:
        return
    backend = net_conf.get("Backend") if isinstance(net_conf, dict) else None
    if isinstance(backend, dict) and backend.get("Type") == "vxlan":
        number, port = backend.get("VNI", 1), backend.get("Port", 8472)
        if not isinstance(number, int) or not isinstance(port, int):
            return
        if number < 4096 or port != 4789:
            yield (
                case.master.host.name,
                f"flannel uses vxlan with VNI {number} and port {port}, "
                "Windows takes VNI 4096 or more and port 4789",
            )


def half_joined(case: Case) -> Said:
    """Hosts that think they have joined, and whose node is not there. A list that could not be read shows nothing."""
    if not case.nodes_known:
        return
    names = {node["name"] for node in case.nodes()}
    for evidence in case.reached:
        if evidence.fact("host", "kubelet.conf") == "yes" and evidence.host.name not in names:
            yield (
                evidence.host.name,
                f"{evidence.host.name} has kubelet.conf, and the cluster has no node of this name",
            )


def twins(case: Case) -> Said:
    """Machines that were cloned."""
    for section, fact, word in (
        ("host", "machine-id", "machine-id"),
        ("host", "product-uuid", "product UUID"),
        ("identity", "product-uuid", "product UUID"),
    ):
        yield from _same([(e.host.name, e.fact(section, fact)) for e in case.reached], word)
    hardware = []
    for evidence in case.reached:
        for line in evidence.lines("links"):
            found = re.search(r"(?:link/ether |\t)((?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2})", line, re.I)
            # The switch of a network shares its adapter's address; those of pods are made up.
            if found and not re.search(r"cni0|flannel|veth|docker|cbr0|vEthernet", line, re.I):
                hardware.append((evidence.host.name, found.group(1)))
    yield from _same(hardware, "MAC address")


def _same(pairs: Iterable[tuple[str, str]], word: str) -> Said:
    for first, *others in owners(pairs).values():
        for name in others:
            yield name, f"{first} and {name} have the same {word}"


def runtimes(case: Case) -> Said:
    """A containerd 1.x under a Kubernetes that asks for 2."""
    for evidence in case.reached:
        kubelet = re.search(rf"v({_VERSION})", evidence.fact("versions", "kubelet"))
        old = re.search(r"\bv?(1\.[0-9]{1,4}\.[0-9]{1,4})", evidence.fact("versions", "containerd"))
        if kubelet and old and case.profile == "current" and minor(kubelet.group(1)) >= (1, 36):
            yield (
                evidence.host.name,
                f"containerd {old.group(1)} on {evidence.host.name}, and Kubernetes {kubelet.group(1)} asks for 2",
            )


def pause(case: Case) -> Said:
    """A pause image without Windows Server 2025."""
    for evidence in case.windows:
        if evidence.fact("host", "build") != "26100":
            continue
        for line in evidence.lines("containerd-config"):
            found = re.search(
                r"['\"](\S*/pause:([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?)['\"]", line
            )
            if found and tuple(int(part or 0) for part in found.groups()[1:]) < (3, 10, 2):
                yield (
                    evidence.host.name,
                    f"the pause image {found.group(1)} has no Windows build 26100",
                )


def disks(case: Case) -> Said:
    """Free space."""
    for evidence in case.reached:
        for line in evidence.lines("disk"):
            fields = line.split()
            if evidence.host.os == "windows" and len(fields) == 2:
                free, where = whole(fields[1]), "C:"
            elif len(fields) >= 6:
                mebibytes = whole(fields[3])
                free, where = None if mebibytes is None else mebibytes // 1024, fields[5]
            else:
                continue
            if free is not None and free < LOW_DISK[evidence.host.os]:
                yield evidence.host.name, f"{free} GiB free on {where}"


def proxies(case: Case) -> Said:
    """A proxy, and a NO_PROXY that leaves something of the cluster to it."""
    for evidence in case.reached:
        pairs = [line.partition("=") for line in evidence.lines("proxies")]
        values = {name.lower(): value for name, _, value in pairs}
        proxy = values.get("https_proxy") or values.get("http_proxy") or values.get("all_proxy")
        lacking = uncovered(case.plan, values.get("no_proxy", ""))
        if proxy and lacking:
            yield evidence.host.name, f"a proxy is set and no_proxy lacks {' '.join(lacking)}"


def expiries(case: Case) -> Said:
    """Certificates and tokens that have ended or will soon."""
    for evidence in case.reached:
        for section, word in (("certificates", "certificate"), ("tokens", "token")):
            for what, value in evidence.rows(section, 2):
                end = end_of_validity(value)
                if end is None:
                    continue
                days = (end - case.now).days
                name = re.split(r"[/\\]", what)[-1] if word == "certificate" else what
                if evidence.host.os == "linux" and word == "token":
                    continue  # bootstrap tokens are meant to end within hours
                if days < 0:
                    yield evidence.host.name, f"the {word} {name} expired {-days} days ago"
                elif days < EXPIRES_SOON:
                    yield evidence.host.name, f"the {word} {name} expires in {days} days"


RULES: tuple[Callable[[Case], Said], ...] = (
    unreachable, clocks, expiries, services, addresses, profiles, cni, hns, routes, forward, ports, node_ports,
    linux_pods, vxlan, half_joined, twins, runtimes, pause, disks, proxies,
)  # fmt: skip
"""All rules, in the order of their findings."""


def diagnose(
    plan: NetworkPlan, profile: str, evidence: Sequence[Evidence], now: datetime | None = None
) -> list[Finding]:
    """Return what is wrong: sentences of the rules first, then lines of logs and events.

    An entry is listed once for each host, with the last line that shows it.
    """
    case = Case(plan, profile, evidence, now or datetime.now(UTC))
    found: dict[tuple[str, str], Finding] = {}
    for rule in RULES:
        for host, sentence in rule(case):
            for entry, line in symptoms.find(sentence):
                found.setdefault((entry.id, host), Finding(entry, host, line))
    ready = {node["name"] for node in case.nodes() if node["ready"] == "True"}
    for one in case.reached:
        for section, line in one.logs():
            for entry, said in symptoms.find(line):
                if entry.id in OVER_WHEN_READY and one.host.name in ready:
                    continue
                if entry.id == "join-half-done" and not case.nodes_known:
                    continue  # its remedy takes the host out of a cluster that was not asked
                told = re.sub(r"\s+", " ", said)
                key = (entry.id, one.host.name)
                if key not in found or found[key].evidence.startswith("in "):
                    found[key] = Finding(entry, one.host.name, f"in {section}: {told[:300]}")
    return list(found.values())
