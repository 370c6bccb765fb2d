"""The gates between versions: what holds from which minor on."""

import itertools

import pytest

from k8swin_nb.errors import ParamsError
from k8swin_nb.versions import (
    ARCH_LABEL,
    ENDPOINTS,
    FLAGS,
    KUBEADM_API,
    OS_LABEL,
    PAUSE,
    READY_PATH,
    SERVER_SIDE_APPLY,
    WINDOWS_BUILDS,
    cri_socket,
    flannel_daemonset,
    flannel_namespace,
    gate,
    minor,
    passes,
    windows_build,
)

KUBEADM_READS = {
    "kubeadm.k8s.io/v1beta1": ((1, 13), (1, 22)),
    "kubeadm.k8s.io/v1beta2": ((1, 15), (1, 27)),
    "kubeadm.k8s.io/v1beta3": ((1, 22), (1, 37)),
    "kubeadm.k8s.io/v1beta4": ((1, 31), None),
}
"""By API version, from which minor to before which one kubeadm reads it."""

EVERY_MINOR = [f"1.{number}.0" for number in range(13, 39)]


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("1.13.12", "v1beta1"),
        ("1.14.10", "v1beta1"),
        ("1.15.0", "v1beta2"),
        ("1.20.2", "v1beta2"),
        ("1.21.14", "v1beta2"),
        ("1.22.0", "v1beta3"),
        ("1.30.9", "v1beta3"),
        ("1.31.0", "v1beta4"),
        ("1.36.4", "v1beta4"),
        ("1.37.0", "v1beta4"),
    ],
)
def test_kubeadm_is_given_the_api_version_it_reads(version, api):
    assert gate(KUBEADM_API, version) == f"kubeadm.k8s.io/{api}"


def test_the_os_label_changed_with_1_14():
    assert gate(OS_LABEL, "1.13.12") == "beta.kubernetes.io/os"
    assert gate(OS_LABEL, "1.14.0") == "kubernetes.io/os"


def test_slices_of_endpoints_are_asked_for_from_1_21():
    assert gate(ENDPOINTS, "1.20.2") == "endpoints"
    assert gate(ENDPOINTS, "1.21.0") == "endpointslices"


def test_manifests_are_applied_by_the_server_as_soon_as_it_can_compare_them_too():
    assert minor("1.13.12") < SERVER_SIDE_APPLY <= minor("1.20.2")


def test_readyz_is_there_from_1_16():
    assert gate(READY_PATH, "1.15.12") == "/healthz"
    assert gate(READY_PATH, "1.16.0") == "/readyz"


def test_a_version_before_every_gate_is_refused():
    with pytest.raises(ParamsError, match=r"1\.12\.0"):
        gate(KUBEADM_API, "1.12.0")


@pytest.mark.parametrize(
    ("build", "tag"), [(17763, "ltsc2019"), (20348, "ltsc2022"), (26100, "ltsc2025")]
)
def test_a_build_names_its_images(build, tag):
    assert windows_build(build).tag == tag


def test_server_2016_is_refused_with_what_is_supported():
    with pytest.raises(ParamsError, match="14393") as caught:
        windows_build(14393)
    assert "Windows Server 2022 (20348)" in caught.value.hint


@pytest.mark.parametrize("version", EVERY_MINOR)
def test_each_version_is_given_a_configuration_that_its_kubeadm_reads(version):
    first, end = KUBEADM_READS[gate(KUBEADM_API, version)]
    assert first <= minor(version) and (end is None or minor(version) < end)


@pytest.mark.parametrize(
    "table",
    [KUBEADM_API, OS_LABEL, ARCH_LABEL, READY_PATH, ENDPOINTS, PAUSE],
    ids=lambda table: str(table[-1][1]),
)
def test_rows_are_in_order_and_each_one_changes_something(table):
    firsts = [first for first, _ in table]
    assert firsts == sorted(set(firsts)) and firsts[0] == (1, 13)
    values = [value for _, value in table]
    assert all(one != other for one, other in itertools.pairwise(values))


@pytest.mark.parametrize(
    ("version", "pause"),
    [
        ("1.13.12", "3.1"),
        ("1.20.2", "3.2"),
        ("1.23.0", "3.6"),
        ("1.30.1", "3.9"),
        ("1.36.4", "3.10.2"),
    ],
)
def test_linux_nodes_use_the_pause_image_that_kubeadm_lists(version, pause):
    assert gate(PAUSE, version) == pause


@pytest.mark.parametrize(
    ("flag", "last_with", "first_without"),
    [
        ("--allow-privileged", "1.14.10", "1.15.0"),
        ("--network-plugin", "1.23.17", "1.24.0"),
        ("--cni-bin-dir", "1.23.17", "1.24.0"),
        ("--cni-conf-dir", "1.23.17", "1.24.0"),
        ("--image-pull-progress-deadline", "1.23.17", "1.24.0"),
        ("--container-runtime=remote", "1.26.15", "1.27.0"),
        ("--pod-infra-container-image", "1.26.15", "1.27.0"),
        ("--log-dir", "1.25.16", "1.26.0"),
        ("--logtostderr", "1.25.16", "1.26.0"),
        ("--feature-gates=WinOverlay=true", "1.33.9", "1.34.0"),
        ("--feature-gates=WinDSR=true", "1.32.9", "1.33.0"),
    ],
)
def test_a_flag_is_passed_until_it_went_away(flag, last_with, first_without):
    assert passes(flag, last_with)
    assert not passes(flag, first_without)


def test_feature_gates_are_not_passed_before_they_existed():
    assert not passes("--feature-gates=WinOverlay=true", "1.13.12")
    assert not passes("--feature-gates=WinDSR=true", "1.13.12")
    assert passes("--feature-gates=WinDSR=true", "1.14.0")


def test_the_newest_version_is_passed_none_of_the_old_flags():
    assert [flag for flag in FLAGS if passes(flag, "1.36.4")] == []


@pytest.mark.parametrize(
    ("profile", "os", "version", "socket"),
    [
        ("classic", "linux", "1.13.12", "/var/run/dockershim.sock"),
        ("current", "linux", "1.20.2", "/run/containerd/containerd.sock"),
        ("current", "linux", "1.36.4", "unix:///run/containerd/containerd.sock"),
        ("classic", "windows", "1.13.12", "npipe:////./pipe/docker_engine"),
        ("current", "windows", "1.36.4", "npipe:////./pipe/containerd-containerd"),
    ],
)
def test_the_runtimes_socket_is_spelt_as_the_version_reads_it(profile, os, version, socket):
    assert cri_socket(profile, os, version) == socket


def test_flannels_objects_moved_to_a_namespace_of_their_own():
    assert (flannel_namespace("0.11.0"), flannel_daemonset("0.11.0")) == (
        "kube-system",
        "kube-flannel-ds-amd64",
    )
    assert (flannel_namespace("0.28.9"), flannel_daemonset("0.28.9")) == (
        "kube-flannel",
        "kube-flannel-ds",
    )


def test_every_supported_build_has_a_first_kubernetes_version():
    assert {build.build: build.kubernetes_from for build in WINDOWS_BUILDS} == {
        17763: (1, 13),
        20348: (1, 23),
        26100: (1, 33),
    }


def test_slices_are_read_only_where_they_name_the_nodes():
    assert gate(ENDPOINTS, "1.20.2") == "endpoints"
    assert gate(ENDPOINTS, "1.21.0") == "endpointslices"
