"""What a Windows worker downloads: where it comes from, its hash, and where it belongs.

A lock names every download with its SHA-256 (or SHA-512, where only that was published). There is one
built-in lock for each profile, for one set of versions; a site mirror, another version or a lab brings a
lock file of its own of the same form:

    kubernetes_version: "1.36.4"
    artifacts:
      kubelet.exe: {url: https://..., sha256: 64 hexadecimal digits}

Where no hash was published ahead of time a word stands for it. `published`: the origin's own `.sha256` file
beside the download is asked at the first download, and the answer is kept on the worker. `first-use`: the
origin publishes none; the file must arrive alike twice, its hash is then kept on the worker and shown, to
be put into a lock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError

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
    "nssm": _NSSM,
}
"""Where each download of the profile `current` belongs. `strip` counts leading folders inside the archive."""

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
BUILT_IN = {"current": "artifacts.yaml", "classic": "artifacts-classic.yaml"}
_LOCKED_VERSIONS = {
    "current": ("kubernetes_version", "containerd_version", "flannel_version"),
    # Docker's Windows builds have other version numbers than the Linux packages: the lock alone says which.
    "classic": ("kubernetes_version", "flannel_version"),
}


class _Artifact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    url: str = Field(pattern=r"^https?://[^\s]+$")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64}|published|first-use|)$")
    sha512: str = Field(default="", pattern=r"^([0-9a-f]{128}|)$")

    @model_validator(mode="after")
    def _has_one_hash(self) -> _Artifact:
        if bool(self.sha256) == bool(self.sha512):
            raise ValueError("an artifact has one hash, `sha256` or `sha512`")
        return self


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kubernetes_version: str
    containerd_version: str = ""
    docker_version: str = ""
    flannel_version: str
    artifacts: dict[str, _Artifact]


@cache
def _read_lock(text: str, source: str, profile: str) -> _Lock:
    try:
        lock = _Lock.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        first = re.sub(r"\s+", " ", str(error))[:200]
        raise ParamsError(
            f"the artifact lock {source} is not valid: {first}",
            hint=f"compare with `k8swin_nb/phases/{BUILT_IN[profile]}`",
        ) from None
    missing = sorted(set(LAYOUTS[profile]) - set(lock.artifacts))
    if missing:
        raise ParamsError(
            f"the artifact lock {source} lacks: {', '.join(missing)}",
            hint=f"every download of a worker of the profile `{profile}` needs a url and a hash",
        )
    return lock


def worker_artifacts(description: Description) -> str:
    """Return the downloads of a Windows worker as JSON, for the scripts' parameter `Artifacts`.

    Raises:
        ParamsError: when the lock is for other versions, incomplete or not readable.
    """
    profile = description.profile
    if description.artifacts:
        path = description.path(description.artifacts)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ParamsError(
                f"cannot read the artifact lock `{path}`: {error.strerror}",
                hint="correct `artifacts` in the parameters, or leave it empty for the built-in lock",
            ) from error
        source = f"`{path}`"
    else:
        text = resources.files(__package__).joinpath(BUILT_IN[profile]).read_text(encoding="utf-8")
        source = "built into the package"
    lock = _read_lock(text, source, profile)
    for name in _LOCKED_VERSIONS[profile]:
        locked, wanted = getattr(lock, name), getattr(description, name)
        if locked != wanted:
            raise ParamsError(
                f"the artifact lock {source} is for `{name}` {locked or 'none'}, the parameters say {wanted}",
                hint="set `artifacts` to a lock file for these versions",
            )
    listed = [
        {
            "name": name,
            "url": lock.artifacts[name].url,
            "file": lock.artifacts[name].url.rsplit("/", 1)[-1],
            "algorithm": "SHA512" if lock.artifacts[name].sha512 else "SHA256",
            "hash": lock.artifacts[name].sha512 or lock.artifacts[name].sha256,
            **layout,
        }
        for name, layout in LAYOUTS[profile].items()
    ]
    return json.dumps(listed)
