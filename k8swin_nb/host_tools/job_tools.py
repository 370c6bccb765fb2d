"""`JobTools`: reboots, and scripts that outlive the connection, as methods of an open cluster."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8swin_nb.host_tools.asking import Machines
from k8swin_nb.shells import PLAIN

if TYPE_CHECKING:
    from k8swin_nb.fan_out import Answers
    from k8swin_nb.host_tools.detached import DetachedJob
    from k8swin_nb.inventory import Host
    from k8swin_nb.result import Result
    from k8swin_nb.scripts import Script
    from k8swin_nb.shells import Surroundings
    from k8swin_nb.workflow.phase_run import Output
    from k8swin_nb.workflow.report import Report
    from k8swin_nb.workflow.runner import Watch
    from k8swin_nb.workflow.stopping import Stop


class JobTools:
    """Methods of `Machines`, and so of `api.Cluster`; `on` is a selection as `Cluster.hosts` takes it, or hosts."""

    def reboot(
        self: Machines,
        on: str | tuple[Host, ...],
        *,
        control_plane: bool = False,
        together: bool = False,
        seconds: float = 1800.0,
        dry_run: bool = False,
        cancel: Stop | None = None,
        progress: Watch | None = None,
    ) -> Report:
        """Reboot hosts one after the other, and wait until each has booted anew and lets this login in.

        What proves it is another boot, never an answer of the one that is about to end. A host's lock is taken first.

        Args:
            on: Which hosts.
            control_plane: The cluster's only control plane may be among them.
            together: All at once.
            seconds: What a host is given to come back, with the updates that it installs.
            dry_run: Say what would be rebooted.
            cancel: When it is set, no further one is asked, and none is waited for.
            progress: Told when a host begins and how it ended, as `StepProgress`.

        Raises:
            InventoryError: when the only control plane is meant and that was not said.
            HostLocked: when another operator works there.
            StepFailed: when a host refuses, or does not come back in time.
            Interrupted: a KeyboardInterrupt.
        """
        from k8swin_nb.host_tools.rebooting import reboot

        return reboot(
            self,
            on,
            control_plane=control_plane,
            together=together,
            seconds=seconds,
            dry_run=dry_run,
            cancel=cancel,
            progress=progress,
        )

    def detach(
        self: Machines,
        script: str | Script,
        on: str | tuple[Host, ...] = "all",
        *,
        parameters: Mapping[str, str] | None = None,
        around: Surroundings | None = None,
        timeout: float | None = None,
        sudo: bool = False,
        cancel: threading.Event | None = None,
    ) -> tuple[str, Answers[str]]:
        """Start a script that outlives this process and its connections.

        Args:
            script: Text, which is bash on Linux and PowerShell on Windows hosts, or a `Script`.
            on: Which hosts.
            parameters: Values by name; the host keeps them, for this account alone, until the script has begun.
            around: What the script finds around it and does not declare: variables, arguments, strictness.
            timeout: Seconds that it may take (Linux only); None: no limit.
            sudo: As root (Linux only).
            cancel: When it is set, none begins any more; what was started runs on.

        Returns:
            The word that names it on all its hosts, and by host its folder there, or why it was not started.

        Raises:
            ParamsError: when an option is not for a host's system.
        """
        from k8swin_nb.host_tools.detached import start

        return start(
            self,
            script,
            on,
            parameters=parameters,
            around=around or PLAIN,
            timeout=timeout,
            sudo=sudo,
            cancel=cancel,
        )

    def detached(
        self: Machines,
        on: str | tuple[Host, ...] = "all",
        *,
        job: str = "",
        seconds: float = 20.0,
        cancel: threading.Event | None = None,
    ) -> Answers[list[DetachedJob]]:
        """Ask hosts which detached scripts they have, whoever started them with this login, and from where.

        Args:
            on: Which hosts.
            job: The word of one alone; empty: all.
            seconds: After that a host is an error.
            cancel: When it is set, asking is stopped.
        """
        from k8swin_nb.host_tools.detached import listed

        return listed(self, on, job=job, seconds=seconds, cancel=cancel)

    def follow(
        self: Machines,
        jobs: list[DetachedJob],
        *,
        wait: bool = True,
        on_output: Output | None = None,
        cancel: threading.Event | None = None,
    ) -> Answers[Result]:
        """Return what detached scripts printed and how they ended; they run on whatever becomes of this call.

        Args:
            jobs: Of `detached`, one a host.
            wait: Until they have ended; else what there is so far, with exit code -1 of one that runs.
            on_output: Told host, stream and masked text as it comes.
            cancel: When it is set, they are no longer followed.
        """
        from k8swin_nb.host_tools.following import follow

        return follow(self, jobs, wait=wait, on_output=on_output, cancel=cancel)

    def end_detached(self: Machines, jobs: list[DetachedJob]) -> Answers[str]:
        """End detached scripts with all that they started, and return how that went; what they printed is kept."""
        from k8swin_nb.host_tools.detached import kill

        return kill(self, jobs)

    def remove_detached(self: Machines, jobs: list[DetachedJob]) -> Answers[list[str]]:
        """Remove from hosts what is kept of detached scripts that run no more, and return which."""
        from k8swin_nb.host_tools.detached import clean

        return clean(self, jobs)
