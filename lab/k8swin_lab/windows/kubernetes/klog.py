"""Where a Kubernetes program writes its log: standard error, or files in --log-dir before 1.26."""

from __future__ import annotations

import time

from k8swin_lab.machines.program import Process
from k8swin_lab.windows.kubernetes.flags import last
from k8swin_lab.windows.machine_of import full_path, machine_of, variable

_LEVELS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL"}


class LogFileError(Exception):
    """A log file cannot be made; the text is klog's last one."""


class Klog:
    """The log of one process."""

    def __init__(self, process: Process, flags: dict[str, list[str]]) -> None:
        self._process = process
        self._machine = machine_of(process)
        self._to_stderr = last(flags, "--logtostderr", "true") == "true"
        self._both = last(flags, "--alsologtostderr") == "true"
        self._folder = full_path(
            process, last(flags, "--log-dir") or variable(process, "TEMP") or r"C:\Windows\Temp"
        )
        self._stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self._machine.now()))
        self._files: set[str] = set()

    def say(self, level: str, source: str, text: str) -> None:
        """Write a line; `level` is I, W, E or F.

        Raises:
            LogFileError: the folder of the log is not there.
        """
        now = self._machine.now()
        clock = time.strftime("%m%d %H:%M:%S", time.gmtime(now))
        line = f"{level}{clock}.{int(now * 1e6) % 10**6:06} {1000:>7} {source}] {text}\n"
        if self._to_stderr or self._both or level in "EF":
            self._process.err(line)
        if not self._to_stderr:
            # a file holds its own level and all above it
            for name in "IWEF"[: "IWEF".index(level) + 1]:
                self._append(name, line)

    def _append(self, level: str, line: str) -> None:
        entry = self._machine.processes.of(self._process)
        program = self._process.argv[0].replace("/", "\\").rpartition("\\")[2]
        user = self._process.user.replace("\\", "_")
        name = f"{program}.{self._machine.computer_name}.{user}.log.{_LEVELS[level]}.{self._stamp}.{entry.pid if entry else 0}"
        path = rf"{self._folder}\{name}"
        if path not in self._files:
            if not self._machine.files.exists(self._folder):
                raise LogFileError(
                    f"log: exiting because of error: log: cannot create log: open {path}: The system cannot find the path specified."
                )
            self._files.add(path)
        self._machine.files.append(path, line.encode())
