"""System.Text.RegularExpressions: Regex, Match, Group, Capture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.regex_syntax import Translated, translate, translated_from
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import PSArray

_PREFIX = "System.Text.RegularExpressions."


class Regex(NetObject):
    type_name = _PREFIX + "Regex"

    def __init__(self, pattern: str, options: int = 0) -> None:
        self.pattern = pattern
        self.options = options
        self.translated: Translated = translate(pattern, options)

    @classmethod
    def of(cls, compiled: re.Pattern[str]) -> Regex:
        """The regular expression that was translated to this Python one."""
        made = cls.__new__(cls)
        made.pattern, made.options = compiled.pattern, 0
        made.translated = translated_from(compiled)
        return made

    @property
    def compiled(self) -> re.Pattern[str]:
        return self.translated.compiled


class Group(NetObject):
    """A group of a match; one that took no part has `success` False."""

    type_name = _PREFIX + "Group"

    def __init__(self, name: str, match: re.Match[str] | None, numbers: tuple[int, ...]) -> None:
        self.name = name
        self.success = False
        self.index, self.text = 0, ""
        for number in numbers:
            if match is not None and match.start(number) >= 0:
                self.success = True
                self.index, self.text = match.start(number), match.group(number)


class Match(Group):
    type_name = _PREFIX + "Match"

    def __init__(self, regex: Regex, match: re.Match[str] | None) -> None:
        super().__init__("0", match, (0,))
        self.regex = regex
        self.match = match
        translated = regex.translated
        self.groups = GroupCollection(
            self if number == 0 else Group(name, match, numbers)
            for number, (name, numbers) in enumerate(
                zip(translated.names, translated.numbers, strict=True)
            )
        )


class GroupCollection(NetObject):
    """Not a list: it is indexed by name as well as by number."""

    type_name = _PREFIX + "GroupCollection"

    def __init__(self, items: Iterable[Group]) -> None:
        self.items = list(items)

    def __iter__(self) -> Iterator[Group]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Group:
        return self.items[index]

    def find(self, name: Any) -> Group | None:
        """By number (named groups have one too) or name; None when there is no such group."""
        if isinstance(name, int):
            return self.items[name] if 0 <= name < len(self.items) else None
        return next((group for group in self.items if group.name == str(name)), None)

    def named(self, name: Any) -> Group:
        """By number or name; an unknown one is a group that took no part."""
        return self.find(name) or Group(str(name), None, ())


class MatchCollection(list[Match]):
    type_name = _PREFIX + "MatchCollection"


class CaptureCollection(list[Group]):
    type_name = _PREFIX + "CaptureCollection"


def find_all(regex: Regex, text: str, start: int = 0) -> Iterator[Match]:
    """All matches in order."""
    return (Match(regex, match) for match in regex.compiled.finditer(text, start))


def match_groups(match: re.Match[str]) -> list[tuple[str | int, str]]:
    """The groups that took part, by .NET number or name, as `$Matches` has them."""
    translated = translated_from(match.re)
    found: list[tuple[str | int, str]] = []
    for name, numbers in zip(translated.names, translated.numbers, strict=True):
        group = Group(name, match, numbers)
        if group.success:
            found.append((int(name) if name.isdigit() else name, group.text))
    return found


_REPLACEMENT = re.compile(r"\$(?:(\$)|(\d+)|\{(\w+)\}|(&)|(`)|(')|(\+)|(_))")


def expand(template: str, match: Match) -> str:
    """A replacement text: `$1`, `${name}`, `$&`, `` $` ``, `$'`, `$+`, `$_`, `$$`."""
    whole = match.match
    if whole is None or "$" not in template:
        return template

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name = found[2] or found[3]
        if name:
            known = match.groups.find(int(name) if name.isdigit() else name)
            return found.group() if known is None else known.text
        if found[5]:
            return whole.string[: whole.start()]
        if found[6]:
            return whole.string[whole.end() :]
        if found[7]:
            return match.groups[-1].text
        return whole.string if found[8] else whole.group()

    return _REPLACEMENT.sub(one, template)


def replace(interp: Any, regex: Regex, text: str, replacement: Any, count: int = -1) -> str:
    """Replace by a text with `$1` references, or by what a script block makes of each match."""
    make: Callable[[Match], str]
    if isinstance(replacement, ScriptBlock):
        block = replacement

        def make(match: Match) -> str:
            result = interp.invoke(block, [match], dollar_underbar=None)
            return "".join(to_string(item) for item in result)

    else:
        template = to_string(replacement)

        def make(match: Match) -> str:
            return expand(template, match)

    if count == 0:
        return text
    return regex.compiled.sub(lambda found: make(Match(regex, found)), text, max(count, 0))


def split(regex: Regex, text: str, count: int = 0) -> PSArray:
    """Regex.Split: captured groups are part of the result."""
    pieces = PSArray((), "System.String")
    start = 0
    for match in regex.compiled.finditer(text):
        if count and sum(1 for _ in pieces) >= count - 1:
            break
        pieces.append(text[start : match.start()])
        pieces.extend(group for group in match.groups() if group is not None)
        start = match.end()
    pieces.append(text[start:])
    return pieces


def _options(value: Any) -> int:
    parsed = enums.find(_PREFIX + "RegexOptions")
    return parsed.parse(value).enum_number if parsed is not None else 0


REGEX = NetType("System.Text.RegularExpressions.Regex")
REGEX.from_value = lambda value: Regex(to_string(value))
REGEX.to_text = lambda value: str(value.pattern)


@REGEX.constructor
def _new(pattern: str, options: Any = 0, _timeout: Any = None) -> Regex:
    return Regex(pattern, _options(options))


REGEX.prop("Options", lambda value: enums.value(_PREFIX + "RegexOptions", value.options))
REGEX.method("IsMatch")(
    lambda self, text, start=0: self.compiled.search(to_string(text), int(start)) is not None
)
REGEX.static("IsMatch")(
    lambda text, pattern, options=0: (
        Regex(to_string(pattern), _options(options)).compiled.search(to_string(text)) is not None
    )
)


@REGEX.method("Match")
def _match(self: Regex, text: str, start: int = 0) -> Match:
    return Match(self, self.compiled.search(text, start))


@REGEX.static("Match")
def _static_match(text: str, pattern: str, options: Any = 0) -> Match:
    return _match(Regex(pattern, _options(options)), text)


@REGEX.method("Matches")
def _matches(self: Regex, text: str, start: int = 0) -> MatchCollection:
    return MatchCollection(find_all(self, text, start))


@REGEX.static("Matches")
def _static_matches(text: str, pattern: str, options: Any = 0) -> MatchCollection:
    return _matches(Regex(pattern, _options(options)), text)


@REGEX.method("Replace")
def _replace(interp: Any, self: Regex, text: str, replacement: Any, count: int = -1) -> str:
    return replace(interp, self, text, replacement, count)


@REGEX.static("Replace")
def _static_replace(
    interp: Any, text: str, pattern: str, replacement: Any, options: Any = 0
) -> str:
    return replace(interp, Regex(pattern, _options(options)), text, replacement)


@REGEX.method("Split")
def _split(self: Regex, text: str, count: int = 0) -> PSArray:
    return split(self, text, count)


@REGEX.static("Split")
def _static_split(text: str, pattern: str, options: Any = 0) -> PSArray:
    return split(Regex(pattern, _options(options)), text)


_SPECIAL = "\\*+?|{[()^$.# "
_CONTROL = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


@REGEX.static("Escape")
def escape(text: str) -> str:
    """Regex.Escape."""
    return "".join(_CONTROL.get(c) or ("\\" + c if c in _SPECIAL else c) for c in text)


CAPTURE = NetType(_PREFIX + "Capture")
CAPTURE.prop("Index", lambda value: value.index)
CAPTURE.prop("Length", lambda value: len(value.text))
CAPTURE.prop("Value", lambda value: value.text)
CAPTURE.to_text = lambda value: str(value.text)
GROUP = NetType(_PREFIX + "Group", CAPTURE.name)
GROUP.prop("Success", lambda value: value.success)
GROUP.prop("Name", lambda value: value.name)
GROUP.prop("Captures", lambda value: CaptureCollection([value] if value.success else []))
MATCH = NetType(_PREFIX + "Match", GROUP.name)
MATCH.prop("Groups", lambda value: value.groups)


@MATCH.method("NextMatch")
def _next_match(self: Match) -> Match:
    if self.match is None:
        return self
    end = self.match.end() + (1 if self.match.end() == self.match.start() else 0)
    text = self.match.string
    found = self.regex.compiled.search(text, end) if end <= len(text) else None
    return Match(self.regex, found)


MATCH.method("Result")(lambda self, template: expand(to_string(template), self))
REGEX.method("GetGroupNames")(lambda self: PSArray(self.translated.names, "System.String"))


for _name in ("GroupCollection", "MatchCollection", "CaptureCollection"):
    _collection = NetType(
        _PREFIX + _name,
        interfaces=("System.Collections.ICollection", "System.Collections.IEnumerable"),
    )
    _collection.prop("Count", len)
