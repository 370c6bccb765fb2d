<#
.SYNOPSIS
Do the CNI configuration and flannel's net-conf.json equal the plan, and does nothing stand before them?
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
# uses: Get-BridgeReservation Get-FileDifference Test-FileText

# Of other files nobody takes notice.
$others = @(Get-ChildItem -Path $CniFolder -Force -ErrorAction SilentlyContinue |
    Where-Object { $_.Name -ne $CniFile -and $_.Name -match '\.(conf|conflist|json)$' } | ForEach-Object { $_.Name })
if ($others) {
    "other CNI configurations stand beside flannel's in ${CniFolder}: $($others -join ' ')"
    exit 20
}
$wanted = [ordered]@{ "$CniFolder\$CniFile" = $CniConf }
foreach ($file in $NetConfFiles -split ';') { $wanted[$file] = $WindowsNetConf }
foreach ($file in $wanted.Keys) {
    if (-not (Test-FileText $file $wanted[$file])) { Get-FileDifference $file $wanted[$file] }
}
$reservation = Get-BridgeReservation $HnsNetwork $NetworkType $NodePodCidr
if ($reservation -and -not (Test-Path $reservation)) { "would: ${reservation}: not there -> kept from pods" }
foreach ($file in $wanted.Keys) {
    if (-not (Test-FileText $file $wanted[$file])) {
        "$file is missing or differs from the plan"
        exit 10
    }
    if ([System.IO.File]::ReadAllBytes($file)[0] -ne 0x7b) {
        "$file does not begin with a brace: a byte-order mark"
        exit 10
    }
}
if ($reservation -and -not (Test-Path $reservation)) {
    "the address of the bridge's own endpoint may be given to a pod: $reservation is missing"
    exit 10
}
'the CNI configuration equals the plan'
