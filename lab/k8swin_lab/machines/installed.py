"""Installed packages of a Linux machine: dpkg's database, and what installing one does to the disk."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_lab.internet.catalogue import catalogue
from k8swin_lab.internet.debs import Package, PackageFile, unpack
from k8swin_lab.internet.packages import debian_repository, docker_repository, kubernetes_repository
from k8swin_lab.machines.units import UnitError

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine


@dataclass(slots=True)
class Installed:
    """One package in dpkg's database."""

    package: Package
    files: list[str] = field(default_factory=list)
    hold: bool = False
    automatic: bool = False
    removed: bool = False  # only configuration files are left
    conffiles: dict[str, str] = field(default_factory=dict)  # MD5 of each as the package has it

    @property
    def status(self) -> str:
        want = "hold" if self.hold else ("deinstall" if self.removed else "install")
        return f"{want} ok {'config-files' if self.removed else 'installed'}"


class InstalledPackages:
    """dpkg's database; a fresh machine has the base system."""

    def __init__(self, machine: LinuxMachine) -> None:
        self._machine = machine
        self.table: dict[str, Installed] = {}
        self.holds: set[str] = set()
        for row in machine.distribution.packages.replace("\n", "|").split("|"):
            words = row.split()
            package = Package(words[0], words[1], f"{words[0]} of the base system")
            if words[2:]:
                package.architecture = words[2]
            self.table[words[0]] = Installed(package)
        self._write()

    def get(self, name: str) -> Installed | None:
        """Return an installed package, not one of which only configuration is left."""
        found = self.table.get(name)
        return found if found and not found.removed else None

    def provider(self, name: str) -> Installed | None:
        """Return an installed package of this name, or one that provides it."""
        if found := self.get(name):
            return found
        for one in list(self.table.values()):
            if not one.removed and name in one.package.provides:
                return one
        return None

    def install(self, content: PackageFile, *, automatic: bool = False) -> list[str]:
        """Put a package on the disk.

        Args:
            content: what the `.deb` holds.
            automatic: whether it comes only because another one needs it.

        Returns:
            What its installation prints besides dpkg's own lines (links of enabled units).
        """
        package, machine = content.package, self._machine
        old = self.table.get(package.name)
        kept = set(old.files if old else ()) - set(content.files)
        for path in sorted(kept - set(package.conffiles)):
            machine.path(path).unlink(missing_ok=True)
        for group in package.groups:
            self._add_group(group)
        for path, data in content.files.items():
            if path in package.conffiles and machine.exists(path):
                continue
            if isinstance(data, str):
                link = machine.root / path.lstrip("/")
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(data)
            else:
                program = data.startswith(b"#!")
                machine.write_file(path, data, 0o755 if program else 0o644)
        was_manual = old is not None and not old.automatic and not old.removed
        self.table[package.name] = Installed(
            package,
            list(content.files),
            package.name in self.holds,
            automatic and not was_manual,
            conffiles={
                path: hashlib.md5(data, usedforsecurity=False).hexdigest()
                for path, data in content.files.items()
                if path in package.conffiles and isinstance(data, bytes)
            },
        )
        if package.reboot and old and not old.removed:
            machine.write_file("/run/reboot-required", "*** System restart required ***\n")
            machine.write_file("/run/reboot-required.pkgs", f"{package.name}\n")
        self._write()
        return self._enable(package, fresh=old is None or old.removed)

    def _add_group(self, name: str) -> None:
        text = self._machine.read_text("/etc/group")
        if f"\n{name}:" in f"\n{text}":
            return
        taken = {int(line.split(":")[2]) for line in text.splitlines() if line.count(":") == 3}
        number = next(one for one in range(998, 100, -1) if one not in taken)
        self._machine.write_file("/etc/group", f"{text.rstrip()}\n{name}:x:{number}:\n")

    def _enable(self, package: Package, *, fresh: bool) -> list[str]:
        said: list[str] = []
        units = self._machine.units
        for name in package.enable:
            unit = units.load(name)
            if unit is None or unit.masked:
                continue
            if fresh:
                said += units.enable(unit)
            try:
                if units.state(name).active == "active":
                    units.restart(name)
                else:
                    units.start(name)
            except UnitError as error:
                said += str(error).splitlines()
        return said

    def remove(self, name: str, *, purge: bool) -> None:
        """Take a package off the disk; without `purge` its configuration stays."""
        found = self.table[name]
        for unit in found.package.enable:
            if self._machine.units.load(unit):
                self._machine.units.stop(unit)
        for path in found.files:
            if purge or path not in found.package.conffiles:
                (self._machine.root / path.lstrip("/")).unlink(missing_ok=True)
        left = [path for path in found.files if path in found.package.conffiles]
        if purge or not left:
            del self.table[name]
        else:
            found.removed, found.files = True, left
        self.holds.discard(name)
        self._write()

    def hold(self, name: str, *, on: bool) -> None:
        """Set or cancel a package's hold."""
        if on:
            self.holds.add(name)
        else:
            self.holds.discard(name)
        if name in self.table:
            self.table[name].hold = on
        self._write()

    def preinstall(self, names: list[str]) -> None:
        """Put packages of the known vendors on a new machine, with what they need."""
        minor = list(catalogue()["kubernetes"])[-2]
        files: dict[str, PackageFile] = {}
        for repository in (
            debian_repository(),
            docker_repository("bookworm"),
            kubernetes_repository(minor),
        ):
            for content in repository.packages.values():
                if (found := unpack(content)) and (
                    found.package.name not in files
                    or compare(files[found.package.name].package.version, found.package.version) < 0
                ):
                    files[found.package.name] = found
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if self.provider(name) or name not in files:
                continue
            self.install(files[name], automatic=name not in names)
            waiting += [depend.split()[0] for depend in files[name].package.depends]

    def _write(self) -> None:
        paragraphs = []
        for one in sorted(self.table.values(), key=lambda entry: entry.package.name):
            package = one.package
            text = f"Package: {package.name}\nStatus: {one.status}\nArchitecture: {package.architecture}\n"
            text += f"Version: {package.version}\n"
            if package.depends:
                text += f"Depends: {', '.join(package.depends)}\n"
            paragraphs.append(f"{text}Description: {package.description}\n")
        self._machine.write_file("/var/lib/dpkg/status", "\n".join(paragraphs))


# Versions


def compare(one: str, other: str) -> int:
    """Compare two package versions as dpkg does; returns -1, 0 or 1."""
    epoch, upstream, revision = _parts(one)
    epoch2, upstream2, revision2 = _parts(other)
    if epoch != epoch2:
        return -1 if epoch < epoch2 else 1
    return _compare_part(upstream, upstream2) or _compare_part(revision, revision2)


version_key = functools.cmp_to_key(compare)


def _parts(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (
        int(epoch) if epoch.isdigit() else 0,
        upstream if dash else rest,
        revision if dash else "0",
    )


def _compare_part(one: str, other: str) -> int:
    pieces = zip(_pieces(one), _pieces(other), strict=False)
    for (text, number), (text2, number2) in pieces:
        if text != text2:
            return -1 if [_weight(c) for c in text] + [0] < [_weight(c) for c in text2] + [0] else 1
        if number != number2:
            return -1 if number < number2 else 1
    return 0


def _pieces(part: str) -> list[tuple[str, int]]:
    found = [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", part)]
    return found + [("", 0)] * (32 - len(found))


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Tell whether a version stands in a relation (<<, <=, =, >=, >>) to another."""
    order = compare(version, wanted)
    return {
        "<<": order < 0,
        "<=": order <= 0,
        "=": order == 0,
        ">=": order >= 0,
        ">>": order > 0,
    }[operator]
