<#
.SYNOPSIS
Write the CNI configuration and flannel's net-conf.json, without a byte-order mark.
#>
param(
    [Parameter(Mandatory = $true)][string]$CniConf,
    [Parameter(Mandatory = $true)][string]$CniFolder,
    [Parameter(Mandatory = $true)][string]$CniFile,
    [Parameter(Mandatory = $true)][string]$WindowsNetConf,
    [Parameter(Mandatory = $true)][string]$NetConfFiles
)
$ErrorActionPreference = 'Stop'
# uses: Write-OwnFile

Write-OwnFile "$CniFolder\$CniFile" $CniConf
foreach ($file in $NetConfFiles -split ';') { Write-OwnFile $file $WindowsNetConf }
"wrote $CniFile and net-conf.json"
