"""Networks for labs that stand side by side."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from k8swin_lab import loopback, topology
from k8swin_lab.loopback import NoFreeNetwork, free_network

LAB = Path(loopback.__file__).parents[1]
TAKE = """
import sys
from k8swin_lab import loopback
loopback.NETWORKS = sys.argv[1:]
with loopback.free_network() as network:
    print(network, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Let these be all networks: labs that start beside this test would take what it expects to be free."""
    block, number = divmod(os.getpid() % (63 * 64), 64)
    mine = tuple(f"127.{192 + block}.{4 * number + each}.0/24" for each in range(3))
    assert not set(mine) & set(loopback.NETWORKS)
    monkeypatch.setattr(loopback, "NETWORKS", mine)
    return mine


def test_who_has_a_network_is_alone_on_it_until_its_process_ends(
    networks: tuple[str, ...],
) -> None:
    with free_network() as mine, free_network() as another:
        other = subprocess.Popen(
            [sys.executable, "-c", TAKE, *networks],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(LAB)},
        )
        with other:
            assert other.stdout is not None
            theirs = other.stdout.readline().strip()
            assert {mine, another, theirs} == set(networks)

            with pytest.raises(NoFreeNetwork), free_network():
                pass
            other.kill()
        with free_network() as given_back:
            assert given_back == theirs


def test_a_network_on_which_a_lab_answers_is_not_free(networks: tuple[str, ...]) -> None:
    used, unused, _ = networks
    for spec in topology.default(used)[:2]:
        port = spec.ssh_port if spec.os == "linux" else spec.winrm_http_port
        with socket.create_server((spec.address, port)), free_network() as found:
            assert found == unused


def test_the_network_that_descriptions_name_is_left_to_them() -> None:
    assert topology.DEFAULT_NETWORK not in loopback.NETWORKS
