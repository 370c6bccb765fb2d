"""The removal against a lab of its own: asked for in words, bounded to what is ours, repeatable, and reversible."""

import json
from pathlib import Path

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.headless.notebooks import run_notebooks
from k8swin_nb.hosts import inventory_of
from k8swin_nb.scripts import Script
from k8swin_nb.transports.pool import Pool
from tests.conftest import ROOT, TO_THE_TEST_APP, RunningLab, k8swin, running_lab

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.wire,
    pytest.mark.timeout(1200),
]
ALL = "tests: linuxmaster winworker01 winworker02"
STRANGE = {
    "linuxmaster": "mkdir -p /etc/cni/net.d && echo '{}' >/etc/cni/net.d/99-site.conf",
    "winworker01": r"New-Item -ItemType Directory -Path C:\opt\site -Force | Out-Null; "
    r"Set-Content -Path C:\opt\site\keep.txt -Value kept; "
    "New-NetFirewallRule -Name k8swin-of-the-site -DisplayName site -Direction Inbound "
    "-Protocol TCP -LocalPort 4444 -Action Allow | Out-Null",
}
"""What somebody else has on the hosts, before and while the cluster is there."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A lab of its own whose hosts hold something of others, and a cluster on it."""
    home = tmp_path_factory.mktemp("teardown")
    with running_lab(home) as lab:
        for name, text in STRANGE.items():
            assert ask(lab, name, text).returncode == 0
        _, executed = run_notebooks(
            ROOT / "notebooks", lab.params, home / "runs", names=TO_THE_TEST_APP
        )
        assert [item.error for item in executed if item.error] == []
        yield lab


def ask(lab: RunningLab, name: str, text: str):
    host = inventory_of(check_description(lab.description())).host(name)
    pool = Pool()
    try:
        script = Script.from_text(text, "bash" if host.os == "linux" else "powershell")
        return pool.transport(host).run(script, sudo=host.os == "linux")
    finally:
        pool.close()


def remove(lab: RunningLab, folder: Path, confirm: str | None = None, **more):
    """Run 90; return its error, and the events of its steps and scripts."""
    given = {**({"confirm": confirm} if confirm else {}), **more}
    dry_run = bool(given.pop("dry_run", False))
    target, executed = run_notebooks(
        ROOT / "notebooks", lab.params, folder, names=["90_teardown"], more=given, dry_run=dry_run
    )
    lines = map(json.loads, (target / "events.jsonl").read_text().splitlines())
    events = [event for event in lines if event["event"] in ("step", "script")]
    return executed[0].error, events


def applied(events: list[dict]) -> list[str]:
    return [f"{e['step']} on {e['host']}" for e in events if e.get("verb") == "apply"]


def outcomes(events: list[dict]) -> dict[str, str]:
    return {f"{e['step']}/{e['host']}": e["outcome"] for e in events if e["event"] == "step"}


def nodes(lab: RunningLab) -> str:
    text = "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --no-headers"
    return ask(lab, "linuxmaster", text).stdout


def test_nothing_goes_without_its_name(cluster, tmp_path):
    error, events = remove(cluster, tmp_path, "tests: linuxmaster winworker01")
    assert error is not None
    assert error.startswith("ParamsError: not confirmed")
    assert f'wanted "{ALL}"; nothing was removed' in error
    assert applied(events) == []
    assert nodes(cluster).count(" Ready ") == 3


def test_a_dry_run_tells_everything_and_touches_nothing(cluster, tmp_path):
    # Without `confirm` it is a preview, which is one.
    error, events = remove(cluster, tmp_path)
    assert error is None
    assert set(outcomes(events).values()) == {"ok", "skipped", "would change"}
    assert applied(events) == []
    told = {e["step"]: e["detail"] for e in events if e["event"] == "step" and e["detail"]}
    assert "k8swin-winrm" in told["firewall"]
    assert "cbr0" in told["hns"]
    # The first drain closes all workers, and the test app's pods are gone by then.
    foretold = outcomes(events)
    assert (foretold["drain/winworker01"], foretold["drain/winworker02"]) == ("would change", "ok")
    assert nodes(cluster).count(" Ready ") == 3


def test_one_worker_goes_and_the_cluster_stays(cluster, tmp_path):
    address = cluster.machine("winworker02")["address"]
    error, events = remove(cluster, tmp_path, "tests: winworker02", ip=address)
    assert error is None
    assert {key.partition("/")[2] for key, how in outcomes(events).items() if how == "changed"} == {
        "winworker02"
    }
    left = nodes(cluster)
    assert "winworker02" not in left
    assert left.count(" Ready ") == 2
    error, events = remove(cluster, tmp_path, "tests: winworker02", ip=address)
    assert error is None
    assert applied(events) == []


def test_the_whole_cluster_goes_and_what_others_have_stays(cluster, tmp_path):
    error, events = remove(cluster, tmp_path, ALL)
    assert error is None
    assert "failed" not in outcomes(events).values()
    windows = ask(
        cluster,
        "winworker01",
        r"""
        Get-Content C:\opt\site\keep.txt
        (Get-NetFirewallRule | Where-Object { $_.Name -like 'k8swin*' }).Name
        (Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq 'ADDRESS' }).InterfaceAlias
        "networks: $(@(Get-HnsNetwork | ForEach-Object { $_.Name }) -join ' ')"
        "services: $(@(Get-Service kubelet, flanneld, kube-proxy, containerd -ErrorAction SilentlyContinue).Count)"
        "folders: $(@('C:\k', 'C:\etc', 'C:\var', 'C:\run', 'C:\opt\cni' | Where-Object { Test-Path $_ }) -join ' ')"
        "path: $(@([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -eq 'C:\k' }).Count)"
        "feature: $((Get-WindowsFeature -Name Containers).InstallState), name: $($env:COMPUTERNAME)"
        "tasks: $(@(Get-ScheduledTask | Where-Object { $_.TaskName -like 'k8swin*' }).Count)"
        """.replace("ADDRESS", cluster.addresses["winworker01"]),
    )
    assert windows.stdout.split("\n")[:-1] == [
        "kept",
        "k8swin-of-the-site",
        "Ethernet",
        "networks: ",
        "services: 0",
        "folders: ",
        "path: 0",
        "feature: Installed, name: WINWORKER01",
        "tasks: 0",
    ]
    linux = ask(
        cluster,
        "linuxmaster",
        "ls /etc/cni/net.d; ls -A /etc/kubernetes /var/lib/etcd /var/lib/kubelet 2>/dev/null | grep -c conf;"
        " ip -o link | grep -c -E 'cni0|flannel'; ip route | grep -c 10.244; apt-mark showhold | wc -l;"
        " ls /etc/apt/sources.list.d /etc/k8swin; grep -c k8swin /etc/hosts; ls -d /home/*/.kube",
    )
    assert linux.stdout.split() == ["99-site.conf", "0", "0", "0", "0", *LINUX_REST]


LINUX_REST = [
    "/etc/apt/sources.list.d:",
    "/etc/k8swin:",
    "chains",
    "images",
    "packages",
    "swaps",
    "written",
    "0",
]


def test_a_second_removal_finds_nothing_to_do(cluster, tmp_path):
    error, events = remove(cluster, tmp_path, ALL)
    assert error is None
    assert applied(events) == []
    assert set(outcomes(events).values()) <= {"ok", "skipped"}


def test_the_cluster_can_be_built_again_on_the_same_hosts(cluster, tmp_path):
    folder, executed = run_notebooks(
        ROOT / "notebooks", cluster.params, tmp_path, names=TO_THE_TEST_APP[:-1]
    )
    assert [item.error for item in executed if item.error] == []
    lines = (folder / "events.jsonl").read_text().splitlines()
    preflights = [e for e in map(json.loads, lines) if e.get("step") == "preflight"]
    assert {e["outcome"] for e in preflights if e["event"] == "step"} == {"ok"}
    assert nodes(cluster).count(" Ready ") == 3


def test_a_worker_that_is_lost_is_told_and_its_node_goes(cluster, tmp_path):
    ask(cluster, "winworker02", "Stop-Service kubelet -Force")
    home = cluster.home
    assert k8swin("lab", "fault", "winworker02", "refuse", "--home", str(home)).returncode == 0
    for _ in range(60):
        if "NotReady" in nodes(cluster):
            break
        ask(cluster, "linuxmaster", "sleep 2")
    try:
        error, events = remove(cluster, tmp_path, ALL)
    finally:
        k8swin("lab", "fault", "winworker02", "none", "--home", str(home))
    assert error is None
    (found,) = [e for e in events if e["step"] == "workers" and e["host"] == "winworker02"
                and e["event"] == "step"]  # fmt: skip
    assert "the machine is left as it is" in found["detail"]
    assert outcomes(events)["nodes/winworker02"] == "changed"
    assert outcomes(events)["services/winworker02"] == "skipped"


def test_a_worker_that_outlived_its_cluster_is_removed_later(cluster, tmp_path):
    error, events = remove(cluster, tmp_path, ALL, keep_images=False, remove_packages=True)
    assert error is None
    assert outcomes(events)["services/winworker02"] == "changed"
    assert ask(
        cluster, "winworker02", r"Test-Path C:\k8swin, C:\ProgramData\containerd"
    ).stdout.split() == ["False", "False"]
    # Its images were kept by a removal that took containerd away: nothing but containerd removes layers.
    left = [e for e in events if e["event"] == "step" and e["step"] == "files"
            and e["host"] == "winworker01"][-1]  # fmt: skip
    assert left["outcome"] == "ok"
    assert "layers of images that only the runtime" in left["detail"]
    assert ask(cluster, "linuxmaster", "ls -d /etc/k8swin /usr/bin/kubeadm").returncode != 0
