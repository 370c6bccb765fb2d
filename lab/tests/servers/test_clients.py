"""Clients that sites use, against the lab's servers: Ansible over SSH with become and over WinRM, and rsync."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from k8swin_lab import topology
from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

pytestmark = pytest.mark.wire

PLAY = """
- hosts: linux
  gather_facts: false
  become: true
  tasks:
    - {name: raw, raw: id -un, register: who}
    - {name: shell, shell: "id -un; pwd"}
    - {name: copy, copy: {content: hello, dest: /etc/k8swin-play, mode: '0640'}}
    - {name: again, copy: {content: hello, dest: /etc/k8swin-play, mode: '0640'}}
    - {name: user, command: id -un, become: false}
- hosts: windows
  gather_facts: false
  tasks:
    - {name: windows, raw: "hostname; (Get-Service -Name WinRM).Status; exit 0"}
    - {name: refused, raw: "exit 5", failed_when: false}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A lab with the machines of its default, and the hosts of its description by name."""
    home = tmp_path_factory.mktemp("clients") / "lab"
    with free_network() as network, Lab(home, topology.default(network)) as lab:
        described = describe(lab.status())
        yield {
            host["name"]: {**host, "known": described["known_hosts"]} for host in described["hosts"]
        }


@pytest.fixture
def ansible(site: dict[str, Any], tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Run a play and return its tasks' results by name."""
    pytest.importorskip("ansible", reason="needs ansible-core")
    if shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client")
    linux, windows = site["linuxmaster"], site["winworker01"]
    options = f"-o UserKnownHostsFile={linux['known']} -o IdentitiesOnly=yes -o ControlMaster=no"
    secret = Path(windows["credential"].removeprefix("file:")).read_text().strip()
    inventory = {
        "linux": {
            "hosts": {
                "linuxmaster": {
                    "ansible_host": linux["address"],
                    "ansible_port": linux["ssh_port"],
                    "ansible_user": linux["user"],
                    "ansible_ssh_private_key_file": linux["identity"],
                    "ansible_ssh_common_args": options,
                    "ansible_python_interpreter": "/usr/bin/python3",
                }
            }
        },
        "windows": {
            "hosts": {
                "winworker01": {
                    "ansible_host": windows["address"],
                    "ansible_port": windows["winrm_port"],
                    "ansible_user": windows["user"],
                    "ansible_password": secret,
                    "ansible_connection": "winrm",
                    "ansible_winrm_transport": "ntlm",
                    "ansible_winrm_ca_trust_path": windows["ca"],
                }
            }
        },
    }
    (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(inventory))
    settings = {
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "LC_ALL": "C.UTF-8",
    }

    def run(play: str) -> dict[str, Any]:
        (tmp_path / "play.yaml").write_text(play)
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "-i",
                str(tmp_path / "inventory.yaml"),
                "-v",
                str(tmp_path / "play.yaml"),
            ],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return {"code": done.returncode, "out": done.stdout, "err": done.stderr}

    return run


def test_a_play_of_ansible_runs_with_become_and_over_winrm(
    ansible: Callable[[str], dict[str, Any]],
) -> None:
    told = ansible(PLAY)
    assert told["code"] == 0, told["out"] + told["err"]
    results = _results(told["out"])
    assert results["raw"]["stdout_lines"][0] == "root"
    assert results["shell"]["stdout_lines"][0] == "root"
    assert (results["copy"]["changed"], results["again"]["changed"]) == (True, False)
    assert results["user"]["stdout"] == "ubuntu"
    assert results["windows"]["stdout_lines"] == ["winworker01", "Running"]
    assert results["refused"]["rc"] == 5


def _results(out: str) -> dict[str, Any]:
    """What each task's result says, by the task's name; `-v` prints it as JSON behind an arrow."""
    found: dict[str, Any] = {}
    task = ""
    for line in out.splitlines():
        if line.startswith("TASK ["):
            task = line.partition("[")[2].partition("]")[0]
        elif " => {" in line and task:
            found[task] = json.loads("{" + line.partition(" => {")[2])
    return found


def test_rsync_carries_folders_there_and_back(site: dict[str, Any], tmp_path: Path) -> None:
    if shutil.which("rsync") is None or shutil.which("ssh") is None:
        pytest.skip("needs rsync and OpenSSH's client")
    host = site["linuxmaster"]
    ssh = (
        f"ssh -q -p {host['ssh_port']} -i {host['identity']} -o IdentitiesOnly=yes "
        f"-o UserKnownHostsFile={host['known']}"
    )
    there = f"{host['user']}@{host['address']}:"
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "text").write_text("hello\n")
    (source / "below" / "bytes").write_bytes(os.urandom(200_000))

    def rsync(*words: str) -> str:
        done = subprocess.run(
            ["rsync", "-rtp", "--itemize-changes", "-e", ssh, *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "below/bytes" in rsync(f"{source}/", f"{there}/home/{host['user']}/copy/")
    assert rsync(f"{source}/", f"{there}/home/{host['user']}/copy/") == ""
    rsync("--rsync-path=sudo rsync", f"{source}/", f"{there}/etc/k8swin-copy/")
    rsync(f"{there}/etc/k8swin-copy/", f"{tmp_path}/back/")
    for name in ("text", "below/bytes"):
        assert (tmp_path / "back" / name).read_bytes() == (source / name).read_bytes()
