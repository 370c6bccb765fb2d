<#
.SYNOPSIS
Write the CNI configuration and flannel's net-conf.json, without a byte-order mark, and keep pods off the bridge's address.
.DESCRIPTION
The first address of a worker's pod network is the gateway's, the second that of the bridge's own endpoint. host-local
knows the first alone: a reservation in its store keeps the second from the first pod.
#>
param(
    [Parameter(Mandatory = $true)][string]$CniConf,
    [Parameter(Mandatory = $true)][string]$CniFolder,
    [Parameter(Mandatory = $true)][string]$CniFile,
    [Parameter(Mandatory = $true)][string]$WindowsNetConf,
    [Parameter(Mandatory = $true)][string]$NetConfFiles,
    [string]$HnsNetwork = '',
    [string]$NetworkType = '',
    [string]$NodePodCidr = ''
)
$ErrorActionPreference = 'Stop'
# uses: Get-BridgeReservation Write-OwnFile

Write-OwnFile "$CniFolder\$CniFile" $CniConf
foreach ($file in $NetConfFiles -split ';') { Write-OwnFile $file $WindowsNetConf }
$reservation = Get-BridgeReservation $HnsNetwork $NetworkType $NodePodCidr
if ($reservation -and -not (Test-Path $reservation)) {
    $store = [System.IO.Path]::GetDirectoryName($reservation)
    if (-not (Test-Path $store)) { New-Item -ItemType Directory -Path $store -Force | Out-Null }
    # In host-local's own form: who has it, and on which interface.
    [System.IO.File]::WriteAllText($reservation, "k8swin-bridge`r`n${HnsNetwork}_ep")
}
"wrote $CniFile and net-conf.json; pods that run keep what they were given until they are made anew"
