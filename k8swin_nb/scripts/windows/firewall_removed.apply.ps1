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
foreach ($rule in $rules) {
    if (-not (Get-NetFirewallRule -Name $rule.name -ErrorAction SilentlyContinue)) { continue }
    if ($rule.name -eq 'k8swin-winrm' -and -not (Test-WinrmElsewhere)) { continue }
    Remove-NetFirewallRule -Name $rule.name
    "removed $($rule.name)"
}
