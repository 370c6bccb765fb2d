"""Which loopback networks are free: several labs on one computer are not to meet.

A network is taken by a socket that is bound to its broadcast address, which no machine has. The
system gives it back when the process ends, however it ends, and it holds between users and
checkouts, which share the addresses but neither folders nor rights.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator

from k8swin_lab import topology

NETWORKS = tuple(f"127.{second}.{third}.0/24" for second in range(161, 192) for third in range(256))
"""From which a free one is taken; `topology.DEFAULT_NETWORK`, which params/ name, is not among them."""


class NoFreeNetwork(topology.TopologyError):
    """Every network is taken."""


@contextlib.contextmanager
def free_network() -> Iterator[str]:
    """Take a network such as `127.161.0.0/24` that no other lab is on, until the block ends.

    Where only 127.0.0.1 can be bound, addresses are names and the first network is as good as any.

    Raises:
        NoFreeNetwork: all of them are taken.
    """
    if not topology.can_bind("127.0.0.2"):
        yield NETWORKS[0]
        return
    for network in NETWORKS:
        taken = _take(network)
        if taken is None:
            continue
        with taken:
            if not lab_answers_on(network):
                yield network
                return
    raise NoFreeNetwork(f"all networks from {NETWORKS[0]} to {NETWORKS[-1]} are taken")


def _take(network: str) -> socket.socket | None:
    """Return the socket that holds a network; None when somebody else has it."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    last = ipaddress.IPv4Network(network).broadcast_address
    try:
        holder.bind((str(last), topology.SSH_PORT))
    except OSError:
        holder.close()
        return None
    return holder


def lab_answers_on(network: str) -> bool:
    """Whether a lab answers there that took its network by name, or outlived who took it."""
    return not all(
        topology.can_bind(
            spec.address, spec.ssh_port if spec.os == "linux" else spec.winrm_http_port
        )
        for spec in topology.default(network)
    )
