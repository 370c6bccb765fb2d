<#
.SYNOPSIS
Are the HNS networks of the cluster gone, and is this server's address back on its physical adapter?
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$PodSubnet,
    [string]$ExternalNetwork = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-SavedAdapter Read-Json Test-HoldsAdapter Test-OwnNetwork Wait-Hns

if (-not (Test-Path 'C:\k8swin\network.json') -or -not (Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue)) {
    'no network was made on this server from here'
    exit 0
}
try {
    $networks = @(Wait-Hns { Get-HnsNetwork })
} catch {
    "the host network service does not answer: $($_.Exception.Message)"
    exit 10
}
$ours = @($networks | Where-Object { Test-OwnNetwork $_ $HnsNetwork $PodSubnet $ExternalNetwork } | ForEach-Object { $_.Name })
if ($ours) {
    "HNS networks of the cluster: $($ours -join ' ')"
    exit 10
}
$saved = Read-Json 'C:\k8swin\network.json'
$card = Get-SavedAdapter $saved
$address = @(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress })
# Somebody else's network may hold the card further on; then the address stays where it is.
$others = @($networks | Where-Object { Test-HoldsAdapter $_ })
if ($address.Count -ne 1 -or (-not $others -and $card -and $address[0].InterfaceIndex -ne $card.ifIndex)) {
    "the address $NodeAddress is on [$(@($address | ForEach-Object { $_.InterfaceAlias }) -join ' ')], wanted $($card.Name)"
    exit 10
}
"no HNS network of the cluster is left, $NodeAddress is on $($address[0].InterfaceAlias)"
