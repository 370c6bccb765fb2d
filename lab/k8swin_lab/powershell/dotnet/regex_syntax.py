"""A .NET regular expression as one of Python's `re`, and how their groups correspond.

.NET numbers unnamed groups first and named ones after them, allows options in the middle of a
pattern, duplicate names, and subtraction in character classes; Python's `re` does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.dotnet.registry import argument

IGNORE_CASE, MULTILINE, EXPLICIT, SINGLELINE, VERBOSE, RIGHT_TO_LEFT = 1, 2, 4, 16, 32, 64
_LETTERS = "a-zA-Z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1\u0370-\u1fff"
_CATEGORIES = {
    "L": _LETTERS,
    "Lu": "A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f",
    "Ll": "a-z\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u044f",
    "N": "0-9\u00b2\u00b3\u00b9\u00bc-\u00be",
    "Nd": "0-9",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027",
    "S": r"$+<=>^`|~\u00a2-\u00a9\u00ac\u00ae-\u00b1\u20a0-\u20bf",
    "Z": " \u00a0\u2000-\u200a\u2028\u2029\u202f\u3000",
    "Zs": " \u00a0\u2000-\u200a\u202f\u3000",
    "IsBasicLatin": "\x00-\x7f",
}


@dataclass(frozen=True)
class Translated:
    """`numbers[n]` are the Python groups of .NET's group n; `names[n]` is its name."""

    compiled: re.Pattern[str]
    numbers: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]


@lru_cache(maxsize=512)
def translate(pattern: str, options: int = 0) -> Translated:
    """Compile a .NET pattern.

    Raises:
        Terminating: System.ArgumentException for a pattern that .NET refuses.
        NotSimulated: a construct that Python's `re` has no counterpart of.
    """
    if options & RIGHT_TO_LEFT:
        raise NotSimulated("RegexOptions.RightToLeft")
    reader = _Reader(pattern, options)
    text = reader.sequence(top=True)
    if reader.leading and len(_split_alternatives(text)) > 1:
        raise NotSimulated(f"regular expression with look-behind of varying length: {pattern}")
    flags = re.IGNORECASE if options & IGNORE_CASE else 0
    flags |= re.MULTILINE if options & MULTILINE else 0
    flags |= re.DOTALL if options & SINGLELINE else 0
    flags |= re.VERBOSE if options & VERBOSE else 0
    try:
        compiled = re.compile(text, flags)
    except re.error as error:
        if "look-behind" in str(error):
            raise NotSimulated(
                f"regular expression with look-behind of varying length: {pattern}"
            ) from error
        raise argument(f'parsing "{pattern}" - {error.msg}.') from error
    result = _numbered(compiled, reader.groups)
    _TRANSLATED[compiled] = result
    if reader.leading:
        prefix, body = reader.leading
        behind = re.compile(f"(?:{body})\\Z", flags)
        guarded = LookBehindPattern(compiled, behind, negated=prefix.endswith("!"))
        return Translated(guarded, result.numbers, result.names)  # type: ignore[arg-type]
    return result


class LookBehindPattern:
    """A pattern that begins with a look-behind of varying length, which Python's `re` refuses.

    It has the methods of `re.Pattern` that are used here; every place is tried in turn.
    """

    def __init__(self, main: re.Pattern[str], behind: re.Pattern[str], *, negated: bool) -> None:
        self.main = main
        self.behind = behind
        self.negated = negated
        self.pattern, self.flags = main.pattern, main.flags
        self.groups, self.groupindex = main.groups, main.groupindex

    def match(self, text: str, position: int = 0) -> re.Match[str] | None:
        if (self.behind.search(text, 0, position) is not None) == self.negated:
            return None
        return self.main.match(text, position)

    def search(self, text: str, position: int = 0) -> re.Match[str] | None:
        for place in range(position, len(text) + 1):
            found = self.match(text, place)
            if found is not None:
                return found
        return None

    def fullmatch(self, text: str) -> re.Match[str] | None:
        found = self.match(text)
        return found if found is not None and found.end() == len(text) else None

    def finditer(self, text: str, position: int = 0) -> Iterator[re.Match[str]]:
        while position <= len(text):
            found = self.search(text, position)
            if found is None:
                return
            yield found
            position = found.end() if found.end() > found.start() else found.end() + 1

    def sub(self, make: Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        parts: list[str] = []
        start = 0
        for number, found in enumerate(self.finditer(text), 1):
            parts += [text[start : found.start()], make(found)]
            start = found.end()
            if number == count:
                break
        return "".join(parts) + text[start:]


_TRANSLATED: dict[re.Pattern[str], Translated] = {}


def translated_from(compiled: re.Pattern[str]) -> Translated:
    """The translation that made this Python pattern."""
    found = _TRANSLATED.get(compiled)
    if found is None:
        names = {number: name for name, number in compiled.groupindex.items()}
        found = _numbered(compiled, [names.get(number + 1) for number in range(compiled.groups)])
    return found


def _numbered(compiled: re.Pattern[str], groups: list[str | None]) -> Translated:
    numbers: list[tuple[int, ...]] = [(0,)]
    numbers += [(number,) for number, name in enumerate(groups, 1) if name is None]
    names = [str(number) for number in range(len(numbers))]
    for name in dict.fromkeys(name for name in groups if name is not None):
        numbers.append(tuple(n for n, other in enumerate(groups, 1) if other == name))
        names.append(name)
    return Translated(compiled, tuple(numbers), tuple(names))


class _Reader:
    def __init__(self, pattern: str, options: int) -> None:
        self.pattern = pattern
        self.position = 0
        self.groups: list[str | None] = []
        self.explicit = bool(options & EXPLICIT)
        self._scoped: list[str] = []
        self.leading: tuple[str, str] | None = None

    def sequence(self, *, top: bool = False) -> str:
        """Up to the closing parenthesis (or the end), with options scoped to the rest of the group."""
        result: list[str] = []
        opened = 0
        while self.position < len(self.pattern):
            char = self.pattern[self.position]
            if char == ")":
                if top:
                    raise argument(f'parsing "{self.pattern}" - Too many )\'s.')
                break
            if char == "(":
                piece, scoped = self._group()
                result.append(piece)
                opened += scoped
            elif char == "|" and opened:
                # Options stay in force across an alternation: close, and open them again.
                result.append(")" * opened + "|" + "".join(self._scoped[-opened:]))
                self.position += 1
            else:
                result.append(self._atom(char))
        for _ in range(opened):
            self._scoped.pop()
        return "".join(result) + ")" * opened

    def _atom(self, char: str) -> str:
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class()
        self.position += 1
        if char == "{" and self.pattern[self.position : self.position + 1] == ",":
            return r"\{"
        return char

    def _escape(self) -> str:
        following = self.pattern[self.position + 1 : self.position + 2]
        if not following:
            raise argument(f'parsing "{self.pattern}" - Illegal \\ at end of pattern.')
        self.position += 2
        if following == "z":
            return r"\Z"
        if following == "Z":
            return r"(?=\n?\Z)"
        if following == "e":
            return r"\x1b"
        if following in "pP":
            body = self._category()
            return f"[{'^' if following == 'P' else ''}{body}]"
        if following == "k":
            match = re.compile(r"<(\w+)>|'(\w+)'").match(self.pattern, self.position)
            if match is None:
                raise argument(
                    f'parsing "{self.pattern}" - Malformed \\k<...> named back reference.'
                )
            self.position = match.end()
            name = match[1] or match[2]
            return f"\\{name}" if name.isdigit() else f"(?P={name})"
        if following == "G":
            raise NotSimulated(r"regular expression with \G")
        if following in "_-/\"'<>@#%&=~!,:;` " or not following.isascii():
            return re.escape(following)
        return "\\" + following

    def _category(self) -> str:
        match = re.compile(r"\{(\w+)\}").match(self.pattern, self.position)
        if match is None or match[1] not in _CATEGORIES:
            raise NotSimulated(
                f"regular expression with \\p{self.pattern[self.position : self.position + 6]}"
            )
        self.position = match.end()
        return _CATEGORIES[match[1]]

    def _class(self) -> str:
        self.position += 1
        negated = self.pattern.startswith("^", self.position)
        self.position += negated
        items: list[str] = []
        excluded = ""
        first = True
        while True:
            if self.position >= len(self.pattern):
                raise argument(f'parsing "{self.pattern}" - Unterminated [] set.')
            char = self.pattern[self.position]
            if char == "]" and not first:
                self.position += 1
                break
            first = False
            if char == "-" and self.pattern.startswith("-[", self.position) and items:
                self.position += 1
                excluded = self._class()
                continue
            items.append(self._class_item(char))
        text = f"[{'^' if negated else ''}{''.join(items)}]"
        return f"(?:(?!{excluded}){text})" if excluded else text

    def _class_item(self, char: str) -> str:
        if char == "\\":
            following = self.pattern[self.position + 1 : self.position + 2]
            self.position += 2
            if following == "p":
                return self._category()
            if following == "e":
                return r"\x1b"
            return re.escape(following) if not following.isalnum() else "\\" + following
        self.position += 1
        return "\\" + char if char in "[&~|]" else char

    def _group(self) -> tuple[str, int]:
        """A group; the second value is 1 when it only sets options for what follows."""
        start = self.position
        rest = self.pattern[start:]
        if not rest.startswith("(?"):
            self.position += 1
            if self.explicit:
                return self._wrapped("(?:"), 0
            self.groups.append(None)
            return self._wrapped("("), 0
        named = re.match(r"\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')", rest)
        if named:
            self.position += named.end()
            name = named[1] or named[2]
            again = name in self.groups
            self.groups.append(name)
            return self._wrapped("(" if again else f"(?P<{name}>"), 0
        look = re.match(r"\(\?<[=!]", rest)
        if look:
            self.position += 3 + 1
            return self._look_behind(look.group()), 0
        comment = re.match(r"\(\?#[^)]*\)", rest)
        if comment:
            self.position += comment.end()
            return "", 0
        options = re.match(r"\(\?([imnsx]*)(?:-([imnsx]+))?([:)])", rest)
        if options:
            self.position += options.end()
            return self._options(options[1], options[2] or "", options[3])
        plain = re.match(r"\(\?[:=!>]", rest)
        if plain:
            self.position += plain.end()
            return self._wrapped(plain.group()), 0
        conditional = re.match(r"\(\?\((\w+)\)", rest)
        if conditional:
            self.position += conditional.end()
            return self._wrapped(conditional.group()), 0
        if re.match(r"\(\?<\w*-", rest):
            raise NotSimulated("regular expression with balancing groups")
        raise argument(f'parsing "{self.pattern}" - Unrecognized grouping construct.')

    def _options(self, on: str, off: str, end: str) -> tuple[str, int]:
        if "n" in on:
            self.explicit = True
        on, off = on.replace("n", ""), off.replace("n", "")
        prefix = f"(?{on}{'-' + off if off else ''}:" if on or off else "(?:"
        if end == ":":
            return self._wrapped(prefix), 0
        self._scoped.append(prefix)
        return prefix, 1

    def _wrapped(self, prefix: str) -> str:
        body = self.sequence()
        if not self.pattern.startswith(")", self.position):
            raise argument(f'parsing "{self.pattern}" - Not enough )\'s.')
        self.position += 1
        return f"{prefix}{body})"

    def _look_behind(self, prefix: str) -> str:
        at_start = self.position == len(prefix)
        body = self._wrapped("")[:-1]
        if at_start and _is_variable(body):
            self.leading = (prefix, body)
            return ""
        alternatives = _split_alternatives(body)
        if len(alternatives) == 1:
            return f"{prefix}{body})"
        parts = [f"{prefix}{alternative})" for alternative in alternatives]
        return "(?:" + ("" if prefix.endswith("!") else "|").join(parts) + ")"


def _is_variable(body: str) -> bool:
    """Whether a look-behind has an alternative whose length varies."""
    for part in _split_alternatives(body):
        try:
            re.compile(f"(?<={part})")
        except re.error as error:
            if "look-behind" in str(error):
                return True
    return False


def _split_alternatives(body: str) -> list[str]:
    parts, depth, start, index, in_class = [], 0, 0, 0, False
    while index < len(body):
        char = body[index]
        if char == "\\":
            index += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(body[start:index])
            start = index + 1
        index += 1
    return [*parts, body[start:]]


def compile_regex(pattern: str, ignore_case: bool = True, options: int = 0) -> re.Pattern[str]:
    """The compiled Python pattern; see `translate` for the numbering of groups."""
    return translate(pattern, options | (IGNORE_CASE if ignore_case else 0)).compiled
