"""What preflight makes of facts: collisions, proxies, versions, clocks, and hosts held against each other."""

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import StepFailed
from k8swin_nb.hosts import inventory_of
from k8swin_nb.phases.preflight import rules
from k8swin_nb.phases.preflight.checks import (
    HostFacts,
    PreflightCheck,
    clock_offset,
    clock_step,
    parse,
    verdict,
)
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State
from tests.runs import at, make_run
from tests.test_description import MASTER, WORKER, described

SECOND = {**WORKER, "name": "winworker02", "address": "10.1.0.4"}


def a_run(**changes) -> PhaseRun:
    return make_run(**{"hosts": [MASTER, WORKER, SECOND], **changes})


def linux(text: str):
    return parse(text, inventory_of(check_description(described())).host("linuxmaster"))


def windows(text: str):
    return parse(text, inventory_of(check_description(described())).host("winworker01"))


def routes_on(name: str, *lines: str, **changes) -> list[PreflightCheck]:
    run = a_run(**changes)
    host = run.inventory.host(name)
    _, facts = parse("".join(f"fact\troute\t{line}\n" for line in lines), host)
    return rules.routes(run.plan, host, facts)


def bad(findings: list[PreflightCheck]) -> list[str]:
    return [finding.found for finding in findings if not finding.holds]


def test_checks_and_facts_are_read_and_other_lines_passed_over():
    findings, facts = linux(
        "some noise\ncheck\tL01\troot\tfail\tok\troot\troot\tsudo\nfact\tmtu\t1500\r\n"
        "check\tL05\tcpus\tfail\tno\t1\t2\tadd one\n"
    )
    assert [(f.id, f.holds, f.stops) for f in findings] == [
        ("L01", True, False),
        ("L05", False, True),
    ]
    assert facts.get("mtu") == "1500"
    assert facts.get("nothing") == ""


def test_a_windows_interface_may_have_spaces_in_its_name():
    _, facts = windows("fact\troute\t10.9.0.0/16 0.0.0.0 Ethernet Instance 0 2\n")
    assert facts.routes[0].interface == "Ethernet Instance 0 2"
    assert facts.routes[0].via == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("172.17.0.0/16 docker0 -", "docker0's network 172.17.0.0/16 overlaps `pod_subnet`"),
        ("172.17.9.0/24 eth0 10.1.0.1", "the route via 10.1.0.1 on eth0 172.17.9.0/24 overlaps `pod_subnet`"),
        ("10.96.0.0/16 tun0 -", "the route on tun0 10.96.0.0/16 overlaps `service_subnet` 10.96.0.0/12"),
        ("172.17.4.4 eth1 -", "the route on eth1 172.17.4.4/32 overlaps `pod_subnet`"),
    ],
)  # fmt: skip
def test_a_route_of_a_linux_host_inside_the_plan_is_named(line, says):
    found = routes_on("linuxmaster", line, pod_subnet="172.17.0.0/16")
    assert [f.id for f in found] == ["L16"]
    assert found[0].stops
    assert found[0].found.startswith(says)


def test_a_route_that_an_earlier_flannel_left_is_deleted_and_no_other_network_chosen_for_it():
    (left,) = routes_on("linuxmaster", "10.244.7.0/24 eth0 10.1.0.77")
    assert "type ip route delete 10.244.7.0/24 via 10.1.0.77; else choose another" in left.fix
    (left,) = routes_on("winworker01", "10.244.7.0/24 10.1.0.77 Ethernet")
    assert "Remove-NetRoute -DestinationPrefix 10.244.7.0/24 -NextHop 10.1.0.77" in left.fix
    (other,) = routes_on("linuxmaster", "10.244.0.0/16 eth1 -")
    assert other.fix == "choose another `pod_subnet`, or give up that network on linuxmaster"


@pytest.mark.parametrize(
    ("host", "own", "theirs"),
    [
        ("linuxmaster", "10.244.0.0/24 cni0 -", "10.244.7.0/24 eth0 10.1.0.77"),
        ("winworker01", "10.244.1.0/24 0.0.0.0 vEthernet (cbr0_ep)", "10.244.7.0/24 10.1.0.77 Ethernet"),
    ],
)  # fmt: skip
def test_the_pods_of_a_node_that_was_taken_out_of_the_description_stop_nothing(host, own, theirs):
    (found,) = routes_on(host, own, theirs)
    assert not found.holds and not found.stops and found.severity == "warn"
    assert "a node at 10.1.0.77 has these pods and is none of `hosts`" in found.fix
    # Where no pod of this host runs it was left, and what leads elsewhere is no node's.
    (left,) = routes_on(host, theirs)
    (elsewhere,) = routes_on(host, own, theirs.replace("10.1.0.77", "192.0.2.1"))
    (odd,) = routes_on(host, own, theirs.replace("10.1.0.77", "fe80::1"))
    assert left.stops and elsewhere.stops and odd.stops


def test_the_hosts_own_network_and_the_hns_nat_network_are_named():
    found = routes_on(
        "winworker01", "172.29.64.0/20 0.0.0.0 vEthernet (nat)", pod_subnet="172.29.0.0/16"
    )
    assert bad(found) == ["the HNS nat network 172.29.64.0/20 overlaps `pod_subnet` 172.29.0.0/16"]
    found = routes_on("winworker01", "10.1.0.0/24 0.0.0.0 Ethernet 2", pod_subnet="10.1.0.0/16")
    assert bad(found) == ["the host's own network 10.1.0.0/24 overlaps `pod_subnet` 10.1.0.0/16"]


def test_the_hns_nat_network_counts_before_it_has_a_route():
    run = a_run(pod_subnet="172.29.0.0/16")
    facts = HostFacts({"hns_nat": "172.29.64.0/20"})
    assert "HNS nat" in bad(rules.routes(run.plan, run.inventory.host("winworker01"), facts))[0]


def test_a_finished_linux_node_has_no_collision():
    found = routes_on(
        "linuxmaster",
        "10.1.0.0/24 eth0 -",
        "10.244.0.0/24 cni0 -",
        "10.244.1.0/24 eth0 10.1.0.3",
        "169.254.0.0/16 eth0 -",
        "172.17.0.0/16 docker0 -",
    )
    assert [(f.holds, f.id) for f in found] == [(True, "L16")]


def test_a_finished_windows_worker_has_no_collision():
    found = routes_on(
        "winworker01",
        "10.1.0.0/24 0.0.0.0 vEthernet (Ethernet 2)",
        "10.1.0.3/32 0.0.0.0 vEthernet (Ethernet 2)",
        "10.244.0.0/24 10.1.0.2 vEthernet (Ethernet 2)",
        "10.244.1.0/24 0.0.0.0 vEthernet (cbr0_ep)",
        "10.244.1.2/32 0.0.0.0 vEthernet (cbr0_ep)",
        "127.0.0.0/8 0.0.0.0 Loopback Pseudo-Interface 1",
        "224.0.0.0/4 0.0.0.0 vEthernet (Ethernet 2)",
        "255.255.255.255/32 0.0.0.0 vEthernet (Ethernet 2)",
    )
    assert bad(found) == []


def test_a_summary_route_of_the_site_is_told_and_does_not_stop():
    found = routes_on("linuxmaster", "10.0.0.0/8 eth0 10.1.0.1")
    assert {f.severity for f in found} == {"warn"}
    assert len(bad(found)) == 2
    # A neighbour's network of that size is no summary: its addresses are on this very wire.
    assert routes_on("linuxmaster", "10.0.0.0/8 eth0 -")[0].stops


def test_a_foreign_router_for_the_pods_network_is_a_collision():
    assert bad(routes_on("linuxmaster", "10.244.1.0/24 eth0 10.1.0.99"))


def test_the_sdn_scripts_network_stops_only_where_they_run():
    route = "192.168.255.0/24 0.0.0.0 Ethernet 3"
    assert bad(routes_on("winworker01", route)) == []
    found = routes_on("winworker01", route, profile="classic", kubernetes_version="1.13.12")
    assert "192.168.255.0/30" in bad(found)[0]
    own = "192.168.255.0/30 0.0.0.0 vEthernet (External)"
    assert bad(routes_on("winworker01", own, profile="classic", kubernetes_version="1.13.12")) == []


GOOD = "10.244.0.0/16,10.96.0.0/12,10.1.0.0/24,.svc,.cluster.local"


def proxied(place: str, exceptions: str, name: str = "linuxmaster") -> PreflightCheck:
    run = a_run()
    names = (f"proxy_{place}", f"no_proxy_{place}")
    if name != "linuxmaster":
        names = (f"https_proxy_{place}", f"no_proxy_{place}")
    facts = HostFacts({names[0]: "http://proxy:3128", names[1]: exceptions})
    (finding,) = rules.proxies(run, run.inventory.host(name), facts)
    return finding


def test_a_proxy_between_kubeadm_and_the_api_server_stops_with_what_to_set():
    finding = proxied("session", "localhost")
    assert finding.stops
    assert "10.244.0.0/16,10.96.0.0/12,10.1.0.0/24,.svc,.cluster.local" in finding.fix
    assert proxied("machine", "localhost", "winworker01").stops


def test_a_proxy_of_the_container_runtime_alone_is_told():
    finding = proxied("containerd", "localhost")
    assert (finding.holds, finding.severity) == (False, "warn")
    assert proxied("session", GOOD).holds


def test_no_proxy_at_all_is_one_check_that_holds():
    run = a_run()
    (finding,) = rules.proxies(run, run.master, HostFacts())
    assert finding.holds


@pytest.mark.parametrize(
    ("kubernetes", "wanted", "installed", "severity", "holds"),
    [
        ("1.36.4", "2.3.4", "2.3.4", "fail", True),
        ("1.36.4", "2.3.4", "1.7.28", "fail", False),
        ("1.36.4", "1.7.28", "1.7.28", "warn", False),
        ("1.35.8", "1.7.28", "1.7.28", "fail", True),
        ("1.38.0", "1.7.28", "1.7.28", "fail", False),
        ("1.20.2", "1.6.20", "1.6.20~ds1", "fail", True),
    ],
)
def test_a_container_runtime_that_is_too_old_is_found(
    kubernetes, wanted, installed, severity, holds
):
    run = a_run(kubernetes_version=kubernetes, containerd_version=wanted)
    (finding,) = rules.versions(run, run.master, HostFacts({"containerd_version": installed}))
    assert (finding.severity, finding.holds) == (severity, holds)


@pytest.mark.parametrize(
    ("cluster", "installed", "severity", "holds"),
    [
        ("1.36.4", "1.36.4", "warn", True),
        ("1.36.4", "1.37.0", "fail", False),
        ("1.36.4", "1.33.1", "warn", True),
        ("1.36.4", "1.32.9", "warn", False),
        ("1.28.15", "1.25.0", "warn", True),
        ("1.27.16", "1.25.0", "warn", True),
        ("1.27.16", "1.24.0", "warn", False),
    ],
)
def test_a_kubelet_newer_than_the_cluster_stops(cluster, installed, severity, holds):
    run = a_run(kubernetes_version=cluster)
    (finding,) = rules.versions(run, run.master, HostFacts({"kubelet_version": installed}))
    assert (finding.id, finding.severity, finding.holds) == ("X7", severity, holds)


def test_the_time_on_the_wire_is_taken_out_of_a_clock():
    # Sent at 100, 4 s on the way there, 10 s of work, 2 s back; the host's clock is 7 s ahead.
    facts = HostFacts({"clock_first": "111", "clock_last": "121"})
    offset, uncertainty = clock_offset(facts, 100, 116)
    assert offset - uncertainty <= 7 <= offset + uncertainty
    assert uncertainty == 3


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e999"])
def test_a_host_that_says_no_time_is_judged_by_none(text):
    facts = HostFacts({"clock_first": text, "clock_last": text})
    assert clock_offset(facts, 1, 2) == (0.0, float("inf"))
    assert clock_step(facts, 1, 2) == 0.0


@pytest.mark.parametrize(("last", "step"), [(86501, 86390), (-86299, -86400)])
def test_a_clock_that_is_set_by_a_day_while_it_is_looked_at_is_told_as_that(last, step):
    facts = HostFacts({"clock_first": "101", "clock_last": str(last)})
    assert clock_step(facts, 100, 110) == step
    facts.clock, facts.stepped = clock_offset(facts, 100, 110), step
    finding = rules.clock(a_run().master, facts)
    assert finding.stops
    assert (
        finding.found
        == f"set by {step:+} s while it was looked at, now {last - 110:+.1f} s from this computer"
    )


def test_a_prefix_or_a_version_of_nonsense_stops_no_comparison():
    facts = {"linuxmaster": HostFacts({"prefix": "x"}), "winworker01": HostFacts({"prefix": "64"})}
    assert "X1 segment" not in compared(facts)
    run = a_run()
    for version in ("", "v", "9" * 5000, "x.y.z"):
        rules.versions(
            run, run.master, HostFacts({"kubelet_version": version, "containerd_version": version})
        )


@pytest.mark.parametrize(
    "facts",
    [{"host_name": "WINWORKER02"}, {"host_name": "new", "addresses": "10.1.0.3 10.1.0.4"}],
)
def test_a_machine_that_answers_for_another_stops(facts):
    run = a_run()
    (found,) = rules.identity(run, run.inventory.host("winworker01"), HostFacts(facts))
    assert found.stops
    assert "winworker02" in found.found
    assert "correct `address` of winworker01 and winworker02" in found.fix


def test_a_machine_of_its_own_name_or_of_none_yet_is_itself():
    run = a_run()
    for name in ("winworker01", "localhost", ""):
        facts = HostFacts({"host_name": name, "addresses": "10.1.0.3 172.17.0.1"})
        assert rules.identity(run, run.inventory.host("winworker01"), facts) == []


@pytest.mark.parametrize(
    ("offset", "holds", "severity"), [(1.9, True, "warn"), (5, False, "warn"), (-60, False, "fail")]
)
def test_a_clock_is_told_from_two_seconds_and_stops_from_thirty(offset, holds, severity):
    finding = rules.clock(a_run().master, HostFacts(clock=(offset, 0.1)))
    assert (finding.holds, finding.severity) == (holds, severity)


def compared(facts: dict[str, HostFacts], **changes) -> dict[str, PreflightCheck]:
    return {f"{f.id} {f.check}": f for f in rules.compare(a_run(**changes), facts)}


def test_two_hosts_with_skewed_clocks_are_compared_with_each_other():
    found = compared(
        {"linuxmaster": HostFacts(clock=(-20, 0.5)), "winworker01": HostFacts(clock=(20, 0.5))}
    )["X3 clock-skew"]
    assert found.stops
    assert found.found == "+40.0 s from linuxmaster, give or take 1.0 s"


def test_clones_are_found_whatever_their_spelling():
    found = compared(
        {
            "winworker01": HostFacts({"mac": "00-15-5D-00-00-01", "product_uuid": "AB-1", "machine_id": "x"}),
            "winworker02": HostFacts({"mac": "00:15:5d:00:00:01", "product_uuid": "ab-1", "machine_id": "y"}),
        }
    )  # fmt: skip
    assert found["L11 mac"].found == "winworker01 and winworker02 both have 00:15:5d:00:00:01"
    assert found["L11 mac"].stops
    assert found["L11 product-uuid"].stops
    assert found["L12 machine-id"].holds


def test_firmware_that_gives_no_uuid_makes_no_clones():
    zeros = "00000000-0000-0000-0000-000000000000"
    assert "L11 product-uuid" not in compared(
        {
            "winworker01": HostFacts({"product_uuid": zeros}),
            "winworker02": HostFacts({"product_uuid": zeros}),
        }
    )


def test_two_fresh_hosts_of_one_name_are_renamed_by_a_later_step():
    same = {n: HostFacts({"host_name": "debian"}) for n in ("linuxmaster", "winworker01")}
    assert compared(same)["X2 host-name"].severity == "step"
    same = {n: HostFacts({"host_name": "winworker01"}) for n in ("linuxmaster", "winworker01")}
    assert compared(same)["X2 host-name"].stops


def test_host_gw_needs_one_segment_and_the_others_do_not():
    facts = {
        "linuxmaster": HostFacts({"prefix": "25"}),
        "winworker01": HostFacts(
            {"prefix": "24", "route_to_master": "10.1.0.2 via 10.1.0.1 dev eth0"}
        ),
    }
    found = compared(facts)
    assert found["X1 segment"].stops
    assert "linuxmaster 10.1.0.0/25, winworker01 10.1.0.0/24" in found["X1 segment"].found
    assert found["X9 neighbours"].stops
    assert "vxlan" in found["X9 neighbours"].fix
    assert not any(f.stops for f in compared(facts, topology="vxlan").values())


def test_an_mtu_that_differs_is_told_with_both_values():
    found = compared(
        {"linuxmaster": HostFacts({"mtu": "9000"}), "winworker01": HostFacts({"mtu": "1500"})}
    )["L37 mtu"]
    assert found.found == "linuxmaster 9000, winworker01 1500"
    assert found.severity == "warn"


def a_finding(severity: str, *, holds: bool) -> PreflightCheck:
    return PreflightCheck(
        "L99", f"a-{severity}", "linuxmaster", severity, holds, "this", "that", f"do {severity}"
    )


def test_only_failures_stop_and_all_of_them_are_named():
    step = at(a_run())
    fine = [a_finding(s, holds=False) for s in ("warn", "step", "info")]
    said = verdict(step, fine)
    assert said.state is State.OK
    assert (
        said.detail
        == "1 of 3 checks hold, 1 by later steps, warnings: L99 a-warn is this, wanted that"
    )
    with pytest.raises(StepFailed) as caught:
        verdict(step, [*fine, a_finding("fail", holds=False), a_finding("fail", holds=False)])
    assert str(caught.value).count("L99 a-fail on linuxmaster is this, wanted that") == 2
    assert caught.value.hint == "do fail"


def test_a_route_that_cannot_be_read_is_told_and_takes_no_other_along():
    found = routes_on("linuxmaster", "blackhole", "fd00::/8 eth0 -", "10.244.9.0/24 eth1 -")
    assert any("overlaps `pod_subnet`" in one.found for one in found)
    (unread,) = [one for one in found if one.check == "routes-read"]
    assert unread.severity == "warn" and unread.found.startswith("2 that cannot be read")


def test_a_check_of_unknown_severity_counts_as_one_that_stops():
    findings, _ = linux("check\tL99\tx\tharmless\tno\ta\tb\tc\n")
    assert findings[0].stops


@pytest.mark.parametrize(
    ("master", "worker", "holds"),
    [("none yet", "aa", False), ("bb", "aa", False), ("aa", "aa", True), ("aa", "", None), ("", "aa", None)],
)  # fmt: skip
def test_a_worker_holds_no_authority_but_the_control_planes(master, worker, holds):
    told = {
        "linuxmaster": linux(f"fact\tauthority\t{master}\n" if master else "")[1],
        "winworker01": windows(f"fact\tauthority\t{worker}\n" if worker else "")[1],
    }
    found = rules.authorities(a_run(), told)
    assert [check.stops for check in found] == ([] if holds is None else [not holds])
