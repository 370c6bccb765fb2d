"""Opening a phase in a notebook: its parameters are found and checked, and the magics work on its hosts.

phase = open_phase("02_master")
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.description import Description, project_path
from k8swin_nb.errors import K8swinError
from k8swin_nb.notebook import cells, context, ending, given, kernel_door
from k8swin_nb.notebook.header import Header
from k8swin_nb.notebook.live_view import not_opened
from k8swin_nb.notebook.notebook_parameters import NotebookParameters, collect, require_target
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.notebook.session import renew_page, session_folder
from k8swin_nb.notebook.stream import is_interactive
from k8swin_nb.phases.catalogue import phase as find_phase


def open_phase(name: str, **parameters: Any) -> PhaseView:
    """Check this notebook's parameters and return the phase, ready to be shown and applied.

    Args:
        name: The notebook's name, such as `02_master`.
        parameters: Parameters by name, before those of the parameters cell; a notebook of one's own has none such:
            `open_phase("02_master", params_file="params/mine.yaml")`.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped, missing or contradictory.
    """
    shell = get_ipython()
    if shell is not None:
        # Also in a notebook that opens a phase without having loaded the extension.
        kernel_door.install(shell)
        ending.watch(shell)
        cells.watch(shell)
        given.watch(shell)
    executed = given.executed_in(shell) if shell else given.Executed([], {})
    try:
        mine, description, told = collect(executed, parameters)
        _tell_of_others(told)
        _tell_of_overruled(told)
        opened = open_view(name, mine, description)
    except K8swinError as error:
        not_opened(name, error, held=is_interactive())
        raise
    context.open_context(opened.cluster, dry_run=opened.run.dry_run)
    if opened.unsigned:
        print(opened.unsigned, file=sys.stderr)  # noqa: T201
    display(Header(opened))
    opened.live.show()
    return opened


def _tell_of_others(told: given.Given) -> None:
    """Say which variables look like parameters and are none."""
    if told.others:
        listed = ", ".join(f"`{name}` (cell [{cell}])" for name, cell in told.others.items())
        line = f"no parameters, because the parameters cell alone sets those: {listed}"
        print(line, file=sys.stderr)  # noqa: T201


def _tell_of_overruled(told: given.Given) -> None:
    """Say what is set in the notebook and has another value, because papermill gave it."""
    if told.overruled:
        listed = ", ".join(f"`{name}`" for name in sorted(told.overruled))
        line = f"set by papermill's cell `{given.INJECTED}`, which wins: {listed}; delete it there to set it here"
        print(line, file=sys.stderr)  # noqa: T201


def open_view(name: str, mine: NotebookParameters, description: Description) -> PhaseView:
    """Return a phase as a notebook has it, given what its parameters say; nothing is displayed.

    Raises:
        ParamsError: when the target is missing or of another kind.
    """
    phase = find_phase(name).variant(description.profile)
    wants_target = phase.target or (phase.narrows and mine.ip)
    target = require_target(mine, description, phase.target) if wants_target else ""
    runs = project_path(mine.runs)
    session = None if mine.run_id else session_folder(runs)
    run_id = session.name if session else mine.run_id
    # What is open in this kernel keeps its connections, and what runs there goes on.
    cluster = context.cluster_of(
        description, runs=runs, run_id=run_id, name=name, reason=mine.reason, sign=mine.sign
    )
    options = asdict(mine)
    preview = bool(phase.confirmed_by) and not options[phase.confirmed_by]
    run = cluster.phase_run(phase, target=target, dry_run=mine.dry_run or preview, options=options)
    opened = PhaseView(cluster, run)
    if session:
        opened.on_end = lambda: renew_page(session)
    return opened
