"""Programs that run other programs: env, sudo, su, xargs, timeout, nohup, nice, sleep."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from k8swin_lab.bash.tools.common import (
    ToolFault,
    disk,
    machine,
    options,
    put,
    read_all,
    text,
    tool,
)
from k8swin_lab.bash.tools.signals import signal_number
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.shell import DEFAULT_PATH, Shell, ShellProcess, account, groups


def _shell(process: Process) -> Shell:
    if isinstance(process, ShellProcess) and process.shell is not None:
        return process.shell
    raise NotSimulated(f"{process.argv[0]} outside of a shell")


def found_on_path(process: Process, name: str, path: str) -> bool:
    """Tell whether a program can be started, from the directories of `path`."""
    where = disk(process)
    # a link to one of the host's own tools leads nowhere as seen from outside the private root
    candidates = [name] if "/" in name else [f"{d or '.'}/{name}" for d in path.split(":")]
    return any(
        where.is_file(one) or (where.exists(one, follow=False) and not where.is_dir(one))
        for one in candidates
    )


def start(process: Process, argv: list[str], **changes: object) -> int:
    """Run a program in a process that is like this one but for some fields."""
    other = _copied(process)
    for name, value in changes.items():
        setattr(other, name, value)
    return _shell(process).run(argv, other)


def _copied(process: Process) -> ShellProcess:
    own = process if isinstance(process, ShellProcess) else None
    return ShellProcess(
        machine=process.machine, argv=[], env=dict(process.env), cwd=process.cwd,
        user=process.user, stdin=process.stdin, stdout=process.stdout, stderr=process.stderr,
        cancelled=process.cancelled, shell=own.shell if own else None,
        umask=own.umask if own else 0o022, files=own.files if own else {},
    )  # fmt: skip


class _Text:
    """A text as input or output of a program."""

    def __init__(self, content: bytes = b"") -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        size = len(self._content) if size < 0 else size
        part, self._content = self._content[:size], self._content[size:]
        return part

    def write(self, data: bytes, /) -> int:
        self._content += data
        return len(data)


def run_text(
    process: Process, command: str, given: str | None, *, capture: bool = False
) -> tuple[int, str]:
    """Run a command line by sh for another tool.

    Args:
        process: the tool that asks.
        command: what sh runs.
        given: its input; None for the tool's own.
        capture: whether the output comes back instead of going where the tool's goes.
    """
    other = _copied(process)
    if given is not None:
        other.stdin = _Text(given.encode("utf-8", "surrogateescape"))
    output = _Text()
    if capture:
        other.stdout = output
    code = _shell(process).run(["sh", "-c", command], other)
    return code, text(output.read())


def _env(process: Process) -> int:
    found, rest = options(
        process, "iv0", "uCS", {"ignore-environment": "i", "unset=": "u", "chdir=": "C",
                                "split-string=": "S", "null": "0"}, permute=False, code=125,
    )  # fmt: skip
    environment = {} if "i" in found else dict(process.env)
    if rest and rest[0] == "-":
        environment, rest = {}, rest[1:]
    for name in found.get("u", []):
        environment.pop(name, None)
    if "S" in found:
        rest = found.last("S").split() + rest
    while rest and "=" in rest[0]:
        name, _, value = rest.pop(0).partition("=")
        environment[name] = value
    if not rest:
        end = "\0" if "0" in found else "\n"
        put(process, "".join(f"{name}={value}{end}" for name, value in environment.items()))
        return 0
    if not found_on_path(process, rest[0], environment.get("PATH", DEFAULT_PATH)):
        raise ToolFault(f"‘{rest[0]}’: No such file or directory", 127)
    return start(process, rest, env=environment, cwd=found.last("C") or process.cwd)


def _printenv(process: Process) -> int:
    _, names = options(process, "0")
    if not names:
        put(process, "".join(f"{name}={value}\n" for name, value in process.env.items()))
    for name in names:
        if name in process.env:
            put(process, process.env[name] + "\n")
    return int(any(name not in process.env for name in names))


def _sudo(process: Process) -> int:
    found, rest = options(
        process, "nEHSikKsvbA", "ugpCDh",
        {"non-interactive": "n", "preserve-env?": "E", "set-home": "H", "stdin": "S", "user=": "u",
         "group=": "g", "login": "i", "shell": "s", "prompt=": "p", "validate": "v",
         "reset-timestamp": "k", "chdir=": "D"},
        permute=False, known="el",
    )  # fmt: skip
    user = found.last("u", "root").lstrip("#")
    who = account(machine(process), user)
    if who is None:
        raise ToolFault(f"unknown user {user}\nsudo: error initializing audit plugin sudoers_audit")
    if not _may_sudo(process):
        if "n" in found:
            raise ToolFault("a password is required")
        raise ToolFault(
            "a terminal is required to read the password; either use the -S option to read from "
            "standard input or configure an askpass helper\nsudo: a password is required"
        )
    assigned: dict[str, str] = {}
    while rest and re.match(r"[A-Za-z_]\w*=", rest[0]):
        name, _, value = rest.pop(0).partition("=")
        assigned[name] = value
    kept = dict(process.env) if "E" in found and not found.last("E") else {}
    for name in found.last("E").split(","):
        if name in process.env:
            kept[name] = process.env[name]
    me = account(machine(process), process.user)
    base = {name: process.env[name] for name in ("TERM", "LANG", "LC_ALL", "DISPLAY", "PATH")
            if name in process.env}  # fmt: skip
    command = " ".join(_full_path(process, word) if not n else word for n, word in enumerate(rest))
    environment = {
        **base, **kept,
        "HOME": who.home if "E" not in found or "H" in found or "i" in found
        else kept.get("HOME", who.home),
        "LOGNAME": who.name, "USER": who.name, "SHELL": who.shell, "MAIL": f"/var/mail/{who.name}",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SUDO_COMMAND": command, "SUDO_USER": process.user,
        "SUDO_UID": str(me.uid if me else 0), "SUDO_GID": str(me.gid if me else 0), **assigned,
    }  # fmt: skip
    if ("v" in found or "k" in found or "K" in found) and not rest:
        return 0
    cwd = found.last("D") or process.cwd
    if "i" in found:
        cwd = who.home
        rest = ["bash", "-l", "-c", " ".join(rest)] if rest else ["bash", "-l"]
    elif "s" in found:
        rest = ["bash", "-c", " ".join(rest)] if rest else ["bash"]
    if not rest:
        raise ToolFault("usage: sudo -h | -K | -k | -V")
    if not found_on_path(process, rest[0], environment["PATH"]):
        raise ToolFault(f"{rest[0]}: command not found")
    return start(process, rest, env=environment, user=who.name, cwd=cwd)


def _full_path(process: Process, name: str) -> str:
    for directory in DEFAULT_PATH.split(":"):
        if "/" not in name and disk(process).exists(f"{directory}/{name}"):
            return f"{directory}/{name}"
    return name


def _may_sudo(process: Process) -> bool:
    """Root may; others when a sudoers rule lets them without a password."""
    if process.user == "root":
        return True
    root = machine(process).root
    names = [process.user, "ALL"]
    for group, (_, members) in groups(machine(process)).items():
        if process.user in members:
            names.append(f"%{group}")
    files = [root / "etc/sudoers", *sorted((root / "etc/sudoers.d").glob("*"))]
    for file in files:
        try:
            rows = file.read_text().splitlines()
        except OSError:
            continue
        for row in rows:
            words = row.split()
            if words and words[0] in names and "NOPASSWD:" in row:
                return True
    return False


def _su(process: Process) -> int:
    found, rest = options(
        process, "lmpf", "cs", {"login": "l", "command=": "c", "shell=": "s",
                                "preserve-environment": "p"},
    )  # fmt: skip
    login = "l" in found
    if rest and rest[0] == "-":
        login, rest = True, rest[1:]
    user = rest.pop(0) if rest else "root"
    who = account(machine(process), user)
    if who is None:
        raise ToolFault(f"user {user} does not exist or the user entry does not contain all the "
                        "required fields")  # fmt: skip
    if process.user != "root":
        raise ToolFault("Authentication failure")
    environment = {} if login else dict(process.env)
    environment |= {"HOME": who.home, "SHELL": who.shell, "PATH": DEFAULT_PATH}
    if login or who.name != "root":
        environment |= {"USER": who.name, "LOGNAME": who.name}
    argv = ["bash", *(["-l"] if login else [])]
    if "c" in found:
        argv += ["-c", found.last("c")]
    cwd = who.home if login else process.cwd
    return start(process, [*argv, *rest], env=environment, user=who.name, cwd=cwd)


def _xargs(process: Process) -> int:
    found, command = options(
        process, "0rtxo", "nIiLPda",
        {"null": "0", "no-run-if-empty": "r", "max-args=": "n", "verbose": "t", "max-procs=": "P",
         "delimiter=": "d", "arg-file=": "a", "replace=": "I", "max-lines=": "L"},
        permute=False,
    )  # fmt: skip
    command = command or ["echo"]
    data = text(read_all(process, found.last("a", "-")))
    if "0" in found:
        items = data.split("\0")[: None if data and not data.endswith("\0") else -1]
    elif "d" in found:
        delimiter = found.last("d").encode().decode("unicode_escape")
        items = data.split(delimiter)
        if items[-1] in ("", "\n"):
            items = items[:-1]
    elif "I" in found:
        items = [line.strip() for line in data.split("\n") if line.strip()]
    else:
        items = _words(data)
    if "I" in found:
        mark = found.last("I")
        batches = [[word.replace(mark, item) for word in command] for item in items]
    elif not items:
        batches = [] if "r" in found else [command]
    else:
        lines = data.split("\n") if "L" in found else []
        size = int(found.last("n", str(len(items))))
        groups = [items[n : n + size] for n in range(0, len(items), size)]
        if "L" in found:
            groups = [line.split() for line in lines if line.strip()]
        batches = [[*command, *group] for group in groups]
    if not found_on_path(process, command[0], process.env.get("PATH", DEFAULT_PATH)):
        raise ToolFault(f"{command[0]}: No such file or directory", 127)
    result = 0
    for batch in batches:
        if process.cancelled.is_set():
            return 143
        if "t" in found:
            process.err(" ".join(batch) + "\n")
        code = start(process, batch, stdin=_Nothing())
        if code == 255:
            raise ToolFault(f"{batch[0]}: exited with status 255; aborting", 124)
        if code:
            result = 123
    return result


class _Nothing:
    """Standard input from /dev/null."""

    def read(self, size: int = -1, /) -> bytes:
        return b""


def _words(data: str) -> list[str]:
    items = []
    for found in re.finditer(r"""(?:[^\s'"\\]|\\.|'[^'\n]*'|"[^"\n]*")+""", data, re.S):
        pieces = re.findall(r"""\\.|'[^']*'|"[^"]*"|[^'"\\]+""", found[0], re.S)
        items.append(
            "".join(
                piece[1:] if piece[0] == "\\" else piece[1:-1] if piece[0] in "'\"" else piece
                for piece in pieces
            )
        )
    return items


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(process: Process, given: str) -> float:
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", given)
    if not found:
        raise ToolFault(
            f"invalid time interval ‘{given}’\nTry '{process.argv[0]} --help' for more information.",
            1 if process.argv[0] == "sleep" else 125,
        )
    return float(found[1]) * _UNITS[found[2] or "s"]


class _Deadline(threading.Event):
    """Set at a moment, or when the event above is."""

    def __init__(self, above: threading.Event, seconds: float) -> None:
        super().__init__()
        self._above = above
        self._end = time.monotonic() + seconds if seconds else None

    @property
    def passed(self) -> bool:
        """Tell whether the moment has come."""
        return self._end is not None and time.monotonic() >= self._end

    def is_set(self) -> bool:
        return super().is_set() or self._above.is_set() or self.passed

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return False
            super().wait(left)
        return True


def _timeout(process: Process) -> int:
    found, rest = options(
        process, "fv", "ks", {"kill-after=": "k", "signal=": "s", "preserve-status": "preserve",
                              "foreground": "f", "verbose": "v"}, permute=False, code=125,
    )  # fmt: skip
    if len(rest) < 2:
        raise ToolFault("missing operand\nTry 'timeout --help' for more information.", 125)
    deadline = _Deadline(process.cancelled, _seconds(process, rest[0]))
    number = signal_number(found.last("s", "TERM"))
    if number is None:
        raise ToolFault(f"‘{found.last('s')}’: invalid signal", 125)
    if not found_on_path(process, rest[1], process.env.get("PATH", DEFAULT_PATH)):
        raise ToolFault(f"failed to run command ‘{rest[1]}’: No such file or directory", 127)
    code = start(process, rest[1:], cancelled=deadline)
    if not deadline.passed or process.cancelled.is_set():
        return code
    return 128 + number if "preserve" in found or number == 9 else 124


def _sleep(process: Process) -> int:
    _, operands = options(process)
    if not operands:
        raise ToolFault("missing operand\nTry 'sleep --help' for more information.")
    total = sum(_seconds(process, operand) for operand in operands)
    return 143 if process.cancelled.wait(total) else 0


def _plain(skip: Callable[[Process], list[str]]) -> Callable[[Process], int]:
    def run(process: Process) -> int:
        argv = skip(process)
        if not argv:
            name = process.argv[0]
            raise ToolFault(f"missing operand\nTry '{name} --help' for more information.", 125)
        if not found_on_path(process, argv[0], process.env.get("PATH", DEFAULT_PATH)):
            raise ToolFault(f"‘{argv[0]}’: No such file or directory", 127)
        return start(process, argv)

    return run


TOOLS = {
    name: tool(function)
    for name, function in {
        "env": _env, "printenv": _printenv, "sudo": _sudo, "su": _su, "xargs": _xargs,
        "timeout": _timeout, "sleep": _sleep,
        "nohup": _plain(lambda p: options(p, permute=False)[1]),
        "nice": _plain(lambda p: options(p, "", "n", {"adjustment=": "n"}, permute=False)[1]),
        "ionice": _plain(lambda p: options(p, "t", "cn", permute=False)[1]),
        "setsid": _plain(lambda p: options(p, "cfw", permute=False)[1]),
        "stdbuf": _plain(lambda p: options(p, "", "ioe", permute=False)[1]),
    }.items()
}  # fmt: skip
