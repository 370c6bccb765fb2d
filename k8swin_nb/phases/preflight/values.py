"""Values that only the preflight scripts declare."""

from __future__ import annotations

import json
import re

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.description import Description
from k8swin_nb.inventory import Host
from k8swin_nb.phases.linux.artifacts import linux_artifacts
from k8swin_nb.phases.windows.artifacts import worker_artifacts
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.versions import KUBELET_FLAGS_REMOVED, minor
from k8swin_nb.workflow.phase_run import PhaseRun

DOCKER_HUB = "registry-1.docker.io"
"""The host behind images of `docker.io`."""

PACKAGES, VENDOR = "https://pkgs.k8s.io/", "https://download.docker.com/"
"""Where packages come from when a description names no source."""


def preflight_values(run: PhaseRun, host: Host, *, api_expected: bool) -> dict[str, str]:
    """Return the profile and the places that this host will fetch something from."""
    description = run.description
    places = linux_places(description) if host.os == "linux" else windows_places(description)
    return {
        "api_expected": str(api_expected).lower(),
        "card_unnamed": card_unnamed(run.plan, description) if host.os == "windows" else "",
        "cluster_profile": description.profile,
        "kubelet_flags_removed": " ".join(
            name
            for name, since in KUBELET_FLAGS_REMOVED.items()
            if minor(description.kubernetes_version) >= since
        ),
        "download_hosts": " ".join(dict.fromkeys(places)),
    }


def card_unnamed(plan: NetworkPlan, description: Description) -> str:
    """Return what to do where HNS chooses the card of the pod network by itself; empty where it is told.

    With vxlan flanneld tells it; for a bridge the job of the pod network does, which needs hns.psm1.
    """
    if plan.by_others or plan.encapsulated:
        return ""
    names = {artifact["name"] for artifact in json.loads(worker_artifacts(description))}
    return "" if "hns.psm1" in names else "name hns.psm1 in the lock of the artifacts"


def registry(image: str) -> str:
    """Return the host of an image; Docker Hub's where none is named."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    if not named or first == "docker.io":
        return DOCKER_HUB
    return first


def _place(url: str) -> str:
    """Return host and port of a URL."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def linux_places(description: Description) -> list[str]:
    """Return the hosts of package sources, of archives and of registries."""
    classic = description.profile == "classic"
    kubernetes = description.kubernetes_apt_source or PACKAGES
    sources = [kubernetes if package_source(description) == "apt" else ""]
    if docker_source(description) == "apt" or not classic:
        runtime = description.docker_apt_source if classic else description.containerd_apt_source
        sources.append(kubernetes if runtime == "same" else runtime or VENDOR)
    # A mirror over plain HTTP is asked by apt alone.
    keys = (description.kubernetes_apt_key, description.runtime_apt_key)
    urls = re.findall(r"https://[^\s]+", " ".join([*sources, *keys, linux_artifacts(description)]))
    repositories = [
        description.image_repository,
        description.coredns_repository,
        description.flannel_repository,
    ]
    images = [*(f"{name}/image" for name in repositories if name), description.runtime_test_image]
    return [*map(_place, urls), *(registry(image) for image in images)]


def windows_places(description: Description) -> list[str]:
    """Return the hosts of the artifacts and of the images."""
    found = re.findall(r"https://[^\"\s]+", worker_artifacts(description))
    places = [_place(url) for url in found]
    base = f"{description.windows_repository}/image"
    images = [f"{description.image_repository}/image"]
    if description.test_os == "windows":
        images.append(description.test_image or base)
    if description.profile == "classic":  # nanoserver proves Docker
        images.append(base)
    return [*places, *(registry(image) for image in images)]
