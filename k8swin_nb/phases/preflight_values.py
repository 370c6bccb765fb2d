"""Values that only the preflight scripts declare."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases.artifacts import worker_artifacts
from k8swin_nb.phases.linux_artifacts import linux_artifacts
from k8swin_nb.workflow.run import Run

DOCKER_HUB = "registry-1.docker.io"
"""The host behind images of `docker.io`."""

PACKAGES, VENDOR = "https://pkgs.k8s.io/", "https://download.docker.com/"
"""Where packages come from when a description names no source."""


def preflight_values(run: Run, host: Host, *, api_expected: bool) -> dict[str, str]:
    """Return the profile and the places that this host will fetch something from."""
    params = run.params
    places = linux_places(params) if host.os == "linux" else windows_places(params)
    return {
        "api_expected": str(api_expected).lower(),
        "cluster_profile": params.profile,
        "download_hosts": " ".join(dict.fromkeys(places)),
    }


def registry(image: str) -> str:
    """Return the host of an image; Docker Hub's where none is named."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    if not named or first == "docker.io":
        return DOCKER_HUB
    return first


def linux_places(params: ClusterParams) -> list[str]:
    """Return the hosts of package sources, of archives and of registries."""
    classic = params.profile == "classic"
    kubernetes = params.kubernetes_apt_source or PACKAGES
    sources = [kubernetes if package_source(params) == "apt" else ""]
    if docker_source(params) == "apt" or not classic:
        runtime = params.docker_apt_source if classic else params.containerd_apt_source
        sources.append(kubernetes if runtime == "same" else runtime or VENDOR)
    # A mirror over plain HTTP is asked by apt alone.
    keys = (params.kubernetes_apt_key, params.runtime_apt_key)
    urls = re.findall(r"https://[^\s]+", " ".join([*sources, *keys, linux_artifacts(params)]))
    repositories = [params.image_repository, params.coredns_repository, params.flannel_repository]
    images = [*(f"{name}/image" for name in repositories if name), params.runtime_test_image]
    return [*(urlsplit(url).netloc for url in urls), *(registry(image) for image in images)]


def windows_places(params: ClusterParams) -> list[str]:
    """Return the hosts of the artifacts and of the images."""
    found = re.findall(r"https://[^\"\s]+", json.dumps(json.loads(worker_artifacts(params))))
    places = [urlsplit(url).netloc for url in found]
    base = f"{params.windows_repository}/image"
    images = [f"{params.image_repository}/image"]
    if params.test_os == "windows":
        images.append(params.test_image or base)
    if params.profile == "classic":  # nanoserver proves Docker
        images.append(base)
    return [*places, *(registry(image) for image in images)]
