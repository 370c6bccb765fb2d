"""What a Linux host downloads where no package repository has it: origin, hash, and where it belongs.

A lock file (`phases/lock_file.py`) names every download with its hash. The built-in one holds Kubernetes
1.13.12 and Docker 18.06.3, which no repository offers any more; another version or a site mirror brings
one of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.description import Description
from k8swin_nb.phases.lock_file import Artifact, LockRules, read_lock


class Layout(NamedTuple):
    """Where the programs of an archive go; `programs` is what must be among them."""

    folder: str
    programs: tuple[str, ...]


PROGRAMS = "/usr/local/bin"
KUBERNETES: dict[str, Layout] = {
    "kubernetes-node": Layout(PROGRAMS, ("kubeadm", "kubelet", "kubectl")),
    "cni-plugins": Layout(
        "/opt/cni/bin", ("bridge", "flannel", "host-local", "loopback", "portmap")
    ),
    "crictl": Layout(PROGRAMS, ("crictl",)),
}
DOCKER: dict[str, Layout] = {"docker": Layout(PROGRAMS, ("docker", "dockerd"))}
"""All of Docker's archive is installed; its helpers have other names from 18.09 on."""


RULES = LockRules(
    what="lock of Linux downloads",
    parameter="linux_artifacts",
    built_in="linux/artifacts.yaml",
    schemes=("http", "https", "file"),
    otherwise=", or name a package mirror in `kubernetes_apt_source`",
)


def wanted_layouts(description: Description) -> dict[str, Layout]:
    """Return what this description downloads to its Linux hosts; nothing where packages have it all."""
    kubernetes = KUBERNETES if package_source(description) == "tarball" else {}
    static = description.profile == "classic" and docker_source(description) == "tarball"
    return {**kubernetes, **(DOCKER if static else {})}


def linux_artifacts(description: Description) -> str:
    """Return the downloads of a Linux host, one a line, for the scripts' parameter `LINUX_ARTIFACTS`.

    A line holds name, url, kind of hash, hash, folder, and the programs that the archive must bring.

    Raises:
        ParamsError: when the lock is for other versions, incomplete or not readable.
    """
    wanted = wanted_layouts(description)
    if not wanted:
        return ""
    versions = {"kubernetes-node": "kubernetes_version", "docker": "docker_version"}
    locked = read_lock(
        description, RULES, names=wanted, versions=[versions[n] for n in versions if n in wanted]
    )
    return "\n".join(_line(name, layout, locked[name]) for name, layout in wanted.items())


def _line(name: str, layout: Layout, artifact: Artifact) -> str:
    hashed = (artifact.algorithm, artifact.digest)
    return " ".join((name, artifact.url, *hashed, layout.folder, *layout.programs))
