"""The hosts that preflight tries to reach are those that later steps will ask, and no others."""

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.phases.preflight.values import card_unnamed, linux_places, windows_places
from k8swin_nb.plan import network_plan
from tests.conftest import ROOT
from tests.test_description import described

KUBERNETES = {"kubernetes_apt_source": "deb [signed-by=/k/a.gpg] https://apt.example/k8s ./"}
IMAGES = {
    "image_repository": "images.example/k8s",
    "flannel_repository": "images.example/flannel",
    "runtime_test_image": "images.example/hello:1",
}
CLASSIC = {"profile": "classic", **IMAGES}


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        (
            {},
            {
                "pkgs.k8s.io",
                "download.docker.com",
                "registry.k8s.io",
                "ghcr.io",
                "registry-1.docker.io",
            },
        ),
        (
            {**KUBERNETES, **IMAGES, "containerd_apt_source": "same"},
            {"apt.example", "images.example"},
        ),
        (
            {**KUBERNETES, **IMAGES, "kubernetes_apt_key": "https://keys.example/a"}
            | {"containerd_apt_source": "deb https://debs.example ./"},
            {"apt.example", "debs.example", "keys.example", "images.example"},
        ),
        ({**CLASSIC, **KUBERNETES, "docker_apt_source": "same"}, {"apt.example", "images.example"}),
        (
            {**CLASSIC, "docker_apt_source": "tarball"},
            {"dl.k8s.io", "github.com", "download.docker.com", "images.example"},
        ),
        (
            {**KUBERNETES, **IMAGES, "containerd_apt_source": "same"}
            | {"coredns_repository": "dns.example:5000"},
            {"apt.example", "images.example", "dns.example:5000"},
        ),
    ],
)
def test_a_linux_host_is_asked_about_what_its_steps_will_ask(changes, places):
    assert set(linux_places(check_description(described(**changes)))) == places


@pytest.mark.parametrize(
    ("changes", "there", "not_there"),
    [
        ({}, {"mcr.microsoft.com", "registry.k8s.io"}, set()),
        ({"windows_repository": "w.example/windows"}, {"w.example"}, {"mcr.microsoft.com"}),
        ({"test_os": "linux"}, {"registry.k8s.io"}, {"mcr.microsoft.com"}),
        ({"test_image": "app.example/web:1"}, {"app.example"}, {"mcr.microsoft.com"}),
        (
            {"profile": "classic", "test_image": "app.example/web:1"},
            {"app.example", "mcr.microsoft.com"},
            set(),
        ),
    ],
)
def test_a_windows_worker_is_asked_about_the_images_that_it_will_pull(changes, there, not_there):
    found = set(windows_places(check_description(described(**changes))))
    assert there <= found
    assert not not_there & found


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, False),
        ({"topology": "vxlan"}, True),
        ({"pod_network": "calico"}, True),
        ({"profile": "classic", "flannel_version": "0.11.0"}, True),
    ],
)
def test_a_lock_without_hns_psm1_leaves_hns_to_choose_the_card_of_a_bridge(tmp_path, changes, told):
    """flannel's hostgw_windows.go names no adapter, its vxlan backend does since 0.24.1."""
    whole = (ROOT / "k8swin_nb/phases/windows/artifacts.yaml").read_text()
    head, _, rest = whole.partition("  hns.psm1:\n")
    lock = tmp_path / "artifacts.yaml"
    lock.write_text(head + rest[rest.index("\n  ", rest.index("sha256")) + 1 :])
    given = {} if "profile" in changes else {"artifacts": str(lock)}
    description = check_description(described(**changes, **given))
    assert (card_unnamed(network_plan(description), description) == "") is told
    description = check_description(described(**changes))
    assert card_unnamed(network_plan(description), description) == ""
