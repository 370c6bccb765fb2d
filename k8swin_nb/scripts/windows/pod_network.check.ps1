<#
.SYNOPSIS
Does flanneld run, and is the HNS network up, with this node's pod network and this worker's address in place?
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeAddress,
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$NetworkType,
    [string]$NodePodCidr = ''
)
$ErrorActionPreference = 'Stop'
# uses: Test-HoldsNode Wait-Hns

$service = Get-Service -Name flanneld -ErrorAction SilentlyContinue
if (-not $service -or $service.Status -ne 'Running') {
    "would: HNS network ${HnsNetwork}: not looked for while flanneld does not run -> of type $NetworkType, on the adapter of $NodeAddress"
    'flanneld does not run'
    exit 10
}
try {
    $networks = @(Wait-Hns { Get-HnsNetwork } 20 | Where-Object { $_.Name -eq $HnsNetwork })
    $endpoints = @(Wait-Hns { Get-HnsEndpoint } 20 | Where-Object { $_.Name -eq "${HnsNetwork}_ep" })
} catch {
    "the host network service does not answer: $($_.Exception.Message)"
    exit 10
}
if ($networks.Count -ne 1) {
    "would: HNS network ${HnsNetwork}: there $($networks.Count) times -> once, of type $NetworkType, on the adapter of $NodeAddress"
    "there are $($networks.Count) HNS networks named $HnsNetwork, wanted 1"
    if ($networks.Count -gt 1) { exit 20 }
    exit 10
}
$network = $networks[0]
if ($network.Type -ne $NetworkType) {
    "the HNS network $HnsNetwork is of type $($network.Type), wanted $NetworkType"
    exit 20
}
if (-not (Test-HoldsNode $network $NodeAddress)) {
    "the HNS network $HnsNetwork holds the adapter with the address [$($network.ManagementIP)], wanted that of $NodeAddress"
    exit 10
}
if (-not (Test-Path 'C:\run\flannel\subnet.env')) {
    'flanneld has not written C:\run\flannel\subnet.env yet'
    exit 10
}
$subnet = ([regex]'FLANNEL_SUBNET=(\d+\.\d+\.\d+)\.').Match((Get-Content -Path 'C:\run\flannel\subnet.env' -Raw)).Groups[1].Value
$pods = @($network.Subnets)[0]
$prefix = [string]$pods.AddressPrefix
if (-not $prefix.StartsWith("$subnet.")) {
    "the HNS network $HnsNetwork has $prefix, flannel leased $subnet.0/24"
    exit 10
}
if ($NodePodCidr -and $prefix -ne $NodePodCidr) {
    "the HNS network $HnsNetwork has $prefix, the node's pod network is $NodePodCidr"
    exit 10
}
if ([string]$pods.GatewayAddress -ne "$subnet.1") {
    "the HNS network $HnsNetwork has the gateway $($pods.GatewayAddress), wanted $subnet.1"
    exit 10
}
if ($NetworkType -eq 'L2Bridge') {
    if ($endpoints.Count -ne 1 -or [string]$endpoints[0].IPAddress -ne "$subnet.2") {
        "the node's own endpoint on $HnsNetwork is there $($endpoints.Count) times ($(@($endpoints | ForEach-Object { $_.IPAddress }) -join ' ')), wanted once at $subnet.2"
        exit 10
    }
}
if (@(Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -eq $NodeAddress }).Count -ne 1) {
    "the address $NodeAddress is on no interface"
    exit 10
}
"the HNS network $HnsNetwork ($($network.Type)) has $prefix, this worker still has $NodeAddress"
