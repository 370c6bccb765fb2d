"""Controllers: each is a function that brings the objects one step nearer to what is asked.

A controller reads the store, writes through the API as `system:kube-controller-manager`, and does
nothing when nothing is to do: the cluster runs them in this order until no version changes.
Nothing here knows a machine; that is the kubelet's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers import (
    certificates,
    daemonsets,
    deployments,
    disruptions,
    endpoints,
    garbage,
    jobs,
    namespaces,
    nodes,
    replicasets,
    scheduler,
    secrets,
    statefulsets,
)

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

CONTROLLERS: tuple[Callable[[Cluster], None], ...] = (
    namespaces.reconcile,
    secrets.reconcile,
    certificates.reconcile,
    nodes.reconcile,
    deployments.reconcile,
    replicasets.reconcile,
    statefulsets.reconcile,
    daemonsets.reconcile,
    jobs.reconcile,
    scheduler.reconcile,
    endpoints.reconcile,
    disruptions.reconcile,
    garbage.reconcile,
)
