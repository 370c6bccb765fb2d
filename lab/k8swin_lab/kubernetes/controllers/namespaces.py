"""Namespaces: the objects each one gets, and the emptying of one that is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.resources import named, table

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def reconcile(cluster: Cluster) -> None:
    """Fill new namespaces and empty those that are going."""
    for namespace in cluster.objects("namespaces"):
        name = namespace["metadata"]["name"]
        if namespace["metadata"].get("deletionTimestamp"):
            _empty(cluster, name)
        else:
            _fill(cluster, name)


def _fill(cluster: Cluster, name: str) -> None:
    if cluster.object("serviceaccounts", "default", name) is None:
        account = {"metadata": {"name": "default", "namespace": name}}
        cluster.control.create("serviceaccounts", account)
    if cluster.minor >= 20 and cluster.object("configmaps", "kube-root-ca.crt", name) is None:
        text = (
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
            "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
            "guaranteed across distributions of Kubernetes clusters."
        )
        cluster.control.create(
            "configmaps",
            {
                "metadata": {
                    "name": "kube-root-ca.crt",
                    "namespace": name,
                    "annotations": {"kubernetes.io/description": text},
                },
                "data": {"ca.crt": cluster.authority.certificate_pem.decode()},
            },
        )


def _empty(cluster: Cluster, name: str) -> None:
    left = False
    for resource in table():
        if not resource.namespaced or "delete" not in resource.verbs:
            continue
        for obj in cluster.store.objects(resource, name):
            left = True
            if not obj["metadata"].get("deletionTimestamp"):
                cluster.control.delete(resource.plural, obj["metadata"]["name"], name)
    if not left and cluster.store.get(named("namespaces"), "", name) is not None:
        cluster.control.update("namespaces", _finished(cluster, name), "finalize")


def _finished(cluster: Cluster, name: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name},
        "spec": {"finalizers": []},
    }
