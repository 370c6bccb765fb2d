"""Reading and setting variables, array elements and special parameters of a shell."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.arithmetic import evaluate
from k8swin_lab.bash.python.syntax import Assignment, Word
from k8swin_lab.bash.python.variables import ShellFault, Variable, Variables

if TYPE_CHECKING:
    from k8swin_lab.bash.python.expansion import Expander
    from k8swin_lab.bash.python.state import Frame, Options


class Store:
    """The half of a shell that holds values."""

    variables: Variables
    positional: list[str]
    options: Options
    frames: list[Frame]
    expand: Expander
    store: Store
    status: int
    line: int
    name: str
    pid: int
    shell_pid: int
    last_job: int
    subshell_level: int
    pipe_status: list[int]
    last_argument: str
    started: float

    def parse_word(self, text: str) -> Word:
        """Read a text as one word."""
        raise NotImplementedError

    def find(self, name: str) -> Variable | None:
        """Return a variable, also one that the shell makes up when asked."""
        if name == "PIPESTATUS":
            return Variable(items={n: str(code) for n, code in enumerate(self.pipe_status)})
        if name == "FUNCNAME":
            names = [frame.name for frame in reversed(self.frames)]
            return Variable(items=dict(enumerate([*names, "main"]))) if names else None
        if name == "BASH_SOURCE":
            sources = [frame.source for frame in reversed(self.frames)]
            main = [] if self.name == "bash" and not sources else [self.name]
            return Variable(items=dict(enumerate([*sources, *main])))
        if name == "BASH_LINENO":
            lines = [str(frame.line) for frame in reversed(self.frames)]
            return Variable(items=dict(enumerate([*lines, "0"])))
        text = self._made_up(name)
        if text is not None:
            return Variable(value=text)
        return self.variables.find(name)

    def _made_up(self, name: str) -> str | None:
        if name == "LINENO":
            return str(self.line)
        if name == "RANDOM":
            return str(random.randrange(32768))  # noqa: S311
        if name == "SECONDS":
            return str(int(time.time() - self.started))
        if name == "EPOCHSECONDS":
            return str(int(time.time()))
        if name == "EPOCHREALTIME":
            return f"{time.time():.6f}"
        if name == "BASHPID":
            return str(self.pid)
        if name == "BASH_SUBSHELL":
            return str(self.subshell_level)
        if name == "SHELLOPTS":
            names = ["braceexpand", "errexit", "hashall", "nounset", "pipefail", "xtrace"]
            return ":".join(n for n in names if self.options.get(n))
        return None

    def parameter(self, name: str) -> str | None:
        """Return what `$name` gives, None when it is unset."""
        if name.isdigit():
            number = int(name)
            if not number:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else None
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self.positional))
        if name == "$":
            return str(self.shell_pid)
        if name == "!":
            return str(self.last_job) if self.last_job else None
        if name == "-":
            return self.options.letters()
        if name == "_":
            return self.last_argument
        variable = self.find(name)
        return variable.text() if variable else None

    def key(self, variable: Variable | None, name: str, index: Word) -> int | str:
        """Return the key a subscript stands for."""
        if variable is not None and variable.associative:
            return self.expand.text(index)
        number = evaluate(self.expand.text(index), self)
        if number < 0:
            keys = [int(key) for key in (variable.items or {})] if variable else []
            number += max(keys, default=-1) + 1
            if number < 0:
                raise ShellFault(f"{name}[{index.source}]: bad array subscript", fatal=False)
        return number

    def element_at(self, name: str, index: Word) -> str | None:
        """Return an array's element."""
        variable = self.find(name)
        if variable is None:
            return None
        key = self.key(variable, name, index)
        if variable.items is None:
            return variable.value if key == 0 else None
        return variable.items.get(key)

    def element(self, name: str, subscript: Word | str | None) -> str | None:
        """Return a variable or an array's element (arithmetic gives subscripts as text)."""
        if subscript is None:
            text = self.parameter(name)
            if text is None and self.options.nounset:
                raise ShellFault(f"{name}: unbound variable")
            return text
        word = self.parse_word(subscript) if isinstance(subscript, str) else subscript
        return self.element_at(name, word)

    def assign_element(self, name: str, subscript: Word | str | None, text: str) -> None:
        """Set a variable or an array's element."""
        if subscript is None:
            self.assign(name, text)
            return
        index = self.parse_word(subscript) if isinstance(subscript, str) else subscript
        self._put_element(name, index, text, append=False)

    def _put_element(self, name: str, index: Word, text: str, *, append: bool) -> None:
        variable = self.variables.make(name)
        self._writable(variable, name)
        key = self.key(variable, name, index)
        if variable.items is None:
            variable.items = {} if variable.value is None else {0: variable.value}
            variable.value = None
        old = variable.items.get(key, "") if append else ""
        variable.items[key] = self._converted(variable, old, text)

    def assign(self, name: str, text: str, *, append: bool = False) -> None:
        """Set a plain variable, with what its attributes do to the text."""
        variable = self.variables.make(name)
        self._writable(variable, name)
        old = (variable.text() or "") if append else ""
        converted = self._converted(variable, old, text)
        if variable.items is not None:
            variable.items["0" if variable.associative else 0] = converted
        else:
            variable.value = converted
        if self.options.allexport:
            variable.exported = True

    @staticmethod
    def _writable(variable: Variable, name: str) -> None:
        if variable.readonly:
            raise ShellFault(f"{name}: readonly variable", fatal=False)

    def _converted(self, variable: Variable, old: str, text: str) -> str:
        if variable.integer:
            return str((evaluate(old, self) if old else 0) + evaluate(text, self))
        return variable.cased(old + text)

    def assign_from(self, assignment: Assignment) -> None:
        """Carry out one assignment."""
        name = assignment.name
        if assignment.elements is not None:
            self._assign_elements(assignment)
        elif assignment.index is not None:
            text = self.expand.assigned(assignment.value)
            self._put_element(name, assignment.index, text, append=assignment.append)
        else:
            self.assign(name, self.expand.assigned(assignment.value), append=assignment.append)

    def _assign_elements(self, assignment: Assignment) -> None:
        variable = self.variables.make(assignment.name)
        self._writable(variable, assignment.name)
        # The elements may speak of the array itself: expand first, replace after.
        found: list[tuple[int | str | None, str, bool]] = []
        for index, word, append in assignment.elements or ():
            if index is not None:
                key = self.key(variable, assignment.name, index)
                found.append((key, self.expand.assigned(word), append))
            else:
                found.extend((None, text, False) for text in self.expand.fields(word))
        items: dict[int | str, str] = {}
        if assignment.append:
            items = dict(variable.sorted_items())
        following = max((int(k) for k in items), default=-1) + 1 if not variable.associative else 0
        if variable.associative and found and found[0][0] is None:
            texts = [text for _, text, _ in found]
            pairs = zip(texts[::2], [*texts[1::2], ""], strict=False)
            items.update(pairs)
            found = []
        for given, text, append in found:
            key = following if given is None else given
            old = items.get(key, "") if append else ""
            items[key] = self._converted(variable, old, text)
            if not isinstance(key, str):
                following = key + 1
        variable.items = items
        variable.value = None

    @staticmethod
    def flags_of(variable: Variable) -> str:
        """Return the letters of a variable's attributes, as declare -p prints them."""
        flags = ""
        if variable.items is not None:
            flags += "A" if variable.associative else "a"
        elif variable.associative:
            flags += "A"
        for letter, on in (
            ("i", variable.integer), ("l", variable.lower), ("n", variable.reference),
            ("r", variable.readonly), ("u", variable.upper), ("x", variable.exported),
        ):  # fmt: skip
            if on:
                flags += letter
        return flags

    def start_variables(self, environment: dict[str, str], facts: dict[str, str]) -> None:
        """Take over the environment and set what every bash has."""
        for name, text in environment.items():
            if name.isidentifier():
                self.variables.scopes[0][name] = Variable(value=text, exported=True)
        for name, text in facts.items():
            if self.variables.get(name) is None:
                self.variables.scopes[0][name] = Variable(value=text)
        for name in ("UID", "EUID", "PPID"):
            if name in self.variables.scopes[0]:
                self.variables.scopes[0][name].readonly = True
        version: dict[int | str, str] = {
            0: "5",
            1: "2",
            2: "21",
            3: "1",
            4: "release",
            5: "x86_64-pc-linux-gnu",
        }
        self.variables.scopes[0]["BASH_VERSINFO"] = Variable(items=version)
        level = self.variables.get("SHLVL") or "0"
        self.variables.scopes[0]["SHLVL"] = Variable(
            value=str(int(level) + 1 if level.isdigit() else 1), exported=True
        )
        self.variables.scopes[0]["OLDPWD"] = Variable(exported=True)


def decode(data: bytes) -> str:
    """Return bytes as the shell's text; bytes that are no UTF-8 survive."""
    return os.fsdecode(data)
