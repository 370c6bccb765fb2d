<#
.SYNOPSIS
Remove the firewall rules that were made on this server, but not the one that alone lets WinRM in.
.DESCRIPTION
Windows' own rules may not cover the network's profile, which the virtual switch may have changed. Whoever
removed the last rule for WinRM would not be let in again to put it back.
#>
param(
    [Parameter(Mandatory = $true)][string]$FirewallRules,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$WinrmPort
)
$ErrorActionPreference = 'Stop'
# uses: Test-WinrmElsewhere

$rules = ConvertFrom-Json $FirewallRules
foreach ($rule in $rules) {
    if (-not (Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue)) { continue }
    if ($rule.name -eq 'k8swin-winrm' -and -not (Test-WinrmElsewhere $NodeAddress $WinrmPort)) { continue }
    Remove-NetFirewallRule -Name $rule.name
    "removed $($rule.name)"
}
