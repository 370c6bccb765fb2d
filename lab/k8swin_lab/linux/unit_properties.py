"""The properties of a unit, as `systemctl show` prints them."""

from __future__ import annotations

import time

from k8swin_lab.machines.linux import LinuxMachine


def stamp(moment: float) -> str:
    """Return a time as systemd writes it."""
    return time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def properties(machine: LinuxMachine, name: str) -> dict[str, str]:
    """Return names and values in systemd's order; of a unit that is not there, too."""
    unit = machine.units.load(name)
    state = machine.units.state(unit.name if unit else name)
    found: dict[str, str] = {}
    if unit is not None and name.endswith(".service") and not unit.masked:
        started = stamp(state.since) if state.since else ""
        found |= {
            "Type": unit.get("Service", "Type", "simple"),
            "Restart": unit.get("Service", "Restart", "no"),
            "MainPID": str(state.pid),
            "Result": state.result,
            "NRestarts": str(state.restarts),
            "ExecMainStartTimestamp": started,
            "ExecMainPID": str(state.pid or state.last_pid),
            "ExecMainStatus": str(state.status if state.result != "success" else 0),
            "ExecStart": f"{{ path={unit.program} ; argv[]={unit.get('Service', 'ExecStart')} ; }}",
            "Environment": " ".join(unit.settings.get("Service", {}).get("Environment", [])),
        }
    found |= {
        "Id": unit.name if unit else name,
        "Names": unit.name if unit else name,
        "Description": unit.description if unit else name,
        "LoadState": ("masked" if unit.masked else "loaded") if unit else "not-found",
        "ActiveState": state.active,
        "SubState": state.sub,
        "FragmentPath": unit.path if unit else "",
        "DropInPaths": " ".join(unit.drop_ins) if unit else "",
        "UnitFileState": machine.units.file_state(unit) if unit else "",
        "UnitFilePreset": "enabled" if unit else "",
        "StateChangeTimestamp": stamp(state.since) if state.since else "",
        "ActiveEnterTimestamp": stamp(state.since) if state.active == "active" else "",
        "NeedDaemonReload": "no",
    }
    return found
