"""The recorded scripts: where they are, how they run in the real bash and in both adapters.

Run as a program, this module records the scripts anew from the bash of this host.
"""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from k8swin_lab.bash import Shell
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import NotSimulated, Process, Program

DATA = Path(__file__).parents[1] / "data" / "bash"
CASES = sorted(path.stem for path in DATA.glob("*.sh"))
ENVIRONMENT = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}

_REAL_PROGRAMS = {
    "answer": '#!/bin/sh\necho "answer: $*"\nexit ${ANSWER_CODE:-0}\n',
    "upper": "#!/bin/sh\nexec tr a-z A-Z\n",
}


@dataclass(frozen=True)
class Outcome:
    output: str
    errors: str
    code: int


def recorded(case: str) -> Outcome:
    output, errors, code = (
        (DATA / f"{case}.{kind}").read_bytes().decode() for kind in ("out", "err", "rc")
    )
    return Outcome(output, errors, int(code))


def run_real(case: str) -> Outcome:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as programs:
        for name, text in _REAL_PROGRAMS.items():
            path = Path(programs) / name
            path.write_text(text)
            path.chmod(0o755)
        done = subprocess.run(
            ["/bin/bash", "-s"],
            input=(DATA / f"{case}.sh").read_bytes(),
            capture_output=True,
            cwd=directory,
            env=ENVIRONMENT | {"PATH": f"{programs}:{ENVIRONMENT['PATH']}"},
            timeout=60,
        )
        return Outcome(done.stdout.decode(), done.stderr.decode(), done.returncode)


def _answer(process: Process) -> int:
    process.out("answer: " + " ".join(process.argv[1:]) + "\n")
    return int(process.env.get("ANSWER_CODE", "0"))


def _upper(process: Process) -> int:
    while data := process.stdin.read(4096):
        process.stdout.write(data.upper())
    return 0


@dataclass
class SmallMachine:
    """A machine of a disk, two programs, and a memory of who owns what."""

    root: Path
    name: str = "small"
    programs: dict[str, Program] = field(
        default_factory=lambda: {"answer": _answer, "upper": _upper}
    )
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    proc: dict[str, bytes] = field(
        default_factory=lambda: {
            "/proc/sys/net/ipv4/ip_forward": b"0\n",
            "/proc/sys/kernel/hostname": b"small\n",
            "/proc/swaps": b"Filename\tType\tSize\tUsed\tPriority\n",
            "/sys/fs/cgroup/cgroup.controllers": b"cpu memory\n",
        }
    )

    def __post_init__(self) -> None:
        for directory in ("etc/sudoers.d", "home/ubuntu", "root/work"):
            (self.root / directory).mkdir(parents=True)
        (self.root / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n"
        )
        (self.root / "etc/group").write_text("root:x:0:\nubuntu:x:1000:\nadm:x:4:ubuntu\n")
        (self.root / "etc/sudoers.d/ubuntu").write_text("ubuntu ALL=(ALL) NOPASSWD:ALL\n")

    def proc_files(self) -> dict[str, bytes]:
        return dict(self.proc)

    def write_proc(self, path: str, data: bytes) -> None:
        self.proc[path] = data

    def owner_of(self, path: str) -> tuple[str, str]:
        if path in self.owners:
            return self.owners[path]
        return ("ubuntu", "ubuntu") if path.startswith("/home/ubuntu") else ("root", "root")

    def set_owner(self, path: str, user: str, group: str) -> None:
        now = self.owner_of(path)
        self.owners[path] = (user or now[0], group or now[1])

    def filesystem_type(self, path: str) -> str:
        return "cgroup2fs" if path.startswith("/sys/fs/cgroup") else "ext2/ext3"

    def lacks(self, gap: NotSimulated) -> str:
        return str(gap)


def run(
    shell: Shell,
    machine: SmallMachine,
    argv: list[str],
    *,
    given: bytes = b"",
    user: str = "root",
    cwd: str = "/root/work",
    environment: dict[str, str] | None = None,
) -> Outcome:
    output, errors = io.BytesIO(), io.BytesIO()
    process = Process(
        cast(Machine, machine),
        argv,
        ENVIRONMENT | (environment or {}),
        cwd,
        user,
        io.BytesIO(given),
        output,
        errors,
    )
    code = shell.run(argv, process)
    return Outcome(output.getvalue().decode(), errors.getvalue().decode(), code)


def main() -> None:
    for case in CASES:
        outcome = run_real(case)
        (DATA / f"{case}.out").write_text(outcome.output)
        (DATA / f"{case}.err").write_text(outcome.errors)
        (DATA / f"{case}.rc").write_text(f"{outcome.code}\n")


if __name__ == "__main__":
    os.umask(0o022)
    main()
