"""Documents and downloads by generation: what each version of Kubernetes and flannel is given."""

import json

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.linux.artifacts import linux_artifacts
from k8swin_nb.phases.linux.kubeadm import join_configuration, kubeadm_init
from k8swin_nb.phases.pods.flannel_manifest import flannel, flannel_image
from k8swin_nb.phases.pods.test_app import placement
from k8swin_nb.phases.values import pause_image
from k8swin_nb.phases.windows import configuration
from k8swin_nb.plan import network_plan
from tests.test_description import MASTER, described

OLD = {"kubernetes_version": "1.20.2", "containerd_version": "1.6.20"}


def description(**changes):
    return check_description(described(**changes))


def loaded(text: bytes) -> list[dict]:
    return list(yaml.safe_load_all(text))


def init(**changes) -> dict[str, dict]:
    given = description(**changes)
    found = loaded(kubeadm_init(given, network_plan(given), given.hosts[0]))
    return {document["kind"]: document for document in found}


@pytest.mark.parametrize(
    ("changes", "socket"),
    [
        ({"profile": "classic"}, "/var/run/dockershim.sock"),
        (OLD, "/run/containerd/containerd.sock"),
        ({}, "unix:///run/containerd/containerd.sock"),
    ],
)
def test_kubeadm_is_given_the_socket_of_the_profiles_runtime(changes, socket):
    assert init(**changes)["InitConfiguration"]["nodeRegistration"]["criSocket"] == socket


def test_kubeadm_1_13_is_given_nothing_that_it_does_not_know():
    found = init(profile="classic", allow_cgroup_v1=True)
    assert found["ClusterConfiguration"]["apiVersion"] == "kubeadm.k8s.io/v1beta1"
    assert found["InitConfiguration"]["nodeRegistration"]["kubeletExtraArgs"] == {
        "node-ip": "10.1.0.2"
    }
    assert "failCgroupV1" not in found["KubeletConfiguration"]
    assert "dns" not in found["ClusterConfiguration"]


@pytest.mark.parametrize(
    ("version", "repository"),
    [("1.20.2", None), ("1.21.14", "/coredns"), ("1.24.17", "/coredns"), ("1.25.0", None)],
)
def test_coredns_is_found_where_the_registry_has_it(version, repository):
    changes = {"kubernetes_version": version, "containerd_version": "1.6.20"}
    dns = init(**changes)["ClusterConfiguration"].get("dns")
    wanted = repository and {"imageRepository": f"registry.k8s.io{repository}"}
    assert dns == wanted
    assert "dns" not in init(**changes, image_repository="mirror.example")["ClusterConfiguration"]


def test_a_mirror_that_keeps_the_folders_says_where_coredns_is():
    found = init(image_repository="mirror.example/k8s", coredns_repository="mirror.example/dns")
    assert found["ClusterConfiguration"]["imageRepository"] == "mirror.example/k8s"
    assert found["ClusterConfiguration"]["dns"] == {"imageRepository": "mirror.example/dns"}


def test_a_classic_worker_joins_with_a_configuration_of_its_version():
    given = description(profile="classic")
    (found,) = loaded(join_configuration(given, given.hosts[0], given.hosts[0], "t", "h").encode())
    assert found["apiVersion"] == "kubeadm.k8s.io/v1beta1"
    assert found["nodeRegistration"]["criSocket"] == "/var/run/dockershim.sock"


def test_linux_nodes_use_the_pause_image_of_their_version_and_windows_the_one_of_all_builds():
    assert pause_image(description(**OLD)) == "registry.k8s.io/pause:3.2"
    assert configuration.pause_image(description(**OLD)) == "registry.k8s.io/pause:3.10.2"


def objects(**changes) -> dict[str, dict]:
    given = description(**changes)
    found = loaded(flannel(given, network_plan(given)))
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in found}


def test_flannel_of_2019_lives_in_kube_system_on_linux_nodes_of_one_architecture():
    found = objects(profile="classic")
    assert "Namespace/kube-flannel" not in found
    daemonset = found["DaemonSet/kube-flannel-ds-amd64"]
    assert daemonset["apiVersion"] == "apps/v1"
    assert daemonset["metadata"]["namespace"] == "kube-system"
    pod = daemonset["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
    }
    images = {c["image"] for c in pod["containers"] + pod["initContainers"]}
    assert images == {"quay.io/coreos/flannel:v0.11.0-amd64"}
    net_conf = json.loads(found["ConfigMap/kube-flannel-cfg"]["data"]["net-conf.json"])
    assert net_conf == {"Network": "10.244.0.0/16", "Backend": {"Type": "host-gw"}}


def test_flannel_of_today_has_a_namespace_and_brings_its_plugin():
    found = objects()
    daemonset = found["DaemonSet/kube-flannel-ds"]
    assert daemonset["metadata"]["namespace"] == "kube-flannel"
    pod = daemonset["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert [c["name"] for c in pod["initContainers"]] == ["install-cni-plugin", "install-cni"]
    assert flannel_image(description()) == "ghcr.io/flannel-io/flannel:v0.28.9"


@pytest.mark.parametrize("profile", ["current", "classic"])
def test_every_selector_of_flannel_fits_its_own_pods(profile):
    for document in objects(profile=profile).values():
        if document["kind"] == "DaemonSet":
            wanted = document["spec"]["selector"]["matchLabels"].items()
            assert wanted <= document["spec"]["template"]["metadata"]["labels"].items()


def test_pods_are_placed_with_what_each_version_serves():
    labels = {"app": "x"}
    oldest = placement("1.13.12", "linux", labels)
    assert oldest["nodeSelector"] == {"beta.kubernetes.io/os": "linux"}
    assert "os" not in oldest and "topologySpreadConstraints" not in oldest
    assert "podAntiAffinity" in oldest["affinity"]
    middle = placement("1.20.2", "linux", labels)
    assert middle["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert "os" not in middle and "topologySpreadConstraints" in middle
    newest = placement("1.36.4", "linux", labels)
    assert newest["os"] == {"name": "linux"}


def lines(**changes) -> list[list[str]]:
    return [line.split() for line in linux_artifacts(description(**changes)).splitlines()]


def test_the_built_in_lock_has_all_of_kubernetes_1_13_with_hashes():
    found = {line[0]: line for line in lines(profile="classic", docker_apt_source="tarball")}
    assert set(found) == {"kubernetes-node", "cni-plugins", "crictl", "docker"}
    assert found["kubernetes-node"][4:] == ["/usr/local/bin", "kubeadm", "kubelet", "kubectl"]
    assert {line[2]: len(line[3]) for line in found.values()} == {"sha512": 128, "sha256": 64}


def test_nothing_is_downloaded_where_packages_have_everything():
    assert linux_artifacts(description()) == ""
    assert [
        line[0]
        for line in lines(
            profile="classic",
            docker_apt_source="tarball",
            kubernetes_apt_source="deb https://m.example ./",
        )
    ] == ["docker"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kubernetes_version": "1.14.10"}, "is for `kubernetes_version` 1.13.12"),
        ({"docker_version": "18.09.9", "docker_apt_source": "tarball"}, "is for `docker_version` 18.06.3"),
        ({"linux_artifacts": "/nowhere.yaml"}, "cannot read"),
    ],
)  # fmt: skip
def test_a_lock_for_other_versions_is_refused(changes, message):
    with pytest.raises(ParamsError, match=message) as caught:
        linux_artifacts(description(profile="classic", **changes))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artifacts: [", "is not valid"),
        ('{kubernetes_version: "1.13.12", artifacts: {}}', "lacks: cni-plugins, crictl"),
        (
            '{kubernetes_version: "1.13.12", artifacts: {kubernetes-node: {url: "https://m/k"},'
            ' cni-plugins: {url: "https://m/c"}, crictl: {url: "https://m/r"}}}',
            "`artifacts.kubernetes-node`: it has no hash",
        ),
    ],
)
def test_a_lock_that_is_not_complete_is_refused(tmp_path, text, message):
    file = tmp_path / "lock.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError, match=message):
        linux_artifacts(description(profile="classic", linux_artifacts=str(file)))


def test_a_single_linux_host_is_enough_for_every_document():
    given = check_description(described(hosts=[MASTER], profile="classic"))
    assert kubeadm_init(given, network_plan(given), given.hosts[0])
