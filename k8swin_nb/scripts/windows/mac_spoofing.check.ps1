<#
.SYNOPSIS
May the workers' virtual adapters send with their pods' addresses? Runs on the Hyper-V host.
#>
param([Parameter(Mandatory = $true)][string]$VmNames)
$ErrorActionPreference = 'Stop'

$off = @()
foreach ($name in $VmNames -split ';') {
    foreach ($adapter in @(Get-VMNetworkAdapter -VMName $name)) {
        if ([string]$adapter.MacAddressSpoofing -ne 'On') { $off += $name }
    }
}
if ($off) {
    "MAC address spoofing is off for: $(@($off | Select-Object -Unique) -join ' ')"
    exit 10
}
"MAC address spoofing is on for: $($VmNames -replace ';', ' ')"
