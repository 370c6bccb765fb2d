"""The session at a desk that a kernel belongs to: all of its notebooks are one run, without being told.

`k8swin desk` makes the folder of a run with a copy of the notebooks and a file that says so. A kernel whose working
directory is in it belongs to that run, whatever program started it; so does one that the desk's own JupyterLab started
for a notebook elsewhere, which an environment variable tells.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from k8swin_nb.reading import file_text

SESSION_FILE = "desk.json"
"""In the folder of a run: it is worked on at a desk. It holds which description its notebooks name."""

SESSION_VARIABLE = "K8SWIN_RUN"
"""Environment variable of the desk's JupyterLab: the folder of its run."""

_OF_A_NOTEBOOK = "JPY_SESSION_NAME"
"""What a Jupyter server tells a notebook's kernel, and no terminal: papermill in one makes runs of its own."""


def session_folder(runs: Path) -> Path | None:
    """Return the folder of the run that this kernel's session is, or None.

    Args:
        runs: Where the records of the notebook's project are; a session of another project is not meant.
    """
    try:
        here = Path.cwd()
        candidates = [here, *here.parents]
        if os.environ.get(_OF_A_NOTEBOOK) and (told := os.environ.get(SESSION_VARIABLE)):
            candidates.append(Path(told))
        wanted = runs.resolve()
        for folder in candidates:
            if folder.parent.resolve() == wanted and (folder / SESSION_FILE).is_file():
                return folder
    except (OSError, RuntimeError):
        return None
    return None


def session_description() -> str | None:
    """Return the description that the notebooks of this kernel's session name, or None."""
    # Descriptions bring pydantic, which a notebook without a session does without.
    from k8swin_nb.description import project_path

    folder = session_folder(project_path("runs"))
    if folder is not None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads(file_text(folder / SESSION_FILE))["params"])
    return None


def renew_page(folder: Path) -> None:
    """Have the page of a run written by another process, beside what goes on here; what hinders it is told by `k8swin page`."""
    with contextlib.suppress(OSError):
        subprocess.Popen(
            [sys.executable, "-m", "k8swin_nb.headless.run_page", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
