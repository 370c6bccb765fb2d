"""What a machine of the lab holds that a step may change: to be compared before and after.

Logs, temporary files, clocks and what a cluster writes by itself (pods, leases, their folders) are left out.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINUX_ITSELF = (
    "proc",
    "run",
    "sys",
    "tmp",
    "dev",
    "var/log",
    "var/tmp",
    "var/lib/kubelet",
    "var/lib/containerd",
    "var/lib/docker",
    "var/lib/etcd",
    "var/lib/cni",
    "var/lib/sudo",
    "etc/cni/net.d/10-flannel",
    "opt/cni/bin/flannel",
)
"""What changes on Linux without a step, or by a pod of the cluster's."""

WINDOWS_ITSELF = (
    r"\var\log",
    r"\var\lib\kubelet",
    r"\ProgramData\containerd",
    r"\ProgramData\docker",
    r"\Windows\Temp",
    r"\AppData\Local\Temp",
    r"\k\log",
)


def snapshot(machine: Any) -> dict[str, str]:
    """Return a machine's state as text by name."""
    return dict(_windows(machine) if machine.os == "windows" else _linux(machine))


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the names of what was added, removed or changed."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def files(root: Path) -> Iterator[tuple[str, str]]:
    """Yield what is in a folder of this computer: names below it, and modes and contents."""
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.name.startswith(".bash_history"):
            continue
        if path.is_symlink():
            yield name, f"-> {path.readlink()}"
        elif path.is_file():
            yield name, f"{path.stat().st_mode:o} {_digest(path.read_bytes())}"


def _linux(machine: Any) -> Iterator[tuple[str, str]]:
    for name, found in files(Path(machine.root)):
        if not name.startswith(LINUX_ITSELF):
            yield f"/{name}", found
    for name, installed in machine.installed.table.items():
        yield f"package {name}", str(installed)
    yield "held packages", str(sorted(machine.installed.holds))
    for name, state in machine.units.states.items():
        yield f"unit {name}", state.active
    yield "settings", str(sorted(machine.kernel.settings.items()))
    yield "modules", str(sorted(machine.kernel.modules))
    yield "swap", str(machine.kernel.swap)


def _windows(machine: Any) -> Iterator[tuple[str, str]]:
    yield from _tree(machine.files, "C:\\")
    yield from _keys("HKLM", machine.registry.key("HKLM"))
    yield "features", str([(f.name, f.state) for f in machine.features.all])
    for name in machine.services.names():
        yield f"service {name}", machine.services.state(name)
    yield "firewall", str([dataclasses.astuple(rule) for rule in machine.net.rules])
    yield "dynamic ports", str(machine.net.dynamic_ports)
    for network in machine.net.hns_networks:
        yield f"hns network {network.name}", network.kind
    yield "tasks", str(sorted(machine.tasks.all))
    yield (
        "images",
        str({space: sorted(found) for space, found in machine.containers.images.items() if found}),
    )


def _tree(files: Any, folder: str) -> Iterator[tuple[str, str]]:
    for entry in list(files.list(folder)):
        path = entry.path
        if any(part.lower() in path.lower() for part in WINDOWS_ITSELF):
            continue
        if entry.is_directory:
            yield path, "folder"
            yield from _tree(files, path)
        else:
            yield path, _digest(files.read(path))


def _keys(path: str, key: Any) -> Iterator[tuple[str, str]]:
    for value in key.values.values():
        yield f"{path}\\{value.name}", f"{value.kind} {value.content}"
    for below in key.keys.values():
        yield from _keys(f"{path}\\{below.name}", below)
