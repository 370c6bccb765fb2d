"""What differs between Kubernetes versions, Windows builds and container runtimes, in one table.

Every gate names the first minor for which its value holds, so that a reader sees the whole history
of a flag in one place and a test can walk it.
"""

from __future__ import annotations

from dataclasses import dataclass

from k8swin_nb.errors import ParamsError

Minor = tuple[int, int]


def minor(version: str) -> Minor:
    """Return (1, 36) for "1.36.4"."""
    major, second, *_ = version.split(".")
    return int(major), int(second)


KUBEADM_API: tuple[tuple[Minor, str], ...] = (
    ((1, 13), "kubeadm.k8s.io/v1beta1"),
    ((1, 15), "kubeadm.k8s.io/v1beta2"),
    ((1, 22), "kubeadm.k8s.io/v1beta3"),
    ((1, 31), "kubeadm.k8s.io/v1beta4"),
)
OS_LABEL: tuple[tuple[Minor, str], ...] = (
    ((1, 13), "beta.kubernetes.io/os"),
    ((1, 14), "kubernetes.io/os"),
)
EMPTYDIR_FLAG: tuple[tuple[Minor, str], ...] = (
    ((1, 13), "--delete-local-data"),
    ((1, 20), "--delete-emptydir-data"),
)
"""What `kubectl drain` wants to hear before it evicts pods whose data goes with them."""
READY_PATH: tuple[tuple[Minor, str], ...] = (((1, 13), "/healthz"), ((1, 16), "/readyz"))

CGROUP_V2_REQUIRED: Minor = (1, 35)
"""From here on the kubelet and kubeadm refuse control groups v1 unless told otherwise."""

DOCKERSHIM_REMOVED: Minor = (1, 24)
OLDEST_COMMUNITY_PACKAGES: Minor = (1, 24)
"""The community package repositories start here; older ones need a site mirror."""

CONTAINERD_2_REQUIRED: Minor = (1, 38)
OLDEST_CURRENT: Minor = (1, 20)
"""The oldest Kubernetes that the current profile's steps have been made for."""


def gate(table: tuple[tuple[Minor, str], ...], version: str) -> str:
    """Return the value that holds for a version.

    Raises:
        ParamsError: when the version is older than the table.
    """
    wanted = minor(version)
    value = None
    for first, candidate in table:
        if wanted >= first:
            value = candidate
    if value is None:
        raise ParamsError(
            f"`kubernetes_version` {version} is older than {table[0][0][0]}.{table[0][0][1]}",
            hint="choose 1.13 (profile classic) or newer",
        )
    return value


@dataclass(frozen=True, slots=True)
class WindowsBuild:
    """A release of Windows Server: its build, the tag of its images, the first Kubernetes minor."""

    build: int
    name: str
    tag: str
    kubernetes_from: Minor
    pause_from: str


WINDOWS_BUILDS = (
    WindowsBuild(17763, "Windows Server 2019", "ltsc2019", (1, 14), "3.4.1"),
    WindowsBuild(20348, "Windows Server 2022", "ltsc2022", (1, 23), "3.6"),
    WindowsBuild(26100, "Windows Server 2025", "ltsc2025", (1, 33), "3.10.2"),
)


def windows_build(build: int) -> WindowsBuild:
    """Return what is known of a build.

    Raises:
        ParamsError: when the build is not supported.
    """
    for known in WINDOWS_BUILDS:
        if known.build == build:
            return known
    names = ", ".join(f"{known.name} ({known.build})" for known in WINDOWS_BUILDS)
    raise ParamsError(f"Windows build {build} is not supported", hint=f"use one of: {names}")


def check_versions(profile: str, kubernetes: str, containerd: str) -> None:
    """Refuse combinations that cannot work, with the reason.

    Raises:
        ParamsError: naming both values and why they exclude each other.
    """
    wanted = minor(kubernetes)
    runtime = minor(containerd)
    gate(KUBEADM_API, kubernetes)
    if profile == "classic" and wanted >= DOCKERSHIM_REMOVED:
        raise ParamsError(
            f"profile `classic` with `kubernetes_version` {kubernetes}: the kubelet has no support "
            f"for Docker since {DOCKERSHIM_REMOVED[0]}.{DOCKERSHIM_REMOVED[1]}",
            hint="use profile `current`, or a version below 1.24",
        )
    if profile == "classic":
        raise ParamsError(
            "profile `classic` has no steps yet in this release",
            hint="use profile `current`",
        )
    if wanted < OLDEST_CURRENT:
        raise ParamsError(
            f"profile `current` with `kubernetes_version` {kubernetes}: its oldest version is "
            f"{OLDEST_CURRENT[0]}.{OLDEST_CURRENT[1]}",
            hint='set `kubernetes_version` to "1.36.4"',
        )
    if wanted >= CONTAINERD_2_REQUIRED and runtime < (2, 0):
        raise ParamsError(
            f"`containerd_version` {containerd} with `kubernetes_version` {kubernetes}: "
            "the kubelet needs containerd 2.0 or newer since 1.38",
            hint="set `containerd_version` to 2.3.4 or newer",
        )
