"""The reader of lock files: every download by name, with the url that it comes from and its hash.

    kubernetes_version: "1.36.4"
    artifacts:
      kubelet.exe: {url: https://..., sha256: 64 hexadecimal digits}

One form for Linux and for Windows. What is downloaded, for which versions and where it belongs is said by
those who ask: `linux/artifacts.py` and `windows/artifacts.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError
from k8swin_nb.field_types import without_login
from k8swin_nb.reading import Unreadable, file_text, shown, yaml_document

SHOWN = 3
"""Problems of one file that an error tells."""


@dataclass(frozen=True, slots=True)
class LockRules:
    """What is allowed in one kind of lock file, and how errors speak of it."""

    what: str
    """What the file is, in an error."""

    parameter: str
    """The description's parameter that names a file; empty there: the built-in one."""

    built_in: str
    """The built-in file, below `k8swin_nb/phases`."""

    schemes: tuple[str, ...]
    """What a url may begin with."""

    words: tuple[str, ...] = ()
    """What may stand for a SHA-256."""

    otherwise: str = ""
    """What else helps when there is no lock for a version."""


def _rules(info: ValidationInfo) -> LockRules:
    assert isinstance(info.context, LockRules)  # noqa: S101 -- `_parsed` alone makes these models
    return info.context


def file_name(url: str) -> str:
    """Return the name of the file that a url is of: what a download is called until it is in its place."""
    return re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2]


class Artifact(BaseModel):
    """One download: its url, and one hash."""

    model_config = ConfigDict(extra="forbid", strict=True)
    url: str
    sha256: str = ""
    sha512: str = Field(default="", pattern=r"^([0-9a-f]{128}|)$")

    @field_validator("url")
    @classmethod
    def _from_an_allowed_place(cls, url: str, info: ValidationInfo) -> str:
        rules = _rules(info)
        without_login(url)
        if not re.fullmatch(rf"({'|'.join(rules.schemes)})://[!-~]+", url):
            raise ValueError(f"`{shown(url)}` is no url of {', '.join(rules.schemes)}")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+~-]*", file_name(url)):
            raise ValueError(f"`{shown(url)}` does not end in a file's name")
        return url

    @field_validator("sha256")
    @classmethod
    def _hexadecimal_or_a_word(cls, sha256: str, info: ValidationInfo) -> str:
        rules = _rules(info)
        if sha256 and sha256 not in rules.words and not re.fullmatch("[0-9a-f]{64}", sha256):
            words = "".join(f" or `{word}`" for word in rules.words)
            raise ValueError(f"`{sha256}` is not 64 hexadecimal digits{words}")
        return sha256

    @model_validator(mode="after")
    def _has_one_hash(self) -> Artifact:
        if bool(self.sha256) == bool(self.sha512):
            has = "two hashes" if self.sha256 else "no hash"
            raise ValueError(f"it has {has}, give either `sha256` or `sha512`")
        if self.url.startswith("http:") and len(self.digest) < 64:
            raise ValueError(
                f"`{self.digest}` with a url of http, which anybody on the way may answer; use https or give the hash"
            )
        return self

    @property
    def algorithm(self) -> str:
        """Kind of the hash: `sha256` or `sha512`."""
        return "sha512" if self.sha512 else "sha256"

    @property
    def digest(self) -> str:
        """The hash, or the word that stands for it."""
        return self.sha512 or self.sha256


class LockFile(BaseModel):
    """A lock file: the versions that it is for, and its downloads by name."""

    model_config = ConfigDict(extra="forbid", strict=True)
    kubernetes_version: str
    containerd_version: str = ""
    docker_version: str = ""
    flannel_version: str = ""
    artifacts: dict[str, Artifact]


def read_lock(
    description: Description, rules: LockRules, *, names: Iterable[str], versions: Iterable[str]
) -> dict[str, Artifact]:
    """Return the downloads of a description's lock file, by name.

    Args:
        description: Names the file, or none for the built-in one.
        rules: What is allowed in it.
        names: Downloads that have to be in it.
        versions: Parameters of the description that have to be the same in it.

    Raises:
        ParamsError: when the file cannot be read, is not valid, lacks a download or is for other versions.
    """
    text, source = _text(description, rules)
    lock = _parsed(text, source, rules)
    missing = sorted(set(names) - set(lock.artifacts))
    if missing:
        raise ParamsError(
            f"{source} lacks: {', '.join(missing)}",
            hint="every download needs a url and a hash",
        )
    for name in versions:
        locked, wanted = getattr(lock, name), getattr(description, name)
        if locked != wanted:
            raise ParamsError(
                f"{source} is for `{name}` {locked or 'none'}, the parameters say {wanted}",
                hint=f"set `{rules.parameter}` to a lock file for these versions{rules.otherwise}",
            )
    return lock.artifacts


def _text(description: Description, rules: LockRules) -> tuple[str, str]:
    """Return a lock file's text, and how errors name it."""
    named = getattr(description, rules.parameter)
    if not named:
        file = resources.files(__package__).joinpath(rules.built_in)
        return file.read_text(encoding="utf-8"), f"the {rules.what} built into the package"
    path = description.path(named)
    try:
        return file_text(path), f"the {rules.what} `{path}`"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ParamsError(
            f"cannot read the {rules.what} `{path}`: {reason}",
            hint=f"correct `{rules.parameter}` in the parameters, or leave it empty for the built-in lock",
        ) from error


@cache
def _parsed(text: str, source: str, rules: LockRules) -> LockFile:
    try:
        return LockFile.model_validate(yaml_document(text), context=rules)
    except Unreadable as error:
        problem = str(error)
    except ValidationError as error:
        found = [_problem(detail["loc"], detail["msg"]) for detail in error.errors()]
        more = f"; {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        problem = "; ".join(found[:SHOWN]) + more
    raise ParamsError(
        f"{source} is not valid: {problem}",
        hint=f"compare with `k8swin_nb/phases/{rules.built_in}`",
    )


def _problem(place: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    where = ".".join(map(str, place)) or "the whole file"
    return f"`{where}`: {said[:1].lower()}{said[1:]}"
