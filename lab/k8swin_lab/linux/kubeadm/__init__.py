"""kubeadm: makes a control plane of a machine, joins machines to one, and takes both back.

What lives here: its commands, its configuration files, its checks, the files it writes. What may
not: the objects in the cluster, which are `kubernetes/bootstrap.py`'s.
"""

from __future__ import annotations

from k8swin_lab.linux.kubeadm.command import kubeadm

__all__ = ["kubeadm"]
