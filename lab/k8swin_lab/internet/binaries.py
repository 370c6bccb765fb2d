"""Stand-ins for programs: files that say which program of the lab they stand for.

The first line is what both a simulated Linux and a simulated Windows look for when a file is run. The
rest makes the file different for each platform and of a size that a download notices.
"""

from __future__ import annotations

import re

_SIZE = 65536
_FIRST_LINE = re.compile(rb"#!/\.k8swin-lab/run (\S+)(?: (\S+))?\s*\n")


def stand_in(name: str, version: str, platform: str = "linux/amd64", size: int = _SIZE) -> bytes:
    """Return the file that stands for a program.

    Args:
        name: the program, without `.exe`: "kubelet".
        version: without a leading v: "1.36.4".
        platform: "linux/amd64" or "windows/amd64".
        size: bytes of the whole file.
    """
    line = f"{name} {version} for {platform}: a stand-in of the lab, not the program\n".encode()
    head = f"#!/.k8swin-lab/run {name} {version}\n".encode()
    return (head + line * (size // len(line) + 1))[:size]


def identity(content: bytes) -> tuple[str, str] | None:
    """Return the program name and version a file stands for, or None when it is any other file."""
    found = _FIRST_LINE.match(content[:300])
    return (found[1].decode(), (found[2] or b"").decode()) if found else None
