<#
.SYNOPSIS
Are the HNS networks of the cluster gone, and is this server's address back on its physical adapter?
.DESCRIPTION
A network is ours when it has our name and lies in the pods' network; SDN's own helper network has a fixed one.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet
)
$ErrorActionPreference = 'Stop'

if (-not (Test-Path 'C:\k8swin\network.json') -or -not (Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue)) {
    'no network was made on this server from here'
    exit 0
}
function ConvertTo-Number([string]$Address) {
    $bytes = ([System.Net.IPAddress]::Parse($Address)).GetAddressBytes()
    [array]::Reverse($bytes)
    [System.BitConverter]::ToUInt32($bytes, 0)
}
function Test-Ours($Network) {
    $prefix = [string]@($Network.Subnets)[0].AddressPrefix
    if ($Network.Name -eq 'External') { return $prefix -eq '192.168.255.0/30' }
    if ($Network.Name -ne $HnsNetwork) { return $false }
    $pods, $length = $PodSubnet -split '/'
    $size = [Math]::Pow(2, 32 - [int]$length)
    [Math]::Floor((ConvertTo-Number ($prefix -split '/')[0]) / $size) -eq [Math]::Floor((ConvertTo-Number $pods) / $size)
}
$networks = @(Get-HnsNetwork)
$ours = @($networks | Where-Object { Test-Ours $_ } | ForEach-Object { $_.Name })
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
