"""What pods of Windows may ask of their kubelet: volumes, sidecars, logs that go on; and what is refused by name.

Read in pkg/kubelet and pkg/volume of Kubernetes 1.36; tried against real API servers 1.29 and 1.36.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, Station

from .conftest import Result
from .test_join import _flannel, _join, _phase
from .test_join import prepared as prepared

Run = Callable[[str], Result]
IMAGE = "mcr.microsoft.com/windows/servercore:ltsc2022"


def container(name: str, command: str, **more: Any) -> dict[str, Any]:
    words = ["powershell.exe", "-NoProfile", "-Command", command]
    return {"name": name, "image": IMAGE, "command": words, **more}


def create(cluster: Cluster, name: str, containers: list[dict[str, Any]], **spec: Any) -> None:
    whole = {"nodeName": "winworker01", "containers": containers, **spec}
    cluster.client().create("pods", {"metadata": {"name": name}, "spec": whole}, "default")


def told(cluster: Cluster, name: str) -> str:
    """A pod's status and events as a text."""
    events = [one for one in cluster.objects("events") if one["involvedObject"]["name"] == name]
    return json.dumps([(cluster.object("pods", name, "default") or {}).get("status"), events])


def test_pods_get_what_their_kubelet_can_give_and_what_the_lab_has_not_is_named(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert _join(run, cluster).code == 0
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env"))
    client = cluster.client()
    client.create("configmaps", {"metadata": {"name": "cm"}, "data": {"a.txt": "hello"}}, "default")
    secret = {"metadata": {"name": "se"}, "data": {"key": base64.b64encode(b"kept close").decode()}}
    client.create("secrets", secret, "default")
    projected = [{"secret": {"name": "se"}}, {"configMap": {"name": "none", "optional": True}},
                 {"downwardAPI": {"items": [{"path": "who", "fieldRef": {"fieldPath": "metadata.name"}}]}}]  # fmt: skip
    volumes = [{"name": "s", "secret": {"secretName": "se"}}, {"name": "c", "configMap": {"name": "cm"}},
               {"name": "p", "projected": {"sources": projected}}, {"name": "e", "emptyDir": {}}]  # fmt: skip
    mounts = [{"name": one["name"], "mountPath": rf"C:\{one['name']}"} for one in volumes]
    account = r"C:\var\run\secrets\kubernetes.io\serviceaccount"
    files = rf"C:\s\key, C:\c\a.txt, C:\p\key, C:\p\who, {account}\namespace"
    look = rf"Get-Content {files}; (Get-Content {account}\token).Split('.').Count; Start-Sleep 600"
    create(cluster, "files", [container("a", look, volumeMounts=mounts)], volumes=volumes)
    missing = [{"name": "c", "configMap": {"name": "later"}}]
    create(cluster, "waits", [container("a", "Start-Sleep 600")], volumes=missing)
    side = container("side", "Start-Sleep 600", restartPolicy="Always")
    create(
        cluster, "sidecar", [container("a", "exit 0")], initContainers=[side], restartPolicy="Never"
    )
    create(cluster, "disk", [container("a", "exit 0", volumeMounts=[{"name": "h", "mountPath": "C:\\h"}])],
           volumes=[{"name": "h", "hostPath": {"path": r"C:\k"}}])  # fmt: skip
    windows = {"windowsOptions": {"hostProcess": True, "runAsUserName": r"NT AUTHORITY\SYSTEM"}}
    create(cluster, "host", [container("a", "exit 0")], hostNetwork=True, securityContext=windows)

    assert cluster.wait_until(lambda: _phase(cluster, "files") == "Running")
    agent = prepared.containers.agent
    assert agent is not None
    shown = ["kept close", "hello", "kept close", "files", "default", "3"]
    cluster.wait_until(lambda: "3" in agent.logs("default", "files", "a"), 5)
    assert agent.logs("default", "files", "a").splitlines() == shown
    assert cluster.wait_until(lambda: 'configmap \\"later\\" not found' in told(cluster, "waits"))
    assert "FailedMount" in told(cluster, "waits") and _phase(cluster, "waits") == "Pending"
    client.create("configmaps", {"metadata": {"name": "later"}, "data": {}}, "default")
    assert cluster.wait_until(lambda: _phase(cluster, "waits") == "Running")
    # The sidecar began before the container, and does not keep the pod from ending.
    assert cluster.wait_until(lambda: _phase(cluster, "sidecar") == "Succeeded")
    status = (cluster.object("pods", "sidecar", "default") or {})["status"]
    assert status["initContainerStatuses"][0]["started"] is False
    for name, what in (("disk", "a volume of the kind hostPath"), ("host", "hostProcess")):
        assert cluster.wait_until(lambda name=name: "not simulated" in told(cluster, name))
        assert what in told(cluster, name)

    def asked(path: str) -> Any:
        headers = {CERTIFICATE_HEADER: cluster.kubelet_client}
        wanted = HttpRequest("GET", f"https://127.160.0.21:10250/{path}", headers)
        return prepared.network.http(Station("127.160.0.11"), wanted)

    command = [
        "powershell.exe",
        "-NoProfile",
        "-Command",
        "[Console]::In.ReadToEnd().ToUpper()",
    ]
    code, out, err = agent.exec("default", "files", "a", command, b"one\r\ntwo\r\n")
    assert (code, out.split(), err) == (0, [b"ONE", b"TWO"], b"")

    # As kubectl cp does, in both directions.
    code, packed, err = agent.exec("default", "files", "a", ["tar", "cf", "-", r"C:\c\a.txt"])
    assert (code, err) == (0, b"")
    command = ["tar", "-xmf", "-", "-C", r"C:\e"]
    assert agent.exec("default", "files", "a", command, packed)[0] == 0
    shown = agent.exec("default", "files", "a", ["cmd.exe", "/c", r"type C:\e\c\a.txt"])
    assert shown == (0, b"hello", b"")

    followed = asked("containerLogs/default/files/a?follow=true").stream
    assert next(followed).startswith(b"kept close")
    client.delete("pods", "files", "default")
    assert b"".join(followed) == b""
    for path in (
        "stats/summary",
        "attach/default/waits/a",
        "containerLogs/default/waits/a?timestamps=true",
    ):
        answer = asked(path)
        assert (answer.status, b"not simulated in the lab" in answer.body) == (501, True)
    assert asked("nothing").status == 404
