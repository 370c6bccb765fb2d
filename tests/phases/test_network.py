"""Phase 01 beyond the plan's arithmetic: platforms, attestations, routes for a router, and OVN handed over."""

import json
import shlex
from ipaddress import IPv4Network

import pytest

from k8swin_nb.errors import DriftFound, HostUnreachable, StepFailed
from k8swin_nb.phases import phase_01_network as network
from k8swin_nb.phases.network import anti_spoofing, plan_file
from k8swin_nb.phases.network.flannel import net_conf
from k8swin_nb.phases.network.handover import Handover, RouteListing
from k8swin_nb.phases.network.static_routes import NodeRoute, listings, read_routes
from k8swin_nb.phases.pods.flannel_manifest import manifest
from k8swin_nb.phases.preflight.checks import HostFacts
from k8swin_nb.phases.windows.cni import cni_conf
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import State
from tests.runs import Hosts, at, make_run
from tests.test_description import MASTER, WORKER

HYPERVISOR = {
    "name": "hyperv01",
    "address": "10.1.0.9",
    "os": "windows",
    "role": "hypervisor",
    "user": "Administrator",
    "credential": "env:HV_PASSWORD",
}


def a_run(folder=None, connections=None, *, platform=None, hosts=None, **changes) -> PhaseRun:
    worker = {**WORKER, **({"platform": platform} if platform else {})}
    return make_run(folder, connections, hosts=hosts or [MASTER, worker], **changes)


@pytest.mark.parametrize(
    ("facts", "platform"),
    [
        ({"manufacturer": "VMware, Inc. VMware7,1"}, "vmware"),
        ({"manufacturer": "Microsoft Corporation Virtual Machine"}, "hyper-v"),
        ({"manufacturer": "Microsoft Corporation Surface"}, "physical"),
        ({"manufacturer": "QEMU Standard PC (Q35 + ICH9, 2009)"}, "kvm"),
        ({"manufacturer": "OpenStack Foundation OpenStack Nova"}, "openstack"),
        ({"manufacturer": "Red Hat OpenStack Compute"}, "openstack"),
        ({"manufacturer": "Amazon EC2 m5.large"}, "cloud"),
        ({"manufacturer": "Dell Inc. PowerEdge R640"}, "physical"),
        ({"virtualisation": "microsoft"}, "hyper-v"),
        ({"virtualisation": "systemd-nspawn"}, "physical"),
        ({}, "physical"),
    ],
)
def test_the_platform_is_found_out_from_what_the_machine_says(facts, platform):
    assert anti_spoofing.detect(HostFacts(facts)) == platform


def needed(**options) -> dict[str, str]:
    return {need.host: need.commands for need in anti_spoofing.needs(a_run(**options))}


def test_each_platform_gets_commands_for_its_own_machine():
    assert (
        "Set-VMNetworkAdapter -MacAddressSpoofing On" in needed(platform="hyper-v")["winworker01"]
    )
    assert "-VMName 'winworker01'" in needed(platform="hyper-v")["winworker01"]
    assert "-ForgedTransmits $true" in needed(platform="vmware")["winworker01"]
    assert "virsh edit winworker01" in needed(platform="kvm")["winworker01"]
    assert (
        "--allowed-address ip-address=10.244.0.0/16" in needed(platform="openstack")["winworker01"]
    )
    assert "topology: vxlan" in needed(platform="cloud")["winworker01"]


def test_nothing_is_needed_on_physical_machines_or_with_vxlan():
    assert needed(platform="physical") == {}
    assert needed(platform="vmware", topology="vxlan") == {}
    assert "vxlan" in str(anti_spoofing.encapsulated(at(a_run(topology="vxlan"))))
    assert anti_spoofing.encapsulated(at(a_run(topology="l3"))) is None


def test_a_platform_that_filters_addresses_concerns_linux_nodes_too():
    master = {**MASTER, "platform": "openstack"}
    assert set(needed(hosts=[master, {**WORKER, "platform": "openstack"}])) == {
        "linuxmaster",
        "winworker01",
    }
    master = {**MASTER, "platform": "hyper-v"}
    assert set(needed(hosts=[master, {**WORKER, "platform": "hyper-v"}])) == {"winworker01"}


def test_a_hyper_v_host_in_the_inventory_needs_no_person():
    hosts = [MASTER, {**WORKER, "platform": "hyper-v"}, HYPERVISOR]
    assert needed(hosts=hosts) == {}
    run = a_run(hosts=[MASTER, {**WORKER, "vm_name": "Worker 1"}, HYPERVISOR])
    assert anti_spoofing.vm_names(at(run)) == {"vm_names": "Worker 1", "hypervisors": "1"}


def test_a_machines_name_is_quoted_as_its_hypervisors_shell_reads_it():
    name = "Worker's 2 $(x)"
    on = {p: [MASTER, {**WORKER, "vm_name": name, "platform": p}] for p in ("hyper-v", "kvm")}
    assert "-VMName 'Worker''s 2 $(x)' |" in needed(hosts=on["hyper-v"])["winworker01"]
    lines = needed(hosts=on["kvm"])["winworker01"].splitlines()
    line = next(line for line in lines if line.startswith("virsh"))
    assert shlex.split(line) == ["virsh", "edit", name]


def test_nobodys_word_is_a_warning_and_a_word_is_recorded_once(tmp_path):
    quiet = a_run(platform="vmware")
    verdict = anti_spoofing.check_attested(at(quiet))
    assert verdict.state is State.OK
    assert verdict.detail.startswith("warning: nobody attests")
    assert "winworker01 (VMware vSphere)" in verdict.detail

    run = a_run(tmp_path, platform="vmware", anti_spoofing_attested="A. Miller, 2026-11-26")
    assert anti_spoofing.check_attested(at(run)).state is State.NEEDED
    anti_spoofing.record_attestation(at(run))
    assert anti_spoofing.check_attested(at(run)).state is State.OK
    (event,) = [json.loads(line) for line in run.record.path.read_text().splitlines()]
    assert event["event"] == "attestation"
    assert event["attested"] == "A. Miller, 2026-11-26"
    assert event["hosts"] == {"winworker01": "vmware"}
    assert event["operator"]
    assert event["time"]


def test_an_attestation_for_other_machines_does_not_count(tmp_path):
    word = "A. Miller, 2026-11-26"
    run = a_run(tmp_path, platform="vmware", anti_spoofing_attested=word)
    anti_spoofing.record_attestation(at(run))
    moved = a_run(tmp_path, platform="kvm", anti_spoofing_attested=word)
    assert anti_spoofing.check_attested(at(moved)).state is State.NEEDED


ROUTES = [
    NodeRoute("linuxmaster", IPv4Network("10.244.0.0/24"), "10.1.0.2"),
    NodeRoute("winworker01", IPv4Network("10.244.1.0/24"), "10.1.0.3"),
]


def test_routes_are_given_in_the_words_of_the_usual_routers():
    last = {router: commands[-1] for router, commands in listings(ROUTES).items()}
    assert last == {
        "Linux (iproute2)": "ip route replace 10.244.1.0/24 via 10.1.0.3",
        "Cisco IOS, IOS XE": "ip route 10.244.1.0 255.255.255.0 10.1.0.3 name winworker01",
        "Cisco NX-OS, Arista EOS": "ip route 10.244.1.0/24 10.1.0.3 name winworker01",
        "Juniper Junos": "set routing-options static route 10.244.1.0/24 next-hop 10.1.0.3",
        "Windows Server (RRAS)": (
            "New-NetRoute -DestinationPrefix 10.244.1.0/24 -NextHop 10.1.0.3 -InterfaceAlias <alias>"
        ),
    }


@pytest.fixture
def answering(tmp_path):
    """Make a run on a control plane that says which node has which network."""

    def answering(code: int, text: str) -> PhaseRun:
        return a_run(tmp_path, Hosts({"linux/node_networks.check.sh": (code, text)}))

    return answering


def test_routes_are_read_from_the_live_nodes_and_a_node_without_a_network_has_none(answering):
    text = "linuxmaster\t10.1.0.2\t10.244.0.0/24\nwinworker01\t10.1.0.3\t\n"
    assert read_routes(answering(0, text)) == ROUTES[:1]


def test_there_are_no_routes_before_there_is_a_cluster(answering):
    assert read_routes(answering(10, "there is no cluster on this host yet\n")) == []
    with pytest.raises(StepFailed):
        read_routes(answering(1, ""))


@pytest.mark.parametrize("told", ["0.0.0.0/0", "10.1.0.0/24", "10.244.0.0/15", "192.0.2.0/24"])
def test_a_network_that_is_no_part_of_the_pods_is_no_route(answering, told):
    with pytest.raises(StepFailed, match=r"expected one in 10\.244\.0\.0/16"):
        read_routes(answering(0, f"winworker01\t10.1.0.3\t{told}\n"))


def test_a_cluster_that_does_not_answer_ends_no_notebook(answering):
    shown = repr(network.PHASE.views["routes"](answering(1, "")))
    assert "could not be read" in shown
    assert "does not answer" in shown


def test_the_listing_says_who_needs_the_routes_and_which_nodes_are_missing():
    shown = repr(RouteListing(a_run(topology="l3").plan, ROUTES[:1]))
    assert "The site's router needs these routes" in shown
    assert "Not a node yet: winworker01" in shown
    assert "<pre style=" in RouteListing(a_run().plan, ROUTES)._repr_html_()
    assert "No router needs" in RouteListing(a_run(topology="vxlan").plan, ROUTES).note


def test_ovn_is_handed_over_with_all_that_it_must_agree_with():
    document = Handover(a_run(topology="ovn"))
    plan = json.loads(document.text)
    assert plan["topology"] == "ovn"
    assert plan["pod_subnet"] == "10.244.0.0/16"
    assert (plan["api_service_ip"], plan["dns_service_ip"]) == ("10.96.0.1", "10.96.0.10")
    assert plan["api_server"] == "https://10.1.0.2:6443"
    assert [node["name"] for node in plan["nodes"]] == ["linuxmaster", "winworker01"]
    assert "not installed by this tool" in document.note


def test_the_pod_network_by_ovn_is_refused_with_what_to_hand_over():
    with pytest.raises(StepFailed) as caught:
        manifest(at(a_run(topology="ovn")))
    assert "this tool does not install" in str(caught.value)
    assert "phase.handover()" in str(caught.value.hint)


def test_with_l3_linux_only_hands_out_networks_and_windows_makes_its_bridge():

    plan = a_run(topology="l3").plan
    assert json.loads(net_conf(plan))["Backend"] == {"Type": "alloc"}
    windows = json.loads(net_conf(plan, windows=True))["Backend"]
    assert windows == {"Type": "host-gw", "Name": "cbr0"}
    assert json.loads(cni_conf(plan, "10.1.0.3"))["delegate"]["type"] == "win-bridge"


class TestThePlanBesideAClusterThatStands:
    def saved(self, folder, answer, **changes):
        """Apply the step `plan`; return how it ended, and the plan that is saved then."""
        run = make_run(folder, Hosts({plan_file.NETWORKS: answer}), phase=network.PHASE, **changes)
        path = plan_file.plan_file(run)
        try:
            row = apply_step(run, network.PHASE.step("plan")).rows[0]
            said = f"{row.outcome} {row.detail}"
        except (StepFailed, HostUnreachable) as error:
            said = type(error).__name__
        return said, json.loads(path.read_text())["pod_subnet"] if path.exists() else None

    def test_a_plan_with_other_networks_is_not_saved_over_the_clusters(self, tmp_path):
        other = "10.200.0.0/16"
        well = "the cluster on this host has pods in 10.244.0.0/16"
        stands = (
            20,
            "hint: give it those\na cluster stands on this host with pods in 10.244.0.0/16",
        )
        assert self.saved(tmp_path, stands, pod_subnet=other) == ("DriftFound", None)
        assert self.saved(tmp_path, well)[1] == "10.244.0.0/16"
        assert self.saved(tmp_path, stands, pod_subnet=other) == ("DriftFound", "10.244.0.0/16")
        # Also where a plan is saved already that the cluster refuses.
        assert self.saved(tmp_path, "no cluster stands on this host", pod_subnet=other)[1] == other
        assert self.saved(tmp_path, stands, pod_subnet=other) == ("DriftFound", other)

    def test_of_a_host_that_cannot_be_asked_the_next_step_tells_but_no_other_plan_is_lost(
        self, tmp_path
    ):
        gone = HostUnreachable("linuxmaster", "nobody answers")
        changed = "changed the plan is saved in plan.json"
        assert self.saved(tmp_path, gone) == (changed, "10.244.0.0/16")
        assert self.saved(tmp_path, gone, kubernetes_version="1.35.1") == (changed, "10.244.0.0/16")
        other = self.saved(tmp_path, gone, pod_subnet="10.200.0.0/16")
        assert other == ("HostUnreachable", "10.244.0.0/16")

    def test_a_dry_run_says_it_too(self, tmp_path):
        hosts = Hosts({plan_file.NETWORKS: (20, "a cluster stands on this host with others")})
        run = make_run(tmp_path, hosts, phase=network.PHASE, dry_run=True)
        with pytest.raises(DriftFound, match="a cluster stands on this host"):
            apply_step(run, network.PHASE.step("plan"))
