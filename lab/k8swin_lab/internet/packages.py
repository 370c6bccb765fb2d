"""Origins of Debian packages: the community repository of Kubernetes, Docker's, Debian, Ubuntu.

A repository here has what apt asks for: a signed InRelease, an index, the packages. Its signature is a
key's name, which must be found in the keyring of the source, as the real one must.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from k8swin_lab.internet.answers import file, missing, path_of, sha256, unknown
from k8swin_lab.internet.archives import Members, tar_gz
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.internet.catalogue import catalogue, versions
from k8swin_lab.internet.debs import Package, pack, stanza
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

KEYS = {
    "kubernetes": (
        "234654DA9A296436",
        "isv:kubernetes OBS Project <isv:kubernetes@build.opensuse.org>",
    ),
    "google": ("B53DC80D13EDEF05", "Rapture Automatic Signing Key (cloud-rapture-signing-key)"),
    "docker": ("7EA0A9C3F273FCD8", "Docker Release (CE deb) <docker@docker.com>"),
    "debian": ("0E98404D386FA1D9", "Debian Archive Automatic Signing Key (12/bookworm)"),
    "ubuntu": ("3B4FE6ACC0B21F32", "Ubuntu Archive Automatic Signing Key (2012)"),
}
"""Number and owner of the key that signs a vendor's repositories."""

FINGERPRINTS = {
    "kubernetes": "DE15B14486CD377B9E876E1A234654DA9A296436",
    "google": "35BAA0B33E9EB396F59CA838C0BA5CE6DC6315A3",
    "docker": "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
}
"""Of the primary keys that vendors offer as files."""


def package_origins() -> dict[str, HttpHandler]:
    """Return the handlers by host name."""
    return {
        "pkgs.k8s.io": _kubernetes,
        "download.docker.com": _docker,
        "deb.debian.org": _debian,
        "security.debian.org": _debian,
        "archive.ubuntu.com": _ubuntu,
        "security.ubuntu.com": _ubuntu,
    }


def kept_origins() -> dict[str, HttpHandler]:
    """Return origins that are no more and of which sites have kept copies, by the host's old name."""
    return {"apt.kubernetes.io": _google, "packages.cloud.google.com": _google_keys}


def public_key(vendor: str) -> bytes:
    """Return a vendor's public key in ASCII armour."""
    number, owner = KEYS[vendor]
    told = f"public key {number} of {owner} fingerprint {FINGERPRINTS.get(vendor, number)}\n"
    body = base64.b64encode(told.encode() * 8).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return (
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
        "Version: GnuPG v2.0.15 (GNU/Linux)\n\n"
        f"{lines}\n-----END PGP PUBLIC KEY BLOCK-----\n"
    ).encode()


@dataclass(slots=True)
class Repository:
    """The files of one repository by path relative to its root, without the packages themselves."""

    files: dict[str, bytes]
    packages: dict[str, bytes]


def _contents(entry: dict[str, Any], version: str) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {}
    for path, value in entry["files"].items():
        if isinstance(value, str):
            files[path] = value.encode()
        elif "link" in value:
            files[path] = value["link"]
        else:
            files[path] = stand_in(value["program"], value["version"].replace("@V@", version))
    return files


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_suffix(".yaml").read_text()
    return yaml.load(text, Loader=loader)  # type: ignore[no-any-return]  # noqa: S506 - a safe one


def _packages(
    vendor: str, suite: str = "", wanted: dict[str, set[str]] | None = None
) -> Iterator[tuple[Package, bytes]]:
    for source in _table()[vendor]:
        entry = dict(source)
        product = entry.pop("versions", None)
        if suite not in entry.pop("suites", [suite]):
            continue
        for version in versions(product) if isinstance(product, str) else product or [""]:
            if isinstance(product, str) and wanted is not None and version not in wanted[product]:
                continue
            fields = {key: value for key, value in entry.items() if key != "files"}
            fields["version"] = str(fields["version"]).replace("@V@", version)
            package = Package(**fields)
            yield package, pack(package, _contents(entry, version))


def _build(
    vendor: str, pool: str, index: str, release: str, label: str, **which: Any
) -> Repository:
    packages, paragraphs = {}, []
    for package, content in _packages(vendor, **which):
        version = package.version.partition(":")[2] or package.version
        path = f"{pool}{package.name}_{version}_{package.architecture}.deb"
        packages[path] = content
        paragraphs.append(stanza(package, path, content, sha256(content)))
    listing = "\n".join(paragraphs).encode()
    number, _ = KEYS[vendor]
    files = {index: listing, f"{index}.gz": gzip.compress(listing, mtime=0)}
    relative = index.removeprefix(f"{release}/") if release else index
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
        f"{label}Date: Mon, 17 Aug 2026 10:00:00 UTC\nSHA256:\n"
        f" {hashlib.sha256(listing).hexdigest()} {len(listing)} {relative}\n"
        f"-----BEGIN PGP SIGNATURE-----\n\nkey {number}\n-----END PGP SIGNATURE-----\n"
    ).encode()
    files[f"{release}/InRelease" if release else "InRelease"] = signed
    return Repository(files, packages)


@cache
def kubernetes_repository(minor: str) -> Repository:
    """Return the repository of one minor version ("1.36"), flat."""
    wanted = {
        "kubernetes": set(catalogue()["kubernetes"][minor]),
        "cri-tools": {
            one for one in versions("cri-tools") if (1, 24) <= _minor(one) <= _minor(minor)
        },
        "cni-plugins": {one for one in versions("cni-plugins") if _minor(one) >= (1, 1)},
    }
    label = f"Origin: isv:kubernetes:core:stable:v{minor}\nSuite: deb\nArchitectures: amd64\n"
    return _build("kubernetes", "amd64/", "Packages", "", label, wanted=wanted)


@cache
def google_repository() -> Repository:
    """Return what a site kept of the repository that Kubernetes had until 2024."""
    wanted = {
        "kubernetes": {one for one in versions("kubernetes") if _minor(one) < (1, 28)},
        "cri-tools": {one for one in versions("cri-tools") if _minor(one) < (1, 27)},
        "cni-plugins": {one for one in versions("cni-plugins") if _minor(one) < (1, 0)},
    }
    label = "Origin: cloud-rapture\nLabel: kubernetes-xenial\nSuite: kubernetes-xenial\n"
    index = "dists/kubernetes-xenial/main/binary-amd64/Packages"
    return _build("google", "pool/", index, "dists/kubernetes-xenial", label, wanted=wanted)


def _google(request: HttpRequest) -> HttpResponse:
    return _serve(request, google_repository(), path_of(request).lstrip("/"))


def _google_keys(request: HttpRequest) -> HttpResponse:
    known = path_of(request) == "/apt/doc/apt-key.gpg"
    return file(request, public_key("google") if known else None, "application/pgp-keys")


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


@cache
def docker_repository(codename: str) -> Repository:
    """Return the vendor's repository of containerd for a release of Debian."""
    index = f"dists/{codename}/stable/binary-amd64/Packages"
    label = f"Origin: Docker\nLabel: Docker CE\nSuite: {codename}\nCodename: {codename}\n"
    pool = f"dists/{codename}/pool/stable/amd64/"
    return _build("docker", pool, index, f"dists/{codename}", label, suite=codename)


@cache
def debian_repository() -> Repository:
    """Return the little of Debian 12 that is not on every machine from the start."""
    label = "Origin: Debian\nLabel: Debian\nSuite: oldstable\nVersion: 12\nCodename: bookworm\n"
    index = "dists/bookworm/main/binary-amd64/Packages"
    return _build("debian", "pool/main/", index, "dists/bookworm", label)


@cache
def ubuntu_repository() -> Repository:
    """Return the little of Ubuntu 18.04 that is not on every machine from the start."""
    label = "Origin: Ubuntu\nLabel: Ubuntu\nSuite: bionic\nVersion: 18.04\nCodename: bionic\n"
    index = "dists/bionic/main/binary-amd64/Packages"
    made = _build("ubuntu", "pool/main/", index, "dists/bionic", label)
    for component in ("restricted", "universe", "multiverse"):
        made.files |= _empty_index(f"dists/bionic/{component}/binary-amd64/Packages")
    return made


def _empty_index(path: str) -> dict[str, bytes]:
    return {path: b"", f"{path}.gz": gzip.compress(b"", mtime=0)}


@cache
def _empty_suite(vendor: str, suite: str) -> Repository:
    number, _ = KEYS[vendor]
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
        f"Origin: {vendor.capitalize()}\nSuite: {suite}\nCodename: {suite}\n"
        f"-----BEGIN PGP SIGNATURE-----\n\nkey {number}\n-----END PGP SIGNATURE-----\n"
    ).encode()
    files = {f"dists/{suite}/InRelease": signed}
    for component in ("main", "restricted", "universe", "multiverse"):
        files |= _empty_index(f"dists/{suite}/{component}/binary-amd64/Packages")
    return Repository(files, {})


def _serve(request: HttpRequest, repository: Repository, path: str) -> HttpResponse:
    content = repository.files.get(path)
    return file(request, repository.packages.get(path) if content is None else content)


def _kubernetes(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(r"/core:/stable:/v(\d+\.\d+)/deb/(.*)", path_of(request))
    if not found or found[1] not in catalogue()["kubernetes"] or _minor(found[1]) < (1, 24):
        return missing()
    if found[2] == "Release.key":
        return file(request, public_key("kubernetes"), "application/pgp-keys")
    return _serve(request, kubernetes_repository(found[1]), found[2])


@cache
def docker_archive(version: str) -> bytes:
    """Return the static archive of a version of Docker for Linux."""
    # Before 18.09 Docker brought a containerd of its own, under names of its own.
    prefix = "docker-" if version.endswith("-ce") else ""
    own = ("docker", "dockerd", "docker-init", "docker-proxy")
    others = ("containerd", "containerd-shim", "runc", "containerd-ctr" if prefix else "ctr")
    members: Members = {f"docker/{name}": stand_in(name, version) for name in own}
    for name in others:
        members[f"docker/{prefix}{name}"] = stand_in(f"{prefix}{name}", version)
    return tar_gz(members)


def _docker(request: HttpRequest) -> HttpResponse:
    static = re.fullmatch(r"/linux/static/stable/x86_64/docker-(\d[\w.-]*)\.tgz", path_of(request))
    if static:
        known = static[1] in versions("docker")
        return file(request, docker_archive(static[1]) if known else None)
    found = re.fullmatch(r"/linux/(debian|ubuntu)/(.*)", path_of(request))
    if not found:
        return unknown(request)
    if found[2] == "gpg":
        return file(request, public_key("docker"), "application/pgp-keys")
    suite = re.match(r"dists/(bookworm|trixie|bionic|jammy|noble)/", found[2])
    return _serve(request, docker_repository(suite[1]), found[2]) if suite else missing()


def _debian(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(r"/debian(?:-security)?/(.*)", path_of(request))
    if not found:
        return missing()
    if re.match(r"(dists/bookworm/|pool/)", found[1]):
        return _serve(request, debian_repository(), found[1])
    suite = re.match(r"dists/(bookworm-(?:updates|security|backports))/", found[1])
    return _serve(request, _empty_suite("debian", suite[1]), found[1]) if suite else missing()


def _ubuntu(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(r"/ubuntu/(.*)", path_of(request))
    if not found:
        return missing()
    if re.match(r"(dists/bionic/|pool/)", found[1]):
        return _serve(request, ubuntu_repository(), found[1])
    suite = re.match(r"dists/(bionic-(?:updates|security|backports))/", found[1])
    return _serve(request, _empty_suite("ubuntu", suite[1]), found[1]) if suite else missing()
