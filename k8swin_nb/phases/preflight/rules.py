"""What preflight judges with the plan, with the controller's clock and between hosts.

Each function takes facts and returns `PreflightCheck`s; none asks a host. Only a WinRM listener's certificate is
looked at from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from k8swin_nb.errors import TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.phases.preflight.checks import HostFacts, PreflightCheck, Route
from k8swin_nb.phases.preflight.identity import owners
from k8swin_nb.phases.proxies import Exceptions, advice, uncovered
from k8swin_nb.plan import RESERVED, WINDOWS_DUMMY, NetworkPlan
from k8swin_nb.reading import address as read_address
from k8swin_nb.reading import network as read_network
from k8swin_nb.reading import shown, whole
from k8swin_nb.transports.winrm_route import winrm_days_left
from k8swin_nb.versions import (
    CONTAINERD_2_ADVISED,
    CONTAINERD_2_REQUIRED,
    OLDER_KUBELETS,
    gate,
    minor,
)
from k8swin_nb.workflow.phase_run import PhaseRun

SKEW_WARN, SKEW_FAIL = 2.0, 30.0
"""Seconds between two clocks; certificates and tokens are judged by time."""

CERTIFICATE_DAYS = 14
OWN_INTERFACES = re.compile(
    r"(cni0|flannel\.|kube-|nodelocaldns|veth|cali|tunl0|vEthernet \(.*_ep\))"
)
"""Interfaces of the pod network itself."""


def judge(run: PhaseRun, host: Host, facts: HostFacts) -> list[PreflightCheck]:
    """Judge one host's facts."""
    found = routes(run.plan, host, facts)
    found += proxies(run, host, facts)
    found += versions(run, host, facts)
    found += identity(run, host, facts)
    found.append(clock(host, facts))
    # A pinned certificate is taken whatever its dates are.
    if host.os == "windows" and host.winrm_scheme == "https" and not host.winrm_fingerprint:
        found.append(certificate(host))
    return found


def routes(plan: NetworkPlan, host: Host, facts: HostFacts) -> list[PreflightCheck]:
    """Hold the routes and networks of a host against the plan: one finding for each collision."""
    ident = "L16" if host.os == "linux" else "W18"
    planned = {"pod_subnet": plan.pod_subnet, "service_subnet": plan.service_subnet}
    found = []
    for route in _foreign(plan, facts):
        for name, network in planned.items():
            if network.overlaps(route.network):
                # A site's summary route, such as 10.0.0.0/8 to its router, says that these addresses may be
                # in use somewhere; the more specific routes of the pods win over it on the nodes.
                summary = route.via and route.network.prefixlen < network.prefixlen
                node = name == "pod_subnet" and _of_a_node(plan, route, facts)
                found.append(
                    PreflightCheck(
                        ident,
                        "routes",
                        host.name,
                        "warn" if summary or node else "fail",
                        False,
                        f"{_what(route, host, facts)} {route.network} overlaps `{name}` {network}",
                        "no network inside the pods' and services' networks",
                        _node_fix(route) if node else _route_fix(name, network, route, host),
                    )
                )
        scripted = plan.profile == "classic" and host.os == "windows"
        if scripted and "External" not in route.interface and route.network.overlaps(WINDOWS_DUMMY):
            found.append(
                PreflightCheck(
                    ident,
                    "placeholder",
                    host.name,
                    "fail",
                    False,
                    f"{_what(route, host, facts)} {route.network} overlaps {WINDOWS_DUMMY}",
                    f"{WINDOWS_DUMMY} free for Microsoft's SDN scripts",
                    f"give up {route.network} on {host.name}, or use profile current",
                )
            )
    if facts.unread:
        found.append(
            PreflightCheck(
                ident,
                "routes-read",
                host.name,
                "warn",
                False,
                f"{len(facts.unread)} that cannot be read, first `{shown(facts.unread[0])}`",
                "IPv4 networks with their interface",
                f"look at the routes of {host.name}: nobody compared these with the plan",
            )
        )
    if found:
        return found
    text = f"routes: {len(facts.routes)}, none in the way"
    wanted = f"nothing inside {plan.pod_subnet} or {plan.service_subnet}"
    return [
        PreflightCheck(
            ident, "routes", host.name, "fail", True, text, wanted, "choose other subnets"
        )
    ]


def _of_a_node(plan: NetworkPlan, route: Route, facts: HostFacts) -> bool:
    """Whether a node that the description does not name has the pods behind a route.

    On a host whose own pods run the pod network itself leads to those of each other node, also of one that was taken out of
    the description and not out of the cluster. What an earlier cluster left is another finding: `other-links`.
    """
    if not route.via or not _is_part(plan.pod_subnet, route):
        return False
    neighbour = read_address(route.via)
    if neighbour is None or neighbour not in plan.host_subnet:
        return False
    return any(
        _is_part(plan.pod_subnet, own)
        and (own.interface == "cni0" or plan.hns_network in own.interface)
        for own in facts.routes
    )


def _is_part(pods: IPv4Network, route: Route) -> bool:
    """Whether a route leads to a node's part of the pods' network."""
    return route.network.prefixlen == 24 and route.network.subnet_of(pods)


def _node_fix(route: Route) -> str:
    return (
        f"a node at {route.via} has these pods and is none of `hosts`: name it there, or take it out of the cluster, by "
        f"90_teardown with `ip` {route.via} and a description that names it, or by kubectl delete node where it is gone"
    )


def _route_fix(name: str, planned: IPv4Network, route: Route, host: Host) -> str:
    """Return what to do about a collision: a node's part of the pods' network is what an earlier flannel leaves."""
    otherwise = f"choose another `{name}`, or give up that network on {host.name}"
    if name != "pod_subnet" or not _is_part(planned, route) or not route.via:
        return otherwise
    command = f"ip route delete {route.network} via {route.via}"
    if host.os == "windows":
        command = f"Remove-NetRoute -DestinationPrefix {route.network} -NextHop {route.via}"
    return f"if an earlier flannel left it, type {command}; else {otherwise}"


def _foreign(plan: NetworkPlan, facts: HostFacts) -> Iterable[Route]:
    """Yield the routes that are neither the system's nor the pod network's own."""
    nodes = {str(address) for _, address, _ in plan.nodes}
    seen = set()
    for route in facts.routes:
        if any(route.network.subnet_of(reserved) for reserved, _ in RESERVED):
            continue
        own = route.network.subnet_of(plan.pod_subnet) and (
            route.via in nodes or plan.hns_network in route.interface
        )
        if own or OWN_INTERFACES.match(route.interface) or route.network.prefixlen == 0:
            continue
        if route.network not in seen:
            seen.add(route.network)
            yield route
    for text in facts.get("hns_nat").split():
        nat = read_network(text)
        if nat is not None and nat not in seen:
            yield Route(nat, "nat")


def _what(route: Route, host: Host, facts: HostFacts) -> str:
    if route.interface == "docker0":
        return "docker0's network"
    if route.interface in ("nat", "vEthernet (nat)"):
        return "the HNS nat network"
    if IPv4Address(host.address) in route.network and not route.via:
        return "the host's own network"
    through = f" via {route.via}" if route.via else ""
    return f"the route{through} on {route.interface}"


def proxies(run: PhaseRun, host: Host, facts: HostFacts) -> list[PreflightCheck]:
    """Judge every place where a proxy is set: the cluster's own traffic must not go there."""
    ident = "L28" if host.os == "linux" else "W24"
    wanted = advice(run.plan)
    found = []
    for place, proxy, exceptions in _proxies(facts):
        missing = uncovered(run.plan, exceptions)
        # The API server behind a proxy is no API server: kubeadm and the kubelet would not reach it.
        api = Exceptions.of(exceptions).spare_address(
            IPv4Address(run.master.address), run.description.api_port
        )
        blocked = not api and place in ("session", "kubelet", "machine", "process")
        found.append(
            PreflightCheck(
                ident,
                f"proxy-{place}",
                host.name,
                "fail" if blocked else "warn",
                not missing,
                f"{proxy}, NO_PROXY lacks {', '.join(missing)}" if missing else proxy,
                "NO_PROXY covers the pods', services' and nodes' networks, .svc and .cluster.local",
                f"add to NO_PROXY ({place}): {wanted}",
            )
        )
    if not found:
        fix = f"set NO_PROXY={wanted} with it"
        found.append(PreflightCheck(ident, "proxy", host.name, "warn", True, "none", "none", fix))
    return found


def _proxies(facts: HostFacts) -> Iterable[tuple[str, str, str]]:
    """Yield (place, proxy, exceptions) of either operating system's spelling."""
    for place in ("session", "environment", "containerd", "docker", "kubelet"):
        if proxy := facts.get(f"proxy_{place}"):
            yield place, proxy, facts.get(f"no_proxy_{place}")
    for place in ("machine", "process"):
        proxy = facts.get(f"https_proxy_{place}") or facts.get(f"http_proxy_{place}")
        if proxy and not (place == "process" and facts.get("https_proxy_machine")):
            yield place, proxy, facts.get(f"no_proxy_{place}")


def versions(run: PhaseRun, host: Host, facts: HostFacts) -> list[PreflightCheck]:
    """Judge programs that are on a host already: the container runtime and the kubelet."""
    description = run.description
    found = []
    cluster = minor(description.kubernetes_version)
    if (version := facts.get("containerd_version")) and description.profile == "current":
        major, wanted = _major(version), _major(description.containerd_version)
        severity = "fail"
        holds = major >= wanted
        text = f"{wanted}.x or newer"
        if holds and major < 2 and cluster >= CONTAINERD_2_ADVISED:
            holds, text = False, "2.x: the kubelet drops older ones from 1.38 on"
            severity = "fail" if cluster >= CONTAINERD_2_REQUIRED else "warn"
        fix = "remove it, so that the step container-runtime installs the wanted one, or set `containerd_version`"
        found.append(
            PreflightCheck(
                "L23",
                "container-runtime",
                host.name,
                severity,
                holds,
                f"containerd {version}",
                text,
                fix,
            )
        )
    if version := facts.get("kubelet_version"):
        own = _minor(version)
        older = gate(OLDER_KUBELETS, description.kubernetes_version)
        newer, old = own > cluster, own < (cluster[0], cluster[1] - older)
        found.append(
            PreflightCheck(
                "X7",
                "version-skew",
                host.name,
                "fail" if newer else "warn",
                not (newer or old),
                f"kubelet {version}",
                f"not newer than {description.kubernetes_version}, at most {older} minors older",
                "install the planned version, or correct `kubernetes_version`",
            )
        )
    return found


def _major(version: str) -> int:
    return _minor(version + ".0")[0]


def _minor(version: str) -> tuple[int, int]:
    found = re.match(r"\D{0,40}?([0-9]{1,4})\.([0-9]{1,4})", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def identity(run: PhaseRun, host: Host, facts: HostFacts) -> list[PreflightCheck]:
    """Find a machine that answers at the address of another: by its name, and by the addresses that it has."""
    name, own = facts.get("host_name").lower(), facts.get("addresses").split()
    found = []
    for other in run.inventory.hosts:
        if other.name == host.name or "hypervisor" in other.roles:
            continue
        if name == other.name:
            text = f"the machine at {host.address} is called {other.name}"
        elif other.address in own:
            text = f"the machine at {host.address} has the address of {other.name} too"
        else:
            continue
        found.append(
            PreflightCheck(
                "X2",
                "identity",
                host.name,
                "fail",
                False,
                text,
                f"one machine for {host.name}, and another for {other.name}",
                f"correct `address` of {host.name} and {other.name} under `hosts`; if the machine was cloned, "
                "give it a name of its own",
            )
        )
    return found


def clock(host: Host, facts: HostFacts) -> PreflightCheck:
    """Judge a host's clock by ours, less what the way there takes."""
    offset, uncertainty = facts.clock
    ident = "L19" if host.os == "linux" else "W21"
    fix = "set the clock: chronyc makestep" if host.os == "linux" else "w32tm /resync"
    if abs(facts.stepped) >= SKEW_WARN:
        return PreflightCheck(
            ident,
            "clock",
            host.name,
            "fail" if abs(facts.stepped) >= SKEW_FAIL else "warn",
            False,
            f"set by {facts.stepped:+.0f} s while it was looked at, now {offset:+.1f} s from this computer",
            "a clock that goes on evenly",
            "let one time service keep it, and look again once it stands",
        )
    return _skew(ident, host.name, "clock", offset, uncertainty, "this computer", fix)


def _skew(
    ident: str, host: str, check: str, offset: float, uncertainty: float, other: str, fix: str
) -> PreflightCheck:
    certain = max(0.0, abs(offset) - uncertainty)
    return PreflightCheck(
        ident,
        check,
        host,
        "fail" if certain >= SKEW_FAIL else "warn",
        certain < SKEW_WARN,
        f"{offset:+.1f} s from {other}, give or take {uncertainty:.1f} s",
        f"less than {SKEW_WARN:.0f} s",
        fix,
    )


def certificate(host: Host) -> PreflightCheck:
    """Judge how long the certificate of the WinRM listener still holds."""
    try:
        days = winrm_days_left(host)
        found, holds = f"{days} days left", days >= CERTIFICATE_DAYS
    except (OSError, ValueError, TransportError) as error:
        found, holds = f"could not be read: {error}", False
    fix = "renew the certificate of the WinRM listener, or the access ends with it"
    return PreflightCheck(
        "W27",
        "winrm-certificate",
        host.name,
        "warn",
        holds,
        found,
        f"{CERTIFICATE_DAYS} days or more",
        fix,
    )


def compare(run: PhaseRun, hosts: Mapping[str, HostFacts]) -> list[PreflightCheck]:
    """Hold hosts against each other: names, identities, segments, MTU and clocks."""
    found = duplicates(run, hosts) + segments(run, hosts) + authorities(run, hosts)
    mtus = {name: facts.get("mtu") for name, facts in hosts.items() if facts.get("mtu")}
    if len(mtus) > 1:
        fix = "set the same MTU on all nodes' interfaces, or large packets between them are lost"
        found.append(_alike("L37", "mtu", "warn", mtus, "the same on all nodes", fix))
    names = sorted(name for name, facts in hosts.items() if facts.clock[1] != float("inf"))
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            first, second = hosts[one].clock, hosts[other].clock
            if second == first == (0.0, 0.0):
                continue
            offset, uncertainty = second[0] - first[0], second[1] + first[1]
            fix = f"let {one} and {other} keep the same time"
            found.append(_skew("X3", other, "clock-skew", offset, uncertainty, one, fix))
    return found


def duplicates(run: PhaseRun, hosts: Mapping[str, HostFacts]) -> list[PreflightCheck]:
    """Find what must differ from host to host and does not: machines that were cloned."""
    planned = {host.name for host in run.inventory.hosts}
    rules = (
        ("X2", "host_name", "host-name", "fail", "give each host its own name"),
        ("L11", "mac", "mac", "fail", "give the cloned machine's adapter a MAC address of its own"),
        ("L11", "product_uuid", "product-uuid", "fail", "make the clone anew, with a UUID of its own"),
        ("L12", "machine_id", "machine-id", "warn", "empty /etc/machine-id and run systemd-machine-id-setup; sysprep on Windows"),
    )  # fmt: skip
    found = []
    for ident, fact, check, severity, fix in rules:
        values = owners((name, facts.get(fact)) for name, facts in hosts.items())
        told = [name for name in hosts if any(name in names for names in values.values())]
        if len(told) < 2:
            continue
        same = [(value, names) for value, names in values.items() if len(names) > 1]
        if fact == "host_name" and all(v not in planned for v, _ in same):
            severity, fix = "step", "the step host-name gives each its planned name"
        text = "; ".join(f"{' and '.join(names)} both have {v}" for v, names in same)
        host = ", ".join(told)
        found.append(
            PreflightCheck(
                ident,
                check,
                host,
                severity,
                not same,
                text or "all differ",
                "one of its own on each host",
                fix,
            )
        )
    return found


def authorities(run: PhaseRun, hosts: Mapping[str, HostFacts]) -> list[PreflightCheck]:
    """Find workers that hold another certificate authority than the control plane has, or is going to make."""
    master = run.master.name
    ours = hosts[master].get("authority") if master in hosts else ""
    workers = {
        n: f.get("authority") for n, f in hosts.items() if n != master and f.get("authority")
    }
    if not ours or not workers:
        return []
    foreign = [name for name, authority in workers.items() if authority != ours]
    return [
        PreflightCheck(
            "X5",
            "authority",
            ", ".join(workers),
            "fail",
            not foreign,
            f"another cluster's on {', '.join(foreign)}" if foreign else f"that of {master}",
            f"no certificate authority but that of {master}",
            "look whether somebody needs it; then on Linux mv /etc/kubernetes/pki /root/, on Windows "
            "Move-Item C:\\etc\\kubernetes\\pki C:\\, or 90_teardown where it was joined from here",
        )
    ]


def segments(run: PhaseRun, hosts: Mapping[str, HostFacts]) -> list[PreflightCheck]:
    """Find nodes that are not on one layer-2 segment, which host-gw needs."""
    networks, far = {}, []
    for host in run.inventory.hosts:
        facts = hosts.get(host.name)
        if facts is None:
            continue
        prefix = whole(facts.get("prefix"))
        if prefix is not None and 0 <= prefix <= 32:
            networks[host.name] = str(IPv4Interface(f"{host.address}/{prefix}").network)
        if " via " in f" {facts.get('route_to_master')} ":
            far.append(host.name)
    severity = "fail" if run.plan.topology == "host-gw" else "info"
    fix = "set `topology: vxlan`, or l3 where the site's router takes the routes"
    found = []
    if len(networks) > 1:
        found.append(_alike("X1", "segment", severity, networks, "one layer-2 segment", fix))
    if hosts:
        text = (
            f"a router is between the master and {', '.join(far)}" if far else "no router between"
        )
        found.append(
            PreflightCheck(
                "X9",
                "neighbours",
                ", ".join(hosts),
                severity,
                not far,
                text,
                "all nodes are neighbours",
                fix,
            )
        )
    return found


def _alike(
    ident: str, check: str, severity: str, values: Mapping[str, str], wanted: str, fix: str
) -> PreflightCheck:
    same = len(set(values.values())) == 1
    text = next(iter(values.values())) if same else ", ".join(f"{n} {v}" for n, v in values.items())
    return PreflightCheck(ident, check, ", ".join(values), severity, same, text, wanted, fix)
