"""sc.exe."""

from __future__ import annotations

from collections.abc import Callable

from k8swin_lab.arguments import refuse_option
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_services import (
    MESSAGES,
    STATE_NUMBERS,
    ServiceError,
    Services,
)
from k8swin_lab.windows.machine_of import machine_of

_START = {"boot": 0, "system": 1, "auto": 2, "delayed-auto": 2, "demand": 3, "disabled": 4}
_START_NAMES = {
    0: "BOOT_START",
    1: "SYSTEM_START",
    2: "AUTO_START",
    3: "DEMAND_START",
    4: "DISABLED",
}


def sc(process: Process) -> int:
    """sc.exe: query, queryex, qc, create, config, failure, delete, start, stop, description."""
    machine = machine_of(process)
    words = process.argv[1:]
    if words and words[0].startswith("\\\\"):
        raise NotSimulated("sc.exe of another computer")
    if not words:
        process.out("DESCRIPTION:\r\n        SC is a command line program used for communicating with the\r\n"
                    "        Service Control Manager and services.\r\n")  # fmt: skip
        return 0
    verb, rest = words[0].lower(), words[1:]
    verbs: dict[str, tuple[str, Callable[[Process, WindowsMachine, list[str]], None]]] = {
        "query": ("EnumQueryServicesStatus:OpenService", _query), "queryex": ("EnumQueryServicesStatus:OpenService", _query),
        "qc": ("OpenService", _show), "create": ("CreateService", _create), "config": ("OpenService", _config),
        "failure": ("OpenService", _failure), "delete": ("OpenService", _delete),
        "start": ("StartService", _start), "stop": ("ControlService", _stop), "description": ("OpenService", _describe),
    }  # fmt: skip
    if verb not in verbs:
        refuse_option("sc.exe", words[0])
        process.out("*** Unrecognized Command ***\r\n")
        return 1639
    call, action = verbs[verb]
    try:
        action(process, machine, rest)
    except ServiceError as error:
        if error.code == 1060 and verb in ("start", "stop"):
            call = "StartService: OpenService" if verb == "start" else "ControlService: OpenService"
            call = call.split(": ")[1]
        process.out(
            f"[SC] {call} FAILED {error.code}:\r\n\r\n{MESSAGES.get(error.code, '')}\r\n\r\n"
        )
        return error.code
    return 0


def _options(words: list[str], known: tuple[str, ...]) -> dict[str, str]:
    """`binPath= "x" start= auto`, with or without the space that sc.exe wants."""
    result: dict[str, str] = {}
    index = 0
    while index < len(words):
        name, sign, value = words[index].partition("=")
        index += 1
        if not sign or name.lower() not in known:
            raise ServiceError(1639)
        if not value and index < len(words):
            value = words[index]
            index += 1
        result[name.lower()] = value
    return result


def _status(machine: WindowsMachine, name: str, *, extended: bool = False, state: str = "") -> str:
    services = machine.services
    state = state or services.state(name)
    code = services.runtime(name).exit_code if state == "Stopped" else 0
    words = {"StartPending": "START_PENDING", "StopPending": "STOP_PENDING"}.get(
        state, state.upper()
    )
    accepts = "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN" if state == "Running" else (
        "NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN")  # fmt: skip
    lines = [
        "", f"SERVICE_NAME: {name} ", "        TYPE               : 10  WIN32_OWN_PROCESS  ",
        f"        STATE              : {STATE_NUMBERS[state]}  {words} ", f"                                ({accepts})",
        f"        WIN32_EXIT_CODE    : {code}  (0x{code:x})", "        SERVICE_EXIT_CODE  : 0  (0x0)",
        "        CHECKPOINT         : 0x0", "        WAIT_HINT          : 0x0",
    ]  # fmt: skip
    if extended:
        lines += [
            f"        PID                : {services.process_id(name)}",
            "        FLAGS              : ",
        ]
    return "\r\n".join(lines) + "\r\n"


def _query(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    extended = process.argv[1].lower() == "queryex"
    asked = " ".join(words).lower().replace("= ", "=").split()
    for word in asked:
        if "=" in word and word not in ("type=service", "type=own", "state=active"):
            raise NotSimulated(f"sc.exe {process.argv[1]} {word}")
    names = [machine.services.require(words[0])] if words and "=" not in words[0] else [
        n for n in machine.services.names() if machine.services.state(n) == "Running"]  # fmt: skip
    for name in names:
        process.out(_status(machine, name, extended=extended))


def _show(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    services = machine.services
    name = services.require(words[0] if words else "")
    start = int(services.value(name, "Start", 3))
    delayed = "  (DELAYED)" if start == 2 and services.value(name, "DelayedAutostart", 0) else ""
    depends = services.depends_on(name) or [""]
    lines = [
        "[SC] QueryServiceConfig SUCCESS", "", f"SERVICE_NAME: {name}", "        TYPE               : 10  WIN32_OWN_PROCESS ",
        f"        START_TYPE         : {start}   {_START_NAMES[start]}{delayed}", "        ERROR_CONTROL      : 1   NORMAL",
        f"        BINARY_PATH_NAME   : {services.value(name, 'ImagePath')}", "        LOAD_ORDER_GROUP   : ",
        "        TAG                : 0", f"        DISPLAY_NAME       : {services.display_name(name)}",
        f"        DEPENDENCIES       : {depends[0]}", *(f"                           : {d}" for d in depends[1:]),
        f"        SERVICE_START_NAME : {services.value(name, 'ObjectName')}",
    ]  # fmt: skip
    process.out("\r\n".join(lines) + "\r\n")


_CONFIG = (
    "type",
    "start",
    "error",
    "binpath",
    "group",
    "tag",
    "depend",
    "obj",
    "displayname",
    "password",
)


def _set_options(services: Services, name: str, options: dict[str, str]) -> None:
    if "start" in options:
        if options["start"].lower() not in _START:
            raise ServiceError(1639)
        services.set_value(name, "Start", _START[options["start"].lower()], "REG_DWORD")
        services.set_value(
            name, "DelayedAutostart", int(options["start"].lower() == "delayed-auto"), "REG_DWORD"
        )
    if "binpath" in options:
        services.set_value(name, "ImagePath", options["binpath"], "REG_EXPAND_SZ")
    if "depend" in options:
        names = [n for n in options["depend"].split("/") if n]
        services.set_value(name, "DependOnService", names, "REG_MULTI_SZ")
    if "displayname" in options:
        services.set_value(name, "DisplayName", options["displayname"])
    if "obj" in options:
        services.set_value(name, "ObjectName", options["obj"])


def _create(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    options = _options(words[1:], _CONFIG)
    if "binpath" not in options:
        raise ServiceError(1639)
    machine.services.create(
        words[0], options["binpath"], display_name=options.get("displayname", "")
    )
    _set_options(machine.services, words[0], options)
    process.out("[SC] CreateService SUCCESS\r\n")


def _config(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    name = machine.services.require(words[0] if words else "")
    _set_options(machine.services, name, _options(words[1:], _CONFIG))
    process.out("[SC] ChangeServiceConfig SUCCESS\r\n")


def _failure(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    name = machine.services.require(words[0] if words else "")
    options = _options(words[1:], ("reset", "reboot", "command", "actions"))
    if "command" in options or "reboot" in options:
        raise NotSimulated("sc.exe failure command= and reboot=")
    parts = options.get("actions", "").split("/")
    if "actions" in options and (len(parts) % 2 and options["actions"]):
        raise ServiceError(87)
    actions = [
        (parts[i].lower() or "none", int(parts[i + 1] or 0)) for i in range(0, len(parts) - 1, 2)
    ]
    if any(kind not in ("none", "restart", "reboot", "run") for kind, _ in actions):
        raise ServiceError(87)
    machine.services.set_recovery(name, int(options.get("reset", 0) or 0), actions)
    process.out("[SC] ChangeServiceConfig2 SUCCESS\r\n")


def _delete(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    machine.services.delete(words[0] if words else "")
    process.out("[SC] DeleteService SUCCESS\r\n")


def _start(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    name = machine.services.require(words[0] if words else "")
    machine.services.start(name, words[1:])
    process.out(_status(machine, name, extended=True))


def _stop(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    name = machine.services.require(words[0] if words else "")
    machine.services.stop(name)
    process.out(_status(machine, name))


def _describe(process: Process, machine: WindowsMachine, words: list[str]) -> None:
    name = machine.services.require(words[0] if words else "")
    machine.services.set_value(name, "Description", " ".join(words[1:]))
    process.out("[SC] ChangeServiceConfig2 SUCCESS\r\n")
