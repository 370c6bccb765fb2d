"""swapon and swapoff."""

from __future__ import annotations

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.program import NotSimulated, Process

_ON = Options(
    flags="-a,--all -s,--summary --noheadings --bytes -v,--verbose --raw -e,--ifexists",
    optional="--show",
    values="-p,--priority",
)
_OFF = Options(flags="-a,--all -v,--verbose")
_COLUMNS = {"NAME": 0, "TYPE": 1, "SIZE": 2, "USED": 3, "PRIO": 4}


def swapon(process: Process) -> int:
    """Run swapon."""
    parsed = _ON.parse("swapon", process.argv[1:])
    machine = machine_of(process)
    if "-s" in parsed:
        if machine.kernel.swap:
            process.out(machine.proc_files()["/proc/swaps"].decode())
        return 0
    if "--show" in parsed or len(process.argv) == 1 or not (parsed.operands or "-a" in parsed):
        return _show(process, parsed.get("--show"), "--noheadings" in parsed, "--bytes" in parsed)
    if process.user != "root":
        process.err("swapon: cannot open: Permission denied\n")
        return 1
    wanted = list(parsed.operands)
    if "-a" in parsed:
        wanted += [
            line[0] for line in machine.fstab() if line[2] == "swap" and "noauto" not in line[3:4]
        ]
    code = 0
    for name in wanted:
        if name.startswith("/dev/") or machine.exists(name):
            machine.swap_on(name)
        else:
            process.err(f"swapon: cannot open {name}: No such file or directory\n")
            code = 255
    return code


def _show(process: Process, columns: str, bare: bool, in_bytes: bool) -> int:
    names = [name.upper() for name in columns.split(",")] if columns else list(_COLUMNS)
    for name in names:
        if name not in _COLUMNS:
            if name in ("UUID", "LABEL"):
                raise NotSimulated(f"swapon --show={name}")
            process.err(f"swapon: unknown column: {name.lower()}\n")
            return 1
    areas = machine_of(process).kernel.swap
    if not areas:
        return 0
    rows = [
        [
            area.name,
            area.kind,
            _size(area.size * 1024, in_bytes),
            "0B" if not in_bytes else "0",
            str(area.priority),
        ]
        for area in areas
    ]
    shown = [[row[_COLUMNS[name]] for name in names] for row in rows]
    if not bare:
        shown.insert(0, names)
    widths = [max(len(row[at]) for row in shown) for at in range(len(names))]
    for row in shown:
        cells = [
            cell.rjust(width) if name in ("SIZE", "USED", "PRIO") else cell.ljust(width)
            for cell, width, name in zip(row, widths, names, strict=True)
        ]
        process.out(f"{' '.join(cells).rstrip()}\n")
    return 0


def _size(count: int, in_bytes: bool) -> str:
    if in_bytes:
        return str(count)
    value, units = float(count), list("BKMGT")
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    unit = units[0]
    return f"{value:.0f}{unit}" if round(value, 1) == int(value + 0.05) else f"{value:.1f}{unit}"


def swapoff(process: Process) -> int:
    """Run swapoff."""
    parsed = _OFF.parse("swapoff", process.argv[1:])
    machine = machine_of(process)
    if process.user != "root":
        process.err("swapoff: Not superuser.\n")
        return 16
    names = [area.name for area in machine.kernel.swap] if "-a" in parsed else parsed.operands
    code = 0
    for name in names:
        if not machine.swap_off(name):
            text = "Invalid argument" if machine.exists(name) else "No such file or directory"
            process.err(f"swapoff: {name}: swapoff failed: {text}\n")
            code = 4
    return code
