"""Forms that are asked for without a phase: before the first notebook of a session there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython

from k8swin_nb.description import project_path
from k8swin_nb.notebook import kernel_door
from k8swin_nb.notebook.session import session_description
from k8swin_nb.notebook.stream import is_interactive
from k8swin_nb.phases.network.host_form import form


def host_form(params_file: str | Path | None = None) -> Any:
    """Return a form for the hosts of a description: add one, try it, pin its key, choose where its secret is kept.

    Args:
        params_file: The description's file; None: the session's, else `params/lab.yaml`.

    Returns:
        Widgets where a person looks on, and else a static table of the hosts.

    Raises:
        ParamsError: when the description cannot be read.
    """
    shell = get_ipython()
    if shell is not None:
        # What a host says of itself is shown in widgets, also in a notebook that has not loaded the extension.
        kernel_door.install(shell)
    path = project_path(str(params_file or session_description() or "params/lab.yaml"))
    return form(path, interactive=is_interactive())
