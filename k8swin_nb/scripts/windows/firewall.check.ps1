<#
.SYNOPSIS
Are the firewall rules that a worker needs there as they are wanted, and do they count?
.DESCRIPTION
A group policy may let nothing but its own rules count: then it has to bring them, and this stops. So it does where a
rule of somebody else blocks what ours allow.
#>
param(
    [Parameter(Mandatory = $true)][string]$FirewallRules,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$MasterAddress,
    [Parameter(Mandatory = $true)][string]$WinrmPort
)
$ErrorActionPreference = 'Stop'
# uses: Get-ClosedNetwork Get-WinrmClient Get-WinrmPort Test-OwnRule

$differs = @()
$closed = @()
$rules = ConvertFrom-Json $FirewallRules
foreach ($rule in $rules) {
    if (-not (Test-OwnRule $rule)) { $differs += $rule.name }
    $clients = @($MasterAddress)
    if ($rule.name -eq 'k8swin-winrm') { $clients = @(Get-WinrmClient (Get-WinrmPort $WinrmPort)) }
    $closed += @(Get-ClosedNetwork $rule $NodeAddress $clients)
}
if ($closed) {
    'hint: have the group policy bring rules that allow these ports for all profiles, or have it let local rules count; have a rule that blocks them spare the control plane and this computer'
    "closed, whatever rules are made here: $($closed -join '; ')"
    exit 20
}
if ($differs) {
    foreach ($rule in $rules | Where-Object { $differs -contains $_.name }) {
        $there = 'not there'
        if (Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue) { $there = 'off, or another' }
        "would: firewall rule $($rule.name): $there -> inbound $($rule.protocol) $($rule.port) allowed"
    }
    "firewall rules that are missing, off, or others than wanted: $($differs -join ' ')"
    exit 10
}
'the firewall rules are in place'
