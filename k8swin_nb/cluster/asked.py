"""The tables of a cluster as methods, for whoever has one: `nodes()`, `pods()`, ..., and waiting for what they show.

Importing this loads no pandas; the first table does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_nb.cluster.kube_table import KubeTable
    from k8swin_nb.cluster.kubectl_tables import ClusterTables
    from k8swin_nb.cluster.waiting import Condition


class AsksTables:
    """What asks one cluster's API server for tables.

    Every table is a pandas DataFrame with the same columns and types whatever the cluster holds, see docs/api.md.
    `labels` and `fields` are selectors of Kubernetes and are sent to the server. Each method raises `ClusterError` when
    there is no cluster yet, the API server refuses or does not answer within a minute, or its answer is no list; and
    `Stopped` when `cancel` was set. `wide=False` leaves out what matters less.
    """

    def _cluster_tables(self, cancel: threading.Event | None = None) -> ClusterTables:
        raise NotImplementedError

    def nodes(
        self,
        *,
        labels: str = "",
        fields: str = "",
        name: str = "",
        os: str = "",
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return the nodes, a row each.

        Args:
            labels: A label selector, such as `kubernetes.io/os=windows`.
            fields: A field selector, such as `spec.unschedulable=true`.
            name: One node.
            os: `linux` or `windows`.
            wide: With all columns.
            cancel: When it is set, asking is stopped.
        """
        return self._asked("nodes", wide, cancel, labels=labels, fields=fields, name=name, os=os)

    def pods(
        self,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        node: str = "",
        name: str = "",
        os: str = "",
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return pods, a row each.

        Args:
            namespace: One namespace; empty for all.
            labels: A label selector, such as `app=web`.
            fields: A field selector, such as `status.phase!=Running`.
            node: The node on which they run.
            name: One pod.
            os: `linux` or `windows`: of the node, or of what the pod asks for.
            wide: With all columns.
            cancel: When it is set, asking is stopped.
        """
        return self._asked(
            "pods", wide, cancel,
            namespace=namespace, labels=labels, fields=fields, node=node, name=name, os=os,
        )  # fmt: skip

    def services(
        self,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        name: str = "",
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return services, a row each; arguments as `pods`."""
        return self._asked(
            "services", wide, cancel, namespace=namespace, labels=labels, fields=fields, name=name
        )

    def events(
        self,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return events, the latest last; arguments as `pods`, with fields such as `type=Warning`."""
        return self._asked(
            "events", wide, cancel, namespace=namespace, labels=labels, fields=fields
        )

    def workloads(
        self,
        namespace: str = "",
        *,
        labels: str = "",
        name: str = "",
        os: str = "",
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return Deployments, StatefulSets, DaemonSets and Jobs, a row each; arguments as `pods`.

        Kinds that the login may not list, or that the cluster does not have, are left out, and the caption says so.
        """
        return self._asked(
            "workloads", wide, cancel, namespace=namespace, labels=labels, name=name, os=os
        )

    def wait_for(
        self,
        table: str,
        until: str | Condition = "ready",
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        node: str = "",
        name: str = "",
        os: str = "",
        count: int = 1,
        timeout: float = 300.0,
        progress: Callable[[str], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Wait by a watch until a condition is true of all rows of a table, and return them.

        Args:
            table: `nodes`, `pods`, `services`, `events` or `workloads`.
            until: `ready`, `there`, `gone`; of pods `running` and `completed`, of workloads `complete`, too. Or a function
                of a row, a mapping such as `{"NAME": "web-1", "RESTARTS": 0, ...}` in which what is missing is None.
            namespace: As the other arguments which rows are looked at, as `pods` takes it.
            labels: See there.
            fields: See there.
            node: See there.
            name: See there.
            os: See there.
            count: How many rows there must be at least; not asked for `gone`.
            timeout: Seconds.
            progress: Told in words what is not yet true, whenever that changes; `print` will do.
            cancel: When it is set, waiting is stopped.

        Raises:
            WaitTimeout: a ClusterError that says what is not yet true; its `left` is a table of it.
            ClusterError: when the API server refuses, or there is no such table or condition.
        """
        from k8swin_nb.cluster.kubectl_tables import Wanted
        from k8swin_nb.cluster.waiting import known_table, wait_for

        known_table(table)
        wanted = Wanted(
            namespace=namespace, labels=labels, fields=fields, node=node, name=name, os=os
        )
        return wait_for(
            self._cluster_tables(cancel), table, until, wanted,
            count=count, timeout=timeout, progress=progress, cancel=cancel,
        )  # fmt: skip

    def _asked(
        self, table: str, wide: bool, cancel: threading.Event | None, **wanted: str
    ) -> KubeTable:
        from k8swin_nb.cluster.kubectl_tables import Wanted

        return self._cluster_tables(cancel).table(table, Wanted(**wanted), wide=wide, cancel=cancel)
