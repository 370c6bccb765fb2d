<#
.SYNOPSIS
Let the workers' virtual adapters send with their pods' addresses. Runs on the Hyper-V host.
#>
param([Parameter(Mandatory = $true)][string]$VmNames)
$ErrorActionPreference = 'Stop'

foreach ($name in @($VmNames -split ';' | Where-Object { $_ })) {
    foreach ($adapter in @(Get-VMNetworkAdapter -VMName * | Where-Object { $_.VMName -eq $name })) {
        if ([string]$adapter.MacAddressSpoofing -ne 'On') {
            Set-VMNetworkAdapter -VMNetworkAdapter $adapter -MacAddressSpoofing On
            "MAC address spoofing is on for $name, adapter $($adapter.Name)"
        }
    }
}
