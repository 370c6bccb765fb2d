"""Combinations of profile, Kubernetes, container runtime and flannel that cannot work, and why.

What may live here: refusals that follow from a cluster's description alone. What a host or a cluster
turns out to be is the preflight's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError
from k8swin_nb.versions import (
    CONTAINERD_2_REQUIRED,
    CRI_V1,
    DOCKER_SERIES,
    DOCKERSHIM_REMOVED,
    FLANNEL_OWN_NAMESPACE,
    FLANNEL_WINDOWS_HOST_GW,
    KUBEADM_API,
    OLDEST_COMMUNITY_PACKAGES,
    OLDEST_CURRENT,
    flannel_is_early,
    gate,
    minor,
)

Problem = tuple[str, str]
"""What excludes what, and what to set instead."""


def check_versions(description: Description) -> None:
    """Refuse combinations that cannot work, with the reason.

    Raises:
        ParamsError: naming both values and why they exclude each other.
    """
    gate(KUBEADM_API, description.kubernetes_version)
    for find in (_profile, _unused, _runtime, _sources, _keys, _verified, _flannel, _others):
        for message, hint in find(description):
            raise ParamsError(message, hint=hint)


def package_source(description: Description) -> str:
    """Return `apt` or `tarball`: where kubeadm, kubelet and kubectl come from.

    There is no public package repository before 1.24, so `auto` means tarballs there unless the
    site has a mirror.
    """
    if description.package_source != "auto":
        return description.package_source
    older = minor(description.kubernetes_version) < OLDEST_COMMUNITY_PACKAGES
    return "tarball" if older and not description.kubernetes_apt_source else "apt"


def docker_source(description: Description) -> str:
    """Return `apt` or `tarball`: where Docker comes from in the classic profile."""
    return "tarball" if description.docker_apt_source == "tarball" else "apt"


def keyring(source: str) -> str:
    """Return the file that an apt source line names as its keyring; empty where it names none."""
    found = re.search(r"\[[^\]]*\bsigned-by=(/[^\s\],]+)", source)
    return found[1] if found else ""


def _text(value: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in value)


def _profile(description: Description) -> Iterator[Problem]:
    version = description.kubernetes_version
    wanted = minor(version)
    if description.profile == "classic" and wanted >= DOCKERSHIM_REMOVED:
        yield (
            f"profile `classic` with `kubernetes_version` {version}: the kubelet has no support "
            f"for Docker since {_text(DOCKERSHIM_REMOVED)}",
            "use profile `current`, or a version below 1.24",
        )
    if description.profile == "current" and wanted < OLDEST_CURRENT:
        yield (
            f"profile `current` with `kubernetes_version` {version}: its oldest version is "
            f"{_text(OLDEST_CURRENT)}",
            'set `kubernetes_version` to "1.36.4", or `profile` to `classic`',
        )


def _unused(description: Description) -> Iterator[Problem]:
    """What was set for the other profile's runtime would be ignored without a word."""
    other = "containerd" if description.profile == "classic" else "docker"
    for name in (f"{other}_version", f"{other}_apt_source"):
        value = getattr(description, name)
        if value != Description.model_fields[name].default:
            yield (
                f"`{name}` {value} with profile `{description.profile}`, which does not use {other}",
                f"leave out `{name}`, or choose the other profile",
            )


def _runtime(description: Description) -> Iterator[Problem]:
    version, wanted = description.kubernetes_version, minor(description.kubernetes_version)
    if description.profile == "classic":
        oldest, newest = DOCKER_SERIES
        if not oldest <= minor(description.docker_version) <= newest:
            yield (
                f"`docker_version` {description.docker_version} with profile `classic`: its kubelets work "
                f"with Docker {oldest[0]}.{oldest[1]:02d} to {_text(newest)}",
                "set `docker_version` to 18.06.3 for Kubernetes 1.13, or to 20.10.24",
            )
        return
    containerd = minor(description.containerd_version)
    if wanted >= CONTAINERD_2_REQUIRED and containerd < (2, 0):
        yield (
            f"`containerd_version` {description.containerd_version} with `kubernetes_version` {version}: "
            f"the kubelet needs containerd 2.0 or newer since {_text(CONTAINERD_2_REQUIRED)}",
            "set `containerd_version` to 2.3.4 or newer",
        )
    if wanted < CRI_V1 and containerd >= (2, 0):
        yield (
            f"`containerd_version` {description.containerd_version} with `kubernetes_version` {version}: "
            f"a kubelet before {_text(CRI_V1)} speaks an interface that containerd 2.0 no longer has",
            'set `containerd_version` to a version of 1, such as "1.6.20"',
        )
    if containerd < (1, 6):
        yield (
            f"`containerd_version` {description.containerd_version}: the oldest that is configured here is 1.6",
            'set `containerd_version` to "1.6.20" or newer',
        )


def _sources(description: Description) -> Iterator[Problem]:
    older = minor(description.kubernetes_version) < OLDEST_COMMUNITY_PACKAGES
    if description.package_source == "apt" and older and not description.kubernetes_apt_source:
        yield (
            f"`package_source` apt with `kubernetes_version` {description.kubernetes_version}: the community "
            f"repositories begin at {_text(OLDEST_COMMUNITY_PACKAGES)}",
            "give a site mirror in `kubernetes_apt_source`, or set `package_source` to tarball",
        )
    if "same" in (description.docker_apt_source, description.containerd_apt_source):
        which = "docker" if description.profile == "classic" else "containerd"
        if (
            getattr(description, f"{which}_apt_source") == "same"
            and not description.kubernetes_apt_source
        ):
            yield (
                f"`{which}_apt_source` is `same`, and `kubernetes_apt_source` is empty",
                "give an apt source line in `kubernetes_apt_source`",
            )


def _keys(description: Description) -> Iterator[Problem]:
    which = "docker" if description.profile == "classic" else "containerd"
    for key, source in (
        ("kubernetes_apt_key", "kubernetes_apt_source"),
        ("runtime_apt_key", f"{which}_apt_source"),
    ):
        if getattr(description, key) and not keyring(getattr(description, source)):
            yield (
                f"`{key}` is given, and `{source}` names no keyring to put it in",
                f"write `[signed-by=/etc/apt/keyrings/site.gpg]` into `{source}`, or leave `{key}` empty",
            )


def _verified(description: Description) -> Iterator[Problem]:
    """What a key is taken by: https, or its fingerprint."""
    for which in ("kubernetes", "runtime"):
        url = getattr(description, f"{which}_apt_key")
        fingerprint = getattr(description, f"{which}_apt_fingerprint")
        if url.startswith("http://") and not fingerprint:
            yield (
                f"`{which}_apt_key` {url} comes over http, so that anybody on the way may change it",
                f"use https, or give the key's fingerprint in `{which}_apt_fingerprint`: gpg --show-keys FILE",
            )
        if fingerprint and not url:
            yield (
                f"`{which}_apt_fingerprint` is given, and `{which}_apt_key` is empty",
                f"give the key's URL in `{which}_apt_key`, or leave out the fingerprint",
            )


def _others(description: Description) -> Iterator[Problem]:
    """A pod network that others make, and what of ours does not go with it."""
    name = description.pod_network
    if name == "flannel":
        return
    windows = any(host.os == "windows" and host.role == "worker" for host in description.hosts)
    if windows and name == "cilium":
        yield (
            "`pod_network` cilium with Windows workers: Cilium has no agent for Windows",
            "set `pod_network` to flannel, or to calico, which has one",
        )
    if windows and description.profile == "classic":
        yield (
            f"`pod_network` {name} with profile `classic` and Windows workers: networks of others come to Windows in "
            "host-process containers, which Docker does not have",
            "set `pod_network` to flannel, or `profile` to current",
        )
    if description.flannel_interfaces:
        yield (
            f"`flannel_interfaces` with `pod_network` {name}, which is not flannel",
            "leave one of them out",
        )


def _flannel(description: Description) -> Iterator[Problem]:
    version = description.flannel_version
    parts = tuple(int(part) for part in version.split("."))
    windows = any(host.os == "windows" and host.role == "worker" for host in description.hosts)
    if windows and description.profile == "classic" and description.topology == "vxlan":
        yield (
            "`topology` vxlan with profile `classic` and Windows workers: kube-proxy of that time has it as an "
            "early trial only, and its steps are not made here",
            "set `topology` to `host-gw` or `l3`, or `profile` to `current`",
        )
    if flannel_is_early(version):
        if description.profile == "current":
            yield (
                f"`flannel_version` {version} with profile `current`: host-gw on Windows works since "
                f"{_text(FLANNEL_WINDOWS_HOST_GW)}, and this generation knows Docker only",
                'set `flannel_version` to "0.28.9"',
            )
        if parts < (0, 11):
            yield (
                f"`flannel_version` {version}: the oldest that is deployed here is 0.11.0",
                'set `flannel_version` to "0.11.0"',
            )
    elif minor(version) < FLANNEL_OWN_NAMESPACE:
        yield (
            f"`flannel_version` {version}: the manifests of 0.13 to 0.18 are not made here",
            'set `flannel_version` to "0.11.0" (classic) or "0.28.9"',
        )
    elif windows and parts < FLANNEL_WINDOWS_HOST_GW:
        yield (
            f"`flannel_version` {version} with Windows workers: with host-gw flanneld.exe waits for the "
            f"wrong state of its endpoint before {_text(FLANNEL_WINDOWS_HOST_GW)}",
            'set `flannel_version` to "0.28.9"',
        )
