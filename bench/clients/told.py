"""What each of these programs prints."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def started() -> float:
    """Return when this process was started, in seconds since the boot (Linux)."""
    stat = Path("/proc/self/stat").read_text()
    return float(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def tell(work: Callable[[], int], count: int) -> None:
    """Do the work twice and print what it took.

    Raises:
        SystemExit: when not all hosts answered.
    """
    begun = started()
    took = []
    for _ in range(2):
        answered = work()
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        if answered != count:
            sys.exit(f"{answered} of {count} answered")
        took.append(now - begun)
        begun = now
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(  # noqa: T201 - the measurement reads it
        json.dumps(
            {
                "cold": took[0],
                "warm": took[1],
                "cpu": sum(one.ru_utime + one.ru_stime for one in (own, children)),
                "mib": max(own.ru_maxrss, children.ru_maxrss) / 1024,
            }
        )
    )
