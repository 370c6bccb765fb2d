"""What interprets a script, apart from what carries it: bash and PowerShell.

Both are handed everything on standard input, so a script may be of any size and hold any character, and
no value ever is part of a command line that other users of the machine can list.

Bash: a constant text, `transports/supervise.sh`, is read first. It proves that it runs, cleans the environment, and starts
a shell for the script, which reads fields that end in a NUL byte. What follows is the script's own standard input.
Parameters are exported; secrets become shell variables that are not, so they are in no process's environment unless the
script itself exports them.

    seconds NUL   NAME=value NUL ... NUL   NAME NUL value NUL ... NUL   before NUL   script NUL   standard input

What stands before a script is none of it: bash repeats the line in which it found an error of syntax.

PowerShell: a constant command reads one JSON document and runs the loader that stands in it, `transports/loader.ps1`.
"""

from __future__ import annotations

import json
import re
import secrets as random
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from functools import cache
from importlib import resources
from typing import Literal

from k8swin_nb.errors import ScriptError
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret

FOR_START_UP = "\n" * 4
"""What goes before the supervisor: lines that a start-up file may read in its place, as a question's default."""

KILL_AFTER = 5
"""Seconds between the polite and the final end of a script that ran into its deadline."""

_BASH_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_TAG = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)

_POWERSHELL = (
    "$k8doc=ConvertFrom-Json([Console]::In.ReadToEnd());. ([ScriptBlock]::Create($k8doc.loader))"
)
"""The program of every PowerShell script: without a character that cmd.exe would take for its own."""

_SERVING = "$k8in=[Console]::In;$k8doc=ConvertFrom-Json($k8in.ReadLine());. ([ScriptBlock]::Create($k8doc.host))"
"""The same for a process that serves several scripts: its first line is what it works with, each further one a script."""


Strict = Literal["", "off", "stop", "strict"]
"""What happens after a line that fails. Empty: as the language has it, so that bash goes on and PowerShell stops; `off`: the
script goes on; `stop`: it ends there; `strict`: so does a name that is not set, and in bash a failing part of a pipe."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script finds around it that it does not declare. Values are passed and never part of its text."""

    environment: Mapping[str, str | Secret] = made(default_factory=dict)
    """Variables: exported in bash, `$env:NAME` in PowerShell. A `Secret` is a variable of bash that is not exported."""

    arguments: Sequence[str | Secret] = ()
    """`$1`, `$2` ... of bash, `$args` of PowerShell."""

    strict: Strict = ""
    """What happens after a line that fails."""

    objects: bool = False
    """PowerShell prints what the script returns as lines of JSON, an object each; what else it says is standard error."""

    progress: bool = False
    """What PowerShell's `Write-Progress` tells is written to standard error, as lines that overwrite each other."""

    @property
    def secrets(self) -> list[str]:
        """The names under which secrets are passed."""
        places = [(f"${number}", one) for number, one in enumerate(self.arguments, 1)]
        return [
            name for name, one in [*self.environment.items(), *places] if isinstance(one, Secret)
        ]


class Listed(str):
    """A list or a mapping as JSON: text wherever text is wanted, an array for a parameter that PowerShell declares as one."""

    __slots__ = ()


PLAIN = Surroundings()
"""Nothing but what a script finds anyway."""

_ENDS_HERE = """trap 'case $- in *e*) echo "ended here with exit code $?: $BASH_COMMAND" >&2 ;; esac' ERR; """
"""Where a script has said `set +e` it does not end."""

_STRICT = {
    "": "",
    "off": "set +e; ",
    "stop": f"set -e; {_ENDS_HERE}",
    "strict": f"set -euo pipefail; {_ENDS_HERE}",
}
"""By strictness, what bash is told before it reads a script."""

_TAKEN = frozenset(
    {
        "REPLY",
        "K8SWIN_TAG",
        "K8SWIN_SCRIPT",
        "BASHOPTS",
        "SHELLOPTS",
        "UID",
        "EUID",
        "PPID",
        "BASH_VERSINFO",
    }
)
"""Variables that bash, or what stands around a script, keeps for itself."""

_ARGUMENT = "K8SWIN_ARGUMENT_"


def new_tag(run: str = "", verb: str = "script") -> str:
    """Return a word by which the processes of one script can be found on a host: `k8swin-apply-RUN-7f3a...`.

    Args:
        run: Id of the run that asks.
        verb: What the script is about: `check`, `apply`, `verify`, `magic`; a check changes nothing.
    """
    return "-".join(part for part in ("k8swin", verb, run, random.token_hex(8)) if part)


@dataclass(frozen=True, slots=True)
class SudoWords:
    """What sudo says when it asks for a password, and what is said once it has let us in: words that nobody else knows."""

    prompt: str = made(default_factory=lambda: f"k8swin-sudo-asks-{random.token_hex(12)}")
    let_in: str = made(default_factory=lambda: f"k8swin-sudo-let-in-{random.token_hex(12)}")


def bash_command(*, tag: str, sudo: bool, asks: SudoWords | None = None) -> str:
    """Return the command that runs a script from standard input.

    It consists of plain words, so that every login shell, and a forced command that does not look at quotes, reads
    it alike.

    Args:
        tag: A word by which the script's processes can be found again, to stop them.
        sudo: Run as root, without asking for a password.
        asks: Let sudo ask for one, with these words; the command is then no longer one of plain words alone.
    """
    if sudo and asks:
        # -k: always ask where a password is wanted. That it was right is told before anything else is read.
        begun = f'echo {asks.let_in} >&2; exec bash -p -s "$0" "$1"'
        # %p: whose password it wants, which need not be the login's. -u: `runas_default` may name somebody else than root.
        prompt = f"{asks.prompt}(%p):"
        words = [
            "sudo",
            "-S",
            "-k",
            "-p",
            prompt,
            "-u",
            "root",
            "-H",
            "--",
            "bash",
            "-p",
            "-c",
            begun,
        ]
        return shlex.join([*words, tag, str(KILL_AFTER)])
    words = ["sudo", "-n", "-u", "root", "-H", "--"] if sudo else []
    words += ["bash", "-p", "-s", tag, str(KILL_AFTER)]
    return shlex.join(words)


@cache
def bash_supervisor() -> bytes:
    """Return what `bash_command` reads first: the shell that stands around a script."""
    file = resources.files("k8swin_nb.transports").joinpath("supervise.sh")
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return (FOR_START_UP + "\n".join(kept) + "\n").encode()


def bash_input(
    script: Script,
    parameters: Mapping[str, str],
    secrets: Mapping[str, Secret],
    stdin: bytes = b"",
    around: Surroundings = Surroundings(),
) -> bytes:
    """Return what a script's own shell is sent on standard input.

    Raises:
        ScriptError: when a name is none for bash, or a text holds a NUL character.
    """
    given = {f"{_ARGUMENT}{number}": one for number, one in enumerate(around.arguments, 1)}
    for name in (*parameters, *secrets, *around.environment):
        if not _BASH_NAME.fullmatch(name):
            raise ScriptError(
                f"`{name}` is not a name for a bash variable", hint="use letters, digits and `_`"
            )
        if name in _TAKEN:
            raise ScriptError(
                f"`{name}` is a variable that bash keeps for itself", hint="choose another name"
            )
    first = _STRICT[around.strict]
    if given:
        values = " ".join(f'"${name}"' for name in given)
        first += f"set -- {values}; unset {' '.join(given)}; "
    both = {**around.environment, **given}
    hidden = {name: one for name, one in both.items() if isinstance(one, Secret)}
    parameters = {**parameters, **{n: one for n, one in both.items() if isinstance(one, str)}}
    secrets = {**secrets, **hidden}
    fields = [f"{name}={value}" for name, value in parameters.items()]
    fields.append("")
    for name, secret in secrets.items():
        fields += [name, secret.reveal()]
    fields += ["", first, script.text]
    for field in fields:
        if "\0" in field:
            raise ScriptError(
                f"`{script.name}` or one of its values holds a NUL character, which bash cannot",
                hint="send such bytes as standard input",
            )
    try:
        sent = [field.encode("utf-8", "surrogateescape") for field in fields]
    except UnicodeEncodeError as error:
        raise ScriptError(
            f"`{script.name}` or one of its values holds half of a character (a lone surrogate), which is no text",
            hint="send such bytes as standard input",
        ) from error
    return b"".join(field + b"\0" for field in sent) + stdin


def powershell_loader() -> str:
    """Return the loader, which is sent in front of every script, without its comments."""
    return _powershell_file("loader.ps1")


@cache
def _powershell_file(name: str) -> str:
    file = resources.files("k8swin_nb.transports").joinpath(name)
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def powershell_command(tag: str, *, serving: bool = False) -> tuple[str, list[str]]:
    """Return program and arguments that run a script from standard input.

    The loader comes on standard input too. As `-EncodedCommand` it would make Windows PowerShell write errors and
    warnings as CLIXML, whatever `-OutputFormat` says, and would hide the tag.

    Args:
        tag: A word by which the script's processes can be found again: it stands in their command lines.
        serving: The process serves one script after the other: `powershell_serving_input`, then a `powershell_input`
            with `serving` for each.

    Raises:
        ScriptError: when the tag is more than a word.
    """
    if not _TAG.fullmatch(tag):
        raise ScriptError(f"the tag `{tag}` is not one word of letters, digits, `-`, `_` and `.`")
    return "powershell.exe", [
        "-NoProfile",
        "-NonInteractive",
        "-ExecutionPolicy",
        "Bypass",
        "-OutputFormat",
        "Text",
        "-Command",
        f"\"$k8tag='{tag}';{_SERVING if serving else _POWERSHELL}\"",
    ]


def powershell_input(
    script: Script,
    parameters: Mapping[str, str],
    secrets: Mapping[str, Secret],
    stdin: bytes = b"",
    *,
    word: str,
    around: Surroundings = Surroundings(),
    serving: bool = False,
) -> bytes:
    """Return the document for `powershell_command`. Only ASCII is sent, so no code page matters.

    Args:
        script: What runs.
        parameters: Values by name.
        secrets: Likewise.
        stdin: Standard input of the script.
        word: What the loader prints before and after the script, see `transports.proof`.
        around: What the script finds around it.
        serving: The process has the loader.

    Raises:
        ScriptError: when a switch is neither `true` nor `false`, or standard input is not UTF-8 text.
    """
    types = {parameter.name.lower(): parameter.type for parameter in script.parameters}
    values: dict[str, object] = {
        name: _typed(script, name, value, types.get(name.lower(), "string"))
        for name, value in parameters.items()
    }
    values |= {name: secret.reveal() for name, secret in secrets.items()}
    document: dict[str, object] = {} if serving else {"loader": powershell_loader()}
    document |= {
        "word": word,
        "script": script.text,
        "parameters": values,
    }
    if "\0" in script.text:
        raise ScriptError(
            f"`{script.name}` holds a NUL character, which no script has",
            hint="send such bytes as base64",
        )
    plain = {name: _plain(one) for name, one in around.environment.items()}
    for name in plain:
        if not name or "=" in name or "\0" in name + plain[name]:
            raise ScriptError(
                f"`{name}` is no name of a variable, or its value holds a NUL character",
                hint="use letters, digits and `_`",
            )
    if plain:
        document["environment"] = plain
    if around.arguments:
        given = {name.lower() for name in values}
        kinds = [
            p.type for p in script.parameters if p.name.lower() not in given and not p.is_switch
        ]
        kinds += [""] * len(around.arguments)
        document["arguments"] = [
            _array(_plain(one), kind) for one, kind in zip(around.arguments, kinds, strict=False)
        ]
    if around.strict:
        document["strict"] = around.strict
    if around.objects:
        document["objects"] = _powershell_file("objects.ps1")
    if around.progress:
        document["progress"] = _powershell_file("progress.ps1")
    if stdin:
        try:
            document["stdin"] = stdin.decode()
        except UnicodeDecodeError as error:
            raise ScriptError(
                f"the standard input of `{script.name}` is not UTF-8 text: {error.reason}",
                hint="send bytes as base64",
            ) from error
    return json.dumps(document).encode("ascii") + b"\n"


def objects_apart(text: str) -> tuple[str, str]:
    """Return the objects among what PowerShell printed, as lines of JSON, and everything else that it said."""
    objects, said = [], []
    for line in text.split("\n"):
        before, record, one = line.partition("\x1e")
        objects += [f"{one}\n"] if record else []
        said += [f"{before}\n"] if before else []
    return "".join(objects), "".join(said)


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


@cache
def powershell_serving_input() -> bytes:
    """Return what a process that serves several scripts is sent first: one line."""
    document = {"host": _powershell_file("host.ps1"), "loader": powershell_loader()}
    return json.dumps(document).encode("ascii") + b"\n"


def _array(value: str, kind: str) -> object:
    """Return an argument as a parameter of a type is given it: a list is an array where one is declared."""
    return json.loads(value) if isinstance(value, Listed) and kind.endswith("[]") else value


def _typed(script: Script, name: str, value: str, kind: str) -> object:
    if kind not in ("switch", "switchparameter", "bool", "boolean"):
        return _array(value, kind)
    if value.lower() not in ("true", "false"):
        raise ScriptError(
            f"`{script.name}`: the switch `{name}` is `{value}`", hint="give it `true` or `false`"
        )
    return value.lower() == "true"
