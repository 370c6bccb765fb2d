"""CNI plugins as their authors wrote them, built from the public module proxy for the tests.

host-local is the release that 04 downloads. flannel's own plugin is the last that was part of the same repository; its
Windows half is built for this computer: it hands a configuration on, and nothing in it needs Windows but one name.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

MODULE = "github.com/containernetworking/plugins"
HOST_LOCAL, FLANNEL = "v1.9.1", "v0.9.1"

SANDBOX = """\
package hns

// GetSandboxContainerID names the pod's first container; here it is the one that is asked about.
func GetSandboxContainerID(containerID string, netNs string) string { return containerID }
"""

_BUILDS = tempfile.TemporaryDirectory(prefix="k8swin-cni-")


def _go(*arguments: str, cwd: Path | None = None, **env: str) -> str:
    go = shutil.which("go")
    if go is None:
        pytest.skip("building the CNI plugins takes Go")
    done = subprocess.run(
        [go, *arguments],
        cwd=cwd,
        env={**os.environ, "CGO_ENABLED": "0", **env},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"the CNI plugins cannot be built: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout


@functools.cache
def host_local() -> Path:
    """Return the program; the test skips with the reason where it cannot be built."""
    folder = Path(_BUILDS.name)
    _go("install", f"{MODULE}/plugins/ipam/host-local@{HOST_LOCAL}", GOBIN=str(folder))
    return folder / "host-local"


@functools.cache
def flannel() -> Path:
    """Return flannel's plugin with the half that it has on Windows."""
    told = json.loads(
        _go("mod", "download", "-json", f"{MODULE}@{FLANNEL}", cwd=Path(_BUILDS.name))
    )
    source = Path(_BUILDS.name) / "plugins"
    shutil.copytree(told["Dir"], source)
    subprocess.run(["chmod", "-R", "u+w", str(source)], check=True)
    place = source / "plugins" / "meta" / "flannel"
    (place / "flannel_linux.go").unlink()
    # Go leaves a file out by the end of its name.
    (place / "flannel_windows.go").rename(place / "flannel_on_a_server.go")
    (source / "pkg" / "hns" / "sandbox.go").write_text(SANDBOX)
    built = Path(_BUILDS.name) / "flannel"
    _go("build", "-mod=mod", "-o", str(built), ".", cwd=place)
    return built
