<#
.SYNOPSIS
Does flanneld run, and is the HNS network up with this worker's address still in place?
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork
)
$ErrorActionPreference = 'Stop'

$service = Get-Service -Name flanneld -ErrorAction SilentlyContinue
if (-not $service -or $service.Status -ne 'Running') {
    'flanneld does not run'
    exit 10
}
$networks = @(Get-HnsNetwork | Where-Object { $_.Name -eq $HnsNetwork })
if ($networks.Count -ne 1) {
    "there are $($networks.Count) HNS networks named $HnsNetwork, wanted 1"
    if ($networks.Count -gt 1) { exit 20 }
    exit 10
}
$network = $networks[0]
if (-not (Test-Path 'C:\run\flannel\subnet.env')) {
    'flanneld has not written C:\run\flannel\subnet.env yet'
    exit 10
}
$subnet = ([regex]'FLANNEL_SUBNET=(\d+\.\d+\.\d+)\.').Match((Get-Content -Path 'C:\run\flannel\subnet.env' -Raw)).Groups[1].Value
$prefix = [string]@($network.Subnets)[0].AddressPrefix
if (-not $prefix.StartsWith("$subnet.")) {
    "the HNS network $HnsNetwork has $prefix, flannel leased $subnet.0/24"
    exit 10
}
if (@(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress }).Count -ne 1) {
    "the address $NodeAddress is on no interface"
    exit 10
}
"the HNS network $HnsNetwork ($($network.Type)) has $prefix, this worker still has $NodeAddress"
