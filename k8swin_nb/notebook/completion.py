"""Tab completion of the magics' options and of their values; it asks nobody over the network.

A body belongs to another language: there its own words are completed, and Python's names are kept away. Looking those up is what
takes seconds in a fresh kernel.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from k8swin_nb.notebook import context

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.notebook.magic_line import LineParser

_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]+(.*)$")
_BODY_OF = re.compile(r"%%(\w+)")
_BODY_WORD = re.compile(r"[\w.-]+")
_LINE_MAGIC = re.compile(r"\s*(?:[\w., ]+=\s*)?%(\w+)[ \t]+(.*)$")

_ATTRIBUTE = "k8swin_matcher"


def install(shell: InteractiveShell, parsers: Mapping[str, LineParser]) -> None:
    """Add a matcher for the magics whose parsers are given, by name."""
    remove(shell)

    @context_matcher()  # type: ignore[untyped-decorator]
    def k8swin_matcher(where: Any) -> dict[str, Any]:
        words, typed = candidates(
            where.full_text, where.cursor_position, where.cursor_line, parsers
        )
        return {
            "completions": [SimpleCompletion(text=word, type="magic") for word in words],
            "matched_fragment": typed,
            "suppress": bool(words),
        }

    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(k8swin_matcher)


def remove(shell: InteractiveShell) -> None:
    """Take the matcher away again."""
    if shell.Completer is not None:
        matchers = shell.Completer.custom_matchers
        matchers[:] = [m for m in matchers if getattr(m, "__name__", "") != _ATTRIBUTE]


def candidates(
    text: str, column: int, line: int, parsers: Mapping[str, LineParser]
) -> tuple[list[str], str]:
    """Return what may stand at the cursor, and the part of it that is typed already.

    Args:
        text: The whole cell.
        column: The cursor's place in its line.
        line: The cursor's line. Those below the first one of these magics are its body; a line magic may stand anywhere else.
        parsers: Parsers by magic.
    """
    lines = text.split("\n")
    if line >= len(lines):
        return [], ""
    before = lines[line][:column]
    of = _BODY_OF.match(text)
    if line and of and of[1] in parsers:
        return _body_words("\n".join(lines[1:]), before)
    found = (_CELL_MAGIC.match(before) if line == 0 else None) or _LINE_MAGIC.match(before)
    if not found or found[1] not in parsers:
        return [], ""
    parser = parsers[found[1]]
    *earlier, last = re.split(r"\s+", found[2])
    option, equals, value = last.partition("=")
    if equals and option.startswith("-"):
        return _values(_option(parser, option), value)
    asked = _option(parser, earlier[-1]) if earlier else None
    optional = asked is not None and asked.nargs == "?" and last.startswith("-")
    if asked is not None and asked.nargs != 0 and not optional:
        return _values(asked, last)
    if last.startswith("-"):
        return [option for option in parser.options() if option.startswith(last)], last
    return _values(_positional(parser, earlier), last)


def _body_words(body: str, before: str) -> tuple[list[str], str]:
    """Return the body's own words that begin as what is typed; where there is none that itself, so that nothing else is offered."""
    found = re.search(r"[\w.-]*$", before)
    typed = found[0] if found else ""
    words = {word for word in _BODY_WORD.findall(body) if word.startswith(typed) and word != typed}
    return (sorted(words) if typed and words else [typed]), typed


def _option(parser: LineParser, word: str) -> argparse.Action | None:
    return parser._option_string_actions.get(word)


def _positional(parser: LineParser, earlier: Iterable[str]) -> argparse.Action | None:
    """Return the argument without a name that stands next, given the words before it."""
    places = [action for action in parser._actions if not action.option_strings]
    many, skip = 0, False
    for word in earlier:
        action = _option(parser, word)
        if skip or word.startswith("-") or not word:
            skip = not skip and action is not None and action.nargs != 0
        else:
            many += 1
    for action in places:
        if action.nargs in ("*", "+", argparse.REMAINDER) or many == 0:
            return action
        many -= 1
    return None


def _values(action: argparse.Action | None, typed: str) -> tuple[list[str], str]:
    if action is None:
        return [], ""
    words = list(map(str, action.choices or ()))
    source = getattr(action, "k8swin_words", None)
    if source is not None:
        words += source(context.current())
    if getattr(action, "k8swin_listed", False):
        # Only the last word of a list is completed; a comma and `!` begin a new one.
        taken, _, typed = typed.rpartition(",")
        typed = typed.removeprefix("!")
        named = {word.removeprefix("!") for word in taken.split(",")}
        words = [word for word in words if word not in named]
    found = [word for word in dict.fromkeys(words) if word.startswith(typed)]
    if not found and action.type is not None:
        found = [typed]  # a time or a number: nothing that Python's names could be
    return found, typed
