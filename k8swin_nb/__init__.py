"""Notebooks that build an on-premises Kubernetes cluster with Windows workers, and keep a record of it.

`%load_ext k8swin_nb` registers the magics; nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%%remote_bash`, `%%remote_ps` and their completion."""
    from k8swin_nb.notebook import magics

    magics.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything back that loading added, and close all connections."""
    from k8swin_nb.notebook import magics

    magics.unload(shell)
