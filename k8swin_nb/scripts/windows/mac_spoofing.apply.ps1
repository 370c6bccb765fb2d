<#
.SYNOPSIS
Let the workers' virtual adapters send with their pods' addresses. Runs on the Hyper-V host.
#>
param([Parameter(Mandatory = $true)][string]$VmNames)
$ErrorActionPreference = 'Stop'

foreach ($name in $VmNames -split ';') {
    Get-VMNetworkAdapter -VMName $name | Set-VMNetworkAdapter -MacAddressSpoofing On
    "MAC address spoofing is on for $name"
}
