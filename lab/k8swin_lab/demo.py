"""The command `k8swin demo`: a lab of its own, the notebooks up to the test app in it, and the lab is gone.

The lab knows the program that executes notebooks by its command line alone.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from k8swin_lab.cli import main as lab
from k8swin_lab.home import Home
from k8swin_lab.loopback import free_network

NOTEBOOKS = "01_network,02_master,03_flannel,04_join_linux,04_join_windows,05_test_app"
"""The demo ends with the test app: it is to be seen in a minute and a half."""

RUN = (sys.executable, "-m", "k8swin_nb", "run")


def main(argv: list[str]) -> int:
    """Start a lab, run the notebooks against it, stop it; return the exit code of the run, or 1."""
    parser = argparse.ArgumentParser(
        prog="k8swin demo",
        allow_abbrev=False,
        description="Start a lab of its own, execute the notebooks, stop it.",
    )
    parser.add_argument("--notebooks", type=Path, help="folder of the notebooks")
    parser.add_argument("--runs", type=Path, help="folder of the records")
    parser.add_argument("--network", help="loopback network of the lab; without it a free one")
    options = parser.parse_args(argv)
    with contextlib.ExitStack() as until_the_end:
        network = options.network or until_the_end.enter_context(free_network())
        folder = until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="k8swin-demo-"))
        place = ["--home", folder]
        try:
            if lab(["up", *place, "--network", network]) != 0:
                return 1
            given = [
                text
                for name in ("notebooks", "runs")
                if (path := getattr(options, name))
                for text in (f"--{name}", str(path))
            ]
            description = Home(Path(folder)).description
            command = [*RUN, "--params", str(description), "--only", NOTEBOOKS, *given]
            return subprocess.run(command, check=False).returncode
        finally:
            lab(["down", *place])
