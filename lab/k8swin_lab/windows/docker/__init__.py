"""Docker's programs for Windows over a machine's engine: dockerd.exe and docker.exe.

The engine's state is `machines.windows_docker`. What lives here is what the two programs say and take: options,
tables, templates and errors, in the words of Docker 20.10.
"""

from __future__ import annotations

from k8swin_lab.machines.program import Program
from k8swin_lab.windows.docker.client import docker
from k8swin_lab.windows.docker.engine import dockerd

PROGRAMS: dict[str, Program] = {"docker": docker, "dockerd": dockerd}
"""By name without `.exe`."""
