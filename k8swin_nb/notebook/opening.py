"""Opening a phase in a notebook: parameters are checked, hosts are known, the record is begun.

phase = open_phase("02_master")
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.hosts import inventory_of
from k8swin_nb.notebook import context
from k8swin_nb.notebook.header import Header
from k8swin_nb.notebook.parameters import NotebookParams, collect, require_target
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.params import ClusterParams, project_path
from k8swin_nb.phases.catalogue import phase as find_phase
from k8swin_nb.phases.values import common_values
from k8swin_nb.plan import check_plan
from k8swin_nb.transports.pool import Pool
from k8swin_nb.versions import check_versions
from k8swin_nb.workflow.record import Record, new_run_id
from k8swin_nb.workflow.run import Run


def open_phase(name: str) -> PhaseView:
    """Check this notebook's parameters and return the phase, ready to be shown and applied.

    Args:
        name: The notebook's name, such as `02_master`.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped, missing or contradictory.
    """
    shell = get_ipython()
    namespace: dict[str, Any] = dict(shell.user_ns) if shell else {}
    cells = [cell for cell in namespace.get("In", []) if cell]
    mine, params = collect(namespace, cells)
    return open_with(name, mine, params)


def open_with(name: str, mine: NotebookParams, params: ClusterParams) -> PhaseView:
    """Open a phase with parameters that are given, for programs and tests."""
    phase = find_phase(name).variant(params.profile)
    check_versions(params.profile, params.kubernetes_version, params.containerd_version)
    plan = check_plan(params)
    target = require_target(mine, params, phase.target) if phase.target else ""
    inventory = inventory_of(params)
    record = Record(project_path(mine.runs), mine.run_id or new_run_id(), name)
    pool = Pool(on_pin=_recorder(record))
    context.open_context(inventory, pool, on_event=_magic_recorder(record))
    run = Run(
        params=params,
        plan=plan,
        inventory=inventory,
        connections=pool,
        record=record,
        values=common_values,
        target=target,
        dry_run=mine.dry_run,
        options=asdict(mine),
    )
    described = json.dumps(params.model_dump(), sort_keys=True)
    opened = record.opened(
        phase=name,
        cluster=params.cluster_name,
        parameters_sha256=hashlib.sha256(described.encode()).hexdigest(),
        dry_run=mine.dry_run,
        target=target,
        hosts=[
            {"name": h.name, "address": h.address, "os": h.os, "user": h.user}
            for h in inventory.hosts
        ],
    )
    display(Header(phase, run, opened))
    return PhaseView(phase, run)


def _magic_recorder(record: Record) -> Callable[[dict[str, Any]], None]:
    def ran(event: dict[str, Any]) -> None:
        record.write("magic", **{key: value for key, value in event.items() if key != "event"})

    return ran


def _recorder(record: Record) -> Callable[[str, str], None]:
    def pinned(host: str, fingerprint: str) -> None:
        record.write("host-key-pinned", host=host, fingerprint=fingerprint)

    return pinned
