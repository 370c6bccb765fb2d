#!/usr/bin/env python3
"""Run parts of the tests side by side, and tell how each ended and where the time went.

    side_by_side.py [--at-once N] [--left-out 'NAME=REASON'] 'NAME=COMMAND' ...

A part is a command of the shell, started in the order given. Its output goes to a file; it is printed
whole when the part fails. At the end stand what was skipped and why, what took longest, a table of the
parts, the name of each test that failed, so that it is there in a log that was cut off above, and a line as
pytest closes with. The exit code is 1 when a part failed. Needs Python alone.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

CLOSING = re.compile(r"=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))?(?: =*)?")
SKIPPED = re.compile(r"SKIPPED \[(\d+)\] (?:([^\s:]+)(?::\d+)?: )?(.+)")
ORDER = "failed passed skipped deselected xfailed xpassed warnings errors"
NONE = "no tests ran"
TOOK = re.compile(r"(\d+\.\d+)s (?:call|setup|teardown) +(\S.*)")
FAILED = re.compile(r"(?:FAILED|ERROR) (\S+\.py\b.*)")
MOST = 300
"""Characters of a failed test's line that are told."""

SHOWN = 10
"""How many of the slowest tests are told of."""

PATIENCE = 120
"""Seconds that parts have to clean up when everything is to end."""


class Ended(NamedTuple):
    """How a part ended."""

    name: str
    code: int
    seconds: float
    output: str

    @property
    def counts(self) -> collections.Counter[str]:
        """What its runs of pytest counted; a part that failed without such a count is one failure."""
        counts: collections.Counter[str] = collections.Counter()
        for closing in closings(self.output):
            for number, kind in re.findall(r"(\d+) ([a-z]+)", closing):
                counts[kind if kind != "error" else "errors"] += int(number)
        if self.code and not counts["failed"] + counts["errors"]:
            counts["failed"] += 1
        return counts


def closings(output: str) -> list[str]:
    """Return the lines with which pytest closed, without their frames."""
    found = (CLOSING.fullmatch(line.strip()) for line in output.splitlines())
    return [match[0].strip("= ") for match in found if match]


def skips(ended: list[Ended]) -> list[tuple[int, str, str]]:
    """Return how many tests were skipped, why, and in which files."""
    numbers: collections.Counter[str] = collections.Counter()
    files: dict[str, set[str]] = collections.defaultdict(set)
    for part in ended:
        for line in part.output.splitlines():
            if match := SKIPPED.fullmatch(line.strip()):
                numbers[match[3]] += int(match[1])
                files[match[3]].add(match[2] or part.name)
    return [(number, why, ", ".join(sorted(files[why]))) for why, number in numbers.most_common()]


def failures(ended: list[Ended]) -> list[str]:
    """Return a line for each test that failed, and for each part that failed without naming one."""
    told = []
    for part in ended:
        found = (FAILED.fullmatch(line.strip()) for line in part.output.splitlines())
        names = dict.fromkeys(match[1] for match in found if match)
        if part.code and not names:
            last = part.output.strip().rpartition("\n")[2]
            names[f"exit code {part.code}: {last}"] = None
        told += [f"FAILED {part.name}: {name}"[:MOST] for name in names]
    return told


def slowest(ended: list[Ended]) -> list[tuple[float, str]]:
    """Return the tests, or what they stand upon, that took longest, in seconds."""
    lines = (line.strip() for part in ended for line in part.output.splitlines())
    found = (TOOK.fullmatch(line) for line in lines)
    return sorted(((float(match[1]), match[2]) for match in found if match), reverse=True)[:SHOWN]


class Parts:
    """The parts that run, so that all of them can be ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._over = False

    def run(self, name: str, command: str) -> Ended:
        began = time.monotonic()
        path = self._folder / re.sub(r"\W+", "-", name)
        with path.open("wb") as output:
            with self._lock:
                if self._over:
                    return Ended(name, 1, 0, "not started\n")
                process = subprocess.Popen(
                    ["bash", "-c", command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running.add(process)
            say(f"{name}: started")
            code = process.wait()
        with self._lock:
            self._running.discard(process)
        seconds = time.monotonic() - began
        return Ended(name, code, seconds, path.read_text(encoding="utf-8", errors="replace"))

    def end(self) -> None:
        """Ask every part to end, with all that it started."""
        with self._lock:
            self._over = True
            for process in self._running:
                os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while self._running and time.monotonic() < until:
            time.sleep(0.1)
        with self._lock:
            for process in self._running:
                os.killpg(process.pid, signal.SIGKILL)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(part: Ended) -> None:
    """Tell how a part ended: one line, and everything that it said when it failed."""
    how = f"failed with exit code {part.code}" if part.code else "passed"
    if part.code:
        say(f"{f' {part.name} ':-^100}\n{part.output.rstrip()}\n{'-' * 100}")
    say("; ".join([f"{part.name}: {how} in {part.seconds:.0f} s", *closings(part.output)]))


def tell_all(ended: list[Ended], left_out: list[tuple[str, str]], seconds: float) -> None:
    """Tell what was skipped, where the time went, and what came of it in one line."""
    found = skips(ended)
    if found or left_out:
        say("\nskipped:")
        for number, why, files in found:
            say(f"{number:6}  {why} ({files})")
        for name, why in left_out:
            say(f"   all  {name}: {why}")
    if longest := slowest(ended):
        say("\nslowest:")
        for each, test in longest:
            say(f"{each:6.0f}  {test}")
    say(f"\n{'part':<32} {'result':<8} {'seconds':>7}")
    for part in ended:
        say(f"{part.name:<32} {'failed' if part.code else 'passed':<8} {part.seconds:7.0f}")
    for name, _ in left_out:
        say(f"{name:<32} skipped")
    say(f"{'side by side':<32} {'':<8} {seconds:7.0f}\n")
    for line in failures(ended):
        say(line)
    counts = sum((part.counts for part in ended), collections.Counter())
    told = ", ".join(f"{counts[kind]} {kind}" for kind in sorted(counts, key=ORDER.find))
    say(f"{f' {told or NONE} in {seconds:.2f}s ':=^100}")


def named(text: str) -> tuple[str, str]:
    name, separator, rest = text.partition("=")
    if not (name and separator and rest):
        raise argparse.ArgumentTypeError(f"expected NAME=..., found {text}")
    return name, rest


def main(arguments: list[str]) -> int:
    """Run the parts; return 0, or 1 when one of them failed."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__.partition("\n")[0])
    parser.add_argument("--at-once", type=int, default=2, help="parts at a time (2)")
    parser.add_argument("--left-out", type=named, action="append", default=[],
                        metavar="NAME=REASON", help="a part that does not run, and why")  # fmt: skip
    parser.add_argument("parts", type=named, nargs="+", metavar="NAME=COMMAND")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as folder:
        parts = Parts(Path(folder))

        def stop(number: int, _: object) -> None:
            raise SystemExit(128 + number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
            try:
                started = [pool.submit(parts.run, *part) for part in options.parts]
                for done in concurrent.futures.as_completed(started):
                    tell(done.result())
            except BaseException:
                parts.end()
                raise
        ended = [each.result() for each in started]
    tell_all(ended, options.left_out, time.monotonic() - began)
    return int(any(part.code for part in ended))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
