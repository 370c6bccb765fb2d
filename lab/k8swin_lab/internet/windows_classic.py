"""Origins of the generation before containerd: Docker's archives for Windows, node archives, Microsoft's SDN files.

The SDN files are stand-ins in the lab's own words: they have the names and places of the real ones, say what
they stand for, and a script among them ends with `not simulated in the lab` when it is run.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

from k8swin_lab.internet.answers import file, path_of, redirect
from k8swin_lab.internet.archives import Members, tar_gz, zip_archive
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.internet.catalogue import versions
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

_NODE_PROGRAMS = ("kube-proxy", "kubeadm", "kubectl", "kubelet")
_CNI_PLUGINS = ("flannel", "host-local", "win-bridge", "win-overlay")
_SDN_COMMITS = (
    "81b1ab7cda419ed54a4b36c497b4414bafbf5f91",
    "242fb0c3190dbb08d7f9406727be18322218e537",
    "master",
)
_SDN_FILES = (
    "flannel/register-svc.ps1",
    "flannel/start-kubelet.ps1",
    "flannel/start-kubeproxy.ps1",
    "flannel/start.ps1",
    "flannel/stop.ps1",
    "flannel/l2bridge/cni/config/cni.conf",
    "flannel/l2bridge/manifests/kube-flannel-example.yml",
    "flannel/l2bridge/manifests/node-selector-patch.yml",
    "flannel/l2bridge/manifests/simpleweb.yml",
    "flannel/l2bridge/net-conf.json",
    "flannel/l2bridge/reset.ps1",
    "flannel/overlay/cni/config/cni.conf",
    "flannel/overlay/net-conf.json",
    "windows/Dockerfile",
    "windows/InstallImages.ps1",
    "windows/debug/collectlogs.ps1",
    "windows/helper.psm1",
    "windows/hns.psm1",
    "windows/install.ps1",
)
_TEXTS = {
    "net-conf.json": '{\n  "Network": "10.244.0.0/16",\n  "Backend": {"name": "cbr0", "type": "host-gw"}\n}\n',
    "cni.conf": '{\n  "cniVersion": "0.2.0", "name": "cbr0", "type": "flannel",\n'
    '  "delegate": {"type": "win-bridge", "dns": {"Nameservers": ["11.0.0.10"], "Search": ["svc.cluster.local"]}}\n}\n',
    "Dockerfile": "FROM mcr.microsoft.com/windows/nanoserver:latest\n\nCMD cmd /c ping -t localhost > nul\n",
}


def windows_classic_origins(known: dict[str, HttpHandler]) -> dict[str, HttpHandler]:
    """Return handlers that know these files and leave every other request to the origin there is.

    Args:
        known: the origins by host name.
    """
    added = {
        "download.docker.com": _docker,
        "dl.k8s.io": _kubernetes,
        "cdn.dl.k8s.io": _kubernetes,
        "raw.githubusercontent.com": _raw,
        "github.com": _github,
    }
    return {name: _first(find, known[name]) for name, find in added.items()}


def _first(find: HttpHandler | object, otherwise: HttpHandler) -> HttpHandler:
    def answer(request: HttpRequest) -> HttpResponse:
        found: HttpResponse | None = find(request)  # type: ignore[operator]
        return found if found is not None else otherwise(request)

    return answer


@cache
def docker_archive(version: str) -> bytes:
    """Return the zip file of a version of Docker for Windows."""
    return zip_archive(
        {
            f"docker/{name}.exe": stand_in(name, version, "windows/amd64")
            for name in ("docker", "dockerd")
        }
    )


def _docker(request: HttpRequest) -> HttpResponse | None:
    found = re.fullmatch(r"/win/static/stable/x86_64/docker-([\w.-]+)\.zip", path_of(request))
    if not found or found[1] not in versions("docker-windows"):
        return None
    return file(request, docker_archive(found[1]), "application/zip")


@cache
def node_archive(version: str) -> bytes:
    """Return kubernetes-node-windows-amd64.tar.gz of a version."""
    members: Members = {
        f"kubernetes/node/bin/{name}.exe": stand_in(name, version, "windows/amd64")
        for name in _NODE_PROGRAMS
    }
    members["kubernetes/LICENSES"] = (
        b"The licences of what a release holds; a stand-in of the lab.\n"
    )
    return tar_gz(members)


def _kubernetes(request: HttpRequest) -> HttpResponse | None:
    found = re.fullmatch(
        r"/(?:release/)?v([^/]+)/kubernetes-node-windows-amd64\.tar\.gz(\.sha256|\.sha512)?",
        path_of(request),
    )
    if not found or found[1] not in versions("kubernetes-node-windows"):
        return None
    return _with_hash(request, node_archive(found[1]), found[2])


def _with_hash(request: HttpRequest, content: bytes, ending: str | None) -> HttpResponse:
    if ending:
        return file(request, hashlib.new(ending[1:], content).hexdigest().encode(), "text/plain")
    return file(request, content)


@cache
def cni_archive(version: str) -> bytes:
    """Return the CNI plugins for Windows as they came while flannel's was one of them."""
    return tar_gz(
        {f"{name}.exe": stand_in(name, version, "windows/amd64") for name in _CNI_PLUGINS}
    )


def _github(request: HttpRequest) -> HttpResponse | None:
    path = path_of(request)
    if path.startswith("/coreos/flannel/"):
        return redirect("https://github.com/flannel-io/flannel/" + path.split("/", 3)[3])
    if found := re.fullmatch(
        r"/containernetworking/plugins/releases/download/v([^/]+)/"
        r"cni-plugins-windows-amd64-v\1\.tgz(\.sha256|\.sha512)?",
        path,
    ):
        if found[1] not in versions("cni-plugins-classic"):
            return None
        content = cni_archive(found[1])
        if found[2]:
            digest = hashlib.new(found[2][1:], content).hexdigest()
            name = f"cni-plugins-windows-amd64-v{found[1]}.tgz"
            return file(request, f"{digest}  {name}\n".encode(), "text/plain")
        return file(request, content)
    if found := re.fullmatch(
        r"/flannel-io/flannel/releases/download/v([^/]+)/"
        r"(?:flanneld\.exe|(flannel-v\1-windows-amd64\.tar\.gz))",
        path,
    ):
        if found[1] not in versions("flannel-classic"):
            return None
        program = stand_in("flanneld", found[1], "windows/amd64")
        return file(request, tar_gz({"flanneld.exe": program}) if found[2] else program)
    if found := re.fullmatch(r"/microsoft/sdn/archive/(?:refs/heads/)?([^/]+)\.zip", path, re.I):
        return (
            file(request, sdn_archive(found[1]), "application/zip")
            if found[1] in _SDN_COMMITS
            else None
        )
    return None


def _raw(request: HttpRequest) -> HttpResponse | None:
    found = re.fullmatch(r"/microsoft/sdn/([^/]+)/Kubernetes/(.+)", path_of(request), re.IGNORECASE)
    if not found or found[1] not in _SDN_COMMITS or found[2] not in _SDN_FILES:
        return None
    return file(request, sdn_file(found[2]), "text/plain; charset=utf-8")


@cache
def sdn_archive(commit: str) -> bytes:
    """Return Microsoft's repository at a commit as a zip file."""
    return zip_archive({f"SDN-{commit}/Kubernetes/{name}": sdn_file(name) for name in _SDN_FILES})


def sdn_file(name: str) -> bytes:
    """Return the stand-in for a file below Kubernetes/ of Microsoft's repository."""
    last = name.rpartition("/")[2]
    if last in _TEXTS:
        return _TEXTS[last].encode()
    head = f"# Kubernetes/{name} of microsoft/SDN: a stand-in of the lab, not Microsoft's text.\n"
    if last.endswith(".ps1"):
        return f"{head}throw 'not simulated in the lab: {last} of microsoft/SDN'\n".encode()
    if last.endswith(".psm1"):
        return f"{head}# Windows' own HostNetworkingService has the commands that it would add.\n".encode()
    return head.encode()
