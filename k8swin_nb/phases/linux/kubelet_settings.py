"""The settings of a kubelet that a description has: read from the file that kubeadm wrote, changed there, and no others.

kubeadm gives a cluster's settings to whoever joins; a host's own, and those that were described later, are brought into
the host's file here. A setting that is taken out of a description stays what it is.
"""

from __future__ import annotations

import base64
from typing import Any

import yaml

from k8swin_nb.phases.linux.control_plane import KUBELET_CHECKS
from k8swin_nb.phases.linux.node_settings import described
from k8swin_nb.reading import Unreadable, shown, yaml_document
from k8swin_nb.workflow.difference import NOT_KNOWN, Difference, setting
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

READS = {"linux": "linux/kubelet_config.check.sh", "windows": "windows/kubelet_config.check.ps1"}
WRITES = {"linux": "linux/kubelet_config.apply.sh", "windows": "windows/kubelet_config.apply.ps1"}


def runs(system: str) -> tuple[str, ...]:
    """Return the scripts of this step on an operating system."""
    return (READS[system], WRITES[system], KUBELET_CHECKS[system])


def wanted(at: StepRun) -> dict[str, Any]:
    """Return the settings that the description has for the step's host."""
    return {**at.description.kubelet_settings, **described(at).kubelet_settings}


def no_settings(at: StepRun) -> str | None:
    """Skip kubelets of which no settings are described, and those that are told by flags alone."""
    if not wanted(at):
        return "no `kubelet_settings` are described"
    if at.host.os == "windows" and at.description.profile == "classic":
        return "in profile `classic` this kubelet is told by flags, which are this tool's"
    return None


class NotWritten(Exception):
    """kubeadm has not written the kubelet's file yet."""


NONE_YET = "the kubelet has no configuration of kubeadm's yet"


def _merged(at: StepRun) -> tuple[list[Difference], str, bool]:
    """Return what differs, the file as it is to be, and whether the kubelet has yet to read it.

    Raises:
        NotWritten: when there is no file yet.
    """
    read = at.script(READS[at.host.os], quiet=True)
    if read.returncode != 0:
        raise at.unknown(read)
    found = read.mapping()
    told = found.get("text")
    if not isinstance(told, str):
        raise at.failed(f"`{READS[at.host.os]}` printed no text", result=read)
    if not told:
        raise NotWritten
    try:
        text = base64.b64decode(told, validate=True).decode()
        document = yaml_document(text)
    except (Unreadable, ValueError) as error:
        raise at.drift(
            f"the kubelet's configuration cannot be read: {error}", hint="see that file on the host"
        ) from error
    if not isinstance(document, dict):
        raise at.drift(
            "the kubelet's configuration is no mapping", hint="see that file on the host"
        )
    settings = wanted(at)
    differs = _differences(document, settings)
    changed = yaml.safe_dump({**document, **settings}, sort_keys=True) if differs else text
    return differs, changed, found.get("due") is True


def _differences(document: dict[str, Any], settings: dict[str, Any]) -> list[Difference]:
    return [
        setting(name, shown(document.get(name, "not set")), shown(value))
        for name, value in settings.items()
        if document.get(name) != value
    ]


def check_kubelet_settings(at: StepRun) -> Verdict:
    """Find out whether the kubelet's file has what is described, and whether the kubelet runs with it."""
    try:
        differs, _, due = _merged(at)
    except NotWritten:
        # kubeadm gives its kubelets the cluster's; what a host has of its own is brought in afterwards.
        own = _differences(dict(at.description.kubelet_settings), wanted(at))
        from_kubeadm = setting(
            "settings of the kubelet", NOT_KNOWN + "kubeadm writes them", "as described"
        )
        return Verdict(State.NEEDED, NONE_YET, differences=tuple(own or [from_kubeadm]))
    if differs:
        told = "; ".join(one.what for one in differs)
        return Verdict(State.NEEDED, told, differences=tuple(differs))
    if due:
        told = "the kubelet has not read its settings since they were changed"
        anew = setting("service kubelet", "with its former settings", "started anew")
        return Verdict(State.NEEDED, told, differences=(anew,))
    state, result = at.ask(KUBELET_CHECKS[at.host.os])
    if state is not State.OK:
        return Verdict.read(state, result.stdout)
    return Verdict(State.OK, f"the kubelet has {', '.join(wanted(at))} as described")


def apply_kubelet_settings(at: StepRun) -> None:
    """Change the settings in the kubelet's file, and start it anew."""
    try:
        _, text, _ = _merged(at)
    except NotWritten:
        raise at.failed(NONE_YET) from None
    result = at.script(WRITES[at.host.os], values={"kubelet_config": text})
    if result.returncode != 0:
        raise at.failed("apply failed", result=result)
