"""Phase 05: a web server in pods on the workers, requests that show who answers, and scaling."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER
from k8swin_nb.phases.pods.test_app import (
    app_values,
    check_nodes,
    manifest,
)
from k8swin_nb.phases.shared_steps import API_READY
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="05_test_app",
    title="Pods on the workers answer web requests",
    parts={
        "The test app is deployed": ("api-ready", "nodes-ready", "test-app", "test-app-ready"),
        "The test app answers and scales": ("requests", "scale"),
    },
    steps=(
        API_READY,
        Step(
            name="nodes-ready",
            title="There are nodes for the test app",
            on=MASTER,
            check=check_nodes,
            made_by="04_join_windows",
            runs=("linux/nodes_ready.check.sh",),
        ),
        Step(
            name="test-app",
            title="The test app is deployed",
            on=MASTER,
            check="linux/test_app.check.sh",
            apply="linux/test_app.apply.sh",
            reads=manifest,
            # The controllers write into the objects for a moment after they were applied.
            wait=30,
            runs=("container/webserver.ps1", "windows/facts.check.ps1"),
        ),
        Step(
            name="test-app-ready",
            title="Both pods are available",
            on=MASTER,
            check="linux/test_app_ready.check.sh",
            proves=("test-app",),
            values=app_values,
            # The first pull of a server image is several GiB.
            wait=1800,
        ),
        Step(
            name="requests",
            title="Twenty web requests are answered by every pod",
            on=MASTER,
            check="linux/test_app_requests.check.sh",
            proves=("test-app",),
            values=app_values,
            wait=60,
        ),
        Step(
            name="scale",
            title="The test app scales from two pods to three and back",
            on=MASTER,
            check="linux/test_app_scale.check.sh",
            apply="linux/test_app_scale.apply.sh",
            values=app_values,
            timeout=2400,
        ),
    ),
)
