"""A Windows machine as the PowerShell interpreter sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_lab.machines import windows_policies
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_programs import BadExecutable
from k8swin_lab.machines.windows_setup import ENVIRONMENT
from k8swin_lab.powershell.api import CommandTable, Terminating
from k8swin_lab.windows import com_objects
from k8swin_lab.windows.cmdlet_table import command_table
from k8swin_lab.windows.drives import provider

if TYPE_CHECKING:
    from k8swin_lab.machines.windows_files import WindowsFiles
    from k8swin_lab.network import HttpHandler


class WindowsHost:
    """The `PowerShellHost` of a Windows machine; it holds no state of its own."""

    separator = "\\"
    edition = "Desktop"

    def __init__(self, machine: WindowsMachine, process_id: int | None = None) -> None:
        self.machine = machine
        self.process_id = process_id
        """Number of the session's own process, when it has one."""

    @property
    def commands(self) -> CommandTable:
        """The machine's cmdlets; HostNetworkingService comes with the features that need it."""
        features = self.machine.features
        if features.installed("Hyper-V-PowerShell"):
            return command_table(hns=True, hyper_v=True)
        present = features.installed("Containers") or features.installed("Hyper-V")
        return command_table(hns=True) if present else command_table()

    @property
    def files(self) -> WindowsFiles:
        return self.machine.files

    @property
    def version(self) -> str:
        return f"5.1.{self.machine.edition.build}.{self.machine.edition.ubr}"

    def find_program(self, name: str, path: str) -> str | None:
        """Resolve a native program by name along the PATH value, or a path; None when there is none."""
        return self.machine.find_program(name, path)

    def run_program(self, process: Process) -> int:
        """Run a native program; argv[0] is what `find_program` returned.

        Raises:
            Terminating: the file is no program.
        """
        try:
            return self.machine.run_program(process)
        except BadExecutable as error:
            raise Terminating(
                str(error),
                exception="System.Management.Automation.ApplicationFailedException",
                category="ResourceUnavailable",
                error_id="NativeCommandFailed",
            ) from error

    def now(self) -> float:
        """Seconds since the epoch, by the machine's clock."""
        return self.machine.now()

    def drive_provider(self, drive: str) -> Any:
        """Provider of HKLM:, HKCU: and WSMan:, or None."""
        return provider(self.machine, drive)

    def environment_get(self, name: str, target: str) -> str | None:
        """[Environment]::GetEnvironmentVariable(name, "Machine" | "User"): straight from the registry."""
        value = self.machine.registry.get(_environment_key(target), name)
        return None if value is None else self.machine.expand(str(value))

    def environment_list(self, target: str) -> dict[str, str]:
        """Every variable of a target."""
        key = self.machine.registry.key(_environment_key(target))
        if key is None:
            return {}
        return {v.name: self.machine.expand(str(v.content)) for v in list(key.values.values())}

    def environment_set(self, name: str, value: str | None, target: str) -> None:
        """[Environment]::SetEnvironmentVariable; an empty value removes the variable."""
        key = _environment_key(target)
        if not value:
            self.machine.registry.unset(key, name)
            return
        self.machine.registry.set(key, name, value, "REG_EXPAND_SZ" if "%" in value else "REG_SZ")

    def listen(self, port: int, handler: HttpHandler) -> Callable[[], None]:
        """Answer HTTP on a port of this machine; call what is returned to end that.

        Raises:
            OSError: Something listens there already.
        """
        with self.machine.lock:
            if port in self.machine.listening:
                raise OSError(f"port {port} is in use")
            self.machine.listening[port] = handler
        self.machine.changed()

        def close() -> None:
            with self.machine.lock:
                # In a copy of the lab a program that began anew may have the port by now.
                if self.machine.listening.get(port) is not handler:
                    return
                del self.machine.listening[port]
            self.machine.changed()

        return close

    def com_object(self, name: str, user: str, cancelled: threading.Event) -> Any:
        """New-Object -ComObject, for a session of a user.

        Raises:
            NotSimulated: The lab has no such class.
        """
        service = user.lower().startswith("nt authority")
        remote = not service and self.machine.processes.job_with(cancelled) != 0
        return com_objects.create(self.machine, name, remote=remote)

    def is_elevated(self, user: str) -> bool:
        """Whether a session of this user has an administrator's full token."""
        return not self.machine.filters_token(user)

    @property
    def language_mode(self) -> str:
        """Of new sessions."""
        return (
            "ConstrainedLanguage"
            if windows_policies.constrained(self.machine.registry)
            else "FullLanguage"
        )

    @property
    def execution_policy(self) -> str:
        """What the machine's group policy says; empty when it says nothing."""
        return windows_policies.execution_policy(self.machine.registry)

    @property
    def chosen_policy(self) -> str:
        """The execution policy that somebody chose on the machine; what a command line asks for outranks it."""
        return next(
            filter(None, windows_policies.chosen_policies(self.machine.registry).values()), ""
        )


def _environment_key(target: str) -> str:
    return ENVIRONMENT if target.lower() == "machine" else r"HKCU\Environment"
