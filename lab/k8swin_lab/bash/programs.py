"""The files through which a machine's programs appear on its disk.

A program is found as bash finds any other: as an executable file on PATH. Such a file starts with
`#!/.k8swin-lab/run NAME VERSION`. Packages of the machine bring their own; this module writes one
for every program that has none, and takes it away when the program goes.
"""

from __future__ import annotations

import re
from pathlib import Path

from k8swin_lab.machines.program import Program
from k8swin_lab.machines.shell import LAB, BinarySource, ShellMachine

_FIRST_LINE = re.compile(rb"#!/\.k8swin-lab/run ([^\s]+)(?: ([^\s]+))?\s*\n")
_DIRECTORIES = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin")
_MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_SYSTEM = frozenset(
    [
        "adduser",
        "addgroup",
        "arp",
        "blkid",
        "chpasswd",
        "deluser",
        "depmod",
        "dmidecode",
        "ethtool",
        "fdisk",
        "groupadd",
        "groupdel",
        "ifconfig",
        "insmod",
        "ip6tables",
        "iptables",
        "iptables-restore",
        "iptables-save",
        "ipset",
        "ipvsadm",
        "kexec",
        "ldconfig",
        "lsmod",
        "mkfs",
        "mkswap",
        "modinfo",
        "modprobe",
        "nft",
        "parted",
        "reboot",
        "rmmod",
        "route",
        "shutdown",
        "sshd",
        "swapoff",
        "swapon",
        "sysctl",
        "tc",
        "ufw",
        "update-alternatives",
        "useradd",
        "userdel",
        "usermod",
        "visudo",
    ]
)


def named_in(path: Path) -> tuple[str, str] | None:
    """Return the program name and version a file stands for, or None when it is any other file."""
    try:
        with path.open("rb") as file:
            found = _FIRST_LINE.match(file.read(200))
    except OSError:
        return None
    if not found:
        return None
    return found[1].decode(), (found[2] or b"").decode()


def program_of(
    machine: ShellMachine, own: dict[str, Program], name: str, version: str
) -> Program | None:
    """Return what runs for a program file: the machine's program, or a tool of the shell."""
    if name in machine.programs:
        return machine.programs[name]
    if isinstance(machine, BinarySource) and (found := machine.binary(name, version)):
        return found
    return own.get(name)


class ProgramFiles:
    """Keeps one machine's disk in step with its programs."""

    def __init__(
        self, machine: ShellMachine, own: dict[str, Program], host: dict[str, str]
    ) -> None:
        """Say what there is besides the machine's programs.

        Args:
            machine: whose disk it is.
            own: the shell's tools that are written in Python.
            host: tools of the host by name, with the path they have inside the private root.
        """
        self._machine = machine
        self._own = own
        self._host = host
        self._seen: frozenset[str] = frozenset()
        self._written: dict[str, Path] = {}

    def lay_out(self) -> None:
        """Make the directories every Linux disk has, and the tools of a base system."""
        root = self._machine.root
        for directory in (*_DIRECTORIES, "etc", "var", "home", "opt", "run", "srv", "usr/lib"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        for directory in ("tmp", "var/tmp"):
            (root / directory).mkdir(parents=True, exist_ok=True)
            (root / directory).chmod(0o1777)
        (root / "root").mkdir(mode=0o700, exist_ok=True)
        for directory in ("dev", "proc", "sys"):
            (root / directory).mkdir(exist_ok=True)
        for link, target in _MERGED.items():
            if not (root / link).is_symlink() and not (root / link).exists():
                (root / target).mkdir(parents=True, exist_ok=True)
                (root / link).symlink_to(target)
        for name, target in self._host.items():
            if name in self._machine.programs or name in self._own:
                continue
            path = root / "usr/bin" / name
            if path.is_symlink() and str(path.readlink()) == target:
                continue
            if self._ours(path) or not path.exists():
                path.unlink(missing_ok=True)
                path.symlink_to(target)
        self.refresh()

    def refresh(self) -> None:
        """Write files for programs that came, remove files of programs that went."""
        present = frozenset(self._machine.programs) | frozenset(self._own)
        if present == self._seen:
            return
        for name in present - self._seen:
            self._add(name)
        for name in self._seen - present:
            self._remove(name)
        self._seen = present

    def _add(self, name: str) -> None:
        root = self._machine.root
        for directory in _DIRECTORIES:
            path = root / directory / name
            if path.is_symlink() and self._ours(path):
                path.unlink()
            elif path.exists():
                return
        path = root / ("usr/sbin" if name in _SYSTEM else "usr/bin") / name
        path.write_text(f"#!{LAB}/run {name}\n")
        path.chmod(0o755)
        self._written[name] = path

    def _remove(self, name: str) -> None:
        path = self._written.pop(name, None)
        if path and named_in(path) == (name, ""):
            path.unlink()
        target = self._host.get(name)
        path = self._machine.root / "usr/bin" / name
        if target and not path.exists():
            path.symlink_to(target)

    @staticmethod
    def _ours(path: Path) -> bool:
        if path.is_symlink():
            return str(path.readlink()).startswith(LAB)
        return path.is_file() and named_in(path) is not None
