<#
.SYNOPSIS
Open the ports of a worker; rules that exist are brought to what is wanted, not made again.
.DESCRIPTION
Profile Any, because the network often becomes Public when the virtual switch takes the adapter over. Who may use a rule
is left as the site has narrowed it.
#>
param([Parameter(Mandatory = $true)][string]$FirewallRules)
$ErrorActionPreference = 'Stop'
# uses: Test-OwnRule

$rules = ConvertFrom-Json $FirewallRules
foreach ($rule in $rules) {
    if (Test-OwnRule $rule) { continue }
    if (Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue) {
        Set-NetFirewallRule -Name $rule.name -Enabled True -Direction Inbound -Action Allow -Protocol $rule.protocol -LocalPort $rule.port -Profile Any
    } else {
        New-NetFirewallRule -Name $rule.name -DisplayName $rule.title -Direction Inbound -Action Allow `
            -Protocol $rule.protocol -LocalPort $rule.port -Profile Any | Out-Null
    }
    "$($rule.protocol) $($rule.port): $($rule.title)"
}
