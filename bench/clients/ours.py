"""The toolkit: `on_each` over a pool of transports, as magics and steps use them."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.clients.told import tell
from bench.sshd import addresses
from k8swin_nb.fan_out import on_each
from k8swin_nb.inventory import Host
from k8swin_nb.transports.pool import Pool

folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pool = Pool()
hosts = [
    Host(
        name,
        name,
        "linux",
        ("worker",),
        getpass.getuser(),
        ssh_port=port,
        identity=f"{folder}/user",
        known_hosts=f"{folder}/known_hosts",
    )
    for name in addresses(count)
]


def work() -> int:
    """Run once; return how many answered."""
    answers = on_each(
        hosts, lambda host: pool.transport(host).run("hostname"), name=lambda host: host.name
    ).all()
    return sum(answer.ok for answer in answers.values())


tell(work, count)
pool.close()
