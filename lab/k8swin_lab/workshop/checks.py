"""What is looked at before a workshop begins: whether it can go well on this computer."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from k8swin_lab.workshop import sandbox
from k8swin_lab.workshop.forward import listen
from k8swin_lab.workshop.model import SeatError, counted
from k8swin_lab.workshop.place import MEBI, Settings
from k8swin_lab.workshop.usage import readable

SEAT_BYTES = 330 * MEBI
"""What a seat takes with one notebook open, and 1.2 GiB for all together beside them."""

_COMMON_BYTES = 1200 * MEBI


def check(settings: Settings) -> None:
    """Say before anything begins what will not go well."""
    if find_spec("jupyterlab") is None:
        raise SeatError('JupyterLab is not installed here; pip install "k8swin_nb[desk]"')
    if not settings.shared and (why := sandbox.reason_against()):
        raise SeatError(why)
    if settings.shared and os.geteuid() == 0:
        _check_shared_root()
    available = available_memory()
    needed = _COMMON_BYTES + settings.seats * SEAT_BYTES
    if available and needed > available:
        fits = max((available - _COMMON_BYTES) // SEAT_BYTES, 0)
        raise SeatError(
            f"{counted(settings.seats, 'seat')} would take about {readable(needed)} of memory, {readable(available)} are free here: "
            f"--seats {fits} fits"
            if fits
            else f"a seat takes about {readable(needed)} of memory, {readable(available)} are free here"
        )
    taken = [
        port
        for port in range(settings.port, settings.port + settings.seats + 1)
        if not free(settings.address, port)
    ]
    if taken:
        raise SeatError(
            f"{settings.address}: something listens at {', '.join(map(str, taken[:5]))} already, or the address is not "
            f"this computer's; choose others with --port N (the trainer's page at N, seats from N + 1 on)"
        )


def _check_shared_root() -> None:
    """Say that ordinary users could not read this Python: seats are never root."""
    for folder in sandbox.python_folders(Path("/nowhere")):
        for part in (folder, *folder.parents):
            if not part.stat().st_mode & 0o001:
                raise SeatError(
                    f"--shared as root: seats run as users of their own, who cannot enter {part}, where this Python is; "
                    "start the workshop as an ordinary user, or install it where everybody can read it"
                )


def available_memory() -> int:
    """Return the bytes of memory that are free, as the system and its control group say; 0: not known."""
    found = 0
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found = int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return 0
    for name, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            most = int(Path("/sys/fs/cgroup", name).read_text())
            taken = int(Path("/sys/fs/cgroup", used).read_text())
        except (OSError, ValueError):
            continue
        found = min(found, max(most - taken, 0))
    return found


def free(address: str, port: int) -> bool:
    """Whether nobody listens at a port."""
    try:
        listen(address, port).close()
    except OSError:
        return False
    return True
