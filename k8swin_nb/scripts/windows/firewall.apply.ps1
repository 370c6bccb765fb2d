<#
.SYNOPSIS
Open the ports of a worker; rules that exist are switched on, not made again.
.DESCRIPTION
Profile Any, because the network often becomes Public when the virtual switch takes the adapter over.
#>
param([Parameter(Mandatory = $true)][string]$FirewallRules)
$ErrorActionPreference = 'Stop'

$rules = ConvertFrom-Json $FirewallRules
foreach ($rule in $rules) {
    if (Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue) {
        Set-NetFirewallRule -Name $rule.name -Enabled True
    } else {
        New-NetFirewallRule -Name $rule.name -DisplayName $rule.title -Direction Inbound -Action Allow `
            -Protocol $rule.protocol -LocalPort $rule.port -Profile Any | Out-Null
    }
    "$($rule.protocol) $($rule.port): $($rule.title)"
}
