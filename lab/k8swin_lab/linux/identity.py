"""Who and what the machine is: hostname, hostnamectl, timedatectl, uname, nproc, free, df and the like."""

from __future__ import annotations

import json
import re
import time

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import Files, explain, machine_of
from k8swin_lab.machines.program import NotSimulated, Process

_HOSTNAMECTL = Options(
    flags="--static --transient --pretty --no-ask-password --no-pager", values="--json -H,--host"
)
_TIMEDATECTL = Options(
    flags="--value --no-pager --no-ask-password -a,--all", values="-p,--property -P"
)
_UNAME = Options(flags="-a,--all -s,--kernel-name -n,--nodename -r,--kernel-release"
                 " -v,--kernel-version -m,--machine -p,--processor -i,--hardware-platform"
                 " -o,--operating-system")  # fmt: skip
_DF = Options(
    flags="-P,--portability -m -k -h,--human-readable -H,--si -T,--print-type -i,--inodes -a -l",
    values="-B,--block-size --output -t -x",
)
_FREE = Options(flags="-b -k -m -g -h,--human -w -t")
_DISK = (41_020_584, 3_127_188)  # size and use of /, in KiB


def hostname(process: Process) -> int:
    """Run hostname."""
    parsed = Options(flags="-s,--short -f,--fqdn,--long -d,--domain -i -I,--all-ip-addresses",
                     values="-F,--file").parse("hostname", process.argv[1:])  # fmt: skip
    machine = machine_of(process)
    if "-F" in parsed or parsed.operands:
        try:
            name = (
                Files(process).read(parsed.get("-F")).decode().strip()
                if "-F" in parsed
                else parsed.operands[0]
            )
        except OSError as error:
            process.err(f"hostname: can't open '{parsed.get('-F')}': {explain(error)}\n")
            return 1
        if process.user != "root":
            process.err("hostname: you must be root to change the host name\n")
            return 1
        machine.name = name
        return 0
    if "-I" in parsed or "-i" in parsed:
        found = [
            address.partition("/")[0]
            for link in list(machine.interfaces.links.values())
            for address in link.addresses
            if link.name != "lo"
        ]
        process.out(" ".join(found) + (" \n" if "-I" in parsed else "\n"))
        return 0
    name = machine.name
    if "-s" in parsed:
        name = name.partition(".")[0]
    elif "-d" in parsed:
        name = name.partition(".")[2]
    process.out(f"{name}\n")
    return 0


def hostnamectl(process: Process) -> int:
    """Run hostnamectl."""
    parsed = _HOSTNAMECTL.parse("hostnamectl", process.argv[1:])
    if "-H" in parsed:
        raise NotSimulated("hostnamectl --host")
    machine = machine_of(process)
    static = machine.read_text("/etc/hostname").strip()
    verb, *operands = parsed.operands or ["status"]
    if verb in ("set-hostname", "hostname") and operands:
        return _set_hostname(process, operands[0])
    if verb == "hostname" or "--static" in parsed or "--transient" in parsed:
        process.out(f"{machine.name if '--transient' in parsed else static}\n")
        return 0
    if "--pretty" in parsed:
        process.out("\n")
        return 0
    if verb != "status":
        raise NotSimulated(f"hostnamectl {verb}")
    if parsed.get("--json") in ("pretty", "short"):
        fields = {"Hostname": machine.name, "StaticHostname": static, "PrettyHostname": None,
                  "Chassis": "vm", "KernelName": "Linux", "KernelRelease": machine.kernel.release,
                  "OperatingSystemPrettyName": machine.distribution.pretty}  # fmt: skip
        pretty = parsed.get("--json") == "pretty"
        text = json.dumps(fields, indent="\t" if pretty else None)
        process.out(f"{text}\n")
        return 0
    machine_id = machine.read_text("/etc/machine-id").strip()
    process.out(
        f" Static hostname: {static}\n"
        "       Icon name: computer-vm\n"
        "         Chassis: vm 🖴\n"
        f"      Machine ID: {machine_id}\n"
        f"         Boot ID: {machine.boot_id.replace('-', '')}\n"
        "  Virtualization: microsoft\n"
        f"Operating System: {machine.distribution.pretty}\n"
        f"          Kernel: Linux {machine.kernel.release}\n"
        "    Architecture: x86-64\n"
        " Hardware Vendor: Microsoft Corporation\n"
        "  Hardware Model: Virtual Machine\n"
    )
    return 0


def _set_hostname(process: Process, name: str) -> int:
    if process.user != "root":
        process.err("Could not set static hostname: Interactive authentication required.\n")
        return 1
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?", name):
        process.err(f"Could not set static hostname: Invalid static hostname '{name}'\n")
        return 1
    machine = machine_of(process)
    with machine.lock:
        machine.write_file("/etc/hostname", f"{name}\n")
        machine.name = name
    return 0


def timedatectl(process: Process) -> int:
    """Run timedatectl."""
    parsed = _TIMEDATECTL.parse("timedatectl", process.argv[1:])
    machine = machine_of(process)
    zone = machine.read_text("/etc/timezone").strip()
    verb, *operands = parsed.operands or ["status"]
    ntp = any(
        machine.units.state(f"{name}.service").active == "active"
        for name in ("chrony", "systemd-timesyncd")
    )
    able = any(machine.units.load(f"{name}.service") for name in ("chrony", "systemd-timesyncd"))
    now = time.time()
    if verb == "show":
        found = {
            "Timezone": zone,
            "LocalRTC": "no",
            "CanNTP": _yes(able),
            "NTP": _yes(ntp),
            "NTPSynchronized": _yes(machine.clock_synchronized),
            "TimeUSec": time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(now)),
        }
        wanted = [one for text in parsed.all("-p") + parsed.all("-P") for one in text.split(",")]
        for key, value in found.items():
            if not wanted or key in wanted:
                process.out(
                    f"{value}\n" if "--value" in parsed or "-P" in parsed else f"{key}={value}\n"
                )
        return 0
    if verb == "status":
        clock = time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(now))
        process.out(
            f"               Local time: {clock} UTC\n"
            f"           Universal time: {clock} UTC\n"
            f"                 RTC time: {clock}\n"
            f"                Time zone: {zone} (UTC, +0000)\n"
            f"System clock synchronized: {_yes(machine.clock_synchronized)}\n"
            f"              NTP service: {'active' if ntp else 'inactive' if able else 'n/a'}\n"
            "          RTC in local TZ: no\n"
        )
        return 0
    if process.user != "root":
        process.err(f"Failed to {verb.replace('-', ' ')}: Interactive authentication required.\n")
        return 1
    if verb == "set-ntp" and operands:
        if not able:
            process.err("Failed to set ntp: NTP not supported\n")
            return 1
        name = (
            "chrony.service"
            if machine.units.load("chrony.service")
            else "systemd-timesyncd.service"
        )
        if operands[0] in ("true", "1", "yes", "on"):
            machine.units.start(name)
        else:
            machine.units.stop(name)
        return 0
    if verb == "set-timezone" and operands and operands[0] in ("UTC", "Etc/UTC"):
        machine.write_file("/etc/timezone", f"{operands[0]}\n")
        return 0
    raise NotSimulated(" ".join(["timedatectl", verb, *operands]))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def uname(process: Process) -> int:
    """Run uname."""
    parsed = _UNAME.parse("uname", process.argv[1:])
    machine = machine_of(process)
    ubuntu = machine.distribution.fields["ID"] == "ubuntu"
    unknown = "x86_64" if ubuntu else "unknown"  # what a vendor makes of coreutils' question
    parts = {
        "-s": "Linux",
        "-n": machine.name,
        "-r": machine.kernel.release,
        "-v": machine.kernel.version,
        "-m": "x86_64",
        "-p": unknown,
        "-i": unknown,
        "-o": "GNU/Linux",
    }
    if "-a" in parsed:
        shown = [parts[key] for key in ("-s", "-n", "-r", "-v", "-m", "-o")]
    else:
        shown = [value for key, value in parts.items() if key in parsed] or ["Linux"]
    process.out(" ".join(shown) + "\n")
    return 0


def nproc(process: Process) -> int:
    """Run nproc."""
    Options(flags="--all").parse("nproc", process.argv[1:])
    process.out(f"{machine_of(process).kernel.cpus}\n")
    return 0


def lscpu(process: Process) -> int:
    """Run lscpu."""
    Options().parse("lscpu", process.argv[1:])
    cpus = machine_of(process).kernel.cpus
    rows = {
        "Architecture": "x86_64",
        "CPU op-mode(s)": "32-bit, 64-bit",
        "Byte Order": "Little Endian",
        "CPU(s)": str(cpus),
        "On-line CPU(s) list": f"0-{cpus - 1}" if cpus > 1 else "0",
        "Vendor ID": "GenuineIntel",
        "Model name": "Lab CPU",
        "Thread(s) per core": "1",
        "Core(s) per socket": str(cpus),
        "Socket(s)": "1",
        "Hypervisor vendor": "Microsoft",
        "Virtualization type": "full",
    }
    process.out("".join(f"{key + ':':<33}{value}\n" for key, value in rows.items()))
    return 0


def free(process: Process) -> int:
    """Run free."""
    parsed = _FREE.parse("free", process.argv[1:])
    kernel = machine_of(process).kernel
    swap = sum(area.size for area in kernel.swap) * 1024
    total = kernel.memory
    numbers = [
        total,
        total * 2 // 10,
        total * 6 // 10,
        total // 400,
        total * 2 // 10,
        total * 8 // 10,
    ]
    scale = {"-b": 1, "-m": 1024**2, "-g": 1024**3}
    unit = next((size for key, size in scale.items() if key in parsed), 1024)

    def show(value: int) -> str:
        if "-h" not in parsed:
            return str(value // unit)
        size = float(value)
        for letter in ("B", "Ki", "Mi", "Gi"):
            if size < 1024 or letter == "Gi":
                return (
                    f"{size:.1f}{letter}"
                    if 0 < size < 10 and letter != "B"
                    else f"{size:.0f}{letter}"
                )
            size /= 1024
        return ""

    names = ("total", "used", "free", "shared", "buff/cache", "available")
    process.out(" " * 8 + "".join(f"{name:>12}" for name in names) + "\n")
    process.out("Mem:    " + "".join(f"{show(number):>12}" for number in numbers) + "\n")
    process.out("Swap:   " + "".join(f"{show(number):>12}" for number in (swap, 0, swap)) + "\n")
    return 0


def df(process: Process) -> int:
    """Run df."""
    parsed = _DF.parse("df", process.argv[1:])
    for option in ("-i", "--output", "-t", "-x", "-H"):
        if option in parsed:
            raise NotSimulated(f"df {option}")
    block = parsed.get("-B") or ("1M" if "-m" in parsed else "1K")
    units = {
        "1": 1,
        "1K": 1024,
        "K": 1024,
        "M": 1024**2,
        "1M": 1024**2,
        "G": 1024**3,
        "1G": 1024**3,
    }
    if block not in units:
        raise NotSimulated(f"df -B{block}")
    size = units[block]
    total, used = (kib * 1024 for kib in _DISK)

    def show(value: int) -> str:
        return f"{value / 1024**3:.0f}G" if "-h" in parsed else str(-(-value // size))

    title = "Size" if "-h" in parsed else {1024: "1024-blocks" if "-P" in parsed else "1K-blocks",
             1024**2: "1048576-blocks" if "-P" in parsed else "1M-blocks"}.get(size, f"{block}-blocks")  # fmt: skip
    code = 0
    for path in parsed.operands:
        if not Files(process).exists(path):
            process.err(f"df: {path}: No such file or directory\n")
            code = 1
    if code and not any(Files(process).exists(path) for path in parsed.operands):
        return code
    percent = -(-used * 100 // total)
    use = "Capacity" if "-P" in parsed else "Use%"
    kind = ("Type     ", "ext4     ") if "-T" in parsed else ("", "")
    free_bytes = total - used - total // 20
    cells = [show(total), show(used), show(free_bytes)]
    width = max(len(title), len(cells[0]))
    available = "Avail" if "-h" in parsed else "Available"
    process.out(
        f"Filesystem     {kind[0]}{title:>{width}} {'Used':>8} {available:>9} {use} Mounted on\n"
    )
    process.out(f"/dev/sda1      {kind[1]}{cells[0]:>{width}} {cells[1]:>8} {cells[2]:>9} "
                f"{percent:>{len(use) - 1}}% /\n")  # fmt: skip
    return code


def uptime(process: Process) -> int:
    """Run uptime."""
    parsed = Options(flags="-s,--since -p,--pretty").parse("uptime", process.argv[1:])
    machine = machine_of(process)
    if "-s" in parsed:
        process.out(time.strftime("%Y-%m-%d %H:%M:%S\n", time.gmtime(machine.booted_at)))
        return 0
    minutes = int(time.time() - machine.booted_at) // 60
    if "-p" in parsed:
        process.out(f"up {minutes} minutes\n")
        return 0
    now = time.strftime("%H:%M:%S", time.gmtime())
    process.out(f" {now} up {minutes} min,  1 user,  load average: 0.08, 0.03, 0.01\n")
    return 0


def systemd_detect_virt(process: Process) -> int:
    """Run systemd-detect-virt: a virtual machine, no container."""
    parsed = Options(flags="-c,--container -v,--vm -q,--quiet -r,--chroot").parse(
        "systemd-detect-virt", process.argv[1:]
    )
    container = "-c" in parsed or "-r" in parsed
    if "-q" not in parsed:
        process.out("none\n" if container else "microsoft\n")
    return 1 if container else 0


def lsb_release(process: Process) -> int:
    """Run lsb_release."""
    parsed = Options(
        flags="-a,--all -s,--short -c,--codename -r,--release -i,--id -d,--description"
    ).parse("lsb_release", process.argv[1:])
    fields = machine_of(process).os_release()
    rows = {
        "-i": ("Distributor ID", fields["ID"].capitalize()),
        "-d": ("Description", fields["PRETTY_NAME"]),
        "-r": ("Release", fields["VERSION_ID"]),
        "-c": ("Codename", fields["VERSION_CODENAME"]),
    }
    for key, (title, value) in rows.items():
        if "-a" in parsed or key in parsed:
            process.out(f"{value}\n" if "-s" in parsed else f"{title}:\t{value}\n")
    return 0
