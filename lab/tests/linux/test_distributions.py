"""What a machine of the older generation says of itself."""

from pathlib import Path

import pytest
from k8swin_lab import topology
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine

from lab.tests.linux.conftest import run_on


@pytest.fixture
def bionic(network, tmp_path: Path) -> LinuxMachine:
    return LinuxMachine(
        "linuxmaster",
        "192.168.160.10",
        network,
        linux_software(),
        root=tmp_path / "bionic",
        distribution="bionic",
    )


def test_the_classic_generation_is_ubuntu_1804_and_windows_server_2019():
    machines = {machine.name: machine for machine in topology.default(generation="classic")}
    assert machines["linuxmaster"].distribution == "bionic"
    assert machines["winworker01"].build == 17763
    assert {m.distribution for m in topology.default() if m.os == "linux"} == {"bookworm"}


def test_a_generation_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(topology.TopologyError, match="expected current or classic"):
        topology.default(generation="older")


def test_ubuntu_1804_has_control_groups_v1_and_its_own_kernel(bionic):
    assert bionic.filesystem_type("/sys/fs/cgroup") == "tmpfs"
    assert run_on(bionic, "uname -r").out == "4.15.0-213-generic\n"
    assert run_on(bionic, "lsb_release -cs").out == "bionic\n"
    assert "Operating System: Ubuntu 18.04.6 LTS" in run_on(bionic, "hostnamectl").out


def test_ubuntus_archive_is_read_with_the_key_it_comes_with(bionic):
    done = run_on(bionic, "apt-get update")
    assert (done.code, done.err) == (0, "")
    assert "http://archive.ubuntu.com/ubuntu bionic InRelease" in done.out
    assert run_on(bionic, "apt-get install -y conntrack socat ethtool").code == 0
    assert run_on(bionic, "dpkg-query -W socat").out == "socat\t1.7.3.2-2ubuntu2\n"
