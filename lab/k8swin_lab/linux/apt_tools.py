"""apt-cache and apt-mark."""

from __future__ import annotations

from k8swin_lab.arguments import Options, refuse_option
from k8swin_lab.linux import apt_sources
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.installed import version_key
from k8swin_lab.machines.program import NotSimulated, Process

_CACHE = Options(flags="-q,--quiet -a,--all-versions --no-all-versions", values="-o,--option")
_MARK = Options(flags="-q,--quiet -qq", values="-o,--option")


def apt_cache(process: Process) -> int:
    """Run apt-cache policy, madison or show."""
    parsed = _CACHE.parse("apt-cache", process.argv[1:])
    verb, *names = parsed.operands or [""]
    machine = machine_of(process)
    offered = apt_sources.offers(machine)
    if verb == "madison":
        for name in names:
            found = [offer for offer in offered if offer.name == name]
            for offer in sorted(found, key=lambda one: version_key(one.version), reverse=True):
                where = offer.source
                part = (
                    f"{where.suite}/{where.component} amd64 Packages"
                    if where.component
                    else " Packages"
                )
                process.out(f"{name:>10} | {offer.version} | {where.uri.rstrip('/')} {part}\n")
            if not found and not machine.installed.get(name):
                apt_sources.refuse_package(offered, name)
                process.err(f"N: Unable to locate package {name}\n")
        return 0
    if verb == "policy":
        for name in names:
            _policy(process, name, offered)
        return 0
    if verb == "show":
        code = 0
        for name in names:
            found = sorted(
                (offer for offer in offered if offer.name == name),
                key=lambda one: version_key(one.version),
                reverse=True,
            )
            for offer in found:
                text = "\n".join(f"{key}: {value}" for key, value in offer.fields.items())
                process.out(f"{text}\n\n")
            if not found:
                apt_sources.refuse_package(offered, name)
                process.err(f"N: Unable to locate package {name}\nE: No packages found\n")
                code = 100
        return code
    raise NotSimulated(f"apt-cache {verb}")


def _policy(process: Process, name: str, offered: list[apt_sources.Offer]) -> None:
    installed = machine_of(process).installed.get(name)
    found = sorted(
        (offer for offer in offered if offer.name == name),
        key=lambda one: version_key(one.version),
        reverse=True,
    )
    if not found and installed is None:
        apt_sources.refuse_package(offered, name)
        process.err(f"N: Unable to locate package {name}\n")
        return
    own = installed.package.version if installed else ""
    candidate = found[0].version if found else own
    process.out(
        f"{name}:\n  Installed: {own or '(none)'}\n  Candidate: {candidate}\n  Version table:\n"
    )
    versions = {offer.version: offer for offer in found}
    for version in sorted({*versions, *([own] if own else [])}, key=version_key, reverse=True):
        star = "***" if version == own else "   "
        process.out(f" {star} {version} {500 if version in versions else 100}\n")
        if version in versions:
            source = versions[version].source
            part = (
                f"{source.suite}/{source.component} amd64 Packages"
                if source.component
                else " Packages"
            )
            process.out(f"        500 {source.uri.rstrip('/')} {part}\n")
        if version == own:
            process.out("        100 /var/lib/dpkg/status\n")


def apt_mark(process: Process) -> int:
    """Run apt-mark hold, unhold, showhold, auto, manual, showmanual, showauto."""
    parsed = _MARK.parse("apt-mark", process.argv[1:])
    verb, *names = parsed.operands or [""]
    machine = machine_of(process)
    installed = machine.installed
    if verb in ("showhold", "showholds"):
        held = sorted(name for name in installed.holds if not names or name in names)
        process.out("".join(f"{name}\n" for name in held))
        return 0
    if verb in ("showmanual", "showauto"):
        wanted = verb == "showauto"
        found = [name for name, one in installed.table.items() if one.automatic == wanted]
        process.out("".join(f"{name}\n" for name in sorted(found)))
        return 0
    if verb not in ("hold", "unhold", "auto", "manual"):
        refuse_option("apt-mark", verb)
        process.err(f"E: Invalid operation {verb}\n")
        return 100
    if process.user != "root":
        process.err(
            "E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)\n"
        )
        return 100
    known = {offer.name for offer in apt_sources.offers(machine)} | set(installed.table)
    missing = [name for name in names if name not in known]
    for name in missing:
        process.err(f"E: Unable to locate package {name}\n")
    if missing:
        process.err("E: No packages found\n")
        return 100
    for name in names:
        process.out(f"{_mark(process, verb, name)}\n")
    return 0


def _mark(process: Process, verb: str, name: str) -> str:
    installed = machine_of(process).installed
    held = name in installed.holds
    if verb == "hold":
        installed.hold(name, on=True)
        return f"{name} was already set on hold." if held else f"{name} set on hold."
    if verb == "unhold":
        installed.hold(name, on=False)
        return f"Canceled hold on {name}." if held else f"{name} was already not on hold."
    one = installed.get(name)
    if one is None:
        return f"{name} can not be marked as it is not installed."
    wanted = verb == "auto"
    kind = "automatically" if wanted else "manually"
    if one.automatic == wanted:
        return f"{name} was already set to {kind} installed."
    one.automatic = wanted
    return f"{name} set to {kind} installed."
