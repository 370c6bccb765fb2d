"""Phase 07, optional: the Kubernetes Dashboard, to look and not to touch, with a token for an hour.

The project was archived in January 2026 and names Headlamp as its successor. Releases from 3 on are installed
with Helm alone; the ones used here are the last before that, each for the Kubernetes that it was made for.
"""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER
from k8swin_nb.phases.pods.dashboard import (
    check_token,
    check_version,
    keep_address,
    not_wanted,
    write_token,
)
from k8swin_nb.phases.pods.dashboard_manifest import manifest
from k8swin_nb.phases.pods.views import dashboard
from k8swin_nb.phases.shared_steps import API_READY
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="07_dashboard",
    title="The cluster can be looked at in a browser",
    views={"dashboard": dashboard},
    steps=(
        API_READY,
        Step(
            name="dashboard-version",
            title="There is a Dashboard for this Kubernetes",
            on=MASTER,
            check=check_version,
            when=not_wanted,
        ),
        Step(
            name="dashboard",
            title="The Dashboard is deployed",
            on=MASTER,
            check="linux/dashboard.check.sh",
            apply="linux/dashboard.apply.sh",
            reads=manifest,
            # The controllers write into the objects for a moment after they were applied.
            wait=30,
            when=not_wanted,
        ),
        Step(
            name="dashboard-ready",
            title="The Dashboard answers",
            on=MASTER,
            check=keep_address,
            proves=("dashboard",),
            runs=("linux/dashboard_ready.check.sh",),
            when=not_wanted,
            wait=600,
        ),
        Step(
            name="dashboard-token",
            title="A token for an hour is in a file of yours",
            on=MASTER,
            check=check_token,
            apply=write_token,
            runs=("linux/dashboard_account.check.sh", "linux/dashboard_token.apply.sh"),
            when=not_wanted,
        ),
    ),
)
