"""nssm.exe: defines services around any program, and is such a service itself."""

from __future__ import annotations

import re
import time

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_command_line import split_command_line
from k8swin_lab.machines.windows_environment import Environment
from k8swin_lab.machines.windows_processes import WindowsProcess
from k8swin_lab.machines.windows_services import PAUSED, ROOT, STATE_NUMBERS, ServiceError
from k8swin_lab.windows.machine_of import machine_of

_PARAMETERS = {
    name.lower(): (name, kind)
    for name, kind in (
        ("Application", "REG_EXPAND_SZ"), ("AppParameters", "REG_EXPAND_SZ"), ("AppDirectory", "REG_EXPAND_SZ"),
        ("AppStdin", "REG_EXPAND_SZ"), ("AppStdout", "REG_EXPAND_SZ"), ("AppStderr", "REG_EXPAND_SZ"),
        ("AppEnvironment", "REG_MULTI_SZ"), ("AppEnvironmentExtra", "REG_MULTI_SZ"), ("AppPriority", "REG_SZ"),
        ("AppStopMethodSkip", "REG_DWORD"), ("AppStopMethodConsole", "REG_DWORD"), ("AppStopMethodWindow", "REG_DWORD"),
        ("AppStopMethodThreads", "REG_DWORD"), ("AppThrottle", "REG_DWORD"), ("AppRestartDelay", "REG_DWORD"),
        ("AppRotateFiles", "REG_DWORD"), ("AppRotateOnline", "REG_DWORD"), ("AppRotateSeconds", "REG_DWORD"),
        ("AppRotateBytes", "REG_DWORD"), ("AppRotateBytesHigh", "REG_DWORD"), ("AppNoConsole", "REG_DWORD"),
        ("AppAffinity", "REG_SZ"), ("AppStdoutCreationDisposition", "REG_DWORD"),
        ("AppStderrCreationDisposition", "REG_DWORD"), ("AppKillProcessTree", "REG_DWORD"),
    )
}  # fmt: skip
_NATIVE = (
    "dependonservice",
    "dependongroup",
    "description",
    "displayname",
    "imagepath",
    "name",
    "objectname",
    "start",
    "type",
)
_NSSM_START = {"SERVICE_AUTO_START": (2, 0), "SERVICE_DELAYED_AUTO_START": (2, 1), "SERVICE_DEMAND_START": (3, 0),
               "SERVICE_DISABLED": (4, 0)}  # fmt: skip
_LOOK_SECONDS = 0.2
"""How often it looks whether it is stopped itself."""

_EXIT_ACTIONS = ("Restart", "Ignore", "Exit", "Suicide")


def nssm(process: Process) -> int:
    """nssm.exe: the tool, and, when the service manager starts it, the service around a program."""
    machine = machine_of(process)
    service = machine.services.service_of(process)
    if service is not None and len(process.argv) == 1:
        return _serve(process, machine, service)
    words = process.argv[1:]
    if not words:
        process.err("NSSM: The non-sucking service manager\r\nVersion 2.24 64-bit, 2014-08-31\r\n")
        return 1
    verb = words[0].lower()
    if verb in ("version", "--version"):
        process.out("NSSM 2.24 64-bit 2014-08-31\r\n")
        return 0
    if verb not in (
        "install",
        "remove",
        "set",
        "reset",
        "start",
        "stop",
        "restart",
        "statuscode",
    ):
        raise NotSimulated(f"nssm.exe {words[0]}")
    if len(words) < 2:
        process.err(f"Usage: nssm {verb} <servicename>\r\n")
        return 1
    if verb == "install":
        return _install(process, machine, words[1:])
    name = machine.services.find(words[1])
    if name is None:
        process.err(
            "Can't open service!\r\nOpenService(): The specified service does not exist as an installed service.\r\n\r\n"
        )
        return 3
    if verb == "remove":
        if words[2:] != ["confirm"]:
            raise NotSimulated("nssm.exe remove without confirm (it asks in a window)")
        machine.services.delete(name)
        process.out(f'Service "{name}" removed successfully!\r\n')
        return 0
    if verb in ("set", "reset"):
        return _set(process, machine, name, words[2:], reset=verb == "reset")
    if verb == "statuscode":
        return STATE_NUMBERS[machine.services.state(name)]
    return _control(process, machine, name, verb)


def _install(process: Process, machine: WindowsMachine, words: list[str]) -> int:
    if len(words) < 2:
        raise NotSimulated("nssm.exe install without a program (it asks in a window)")
    name, program, arguments = words[0], words[1], words[2:]
    if machine.services.find(name):
        process.err(
            "Error creating service!\r\nCreateService(): The specified service already exists.\r\n"
        )
        return 5
    machine.services.create(name, process.argv[0], start=2)
    key = rf"{ROOT}\{name}\Parameters"
    machine.registry.set(key, "Application", program, "REG_EXPAND_SZ")
    machine.registry.set(key, "AppParameters", _joined(arguments), "REG_EXPAND_SZ")
    machine.registry.set(key, "AppDirectory", program.rpartition("\\")[0], "REG_EXPAND_SZ")
    machine.registry.set(key + r"\AppExit", "", "Restart")
    process.out(f'Service "{name}" installed successfully!\r\n')
    return 0


def _joined(words: list[str]) -> str:
    return " ".join(f'"{w}"' if (" " in w or not w) and len(words) > 1 else w for w in words)


def _set(
    process: Process, machine: WindowsMachine, name: str, words: list[str], *, reset: bool
) -> int:
    if not words or (len(words) < 2 and not reset):
        process.err("Usage: nssm set <servicename> <parameter> <value>\r\n")
        return 1
    parameter, values = words[0].lower(), words[1:]
    key = rf"{ROOT}\{name}\Parameters"
    done = (
        f'{"Reset" if reset else "Set"} parameter "{words[0]}" for service "{name}"'
        + (" to its default" if reset else "")
        + ".\r\n"
    )
    if parameter == "appexit":
        if not values or (
            not reset and (len(values) < 2 or values[1].capitalize() not in _EXIT_ACTIONS)
        ):
            process.err(f'Invalid exit action "{values[-1] if values else ""}".\r\n')
            return 1
        code = "" if values[0].lower() == "default" else values[0]
        machine.registry.set(
            key + r"\AppExit", code, "Restart" if reset else values[1].capitalize()
        )
        process.out(done)
        return 0
    if parameter in _PARAMETERS:
        spelled, kind = _PARAMETERS[parameter]
        content: object = _joined(values)
        if reset:
            machine.registry.unset(key, spelled)
            process.out(done)
            return 0
        if kind == "REG_DWORD":
            if not str(content).isdigit():
                process.err(f'Invalid value "{content}" for parameter "{spelled}".\r\n')
                return 1
            content = int(str(content))
        elif kind == "REG_MULTI_SZ":
            content = values
        machine.registry.set(key, spelled, content, kind)
        process.out(done)
        return 0
    if parameter not in _NATIVE:
        process.err(f'Invalid parameter "{words[0]}".  Valid parameters are:\r\n'
                    + "".join(f"{n}\r\n" for n, _ in _PARAMETERS.values()))  # fmt: skip
        return 1
    services = machine.services
    if parameter == "start":
        if values[0].upper() not in _NSSM_START:
            process.err(f'Invalid startup type "{values[0]}".\r\n')
            return 1
        start, delayed = _NSSM_START[values[0].upper()]
        services.set_value(name, "Start", start, "REG_DWORD")
        services.set_value(name, "DelayedAutostart", delayed, "REG_DWORD")
    elif parameter == "dependonservice":
        services.set_value(
            name,
            "DependOnService",
            [v for w in values for v in re.split(r"[/ ]", w) if v],
            "REG_MULTI_SZ",
        )
    elif parameter == "objectname":
        services.set_value(name, "ObjectName", values[0])
    elif parameter in ("displayname", "description"):
        services.set_value(
            name, "DisplayName" if parameter == "displayname" else "Description", " ".join(values)
        )
    elif parameter == "imagepath":
        services.set_value(name, "ImagePath", " ".join(values), "REG_EXPAND_SZ")
    else:
        raise NotSimulated(f"nssm.exe set {words[0]}")
    process.out(done)
    return 0


def _control(process: Process, machine: WindowsMachine, name: str, verb: str) -> int:
    services = machine.services
    control = {"start": "START", "stop": "STOP"}
    for step in ("stop", "start") if verb == "restart" else (verb,):
        try:
            if step == "start":
                services.start(name)
            elif services.state(name) != "Stopped" or verb == "stop":
                services.stop(name)
        except ServiceError as error:
            process.err(f"{name}: {control[step]}: {error}\r\n")
            return 1
        state = services.state(name)
        if step == "start" and state == PAUSED:
            process.err(
                f"{name}: Unexpected status SERVICE_PAUSED in response to START control.\r\n"
            )
            return 1
        process.out(f"{name}: {control[step]}: The operation completed successfully.\r\n")
    return 0


class _Log:
    """A file that the wrapped program's output is added to."""

    def __init__(self, machine: WindowsMachine, path: str) -> None:
        self._machine, self._path = machine, path

    def write(self, data: bytes, /) -> int:
        try:
            self._machine.files.append(self._path, data)
        except OSError:
            return 0  # nssm itself goes on without a log it cannot open
        return len(data)


def _serve(process: Process, machine: WindowsMachine, service: str) -> int:
    """Run the program, and again when it ends, until the service is stopped."""
    key = rf"{ROOT}\{service}\Parameters"

    def value(name: str, default: object = "") -> object:
        return machine.registry.get(key, name, default)

    kept = process.kept
    while not process.cancelled.is_set():
        child: WindowsProcess | None = kept.get("child")
        if child is None:
            env = Environment(process.env.items())
            for pair in value("AppEnvironmentExtra", []) or []:  # type: ignore[attr-defined]
                variable, _, text = str(pair).partition("=")
                env[variable] = text
            program = machine.expand(str(value("Application")))
            path = machine.find_program(program, env.get("Path", ""))
            if path is None or not machine.is_program(path):
                machine.services.connected(process, "Paused")
                machine.log_event("Application", "nssm", 1008, "Error",
                                  f"Failed to start service {service}.  Program {program} couldn't be launched.")  # fmt: skip
                return 3
            stdout, stderr = (
                machine.expand(str(value("AppStdout"))),
                machine.expand(str(value("AppStderr"))),
            )
            child = machine.processes.start(
                [path, *split_command_line(machine.expand(str(value("AppParameters"))))],
                env=dict(env), cwd=str(value("AppDirectory") or r"C:\Windows\System32"), user=process.user,
                stdout=_Log(machine, stdout) if stdout else None, stderr=_Log(machine, stderr) if stderr else None,
            )  # fmt: skip
            logs = {path.replace("/", "\\").lower() for path in (stdout, stderr) if path}
            machine.files.open |= logs
            throttle = float(int(str(value("AppThrottle", 1500)))) / 1000 * machine.pace
            child.ended.wait(throttle)
            short = child.ended.is_set()
            machine.services.connected(process, "Paused" if short else "Running")
            kept.update(child=child, program=program, logs=logs, short=short)
        if not _followed(process, machine, child):
            return 0
        program, short, code = kept["program"], kept["short"], child.exit_code or 0
        action = machine.registry.get(
            key + r"\AppExit", str(code), machine.registry.get(key + r"\AppExit", "", "Restart")
        )
        if "until" not in kept:
            machine.log_event("Application", "nssm", 1013, "Information",
                              f"Program {program} for service {service} exited with return code {code}.")  # fmt: skip
            if action == "Exit":
                return code
            kept["throttled"] = kept.get("throttled", 0) + 1 if short else 0
            delay = float(int(str(value("AppRestartDelay", 0)))) / 1000
            delay = max(delay, min(2.0 ** kept["throttled"], 256.0) if short else 0.0)
            kept["until"] = time.monotonic() + delay * machine.pace
        process.waits = "the time of the next start"
        if action == "Ignore":
            process.cancelled.wait()
            return 0
        process.cancelled.wait(max(0.0, kept["until"] - time.monotonic()))
        process.waits = ""
        process.kept = kept = {"throttled": kept["throttled"]}
    return 0


def _followed(process: Process, machine: WindowsMachine, child: WindowsProcess) -> bool:
    """Wait for the end of the program; False when the service was stopped, and the program with it."""
    process.waits = "its program"
    try:
        while not child.ended.wait(_LOOK_SECONDS):
            if process.cancelled.is_set():
                machine.processes.kill(child)
                return False
        return True
    finally:
        process.waits = ""
        machine.files.open -= process.kept["logs"]
