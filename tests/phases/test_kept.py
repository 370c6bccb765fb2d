"""What somebody else made on a Linux host is kept before it is changed, and comes back; ours is not taken for it.

The scripts run in a folder that stands for the host's, with programs that say yes, or what a test lets them say.
"""

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest

from k8swin_nb.scripts import Script

THEIRS = "# of the site\n"
CA, OTHER_CA = b"this cluster's", b"another cluster's"
YES = (
    "systemctl",
    "containerd",
    "ctr",
    "docker",
    "dpkg",
    "apt-mark",
    "hostnamectl",
    "kubectl",
    "ip",
)
FOLDERS = ("/etc/", "/var/lib/", "/var/log/", "/opt/", "/run/", "/usr/lib/sysctl.d", "/home/")


class Host:
    """A folder that stands for a host's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.programs = root / "bin"
        self.programs.mkdir()
        for name in YES:
            self.program(name, "exit 0")
        self.program(
            "kubeadm",
            f'echo "$@" >>{root}/kubeadm\n[ "$1" != reset ] || rm -rf {root}/etc/kubernetes/pki/* '
            f"{root}/etc/kubernetes/manifests/* {root}/var/lib/kubelet/* {root}/var/lib/etcd/*",
        )
        (root / "etc").mkdir()

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    def read(self, name: str) -> str:
        return self.path(name).read_text() if self.path(name).exists() else ""

    def kept(self, name: str) -> str:
        return self.read(f"/var/lib/k8swin/kept{name}")

    def run(
        self, name: str, stdin: str = "", *, until: str = "", **values: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the package; `until` begins the line before which it is killed."""
        text = Script.load(f"linux/{name}.sh").text
        if until:
            assert text.count(until) >= 1, until
            text = text.replace(until, f"kill -KILL $$\n{until}", 1)
        text = re.sub(r"/k8swin/kept/(?=\w)", f"/k8swin/kept{self.root}/", text)
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w/\]}}]){re.escape(folder)}", f"{self.root}{folder}", text)
        return subprocess.run(
            ["bash", "-c", text],
            env={"PATH": f"{self.programs}:/usr/bin:/bin:/usr/sbin", **values},
            input=stdin,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


CONFIG = "/etc/containerd/config.toml"
RESTORE = {"CONTAINER_RUNTIME": "containerd", "KEEP_IMAGES": "true"}


def test_what_was_found_is_kept_with_its_mode_and_said(host):
    host.write(CONFIG, THEIRS, 0o600)
    said = done(host.run("containerd.apply", "one\n"))
    assert f"kept: {host.root}{CONFIG} is in {host.root}/var/lib/k8swin/kept" in said
    copies = list(host.path("/var/lib/k8swin/kept").rglob("config.toml"))
    assert [(c.read_text(), c.stat().st_mode & 0o777) for c in copies] == [(THEIRS, 0o600)]
    assert host.path("/var/lib/k8swin/kept").stat().st_mode & 0o077 == 0


def kept_of(host: Host) -> list[str]:
    return [p.read_text() for p in sorted(host.path("/var/lib/k8swin").rglob("config.toml"))]


def test_what_an_earlier_run_wrote_is_not_kept_as_somebody_elses(host):
    done(host.run("containerd.apply", "one\n"))
    done(host.run("containerd.apply", "two\n"))
    assert host.read(CONFIG) == "two\n"
    assert kept_of(host) == []


@pytest.mark.parametrize("until", ['keep_found "$2"', 'note_written "$2"', 'mv "$2.k8swin-new"'])
@pytest.mark.parametrize("found", [THEIRS, ""])
def test_what_was_found_is_kept_through_interruptions_and_comes_back(host, until, found):
    if found:
        host.write(CONFIG, found)
    assert host.run("containerd.apply", "one\n", until=until).returncode == -9
    done(host.run("containerd.apply", "one\n"))
    done(host.run("containerd.apply", "two\n"))
    assert host.read(CONFIG) == "two\n"
    assert kept_of(host) == ([found] if found else [])
    done(host.run("runtime_restored.apply", **RESTORE))
    assert host.read(CONFIG) == found


@pytest.mark.parametrize("until", ['put_back "$path"', 'forget_written "$path"'])
@pytest.mark.parametrize("found", [THEIRS, ""])
def test_a_removal_that_was_interrupted_puts_back_what_was_found(host, until, found):
    if found:
        host.write(CONFIG, found)
    done(host.run("containerd.apply", "one\n"))
    assert host.run("runtime_restored.apply", until=until, **RESTORE).returncode == -9
    done(host.run("runtime_restored.apply", **RESTORE))
    assert host.read(CONFIG) == found


def test_what_somebody_changed_since_is_kept_too_when_it_is_replaced(host):
    host.write(CONFIG, THEIRS)
    done(host.run("containerd.apply", "one\n"))
    host.write(CONFIG, "one\n# edited\n")
    done(host.run("containerd.apply", "two\n"))
    assert sorted(kept_of(host)) == [THEIRS, "one\n# edited\n"]


def test_what_somebody_changed_since_stays_in_a_removal(host):
    host.write(CONFIG, THEIRS)
    done(host.run("containerd.apply", "one\n"))
    host.write(CONFIG, "edited\n")
    said = done(host.run("runtime_restored.apply", **RESTORE))
    assert "warning:" in said and "was changed since" in said
    assert host.read(CONFIG) == "edited\n"
    assert kept_of(host) == [THEIRS]


def test_a_runtime_whose_configuration_is_not_changed_is_not_restarted(host):
    host.program("systemctl", f'echo "$@" >>{host.root}/systemctl')
    done(host.run("runtime_restored.apply", **RESTORE))
    assert "restart" not in host.read("/systemctl")


JOIN = {
    "NODE_NAME": "linuxworker01",
    "JOIN_CONFIGURATION": "token",
    "CRI_SOCKET": "unix:///x",
    "CLUSTER_CA": base64.b64encode(CA).decode(),
}
CHECK = {
    "NODE_NAME": "linuxworker01",
    "MASTER_ADDRESS": "10.1.0.2",
    "API_PORT": "6443",
    "API_ENDPOINT": "10.1.0.2:6443",
    "CLUSTER_CA": JOIN["CLUSTER_CA"],
}


def test_another_clusters_authority_on_a_worker_is_drift_and_nothing_is_touched(host):
    host.write("/etc/kubernetes/pki/ca.crt", OTHER_CA)
    host.write("/etc/kubernetes/pki/ca.key", "key", 0o600)
    result = host.run("join.check", **CHECK)
    assert result.returncode == 20
    assert "pki/ca.crt is another cluster's" in result.stdout
    assert host.read("/etc/kubernetes/pki/ca.key") == "key"


def test_a_join_resets_nothing_that_was_not_begun_from_here(host):
    host.write("/etc/kubernetes/pki/ca.crt", CA)
    host.write("/etc/kubernetes/pki/ca.key", "key", 0o600)
    assert host.run("join.check", **CHECK).returncode == 10
    host.program("kubeadm", f'echo "$1" >>{host.root}/kubeadm; echo joined')
    done(host.run("join.apply", **JOIN))
    assert host.read("/kubeadm") == "join\n"
    assert host.read("/etc/kubernetes/pki/ca.key") == "key"


def test_an_interrupted_join_is_reset_and_what_others_put_there_comes_back(host):
    host.write("/etc/k8swin/kubeadm-join.started", "")
    host.write("/etc/k8swin/cluster-ca", JOIN["CLUSTER_CA"])
    host.write("/etc/kubernetes/pki/ca.crt", CA)
    host.write("/etc/kubernetes/pki/own.key", "key", 0o600)
    host.write("/var/lib/kubelet/own", "mine")
    assert host.run("join.check", **CHECK).returncode == 10
    host.run("join.apply", **JOIN)
    assert host.read("/kubeadm").startswith("reset ")
    assert host.read("/etc/kubernetes/pki/own.key") == "key"
    assert host.path("/etc/kubernetes/pki/own.key").stat().st_mode & 0o777 == 0o600
    assert host.read("/var/lib/kubelet/own") == "mine"
    assert not host.path("/etc/kubernetes/pki/ca.crt").exists()


INIT = {"CRI_SOCKET": "unix:///x"}


def test_a_sites_own_authority_outlives_a_failed_init_and_is_used_again(host):
    host.write("/etc/k8swin/kubeadm-init.yaml", "")
    host.write("/etc/kubernetes/pki/ca.crt", CA)
    host.write("/etc/kubernetes/pki/ca.key", "the site's", 0o600)
    host.program(
        "kubeadm",
        f"pki={host.root}/etc/kubernetes/pki\n"
        '[ "$1" != reset ] || rm -rf $pki/*\n'
        '[ "$1" != init ] || { cat $pki/ca.key >>'
        f"{host.root}/used; echo made >$pki/apiserver.key; exit 1; }}",
    )
    assert host.run("control_plane.apply", **INIT).returncode == 1
    assert host.run("control_plane.apply", **INIT).returncode == 1
    assert host.read("/used") == "the site's" * 2
    assert host.path("/etc/kubernetes/pki/ca.key").stat().st_mode & 0o777 == 0o600


def test_a_removal_leaves_a_sites_authority_and_somebodys_static_pod(host):
    host.write("/etc/k8swin/kubeadm-init.yaml", "")
    host.write("/etc/kubernetes/pki/ca.crt", CA)
    host.write("/etc/kubernetes/pki/ca.key", "the site's", 0o600)
    host.program("kubeadm", "exit 0")
    done(host.run("control_plane.apply", **INIT))
    for name in ("pki/apiserver.key", "manifests/etcd.yaml", "manifests/own.yaml", "admin.conf"):
        host.write(f"/etc/kubernetes/{name}", name)
    host.write("/var/lib/etcd/member/snap", "data")
    host.write("/var/lib/etcd/backup.db", "backup")
    host.write("/var/log/pods/notes.txt", "notes")
    values = {"CONTAINER_RUNTIME": "containerd", "CRI_SOCKET": "unix:///x"}
    host.program("systemctl", '[ "$1" != is-active ] && [ "$1" != is-enabled ]')
    assert host.run("reset.check", **values).returncode == 10
    done(host.run("reset.apply", **values))
    assert host.read("/etc/kubernetes/pki/ca.key") == "the site's"
    assert host.read("/etc/kubernetes/manifests/own.yaml") == "manifests/own.yaml"
    assert host.read("/var/lib/etcd/backup.db") == "backup"
    assert host.read("/var/log/pods/notes.txt") == "notes"
    for gone in ("pki/apiserver.key", "manifests/etcd.yaml", "admin.conf"):
        assert not host.path(f"/etc/kubernetes/{gone}").exists()
    assert not host.path("/var/lib/etcd/member").exists()
    assert host.run("reset.check", **values).returncode == 0
    done(host.run("records_removed.apply"))
    assert not host.path("/var/lib/k8swin").exists()


def test_an_administrators_kubeconfig_that_somebody_put_on_a_worker_stays(host):
    host.write("/etc/k8swin/cluster-ca", JOIN["CLUSTER_CA"])
    host.write("/etc/kubernetes/pki/ca.crt", CA)
    host.write("/etc/kubernetes/kubelet.conf", "ours")
    host.write("/etc/kubernetes/admin.conf", "theirs", 0o600)
    host.program("systemctl", '[ "$1" != is-active ] && [ "$1" != is-enabled ]')
    host.program(
        "kubeadm", f"rm -f {host.root}/etc/kubernetes/*.conf {host.root}/etc/kubernetes/pki/*"
    )
    values = {"CONTAINER_RUNTIME": "containerd", "CRI_SOCKET": "unix:///x"}
    assert host.run("reset.check", **values).returncode == 10
    done(host.run("reset.apply", **values))
    assert host.read("/etc/kubernetes/admin.conf") == "theirs"
    assert not host.path("/etc/kubernetes/kubelet.conf").exists()
    assert host.run("reset.check", **values).returncode == 0


HOSTS = {"NODE_NAME": "linuxmaster", "NODE_ADDRESS": "10.1.0.2"}


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            "127.0.1.1\tlinuxmaster.corp.example\tlinuxmaster\n",
            "linuxmaster.corp.example linuxmaster",
        ),
        ("10.1.0.2 linuxmaster\n", "linuxmaster"),
        ("10.1.0.2 other\n127.0.1.1 linuxmaster m # note\n", "linuxmaster m"),
        ("127.0.0.1 localhost\n", "linuxmaster"),
    ],
)
def test_the_hosts_full_name_stays_and_its_lines_come_back(host, found, line):
    host.program("hostnamectl", "echo linuxmaster")
    host.program("hostname", "echo linuxmaster")
    host.write("/etc/hosts", found)
    done(host.run("hostname.apply", **HOSTS))
    done(host.run("hostname.apply", **HOSTS))
    assert host.read("/etc/hosts").splitlines()[-1] == f"10.1.0.2 {line} # k8swin"
    assert ("10.1.0.2 other" in host.read("/etc/hosts")) == ("other" in found)
    restore = {
        "NODE_USER": "nobody-here",
        "NODE_ADDRESS": "10.1.0.2",
        "MASTER_ADDRESS": "10.1.0.2",
        "API_PORT": "6443",
        "API_ENDPOINT": "10.1.0.2:6443",
        "RESTORE_SWAP": "false",
    }
    done(host.run("host_settings_restored.apply", **restore))
    expected = found if "linuxmaster" in found else f"{found}10.1.0.2 linuxmaster\n"
    assert host.read("/etc/hosts") == expected


def test_lines_that_were_added_to_hosts_since_stay(host):
    host.program("hostnamectl", "echo linuxmaster")
    host.program("hostname", "echo linuxmaster")
    host.write("/etc/hosts", "127.0.1.1 linuxmaster.corp.example linuxmaster\n")
    done(host.run("hostname.apply", **HOSTS))
    host.write("/etc/hosts", "10.9.9.9 added\n" + host.read("/etc/hosts"))
    restore = {
        "NODE_USER": "nobody-here",
        "NODE_ADDRESS": "10.1.0.2",
        "MASTER_ADDRESS": "10.1.0.2",
        "API_PORT": "6443",
        "API_ENDPOINT": "10.1.0.2:6443",
        "RESTORE_SWAP": "false",
    }
    done(host.run("host_settings_restored.apply", **restore))
    assert host.read("/etc/hosts").splitlines() == [
        "10.9.9.9 added",
        "127.0.1.1 linuxmaster.corp.example linuxmaster",
    ]


def test_forwarding_that_a_later_file_turns_off_is_seen(host):
    host.program("sysctl", "echo 1")
    host.write("/etc/modules-load.d/k8swin.conf", "overlay\n")
    ours = "net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\n"
    host.write("/etc/sysctl.d/zz-k8swin.conf", ours + "net.ipv4.ip_forward = 1\n")
    host.write("/etc/sysctl.d/99-cis.conf", "net.ipv4.ip_forward=0\n")
    result = host.run("kernel.check")
    assert (result.returncode, "99-cis.conf" in result.stdout) == (0, True)
    host.write("/etc/sysctl.d/zzz.conf", "# x\n-net/ipv4/ip_forward = 0\n")
    result = host.run("kernel.check")
    assert result.returncode == 20
    assert "zzz.conf sets net.ipv4.ip_forward = 0" in result.stdout


def test_a_swap_unit_of_the_host_is_disabled_and_another_is_masked(host):
    host.write("/etc/fstab", "")
    host.write("/etc/systemd/system/swapfile.swap", "[Swap]\n")
    host.program(
        "systemctl",
        f'echo "$@" >>{host.root}/systemctl\n'
        '[ "$1" != list-unit-files ] || printf "%s\\n" "swapfile.swap enabled" "dev-sdb1.swap generated"\n'
        '[ "$1 $2" != "is-enabled swapfile.swap" ] || echo enabled\n'
        '[ "$1" != stop ] || exit 5\n'
        '[ "$1 $3" != "is-active swapfile.swap" ]',
    )
    host.program(
        "swapon", 'case $1 in --show=*) echo "/var/swap 5" ;; *) echo "$@" >>"$0.said" ;; esac'
    )
    host.program("swapoff", "exit 0")
    done(host.run("swap.apply"))
    assert "disable swapfile.swap" in host.read("/systemctl")
    assert "mask --now dev-sdb1.swap" in host.read("/systemctl")
    assert host.read("/etc/k8swin/disabled") == "swapfile.swap\n"
    assert host.read("/etc/k8swin/masked") == "dev-sdb1.swap\n"
    # What ran runs again, and what was on without an entry anywhere is on again.
    assert host.read("/etc/k8swin/stopped") == "dev-sdb1.swap\n"
    assert host.read("/etc/k8swin/swaps") == "/var/swap 5\n"


@pytest.mark.parametrize("since", ["", "/dev/sdc1 /data ext4 defaults 0 2\n"])
def test_fstab_comes_back_byte_for_byte_with_its_rights(host, since):
    text = "/dev/vda1 / ext4 defaults 0 1\r\n  LABEL=sw none swap nofail 0 0\n# the end"
    file = host.write("/etc/fstab", text, 0o640)
    host.program("swapon", "exit 0")
    done(host.run("swap.apply"))
    assert b"# k8swin:   LABEL=sw" in file.read_bytes()
    file.write_bytes(file.read_bytes() + since.encode())
    host.write("/etc/hosts", "127.0.0.1 localhost\n")
    done(
        host.run(
            "host_settings_restored.apply",
            NODE_USER="nobody-here",
            NODE_ADDRESS="10.1.0.2",
            MASTER_ADDRESS="10.1.0.2",
            API_PORT="6443",
            API_ENDPOINT="10.1.0.2:6443",
            RESTORE_SWAP="true",
        )
    )
    assert file.read_bytes().decode() == text + (f"\n{since}" if since else "")
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_is_there_keeps_its_rights_when_it_is_written_over(host):
    file = host.write("/etc/sysctl.d/zz-k8swin.conf", THEIRS, 0o600)
    file.parent.chmod(0o700)
    host.program("sysctl", "exit 0")
    host.program("modprobe", "exit 0")
    done(host.run("kernel.apply"))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert host.kept(f"{host.root}/etc/sysctl.d/zz-k8swin.conf") == THEIRS


def test_a_folder_in_the_place_of_a_file_is_left_as_it_is(host):
    host.write("/etc/sysctl.d/zz-k8swin.conf/theirs", THEIRS)
    host.program("modprobe", "exit 0")
    result = host.run("kernel.apply")
    assert result.returncode == 1
    assert "is a folder, wanted a file" in result.stderr
    assert host.read("/etc/sysctl.d/zz-k8swin.conf/theirs") == THEIRS


def test_a_service_that_did_not_start_with_the_host_does_not_afterwards(host):
    host.program(
        "systemctl",
        f'echo "$@" >>{host.root}/systemctl\n[ "$1" != is-active ] || echo inactive\n[ "$1" != is-enabled ]',
    )
    done(host.run("containerd.apply", "version = 3\n"))
    assert host.read("/etc/k8swin/enabled") == "containerd inactive\n"
    host.write("/etc/hosts", "127.0.0.1 localhost\n")
    user = {
        "NODE_USER": "nobody-here",
        "NODE_ADDRESS": "10.1.0.2",
        "MASTER_ADDRESS": "10.1.0.2",
        "API_PORT": "6443",
        "API_ENDPOINT": "10.1.0.2:6443",
    }
    done(host.run("host_settings_restored.apply", RESTORE_SWAP="false", **user))
    assert "disable containerd\nstop containerd" in host.read("/systemctl")


def test_a_kubelets_own_configuration_is_kept_before_kubeadm_writes_over_it(host):
    host.write("/var/lib/kubelet/config.yaml", THEIRS, 0o640)
    host.program("kubeadm", "exit 1")
    host.run("control_plane.apply", CRI_SOCKET="unix:///x")
    assert host.kept(f"{host.root}/var/lib/kubelet/config.yaml") == THEIRS


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ("Remv ntp [1.2]\nInst chrony (4.3 Debian)", 0, "apt would remove ntp"),
        ("E: Unable to correct problems", 100, "below zero in"),
    ],
)
def test_a_package_is_not_installed_at_the_cost_of_another(host, said, code, told):
    host.write("/etc/apt/preferences.d/site", "Package: chrony\nPin: release *\nPin-Priority: -1\n")
    host.program("apt-get", f'echo "$@" >>{host.root}/apt\nprintf "{said}"\nexit {code}')
    host.program("apt-cache", "exit 0")
    result = host.run("time.apply")
    assert result.returncode == 1
    assert told in result.stderr
    assert " -s " in f" {host.read('/apt')}"
    assert len(host.read("/apt").splitlines()) == 1


APT = {
    "KUBERNETES_VERSION": "1.36.4",
    "PACKAGE_SOURCE": "apt",
    "KUBERNETES_APT_SOURCE": "deb [trusted=yes] file:/srv/k8s ./",
    "RUNTIME_APT_SOURCE": "same",
}
DOCKER = "deb [arch=amd64 signed-by=/k/docker.asc] https://download.docker.com/linux/debian bookworm stable"


def apt_host(host: Host, update: str = "exit 0") -> Host:
    host.write("/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n")
    host.path("/etc/apt/sources.list.d").mkdir(parents=True)
    host.program("apt-get", update)
    host.program("apt-cache", 'echo "kubeadm | 1.36.4-1.1 | x"')
    return host


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docker.list", DOCKER + "\n"),
        ("docker.list", DOCKER.replace("debian ", "debian/ ") + "\n"),
        (
            "docker.sources",
            "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\n"
            "Components: stable\nSigned-By: /k/docker.asc\n",
        ),
    ],
)
def test_a_source_that_the_host_has_is_used_and_not_written_again(host, file, text):
    apt_host(host).write(f"/etc/apt/sources.list.d/{file}", text)
    values = {**APT, "RUNTIME_APT_SOURCE": DOCKER.replace("/k/docker.asc", "/k/other.gpg")}
    assert host.run("apt_sources.check", **values).returncode == 10
    done(host.run("apt_sources.apply", **values))
    assert host.read("/etc/apt/sources.list.d/k8swin.list") == APT["KUBERNETES_APT_SOURCE"] + "\n"
    assert "download.docker.com" in done(host.run("apt_sources.check", **values))


def test_a_source_that_is_switched_off_is_none(host):
    text = "Enabled: no\nURIs: file:/srv/k8s\nSuites: ./\n"
    apt_host(host).write("/etc/apt/sources.list.d/k8s.sources", text)
    done(host.run("apt_sources.apply", **APT))
    assert "file:/srv/k8s" in host.read("/etc/apt/sources.list.d/k8swin.list")


@pytest.mark.parametrize("before", ["", "deb file:/srv/before ./\n"])
def test_sources_that_apt_refuses_are_taken_back(host, before):
    apt_host(host, 'echo "E: Conflicting values set for option Signed-By" >&2; exit 100')
    if before:
        host.write("/etc/apt/sources.list.d/k8swin.list", before)
    result = host.run("apt_sources.apply", **APT)
    assert result.returncode == 1
    assert "Conflicting values" in result.stderr
    assert "taken back" in result.stderr.splitlines()[-1]
    assert host.read("/etc/apt/sources.list.d/k8swin.list") == before


@pytest.mark.parametrize("wanted", ["1.36.5", "1.37.0"])
def test_an_upgrade_is_refused_before_the_sources_are_changed_for_it(host, wanted):
    apt_host(host).program("dpkg-query", 'echo "hold ok installed 1.36.4-1.1"')
    other = {**APT, "KUBERNETES_VERSION": wanted}
    assert host.run("apt_sources.check", **other).returncode == 10
    assert host.run("packages.check", **other).returncode == 10
    host.write("/etc/kubernetes/kubelet.conf", "")
    for name in ("apt_sources.check", "packages.check"):
        found = host.run(name, **other)
        assert (found.returncode, found.stdout) == (
            20,
            f"kubeadm is 1.36.4-1.1 on a node of a cluster, wanted {wanted}: that is an upgrade\n",
        )
    done(host.run("apt_sources.apply", **APT))
    done(host.run("apt_sources.check", **APT))


def test_a_source_of_two_lines_is_refused(host):
    values = {**APT, "KUBERNETES_APT_SOURCE": APT["KUBERNETES_APT_SOURCE"] + "\ndeb http://x ./"}
    assert apt_host(host).run("apt_sources.check", **values).returncode == 20


@pytest.mark.parametrize(
    "image", ["hello-world", "library/hello-world", "docker.io/library/hello-world:latest"]
)
def test_an_image_that_docker_lists_in_short_is_removed_by_its_full_name(host, image):
    host.program(
        "docker",
        f'echo "$@" >>{host.root}/docker\n[ "$1 $2" != "image inspect" ] || [ -e {host.root}/pulled ]\n'
        f'code=$?; [ "$1" != pull ] || touch {host.root}/pulled; [ "$1" = image ] && exit $code; exit 0',
    )
    done(host.run("docker_test.apply", RUNTIME_TEST_IMAGE=image))
    assert host.read("/etc/k8swin/images") == "docker.io/library/hello-world:latest\n"
    restore = {"CONTAINER_RUNTIME": "docker", "KEEP_IMAGES": "false"}
    done(host.run("runtime_restored.apply", **restore))
    assert "image rm docker.io/library/hello-world:latest" in host.read("/docker")


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are changed")
def test_an_owner_comes_back_too(host):
    path = host.write("/etc/kubernetes/pki/own.key", "key", 0o640)
    os.chown(path, 1234, 1235)
    host.write("/etc/k8swin/kubeadm-init.started", "")
    host.write("/etc/k8swin/kubeadm-init.yaml", "")
    host.run("control_plane.apply", **INIT)
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) == (
        1234,
        1235,
        0o640,
    )


@pytest.mark.parametrize("chain", ["KUBE-SERVICES", "CNI-HOSTPORT-DNAT", ""])
def test_whose_chains_are_not_ours_is_known_as_long_as_there_are_any(host, chain):
    host.write("/etc/k8swin/chains", "CNI-HOSTPORT-DNAT\n")
    host.program("iptables-save", f"echo ':{chain} - [0:0]'" if chain else "exit 0")
    assert host.run("records_removed.check").returncode == (0 if chain else 10)
    done(host.run("records_removed.apply"))
    assert bool(host.read("/etc/k8swin/chains")) == bool(chain)


def test_files_of_registries_are_written_to_the_last_and_go_when_they_are_not_described_any_more(
    host,
):
    folder = host.root / "etc/containerd/certs.d"
    lines = [
        f"{folder}/{name}/hosts.toml {base64.b64encode(name.encode()).decode()}"
        for name in ("docker.io", "m.example:5000")
    ]
    (folder / "theirs.example").mkdir(parents=True)
    (folder / "theirs.example/hosts.toml").write_text("theirs")
    text = "\n".join(lines)  # without an end of the last line
    assert host.run("registries.check", text).returncode == 10
    done(host.run("registries.apply", text))
    assert (folder / "m.example:5000/hosts.toml").read_text() == "m.example:5000"
    assert host.run("registries.check", text).returncode == 0
    assert host.run("registries.check", lines[0]).returncode == 10
    done(host.run("registries.apply", lines[0]))
    assert host.run("registries.check", lines[0]).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["docker.io", "theirs.example"]


def test_our_line_for_the_control_plane_goes_only_where_dns_knows_the_name(host):
    host.write("/etc/hosts", THEIRS + "10.1.0.2 api.site.example # k8swin api\n")
    for knows, code in ((2, 20), (0, 10)):
        host.program("getent", f'[ "$1 $2" != "-s dns" ] || exit {knows}\necho 10.1.0.2')
        found = host.run("api_name.check", API_ENDPOINT="api.site.example:6443")
        assert found.returncode == code, found.stdout + found.stderr
    assert "-> no line of ours" in found.stdout


def test_our_line_for_the_control_plane_is_put_back_where_a_resolver_read_it_too(host):
    text = THEIRS + "10.1.0.2 api.site.example # k8swin api\n"
    host.write("/etc/hosts", text)
    host.program("sleep", "exit 0")
    # A resolver that reads the file answers as if it were DNS, for as long as the line is there.
    host.program("getent", f"grep api.site.example '{host.path('/etc/hosts')}'")
    assert host.run("api_name.check", API_ENDPOINT="api.site.example:6443").returncode == 10
    tried = host.run("api_name.apply", API_ENDPOINT="api.site.example:6443")
    assert tried.returncode == 1 and "is put back" in tried.stderr
    assert host.read("/etc/hosts") == text
    host.program("getent", "echo 10.1.0.2")
    done(host.run("api_name.apply", API_ENDPOINT="api.site.example:6443"))
    assert host.read("/etc/hosts") == THEIRS
