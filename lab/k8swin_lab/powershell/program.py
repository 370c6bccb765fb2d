"""powershell.exe as a program of a machine: its command line, and the session it starts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.powershell.clixml import Records
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.errors import PowerShellError
from k8swin_lab.powershell.host import PowerShellHost
from k8swin_lab.powershell.interpreter import Interpreter
from k8swin_lab.powershell.places import decode

_SWITCHES = ("noprofile", "noninteractive", "nologo", "sta", "mta")
_VALUES = (
    "executionpolicy",
    "inputformat",
    "outputformat",
    "windowstyle",
    "version",
    "configurationname",
)
_USAGE_CODE = 64
"""The exit code of an unusable -File argument, as Windows PowerShell has it (-196608 is for a missing file)."""


@dataclass(slots=True)
class Invocation:
    """A parsed command line; `kind` is "command", "file" or "stdin"."""

    kind: str = "stdin"
    text: str = ""
    policy: str = ""  # -ExecutionPolicy
    encoded: bool = False  # -EncodedCommand
    arguments: list[str] = field(default_factory=list)


class UsageError(Exception):
    """The command line is not one that powershell.exe takes."""


def powershell_program(make_host: Callable[[Process], PowerShellHost]) -> Program:
    """The program, over the machine that `make_host` shows to the interpreter."""

    def run(process: Process) -> int:
        try:
            invocation = parse_command_line(process.argv[1:])
        except UsageError as error:
            process.err(f"{error}\n")
            return _USAGE_CODE
        except NotSimulated as gap:
            process.err(f"{gap}\n")
            return 70
        host = make_host(process)
        with culture_now.session(host.machine):
            return run_in(host, process, invocation)

    def run_in(host: PowerShellHost, process: Process, invocation: Invocation) -> int:
        interpreter = Interpreter(
            host,
            user=process.user,
            environment=process.env,
            location=process.cwd,
            stdin=process.stdin,
            stdout=process.stdout,
            stderr=process.stderr,
            cancelled=process.cancelled,
        )
        interpreter.codepage = process.codepage
        if invocation.encoded and host.edition == "Desktop":
            interpreter.records = Records(process.stderr)
        try:
            return _run(interpreter, host, process, invocation)
        finally:
            if interpreter.records is not None:
                interpreter.records.end()
            interpreter.close_files()

    return run


def _run(
    interpreter: Interpreter, host: PowerShellHost, process: Process, invocation: Invocation
) -> int:
    interpreter.execution_policy = invocation.policy
    if invocation.kind == "command":
        return interpreter.run_command(invocation.text)
    if invocation.kind == "stdin":
        return interpreter.run_command(decode(process.stdin.read()))
    path = interpreter.full_path(invocation.text)
    if not host.files.exists(path):
        process.err(
            f"The argument '{invocation.text}' to the -File parameter does not exist. Provide the path to "
            "an existing '.ps1' file as an argument to the -File parameter.\n"
        )
        return -196608
    try:
        text = interpreter.read_script(path)
    except PowerShellError as error:
        process.err(f"{error.record.exception.message}\r\n"
                    "    + CategoryInfo          : SecurityError: (:) [], ParentContainsErrorRecordException\r\n"
                    "    + FullyQualifiedErrorId : UnauthorizedAccess\r\n \r\n")  # fmt: skip
        return 1
    return interpreter.run_script(text, arguments=invocation.arguments, name=path)


def parse_command_line(words: list[str]) -> Invocation:
    """Read the options of powershell.exe; any unambiguous beginning of a name will do.

    Raises:
        UsageError: an unknown option, or one without its value.
        NotSimulated: an option that the lab does not have.
    """
    policies: list[str] = []
    found = _parsed(words, policies)
    found.policy = policies[-1] if policies else ""
    return found


def _parsed(words: list[str], policies: list[str]) -> Invocation:
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "-":
            return Invocation("stdin")
        if word[:1] not in ("-", "/"):
            return Invocation("command", " ".join(words[index - 1 :]))
        option = word[1:].lower()
        if option in ("c", "command") or ("command".startswith(option) and len(option) > 1):
            rest = words[index:]
            if rest == ["-"]:
                return Invocation("stdin")
            return Invocation("command", " ".join(rest))
        if option in ("e", "ec") or (len(option) > 1 and "encodedcommand".startswith(option)):
            return Invocation("command", _decoded(words, index), encoded=True)
        if option == "f" or ("file".startswith(option) and option):
            if index >= len(words):
                raise UsageError("The -File parameter needs the path of a script.")
            if words[index] == "-":
                return Invocation("stdin")
            return Invocation("file", words[index], arguments=words[index + 1 :])
        if option in ("ep", "ex") or _matches(option, _VALUES):
            name = "executionpolicy" if option in ("ep", "ex") else _matches(option, _VALUES)
            if index >= len(words):
                raise UsageError(
                    f"Cannot process the command because of a missing parameter: {word}"
                )
            _check_value(name, words[index])
            if name == "executionpolicy":
                policies.append(words[index])
            index += 1
        elif _matches(option, _SWITCHES):
            continue
        elif _matches(option, ("noexit", "psconsolefile")):
            raise NotSimulated(f"powershell {word}")
        else:
            return Invocation("command", " ".join(words[index - 1 :]))
    return Invocation("stdin")


def _matches(option: str, names: tuple[str, ...]) -> str:
    return next((name for name in names if option and name.startswith(option)), "")


def _check_value(name: str, value: str) -> None:
    if name in ("version", "configurationname"):
        raise NotSimulated(f"powershell -{name} {value}")
    if name in ("inputformat", "outputformat") and value.lower() != "text":
        raise NotSimulated(f"powershell -{name} {value}")


def _decoded(words: list[str], index: int) -> str:
    if index >= len(words):
        raise UsageError(
            "Cannot process the command because of a missing parameter: -EncodedCommand"
        )
    try:
        return base64.b64decode(words[index], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(
            "Cannot process the command because the value specified with -EncodedCommand is not properly "
            "encoded. The value must be Base64 encoded."
        ) from error
