"""pyinfra by its own interface: one operation on an inventory."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all

from bench.clients.told import tell
from bench.sshd import addresses

folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
names = addresses(count)
inventory = Inventory(
    (names, {}),
    override_data={
        "ssh_user": getpass.getuser(),
        "ssh_port": port,
        "ssh_key": f"{folder}/user",
        "ssh_known_hosts_file": f"{folder}/known_hosts",
        "ssh_strict_host_key_checking": "yes",
    },
)
state = State(inventory, Config(PARALLEL=32))
connected = False


def work() -> int:
    """Run once; return how many answered."""
    global connected
    if not connected:
        connect_all(state)
        connected = True

    def ask(host: object) -> bool:
        return bool(host.run_shell_command("hostname", print_output=False)[0])  # type: ignore[attr-defined]

    running = [state.pool.spawn(ask, host) for host in state.inventory]
    return sum(bool(one.get()) for one in running)


tell(work, count)
