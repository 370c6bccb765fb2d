"""Modules: Import-, New-, Get-, Remove-Module and Export-ModuleMember."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.known import commands
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.builtin.table import TABLE, session
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.resolution import ModuleInfo
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.powershell.wildcards import wildcard

_CORE = "Microsoft.PowerShell.Core"


def _run(call: Call, module: ModuleInfo, block: ScriptBlock, arguments: list[Any]) -> list[Any]:
    """Run a module's text in its session state."""
    interp = session(call)
    block = ScriptBlock(
        block.ast, block.text, code=block.code, module=module, source_name=block.source_name
    )
    path = module.properties["Path"]
    if path:
        module.state.top.set("PSScriptRoot", interp.parent_path(path))
        module.state.top.set("PSCommandPath", path)
    result: list[Any] = []
    interp.stream(block, arguments, result.append, local=False)
    module.seal()
    return result


@TABLE.cmdlet(
    "Import-Module",
    parameters=[
        Parameter(
            "Name",
            "object[]",
            position=0,
            mandatory=True,
            pipeline="value",
            aliases=("ModuleInfo", "FullyQualifiedName"),
        ),
        Parameter("Force", "switch"),
        Parameter("Global", "switch"),
        Parameter("Scope", "string"),
        Parameter("PassThru", "switch"),
        Parameter("DisableNameChecking", "switch"),
        Parameter("Function", "string[]"),
        Parameter("Cmdlet", "string[]"),
        Parameter("Variable", "string[]"),
        Parameter("Alias", "string[]"),
        Parameter("ArgumentList", "object[]", aliases=("Args",)),
        Parameter("Prefix", "string"),
        Parameter("RequiredVersion", "string"),
        Parameter("MinimumVersion", "string"),
        Parameter("SkipEditionCheck", "switch"),
    ],
    module=_CORE,
    aliases=("ipmo",),
)
def import_module(call: Call) -> Iterator[Any]:
    """Load modules: script modules by path, the machine's own by name."""
    interp = session(call)
    if call.bound("Prefix"):
        raise NotSimulated("Import-Module -Prefix")
    for item in call["Name"]:
        module = item if isinstance(item, ModuleInfo) else _load(call, interp.to_string(item))
        if module is None:
            continue
        state = interp.current_scope().state
        scope = interp.global_scope if call["Global"] else state.top
        interp.import_exports(module, scope, call["Function"])
        if call["PassThru"]:
            yield module


def _load(call: Call, name: str) -> ModuleInfo | None:
    interp = session(call)
    is_path = (
        interp.is_path(name) or "/" in name or name.lower().endswith((".psm1", ".psd1", ".ps1"))
    )
    if not is_path:
        known = interp.modules.get(name.lower())
        if known is not None:
            return known
        if any(c.module.lower() == name.lower() for t in interp.tables for c in t.cmdlets.values()):
            return None
        path = _on_module_path(call, name)
        if path is None and interp.has_module(name):
            return None
    else:
        path = _module_file(call, interp.full_path(name))
    if path is None:
        raise Terminating(
            f"The specified module '{name}' was not loaded because no valid module file was found in any module "
            "directory.",
            exception="System.IO.FileNotFoundException",
            category="ResourceUnavailable",
            error_id="Modules_ModuleNotFound",
            target=name,
        )
    leaf = path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    existing = interp.modules.get(leaf.lower())
    if existing is not None and not call["Force"] and existing.properties["Path"] == path:
        return existing
    root = path
    if path.lower().endswith(".psd1"):
        manifest = interp.invoke(interp.compile_block(interp.read_script(path)), [])
        table = manifest[0] if manifest else {}
        relative = table.get("RootModule") or table.get("ModuleToProcess")
        if not relative:
            raise NotSimulated(f"Import-Module of a manifest without RootModule: {path}")
        root = interp.parent_path(path) + interp.host.separator + str(relative)
    module = ModuleInfo(leaf, root, interp.global_scope)
    block = interp.compile_block(interp.read_script(root), root)
    _run(call, module, block, list(call["ArgumentList"] or []))
    interp.modules[leaf.lower()] = module
    return module


def _module_file(call: Call, path: str) -> str | None:
    files = session(call).host.files
    separator = session(call).host.separator
    if files.exists(path) and not files.stat(path).is_directory:
        return path
    leaf = path.rpartition(separator)[2]
    for base in (path, path + separator + leaf):
        for extension in (".psd1", ".psm1"):
            if files.exists(base + extension):
                return base + extension
    return None


def _on_module_path(call: Call, name: str) -> str | None:
    interp = session(call)
    separator = ";" if interp.host.separator == "\\" else ":"
    for folder in interp.environment_value("PSModulePath").split(separator):
        if folder:
            found = _module_file(
                call, folder.rstrip(interp.host.separator) + interp.host.separator + name
            )
            if found is not None:
                return found
    return None


@TABLE.cmdlet(
    "New-Module",
    parameters=[
        Parameter("Name", "string"),
        Parameter("ScriptBlock", "scriptblock"),
        Parameter("AsCustomObject", "switch"),
        Parameter("ReturnResult", "switch"),
        Parameter("ArgumentList", "object[]", aliases=("Args",)),
        Parameter("Function", "string[]"),
        Parameter("Cmdlet", "string[]"),
        Parameter("First", "object", position=0),
        Parameter("Second", "object", position=1),
    ],
    module=_CORE,
    aliases=("nmo",),
)
def new_module(call: Call) -> Iterator[Any]:
    """A module made of a script block."""
    interp = session(call)
    given = [v for v in (call["First"], call["Second"]) if v is not None]
    block = call["ScriptBlock"] or next(v for v in given if isinstance(v, ScriptBlock))
    name = call["Name"] or next(
        (str(v) for v in given if not isinstance(v, ScriptBlock)), "__DynamicModule"
    )
    module = ModuleInfo(name, "", interp.global_scope)
    result = _run(call, module, block, list(call["ArgumentList"] or []))
    if call.bound("Function"):
        module.functions = {
            n: f
            for n, f in module.functions.items()
            if any(wildcard(p).fullmatch(n) for p in call["Function"])
        }
    if call["AsCustomObject"]:
        yield _as_object(call, module)
        return
    if call.bound("Name") or not call["ReturnResult"]:
        interp.modules[name.lower()] = module
    interp.import_exports(module, interp.current_scope().state.top)
    if call["ReturnResult"]:
        yield from result
    else:
        yield module


def _as_object(call: Call, module: ModuleInfo) -> PSObject:
    made = PSObject()
    for name, function in module.functions.items():
        made.methods[name] = function.block  # type: ignore[assignment]
    for name in module.variables:
        variable = module.state.top.variables.get(name.lower())
        if variable is not None:
            made.properties[variable.name] = variable
    return made


@TABLE.cmdlet(
    "Export-ModuleMember",
    parameters=[
        Parameter("Function", "string[]", position=0, pipeline="both"),
        Parameter("Cmdlet", "string[]"),
        Parameter("Variable", "string[]"),
        Parameter("Alias", "string[]"),
    ],
    module=_CORE,
)
def export_module_member(call: Call) -> None:
    """Say what the running module exports."""
    module = session(call).current_scope().state.module
    if not isinstance(module, ModuleInfo):
        raise Terminating(
            "The Export-ModuleMember cmdlet can only be called from inside a module.",
            category="PermissionDenied",
            error_id="Modules_CanOnlyExecuteExportModuleMemberInsideAModule",
        )
    module.explicit = True
    top = module.state.top

    def chosen(patterns: Any, name: str) -> bool:
        return any(wildcard(p).fullmatch(name) for p in patterns or [])

    for function in (top.functions or {}).values():
        if chosen(call["Function"], function.name):
            module.functions[function.name] = function
    for alias, target in (top.aliases or {}).values():
        if chosen(call["Alias"], alias):
            module.aliases[alias] = target
    module.variables.extend(
        v.name for v in top.variables.values() if chosen(call["Variable"], v.name)
    )


@TABLE.cmdlet(
    "Get-Module",
    parameters=[
        Parameter("Name", "string[]", position=0, pipeline="value"),
        Parameter("ListAvailable", "switch"),
        Parameter("All", "switch"),
    ],
    module=_CORE,
    aliases=("gmo",),
)
def get_module(call: Call) -> Iterator[Any]:
    """Loaded modules; with -ListAvailable those that the machine has."""
    interp = session(call)
    for name in call["Name"] or ["*"]:
        pattern = wildcard(name)
        for module in list(interp.modules.values()):
            if pattern.fullmatch(module.name):
                yield module
        names = {c.module for t in interp.tables for c in t.cmdlets.values() if c.module}
        names |= {module for module in commands.modules().values() if interp.has_module(module)}
        if call["ListAvailable"]:
            for known in sorted(names, key=str.lower):
                if pattern.fullmatch(known):
                    yield _built_in(call, known)


def _built_in(call: Call, name: str) -> PSObject:
    interp = session(call)
    names = {c.name for t in interp.tables for c in t.cmdlets.values() if c.module == name}
    names |= {c.name for c in commands.commands().values() if c.module == name}
    return PSObject(
        [
            ("ModuleType", "Manifest"),
            ("Version", "3.1.0.0"),
            ("Name", name),
            ("ExportedCommands", PSArray(sorted(names), "System.String")),
        ],
        type_names=["System.Management.Automation.PSModuleInfo"],
        display=name,
    )


@TABLE.cmdlet(
    "Remove-Module",
    parameters=[
        Parameter("Name", "object[]", position=0, mandatory=True, pipeline="value"),
        Parameter("Force", "switch"),
    ],
    module=_CORE,
    aliases=("rmo",),
)
def remove_module(call: Call) -> None:
    """Unload modules and forget what they exported."""
    interp = session(call)
    for item in call["Name"]:
        name = item.name if isinstance(item, ModuleInfo) else interp.to_string(item)
        module = interp.modules.pop(name.lower(), None)
        if module is None:
            call.session.write_error(
                f"No modules were removed. Verify that the specification of modules to remove is correct and "
                f"those modules exist in the runspace: '{name}'.",
                category="ResourceUnavailable",
                error_id="Modules_NoModulesRemoved",
                exception="System.InvalidOperationException",
            )
            continue
        for scope in interp.current_scope().chain():
            for folded, function in list((scope.functions or {}).items()):
                if function.block.module is module and scope.functions is not None:
                    del scope.functions[folded]
            for alias in module.aliases:
                if scope.aliases is not None:
                    scope.aliases.pop(alias.lower(), None)
            for variable in module.variables:
                if scope.variables.get(variable.lower()) is module.state.top.variables.get(
                    variable.lower()
                ):
                    scope.variables.pop(variable.lower(), None)
