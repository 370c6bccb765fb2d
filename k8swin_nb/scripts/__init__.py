"""The scripts of all steps, as real files, and their loader.

What may live here: `.sh` and `.ps1` files that declare their parameters in their own language, and the
code that reads those declarations. What may not: templates, or scripts as strings in Python.

    Bash         : "${NAME:?help}"  required        : "${NAME:=default}"  optional
    PowerShell   param([Parameter(Mandatory = $true)][string]$Name, [switch]$Flag)

What several scripts of a language have to do in the same way is in its `functions.sh` or `functions.ps1`: the
scripts name what they use of it, and the loader puts that behind their declarations (`functions.py`).
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Literal

from k8swin_nb.errors import ScriptError
from k8swin_nb.scripts import functions
from k8swin_nb.scripts.powershell import param_block, synopsis
from k8swin_nb.shown import shown
from k8swin_nb.tables import escaped
from k8swin_nb.tables.code import CODE, highlighted

Interpreter = Literal["bash", "powershell"]

_SUFFIXES: dict[str, Interpreter] = {".sh": "bash", ".ps1": "powershell"}
_BASH_PARAMETER = re.compile(r'^: "\$\{([A-Za-z_][A-Za-z0-9_]*):([?=])(.*)\}"\s*$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter of a script."""

    name: str
    """As the script spells it."""

    required: bool
    """Whether it has no default."""

    type: str = "string"
    """PowerShell's type name in lower case; always `string` for bash."""

    default: str | None = None
    """The default as written in the script."""

    help: str = ""
    """What bash's declaration says when the value is missing."""

    @property
    def is_switch(self) -> bool:
        """Whether naming it is all that it wants."""
        return self.type in ("switch", "switchparameter")


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and what it says about itself."""

    name: str
    """Path below the scripts folder, or the first line of a text."""

    text: str
    """What runs, unchanged: the file, with the shared functions that it names."""

    interpreter: Interpreter
    """`bash` or `powershell`."""

    parameters: tuple[Parameter, ...] = field(default=())
    """What it declares, in its own order."""

    @classmethod
    def load(cls, name: str) -> Script:
        """Load a script of the package, such as `linux/swap.check.sh`.

        Raises:
            ScriptError: when there is none of that name, with the nearest one.
        """
        return _load(name)

    @classmethod
    def from_text(cls, text: str, interpreter: Interpreter, name: str = "") -> Script:
        """Make a script of a text, such as a cell's body.

        A byte-order mark that an editor left is no part of it, and line ends of Windows are plain ones for bash.
        """
        text = text.removeprefix("\ufeff")
        if interpreter == "bash":
            text = text.replace("\r\n", "\n")
        return cls(name or first_line(text), text, interpreter, _parameters(text, interpreter))

    @property
    def stem(self) -> str:
        """The file's name without folder and suffix: `swap.check`."""
        return PurePosixPath(self.name).stem

    @property
    def sha256(self) -> str:
        """SHA-256 of the text as UTF-8, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def summary(self) -> str:
        """The first comment, or what follows `.SYNOPSIS`."""
        if self.interpreter == "powershell":
            return synopsis(self.text)
        lines = []
        for line in self.text.splitlines():
            if line.startswith("#!"):
                continue
            if not line.startswith("#"):
                break
            lines.append(line.lstrip("#").strip())
        return " ".join(lines).strip()

    def bind(self, values: Mapping[str, str], *, complete: bool = True) -> dict[str, str]:
        """Check values against the declarations and return them.

        Args:
            values: By name.
            complete: Whether they are all that the script is given. What it finds around it, such as arguments and variables
                of the host, it looks at itself.

        Raises:
            ScriptError: naming every undeclared and every missing parameter.
        """
        # PowerShell's names do not tell capitals from small letters; bash's do.
        fold = str.lower if self.interpreter == "powershell" else str
        declared = {fold(parameter.name): parameter for parameter in self.parameters}
        unknown = [name for name in values if fold(name) not in declared]
        given = {fold(name) for name in values}
        missing = [p.name for p in self.parameters if p.required and fold(p.name) not in given]
        problems = [f"does not declare `{name}`" for name in unknown]
        problems += [f"needs `{name}`" for name in missing if complete]
        if problems:
            names = [parameter.name for parameter in self.parameters]
            close = difflib.get_close_matches(unknown[0], names, n=1) if unknown else []
            raise ScriptError(
                f"`{self.name}` " + ", ".join(problems),
                hint=f"did you mean `{close[0]}`?" if close else _declares(names),
            )
        return {declared[fold(name)].name: value for name, value in values.items()}

    def show(self) -> Script:
        """Return the script, which a notebook shows highlighted."""
        return self

    def __repr__(self) -> str:
        return shown(f"# {self.name}\n{self.text}", most=CODE)

    def _repr_html_(self) -> str:
        code = highlighted(self.text, self.interpreter)
        return f"<div><code>{escaped(self.name)}</code>{code}</div>"


def first_line(text: str) -> str:
    """Return the first line that is code, shortened, as a name for a text without one."""
    lines = [line.strip() for line in text.splitlines()]
    code = [line for line in lines if line and not line.startswith("#")] or [
        line for line in lines if line
    ]
    line = code[0] if code else "(empty)"
    return line if len(line) <= 60 else line[:57] + "..."


def _declares(names: list[str]) -> str:
    return f"it declares: {', '.join(names)}" if names else "it declares no parameter"


def _parameters(text: str, interpreter: Interpreter) -> tuple[Parameter, ...]:
    if interpreter == "powershell":
        return tuple(
            Parameter(entry.name, entry.required, entry.type, entry.default)
            for entry in param_block(text)
        )
    found = []
    for name, kind, rest in _BASH_PARAMETER.findall(text):
        if kind == "?":
            found.append(Parameter(name, True, help=rest))
        else:
            found.append(Parameter(name, False, default=rest))
    return tuple(found)


@cache
def _load(name: str) -> Script:
    path = PurePosixPath(name)
    interpreter = _SUFFIXES.get(path.suffix)
    if interpreter is None or name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        raise ScriptError(
            f"there is no script `{name}`",
            hint=f"did you mean `{close[0]}`?"
            if close
            else "scripts are named `linux/NAME.VERB.sh`",
        )
    file = resources.files("k8swin_nb.scripts").joinpath(*path.parts)
    shared = _functions(str(path.with_name(functions.STEM + path.suffix)), interpreter)
    text = functions.compose(name, file.read_text(encoding="utf-8"), interpreter, shared)
    return Script(name, text, interpreter, _parameters(text, interpreter))


@cache
def _functions(name: str, interpreter: Interpreter) -> dict[str, str]:
    """Read a folder's file of functions; a folder need not have one."""
    file = resources.files("k8swin_nb.scripts").joinpath(*PurePosixPath(name).parts)
    return functions.read(file.read_text(encoding="utf-8"), interpreter) if file.is_file() else {}


@cache
def names() -> tuple[str, ...]:
    """Return the names of all scripts of the package; a file of functions is none."""
    found: list[str] = []
    for folder in resources.files("k8swin_nb.scripts").iterdir():
        if folder.is_dir():
            found += [
                f"{folder.name}/{file.name}"
                for file in folder.iterdir()
                if PurePosixPath(file.name).suffix in _SUFFIXES
                and PurePosixPath(file.name).stem != functions.STEM
            ]
    return tuple(sorted(found))
