"""What runs on a machine and is not its state: programs, a shell, containers.

A machine is given it when it is made and calls it; it imports none of it. `linux.software` and
`windows.software` say what the lab's machines are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from k8swin_lab.kubernetes.node import Container
from k8swin_lab.machines.program import Process, Program
from k8swin_lab.machines.shell import Shell

if TYPE_CHECKING:
    from k8swin_lab.internet.pulling import Image
    from k8swin_lab.machines.linux import LinuxMachine
    from k8swin_lab.machines.windows import WindowsMachine


class VersionedProgram(Protocol):
    """A program that packages bring in several versions."""

    def __call__(self, process: Process, *, version: str) -> int: ...


@dataclass(frozen=True, slots=True)
class LinuxSoftware:
    """What a Linux machine runs."""

    programs: Mapping[str, Program]
    """Programs that every machine has, by name."""
    packaged: Mapping[str, VersionedProgram]
    """Programs that packages bring, by the name in the stand-in file."""
    open_shell: Callable[[LinuxMachine], Shell]
    start_container: Callable[
        [LinuxMachine, dict[str, Any], dict[str, Any], dict[str, str]], Container
    ]
    """Starts a container of a pod: pod and container as API objects, then the environment.

    Raises RuntimeError with the runtime's text.
    """


class StartedContainer(Container, Protocol):
    """A container that was made and can be started once."""

    def start(self) -> None:
        """Begin to run; raises RuntimeError with the runtime's text."""


class MakeContainer(Protocol):
    """Makes a container of a pod on a Windows machine."""

    def __call__(
        self,
        node: WindowsMachine,
        image: Image,
        pod: dict[str, Any],
        spec: dict[str, Any],
        environment: dict[str, str],
        *,
        default: list[str] | None = None,
    ) -> StartedContainer:
        """`default` is the command of the image, for a container whose spec names none."""


@dataclass(frozen=True, slots=True)
class WindowsSoftware:
    """What a Windows machine runs."""

    programs: Mapping[str, Program]
    """Every program that a file may stand for, by name without `.exe`."""
    system_programs: Sequence[str]
    """Those that have a file in System32 from the start."""
    make_container: MakeContainer
