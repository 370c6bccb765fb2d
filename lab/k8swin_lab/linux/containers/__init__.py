"""What containers do: an image names a behaviour, and a behaviour is a class here.

What lives here: the container of a Linux node and its behaviours. What may not: pods' life cycles,
which are the kubelet's (`kubernetes`).
"""

from __future__ import annotations

from k8swin_lab.linux.containers.start import run_once, start

__all__ = ["run_once", "start"]
