"""Phase 05: a web server in pods on the workers, requests that show who answers, and scaling."""

from __future__ import annotations

from typing import Any

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases.asking import ask
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.flannel import API_READY, MASTER
from k8swin_nb.phases.windows_node import servercore
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    OS_LABEL,
    POD_OS_FIELD,
    SPREAD_CONSTRAINTS,
    gate,
    minor,
    windows_build,
)
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import State, Step, Verdict


def agnhost_image(params: ClusterParams) -> str:
    """Return the image that serves /hostname by itself, as our own script does on Windows."""
    return f"{params.image_repository}/e2e-test-images/agnhost:2.63.0"


def app_name(run: Run) -> str:
    """Return the deployment's name: `win-webserver`, as in the article, or `linux-webserver`."""
    return "win-webserver" if run.params.test_os == "windows" else "linux-webserver"


def app_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    addresses = run.facts.get(host.name, {}).get("node_addresses", [])
    return {
        "test_app": app_name(run),
        "test_os": run.params.test_os,
        "targets": " ".join(f"{address}:{run.params.test_node_port}" for address in addresses),
    }


def check_nodes(run: Run, host: Host) -> Verdict:
    """Find out which builds of Windows the pods will meet, and at which addresses nodes answer."""
    state, result = ask(
        run,
        "linux/nodes_ready.check.sh",
        host,
        "nodes-ready",
        phase=PHASE.name,
        values=app_values(run, host),
    )
    lines = result.stdout.splitlines()
    if state is not State.OK:
        return Verdict(state, lines[-1])
    builds = sorted(set(lines[-1].removeprefix("builds:").split()))
    names = {line.split()[1] for line in lines[:-1]}
    run.keep_facts(host, "builds", builds)
    addresses = [h.address for h in run.hosts("all") if h.name in names or h.name == host.name]
    run.keep_facts(host, "node_addresses", addresses)
    return Verdict(State.OK, f"Ready: {', '.join(sorted(names))}")


def image(run: Run, host: Host) -> str:
    """Return the test app's image: the given one, else one that the nodes can run."""
    if run.params.test_image:
        return run.params.test_image
    if run.params.test_os == "linux":
        return agnhost_image(run.params)
    builds = run.facts.get(host.name, {}).get("builds", [])
    if len(builds) != 1:
        raise StepFailed(
            phase=PHASE.name,
            step="test-app",
            host=host.name,
            detail=f"the Ready workers have the builds {', '.join(builds) or 'none'}, one image fits one build",
            hint=f"set `test_image` to an image of all of them, such as `{agnhost_image(run.params)}`",
        )
    return servercore(run.params, windows_build(int(builds[0])).tag)


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


def manifest(run: Run, host: Host) -> bytes:
    """Return the test app: a Deployment, a Service, and on Windows the script as a ConfigMap."""
    name, system = app_name(run), run.params.test_os
    labels = {"app": name}
    owned = {**labels, "app.kubernetes.io/managed-by": "k8swin"}
    used = image(run, host)
    pod = web_pod(used, system, name) | placement(run.params.kubernetes_version, system, labels)
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
                        "nodePort": run.params.test_node_port,
                    }
                ],
            },
        },
    ]
    return to_yaml(*documents)


PHASE = Phase(
    name="05_test_app",
    title="Pods on the workers answer web requests",
    steps=(
        API_READY,
        Step(
            name="nodes-ready",
            title="There are nodes for the test app",
            on=MASTER,
            check=check_nodes,
            runs=("linux/nodes_ready.check.sh",),
        ),
        Step(
            name="test-app",
            title="The test app is deployed",
            on=MASTER,
            check="linux/test_app.check.sh",
            apply="linux/test_app.apply.sh",
            reads=manifest,
            runs=("container/webserver.ps1",),
        ),
        Step(
            name="test-app-ready",
            title="Both pods are available",
            on=MASTER,
            check="linux/test_app_ready.check.sh",
            values=app_values,
            # The first pull of a server image is several GiB.
            wait=1800,
        ),
        Step(
            name="requests",
            title="Twenty web requests are answered by every pod",
            on=MASTER,
            check="linux/test_app_requests.check.sh",
            values=app_values,
            wait=60,
        ),
        Step(
            name="scale",
            title="The test app scales from two pods to three and back",
            on=MASTER,
            check="linux/test_app_scale.check.sh",
            apply="linux/test_app_scale.apply.sh",
            values=app_values,
            timeout=2400,
        ),
    ),
)
