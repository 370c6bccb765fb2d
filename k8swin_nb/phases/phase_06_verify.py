"""Phase 06: who reaches whom, from every kind of place in the cluster, and what a limitation of Windows is."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER
from k8swin_nb.phases.shared_steps import API_READY
from k8swin_nb.phases.verify.trying import (
    check_probe_pods,
    connect_all,
    judge_all,
    look_around,
    not_wanted,
    probe_pods,
    verify_values,
)
from k8swin_nb.phases.verify.views import VIEWS
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="06_verify",
    title="Everything that has to reach each other does",
    views=VIEWS,
    parts={
        "There is something to connect to and from": ("api-ready", "surroundings", "probe-pods"),
        "Every connection has been tried": ("load-balancing", "connections"),
        "The connections hold": ("probe-pods-removed", "connections-hold"),
    },
    steps=(
        API_READY,
        Step(
            name="surroundings",
            title="There is something to connect to and from",
            on=MASTER,
            check=look_around,
            made_by="05_test_app",
            runs=("linux/verify_facts.check.sh",),
        ),
        Step(
            name="probe-pods",
            title="Every node has a pod to connect from",
            on=MASTER,
            check=check_probe_pods,
            apply="linux/probe_pods.apply.sh",
            reads=probe_pods,
            when=not_wanted,
            wait=300,
            timeout=2000,
        ),
        Step(
            name="load-balancing",
            title="Twenty connections reach every endpoint of the Service",
            on=MASTER,
            check="linux/test_app_requests.check.sh",
            values=verify_values,
            wait=60,
        ),
        Step(
            name="connections",
            title="Every connection has been tried",
            on=MASTER,
            check=connect_all,
            proves=("probe-pods",),
            runs=(
                "linux/connect_host.check.sh",
                "linux/connect_pod.check.sh",
                "windows/connect_host.check.ps1",
            ),
        ),
        Step(
            name="probe-pods-removed",
            title="No pod of this notebook is left",
            on=MASTER,
            check="linux/probe_pods.check.sh",
            follows={"probe-pods": "pods of this notebook: made before -> none"},
            apply="linux/probe_pods_removed.apply.sh",
        ),
        Step(
            name="connections-hold",
            title="The connections hold",
            on=MASTER,
            check=judge_all,
            proves=("probe-pods",),
        ),
    ),
)
