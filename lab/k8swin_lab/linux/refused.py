"""Programs that every server has from the start and the lab has not: their files are there, running one is refused.

The list is `known/linux-programs.txt`; a program that is added to the lab leaves it, one that is taken out enters it.
"""

from __future__ import annotations

from k8swin_lab.known import lines
from k8swin_lab.machines.program import NotSimulated, Process, Program


def _refuse(process: Process) -> int:
    raise NotSimulated(process.argv[0].rpartition("/")[2])


PROGRAMS: dict[str, Program] = dict.fromkeys(
    (name for line in lines("linux-programs.txt") for name in line.split()), _refuse
)
"""By name, as files of a base system."""
