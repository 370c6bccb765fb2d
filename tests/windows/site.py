"""Which servers the environment names, what is said of them, and runs of notebooks on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from k8swin_nb.api import Cluster, open_cluster
from k8swin_nb.description import check_description, read_description
from k8swin_nb.headless.notebooks import run_notebooks
from k8swin_nb.inventory import Host
from k8swin_nb.workflow.record import read_events
from k8swin_nb.workflow.report import Outcome

ROOT = Path(__file__).parent.parent.parent

SERVERS = os.environ.get("WIN_HOSTS", "").split()
PARAMS = os.environ.get("WIN_PARAMS", "")
MASTER = os.environ.get("WIN_MASTER", "")
LOOK_ONLY = os.environ.get("WIN_PART", "all") == "look"

NOT_GIVEN = "WIN_HOSTS names no server"
NO_MASTER = "neither WIN_PARAMS nor WIN_MASTER says which cluster the servers join"
ONLY_LOOKED = "WIN_PART=look: nothing is changed"

DONE = {Outcome.OK.value, Outcome.SKIPPED.value}


class SiteError(ValueError):
    """The environment does not say what these tests need."""


def _described() -> dict[str, Any]:
    """The description that the variables make, without a file."""
    first = SERVERS[0]
    ways = {
        "user": os.environ.get("WIN_USER", "Administrator"),
        "credential": os.environ.get("WIN_CREDENTIAL", "env:WIN_PASSWORD"),
        "ca": os.environ.get("WIN_CA", ""),
        "winrm_port": int(os.environ.get("WIN_PORT", "5986")),
    }
    # A master that is never asked: looking at servers needs none.
    master = MASTER or f"{first.rpartition('.')[0]}.{'1' if not first.endswith('.1') else '2'}"
    linux = {
        "name": "linuxmaster",
        "address": master,
        "os": "linux",
        "role": "control-plane",
        "user": os.environ.get("REAL_USER") or "ubuntu",
    }
    if key := os.environ.get("REAL_KEY"):
        linux["identity"] = str(Path(key).expanduser().resolve())
    servers = [
        {
            "name": f"winworker{number:02d}",
            "address": address,
            "os": "windows",
            "role": "worker",
            **{name: value for name, value in ways.items() if value},
        }
        for number, address in enumerate(SERVERS, 1)
    ]
    return {
        "cluster_name": "windows",
        "profile": os.environ.get("REAL_PROFILE") or "current",
        "host_subnet": first.rpartition(".")[0] + ".0/24",
        "hosts": [linux, *servers],
    }


def _chosen(values: dict[str, Any]) -> dict[str, Any]:
    """A description with no other Windows workers than those that WIN_HOSTS names."""
    hosts = values.get("hosts") or []
    known = {word for host in hosts for word in (host.get("name"), host.get("address"))}
    if unknown := [word for word in SERVERS if word not in known]:
        raise SiteError(f"WIN_HOSTS names {' '.join(unknown)}, which `{PARAMS}` does not describe")
    kept = [
        host
        for host in hosts
        if host.get("os") != "windows"
        or host.get("role") != "worker"
        or {host.get("name"), host.get("address")} & set(SERVERS)
    ]
    return {**values, "hosts": kept}


class Site:
    """The servers under test and the cluster that they join.

    Args:
        folder: Where records and executed notebooks of these tests go.
    """

    def __init__(self, folder: Path) -> None:
        self.runs = folder
        if PARAMS:
            source = Path(PARAMS).expanduser().resolve()
            # Beside the description that it is made of: paths in it start at its folder.
            self.path = source.with_name(f".{source.stem}-windows-test.yaml")
            values = _chosen(read_description(source))
        else:
            self.path = folder / "params.yaml"
            values = _described()
        self.description = check_description(values, folder=self.path.parent)
        self.path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        self.cluster: Cluster = open_cluster(self.path, runs=folder)
        self.servers: tuple[Host, ...] = tuple(
            host for host in self.cluster.hosts("windows") if "worker" in host.roles
        )

    def close(self) -> None:
        """Let go of connections and of the description that was made."""
        self.cluster.close()
        self.path.unlink(missing_ok=True)

    def run(self, *names: str, **more: Any) -> tuple[dict[str, str], dict[str, str], Path]:
        """Run notebooks.

        Returns:
            How steps ended by `notebook/step/host`, the errors of notebooks, and the run's folder.
        """
        folder, executed = run_notebooks(
            ROOT / "notebooks", self.path, self.runs, names=names, more=more
        )
        steps = {
            f"{event['notebook']}/{event['step']}/{event['host']}": str(event["outcome"])
            for event in read_events(folder / "events.jsonl")
            if event["event"] == "step"
        }
        return steps, {item.name: item.error for item in executed if item.error}, folder


def not_done(steps: Mapping[str, str]) -> dict[str, str]:
    """Return the steps of a run that changed something, or failed."""
    return {name: how for name, how in steps.items() if how not in DONE}
