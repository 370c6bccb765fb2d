"""fabric's own ThreadingGroup, as its documentation shows it: it takes any host key."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from fabric import Config, ThreadingGroup

from bench.clients.told import tell
from bench.sshd import addresses

folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
group = ThreadingGroup(
    *addresses(count),
    user=getpass.getuser(),
    port=port,
    config=Config(lazy=True),
    connect_kwargs={
        "key_filename": f"{folder}/user",
        "allow_agent": False,
        "look_for_keys": False,
    },
)


def work() -> int:
    """Run once; return how many answered."""
    return sum(answer.ok for answer in group.run("hostname", hide=True, in_stream=False).values())


tell(work, count)
group.close()
