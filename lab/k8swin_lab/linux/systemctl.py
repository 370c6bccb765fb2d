"""systemctl: verbs over the machine's units."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from k8swin_lab.arguments import Options, Parsed, refuse_option
from k8swin_lab.linux.files import machine_of
from k8swin_lab.linux.journal import format_entries
from k8swin_lab.linux.power import reboot_soon, shut_down_soon
from k8swin_lab.linux.unit_properties import properties, stamp
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.units import Unit, UnitError, unit_name

_OPTIONS = Options(
    flags="--now -q,--quiet --no-pager --no-legend --plain -a,--all -l,--full --no-block --value"
    " --system --failed --force,-f --version --no-ask-password --runtime --no-reload --wait",
    values="-t,--type --state -p,--property -P -n,--lines -o,--output --root --job-mode",
)
_CHANGES = [
    "start",
    "stop",
    "restart",
    "try-restart",
    "reload",
    "reload-or-restart",
    "enable",
    "disable",
    "reenable",
    "mask",
    "unmask",
    "daemon-reload",
    "daemon-reexec",
    "reset-failed",
    "kill",
    "reboot",
    "poweroff",
    "halt",
    "preset",
    "revert",
    "set-default",
]
Verb = Callable[[Process, LinuxMachine, Parsed, list[str]], int]


def systemctl(process: Process) -> int:
    """Run systemctl."""
    parsed = _OPTIONS.parse("systemctl", process.argv[1:])
    for option in ("--root", "--runtime", "--job-mode", "--wait"):
        if option in parsed:
            raise NotSimulated(f"systemctl {option}")
    if "--version" in parsed:
        process.out(
            f"systemd {machine_of(process).distribution.systemd}\n+PAM +AUDIT +SELINUX +APPARMOR default-hierarchy=unified\n"
        )
        return 0
    if parsed.get("-P"):
        parsed.options += [("-p", parsed.get("-P")), ("--value", "")]
    verb, *names = parsed.operands or ["list-units"]
    run = _VERBS.get(verb)
    if run is None:
        refuse_option("systemctl", verb)
        process.err(f"Unknown command verb {verb}.\n")
        return 1
    if process.user != "root" and verb in _CHANGES:
        what = (
            "reload daemon"
            if verb.startswith("daemon")
            else f"{verb} {unit_name(names[0]) if names else ''}"
        )
        process.err(f"Failed to {what.strip()}: Interactive authentication required.\n")
        return 1
    if verb in _NEEDS_UNITS and not names:
        process.err("Too few arguments.\n")
        return 1
    with machine_of(process).lock:
        return run(process, machine_of(process), parsed, [unit_name(name) for name in names])


def _each(action: Callable[[LinuxMachine, str], None]) -> Verb:
    def run(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
        code = 0
        for name in names:
            try:
                action(machine, name)
            except UnitError as error:
                process.err(f"{error}\n")
                code = error.code
        return code

    return run


def _reload(machine: LinuxMachine, name: str) -> None:
    unit = machine.units.load(name)
    if unit is None:
        raise UnitError(f"Failed to reload {name}: Unit {name} not found.", 5)
    if machine.units.state(name).active != "active":
        raise UnitError(f"{name} is not active, cannot reload.")
    if not unit.get("Service", "ExecReload"):
        raise UnitError(
            f"Failed to reload {name}: Job type reload is not applicable for unit {name}."
        )


def _reload_or_restart(machine: LinuxMachine, name: str) -> None:
    machine.units.restart(name)


def _try_restart(machine: LinuxMachine, name: str) -> None:
    if machine.units.state(name).active == "active":
        machine.units.restart(name)


def _enable(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    code = 0
    for name in names:
        unit = machine.units.load(name)
        if unit is None:
            process.err(f"Failed to enable unit: Unit file {name} does not exist.\n")
            return 1
        if unit.masked:
            process.err(f"Failed to enable unit: Unit file {unit.path} is masked.\n")
            return 1
        if "Install" not in unit.settings:
            process.err(_NO_INSTALL)
        else:
            _err_lines(process, parsed, machine.units.enable(unit))
    if "--now" in parsed:
        code = _each(lambda one, name: one.units.start(name))(process, machine, parsed, names)
    return code


def _disable(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    for name in names:
        unit = machine.units.load(name)
        if unit is None:
            process.err(f"Failed to disable unit: Unit file {name} does not exist.\n")
            return 1
        _err_lines(process, parsed, machine.units.disable(unit))
    if "--now" in parsed:
        return _each(lambda one, name: one.units.stop(name))(process, machine, parsed, names)
    return 0


def _mask(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    for name in names:
        known = machine.units.load(name) is not None
        if not known:
            process.err(f"Unit {name} does not exist, proceeding anyway.\n")
        if "--now" in parsed and known:
            machine.units.stop(name)
        try:
            _err_lines(process, parsed, machine.units.mask(name))
        except UnitError as error:
            process.err(f"{error}\n")
            return 1
    return 0


def _unmask(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    for name in names:
        if machine.units.load(name) is None:
            process.err(f"Unit {name} does not exist, proceeding anyway.\n")
        _err_lines(process, parsed, machine.units.unmask(name))
    return 0


def _err_lines(process: Process, parsed: Parsed, lines: list[str]) -> None:
    if "-q" not in parsed:
        process.err("".join(f"{line}\n" for line in lines))


def _is_active(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    states = [machine.units.state(name).active for name in names]
    if "-q" not in parsed:
        process.out("".join(f"{state}\n" for state in states))
    return 0 if any(state in ("active", "reloading") for state in states) else 3


def _is_failed(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    states = [machine.units.state(name).active for name in names]
    if "-q" not in parsed:
        process.out("".join(f"{state}\n" for state in states))
    return 0 if "failed" in states else 1


def _is_enabled(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    good = False
    for name in names:
        unit = machine.units.load(name)
        if unit is None:
            process.err(f"Failed to get unit file state for {name}: No such file or directory\n")
            continue
        state = machine.units.file_state(unit)
        good = good or state in ("enabled", "static", "alias", "generated", "indirect")
        if "-q" not in parsed:
            process.out(f"{state}\n")
    return 0 if good else 1


def _show(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    wanted = [one for text in parsed.all("-p") for one in text.split(",")]
    for index, name in enumerate(names or [""]):
        if not name:
            raise NotSimulated("systemctl show without a unit")
        if index:
            process.out("\n")
        found = properties(machine, name)
        for key in found if not wanted else [one for one in found if one in wanted]:
            process.out(f"{found[key]}\n" if "--value" in parsed else f"{key}={found[key]}\n")
    return 0


def _cat(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    for index, name in enumerate(names):
        unit = machine.units.load(name)
        if unit is None or not unit.path:
            process.err(f"No files found for {name}.\n")
            return 1
        paths = [unit.path, *unit.drop_ins]
        texts = []
        for path in paths:
            try:
                texts.append(f"# {path}\n{machine.read_text(path)}")
            except OSError:
                texts.append(f"# {path}\n")
        process.out(("\n" if index else "") + "\n".join(texts))
    return 0


def _status(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    code = 0
    for index, name in enumerate(names):
        unit = machine.units.load(name)
        if unit is None:
            process.err(f"Unit {name} could not be found.\n")
            code = 4
            continue
        if index:
            process.out("\n")
        state = machine.units.state(name)
        process.out(_status_text(machine, unit, parsed))
        if state.active != "active" and not code:
            code = 3
    return code


def _status_text(machine: LinuxMachine, unit: Unit, parsed: Parsed) -> str:
    state = machine.units.state(unit.name)
    dot = {"active": "●", "activating": "●", "failed": "×"}.get(state.active, "○")  # noqa: RUF001 - the real text
    title = "" if unit.masked or unit.description == unit.name else f" - {unit.description}"
    lines = [f"{dot} {unit.name}{title}"]
    if unit.masked:
        lines.append(f"     Loaded: masked (Reason: Unit {unit.name} is masked.)")
    else:
        lines.append(
            f"     Loaded: loaded ({unit.path}; {machine.units.file_state(unit)}; preset: enabled)"
        )
    for at, path in enumerate(unit.drop_ins):
        folder, _, file = path.rpartition("/")
        lines += [f"    Drop-In: {folder}"] if not at else []
        lines.append(f"             └─{file}")
    shown = f"{state.active} ({state.sub})"
    if state.result != "success":
        shown += f" (Result: {state.result})"
    since = (
        f" since {stamp(state.since)}; {_ago(time.time() - state.since)} ago" if state.since else ""
    )
    lines.append(f"     Active: {shown}{since}")
    if docs := unit.get("Unit", "Documentation"):
        lines.append(f"       Docs: {docs}")
    command = unit.program.rpartition("/")[2]
    if state.pid:
        lines.append(f"   Main PID: {state.pid} ({command})")
        lines += [
            f"     CGroup: /system.slice/{unit.name}",
            f"             └─{state.pid} {unit.get('Service', 'ExecStart')}",
        ]
    elif state.result != "success":
        exited = f"(code=exited, status={state.status}/FAILURE)"
        lines.insert(-1 if len(lines) > 3 else len(lines), "")
        lines = [line for line in lines if line]
        lines.append(
            f"    Process: {state.last_pid} ExecStart={unit.get('Service', 'ExecStart')} {exited}"
        )
        lines.append(f"   Main PID: {state.last_pid} {exited}")
    count = int(parsed.get("-n") or 10)
    entries = [entry for entry in machine.journal.of([unit.name]) if entry.boot == machine.boot_id]
    text = "\n".join(lines) + "\n"
    if entries and count:
        text += "\n" + format_entries(machine, entries[-count:])
    return text


def _ago(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}min {whole % 60}s"
    return f"{whole // 3600}h {whole % 3600 // 60}min"


def _list_units(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    kinds = [one for text in parsed.all("-t") for one in text.split(",")]
    wanted = {one for text in parsed.all("--state") for one in text.split(",")}
    if "--failed" in parsed:
        wanted.add("failed")
    rows = []
    for name in machine.units.names():
        unit, state = machine.units.load(name), machine.units.state(name)
        kind = name.rpartition(".")[2]
        if unit is None or (kinds and kind not in kinds) or (names and name not in names):
            continue
        if wanted and not wanted & {state.active, state.sub}:
            continue
        if not wanted and "-a" not in parsed and state.active == "inactive":
            continue
        load = "masked" if unit.masked else "loaded"
        rows.append((unit.name, load, state.active, state.sub, unit.description))
    rows = sorted(set(rows))
    _table(process, parsed, ("UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"), rows)
    if "--no-legend" not in parsed and "-q" not in parsed:
        process.out(
            ("" if not rows else _LEGEND) + f"{len(rows)} loaded units listed."
            + ("" if "-a" in parsed else " Pass --all to see loaded but inactive units, too.")
            + "\nTo show all installed unit files use 'systemctl list-unit-files'.\n"
        )  # fmt: skip
    return 0


def _table(
    process: Process, parsed: Parsed, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    legend = "--no-legend" not in parsed and "-q" not in parsed
    shown = [head, *rows] if legend else rows
    widths = [max((len(row[at]) for row in shown), default=0) for at in range(len(head))]
    indent = "" if "--plain" in parsed or head[0] != "UNIT" else "  "
    for row in shown:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        process.out(f"{indent}{' '.join(cells).rstrip()}\n")


def _list_unit_files(
    process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]
) -> int:
    kinds = [one for text in parsed.all("-t") for one in text.split(",")]
    wanted = {one for text in parsed.all("--state") for one in text.split(",")}
    rows = []
    for name in machine.units.names():
        unit = machine.units.load(name)
        if unit is None or (kinds and name.rpartition(".")[2] not in kinds):
            continue
        if names and name not in names:
            continue
        state = "alias" if unit.name != name else machine.units.file_state(unit)
        if not wanted or state in wanted:
            rows.append(
                (name, state, "-" if state in ("alias", "static", "generated") else "enabled")
            )
    _table(process, parsed, ("UNIT FILE", "STATE", "PRESET"), rows)
    if "--no-legend" not in parsed and "-q" not in parsed:
        process.out(f"\n{len(rows)} unit files listed.\n")
    return 0 if rows or not names else 1


def _nothing(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    return 0


def _reset_failed(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    for name in names or list(machine.units.states):
        state = machine.units.states.get(name)
        if state and state.active == "failed":
            state.active, state.sub, state.result = "inactive", "dead", "success"
    return 0


def _reboot(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    reboot_soon(machine)
    return 0


def _power_off(process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]) -> int:
    shut_down_soon(machine)
    return 0


def _is_system_running(
    process: Process, machine: LinuxMachine, parsed: Parsed, names: list[str]
) -> int:
    failed = any(state.active == "failed" for state in list(machine.units.states.values()))
    process.out("degraded\n" if failed else "running\n")
    return 1 if failed else 0


_VERBS: dict[str, Verb] = {
    "start": _each(lambda machine, name: machine.units.start(name)),
    "stop": _each(lambda machine, name: machine.units.stop(name)),
    "restart": _each(lambda machine, name: machine.units.restart(name)),
    "try-restart": _each(_try_restart),
    "reload": _each(_reload),
    "reload-or-restart": _each(_reload_or_restart),
    "enable": _enable,
    "disable": _disable,
    "mask": _mask,
    "unmask": _unmask,
    "is-active": _is_active,
    "is-failed": _is_failed,
    "is-enabled": _is_enabled,
    "is-system-running": _is_system_running,
    "status": _status,
    "show": _show,
    "cat": _cat,
    "list-units": _list_units,
    "list-unit-files": _list_unit_files,
    "daemon-reload": _nothing,
    "daemon-reexec": _nothing,
    "reset-failed": _reset_failed,
    "reboot": _reboot,
    "poweroff": _power_off,
    "halt": _power_off,
}
_NEEDS_UNITS = [
    "start",
    "stop",
    "restart",
    "try-restart",
    "reload",
    "reload-or-restart",
    "enable",
    "disable",
    "mask",
    "unmask",
    "is-active",
    "is-failed",
    "is-enabled",
    "cat",
]
_NO_INSTALL = (
    "The unit files have no installation config (WantedBy=, RequiredBy=, Also=,\n"
    "Alias= settings in the [Install] section, and DefaultInstance= for template\n"
    "units). This means they are not meant to be enabled or disabled using systemctl.\n"
)
_LEGEND = """
LOAD   = Reflects whether the unit definition was properly loaded.
ACTIVE = The high-level unit activation state, i.e. generalization of SUB.
SUB    = The low-level unit activation state, values depend on unit type.
"""
