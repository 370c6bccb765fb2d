"""NO_PROXY: what must be spared, what is written, and that everybody judges it by the same rules."""

from datetime import UTC, datetime
from ipaddress import IPv4Address
from types import SimpleNamespace

import pytest

from k8swin_nb import symptoms
from k8swin_nb.description import check_description
from k8swin_nb.hosts import inventory_of
from k8swin_nb.phases.preflight import rules
from k8swin_nb.phases.preflight.checks import HostFacts
from k8swin_nb.phases.proxies import Exceptions, advice, no_proxy, uncovered
from k8swin_nb.phases.troubleshoot.diagnosis import Case, proxies
from k8swin_nb.phases.troubleshoot.evidence import Evidence
from k8swin_nb.plan import network_plan
from tests.test_description import described

DESCRIBED = check_description(described())
PLAN = network_plan(DESCRIBED)
API_PORT = 6443
NODES = [str(address) for _, address, _ in PLAN.nodes]
PODS, SERVICES = "10.244.0.0/16", "10.96.0.0/12"
NAMES = [".svc", ".cluster.local"]
ALL = [PODS, SERVICES, *NODES, *NAMES]


def but(*spared: str) -> list[str]:
    return [wanted for wanted in ALL if wanted not in spared]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("", ALL),
        ("localhost,127.0.0.1,.example.com", ALL),
        # networks, as wide as they come
        ("10.244.0.0/16", but(PODS)),
        ("10.244.9.9/16", but(PODS)),
        ("10.0.0.0/8", but(PODS, SERVICES, *NODES)),
        ("0.0.0.0/0", but(PODS, SERVICES, *NODES)),
        ("10.244.0.0/17", ALL),
        ("10.244.0.0/17,10.244.128.0/17", but(PODS)),
        ("10.244.0.0/255.255.0.0", ALL),
        ("010.244.0.0/16", ALL),
        ("10.244.0.0/33", ALL),
        ("10.244.", ALL),
        # addresses, and addresses with a port
        (",".join(NODES), but(*NODES)),
        (NODES[0], but(NODES[0])),
        (f"{NODES[0]}:{API_PORT}", ALL),
        ("10.244.0.0/16:443", ALL),
        # everything
        ("*", []),
        ("localhost, *", []),
        ("*.example.com", ALL),
        # names, with a dot and without
        (".svc", but(".svc")),
        ("svc", but(".svc")),
        ("*.svc", but(".svc")),
        ("SVC", but(".svc")),
        ("svc:443", ALL),
        ("vc", ALL),
        ("web.svc", ALL),
        (".cluster.local,svc", but(*NAMES)),
        ("local", but(".cluster.local")),
        (".cluster.local.", ALL),
        # Go separates by commas alone; spaces around a word do not matter
        (f" {PODS} ,\t{SERVICES},,", but(PODS, SERVICES)),
        (f"{PODS} {SERVICES}", ALL),
        (f"{PODS};{SERVICES}", ALL),
        ("* ;", ALL),
        (".svc .cluster.local", ALL),
    ],
)
def test_a_no_proxy_leaves_to_the_proxy_what_go_would_send_there(given, left):
    assert uncovered(PLAN, given) == left


def test_what_is_written_and_what_is_advised_leave_nothing_to_the_proxy():
    assert uncovered(PLAN, no_proxy(PLAN)) == []
    assert uncovered(PLAN, advice(PLAN)) == []


def test_what_is_written_holds_this_computer_the_nodes_and_the_api_by_address():
    words = no_proxy(PLAN).split(",")
    assert {"localhost", "127.0.0.1", "10.96.0.1", *NODES, ".svc", ".cluster.local"} <= set(words)


@pytest.mark.parametrize(
    ("given", "port", "spared"),
    [
        (NODES[0], API_PORT, True),
        (f"{NODES[0]}:{API_PORT}", API_PORT, True),
        (f"{NODES[0]}:443", API_PORT, False),
        (f"{NODES[0]}:{API_PORT}", None, False),
        (f"{NODES[0]}:", API_PORT, False),
        (f":{API_PORT}", API_PORT, False),
        ("10.0.0.0/8", API_PORT, True),
    ],
)
def test_the_api_server_can_be_spared_by_its_port_alone(given, port, spared):
    assert Exceptions.of(given).spare_address(IPv4Address(NODES[0]), port) is spared


def test_nodes_outside_of_the_hosts_network_are_advised_by_address():
    far = network_plan(check_description(described(host_subnet="10.3.0.0/24", topology="l3")))
    assert set(NODES) <= set(advice(far).split(","))
    assert uncovered(far, advice(far)) == []
    assert not set(NODES) & set(advice(PLAN).split(","))


@pytest.mark.parametrize(
    "given", ["10.0.0.0/8,.svc,.cluster.local", "10.0.0.0/8", "10.96.0.0/12", "*"]
)
def test_preflight_and_troubleshooting_find_the_same_of_the_same_no_proxy(given):
    description = check_description(described())
    inventory = inventory_of(description)
    host = inventory.host("linuxmaster")
    run = SimpleNamespace(plan=PLAN, master=host, description=DESCRIBED)
    values = {"proxy_session": "http://proxy.site:3128", "no_proxy_session": given}
    (check,) = rules.proxies(run, host, HostFacts(values))
    evidence = Evidence(
        host, {"proxies": ["HTTPS_PROXY=http://proxy.site:3128", f"NO_PROXY={given}"]}
    )
    said = [text for _, text in proxies(Case(PLAN, "current", [evidence], datetime.now(UTC)))]
    left = uncovered(PLAN, given)
    assert check.holds is not bool(left)
    assert said == ([f"a proxy is set and no_proxy lacks {' '.join(left)}"] if left else [])
    assert all(word in check.found for word in left)
    assert all(entry.id == "proxy-in-the-way" for text in said for entry, _ in symptoms.find(text))


@pytest.mark.parametrize(("given", "stops"), [("", True), (f"{NODES[0]}:{API_PORT}", False)])
def test_what_lies_between_kubeadm_and_the_api_server_stops(given, stops):
    host = inventory_of(check_description(described())).host("linuxmaster")
    values = {"proxy_session": "http://proxy.site:3128", "no_proxy_session": given}
    (check,) = rules.proxies(
        SimpleNamespace(plan=PLAN, master=host, description=DESCRIBED), host, HostFacts(values)
    )
    assert (check.holds, check.stops) == (False, stops)
    assert advice(PLAN) in check.fix
