"""The command line of a service as systemd makes it: environment read, variables put in."""

from __future__ import annotations

import re
import shlex
from io import BytesIO
from typing import TYPE_CHECKING

from k8swin_lab.machines.program import NotSimulated, Process

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine
    from k8swin_lab.machines.units import Unit


class UnitEnvironmentError(Exception):
    """An environment file that must be there is not; the text is systemd's."""


def environment(machine: LinuxMachine, unit: Unit) -> dict[str, str]:
    """Return the environment of a service: `Environment`, then the files of `EnvironmentFile`.

    Raises:
        UnitEnvironmentError: a file without "-" in front is missing.
    """
    found: dict[str, str] = {}
    service = unit.settings.get("Service", {})
    for line in service.get("Environment", []):
        for pair in _words(line):
            name, equals, value = pair.partition("=")
            if equals:
                found[name] = value
    for path in service.get("EnvironmentFile", []):
        name = path.lstrip("-")
        try:
            text = machine.read_text(name)
        except OSError:
            if path.startswith("-"):
                continue
            raise UnitEnvironmentError(
                f"Failed to load environment files: {name}: No such file or directory"
            ) from None
        for line in text.splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith(("#", ";")):
                found[name.strip()] = _unquoted(value.strip())
    return found


_SHELLS = ("/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash")


def run_beside(machine: LinuxMachine, unit: Unit, key: str) -> str | None:
    """Run the commands of ExecStartPre or ExecStartPost as root, one after the other.

    A command given to a shell is run when it is a plain one; the lab starts no shell inside systemd.

    Returns:
        None, or the last words of the command that failed.
    """
    for line in unit.settings.get("Service", {}).get(key, []):
        words = _words(line.lstrip("-@+!:"))
        if words[:1] and words[0] in _SHELLS and words[1:2] == ["-c"] and len(words) == 3:
            if re.search(r"[;&|<>`$()*?\[\]{}\n]", words[2]):
                return f"not simulated in the lab: {key}={line}"
            words = _words(words[2])
        said = _Sink()
        process = Process(
            machine, words, {"PATH": _PATH, "HOME": "/root"}, "/", "root", BytesIO(), said, said
        )
        try:
            code = machine.run_program(process)
        except NotSimulated as error:
            said.write(machine.lacks(error).encode())
            code = 1
        if code and not line.startswith("-"):
            return said.text() or f"{words[0]}: exit code {code}"
    return None


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Sink:
    def __init__(self) -> None:
        self._data = b""

    def write(self, data: bytes, /) -> None:
        self._data += data

    def text(self) -> str:
        return self._data.decode(errors="replace").strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def command_line(machine: LinuxMachine, unit: Unit) -> list[str]:
    """Return the words with which a service's program is started, the program first.

    `$NAME` as a word of its own becomes as many words as it holds; `${NAME}` stays one.

    Raises:
        UnitEnvironmentError: an environment file that must be there is not.
    """
    values = environment(machine, unit)
    words: list[str] = []
    for word in _words(unit.get("Service", "ExecStart").lstrip("-@+!:")):
        if named := re.fullmatch(r"\$(\w+)", word):
            words += _words(values.get(named[1], ""))
        else:
            words.append(
                re.sub(r"\$\{(\w+)\}", lambda match: values.get(match[1], ""), word).replace(
                    "$$", "$"
                )
            )
    return words
