"""The test app: a web server in pods of either operating system, as manifests, and the nodes that it meets."""

from __future__ import annotations

from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.errors import ScriptError, TransportError
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.windows.configuration import servercore
from k8swin_nb.reading import lines, whole
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    OS_LABEL,
    POD_OS_FIELD,
    SPREAD_CONSTRAINTS,
    gate,
    minor,
    windows_build,
)
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

BUILDS = Fact[list[str]]("builds")
"""Builds of the Ready Windows workers."""

NODE_ADDRESSES = Fact[list[str]]("node_addresses")
"""Where the test app's node port is asked."""


def agnhost_image(description: Description) -> str:
    """Return the image that serves /hostname by itself, as our own script does on Windows."""
    return f"{description.image_repository}/e2e-test-images/agnhost:2.63.0"


def app_name(run: PhaseRun) -> str:
    """Return the deployment's name: `win-webserver` or `linux-webserver`."""
    return "win-webserver" if run.description.test_os == "windows" else "linux-webserver"


def app_values(at: StepRun) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    addresses = at.run.facts.get(at.host, NODE_ADDRESSES, [])
    return {
        "test_app": app_name(at.run),
        "test_os": at.description.test_os,
        "targets": " ".join(f"{address}:{at.description.test_node_port}" for address in addresses),
    }


def check_nodes(at: StepRun) -> Verdict:
    """Find out which builds of Windows the pods will meet, and at which addresses nodes answer."""
    state, result = at.ask("linux/nodes_ready.check.sh", values=app_values(at))
    if state is not State.OK:
        return Verdict.read(state, result.stdout)
    *told, summed = lines(result.stdout) or [""]
    builds = sorted(set(summed.removeprefix("builds:").split()))
    names = {words[1] for words in map(str.split, told) if words[:1] == ["node"] and words[1:]}
    if not summed.startswith("builds:") or not all(whole(build) for build in builds) or not names:
        raise at.failed(
            "`linux/nodes_ready.check.sh` printed no Ready nodes with their builds", result=result
        )
    at.run.facts.keep(at.host, BUILDS, builds)
    addresses = [
        h.address for h in at.run.hosts("all") if h.name in names or h.name == at.host.name
    ]
    at.run.facts.keep(at.host, NODE_ADDRESSES, addresses)
    return Verdict(State.OK, f"Ready: {', '.join(sorted(names))}")


def image(at: StepRun) -> str:
    """Return the test app's image: the given one, else one that the nodes can run."""
    if at.description.test_image:
        return at.description.test_image
    if at.description.test_os == "linux":
        return agnhost_image(at.description)
    builds = _planned_builds(at) if at.run.dry_run else []
    builds = builds or at.run.facts[at.host, BUILDS]
    if len(builds) != 1:
        raise at.failed(
            f"the Ready workers have the builds {', '.join(builds) or 'none'}, one image fits one build",
            hint=f"set `test_image` to an image of all of them, such as `{agnhost_image(at.description)}`",
        )
    return servercore(at.description, windows_build(int(builds[0])).tag)


def _planned_builds(at: StepRun) -> list[str]:
    """Return the builds of servers that have not joined yet, asked of themselves; none where the cluster knows them."""
    if at.run.facts.get(at.host, BUILDS) is not None:
        return []
    builds = set()
    for host in at.run.hosts("windows+worker"):
        try:
            found = at.script("windows/facts.check.ps1", on=host).mapping()
        except (TransportError, ScriptError):
            continue
        builds.add(str(found.get("build", "")))
    return sorted(builds - {""})


def agnhost(image: str) -> bool:
    """Whether an image is agnhost, which serves by itself and on both operating systems."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0] == "agnhost"


def tolerations(system: str) -> list[dict[str, Any]]:
    """Return what lets a pod onto every node of an operating system, the control plane's too."""
    if system == "windows":
        return [{"key": "os", "operator": "Equal", "value": "windows", "effect": "NoSchedule"}]
    return [
        {"key": f"node-role.kubernetes.io/{role}", "operator": "Exists", "effect": "NoSchedule"}
        for role in ("control-plane", "master")
    ]


def placement(version: str, system: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return the part of a pod's spec that puts it on nodes of one system, and its like on others."""
    spread: dict[str, Any] = {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
        ]
    }
    if minor(version) < SPREAD_CONSTRAINTS:
        apart = {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": labels},
        }
        preferred = "preferredDuringSchedulingIgnoredDuringExecution"
        spread = {
            "affinity": {
                "podAntiAffinity": {preferred: [{"weight": 100, "podAffinityTerm": apart}]}
            }
        }
    return {
        **({"os": {"name": system}} if minor(version) >= POD_OS_FIELD else {}),
        "nodeSelector": {gate(OS_LABEL, version): system},
        **spread,
    }


def scripted(image: str, system: str) -> bool:
    """Whether a pod runs our own web server, because its image brings none."""
    return system == "windows" and not agnhost(image)


def web_pod(image: str, system: str, config_map: str) -> dict[str, Any]:
    """Return the spec of a pod that answers /hostname on port 80, wherever it is put.

    Args:
        image: Of the container; agnhost, or a Windows image with PowerShell.
        system: Operating system.
        config_map: Name of the config map with the web server's script, for `scripted` images.
    """

    def field(variable: str, path: str) -> dict[str, Any]:
        return {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    container: dict[str, Any] = {
        "name": "webserver",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # Spelt out: an old API server cannot merge ports whose protocol is left to its default.
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/hostname", "port": 80},
            # PowerShell takes its time to start in a fresh container.
            "initialDelaySeconds": 10 if system == "windows" else 1,
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
    }
    pod: dict[str, Any] = {
        "terminationGracePeriodSeconds": 5,
        "tolerations": tolerations(system),
        "containers": [container],
    }
    if not scripted(image, system):
        container["args"] = ["netexec", "--http-port=80"]
        return pod
    container["command"] = [
        "powershell.exe",
        "-NoProfile",
        "-NonInteractive",
        "-ExecutionPolicy",
        "Bypass",
        "-File",
        r"C:\app\webserver.ps1",
    ]
    container["env"] = [field("POD_NAME", "metadata.name"), field("NODE_NAME", "spec.nodeName")]
    container["volumeMounts"] = [{"name": "app", "mountPath": r"C:\app"}]
    pod["volumes"] = [{"name": "app", "configMap": {"name": config_map}}]
    return pod


def manifest(at: StepRun) -> bytes:
    """Return the test app: a Deployment, a Service, and on Windows the script as a ConfigMap."""
    name, system = app_name(at.run), at.description.test_os
    labels = {"app": name}
    owned = {**labels, "app.kubernetes.io/managed-by": "k8swin"}
    used = image(at)
    pod = web_pod(used, system, name) | placement(at.description.kubernetes_version, system, labels)
    documents: list[dict[str, Any]] = []
    if scripted(used, system):
        script = Script.load("container/webserver.ps1").text
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "default", "labels": owned},
                "data": {"webserver.ps1": script},
            }
        )
    documents += [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default", "labels": owned},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default", "labels": owned},
            "spec": {
                "type": "NodePort",
                "selector": labels,
                "ports": [
                    {
                        "port": 80,
                        "targetPort": 80,
                        "protocol": "TCP",
                        "nodePort": at.description.test_node_port,
                    }
                ],
            },
        },
    ]
    return to_yaml(*documents)
