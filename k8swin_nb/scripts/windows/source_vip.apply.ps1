<#
.SYNOPSIS
Reserve an address of this worker's pod network for kube-proxy, with the plugin that hands out pods' addresses.
.DESCRIPTION
On an encapsulated network kube-proxy sends from an address of its own. Reserved with host-local it is never
given to a pod. The plugin takes its question on standard input and its orders from the environment; asked
again for the same owner it would refuse, therefore an earlier reservation is given back first.
#>
param(
    [Parameter(Mandatory = $true)][string]$HnsNetwork,
    [Parameter(Mandatory = $true)][string]$CniPlugins
)
$ErrorActionPreference = 'Stop'
# uses: Save-Text Wait-Hns

$network = @(Wait-Hns { Get-HnsNetwork } | Where-Object { $_.Name -eq $HnsNetwork })
if ($network.Count -ne 1) { throw "there are $($network.Count) HNS networks named $HnsNetwork, wanted 1" }
$subnet = [string]@($network[0].Subnets)[0].AddressPrefix
$question = [ordered]@{
    cniVersion = '0.3.0'
    name       = $HnsNetwork
    ipam       = @{ type = 'host-local'; ranges = @(, @(@{ subnet = $subnet })); dataDir = '/var/lib/cni/networks' }
} | ConvertTo-Json -Depth 6 -Compress
$env:CNI_CONTAINERID = 'k8swin-kube-proxy'
$env:CNI_NETNS = 'k8swin-kube-proxy'
$env:CNI_IFNAME = 'source-vip'
$env:CNI_PATH = $CniPlugins
$env:CNI_COMMAND = 'DEL'
$question | & "$CniPlugins\host-local.exe" | Out-Null
$env:CNI_COMMAND = 'ADD'
$answer = $question | & "$CniPlugins\host-local.exe" | Out-String
if ($LASTEXITCODE -ne 0) { throw "host-local.exe ended with ${LASTEXITCODE}: $($answer.Trim())" }
$address = ([regex]'"address":\s*"([0-9.]+)/').Match($answer).Groups[1].Value
if (-not $address) { throw "host-local.exe gave no address: $($answer.Trim())" }
$saved = [ordered]@{ subnet = $subnet; address = $address } | ConvertTo-Json -Compress
Save-Text 'C:\k8swin\state\source-vip.json' $saved
"$address is reserved for kube-proxy"
exit 0
