"""Secrets that controllers fill or remove: service-account tokens, bootstrap tokens, JWS."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps, tokens
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.naming import suffix

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 (a type's name)


def reconcile(cluster: Cluster) -> None:
    """Fill token Secrets, remove expired bootstrap tokens, sign the cluster-info."""
    if cluster.minor < 24:
        _give_tokens(cluster)
    for secret in cluster.objects("secrets"):
        if secret["type"] == _ACCOUNT_TOKEN:
            _fill(cluster, secret)
        elif secret["type"] == tokens.BOOTSTRAP_TYPE:
            _expire(cluster, secret)
    _sign_cluster_info(cluster)


def _give_tokens(cluster: Cluster) -> None:
    """Make a token Secret for each account that has none, as the token controller did until 1.23."""
    for account in cluster.objects("serviceaccounts"):
        metadata = account["metadata"]
        if account.get("secrets") or metadata.get("deletionTimestamp"):
            continue
        name = f"{metadata['name']}-token-{suffix()}"
        cluster.control.create(
            "secrets",
            {
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "annotations": {
                        "kubernetes.io/service-account.name": metadata["name"],
                        "kubernetes.io/service-account.uid": metadata["uid"],
                    },
                },
                "type": _ACCOUNT_TOKEN,
            },
        )
        change: Object = {"secrets": [{"name": name}]}
        cluster.control.patch("serviceaccounts", metadata["name"], change, metadata["namespace"])


def _fill(cluster: Cluster, secret: Object) -> None:
    metadata = secret["metadata"]
    annotations = metadata.get("annotations") or {}
    owner = annotations.get("kubernetes.io/service-account.name", "")
    account = cluster.object("serviceaccounts", owner, metadata["namespace"])
    if account is None:
        # The real token controller removes a token whose account does not exist.
        cluster.control.delete("secrets", metadata["name"], metadata["namespace"])
        return
    if (secret.get("data") or {}).get("token"):
        return
    values = {
        "token": cluster.signer.legacy_token(secret, account).encode(),
        "ca.crt": cluster.authority.certificate_pem,
        "namespace": metadata["namespace"].encode(),
    }
    cluster.control.patch(
        "secrets",
        metadata["name"],
        {
            "metadata": {
                "annotations": {"kubernetes.io/service-account.uid": account["metadata"]["uid"]}
            },
            "data": {key: base64.b64encode(value).decode() for key, value in values.items()},
        },
        metadata["namespace"],
    )


def _expire(cluster: Cluster, secret: Object) -> None:
    values = tokens.secret_values(secret)
    now = cluster.clock()
    if tokens.token_expired(values, now):
        metadata = secret["metadata"]
        cluster.control.delete("secrets", metadata["name"], metadata["namespace"])
    elif values.get("expiration"):
        cluster.wake_in(max(0.0, timestamps.parse(values["expiration"]) - now) + 0.1)


def _sign_cluster_info(cluster: Cluster) -> None:
    info = cluster.object("configmaps", "cluster-info", "kube-public")
    if info is None or "kubeconfig" not in (info.get("data") or {}):
        return
    wanted = {"kubeconfig": info["data"]["kubeconfig"]}
    for secret in cluster.objects("secrets", "kube-system"):
        if secret["type"] != tokens.BOOTSTRAP_TYPE:
            continue
        values = tokens.secret_values(secret)
        if values.get("usage-bootstrap-signing") != "true":
            continue
        if tokens.token_expired(values, cluster.clock()):
            continue
        token_id = values.get("token-id", "")
        wanted[f"jws-kubeconfig-{token_id}"] = tokens.detached_signature(
            wanted["kubeconfig"], token_id, values.get("token-secret", "")
        )
    if wanted != info["data"]:
        gone: dict[str, None] = {key: None for key in info["data"] if key not in wanted}
        change: Object = {"data": {**wanted, **gone}}
        cluster.control.patch("configmaps", "cluster-info", change, "kube-public")
