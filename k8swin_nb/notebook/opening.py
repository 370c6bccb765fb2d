"""Opening a phase in a notebook: its parameters are found and checked, and the magics work on its hosts.

phase = open_phase("02_master")
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.api import Cluster
from k8swin_nb.description import Description, project_path
from k8swin_nb.notebook import context, ending, kernel_door
from k8swin_nb.notebook.header import Header
from k8swin_nb.notebook.notebook_parameters import NotebookParameters, collect, require_target
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.phases.catalogue import phase as find_phase


def open_phase(name: str) -> PhaseView:
    """Check this notebook's parameters and return the phase, ready to be shown and applied.

    Args:
        name: The notebook's name, such as `02_master`.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped, missing or contradictory.
    """
    shell = get_ipython()
    if shell is not None:
        # Also in a notebook that opens a phase without having loaded the extension.
        kernel_door.install(shell)
        ending.watch(shell)
    namespace: dict[str, Any] = dict(shell.user_ns) if shell else {}
    cells = [cell for cell in namespace.get("In", []) if cell]
    mine, description = collect(namespace, cells)
    opened = open_view(name, mine, description)
    context.open_context(opened.cluster)
    display(Header(opened))
    return opened


def open_view(name: str, mine: NotebookParameters, description: Description) -> PhaseView:
    """Return a phase as a notebook has it, given what its parameters say; nothing is displayed.

    Raises:
        ParamsError: when the target is missing or of another kind.
    """
    phase = find_phase(name).variant(description.profile)
    wants_target = phase.target or (phase.narrows and mine.ip)
    target = require_target(mine, description, phase.target) if wants_target else ""
    cluster = Cluster(description, runs=project_path(mine.runs), run_id=mine.run_id, name=name)
    run = cluster.phase_run(phase, target=target, dry_run=mine.dry_run, options=asdict(mine))
    return PhaseView(cluster, run)
