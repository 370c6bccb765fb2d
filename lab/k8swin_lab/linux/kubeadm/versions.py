"""What differs between kubeadm's versions: its configuration's API, images, names and places."""

from __future__ import annotations

from k8swin_lab.internet.catalogue import components

_READ = {
    "v1alpha3": (12, 14),
    "v1beta1": (13, 21),
    "v1beta2": (15, 26),
    "v1beta3": (22, 36),
    "v1beta4": (31, 1000),
}
"""The first and the last minor version of Kubernetes 1 whose kubeadm reads an API version."""

_OLD = {"v1alpha3": 13, "v1beta1": 17, "v1beta2": 22, "v1beta3": 31}
"""From which minor version on kubeadm warns that an API version is deprecated."""

CONTAINERD_SOCKET = "unix:///var/run/containerd/containerd.sock"
DOCKERSHIM_SOCKET = "/var/run/dockershim.sock"


def minor(version: str) -> int:
    """Return 13 for "1.13.12" or "v1.13.12"."""
    return int(version.lstrip("v").split(".")[1])


def reads(api: str, version: str) -> bool:
    """Tell whether kubeadm of a version reads an API version ("v1beta2")."""
    first, last = _READ.get(api, (1000, 0))
    return first <= minor(version) <= last


def is_deprecated(api: str, version: str) -> bool:
    """Tell whether kubeadm of a version warns of an API version that it reads."""
    return minor(version) >= _OLD.get(api, 1000)


def own_api(version: str) -> str:
    """Return the API version that kubeadm of a version writes."""
    number = minor(version)
    for api, first in (("v1beta4", 31), ("v1beta3", 22), ("v1beta2", 15)):
        if number >= first:
            return api
    return "v1beta1"


def image_repository(version: str) -> str:
    """Return the registry from which the control plane's images come when nothing else is said."""
    patch = int(version.lstrip("v").split(".")[2].split("-")[0])
    moved = {22: 17, 23: 15, 24: 9}  # minor versions that got the new name with a patch
    number = minor(version)
    new = number >= 25 or (number in moved and patch >= moved[number])
    return "registry.k8s.io" if new else "k8s.gcr.io"


def dns_image(repository: str, own: str, tag: str, version: str) -> str:
    """Return CoreDNS's image; `own` is a repository for it alone, or ""."""
    if own:
        return f"{own}/coredns:{tag}"
    folder = "/coredns" if minor(version) >= 21 else ""
    return f"{repository}{folder}/coredns:{tag}"


def images(version: str, repository: str, dns: dict[str, str], etcd: dict[str, str]) -> list[str]:
    """Return the control plane's images in kubeadm's order."""
    tags = components(version)
    plane = [
        f"{repository}/{name}:{version}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    ]
    coredns = dns_image(
        repository, dns.get("imageRepository", ""), dns.get("imageTag") or tags["coredns"], version
    )
    store = (
        f"{etcd.get('imageRepository') or repository}/etcd:{etcd.get('imageTag') or tags['etcd']}"
    )
    pause = f"{repository}/pause:{tags['pause']}"
    if minor(version) >= 29:
        return [*plane, coredns, pause, store]
    return [*plane, pause, store, coredns]


def kubelet_config_map(version: str) -> str:
    """Return the name of the ConfigMap with the kubelets' configuration."""
    number = minor(version)
    return "kubelet-config" if number >= 24 else f"kubelet-config-1.{number}"


def control_plane_labels(version: str) -> list[str]:
    """Return the labels that mark a control-plane node."""
    number = minor(version)
    found = []
    if number <= 23:
        found.append("node-role.kubernetes.io/master")
    if number >= 20:
        found.append("node-role.kubernetes.io/control-plane")
    if number >= 21:
        found.append("node.kubernetes.io/exclude-from-external-load-balancers")
    return found


def control_plane_taints(version: str) -> list[dict[str, str]]:
    """Return the taints of a control-plane node."""
    number = minor(version)
    names = (["control-plane"] if number >= 24 else []) + (["master"] if number <= 24 else [])
    return [{"key": f"node-role.kubernetes.io/{name}", "effect": "NoSchedule"} for name in names]
