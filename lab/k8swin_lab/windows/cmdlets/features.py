"""Roles and features: the ServerManager module and DISM's optional features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows_features import Feature
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.windows.objects import (
    as_list,
    enum,
    has_wildcard,
    matches,
    parameters,
    prop,
    record,
)

_FEATURE = "Microsoft.Windows.ServerManager.Commands.Feature"
_STATES = {"Installed": "Enabled", "Available": "Disabled", "InstallPending": "EnablePending",
           "UninstallPending": "DisablePending", "Removed": "DisabledWithPayloadRemoved"}  # fmt: skip


def feature_object(feature: Feature) -> PSObject:
    return record(
        _FEATURE,
        {
            "Name": feature.name,
            "DisplayName": feature.display_name,
            "Description": feature.display_name,
            "Installed": feature.state == "Installed",
            "InstallState": enum(
                feature.state, "Microsoft.Windows.ServerManager.Commands.InstallState"
            ),
            "FeatureType": feature.kind,
            "Path": feature.display_name,
            "Depth": feature.depth,
            "DependsOn": PSArray(),
            "Parent": feature.parent,
            "SubFeatures": PSArray(),
            "PostConfigurationNeeded": False,
            "ServerComponentDescriptor": None,
            "SystemService": PSArray(),
            "Notification": PSArray(),
            "BestPracticesModelId": None,
            "AdditionalInfo": None,
        },
        ["DisplayName", "Name", "InstallState"],
        display=feature.name,
    )


def get_feature(call: Call) -> Iterator[Any]:
    features = call.session.machine.features
    for name in as_list(call["Name"]) or ["*"]:
        found = [f for f in features.all if matches(f.name, str(prop(name, "Name", name)))]
        yield from (feature_object(f) for f in found)


def _change(call: Call, *, install: bool) -> Iterator[Any]:
    machine = call.session.machine
    restart, results, code = False, [], "NoChangeNeeded"
    for item in as_list(call["Name"]):
        name = str(prop(item, "Name", item))
        feature = machine.features.find(name)
        if feature is None or feature.name.lower() != name.lower():
            target = "ArgumentNotValid"
            raise Terminating(
                f"{target}: The role, role service, or feature name is not valid: '{name}'. The name was not found.",
                exception="Microsoft.Windows.ServerManager.Commands.ServerManagerException",
                category="InvalidArgument",
                error_id="NameDoesNotExist",
                target=name,
            )
        if install and feature.state == "Removed" and not call["Source"]:
            call.session.write_error(
                f"The request to add or remove features on the specified server failed.\r\nInstallation of one or "
                f"more roles, role services, or features failed.\r\nThe source files could not be found.\r\n"
                f"({feature.name}) Error: 0x800f081f",
                error_id="DISMAPI_Error__Failed_To_Enable_Updates", category="InvalidOperation", target=name,
            )  # fmt: skip
            yield _result(False, False, "Failed", [])
            return
        wanted = [feature]
        if call["IncludeManagementTools"] and feature.name == "Hyper-V":
            wanted += [
                f
                for f in machine.features.all
                if f.name in ("Hyper-V-PowerShell", "RSAT-Hyper-V-Tools")
            ]
        for one in wanted:
            before = one.state
            if call["WhatIf"]:
                continue
            pending = machine.features.install(one) if install else machine.features.remove(one)
            restart = restart or pending
            if one.state != before:
                results.append(feature_object(one))
                code = (
                    "SuccessRestartRequired"
                    if pending or code == "SuccessRestartRequired"
                    else "Success"
                )
            elif pending:
                code = "SuccessRestartRequired"
    if restart:
        call.session.write_warning(
            "You must restart this server to finish the "
            + ("installation" if install else "removal")
            + " process."
        )
    yield _result(True, restart, code, results)
    if call["Restart"] and restart:
        machine.schedule_shutdown(1, restart=True)


def _result(success: bool, restart: bool, code: str, features: list[Any]) -> PSObject:
    return record(
        "Microsoft.Windows.ServerManager.Commands.FeatureOperationResult",
        {
            "Success": success,
            "RestartNeeded": enum(
                "Yes" if restart else "No", "Microsoft.Windows.ServerManager.Commands.RestartState"
            ),
            "FeatureResult": PSArray(features),
            "ExitCode": enum(
                code, "Microsoft.Windows.ServerManager.Commands.FeatureOperationExitCode"
            ),
        },
        ["Success", "RestartNeeded", "ExitCode", "FeatureResult"],
    )


def _optional(call: Call, feature: Feature) -> PSObject:
    return record(
        "Microsoft.Dism.Commands.AdvancedFeatureObject",
        {
            "FeatureName": feature.optional_name,
            "DisplayName": feature.display_name,
            "Description": feature.display_name,
            "RestartRequired": enum("Possible", "Microsoft.Dism.Commands.RestartType"),
            "State": enum(_STATES[feature.state], "Microsoft.Dism.Commands.FeatureState"),
            "Online": True,
        },
    )


def _need_online(call: Call) -> None:
    if not call["Online"]:
        raise NotSimulated("the features of an offline image")


def get_optional(call: Call) -> Iterator[Any]:
    _need_online(call)
    name = call["FeatureName"]
    for feature in call.session.machine.features.all:
        if name is None or matches(feature.optional_name, name):
            yield _optional(call, feature)


def _change_optional(call: Call, *, enable: bool) -> Iterator[Any]:
    _need_online(call)
    machine = call.session.machine
    restart = False
    for name in as_list(call["FeatureName"]):
        feature = next(
            (f for f in machine.features.all if f.optional_name.lower() == str(name).lower()), None
        )
        if feature is None or has_wildcard(str(name)):
            call.session.write_error(
                f"Feature name {name} is unknown.", error_id="Microsoft.Dism.Commands."
                + ("Enable" if enable else "Disable") + "WindowsOptionalFeatureCommand",
                exception="System.Runtime.InteropServices.COMException",
            )  # fmt: skip
            return
        restart = (
            machine.features.install(feature) if enable else machine.features.remove(feature)
        ) or restart
    if restart and call["NoRestart"]:
        call.session.write_warning("Restart is suppressed because NoRestart is specified.")
    yield record(
        "Microsoft.Dism.Commands.ImageObject",
        {"Path": "", "Online": True, "RestartNeeded": restart},
    )


def register(table: CommandTable) -> None:
    """Add the family to a table."""
    module = "ServerManager"
    table.cmdlet(
        "Get-WindowsFeature", parameters=parameters("Name object[] @0 value; ComputerName string ~; LogPath string ~"),
        module=module,
    )(get_feature)  # fmt: skip
    common = "Name object[] @0 ! value; Restart switch; IncludeManagementTools switch; ComputerName string ~; LogPath string ~"
    table.cmdlet(
        "Install-WindowsFeature", parameters=parameters(common + "; IncludeAllSubFeature switch ~; Source string[]"),
        module=module, should_process=True, aliases=("Add-WindowsFeature",),
    )(lambda call: _change(call, install=True))  # fmt: skip
    table.cmdlet(
        "Uninstall-WindowsFeature", parameters=parameters(common + "; Remove switch ~"), module=module,
        should_process=True, aliases=("Remove-WindowsFeature",),
    )(lambda call: _change(call, install=False))  # fmt: skip
    table.cmdlet(
        "Get-WindowsOptionalFeature", parameters=parameters("FeatureName string @0; Online switch; LogPath string ~"),
        module="Dism",
    )(get_optional)  # fmt: skip
    changing = "FeatureName string[] @0 !; Online switch; NoRestart switch; LogPath string ~"
    table.cmdlet(
        "Enable-WindowsOptionalFeature",
        parameters=parameters(changing + "; All switch; LimitAccess switch ~; Source string[] ~"), module="Dism",
    )(lambda call: _change_optional(call, enable=True))  # fmt: skip
    table.cmdlet(
        "Disable-WindowsOptionalFeature",
        parameters=parameters(changing + "; Remove switch ~"),
        module="Dism",
    )(lambda call: _change_optional(call, enable=False))
