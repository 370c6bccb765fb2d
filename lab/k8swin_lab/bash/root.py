"""The private root of one machine: its own disk, the host's bash and base tools read-only.

What of the host can be seen is a list, not the whole: libraries, and those programs of /usr/bin that
a Linux server has from the start. Everything else, /etc above all, is the machine's.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from pathlib import Path

from k8swin_lab.bash.proc import ProcFiles
from k8swin_lab.machines.shell import LAB, ShellMachine

HOST_TOOLS = [
    "[",
    "awk",
    "b2sum",
    "base32",
    "base64",
    "basename",
    "bash",
    "bunzip2",
    "bzcat",
    "bzip2",
    "cat",
    "chmod",
    "cksum",
    "clear",
    "cmp",
    "column",
    "comm",
    "cp",
    "csplit",
    "cut",
    "dash",
    "date",
    "dd",
    "diff",
    "diff3",
    "dircolors",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expand",
    "expr",
    "factor",
    "false",
    "fgrep",
    "file",
    "find",
    "flock",
    "fmt",
    "fold",
    "gawk",
    "getopt",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hexdump",
    "iconv",
    "join",
    "jq",
    "kill",
    "less",
    "link",
    "ln",
    "logger",
    "look",
    "ls",
    "mawk",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "more",
    "mv",
    "nice",
    "nl",
    "nohup",
    "numfmt",
    "od",
    "openssl",
    "paste",
    "patch",
    "pathchk",
    "perl",
    "pr",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "python3",
    "readlink",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "rsync",
    "script",
    "sed",
    "seq",
    "setsid",
    "sh",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shred",
    "shuf",
    "sleep",
    "sort",
    "split",
    "stdbuf",
    "strings",
    "stty",
    "sum",
    "sync",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "tsort",
    "tty",
    "uniq",
    "unlink",
    "unxz",
    "unzip",
    "vi",
    "wc",
    "which",
    "xargs",
    "xxd",
    "xz",
    "xzcat",
    "yes",
    "zcat",
    "zgrep",
    "zip",
    "zstd",
    "pgrep",
    "pkill",
    "envsubst",
    "gpg",
    "less",
]
_SENDMSG = {"x86_64": 46, "aarch64": 211}
_TAR = """#!/.k8swin-lab/host/usr/bin/bash
# One user is all the private root has: ownership in archives cannot be restored.
TAR_OPTIONS=--no-same-owner exec -a tar /.k8swin-lab/host/usr/bin/tar "$@"
"""


def unsupported() -> str:
    """Return why a private root cannot be made here, as far as one can see without trying; or ""."""
    if platform.system() != "Linux":
        return f"namespaces are a matter of Linux, this is {platform.system()}"
    if platform.machine() not in _SENDMSG:
        return f"the processor {platform.machine()} is not known to the private root"
    for tool in ("bash", "perl", "grep", "sed", "awk"):
        if not Path(f"/usr/bin/{tool}").exists():
            return f"the host has no /usr/bin/{tool}"
    if not Path("/bin").is_symlink() or not Path("/lib").is_symlink():
        return "the host keeps /bin and /lib apart from /usr"
    return ""


def host_tools() -> dict[str, str]:
    """Return the tools the host has, by name, with their path inside the private root."""
    found = {
        name: f"{LAB}/host/usr/bin/{_behind(name)}"
        for name in HOST_TOOLS
        if Path(f"/usr/bin/{name}").exists()
    }
    if "tar" in found:
        found["tar"] = f"{LAB}/tar"
    return found


def _behind(name: str) -> str:
    """The tool that a name of /etc/alternatives stands for (`which`, `vi`): the machine's /etc has no such links."""
    path = Path(f"/usr/bin/{name}")
    if not path.is_symlink() or not str(path.readlink()).startswith("/etc/alternatives/"):
        return name
    real = path.resolve()
    return real.name if real.parent == Path("/usr/bin") else name


class PrivateRoot:
    """The directories of the host from which private roots of one machine are put together."""

    def __init__(self, machine: ShellMachine) -> None:
        self._machine = machine
        self.directory = Path(tempfile.mkdtemp(prefix="k8swin-"))
        self._commands = 0
        self.proc = ProcFiles(machine, machine.root)
        for name in ("host/usr/bin", "here", "proc", "commands"):
            (self.directory / name).mkdir(parents=True)
        stub = (Path(__file__).parent / "run.pl").read_text()
        stub = stub.replace("SENDMSG", str(_SENDMSG[platform.machine()]))
        self._write("run", f"#!{LAB}/host/usr/bin/perl\n{stub}")
        self._write("tar", _TAR)
        self._binds = self._host_binds()

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)

    def _host_binds(self) -> list[tuple[str, str, bool]]:
        binds = [("/usr/bin", f"{LAB}/host/usr/bin", True)]
        libraries = Path("/usr/lib")
        names = [f"usr/lib/{path.name}" for path in libraries.glob("*-linux-gnu*") if path.is_dir()]
        if names:
            names += [f"usr/lib/{path.name}" for path in libraries.glob("python3*")]
            names += ["usr/lib/locale"]
        else:
            names = ["usr/lib"]
        names += ["usr/lib64", "usr/share/perl", "usr/share/perl5", "usr/share/zoneinfo"]
        names += ["usr/share/awk", "usr/share/terminfo", "usr/share/misc"]
        for name in names:
            if Path(f"/{name}").is_dir() and not Path(f"/{name}").is_symlink():
                binds.append((f"/{name}", f"/{name}", True))
        for path in Path("/etc/alternatives").glob("*"):
            if path.name in ("awk", "nawk"):
                self._awk(path)
        return binds

    def _awk(self, alternative: Path) -> None:
        link = self._machine.root / "etc/alternatives" / alternative.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(f"{LAB}/host{alternative.resolve()}")

    def command_directory(self) -> Path:
        """Make a directory for one command's socket."""
        self._commands += 1
        directory = self.directory / "commands" / str(self._commands)
        directory.mkdir()
        return directory

    def mounts(self, here: Path) -> tuple[list[tuple[str, str, bool]], list[tuple[str, str]]]:
        """Return what the launcher binds before and after it mounts /proc; makes the mount points."""
        root = self._machine.root
        binds = [
            (str(self.directory), LAB, False),
            (str(here), f"{LAB}/here", False),
            (str(root / "proc"), f"{LAB}/proc", False),
            *self._binds,
        ]
        (root / LAB[1:]).mkdir(exist_ok=True)
        for _, target, _ in self._binds:
            if not target.startswith(LAB):
                (root / target[1:]).mkdir(parents=True, exist_ok=True)
        # Mounting /proc hides the machine's files there: they are reached by a second way.
        (root / "proc/sys").mkdir(parents=True, exist_ok=True)
        proc = [(f"{LAB}/proc/sys", "/proc/sys")]
        for path in self.proc.paths:
            if path.startswith("/proc/") and not path.startswith("/proc/sys/"):
                proc.append((LAB + path, path))
        return binds, proc

    def remove(self) -> None:
        """Delete the directories; nothing may run in the private root any more."""
        shutil.rmtree(self.directory, ignore_errors=True)
