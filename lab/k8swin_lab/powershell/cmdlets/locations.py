"""Set-Location, Get-Location, Push-Location, Pop-Location, Get-PSDrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, switch
from k8swin_lab.powershell.cmdlets.targets import Target, exists, expand
from k8swin_lab.powershell.dotnet.fileinfo import info
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.powershell.wildcards import wildcard


def path_info(call: Call, location: str) -> PSObject:
    """A [PathInfo] of a location."""
    drive = location.partition(":")[0] if ":" in location else "/"
    return PSObject(
        [
            (
                "Drive",
                PSObject(
                    [("Name", drive)],
                    type_names=["System.Management.Automation.PSDriveInfo"],
                    display=drive,
                ),
            ),
            (
                "Provider",
                PSObject([("Name", "FileSystem")], display="Microsoft.PowerShell.Core\\FileSystem"),
            ),
            ("ProviderPath", location),
            ("Path", location),
        ],
        type_names=["System.Management.Automation.PathInfo"],
        display=location,
        default_properties=["Path"],
    )


def _move(call: Call, path: str, *, literal: bool = False) -> None:
    session: Any = call.session
    targets = expand(call, path, literal=literal)
    target: Target | None = targets[0] if targets else None
    if target is None or not exists(call, target):
        raise Terminating(
            f"Cannot find path '{path if target is None else target.shown}' because it does not exist.",
            exception="System.Management.Automation.ItemNotFoundException",
            category="ObjectNotFound",
            error_id="PathNotFound",
            target=path,
        )
    if target.is_file_system and not info(session.host, target.path).is_directory:
        raise Terminating(
            f"Cannot find path '{target.path}' because it does not exist.",
            exception="System.Management.Automation.ItemNotFoundException",
            category="ObjectNotFound",
            error_id="PathNotFound",
            target=path,
        )
    session.location = target.shown


def _stack(call: Call, name: str) -> list[str]:
    session: Any = call.session
    stacks = getattr(session, "location_stacks", None)
    if stacks is None:
        stacks = session.location_stacks = {}
    found: list[str] = stacks.setdefault(name.lower() or "default", [])
    return found


def _attempt(call: Call, path: str, *, literal: bool) -> bool:
    """Change the location; a path that is not there is not terminating."""
    try:
        _move(call, path, literal=literal)
    except Terminating as error:
        call.session.write_error(
            str(error),
            category=error.category,
            error_id=error.error_id,
            exception=error.exception,
            target=error.target,
        )
        return False
    return True


_PLACE = [
    Parameter("Path", "string", position=0, pipeline="both"),
    Parameter("LiteralPath", "string", aliases=("PSPath",), pipeline="property"),
    switch("PassThru"),
    Parameter("StackName", "string"),
]


def _home(call: Call) -> str:
    session: Any = call.session
    environment = {key.upper(): value for key, value in session.environment.items()}
    return str(environment.get("USERPROFILE") or environment.get("HOME") or session.location)


_NO_STACK = [
    *(parameter for parameter in _PLACE if parameter.name != "StackName"),
    Parameter("StackName", "string", simulated=False),
]


@TABLE.cmdlet(
    "Set-Location", parameters=_NO_STACK, module=MANAGEMENT, aliases=("cd", "sl", "chdir")
)
def set_location(call: Call) -> Iterator[Any]:
    session: Any = call.session
    path = call["LiteralPath"] if call.bound("LiteralPath") else call["Path"]
    if path is None or path == "~":
        path = _home(call)
    if path == "-":
        path = getattr(session, "previous_location", session.location)
    before = session.location
    if _attempt(call, path, literal=call.bound("LiteralPath")):
        session.previous_location = before
        if call["PassThru"]:
            yield path_info(call, session.location)


@TABLE.cmdlet(
    "Get-Location",
    parameters=[
        Parameter("PSProvider", "string[]"),
        Parameter("PSDrive", "string[]"),
        switch("Stack"),
        Parameter("StackName", "string[]"),
    ],
    module=MANAGEMENT,
    aliases=("gl", "pwd"),
)
def get_location(call: Call) -> Iterator[Any]:
    session: Any = call.session
    if call["Stack"] or call.bound("StackName"):
        for name in call["StackName"] or [""]:
            for place in reversed(_stack(call, name)):
                yield path_info(call, place)
        return
    yield path_info(call, session.location)


@TABLE.cmdlet("Push-Location", parameters=_PLACE, module=MANAGEMENT, aliases=("pushd",))
def push_location(call: Call) -> Iterator[Any]:
    session: Any = call.session
    before = session.location
    path = call["LiteralPath"] if call.bound("LiteralPath") else call["Path"]
    if path is not None and not _attempt(call, path, literal=call.bound("LiteralPath")):
        return
    _stack(call, call["StackName"] or "").append(before)
    if call["PassThru"]:
        yield path_info(call, session.location)


@TABLE.cmdlet(
    "Pop-Location",
    parameters=[switch("PassThru"), Parameter("StackName", "string")],
    module=MANAGEMENT,
    aliases=("popd",),
)
def pop_location(call: Call) -> Iterator[Any]:
    session: Any = call.session
    stack = _stack(call, call["StackName"] or "")
    if stack:
        session.location = stack.pop()
    if call["PassThru"]:
        yield path_info(call, session.location)


@TABLE.cmdlet(
    "Get-PSDrive",
    parameters=[
        Parameter("Name", "string[]", position=0, pipeline="property"),
        Parameter("PSProvider", "string[]"),
        Parameter("LiteralName", "string[]"),
        Parameter("Scope", "string"),
    ],
    module=MANAGEMENT,
    aliases=("gdr",),
)
def get_drive(call: Call) -> Iterator[Any]:
    session: Any = call.session
    windows = session.host.separator == "\\"
    drives = [("C" if windows else "/", "FileSystem", "C:\\" if windows else "/")]
    drives += [
        ("Alias", "Alias", ""),
        ("Env", "Environment", ""),
        ("Function", "Function", ""),
        ("Variable", "Variable", ""),
    ]
    drives += [
        (name, provider.name, provider.root)
        for name in ("HKCU", "HKLM", "WSMan", "Cert")
        if (provider := session.host.drive_provider(name)) is not None
    ]
    drives.sort(key=lambda entry: entry[0].lower())
    wanted = call["LiteralName"] or call["Name"] or ["*"]
    for pattern in wanted:
        found = [d for d in drives if wildcard(pattern).fullmatch(d[0])]
        if not found and pattern.lower() == "cert":
            raise NotSimulated(f"the drive {pattern}:")
        if not found and not any(c in pattern for c in "*?["):
            call.session.write_error(
                f"Cannot find drive. A drive with the name '{pattern}' does not exist.",
                category="ObjectNotFound",
                error_id="GetLocationNoMatchingDrive",
                exception="System.Management.Automation.DriveNotFoundException",
                target=pattern,
            )
        for name, provider_name, root in found:
            if call["PSProvider"] and provider_name.lower() not in [
                p.lower() for p in call["PSProvider"]
            ]:
                continue
            machine = session.host.machine
            measured = provider_name == "FileSystem" and machine is not None
            free = machine.free_bytes() if measured else None
            yield PSObject(
                [
                    ("Used", None if free is None else machine.disk_bytes - free),
                    ("Free", free),
                    ("CurrentLocation", ""),
                    ("Name", name),
                    ("Provider", provider_name),
                    ("Root", root),
                    ("Description", ""),
                ],
                type_names=["System.Management.Automation.PSDriveInfo"],
                display=name,
                default_properties=["Name", "Used", "Free", "Provider", "Root", "CurrentLocation"],
            )
