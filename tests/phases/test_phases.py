"""All phases: names, scripts and values fit together."""

import json
import re
from pathlib import Path

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.phases.linux.kubeadm import kubeadm_init
from k8swin_nb.phases.network.flannel import net_conf
from k8swin_nb.phases.values import VALUES
from k8swin_nb.phases.windows.artifacts import LAYOUT, worker_artifacts
from k8swin_nb.phases.windows.cni import cni_conf
from k8swin_nb.plan import network_plan
from k8swin_nb.scripts import Script, names
from tests.test_description import described

ROOT = Path(__file__).parent.parent.parent
STEPS = [
    (variant, step)
    for phase in PHASES
    for variant in (phase, *(phase.variant(name) for name in phase.variants))
    for step in variant.steps
]
NAMES = [f"{phase.name}/{step.name}" for phase, step in STEPS]
OF_ONE_STEP = {
    "card_unnamed",
    "containerd_sha256",
    "kubelet_config",
    "node_labels",
    "node_taints",
    "api_expected",
    "cluster_profile",
    "containerd_config",
    "control_plane_ports",
    "cgroup_v1_required",
    "download_hosts",
    "hypervisors",
    "service",
    "vm_names",
    "test_app",
    "test_os",
    "targets",
    "external_name",
    "probe_seconds",
    "exec_seconds",
    "pod",
    "pod_os",
    "viewer",
    "token_seconds",
    "kubectl_creates_tokens",
    "worker_name",
    "worker_address",
    "kubelet_flags_removed",
    "test_replicas",
    "admin_sha256",
    "admin_days",
    "node_pod_cidr",
    "job",
    "closed_nodes",
    "emptydir_flag",
    "whole_cluster",
    "closed_before",
    "apps_gone_before",
    "drain_seconds",
    "keep_images",
    "remove_packages",
    "restore_swap",
    "removed_places",
    "cri_socket",
}
"""Values that a step supplies for itself."""
SECRETS = {
    "JoinConfiguration",
    "JOIN_CONFIGURATION",
    "FlannelKubeconfig",
    "KubeProxyKubeconfig",
    "AdminKubeconfig",
    "KUBECONFIG_TEXT",
}


TOOLS = "\n".join(path.read_text() for path in (ROOT / "k8swin_nb" / "host_tools").glob("*.py"))
"""What asks hosts apart from steps: by a script of either system, which it names without system and ending."""

OF_TOOLS = {
    name for name in names() if f'"{name.partition("/")[2].rpartition(".")[0]}"' in TOOLS
} | {"linux/detached.job.sh"}
"""The scripts of these."""


def folded(name: str) -> str:
    return name.replace("_", "").lower()


@pytest.mark.parametrize("name", names())
def test_every_declared_parameter_has_a_value(name):
    known = {folded(value) for table in VALUES.values() for value in table}
    known |= {folded(value) for value in OF_ONE_STEP} | {folded(value) for value in SECRETS}
    declared = {folded(parameter.name) for parameter in Script.load(name).parameters}
    if name == "windows/hns_removed.job.ps1":
        known |= {
            "placeholder",
            "timeoutseconds",
        }  # of the script that starts it, and its own default
    if name == "windows/pod_network.job.ps1":
        known |= {"attemptseconds", "attempts", "externalnetworkfile"}  # the job's own defaults
    if name == "windows/flanneld.run.ps1":
        known.add("argumentsfile")  # likewise
    if name == "windows/register.apply.ps1":
        known.add("registerseconds")  # likewise
    if "/host_lock" in name:
        known |= {
            "lockholder",
            "locklost",
            "lockbreaker",
            "locksilence",
        }  # of the lock, which is no step
    if name == "container/webserver.ps1":
        known.add("port")  # likewise
    if name in OF_TOOLS:
        known |= {folded(word) for word in re.findall(r"\w+", TOOLS)}
    assert declared <= known


@pytest.mark.parametrize("name", names())
def test_every_script_says_what_it_does(name):
    assert Script.load(name).summary.endswith((".", "?"))


@pytest.mark.parametrize(("phase", "step"), STEPS, ids=NAMES)
def test_every_steps_scripts_exist(phase, step):
    for name in step.scripts:
        assert Script.load(name).text


def test_every_script_is_used():
    used = {name for _, step in STEPS for name in step.scripts}
    source = "\n".join(path.read_text() for path in (ROOT / "k8swin_nb").rglob("*.py"))
    unused = [name for name in names() if name not in used and f'"{name}"' not in source]
    assert set(unused) <= OF_TOOLS


def test_step_names_are_unique_in_a_phase():
    for phase in PHASES:
        found = [step.name for step in phase.steps]
        assert len(found) == len(set(found))


PROVES_NOTHING = {
    "01_network/reach-linux": "the plan is a file of this computer",
    "01_network/reach-windows": "likewise",
    "01_network/preflight-linux": "likewise",
    "01_network/preflight-windows": "likewise",
    "01_network/hosts-together": "likewise",
    "03_flannel/network-of-others": "what others make; flannel is not deployed there",
    "06_verify/load-balancing": "the test app's pods alone, which 05 makes",
}
"""Steps that only look, behind one that changes something, and what they look at."""


@pytest.mark.parametrize(("phase", "step"), STEPS, ids=NAMES)
def test_what_a_step_proves_or_follows_comes_before_it(phase, step):
    before = phase.steps[: phase.steps.index(step)]
    named = {*step.proves, *step.follows}
    assert named <= {each.name for each in before}
    assert step.apply is None or not step.proves, "what changes something says what it follows"
    # What is found now is not what will be: whoever looks only says whose work that is.
    if step.apply is None and any(each.apply for each in before):
        assert bool(step.proves) != (f"{phase.name}/{step.name}" in PROVES_NOTHING)


def test_the_built_in_lock_fits_the_default_versions():
    listed = json.loads(worker_artifacts(check_description(described())))
    assert {entry["name"] for entry in listed} == set(LAYOUT)
    assert all(len(entry["hash"]) == 64 or entry["hash"] == "published" for entry in listed)


def test_cni_conf_names_the_dns_server_and_keeps_inner_addresses():
    plan = network_plan(check_description(described(service_subnet="10.192.0.0/12")))
    conf = json.loads(cni_conf(plan, "10.1.0.3"))
    delegate = conf["delegate"]
    assert delegate["apiVersion"] == 2
    assert delegate["dns"]["Nameservers"] == ["10.192.0.10"]
    exceptions = delegate["policies"][0]["value"]["Settings"]["Exceptions"]
    nodes = [f"{address}/32" for _, address, _ in plan.nodes]
    assert exceptions == ["10.244.0.0/16", "10.192.0.0/12", *nodes]
    assert "10.1.0.3/32" in nodes
    assert conf["name"] == json.loads(net_conf(plan, windows=True))["Backend"]["Name"]


def test_vxlan_uses_what_windows_needs_on_linux_too():
    plan = network_plan(check_description(described(topology="vxlan")))
    for windows in (False, True):
        backend = json.loads(net_conf(plan, windows=windows))["Backend"]
        assert (backend["VNI"], backend["Port"]) == (4096, 4789)


@pytest.mark.parametrize("version", ["1.20.2", "1.36.4"])
def test_kubelet_arguments_have_the_shape_of_the_api_version(version):
    import yaml

    description = check_description(described(kubernetes_version=version))
    init = next(
        yaml.safe_load_all(
            kubeadm_init(description, network_plan(description), description.hosts[0])
        )
    )
    arguments = init["nodeRegistration"]["kubeletExtraArgs"]
    assert arguments == (
        [{"name": "node-ip", "value": "10.1.0.2"}]
        if version == "1.36.4"
        else {"node-ip": "10.1.0.2"}
    )


def test_cgroup_v1_is_accepted_only_when_asked():
    import yaml

    for allowed in (False, True):
        description = check_description(described(allow_cgroup_v1=allowed))
        kubelet = list(
            yaml.safe_load_all(
                kubeadm_init(description, network_plan(description), description.hosts[0])
            )
        )[2]
        assert kubelet.get("failCgroupV1") == (False if allowed else None)


def test_objects_that_controllers_write_into_are_given_a_moment_before_they_must_equal_the_plan():
    compared = [
        step
        for _, step in STEPS
        if step.apply
        and any("manifest_to_kubectl diff" in Script.load(n).text for n in step.scripts)
    ]
    assert {step.name for step in compared} == {"test-app", "dashboard"}
    assert all(step.wait > 0 for step in compared)
