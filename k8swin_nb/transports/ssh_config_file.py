"""A file of OpenSSH's client, read as ssh_config(5) and readconf.c read it, without running anything.

paramiko has a reader too, and it is silently wrong where people's files are: a criterion of `Match` that it does not know
counts as true, what stands behind a `#` belongs to the value, a bracket in a pattern is a set of letters, `Include` is left
out. So lines are read here; `ssh -G` is the judge in the tests.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import file_text, lines, shown

_DEEPEST_INCLUDE = 16
_MANY = frozenset({"identityfile", "certificatefile"})
"""Keywords that may be said several times; of the others the first counts."""
_WHOLE = frozenset({"proxycommand", "localcommand", "remotecommand", "knownhostscommand"})
"""Keywords whose value is the rest of the line."""
_WORD = re.compile(r"""\s*(?:(?P<end>\#.*)|(?P<word>(?:"[^"]*"|'[^']*'|\\.|[^\s"'])+))""")
_PART = re.compile(
    r""""(?P<double>[^"]*)"|'(?P<single>[^']*)'|\\(?P<escaped>["'\\ ])|(?P<plain>.)"""
)


@dataclass(frozen=True, slots=True)
class _Line:
    keyword: str
    words: tuple[str, ...]


@dataclass(slots=True)
class Said:
    """What a file says of one name: words by keyword, in small letters."""

    words: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def first(self, keyword: str) -> str:
        """Return the value of a keyword; empty: nothing is said."""
        found = self.words.get(keyword)
        return " ".join(found[0]) if found else ""

    def all(self, keyword: str) -> tuple[str, ...]:
        """Return all values of a keyword."""
        return tuple(" ".join(one) for one in self.words.get(keyword, ()))


class ConfigFile:
    """One file of OpenSSH's client, with those that it includes.

    Args:
        path: Of the file.

    Raises:
        ParamsError: when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _read(path, path)

    def of(self, name: str, user: str) -> Said:
        """Return what the file says of a name, as it would be typed behind `ssh`, and of a user there.

        Raises:
            ParamsError: when an included file cannot be read; when it depends on what is not known here, or on what a
                program of this computer says.
        """
        said = Said()
        look = _Look(self.path, name, user, said)
        look.file(self.path, active=True, depth=0)
        if look.asks_final:
            look.is_final = True
            look.file(self.path, active=True, depth=0)
        return said


class _Look:
    """One name is looked up."""

    def __init__(self, top: Path, name: str, user: str, said: Said) -> None:
        self._top = top
        self._name = name
        self._user = user
        self._said = said
        self.asks_final = False
        self.is_final = False

    def file(self, path: Path, *, active: bool, depth: int) -> None:
        """Take what a file says; the conditions in it hold below those of the place that includes it."""
        if depth > _DEEPEST_INCLUDE:
            raise ParamsError(f"`ssh_config` `{self._top}` includes files without end")
        holds = active
        for line in _read(path, self._top):
            if line.keyword == "host":
                holds = active and _covers(line.words, self._name)
            elif line.keyword == "match":
                holds = active and self._match(line.words)
            elif not holds:
                continue
            elif line.keyword == "include":
                for included in _included(line.words):
                    self.file(included, active=True, depth=depth + 1)
            else:
                self._take(line)

    def _take(self, line: _Line) -> None:
        keyword = line.keyword
        # Each of both takes the place of the other, and the first of them counts.
        taken = ("proxyjump", "proxycommand") if keyword.startswith("proxy") else (keyword,)
        known = self._said.words
        if keyword in _MANY:
            # In the second pass, the first one's are said again.
            if line.words not in known.setdefault(keyword, []):
                known[keyword].append(line.words)
        elif keyword == "proxyusefdpass" or not any(one in known for one in taken):
            known.setdefault(keyword, [line.words])

    def _match(self, words: tuple[str, ...]) -> bool:
        """Tell whether a `Match` holds. Its criteria are asked in turn, until one does not hold."""
        at = iter(words)
        for word in at:
            negated = word.startswith("!")
            criterion, equals, value = word.removeprefix("!").partition("=")
            criterion = criterion.lower()
            if criterion == "all":
                continue
            if criterion in ("canonical", "final"):
                self.asks_final = self.asks_final or criterion == "final"
                holds = self.is_final
            else:
                value = value if equals else next(at, "")
                holds = self._criterion(criterion, value)
            if holds == negated:
                return False
        return True

    def _criterion(self, criterion: str, value: str) -> bool:
        listed = tuple(value.split(","))
        if criterion == "host":
            asked = self._said.first("hostname").replace("%h", self._name) or self._name
            return _covers(tuple(one.lower() for one in listed), asked.lower())
        if criterion == "originalhost":
            return _covers(tuple(one.lower() for one in listed), self._name.lower())
        if criterion == "user":
            return _covers(listed, self._user or self._said.first("user"))
        if criterion == "localuser":
            return _covers(listed, getpass.getuser())
        if criterion == "tagged":
            return _covers(listed, self._said.first("tag"))
        why = {
            "exec": "which runs a program of this computer",
            "localnetwork": "which depends on where this computer is",
        }.get(criterion, "which is not known here")
        raise ParamsError(
            f"`ssh_config` `{self._top}` has `Match {shown(criterion)}` on the way to `{shown(self._name)}`, {why}",
            hint="leave it out of a copy of the file that `ssh_config` names",
        )


def _covers(patterns: tuple[str, ...], name: str) -> bool:
    """Tell whether a list of patterns is about a name: one of them matches, and none that begins with `!`."""
    found = False
    for pattern in patterns:
        parts = (
            ".*" if c == "*" else "." if c == "?" else re.escape(c)
            for c in pattern.removeprefix("!")
        )
        if re.fullmatch("".join(parts), name, re.DOTALL) is None:
            continue
        if pattern.startswith("!"):
            return False
        found = True
    return found


def _included(patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files that `Include` names; those that are not there are none."""
    for pattern in patterns:
        path = Path("~/.ssh").expanduser() / Path(pattern).expanduser()
        yield from sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _read(path: Path, top: Path) -> tuple[_Line, ...]:
    """Return a file's lines; it is read again only when it has changed.

    Raises:
        ParamsError: when it cannot be read, or has a line that cannot.
    """
    shown_path = f"`ssh_config` `{top}`" + ("" if path == top else f", which includes `{path}`,")
    try:
        changed = path.stat().st_mtime_ns
        return _lines_of(path, changed)
    except _NoLine as error:
        raise ParamsError(
            f"{shown_path} is no configuration of OpenSSH's client: {error}",
            hint="see what `ssh -G -F FILE HOST` says of it",
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ParamsError(
            f"{shown_path} cannot be read: {shown(why)}", hint="name a file such as `~/.ssh/config`"
        ) from error


class _NoLine(Exception):
    """A line is none of such a file."""


@lru_cache(maxsize=64)
def _lines_of(path: Path, changed: int) -> tuple[_Line, ...]:
    found = []
    for number, text in enumerate(lines(file_text(path)), 1):
        stripped = text.strip(" \t\r\f\n")
        if not stripped or stripped.startswith("#"):
            continue
        keyword, rest = _keyword(stripped)
        if keyword in _WHOLE:
            words: tuple[str, ...] = (rest,) if rest else ()
        else:
            words = _words(rest, number)
        if not words:
            raise _NoLine(f"line {number}: `{shown(keyword)}` says nothing")
        found.append(_Line(keyword, words))
    return tuple(found)


def _keyword(text: str) -> tuple[str, str]:
    """Return a line's first word, in small letters, and what stands behind it and one `=`."""
    found = re.match(r'"?([^\s="]*)"?\s*=?\s*', text)
    assert found is not None  # noqa: S101 -- all of it may be empty
    return found[1].lower(), text[found.end() :]


def _words(text: str, number: int) -> tuple[str, ...]:
    """Return the words of a value: quotes hold them together, a `#` in front of one ends the line."""
    words = []
    at = 0
    while text[at:].strip():
        found = _WORD.match(text, at)
        if found is None:
            raise _NoLine(f"line {number}: a quote is not closed")
        if found["end"]:
            break
        words.append(
            "".join(next(filter(None, part.groups()), "") for part in _PART.finditer(found["word"]))
        )
        at = found.end()
    return tuple(words)
