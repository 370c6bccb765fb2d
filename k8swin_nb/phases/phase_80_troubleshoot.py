"""Phase 80: collect evidence from every host, look it up in the table, and keep it. Changes no host."""

from __future__ import annotations

from k8swin_nb.phases.troubleshoot.bundle import (
    check_bundle,
    save_bundle,
)
from k8swin_nb.phases.troubleshoot.collecting import (
    SCRIPTS,
    SECONDS,
    check_diagnosis,
    check_evidence,
    other_host,
)
from k8swin_nb.phases.troubleshoot.views import VIEWS
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="80_troubleshoot",
    title="What is wrong is named, with its evidence and its fix",
    views=VIEWS,
    steps=(
        Step(
            name="evidence",
            title="Evidence is collected from every host",
            on="all",
            check=check_evidence,
            runs=tuple(SCRIPTS.values()),
            when=other_host,
            timeout=SECONDS,
        ),
        Step(
            name="diagnosis",
            title="The evidence is looked up in the table",
            on="control-plane",
            check=check_diagnosis,
        ),
        Step(
            name="bundle",
            title="The evidence is kept with the record of this run",
            on="control-plane",
            check=check_bundle,
            apply=save_bundle,
        ),
    ),
)
