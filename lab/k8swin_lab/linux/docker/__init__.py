"""The docker client over the machine's engine.

What lives here: the commands and what they print. What may not: the engine's state and configuration, which
are the machine's (`machines/docker_engine.py`).
"""

from k8swin_lab.linux.docker.command import docker, dockerd

__all__ = ["docker", "dockerd"]
