"""`python -m bench.tables`: a table of all pods beside `kubectl get pods -A -o wide`, on one API server in one run.

--apiserver PROGRAM          starts a real API server with so many pods, as `PROGRAM up --nodes N --pods N` and
                             `PROGRAM down`; default: what K8SWIN_APISERVER names. Without it the lab's is asked, with fewer.
--pods 20000 100000          how many there are
--rounds 3                   how often each is measured; the best counts

`program` is a whole process with Python and pandas, as kubectl is one: seconds from start to end, seconds of the processor,
and the most memory it had. `call` is the call alone in a process that has read a table before: the same, and by how much it
raised the most memory that the process had. kubectl asks for 500 pods at a time, and from the tenth request on five times a
second at most: on an idle computer it waits most of its seconds, on a busy one it waits for the processor as all do.
"""

# ruff: noqa: T201 - it prints a table

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

PODS_A_NODE = 20
LAB_PODS = 300
"""The lab makes each of its pods as its API does it, which takes time."""

READ = """
import json, resource, sys, time
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
text, again = open(sys.argv[1]).read(), sys.argv[2] == "again"
server = sys.argv[3]
from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.kubectl_tables import pods
api = ClusterApi(text, server=server)
if again:
    pods(api, "default")
before, began, used = peak(), time.perf_counter(), time.process_time()
table = pods(api)
seconds, used = time.perf_counter() - began, time.process_time() - used
print(json.dumps({"rows": len(table), "seconds": seconds, "cpu": used, "rise": peak() - before,
                  "html": len(table._repr_html_())}))
"""


@contextlib.contextmanager
def real(program: str, pods: int) -> Iterator[Path]:
    """Start a real API server that has so many pods, and yield its kubeconfig."""
    nodes = max(1, pods // PODS_A_NODE)
    up = subprocess.run(
        [program, "up", "--nodes", str(nodes), "--pods", str(pods)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    try:
        yield Path(up.stdout.split()[-1])
    finally:
        subprocess.run([program, "down"], check=False)


@contextlib.contextmanager
def lab(pods: int) -> Iterator[Path]:
    """Start the lab's API server with so many pods in a process of its own, and yield its kubeconfig."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.lab_api", str(pods)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdin is not None  # noqa: S101 -- as they are asked for
        path = Path(process.stdout.readline().strip())
        try:
            yield path
        finally:
            process.stdin.close()
            process.wait(30)


def measured(command: Sequence[str | Path]) -> tuple[float, float, float, str]:
    """Return a program's seconds, those of the processor, the most memory it had in MiB, and what it printed."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None  # noqa: S101 -- as it is asked for
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def rows(config: Path, kubectl: str, rounds: int) -> list[dict[str, object]]:
    """Measure in turns, and return a row for kubectl and two for the toolkit."""
    import yaml

    text = yaml.safe_load(config.read_text())
    server = text["clusters"][0]["cluster"]["server"]
    best: dict[str, list[float]] = {}
    told: dict[str, object] = {}

    def keep(name: str, *values: float) -> None:
        known = best.setdefault(name, list(values))
        best[name] = [min(pair) for pair in zip(known, values, strict=True)]

    for _ in range(rounds):
        if kubectl:
            asked = [kubectl, "--kubeconfig", str(config), "get", "pods", "-A", "-o", "wide"]
            keep("kubectl", *measured(asked)[:3])
        read = [sys.executable, "-c", READ, str(config)]
        keep("program", *measured([*read, "first", server])[:3])
        told = json.loads(measured([*read, "again", server])[3])
        keep("call", *(float(str(told[name])) for name in ("seconds", "cpu", "rise")))
    made = []
    for name, (seconds, cpu, memory) in best.items():
        row: dict[str, object] = {
            "pods": told["rows"], "what": name, "seconds": f"{seconds:.2f}", "cpu": f"{cpu:.2f}", "MiB": f"{memory:.0f}",
        }  # fmt: skip
        if "kubectl" in best:
            of = best["kubectl"]
            row["of kubectl's time"] = f"{seconds / of[0]:.3f}"
            row["of its cpu"] = f"{cpu / of[1]:.3f}"
            row["of its memory"] = f"{memory / of[2]:.3f}"
        row["HTML"] = f"{int(str(told['html'])) / 1000:.0f} kB" if name == "call" else ""
        made.append(row)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table of Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.tables", allow_abbrev=False)
    parser.add_argument("--apiserver", default=os.environ.get("K8SWIN_APISERVER", ""))
    parser.add_argument("--pods", nargs="+", type=int, default=[20_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if min(options.pods) < 1 or options.rounds < 1:
        parser.error("--pods and --rounds take numbers from 1 on")
    kubectl = shutil.which("kubectl") or ""
    if not kubectl:
        print("There is no kubectl here: nothing to compare with.\n")
    if not options.apiserver:
        print(
            "No real API server is named (K8SWIN_APISERVER): the lab's is asked, with fewer pods.\n"
        )
    found: list[dict[str, object]] = []
    for pods in options.pods if options.apiserver else [LAB_PODS]:
        started = real(options.apiserver, pods) if options.apiserver else lab(pods)
        with started as config:
            found += rows(config, kubectl, options.rounds)
    names = list(found[0])
    for line in (
        names,
        ["---"] * len(names),
        *([str(row[name]) for name in names] for row in found),
    ):
        print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
