"""What a worker is taken apart with: ctr, crictl, HNS, services, files in use."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine

from .conftest import Result
from .test_join import _flannel, _join, _phase, _pod
from .test_join import prepared as prepared

Run = Callable[[str], Result]
CTR, CRICTL = r"C:\containerd\ctr.exe -n k8s.io", r"C:\containerd\crictl.exe"


@pytest.fixture
def busy(prepared: WindowsMachine, run: Run, cluster: Cluster) -> WindowsMachine:
    """A node with a pod that runs."""
    for name in ("ctr", "crictl"):
        prepared.files.write(
            rf"C:\containerd\{name}.exe", f"#!/.k8swin-lab/run {name} 2.3.4\n".encode()
        )
    _join(run, cluster)
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env"))
    cluster.client().create(
        "configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "app"},
            "data": {"server.ps1": "Start-Sleep 600"},
        },
        "default",
    )
    cluster.client().create(
        "pods", _pod("web", "mcr.microsoft.com/windows/servercore:ltsc2022"), "default"
    )
    assert cluster.wait_until(lambda: _phase(cluster, "web") == "Running")
    return prepared


def test_containerd_is_emptied_in_its_order(busy: WindowsMachine, run: Run) -> None:
    tasks = run(f"{CTR} tasks ls -q").out.split()
    assert len(tasks) == 2  # the container and its pause
    assert sorted(tasks) == sorted(run(f"{CTR} containers ls -q").out.split())
    assert run(f"{CRICTL} ps -q").out.strip() in tasks
    busy.services.stop("kubelet")
    assert "cannot delete a non stopped container" in run(f"{CTR} containers rm {tasks[0]}").err
    assert "must be stopped before deletion" in run(f"{CTR} tasks rm {tasks[0]}").err
    for task in tasks:
        assert run(f"{CTR} tasks rm -f {task}").code == 0
        assert run(f"{CTR} containers rm {task}").code == 0
    assert run(f"{CTR} containers ls -q").out == ""
    assert "must be empty" in run(f"{CTR} namespaces rm k8s.io").err
    layers = r"C:\ProgramData\containerd"
    assert (
        "denied" in run(f"powershell -NoProfile -Command Remove-Item -Recurse -Force {layers}").err
    )
    for image in run(f"{CTR} images ls -q").out.split():
        assert run(f"{CTR} images rm --sync {image}").code == 0
    assert run(f"{CTR} namespaces rm k8s.io").code == 0
    busy.services.stop("containerd")
    assert run(f"powershell -NoProfile -Command Remove-Item -Recurse -Force {layers}").err == ""


def test_crictl_stops_and_removes_pods_and_images(busy: WindowsMachine, run: Run) -> None:
    busy.services.stop("kubelet")
    assert run(f"{CRICTL} rmp -a").code == 1
    assert "Removed sandbox" in run(f"{CRICTL} rmp -fa").out
    assert run(f"{CRICTL} ps -aq").out == ""
    assert "Deleted: " in run(f"{CRICTL} rmi --prune").out
    assert run(f"{CRICTL} images -q").out == ""


def test_the_last_hns_network_gives_the_adapter_back(busy: WindowsMachine, run: Run) -> None:
    busy.services.stop("flanneld")
    removed = run(
        "powershell -NoProfile -Command \"Get-HnsNetwork | Where-Object Name -eq 'cbr0' | Remove-HnsNetwork\""
    )
    assert removed.err == ""
    assert busy.net.primary().name == "Ethernet"
    assert busy.net.hns_endpoints == []


def test_a_program_that_runs_and_a_log_that_is_written_cannot_be_removed(
    busy: WindowsMachine, run: Run
) -> None:
    assert (
        "denied" in run(r"powershell -NoProfile -Command Remove-Item -Force C:\k\flanneld.exe").err
    )
    in_use = run(r"powershell -NoProfile -Command Remove-Item -Force C:\flanneld.log")
    assert "being used by another process" in in_use.err
    busy.services.stop("flanneld")
    assert run(r"powershell -NoProfile -Command Remove-Item -Force C:\flanneld.log").err == ""
