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

function Test-WinrmElsewhere {
    $alias = @(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress })[0].InterfaceAlias
    $category = [string]@(Get-NetConnectionProfile -InterfaceAlias $alias)[0].NetworkCategory
    if ($category -eq 'DomainAuthenticated') { $category = 'Domain' }
    if ([string](Get-NetFirewallProfile -Name $category).Enabled -eq 'False') { return $true }
    # A port that is forwarded is none of the listeners' own; then each of these has to be let in.
    $ports = @(Get-ChildItem WSMan:\localhost\Listener | ForEach-Object { (Get-Item "WSMan:\localhost\Listener\$($_.Name)\Port").Value })
    if ($ports -contains $WinrmPort) { $ports = @($WinrmPort) }
    $filters = @(Get-NetFirewallPortFilter -Protocol TCP)
    foreach ($port in $ports) {
        $open = $false
        foreach ($filter in @($filters | Where-Object { @($_.LocalPort) -contains $port -and $_.InstanceID -ne 'k8swin-winrm' })) {
            $rule = Get-NetFirewallRule -Name $filter.InstanceID -ErrorAction SilentlyContinue
            if (-not $rule -or [string]$rule.Enabled -ne 'True' -or [string]$rule.Action -ne 'Allow' -or [string]$rule.Direction -ne 'Inbound') { continue }
            if ([string]$rule.Profile -eq 'Any' -or ([string]$rule.Profile -split ', *') -contains $category) { $open = $true }
        }
        if (-not $open) { return $false }
    }
    $ports.Count -gt 0
}

$rules = ConvertFrom-Json $FirewallRules
$left = @($rules | ForEach-Object { $_.name } | Where-Object { Get-NetFirewallRule -Name $_ -ErrorAction SilentlyContinue })
if ($left -contains 'k8swin-winrm' -and -not (Test-WinrmElsewhere)) {
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
