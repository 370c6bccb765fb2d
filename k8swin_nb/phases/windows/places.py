"""Which folders and files of a Windows worker are made by these notebooks, and in which order they go.

The first step that makes anything writes down which of these places are there already; those stay.
"""

from __future__ import annotations

import json

from k8swin_nb.description import Description
from k8swin_nb.phases.linux.registries import registry_paths
from k8swin_nb.phases.windows.artifacts import CONTAINERD_FOLDER, DOCKER_FOLDER, worker_artifacts

IMAGES_FOLDERS = (r"C:\ProgramData\containerd", r"C:\ProgramData\docker")
"""Images and layers of the container runtimes."""

TREES = (
    r"C:\k",
    r"C:\etc\containerd",
    r"C:\etc\kube-flannel",
    r"C:\etc\kube-proxy",
    r"C:\etc\kubernetes",
    r"C:\flannel",
    r"C:\run\flannel",
    r"C:\var\lib\cni",
    r"C:\var\lib\kubelet",
    r"C:\var\log\containerd",
    r"C:\var\log\containers",
    r"C:\var\log\flanneld",
    r"C:\var\log\kube-proxy",
    r"C:\var\log\kubelet",
    r"C:\var\log\pods",
    CONTAINERD_FOLDER,
    DOCKER_FOLDER,
    *IMAGES_FOLDERS,
)
"""Folders that hold nothing but what belongs to the worker; they go with all that is in them."""

FILES = (
    r"C:\etc\cni\net.d\10-flannel.conf",
    r"C:\etc\kube-flannel\kubeconfig",
    r"C:\etc\kube-flannel\net-conf.json",
    r"C:\etc\kube-proxy\kubeconfig",
    r"C:\k\crictl.yaml",
    r"C:\opt\cni\bin\LICENSE",
    r"C:\opt\cni\bin\README.md",
)
"""Files in folders that others may use too, or that were there before."""

SHARED = (
    r"C:\etc\cni\net.d",
    r"C:\etc\cni",
    r"C:\etc",
    r"C:\opt\cni\bin",
    r"C:\opt\cni",
    r"C:\opt",
    r"C:\run",
    r"C:\usr\libexec\kubernetes\kubelet-plugins\volume\exec",
    r"C:\usr\libexec\kubernetes\kubelet-plugins\volume",
    r"C:\usr\libexec\kubernetes\kubelet-plugins",
    r"C:\usr\libexec\kubernetes",
    r"C:\usr\libexec",
    r"C:\usr",
    r"C:\var\lib",
    r"C:\var\log",
    r"C:\var",
)
"""Folders that others may use too, inner ones first: they go when they are empty."""


def _programs(description: Description) -> list[str]:
    """Return the files that downloads bring, wherever they are put."""
    files: list[str] = []
    for artifact in json.loads(worker_artifacts(description)):
        files += artifact.get("provides") or [artifact["to"]]
    return files


def places(description: Description, *, keep_images: bool = False) -> str:
    """Return every place as JSON, in the order of removal: path, and kind `tree`, `file` or `empty`.

    Args:
        description: The cluster's description.
        keep_images: Leave out where images are kept.
    """
    trees = [path for path in TREES if not (keep_images and path in IMAGES_FOLDERS)]
    # A tree that stays, because it was there before, loses the files that were put into it.
    registries = registry_paths(description, "windows")
    files = dict.fromkeys([*FILES, *_programs(description), *registries])
    entries = [("tree", path) for path in trees]
    entries += [("file", path) for path in files]
    entries += [("empty", path) for path in SHARED]
    return json.dumps([{"kind": kind, "path": path} for kind, path in entries])
