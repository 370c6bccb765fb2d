"""What an error's hint says is done, and the step then passes; on the lab's machines, whose cluster is built once."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from k8swin_lab import topology
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network
from k8swin_lab.machines.program import Process

from k8swin_nb.errors import K8swinError, StepFailed
from k8swin_nb.phases.catalogue import phase
from k8swin_nb.phases.windows import detached
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import apply_step
from tests.conftest import ROOT
from tests.steps.world import World, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]

AT_ONCE = 60
"""Seconds that tell a wait that ended from one that went on for its whole time, on a busy computer too."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cluster of a control plane and a Linux worker."""
    folder = tmp_path_factory.mktemp("hints")
    shutil.copytree(ROOT / "params", folder / "params")
    with (
        pytest.MonkeyPatch.context() as patch,
        free_network() as network,
        Lab(folder / "lab", machines(network)) as lab,
    ):
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.2)
        patch.setattr(runner, "VERIFY_INTERVAL", 0.2)
        opened = open_world(lab, folder, host_key_policy="accept-new", test_os="linux")
        for name in ("01_network", "02_master", "03_flannel", "04_join_linux"):
            for step in phase(name).steps:
                apply(opened, f"{name}/{step.name}")
        yield opened
        opened.pool.close()


def machines(network: str) -> list[topology.MachineSpec]:
    master = topology.default(network)[0]
    address = network.replace("0/24", "11")
    return [master, dataclasses.replace(master, name="linuxworker01", address=address)]


def apply(world: World, *steps: str) -> Report:
    """Apply steps as another notebook would; the first error ends it."""
    reports = Report("")
    for name in steps:
        of = phase(name.partition("/")[0])
        target = world.run().inventory.host("linuxworker01").address if of.target else ""
        run = world.run(of, target)
        for needed in ("api-ready", "pod-network-planned", "cluster-ca"):
            if of.target and needed in {step.name for step in of.steps}:
                apply_step(run, of.step(needed))
        reports.rows += apply_step(run, of.step(name.partition("/")[2])).rows
    return reports


def failed(world: World, step: str) -> StepFailed:
    """Return the error of a step that must fail, well before its wait is over."""
    began = time.monotonic()
    with pytest.raises(StepFailed) as caught:
        apply(world, step)
    assert time.monotonic() - began < AT_ONCE
    return caught.value


def shell(world: World, host: str, line: str) -> str:
    """Run a line as root on a machine, as a person at its console would."""
    machine: Any = world.lab.machines[host]
    out = io.BytesIO()
    env = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
    machine.shell(line, Process(machine, [], env, "/root", "root", io.BytesIO(), out, out))
    return out.getvalue().decode()


def typed(error: K8swinError, pattern: str) -> str:
    """Return the command that a hint spells."""
    found = re.search(pattern, str(error.hint))
    assert found, error.hint
    return found[1]


KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"


@pytest.mark.parametrize(
    "other", [{"pod_subnet": "10.200.0.0/16"}, {"service_subnet": "10.97.0.0/16"}]
)
def test_other_networks_than_those_of_a_cluster_that_stands_are_refused_by_the_plan(world, other):
    name, planned = next(iter(other.items()))
    kept = world.description
    changed = open_world(world.lab, world.folder, host_key_policy="accept-new", **other).description
    error = failed(dataclasses.replace(world, description=changed), "01_network/plan")
    assert f"a cluster stands on this host with pods in {kept.pod_subnet}" in str(error)
    assert planned in str(error) and "90_teardown" in str(error.hint)
    # What is saved is that of the cluster.
    saved = json.loads((kept.state / "clusters" / kept.cluster_name / "plan.json").read_text())
    assert saved[name] == str(getattr(kept, name))
    assert apply(world, "01_network/plan").rows[0].outcome.value == "ok"


def test_a_node_that_was_deleted_comes_back_with_the_join_notebook(world):
    shell(world, "linuxmaster", f"{KUBECTL} delete node linuxworker01")
    report = apply(world, "04_join_linux/join", "04_join_linux/worker-ready")
    assert [row.outcome.value for row in report.rows] == ["changed", "ok"]


def test_a_kubelet_that_is_another_node_is_found_at_once(world):
    pem = "/var/lib/kubelet/pki/kubelet-client-current.pem"
    cluster = world.lab.machines["linuxmaster"].cluster
    certificate, key = cluster.authority.issue("system:node:box7", ("system:nodes",))
    kept = world.lab.machines["linuxworker01"].read_text(pem)
    world.lab.machines["linuxworker01"].write_file(pem, (certificate + key).decode())
    for step in ("04_join_linux/join", "04_join_linux/preflight"):
        error = failed(world, step)
        assert "box7" in str(error)
        assert "name this host box7 under `hosts`" in str(error.hint)
    world.lab.machines["linuxworker01"].write_file(pem, kept)
    apply(world, "04_join_linux/join")


def test_a_kubelet_that_ends_again_and_again_is_told_with_its_reason(world):
    flags = "KUBELET_EXTRA_ARGS=--network-plugin=cni\n"
    world.lab.machines["linuxworker01"].write_file("/etc/default/kubelet", flags)
    shell(world, "linuxmaster", f"{KUBECTL} delete node linuxworker01")
    error = failed(world, "04_join_linux/preflight")
    assert "take these flags out of KUBELET_EXTRA_ARGS in /etc/default/kubelet" in str(error.hint)
    shell(world, "linuxworker01", "systemctl restart kubelet")
    deadline = time.monotonic() + 60
    while int(shell(world, "linuxworker01", "systemctl show -p NRestarts --value kubelet")) < 3:
        assert time.monotonic() < deadline
        time.sleep(1)
    error = failed(world, "04_join_linux/worker-ready")
    assert "unknown flag: --network-plugin" in str(error)
    shell(world, "linuxworker01", "rm /etc/default/kubelet")
    apply(world, "04_join_linux/join", "04_join_linux/worker-ready")


def test_a_cni_file_before_flannels_ends_the_wait_and_is_moved_away(world):
    world.lab.machines["linuxmaster"].write_file("/etc/cni/net.d/05-calico.conflist", "{}\n")
    error = failed(world, "03_flannel/flannel-ready")
    assert "80_troubleshoot#second-cni-configuration" in str(error.hint)
    shell(world, "linuxmaster", typed(error, r"type (mv \S+ /root/)"))
    apply(world, "03_flannel/flannel-ready")


def test_a_cluster_that_was_not_made_from_here_is_drift_until_somebody_says_otherwise(world):
    shell(world, "linuxmaster", "rm /etc/k8swin/cluster-ca")
    for step in ("03_flannel/api-ready", "02_master/control-plane", "02_master/preflight"):
        error = failed(world, step)
        assert "was not made by these notebooks" in str(error)
    shell(world, "linuxmaster", typed(error, r"type: ([^;]+)"))
    apply(world, "02_master/preflight", "02_master/control-plane", "03_flannel/api-ready")


def test_a_cluster_whose_endpoint_is_a_name_is_drift_before_anything_is_deployed(world):
    change = "sed -i s/{}/{}/ /etc/kubernetes/admin.conf"
    address = world.run().inventory.host("linuxmaster").address
    shell(world, "linuxmaster", change.format(address, "k8s.corp.example"))
    try:
        for step in ("02_master/control-plane", "03_flannel/api-ready", "04_join_linux/join"):
            error = failed(world, step)
            assert "https://k8s.corp.example:6443" in str(error)
            assert "`control_plane_endpoint: " in str(error.hint)
    finally:
        shell(world, "linuxmaster", change.format("k8s.corp.example", address))
    apply(world, "03_flannel/api-ready")


def test_a_web_proxy_of_the_logins_is_handed_to_steps_and_runtime_and_goes_with_it(world):
    machine = world.lab.machines["linuxworker01"]
    before = machine.read_text("/etc/environment") if machine.exists("/etc/environment") else ""
    line = "https_proxy=http://me:hunter2@proxy.example:3128\nno_proxy=corp.example\n"
    machine.write_file("/etc/environment", before + line)
    assert apply(world, "04_join_linux/proxy").rows[0].outcome.value == "changed"
    report = apply(world, "04_join_linux/proxy")
    assert report.rows[0].outcome.value == "ok"
    assert "hunter2" not in report.rows[0].detail
    settings = machine.read_text("/etc/k8swin/proxy")
    assert "https_proxy='http://me:hunter2@proxy.example:3128'" in settings
    assert "no_proxy='corp.example,localhost,127.0.0.1," in settings
    told = machine.read_text("/etc/systemd/system/containerd.service.d/k8swin-proxy.conf")
    assert "EnvironmentFile=-/etc/k8swin/proxy" in told
    assert shell(world, "linuxworker01", "stat -c %a /etc/k8swin/proxy").strip() == "600"
    # As an apply leaves it that was interrupted before the services were started anew.
    shell(world, "linuxworker01", "sudo cp -p /etc/k8swin/proxy /etc/k8swin/proxy.new")
    (again,) = apply(world, "04_join_linux/proxy").rows
    assert again.outcome.value == "changed"
    assert again.difference.splitlines() == ["service containerd: runs -> started anew"]
    assert apply(world, "04_join_linux/proxy").rows[0].outcome.value == "ok"
    assert shell(world, "linuxworker01", "ls /etc/k8swin | grep -c '^proxy'").strip() == "1"
    machine.write_file("/etc/environment", before)
    (taken,) = apply(world, "04_join_linux/proxy").rows
    assert taken.outcome.value == "changed"
    # All of it is told before: files that go, and a runtime that ends for a moment.
    assert taken.difference.splitlines() == [
        "/etc/k8swin/proxy: names a proxy -> removed",
        *(
            f"/etc/systemd/system/{service}.service.d/k8swin-proxy.conf: names a proxy -> removed"
            for service in ("containerd", "docker")
        ),
        "service containerd: runs -> started anew",
    ]
    assert not machine.exists("/etc/k8swin/proxy")
    assert not machine.exists("/etc/systemd/system/containerd.service.d/k8swin-proxy.conf")


def test_logins_that_a_site_wrote_into_containerds_configuration_reach_no_record(world):
    machine, path = world.lab.machines["linuxworker01"], "/etc/containerd/config.toml"
    before = machine.read_text(path)
    images = next(
        n for n in ("io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri") if n in before
    )
    login = (
        f"""[plugins."{images}".registry.configs."site.example".auth]\nusername = "of-the-site"\n"""
    )
    machine.write_file(path, f"{before}\n{login}")
    of = phase("04_join_linux")
    run = world.run(of, world.run().inventory.host("linuxworker01").address)
    try:
        apply_step(run, of.step("container-runtime"))
        assert login in machine.read_text(path)
    finally:
        machine.write_file(path, before)
    kept = [p.read_text("utf-8") for p in run.record.folder.rglob("*") if p.is_file()]
    assert any("linux/containerd_config.check.sh" in text for text in kept)
    assert not any("of-the-site" in text for text in kept)


def test_an_image_that_is_refused_ends_the_wait_with_its_reason(world):
    master = "linuxmaster"
    deployment = f"{KUBECTL} -n kube-system"
    image = "{.spec.template.spec.containers[0].image}"

    def use(name: str) -> None:
        containers = [{"name": "coredns", "image": name}]
        patch = json.dumps({"spec": {"template": {"spec": {"containers": containers}}}})
        shell(world, master, f"{deployment} scale deployment coredns --replicas=0")
        shell(world, master, f"{deployment} patch deployment coredns -p '{patch}'")
        shell(world, master, f"{deployment} scale deployment coredns --replicas=2")

    before = shell(world, master, f"{deployment} get deployment coredns -o jsonpath='{image}'")
    assert "coredns" in before
    use("registry.k8s.io/coredns/coredns:v9.9.9")
    error = failed(world, "03_flannel/flannel-ready")
    assert "has no image" in str(error)
    assert "v9.9.9" in str(error)
    assert "make the image reachable" in str(error.hint)
    use(before.strip())
    shell(world, master, f"{deployment} rollout status deployment coredns --timeout=60s")
    assert before in shell(
        world, master, f"{deployment} get pods -o jsonpath='{{.items[*].spec.containers[0].image}}'"
    )
    apply(world, "03_flannel/flannel-ready")


def test_a_chain_that_drops_stops_until_the_ports_are_open(world):
    shell(world, "linuxworker01", "iptables -P INPUT DROP")
    try:
        error = failed(world, "04_join_linux/preflight")
        assert "L20 input-chain" in str(error)
        command = typed(error, r"(iptables -I INPUT [^,]+[^;]*?ACCEPT)")
        network = str(world.description.host_subnet)
        assert shell(world, "linuxworker01", command.replace("HOSTS", network)) == ""
        apply(world, "04_join_linux/preflight")
    finally:
        shell(world, "linuxworker01", "iptables -P INPUT ACCEPT")
