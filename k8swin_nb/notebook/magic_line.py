"""How the line of a magic is read: options, quotes, and `{name}` expressions.

Each module of magics has a class and its `PARSERS`, one `LineParser` a magic; completion and help read them.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import difflib
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from IPython.core.error import UsageError

from k8swin_nb.secret import Secret
from k8swin_nb.shown import shown

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.notebook.context import Context

Function = TypeVar("Function", bound=Callable[..., Any])


class MagicUsageError(UsageError):
    """The line of a magic is wrong; shown in one line, and an error for papermill too."""

    def _render_traceback_(self) -> list[str]:
        return [f"UsageError: {shown(self)}"]


HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Half of a character that is no text; the others of that kind stand for bytes in names of files, and can be sent to bash."""

NAMED = 20
"""Names that an error tells where none is near; a cluster may have thousands of pods."""

_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")
"""What argparse says of a word that is none of those that may stand there."""


class LineParser(argparse.ArgumentParser):
    """argparse without exits, without abbreviations, and with suggestions."""

    def __init__(
        self,
        name: str,
        description: str,
        *,
        cell: bool = True,
        system: Literal["linux", "windows"] | None = None,
    ) -> None:
        """Make a parser of a magic.

        Args:
            name: The magic's name, without `%`.
            description: What it does, in one line.
            cell: Whether it has a body, which makes it `%%name` in help and errors.
            system: Of which the hosts are that it works on; None: any.
        """
        self.system = system
        super().__init__(
            prog=f"{'%%' if cell else '%'}{name}",
            description=description,
            allow_abbrev=False,
            add_help=True,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the kernel."""
        if refused := _CHOICE.search(message):
            close = difflib.get_close_matches(refused[1], re.findall(r"\w[\w-]*", refused[2]), n=1)
            message += f", did you mean `{close[0]}`?" if close else ""
        raise MagicUsageError(f"{self.prog}: {message}; `{self.prog}?` shows all options")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise instead of leaving the kernel; `--help` has printed its text by then."""
        raise HelpShown

    def options(self) -> list[str]:
        """Return every option, as typed."""
        return [text for action in self._actions for text in action.option_strings]

    def nearest(self, word: str, known: Iterable[str], what: str = "command") -> NoReturn:
        """Raise about a word that is none of those that are known, with the nearest."""
        names = list(known)
        close = difflib.get_close_matches(word, names, n=1)
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        there = f"there are: {', '.join(names[:NAMED])}{more}"
        hint = f"did you mean `{close[0]}`?" if close else there
        raise MagicUsageError(f"{self.prog}: no {what} is called `{word}`, {hint}")

    def check_variable(self, name: str) -> None:
        """Raise about a text that no variable can be called; one that a keyword hides could never be read."""
        if not name.isidentifier() or keyword.iskeyword(name):
            self.error(f"`{name}` is no name for a variable")

    def read(self, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
        """Return options and the words that are none.

        Raises:
            MagicUsageError: for an unknown option, with the nearest one.
        """
        options, rest = self.parse_known_args(self._joined(words))
        for word in rest:
            if word.startswith("-"):
                name = word.split("=")[0]
                if name in self.options():
                    self.error(f"`{name}` stands behind `--`, where no word is an option")
                # Without the dashes, which would make any two short ones alike.
                bare = {option.lstrip("-"): option for option in self.options()}
                close = difflib.get_close_matches(name.lstrip("-"), bare, n=1)
                hint = f", did you mean `{bare[close[0]]}`?" if close else ""
                self.error(f"unknown option `{name}`{hint}")
        return options, rest

    def _joined(self, words: list[str]) -> list[str]:
        """Return words with each value joined to its option, also one that begins with `-`; an option is given once.

        Raises:
            MagicUsageError: when an option that takes one value is given two.
        """
        joined: list[str] = []
        given: set[str] = set()
        waiting = iter(words)
        for word in waiting:
            action = self._option_string_actions.get(word.partition("=")[0])
            name = action.option_strings[-1] if action is not None else ""
            if isinstance(action, argparse._StoreAction) and action.option_strings:
                if name in given:
                    self.error(f"`{name}` is given twice, and takes one value")
                given.add(name)
            wants = (
                action is not None and word in self._option_string_actions and action.nargs is None
            )
            if wants and (value := next(waiting, None)) is not None:
                if (
                    value.startswith("-")
                    and value.partition("=")[0] not in self._option_string_actions
                ):
                    word = f"{word}={value}" if word.startswith("--") else f"{word}{value}"
                else:
                    joined.append(word)
                    word = value
            joined.append(word)
        return joined


class HelpShown(Exception):
    """`--help` was asked for, and is answered."""


def completing(
    action: argparse.Action,
    source: Callable[[Context], Iterable[str]],
    *,
    listed: bool = False,
) -> argparse.Action:
    """Let Tab complete an argument's value.

    Args:
        action: What `parser.add_argument` returned.
        source: Returns the words, given what is open. It asks nobody over the network, and takes no time.
        listed: The value is a comma list, in which `!` takes words away: each word is completed by itself.
    """
    action.k8swin_words = source  # type: ignore[attr-defined]
    action.k8swin_listed = listed  # type: ignore[attr-defined]
    return action


def documented(parser: LineParser) -> Callable[[Function], Function]:
    """Decorate a magic, innermost: its `?` and its `--help` show its docstring, with examples, and all options."""

    def decorate(function: Function) -> Function:
        told = inspect.cleandoc(function.__doc__ or "")
        parser.epilog = told.partition("\n")[2].strip() or None
        function.__doc__ = f"{told}\n\n{parser.format_usage()}{_options_of(parser)}"
        return function

    return decorate


def _options_of(parser: LineParser) -> str:
    """Return the options as help shows them, without usage, description and examples."""
    formatter = parser._get_formatter()
    for group in parser._action_groups:
        formatter.start_section(group.title)
        formatter.add_text(group.description)
        formatter.add_arguments(group._group_actions)
        formatter.end_section()
    return "\n" + formatter.format_help()


def visible_names(shell: InteractiveShell) -> dict[str, Any]:
    """Return the names that a magic's line may use: the notebook's, and the local ones of the function that calls it."""
    names = dict(shell.user_ns)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in BETWEEN:
        frame = frame.f_back
    scopes: list[dict[str, Any]] = []
    wanted: tuple[str, str] | None = None
    while frame is not None and frame.f_locals is not frame.f_globals:
        # A comprehension or an inner function has of the one around it only what its own text names.
        code = frame.f_code
        if wanted is None or wanted == (code.co_filename, code.co_qualname):
            scopes.append(frame.f_locals)
            around, inner, _ = code.co_qualname.rpartition(".<locals>.")
            if not inner:
                break
            wanted = (code.co_filename, around)
        frame = frame.f_back
    for scope in reversed(scopes):
        names |= scope
    return names


BETWEEN = ("k8swin_nb", "IPython", "ipykernel", "decorator")
"""Packages whose frames lie between a magic and whoever called it."""


def split(line: str) -> list[tuple[str, int]]:
    """Cut a line at spaces that are not in quotes or braces; backslashes stay, quotes around a value go.

    Returns:
        Each word with the place where it begins.

    Raises:
        MagicUsageError: when a quote is not closed.
    """
    words: list[tuple[str, int]] = []
    place = 0
    while True:
        while place < len(line) and line[place].isspace():
            place += 1
        if place == len(line):
            return words
        end, closed = word_end(line, place)
        if not closed:
            raise MagicUsageError(f"a quote is not closed: {line[place:]}")
        words.append((strip_quotes(line[place:end]), place))
        place = end


def as_typed(line: str) -> list[str]:
    """Return the words of a line with their quotes; errors are those of `split`."""
    places = [place for _, place in split(line)]
    return [line[start : word_end(line, start)[0]] for start in places]


def word_end(line: str, place: int) -> tuple[int, bool]:
    """Return where the word that begins at a place ends, and whether its quotes are closed by then."""
    quote, depth = "", 0
    while place < len(line):
        char = line[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif line[place : place + 2] in ("{{", "}}") and depth == 0:
            place += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
        elif char.isspace() and depth == 0:
            break
        place += 1
    return place, not quote


def expanded(
    words: list[str], names: Mapping[str, Any], as_they_are: Container[str] = ()
) -> list[str]:
    """Take the quotes off and replace `{expression}` in each word.

    Args:
        words: As `as_typed` returns them.
        names: What an expression may use.
        as_they_are: Options such as `--env`, whose values are Python expressions and stay as they are typed.
    """
    out: list[str] = []
    for number, word in enumerate(words):
        option = word.partition("=")[0]
        kept = option in as_they_are or (number > 0 and words[number - 1] in as_they_are)
        out.append(word if kept else expand(strip_quotes(word), names))
    return out


def strip_quotes(word: str) -> str:
    """Remove one pair of quotes around a word, or around an option's value: `--out="x"`."""
    option, equals, value = word.partition("=")
    if equals and option.startswith("--"):
        return f"{option}={strip_quotes(value)}"
    if len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word


def expand(line: str, namespace: Mapping[str, Any]) -> str:
    """Replace `{expression}` by its value; `{{` and `}}` are braces, `{.` and `$` are left alone.

    Raises:
        MagicUsageError: for an unknown name, with the nearest one, or a failing expression.
    """
    out = []
    place = 0
    while place < len(line):
        char = line[place]
        pair = line[place : place + 2]
        if pair in ("{{", "}}"):
            out.append(char)
            place += 2
        elif char == "{" and pair != "{.":
            end = line.find("}", place)
            if end == -1:
                raise MagicUsageError(f"a brace is not closed: {line[place:]}")
            out.append(_value(line[place + 1 : end], namespace))
            place = end + 1
        elif pair == "{.":
            end = line.find("}", place)
            end = len(line) if end == -1 else end + 1
            out.append(line[place:end])
            place = end
        else:
            out.append(char)
            place += 1
    return "".join(out)


def _value(expression: str, namespace: Mapping[str, Any]) -> str:
    value = evaluate(expression, namespace, braces=True)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"  # a time, as an option takes it
    if isinstance(value, Secret):
        raise MagicUsageError(f"`{{{expression}}}` is a secret, which does not belong on a line")
    if isinstance(value, list | tuple | set) and value and all(isinstance(v, str) for v in value):
        return ",".join(value)  # hosts, as an option takes them
    return str(value)


def evaluate(expression: str, namespace: Mapping[str, Any], *, braces: bool = False) -> Any:
    """Return the value of a Python expression that stands on a magic's line.

    Args:
        expression: As it is typed.
        namespace: What it may use.
        braces: It stood in braces, which errors repeat.

    Raises:
        MagicUsageError: for an unknown name, with the nearest one, or an expression that is none or fails.
    """
    text = expression.strip()
    told = f"{{{expression}}}" if braces else text
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as error:
        hint = "write `{{` for a brace" if braces else 'text wants quotes: `A="text"`'
        raise MagicUsageError(f"`{told}` is no Python expression; {hint}") from error
    stored = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or node.id in stored:
            continue
        if node.id not in namespace and not hasattr(builtins, node.id):
            names = [name for name in namespace if not name.startswith("_")]
            close = difflib.get_close_matches(node.id, names, n=1)
            hint = f", did you mean `{close[0]}`?" if close else ""
            raise MagicUsageError(f"`{told}`: the name `{node.id}` is not defined{hint}")
    try:
        return eval(compile(tree, "<magic line>", "eval"), dict(namespace))  # noqa: S307 -- the user's own cell
    except Exception as error:
        raise MagicUsageError(f"`{told}`: {type(error).__name__}: {error}") from error
