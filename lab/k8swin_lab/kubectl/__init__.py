"""kubectl: a client of the simulated API over the machine's network, for every kind of machine.

What lives here: kubeconfigs, requests, verbs, output. What may not: anything of one operating system;
files come through the `Files` protocol, and the cluster only through HTTP requests.

    run(process, files, version="1.36.4") -> exit code
"""

from __future__ import annotations

from k8swin_lab.kubectl.command import run
from k8swin_lab.kubectl.kubeconfig import Files

__all__ = ["Files", "run"]
