"""Docker on a Linux node of the classic profile: its configuration is merged as data, never overwritten."""

from __future__ import annotations

import json
from typing import Any

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases.asking import ask
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import last_line
from k8swin_nb.workflow.step import State, Step, Verdict

CGROUP_DRIVER = "native.cgroupdriver"
NAME = "container-runtime"


class NotMergeable(Exception):
    """A host's daemon.json cannot be brought to what Kubernetes needs without harm; the text says why."""


def merged(existing: str) -> str:
    """Return a host's daemon.json with what Kubernetes needs of it; all other settings stay.

    Args:
        existing: the file as it is, empty when there is none.

    Raises:
        NotMergeable: it is not JSON, or its storage driver holds what another one would hide.
    """
    try:
        settings: Any = json.loads(existing) if existing.strip() else {}
    except ValueError as error:
        raise NotMergeable(f"/etc/docker/daemon.json is not JSON: {error}") from error
    before = json.dumps(settings, sort_keys=True)
    if not isinstance(settings, dict):
        raise NotMergeable("/etc/docker/daemon.json is not a JSON object")
    driver = settings.setdefault("storage-driver", "overlay2")
    if driver != "overlay2":
        raise NotMergeable(
            f"/etc/docker/daemon.json has the storage driver {driver}, wanted overlay2; "
            "another driver hides the images and containers that are there"
        )
    options = [o for o in settings.get("exec-opts", []) if not o.startswith(CGROUP_DRIVER + "=")]
    settings["exec-opts"] = [*options, f"{CGROUP_DRIVER}=systemd"]
    if settings.setdefault("log-driver", "json-file") == "json-file":
        settings["log-opts"] = {"max-size": "100m", **settings.get("log-opts", {})}
    if json.dumps(settings, sort_keys=True) == before:
        return existing.rstrip("\n")  # as somebody formatted it
    return json.dumps(settings, indent=2)


def daemon_json(run: Run, host: Host) -> bytes:
    """Return the configuration for a host, from what its check found."""
    found = run.facts.get(host.name, {}).get("daemon_json")
    return (merged("") if found is None else str(found)).encode()


def check_docker(run: Run, host: Host) -> Verdict:
    """Read the host's configuration, merge it, and find out whether Docker runs with the result."""
    read = run.script("linux/docker_config.check.sh", host, verb="check", step=NAME, quiet=True)
    if read.returncode != 0:
        raise StepFailed(phase="", step=NAME, host=host.name, detail="check failed", result=read)
    try:
        wanted = merged(read.stdout)
    except NotMergeable as error:
        return Verdict(State.DRIFT, str(error))
    run.keep_facts(host, "daemon_json", wanted)
    state, result = ask(run, "linux/docker.check.sh", host, NAME, stdin=wanted.encode())
    return Verdict(state, last_line(result.stdout))


def docker_steps(on: str) -> dict[str, Step]:
    """Return the steps that stand in for containerd's, for the hosts that `on` selects."""
    return {
        NAME: Step(
            name=NAME,
            title="The container runtime runs, configured for Kubernetes",
            on=on,
            check=check_docker,
            apply="linux/docker.apply.sh",
            runs=("linux/docker_config.check.sh", "linux/docker.check.sh"),
            reads=daemon_json,
            timeout=900,
            wait=30,
        ),
        "runtime-test": Step(
            name="runtime-test",
            title="A container has been run",
            on=on,
            check="linux/docker_test.check.sh",
            apply="linux/docker_test.apply.sh",
        ),
    }
