"""Docker on a Linux node of the classic profile: its configuration is merged as data, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.reading import Unreadable, json_document
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

CGROUP_DRIVER = "native.cgroupdriver"
DAEMON_JSON = Fact[str]("daemon_json")
"""The daemon.json that a host is to have."""


class NotMergeable(Exception):
    """A host's daemon.json cannot be brought to what Kubernetes needs without harm; the text says why."""


def docker_mirrors(description: Description) -> list[str]:
    """Return the mirrors of docker.io, the only registry for which Docker has any."""
    return [url for one in description.registries if one.name == "docker.io" for url in one.mirrors]


def merged(existing: str, mirrors: Sequence[str] = ()) -> str:
    """Return a host's daemon.json with what Kubernetes needs of it; all other settings stay.

    Args:
        existing: the file as it is, empty when there is none.
        mirrors: URLs of mirrors of docker.io; those that the host has are asked behind them.

    Raises:
        NotMergeable: it is not JSON, or its storage driver holds what another one would hide.
    """
    try:
        settings: Any = json_document(existing) if existing.strip() else {}
    except Unreadable as error:
        raise NotMergeable(f"/etc/docker/daemon.json cannot be merged: {error}") from error
    if not isinstance(settings, dict):
        raise NotMergeable("/etc/docker/daemon.json is not a JSON object")
    before = json.dumps(settings, sort_keys=True)
    driver = settings.setdefault("storage-driver", "overlay2")
    if driver != "overlay2":
        raise NotMergeable(
            f"/etc/docker/daemon.json has the storage driver {driver}, wanted overlay2; "
            "another driver hides the images and containers that are there"
        )
    listed, logs = settings.get("exec-opts", []), settings.get("log-opts", {})
    if not isinstance(listed, list) or not all(isinstance(option, str) for option in listed):
        raise NotMergeable("`exec-opts` of /etc/docker/daemon.json is no list of texts")
    if not isinstance(logs, dict):
        raise NotMergeable("`log-opts` of /etc/docker/daemon.json is no JSON object")
    listed_mirrors = settings.get("registry-mirrors", [])
    if not isinstance(listed_mirrors, list):
        raise NotMergeable("`registry-mirrors` of /etc/docker/daemon.json is no list")
    plain = [url.rstrip("/") if isinstance(url, str) else url for url in listed_mirrors]
    if any(url not in plain for url in mirrors):
        others = [
            url for url, same in zip(listed_mirrors, plain, strict=True) if same not in mirrors
        ]
        settings["registry-mirrors"] = [*mirrors, *others]
    options = [o for o in listed if not o.startswith(CGROUP_DRIVER + "=")]
    settings["exec-opts"] = [*options, f"{CGROUP_DRIVER}=systemd"]
    if settings.setdefault("log-driver", "json-file") == "json-file":
        settings["log-opts"] = {"max-size": "100m", **logs}
    if json.dumps(settings, sort_keys=True) == before:
        return existing.rstrip("\n")  # as somebody formatted it
    return json.dumps(settings, indent=2)


def daemon_json(at: StepRun) -> bytes:
    """Return the configuration for a host, from what its check found."""
    found = at.run.facts.get(at.host, DAEMON_JSON)
    mirrors = docker_mirrors(at.description)
    return (merged("", mirrors) if found is None else found).encode()


def check_docker(at: StepRun) -> Verdict:
    """Read the host's configuration, merge it, and find out whether Docker runs with the result."""
    read = at.script("linux/docker_config.check.sh", quiet=True)
    if read.returncode != 0:
        raise at.unknown(read)
    try:
        wanted = merged(read.stdout, docker_mirrors(at.description))
    except NotMergeable as error:
        return Verdict(State.DRIFT, str(error))
    at.run.facts.keep(at.host, DAEMON_JSON, wanted)
    state, result = at.ask("linux/docker.check.sh", stdin=wanted.encode())
    return Verdict.read(state, result.stdout)
