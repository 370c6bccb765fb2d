"""The network plan: derived addresses, capacity, and every collision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.plan import NetworkPlan, check_plan, network_plan
from tests.test_description import MASTER, WORKER, described


def plan_of(**changes) -> NetworkPlan:
    return network_plan(check_description(described(**changes)))


def refusal(**changes) -> str:
    with pytest.raises(ParamsError) as caught:
        check_plan(check_description(described(**changes)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("services", "api", "dns"),
    [("10.96.0.0/12", "10.96.0.1", "10.96.0.10"), ("10.192.0.0/12", "10.192.0.1", "10.192.0.10")],
)
def test_service_addresses_are_the_first_and_tenth(services, api, dns):
    plan = plan_of(service_subnet=services)
    assert (str(plan.api_service_ip), str(plan.dns_service_ip)) == (api, dns)


def test_two_service_networks_are_refused_with_both_values():
    message = refusal(service_subnet="10.96.0.0/12", worker_service_subnet="10.192.0.0/12")
    assert "10.96.0.0/12" in message
    assert "10.192.0.0/12" in message


def test_a_dns_address_of_another_service_network_is_refused():
    assert "10.192.0.10" in refusal(dns_service_ip="10.192.0.10")


def test_the_derived_dns_address_may_be_repeated():
    assert check_plan(check_description(described(dns_service_ip="10.96.0.10")))


def test_a_service_network_that_holds_the_hosts_is_refused():
    message = refusal(host_subnet="10.99.0.0/24", hosts=_hosts("10.99.0"))
    assert "`service_subnet` 10.96.0.0/12 overlaps `host_subnet` 10.99.0.0/24" in message


def test_site_networks_may_overlap_the_hosts_but_not_the_pods():
    assert check_plan(check_description(described(site_networks=["10.1.0.0/16"])))
    assert "`site_networks[0]` 10.244.7.0/24" in refusal(site_networks=["10.244.7.0/24"])


def test_docker0_and_the_windows_nat_range_are_warned_of():
    messages = [f.message for f in plan_of(pod_subnet="172.17.0.0/16").problems()]
    assert any("docker0" in message for message in messages)
    messages = [f.message for f in plan_of(pod_subnet="172.20.0.0/16").problems()]
    assert any("nat" in message for message in messages)


def test_the_sdn_scripts_network_is_noticed():
    messages = [f.message for f in plan_of(site_networks=["192.168.0.0/16"]).problems()]
    assert any("192.168.255.0/30" in message for message in messages)


def test_host_gw_refuses_nodes_of_another_segment_and_proposes_vxlan():
    message = refusal(host_subnet="10.2.0.0/24")
    assert "10.1.0.2" in message
    assert "vxlan" in message
    assert check_plan(check_description(described(host_subnet="10.2.0.0/24", topology="vxlan")))


def test_with_l3_windows_workers_must_be_neighbours_and_linux_workers_need_not():
    other = {**WORKER, "name": "winworker02", "address": "10.2.0.4"}
    far = {"hosts": [MASTER, WORKER, other], "site_networks": ["10.2.0.0/24"], "topology": "l3"}
    message = refusal(**far)
    assert "`winworker01` in 10.1.0.0/24, `winworker02` in 10.2.0.0/24" in message
    assert "vxlan" in message
    linux = {**MASTER, "name": "linuxworker01", "address": "10.2.0.4", "role": "worker"}
    assert check_plan(check_description(described(**{**far, "hosts": [MASTER, WORKER, linux]})))


@pytest.mark.parametrize(
    ("topology", "backend", "windows", "encapsulated"),
    [
        ("host-gw", "host-gw", "host-gw", False),
        ("l3", "alloc", "host-gw", False),
        ("vxlan", "vxlan", "vxlan", True),
        ("ovn", "", "", False),
    ],
)
def test_flannels_backend_follows_from_the_topology(topology, backend, windows, encapsulated):
    plan = plan_of(topology=topology)
    assert (plan.backend, plan.windows_backend, plan.encapsulated) == (
        backend,
        windows,
        encapsulated,
    )


@pytest.mark.parametrize("address", ["10.1.0.0", "10.1.0.255"])
def test_a_node_cannot_have_the_networks_own_or_broadcast_address(address):
    assert address in refusal(hosts=[{**MASTER, "address": address}, WORKER])


def test_a_node_at_an_address_of_pods_or_services_is_refused():
    message = refusal(hosts=[{**MASTER, "address": "10.96.0.10"}, WORKER], topology="vxlan")
    assert "`linuxmaster` 10.96.0.10 lies in `service_subnet` 10.96.0.0/12" in message


def test_capacity_in_services_and_pods_follows_from_the_networks():
    plan = plan_of(service_subnet="10.96.0.0/24")
    assert plan.service_capacity == 252
    assert plan.pod_capacity == 220


def test_capacity_counts_a_24_for_each_node():
    plan = plan_of(pod_subnet="10.244.0.0/16")
    assert plan.node_capacity == 256
    assert plan.pods_per_node == {"linux": 110, "windows": 110}


def test_more_nodes_than_the_pod_network_holds_are_refused():
    assert "room for 1 nodes" in refusal(pod_subnet="10.244.0.0/24")


def test_a_service_network_larger_than_the_api_server_takes_is_refused():
    assert "/12" in refusal(
        service_subnet="10.0.0.0/9", host_subnet="192.168.1.0/24", hosts=_hosts("192.168.1")
    )


def _hosts(network: str) -> list[dict[str, object]]:
    from tests.test_description import MASTER, WORKER

    return [{**MASTER, "address": f"{network}.2"}, {**WORKER, "address": f"{network}.3"}]


networks = st.builds(
    lambda base, prefix: (base >> (32 - prefix) << (32 - prefix), prefix),
    st.integers(0, 2**32 - 1),
    st.integers(8, 26),
)


@given(networks, networks)
def test_overlap_is_found_whichever_network_is_the_larger(one, two):
    from ipaddress import IPv4Network

    pods, services = IPv4Network(one), IPv4Network(two)
    plan = NetworkPlan(
        pod_subnet=pods,
        service_subnet=services,
        host_subnet=IPv4Network("192.0.2.0/24"),
        site_networks=(),
        topology="vxlan",
        profile="current",
        nodes=(),
    )
    told = any(
        "`pod_subnet`" in f.message and "`service_subnet`" in f.message for f in plan.problems()
    )
    shared = (
        set(range(int(pods[0]) >> 6, (int(pods[-1]) >> 6) + 1))
        if pods.num_addresses < 2**20
        else None
    )
    expected = (
        not shared.isdisjoint(range(int(services[0]) >> 6, (int(services[-1]) >> 6) + 1))
        if shared is not None
        else int(pods[0]) <= int(services[-1]) and int(services[0]) <= int(pods[-1])
    )
    assert told == expected
