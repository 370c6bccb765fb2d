"""What a Windows worker downloads: where it comes from, its hash, and where it belongs.

A lock file (`phases/lock_file.py`) names every download with its SHA-256, or SHA-512 where only that was
published. There is one built-in lock for each profile, for one set of versions; a site mirror, another
version or a lab brings one of its own.

Where no hash was published ahead of time a word stands for it. `published`: the origin's own `.sha256` file
beside the download is asked at the first download, and the answer is kept on the worker. `first-use`: the
origin publishes none; the file must arrive alike twice, its hash is then kept on the worker and shown, to
be put into a lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.phases.lock_file import LockRules, file_name, read_lock

CONTAINERD_FOLDER = r"C:\Program Files\containerd"
DOCKER_FOLDER = r"C:\Program Files\docker"

Layout = Mapping[str, dict[str, Any]]

_NSSM: dict[str, Any] = {
    "unpack": True,
    "to": r"C:\k",
    "strip": 2,
    "members": ["nssm-2.24/win64/nssm.exe"],
    "provides": [r"C:\k\nssm.exe"],
}

LAYOUT: Layout = {
    "containerd": {
        "unpack": True,
        "to": CONTAINERD_FOLDER,
        "strip": 1,
        "services": ["containerd"],
        "provides": [rf"{CONTAINERD_FOLDER}\containerd.exe", rf"{CONTAINERD_FOLDER}\ctr.exe"],
    },
    "crictl": {"unpack": True, "to": r"C:\k", "strip": 0, "provides": [r"C:\k\crictl.exe"]},
    "cni-plugins": {
        "unpack": True,
        "to": r"C:\opt\cni\bin",
        "strip": 0,
        "provides": [
            r"C:\opt\cni\bin\host-local.exe",
            r"C:\opt\cni\bin\win-bridge.exe",
            r"C:\opt\cni\bin\win-overlay.exe",
        ],
    },
    "flannel-cni": {"to": r"C:\opt\cni\bin\flannel.exe"},
    "flanneld.exe": {"to": r"C:\k\flanneld.exe", "services": ["flanneld"]},
    "kubeadm.exe": {"to": r"C:\k\kubeadm.exe"},
    "kubectl.exe": {"to": r"C:\k\kubectl.exe"},
    "kubelet.exe": {"to": r"C:\k\kubelet.exe", "services": ["kubelet"]},
    "kube-proxy.exe": {"to": r"C:\k\kube-proxy.exe", "services": ["kube-proxy"]},
    "hns.psm1": {"to": r"C:\k\hns.psm1"},
    "nssm": _NSSM,
}
"""Where each download of the profile `current` belongs. `strip` counts leading folders inside the archive."""

OPTIONAL = {"current": frozenset({"hns.psm1"}), "classic": frozenset[str]()}
"""What a lock may leave out: without hns.psm1 flanneld makes its bridge itself, on the card that HNS takes."""

SDN_SCRIPTS = (
    "start.ps1",
    "start-kubelet.ps1",
    "start-kubeproxy.ps1",
    "stop.ps1",
    "register-svc.ps1",
    "install.ps1",
    "InstallImages.ps1",
    "Dockerfile",
    "helper.psm1",
    "hns.psm1",
)
"""Microsoft's scripts for Kubernetes on Windows; each fetches the others from a moving branch if they are not there."""

CLASSIC_LAYOUT: Layout = {
    "docker": {
        "unpack": True,
        "to": DOCKER_FOLDER,
        "strip": 1,
        "services": ["docker"],
        "provides": [rf"{DOCKER_FOLDER}\dockerd.exe", rf"{DOCKER_FOLDER}\docker.exe"],
    },
    "kubernetes-node": {
        "unpack": True,
        "to": r"C:\k",
        "strip": 3,
        "members": [
            f"kubernetes/node/bin/{name}.exe" for name in ("kubelet", "kube-proxy", "kubectl")
        ],
        "services": ["kube-proxy", "kubelet"],
        "provides": [r"C:\k\kubelet.exe", r"C:\k\kube-proxy.exe", r"C:\k\kubectl.exe"],
    },
    "cni-plugins": {
        "unpack": True,
        "to": r"C:\k\cni",
        "strip": 0,
        "provides": [
            r"C:\k\cni\flannel.exe",
            r"C:\k\cni\host-local.exe",
            r"C:\k\cni\win-bridge.exe",
        ],
    },
    "flanneld.exe": {"to": r"C:\k\flanneld.exe", "services": ["flanneld"]},
    **{name: {"to": rf"C:\k\{name}"} for name in SDN_SCRIPTS},
    "nssm": _NSSM,
}
"""Where each download of the profile `classic` belongs: where Microsoft's scripts look for it."""

LAYOUTS = {"current": LAYOUT, "classic": CLASSIC_LAYOUT}
RULES = {
    profile: LockRules(
        what="artifact lock",
        parameter="artifacts",
        built_in=f"windows/{name}",
        schemes=("http", "https"),
        words=("published", "first-use"),
    )
    for profile, name in {"current": "artifacts.yaml", "classic": "artifacts-classic.yaml"}.items()
}
_LOCKED_VERSIONS = {
    "current": ("kubernetes_version", "containerd_version", "flannel_version"),
    # Docker's Windows builds have other version numbers than the Linux packages: the lock alone says which.
    "classic": ("kubernetes_version", "flannel_version"),
}


def worker_artifacts(description: Description) -> str:
    """Return the downloads of a Windows worker as JSON, for the scripts' parameter `Artifacts`.

    Raises:
        ParamsError: when the lock is for other versions, incomplete or not readable.
    """
    profile = description.profile
    layouts = LAYOUTS[profile]
    locked = read_lock(
        description,
        RULES[profile],
        names=layouts.keys() - OPTIONAL[profile],
        versions=_LOCKED_VERSIONS[profile],
    )
    listed = [
        {
            "name": name,
            "url": locked[name].url,
            "file": file_name(locked[name].url),
            "algorithm": locked[name].algorithm.upper(),
            "hash": locked[name].digest,
            **layout,
        }
        for name, layout in layouts.items()
        if name in locked
    ]
    return json.dumps(listed)
