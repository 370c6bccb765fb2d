<#
.SYNOPSIS
May the workers' virtual adapters send with their pods' addresses? Runs on the Hyper-V host.
#>
param(
    [Parameter(Mandatory = $true)][string]$VmNames,
    [string]$Hypervisors = '1'
)
$ErrorActionPreference = 'Stop'

$names = @($VmNames -split ';' | Where-Object { $_ })
$off = @()
$missing = @()
foreach ($name in $names) {
    # Asked for all machines, because a name that is not on this host would be an error.
    $adapters = @(Get-VMNetworkAdapter -VMName * | Where-Object { $_.VMName -eq $name })
    if ($adapters.Count -eq 0) { $missing += $name }
    foreach ($adapter in $adapters) {
        if ([string]$adapter.MacAddressSpoofing -ne 'On') { $off += $name }
    }
}
if ($missing -and $Hypervisors -eq '1') {
    $all = @(Get-VM | ForEach-Object { $_.Name })
    'hint: correct `vm_name` of the worker under `hosts`'
    "no virtual machine is named $($missing -join ', ') on this Hyper-V host, there are: $($all -join ', ')"
    exit 20
}
if ($off) {
    foreach ($name in @($off | Select-Object -Unique)) { "would: MAC address spoofing of ${name}: Off -> On" }
    "MAC address spoofing is off for: $(@($off | Select-Object -Unique) -join ', ')"
    exit 10
}
$here = @($names | Where-Object { $missing -notcontains $_ })
if (-not $here) {
    'no worker runs on this Hyper-V host'
    exit 0
}
"MAC address spoofing is on for: $($here -join ', ')"
