"""ansible-core's program with the module `raw`, which needs nothing on the host, and connections that stay open."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.clients.told import tell
from bench.sshd import addresses

folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with tempfile.TemporaryDirectory(prefix="ab") as place:
    inventory = Path(place) / "inventory"
    inventory.write_text(
        "[all]\n"
        + "\n".join(addresses(count))
        + f"\n[all:vars]\nansible_user={getpass.getuser()}\nansible_port={port}\n"
        f"ansible_ssh_private_key_file={folder}/user\n"
        f"ansible_ssh_common_args=-o UserKnownHostsFile={folder}/known_hosts -o IdentitiesOnly=yes\n"
    )
    (Path(place) / "ansible.cfg").touch()  # nothing of the user's
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": f"{place}/ansible.cfg",
        "ANSIBLE_HOME": place,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": place,
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
    }
    program = str(Path(sys.executable).with_name("ansible"))

    def work() -> int:
        """Run once; return how many answered."""
        done = subprocess.run(
            [program, "all", "-i", str(inventory), "-m", "raw", "-a", "hostname", "-f", "32", "-o"],
            env=environment,
            capture_output=True,
            text=True,
        )
        return sum("| CHANGED |" in line for line in done.stdout.splitlines())

    tell(work, count)
    for socket in Path(place).iterdir():
        if socket.is_socket():
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "x"], capture_output=True
            )
