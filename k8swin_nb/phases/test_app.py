"""Phase 05: a web server in pods on the workers, requests that show who answers, and scaling."""

from __future__ import annotations

from typing import Any

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.flannel import API_READY, MASTER
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    CONTROL_PLANE_TAINTS,
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

LINUX_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
"""Serves /hostname like our own script does on Windows."""


def app_name(run: Run) -> str:
    """Return the deployment's name: `win-webserver`, as in the article, or `linux-webserver`."""
    return "win-webserver" if run.params.test_os == "windows" else "linux-webserver"


def app_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    return {
        "test_app": app_name(run),
        "test_os": run.params.test_os,
        "test_node_port": str(run.params.test_node_port),
        "node_addresses": " ".join(run.facts.get(host.name, {}).get("node_addresses", [])),
    }


def check_nodes(run: Run, host: Host) -> Verdict:
    """Find out which builds of Windows the pods will meet, and at which addresses nodes answer."""
    result = run.script(
        "linux/nodes_ready.check.sh",
        host,
        verb="check",
        step="nodes-ready",
        values=app_values(run, host),
        quiet=True,
    )
    lines = result.stdout.splitlines()
    if result.returncode == 20:
        return Verdict(State.DRIFT, lines[-1])
    if result.returncode != 0:
        raise StepFailed(
            phase=PHASE.name,
            step="nodes-ready",
            host=host.name,
            detail="check failed",
            result=result,
        )
    builds = sorted({line.split(".")[2] for line in lines[-1].removeprefix("builds:").split()})
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
        return LINUX_IMAGE
    builds = run.facts.get(host.name, {}).get("builds", [])
    if len(builds) != 1:
        raise StepFailed(
            phase=PHASE.name,
            step="test-app",
            host=host.name,
            detail=f"the Ready workers have the builds {', '.join(builds) or 'none'}, one image fits one build",
        )
    return f"mcr.microsoft.com/windows/servercore:{windows_build(int(builds[0])).tag}"


def placement(run: Run, labels: dict[str, str]) -> dict[str, Any]:
    """Return how pods come to nodes of their operating system and spread over them, by what is served."""
    version, wanted = run.params.kubernetes_version, run.params.test_os
    host_name = "kubernetes.io/hostname"
    pod: dict[str, Any] = {"nodeSelector": {gate(OS_LABEL, version): wanted}}
    if minor(version) >= POD_OS_FIELD:
        pod["os"] = {"name": wanted}
    if minor(version) >= SPREAD_CONSTRAINTS:
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": host_name,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
        ]
    else:
        apart = {"labelSelector": {"matchLabels": labels}, "topologyKey": host_name}
        pod["affinity"] = {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": apart}
                ]
            }
        }
    return pod


def manifest(run: Run, host: Host) -> bytes:
    """Return the test app: a Deployment, a Service, and on Windows the script as a ConfigMap."""
    name, windows = app_name(run), run.params.test_os == "windows"
    labels = {"app": name}
    owned = {**labels, "app.kubernetes.io/managed-by": "k8swin"}

    def field(variable: str, path: str) -> dict[str, Any]:
        return {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    container: dict[str, Any] = {
        "name": "webserver",
        "image": image(run, host),
        "imagePullPolicy": "IfNotPresent",
        # Spelt out: an old API server cannot merge ports whose protocol is left to its default.
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/hostname", "port": 80},
            # PowerShell takes its time to start in a fresh container.
            "initialDelaySeconds": 10 if windows else 1,
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
    }
    pod: dict[str, Any] = {
        **placement(run, labels),
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
    }
    documents: list[dict[str, Any]] = []
    if windows:
        script = Script.load("container/webserver.ps1").text
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "default", "labels": owned},
                "data": {"webserver.ps1": script},
            }
        )
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
        pod["volumes"] = [{"name": "app", "configMap": {"name": name}}]
        pod["tolerations"] = [
            {"key": "os", "operator": "Equal", "value": "windows", "effect": "NoSchedule"}
        ]
    else:
        container["args"] = ["netexec", "--http-port=80"]
        pod["tolerations"] = [
            {"key": f"node-role.kubernetes.io/{role}", "operator": "Exists", "effect": "NoSchedule"}
            for role in gate(CONTROL_PLANE_TAINTS, run.params.kubernetes_version)
        ]
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
