"""What a Linux host downloads where no package repository has it: origin, hash, and where it belongs.

A lock names every download with its hash. The built-in lock holds Kubernetes 1.13.12 and Docker 18.06.3,
which no repository offers any more; another version or a site mirror brings a file of the same form:

    kubernetes_version: "1.13.12"
    docker_version: "18.06.3"
    artifacts:
      kubernetes-node: {url: https://..., sha512: 128 hexadecimal digits}
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError


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


class _Artifact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    url: str = Field(pattern=r"^(https?|file)://[^\s]+$")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    sha512: str | None = Field(default=None, pattern=r"^[0-9a-f]{128}$")


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kubernetes_version: str
    docker_version: str = ""
    artifacts: dict[str, _Artifact]


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
    lock, source = _lock_of(description)
    missing = sorted(set(wanted) - set(lock.artifacts))
    if missing:
        raise ParamsError(
            f"the lock of Linux downloads {source} lacks: {', '.join(missing)}",
            hint="every download needs a url and a sha256 or sha512",
        )
    for name, locked, used in (
        ("kubernetes_version", lock.kubernetes_version, "kubernetes-node" in wanted),
        ("docker_version", lock.docker_version, "docker" in wanted),
    ):
        if used and locked != getattr(description, name):
            raise ParamsError(
                f"the lock of Linux downloads {source} is for `{name}` {locked or 'none'}, "
                f"the parameters say {getattr(description, name)}",
                hint="set `linux_artifacts` to a lock file for these versions, or name a package "
                "mirror in `kubernetes_apt_source`",
            )
    return "\n".join(_line(name, layout, lock.artifacts[name]) for name, layout in wanted.items())


def _line(name: str, layout: Layout, artifact: _Artifact) -> str:
    kind = "sha512" if artifact.sha512 else "sha256"
    digest = artifact.sha512 or artifact.sha256
    if not digest:
        raise ParamsError(
            f"the lock of Linux downloads has no hash for `{name}`",
            hint="give its sha256 or sha512",
        )
    return " ".join((name, artifact.url, kind, digest, layout.folder, *layout.programs))


def _lock_of(description: Description) -> tuple[_Lock, str]:
    if not description.linux_artifacts:
        file = resources.files(__package__).joinpath("artifacts.yaml")
        source = "built into the package"
        return _read_lock(file.read_text(encoding="utf-8"), source), source
    path = description.path(description.linux_artifacts)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ParamsError(
            f"cannot read the lock of Linux downloads `{path}`: {error.strerror}",
            hint="correct `linux_artifacts` in the parameters, or leave it empty for the built-in lock",
        ) from error
    return _read_lock(text, f"`{path}`"), f"`{path}`"


@cache
def _read_lock(text: str, source: str) -> _Lock:
    try:
        return _Lock.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        first = re.sub(r"\s+", " ", str(error))[:200]
        raise ParamsError(
            f"the lock of Linux downloads {source} is not valid: {first}",
            hint="compare with `k8swin_nb/phases/linux/artifacts.yaml`",
        ) from None
