"""What interprets a script, apart from what carries it: bash and PowerShell.

Both are handed everything on standard input, so a script may be of any size and hold any character, and
no value ever is part of a command line that other users of the machine can list.

Bash: a constant text, `transports/supervise.sh`, is read first. It proves that it runs, cleans the environment, and starts
a shell for the script, which reads fields that end in a NUL byte. What follows is the script's own standard input.
Parameters are exported; secrets become shell variables that are not, so they are in no process's environment unless the
script itself exports them.

    seconds NUL   NAME=value NUL ... NUL   NAME NUL value NUL ... NUL   script NUL   standard input

PowerShell: a constant command reads one JSON document and runs the loader that stands in it, `transports/loader.ps1`.
"""

from __future__ import annotations

import json
import re
import secrets as random
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from functools import cache
from importlib import resources

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
) -> bytes:
    """Return what a script's own shell is sent on standard input.

    Raises:
        ScriptError: when a name is none for bash, or a text holds a NUL character.
    """
    for name in (*parameters, *secrets):
        if not _BASH_NAME.fullmatch(name):
            raise ScriptError(
                f"`{name}` is not a name for a bash variable", hint="use letters, digits and `_`"
            )
    fields = [f"{name}={value}" for name, value in parameters.items()]
    fields.append("")
    for name, secret in secrets.items():
        fields += [name, secret.reveal()]
    fields += ["", script.text]
    for field in fields:
        if "\0" in field:
            raise ScriptError(
                f"`{script.name}` or one of its values holds a NUL character, which bash cannot",
                hint="send such bytes as standard input",
            )
    return b"".join(field.encode("utf-8", "surrogateescape") + b"\0" for field in fields) + stdin


@cache
def powershell_loader() -> str:
    """Return the loader, which is sent in front of every script, without its comments."""
    file = resources.files("k8swin_nb.transports").joinpath("loader.ps1")
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def powershell_command(tag: str) -> tuple[str, list[str]]:
    """Return program and arguments that run a script from standard input.

    The loader comes on standard input too. As `-EncodedCommand` it would make Windows PowerShell write errors and
    warnings as CLIXML, whatever `-OutputFormat` says, and would hide the tag.

    Args:
        tag: A word by which the script's processes can be found again: it stands in their command lines.

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
        f"\"$k8tag='{tag}';{_POWERSHELL}\"",
    ]


def powershell_input(
    script: Script,
    parameters: Mapping[str, str],
    secrets: Mapping[str, Secret],
    stdin: bytes = b"",
    *,
    word: str,
) -> bytes:
    """Return the document for `powershell_command`. Only ASCII is sent, so no code page matters.

    Args:
        script: What runs.
        parameters: Values by name.
        secrets: Likewise.
        stdin: Standard input of the script.
        word: What the loader prints before and after the script, see `transports.proof`.

    Raises:
        ScriptError: when a switch is neither `true` nor `false`, or standard input is not UTF-8 text.
    """
    types = {parameter.name.lower(): parameter.type for parameter in script.parameters}
    values: dict[str, str | bool] = {
        name: _typed(script, name, value, types.get(name.lower(), "string"))
        for name, value in parameters.items()
    }
    values |= {name: secret.reveal() for name, secret in secrets.items()}
    document: dict[str, object] = {
        "loader": powershell_loader(),
        "word": word,
        "script": script.text,
        "parameters": values,
    }
    if stdin:
        try:
            document["stdin"] = stdin.decode()
        except UnicodeDecodeError as error:
            raise ScriptError(
                f"the standard input of `{script.name}` is not UTF-8 text: {error.reason}",
                hint="send bytes as base64",
            ) from error
    return json.dumps(document).encode("ascii") + b"\n"


def _typed(script: Script, name: str, value: str, kind: str) -> str | bool:
    if kind not in ("switch", "switchparameter", "bool", "boolean"):
        return value
    if value.lower() not in ("true", "false"):
        raise ScriptError(
            f"`{script.name}`: the switch `{name}` is `{value}`", hint="give it `true` or `false`"
        )
    return value.lower() == "true"
