"""Twenty seats of a workshop at once: `python -m bench.workshop --seats 20 --course FOLDER --at ex2`.

Measured are the time until all are ready, the memory of all together, and in each seat the time from enter to the result of
`kubectl get nodes` while a kernel in every other seat asks the same, first all in the same moment, then each as fast as it
can. Meanwhile a seat is reset. It takes a course whose exercise begins at a cluster.
"""

# ruff: noqa: T201, S310 - it prints a table, and asks a server of its own

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from bench.__main__ import machine, table

ASKED = """
import time
_began = time.monotonic()
found = cluster.kubectl("get", "nodes")
print(found.returncode, time.monotonic() - _began)
"""
OPENED = """
import k8swin_nb as k8s

cluster = k8s.open_cluster("params/lab.yaml")
"""


class Kernel:
    """A kernel in a seat, over the seat's port."""

    def __init__(self, url: str) -> None:
        import websocket

        base, _, token = url.partition("/lab?token=")
        header = {"Authorization": f"token {token}"}
        asked = urllib.request.Request(f"{base}/api/kernels", b"{}", header, method="POST")
        with urllib.request.urlopen(asked, timeout=120) as answer:
            number = json.load(answer)["id"]
        where = f"{base.replace('http', 'ws', 1)}/api/kernels/{number}/channels"
        self._socket = websocket.create_connection(
            where, header=[f"Authorization: token {token}"], timeout=300
        )

    def run(self, code: str) -> str:
        """Execute code, and return what it said."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "username": "bench", "session": number}
        header |= {"msg_type": "execute_request", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        whole: dict[str, Any] = {"header": header, "parent_header": {}, "metadata": {}}
        self._socket.send(json.dumps({**whole, "content": content, "channel": "shell"}))
        said = ""
        while True:
            heard = json.loads(self._socket.recv())
            if heard["parent_header"].get("msg_id") != number:
                continue
            content = heard["content"]
            if heard["msg_type"] == "stream":
                said += content["text"]
            elif heard["msg_type"] == "error":
                raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            elif heard["msg_type"] == "status" and content["execution_state"] == "idle":
                return said


def memory(home: Path) -> int:
    """Return the bytes of all processes that come from a workshop, shared pages once."""
    from k8swin_lab.workshop.sandbox import descendants

    first = int((home / "pid").read_text())
    total = 0
    for number in (first, *descendants(first)):
        try:
            text = Path(f"/proc/{number}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.workshop", allow_abbrev=False)
    parser.add_argument("--seats", type=int, default=20)
    parser.add_argument("--at", default="")
    parser.add_argument("--course", type=Path)
    parser.add_argument("--port", type=int, default=28800)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    start = "import sys; from k8swin_lab.workshop.cli import main; sys.exit(main(sys.argv[1:]))"
    with tempfile.TemporaryDirectory(prefix="k8swin-bench-") as folder:
        home = Path(folder, "workshop")

        def command(*words: str) -> str:
            asked = [sys.executable, "-c", start, words[0], "--home", str(home), *words[1:]]
            done = subprocess.run(asked, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{words}: {done.stdout}{done.stderr}")
            return done.stdout

        more = ["--course", str(options.course)] if options.course else []
        began = time.monotonic()
        try:
            command("up", "--seats", str(options.seats), "--port", str(options.port), *more)
            up = time.monotonic() - began
            idle = memory(home)
            row: dict[str, object] = {"seats": options.seats, "all ready": f"{up:.1f} s"}
            row["memory, no kernel"] = f"{idle / 2**30:.1f} GiB"
            if options.at:
                began = time.monotonic()
                command("start", "--at", options.at)
                row[f"all at {options.at}, with its state made"] = (
                    f"{time.monotonic() - began:.1f} s"
                )

            def reset() -> str:
                took = []
                for _ in range(options.rounds):
                    began = time.monotonic()
                    command("reset", "seat-01")
                    took.append(time.monotonic() - began)
                return f"{statistics.median(took):.1f} s, slowest {max(took):.1f} s"

            row["reset of one"] = reset()
            seats = json.loads(command("status", "--json"))
            took: list[float] = []
            failed: list[str] = []
            ceaseless: list[float] = []
            together = threading.Barrier(len(seats) + 1)
            enough = threading.Event()

            def ask(kernel: Kernel, into: list[float]) -> None:
                began = time.monotonic()
                kernel.run(ASKED)
                into.append(time.monotonic() - began)

            def busy(name: str, url: str) -> None:
                try:
                    kernel = Kernel(url)
                    kernel.run(OPENED)
                    kernel.run(ASKED)
                    for _ in range(options.rounds):
                        together.wait(600)
                        ask(kernel, took)
                    together.wait(600)
                    # The first one is reset meanwhile: nobody asks a lab that goes away.
                    while name != "seat-01" and not enough.is_set():
                        ask(kernel, ceaseless)
                except threading.BrokenBarrierError:
                    return
                except Exception as error:
                    failed.append(f"{name}: {error}")
                    together.abort()

            threads = [
                threading.Thread(target=busy, args=(one["name"], one["url"]), daemon=True)
                for one in seats
            ]
            for thread in threads:
                thread.start()
            try:
                for _ in range(options.rounds + 1):
                    together.wait(900)
                row["reset of one, all others busy"] = reset()
                row["memory, all busy"] = f"{memory(home) / 2**30:.1f} GiB"
            except threading.BrokenBarrierError:
                pass
            finally:
                enough.set()
            for thread in threads:
                thread.join(300)
            if failed:
                sys.exit(f"{len(failed)} of {len(seats)} seats failed: {failed[0][:400]}")
            for what, seconds in (("all at once", took), ("without a rest", ceaseless)):
                row[f"kubectl get nodes, {what}"] = (
                    f"{statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s"
                )
        finally:
            command("down")
    print(f"{machine()}, {os.cpu_count()} processors\n")
    print(table([{"what": name, "measured": value} for name, value in row.items()]))


if __name__ == "__main__":
    main()
