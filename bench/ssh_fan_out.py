"""One script on many hosts over SSH: the toolkit, fabric, pyinfra and ansible-core, cold and warm.

All hosts are loopback addresses of one OpenSSH server. fabric takes any host key, the others check it. The tools run in
turns, and the best of some rounds counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.peers import Peers
from bench.sshd import serving

CLIENTS = Path(__file__).with_name("clients")

TOOLS = {
    "k8swin_nb": "ours.py",
    "fabric": "fabric_group.py",
    "pyinfra": "pyinfra_run.py",
    "ansible-core": "ansible_raw.py",
}

Row = dict[str, object]


def rows(peers: Peers, counts: list[int], rounds: int) -> list[Row]:
    """Measure and return one row for each number of hosts and tool; `ratio` is the toolkit's time beside the tool's."""
    found: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench") as name,
        serving(Path(name), max(counts)) as site,
    ):
        for count in counts:
            took: dict[str, list[dict[str, float]]] = {tool: [] for tool in TOOLS}
            failed: dict[str, str] = {}
            for _ in range(rounds):
                for tool, program in TOOLS.items():
                    python = sys.executable if tool == "k8swin_nb" else peers.python
                    done = subprocess.run(
                        [
                            python,
                            str(CLIENTS / program),
                            str(site.folder),
                            str(site.port),
                            str(count),
                        ],
                        capture_output=True,
                        text=True,
                    )
                    if done.returncode:
                        failed[tool] = (done.stderr.strip().splitlines() or ["failed"])[-1][-200:]
                    else:
                        took[tool].append(json.loads(done.stdout))
            best = {
                tool: {key: min(one[key] for one in some) for key in some[0]}
                for tool, some in took.items()
                if some
            }
            ours = best.get("k8swin_nb")
            for tool in TOOLS:
                row: Row = {"hosts": count, "tool": tool}
                if tool not in best:
                    found.append({**row, "note": failed[tool]})
                    continue
                for key, value in best[tool].items():
                    row[key] = round(value, 2)
                    if ours and tool != "k8swin_nb":
                        row[f"{key} ratio"] = round(ours[key] / value, 2)
                if tool in failed:
                    row["note"] = f"failed once: {failed[tool]}"
                found.append(row)
    return found
