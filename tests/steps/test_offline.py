"""A cluster from a site's mirror: with the description of docs/offline.md nothing else is asked for anything."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from k8swin_lab import topology
from k8swin_lab.internet import MIRROR
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network
from k8swin_lab.network import Network

from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.phases.windows import detached
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Outcome
from tests.conftest import ROOT
from tests.steps.world import World, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]

WAY = ("02_master", "03_flannel", "04_join_windows", "05_test_app")

KEYRINGS = "/etc/apt/keyrings"
ADMINISTRATORS = f"""
set -e
sed -i 's#https\\?://#https://{MIRROR}/#' /etc/apt/sources.list
install -d {KEYRINGS}
curl -fsS https://{MIRROR}/download.docker.com/linux/debian/gpg | gpg --dearmor -o {KEYRINGS}/docker.gpg
"""
"""What a site's administrators have done on a host before: its own sources, and one of the two keys."""


def example() -> dict[str, Any]:
    """Return the description of the page, for the lab's mirror."""
    text = (ROOT / "docs" / "offline.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    read: dict[str, Any] = yaml.safe_load(block[1].replace("mirror.example", MIRROR))
    return read


class Asked:
    """What machines asked a network for: names that they looked up, addresses that they connected to."""

    def __init__(self, network: Network) -> None:
        self.names: set[str] = set()
        self.addresses: set[str] = set()
        resolve, connect = network.resolve, network.open

        def recorded_resolve(source: Any, name: str, **how: Any) -> str:
            self.names.add(name)
            return resolve(source, name, **how)

        def recorded_open(source: Any, address: str, port: int) -> Any:
            self.addresses.add(address)
            return connect(source, address, port)

        network.resolve = recorded_resolve  # type: ignore[method-assign]
        network.open = recorded_open  # type: ignore[method-assign]


def only_the_mirror(network: Network) -> None:
    """Take the internet away; the mirror keeps what it has copied."""
    network.origins = {MIRROR: network.origins[MIRROR]}


def lock_for_the_mirror(folder: Path) -> None:
    lock = folder / "lab" / "artifacts.yaml"
    text = lock.read_text(encoding="utf-8").replace("https://", f"https://{MIRROR}/")
    (folder / "params" / "mirror-artifacts.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A master and a Windows worker without the internet, set up as the site's administrators would."""
    folder = tmp_path_factory.mktemp("offline")
    shutil.copytree(ROOT / "params", folder / "params")
    with (
        pytest.MonkeyPatch.context() as patch,
        free_network() as network,
        Lab(folder / "lab", topology.default(network)[:2]) as lab,
    ):
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.5)
        only_the_mirror(lab.network)
        lock_for_the_mirror(folder)
        opened = open_world(lab, folder, **example())
        master = opened.run().master
        opened.pool.transport(master).run(ADMINISTRATORS, sudo=True)
        yield opened
        opened.pool.close()


def outside(asked: Asked, world: World) -> set[str]:
    """Return what was asked and is neither the mirror nor the cluster's own."""
    network = world.lab.network
    run = world.run()
    mirror = network.resolve(network.machines[run.master.address], MIRROR)
    own = [
        ipaddress.ip_network(n)
        for n in (run.description.host_subnet, run.plan.pod_subnet, run.plan.service_subnet)
    ]
    own += [ipaddress.ip_network(n) for n in ("127.0.0.1/32", f"{mirror}/32")]
    hosts = {MIRROR, "localhost", *(host.name for host in run.inventory.hosts)}

    def is_own(text: str) -> bool:
        try:
            return any(ipaddress.ip_address(text) in network for network in own)
        except ValueError:
            return text.lower() in hosts

    return {text for text in asked.names | asked.addresses if not is_own(text)}


def test_with_a_mirror_named_for_everything_nothing_else_is_asked(world):
    asked = Asked(world.lab.network)
    for phase in (phase for phase in PHASES if phase.name in WAY):
        target = world.description.hosts[1].address if phase.target == "windows" else ""
        run = world.run(phase, target)
        for step in phase.steps:
            report = apply_step(run, step)
            outcomes = {row.outcome for row in report.rows}
            assert outcomes <= {Outcome.OK, Outcome.CHANGED, Outcome.SKIPPED}, step.name
    assert outside(asked, world) == set()
    assert MIRROR in asked.names
    images = {
        container["image"]
        for pod in world.lab.machines["linuxmaster"].listening[6443].cluster.client().list("pods")
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    }
    assert {image.partition("/")[0] for image in images} == {MIRROR}


def test_a_keyring_that_was_there_is_not_noted_as_ours(world):
    machine = world.lab.machines["linuxmaster"]
    made = (machine.root / "etc/k8swin/made").read_text(encoding="utf-8").splitlines()
    assert f"{KEYRINGS}/kubernetes.gpg" in made
    assert f"{KEYRINGS}/docker.gpg" not in made


def test_what_a_description_leaves_to_the_internet_is_noticed(world):
    asked = Asked(world.lab.network)
    world.pool.transport(world.run().master).run("curl -sS https://dl.k8s.io/ || true")
    assert outside(asked, world) == {"dl.k8s.io"}
