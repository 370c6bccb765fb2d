"""Certificate signing requests: approval of kubelets' own, and signing of what is approved."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from k8swin_lab.kubernetes import rbac, timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.users import User

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_GROUP = "certificates.k8s.io"
_CLIENT = "kubernetes.io/kube-apiserver-client"
_KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
_KUBELET_SERVING = "kubernetes.io/kubelet-serving"
_YEAR = 365 * 24 * 3600


def reconcile(cluster: Cluster) -> None:
    """Approve what the bindings let a kubelet approve for itself; sign what is approved."""
    for request in cluster.objects("certificatesigningrequests"):
        status = request.get("status") or {}
        kinds = {condition["type"] for condition in status.get("conditions") or []}
        if not kinds:
            _approve(cluster, request)
        elif "Approved" in kinds and "Denied" not in kinds and not status.get("certificate"):
            _sign(cluster, request)


def _load(request: Object) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"]))


def _approve(cluster: Cluster, request: Object) -> None:
    spec = request["spec"]
    if spec["signerName"] != _KUBELET_CLIENT:
        return
    subject = _load(request).subject
    names = [part.value for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [part.value for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if groups != ["system:nodes"] or not str(names[0]).startswith("system:node:"):
        return
    user = User(spec["username"], tuple(spec.get("groups") or ()))
    for subresource, text in (
        (
            "selfnodeclient",
            "Auto approving self kubelet client certificate after SubjectAccessReview.",
        ),
        ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."),
    ):
        if subresource == "selfnodeclient" and user.name != names[0]:
            continue
        asked = rbac.Attributes("create", _GROUP, "certificatesigningrequests", subresource)
        if rbac.allowed(cluster.store, user, asked):
            changed = copy.deepcopy(request)
            now = timestamps.rfc3339(cluster.clock())
            changed.setdefault("status", {})["conditions"] = [
                {
                    "type": "Approved",
                    "status": "True",
                    "reason": "AutoApproved",
                    "message": text,
                    "lastUpdateTime": now,
                    "lastTransitionTime": now,
                }
            ]
            cluster.control.update("certificatesigningrequests", changed, "approval")
            return


def _sign(cluster: Cluster, request: Object) -> None:
    spec = request["spec"]
    if spec["signerName"] not in (_CLIENT, _KUBELET_CLIENT, _KUBELET_SERVING):
        return
    seconds = min(int(spec.get("expirationSeconds") or _YEAR), _YEAR)
    certificate = cluster.authority.sign_request(
        _load(request), server=spec["signerName"] == _KUBELET_SERVING, seconds=seconds
    )
    changed = copy.deepcopy(request)
    changed["status"]["certificate"] = base64.b64encode(certificate).decode()
    cluster.control.update_status("certificatesigningrequests", changed)
