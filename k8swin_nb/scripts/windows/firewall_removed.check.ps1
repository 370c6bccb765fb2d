<#
.SYNOPSIS
Are the firewall rules gone that were made on this server? The one for WinRM stays while no other lets WinRM in.
#>
param(
    [Parameter(Mandatory = $true)][string]$FirewallRules,
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$WinrmPort
)
$ErrorActionPreference = 'Stop'
# uses: Test-WinrmElsewhere

$rules = ConvertFrom-Json $FirewallRules
$left = @($rules | ForEach-Object { $_.name } | Where-Object { Get-NetFirewallRule -Name $_ -ErrorAction SilentlyContinue })
if ($left -contains 'k8swin-winrm' -and -not (Test-WinrmElsewhere $NodeAddress $WinrmPort)) {
    $left = @($left | Where-Object { $_ -ne 'k8swin-winrm' })
    if (-not $left) {
        'the rule k8swin-winrm stays: no other rule lets WinRM in on this network'
        exit 0
    }
}
if ($left) {
    "firewall rules that were made here: $($left -join ' ')"
    exit 10
}
'no firewall rule that was made here is left'
