"""journalctl, and how entries of the journal are printed."""

from __future__ import annotations

import json
import time

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.journal import Entry
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.units import unit_name

_OPTIONS = Options(
    flags="--no-pager -x,--catalog -e,--pager-end -r,--reverse -q,--quiet -k,--dmesg -a,--all --utc"
    " -f,--follow --no-hostname --disk-usage -xe -xeu",
    values="-u,--unit -n,--lines -o,--output -S,--since -U,--until -p,--priority -t,--identifier",
    optional="-b,--boot",
)


def format_entries(machine: LinuxMachine, entries: list[Entry], output: str = "short") -> str:
    """Return entries as journalctl prints them."""
    lines = []
    for entry in entries:
        when = time.gmtime(entry.time)
        if output == "cat":
            lines.append(entry.text)
        elif output == "json":
            fields = {
                "__REALTIME_TIMESTAMP": str(int(entry.time * 1e6)),
                "_SYSTEMD_UNIT": entry.unit,
                "SYSLOG_IDENTIFIER": entry.identifier,
                "_PID": str(entry.pid),
                "MESSAGE": entry.text,
                "_HOSTNAME": machine.name,
                "_BOOT_ID": entry.boot.replace("-", ""),
            }
            lines.append(json.dumps(fields))
        else:
            shown = time.strftime("%b %d %H:%M:%S", when)
            if output in ("short-iso", "iso"):
                shown = time.strftime("%Y-%m-%dT%H:%M:%S+0000", when)
            text = entry.text.replace("E ", time.strftime("E%m%d %H:%M:%S.000000 ", when) +
                                      f"{entry.pid:7d} ", 1) if entry.text.startswith("E ") else entry.text  # fmt: skip
            lines.append(f"{shown} {machine.name} {entry.identifier}[{entry.pid}]: {text}")
    return "".join(f"{line}\n" for line in lines)


def journalctl(process: Process) -> int:
    """Run journalctl."""
    parsed = _OPTIONS.parse("journalctl", process.argv[1:])
    for option in ("-S", "-U", "-p", "-f", "--disk-usage", "--no-hostname"):
        if option in parsed:
            raise NotSimulated(f"journalctl {option}")
    machine = machine_of(process)
    output = parsed.get("-o", "short")
    if output not in ("short", "cat", "json", "short-iso"):
        raise NotSimulated(f"journalctl -o {output}")
    if process.user != "root" and not _may_read(machine, process.user):
        process.err(
            "Hint: You are currently not seeing messages from other users and the system.\n"
            "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
            "      Pass -q to turn off this notice.\nNo journal files were opened due to insufficient permissions.\n"
        )
        return 1
    units = [unit_name(name) for name in parsed.all("-u")]
    if "-xeu" in parsed:
        units += [unit_name(name) for name in parsed.operands]
    entries = list(machine.journal.of(units))
    if "-b" in parsed:
        entries = [entry for entry in entries if entry.boot == machine.boot_id]
    if "-k" in parsed:
        entries = [entry for entry in entries if entry.identifier == "kernel"]
    if wanted := parsed.all("-t"):
        entries = [entry for entry in entries if entry.identifier in wanted]
    if count := parsed.get("-n"):
        if not count.isdigit():
            raise NotSimulated(f"journalctl -n {count}")
        entries = entries[len(entries) - int(count) :] if int(count) < len(entries) else entries
    if "-r" in parsed:
        entries.reverse()
    if not entries and "-q" not in parsed and output != "json":
        process.out("-- No entries --\n")
        return 0
    process.out(format_entries(machine, entries, output))
    return 0


def _may_read(machine: LinuxMachine, user: str) -> bool:
    for line in machine.read_text("/etc/group").splitlines():
        fields = line.split(":")
        if fields[0] in ("adm", "systemd-journal") and user in fields[3].split(","):
            return True
    return False
