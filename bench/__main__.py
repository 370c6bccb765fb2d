"""`python -m bench`: measures, and prints one table for each part.

--only fan_out,tables,phases   which parts; phases needs two disposable hosts, see bench/phases.py
--hosts 50 200                 numbers of hosts of the fan-out
--rounds 3                     how often each is measured; the best counts
--peers FOLDER                 environment of the other tools, default .bench
"""

# ruff: noqa: T201 - it prints tables

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

from bench import phases, ssh_fan_out
from bench.peers import Peers

ROOT = Path(__file__).parents[1]

PARTS = ("fan_out", "tables", "phases")


def table(rows: list[dict[str, object]]) -> str:
    """Return rows as a table of Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names)]
    lines += [[str(row.get(name, "")) for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """Say what is measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}, load {load}"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", allow_abbrev=False)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--hosts", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=ROOT / ".bench")
    options = parser.parse_args()
    only = options.only.split(",")
    if unknown := sorted(set(only) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if min(options.hosts) < 1 or options.rounds < 1:
        parser.error("--hosts and --rounds take numbers from 1 on")
    peers = Peers(options.peers.absolute())
    print(machine(), flush=True)
    if {"fan_out", "phases"} & set(only):
        peers.install()
        print(", ".join(f"{name} {version}" for name, version in peers.versions().items()))
    if "fan_out" in only:
        print("\n## One script on many hosts\n", flush=True)
        print(table(ssh_fan_out.rows(peers, options.hosts, options.rounds)), flush=True)
    if "tables" in only and importlib.util.find_spec("bench.tables"):
        print("\n## Tables of a large cluster\n", flush=True)
        subprocess.run([sys.executable, "-m", "bench.tables"], cwd=ROOT, check=False)
    if "phases" in only:
        print("\n## A control plane with its pod network on a real host\n", flush=True)
        missing = phases.missing()
        print(missing or table(phases.rows(peers)), flush=True)


if __name__ == "__main__":
    main()
