"""The environment of the tools that are measured beside this one: made once, from the package index."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

WANTED = Path(__file__).with_name("peers.txt")


class Peers:
    """An environment with the peers.

    Args:
        folder: Where it is, or is to be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.python = str(self.bin / "python")

    def install(self) -> None:
        """Make the environment unless it is there with what is wanted."""
        stamp, wanted = self.folder / "installed", WANTED.read_text()
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        subprocess.run(
            [self.python, "-m", "pip", "install", "--quiet", "--requirement", str(WANTED)],
            check=True,
        )
        stamp.write_text(wanted)

    def versions(self) -> dict[str, str]:
        """Return the versions of what is measured, the toolkit's libraries among it."""
        names = ["fabric", "pyinfra", "ansible-core", "paramiko"]
        code = f"from importlib.metadata import version\nfor n in {names!r}: print(n, version(n))"
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True)
        found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        return {**found, "paramiko of k8swin_nb": metadata.version("paramiko")}
