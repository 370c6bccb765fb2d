"""Origins of programs: dl.k8s.io, GitHub's release assets, and the hosts of nssm."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from k8swin_lab.internet.answers import file, missing, path_of, redirect, unknown
from k8swin_lab.internet.archives import Members, tar_gz, zip_archive
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.internet.catalogue import versions
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

KUBERNETES_BINARIES = {
    "linux": (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubeadm",
        "kubectl",
        "kubelet",
    ),
    "windows": ("kube-proxy", "kubeadm", "kubectl", "kubelet"),
}
CNI_PLUGINS = {
    "linux": [
        "bandwidth",
        "bridge",
        "dhcp",
        "dummy",
        "firewall",
        "host-device",
        "host-local",
        "ipvlan",
        "loopback",
        "macvlan",
        "portmap",
        "ptp",
        "sbr",
        "static",
        "tap",
        "tuning",
        "vlan",
        "vrf",
    ],
    "windows": ["host-local", "win-bridge", "win-overlay"],
}
_PLUGIN_SINCE = {"bandwidth": [0, 8], "dummy": [1, 3], "firewall": [0, 8], "host-device": [0, 7],
                 "sbr": [0, 8], "static": [0, 8], "tap": [1, 4], "vrf": [0, 9]}  # fmt: skip
_ASSETS = "release-assets.githubusercontent.com"
_RELEASE = re.compile(
    r"/(?:release/)?v([^/]+)/bin/(linux|windows)/amd64/([a-z-]+)(\.exe)?(\.sha\d+)?"
)
_ARCHIVE = re.compile(
    r"/(?:release/)?v([^/]+)/kubernetes-(server|node|client)-linux-amd64\.tar\.gz(\.sha\d+)?"
)
_ARCHIVED = {
    "server": KUBERNETES_BINARIES["linux"],
    "node": ("kube-proxy", "kubeadm", "kubectl", "kubelet"),
    "client": ("kubectl",),
}


def release_origins() -> dict[str, HttpHandler]:
    """Return the handlers by host name."""
    return {
        "dl.k8s.io": _kubernetes,
        "storage.googleapis.com": _bucket,
        "cdn.dl.k8s.io": _kubernetes,
        "github.com": _github,
        _ASSETS: _github_assets,
        "raw.githubusercontent.com": _raw,
        "nssm.cc": _nssm,
        "k8stestinfrabinaries.blob.core.windows.net": _nssm,
    }


def _program(name: str, version: str, system: str) -> dict[str, bytes]:
    ending = ".exe" if system == "windows" else ""
    return {f"{name}{ending}": stand_in(name, version, f"{system}/amd64")}


def _kubernetes(request: HttpRequest) -> HttpResponse:
    path = path_of(request)
    if label := re.fullmatch(r"/release/(?:stable|latest)(?:-(\d+(?:\.\d+)?))?\.txt", path):
        known = [one for one in versions("kubernetes") if f"{one}.".startswith(f"{label[1] or 1}.")]
        return file(request, f"v{known[-1]}".encode() if known else None, "text/plain")
    if archive := _ARCHIVE.fullmatch(path):
        version, kind, hashed = archive.groups()
        content = kubernetes_archive(version, kind) if version in versions("kubernetes") else None
        return _hashed(request, content, hashed or "")
    found = _RELEASE.fullmatch(path)
    if not found:
        return unknown(request)
    if found[1] not in versions("kubernetes"):
        return missing()
    version, system, name, ending, hashed = found.groups()
    if name not in KUBERNETES_BINARIES[system] or bool(ending) != (system == "windows"):
        return missing()
    return _hashed(request, stand_in(name, version, f"{system}/amd64"), hashed or "")


def _hashed(request: HttpRequest, content: bytes | None, ending: str) -> HttpResponse:
    """Return a file, or the file beside it that holds its hash (".sha512")."""
    if content is None or ending not in ("", ".sha256", ".sha512"):
        return missing()
    if ending:
        return file(request, hashlib.new(ending[1:], content).hexdigest().encode(), "text/plain")
    return file(request, content)


@cache
def kubernetes_archive(version: str, kind: str) -> bytes:
    """Return kubernetes-server-linux-amd64.tar.gz of a version, or that of "node" or "client"."""
    members: Members = {"kubernetes/LICENSES": b"The licences of what a release holds.\n"}
    for name in _ARCHIVED[kind]:
        members[f"kubernetes/{kind}/bin/{name}"] = stand_in(name, version)
    return tar_gz(members)


def _bucket(request: HttpRequest) -> HttpResponse:
    """Answer for the bucket in which releases were kept under a name of its own."""
    path = path_of(request)
    if not path.startswith("/kubernetes-release/"):
        return missing()
    url = f"https://dl.k8s.io{path.removeprefix('/kubernetes-release')}"
    return _kubernetes(HttpRequest(request.method, url, request.headers, b"", request.peer))


def _github(request: HttpRequest) -> HttpResponse:
    path = path_of(request)
    if found := re.fullmatch(r"/coreos/flannel/(.+)", path):
        return redirect(f"https://github.com/flannel-io/flannel/{found[1]}")
    if found := re.fullmatch(r"/([^/]+/[^/]+)/releases/latest/download/([^/]+)", path):
        tag = _latest_tag(found[1])
        target = f"https://github.com/{found[1]}/releases/download/{tag}/{found[2]}"
        return redirect(target) if tag else unknown(request)
    if found := re.fullmatch(r"/([^/]+/[^/]+)/raw/(?:refs/(?:heads|tags)/)?([^/]+)/(.+)", path):
        return redirect(f"https://raw.githubusercontent.com/{found[1]}/{found[2]}/{found[3]}")
    found = re.fullmatch(r"/([^/]+/[^/]+)/releases/download/([^/]+)/([^/]+)", path)
    if not found or _latest_tag(found[1]) is None:
        return unknown(request)
    if github_asset(*found.groups()) is None:
        return missing()
    return redirect(f"https://{_ASSETS}/{found[1]}/{found[2]}/{found[3]}")


def _github_assets(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(r"/([^/]+/[^/]+)/([^/]+)/([^/]+)", path_of(request))
    return file(request, github_asset(*found.groups()) if found else None)


def _latest_tag(repository: str) -> str | None:
    product = _PRODUCTS.get(repository)
    return f"v{versions(product[0])[-1]}" if product else None


@cache
def github_asset(repository: str, tag: str, name: str) -> bytes | None:
    """Return a file of a release, or None when there is no such file.

    Args:
        repository: "containerd/containerd".
        tag: "v2.3.4".
        name: of the file; `.sha256`, `.sha256sum` and `.sha512` files exist beside the others.
    """
    product = _PRODUCTS.get(repository)
    if product is None or tag.removeprefix("v") not in versions(product[0]):
        return None
    for ending, algorithm in (
        (".sha256sum", "sha256"),
        (".sha256", "sha256"),
        (".sha512", "sha512"),
    ):
        if name.endswith(ending):
            plain = name.removesuffix(ending)
            content = github_asset(repository, tag, plain)
            if content is None:
                return None
            return f"{hashlib.new(algorithm, content).hexdigest()}  {plain}\n".encode()
    return product[1](tag.removeprefix("v"), name)


def _containerd(version: str, name: str) -> bytes | None:
    found = re.fullmatch(rf"containerd-{re.escape(version)}-(linux|windows)-amd64\.tar\.gz", name)
    if not found:
        return None
    shim = {"linux": "containerd-shim-runc-v2", "windows": "containerd-shim-runhcs-v1"}[found[1]]
    members: Members = {}
    for program in ("containerd", shim, "containerd-stress", "ctr"):
        for path, content in _program(program, version, found[1]).items():
            members[f"bin/{path}"] = content
    return tar_gz(members)


def _crictl(version: str, name: str) -> bytes | None:
    found = re.fullmatch(rf"crictl-v{re.escape(version)}-(linux|windows)-amd64\.tar\.gz", name)
    return tar_gz({**_program("crictl", version, found[1])}) if found else None


def _cni_plugins(version: str, name: str) -> bytes | None:
    found = re.fullmatch(
        rf"cni-plugins-(?:(linux|windows)-)?amd64-v{re.escape(version)}\.tgz", name
    )
    numbers = [int(part) for part in version.split(".")[:2]]
    # Before 0.8 there were archives for Linux only; flannel's own plugin left them in 1.0.
    if not found or (numbers < [0, 8]) != (found[1] is None):
        return None
    system = found[1] or "linux"
    members: Members = {}
    for plugin in CNI_PLUGINS[system] + (["flannel"] if numbers < [1, 0] else []):
        if numbers < _PLUGIN_SINCE.get(plugin, [0, 0]):
            continue
        members |= _program(plugin, version, system)
    return tar_gz(members)


def _flannel_cni(version: str, name: str) -> bytes | None:
    if name in ("flannel-amd64.exe", "flannel-amd64"):
        system = "windows" if name.endswith(".exe") else "linux"
        return stand_in("flannel", version, f"{system}/amd64")
    found = re.fullmatch(
        rf"cni-plugin-flannel-(linux|windows)-amd64-v{re.escape(version)}\.tgz", name
    )
    if not found:
        return None
    ending = ".exe" if found[1] == "windows" else ""
    content = stand_in("flannel", version, f"{found[1]}/amd64")
    return tar_gz({f"flannel-amd64{ending}": content})


def _flannel(version: str, name: str) -> bytes | None:
    if name == "kube-flannel.yml":
        return flannel_manifest(version)
    if name in ("flanneld.exe", "flanneld-amd64"):
        system = "windows" if name.endswith(".exe") else "linux"
        return stand_in("flanneld", version, f"{system}/amd64")
    found = re.fullmatch(rf"flannel-v{re.escape(version)}-(linux|windows)-amd64\.tar\.gz", name)
    return tar_gz({**_program("flanneld", version, found[1])}) if found else None


def _runc(version: str, name: str) -> bytes | None:
    return stand_in("runc", version) if name == "runc.amd64" else None


_PRODUCTS: dict[str, tuple[str, Callable[[str, str], bytes | None]]] = {
    "containerd/containerd": ("containerd", _containerd),
    "kubernetes-sigs/cri-tools": ("cri-tools", _crictl),
    "containernetworking/plugins": ("cni-plugins", _cni_plugins),
    "flannel-io/cni-plugin": ("flannel-cni", _flannel_cni),
    "flannel-io/flannel": ("flannel", _flannel),
    "opencontainers/runc": ("runc", _runc),
}


def flannel_manifest(version: str) -> bytes:
    """Return flannel's own manifest (kube-flannel.yml) of a version: vxlan, 10.244.0.0/16."""
    text = Path(__file__).with_name("kube-flannel.yml").read_text()
    return text.replace("@VERSION@", version).replace("@CNI@", versions("flannel-cni")[-1]).encode()


def _raw(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(
        r"/flannel-io/flannel/(?:refs/(?:heads|tags)/)?([^/]+)/Documentation/kube-flannel\.yml",
        path_of(request),
    )
    if not found:
        return unknown(request)
    version = versions("flannel")[-1] if found[1] == "master" else found[1].removeprefix("v")
    if version not in versions("flannel"):
        return missing()
    return file(request, flannel_manifest(version), "text/plain; charset=utf-8")


@cache
def nssm_archive(version: str) -> bytes:
    """Return the zip file of nssm."""
    return zip_archive(
        {
            f"nssm-{version}/win32/nssm.exe": stand_in("nssm", version, "windows/386"),
            f"nssm-{version}/win64/nssm.exe": stand_in("nssm", version, "windows/amd64"),
        }
    )


def _nssm(request: HttpRequest) -> HttpResponse:
    found = re.fullmatch(r"/(?:release|nssm-mirror)/nssm-([\d.]+)\.zip", path_of(request))
    known = found is not None and found[1] in versions("nssm")
    content = nssm_archive(found[1]) if found and known else None
    return file(request, content, "application/zip")
