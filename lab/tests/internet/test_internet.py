from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import urllib.parse
import zipfile

import pytest
from k8swin_lab.internet import install
from k8swin_lab.internet.binaries import identity, stand_in
from k8swin_lab.internet.debs import unpack
from k8swin_lab.internet.pulling import normalize
from k8swin_lab.internet.registries import image_index
from k8swin_lab.network import HttpRequest, HttpResponse, Network, _origin_address

GITHUB = "https://github.com"
WINDOWS_DOWNLOADS = {
    f"{GITHUB}/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-windows-amd64.tar.gz": "bin/containerd.exe",
    f"{GITHUB}/kubernetes-sigs/cri-tools/releases/download/v1.36.0/crictl-v1.36.0-windows-amd64.tar.gz": "crictl.exe",
    f"{GITHUB}/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-windows-amd64-v1.9.1.tgz": "win-bridge.exe",
}


@pytest.fixture
def network() -> Network:
    network = Network()
    install(network)
    return network


def get(network: Network, url: str) -> HttpResponse:
    for _ in range(5):
        origin = network.origins[urllib.parse.urlsplit(url).hostname or ""]
        answer = origin(HttpRequest("GET", url))
        if answer.status != 302:
            return answer
        url = answer.headers["location"]
    raise AssertionError("too many redirects")


@pytest.mark.parametrize(("url", "member"), WINDOWS_DOWNLOADS.items())
def test_archives_hold_the_programs_at_their_paths(network, url, member):
    answer = get(network, url)
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        content = archive.extractfile(member)
        assert content is not None
        assert identity(content.read()) is not None


def test_archives_are_the_same_on_every_run(network):
    url = next(iter(WINDOWS_DOWNLOADS))
    content = get(network, url).body
    published = get(network, f"{url}.sha256sum").body.split()[0].decode()
    assert hashlib.sha256(content).hexdigest() == published
    assert published == "dc28195a9c59153fc5cda198c408257ff85810d3a603e7f6ea63832776d86267"


def test_nssm_is_a_zip_file_with_both_builds(network):
    answer = get(network, "https://nssm.cc/release/nssm-2.24.zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.namelist() == ["nssm-2.24/win32/nssm.exe", "nssm-2.24/win64/nssm.exe"]


def test_the_mirror_serves_the_file_behind_a_redirect(network):
    url = next(iter(WINDOWS_DOWNLOADS))
    mirrored = get(network, url.replace("https://", "https://mirror.lab.example/"))
    assert mirrored.body == get(network, url).body


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("registry.k8s.io/pause", "https://registry.k8s.io/v2/pause"),
        ("docker.io/library/hello-world", "https://registry-1.docker.io/v2/library/hello-world"),
    ],
)
def test_the_mirror_is_a_registry_of_every_others_images(network, name, origin):
    tag = "3.10.2" if "pause" in name else "latest"
    mirrored = get(network, f"https://mirror.lab.example/v2/{name}/manifests/{tag}")
    assert mirrored.status == 200
    assert mirrored.body == get(network, f"{origin}/manifests/{tag}").body


def test_a_replaced_origin_counts_for_the_mirror_too(network):
    network.origins["dl.k8s.io"] = lambda request: HttpResponse(503)
    assert get(network, "https://mirror.lab.example/dl.k8s.io/release/stable.txt").status == 503


@pytest.mark.parametrize(
    "url",
    [
        "https://dl.k8s.io/release/v1.36.4/bin/windows/amd64/kubelet",
        "https://dl.k8s.io/release/v1.36.4/bin/linux/amd64/kubelet.exe",
        "https://dl.k8s.io/release/v9.9.9/bin/linux/amd64/kubelet",
        "https://github.com/containerd/containerd/releases/download/v9.9.9/containerd-9.9.9-linux-amd64.tar.gz",
        "https://pkgs.k8s.io/core:/stable:/v1.99/deb/InRelease",
        "https://mirror.lab.example/nosuch.example/file",
        "https://raw.githubusercontent.com/flannel-io/flannel/v9.9.9/Documentation/kube-flannel.yml",
    ],
)
def test_what_does_not_exist_is_not_found(network, url):
    assert get(network, url).status == 404


def test_a_stand_in_names_its_program_and_differs_by_platform():
    linux, windows = (stand_in("kubelet", "1.36.4", f"{one}/amd64") for one in ("linux", "windows"))
    assert identity(linux) == identity(windows) == ("kubelet", "1.36.4")
    assert linux != windows


def test_a_repository_lists_its_own_minor_version_alone(network):
    base = "https://pkgs.k8s.io/core:/stable:/v1.36/deb"
    listing = get(network, f"{base}/Packages").body.decode()
    versions = [
        line.removeprefix("Version: ")
        for package in listing.split("\n\n")
        if package.startswith("Package: kubelet\n")
        for line in package.splitlines()
        if line.startswith("Version: ")
    ]
    assert versions[-1] == "1.36.4-1.1"
    assert all(version.startswith("1.36.") for version in versions)
    assert gzip.decompress(get(network, f"{base}/Packages.gz").body).decode() == listing


def test_a_package_carries_its_files_and_what_it_needs(network):
    base = "https://pkgs.k8s.io/core:/stable:/v1.36/deb"
    found = unpack(get(network, f"{base}/amd64/kubelet_1.36.4-1.1_amd64.deb").body)
    assert found is not None
    assert "kubernetes-cni (>= 1.2.0)" in found.package.depends
    assert identity(bytes(found.files["/usr/bin/kubelet"])) == ("kubelet", "1.36.4")
    assert unpack(b"not a package") is None


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("site/app:1", "docker.io/site/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("registry.k8s.io/pause:3.10.2", "registry.k8s.io/pause:3.10.2"),
        ("host:5000/a@sha256:0", "host:5000/a@sha256:0"),
    ],
)
def test_references_are_completed(short, full):
    assert normalize(short) == full


def test_pause_holds_windows_2025_only_in_its_newest_version():
    def builds(tag: str) -> set[str]:
        index = image_index("registry.k8s.io/pause", tag)
        assert index is not None
        return {
            one["platform"].get("os.version", "").rpartition(".")[0] for one in index["manifests"]
        }

    assert "10.0.26100" in builds("3.10.2")
    assert "10.0.26100" not in builds("3.10.1")


def test_an_index_is_found_by_its_digest_too():
    index = image_index("registry.k8s.io/pause", "3.10.2")
    assert index is not None
    assert image_index("registry.k8s.io/pause", index["digest"]) == index


def test_no_two_origins_have_the_same_address(network):
    addresses = [_origin_address(name) for name in network.origins]
    assert len(addresses) == len(set(addresses))


def test_the_server_archive_of_an_old_release_has_its_hash_beside_it(network):
    url = "https://dl.k8s.io/v1.13.12/kubernetes-server-linux-amd64.tar.gz"
    archive = get(network, url).body
    assert hashlib.sha512(archive).hexdigest().encode() == get(network, f"{url}.sha512").body
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert "kubernetes/server/bin/kubeadm" in opened.getnames()


def test_docker_comes_as_a_static_archive_with_a_containerd_of_its_own_before_18_09(network):
    base = "https://download.docker.com/linux/static/stable/x86_64"
    for version, name in (("18.06.3-ce", "docker-containerd"), ("20.10.24", "containerd")):
        archive = get(network, f"{base}/docker-{version}.tgz").body
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            names = opened.getnames()
        assert {"docker/dockerd", f"docker/{name}"} <= set(names)


def test_the_frozen_registry_has_what_was_there_when_it_froze(network):
    url = "https://k8s.gcr.io/v2/kube-apiserver/manifests"
    assert get(network, f"{url}/v1.20.2").status == 200
    assert get(network, f"{url}/v1.36.4").status == 404


def test_only_the_mirror_has_the_package_repository_that_was_removed(network):
    path = "apt.kubernetes.io/dists/kubernetes-xenial/main/binary-amd64/Packages"
    assert "apt.kubernetes.io" not in network.origins
    index = get(network, f"https://mirror.lab.example/{path}").body.decode()
    assert "Version: 1.20.2-00\n" in index
    assert get(network, "https://pkgs.k8s.io/core:/stable:/v1.20/deb/Packages").status == 404


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/kubernetes-release/release/v1.20.2/bin/linux/amd64/kubectl",
        "https://mirror.lab.example/packages.cloud.google.com/apt/doc/apt-key.gpg",
        f"{GITHUB}/opencontainers/runc/releases/download/v1.3.3/runc.amd64",
        f"{GITHUB}/flannel-io/flannel/releases/latest/download/kube-flannel.yml",
        f"{GITHUB}/coreos/flannel/raw/master/Documentation/kube-flannel.yml",
    ],
)
def test_the_places_that_procedures_name_have_their_files(network, url):
    answer = get(network, url)
    assert answer.status == 200
    assert answer.body
