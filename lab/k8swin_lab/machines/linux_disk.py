"""The disk of a freshly installed Linux server: a swap file, sshd and a user with sudo."""

from __future__ import annotations

import uuid
from pathlib import Path

from k8swin_lab.machines.distributions import Distribution

_SYSTEM_USERS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
"""
_SYSTEM_GROUPS = """\
root:x:0:
daemon:x:1:
adm:x:4:@USER@
mail:x:8:
sudo:x:27:@USER@
www-data:x:33:
systemd-journal:x:999:
systemd-network:x:998:
nogroup:x:65534:
"""
_UNIT = "[Unit]\nDescription={}\n\n[Service]\nType={}\nExecStart={}\n\n[Install]\nWantedBy={}\n"
_SERVICES = {
    "cron": ("Regular background program processing daemon", "simple", "/usr/sbin/cron -f", "multi-user.target"),
    "dbus": ("D-Bus System Message Bus", "notify", "/usr/bin/dbus-daemon --system", ""),
    "ssh": ("OpenBSD Secure Shell server", "notify", "/usr/sbin/sshd -D", "multi-user.target"),
    "systemd-journald": ("Journal Service", "notify", "/lib/systemd/systemd-journald", ""),
    "systemd-logind": ("User Login Management", "notify", "/lib/systemd/systemd-logind", ""),
    "systemd-networkd": ("Network Configuration", "notify", "/lib/systemd/systemd-networkd", "multi-user.target"),
    "systemd-modules-load": ("Load Kernel Modules", "oneshot", "/lib/systemd/systemd-modules-load", "sysinit.target"),
    "systemd-sysctl": ("Apply Kernel Variables", "oneshot", "/lib/systemd/systemd-sysctl", "sysinit.target"),
}  # fmt: skip
_PROGRAMS = (("usr/sbin/cron", "0"), ("usr/sbin/sshd", "0"))


def lay_out(
    root: Path, distribution: Distribution, name: str, address: str, user: str, *, swap: bool
) -> None:
    """Write the disk of a new machine.

    Args:
        root: the directory that becomes the machine's /.
        distribution: what is installed.
        name: host name.
        address: of eth0.
        user: a login user besides root, in the group sudo.
        swap: whether fstab has a line for /swap.img.
    """
    for directory in [
        "boot",
        "dev",
        "etc/apt/apt.conf.d",
        "etc/apt/keyrings",
        "etc/apt/sources.list.d",
        "etc/apt/trusted.gpg.d",
        "etc/default",
        "etc/modules-load.d",
        "etc/network",
        "etc/profile.d",
        "etc/ssh",
        "etc/ssl/certs",
        "etc/sudoers.d",
        "etc/sysctl.d",
        "etc/systemd/system/multi-user.target.wants",
        "home",
        "mnt",
        "opt",
        "proc",
        "root",
        "run/lock",
        "srv",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib/modules-load.d",
        "usr/lib/sysctl.d",
        "usr/lib/systemd/system",
        "usr/local/bin",
        "usr/local/sbin",
        "usr/local/share/ca-certificates",
        "usr/sbin",
        "usr/share/ca-certificates",
        "usr/share/keyrings",
        "var/cache/apt/archives",
        "var/lib/apt/lists",
        "var/lib/dpkg",
        "var/log/journal",
        "var/spool",
        "var/tmp",
    ]:
        (root / directory).mkdir(parents=True, exist_ok=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / link).mkdir(exist_ok=True)
        _link(root / link, f"usr/{link}")
    _link(root / "var/run", "/run")
    _link(root / "var/lock", "/run/lock")
    for directory in ("tmp", "var/tmp"):
        (root / directory).chmod(0o1777)
    (root / "root").chmod(0o700)
    identity = uuid.uuid4().hex
    archive_key = f"public key {distribution.key} of the archive, machine {identity}\n"
    _write(root, {
        "etc/apt/sources.list": distribution.sources,
        distribution.key_path: archive_key,
        **distribution.versions,
        "etc/fstab": "# <file system> <mount point> <type> <options> <dump> <pass>\n"
        "/dev/sda1 / ext4 errors=remount-ro 0 1\n" + ("/swap.img none swap sw 0 0\n" if swap else ""),
        "etc/group": _SYSTEM_GROUPS.replace("@USER@", user) + f"{user}:x:1000:\n",
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n\n"
        "::1     localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n",
        "etc/machine-id": f"{identity}\n",
        "etc/os-release": distribution.os_release,
        "etc/passwd": _SYSTEM_USERS + f"{user}:x:1000:1000::/home/{user}:/bin/bash\n",
        "etc/resolv.conf": "search lab.example\nnameserver 192.0.2.53\n",
        "etc/shells": "/bin/sh\n/bin/bash\n",
        "etc/sudoers": "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
        f"etc/sudoers.d/90-{user}": f"{user} ALL=(ALL) NOPASSWD:ALL\n",
        "etc/sysctl.conf": "# settings of this machine; see also /etc/sysctl.d\n",
        "etc/timezone": "Etc/UTC\n",
        "usr/lib/sysctl.d/50-pid-max.conf": "kernel.pid_max = 4194304\n",
        "usr/lib/sysctl.d/99-protect-links.conf": "fs.protected_hardlinks = 1\nfs.protected_symlinks = 1\n",
        "etc/modules": "# modules to load at boot, one per line\n",
        "proc/.keep": "",
    })  # fmt: skip
    (root / "proc/.keep").unlink()
    _link(root / "etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")
    _link(root / "usr/lib/os-release", "../../etc/os-release")
    _link(root / "etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
    for file, version in (*_PROGRAMS, *distribution.programs):
        path = root / file
        path.write_text(f"#!/.k8swin-lab/run {path.name} {version}\n")
        path.chmod(0o755)
    for service, (description, kind, command, target) in _SERVICES.items():
        unit = root / f"usr/lib/systemd/system/{service}.service"
        text = _UNIT.format(description, kind, command, target)
        unit.write_text(text if target else text.partition("\n[Install]")[0])
        if target:
            wants = root / f"etc/systemd/system/{target}.wants"
            wants.mkdir(exist_ok=True)
            _link(wants / unit.name, f"/lib/systemd/system/{unit.name}")
    if swap:
        (root / "swap.img").write_bytes(b"")
        (root / "swap.img").chmod(0o600)
    home = root / "home" / user
    (home / ".ssh").mkdir(parents=True, exist_ok=True)
    (home / ".ssh").chmod(0o700)
    for folder in (home, root / "root"):
        (folder / ".bashrc").write_text("# ~/.bashrc: read by interactive shells\n")
        (folder / ".profile").write_text("# ~/.profile: read by login shells\n")


def _write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (root / "etc/sudoers").chmod(0o440)


def _link(path: Path, target: str) -> None:
    if not path.is_symlink() and not path.exists():
        path.symlink_to(target)
