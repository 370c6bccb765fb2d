"""Automatic variables ($PSVersionTable, $MyInvocation, $PSCmdlet ...) and the common parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.encodings import ASCII, UTF8_PLAIN
from k8swin_lab.powershell.dotnet.extended import attach
from k8swin_lab.powershell.error_handling import action_name
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.records import ErrorRecord, ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING, Frame, Scope, Variable
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject, Switch

if TYPE_CHECKING:
    from k8swin_lab.powershell.functions import FunctionStage
    from k8swin_lab.powershell.interpreter import Interpreter

CONSTANT = frozenset(
    {
        "pid",
        "host",
        "home",
        "psversiontable",
        "psedition",
        "shellid",
        "executioncontext",
        "error",
        "?",
    }
)
_TAPS = {
    "ErrorVariable": "error",
    "WarningVariable": "warning",
    "InformationVariable": "information",
}
_PREFERENCES = {
    "ErrorAction": "ErrorActionPreference",
    "WarningAction": "WarningPreference",
    "InformationAction": "InformationPreference",
    "ProgressAction": "ProgressPreference",
    "Verbose": "VerbosePreference",
    "Debug": "DebugPreference",
}


_ACTIONS = (
    "ErrorActionPreference",
    "WarningPreference",
    "VerbosePreference",
    "DebugPreference",
    "InformationPreference",
    "ProgressPreference",
)
"""Variables of the session that hold an ActionPreference."""


def define(interp: Interpreter, scope: Scope) -> None:
    """Put the session's automatic variables into the global scope."""
    host = interp.host
    home = interp.environment_value("USERPROFILE") or interp.environment_value("HOME")
    windows = host.separator == "\\"
    locale = getattr(host.machine, "locale", None)
    values: dict[str, Any] = {
        "ErrorActionPreference": "Continue",
        "WarningPreference": "Continue",
        "VerbosePreference": "SilentlyContinue",
        "DebugPreference": "SilentlyContinue",
        "InformationPreference": "SilentlyContinue",
        "ProgressPreference": "Continue",
        "ConfirmPreference": "High",
        "WhatIfPreference": False,
        "PSDefaultParameterValues": Hashtable(),
        "MaximumHistoryCount": 4096,
        "OutputEncoding": ASCII if host.edition == "Desktop" else UTF8_PLAIN,
        "ErrorView": "NormalView" if host.edition == "Desktop" else "ConciseView",
        "FormatEnumerationLimit": 4,
        "PSEmailServer": "",
        "NestedPromptLevel": 0,
        "PSCulture": culture_now.current().name,
        "PSUICulture": locale.words.culture if locale is not None else "en-US",
        "PSHOME": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0"
        if windows
        else "/opt/microsoft/powershell/7",
        "PROFILE": _profiles(home or "", windows),
        "LASTEXITCODE": None,
    }
    constants: dict[str, Any] = {
        "PSVersionTable": version_table(interp),
        "PID": process_id(interp),
        "HOME": home,
        "ShellId": "Microsoft.PowerShell",
        "Error": interp.errors,
        "Host": PSObject(
            [
                ("Name", "ConsoleHost"),
                ("Version", host.version),
                ("UI", _user_interface(interp)),
            ],
            type_names=["System.Management.Automation.Internal.Host.InternalHost"],
        ),
        "ExecutionContext": execution_context(interp),
    }
    if host.edition == "Desktop":
        limits = ("Alias", "Drive", "Function", "Variable")
        values |= {f"Maximum{kind}Count": 4096 for kind in limits} | {"MaximumErrorCount": 256}
    if host.edition == "Core":
        constants.update(
            {"IsWindows": windows, "IsLinux": not windows, "IsMacOS": False, "IsCoreCLR": True}
        )
        constants["PSEdition"] = "Core"
    for name, value in values.items():
        if name in _ACTIONS:
            scope.variables[name.lower()] = _action_variable(interp, name, value)
        elif name != "LASTEXITCODE":
            scope.variables[name.lower()] = Variable(name, value)
    for name, value in constants.items():
        scope.variables[name.lower()] = Variable(name, value, "Constant")


def _profiles(home: str, windows: bool) -> Any:
    """$PROFILE: the file of the user and this host, with the other three as properties."""
    name = "Microsoft.PowerShell_profile.ps1"
    if not windows:
        return f"{home}/.config/powershell/{name}"
    own, shared = (
        rf"{home}\Documents\WindowsPowerShell",
        r"C:\Windows\System32\WindowsPowerShell\v1.0",
    )
    made: Any = rf"{own}\{name}"
    for label, path in (
        ("AllUsersAllHosts", rf"{shared}\profile.ps1"),
        ("AllUsersCurrentHost", rf"{shared}\{name}"),
        ("CurrentUserAllHosts", rf"{own}\profile.ps1"),
        ("CurrentUserCurrentHost", rf"{own}\{name}"),
    ):
        made = attach(made, label, path)
    return made


def _action_variable(interp: Interpreter, name: str, value: str) -> Variable:
    """A preference of the session's: it takes what is an action, and holds the enumeration's value."""

    def convert(item: Any) -> Any:
        return interp.cast(item, "System.Management.Automation.ActionPreference")

    made = Variable(name, convert(value))
    made.convert = interp.named_errors(convert, name)
    return made


def _user_interface(interp: Interpreter) -> PSObject:
    """`$Host.UI`: what it writes goes to the console, and into no stream."""

    def write(*words: Any) -> None:
        interp.flush_output()
        interp.stdout.write(interp.to_string(words[-1] if words else "").encode())

    def write_line(*words: Any) -> None:
        write(*words)
        interp.stdout.write(interp.newline.encode())

    return PSObject(
        [],
        type_names=["System.Management.Automation.Host.PSHostUserInterface"],
        methods={
            "Write": write,
            "WriteLine": write_line,
            "WriteErrorLine": lambda text: interp.stderr.write(
                (interp.to_string(text) + interp.newline).encode()
            ),
            "WriteWarningLine": lambda text: write_line(f"WARNING: {interp.to_string(text)}"),
            "WriteVerboseLine": lambda text: write_line(f"VERBOSE: {interp.to_string(text)}"),
            "WriteDebugLine": lambda text: write_line(f"DEBUG: {interp.to_string(text)}"),
        },
    )


def process_id(interp: Interpreter) -> int:
    """$PID: the number of the session's process, else a multiple of four that differs from session to session."""
    number = getattr(interp.host, "process_id", None)
    if isinstance(number, int):
        return number
    return 1000 + id(interp) // 64 % 8000 * 4


def version_table(interp: Interpreter) -> Hashtable:
    """$PSVersionTable."""

    def version(text: str) -> Any:
        return dotnet.construct(interp, "System.Version", [text])

    host = interp.host
    table = Hashtable()
    table["PSVersion"] = version(host.version)
    table["PSEdition"] = host.edition
    table["PSCompatibleVersions"] = PSArray(
        version(v) for v in ("1.0", "2.0", "3.0", "4.0", "5.0", "5.1.0.0")
    )
    if host.edition == "Desktop":
        table["BuildVersion"] = version("10.0." + ".".join(host.version.split(".")[2:]))
        table["CLRVersion"] = version("4.0.30319.42000")
    else:
        table["Platform"] = "Win32NT" if host.separator == "\\" else "Unix"
    table["WSManStackVersion"] = version("3.0")
    table["PSRemotingProtocolVersion"] = version("2.3")
    table["SerializationVersion"] = version("1.1.0.1")
    return table


def execution_context(interp: Interpreter) -> PSObject:
    """$ExecutionContext: the parts that scripts use."""

    def expand(text: str) -> Any:
        block = interp.compile_block('"' + str(text).replace('"', '""') + '"')
        return interp.to_string(interp.invoke(block, [], local=False)[0])

    def run(script: Any, *arguments: Any) -> Any:
        """A block, or a text, in a scope of its own; several values are a collection."""
        block = script if isinstance(script, ScriptBlock) else interp.compile_block(str(script))
        return interp.new_collection(interp.invoke(block, list(arguments)))

    commands = PSObject(
        [],
        type_names=["System.Management.Automation.CommandInvocationIntrinsics"],
        methods={
            "ExpandString": expand,
            "InvokeScript": run,
            "NewScriptBlock": lambda text: interp.compile_block(str(text)),
        },
    )
    path = PSObject(
        [], methods={"GetUnresolvedProviderPathFromPSPath": lambda p: interp.full_path(str(p))}
    )
    mode = getattr(interp.host, "language_mode", "FullLanguage")
    state = interp.session_state or PSObject([("LanguageMode", mode), ("Path", path)])
    interp.session_state = state
    return PSObject([("InvokeCommand", commands), ("SessionState", state)])


def lookup(interp: Interpreter, folded: str, frame: Frame) -> Any:
    """Automatic variables that are computed when asked for; NOTHING for any other name."""
    if folded == "?":
        return interp.success
    if folded == "pwd":
        return PSObject(
            [("Path", interp.location)],
            type_names=["System.Management.Automation.PathInfo"],
            display=interp.location,
        )
    if folded in ("myinvocation", "pscmdlet"):
        for scope in frame.scope.chain():
            if scope.call is not None:
                if folded == "myinvocation":
                    return my_invocation(scope.call)
                if scope.call.binder.advanced:
                    return ps_cmdlet(interp, scope.call)
        return (
            PSObject([("InvocationName", ""), ("MyCommand", None)])
            if folded == "myinvocation"
            else None
        )
    if folded in ("psscriptroot", "pscommandpath"):
        return ""
    if folded == "true":
        return True
    return NOTHING


def my_invocation(stage: FunctionStage) -> Any:
    """$MyInvocation of a function or script."""
    info = stage.context.invocation() if stage.context.invocation is not None else PSObject()
    name = stage.context.name
    path = name if stage.interp.is_path(name) else None
    leaf = stage.interp.host.separator.join(name.split(stage.interp.host.separator)[-1:])
    info.properties["MyCommand"] = PSObject(
        [
            ("Name", leaf),
            ("Path", path),
            ("Definition", path or stage.block.text),
            ("ScriptBlock", stage.block),
            ("Module", stage.block.module),
        ],
        display=leaf,
    )
    info.properties["BoundParameters"] = stage.scope.get("psboundparameters")
    info.properties["UnboundArguments"] = stage.scope.get("args")
    info.properties["ExpectingInput"] = stage.expects_input
    info.properties["InvocationName"] = stage.context.called_as or name
    return info


def ps_cmdlet(interp: Interpreter, stage: FunctionStage) -> PSObject:
    """$PSCmdlet of an advanced function."""

    def identified(record: ErrorRecord) -> ErrorRecord:
        if "," not in record.error_id and stage.context.name:
            record.claim(stage.context.name)
        if stage.context.invocation is not None and record.properties["InvocationInfo"] is None:
            record.properties["InvocationInfo"] = stage.context.invocation()
        return record

    def throw(record: ErrorRecord) -> None:
        raise PowerShellError(identified(record))

    def write_error(record: ErrorRecord) -> None:
        interp.write_record(identified(record))

    def write_object(value: Any, enumerate_it: bool = False) -> None:
        if enumerate_it and isinstance(value, list):
            for item in value:
                stage.write(item)
        else:
            stage.write(value)

    def should_process(*arguments: Any) -> bool:
        return ask(interp, stage, [interp.to_string(a) for a in arguments])

    return PSObject(
        [
            ("ParameterSetName", stage.bound.set_name),
            ("MyInvocation", my_invocation(stage)),
            ("SessionState", execution_context(interp).properties["SessionState"]),
        ],
        type_names=["System.Management.Automation.PSScriptCmdlet"],
        methods={
            "ThrowTerminatingError": throw,
            "WriteError": write_error,
            "WriteObject": write_object,
            "WriteVerbose": lambda text: interp.write_verbose(str(text)),
            "WriteWarning": lambda text: interp.write_warning(str(text)),
            "WriteDebug": lambda text: interp.write_debug(str(text)),
            "ShouldProcess": should_process,
            "ShouldContinue": lambda *_: True,
            "GetUnresolvedProviderPathFromPSPath": lambda path: interp.full_path(str(path)),
            "GetVariableValue": lambda name, default=None: stage.scope.get(
                str(name).lower(), default
            ),
        },
    )


def ask(interp: Interpreter, stage: FunctionStage, words: list[str]) -> bool:
    """ShouldProcess: no under -WhatIf, which it says; else yes (nobody is there to confirm)."""
    scope = stage.scope
    what_if = scope.get("whatifpreference")
    if not what_if:
        return True
    if len(words) == 1:
        target, action = words[0], stage.context.name
    elif len(words) == 2:
        target, action = words
    else:
        interp.write_host(f"What if: {words[0]}")
        return False
    interp.write_host(f'What if: Performing the operation "{action}" on target "{target}".')
    return False


def apply_common(
    interp: Interpreter, stage: Stage, common: dict[str, Any], *, function: bool
) -> None:
    """Put the common parameters of a call into force."""
    scope = stage.scope if function else None  # type: ignore[attr-defined]
    for name, value in common.items():
        if name in ("Verbose", "Debug"):
            _prefer(stage, scope, name, "continue" if value else "silentlycontinue")
        elif name in _PREFERENCES:
            action = action_name(interp.to_string(value))
            if action not in (
                "silentlycontinue",
                "stop",
                "continue",
                "inquire",
                "ignore",
                "suspend",
            ):
                raise runtime_error(
                    f"Cannot bind parameter '{name}'. Cannot convert value \"{value}\" to type "
                    '"System.Management.Automation.ActionPreference". Error: "Unable to match the identifier '
                    f"name {value} to a valid enumerator name. Specify one of the following enumerator names and "
                    'try again:\nSilentlyContinue, Stop, Continue, Inquire, Ignore, Suspend"',
                    f"CannotConvertArgumentNoMessage,{stage.context.suffix or stage.context.name}",
                    category="InvalidArgument",
                    exception="System.Management.Automation.ParameterBindingException",
                    activity=stage.context.name,
                )
            _prefer(stage, scope, name, action)
        elif name in _TAPS:
            tap = _variable_list(interp, stage, interp.to_string(value))
            stage.context.taps = (*stage.context.taps, (_TAPS[name], tap))
        elif name == "OutVariable":
            _tee(stage, _variable_list(interp, stage, interp.to_string(value)).append)
        elif name == "PipelineVariable":
            label = interp.to_string(value)
            _tee(stage, lambda item, label=label: stage.frame.scope.set(label, item))
        elif name == "WhatIf" and scope is not None:
            scope.variables["whatifpreference"] = Variable("WhatIfPreference", Switch(bool(value)))


_SPELLED = {
    "silentlycontinue": "SilentlyContinue", "stop": "Stop", "continue": "Continue",
    "inquire": "Inquire", "ignore": "Ignore", "suspend": "Suspend",
}  # fmt: skip


def _prefer(stage: Stage, scope: Scope | None, name: str, action: str) -> None:
    if scope is None:
        stage.context.preferences[name] = action
    else:
        variable = _PREFERENCES[name]
        scope.variables[variable.lower()] = Variable(variable, _SPELLED[action])


def _variable_list(interp: Interpreter, stage: Stage, name: str) -> Any:
    scope = stage.frame.scope
    if name.startswith("+"):
        old = scope.get(name[1:].lower())
        made = interp.new_list()
        made.extend(old if isinstance(old, list) else [] if old is None else [old])
        scope.set(name[1:], made)
        return made
    made = interp.new_list()
    scope.set(name, made)
    return made


def _tee(stage: Stage, take: Any) -> None:
    write = stage.write

    def both(item: Any) -> None:
        take(item)
        write(item)

    stage.write = both
