"""modprobe, lsmod, rmmod and sysctl."""

from __future__ import annotations

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.linux.files import Files, explain, machine_of
from k8swin_lab.machines.kernel import KNOWN_MODULES, setting_path
from k8swin_lab.machines.program import NotSimulated, Process

_MODPROBE = Options(
    flags="-a,--all -r,--remove -q,--quiet -n,--dry-run --show -v,--verbose --first-time"
)
_SYSCTL = Options(
    flags="-n,--values -w,--write -q,--quiet -e,--ignore -a,--all --system -N,--names",
    optional="--load",
)


def modprobe(process: Process) -> int:
    """Run modprobe."""
    parsed = _MODPROBE.parse("modprobe", process.argv[1:])
    machine = machine_of(process)
    code = 0
    names = parsed.operands if "-a" in parsed or "-r" in parsed else parsed.operands[:1]
    for name in names:
        plain = name.replace("-", "_")
        if plain not in KNOWN_MODULES and plain not in machine.kernel.modules:
            if "-q" not in parsed:
                process.err(
                    f"modprobe: FATAL: Module {name} not found in directory /lib/modules/{machine.kernel.release}\n"
                )
            code = 1
        elif process.user != "root":
            process.err(f"modprobe: ERROR: could not insert '{plain}': Operation not permitted\n")
            code = 1
        elif "-n" in parsed:
            continue
        elif "-r" in parsed:
            if (why := machine.kernel.unload(name)) and "not currently loaded" not in why:
                process.err(f"modprobe: FATAL: {why}\n")
                code = 1
        else:
            with machine.lock:
                machine.kernel.load(name)
    return code


def rmmod(process: Process) -> int:
    """Run rmmod."""
    machine = machine_of(process)
    code = 0
    for name in Options().parse("rmmod", process.argv[1:]).operands:
        if why := machine.kernel.unload(name):
            process.err(f"rmmod: ERROR: {why}\n")
            code = 1
    return code


def lsmod(process: Process) -> int:
    """Run lsmod."""
    process.out(f"{'Module':<20} {'Size':>8}  Used by\n")
    for line in machine_of(process).proc_files()["/proc/modules"].decode().splitlines():
        name, size, count, users, *_ = line.split()
        by = "" if users == "-" else users.rstrip(",")
        process.out(f"{name:<20} {size:>8}  {count}{f' {by}' if by else ''}\n")
    return 0


def sysctl(process: Process) -> int:
    """Run sysctl."""
    arguments = []
    load: list[str] | None = None
    for word in process.argv[1:]:
        if word == "-p" or word.startswith(("--load", "-p")):
            load = [] if load is None else load
            if value := word.partition("=")[2] or (word[2:] if word.startswith("-p") else ""):
                load.append(value)
        else:
            arguments.append(word)
    parsed = _SYSCTL.parse("sysctl", arguments)
    if load is not None:
        return _load(
            process,
            [*load, *parsed.operands] or ["/etc/sysctl.conf"],
            "-q" in parsed,
            "-e" in parsed,
        )
    if "--system" in parsed:
        return _system(process, "-q" in parsed)
    if "-a" in parsed:
        prefix = "/proc/sys/"
        for path, content in sorted(machine_of(process).proc_files().items()):
            if path.startswith(prefix):
                name = path.removeprefix(prefix).replace("/", ".")
                process.out(f"{name} = {content.decode().strip()}\n")
        return 0
    if not parsed.operands:
        raise NotSimulated("sysctl without a name")
    code = 0
    for operand in parsed.operands:
        name, equals, value = operand.partition("=")
        if equals:
            code |= _set(process, name.strip(), value.strip(), "-q" in parsed, "-e" in parsed)
        else:
            code |= _get(process, name, parsed)
    return code


def _get(process: Process, name: str, options: Parsed) -> int:
    dotted = name.replace("/", ".")
    path = f"/proc/sys/{setting_path(dotted)}"
    found = machine_of(process).proc_files().get(path)
    if found is None:
        if "-e" not in options:
            process.err(f"sysctl: cannot stat {path}: No such file or directory\n")
            return 1
        return 0
    value = found.decode().strip()
    if "-N" in options:
        process.out(f"{dotted}\n")
    else:
        process.out(f"{value}\n" if "-n" in options else f"{dotted} = {value}\n")
    return 0


def _set(process: Process, name: str, value: str, quiet: bool, ignore: bool) -> int:
    dotted = name.replace("/", ".")
    path = f"/proc/sys/{setting_path(dotted)}"
    machine = machine_of(process)
    if path not in machine.proc_files():
        if not ignore:
            process.err(f"sysctl: cannot stat {path}: No such file or directory\n")
        return 0 if ignore else 255
    if process.user != "root":
        process.err(f'sysctl: permission denied on key "{dotted}"\n')
        return 255
    try:
        with machine.lock:
            machine.kernel.set(dotted, value)
    except PermissionError:
        process.err(f'sysctl: permission denied on key "{dotted}", ignoring\n')
        return 255
    if not quiet:
        process.out(f"{dotted} = {value}\n")
    return 0


def _load(process: Process, paths: list[str], quiet: bool, ignore: bool) -> int:
    code = 0
    for path in paths:
        try:
            text = Files(process).read(path).decode(errors="replace")
        except OSError as error:
            process.err(f'sysctl: cannot open "{path}": {explain(error)}\n')
            code = 255
            continue
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if not stripped or stripped[0] in "#;":
                continue
            name, equals, value = stripped.partition("=")
            if not equals:
                process.err(f"sysctl: {path}({number}): invalid syntax, continuing...\n")
                continue
            optional = name.startswith("-")
            result = _set(
                process, name.strip().lstrip("-"), value.strip(), quiet, ignore or optional
            )
            code = code or result
    return code


def _system(process: Process, quiet: bool) -> int:
    machine = machine_of(process)
    found = [path for path, _ in machine.configuration("sysctl.d")]
    if not quiet:
        for path in [*found, "/etc/sysctl.conf"]:
            process.out(f"* Applying {path} ...\n")
    code = 0
    for path in [*found, "/etc/sysctl.conf"]:
        code = _load(process, [path], quiet, False) or code
    return code
