"""Combinations that cannot work are refused with the reason, and those that can are not."""

import pytest

from k8swin_nb.compatibility import check_versions, docker_source, keyring, package_source
from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from tests.test_description import MASTER, described


def on_linux(**changes):
    return check_description(described(hosts=[MASTER], **changes))


def classic(**changes):
    return check_description(described(profile="classic", **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "classic", "kubernetes_version": "1.24.0"}, r"Docker since 1\.24"),
        ({"profile": "classic", "kubernetes_version": "1.36.4"}, r"Docker since 1\.24"),
        ({"profile": "classic", "kubernetes_version": "1.12.10"}, r"older than 1\.13"),
        ({"profile": "classic", "docker_version": "23.0.1"}, r"Docker 17\.03 to 20\.10"),
        ({"profile": "classic", "docker_version": "1.13.1"}, r"Docker 17\.03 to 20\.10"),
        ({"kubernetes_version": "1.19.16"}, r"oldest version is 1\.20"),
        ({"kubernetes_version": "1.38.0", "containerd_version": "1.7.30"}, r"containerd 2\.0"),
        ({"kubernetes_version": "1.20.2"}, r"interface that containerd 2\.0 no longer has"),
        ({"kubernetes_version": "1.22.17"}, r"interface that containerd 2\.0 no longer has"),
        ({"containerd_version": "1.5.18"}, r"oldest that is configured here is 1\.6"),
        ({"flannel_version": "0.11.0"}, r"0\.25\.5"),
        ({"flannel_version": "0.25.4"}, r"0\.25\.5"),
        ({"flannel_version": "0.15.1"}, r"0\.13 to 0\.18"),
        ({"profile": "classic", "flannel_version": "0.10.0"}, r"oldest that is deployed"),
        (
            {"kubernetes_version": "1.23.17", "package_source": "apt"},
            r"community repositories begin at 1\.24",
        ),
        ({"containerd_apt_source": "same"}, r"`kubernetes_apt_source` is empty"),
        ({"profile": "classic", "docker_apt_source": "same"}, r"`kubernetes_apt_source` is empty"),
        ({"profile": "classic", "topology": "vxlan"}, r"vxlan with profile `classic`"),
        (
            {"profile": "classic", "containerd_version": "1.7.30"},
            r"`containerd_version` 1\.7\.30 with profile `classic`, which does not use containerd",
        ),
        ({"profile": "classic", "containerd_apt_source": "same"}, r"does not use containerd"),
        ({"docker_version": "19.03.15"}, r"profile `current`, which does not use docker"),
        ({"docker_apt_source": "tarball"}, r"profile `current`, which does not use docker"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason_and_what_to_set(changes, message):
    with pytest.raises(ParamsError, match=message) as caught:
        check_versions(check_description(described(**changes)))
    assert caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"profile": "classic"},
        {"profile": "classic", "containerd_version": "2.3.4", "containerd_apt_source": ""},
        {"profile": "classic", "kubernetes_version": "1.20.2"},
        {"profile": "classic", "kubernetes_version": "1.23.17", "docker_version": "19.03.15"},
        {"profile": "classic", "kubernetes_version": "1.20.2", "flannel_version": "0.28.9"},
        {"kubernetes_version": "1.20.2", "containerd_version": "1.6.20"},
        {"kubernetes_version": "1.23.17"},
        {"kubernetes_version": "1.37.0", "containerd_version": "1.7.30"},
        {"flannel_version": "0.25.5"},
    ],
)
def test_what_works_is_accepted(changes):
    check_versions(check_description(described(**changes)))


def test_a_flannel_that_is_too_old_for_windows_is_accepted_without_windows():
    check_versions(on_linux(flannel_version="0.24.2"))


def test_classic_means_the_versions_of_2019():
    description = classic()
    assert (description.kubernetes_version, description.docker_version) == ("1.13.12", "18.06.3")
    assert (description.flannel_version, description.flannel_repository) == (
        "0.11.0",
        "quay.io/coreos",
    )


def test_classic_takes_a_newer_docker_with_a_newer_kubernetes():
    assert classic(kubernetes_version="1.20.2").docker_version == "20.10.24"
    assert (
        classic(kubernetes_version="1.13.1", docker_version="18.09.9").docker_version == "18.09.9"
    )


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, "apt"),
        ({"profile": "classic"}, "tarball"),
        ({"profile": "classic", "kubernetes_apt_source": "deb https://mirror.example ./"}, "apt"),
        ({"kubernetes_version": "1.20.2", "containerd_version": "1.6.20"}, "tarball"),
        ({"package_source": "tarball"}, "tarball"),
    ],
)
def test_programs_come_from_tarballs_where_no_repository_has_them(changes, source):
    assert package_source(check_description(described(**changes))) == source


def test_docker_comes_as_a_static_build_when_that_is_asked_for():
    assert docker_source(classic()) == "apt"
    assert docker_source(classic(docker_apt_source="tarball")) == "tarball"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kubernetes_apt_key": "https://mirror.example/key"}, "kubernetes_apt_source"),
        (
            {
                "runtime_apt_key": "https://mirror.example/key",
                "containerd_apt_source": "deb [trusted=yes] https://mirror.example ./",
            },
            "containerd_apt_source",
        ),
        (
            {"profile": "classic", "runtime_apt_key": "https://mirror.example/key"},
            "docker_apt_source",
        ),
    ],
)
def test_a_key_without_a_keyring_to_put_it_in_is_refused(changes, named):
    with pytest.raises(ParamsError, match=named) as caught:
        check_versions(check_description(described(**changes)))
    assert "signed-by" in caught.value.hint


def test_the_keyring_is_the_file_that_the_source_line_names():
    assert (
        keyring("deb [arch=amd64 signed-by=/k/a.gpg] https://mirror.example x main") == "/k/a.gpg"
    )
    assert keyring("deb [signed-by=/k/a.gpg,/k/b.gpg] https://mirror.example ./") == "/k/a.gpg"
    assert keyring("deb [signed-by=0123ABCD] https://mirror.example ./") == ""
    assert keyring("deb https://mirror.example ./") == ""
