"""What a lab on a real network asks of this computer's kernel: its pods' addresses, and ways to other nodes' pods.

Only a lab with machines `outside` comes here; it needs root, and wants a network namespace of its own.
"""

from __future__ import annotations

import logging
import shutil
import subprocess

log = logging.getLogger(__name__)

Route = tuple[str, str]
"""A network, and the address through which it is reached; empty for the lab's own."""


class KernelRoutes:
    """Routes that this lab has set; they go with it."""

    def __init__(self) -> None:
        self._set: set[Route] = set()
        self._refused: set[Route] = set()

    def follow(self, wanted: set[Route]) -> None:
        """Set what is wanted and not there yet, and take back what is not wanted any more."""
        for route in self._set - wanted:
            self._run("del", route)
        self._set &= wanted
        for route in wanted - self._set - self._refused:
            if self._run("replace", route):
                self._set.add(route)
            else:
                self._refused.add(route)

    def _run(self, verb: str, route: Route) -> bool:
        network, through = route
        program = shutil.which("ip")
        if program is None:
            log.error("pods in %s cannot be reached: this computer has no program ip", network)
            return False
        words = ["via", through] if through else ["dev", "lo"]
        kind = [] if through else ["local"]
        done = subprocess.run(
            [program, "route", verb, *kind, network, *words],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
        if done.returncode != 0:
            log.error("ip route %s %s: %s", verb, network, done.stderr.strip())
        return done.returncode == 0
