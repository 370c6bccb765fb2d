"""The process from which all seats come: it has read the programs of a seat once, and forks for each.

A JupyterLab and a lab that are started one by one take five seconds of a processor and 150 MB each; a fork takes a
tenth of the time and shares what was read. It has one thread, and no secret of any seat.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import sys

from k8swin_lab.workshop import sandbox, system
from k8swin_lab.workshop.channel import Channel, Gone, close_others
from k8swin_lab.workshop.holder import hold

PRELOADED = (
    "jupyterlab.labapp",
    "jupyter_server.serverapp",
    "jupyter_server_terminals",
    "jupyter_server.services.contents.largefilemanager",
    "jupyterlab_server.workspaces_handler",
    "k8swin_lab.cli",
    "k8swin_lab.daemon",
    "k8swin_lab.internet",
    "k8swin_lab.linux.software",
    "k8swin_lab.machines.linux",
    "k8swin_lab.machines.windows",
    "k8swin_lab.windows.software",
    "k8swin_lab.servers.ssh",
    "k8swin_lab.servers.winrm",
    "k8swin_lab.servers.kube_api",
    "k8swin_lab.servers.kubelet",
    "k8swin_lab.servers.node_port",
    "k8swin_lab.kubernetes.authority",
)
"""What a seat runs. One that cannot be read is no hindrance here: the seat says so."""


def main(descriptor: int, parent: int, shared: str) -> None:
    """Fork a seat for each channel that is sent, until the workshop ends."""
    channel = Channel.of(descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if shared == "no":
        sandbox.own_users()
        system.end_with_parent(parent)
    gc.collect()
    gc.freeze()
    channel.send({"ready": "yes"})
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not select.select([channel], [], [], 1)[0]:
            continue
        try:
            _, files = channel.receive()
        except Gone:
            return
        own = os.getpid()
        for number in files:
            if os.fork() == 0:
                close_others([number])
                hold(Channel.of(number), own)
            os.close(number)


if __name__ == "__main__":
    system.end_with_parent(int(sys.argv[2]))
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
