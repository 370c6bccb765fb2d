"""Secrets: references to them, which may be written down, and their values, which may not.

A reference is resolved when the secret is needed and not before, so that reading an inventory needs no
password. A value is known to the redactor from the moment it exists.
"""

from __future__ import annotations

import contextlib
import getpass
import hmac
import os
import re
import shlex
import stat
import subprocess
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import decoded, expanded, file_bytes
from k8swin_nb.redact import MASK, MIN_LENGTH, REDACTOR

KINDS = ("env", "file", "keyring", "cmd", "prompt")

FILE_BYTES = 64 * 1024
"""What a secret's file may have."""

NO_TEXT = "it is no file of at most 64 kB of text in UTF-8"
"""What is wrong with it otherwise; what was read is not repeated."""

COMMAND_SECONDS = 60
"""Time that a `cmd:` reference has to print its secret."""


_WORD = re.compile(r"[a-z]{1,16}([-_.][a-z]{1,16})*|\d{1,6}")
"""What stands in texts by itself: words, small numbers."""


_NAMES: set[str] = set()


def know_names(names: Iterable[str]) -> None:
    """Make names known that are shown anyway, of hosts and users: a secret that is one of them is told as such."""
    _NAMES.update(name.lower() for name in names)


class CommonSecret(UserWarning):
    """A secret is a word that texts have anyway: masking it makes them hard to read."""


class Secret:
    """A value that does not let itself be shown, formatted, compared by accident or pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if len(value) < MIN_LENGTH:
            raise ParamsError(
                f"a secret has {len(value)} characters, expected at least {MIN_LENGTH}",
                hint="a shorter one cannot be masked in what is shown; choose a longer one",
            )
        self._value = value
        REDACTOR.add(value)

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret cannot be put into text; pass it on as a `Secret`")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled; pickle its reference")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is: `env:NAME`, `file:PATH`, `keyring:SERVICE/USER`, `cmd:COMMAND`, `prompt:TEXT`."""

    kind: str
    place: str

    @classmethod
    def parse(cls, text: str) -> SecretRef:
        """Read a reference.

        Raises:
            ParamsError: when it is none; the text is not repeated, it may be the secret itself.
        """
        kind, colon, place = text.partition(":")
        if not colon or kind not in KINDS or (not place and kind != "prompt"):
            raise ParamsError(
                "a secret is given as a literal value, expected a reference",
                hint="write `env:NAME`, `file:PATH`, `keyring:SERVICE/USER`, `cmd:COMMAND` or `prompt:`",
            )
        return cls(kind, place)

    def __str__(self) -> str:
        # A command may have been given a password; its program is enough to know it by.
        place = self.place if self.kind != "cmd" else self.place.strip().partition(" ")[0] + " ..."
        return f"{self.kind}:{place}"

    def __repr__(self) -> str:
        return f"SecretRef({str(self)!r})"

    def know(self, root: Path) -> None:
        """Let the value be masked from now on, if nobody has to be asked for it and nothing is used up by that."""
        with contextlib.suppress(ParamsError, OSError, ValueError):
            file = root / expanded(self.place)
            if self.kind == "env" or (self.kind == "file" and file.is_file()):
                value = _READERS[self.kind](self, root)
                if len(value) >= MIN_LENGTH:
                    REDACTOR.add(value)

    def resolve(self, root: Path | None = None) -> Secret:
        """Fetch the secret.

        Args:
            root: Folder that relative paths of `file:` start from; default: the working directory.

        Raises:
            ParamsError: when it is not there, is empty or too short, or could be read by others.
        """
        value = _READERS[self.kind](self, root or Path.cwd())
        if not value:
            raise ParamsError(
                f"the secret `{self}` is empty", hint="set it, then run the cell again"
            )
        if _WORD.fullmatch(value) or value.lower() in _NAMES:
            # It is masked all the same; why so much of what is shown looks odd has to be said.
            warnings.warn(
                f"the secret `{self}` is a plain word, a small number or the name of a host or a user: wherever "
                f"that stands {MASK} is shown; choose a longer one of letters, digits and signs",
                CommonSecret,
                stacklevel=2,
            )
        return Secret(value)


def _environment(reference: SecretRef, root: Path) -> str:
    value = os.environ.get(reference.place)
    if value is None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", reference.place):
        # It is not repeated: somebody may have typed the secret in place of the name.
        raise ParamsError(
            "what stands after `env:` is no name of an environment variable",
            hint="write `env:NAME`, and set `NAME` before the notebook's kernel starts",
        )
    if value is None:
        raise ParamsError(
            f"the environment variable `{reference.place}` is not set",
            hint=f"set `{reference.place}` before the notebook's kernel starts",
        )
    return value


def _file(reference: SecretRef, root: Path) -> str:
    path = root / expanded(reference.place)

    def private(found: os.stat_result) -> None:
        if os.name == "posix" and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ParamsError(
                f"the secret's file `{path}` can be read by others: "
                f"mode {stat.S_IMODE(found.st_mode):04o}, expected 0600",
                hint=f"chmod 600 {shlex.quote(str(path))}",
            )

    try:
        return decoded(file_bytes(path, FILE_BYTES, look=private)).rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else NO_TEXT
        raise ParamsError(
            f"cannot read the secret's file `{path}`: {reason}",
            hint="write the secret into it, readable by you alone",
        ) from None  # the lower error holds what was read


def _keyring(reference: SecretRef, root: Path) -> str:
    service, slash, user = reference.place.rpartition("/")
    if not slash:
        raise ParamsError(f"`{reference}` names no user", hint="write `keyring:SERVICE/USER`")
    try:
        import keyring
    except ImportError as error:
        raise ParamsError(
            f"`{reference}` needs the package keyring", hint="pip install keyring"
        ) from error
    try:
        value: Any = keyring.get_password(service, user)
    except (
        Exception
    ) as error:  # backends raise what they like; without a desktop there is none at all
        raise ParamsError(
            f"the keyring did not answer for `{reference}`: {type(error).__name__}",
            hint="use `env:NAME` or `file:PATH` where there is no keyring",
        ) from error
    if value is None:
        raise ParamsError(
            f"the keyring has no entry for `{reference}`", hint=f"keyring set {service} {user}"
        )
    return str(value)


def _command(reference: SecretRef, root: Path) -> str:
    try:
        done = subprocess.run(
            shlex.split(reference.place),
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ParamsError(
            f"`{reference}` could not be run: {type(error).__name__}",
            hint="try the command in a terminal",
        ) from None  # the lower error may hold what was printed
    if done.returncode != 0:
        raise ParamsError(
            f"`{reference}` ended with exit code {done.returncode}",
            hint="try the command in a terminal",
        )
    return done.stdout.rstrip("\r\n")


def _prompt(reference: SecretRef, root: Path) -> str:
    question = f"{reference.place or 'secret'}: "
    if "ipykernel" not in sys.modules and not sys.stdin.isatty():
        raise ParamsError(
            f"`{reference}` asks a person, and there is none here",
            hint="use `env:NAME` or `file:PATH`",
        )
    try:
        return getpass.getpass(question)
    except Exception as error:  # ipykernel's own class when the front end takes no input
        raise ParamsError(
            f"`{reference}` asks a person, and there is none here: {type(error).__name__}",
            hint="use `env:NAME` or `file:PATH`",
        ) from error


_READERS = {
    "env": _environment,
    "file": _file,
    "keyring": _keyring,
    "cmd": _command,
    "prompt": _prompt,
}


def resolve(text: str, root: Path | None = None) -> Secret:
    """Fetch the secret that a reference such as `env:NAME` names.

    Raises:
        ParamsError: when the text is no reference, or the secret cannot be had.
    """
    return SecretRef.parse(text).resolve(root)
