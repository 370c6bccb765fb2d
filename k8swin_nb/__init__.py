"""Notebooks that build an on-premises Kubernetes cluster with Windows workers, and keep a record of it.

`%load_ext k8swin_nb` registers the magics. Programs use the names in `__all__`; docs/api.md explains them. Nothing
heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.api import Cluster, open_cluster
    from k8swin_nb.description import Description, open_description
    from k8swin_nb.description_edit import Change, change_description, change_host
    from k8swin_nb.errors import (
        AuthenticationFailed,
        CertificateRejected,
        CheckFailed,
        ClusterError,
        CommandFailed,
        CommandTimeout,
        DriftFound,
        EndUnknown,
        HostKeyMismatch,
        HostKeyRevoked,
        HostKeyUnknown,
        HostLocked,
        HostUnreachable,
        Interrupted,
        InventoryError,
        K8swinError,
        LeftOut,
        MultiHostError,
        NotKnownYet,
        ParamsError,
        RecordError,
        ScriptError,
        ScriptNotStarted,
        StepFailed,
        Stopped,
        TransferFailed,
        TransportError,
        TransportTimeout,
        UnexpectedError,
        VerifyFailed,
        WaitTimeout,
    )
    from k8swin_nb.fan_out import Answers
    from k8swin_nb.host_description import HostDescription
    from k8swin_nb.inventory import Host, Inventory
    from k8swin_nb.notebook.forms import host_form
    from k8swin_nb.notebook.k8swin_magic import use
    from k8swin_nb.notebook.opening import open_phase
    from k8swin_nb.opened import OpenPhase
    from k8swin_nb.result import Result
    from k8swin_nb.rollout import Rollout, Share
    from k8swin_nb.scripts import Script
    from k8swin_nb.secret import Secret, SecretRef
    from k8swin_nb.shells import Surroundings
    from k8swin_nb.workflow.report import Report, Row
    from k8swin_nb.workflow.runner import StepProgress
    from k8swin_nb.workflow.step import Outcome

__version__ = "0.1.0"

_WHERE = {
    "api": ("Cluster", "open_cluster"),
    "description": ("Description", "open_description"),
    "host_description": ("HostDescription",),
    "description_edit": ("Change", "change_description", "change_host"),
    "errors": (
        "AuthenticationFailed", "CertificateRejected", "CheckFailed", "ClusterError", "CommandFailed",
        "CommandTimeout", "DriftFound", "EndUnknown", "HostKeyMismatch", "HostKeyRevoked", "HostKeyUnknown",
        "HostLocked", "HostUnreachable", "Interrupted", "InventoryError", "K8swinError", "LeftOut", "MultiHostError",
        "NotKnownYet", "ParamsError", "RecordError", "ScriptError", "ScriptNotStarted",
        "StepFailed", "Stopped", "TransferFailed", "TransportError", "TransportTimeout",
        "UnexpectedError", "VerifyFailed", "WaitTimeout",
    ),
    "fan_out": ("Answers",),
    "inventory": ("Host", "Inventory"),
    "notebook.k8swin_magic": ("use",),
    "notebook.forms": ("host_form",),
    "notebook.opening": ("open_phase",),
    "opened": ("OpenPhase",),
    "result": ("Result",),
    "rollout": ("Rollout", "Share"),
    "scripts": ("Script",),
    "shells": ("Surroundings",),
    "secret": ("Secret", "SecretRef"),
    "workflow.report": ("Report", "Row"),
    "workflow.runner": ("StepProgress",),
    "workflow.step": ("Outcome",),
}  # fmt: skip
"""By module, the names that it lends to the package; each module is imported when one of them is asked for."""

_MODULE = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "__version__",
    "load_ipython_extension",
    "unload_ipython_extension",
    *sorted(_MODULE),
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"{__name__}.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics and their completion."""
    from k8swin_nb.notebook import magics

    magics.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything back that loading added, and close all connections."""
    from k8swin_nb.notebook import magics

    magics.unload(shell)
