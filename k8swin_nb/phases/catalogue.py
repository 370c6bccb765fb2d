"""All phases, in order. The runner knows none of them by name; notebooks open one by its name."""

from __future__ import annotations

import difflib

from k8swin_nb.errors import InventoryError
from k8swin_nb.phases import phase_01_network as network
from k8swin_nb.phases import phase_02_master as master
from k8swin_nb.phases import phase_03_flannel as flannel
from k8swin_nb.phases import phase_04_join_linux as join_linux
from k8swin_nb.phases import phase_04_join_windows as join_windows
from k8swin_nb.phases import phase_05_test_app as test_app
from k8swin_nb.phases import phase_06_verify as verify
from k8swin_nb.phases import phase_07_dashboard as dashboard
from k8swin_nb.phases import phase_80_troubleshoot as troubleshoot
from k8swin_nb.phases import phase_90_teardown as teardown
from k8swin_nb.workflow.phase import Phase

PHASES: tuple[Phase, ...] = (
    network.PHASE,
    master.PHASE,
    flannel.PHASE,
    join_linux.PHASE,
    join_windows.PHASE,
    test_app.PHASE,
    verify.PHASE,
    dashboard.PHASE,
    troubleshoot.PHASE,
    teardown.PHASE,
)


def phase(name: str) -> Phase:
    """Return a phase by name.

    Raises:
        InventoryError: with the nearest name.
    """
    for candidate in PHASES:
        if candidate.name == name:
            return candidate
    names = [candidate.name for candidate in PHASES]
    close = difflib.get_close_matches(name, names, n=1)
    raise InventoryError(
        f"there is no phase `{name}`",
        hint=f"did you mean `{close[0]}`?" if close else f"phases: {', '.join(names)}",
    )
