"""Finding what a command's name means: aliases, functions, cmdlets, scripts, programs; and modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.known import commands
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Cmdlet, CommandTable
from k8swin_lab.powershell.ast import Source
from k8swin_lab.powershell.cmdlet_stage import CmdletStage
from k8swin_lab.powershell.error_handling import invocation_info
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.functions import FunctionStage
from k8swin_lab.powershell.native import NativeStage
from k8swin_lab.powershell.parameters import Argument
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.records import EnumValue, ScriptBlock, TypeValue
from k8swin_lab.powershell.scopes import Frame, Scope, SessionState
from k8swin_lab.powershell.values import Hashtable, PSObject
from k8swin_lab.powershell.wildcards import wildcard

_SMA = "System.Management.Automation."
_OF_FEATURES = {"Hyper-V": "get-vm", "HostNetworkingService": "get-hnsnetwork"}
"""Modules that come with a feature, and a command of each that the lab has when the feature is installed."""


class Function:
    """A defined function."""

    __slots__ = ("block", "name")

    def __init__(self, name: str, block: ScriptBlock) -> None:
        self.name = name
        self.block = block


class CommandInfo(PSObject):
    """What Get-Command gives; calling it runs the command it was made from."""

    __slots__ = ("target",)

    def __init__(
        self, kind: str, name: str, target: Any, properties: list[tuple[str, Any]]
    ) -> None:
        super().__init__(
            [("CommandType", EnumValue(kind, _SMA + "CommandTypes")), ("Name", name), *properties],
            type_names=[f"{_SMA}{kind}Info", _SMA + "CommandInfo"],
            display=name,
            default_properties=["CommandType", "Name", "Version", "Source"],
        )
        self.target = target


class ModuleInfo(PSObject):
    """A module: its session state, and what it exports."""

    __slots__ = ("aliases", "explicit", "exported", "functions", "state", "variables")

    def __init__(self, name: str, path: str, parent: Scope) -> None:
        super().__init__(
            [
                ("Name", name),
                ("Path", path),
                ("ModuleType", "Script"),
                ("Version", "0.0"),
                ("Description", ""),
            ],
            type_names=[_SMA + "PSModuleInfo"],
            display=name,
            default_properties=["ModuleType", "Version", "Name"],
        )
        self.state = SessionState(parent, self)
        self.functions: dict[str, Function] = {}
        self.aliases: dict[str, str] = {}
        self.variables: list[str] = []
        self.explicit = False

    @property
    def name(self) -> str:
        return str(self.properties["Name"])

    def seal(self) -> None:
        """Fill in what the module exports, when the module itself said nothing: all its functions."""
        top = self.state.top
        if not self.explicit:
            for function in (top.functions or {}).values():
                if function.block.module is self:
                    self.functions[function.name] = function
            self.aliases.update((name, target) for name, target in (top.aliases or {}).values())
        self.properties["ExportedFunctions"] = Hashtable(
            ((name, CommandInfo("Function", name, f, [])) for name, f in self.functions.items()),
            ordered=True,
        )
        self.properties["ExportedCommands"] = self.properties["ExportedFunctions"]


class Resolution:
    """The part of the interpreter that turns names into pipeline stages."""

    tables: list[CommandTable]
    stage_types: dict[str, type[CmdletStage]]
    host: Any
    location: str
    environment: dict[str, str]
    modules: dict[str, ModuleInfo]

    if TYPE_CHECKING:

        def compile_block(self, text: str, name: str | None = None) -> ScriptBlock: ...
        def find_type(self, name: str) -> TypeValue | None: ...
        def to_string(self, value: Any) -> str: ...
        def full_path(self, path: str) -> str: ...
        def read_script(self, path: str) -> str: ...

    def make_stage(
        self,
        frame: Frame,
        target: Any,
        arguments: list[Argument],
        invocation: str,
        source: Source,
        node: Any,
    ) -> Stage:
        """The pipeline stage that runs a command."""
        dot = invocation == "."
        if isinstance(target, ModuleInfo):
            return self._in_module(frame, target, arguments)
        try:
            stage = self._stage_of(frame, target, arguments, dot)
        except PowerShellError as error:
            if error.record.properties["InvocationInfo"] is None:
                name = target if isinstance(target, str) else ""
                error.record.properties["InvocationInfo"] = invocation_info(source, node, name)
            raise
        if dot and isinstance(stage, FunctionStage):
            stage.dotted = True
        label = target if isinstance(target, str) else ""
        stage.context.called_as = invocation or label
        stage.context.invocation = lambda: invocation_info(source, node, label)
        return stage

    def _stage_of(self, frame: Frame, target: Any, arguments: list[Argument], dot: bool) -> Stage:
        if isinstance(target, ScriptBlock):
            return FunctionStage(frame, target, arguments, dot_sourced=dot)
        if isinstance(target, CommandInfo):
            target = target.target
        if isinstance(target, Function):
            return FunctionStage(frame, target.block, arguments, name=target.name, dot_sourced=dot)
        if isinstance(target, Cmdlet):
            return self._cmdlet_stage(frame, target, arguments)
        if target is None or target == "":
            raise runtime_error(
                f"The expression after '{'.' if dot else '&'}' in a pipeline element produced an object that "
                "was not valid. It must result in a command name, a script block, or a CommandInfo object.",
                "BadExpression",
                target=target,
            )
        name = self.to_string(target)
        command = self.find_command(frame.scope, name)
        if isinstance(command, Function):
            return FunctionStage(
                frame, command.block, arguments, name=command.name, dot_sourced=dot
            )
        if isinstance(command, Cmdlet):
            return self._cmdlet_stage(frame, command, arguments)
        if isinstance(command, str):
            if command.lower().endswith(".ps1"):
                block = self.compile_block(self.read_script(command), command)
                return FunctionStage(
                    frame,
                    block,
                    arguments,
                    name=command,
                    dot_sourced=dot,
                    is_script=not dot,
                    is_file=True,
                )
            return NativeStage(frame, command, arguments)
        self.refuse(name)
        raise self.not_found(name)

    def refuse(self, name: str) -> None:
        """Say of a command that a real machine has and the lab has not that it is not simulated.

        Raises:
            NotSimulated: it is such a command.
        """
        found = commands.command(name)
        if found is None or self.find_cmdlet(found.name.lower()) is not None:
            return
        if self.has_module(found.module):
            raise NotSimulated(name)

    def has_module(self, name: str) -> bool:
        """Whether the machine has a module of Windows: of some its feature must be installed."""
        real = commands.modules().get(name.lower())
        first = _OF_FEATURES.get(real or "")
        return real is not None and (first is None or self.find_cmdlet(first) is not None)

    def not_found(self, name: str) -> PowerShellError:
        """The error of an unknown command."""
        error = runtime_error(
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is "
            "correct and try again.",
            "CommandNotFoundException",
            category="ObjectNotFound",
            target=name,
            exception=_SMA + "CommandNotFoundException",
        )
        error.record.exception.properties["CommandName"] = name
        return error

    def _cmdlet_stage(self, frame: Frame, cmdlet: Cmdlet, arguments: list[Argument]) -> Stage:
        kind = self.stage_types.get(cmdlet.name, CmdletStage)
        return kind(frame, cmdlet, arguments)

    def _in_module(self, frame: Frame, module: ModuleInfo, arguments: list[Argument]) -> Stage:
        """`& $module { ... }`: run in the module's session state."""
        if not arguments:
            raise runtime_error(
                "A command or script block must follow the module.", "BadExpression"
            )
        target = arguments[0].value
        inner = Frame(frame.interp, module.state.top, frame.write)
        if isinstance(target, ScriptBlock):
            return FunctionStage(frame, target, arguments[1:], module=module)
        return self._stage_of(inner, target, arguments[1:], False)

    # --- names

    def find_command(self, scope: Scope, name: str) -> Function | Cmdlet | str | None:
        """A function, a cmdlet, or the path of a script or program."""
        folded = name.lower()
        seen: set[str] = set()
        while folded not in seen:
            seen.add(folded)
            alias = scope.alias(folded)
            if alias is None:
                break
            name, folded = alias, alias.lower()
        prefix, colon, rest = folded.partition(":")
        if colon and prefix in ("script", "global", "local") and scope.function(rest):
            folded = rest
        function = scope.function(folded)
        if function is not None:
            found: Function = function
            return found
        cmdlet = self.find_cmdlet(folded)
        if cmdlet is not None:
            return cmdlet
        module, slash, plain = folded.rpartition("\\")
        if slash and "\\" not in module and "." not in module.removeprefix("microsoft.powershell."):
            function = scope.function(plain)
            if function is not None:
                return function  # type: ignore[no-any-return]
            cmdlet = self.find_cmdlet(plain)
            if cmdlet is not None:
                return cmdlet
        return self._find_file(name)

    def find_cmdlet(self, name: str) -> Cmdlet | None:
        """A cmdlet by name, by alias, or by its noun when that is that of a Get- cmdlet."""
        for table in self.tables:
            cmdlet = table.get(name)
            if cmdlet is not None:
                return cmdlet
        if "-" not in name:
            for table in self.tables:
                cmdlet = table.get("get-" + name)
                if cmdlet is not None:
                    return cmdlet
        return None

    def _find_file(self, name: str) -> str | None:
        is_path = self.host.separator in name or "/" in name
        candidates = [name] if name.lower().endswith(".ps1") else [name + ".ps1"]
        if is_path:
            for candidate in candidates:
                path = self.full_path(candidate)
                if self.host.files.exists(path) and not self.host.files.stat(path).is_directory:
                    return path
        else:
            for folder in self.environment_value("PATH").split(
                ";" if self.host.separator == "\\" else ":"
            ):
                separator: str = self.host.separator
                path = folder.rstrip(separator) + separator + candidates[0]
                if folder and self.host.files.exists(path):
                    return path
        if name.lower().endswith(".ps1"):
            return None
        wanted = self.full_path(name) if is_path else name
        found: str | None = self.host.find_program(wanted, self.environment_value("PATH"))
        return found

    def environment_value(self, name: str) -> str:
        """An environment variable; names are compared without case on Windows."""
        if name in self.environment:
            return self.environment[name]
        if self.host.separator == "\\":
            for key, value in self.environment.items():
                if key.lower() == name.lower():
                    return value
        return ""

    # --- modules

    def import_exports(
        self, module: ModuleInfo, scope: Scope, only: list[str] | None = None
    ) -> None:
        """Make what a module exports known in a scope."""

        def wanted(name: str) -> bool:
            return only is None or any(wildcard(p).fullmatch(name) for p in only)

        for name, function in module.functions.items():
            if wanted(name):
                scope.define_function(name, function)
        for alias, target in module.aliases.items():
            if only is None:
                scope.define_alias(alias, target)
        for variable in module.variables:
            found = module.state.top.variables.get(variable.lower())
            if found is not None and only is None:
                scope.variables[variable.lower()] = found

    def command_info(self, scope: Scope, name: str) -> CommandInfo | None:
        """What Get-Command says of a name."""
        alias = scope.alias(name.lower())
        if alias is not None:
            return CommandInfo(
                "Alias",
                name,
                self.find_command(scope, name),
                [
                    ("Definition", alias),
                    ("ReferencedCommand", alias),
                    ("ResolvedCommandName", alias),
                    ("ResolvedCommand", self.command_info(scope, alias)),
                    ("Source", ""),
                ],
            )
        command = self.find_command(scope, name)
        if command is None:
            return None
        return self.describe(command)

    def _parameter_type(self, name: str | None) -> Any:
        found = self.find_type(name or "object")
        return name if found is None else found

    def describe(self, command: Function | Cmdlet | str) -> CommandInfo:
        """A found command as an object."""
        if isinstance(command, Function):
            module = command.block.module
            parameters = Hashtable(ordered=True)
            for parameter in command.block.code.ready().parameters:
                parameters[parameter.name] = PSObject(
                    [
                        ("Name", parameter.name),
                        ("ParameterType", self._parameter_type(parameter.type_name)),
                        ("SwitchParameter", (parameter.type_name or "").lower() == "switch"),
                    ]
                )
            source = module.name if isinstance(module, ModuleInfo) else ""
            return CommandInfo(
                "Function",
                command.name,
                command,
                [
                    ("Definition", command.block.text),
                    ("ScriptBlock", command.block),
                    ("Parameters", parameters),
                    ("Source", source),
                    ("ModuleName", source),
                    ("Version", None),
                ],
            )
        if isinstance(command, Cmdlet):
            parameters = Hashtable(
                (
                    (
                        p.name,
                        PSObject(
                            [
                                ("Name", p.name),
                                ("ParameterType", self._parameter_type(p.type)),
                                ("SwitchParameter", p.type == "switch"),
                            ]
                        ),
                    )
                    for p in command.parameters
                ),
                ordered=True,
            )
            return CommandInfo(
                "Cmdlet",
                command.name,
                command,
                [
                    ("Definition", command.name),
                    ("Parameters", parameters),
                    ("Source", command.module),
                    ("ModuleName", command.module),
                    ("Version", "3.1.0.0"),
                ],
            )
        leaf = command.replace("\\", "/").rpartition("/")[2]
        kind = "ExternalScript" if command.lower().endswith(".ps1") else "Application"
        return CommandInfo(
            kind,
            leaf,
            command,
            [("Definition", command), ("Path", command), ("Source", command), ("Version", None)],
        )
