<#
.SYNOPSIS
Are the HNS networks of the cluster gone, and is this server's address back on its physical adapter?
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet
)
$ErrorActionPreference = 'Stop'
# uses: Test-OwnNetwork

if (-not (Test-Path 'C:\k8swin\network.json') -or -not (Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue)) {
    'no network was made on this server from here'
    exit 0
}
$networks = @(Get-HnsNetwork)
$ours = @($networks | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet } | ForEach-Object { $_.Name })
if ($ours) {
    "HNS networks of the cluster: $($ours -join ' ')"
    exit 10
}
$saved = Get-Content -Path 'C:\k8swin\network.json' -Raw | ConvertFrom-Json
$address = @(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress })
$others = @($networks | Where-Object { $_.Type -ne 'NAT' -and $_.Type -ne 'ICS' } | ForEach-Object { $_.Name })
if ($address.Count -ne 1 -or (-not $others -and $address[0].InterfaceAlias -ne $saved.alias)) {
    "the address $NodeAddress is on [$(@($address | ForEach-Object { $_.InterfaceAlias }) -join ' ')], wanted $($saved.alias)"
    exit 10
}
"no HNS network of the cluster is left, $NodeAddress is on $($address[0].InterfaceAlias)"
