"""02_master and 03_flannel on a real host, beside a playbook of ansible-core that does and looks at the same.

Two disposable hosts are named as for tests/real: REAL_HOSTS="FIRST SECOND", REAL_USER, REAL_KEY, REAL_APT,
REAL_KUBERNETES, and REAL_CONTAINERD for the version that the source offers. The toolkit builds on the first, Ansible on the
second; then both run once more over what is there: the toolkit as two notebooks, and as two calls of a program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench.peers import Peers

ROOT = Path(__file__).parents[1]
PLAYBOOK = Path(__file__).with_name("playbook.yaml")
PHASES = ("02_master", "03_flannel")
AGAIN = 3
"""How often the second run is measured; the best counts."""

LOOK = """
echo "cgroup $(stat -fc %T /sys/fs/cgroup)"
echo "interface $(ip -4 -o route get 192.0.2.1 | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }')"
"""


def missing() -> str:
    """Say what the measurement lacks; empty: nothing."""
    hosts = os.environ.get("REAL_HOSTS", "").split()
    if len(hosts) < 2 or not os.environ.get("REAL_KEY"):
        return "not measured: REAL_HOSTS names no two disposable hosts, with their key in REAL_KEY"
    return ""


def _description(folder: Path, address: str) -> Path:
    """Write a description of one host and pin its key; return its path."""
    from k8swin_nb.description import check_description
    from k8swin_nb.hosts import inventory_of
    from k8swin_nb.transports.hostkeys import pin, scan
    from k8swin_nb.transports.pool import Pool

    apt = os.environ.get("REAL_APT", "")
    values: dict[str, Any] = {
        "cluster_name": "bench",
        "kubernetes_version": os.environ.get("REAL_KUBERNETES") or "1.36.4",
        "containerd_version": os.environ.get("REAL_CONTAINERD") or "2.3.4",
        "host_subnet": address.rpartition(".")[0] + ".0/24",
        "kubernetes_apt_source": apt,
        "containerd_apt_source": "same" if apt else "",
        "known_hosts": str(folder / "known_hosts"),
        "hosts": [
            {
                "name": "linuxmaster",
                "address": address,
                "os": "linux",
                "role": "control-plane",
                "user": os.environ.get("REAL_USER") or "ubuntu",
                "identity": str(Path(os.environ["REAL_KEY"]).expanduser().resolve()),
            }
        ],
    }
    (host,) = inventory_of(check_description(values)).hosts
    pin(host, scan(host))
    pool = Pool()
    found = dict(
        line.split() for line in pool.transport(host).run(LOOK).stdout.splitlines() if " " in line
    )
    pool.close()
    values["allow_cgroup_v1"] = found["cgroup"] != "cgroup2fs"
    values["flannel_interfaces"] = [found["interface"]]
    path = folder / f"{address}.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def _as_notebooks(description: Path, folder: Path) -> None:
    """Run both notebooks, in a process as `k8swin run` is.

    Raises:
        SystemExit: when one failed.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "k8swin_nb", "run", "--params", str(description)),
            *("--only", ",".join(PHASES), "--runs", str(folder / "runs")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])


def _as_function(description: Path, folder: Path) -> None:
    """Apply both phases in a program of its own."""
    program = (
        "import sys; from k8swin_nb import open_cluster\n"
        "with open_cluster(sys.argv[1], runs=sys.argv[2]) as cluster:\n"
        f"    for name in {PHASES!r}: cluster.phase(name).apply()\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(description), str(folder / "runs")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


def _documents(description: Path, folder: Path) -> dict[str, Any]:
    """Write what both apply, kubeadm's configuration and flannel's manifest; return the playbook's variables."""
    from k8swin_nb.api import open_cluster
    from k8swin_nb.phases.linux.kubeadm import init_configuration
    from k8swin_nb.phases.pods.flannel_manifest import manifest

    with open_cluster(description, runs=folder / "runs") as cluster:
        run = cluster.phase_run("03_flannel")
        at = run.at(cluster.hosts("control-plane")[0], "flannel")
        (folder / "kubeadm-init.yaml").write_bytes(init_configuration(at))
        (folder / "flannel.yaml").write_bytes(manifest(at))
        known = cluster.description
        ignored = ["SystemVerification"] if known.allow_cgroup_v1 else ["none"]
        return {
            "files": str(folder),
            "node": "linuxmaster",
            "address": cluster.hosts("control-plane")[0].address,
            "apt": known.kubernetes_apt_source,
            "containerd": "containerd.io",
            "kubernetes": known.kubernetes_version,
            "pause": "registry.k8s.io/pause:3.10.2",
            "ignore": ",".join(ignored),
            "chrony": not known.kubernetes_apt_source,
        }


def _playbook(peers: Peers, folder: Path, address: str, values: dict[str, Any]) -> None:
    """Run the playbook on a host.

    Raises:
        SystemExit: when it failed.
    """
    variables = folder / "variables.yaml"
    variables.write_text(yaml.safe_dump(values))
    (folder / "ansible.cfg").write_text("[ssh_connection]\npipelining = true\n")
    user, key = os.environ.get("REAL_USER") or "ubuntu", Path(os.environ["REAL_KEY"]).expanduser()
    inventory = folder / "inventory"
    inventory.write_text(
        f"[all]\n{address} ansible_user={user} ansible_ssh_private_key_file={key.resolve()} "
        "ansible_python_interpreter=/usr/bin/python3\n"
        f"[all:vars]\nansible_ssh_common_args=-o UserKnownHostsFile={folder}/known_hosts\n"
    )
    done = subprocess.run(
        [
            *(str(peers.bin / "ansible-playbook"), "-i", str(inventory)),
            *("-e", f"@{variables}", str(PLAYBOOK)),
        ],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder),
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-2000:])


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def rows(peers: Peers) -> list[dict[str, object]]:
    """Measure; return one row for the first run and each way of a second one, with the ratio to Ansible's."""
    first, second = os.environ["REAL_HOSTS"].split()[:2]
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        folder = Path(name)
        ours, theirs = _description(folder, first), _description(folder, second)
        values = _documents(theirs, folder)

        def playbook() -> None:
            _playbook(peers, folder, second, values)

        found: list[dict[str, object]] = []
        built = _seconds(lambda: _as_notebooks(ours, folder))
        ansible = _seconds(playbook)
        found.append(_row("first run, two notebooks", built, ansible))
        ways: dict[str, Callable[[], None]] = {
            "again, two notebooks": lambda: _as_notebooks(ours, folder),
            "again, as a function": lambda: _as_function(ours, folder),
        }
        took: dict[str, list[float]] = {way: [] for way in (*ways, "ansible")}
        for _ in range(AGAIN):  # in turns: what else the computer does is spread over all
            for way, work in ways.items():
                took[way].append(_seconds(work))
            took["ansible"].append(_seconds(playbook))
        for way in ways:
            found.append(_row(way, min(took[way]), min(took["ansible"])))
    return found


def _row(what: str, ours: float, theirs: float) -> dict[str, object]:
    return {
        "what": what,
        "k8swin_nb": f"{ours:.1f} s",
        "ansible-core": f"{theirs:.1f} s",
        "ratio": round(ours / theirs, 2),
    }
