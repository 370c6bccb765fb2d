"""What differs on a Windows worker by profile: configurations, folders, images."""

from __future__ import annotations

import json
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.errors import ScriptError
from k8swin_nb.inventory import Host
from k8swin_nb.phases.linux.docker import docker_mirrors
from k8swin_nb.reading import shown, whole
from k8swin_nb.versions import minor, windows_build
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun

SERVER = Fact[dict[str, Any]]("facts")
"""What a Windows server said of itself: `build` and more, as text."""

PAUSE = {"current": "3.10.2", "classic": "3.6"}
"""The pause image by profile. 3.10.2 is the first for Windows Server 2025; 3.6 has 2019 and 2022 and suits Docker."""


SEVERAL_CNI_FOLDERS = (2, 2)
"""From this containerd on the CRI plugin takes a list of folders of CNI plugins."""


_COMMON_FOLDERS = (
    r"C:\k",
    r"C:\k8swin",
    r"C:\k8swin\downloads",
    r"C:\k8swin\jobs",
    r"C:\k8swin\state",
    r"C:\etc\kube-flannel",
    r"C:\etc\kubernetes\manifests",
    r"C:\etc\kubernetes\pki",
    r"C:\run\flannel",
    r"C:\var\lib\kubelet",
    r"C:\var\log\flanneld",
    r"C:\var\log\kube-proxy",
    r"C:\var\log\kubelet",
)


FOLDERS = {
    "current": (
        *_COMMON_FOLDERS,
        r"C:\etc\cni\net.d",
        r"C:\etc\containerd\certs.d",
        r"C:\etc\kube-proxy",
        r"C:\opt\cni\bin",
        r"C:\var\log\containerd",
    ),
    "classic": (*_COMMON_FOLDERS, r"C:\k\cni", r"C:\k\cni\config", r"C:\flannel"),
}
"""Folders of a worker. kubeadm and flanneld do not make the ones that they write to."""


CNI_FOLDER = {"current": r"C:\etc\cni\net.d", "classic": r"C:\k\cni\config"}


CNI_FILE = {"current": "10-flannel.conf", "classic": "cni.conf"}


CNI_PLUGINS = {"current": r"C:\opt\cni\bin", "classic": r"C:\k\cni"}


NET_CONF_FILES = {
    "current": (r"C:\etc\kube-flannel\net-conf.json",),
    # flanneld reads the first; Microsoft's scripts copy the second over it whenever somebody runs them.
    "classic": (r"C:\etc\kube-flannel\net-conf.json", r"C:\k\net-conf.json"),
}


_COMMON_PROGRAMS = (r"C:\k\kubelet.exe", r"C:\k\kube-proxy.exe", r"C:\k\flanneld.exe")


EXCLUDED_PROGRAMS = {
    "current": (
        *_COMMON_PROGRAMS,
        r"C:\Program Files\containerd\containerd.exe",
        r"C:\Program Files\containerd\containerd-shim-runhcs-v1.exe",
        r"C:\Program Files\containerd\ctr.exe",
    ),
    "classic": (*_COMMON_PROGRAMS, r"C:\Program Files\docker\dockerd.exe"),
}


EXCLUDED_FOLDERS = {"current": r"C:\ProgramData\containerd", "classic": r"C:\ProgramData\docker"}
"""What Microsoft Defender leaves alone when it is asked to."""


def pause_image(description: Description) -> str:
    """Return the image that holds a pod's network on a Windows worker."""
    return f"{description.image_repository}/pause:{PAUSE[description.profile]}"


def windows_tag(run: PhaseRun, host: Host) -> str:
    """Return the tag of Microsoft's images for a host's build; empty before its build is known."""
    facts = run.facts.get(host, SERVER)
    if not facts:
        return ""
    told = facts.get("build")
    build = told if isinstance(told, int) else whole(told)
    if build is None:
        raise ScriptError(
            f"{host.name}: the server says `{shown(told)}` for its build, expected a number",
            hint="look at CurrentBuildNumber in HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
        )
    return windows_build(build).tag


def servercore(description: Description, tag: str) -> str:
    """Return Microsoft's image with PowerShell, in which the test app's pods run."""
    return f"{description.windows_repository}/servercore:{tag}"


def test_image(run: PhaseRun, host: Host) -> str:
    """Return the test app's image for a Windows worker: the given one, or servercore of its build."""
    if run.description.test_image:
        return run.description.test_image
    tag = windows_tag(run, host)
    return servercore(run.description, tag) if tag else ""


def base_image(run: PhaseRun, host: Host) -> str:
    """Return the small image that is run once to prove Docker, and that a pause image is made of."""
    tag = windows_tag(run, host)
    return f"{run.description.windows_repository}/nanoserver:{tag}" if tag else ""


def images(run: PhaseRun, host: Host) -> str:
    """Return the images that a Windows worker needs, separated by spaces.

    The test app's is among them unless its pods run on Linux.
    """
    wanted = [pause_image(run.description)]
    if run.description.profile == "classic":
        wanted.append(base_image(run, host))
    if run.description.test_os == "windows":
        wanted.append(test_image(run, host))
    return " ".join(image for image in wanted if image)


def containerd_config(description: Description) -> str:
    """Return containerd's configuration on a Windows worker, in the format of its version."""
    series = minor(description.containerd_version)
    head = [
        f"version = {3 if series >= (2, 0) else 2}",
        r"root = 'C:\ProgramData\containerd\root'",
        r"state = 'C:\ProgramData\containerd\state'",
        "",
        "[grpc]",
        r"  address = '\\.\pipe\containerd-containerd'",
        "",
    ]
    plugins = CNI_PLUGINS["current"]
    bin_dirs = (
        f"  bin_dirs = ['{plugins}']"
        if series >= SEVERAL_CNI_FOLDERS
        else f"  bin_dir = '{plugins}'"
    )
    conf_dir = f"  conf_dir = '{CNI_FOLDER['current']}'"
    registry = r"  config_path = 'C:\etc\containerd\certs.d'"
    if series >= (2, 0):
        body = [
            "[plugins.'io.containerd.cri.v1.images'.pinned_images]",
            f"  sandbox = {json.dumps(pause_image(description))}",
            "",
            "[plugins.'io.containerd.cri.v1.images'.registry]",
            registry,
            "",
            "[plugins.'io.containerd.cri.v1.runtime'.cni]",
            bin_dirs,
            conf_dir,
        ]
    else:
        body = [
            "[plugins.'io.containerd.grpc.v1.cri']",
            f"  sandbox_image = {json.dumps(pause_image(description))}",
            "",
            "[plugins.'io.containerd.grpc.v1.cri'.registry]",
            registry,
            "",
            "[plugins.'io.containerd.grpc.v1.cri'.cni]",
            bin_dirs,
            conf_dir,
        ]
    return "\n".join([*head, *body, ""])


def docker_config(description: Description) -> str:
    """Return Docker's configuration on a Windows worker: logs of containers that do not fill the disk."""
    options = {"max-size": "50m", "max-file": "5"}
    settings: dict[str, Any] = {"log-driver": "json-file", "log-opts": options}
    if mirrors := docker_mirrors(description):
        settings["registry-mirrors"] = mirrors
    return json.dumps(settings, indent=2) + "\n"
