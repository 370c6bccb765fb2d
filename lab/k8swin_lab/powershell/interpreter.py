"""The interpreter: one PowerShell session over one machine.

It joins the parts (typing, errors, resolution of names) and holds what a session has: scopes,
streams, location, environment, modules and classes. It knows nothing of Windows; the machine's
commands come from the host.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from typing import Any

from k8swin_lab.machines.program import NotSimulated, Reader, Writer
from k8swin_lab.powershell import ast, automatic, dotnet, formatting, members, operators
from k8swin_lab.powershell.api import CommandTable, Terminating
from k8swin_lab.powershell.ast import Source
from k8swin_lab.powershell.binding import Binder
from k8swin_lab.powershell.builtin import STAGE_TYPES
from k8swin_lab.powershell.builtin import TABLE as BUILTIN
from k8swin_lab.powershell.classes import PSClass
from k8swin_lab.powershell.cmdlets import TABLE as CMDLETS
from k8swin_lab.powershell.compile_statements import Compiler
from k8swin_lab.powershell.constraints import Constraints
from k8swin_lab.powershell.dotnet.collections import NetList
from k8swin_lab.powershell.drives import (
    AliasDrive,
    EnvironmentDrive,
    FunctionDrive,
    VariableDrive,
)
from k8swin_lab.powershell.error_handling import ErrorHandling
from k8swin_lab.powershell.error_view import console_form
from k8swin_lab.powershell.errors import (
    Cancelled,
    ExitSignal,
    FlowSignal,
    PowerShellError,
    from_terminating,
    runtime_error,
)
from k8swin_lab.powershell.functions import CompiledBlock, FunctionStage
from k8swin_lab.powershell.host import PowerShellHost
from k8swin_lab.powershell.invocation import Invocation
from k8swin_lab.powershell.parameters import Argument
from k8swin_lab.powershell.parser import ParseError, parse
from k8swin_lab.powershell.pipeline import Context, Stage
from k8swin_lab.powershell.places import Places
from k8swin_lab.powershell.records import ErrorRecord, ScriptBlock
from k8swin_lab.powershell.resolution import Function, ModuleInfo, Resolution
from k8swin_lab.powershell.scopes import NOTHING, Frame, Scope, SessionState, not_writable
from k8swin_lab.powershell.streams import Streams
from k8swin_lab.powershell.typing_rules import TypingRules
from k8swin_lab.powershell.values import Hashtable, Input, PSArray, PSObject

Text = str | None


@lru_cache(maxsize=128)
def _compiled(text: str, name: str | None) -> CompiledBlock:
    """Sessions get the same texts again and again (a loader, a check), and neither the tree nor its code changes."""
    tree = parse(text, name)
    return CompiledBlock(Compiler(tree.source), tree)


_PYTHON_CALLS = 20_000
"""Python calls within calls that PowerShell's own call depth takes; the language stops before them."""


class Interpreter(Streams, ErrorHandling, Resolution, TypingRules, Constraints, Invocation, Places):
    """A PowerShell session.

    Args:
        host: the machine under it.
        user: the account it runs as.
        environment: its environment variables; the session changes this very dict.
        location: the current directory.
        stdin: standard input, for native programs.
        stdout: where formatted output goes, as it is made.
        stderr: where errors go, in the console's form.
        cancelled: set when the client gives up.
        width: columns of the console.
    """

    def __init__(
        self,
        host: PowerShellHost,
        *,
        user: str,
        environment: dict[str, str],
        location: str,
        stdin: Reader,
        stdout: Writer,
        stderr: Writer,
        cancelled: threading.Event,
        width: int = 120,
    ) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _PYTHON_CALLS))
        self.host = host
        self.opened: list[Any] = []
        """Streams over files, which end with the process."""
        self.machine = host.machine
        self.user = user
        self.environment = environment
        self.location = location
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.records = None
        self.cancelled_event = cancelled
        self.width = width
        self.codepage = 437
        self.input_encoding: Any = None
        """What the session has set `[Console]::InputEncoding` to; else the code page of its console says."""
        self.newline = "\r\n" if host.edition == "Desktop" else "\n"
        self.tables: list[CommandTable] = [BUILTIN, CMDLETS, host.commands]
        self.stage_types = STAGE_TYPES
        self.classes: dict[str, PSClass] = {}
        self.namespaces: list[str] = []
        self.modules: dict[str, ModuleInfo] = {}
        self.success = True
        self.try_depth = 0
        self.depth = 0
        self.state = SessionState(None)
        self.global_scope = self.state.top
        self.session_state: PSObject | None = None  # made with the automatic variables
        self.errors: Any = self.new_list()
        self.formatter = formatting.Formatter(self, width)
        frame = Frame(self, self.global_scope, self.output)
        self.context = Context(None, frame)
        self.expression_compiler = Compiler(Source(""))
        self.binders: dict[CompiledBlock, Binder] = {}
        """How the arguments of named functions are taken; types of the session's own may be in it."""
        automatic.define(self, self.global_scope)
        self.drives: dict[str, MutableMapping[str, Any]] = {
            "variable": VariableDrive(self),
            "function": FunctionDrive(self),
            "alias": AliasDrive(self),
            "env": EnvironmentDrive(self),
        }

    # --- running

    def run_script(
        self, text: str, *, arguments: Iterable[str] = (), name: str | None = None
    ) -> int:
        """Run a script file's text as `powershell -File` does.

        Args:
            text: the script.
            arguments: as the command line gave them: `-Name value` and values.
            name: the file's path, for error positions and $PSCommandPath.

        Returns:
            The exit code: what `exit` says, 1 after an uncaught error, else 0.
        """
        code, failed = self._run(text, file_arguments(list(arguments)), name)
        if code is not None:
            return code
        return 1 if failed else 0

    def close_files(self) -> None:
        """Close what was left open, as the system does when a process ends; what was not flushed is lost."""
        for stream in self.opened:
            if stream.let_go is not None:
                stream.let_go()

    def run_command(self, text: str) -> int:
        """Run text as `powershell -Command` does: 1 also when the last statement failed."""
        code, failed = self._run(text, [], None)
        if code is not None:
            return code
        return 0 if self.success and not failed else 1

    def _run(
        self, text: str, arguments: list[Argument], name: str | None
    ) -> tuple[int | None, bool]:
        frame = Frame(self, self.global_scope, self.output)
        try:
            block = self.compile_block(text.removeprefix("\ufeff"), name)
            self._requirements(block.ast.requires)
            stage = FunctionStage(frame, block, arguments, name=name or "", dot_sourced=True)
            self.global_scope.call = stage
            stage.connect(self.output)
            stage.start()
            stage.run(stage.once)
            stage.finish()
        except ExitSignal as signal:
            return signal.code, False
        except PowerShellError as error:
            self.flush_output()
            self.remember_error(error.record)
            self.emit_error(error.record)
            return None, True
        except Terminating as error:
            self.emit_error(from_terminating(error).record)
            return None, True
        except NotSimulated as gap:
            self.flush_output()
            machine = self.host.machine
            said = str(gap) if machine is None else machine.lacks(gap)
            self.stderr.write(f"{said}{self.newline}".encode())
            return 70, True
        except RecursionError:
            self.stderr.write(
                f"The script failed due to call depth overflow.{self.newline}".encode()
            )
            return None, True
        except FlowSignal as signal:
            # break and continue outside a loop end the script quietly
            return (130 if isinstance(signal, Cancelled) else None), False
        finally:
            self.flush_output()
        return None, False

    def _requirements(self, requires: list[str]) -> None:
        for line in requires:
            words = line.split()
            for word in words[::1]:
                if (
                    word.lower() == "-version"
                    and words[-1].split(".")[0] > self.host.version.split(".")[0]
                ):
                    raise runtime_error(
                        f'The script cannot be run because it contained a "#requires" statement for Windows '
                        f"PowerShell {words[-1]}. The version of Windows PowerShell that is required by the "
                        f"script does not match the currently running version of Windows PowerShell "
                        f"{self.host.version}.",
                        "ScriptRequiresUnmatchedPSVersion",
                        category="ResourceUnavailable",
                        exception="System.Management.Automation.ScriptRequiresException",
                    )

    def compile_block(self, text: str, name: str | None = None) -> ScriptBlock:
        """Text as a script block; a syntax error becomes a ParseException."""
        try:
            code = _compiled(text, name)
        except ParseError as error:
            source = Source(text, name)
            place = f"{name or 'line'}:{error.line} char:{error.column}"
            raised = runtime_error(
                f"At {place}\n+ {source.line(error.line)}\n+ {' ' * (error.column - 1)}~\n{error.message}",
                "ParseException" if name is None else "ParserError",
                category="ParserError",
                exception="System.Management.Automation.ParseException",
            )
            raise raised from error
        for using in code.ast.usings:
            self.using(Frame(self, self.global_scope, self.output), using.kind, using.name)
        return ScriptBlock(code.ast, text, code=code, module=None, source_name=name or "")

    # --- definitions

    def define_function(
        self, frame: Frame, name: str, node: Any, code: CompiledBlock, text: str
    ) -> None:
        block = ScriptBlock(node, text, code=code, module=frame.scope.state.module)
        self.set_function(frame.scope, name, block)

    def set_function(self, scope: Scope, name: str, block: ScriptBlock) -> None:
        """Define a function; its name may carry a scope."""
        prefix, colon, rest = name.partition(":")
        if colon and prefix in ("global", "script", "local", "private"):
            scope, name = scope.at(prefix, self.global_scope), rest
        self.binders.pop(block.code, None)
        scope.define_function(name, Function(name, block))

    def define_class(
        self, frame: Frame, node: ast.Class, methods: Any, arguments: Any, defaults: Any
    ) -> None:
        ps_class = PSClass(frame, node, methods, arguments, defaults)
        self.classes[node.name.lower()] = ps_class
        ps_class.initialize_statics(self)

    def define_enum(self, frame: Frame, node: ast.Enum, values: Any) -> None:
        members: list[tuple[str, int]] = []
        following = 0
        for name, code in values:
            number = int(code(frame)) if code is not None else following
            members.append((name, number))
            following = number + 1
        dotnet.define_enum(node.name, members, node.flags)

    def using(self, frame: Frame, kind: str, name: str) -> None:
        if kind == "namespace":
            if name not in self.namespaces:
                self.namespaces.append(name)
        elif kind == "module":
            self.invoke(self.compile_block(f"Import-Module '{name}'"), [])
        else:
            raise NotSimulated(f"using assembly {name}")

    # --- variables

    def automatic(self, folded: str, frame: Frame, node: ast.Variable) -> Any:
        """A variable that no scope holds: an automatic one, or none at all."""
        found = automatic.lookup(self, folded, frame)
        if found is not NOTHING:
            return found
        if folded == "args":
            return PSArray()  # a script and a console have it too
        if folded not in ("input", "lastexitcode") and frame.scope.strictness():
            raise runtime_error(
                f"The variable '${node.name}' cannot be retrieved because it has not been set.",
                "VariableIsUndefined",
                target=node.name,
            )
        return None

    def refuse_constant(self, name: str) -> None:
        raise not_writable(name)

    def check_assignable(self, scope: Scope, folded: str) -> None:
        """Automatic constants cannot be shadowed either."""
        if folded in automatic.CONSTANT:
            self.refuse_constant(folded)

    def read_drive(self, drive: str, name: str) -> Any:
        r"""`$env:NAME`, `${function:name}`, or a file `${c:\path}`."""
        if drive == "using":
            return self.context.frame.scope.get(name.lower())
        mapping = self.drives.get(drive)
        if mapping is None:
            raise NotSimulated(f"${{{drive}:{name}}}")
        return mapping.get(name)

    def write_drive(self, drive: str, name: str, value: Any) -> None:
        mapping = self.drives.get(drive)
        if mapping is None:
            raise NotSimulated(f"${{{drive}:{name}}}")
        mapping[name] = None if value is NOTHING else value

    def drive(self, name: str) -> MutableMapping[str, Any] | None:
        """One of the language's own drives."""
        return self.drives.get(name.lower().rstrip(":"))

    # --- values

    def to_string(self, value: Any) -> str:
        """Convert as [string] does."""
        if type(value) is str:
            return value
        if value is None or value is NOTHING:
            return ""
        if value is True or value is False:
            return "True" if value else "False"
        if type(value) is int:
            return str(value)
        if isinstance(value, (PSArray, list)):
            separator = self.context.frame.scope.get("ofs")
            if isinstance(value, Input):
                value = value.drain()
            return (" " if separator is None else self.to_string(separator)).join(
                inner_text(self, item) for item in value
            )
        ps_class = getattr(value, "ps_class", None)
        if ps_class is not None and ps_class.finds("tostring"):
            return str(ps_class.call(self, value, "ToString", []))
        methods = getattr(value, "methods", None)
        if methods:
            custom = next((m for n, m in methods.items() if n.lower() == "tostring"), None)
            if isinstance(custom, ScriptBlock):
                return self.to_string(operators.collapse(self.invoke(custom, [], this=value)))
        return str(dotnet.to_string(value))

    def format(self, template: Any, arguments: Any) -> str:
        """The -f operator."""
        values = list(arguments) if isinstance(arguments, list) else [arguments]
        try:
            return str(dotnet.format_operator(self.to_string(template), values))
        except Terminating as error:
            # PowerShell's sentence ends after the reason, which is a sentence itself.
            text = self.to_string(template)
            raise runtime_error(
                f"Error formatting a string: {error}.", "FormatError", target=text
            ) from error

    def match(self, frame: Frame, left: Any, right: Any, ignore_case: bool, negate: bool) -> Any:
        """-match and -notmatch; a match on one value sets $Matches."""
        pattern = operators.regex(self.to_string(right), ignore_case)
        if isinstance(left, list):
            return PSArray(
                i for i in left if (pattern.search(self.to_string(i)) is not None) != negate
            )
        found = pattern.search(self.to_string(left))
        if found is not None:
            frame.scope.set("Matches", operators.matches_table(found))
        return (found is not None) != negate

    def new_list(self) -> Any:
        """An ArrayList."""
        return dotnet.construct(self, "System.Collections.ArrayList", [])

    def new_rest(self, items: list[Any]) -> Any:
        """What an untyped parameter gets that takes the remaining arguments."""
        return NetList(items, "System.Collections.Generic.List`1[System.Object]")

    def new_collection(
        self, items: list[Any], element: str = "System.Management.Automation.PSObject"
    ) -> Any:
        """The collection that .Invoke(), .ForEach() and .Where() give."""
        return NetList(items, f"System.Collections.ObjectModel.Collection`1[{element}]")

    def property_for_binding(self, item: Any, name: str) -> tuple[bool, Any]:
        """A property that binds to a parameter of the same name."""
        if item is None or item is NOTHING or isinstance(item, list) or not members.has(item, name):
            return False, None
        if isinstance(item, Hashtable) and not dotnet.has_member(Hashtable(), name):
            return False, None  # a key is no property
        return True, members.get(self.context.frame, item, name)

    # --- ends

    def cancelled(self) -> bool:
        """Whether the client has given up."""
        return self.cancelled_event.is_set()

    def check_cancelled(self) -> None:
        if self.cancelled_event.is_set():
            raise Cancelled

    def exit_code_of(self, value: Any) -> int:
        """The exit code of `exit value`."""
        try:
            return int(self.cast(value, "int"))
        except PowerShellError:
            return 0

    def emit_error(self, record: ErrorRecord) -> None:
        """Show an error on standard error; a table that is being written goes on after it."""
        if self.records is not None:
            self.records.error(console_form(record))
            return
        self.stderr.write(
            (console_form(record).replace("\n", self.newline) + self.newline).encode()
        )

    def apply_common(self, stage: Stage, common: dict[str, Any], *, function: bool) -> None:
        automatic.apply_common(self, stage, common, function=function)


def inner_text(interp: Interpreter, item: Any) -> str:
    """An element of an array as text; an array in an array shows only its type."""
    if isinstance(item, PSArray):
        return f"{item.element_type}[]"
    if operators.is_plain_object(item):
        return ""
    return interp.to_string(item)


def file_arguments(words: list[str]) -> list[Argument]:
    """The arguments of -File: `-Name` and `-Name:value` are parameters, the rest strings."""
    result = []
    for word in words:
        if len(word) > 1 and word[0] == "-" and (word[1].isalpha() or word[1] == "_"):
            name, colon, value = word[1:].partition(":")
            if colon and value:
                given: Any = {"$true": True, "$false": False}.get(value.lower(), value)
                result.append(Argument(name, given, text=word, attached=True))
            else:
                result.append(Argument(name, text=word))
        else:
            result.append(Argument(None, word, attached=True))
    return result
