"""The Kubernetes programs of a Windows worker: containerd, kubelet, kubeadm, flanneld, kube-proxy and their tools.

They read files of the machine's disk and talk to the API server over the machine's network. What pods do
and how the control plane answers lives in `kubernetes`.
"""

from __future__ import annotations

from k8swin_lab.machines.program import Program
from k8swin_lab.windows.kubernetes.containerd import containerd, crictl, ctr
from k8swin_lab.windows.kubernetes.flanneld import flanneld
from k8swin_lab.windows.kubernetes.host_local import host_local
from k8swin_lab.windows.kubernetes.kube_proxy import kube_proxy
from k8swin_lab.windows.kubernetes.kubeadm import kubeadm
from k8swin_lab.windows.kubernetes.kubectl import kubectl
from k8swin_lab.windows.kubernetes.kubelet import kubelet

PROGRAMS: dict[str, Program] = {
    "containerd": containerd,
    "crictl": crictl,
    "ctr": ctr,
    "flanneld": flanneld,
    "host-local": host_local,
    "kube-proxy": kube_proxy,
    "kubeadm": kubeadm,
    "kubectl": kubectl,
    "kubelet": kubelet,
}
"""By name without `.exe`."""
