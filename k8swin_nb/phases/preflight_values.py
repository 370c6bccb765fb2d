"""Values that only the preflight scripts declare."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases.artifacts import worker_artifacts
from k8swin_nb.versions import minor
from k8swin_nb.workflow.run import Run

CGROUP_V2_KNOWN = (1, 19)
"""Older kubelets do not find control groups v2."""

DOCKER_HUB = "registry-1.docker.io"
"""The host behind images of `docker.io`."""

WINDOWS_IMAGES = "mcr.microsoft.com"


def preflight_values(run: Run, host: Host, *, api_expected: bool) -> dict[str, str]:
    """Return the profile and the places that this host will fetch something from."""
    params = run.params
    old = params.profile == "classic" and minor(params.kubernetes_version) < CGROUP_V2_KNOWN
    places = linux_places(params) if host.os == "linux" else windows_places(params)
    return {
        "api_expected": str(api_expected).lower(),
        "cluster_profile": params.profile,
        "cgroup_v1_required": str(old).lower(),
        "download_hosts": " ".join(dict.fromkeys(places)),
    }


def registry(image: str) -> str:
    """Return the host of an image or repository; Docker Hub's where none is named."""
    first, slash, _ = image.partition("/")
    named = "." in first or ":" in first or first == "localhost"
    if not (named and (slash or ":" not in first)) or first == "docker.io":
        return DOCKER_HUB
    return first


def linux_places(params: ClusterParams) -> list[str]:
    """Return the hosts of package sources and registries."""
    places: list[str] = []
    for source, usual in (
        (params.kubernetes_apt_source, "pkgs.k8s.io"),
        (params.containerd_apt_source, "download.docker.com"),
    ):
        if source == "same":
            continue
        # A mirror over plain HTTP is asked by apt alone.
        places += re.findall(r"https://([^/\s]+)", source) if source else [usual]
    images = (params.image_repository, params.flannel_repository, params.runtime_test_image)
    return places + [registry(image) for image in images]


def windows_places(params: ClusterParams) -> list[str]:
    """Return the hosts of the artifacts and of the images."""
    found = re.findall(r"https://[^\"\s]+", json.dumps(json.loads(worker_artifacts(params))))
    places = [urlsplit(url).netloc for url in found]
    image = registry(params.test_image) if params.test_image else WINDOWS_IMAGES
    return [*places, registry(params.image_repository), image]
