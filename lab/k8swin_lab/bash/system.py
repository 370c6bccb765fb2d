"""The host's own bash and base tools, in a private root made of the machine's disk.

The most exact shell there is, wherever an ordinary user may make namespaces. Each command gets its
own namespaces; what they share is the machine's disk and the machine's state.
"""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from k8swin_lab.bash.bridge import Bridge
from k8swin_lab.bash.descriptors import descriptor_of
from k8swin_lab.bash.programs import ProgramFiles
from k8swin_lab.bash.root import PrivateRoot, host_tools
from k8swin_lab.bash.tools import OWNERSHIP_TOOLS
from k8swin_lab.machines.program import Process, Reader, Writer
from k8swin_lab.machines.shell import DEFAULT_PATH, ShellMachine, ShellProcess, account

_LAUNCHER = str(Path(__file__).with_name("launch.py"))


class SystemShell:
    """Runs a machine's commands with the host's bash."""

    def __init__(self, machine: ShellMachine) -> None:
        self._machine = machine
        self._root = PrivateRoot(machine)
        self._files = ProgramFiles(machine, OWNERSHIP_TOOLS, host_tools())
        self._files.lay_out()
        self._lock = threading.RLock()
        self._life_lines: set[int] = set()

    def run(self, argv: list[str], process: Process) -> int:
        self._bring_in_step()
        here = self._root.command_directory()
        bridge = Bridge(self._machine, OWNERSHIP_TOOLS, self, process, self._bring_in_step)
        bridge.listen(here / "socket")
        streams = _Streams(process)
        try:
            return self._launch(argv, process, here, bridge, streams)
        finally:
            streams.close()
            bridge.close()
            self._bring_in_step()
            shutil.rmtree(here, ignore_errors=True)

    def stop(self) -> None:
        with self._lock:
            for life_line in self._life_lines:
                os.close(life_line)
            self._life_lines.clear()
        self._root.remove()

    def _launch(
        self,
        argv: list[str],
        process: Process,
        here: Path,
        bridge: Bridge,
        streams: _Streams,
    ) -> int:
        asked_out, asked_in = os.pipe()
        status_out, status_in = os.pipe()
        life_out, life_in = os.pipe()
        with self._lock:
            self._life_lines.add(life_in)
        try:
            launcher = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    _LAUNCHER,
                    *map(str, (asked_out, status_in, life_out)),
                ],
                stdin=streams.descriptors[0],
                stdout=streams.descriptors[1],
                stderr=streams.descriptors[2],
                pass_fds=(asked_out, status_in, life_out),
                cwd="/",
                env={},
            )
        finally:
            for descriptor in (asked_out, status_in, life_out):
                os.close(descriptor)
            streams.started()
        with os.fdopen(asked_in, "wb") as pipe:
            # By way of JSON: what is marshalled is of the plain types alone.
            pipe.write(marshal.dumps(json.loads(json.dumps(self._request(argv, process, here)))))
        watched = threading.Event()
        watch = threading.Thread(
            target=self._watch, args=(process, watched, life_in, bridge), daemon=True
        )
        watch.start()
        with os.fdopen(status_out, "rb") as pipe:
            answer = pipe.read()
        streams.drain(process.cancelled)
        watched.set()
        watch.join()
        self._let_go(life_in)
        launcher.wait()
        return int(answer) if answer else 137

    def _request(self, argv: list[str], process: Process, here: Path) -> dict[str, Any]:
        binds, proc = self._root.mounts(here)
        found = account(self._machine, process.user)
        return {
            "argv": argv,
            "env": {"PATH": DEFAULT_PATH, **process.env},
            "cwd": process.cwd,
            "uid": found.uid if found else 0,
            "umask": process.umask if isinstance(process, ShellProcess) else 0o022,
            "root": os.path.realpath(self._machine.root),
            "name": self._machine.name,
            "binds": binds,
            "proc": proc,
        }

    def _watch(
        self, process: Process, done: threading.Event, life_line: int, bridge: Bridge
    ) -> None:
        while not done.wait(0.05):
            if process.cancelled.is_set():
                self._let_go(life_line)
                bridge.cancel()
                return

    def _let_go(self, life_line: int) -> None:
        with self._lock:
            if life_line in self._life_lines:
                self._life_lines.remove(life_line)
                os.close(life_line)

    def _bring_in_step(self) -> None:
        with self._lock:
            self._files.refresh()
            self._root.proc.bring_in_step()


class _Streams:
    """The three descriptors of a command: those of the process, or pipes that are pumped."""

    def __init__(self, process: Process) -> None:
        self._ours: list[int] = []
        self._pumps: list[threading.Thread] = []
        self._waiting: list[threading.Thread] = []
        self.descriptors = [
            self._input(process.stdin),
            self._output(process.stdout),
            self._output(process.stderr),
        ]

    def _input(self, stream: Reader) -> int:
        known = descriptor_of(stream)
        if known is not None:
            return known
        out, into = os.pipe()
        self._ours.append(out)
        self._pumps.append(threading.Thread(target=_feed, args=(stream, into), daemon=True))
        return out

    def _output(self, stream: Writer) -> int:
        known = descriptor_of(stream)
        if known is not None:
            return known
        out, into = os.pipe()
        self._ours.append(into)
        pump = threading.Thread(target=_forward, args=(out, stream), daemon=True)
        self._pumps.append(pump)
        self._waiting.append(pump)
        return into

    def started(self) -> None:
        """The command has its descriptors: close our copies, start to pump."""
        for descriptor in self._ours:
            os.close(descriptor)
        self._ours.clear()
        for pump in self._pumps:
            pump.start()

    def drain(self, cancelled: threading.Event) -> None:
        """Wait until everything that was written has been handed on."""
        for pump in self._waiting:
            while pump.is_alive() and not cancelled.is_set():
                pump.join(0.1)

    def close(self) -> None:
        """Close what was never handed over."""
        for descriptor in self._ours:
            os.close(descriptor)
        self._ours.clear()


def _feed(stream: Reader, into: int) -> None:
    try:
        while data := stream.read(65536):
            view = memoryview(data)
            while view:
                view = view[os.write(into, view) :]
    except (BrokenPipeError, OSError):
        pass
    finally:
        os.close(into)


def _forward(out: int, stream: Writer) -> None:
    try:
        while data := os.read(out, 65536):
            stream.write(data)
    except (BrokenPipeError, OSError):
        pass
    finally:
        os.close(out)
