"""What the files of a pod's volumes hold: of ConfigMaps, Secrets, the pod itself, and the token of its account.

As pkg/volume of Kubernetes: nothing of a pod starts before what its volumes refer to is there. A kind of volume that the lab
has not is refused by name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.environment import MissingReference, pod_field
from k8swin_lab.kubernetes.errors import ApiError, Object

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.client import Client

Files = dict[str, bytes]
_OF_OBJECTS = {"configMap": ("configmaps", "name"), "secret": ("secrets", "secretName")}
_HELD = ("configMap", "secret", "projected", "downwardAPI", "emptyDir")


def refused(volume: Object) -> str:
    """Return the kind of a volume that the lab has not; empty for one that it has."""
    kinds = sorted(kind for kind in volume if kind != "name")
    return "" if not kinds or set(kinds) & set(_HELD) else kinds[0]


def missing(client: Client, pod: Object) -> str:
    """Return why a pod's volumes cannot be set up, in the kubelet's words; empty when they can.

    What is asked for are the objects alone: a token is asked for when it is written.
    """
    for volume in pod["spec"].get("volumes") or []:
        try:
            _files(client, pod, volume, lambda source: b"")
        except (MissingReference, ApiError) as error:
            return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
    return ""


def files_of(client: Client, pod: Object, volume: Object) -> Files:
    """Return the files of a volume by their path in it.

    Raises:
        MissingReference: what it refers to is not there.
        ApiError: the API server gives no token.
    """
    return _files(client, pod, volume, lambda source: _token(client, pod, source))


def _files(client: Client, pod: Object, volume: Object, token: Callable[[Object], bytes]) -> Files:
    found: Files = {}
    sources = [volume]
    if "projected" in volume:
        sources = volume["projected"].get("sources") or []
    for source in sources:
        for kind, (resource, key) in _OF_OBJECTS.items():
            if kind in source:
                name = source[kind].get(key) or source[kind].get("name", "")
                found |= _of_object(client, pod, resource, str(name), source[kind])
        if "downwardAPI" in source:
            for item in source["downwardAPI"].get("items") or []:
                if "fieldRef" in item:
                    text = pod_field(pod, item["fieldRef"]["fieldPath"])
                    found[str(item["path"])] = text.encode()
        if "serviceAccountToken" in source:
            found[str(source["serviceAccountToken"]["path"])] = token(source["serviceAccountToken"])
    return found


def _of_object(client: Client, pod: Object, resource: str, name: str, source: Object) -> Files:
    obj = client.cluster.object(resource, name, pod["metadata"].get("namespace", "default"))
    if obj is None:
        if source.get("optional"):
            return {}
        raise MissingReference(f'{resource[:-1]} "{name}" not found')
    held: Files = {
        key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()
    }
    for key, value in (obj.get("data") or {}).items():
        held[key] = base64.b64decode(value) if resource == "secrets" else str(value).encode()
    if not source.get("items"):
        return held
    chosen: Files = {}
    for item in source["items"]:
        if item["key"] in held:
            chosen[str(item["path"])] = held[item["key"]]
        elif not source.get("optional"):
            raise MissingReference("references non-existent config key: " + str(item["key"]))
    return chosen


def _token(client: Client, pod: Object, source: Object) -> bytes:
    metadata = pod["metadata"]
    bound = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": metadata["name"],
        "uid": metadata.get("uid"),
    }
    spec: Object = {
        "expirationSeconds": source.get("expirationSeconds", 3600),
        "audiences": [source["audience"]] if source.get("audience") else [],
        "boundObjectRef": bound,
    }
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    account = pod["spec"].get("serviceAccountName") or "default"
    namespace = metadata.get("namespace", "default")
    made = client.post("serviceaccounts", account, "token", body, namespace)
    return str(made["status"]["token"]).encode()
