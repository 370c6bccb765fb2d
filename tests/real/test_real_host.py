"""A cluster on real hosts that may be thrown away, named in the environment. See CONTRIBUTING.md."""

import json
import os
from pathlib import Path

import pytest
import yaml

from k8swin_nb.headless.runner import run_notebooks
from k8swin_nb.hosts import inventory_of
from k8swin_nb.params import check_params
from k8swin_nb.transports.hostkeys import pin, scan

ROOT = Path(__file__).parent.parent.parent
VERIFIED = os.environ.get("REAL_VERIFY", "") != "false"
NAMES = (
    *("01_network", "02_master", "03_flannel", "04_join_linux", "05_test_app"),
    *(("06_verify",) if VERIFIED else ()),
)
HOSTS = os.environ.get("REAL_HOSTS", "").split()

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not HOSTS, reason="REAL_HOSTS names no host"),
]


@pytest.fixture(scope="module")
def description(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    address = HOSTS[0]
    values = {
        "cluster_name": "real",
        "kubernetes_version": os.environ.get("REAL_KUBERNETES", "1.36.4"),
        "host_subnet": address.rpartition(".")[0] + ".0/24",
        "kubernetes_apt_source": os.environ.get("REAL_APT", ""),
        "containerd_apt_source": "same" if os.environ.get("REAL_APT") else "",
        "allow_cgroup_v1": os.environ.get("REAL_CGROUP_V1", "") == "true",
        "known_hosts": str(folder / "known_hosts"),
        "test_os": "linux",
        "hosts": [
            {
                "name": "linuxmaster" if index == 0 else f"linuxworker{index:02d}",
                "address": each,
                "os": "linux",
                "role": "worker" if index else "control-plane",
                "user": os.environ.get("REAL_USER", "ubuntu"),
                "identity": str(Path(os.environ["REAL_KEY"]).expanduser()),
            }
            for index, each in enumerate(HOSTS)
        ],
    }
    for host in inventory_of(check_params(values)).hosts:
        pin(host, scan(host))
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def outcomes(folder: Path) -> dict[str, str]:
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return {
        f"{event['notebook']}/{event['step']}/{event['host']}": event["outcome"]
        for event in events
        if event["event"] == "step"
    }


def cells(folder: Path) -> dict[tuple[str, str], str]:
    """Return how each connection of 06 ended, by where it begins and where it leads."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (matrix,) = [event for event in events if event["event"] == "matrix"]
    return {(cell["from"], cell["to"]): cell["state"] for cell in matrix["cells"]}


def test_a_cluster_is_built_and_a_second_run_changes_nothing(description, tmp_path):
    folder, executed = run_notebooks(ROOT / "notebooks", description, tmp_path, names=NAMES)
    assert [(item.name, item.error) for item in executed if item.error] == []
    assert outcomes(folder)["02_master/control-plane/linuxmaster"] in ("changed", "ok")

    matrix = cells(folder) if VERIFIED else {}
    if VERIFIED:
        assert matrix["this computer", "NodePort of linuxmaster"] == "pass"
        assert matrix["linux pod on linuxmaster", "cluster DNS"] == "pass"
    if VERIFIED and len(HOSTS) > 1:
        assert matrix["linux pod on linuxworker01", "pods on other nodes"] == "pass"
        assert matrix["linuxmaster", "logs, exec on linuxworker01"] == "pass"

    folder, executed = run_notebooks(ROOT / "notebooks", description, tmp_path, names=NAMES)
    assert [(item.name, item.error) for item in executed if item.error] == []
    second = outcomes(folder)
    assert len(second) > 20
    assert {
        step: outcome for step, outcome in second.items() if outcome not in ("ok", "skipped")
    } == {}


def test_a_cluster_with_other_networks_is_left_alone(description, tmp_path):
    values = yaml.safe_load(description.read_text())
    values["service_subnet"] = "10.192.0.0/12"
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(values))
    folder, executed = run_notebooks(ROOT / "notebooks", other, tmp_path, names=["02_master"])
    assert "DriftFound" in executed[0].error
    assert "10.96.0.0/12" in executed[0].error
    assert outcomes(folder)["02_master/control-plane/linuxmaster"] == "failed"
