"""The connectivity matrix as a table, as a picture and as a list; pandas is loaded when one is asked for."""

from __future__ import annotations

from typing import Any

from k8swin_nb.phases.verify.trying import matrix_records
from k8swin_nb.workflow.phase_run import PhaseRun


def matrix(run: PhaseRun) -> Any:
    """Return who reaches whom, as a DataFrame: rows begin, columns are where they lead."""
    from k8swin_nb.phases.verify.matrix import matrix_table

    return matrix_table(matrix_records(run))


def matrix_picture(run: PhaseRun) -> Any:
    """Return the same as a picture."""
    from k8swin_nb.phases.verify.matrix import MatrixPicture

    return MatrixPicture(matrix_records(run))


def connections(run: PhaseRun) -> Any:
    """Return the same as a list: from, to, state, evidence, reason, command; what was skipped comes last."""
    from k8swin_nb.phases.verify.matrix import connections_table

    return connections_table(matrix_records(run))


VIEWS = {"matrix": matrix, "matrix_picture": matrix_picture, "connections": connections}
