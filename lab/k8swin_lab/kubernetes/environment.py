"""The environment of a container: its own variables, field and key references, service variables."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.errors import Object

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.kubernetes.remote import RemoteCluster


class MissingReference(Exception):
    """A ConfigMap, Secret or key that a variable refers to does not exist."""


def environment(cluster: Cluster | RemoteCluster, pod: Object, container: Object) -> dict[str, str]:
    """Return the variables of a container as the kubelet sets them.

    Raises:
        MissingReference: a reference that is not optional leads nowhere.
        RuntimeError: a variable comes from what the lab has not.
    """
    namespace = pod["metadata"]["namespace"]
    found = _service_variables(cluster, namespace)
    for source in container.get("envFrom") or []:
        prefix = source.get("prefix", "")
        for kind, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if kind in source:
                values = _values(cluster, resource, source[kind], namespace)
                found |= {prefix + key: value for key, value in values.items()}
    for variable in container.get("env") or []:
        if "valueFrom" in variable:
            value = _reference(cluster, pod, variable["valueFrom"], namespace)
            if value is not None:
                found[variable["name"]] = value
        else:
            text = variable.get("value", "")
            found[variable["name"]] = re.sub(
                r"\$\(([^)]+)\)", lambda match: found.get(match[1], match[0]), text
            )
    return found


def _service_variables(cluster: Cluster | RemoteCluster, namespace: str) -> dict[str, str]:
    found: dict[str, str] = {}
    services = [*cluster.objects("services", namespace)]
    master = cluster.object("services", "kubernetes", "default")
    if namespace != "default" and master is not None:
        services.append(master)
    for service in services:
        address = service["spec"].get("clusterIP")
        ports = service["spec"].get("ports") or []
        if not address or address == "None" or not ports:
            continue
        prefix = service["metadata"]["name"].upper().replace("-", "_")
        found[f"{prefix}_SERVICE_HOST"] = address
        found[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                name = port["name"].upper().replace("-", "_")
                found[f"{prefix}_SERVICE_PORT_{name}"] = str(port["port"])
    return found


def _values(
    cluster: Cluster | RemoteCluster, resource: str, reference: Object, namespace: str
) -> dict[str, str]:
    obj = cluster.object(resource, reference["name"], namespace)
    if obj is None:
        if reference.get("optional"):
            return {}
        kind = "configmap" if resource == "configmaps" else "secret"
        raise MissingReference(f'{kind} "{reference["name"]}" not found')
    data = obj.get("data") or {}
    if resource == "secrets":
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
    return dict(data)


def _reference(
    cluster: Cluster | RemoteCluster, pod: Object, source: Object, namespace: str
) -> str | None:
    for kind, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if kind in source:
            reference = source[kind]
            values = _values(cluster, resource, reference, namespace)
            if reference["key"] not in values and not reference.get("optional"):
                raise MissingReference(
                    f"couldn't find key {reference['key']} in {resource[:-1]} "
                    f"{namespace}/{reference['name']}"
                )
            return values.get(reference["key"])
    if "fieldRef" in source:
        return pod_field(pod, source["fieldRef"]["fieldPath"])
    kind = next(iter(source), "valueFrom")
    raise RuntimeError(f"not simulated in the lab: a variable from {kind}")


def pod_field(pod: Object, path: str) -> str:
    """Return a field of a pod as its containers are shown it; labels and annotations as lines of KEY="VALUE"."""
    if path in ("metadata.labels", "metadata.annotations"):
        found = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={json.dumps(str(value))}" for key, value in sorted(found.items()))
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if keyed:
        return str((pod["metadata"].get(keyed[1]) or {}).get(keyed[2], ""))
    value: object = pod
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
