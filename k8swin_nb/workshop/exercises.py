"""What each exercise asks for: conditions of the state in which the cluster and its machines are."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable

from k8swin_nb.workshop.conditions import (
    Network,
    collides_with_nothing,
    condition,
    node_lives,
    node_port_answers,
    planned_networks,
    running_on,
    worker,
)
from k8swin_nb.workshop.looked import Condition
from k8swin_nb.workshop.names import answers_to_names
from k8swin_nb.workshop.site import Object, Site, Unseen, age, ready

FIRST, SECOND = "winworker01", "winworker02"
"""The workers, as the course calls them."""

SITE_NETWORKS = ("10.244.64.0/18", "10.100.0.0/16")
"""What the site has of its own in the first exercise."""

NODES = 16
"""Nodes that a plan shall have room for."""

SHOP, SHOP_PORT = "shop", 30081
"""Deployment and node port of the exercise with the wrong image."""

TOKEN_HOURS = 48
"""How long a bootstrap token may be good for: one that lies about opens the cluster."""

APPROVED = ("TCP", "9182", "10.20.4.0/24")
"""Protocol, port and clients of the rule that the change allowed."""


def plan(site: Site) -> list[Condition]:
    """Exercise 1: a control plane whose networks collide with nothing."""
    master = site.master.name

    def stands() -> tuple[bool, str]:
        facts, node = site.facts(master), site.node(master)
        state = (facts.one("service", "kubelet") or ["not there"])[0]
        found = planned_networks(site)
        words = f"pods {found['pods'][0]}, services {found['services'][0]}; its kubelet is {state}"
        return state == "active" and bool(node), words

    def room() -> tuple[bool, str]:
        pods = planned_networks(site)["pods"][0]
        nodes = 2 ** max(0, 24 - pods.prefixlen) if pods.prefixlen <= 24 else 0
        return nodes >= NODES, f"{pods} has room for {nodes} nodes with a /24 each"

    def theirs() -> tuple[bool, str]:
        known = {
            row[0]
            for host in (site.master, *site.workers)
            for row in site.facts(host.name).all("route")
        }
        gone = [network for network in SITE_NETWORKS if network not in known]
        return not gone, f"no machine knows {', '.join(gone)}" if gone else "both are known"

    return [
        condition("a control plane stands, and is what it says", stands),
        condition("its pods' network collides with nothing that the machines know", lambda: collides_with_nothing(site, "pods")),
        condition("its services' network collides with nothing that the machines know", lambda: collides_with_nothing(site, "services")),
        condition(f"there is room for {NODES} nodes", room),
        condition(f"the site's own networks {' and '.join(SITE_NETWORKS)} can still be reached", theirs),
    ]  # fmt: skip


def record(site: Site) -> list[Condition]:
    """Exercise 2: the control plane is again as the notebooks made it."""
    master = site.master.name

    def pod_network() -> tuple[bool, str]:
        backends = [pod["metadata"]["name"] for pod in dns_pods(site)]
        words = (
            f"{len(backends)} ready pods of the DNS" if backends else "no pod of the DNS is ready"
        )
        lives, told = node_lives(site, master)
        return lives and bool(backends), f"{told}; {words}"

    def swap() -> tuple[bool, str]:
        facts = site.facts(master)
        on = [row[0] for row in facts.all("swap")]
        later = [row[0] for row in facts.all("fstab")]
        words = [
            f"in use: {', '.join(on)}" if on else "none is in use",
            f"the next boot uses {', '.join(later)}" if later else "none after a boot",
        ]
        return not on and not later, "; ".join(words)

    def forwards() -> tuple[bool, str]:
        now, boot = (*site.facts(master).one("setting", "net.ipv4.ip_forward"), "", "")[:2]
        return (
            now == boot == "1",
            f"net.ipv4.ip_forward is {now or 'unknown'} now and {boot or 'not set'} after a boot",
        )

    def enabled() -> tuple[bool, str]:
        state, start = (*site.facts(master).one("service", "kubelet"), "", "")[:2]
        words = f"the kubelet is {state or 'not there'}, at a boot {start or 'not there'}"
        return (state, start) == ("active", "enabled"), words

    return [
        condition(f"{master} is Ready, and the cluster's DNS has pods", pod_network),
        condition(f"{master} uses no swap, now and after a boot", swap),
        condition(f"{master} forwards packets, now and after a boot", forwards),
        condition(f"{master}'s kubelet runs, and starts with the machine", enabled),
    ]


def image(site: Site) -> list[Condition]:
    """Exercise 3: a first worker, and an application whose image is for its Windows."""

    def deployed() -> tuple[bool, str]:
        found = site.named("/apis/apps/v1/namespaces/default/deployments", SHOP)
        if found is None:
            return False, f"there is no Deployment {SHOP} in the namespace default"
        wanted = int(found["spec"].get("replicas", 1))
        pods = shop_pods(site)
        asked = [pod["metadata"]["name"] for pod in all_shop_pods(site)]
        return wanted >= 2 and len(pods) >= 2, (
            f"{wanted} are wanted, {len(asked)} are there, {len(pods)} run on Windows workers: "
            f"{', '.join(shop_states(site)) or 'none'}"
        )

    def no_leftovers() -> tuple[bool, str]:
        wrong = [
            told
            for pod, told in zip(all_shop_pods(site), shop_states(site), strict=True)
            if not ready(pod)
        ]
        if not all_shop_pods(site):
            return False, f"there are no pods of {SHOP}"
        return not wrong, "; ".join(wrong) or "every pod of it is ready"

    def answers() -> tuple[bool, str]:
        pods = [pod["metadata"]["name"] for pod in shop_pods(site)]
        if not pods:
            return False, f"no pod of {SHOP} runs on a Windows worker"
        return node_port_answers(site, SHOP_PORT, [FIRST, site.master.name], pods)

    return [
        *worker(site, FIRST, answers=False),
        condition(f"two pods of {SHOP} run on Windows workers", deployed),
        condition(f"no pod of {SHOP} waits for an image", no_leftovers),
        condition(f"{SHOP} answers at port {SHOP_PORT} of the worker and of the control plane", answers),
    ]  # fmt: skip


def token(site: Site) -> list[Condition]:
    """Exercise 4: the second worker has joined, and no key to the cluster lies about."""

    def short() -> tuple[bool, str]:
        secrets = site.objects(
            "/api/v1/namespaces/kube-system/secrets",
            fieldSelector="type=bootstrap.kubernetes.io/token",
        )
        wrong = []
        for secret in secrets:
            name = secret["metadata"]["name"].removeprefix("bootstrap-token-")
            text = base64.b64decode(secret["data"].get("expiration", "")).decode()
            hours = -age(text, site.now()) / 3600 if text else float("inf")
            if hours > TOKEN_HOURS:
                wrong.append(f"{name} " + (f"for {hours:.0f} hours" if text else "for ever"))
        return (
            not wrong,
            f"good for longer: {', '.join(wrong)}"
            if wrong
            else f"{len(secrets)} tokens, none for longer",
        )

    return [
        *worker(site, SECOND),
        condition(f"no bootstrap token is good for more than {TOKEN_HOURS} hours", short),
    ]


def cut(site: Site) -> list[Condition]:
    """Exercise 5: the second worker has its HNS network and its address again."""
    return worker(site, SECOND)


def dns(site: Site) -> list[Condition]:
    """Exercise 6: names are answered, in Windows pods too."""

    def backends() -> tuple[bool, str]:
        pods = [pod["metadata"]["name"] for pod in dns_pods(site)]
        return bool(
            pods
        ), f"{len(pods)} ready pods stand behind it" if pods else "no ready pod stands behind it"

    def address() -> tuple[bool, str]:
        service = dns_service(site)
        network = planned_networks(site)["services"][0]
        wanted = str(network.network_address + 10)
        found = str(service["spec"].get("clusterIP"))
        return found == wanted, f"it is at {found}, every kubelet tells its pods {wanted}"

    names = [
        condition(f"a Windows pod on {host.name} is told the addresses of names", lambda name=host.name: answers_to_names(site, name))  # type: ignore[misc]
        for host in site.workers
    ]  # fmt: skip
    return [
        condition("the DNS Service leads to pods that are ready", backends),
        condition("the DNS Service is where every pod looks for it", address),
        *names,
    ]


def audit(site: Site) -> list[Condition]:
    """Exercise 7: what the change allowed is there, and nothing else that somebody made."""

    def allowed() -> tuple[bool, str]:
        rules = [tuple(row[1:4]) for row in made(site, SECOND) if len(row) >= 4]
        there = [rule for rule in rules if (rule[0], rule[1], _network(rule[2])) == APPROVED]
        return (
            bool(there),
            "it is there as it was allowed"
            if there
            else "no rule has protocol, port and clients of the change",
        )

    def nothing_else() -> tuple[bool, str]:
        more = []
        for host in site.workers:
            for row in made(site, host.name):
                if (row[1], row[2], _network(row[3])) != APPROVED or host.name != SECOND:
                    more.append(host.name)
        told = ", ".join(f"{name}: {more.count(name)}" for name in sorted(set(more)))
        return (
            not more,
            f"rules that no change allows, by worker: {told}" if more else "there is no other",
        )

    return [
        condition("what the approved change opened is open, as it was approved", allowed),
        condition("nothing else is open on the workers that somebody made by hand", nothing_else),
        *worker(site, SECOND),
    ]


def out_and_in(site: Site) -> list[Condition]:
    """Exercise 8: the first worker is back, with an identity of its own."""

    def both() -> tuple[bool, str]:
        missing = [host.name for host in site.workers if not running_on(site, host.name)]
        return (
            not missing,
            f"no Windows pod runs on {', '.join(missing)}"
            if missing
            else "there are pods on every worker",
        )

    return [
        *worker(site, FIRST),
        condition("every Windows worker runs pods", both),
    ]


def who(site: Site) -> list[Condition]:
    """Exercise 9: the first worker is as it was, and nobody holds it any more."""

    def free() -> tuple[bool, str]:
        held = []
        for host in (site.master, *site.workers):
            site.facts(host.name)
            is_held, holder = site.cluster.locks.look(host)
            if is_held:
                held.append(f"{host.name} by {holder}")
        return not held, f"held: {'; '.join(held)}" if held else "no machine is held"

    return [
        *worker(site, FIRST),
        condition("nobody holds the lock of a machine", free),
    ]


def everything(site: Site) -> list[Condition]:
    """Exercise 10: all of it works."""
    return [*worker(site, FIRST), *worker(site, SECOND), *dns(site)]


EXERCISES: dict[str, Callable[[Site], list[Condition]]] = {
    "ex1": plan,
    "ex2": record,
    "ex3": image,
    "ex4": token,
    "ex5": cut,
    "ex6": dns,
    "ex7": audit,
    "ex8": out_and_in,
    "ex9": who,
    "ex10": everything,
}


# What several exercises ask for


def dns_service(site: Site) -> Object:
    """Return the Service of the cluster's DNS."""
    found = site.named("/api/v1/namespaces/kube-system/services", "kube-dns")
    if found is None:
        raise Unseen("there is no Service kube-dns")
    return found


def dns_pods(site: Site) -> list[Object]:
    """Return the ready pods that the DNS Service selects, on nodes that are Ready."""
    selector = dns_service(site)["spec"].get("selector") or {}
    alive = {node["metadata"]["name"] for node in site.nodes() if ready(node)}
    return [
        pod
        for pod in site.pods()
        if selector
        and pod["metadata"]["namespace"] == "kube-system"
        and selector.items() <= (pod["metadata"].get("labels") or {}).items()
        and pod["spec"].get("nodeName") in alive
        and ready(pod)
    ]


def all_shop_pods(site: Site) -> list[Object]:
    """Return the pods of the shop that there are."""
    found = site.named("/apis/apps/v1/namespaces/default/deployments", SHOP)
    labels = (found or {}).get("spec", {}).get("selector", {}).get("matchLabels") or {"app": SHOP}
    return [
        pod
        for pod in site.pods()
        if pod["metadata"]["namespace"] == "default"
        and labels.items() <= (pod["metadata"].get("labels") or {}).items()
    ]


def shop_pods(site: Site) -> list[Object]:
    """Return those that a Windows worker itself runs."""
    uids = {pod["metadata"]["uid"] for pod in all_shop_pods(site)}
    return [
        pod
        for host in site.workers
        if any(node["metadata"]["name"] == host.name for node in site.nodes())
        for pod in running_on(site, host.name)
        if pod["metadata"]["uid"] in uids
    ]


def shop_states(site: Site) -> list[str]:
    """Return for each pod of the shop what it says of itself."""
    told = []
    for pod in all_shop_pods(site):
        states = [one.get("state", {}) for one in pod["status"].get("containerStatuses") or []]
        waits = [state["waiting"].get("reason", "") for state in states if "waiting" in state]
        told.append(
            f"{pod['metadata']['name']} {waits[0] if waits and waits[0] else pod['status'].get('phase')}"
        )
    return told


def made(site: Site, name: str) -> list[list[str]]:
    """Return the rules of a worker's firewall that somebody made: those of WinRM and of the notebooks are known."""
    return [
        row
        for row in site.facts(name).all("rule")
        if len(row) >= 4 and not row[0].lower().startswith(("k8swin-", "winrm"))
    ]


def _network(text: str) -> str:
    """Return a network as it is written shortest; Windows shows masks."""
    try:
        return str(Network(text))
    except (ipaddress.AddressValueError, ipaddress.NetmaskValueError, ValueError):
        return text
