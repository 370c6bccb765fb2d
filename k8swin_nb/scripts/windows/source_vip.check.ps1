<#
.SYNOPSIS
Print the address of this worker's pod network that is kube-proxy's own, once it is reserved.
#>
param([Parameter(Mandatory = $true)][string]$HnsNetwork)
$ErrorActionPreference = 'Stop'
# uses: Read-Json Wait-Hns

$file = 'C:\k8swin\state\source-vip.json'
if (-not (Test-Path $file)) {
    "would: ${file}: not there -> an address of this worker's pod network, kept from pods"
    'no address is reserved for kube-proxy yet'
    exit 10
}
try { $saved = Read-Json $file } catch { $saved = $null }
if (-not $saved -or -not $saved.address) {
    "would: ${file}: not to be read -> an address of this worker's pod network, kept from pods"
    "$file does not say which address is reserved"
    exit 10
}
if (-not (Test-Path -LiteralPath "C:\var\lib\cni\networks\$HnsNetwork\$($saved.address)")) {
    "would: $($saved.address): free for pods -> kept from pods"
    "the address $($saved.address) is not kept from pods any more: somebody has emptied the store of host-local"
    exit 10
}
try {
    $network = Wait-Hns { Get-HnsNetwork } | Where-Object { $_.Name -eq $HnsNetwork }
} catch {
    "the host network service does not answer: $($_.Exception.Message)"
    exit 10
}
$prefix = [string]@($network.Subnets)[0].AddressPrefix
if ($saved.subnet -ne $prefix) {
    "would: ${file}: $($saved.address) of $($saved.subnet) -> an address of $prefix"
    "the address $($saved.address) was reserved in $($saved.subnet), this worker's pod network is $prefix"
    exit 10
}
$saved.address
