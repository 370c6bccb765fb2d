"""Get-Acl on files, and the execution policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines import windows_policies
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_files import AccessList, AccessRule
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.windows.objects import as_list, enum, parameters, prop, record

_RIGHTS = {"F": "FullControl", "M": "Modify, Synchronize", "RX": "ReadAndExecute, Synchronize", "R": "Read, Synchronize",
           "W": "Write, Synchronize"}  # fmt: skip


_POLICY = "Microsoft.PowerShell.ExecutionPolicy"
_ALIASES = {
    r"nt authority\system": "SY", r"builtin\administrators": "BA", r"builtin\users": "BU", "everyone": "WD",
    "creator owner": "CO", r"nt authority\authenticated users": "AU", r"nt service\trustedinstaller":
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", r"nt authority\network service": "NS",
    r"nt authority\local service": "LS",
}  # fmt: skip
_MASKS = {"F": "FA", "M": "0x1301bf", "RX": "0x1200a9", "R": "FR", "W": "FW"}


def sddl(access: AccessList) -> str:
    """The security descriptor as text; the group is shown as the owner's, as for files that the system made."""

    def trustee(name: str) -> str:
        if found := _ALIASES.get(name.lower()):
            return found
        return (
            "LA"
            if name.lower().endswith("\\administrator")
            else f"S-1-5-21-{sum(name.lower().encode())}-1000"
        )

    owner = trustee(access.owner)
    text = f"O:{owner}G:{owner}D:{'P' if access.protected else ''}AI"
    for rule in access.rules:
        flags = "".join(rule.flags.replace(",", "").split()) + ("ID" if rule.inherited else "")
        kind = "A" if rule.allow else "D"
        text += (
            f"({kind};{flags};{_MASKS.get(rule.rights, rule.rights)};;;{trustee(rule.identity)})"
        )
    return text


def access_object(machine: WindowsMachine, path: str) -> PSObject:
    """A FileSecurity as Get-Acl gives it; to change one is refused."""
    access = machine.files.access(path)
    shown = machine.locale.shown
    found = record(
        "System.Security.AccessControl.FileSecurity",
        {
            "Path": f"Microsoft.PowerShell.Core\\FileSystem::{path}",
            "Owner": shown(access.owner),
            "Group": shown(access.owner),
        },
        ["Path", "Owner", "Access"],
    )

    def show() -> None:
        found.properties["Access"] = PSArray(
            [_rule_object(rule, shown(rule.identity)) for rule in access.rules]
        )
        found.properties["Sddl"] = sddl(access)
        found.properties["AreAccessRulesProtected"] = access.protected
        found.properties["AccessToString"] = "\n".join(
            f"{shown(r.identity)} {'Allow' if r.allow else 'Deny'}  {_RIGHTS.get(r.rights, r.rights)}"
            for r in access.rules
        )

    def refuse(*arguments: Any) -> None:
        raise NotSimulated("changing an access list with PowerShell; icacls.exe does it")

    found.methods = dict.fromkeys(
        ("SetAccessRuleProtection", "AddAccessRule", "SetAccessRule", "RemoveAccessRule", "SetOwner"), refuse,
    )  # fmt: skip
    show()
    return found


def _rule_object(rule: AccessRule, name: str) -> PSObject:
    return record(
        "System.Security.AccessControl.FileSystemAccessRule",
        {
            "FileSystemRights": enum(_RIGHTS.get(rule.rights, rule.rights)), "AccessControlType": enum("Allow" if rule.allow else "Deny"),
            "IdentityReference": PSObject({"Value": name}, display=name), "IsInherited": rule.inherited,
            "InheritanceFlags": enum("ContainerInherit, ObjectInherit" if rule.flags else "None"), "PropagationFlags": enum("None"),
        },
    )  # fmt: skip


def get_acl(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for path in as_list(call["LiteralPath"] or call["Path"]) or [call.session.location]:
        full = call.session.full_path(str(prop(path, "FullName", path)))
        if not machine.files.exists(full):
            call.session.write_error(
                f"Cannot find path '{full}' because it does not exist.", category="ObjectNotFound", error_id="GetAcl_PathNotFound_Exception",
                target=full, exception="System.Management.Automation.ItemNotFoundException",
            )  # fmt: skip
            continue
        yield access_object(machine, full)


_OVERRIDDEN = (
    "Windows PowerShell updated your execution policy successfully, but the setting is overridden by a policy defined at a "
    "more specific scope.  Due to the override, your shell will retain its current effective execution policy of {policy}. "
    'Type "Get-ExecutionPolicy -List" to view your execution policy settings. For more information please see '
    '"Get-Help Set-ExecutionPolicy".'
)


def _policies(call: Call) -> dict[str, str]:
    """The execution policy of each scope, the first that is set counts."""
    machine: WindowsMachine = call.session.machine
    chosen = windows_policies.chosen_policies(machine.registry)
    return {
        "MachinePolicy": windows_policies.execution_policy(machine.registry),
        "UserPolicy": "",
        "Process": str(getattr(call.session, "execution_policy", "")),
        **chosen,
    }


def get_policy(call: Call) -> Iterator[Any]:
    policies = _policies(call)
    if call["List"]:
        for scope, policy in policies.items():
            yield record(
                "System.Management.Automation.PSCustomObject",
                {"Scope": enum(scope), "ExecutionPolicy": enum(policy or "Undefined", _POLICY)},
            )
        return
    if call["Scope"]:
        yield enum(policies[str(call["Scope"])] or "Undefined", _POLICY)
        return
    yield enum(next(filter(None, policies.values()), windows_policies.SERVERS_OWN), _POLICY)


def set_policy(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    policy, scope = str(call["ExecutionPolicy"]), str(call["Scope"] or "LocalMachine")
    if scope == "Process":
        call.session.execution_policy = policy.replace("Undefined", "")  # type: ignore[attr-defined]
    elif scope in windows_policies.CHOSEN:
        windows_policies.choose_policy(machine.registry, scope, policy)
    else:
        raise NotSimulated(f"Set-ExecutionPolicy -Scope {scope}")
    policies = _policies(call)
    first = next((name for name, found in policies.items() if found), scope)
    if list(policies).index(first) < list(policies).index(scope):
        call.session.write_error(
            _OVERRIDDEN.format(policy=policies[first]), category="PermissionDenied",
            error_id="ExecutionPolicyOverride", exception="System.Security.SecurityException",
        )  # fmt: skip
    return iter(())


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    module = "Microsoft.PowerShell.Security"
    scopes = "|MachinePolicy|UserPolicy|Process|CurrentUser|LocalMachine"
    table.cmdlet(
        "Get-ExecutionPolicy",
        parameters=parameters(f"Scope string @0 {scopes}; List switch"),
        module=module,
    )(get_policy)
    table.cmdlet(
        "Set-ExecutionPolicy",
        parameters=parameters(
            "ExecutionPolicy string @0 ! |Unrestricted|RemoteSigned|AllSigned|Restricted|Bypass|Undefined; "
            f"Scope string @1 {scopes}; Force switch"
        ),
        module=module,
        should_process=True,
    )(set_policy)
    table.cmdlet(
        "Get-Acl",
        parameters=parameters("Path object[] @0 both; LiteralPath string[]; Audit switch ~"),
        module=module,
    )(get_acl)
