"""containerd on a Windows worker: a whole configuration where there is none, else what Kubernetes needs of the one there is."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.phases.linux.containerd import (
    CRI,
    HELD_BACK,
    IMAGES,
    RUNTIME,
    NotMergeable,
    Path,
    edited,
    logins_taken_back,
    of_registries,
    table_at,
    wanted_version,
)
from k8swin_nb.phases.linux.registries import FOLDERS, logins
from k8swin_nb.phases.windows.configuration import (
    CNI_FOLDER,
    CNI_PLUGINS,
    containerd_config,
    pause_image,
)
from k8swin_nb.reading import shown
from k8swin_nb.secret import Secret
from k8swin_nb.versions import minor
from k8swin_nb.workflow.step_run import StepRun

PIPE = r"\\.\pipe\containerd-containerd"
WHAT = r"C:\Program Files\containerd\config.toml"


def merged(
    existing: str, description: Description, known: dict[str, tuple[str, Secret]] | None = None
) -> str:
    """Return a worker's configuration with what Kubernetes needs of it; everything else stays as it is written.

    Args:
        existing: The file as it is.
        description: The cluster's description.
        known: User and password by the host of a registry.

    Raises:
        NotMergeable: It is no TOML, in a format that is not known, or its form cannot be edited.
    """
    try:
        table = tomllib.loads(existing)
    except (ValueError, RecursionError) as error:
        raise NotMergeable(f"{WHAT} is no TOML: {shown(error)}") from error
    series = minor(description.containerd_version)[0]
    changes: dict[Path, Any] = {}
    version = wanted_version(table, series, WHAT, changes)
    images, runtime = (CRI, CRI) if version == 2 else (IMAGES, RUNTIME)
    sandbox = ("sandbox_image",) if version == 2 else ("pinned_images", "sandbox")
    changes["plugins", images, *sandbox] = pause_image(description)
    changes["plugins", runtime, "cni", "conf_dir"] = CNI_FOLDER["current"]
    cni = table_at(table, ("plugins", runtime, "cni"))
    plugins = CNI_PLUGINS["current"]
    if "bin_dirs" in cni:
        if not isinstance(cni["bin_dirs"], list):
            raise NotMergeable(f"`bin_dirs` of {WHAT} is no list")
        if plugins not in cni["bin_dirs"]:
            changes["plugins", runtime, "cni", "bin_dirs"] = [*cni["bin_dirs"], plugins]
    else:
        changes["plugins", runtime, "cni", "bin_dir"] = plugins
    if table_at(table, ("grpc",)).get("address", PIPE) != PIPE:
        changes["grpc", "address"] = PIPE
    if description.registries:
        changes |= of_registries(table, version, WHAT, FOLDERS["windows"], known or {})
    changes |= logins_taken_back(existing, known or {})
    return edited(existing, table, changes, WHAT)


def _wanted(at: StepRun) -> str:
    """Return the configuration that a worker's containerd is to have.

    Raises:
        StepFailed: drift, when the one that is there cannot be brought to what Kubernetes needs.
    """
    # A site has logins of registries in it as well.
    read = at.script("windows/containerd_config.check.ps1", quiet=True, secret_output=True)
    if read.returncode != 0:
        raise at.failed(f"the script that reads {WHAT} ended with {read.returncode}")
    text = read.mapping().get("text")
    if not isinstance(text, str | None):
        raise at.failed("`windows/containerd_config.check.ps1` printed no text")
    fresh = containerd_config(at.description)
    if text == fresh and not at.description.registries:
        return fresh
    try:
        return merged(text or fresh, at.description, logins(at))
    except NotMergeable as error:
        raise at.drift(
            str(error), hint="nothing was changed; see that file, then run again"
        ) from error


def configuration(at: StepRun) -> Mapping[str, str]:
    """Return the configuration that a worker's containerd is to have; its hash alone when it holds passwords."""
    wanted = _wanted(at)
    values = {"containerd_sha256": hashlib.sha256(wanted.encode()).hexdigest()}
    return values if HELD_BACK.search(wanted) else values | {"containerd_config": wanted}


def configuration_secret(at: StepRun) -> Mapping[str, Secret]:
    """Return the same as a secret, when it holds passwords: the description's, or those that the site wrote there."""
    wanted = _wanted(at)
    return {"ContainerdConfig": Secret(wanted)} if HELD_BACK.search(wanted) else {}
