"""Kubernetes 1.13 on Docker, and what differs between versions, beside a real host with 1.20.2."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from k8swin_lab.internet import install
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.internet.releases import kubernetes_archive
from k8swin_lab.linux.kubeadm import versions
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.network import Network

from lab.tests.linux.conftest import run_on

INIT = """\
apiVersion: kubeadm.k8s.io/v1beta1
kind: InitConfiguration
nodeRegistration:
  criSocket: /var/run/dockershim.sock
  kubeletExtraArgs: {node-ip: 192.168.160.10}
---
apiVersion: kubeadm.k8s.io/v1beta1
kind: ClusterConfiguration
kubernetesVersion: v1.13.12
imageRepository: registry.k8s.io
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
"""
ADDITION = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
"""
FLANNEL = """\
kind: ClusterRole
apiVersion: rbac.authorization.k8s.io/v1beta1
metadata: {name: flannel}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [nodes], verbs: [list, watch]}
- {apiGroups: [""], resources: [nodes/status], verbs: [patch]}
---
kind: ClusterRoleBinding
apiVersion: rbac.authorization.k8s.io/v1beta1
metadata: {name: flannel}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: flannel}
subjects: [{kind: ServiceAccount, name: flannel, namespace: kube-system}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: flannel, namespace: kube-system}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: kube-flannel-cfg, namespace: kube-system}
data:
  cni-conf.json: '{"name": "cbr0", "plugins": [{"type": "flannel"}, {"type": "portmap"}]}'
  net-conf.json: '{"Network": "10.244.0.0/16", "Backend": {"Type": "host-gw"}}'
---
apiVersion: extensions/v1beta1
kind: DaemonSet
metadata: {name: kube-flannel-ds-amd64, namespace: kube-system}
spec:
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      nodeSelector: {beta.kubernetes.io/arch: amd64}
      tolerations: [{operator: Exists, effect: NoSchedule}]
      serviceAccountName: flannel
      initContainers:
      - name: install-cni
        image: quay.io/coreos/flannel:v0.11.0-amd64
        command: [cp]
        args: [-f, /etc/kube-flannel/cni-conf.json, /etc/cni/net.d/10-flannel.conflist]
        volumeMounts: [{name: cni, mountPath: /etc/cni/net.d}, {name: cfg, mountPath: /etc/kube-flannel/}]
      containers:
      - name: kube-flannel
        image: quay.io/coreos/flannel:v0.11.0-amd64
        command: [/opt/bin/flanneld]
        args: [--ip-masq, --kube-subnet-mgr]
        volumeMounts: [{name: run, mountPath: /run/flannel}, {name: cfg, mountPath: /etc/kube-flannel/}]
      volumes:
      - {name: run, hostPath: {path: /run/flannel}}
      - {name: cni, hostPath: {path: /etc/cni/net.d}}
      - {name: cfg, configMap: {name: kube-flannel-cfg}}
"""


def classic_host(network: Network, root: Path, address: str = "192.168.160.10") -> LinuxMachine:
    """An Ubuntu 18.04 with Docker, kubeadm 1.13.12 and the CNI plugins, all from archives."""
    machine = LinuxMachine(
        "linuxmaster",
        address,
        network,
        linux_software(),
        root=root,
        distribution="bionic",
        swap=False,
    )
    for name, version in (("docker", "18.06.3-ce"), ("dockerd", "18.06.3-ce")):
        machine.write_file(f"/usr/local/bin/{name}", stand_in(name, version), 0o755)
    with tarfile.open(fileobj=io.BytesIO(kubernetes_archive("1.13.12", "node"))) as archive:
        for name in ("kubeadm", "kubelet", "kubectl"):
            member = archive.extractfile(f"kubernetes/node/bin/{name}")
            assert member is not None
            machine.write_file(f"/usr/local/bin/{name}", member.read(), 0o755)
    for name in ("flannel", "portmap", "loopback", "host-local", "bridge"):
        machine.write_file(f"/opt/cni/bin/{name}", stand_in(name, "0.6.0"), 0o755)
    machine.write_file("/etc/docker/daemon.json", '{"exec-opts": ["native.cgroupdriver=systemd"]}')
    machine.write_file(
        "/etc/systemd/system/docker.service",
        "[Service]\nType=notify\nExecStart=/usr/local/bin/dockerd\n",
    )
    machine.write_file(
        "/etc/systemd/system/kubelet.service",
        "[Service]\nExecStart=/usr/local/bin/kubelet\nRestart=always\n",
    )
    machine.write_file("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", ADDITION)
    machine.units.start("docker.service")
    machine.write_file("/root/init.yaml", INIT.replace("192.168.160.10", address))
    return machine


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinuxMachine]:
    network = Network()
    install(network)
    machine = classic_host(network, tmp_path_factory.mktemp("classic") / "root")
    done = run_on(machine, "kubeadm init --config /root/init.yaml")
    assert done.code == 0, done.out + done.err
    yield machine
    machine.shut_down()


def kubectl(machine: LinuxMachine, line: str, **options: str):
    return run_on(machine, f"kubectl --kubeconfig /etc/kubernetes/admin.conf {line}", **options)


def test_a_node_of_1_13_runs_on_docker_and_bears_the_labels_of_its_time(classic):
    row = kubectl(classic, "get nodes --show-labels -o wide").out.splitlines()[1]
    assert "v1.13.12" in row
    assert "docker://18.06.3-ce" in row
    labels = row.split()[-1]
    assert "node-role.kubernetes.io/master=" in labels
    assert "beta.kubernetes.io/os=linux" in labels
    assert ",kubernetes.io/os=" not in labels


def test_the_kubelets_flags_are_those_of_the_dockershim(classic):
    flags = classic.read_text("/var/lib/kubelet/kubeadm-flags.env")
    assert "--network-plugin=cni" in flags
    assert "--container-runtime" not in flags
    assert classic.kubelet_options["node-ip"] == "192.168.160.10"


def test_nothing_pins_kube_proxy_and_coredns_to_linux_on_1_13(classic):
    for what in ("ds/kube-proxy", "deploy/coredns"):
        shown = kubectl(classic, f"-n kube-system get {what} -o jsonpath='{{.spec.template.spec}}'")
        assert "nodeSelector" not in shown.out


def test_readiness_has_its_path_only_from_1_16_on(classic):
    assert kubectl(classic, "get --raw /healthz").out == "ok"
    missing = kubectl(classic, "get --raw /readyz")
    assert missing.code == 1
    assert "the server could not find the requested resource" in missing.err


def test_every_account_has_a_token_secret_and_pods_mount_it(classic):
    rows = kubectl(classic, "-n kube-system get secrets").out
    assert "coredns-token-" in rows
    pods = classic.cluster.objects("pods", "kube-system")
    dns = next(pod for pod in pods if pod["metadata"]["name"].startswith("coredns"))
    assert any("coredns-token-" in volume["name"] for volume in dns["spec"]["volumes"])


def test_the_old_flannel_is_deployed_by_its_old_manifest_and_makes_the_node_ready(classic):
    classic.write_file("/root/flannel.yml", FLANNEL)
    applied = kubectl(classic, "apply -f /root/flannel.yml")
    assert applied.code == 0, applied.err
    assert kubectl(classic, "apply -f /root/flannel.yml").out.count("unchanged") == 5
    assert classic.cluster.wait_until(lambda: " Ready " in kubectl(classic, "get nodes").out), (
        kubectl(classic, "describe nodes").out
    )
    # The node is Ready as soon as there is a CNI configuration; flanneld comes a moment later.
    subnet, rules = "/run/flannel/subnet.env", "-A FORWARD -s 10.244.0.0/16 -j ACCEPT"
    assert classic.cluster.wait_until(
        lambda: classic.exists(subnet) and rules in run_on(classic, "iptables -S").out
    )
    assert "FLANNEL_SUBNET=10.244.0.1/24" in classic.read_text(subnet)
    notes = classic.cluster.object("nodes", "linuxmaster")["metadata"]["annotations"]
    assert notes["flannel.alpha.coreos.com/backend-type"] == "host-gw"


def test_what_a_later_kubernetes_serves_is_not_found(classic):
    served = kubectl(classic, "api-versions").out.split()
    assert {"extensions/v1beta1", "apps/v1beta2", "rbac.authorization.k8s.io/v1beta1"} <= set(
        served
    )
    assert not {"policy/v1", "discovery.k8s.io/v1", "certificates.k8s.io/v1"} & set(served)


def test_kubectl_of_a_version_knows_only_the_options_of_that_version(classic):
    refused = kubectl(classic, "drain linuxmaster --delete-emptydir-data")
    assert (refused.code, "unknown flag: --delete-emptydir-data" in refused.err) == (1, True)
    assert kubectl(classic, "version --short").out.startswith("Client Version: v1.13.12\n")


def test_containers_of_pods_are_docker_containers_with_their_names(classic):
    names = run_on(classic, "docker ps --format '{{.Names}}'").out
    assert "k8s_kube-apiserver_kube-apiserver-linuxmaster_kube-system_" in names


def test_a_configuration_of_another_generation_is_refused(classic):
    classic.write_file("/root/new.yaml", INIT.replace("v1beta1", "v1beta4", 2))
    found = run_on(classic, "kubeadm config images list --config /root/new.yaml")
    assert found.code == 1
    assert (
        'no kind "InitConfiguration" is registered for version "kubeadm.k8s.io/v1beta4"'
        in found.err
    )


def test_a_field_that_does_not_exist_is_a_warning_in_old_versions(classic):
    classic.write_file("/root/field.yaml", INIT.replace("podSubnet", "podSubnett"))
    found = run_on(classic, "kubeadm config images list --config /root/field.yaml")
    assert found.code == 0
    assert 'json: unknown field "podSubnett"' in found.err


def test_extra_arguments_as_a_list_are_refused_before_v1beta4(classic):
    text = INIT.replace("{node-ip: 192.168.160.10}", "[{name: node-ip, value: 192.168.160.10}]")
    classic.write_file("/root/list.yaml", text)
    found = run_on(classic, "kubeadm config images list --config /root/list.yaml")
    assert found.code == 1
    assert "cannot unmarshal array into Go struct field" in found.err


def test_reset_leaves_the_network_and_a_second_cluster_can_be_made(network, tmp_path: Path):
    machine = classic_host(network, tmp_path / "again")
    assert run_on(machine, "kubeadm init --config /root/init.yaml").code == 0
    # kube-proxy writes its rules as soon as its pod runs.
    assert machine.cluster.wait_until(
        lambda: ":KUBE-SERVICES" in run_on(machine, "iptables-save").out
    )
    done = run_on(machine, "kubeadm reset -f")
    assert done.code == 0
    assert "The reset process does not reset or clean up iptables rules" in done.out
    assert ":KUBE-SERVICES" in run_on(machine, "iptables-save").out
    assert not list(machine.path("/etc/kubernetes/manifests").iterdir())
    assert run_on(machine, "docker ps -q").out == ""
    assert run_on(machine, "kubeadm init --config /root/init.yaml").code == 0
    machine.shut_down()


def test_swap_and_a_docker_with_another_cgroup_driver_stop_the_init(network, tmp_path: Path):
    machine = classic_host(network, tmp_path / "swap")
    machine.swap_on("/swap.img")
    found = run_on(machine, "kubeadm init --config /root/init.yaml")
    assert "[ERROR Swap]: running with swap on is not supported. Please disable swap" in found.err
    machine.swap_off("/swap.img")
    machine.write_file("/etc/docker/daemon.json", "{}")
    machine.units.restart("docker.service")
    found = run_on(machine, "kubeadm init --config /root/init.yaml")
    assert found.code == 1
    log = run_on(machine, "journalctl -u kubelet --no-pager").out
    assert "is different from docker cgroup driver" in log


def test_control_groups_v2_are_too_new_for_1_13(network, tmp_path: Path):
    machine = classic_host(network, tmp_path / "v2")
    machine.kernel.cgroup = "v2"
    found = run_on(machine, "kubeadm init --config /root/init.yaml")
    assert "[ERROR SystemVerification]: missing cgroups" in found.err


@pytest.mark.parametrize(
    ("version", "api", "repository", "config_map", "taints"),
    [
        ("v1.13.12", "v1beta1", "k8s.gcr.io", "kubelet-config-1.13", ["master"]),
        ("v1.20.2", "v1beta2", "k8s.gcr.io", "kubelet-config-1.20", ["master"]),
        ("v1.22.17", "v1beta3", "registry.k8s.io", "kubelet-config-1.22", ["master"]),
        ("v1.24.17", "v1beta3", "registry.k8s.io", "kubelet-config", ["control-plane", "master"]),
        ("v1.31.14", "v1beta4", "registry.k8s.io", "kubelet-config", ["control-plane"]),
    ],
)
def test_names_and_places_follow_the_version(version, api, repository, config_map, taints):
    assert versions.own_api(version) == api
    assert versions.image_repository(version) == repository
    assert versions.kubelet_config_map(version) == config_map
    found = [one["key"].rpartition("/")[2] for one in versions.control_plane_taints(version)]
    assert found == taints


def test_the_images_of_1_20_2_are_those_that_a_real_kubeadm_lists():
    assert versions.images("v1.20.2", "k8s.gcr.io", {}, {}) == [
        "k8s.gcr.io/kube-apiserver:v1.20.2",
        "k8s.gcr.io/kube-controller-manager:v1.20.2",
        "k8s.gcr.io/kube-scheduler:v1.20.2",
        "k8s.gcr.io/kube-proxy:v1.20.2",
        "k8s.gcr.io/pause:3.2",
        "k8s.gcr.io/etcd:3.4.13-0",
        "k8s.gcr.io/coredns:1.7.0",
    ]
