"""apt-get and apt: reading lists, installing, upgrading, removing."""

from __future__ import annotations

import fnmatch

from k8swin_lab.arguments import MissingValue, Options, Parsed, refuse_option
from k8swin_lab.internet.debs import unpack
from k8swin_lab.linux import apt_sources
from k8swin_lab.linux.apt_plan import AptError, Plan, dependents, resolve
from k8swin_lab.linux.apt_sources import Offer, size_text
from k8swin_lab.linux.files import machine_of, read_all
from k8swin_lab.machines.installed import compare
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.web_client import WebError

_OPTIONS = Options(
    flags="-y,--yes,--assume-yes -q,--quiet -s,--simulate,--just-print,--dry-run,--recon,--no-act"
    " -qq --no-install-recommends --install-recommends --allow-change-held-packages --allow-downgrades"
    " --reinstall -f,--fix-broken --purge --auto-remove,--autoremove --only-upgrade --no-upgrade"
    " --allow-unauthenticated -m,--ignore-missing,--fix-missing -d,--download-only --no-remove"
    " --force-yes --installed --upgradable -v,--version --allow-releaseinfo-change -V",
    values="-o,--option -t,--target-release",
)
_KNOWN_SETTINGS = (
    "Dpkg::Options::",
    "DPkg::Lock::Timeout",
    "Dpkg::Lock::Timeout",
    "Acquire::",
    "APT::",
    "Debug::NoLocking",
    "Dpkg::Use-Pty",
    "DPkg::Use-Pty",
)
"""Settings whose effect does not show in the lab; any other is not simulated."""


def apt_get(process: Process) -> int:
    """Run apt-get or apt."""
    name = process.argv[0].rpartition("/")[2]
    try:
        parsed = _OPTIONS.parse(name, process.argv[1:])
    except MissingValue as error:
        process.err(f"E: Command line option {error} requires an argument.\n")
        return 100
    for setting in parsed.all("-o"):
        if not setting.startswith(_KNOWN_SETTINGS):
            raise NotSimulated(f"{name} -o {setting}")
    if "-d" in parsed or "-t" in parsed:
        raise NotSimulated(f"{name} {'--download-only' if '-d' in parsed else '--target-release'}")
    if "-v" in parsed:
        process.out("apt 2.6.1 (amd64)\n")
        return 0
    if name == "apt":
        process.err(
            "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n"
        )
    verb, *operands = parsed.operands or [""]
    commands = {
        "update": _update,
        "install": _install,
        "upgrade": _upgrade,
        "dist-upgrade": _upgrade,
        "full-upgrade": _upgrade,
        "remove": _remove,
        "purge": _remove,
        "autoremove": _autoremove,
        "clean": _clean,
        "autoclean": _clean,
        "check": _check,
    }
    if name == "apt":
        commands["list"] = _list
    if verb not in commands:
        refuse_option(name, verb)
        process.err(f"E: Invalid operation {verb}\n" if verb else "E: No operation given\n")
        return 100
    machine = machine_of(process)
    if process.user != "root" and "-s" not in parsed and verb not in ("check", "list"):
        lock = "/var/lib/apt/lists/lock" if verb == "update" else "/var/lib/dpkg/lock-frontend"
        process.err(f"E: Could not open lock file {lock} - open (13: Permission denied)\n")
        tail = (
            "E: Unable to lock directory /var/lib/apt/lists/\n"
            if verb == "update"
            else "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n"
        )
        process.err(tail)
        return 100
    if verb == "purge":
        parsed.options.append(("--purge", ""))
    try:
        return commands[verb](process, machine, parsed, operands)
    except ValueError as error:
        process.err(f"E: {error}\nE: The list of sources could not be read.\n")
        return 100
    except AptError as error:
        process.err(f"{error}\n")
        return 100


def _say(process: Process, parsed: Parsed, text: str) -> None:
    if "-qq" not in parsed and len(parsed.all("-q")) < 2:
        process.out(f"{text}\n")


def _reading(process: Process, parsed: Parsed) -> None:
    _say(process, parsed, "Reading package lists...")
    _say(process, parsed, "Building dependency tree...")
    _say(process, parsed, "Reading state information...")


def _update(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    done = apt_sources.update(machine, apt_sources.sources(machine))
    for line in done.lines:
        _say(process, parsed, line)
    if done.fetched:
        speed = size_text(done.fetched * 2)
        _say(process, parsed, f"Fetched {size_text(done.fetched)} in 1s ({speed}/s)")
    _say(process, parsed, "Reading package lists...")
    for text in done.warnings:
        process.err(f"W: {text}\n")
    if done.warnings and not done.errors:
        if any(text.startswith("Failed to fetch") for text in done.warnings):
            process.err(
                "W: Some index files failed to download. They have been ignored, or old ones used instead.\n"
            )
        return 0
    for text in done.errors:
        process.err(f"E: {text}\n")
    return 100 if done.errors else 0


def _check(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    _reading(process, parsed)
    return 0


def _clean(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    for entry in machine.path("/var/cache/apt/archives").iterdir():
        entry.unlink()
    return 0


def _install(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    _reading(process, parsed)
    offered = apt_sources.offers(machine)
    plan = Plan()
    held_changed = []
    for operand in operands:
        if operand.endswith(".deb"):
            raise NotSimulated(f"apt-get install {operand}")
        offer = _chosen(process, machine, parsed, offered, operand, plan)
        if offer is None:
            continue
        if offer.name in machine.installed.holds and machine.installed.get(offer.name):
            held_changed.append(offer.name)
        old = machine.installed.get(offer.name)
        if (
            old
            and compare(offer.version, old.package.version) < 0
            and ("--allow-downgrades" not in parsed and "--force-yes" not in parsed)
        ):
            plan.errors.append("downgraded")
        plan.install.append(offer)
    if plan.errors and "downgraded" not in plan.errors:
        raise AptError("\n".join(plan.errors))
    resolve(process, machine, offered, plan)
    _summary(process, machine, parsed, plan)
    if "downgraded" in plan.errors:
        raise AptError("E: Packages were downgraded and -y was used without --allow-downgrades.")
    if (
        held_changed
        and "--allow-change-held-packages" not in parsed
        and "--force-yes" not in parsed
    ):
        raise AptError(
            "E: Held packages were changed and -y was used without --allow-change-held-packages."
        )
    return _carry_out(process, machine, parsed, plan)


def _chosen(
    process: Process,
    machine: LinuxMachine,
    parsed: Parsed,
    offered: list[Offer],
    operand: str,
    plan: Plan,
) -> Offer | None:
    """Return the version that an operand asks for; None when there is nothing to do."""
    name, equals, wanted = operand.partition("=")
    name = name.partition(":")[0]
    own = [one for one in offered if one.name == name]
    old = machine.installed.get(name)
    if not own and not equals:
        if old:
            _say(process, parsed, f"{name} is already the newest version ({old.package.version}).")
            return None
        own = apt_sources.matching(offered, (name, "", ""))
        if not own:
            apt_sources.refuse_package(offered, name)
            plan.errors.append(f"E: Unable to locate package {name}")
            return None
        _say(process, parsed, f"Note, selecting '{own[0].name}' instead of '{name}'")
        return _chosen(process, machine, parsed, offered, own[0].name, plan)
    fitting = [one for one in own if fnmatch.fnmatchcase(one.version, wanted)] if equals else own
    if equals and not fitting:
        if old and fnmatch.fnmatchcase(old.package.version, wanted):
            _say(process, parsed, f"{name} is already the newest version ({old.package.version}).")
            return None
        known = bool(own or old)
        if not known:
            apt_sources.refuse_package(offered, name)
        plan.errors.append(
            f"E: Version '{wanted}' for '{name}' was not found"
            if known
            else f"E: Unable to locate package {name}"
        )
        return None
    newest = apt_sources.best(fitting)
    if newest is None:
        return None
    if "*" in wanted:
        _say(process, parsed, f"Selected version '{newest.version}' "
             f"({newest.fields.get('Section', 'site')} [{newest.architecture}]) for '{name}'")  # fmt: skip
    if old and "--reinstall" not in parsed:
        order = compare(newest.version, old.package.version)
        if order == 0 or (order < 0 and not equals):
            _say(process, parsed, f"{name} is already the newest version ({old.package.version}).")
            old.automatic = False
            return None
        if (
            order > 0
            and not equals
            and name in machine.installed.holds
            and ("--allow-change-held-packages" not in parsed)
        ):
            plan.kept.append(name)
            return None
    if not old and "--only-upgrade" in parsed:
        _say(
            process,
            parsed,
            f"Skipping {name}, it is not installed and only upgrades are requested.",
        )
        return None
    return newest


def _upgrade(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    _reading(process, parsed)
    _say(process, parsed, "Calculating upgrade...")
    offered = apt_sources.offers(machine)
    plan = Plan()
    for name, one in sorted(machine.installed.table.items()):
        newest = apt_sources.best([offer for offer in offered if offer.name == name])
        if one.removed or newest is None or compare(newest.version, one.package.version) <= 0:
            continue
        if one.hold:
            plan.kept.append(name)
        else:
            plan.install.append(newest)
    resolve(process, machine, offered, plan)
    _summary(process, machine, parsed, plan)
    return _carry_out(process, machine, parsed, plan)


def _summary(process: Process, machine: LinuxMachine, parsed: Parsed, plan: Plan) -> None:
    table = machine.installed
    new = [offer.name for offer in plan.install if table.get(offer.name) is None]
    upgraded: list[str] = []
    downgraded: list[str] = []
    for offer in plan.install:
        if old := table.get(offer.name):
            order = compare(offer.version, old.package.version)
            (upgraded if order > 0 else downgraded).append(offer.name)
    lists = (
        ("The following packages have been kept back:", plan.kept),
        ("The following additional packages will be installed:", sorted(plan.automatic)),
        ("The following packages will be REMOVED:", plan.remove),
        ("The following NEW packages will be installed:", new),
        ("The following packages will be upgraded:", upgraded),
        ("The following packages will be DOWNGRADED:", downgraded),
        (
            "The following held packages will be changed:",
            [name for name in upgraded + downgraded if name in table.holds],
        ),
    )
    for title, names in lists:
        if names:
            _say(process, parsed, f"{title}\n  {' '.join(sorted(names))}")
    down = f"{len(downgraded)} downgraded, " if downgraded else ""
    _say(
        process,
        parsed,
        f"{len(upgraded)} upgraded, {len(new)} newly installed, {down}"
        f"{len(plan.remove)} to remove and {len(plan.kept)} not upgraded.",
    )


def _carry_out(process: Process, machine: LinuxMachine, parsed: Parsed, plan: Plan) -> int:
    if not plan.install and not plan.remove:
        return 0
    if "-s" in parsed:
        for name in plan.remove:
            process.out(f"Remv {name} [{machine.installed.table[name].package.version}]\n")
        for verb in ("Inst", "Conf"):
            for offer in plan.install:
                old = machine.installed.get(offer.name)
                was = f" [{old.package.version}]" if old and verb == "Inst" else ""
                process.out(f"{verb} {offer.name}{was} ({offer.version} {offer.source.title.strip()} "
                            f"[{offer.architecture}])\n")  # fmt: skip
        return 0
    if plan.install:
        _say(
            process,
            parsed,
            f"Need to get {size_text(sum(o.size for o in plan.install))} of archives.",
        )
        space = sum(int(offer.fields.get("Installed-Size", "0")) for offer in plan.install)
        _say(
            process,
            parsed,
            f"After this operation, {size_text(space * 1000)} of additional disk space will be used.",
        )
    needs_answer = plan.automatic or plan.remove or len(plan.install) > 1
    if needs_answer and "-y" not in parsed and "-qq" not in parsed:
        process.out("Do you want to continue? [Y/n] ")
        answer = read_all(process).decode(errors="replace").strip().lower()
        if not answer.startswith("y"):
            process.out("Abort.\n")
            return 1
    fetched = _download(process, machine, parsed, plan)
    for name in plan.remove:
        _say(
            process,
            parsed,
            f"Removing {name} ({machine.installed.table[name].package.version}) ...",
        )
        machine.installed.remove(name, purge="--purge" in parsed)
    return _unpack(process, machine, parsed, plan, fetched)


def _download(
    process: Process, machine: LinuxMachine, parsed: Parsed, plan: Plan
) -> dict[str, bytes]:
    fetched, failures = {}, []
    for number, offer in enumerate(plan.install, 1):
        where = f"{offer.source.title.rstrip()}"
        inner = f"/{offer.source.component} {offer.architecture}" if offer.source.component else " "
        try:
            fetched[offer.name] = apt_sources.download(machine, offer)
        except (WebError, ValueError) as error:
            text = error.apt_text if isinstance(error, WebError) else str(error)
            _say(
                process,
                parsed,
                f"Err:{number} {where}{inner} {offer.name} {offer.architecture} {offer.version}\n  {text}",
            )
            failures.append(f"E: Failed to fetch {offer.url}  {text}")
            continue
        _say(
            process,
            parsed,
            f"Get:{number} {where}{inner} {offer.name} {offer.version} [{size_text(offer.size)}]",
        )
    if failures:
        failures.append(
            "E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?"
        )
        raise AptError("\n".join(failures))
    return fetched


def _unpack(
    process: Process, machine: LinuxMachine, parsed: Parsed, plan: Plan, fetched: dict[str, bytes]
) -> int:
    order = [offer for offer in plan.install if offer.name in plan.automatic]
    order = order[::-1] + [offer for offer in plan.install if offer.name not in plan.automatic]
    contents = []
    for offer in order:
        content = unpack(fetched[offer.name])
        if content is None:
            raise AptError(
                f"dpkg-deb: error: '{offer.name}_{offer.version}.deb' is not a Debian format archive"
            )
        old = machine.installed.get(offer.name)
        if old is None:
            _say(process, parsed, f"Selecting previously unselected package {offer.name}.")
        file = f"{offer.name}_{offer.version.replace(':', '%3a')}_{offer.architecture}.deb"
        _say(process, parsed, f"Preparing to unpack .../{file} ...")
        over = f" over ({old.package.version})" if old else ""
        _say(process, parsed, f"Unpacking {offer.name} ({offer.version}){over} ...")
        contents.append((offer, content))
    for offer, content in contents:
        _say(process, parsed, f"Setting up {offer.name} ({offer.version}) ...")
        with machine.lock:
            said = machine.installed.install(content, automatic=offer.name in plan.automatic)
        for line in said:
            _say(process, parsed, line)
    return 0


def _remove(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    _reading(process, parsed)
    names: list[str] = []
    known = {offer.name for offer in apt_sources.offers(machine)}
    for operand in operands:
        if machine.installed.get(operand):
            names.append(operand)
        elif operand in machine.installed.table or operand in known:
            if "--purge" in parsed and operand in machine.installed.table:
                names.append(operand)
            else:
                _say(process, parsed, f"Package '{operand}' is not installed, so not removed")
        else:
            raise AptError(f"E: Unable to locate package {operand}")
    while added := dependents(machine, names):
        names += added
    plan = Plan(remove=names)
    _summary(process, machine, parsed, plan)
    held = [name for name in names if name in machine.installed.holds]
    if held and "--allow-change-held-packages" not in parsed and "-y" in parsed:
        raise AptError(
            "E: Held packages were changed and -y was used without --allow-change-held-packages."
        )
    return _carry_out(process, machine, parsed, plan)


def _autoremove(
    process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]
) -> int:
    _reading(process, parsed)
    table = machine.installed.table
    needed = {depend.split()[0] for one in table.values() for depend in one.package.depends}
    names = [name for name, one in table.items() if one.automatic and name not in needed]
    plan = Plan(remove=names)
    _summary(process, machine, parsed, plan)
    return _carry_out(process, machine, parsed, plan)


def _list(process: Process, machine: LinuxMachine, parsed: Parsed, operands: list[str]) -> int:
    process.out("Listing...\n")
    offered = apt_sources.offers(machine)
    for name, one in sorted(machine.installed.table.items()):
        if operands and name not in operands:
            continue
        newest = apt_sources.best([offer for offer in offered if offer.name == name])
        newer = newest is not None and compare(newest.version, one.package.version) > 0
        if "--upgradable" in parsed and newest and newer:
            process.out(f"{name}/{newest.source.suite} {newest.version} {newest.architecture} "
                        f"[upgradable from: {one.package.version}]\n")  # fmt: skip
        elif "--upgradable" not in parsed:
            process.out(
                f"{name}/now {one.package.version} {one.package.architecture} [installed,local]\n"
            )
    return 0
