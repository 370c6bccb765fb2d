<#
.SYNOPSIS
Do the firewall rules that a worker needs exist and are they on?
#>
param([Parameter(Mandatory = $true)][string]$FirewallRules)
$ErrorActionPreference = 'Stop'

$missing = @()
$rules = ConvertFrom-Json $FirewallRules
foreach ($rule in $rules) {
    $found = Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue
    if (-not $found -or [string]$found.Enabled -ne 'True') { $missing += $rule.name }
}
if ($missing) {
    "missing firewall rules: $($missing -join ' ')"
    exit 10
}
'the firewall rules are in place'
