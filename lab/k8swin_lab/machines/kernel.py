"""A Linux kernel as scripts see it: modules, settings under /proc/sys, swap, and the files of /proc."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from k8swin_lab.machines.distributions import BOOKWORM, Distribution

_NEEDS = {
    "br_netfilter": ["bridge"],
    "bridge": ["stp", "llc"],
    "stp": ["llc"],
    "vxlan": ["udp_tunnel"],
}
_SIZES = {
    "br_netfilter": 36864,
    "bridge": 311296,
    "stp": 16384,
    "llc": 16384,
    "overlay": 163840,
    "nf_conntrack": 188416,
    "vxlan": 139264,
    "udp_tunnel": 28672,
    "ip_vs": 184320,
    "xt_MASQUERADE": 20480,
}
KNOWN_MODULES = frozenset(
    [
        "8021q",
        "bonding",
        "br_netfilter",
        "bridge",
        "configs",
        "dm_mod",
        "dummy",
        "ext4",
        "ip6_tables",
        "ip_tables",
        "ip_vs",
        "ip_vs_rr",
        "ip_vs_sh",
        "ip_vs_wrr",
        "ipip",
        "iptable_filter",
        "iptable_nat",
        "llc",
        "loop",
        "macvlan",
        "nf_conntrack",
        "nf_nat",
        "nf_tables",
        "overlay",
        "rbd",
        "stp",
        "tun",
        "udp_tunnel",
        "veth",
        "vxlan",
        "wireguard",
        "xt_MASQUERADE",
        "xt_comment",
        "xt_conntrack",
    ]
)
_FROM_START = ("virtio_net", "ext4", "loop", "dm_mod")

_SETTINGS = {
    "fs.file-max": "9223372036854775807",
    "fs.inotify.max_user_instances": "128",
    "fs.inotify.max_user_watches": "28743",
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "kernel.panic": "0",
    "kernel.panic_on_oops": "0",
    "kernel.pid_max": "4194304",
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "net.core.somaxconn": "4096",
    "net.core.rmem_max": "212992",
    "net.core.wmem_max": "212992",
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.conf.all.forwarding": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "2",
    "net.ipv4.conf.eth0.rp_filter": "2",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.netfilter.nf_conntrack_max": "131072",
    "user.max_user_namespaces": "15420",
    "vm.max_map_count": "65530",
    "vm.overcommit_memory": "0",
    "vm.panic_on_oom": "0",
    "vm.swappiness": "60",
}
_OF_MODULE = {
    "br_netfilter": {
        "net.bridge.bridge-nf-call-arptables": "1",
        "net.bridge.bridge-nf-call-ip6tables": "1",
        "net.bridge.bridge-nf-call-iptables": "1",
        "net.bridge.bridge-nf-filter-pppoe-tagged": "0",
        "net.bridge.bridge-nf-filter-vlan-tagged": "0",
        "net.bridge.bridge-nf-pass-vlan-input-dev": "0",
    }
}
_READ_ONLY = ("kernel.hostname", "kernel.osrelease", "kernel.ostype", "kernel.random.boot_id")


@dataclass(slots=True)
class SwapArea:
    """A swap file or partition in use."""

    name: str  # "/swap.img"
    kind: str  # "file" or "partition"
    size: int  # KiB
    priority: int = -2


@dataclass(slots=True)
class Kernel:
    """State of the running kernel; a reboot makes a new one."""

    cpus: int
    memory: int  # bytes
    cgroup: str  # "v1" or "v2"
    distribution: Distribution = BOOKWORM
    product_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    modules: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_FROM_START, 0))
    settings: dict[str, str] = field(default_factory=lambda: dict(_SETTINGS))
    swap: list[SwapArea] = field(default_factory=list)

    @property
    def release(self) -> str:
        """What `uname -r` prints."""
        return self.distribution.kernel

    @property
    def version(self) -> str:
        """What `uname -v` prints."""
        return self.distribution.kernel_version

    def load(self, module: str) -> bool:
        """Load a module and those it needs; False when there is no such module."""
        name = module.replace("-", "_")
        if name not in KNOWN_MODULES and name not in self.modules:
            return False
        for needed in _NEEDS.get(name, []):
            if needed not in self.modules:
                self.load(needed)
            self.modules[needed] += 1
        if name not in self.modules:
            self.modules[name] = 0
            self.settings |= _OF_MODULE.get(name, {})
        return True

    def unload(self, module: str) -> str | None:
        """Remove a module; returns why not, or None."""
        name = module.replace("-", "_")
        if name not in self.modules:
            return (
                f"Module {module} is not currently loaded"
                if name in KNOWN_MODULES
                else (f"Module {module} not found.")
            )
        if self.modules[name]:
            return f"Module {module} is in use."
        del self.modules[name]
        for setting in _OF_MODULE.get(name, {}):
            self.settings.pop(setting, None)
        for needed in _NEEDS.get(name, []):
            self.modules[needed] = max(0, self.modules.get(needed, 1) - 1)
        return None

    def set(self, name: str, value: str) -> None:
        """Change a setting.

        Raises:
            KeyError: there is no such setting.
            PermissionError: it cannot be written.
        """
        if name in _READ_ONLY:
            raise PermissionError(name)
        if name not in self.settings:
            raise KeyError(name)
        self.settings[name] = "\t".join(value.split())
        forwarding = {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"}
        if name in forwarding:
            for other in forwarding:
                self.settings[other] = self.settings[name]

    def proc_files(self, hostname: str, boot_id: str, booted_at: float) -> dict[str, bytes]:
        """Return the files of /proc and /sys that tell this kernel's state."""
        files = {
            f"/proc/sys/{setting_path(name)}": f"{value}\n"
            for name, value in list(self.settings.items())
        }
        files |= {
            "/proc/sys/kernel/hostname": f"{hostname}\n",
            "/proc/sys/kernel/osrelease": f"{self.release}\n",
            "/proc/sys/kernel/ostype": "Linux\n",
            "/proc/sys/kernel/random/boot_id": f"{boot_id}\n",
            "/proc/swaps": self._swaps(),
            "/proc/modules": "".join(
                f"{name} {_SIZES.get(name, 16384)} {users} {_users(name, self.modules)} Live 0x0000000000000000\n"
                for name, users in reversed(self.modules.items())
            ),
            "/proc/meminfo": self._meminfo(),
            "/proc/cpuinfo": "".join(
                f"processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: Lab CPU\n"
                f"cpu MHz\t\t: 2400.000\ncpu cores\t: {self.cpus}\n\n"
                for number in range(self.cpus)
            ),
            "/proc/version": f"Linux version {self.release} ({self.distribution.kernel_builder}) {self.version}\n",
            "/proc/cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{self.release} root=/dev/sda1 ro quiet\n",
            "/proc/uptime": f"{time.time() - booted_at:.0f}.00 {time.time() - booted_at:.0f}.00\n",
            "/proc/loadavg": "0.08 0.03 0.01 1/132 1042\n",
            "/proc/filesystems": "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n\text4\n"
            + ("nodev\toverlay\n" if "overlay" in self.modules else ""),
            "/sys/class/dmi/id/product_uuid": f"{self.product_uuid}\n",
            "/sys/class/dmi/id/product_name": "Virtual Machine\n",
            "/sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
        }
        if self.cgroup == "v2":
            files["/sys/fs/cgroup/cgroup.controllers"] = (
                "cpuset cpu io memory hugetlb pids rdma misc\n"
            )
        else:
            files |= {
                f"/sys/fs/cgroup/{name}/tasks": "1\n"
                for name in (
                    "blkio",
                    "cpu",
                    "cpuacct",
                    "cpuset",
                    "devices",
                    "freezer",
                    "memory",
                    "pids",
                )
            }
        return {path: text.encode() for path, text in files.items()}

    def _swaps(self) -> str:
        lines = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"]
        for area in self.swap:
            gap = "\t" * max(1, (40 - len(area.name) + 7) // 8)
            lines.append(f"{area.name}{gap}{area.kind}\t\t{area.size}\t\t0\t\t{area.priority}\n")
        return "".join(lines)

    def _meminfo(self) -> str:
        total = self.memory // 1024
        swap = sum(area.size for area in self.swap)
        rows = {
            "MemTotal": total,
            "MemFree": total * 6 // 10,
            "MemAvailable": total * 8 // 10,
            "Buffers": total // 50,
            "Cached": total // 5,
            "SwapCached": 0,
            "SwapTotal": swap,
            "SwapFree": swap,
            "Shmem": total // 400,
        }
        return "".join(f"{name + ':':<15} {size:>8} kB\n" for name, size in rows.items())


def setting_path(name: str) -> str:
    """Return the path of a setting below /proc/sys; "net.ipv4.ip_forward" is net/ipv4/ip_forward."""
    return name.replace(".", "/")


def setting_name(path: str) -> str:
    """Return the name of a setting by its path below /proc/sys."""
    return path.strip("/").replace("/", ".")


def _users(name: str, modules: dict[str, int]) -> str:
    using = [other for other in modules if name in _NEEDS.get(other, [])]
    return ",".join(using) + "," if using else "-"
