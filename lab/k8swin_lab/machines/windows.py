"""A simulated Windows Server: state, boot and programs, without a socket."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from k8swin_lab.lasting import Later
from k8swin_lab.machines import (
    windows_environment,
    windows_policies,
    windows_programs,
    windows_setup,
)
from k8swin_lab.machines.base import Machine, RemoteShell
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.registry import Registry
from k8swin_lab.machines.virtual_machines import VirtualMachine
from k8swin_lab.machines.windows_command_line import split_command_line
from k8swin_lab.machines.windows_containers import WindowsContainers
from k8swin_lab.machines.windows_docker import WindowsDocker
from k8swin_lab.machines.windows_environment import Environment, expand
from k8swin_lab.machines.windows_events import Event
from k8swin_lab.machines.windows_features import Features
from k8swin_lab.machines.windows_files import WindowsFiles
from k8swin_lab.machines.windows_firewall import admits
from k8swin_lab.machines.windows_locale import Locale
from k8swin_lab.machines.windows_network import WindowsNetwork
from k8swin_lab.machines.windows_processes import SERVICES, ProcessTable, WinrsHost
from k8swin_lab.machines.windows_programs import BadExecutable
from k8swin_lab.machines.windows_services import Services
from k8swin_lab.machines.windows_setup import COMPUTER_NAME, EDITIONS, SYSTEM32
from k8swin_lab.machines.windows_tasks import Tasks
from k8swin_lab.machines.windows_updates import Updates
from k8swin_lab.machines.windows_winrm import WinrmHabits

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.node import Container, NodeFacts
    from k8swin_lab.machines.software import WindowsSoftware
    from k8swin_lab.network import Network

COMMAND_LINE_LIMIT = 8191
"""Characters that cmd.exe takes on one line."""


class WindowsMachine(Machine):
    """One Windows Server. See the modules `windows_*` beside this one for its parts."""

    os = "windows"

    def __init__(
        self,
        name: str,
        address: str,
        network: Network,
        software: WindowsSoftware,
        *,
        build: int = 20348,
        users: dict[str, str] | None = None,
        cpus: int = 2,
        memory_bytes: int = 8 * 1024**3,
        disk_bytes: int = 100 * 1024**3,
        prefix_length: int = 24,
        gateway: str | None = None,
        dns: list[str] | None = None,
        nic: str = "Ethernet",
        pace: float = 1.0,
    ) -> None:
        super().__init__(name, address, network)
        self.software = software
        first_three = address.rpartition(".")[0]
        self.edition = EDITIONS[build]
        self.users = dict(users or {"Administrator": ""})
        self.cpus = cpus
        self.memory_bytes = memory_bytes
        self.disk_bytes = disk_bytes
        self.pace = pace
        """What one second of waiting inside the machine takes in real seconds; tests make it small."""
        self.boot_seconds = 3.0
        self.clock_offset = 0.0
        self.clock_steps: list[tuple[float, float]] = []
        """Steps that the time service is going to make: seconds after the boot, and by how many seconds."""
        self.steps_after_boot: list[tuple[float, float]] = []
        """The same, of every later boot."""
        self.moods: tuple[str, ...] = ()
        """Names of the site's moods that were set; what they do is in the state that they set."""
        self.listener_names: list[str] = []
        """Names in the certificate of the HTTPS listener; none: its address and its name."""
        self.revocation_reached = True
        """Whether the revocation lists of private authorities can be fetched."""
        self.domain = ""
        """The domain of which this machine is a member."""
        self.logon_delay = 0.0
        """Seconds after a boot in which nobody is let in: the domain's controllers are not reached yet."""
        self.winrm = WinrmHabits()
        self.machine_guid = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{address}"))
        self.events: list[Event] = []
        self.virtual_machines: list[VirtualMachine] = []
        self.defender: dict[str, list[str]] = {"Path": [], "Process": [], "Extension": []}
        self._shutdown: Later | None = None
        self._up_since = 0.0  # time.monotonic() of the last boot; a fresh machine is up for long
        self.files = WindowsFiles(self.lock, self.now)
        self.registry = Registry(self.lock)
        self.locale = Locale(self.registry)
        self.features = Features(self)
        self.processes = ProcessTable(self)
        self.services = Services(self)
        self.tasks = Tasks(self)
        self.net = WindowsNetwork(
            self,
            prefix_length=prefix_length,
            gateway=first_three + ".254" if gateway is None else gateway,
            dns=[first_three + ".254"] if dns is None else dns,
            nic=nic,
        )
        windows_setup.install(self)
        self.containers = WindowsContainers(self)
        self.docker = WindowsDocker(self)
        self.updates = Updates(self)
        self.programs = dict(software.programs)
        windows_programs.install(self.files, software.system_programs, self.edition.full)
        self.files.in_use = self._in_use
        self.files.renamed = self._renamed
        self.listening.update({135: "rpc", 445: "smb", 5985: "winrm"})
        self.log_event(
            "System", "EventLog", 6005, "Information", "The Event log service was started."
        )

    # --- facts

    @property
    def computer_name(self) -> str:
        """The NetBIOS name that is in force (a new one waits for the reboot)."""
        return str(self.registry.get(COMPUTER_NAME + r"\ActiveComputerName", "ComputerName"))

    @property
    def reachable(self) -> bool:
        """Whether the machine is on, its network works, and one of its adapters has its address."""
        held = any(a.address == self.address for a in self.net.addresses)
        return held and super().reachable

    def now(self) -> float:
        """The machine's clock: seconds since the epoch."""
        if self.clock_steps:
            due = time.monotonic() - self._up_since
            for after, step in [pair for pair in self.clock_steps if pair[0] * self.pace <= due]:
                self.clock_steps.remove((after, step))
                self.step_clock(step)
        return time.time() + self.clock_offset

    def step_clock(self, seconds: float) -> None:
        """Set the clock by so many seconds; the time of the boot moves with it, so that the uptime stays.

        Source: `KeSetSystemTime` of NT's kernel adds the difference to `KeBootTime`.
        """
        self.clock_offset += seconds
        self.booted_at += seconds

    @property
    def logons(self) -> bool:
        """Whether somebody can be let in: soon after a boot the domain may be out of reach."""
        return time.monotonic() - self._up_since >= self.logon_delay * self.pace

    @property
    def takes_ntlm(self) -> bool:
        """Whether NTLM lets anybody in."""
        return windows_policies.takes_ntlm(self.registry)

    def filters_token(self, user: str) -> bool:
        """Whether a user's session over the network has no administrator's rights."""
        return windows_policies.filters_token(self.registry, user)

    def admits(self, port: int) -> bool:
        """Whether the firewall lets a neighbour's TCP connection to a port in, on the network as it is now."""
        return admits(self.net, self.registry, self.net.primary().category, port)

    def pause(self, seconds: float) -> None:
        """Wait as this machine's time goes."""
        time.sleep(max(0.0, seconds * self.pace))

    def free_bytes(self) -> int:
        """Free space on C:."""
        return max(
            0,
            self.disk_bytes
            - 18 * 1024**3
            - self.files.used_bytes()
            - self.containers.image_bytes()
            - self.docker.image_bytes(),
        )

    def log_event(self, log: str, source: str, number: int, level: str, message: str) -> None:
        """Write to an event log."""
        with self.lock:
            self.events.append(
                Event(log, source, number, level, message, self.now(), len(self.events) + 1)
            )

    def service_ended(self, name: str, code: int, *, stopped: bool) -> None:
        """The service manager tells of every end of a service."""
        display = self.services.display_name(name)
        if stopped:
            self.log_event("System", "Service Control Manager", 7036, "Information",
                           f"The {display} service entered the stopped state.")  # fmt: skip
        else:
            self.log_event("System", "Service Control Manager", 7034, "Error",
                           f"The {display} service terminated unexpectedly.  It has done this 1 time(s).")  # fmt: skip
        self.changed()

    def host_addresses(self) -> dict[str, str]:
        """Names of the hosts file."""
        found: dict[str, str] = {}
        try:
            text = self.files.read(SYSTEM32 + r"\drivers\etc\hosts").decode("utf-8", "replace")
        except OSError:
            return found
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            for name in words[1:]:
                found.setdefault(name.lower(), words[0])
        return found

    # --- environment

    def environment(self) -> Environment:
        """What the system gives a program that it starts: the machine's variables, expanded."""
        domain = self.domain.partition(".")[0].upper()
        return windows_environment.of_system(self.registry, self.computer_name, domain)

    def login_environment(self, user: str) -> Environment:
        """The environment of somebody who logs in over the network."""
        self.files.make_directory(rf"C:\Users\{user}\AppData\Local\Temp")
        return windows_environment.of_login(self.registry, self.environment(), user)

    def expand(self, text: str) -> str:
        """Replace %NAME% by the machine's variables."""
        return expand(text, self.environment()) if "%" in text else text

    def split(self, line: str) -> list[str]:
        """A command line as programs cut it."""
        return split_command_line(line)

    # --- programs

    def find_program(self, name: str, path: str = "", cwd: str = "") -> str | None:
        """The file that a name starts, along a PATH value; None when there is none."""
        return windows_programs.find(self.files, name, path, cwd)

    def program_of(self, path: str) -> tuple[str, str] | None:
        """Name and version of the program in a file, or None when the file is no program."""
        return windows_programs.program_of(self.files, path)

    def is_program(self, path: str) -> bool:
        """Whether Windows can execute this file."""
        return path.lower().endswith((".cmd", ".bat")) or self.program_of(path) is not None

    def program_version(self, process: Process) -> str:
        """The version of a running program's file, "1.36.4" for Kubernetes' own."""
        found = self.program_of(process.argv[0])
        return found[1].removeprefix("v") if found else ""

    def run_program(self, process: Process) -> int:
        """Run a program whose file is argv[0], with an entry in the process table.

        Raises:
            BadExecutable: The file is no program.
            NotSimulated: The lab has no program of that name.
        """
        path = process.argv[0]
        found = self.program_of(path)
        if found is not None:
            if found[0] not in self.programs:
                raise NotSimulated(found[0])
            program = self.programs[found[0]]
        elif path.lower().endswith((".cmd", ".bat")):
            program = self.programs["cmd"]
        else:
            raise BadExecutable(path)
        if self.processes.of(process) is not None:
            return program(process)
        entry = self.processes.enter(
            process,
            job=self.processes.job_with(process.cancelled),
            parent=self.processes.parent_with(process.cancelled),
        )
        code = 1
        try:
            code = program(process)
        finally:
            self.processes.leave(entry, code)
        return code

    def run(self, process: Process) -> int:
        """Start `argv` directly, found along PATH."""
        env = Environment(process.env.items())
        path = self.find_program(process.argv[0], env.get("Path", ""), process.cwd)
        if path is None:
            process.err("The system cannot find the file specified.\r\n")
            return 1
        process.argv[0] = path
        try:
            return self.run_program(process)
        except BadExecutable as error:
            process.err(f"{error}\r\n")
            return 1
        except NotSimulated as gap:
            process.err(f"{self.lacks(gap)}\r\n")
            return 127

    def remote_shell(self, user: str) -> RemoteShell:
        """A shell of WinRS: a process winrshost.exe, in whose job all commands of the shell run."""
        return WinrsHost(self, user)

    def shell(self, command: str, process: Process) -> int:
        """Run a command line in a session of its own, and end what it leaves behind."""
        job = self.processes.new_job()
        try:
            return self.command(command, process, job=job, parent=SERVICES)
        finally:
            self.processes.end_job(job)

    def command(self, command: str, process: Process, *, job: int, parent: int) -> int:
        """Run `cmd.exe /c` with a command line, in a job."""
        if len(command) > COMMAND_LINE_LIMIT:
            process.err("The command line is too long.\r\n")
            return 1
        if not process.env:
            process.env = self.login_environment(process.user.rpartition("\\")[2])
        process.cwd = process.cwd or Environment(process.env.items()).get(
            "USERPROFILE", r"C:\Windows\System32"
        )
        process.argv = [SYSTEM32 + r"\cmd.exe", "/c", command]
        entry = self.processes.enter(
            process, job=job, parent=parent, command_line=f"cmd.exe /c {command}"
        )
        code = 1
        errors = process.stderr  # the line may send its own elsewhere
        try:
            code = self.programs["cmd"](process)
        except NotSimulated as gap:
            errors.write(f"{self.lacks(gap)}\r\n".encode())
            code = 70
        finally:
            self.processes.leave(entry, code)
        return code

    def _in_use(self, path: str) -> bool:
        folded = path.lower()
        if any(
            folded.startswith(layer + "\\")
            for layer in [*self.docker.layers(), *self.containers.layers()]
        ):
            raise PermissionError(f"Access to the path '{path}' is denied.")
        return any(
            entry.path.lower() == path.lower() for entry in list(self.processes.running.values())
        )

    def _renamed(self, old: str, new: str) -> None:
        for entry in list(self.processes.running.values()):
            if entry.path.lower() == old.lower():
                entry.path = new

    # --- power

    def wake(self, slept: float) -> None:
        """Go on in a copy of the lab; remote sessions are gone."""
        super().wake(slept)
        self.processes.lose_sessions()

    def interrupt(self, seconds: float) -> None:
        """Drop every connection now and take none for some seconds (the virtual switch binds)."""
        self.unreachable_until = time.monotonic() + seconds * self.pace
        self.changed()

    def schedule_shutdown(self, delay: float, *, restart: bool) -> bool:
        """Go down in `delay` seconds; False when that is scheduled already."""
        with self.lock:
            if self._shutdown is not None:
                return False
            action = self.reboot if restart else self.power_off
            self._shutdown = Later(max(0.05, delay * self.pace), action, f"{self.name}: a shutdown")
            return True

    def abort_shutdown(self) -> bool:
        """Call a scheduled shutdown off; False when there is none."""
        with self.lock:
            timer, self._shutdown = self._shutdown, None
        if timer is not None:
            timer.cancel()
        return timer is not None

    def power_off(self) -> None:
        """Stop everything."""
        self._shutdown = None
        self.log_event(
            "System",
            "User32",
            1074,
            "Information",
            "The process has initiated the shutdown of computer.",
        )
        self.powered_on = False
        self.changed()
        self.processes.end_all()
        self.containers.stop_all()
        self.docker.crash()
        self.files.open.clear()
        self.files.handles.clear()
        self.services.forget()

    def reboot(self) -> None:
        """Stop everything, apply what waited for a boot, and start what starts at boot."""
        self.power_off()
        self.pause(self.boot_seconds)
        self.power_on()

    def stop(self) -> None:
        """The lab goes down: end every thread of this machine."""
        self.abort_shutdown()
        self.power_off()

    def power_on(self) -> None:
        """Boot."""
        with self.lock:
            self.features.apply_pending()
            self.updates.apply_pending()
            self.registry.drop_volatile()
            self.registry.unset(windows_setup.SESSION_MANAGER, "PendingFileRenameOperations")
            name = self.registry.get(COMPUTER_NAME + r"\ComputerName", "ComputerName")
            self.registry.set(COMPUTER_NAME + r"\ActiveComputerName", "ComputerName", name)
            self.registry.set(
                windows_setup.TCPIP,
                "Hostname",
                self.registry.get(windows_setup.TCPIP, "NV Hostname"),
            )
            self.net.forget()
            self.processes.add_system()
            self.boot_id = str(uuid.uuid4())
            self._up_since = time.monotonic()
            self.clock_steps = list(self.steps_after_boot)
            self.booted_at = self.now()
            self.unreachable_until = 0.0
            self.listening = {135: "rpc", 445: "smb", 5985: "winrm"}
            windows_setup.start_features(self)
            windows_setup.start_windows(self)
            self.powered_on = True
        self.log_event(
            "System", "EventLog", 6005, "Information", "The Event log service was started."
        )
        self.changed()
        threading.Thread(target=self._start_up, name=f"{self.name}: its boot", daemon=True).start()

    def _start_up(self) -> None:
        self.services.start_automatic()
        self.tasks.at_boot()
        # LogonUI makes it when it shows itself for the first time after a boot; it is volatile.
        self.registry.create(windows_setup.LOGON_SHOWN, volatile=True)

    # --- NodeMachine

    def node_facts(self) -> NodeFacts:
        return self.containers.node_facts()

    def kubelet_running(self) -> bool:
        return self.powered_on and self.containers.kubelet is not None

    def kubelet_process(self) -> int:
        kubelet = self.containers.kubelet
        return kubelet.number if kubelet is not None else 0

    def runtime_ready(self) -> str | None:
        return self.containers.runtime_ready()

    def network_ready(self) -> str | None:
        return self.containers.network_ready()

    def pull(self, image: str) -> str | None:
        return self.containers.pull(image)

    def start_container(
        self, pod: dict[str, Any], container: dict[str, Any], environment: dict[str, str]
    ) -> Container:
        return self.containers.start_container(pod, container, environment)
