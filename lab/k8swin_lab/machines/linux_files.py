"""The files of a Linux machine: paths, owners, and those configuration files that others read."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import Program


class LinuxFiles(Machine):
    """The disk half of a Linux machine."""

    root: Path
    user: str
    programs: dict[str, Program]
    _owners: dict[str, tuple[str, str]]

    @abstractmethod
    def proc_files(self) -> dict[str, bytes]:
        """Return the files of /proc and /sys that belong to the machine."""

    @abstractmethod
    def write_proc(self, path: str, data: bytes) -> None:
        """Take what was written to a file under /proc/sys."""

    @abstractmethod
    def filesystem_type(self, path: str) -> str:
        """Return what `stat -f -c %T` prints for a path."""

    def path(self, path: str) -> Path:
        """Return the host's path of an absolute path of the machine, links followed.

        Neither the path nor the directories above it need exist.
        """
        try:
            return Disk(self, "/").host(path)
        except FileNotFoundError:
            above, _, name = path.rstrip("/").rpartition("/")
            return self.path(above or "/") / name

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""
        return Disk(self, "/").exists(path)

    def read_text(self, path: str) -> str:
        """Return a text file of the machine."""
        return self.path(path).read_text(errors="replace")

    def write_file(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file of the machine, owned by root, with the directories it needs."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        self._owners.pop(path, None)

    def owner_of(self, path: str) -> tuple[str, str]:
        """Return user and group of a path; homes belong to their users unless said otherwise."""
        with self.lock:
            if path in self._owners:
                return self._owners[path]
        home = f"/home/{self.user}"
        if path == home or path.startswith(f"{home}/"):
            return self.user, self.user
        return "root", "root"

    def set_owner(self, path: str, user: str, group: str) -> None:
        """Change the owner of a path; an empty name keeps what is there."""
        with self.lock:
            old_user, old_group = self.owner_of(path)
            self._owners[path] = (user or old_user, group or old_group)

    def fstab(self) -> list[list[str]]:
        """Return the fields of the lines of /etc/fstab, comments left out."""
        try:
            lines = self.read_text("/etc/fstab").splitlines()
        except OSError:
            return []
        rows = [
            line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")
        ]
        return [row for row in rows if len(row) >= 3]

    def host_addresses(self) -> dict[str, str]:
        """Return the names in /etc/hosts."""
        found: dict[str, str] = {}
        try:
            lines = self.read_text("/etc/hosts").splitlines()
        except OSError:
            return found
        for line in lines:
            words = line.partition("#")[0].split()
            for name in words[1:]:
                if ":" not in words[0]:
                    found.setdefault(name.lower(), words[0])
        return found

    def configuration(self, directory: str) -> list[tuple[str, str]]:
        """Return path and text of the files of a drop-in directory, in the order they count.

        A file of /etc hides one of the same name in /run or /usr/lib.
        """
        found: dict[str, str] = {}
        for base in ("/usr/lib", "/run", "/etc"):
            folder = f"{base}/{directory}"
            disk = Disk(self, "/")
            if disk.is_dir(folder):
                for name in disk.list(folder):
                    if name.endswith(".conf"):
                        found[name] = f"{folder}/{name}"
        return [(found[name], self.read_text(found[name])) for name in sorted(found)]

    def os_release(self) -> dict[str, str]:
        """Return the fields of /etc/os-release."""
        pairs = (line.partition("=") for line in self.read_text("/etc/os-release").splitlines())
        return {key: value.strip('"') for key, _, value in pairs}
