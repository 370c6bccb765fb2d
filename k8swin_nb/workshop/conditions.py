"""What is asked of clusters again and again: a node that lives, a worker that works, a network that collides with nothing.

Each condition hears several witnesses: what the API server says of a node anybody with its administrator's login can
write there, what a machine says of itself anybody with its login.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import time
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from k8swin_nb.workshop.looked import Condition
from k8swin_nb.workshop.site import Object, Site, Unseen, age, ready, web

HEARTBEAT = 40.0
"""Seconds after which a kubelet that has not said so again counts as silent: a lease's own duration."""

VALID_DAYS = 7
"""What a kubelet's certificate shall be good for at least."""

SKEW = 120.0
"""Seconds that a machine's clock may differ: then certificates begin and end at other times than it believes."""

SERVICES = ("kubelet", "flanneld", "kube-proxy")
"""What runs on a Windows worker as services."""

Network = ipaddress.IPv4Network


def condition(text: str, look: Callable[[], tuple[bool, str]]) -> Condition:
    """Return a condition by a look at it; what cannot be looked at is not true, and why is what was found."""
    try:
        met, found = look()
    except Unseen as unseen:
        met, found = False, str(unseen)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        # What the API server or a machine says has not the form that it has everywhere.
        met, found = False, f"what was answered cannot be read: {type(error).__name__}: {error}"
    return Condition(text, met, found)


def worker(site: Site, name: str, *, answers: bool = True) -> list[Condition]:
    """Return what makes a Windows worker one.

    Args:
        site: The cluster.
        name: The worker.
        answers: Ask one of its pods, too.
    """
    found = [
        condition(f"{name} is Ready, by its own kubelet", lambda: node_lives(site, name)),
        condition(f"{name}'s kubelet has a certificate of this cluster that goes on", lambda: identity(site, name)),
        condition(f"{name}'s services run, and start with the machine", lambda: services(site, name)),
        condition(f"{name}'s pods have a network", lambda: pod_network(site, name)),
    ]  # fmt: skip
    if answers:
        found.append(condition(f"a Windows pod on {name} answers", lambda: pod_answers(site, name)))
    return found


def node_lives(site: Site, name: str) -> tuple[bool, str]:
    """Whether a node is Ready, at its planned address, with a heartbeat, and its kubelet runs on that machine."""
    host, node = site.host(name), site.node(name)
    addresses = node["status"].get("addresses") or []
    at = [one["address"] for one in addresses if one.get("type") == "InternalIP"]
    if host.address not in at:
        return (
            False,
            f"the node {name} is at {', '.join(at) or 'no address'}, the machine at {host.address}",
        )
    lease = site.named("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", name)
    silent = age(str(lease["spec"].get("renewTime", "")), site.now()) if lease else float("inf")
    facts = site.facts(name)
    if host.os == "windows":
        state = (facts.one("service", "kubelet") or ["not there"])[0]
        runs = state == "Running" and bool(facts.one("process", "kubelet"))
    else:
        state = (facts.one("service", "kubelet") or ["not there"])[0]
        runs = state == "active"
    words = [
        f"the API server says {'Ready' if ready(node) else 'not Ready'}",
        f"the last heartbeat was {max(0.0, silent):.0f} s ago"
        if silent < float("inf")
        else "there is no heartbeat",
        f"the kubelet on {host.address} is {state}{'' if runs or state not in ('Running', 'active') else ', and no such program runs'}",
    ]
    return ready(node) and silent < HEARTBEAT and runs, "; ".join(words)


def identity(site: Site, name: str) -> tuple[bool, str]:
    """Whether the certificate on a worker's disk names it, was signed by this cluster, and is valid, by everybody's clock."""
    facts = site.facts(name)
    rows = facts.all("certificate")
    if not rows or len(rows[0]) < 2:
        return False, f"there is no certificate of a kubelet on {name}"
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(rows[0][1]))
        authority = x509.load_pem_x509_certificate(site.authority())
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, binascii.Error, InvalidSignature):
        return False, f"the certificate on {name} was not signed by this cluster's authority"
    subject = certificate.subject.rfc4514_string()
    if f"CN=system:node:{name}" not in subject.split(","):
        return False, f"the certificate on {name} names {subject}"
    skew = abs((facts.time or 0) - time.time())
    if skew > SKEW:
        return False, f"the clock of {name} is {skew:.0f} s away from this computer's"
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    if left < datetime.timedelta(0):
        return False, f"it ended {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    return left > datetime.timedelta(days=VALID_DAYS), f"valid for {left.days} days more"


def services(site: Site, name: str) -> tuple[bool, str]:
    """Whether the services of a Windows worker run, and would be there after a boot."""
    facts = site.facts(name)
    wrong = []
    for service in SERVICES:
        state, start = (*facts.one("service", service), "", "")[:2]
        if state != "Running" or not facts.one("process", service):
            wrong.append(f"{service} is {state or 'not there'}")
        if state and start != "Automatic":
            wrong.append(f"{service} starts {start or 'never'}")
    return not wrong, "; ".join(wrong) or f"{', '.join(SERVICES)} run and start with the machine"


def pod_network(site: Site, name: str) -> tuple[bool, str]:
    """Whether a worker has the HNS network of its part of the pod network, on the adapter with its own address."""
    host, facts = site.host(name), site.facts(name)
    planned = str(site.node(name)["spec"].get("podCIDR", ""))
    held = [row[0] for row in facts.all("address") if row]
    if host.address not in held:
        return False, f"{host.address} is on no interface of {name}"
    networks = [row for row in facts.all("hns") if len(row) >= 4 and planned and planned in row[2]]
    if not networks:
        there = ", ".join(f"{row[0]} {row[2]}" for row in facts.all("hns") if len(row) > 2)
        return False, f"the node has {planned or 'no pod network'}; HNS networks: {there or 'none'}"
    if networks[0][3] != host.address:
        return False, f"{networks[0][0]} holds the adapter with {networks[0][3] or 'no address'}"
    return True, f"{networks[0][0]} has {planned}, and {name} its own {host.address}"


def running_on(site: Site, name: str, labels: dict[str, str] | None = None) -> list[Object]:
    """Return the pods that a worker itself runs, as the API server and its container runtime agree."""
    there = {row[2] for row in site.facts(name).all("pod") if len(row) > 2}
    return [
        pod
        for pod in site.pods()
        if pod["spec"].get("nodeName") == name
        and pod["metadata"]["uid"] in there
        and ready(pod)
        and (labels or {}).items() <= (pod["metadata"].get("labels") or {}).items()
    ]


def pod_answers(site: Site, name: str, labels: dict[str, str] | None = None) -> tuple[bool, str]:
    """Whether a pod that really runs on a worker answers under its own address with its own name."""
    pods = {
        f"{pod['status'].get('podIP', '')}:{_port(pod)}": pod["metadata"]["name"]
        for pod in running_on(site, name, labels)
        if _port(pod)
    }
    if not pods:
        return False, no_pods(site, name, "Windows pod with a web server")
    told = site.answers(list(pods)[:4])
    for target, pod in pods.items():
        if told.get(target) == pod:
            return True, f"{pod} answers at {target}"
    return False, f"nobody answers at {', '.join(pods)} when {site.master.name} asks"


def no_pods(site: Site, name: str, what: str) -> str:
    """Return why no pod that is looked for runs on a worker: there is none, or those that are there are not ready."""
    there = [
        pod["metadata"]["name"]
        for pod in site.pods()
        if pod["spec"].get("nodeName") == name and pod["metadata"]["namespace"] == "default"
    ]
    if not there:
        return f"no {what} runs on {name}; 05_test_app makes some"
    return (
        f"no {what} runs on {name}: {', '.join(there[:4])} {'is' if len(there) == 1 else 'are'} not ready, "
        "which takes a moment after a worker has come back"
    )


def _port(pod: Object) -> int:
    ports = pod["spec"]["containers"][0].get("ports") or [{}]
    return int(ports[0].get("containerPort", 0))


def node_port_answers(
    site: Site, port: int, hosts: Sequence[str], pods: Sequence[str]
) -> tuple[bool, str]:
    """Whether each of these hosts' node port leads to one of these pods when this computer asks."""
    silent, strange = [], []
    for name in hosts:
        said = web(site.host(name), port)
        if not said:
            silent.append(name)
        elif said not in pods:
            strange.append(f"{name}: {said}")
    if strange:
        return False, f"somebody else answers at port {port}: {'; '.join(strange)}"
    if silent:
        return False, f"nobody answers at port {port} of {', '.join(silent)}"
    return True, f"pods answer at port {port} of {', '.join(hosts)}"


# Networks


def planned_networks(site: Site) -> dict[str, list[Network]]:
    """Return the pods' and the services' networks as the running control plane has them.

    Raises:
        Unseen: when there is no control plane, or what it says of them does not go together.
    """
    facts = site.facts(site.master.name)
    found = {
        word: [Network(part) for row in facts.all("network") if row[0] == word for part in row[1].split(",")]
        for word in ("cluster-cidr", "service-cluster-ip-range")
    }  # fmt: skip
    pods, services = found["cluster-cidr"], found["service-cluster-ip-range"]
    if not pods or not services:
        raise Unseen(f"{site.master.name} has no control plane yet")
    given = [
        Network(node["spec"]["podCIDR"]) for node in site.nodes() if node["spec"].get("podCIDR")
    ]
    for one in given:
        if not any(one.subnet_of(network) for network in pods):
            raise Unseen(
                f"a node was given {one}, which is not in {pods[0]}: the running cluster has another plan"
            )
    kubernetes = site.named("/api/v1/namespaces/default/services", "kubernetes")
    address = (kubernetes or {}).get("spec", {}).get("clusterIP", "")
    if not any(ipaddress.IPv4Address(address) in network for network in services):
        raise Unseen(
            f"the API's Service is at {address}, not in {services[0]}: the running cluster has another plan"
        )
    return {"pods": pods, "services": services}


def routes(site: Site) -> dict[str, list[Network]]:
    """Return by machine the networks that it has routes to and that are not the cluster's own.

    Raises:
        Unseen: when a machine does not answer.
    """
    given = {str(node["spec"].get("podCIDR")) for node in site.nodes()}
    found: dict[str, list[Network]] = {}
    for host in (site.master, *site.workers):
        found[host.name] = []
        for row in site.facts(host.name).all("route"):
            try:
                network = Network(row[0])
            except ValueError:
                continue
            local = network.is_loopback or network.is_multicast or network.prefixlen in (0, 32)
            of_pods = any(
                given_one != "None" and network.subnet_of(Network(given_one)) for given_one in given
            )
            if not local and not of_pods:
                found[host.name].append(network)
    return found


def collides_with_nothing(site: Site, which: str) -> tuple[bool, str]:
    """Whether the `pods` or `services` network overlaps no route of any machine, and not the other one."""
    planned = planned_networks(site)
    mine = planned[which]
    other = planned["services" if which == "pods" else "pods"]
    hits = [f"{one} overlaps {theirs}" for one in mine for theirs in other if one.overlaps(theirs)]
    for name, known in routes(site).items():
        hits += [
            f"{one} overlaps {theirs}, to which {name} has a route"
            for one in mine
            for theirs in known
            if one.overlaps(theirs)
        ]
    for host in (site.master, *site.workers):
        hits += [
            f"{one} holds {host.name}" for one in mine if ipaddress.IPv4Address(host.address) in one
        ]
    return not hits, "; ".join(sorted(set(hits))) or f"{mine[0]} is nobody else's"
