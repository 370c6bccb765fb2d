"""What a Windows worker downloads: where it comes from, its SHA-256, and where it belongs.

A lock names every download with its hash. The built-in lock holds what has been published for one set
of versions; a site mirror, another version or a lab brings a lock file of its own of the same form:

    kubernetes_version: "1.36.4"
    artifacts:
      kubelet.exe: {url: https://..., sha256: 64 hexadecimal digits}

Where no hash was published ahead of time the word `published` stands for it: the origin's own `.sha256`
file is asked at the first download, and the answer is kept on the worker.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from k8swin_nb.errors import ParamsError
from k8swin_nb.params import ClusterParams, project_path

CONTAINERD_FOLDER = r"C:\Program Files\containerd"

LAYOUT: dict[str, dict[str, Any]] = {
    "containerd": {
        "unpack": True,
        "to": CONTAINERD_FOLDER,
        "strip": 1,
        "service": "containerd",
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
    "flanneld.exe": {"to": r"C:\k\flanneld.exe", "service": "flanneld"},
    "kubeadm.exe": {"to": r"C:\k\kubeadm.exe"},
    "kubectl.exe": {"to": r"C:\k\kubectl.exe"},
    "kubelet.exe": {"to": r"C:\k\kubelet.exe", "service": "kubelet"},
    "kube-proxy.exe": {"to": r"C:\k\kube-proxy.exe", "service": "kube-proxy"},
    "nssm": {
        "unpack": True,
        "to": r"C:\k",
        "strip": 2,
        "members": ["nssm-2.24/win64/nssm.exe"],
        "provides": [r"C:\k\nssm.exe"],
    },
}
"""Where each download belongs on a worker. `strip` counts leading folders inside the archive."""


class _Artifact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    url: str = Field(pattern=r"^https?://[^\s]+$")
    sha256: str = Field(pattern=r"^([0-9a-f]{64}|published)$")


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kubernetes_version: str
    containerd_version: str
    flannel_version: str
    artifacts: dict[str, _Artifact]


@cache
def _read_lock(text: str, source: str) -> _Lock:
    try:
        lock = _Lock.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        first = re.sub(r"\s+", " ", str(error))[:200]
        raise ParamsError(
            f"the artifact lock {source} is not valid: {first}",
            hint="compare with `k8swin_nb/phases/artifacts.yaml`",
        ) from None
    missing = sorted(set(LAYOUT) - set(lock.artifacts))
    if missing:
        raise ParamsError(
            f"the artifact lock {source} lacks: {', '.join(missing)}",
            hint="every download of a worker needs a url and a sha256",
        )
    return lock


def worker_artifacts(params: ClusterParams) -> str:
    """Return the downloads of a Windows worker as JSON, for the scripts' parameter `Artifacts`.

    Raises:
        ParamsError: when the lock is for other versions, incomplete or not readable.
    """
    if params.artifacts:
        path = project_path(params.artifacts)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ParamsError(
                f"cannot read the artifact lock `{path}`: {error.strerror}",
                hint="correct `artifacts` in the parameters, or leave it empty for the built-in lock",
            ) from error
        source = f"`{path}`"
    else:
        text = resources.files(__package__).joinpath("artifacts.yaml").read_text(encoding="utf-8")
        source = "built into the package"
    lock = _read_lock(text, source)
    for name in ("kubernetes_version", "containerd_version", "flannel_version"):
        locked, wanted = getattr(lock, name), getattr(params, name)
        if locked != wanted:
            raise ParamsError(
                f"the artifact lock {source} is for `{name}` {locked}, the parameters say {wanted}",
                hint="set `artifacts` to a lock file for these versions",
            )
    listed = [
        {
            "name": name,
            "url": lock.artifacts[name].url,
            "file": lock.artifacts[name].url.rsplit("/", 1)[-1],
            "sha256": lock.artifacts[name].sha256,
            **layout,
        }
        for name, layout in LAYOUT.items()
    ]
    return json.dumps(listed)
