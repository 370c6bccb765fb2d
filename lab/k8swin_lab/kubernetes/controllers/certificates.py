"""Certificate requests of kubelets: approved where the requester may, and signed; all others wait for a person.

As kube-controller-manager's csrapproving and csrsigning controllers: a request for a node's client certificate is
approved when its requester may create `certificatesigningrequests/nodeclient`, or `selfnodeclient` for its own name.
"""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from k8swin_lab.kubernetes import rbac, timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import is_true
from k8swin_lab.kubernetes.users import User

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
USER_SIGNER = "kubernetes.io/kube-apiserver-client"
_GROUP = "certificates.k8s.io"


def reconcile(cluster: Cluster) -> None:
    """Approve what may be approved, and sign what is."""
    for request in cluster.objects("certificatesigningrequests"):
        status = request.get("status") or {}
        if status.get("certificate") or is_true(request, "Denied") or is_true(request, "Failed"):
            continue
        signer = request["spec"].get("signerName")
        if is_true(request, "Approved"):
            if signer in (CLIENT_SIGNER, USER_SIGNER):
                _sign(cluster, request)
        elif signer == CLIENT_SIGNER and (text := _approval(cluster, request)):
            _condition(cluster, request, "Approved", "AutoApproved", text)


def _content(request: Object) -> bytes:
    return base64.b64decode(request["spec"]["request"])


def _approval(cluster: Cluster, request: Object) -> str:
    """Why a request is approved without a person; empty when it is not."""
    try:
        subject = x509.load_pem_x509_csr(_content(request)).subject
    except ValueError:
        return ""
    names = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(p.value) for p in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if groups != ["system:nodes"] or not names or not names[0].startswith("system:node:"):
        return ""
    spec = request["spec"]
    asker = User(spec["username"], tuple(spec.get("groups") or ()))
    for sub, own, text in (
        ("selfnodeclient", True, "Auto approving self kubelet client certificate after SubjectAccessReview."),
        ("nodeclient", False, "Auto approving kubelet client certificate after SubjectAccessReview."),
    ):  # fmt: skip
        if own and asker.name != names[0]:
            continue
        asked = rbac.Attributes(
            "create", group=_GROUP, resource="certificatesigningrequests", subresource=sub
        )
        if rbac.allowed(cluster.store, asker, asked):
            return text
    return ""


def _condition(cluster: Cluster, request: Object, kind: str, reason: str, text: str) -> None:
    changed = copy.deepcopy(request)
    now = timestamps.rfc3339(cluster.clock())
    entry = {"type": kind, "status": "True", "reason": reason, "message": text,
             "lastUpdateTime": now, "lastTransitionTime": now}  # fmt: skip
    changed.setdefault("status", {}).setdefault("conditions", []).append(entry)
    cluster.control.update("certificatesigningrequests", changed, "approval")


def _sign(cluster: Cluster, request: Object) -> None:
    try:
        made = cluster.authority.sign_request(_content(request), (ExtendedKeyUsageOID.CLIENT_AUTH,))
    except ValueError as error:
        _condition(cluster, request, "Failed", "SignerValidationFailure", str(error))
        return
    changed = copy.deepcopy(request)
    changed["status"]["certificate"] = base64.b64encode(made).decode()
    cluster.control.update_status("certificatesigningrequests", changed)
