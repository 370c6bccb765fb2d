"""The gates between versions: what holds from which minor on, and what is refused."""

import pytest

from k8swin_nb.errors import ParamsError
from k8swin_nb.versions import (
    APPLY_OPTIONS,
    ENDPOINTS,
    KUBEADM_API,
    OS_LABEL,
    READY_PATH,
    check_versions,
    gate,
    windows_build,
)


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
    assert gate(APPLY_OPTIONS, "1.13.12") == ""
    assert "--server-side" in gate(APPLY_OPTIONS, "1.20.2")


def test_readyz_is_there_from_1_16():
    assert gate(READY_PATH, "1.15.12") == "/healthz"
    assert gate(READY_PATH, "1.16.0") == "/readyz"


def test_a_version_before_every_gate_is_refused():
    with pytest.raises(ParamsError, match=r"1\.12\.0"):
        gate(KUBEADM_API, "1.12.0")


def test_docker_is_refused_where_the_kubelet_has_no_support_for_it():
    with pytest.raises(ParamsError, match=r"Docker since 1\.24"):
        check_versions("classic", "1.24.0", "1.7.0")


def test_containerd_1_is_refused_from_1_38_on():
    check_versions("current", "1.37.0", "1.7.30")
    with pytest.raises(ParamsError, match=r"containerd 2\.0"):
        check_versions("current", "1.38.0", "1.7.30")


@pytest.mark.parametrize(
    ("build", "tag"), [(17763, "ltsc2019"), (20348, "ltsc2022"), (26100, "ltsc2025")]
)
def test_a_build_names_its_images(build, tag):
    assert windows_build(build).tag == tag


def test_server_2016_is_refused_with_what_is_supported():
    with pytest.raises(ParamsError, match="14393") as caught:
        windows_build(14393)
    assert "Windows Server 2022 (20348)" in caught.value.hint
