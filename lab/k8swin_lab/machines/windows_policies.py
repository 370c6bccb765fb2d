r"""What policies in the registry do to a simulated Windows: who may log in how, and what may run.

Each is read where Windows reads it, at every question, so that a domain's group policy, `reg add` or a mood
of a site come to the same.

Sources: PowerShell's `SecuritySupport.cs` (EnableScripts and ExecutionPolicy; the machine's policy outranks
`-ExecutionPolicy Bypass`) and `wldpNativeMethods.cs` (`__PSLockdownPolicy`, where bit 4 enforces); the
security options "Network security: Restrict NTLM: Incoming NTLM traffic" (RestrictReceivingNTLMTraffic, 2
refuses all accounts) and KB951016 for LocalAccountTokenFilterPolicy; "User Account Control: Admin Approval
Mode for the Built-in Administrator account" (FilterAdministratorToken), and pywinrm#188 for what a filtered
token gets: access denied, fault 5, after a login that was right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.machines.windows_setup import ENVIRONMENT

if TYPE_CHECKING:
    from k8swin_lab.machines.registry import Registry

POWERSHELL = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell"
MSV1_0 = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0"
SYSTEM_POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
LOCKDOWN = "__PSLockdownPolicy"
_ENFORCED = 4
_ALL_ACCOUNTS = 2


def execution_policy(registry: Registry) -> str:
    """Return the execution policy that the machine's group policy sets; empty when it sets none."""
    scripts = registry.get(POWERSHELL, "EnableScripts")
    if scripts is None:
        return ""
    if not _number(scripts):
        return "Restricted"
    return str(registry.get(POWERSHELL, "ExecutionPolicy", ""))


CHOSEN = {
    "CurrentUser": r"HKCU\SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell",
    "LocalMachine": r"HKLM\SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell",
}
"""By scope, where Set-ExecutionPolicy keeps what was chosen."""

SERVERS_OWN = "RemoteSigned"
"""The execution policy of a server on which nobody chose another."""


def chosen_policies(registry: Registry) -> dict[str, str]:
    """Return the execution policies that somebody chose on the machine, empty where none is."""
    return {scope: str(registry.get(key, "ExecutionPolicy", "")) for scope, key in CHOSEN.items()}


def choose_policy(registry: Registry, scope: str, policy: str) -> None:
    """Set the execution policy of a scope, or take it back."""
    if policy == "Undefined":
        registry.unset(CHOSEN[scope], "ExecutionPolicy")
    else:
        registry.set(CHOSEN[scope], "ExecutionPolicy", policy)


def constrained(registry: Registry) -> bool:
    """Tell whether PowerShell starts in ConstrainedLanguage."""
    return bool(_number(registry.get(ENVIRONMENT, LOCKDOWN, 0)) & _ENFORCED)


def takes_ntlm(registry: Registry) -> bool:
    """Tell whether anybody may log in with NTLM."""
    return _number(registry.get(MSV1_0, "RestrictReceivingNTLMTraffic", 0)) != _ALL_ACCOUNTS


def filters_token(registry: Registry, user: str) -> bool:
    """Tell whether a local administrator who logs in over the network is no administrator there."""
    if user.casefold().startswith("nt authority\\") or not _number(
        registry.get(SYSTEM_POLICIES, "EnableLUA", 1)
    ):
        return False
    if user.rpartition("\\")[2].casefold() == "administrator":
        return bool(_number(registry.get(SYSTEM_POLICIES, "FilterAdministratorToken", 0)))
    return not _number(registry.get(SYSTEM_POLICIES, "LocalAccountTokenFilterPolicy", 0))


def _number(content: object) -> int:
    try:
        return int(str(content))
    except ValueError:
        return 0
