"""A cluster on real hosts that may be thrown away, named in the environment. See CONTRIBUTING.md."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from k8swin_nb.api import open_cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import AuthenticationFailed, HostLocked, TransportError
from k8swin_nb.headless.notebooks import JOINS, ORDER, Executed, run_notebooks
from k8swin_nb.headless.stopping import Stop
from k8swin_nb.hosts import inventory_of
from k8swin_nb.scripts import Script
from k8swin_nb.transports.hostkeys import pin, scan
from k8swin_nb.transports.pool import Pool
from k8swin_nb.transports.processes import running
from k8swin_nb.workflow.step import Outcome

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
HOSTS = os.environ.get("REAL_HOSTS", "").split()
PROFILE = os.environ.get("REAL_PROFILE") or "current"
RUNTIME = "docker" if PROFILE == "classic" else "containerd"
KUBERNETES = os.environ.get("REAL_KUBERNETES") or "1.36.4"
APT = os.environ.get("REAL_APT", "")
MIRROR = "https://mirror.example:5000/v2/quay"
OWN_IMAGE = "localhost/agnhost:of-the-host"
BUILD = ("01_network", "02_master", "03_flannel", "04_join_linux")
VERIFIED = os.environ.get("REAL_VERIFY", "") != "false"
TRY = ("05_test_app", *(("06_verify",) if VERIFIED else ()))
TAKE_DOWN = "90_teardown"

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not HOSTS, reason="REAL_HOSTS names no host"),
]

LOOK = """
echo "cgroup $(stat -fc %T /sys/fs/cgroup)"
echo "containerd $(containerd --version 2>/dev/null | awk '{ sub(/^v/, "", $3); print $3 }')"
echo "interface $(ip -4 -o route get 192.0.2.1 | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }')"
ctr -n k8s.io images ls -q 2>/dev/null | sed 's/^/image /' || true
if [ -n "$SOURCE" ]; then
  own=$(mktemp -d)
  mkdir -p "$own/lists/partial" "$own/cache/archives/partial"
  echo "$SOURCE" >"$own/list"
  options="-o Dir::Etc::SourceList=$own/list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$own/lists"
  options="$options -o Dir::Cache=$own/cache"
  apt-get -qq $options update
  for name in docker-ce docker.io containerd.io containerd; do
    apt-cache $options madison $name | awk '{ print "offered", $1, $3 }'
  done
  rm -rf "$own"
fi
"""
"""What a description for these hosts must say: nothing is installed or changed by it."""


def numbers(text: str) -> str:
    """The version in a package's or program's version: 20.10.24 of 5:20.10.24+dfsg1-1."""
    found = re.match(r"(?:\d+:)?v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    assert found, text
    return ".".join(part or "0" for part in found.groups())


def key_of(host):
    """Its SSH host key; a host that was just started, at an address in use before, may take a while."""
    deadline = time.monotonic() + 90
    while True:
        try:
            return scan(host)
        except TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(2)


class Site:
    """The hosts, what they have, and the description that follows from it."""

    def __init__(self, folder: Path) -> None:
        values = self.values(folder)
        inventory = inventory_of(check_description(values))
        for host in inventory.hosts:
            pin(host, key_of(host))
        self.hosts = list(inventory.hosts)
        self.pool = Pool()
        found = self.run(self.hosts[0], LOOK, {"SOURCE": APT})
        rows = [line.split() for line in found.splitlines()]
        images = {row[1] for row in rows if row[0] == "image"}
        offered = {row[1]: numbers(row[2]) for row in reversed(rows) if row[0] == "offered"}
        values |= self.of_the_host({row[0]: row[1:] for row in rows}, images, offered)
        self.path = folder / "params.yaml"
        self.path.write_text(yaml.safe_dump(values))

    @staticmethod
    def values(folder: Path) -> dict:
        return {
            "cluster_name": "real",
            "profile": PROFILE,
            "kubernetes_version": KUBERNETES,
            "host_subnet": HOSTS[0].rpartition(".")[0] + ".0/24",
            "kubernetes_apt_source": APT,
            f"{RUNTIME}_apt_source": "same" if APT else "",
            "known_hosts": str(folder / "known_hosts"),
            "test_os": "linux",
            **Site.registries(folder),
            "control_plane_endpoint": "api.real.example",
            "control_plane_address": HOSTS[0],
            "api_port": 7443,
            "api_certificate_names": ["api.example", "192.0.2.7"],
            "control_plane_workloads": True,
            "kubelet_settings": {"maxPods": 90, "evictionHard": {"memory.available": "50Mi"}},
            "hosts": [
                {
                    "name": "linuxmaster" if index == 0 else f"linuxworker{index:02d}",
                    "address": each,
                    "os": "linux",
                    "role": "worker" if index else "control-plane",
                    "user": os.environ.get("REAL_USER") or "ubuntu",
                    "identity": str(Path(os.environ["REAL_KEY"]).expanduser().resolve()),
                    "labels": {"real.example/number": str(index)},
                    # On all: of one alone the scheduler thinks less than of spreading the test app's pods.
                    "taints": ["real.example/spare=yes:PreferNoSchedule"],
                    "kubelet_settings": {"maxPods": 91} if index else {},
                }
                for index, each in enumerate(HOSTS)
            ],
        }

    @staticmethod
    def registries(folder: Path) -> dict:
        """A mirror with a login, which nothing is pulled from: containerd has to take what is written for it."""
        if PROFILE == "classic":
            return {}
        password = folder / "robot"
        password.write_text("pass-of-the-robot-17")
        password.chmod(0o600)
        own = {"name": "mirror.example:5000", "user": "robot", "credential": f"file:{password}"}
        return {"registries": [{"name": "quay.example", "mirrors": [MIRROR]}, own]}

    @staticmethod
    def of_the_host(facts: dict, images: set[str], offered: dict[str, str]) -> dict:
        accepted = os.environ.get("REAL_CGROUP_V1") or str(facts["cgroup"] != ["cgroup2fs"]).lower()
        values = {"allow_cgroup_v1": accepted == "true"}
        values["flannel_interfaces"] = ["nowhere0", *facts["interface"]]
        containerd = facts.get("containerd") or [
            offered.get("containerd.io") or offered.get("containerd")
        ]
        if PROFILE == "current" and containerd[0]:
            values["containerd_version"] = numbers(containerd[0])
        docker = offered.get("docker-ce") or offered.get("docker.io")
        if PROFILE == "classic" and docker:
            values["docker_version"] = docker
        for image in images:
            registry, _, name = image.rpartition("/")
            if name == f"kube-apiserver:v{KUBERNETES}":
                values["image_repository"] = registry
        if images and not any("/agnhost:" in image for image in images):
            values["test_image"] = OWN_IMAGE
        return values

    def run(self, host, text: str, values: dict[str, str] | None = None) -> str:
        assignments = [f"{name}={shlex.quote(value)}" for name, value in (values or {}).items()]
        script = Script.from_text("\n".join(["set -euo pipefail", *assignments, text]), "bash")
        result = self.pool.transport(host).run(script, sudo=host.user != "root", timeout=300)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def load_own_image(self) -> None:
        """Give hosts without a registry an image that serves, made of what they have."""
        if yaml.safe_load(self.path.read_text()).get("test_image") != OWN_IMAGE:
            return
        for host in self.hosts:
            for name in ("agnhost.py", "web_image.py"):
                self.pool.transport(host).put((HERE / name).read_bytes(), f"/var/tmp/{name}")
            self.run(host, f"python3 /var/tmp/web_image.py {RUNTIME} {OWN_IMAGE}")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("real"))
    yield site
    site.pool.close()


def there(*names: str) -> list[str]:
    """Those notebooks of `names` that this project has."""
    return [
        name for name in names if name in ORDER or (ROOT / "notebooks" / f"{name}.ipynb").exists()
    ]


def execute(path: Path, folder: Path, *names: str, **more: str) -> tuple[Path, list[Executed]]:
    """Run notebooks; a signal that stops them ends all tests.

    The hosts are then taken down, and their addresses are given to others: no further test may go there.
    """
    stop = Stop()
    target, executed = run_notebooks(
        ROOT / "notebooks", path, folder, names=names, more=more, stop=stop
    )
    if stop.requested:
        pytest.exit(stop.told, returncode=stop.exit_code)
    return target, executed


def run(site, folder: Path, *names: str, **more: str) -> tuple[dict[str, str], dict[str, str]]:
    """Run notebooks; return how steps ended by notebook/step/host, and the errors of notebooks."""
    target, executed = execute(site.path, folder, *there(*names), **more)
    events = [json.loads(line) for line in (target / "events.jsonl").read_text().splitlines()]
    steps = {
        f"{event['notebook']}/{event['step']}/{event['host']}": event["outcome"]
        for event in events
        if event["event"] == "step"
    }
    return steps, {item.name: item.error for item in executed if item.error}


def cells(folder: Path) -> dict[tuple[str, str], str]:
    """Return how each connection of 06 ended, by where it begins and where it leads."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (matrix,) = [event for event in events if event["event"] == "matrix"]
    return {(cell["from"], cell["to"]): cell["state"] for cell in matrix["cells"]}


STATE = r"""
files() { find "$@" -xdev -type f ! -name .bash_history -exec sha256sum {} + -printf '%m %U %p\n' 2>/dev/null || true; }
{
  files /etc /opt /usr/local /var/lib/k8swin /var/lib/apt /var/lib/dpkg/status /root /home
  systemctl list-unit-files --no-legend
  systemctl list-units --no-legend --plain --type=service --state=running | awk '$1 !~ /^systemd-(hostnamed|timedated|localed)/ { print $1 }'
  cat /proc/swaps /proc/sys/net/ipv4/ip_forward
  ip -4 route
  hostname
} | sort
"""
"""What a host is like, a line each: files with their hashes and rights, packages, services, settings."""


def test_a_whole_dry_run_says_what_would_be_done_and_changes_nothing(site, tmp_path):
    before = {host.name: site.run(host, STATE).splitlines() for host in site.hosts}
    rows, scripts = {}, []
    with open_cluster(site.path, runs=tmp_path) as cluster:
        for name in there(*BUILD, *TRY):
            targets = [host.address for host in site.hosts[1:]] if name in JOINS else [""]
            for target in targets:
                phase = cluster.phase(name, target=target, dry_run=True)
                rows[name] = phase.apply().rows
                scripts += [e for e in phase.run.record.events if e["event"] == "script"]
    outcomes = {row.outcome for each in rows.values() for row in each}
    assert outcomes <= {Outcome.OK, Outcome.SKIPPED, Outcome.WOULD_CHANGE}
    assert [event["script"] for event in scripts if event["verb"] != "check"] == []
    master = {row.step: row for row in rows["02_master"]}
    if master["control-plane"].outcome is Outcome.WOULD_CHANGE:
        assert "+++ /etc/hosts" in master["host-name"].difference
        assert "kubelet: not installed -> " in master["packages"].difference
        assert "+  podSubnet:" in master["kubeadm-config"].difference
        assert "waits for `02_master`" in rows["03_flannel"][0].detail
    for host in site.hosts:
        assert set(site.run(host, STATE).splitlines()) ^ set(before[host.name]) == set()


def test_a_cluster_is_built_and_a_second_run_changes_nothing(site, tmp_path):
    steps, errors = run(site, tmp_path, *BUILD)
    assert errors == {}
    assert steps["02_master/control-plane/linuxmaster"] in ("changed", "ok")

    steps, errors = run(site, tmp_path, *BUILD)
    assert errors == {}
    assert len(steps) > 20
    assert {name: how for name, how in steps.items() if how not in ("ok", "skipped")} == {}


def test_nodes_are_as_the_description_says(site):
    listed = "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o json"
    nodes = json.loads(site.run(site.hosts[0], listed))["items"]
    assert len(nodes) == len(site.hosts)
    for index, node in enumerate(sorted(nodes, key=lambda node: node["metadata"]["name"])):
        assert node["metadata"]["labels"]["real.example/number"] == str(index)
        assert node["status"]["allocatable"]["pods"] == str(91 if index else 90)
        taints = {taint["key"] for taint in node["spec"].get("taints", [])}
        assert taints == {"real.example/spare"}
    for host in site.hosts:
        found = site.run(host, "awk '$1 == \"server:\" { print $2 }' /etc/kubernetes/kubelet.conf")
        beside = f"https://{HOSTS[0]}:7443" if host is site.hosts[0] else ""
        assert found.strip() in ("https://api.real.example:7443", beside)
    assert open_cluster(site.path).nodes().shape[0] == len(nodes)


@pytest.mark.skipif(PROFILE == "classic", reason="Docker keeps logins of registries elsewhere")
def test_containerd_reads_a_registrys_mirror_and_its_login_which_root_alone_reads(site):
    for host in site.hosts:
        found = site.run(
            host,
            "stat -c %a /etc/containerd/config.toml; containerd config dump | grep -c pass-of-the-robot; "
            "grep -h '^.host' /etc/containerd/certs.d/quay.example/hosts.toml",
        )
        assert found.split("\n")[:3] == ["600", "1", f'[host."{MIRROR}"]']


def test_pods_answer_on_every_node(site, tmp_path):
    site.load_own_image()
    steps, errors = run(site, tmp_path, *TRY)
    assert errors == {}
    assert steps["05_test_app/requests/linuxmaster"] == "ok"
    if not VERIFIED:
        return
    (record,) = tmp_path.glob("*/events.jsonl")
    matrix = cells(record.parent)
    assert matrix["this computer", "NodePort of linuxmaster"] == "pass"
    assert "fail" not in matrix.values()
    if len(site.hosts) > 1:
        assert matrix["linux pod on linuxworker01", "pods on other nodes"] == "pass"
        assert matrix["linuxmaster", "logs, exec on linuxworker01"] == "pass"


def test_a_cluster_with_other_networks_is_left_alone(site, tmp_path):
    values = yaml.safe_load(site.path.read_text())
    values["service_subnet"] = "10.192.0.0/12"
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(values))
    _, executed = execute(other, tmp_path, "02_master")
    assert "DriftFound" in executed[0].error
    assert "10.96.0.0/12" in executed[0].error


def test_a_second_operator_is_told_and_what_a_dead_one_left_at_work_is_waited_for(site, tmp_path):
    command = [sys.executable, str(HERE / "two_operators.py"), str(site.path), str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first,
        open_cluster(site.path, runs=tmp_path) as second,
    ):
        try:
            assert first.stdout is not None
            run_id = first.stdout.readline().strip()
            said: list[str] = []
            phase = second.phase(
                "02_master", on_output=lambda host, stream, text: said.append(text)
            )
            at = phase.run.at(second.hosts("control-plane")[0], "swap")
            with pytest.raises(HostLocked, match=f"process {first.pid}.* run {run_id}"):
                second.locks.take(at)
        finally:
            first.kill()
        assert second.locks.take(at)
        assert f"waits for what still runs there: apply of run {run_id}" in "".join(said)
        left = running(second.pool.transport(at.host), sudo=at.host.user != "root")
        assert not [process for process in left if process.changes]


ASKS = """
if getent passwd k8swin-asks >/dev/null; then userdel --remove --force k8swin-asks; fi
if [ -z "$PASSWORD" ]; then rm -f /etc/sudoers.d/k8swin-asks; exit 0; fi
useradd --create-home --shell /bin/bash k8swin-asks
echo "k8swin-asks:$PASSWORD" | chpasswd
echo 'k8swin-asks ALL=(ALL) ALL' >/etc/sudoers.d/k8swin-asks
install -d -m 700 -o k8swin-asks /home/k8swin-asks/.ssh
install -m 600 -o k8swin-asks "$(eval echo "~$LOGIN")/.ssh/authorized_keys" /home/k8swin-asks/.ssh/authorized_keys
"""
"""A user of the host whose sudo asks for a password; without one it goes again."""


def test_sudo_that_asks_is_given_its_password_once(site, monkeypatch):
    master = site.hosts[0]
    monkeypatch.setenv("ASKED_FOR", "R1ght-and-long-enough!")
    monkeypatch.setenv("NOT_THAT", "Wr0ng-and-long-enough!")
    values = {"PASSWORD": "R1ght-and-long-enough!", "LOGIN": master.user}
    site.run(master, ASKS, values)
    try:
        asks = replace(master, user="k8swin-asks", sudo_password="env:ASKED_FOR")
        ssh = site.pool.transport(asks)
        done = ssh.run("id -un; cat; exit 7", stdin=b"in\n", sudo=True, timeout=120)
        assert (done.stdout, done.stderr, done.returncode) == ("root\nin\n", "", 7)
        assert ssh.run("id -un", timeout=120).stdout == "k8swin-asks\n"
        wrong = site.pool.transport(replace(asks, sudo_password="env:NOT_THAT"))
        with pytest.raises(AuthenticationFailed, match="sudo refused the password `env:NOT_THAT`"):
            wrong.run("id -un", sudo=True, timeout=120)
        log = site.run(
            master, "journalctl --since -5min | grep -c 'k8swin-asks.*incorrect password' || true"
        )
        assert log.strip() in ("0", "1")  # journald may not be told of it; never several attempts
    finally:
        site.pool.close()
        site.run(master, ASKS, {**values, "PASSWORD": ""})


@pytest.mark.skipif(not there(TAKE_DOWN), reason="there is no notebook that takes a cluster down")
def test_what_was_built_is_taken_down_and_built_again(site, tmp_path):
    confirm = f"real: {' '.join(host.name for host in site.hosts)}"
    steps, errors = run(site, tmp_path, TAKE_DOWN, confirm=confirm)
    assert errors == {}
    steps, errors = run(site, tmp_path, TAKE_DOWN, confirm=confirm)
    assert errors == {}
    assert {name: how for name, how in steps.items() if how not in ("ok", "skipped")} == {}

    steps, errors = run(site, tmp_path, *BUILD)
    assert errors == {}
    assert steps["02_master/control-plane/linuxmaster"] == "changed"
