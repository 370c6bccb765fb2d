"""What differs between Kubernetes versions, Windows builds and container runtimes, in one table.

Every gate names the first minor for which its value holds, so that a reader sees the whole history
of a flag in one place and a test can walk it. What is refused, and why, is in `compatibility`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from k8swin_nb.errors import ParamsError

Minor = tuple[int, int]
Value = TypeVar("Value")
Gate = tuple[tuple[Minor, Value], ...]
"""Rows of (first minor, value that holds from there on), oldest first."""


def minor(version: str) -> Minor:
    """Return (1, 36) for "1.36.4"."""
    major, second, *_ = version.split(".")
    return int(major), int(second)


def gate(table: Gate[Value], version: str) -> Value:
    """Return the value that holds for a version.

    Raises:
        ParamsError: when the version is older than the table.
    """
    wanted = minor(version)
    held = [value for first, value in table if wanted >= first]
    if not held:
        raise ParamsError(
            f"`kubernetes_version` {version} is older than {table[0][0][0]}.{table[0][0][1]}",
            hint="choose 1.13 (profile classic) or newer",
        )
    return held[-1]


# What kubeadm reads and makes

KUBEADM_API: Gate[str] = (
    ((1, 13), "kubeadm.k8s.io/v1beta1"),
    ((1, 15), "kubeadm.k8s.io/v1beta2"),
    ((1, 22), "kubeadm.k8s.io/v1beta3"),
    ((1, 31), "kubeadm.k8s.io/v1beta4"),
)
"""The API version of the files that kubeadm is given: the newest that it reads."""

PAUSE: Gate[str] = (
    ((1, 13), "3.1"),
    ((1, 18), "3.2"),
    ((1, 21), "3.4.1"),
    ((1, 22), "3.5"),
    ((1, 23), "3.6"),
    ((1, 24), "3.7"),
    ((1, 25), "3.8"),
    ((1, 26), "3.9"),
    ((1, 31), "3.10"),
    ((1, 34), "3.10.1"),
    ((1, 36), "3.10.2"),
)
"""The pause image among those that kubeadm lists: a Linux node needs no second one."""

DNS_REPOSITORY: Gate[str] = (((1, 13), ""), ((1, 21), "/coredns"), ((1, 25), ""))
"""Where CoreDNS lies below registry.k8s.io when kubeadm does not find it by itself.

CoreDNS moved one folder down with 1.21. kubeadm follows it only for the registry that is its own
default, which became registry.k8s.io with 1.25.
"""

CONTROL_PLANE_PORTS: Gate[str] = (
    ((1, 13), "2379 2380 10251 10252 10257 10259"),
    ((1, 23), "2379 2380 10257 10259"),
)
"""Where API server, etcd, controller manager and scheduler listen; the insecure ports went last."""

# What the API server serves and kubectl knows

OS_LABEL: Gate[str] = (((1, 13), "beta.kubernetes.io/os"), ((1, 14), "kubernetes.io/os"))
ARCH_LABEL: Gate[str] = (((1, 13), "beta.kubernetes.io/arch"), ((1, 14), "kubernetes.io/arch"))
READY_PATH: Gate[str] = (((1, 13), "/healthz"), ((1, 16), "/readyz"))
EMPTYDIR_FLAG: Gate[str] = (((1, 13), "--delete-local-data"), ((1, 20), "--delete-emptydir-data"))
"""What `kubectl drain` wants to hear before it evicts pods whose data goes with them."""

ENDPOINTS: Gate[str] = (((1, 13), "endpoints"), ((1, 21), "endpointslices"))
"""Where the addresses behind a Service are read; slices name the node of each from here on."""

POD_OS_FIELD: Minor = (1, 25)
"""From here on `spec.os` is served and helps; before it is dropped or refused."""

SERVER_SIDE_APPLY: Minor = (1, 20)
"""From here on `kubectl apply --server-side` exists, and `kubectl diff --server-side` with it."""

SPREAD_CONSTRAINTS: Minor = (1, 19)
"""From here on `topologySpreadConstraints` needs no feature gate."""

CREATE_TOKEN: Minor = (1, 24)
"""From here on kubectl has `create token`; before that the API is asked without it."""

DASHBOARD: Gate[str] = (
    ((1, 20), "2.3.1"),
    ((1, 22), "2.4.0"),
    ((1, 23), "2.5.1"),
    ((1, 24), "2.6.1"),
    ((1, 25), "2.7.0"),
)
"""The Dashboard release that was made for a Kubernetes version; 2.7.0 is the last without Helm."""

DASHBOARD_MADE_FOR: Minor = (1, 25)
"""The newest Kubernetes that a Dashboard of this kind was made for."""

TOKEN_SECRETS_REMOVED: Minor = (1, 24)
"""From here on no Secret with a token is made for a service account; `kubectl create token` is."""

# Control groups and container runtimes

CGROUP_V2_READ: Minor = (1, 19)
"""From here on the kubelet can run on control groups v2."""

CGROUP_V2_REQUIRED: Minor = (1, 35)
"""From here on the kubelet and kubeadm refuse control groups v1 unless told otherwise."""

DOCKERSHIM_REMOVED: Minor = (1, 24)

KUBELET_FLAGS_REMOVED: dict[str, Minor] = {
    "allow-privileged": (1, 15),
    "cadvisor-port": (1, 12),
    "cni-bin-dir": (1, 24),
    "cni-cache-dir": (1, 24),
    "cni-conf-dir": (1, 24),
    "container-runtime": (1, 27),
    "docker-endpoint": (1, 24),
    "image-pull-progress-deadline": (1, 24),
    "network-plugin": (1, 24),
    "network-plugin-mtu": (1, 24),
    "pod-infra-container-image": (1, 35),
}
"""Flags that files of older kubelets name, with the first version that ends when it is given them."""
CRI_V1: Minor = (1, 23)
"""Before, the kubelet speaks only the older CRI that containerd 2 no longer has."""

CONTAINERD_2_ADVISED: Minor = (1, 36)
"""From here on containerd 1.7 still works, and the host is told that it soon will not."""

CONTAINERD_2_REQUIRED: Minor = (1, 38)
DOCKER_SERIES: tuple[Minor, Minor] = ((17, 3), (20, 10))
"""Oldest and newest series of Docker that a kubelet with dockershim is given here."""

OLDEST_COMMUNITY_PACKAGES: Minor = (1, 24)
"""The community package repositories start here; older ones need a site mirror or tarballs."""

OLDEST_CURRENT: Minor = (1, 20)
"""The oldest Kubernetes that the current profile's steps have been made for."""


def cri_socket(profile: str, os: str, version: str) -> str:
    """Return where kubeadm finds the container runtime, as that version of it spells it.

    The scheme is expected since 1.24; before, a path on Linux is taken as it is.
    """
    if os == "windows":
        engine = "docker_engine" if profile == "classic" else "containerd-containerd"
        return f"npipe:////./pipe/{engine}"
    path = "/var/run/dockershim.sock" if profile == "classic" else "/run/containerd/containerd.sock"
    return path if minor(version) < DOCKERSHIM_REMOVED else f"unix://{path}"


# Flags of kubelet and kube-proxy

FLAGS: dict[str, tuple[Minor, Minor | None]] = {
    "--allow-privileged": ((1, 13), (1, 15)),
    "--network-plugin": ((1, 13), (1, 24)),
    "--cni-bin-dir": ((1, 13), (1, 24)),
    "--cni-conf-dir": ((1, 13), (1, 24)),
    "--image-pull-progress-deadline": ((1, 13), (1, 24)),
    "--container-runtime=remote": ((1, 13), (1, 27)),
    "--pod-infra-container-image": ((1, 13), (1, 27)),
    "--log-dir": ((1, 13), (1, 26)),
    "--logtostderr": ((1, 13), (1, 26)),
    "--feature-gates=WinOverlay=true": ((1, 14), (1, 34)),
    "--feature-gates=WinDSR=true": ((1, 14), (1, 33)),
}
"""From which minor to before which one a flag is passed: a little narrower than where it is accepted.

The network and deadline flags belong to dockershim, `--container-runtime=remote` to containerd.
`--pod-infra-container-image` is deprecated since 1.27 and ends the kubelet since 1.35.
"""


def passes(flag: str, version: str) -> bool:
    """Say whether a flag of `FLAGS` is passed to a version's kubelet or kube-proxy."""
    first, end = FLAGS[flag]
    return first <= minor(version) and (end is None or minor(version) < end)


# Skew

OLDER_KUBELETS: Gate[int] = (((1, 13), 2), ((1, 28), 3))
"""How many minors a kubelet or kube-proxy may be older than the API server; never newer."""

# flannel

FLANNEL_OWN_NAMESPACE = (0, 19)
"""From here on flannel's manifest has a namespace of its own."""

FLANNEL_PER_ARCHITECTURE_UNTIL = (0, 13)
"""Before, one DaemonSet for each architecture, in kube-system: the generation of 2019."""

FLANNEL_WINDOWS_HOST_GW = (0, 25, 5)
"""From here on flanneld.exe attaches its endpoint with host-gw as the current profile needs it."""

FLANNEL_CNI_PLUGIN = "v1.9.1-flannel3"
"""Release of flannel's CNI plugin that goes with flannel 0.28."""


def flannel_is_early(version: str) -> bool:
    """Say whether a version of flannel has the manifest of 2019."""
    return minor(version) < FLANNEL_PER_ARCHITECTURE_UNTIL


def flannel_namespace(version: str) -> str:
    """Return the namespace of flannel's objects."""
    return "kube-system" if flannel_is_early(version) else "kube-flannel"


def flannel_daemonset(version: str) -> str:
    """Return the name of flannel's DaemonSet on Linux nodes."""
    return "kube-flannel-ds-amd64" if flannel_is_early(version) else "kube-flannel-ds"


# Windows


@dataclass(frozen=True, slots=True)
class WindowsBuild:
    """A release of Windows Server: its build, the tag of its images, the first Kubernetes minor."""

    build: int
    name: str
    tag: str
    kubernetes_from: Minor


WINDOWS_BUILDS = (
    WindowsBuild(17763, "Windows Server 2019", "ltsc2019", (1, 13)),
    WindowsBuild(20348, "Windows Server 2022", "ltsc2022", (1, 23)),
    WindowsBuild(26100, "Windows Server 2025", "ltsc2025", (1, 33)),
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
