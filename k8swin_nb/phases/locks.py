"""The lock files of a description, looked at before a step needs them."""

from __future__ import annotations

from k8swin_nb.description import Description
from k8swin_nb.phases.linux.artifacts import linux_artifacts
from k8swin_nb.phases.windows.artifacts import worker_artifacts


def check_locks(description: Description) -> None:
    """Read every lock that the hosts of a description will be given downloads from.

    Raises:
        ParamsError: when one is not there, not valid, incomplete or for other versions.
    """
    linux_artifacts(description)
    if any(host.os == "windows" and host.role == "worker" for host in description.hosts):
        worker_artifacts(description)
