"""Tab completion of the magics' options and of host names; it asks nobody over the network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from k8swin_nb.notebook import context

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_FIRST_LINE = re.compile(r"^%{1,2}(\w+)[ \t]+(.*)$")
_HOST = re.compile(r"(?:^|\s)(?:-H|--host)(?:\s+|=)(\S*)$")

_ATTRIBUTE = "k8swin_matcher"


def install(shell: InteractiveShell, options: Mapping[str, Sequence[str]]) -> None:
    """Add a matcher for the magics whose options are given."""
    remove(shell)

    @context_matcher()  # type: ignore[untyped-decorator]
    def k8swin_matcher(where: Any) -> dict[str, Any]:
        words, typed = candidates(
            where.full_text, where.cursor_position, where.cursor_line, options
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
    text: str, column: int, line: int, options: Mapping[str, Sequence[str]]
) -> tuple[list[str], str]:
    """Return what may stand at the cursor, and the part of it that is typed already.

    Args:
        text: The whole cell.
        column: The cursor's place in its line.
        line: The cursor's line; only the first one is ours.
        options: Options by magic.
    """
    first = text.split("\n", 1)[0]
    found = _FIRST_LINE.match(first[:column] if line == 0 else "")
    if not found or found[1] not in options:
        return [], ""
    rest = found[2]
    opened = context.known()
    host = _HOST.search(rest)
    if host and opened is not None:
        # Only the last word of a list is completed; a comma and `!` begin a new one.
        taken, _, last = host[1].rpartition(",")
        typed = last.removeprefix("!")
        named = {word.removeprefix("!") for word in taken.split(",")}
        words = [word for word in opened.inventory.words() if word not in named]
        return [word for word in words if word.startswith(typed)], typed
    typed = re.split(r"\s", rest)[-1]
    if not typed.startswith("-"):
        return [], ""
    return [option for option in options[found[1]] if option.startswith(typed)], typed
